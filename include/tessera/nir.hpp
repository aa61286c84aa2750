// NIR files (Neuromorphic Intermediate Representation, 1.0.8, HDF5): networks to train, exchanged with snnTorch, Norse,
// Sinabs, ... docs/training.md has what becomes of every node.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tessera/training.hpp"

namespace tessera::training {

/// What a file does not say. Times in files are seconds.
struct NirOptions {
  std::uint32_t steps = 1;  ///< of a sample, 1 .. 65,535
  double dt_ms = 0.1;       ///< the time step the network was made for, 0.001 .. 1000 ms; snnTorch writes files for 0.1 ms
  /// What a spike does. v_reset = 0 in a file means to_zero; snnTorch writes that whatever it did, and by default it does
  /// subtract_undecayed.
  Reset reset = Reset::to_zero;
  bool exponential = false;  ///< decays exp(-dt / tau); false: 1 - dt / tau (Euler), as snnTorch and Norse compute
};

struct NirNetwork {
  Network network;
  std::vector<Tensor> weights;  ///< all parameters of the network, by the names of Trainer::parameters()
  /// Of the second threshold, for training: 0.9 of the lowest threshold, at most the usual 0.9.
  double second_threshold = 0.9;
  std::vector<std::string> mapping;  ///< a sentence for every layer, and one for every field that was left out
};

/// Reads a file. Throws InputError with all problems at once: a file that is damaged, no NIR, links elsewhere or is larger
/// than it can be; nodes, fields and shapes that are not as NIR says; what has no counterpart here (other primitives,
/// v_reset that is not 0, several inputs of a layer, windows that overlap).
[[nodiscard]] NirNetwork import_nir(const std::filesystem::path& file, const NirOptions& options);

/// Writes a network with these weights (Trainer::parameters()), under a temporary name until it is whole: Affine or Linear,
/// Conv2d, AvgPool2d, SumPool2d, Flatten, LIF, CubaLIF, IF, and LI for a readout. Time constants are such that Euler with the
/// network's dt gives the same numbers; metadata name dt and reset. Throws InputError with all that NIR cannot say (sparse
/// connections, delays, adaptive neurons, refractory periods) and for weights that do not fit; RunError (disk).
void export_nir(const std::filesystem::path& file, const Network& network, const std::vector<Tensor>& weights);

}  // namespace tessera::training
