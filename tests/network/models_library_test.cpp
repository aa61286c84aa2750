// Libraries of models that are loaded by their paths.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_folder.hpp"
#include "tessera/errors.hpp"
#include "tessera/models_library.hpp"
#include "version.hpp"

namespace tessera::test {
namespace {

const std::filesystem::path kFolder = TESSERA_TEST_LIBRARIES;

/// Loading fails with these words, and the catalogue has what it had.
void expect_refused(const std::filesystem::path& file, const std::string& words) {
  NeuronCatalogue models = NeuronCatalogue::builtin();
  const auto names = models.names(), rules = models.structural_rule_names();
  try {
    load_models(file, models);
    ADD_FAILURE() << file << " was loaded";
  } catch (const InputError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find(words), std::string::npos) << text;
    EXPECT_NE(text.find(file.filename().string()), std::string::npos) << text;
  }
  EXPECT_EQ(models.names(), names);
  EXPECT_EQ(models.structural_rule_names(), rules);
}

TEST(ModelsLibrary, ModelsAndRulesAreThereUnderTheirNames) {
  NeuronCatalogue models = NeuronCatalogue::builtin();
  EXPECT_EQ(load_models(kFolder / "models_good.so", models), (std::vector<std::string>{"from_a_library", "rule_from_a_library"}));
  ASSERT_NE(models.find("from_a_library"), nullptr);
  EXPECT_EQ(models.find("from_a_library")->weight_unit, "pA");
  EXPECT_NE(models.find_structural_rule("rule_from_a_library"), nullptr);
  EXPECT_EQ(NeuronCatalogue::builtin().find("from_a_library"), nullptr);  // a catalogue is a value
  EXPECT_THROW(load_models(kFolder / "models_good.so", models), InputError);  // its names are taken
}

TEST(ModelsLibrary, WhatCannotBeLoadedIsRefusedWithASentence) {
  const TemporaryFolder folder;
  std::ofstream(folder / "text.so") << "no library";
  expect_refused(kFolder / "nothing.so", "there is no such file");
  expect_refused(folder / "text.so", "cannot be loaded");
  expect_refused(kFolder, "there is no such file");
  expect_refused(kFolder / "models_other_version.so", "built for tessera 9" + std::string(kVersion).substr(1) + ", and this is " + kVersion);
  expect_refused(kFolder / "models_taken_name.so", "'bamford' is already in the catalogue");
}

TEST(ModelsLibrary, TheHeaderSaysTheVersionOfTheLibrary) { EXPECT_STREQ(models_build().version.data(), kVersion); }

}  // namespace
}  // namespace tessera::test
