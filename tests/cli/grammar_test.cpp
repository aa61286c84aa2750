// The grammar of the command line: help, unknown words, values that mean nothing. No engine needed.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/process.hpp"

namespace tessera::test {
namespace {

using ::testing::TestWithParam;

const std::vector<std::string> kCommands = {"run",  "plan", "partition", "synapses", "stats",     "plot",
                                            "data", "import", "export", "models", "info",   "completion"};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Help, EveryCommandHasAnExample) {
  for (const std::string& command : kCommands) {
    const Outcome outcome = tessera({command, "--help"});
    EXPECT_EQ(outcome.exit_code, 0) << command;
    EXPECT_TRUE(contains(outcome.out, "Example:\n  tessera " + command)) << outcome.out;
    EXPECT_EQ(outcome.err, "");
  }
}

TEST(Help, TheProgramListsItsCommands) {
  const Outcome outcome = tessera({"--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  for (const std::string& command : kCommands) {
    EXPECT_TRUE(contains(outcome.out, "\n  " + command + " ")) << outcome.out;
  }
}

TEST(Help, NoArgumentsIsAnError) {
  const Outcome outcome = tessera({});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(contains(outcome.err, "Usage: tessera"));
}

TEST(Help, VersionIsOneLine) {
  const Outcome outcome = tessera({"--version"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out.rfind("tessera ", 0), 0u);
}

struct BadLine {
  std::string line;
  std::vector<std::string> sentences;  ///< parts that the message must have
};

void PrintTo(const BadLine& bad, std::ostream* stream) { *stream << "tessera " << bad.line; }

class BadCommandLine : public TestWithParam<BadLine> {};

TEST_P(BadCommandLine, IsASentenceAndExitCodeTwoAndWritesNothing) {
  const TemporaryFolder folder;
  ProcessOptions options;
  options.folder = folder.path();
  const Outcome outcome = tessera(words_of(GetParam().line), options);
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.rfind("tessera: error: ", 0), 0u) << outcome.err;
  for (const std::string& sentence : GetParam().sentences) {
    EXPECT_TRUE(contains(outcome.err, sentence))
        << "wanted: " << sentence << "\ngot: " << outcome.err;
  }
  EXPECT_TRUE(folder.contents().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Grammar, BadCommandLine,
    ::testing::Values(
        BadLine{"runn model.toml", {"no command 'runn'", "Did you mean 'run'?"}},
        BadLine{"--versoin", {"no option '--versoin'", "Did you mean '--version'?"}},
        BadLine{"run --thread 4 model.toml", {"no option '--thread'", "Did you mean '--threads'?"}},
        BadLine{"run --hlep", {"Did you mean '--help'?"}},
        BadLine{"info now", {"does not take the argument 'now'"}},
        BadLine{"run", {"MODEL: is missing", "tessera run model.toml"}},
        BadLine{"run model.toml --time", {"--time"}},
        BadLine{"models iaf_psc_ex",
                {"no neuron model or rule of plasticity 'iaf_psc_ex'", "Did you mean 'iaf_psc_exp'?"}},
        BadLine{"models stdpp", {"Did you mean 'stdp'?"}},
        BadLine{"plot somewhere rastr",
                {"KIND: 'rastr' is not possible", "Did you mean 'raster'?"}},
        BadLine{"plot somewhere raster -o spikes.h5", {"'spikes.h5' does not end in .svg"}},
        BadLine{"plot somewhere isi --from 1s", {"only raster and trace plots have a start"}},
        BadLine{"stats nowhere", {"nowhere"}},
        BadLine{"synapses", {"MODEL: is missing", "tessera synapses model.toml"}},
        BadLine{"synapses nowhere.toml p", {"nowhere.toml"}},
        BadLine{"synapses m.toml p --out p.txt", {"--out: 'p.txt' does not end in .csv or .npy"}},
        BadLine{"synapses m.toml p --force", {"--force: nothing is replaced without --out"}},
        BadLine{"import", {"FORMAT: is missing", "FILE: is missing", "--steps: is missing"}},
        BadLine{"import nir x.nir --steps 5 --dt 3", {"--dt: '3' has no unit"}},
        BadLine{"export nur r --out x", {"'nur' is not possible", "Did you mean 'nir'?"}},
        BadLine{"export sonata", {"INPUT: is missing", "--out: is missing"}},
        BadLine{"completion", {"SHELL: is missing"}},
        BadLine{"completion bsh", {"'bsh' is not possible", "Did you mean 'bash'?"}}));

INSTANTIATE_TEST_SUITE_P(
    Values, BadCommandLine,
    ::testing::Values(
        BadLine{"run nowhere.toml", {"nowhere.toml"}},
        BadLine{"run m.toml --time 10", {"--time: '10' has no unit; write 10s or 10ms"}},
        BadLine{"run m.toml --time 10h", {"'h' is not a unit of time"}},
        BadLine{"run m.toml --time ten", {"'ten' is not a time"}},
        BadLine{"run m.toml --time nan", {"'nan' is not a time"}},
        BadLine{"run m.toml --time -5ms", {"--time: '-5ms' is out of range"}},
        BadLine{"run m.toml --time 0s", {"--time: must be above 0 ms"}},
        BadLine{"run m.toml --seed -1", {"--seed: '-1' is not a whole number from 0"}},
        BadLine{"run m.toml --seed 18446744073709551616", {"--seed", "is not a whole number"}},
        BadLine{"run m.toml --threads 0", {"--threads: '0' is not a whole number from 1"}},
        BadLine{"run m.toml --threads two", {"--threads: 'two'"}},
        BadLine{"run m.toml --tiles 1.5", {"--tiles: '1.5'"}},
        BadLine{"run m.toml --group-size 99999999999", {"--group-size"}},
        BadLine{"run m.toml --connectivity procedual", {"Did you mean 'procedural'?"}},
        BadLine{"run m.toml --precision double", {"choose one of fast, exact"}},
        BadLine{"run m.toml --simd axv2", {"--simd", "scalar"}},
        BadLine{"run m.toml --set scale", {"--set: 'scale' is not of the form NAME=VALUE"}},
        BadLine{"run m.toml --record spike", {"Did you mean 'spikes'?"}},
        BadLine{"run m.toml --record none --record spikes", {"none and something else contradict"}},
        BadLine{"run m.toml --record V_m:E:0:1ms", {"'0' is not a whole number from 1"}},
        BadLine{"run m.toml --record V_m:E:1:1", {"'1' has no unit"}},
        BadLine{"run m.toml --checkpoint-every 0ms", {"--checkpoint-every: must be above 0 ms"}},
        BadLine{"run m.toml --resume nowhere.tsc", {"--resume: there is no file 'nowhere.tsc'"}},
        BadLine{"run m.toml --no-count-table --connectivity stored",
                {"--no-count-table: has no effect"}}));

TEST(BadCommandLines, AllProblemsAreToldAtOnce) {
  const TemporaryFolder folder;
  ProcessOptions options;
  options.folder = folder.path();
  const Outcome outcome = tessera(
      words_of("run nowhere.toml --time 10 --threads none --connectivity some --record spike"),
      options);
  EXPECT_EQ(outcome.exit_code, 2);
  for (const char* part : {"--time", "--threads", "--connectivity", "--record", "nowhere.toml"}) {
    EXPECT_TRUE(contains(outcome.err, part)) << outcome.err;
  }
  EXPECT_TRUE(folder.contents().empty());
}

TEST(Info, NamesBuildAndMachine) {
  const Outcome outcome = tessera({"info"});
  EXPECT_EQ(outcome.exit_code, 0);
  for (const char* part : {"tessera ", "commit ", "compiler ", "HDF5 ", "SIMD targets ", "scalar",
                           "cores ", "caches ", "memory "}) {
    EXPECT_TRUE(contains(outcome.out, part)) << outcome.out;
  }
}

TEST(Models, AreListedAndDocumented) {
  const Outcome list = tessera({"models"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_TRUE(contains(list.out, "iaf_psc_exp"));
  const Outcome one = tessera({"models", "iaf_psc_exp"});
  EXPECT_EQ(one.exit_code, 0);
  for (const char* part : {"dV/dt", "tau_m", "pF", "250", "Rotter"}) {
    EXPECT_TRUE(contains(one.out, part)) << one.out;
  }
  EXPECT_TRUE(contains(list.out, "rule of plasticity")) << list.out;
  const Outcome rule = tessera({"models", "stdp"});
  EXPECT_EQ(rule.exit_code, 0);
  for (const char* part : {"lambda", "Wmax", "tau_minus", "Guetig", "weight"}) {
    EXPECT_TRUE(contains(rule.out, part)) << rule.out;
  }
}

TEST(Output, AFullDiskBehindStandardOutputIsAnError) {
  ProcessOptions options;
  options.stdout_file = "/dev/full";
  const Outcome outcome = tessera({"models"}, options);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(contains(outcome.err, "standard output")) << outcome.err;
}

}  // namespace
}  // namespace tessera::test
