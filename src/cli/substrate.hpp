// --machine, --machine-set, --chips, --effects and --chip-seed of `tessera train` and `tessera evaluate`.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cli/arguments.hpp"
#include "cli/values.hpp"
#include "tessera/substrate.hpp"

namespace tessera::cli {

/// The substrate that is asked for, with the network divided onto it; null where none is. `model_file`: where the
/// network comes from, which may state a partition.
[[nodiscard]] std::shared_ptr<const training::Substrate> substrate_of(const SubstrateArguments& arguments,
                                                                      const training::Network& network,
                                                                      const std::filesystem::path& model_file,
                                                                      Problems& problems);

/// What a training or an evaluation on a substrate took, in lines.
[[nodiscard]] std::string substrate_text(const training::Substrate& substrate, const training::SubstrateUse& use,
                                         const std::vector<training::LinkActivity>& links);

}  // namespace tessera::cli
