// Models with something wrong in them: a sentence with file, line and key, exit code 2, nothing
// written.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/process.hpp"
#include "cli/small_model.hpp"

namespace tessera::test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct BadModel {
  std::string name;
  std::string text, with;              ///< what is replaced in the small model, and by what
  std::vector<std::string> sentences;  ///< parts that the message must have
};

void PrintTo(const BadModel& bad, std::ostream* stream) { *stream << bad.name; }

std::string changed(const BadModel& bad) {
  std::string model = kSmallModel;
  const auto at = model.find(bad.text);
  EXPECT_NE(at, std::string::npos) << "the small model has no " << bad.text;
  return model.replace(at, bad.text.size(), bad.with);
}

class BadModels : public ::testing::TestWithParam<BadModel> {};

TEST_P(BadModels, AreRefusedBeforeAnythingIsWritten) {
  const TemporaryFolder folder;
  write_text(folder / "m.toml", changed(GetParam()));
  ProcessOptions options;
  options.folder = folder.path();
  for (const char* command : {"run", "plan"}) {
    const Outcome outcome = tessera({command, "m.toml"}, options);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_EQ(outcome.err.rfind("tessera: error: ", 0), 0u) << outcome.err;
    for (const std::string& sentence : GetParam().sentences) {
      EXPECT_TRUE(contains(outcome.err, sentence))
          << "wanted: " << sentence << "\ngot: " << outcome.err;
    }
    EXPECT_EQ(folder.contents(), std::set<std::string>{"m.toml"});
  }
}

// Line numbers are those of the small model.
INSTANTIATE_TEST_SUITE_P(
    Cli, BadModels,
    ::testing::Values(
        BadModel{"unknown key",
                 "number = 20",
                 "nubmer = 20",
                 {"m.toml:30:1 (projections.to_I.nubmer)", "Did you mean 'number'?"}},
        BadModel{"wrong unit",
                 "\"0.8 ms\"",
                 "\"0.8 mV\"",
                 {"m.toml:40:9 (projections.to_E.delay)", "ms", "mV"}},
        BadModel{
            "unknown unit", "\"300 pA\"", "\"300 kg\"", {"m.toml:31:10", "'kg' is not a unit"}},
        BadModel{
            "wrong type", "size = 160", "size = \"many\"", {"m.toml:11:8 (populations.E.size)"}},
        BadModel{"negative size", "size = 160", "size = -160", {"m.toml:11:8", "-160"}},
        BadModel{"enormous size", "size = 160", "size = 99999999999999999999", {"m.toml:11"}},
        BadModel{
            "delay below dt", "\"0.8 ms\"", "\"0.05 ms\"", {"m.toml:40:9", "0.05 ms", "0.1 ms"}},
        BadModel{"probability above one",
                 "probability = 0.2",
                 "probability = 1.2",
                 {"m.toml:38:15", "from 0 to 1"}},
        BadModel{"in-degree without multapses",
                 "number = 20",
                 "number = 161\nmultapses = false",
                 {"m.toml:30:10", "161", "at most 160"}},
        BadModel{"unknown population",
                 "source = \"E\"",
                 "source = \"F\"",
                 {"m.toml:27:10", "'F'", "Did you mean 'E'?"}},
        BadModel{"weight not finite", "\"300 pA\"", "nan", {"m.toml:31:10", "finite"}},
        BadModel{
            "duplicate name", "populations.I]", "populations.E]", {"m.toml:20:1", "populations.E"}},
        BadModel{"unknown neuron model",
                 "iaf_psc_exp",
                 "iaf_psc_epx",
                 {"m.toml:12:9", "Did you mean 'iaf_psc_exp'?"}},
        BadModel{"not TOML", "[parameters]", "[parameters", {"m.toml:7:12"}},
        BadModel{"dt of zero", "dt = \"0.1 ms\"", "dt = \"0 ms\"", {"m.toml:2:6"}}),
    [](const auto& test) {
      std::string name = test.param.name;
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
      return name;
    });

TEST(BadModelsAndOptions, AreToldTogether) {
  const TemporaryFolder folder;
  std::string model = changed({"", "size = 160", "size = -1", {}});
  model.replace(model.find("0.8 ms"), 6, "0.8 mV");
  write_text(folder / "m.toml", model);
  ProcessOptions options;
  options.folder = folder.path();
  const Outcome outcome = tessera({"run", "m.toml", "--threads", "none"}, options);
  EXPECT_EQ(outcome.exit_code, 2);
  for (const char* part : {"populations.E.size", "projections.to_E.delay", "--threads"}) {
    EXPECT_TRUE(contains(outcome.err, part)) << outcome.err;
  }
}

TEST(BadModelsAndOptions, OptionsThatDoNotFitTheModelAreRefused) {
  const TemporaryFolder folder;
  write_text(folder / "m.toml", kSmallModel);
  ProcessOptions options;
  options.folder = folder.path();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"--set amplitud=3", "Did you mean 'amplitude'?"},
      {"--set 'amplitude=500 mV'", "mV"},
      {"--record V_m:F:1:1ms", "--record V_m:F:1:1ms: There is no population named 'F'"},
      {"--record V_n:E:1:1ms", "Did you mean 'V_m'?"},
      {"--record V_m:E:161:1ms", "160"},
      {"--record V_m:E:1:0.15ms", "0.1 ms"},
      {"--time 1000000s", "--time: 1e+06 s are more than the 4,294,967,294 steps"},
      {"--time 1.05ms", "--time: 1.05 ms is not a multiple of the time step, 0.1 ms"},
      {"--checkpoint-every 0.25ms", "--checkpoint-every: 0.25 ms is not a multiple"},
      {"--discard 5s", "--discard: 5 s leaves nothing of a run of 200 ms"}};
  for (const auto& [line, sentence] : cases) {
    const Outcome outcome = tessera(words_of("run m.toml " + line), options);
    EXPECT_EQ(outcome.exit_code, 2) << line;
    EXPECT_TRUE(contains(outcome.err, sentence))
        << "wanted: " << sentence << "\ngot: " << outcome.err;
    EXPECT_EQ(folder.contents(), std::set<std::string>{"m.toml"}) << line;
  }
}

TEST(BadModelsAndOptions, AModelThatDoesNotFitTheMemoryNamesPopulationAndBytes) {
  const TemporaryFolder folder;
  // 4e7 targets with 20,000 synapses each are 8e11 synapses, 3.2 TB: no machine at hand stores them.
  std::string model = kSmallModel;
  model.replace(model.find("size = 40"), 9, "size = 40000000");
  model.replace(model.find("number = 20"), 11, "number = 20000");
  write_text(folder / "m.toml", model);
  ProcessOptions options;
  options.folder = folder.path();
  const Outcome outcome = tessera(words_of("run m.toml --connectivity stored"), options);
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "population 'I'")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "needs 3.")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, " TB of memory")) << outcome.err;
  EXPECT_FALSE(contains(outcome.err, "building connectivity")) << outcome.err;
  EXPECT_EQ(folder.contents(), std::set<std::string>{"m.toml"});
}

// A negative time is a mistake whatever the time step is.
TEST(BadModelsAndOptions, TimesAreJudgedWithoutATimeStep) {
  const TemporaryFolder folder;
  write_text(folder / "m.toml",
             "dt = \"0.1 mV\"\ntime = \"-1 s\"\ndiscard = inf\n"
             "[populations.E]\nmodel = \"iaf_psc_exp\"\nsize = 1\n");
  ProcessOptions options;
  options.folder = folder.path();
  const Outcome outcome = tessera(words_of("run m.toml"), options);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.err, "m.toml:1:6 (dt)")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "(time): The time is -1000 ms; it must be")) << outcome.err;
}

}  // namespace
}  // namespace tessera::test
