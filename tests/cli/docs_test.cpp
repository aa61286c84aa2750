// Every example of docs/command-line.md, simulation.md, plasticity.md, training.md and data.md runs, one after the
// other, on a small network.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/examples.hpp"

namespace tessera::test {
namespace {

/// A line of a page that is to succeed.
Outcome good_example(const std::string& command, const ProcessOptions& options) {
  std::vector<std::string> words = words_of(command);
  EXPECT_EQ(words.at(0), "tessera");
  words.erase(words.begin());
  const Outcome outcome = tessera(words, options);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return outcome;
}

TEST(Documentation, EveryExampleOfTheCommandLineRuns) {
  const TemporaryFolder folder;
  std::filesystem::create_directory_symlink(std::string(TESSERA_SOURCE_DIR) + "/models",
                                            folder.path() / "models");
  ProcessOptions options;
  options.folder = folder.path();
  std::vector<std::string> commands = examples("command-line.md");
  ASSERT_GE(commands.size(), 10u);
  const std::vector<std::string> simulation = examples("simulation.md");
  ASSERT_EQ(simulation.size(), 3u);
  commands.insert(commands.end(), simulation.begin(), simulation.end());
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    std::vector<std::string> words = words_of(command);
    ASSERT_EQ(words.at(0), "tessera");
    words.erase(words.begin());
    const bool scaled = command.find("scale=") != std::string::npos;
    if (!scaled && (words.at(0) == "run" || words.at(0) == "plan")) {
      words.insert(words.end(), {"--set", "scale=0.02", "--set", "drive=poisson"});
    }
    const Outcome outcome = tessera(words, options);
    // A fiftieth of the network for a second is no match for the reference: only that verdict may
    // fail.
    const bool verdict = outcome.out.find("Verdict: DIFFERS") != std::string::npos;
    EXPECT_EQ(outcome.exit_code, verdict ? 1 : 0) << outcome.err;
    EXPECT_EQ(outcome.out.find("\nsilent "), std::string::npos) << outcome.out;
  }
}

TEST(Documentation, ThePageOfTheMultiAreaModelRuns) {
  const TemporaryFolder folder;
  std::filesystem::create_directory_symlink(std::string(TESSERA_SOURCE_DIR) + "/models", folder.path() / "models");
  ProcessOptions options;
  options.folder = folder.path();
  const std::vector<std::string> commands = examples("multi-area.md");
  EXPECT_EQ(commands.size(), 9u);
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    const Outcome outcome = good_example(command, options);
    const bool quiet = command.find("metastable") != std::string::npos;  // inhibition silences layers of so small a stand-in
    EXPECT_TRUE(quiet || outcome.out.find("\nsilent ") == std::string::npos) << outcome.out;
  }
}

// The first commands that a reader copies, with the size that stands there.
TEST(Documentation, TheFirstStepsOfTheReadmeShowActivity) {
  const TemporaryFolder folder;
  std::filesystem::create_directory_symlink(std::string(TESSERA_SOURCE_DIR) + "/models",
                                            folder.path() / "models");
  ProcessOptions options;
  options.folder = folder.path();
  std::size_t runs = 0;
  for (std::string command : examples("../README.md")) {
    command.resize(std::min(command.find('#'), command.size()));
    std::vector<std::string> words = words_of(command);
    if (words.size() < 2 || words[0] != "tessera" || (words[1] != "run" && words[1] != "stats")) {
      continue;
    }
    SCOPED_TRACE(command);
    words.erase(words.begin());
    const Outcome outcome = tessera(words, options);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out.find("\nsilent "), std::string::npos) << outcome.out;
    ++runs;
  }
  EXPECT_EQ(runs, 2u);
}

// The page has three complete models; the second one begins with its sheets. A fourth one reads tables, which a test of the
// reader writes (tests/model_file/docs_test.cpp).
TEST(Documentation, EveryModelOfThePageOnModelFilesShowsActivity) {
  const TemporaryFolder folder;
  const std::string page = read_text(std::string(TESSERA_SOURCE_DIR) + "/docs/model-files.md");
  ProcessOptions options;
  options.folder = folder.path();
  const std::string fence = "```toml\n";
  int models = 0;
  for (std::size_t begin = page.find(fence); begin != std::string::npos; begin = page.find(fence, begin)) {
    begin += fence.size();
    const std::string model = page.substr(begin, page.find("```", begin) - begin);
    if (model.find("{ file = ") != std::string::npos) continue;
    write_text(folder / "example.toml", model);
    const Outcome outcome = tessera(words_of("run example.toml --force"), options);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("rate (Hz)"), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.out.find("\nsilent "), std::string::npos) << outcome.out;
    ++models;
  }
  EXPECT_EQ(models, 3);
}

TEST(Documentation, EveryExampleOfTrainingRunsOnTheFileOfThePage) {
  const TemporaryFolder folder;
  const std::string page = read_text(std::string(TESSERA_SOURCE_DIR) + "/docs/training.md");
  const std::string fence = "```toml\n";
  const std::size_t begin = page.find(fence) + fence.size();
  write_text(folder / "example.toml", page.substr(begin, page.find("```", begin) - begin));
  ProcessOptions options;
  options.folder = folder.path();
  const std::vector<std::string> commands = examples("training.md");
  ASSERT_GE(commands.size(), 8u);
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    (void)good_example(command, options);
  }
}

TEST(Documentation, EveryExampleOfPartitionedTrainingRuns) {
  const TemporaryFolder folder;
  std::filesystem::create_directory_symlink(std::string(TESSERA_SOURCE_DIR) + "/models", folder.path() / "models");
  ProcessOptions options;
  options.folder = folder.path();
  const std::vector<std::string> commands = examples("partitioned-training.md");
  ASSERT_EQ(commands.size(), 4u);
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    const Outcome outcome = good_example(command, options);
    const bool chip = command.find("--machine") != std::string::npos;
    EXPECT_EQ(outcome.out.find("substrate   brainscales2: ") != std::string::npos, chip) << outcome.out;
  }
}

TEST(Documentation, EveryExampleOfPlasticityRunsOnTheFileOfThePage) {
  const TemporaryFolder folder;
  const std::string page = read_text(std::string(TESSERA_SOURCE_DIR) + "/docs/plasticity.md");
  const std::string fence = "```toml\n";
  const std::size_t begin = page.find(fence) + fence.size();
  write_text(folder / "held_rate.toml", page.substr(begin, page.find("```", begin) - begin));
  ProcessOptions options;
  options.folder = folder.path();
  const std::vector<std::string> commands = examples("plasticity.md");
  ASSERT_GE(commands.size(), 5u);
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    (void)good_example(command, options);
  }
}

TEST(Documentation, EveryExampleOfStructuralPlasticityRunsOnTheFileOfThePage) {
  const TemporaryFolder folder;
  const std::string page = read_text(std::string(TESSERA_SOURCE_DIR) + "/docs/structural-plasticity.md");
  const auto block = [&](const std::string& fence) {
    const std::size_t begin = page.find(fence) + fence.size();
    return page.substr(begin, page.find("```", begin) - begin);
  };
  write_text(folder / "rewiring.toml", block("```toml\n"));
  std::filesystem::create_directory_symlink(std::string(TESSERA_SOURCE_DIR) + "/models", folder.path() / "models");
  ProcessOptions options;
  options.folder = folder.path();
  const std::vector<std::string> commands = examples("structural-plasticity.md");
  ASSERT_EQ(commands.size(), 18u);
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    const Outcome outcome = good_example(command, options);
    const bool rewires = command.find("train") != std::string::npos &&
                         command.find("static") == std::string::npos && command.find("connectivity") == std::string::npos;
    EXPECT_EQ(outcome.out.find("eliminated in the last epoch") != std::string::npos, rewires) << outcome.out;
    const auto runs = [&command](const char* model, const char* without) {
      return command.find("tessera run") == 0 && command.find(model) != std::string::npos && command.find(without) == std::string::npos;
    };
    EXPECT_EQ(outcome.out.find("feed_forward (bamford): ") != std::string::npos, runs("topographic_map", "rewires=false")) << outcome.out;
    EXPECT_EQ(outcome.out.find("E_to_I (homeostatic): ") != std::string::npos, runs("homeostatic_growth", "grows=false")) << outcome.out;
  }
  // The rule on the page is the one that is compiled and run.
  const std::string rule = read_text(std::string(TESSERA_SOURCE_DIR) + "/examples/custom_rewiring/weak_and_old.hpp");
  EXPECT_NE(rule.find(block("```cpp\n")), std::string::npos);
}

TEST(Documentation, EveryExampleOfDataRunsOnTheFileOfThePage) {
  const TemporaryFolder folder;
  std::filesystem::create_directory_symlink(std::string(TESSERA_SOURCE_DIR) + "/models",
                                            folder.path() / "models");
  const std::string page = read_text(std::string(TESSERA_SOURCE_DIR) + "/docs/data.md");
  const std::string fence = "```toml\n";
  const std::size_t begin = page.find(fence) + fence.size();
  write_text(folder / "own.toml", page.substr(begin, page.find("```", begin) - begin));
  ProcessOptions options;
  options.folder = folder.path();
  const std::vector<std::string> commands = examples("data.md");
  ASSERT_GE(commands.size(), 7u);
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    (void)good_example(command, options);
  }
}

}  // namespace
}  // namespace tessera::test
