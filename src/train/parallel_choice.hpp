// Whether ranks share samples or layers, where nobody has said so.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "comm/agreement.hpp"
#include "tessera/training.hpp"

namespace tessera::training {

/// What all parameters take on a rank that has them all: value, gradient and optimiser state, a sum of slices where
/// there are several, and of a sparse connection where its synapses lie. The network must be valid; the synapses of
/// sparse connections are expected ones.
[[nodiscard]] double parameter_bytes(const Network& network, const Options& options);

/// Parallel::model where parameters take more than half of `rank_bytes` (0: unknown) and layers can be shared.
[[nodiscard]] Parallel choose_parallel(const Network& network, const Options& options, std::uint64_t rank_bytes);

/// What the rank with the least may use, where those of one machine share its memory; 0: some rank does not know.
[[nodiscard]] std::uint64_t least_memory(const Agreement& ranks);

/// The options, with `parallel` settled on all ranks alike.
[[nodiscard]] Options with_parallel_chosen(const Network& network, Options options);

}  // namespace tessera::training
