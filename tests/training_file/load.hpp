// Loading training files from text, and what they say about mistakes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tessera/training_file.hpp"

namespace tessera::training::test {

/// Data and an output that fit: three classes, five channels.
inline const std::string kData = R"(
[data]
set = "yin_yang"
[data.encoder]
bias = true
)";
inline const std::string kHidden = R"(
[[layer]]
name = "hidden"
size = 30
)";
inline const std::string kOutput = R"(
[[layer]]
name = "output"
neuron = "readout"
size = 3
)";

inline TrainingModel parse(const std::string& text,
                           const std::vector<ParameterOverride>& overrides = {}) {
  return parse_training_model(text, "t.toml", overrides);
}

/// The layer that a few lines describe, between the data and an output.
inline Layer layer(const std::string& lines) {
  return parse(kData + "[[layer]]\nname = \"a\"\n" + lines + kOutput).network.layers.at(0);
}

/// Everything that is wrong, one problem per line; "" when nothing is.
inline std::string complaints(const std::string& text,
                              const std::vector<ParameterOverride>& overrides = {}) {
  try {
    (void)parse(text, overrides);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

inline std::size_t count_of_problems(const std::string& text) {
  try {
    (void)parse(text);
  } catch (const InputError& error) {
    return error.problems().size();
  }
  return 0;
}

inline testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << part << "' is not in:\n" << text;
}

}  // namespace tessera::training::test
