// What a run command means, after everything that can be wrong with it was checked.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "cli/arguments.hpp"
#include "tessera/network.hpp"
#include "tessera/partitioned_simulation.hpp"
#include "tessera/simulation.hpp"
#include "tessera/weight_recording.hpp"

namespace tessera::cli {

struct RunSettings {
  Network network;  ///< with the recorders of this run
  SimulationOptions options;
  std::optional<PartitionedOptions> parts;  ///< on a machine
  double end_ms = 0.0;
  double discard_ms = 0.0;
  bool record_spikes = true;
  bool record_synapses = false;  ///< of plastic projections, at the end
  std::vector<WeightRecording> record_weights;
  std::filesystem::path out;
  bool force = false;
  bool quiet = false;
  std::optional<double> checkpoint_every_ms;
  std::optional<std::filesystem::path> resume;
};

/// Throws InputError with all problems of the command line and the model; touches no file but the
/// model. Selects the instruction set. `writes`: this rank writes the result, so that its folder matters.
[[nodiscard]] RunSettings resolve(const RunArguments& arguments, const NeuronCatalogue& models, bool writes,
                                  int ranks = 1);

}  // namespace tessera::cli
