// Sizes beyond which a network is refused; the engine's integer widths rest on them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tessera {

/// Longest delay, in steps of dt.
inline constexpr std::int64_t kMaxDelaySteps = 4096;
/// Neurons and sources of a network together: ids have 32 bits, and loops over blocks of up to 65,536 sources may
/// count to the end of the last one.
inline constexpr std::uint64_t kMaxNeurons = 4294901760;
/// Synapses of one projection; exactly representable as a double.
inline constexpr double kMaxSynapses = 1e15;
/// Steps of a run: spikes carry their step as 32 bits.
inline constexpr double kMaxSteps = 4294967295.0;
/// Columns and rows of a population's grid.
inline constexpr std::uint32_t kMaxGridSide = 65536;
/// Length of a sheet's edge.
inline constexpr double kMaxExtent_mm = 1e6;
/// Refractory periods are counted in 16 bits.
inline constexpr int kMaxRefractorySteps = 65535;
/// Mean number of spikes per step of a Poisson stimulus, and of one neuron of a Poisson source.
inline constexpr double kMaxStimulusSpikesPerStep = 100.0;
inline constexpr double kMaxSourceSpikesPerStep = 1.0;

/// Delays are tables of quantiles; a tail that fewer than one synapse in eight billion reaches does
/// not count against kMaxDelaySteps.
inline constexpr double kDelayTail = 1.0 - 1.0 / 8589934592.0;

}  // namespace tessera
