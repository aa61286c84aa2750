// Loading models from text and from the repository, and what they say about mistakes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tessera/model_file.hpp"

namespace tessera::test {

inline const std::string kModels = TESSERA_SOURCE_DIR "/models/";

inline Network load(const std::string& file, const std::vector<ParameterOverride>& overrides = {}) {
  return load_model_file(kModels + file, NeuronCatalogue::builtin(), overrides);
}

inline Network parse(const std::string& text, const std::vector<ParameterOverride>& overrides = {},
                     const std::filesystem::path& folder = kModels) {
  return parse_model(text, "m.toml", folder, NeuronCatalogue::builtin(), overrides);
}

/// Everything that is wrong with a model, one problem per line; "" when it is right.
inline std::string complaints(const std::string& text,
                              const std::vector<ParameterOverride>& overrides = {}) {
  try {
    (void)parse(text, overrides);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

inline testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << part << "' is not in:\n" << text;
}

inline const Projection* find_projection(const Network& network, const std::string& name) {
  for (const Projection& p : network.projections) {
    if (p.name == name) return &p;
  }
  return nullptr;
}

inline double all_synapses(const Network& network) {
  double sum = 0.0;
  for (const Projection& p : network.projections) {
    sum += expected_synapses(p, *network.find(p.source), *network.find(p.target));
  }
  return sum;
}

inline std::uint64_t all_neurons(const Network& network) {
  std::uint64_t sum = 0;
  for (const Population& p : network.populations) sum += p.size;
  return sum;
}

}  // namespace tessera::test
