// --machine, --machine-set, --chips, --effects and --chip-seed of `tessera run`, `train` and `evaluate`.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/values.hpp"
#include "tessera/partitioned_simulation.hpp"
#include "tessera/substrate.hpp"

namespace tessera::cli {

/// A machine as the command line wants it. Effects are switched off after the network was divided: the partition stays.
struct ChosenMachine {
  MachineDescription machine;
  PartitionOptions options;
  std::uint64_t seed = 1;
  std::optional<std::vector<training::SubstrateEffect>> effects;  ///< none: all
};

/// Nothing where no machine is asked for, or where it cannot be read. `model_file` may state a partition.
[[nodiscard]] std::optional<ChosenMachine> machine_of(const SubstrateArguments& arguments,
                                                      const std::filesystem::path& model_file, Problems& problems);

/// A network to simulate on the machine that is asked for, divided onto it. Nothing where none is, or where problems
/// were found.
[[nodiscard]] std::optional<PartitionedOptions> parts_of(const RunArguments& arguments, const Network& network,
                                                         const NeuronCatalogue& models, const SimulationOptions& simulation,
                                                         double time_ms, Problems& problems);

/// The substrate that is asked for, with the network divided onto it; null where none is. `model_file`: where the
/// network comes from, which may state a partition.
[[nodiscard]] std::shared_ptr<const training::Substrate> substrate_of(const SubstrateArguments& arguments,
                                                                      const training::Network& network,
                                                                      const std::filesystem::path& model_file,
                                                                      Problems& problems);

/// What a training or an evaluation on a substrate took, in lines.
[[nodiscard]] std::string substrate_text(const training::Substrate& substrate, const training::SubstrateUse& use,
                                         const std::vector<training::LinkActivity>& links);

/// What a run in parts took, in lines.
[[nodiscard]] std::string turns_text(const std::string& machine, const TurnsReport& turns);

}  // namespace tessera::cli
