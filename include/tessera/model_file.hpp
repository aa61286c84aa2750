// Model files: a network written as TOML, with units, named parameters and matrices.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tessera/network.hpp"

namespace tessera {

/// A named parameter given on the command line: name and value as text ("scale", "0.1").
using ParameterOverride = std::pair<std::string, std::string>;

/// Reads, substitutes parameters, scales and validates. Throws InputError with all problems of the
/// file at once, each with file:line:column and key path. `ranks`: how many ranks will simulate the network;
/// a parameter of that name, where the file has one and no override sets it, becomes this number.
[[nodiscard]] Network load_model_file(const std::filesystem::path& path,
                                      const NeuronCatalogue& models,
                                      const std::vector<ParameterOverride>& overrides = {},
                                      int ranks = 1);

/// The same from text; `name` stands for the file in messages, `folder` is where files that the model
/// names (spike trains, connection lists) are looked for.
[[nodiscard]] Network parse_model(const std::string& text, const std::string& name,
                                  const std::filesystem::path& folder,
                                  const NeuronCatalogue& models,
                                  const std::vector<ParameterOverride>& overrides = {}, int ranks = 1);

}  // namespace tessera
