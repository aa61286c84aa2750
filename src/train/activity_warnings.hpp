// What an epoch's activity says about the layers: sentences with advice.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tessera/training.hpp"

namespace tessera::training {

/// Warns of layers that are silent, saturated or drop entries, and of those of which a fifth or
/// more is dead: spiked in none of the training samples. Dead neurons are told when they become so
/// many, not in every epoch: `before` is the epoch before this one, or nullptr.
void warn_of_activity(const Network& network, const EpochMetrics& epoch, const EpochMetrics* before,
                      FitObserver& observer);

}  // namespace tessera::training
