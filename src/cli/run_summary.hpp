// The tables at the end of a run.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "tessera/result.hpp"

namespace tessera::cli {

/// Phases, real-time factor, memory, and rate and CV per population, on standard output; and, when
/// populations were silent, which and the likely reason. `network` is the one that ran.
void show_run_summary(const RunSummary& summary, const Network& network,
                      const NeuronCatalogue& models, const std::filesystem::path& folder);

/// How many synapses are plastic, a line for each rule; nothing when none is.
void show_plasticity(const Network& network);

/// A line for each, saying how far the mean is off.
void show_rounded_weights(const std::vector<RoundedWeights>& rounded);

/// A line about a mixture of stored and drawn projections, when there is one.
void show_mixture(const Mixture& mixture);

}  // namespace tessera::cli
