// The command over several processes: the same result on any number of ranks, mistakes told once, ranks that
// are lost, interrupted, full disks.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/process_limits.hpp"
#include "cli/process.hpp"
#include "cli/small_model.hpp"
#include "support/mpirun.hpp"

namespace tessera::test {
namespace {

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

constexpr const char* kTraining = R"([data]
set = "yin_yang"
[data.encoder]
steps = 30
dt = "1 ms"
bias = true
[data.generator]
training_samples = 300
test_samples = 100

[[layer]]
name = "hidden"
neuron = "lif"
size = 40
tau_mem = "20 ms"
initial_activity = 0.04

[[layer]]
name = "output"
neuron = "readout"
size = 3
tau_mem = "20 ms"

[training]
epochs = 3
batch = 40
slices = 4
)";

class OverRanks : public ::testing::Test {
 protected:
  OverRanks() {
    write_text(folder_ / "m.toml", kSmallModel);
    options_.folder = folder_.path();
  }

  Outcome on(int ranks, const std::string& words) {
    std::vector<std::string> line = mpirun(ranks);
    line.push_back(TESSERA_BINARY_DIR "/tessera");
    for (const std::string& word : words_of(words)) line.push_back(word);
    return run_program(line, options_);
  }

  // A line of the shell for every rank; $RANK is its number.
  Outcome script(int ranks, const std::string& text, LauncherIs launcher = LauncherIs::hasty) {
    std::vector<std::string> line = mpirun(ranks, launcher);
    line.insert(line.end(), {"/bin/sh", "-c",
                             "RANK=${OMPI_COMM_WORLD_RANK:-$PMI_RANK}\nPATH=" TESSERA_BINARY_DIR ":$PATH\n" + text});
    return run_program(line, options_);
  }

  // Starts a run that takes long, and does something to rank 1 as soon as the run shows progress and, where
  // one is named, has written a file whose name begins so. Who is killed must be named by the others: mpirun waits.
  Outcome long_run(int signal_number, const std::string& words, const std::string& file = "") {
    bool sent = false;
    options_.on_error_output = [&](pid_t, const std::string& text) {
      if (sent || text.find(" of 10000 s") == std::string::npos || !has_file(file)) return;
      sent = true;
      kill(std::stoi(read_text(folder_ / "process1")), signal_number);
    };
    const Outcome outcome =
        script(3, "echo $$ > process$RANK\nexec tessera run m.toml --time 10000s --record none " + words,
               signal_number == SIGKILL ? LauncherIs::patient : LauncherIs::hasty);
    options_.on_error_output = nullptr;
    EXPECT_TRUE(sent) << outcome.err;
    return outcome;
  }

  bool has_file(const std::string& beginning) {
    for (const std::string& name : folder_.contents()) {
      if (name.rfind(beginning, 0) == 0 && name.rfind(".tsc") == name.size() - 4) return true;
    }
    return beginning.empty();
  }

  nlohmann::json report(const std::string& result) {
    return nlohmann::json::parse(read_text(folder_ / (result + "/report.json")));
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

TEST_F(OverRanks, ResultsAreTheSameBytesOnAnyNumberOfRanks) {
  const std::string record = " --record spikes --record V_m:E:100:1ms --record V_m:I:3:0.5ms";
  ASSERT_EQ(tessera(words_of("run m.toml --out alone" + record), options_).exit_code, 0);
  int number = 0;
  for (const char* how :
       {"", " --threads 2", " --exchange collective", " --exchange point_to_point", " --placement pack",
        " --connectivity procedural", " --exchange point_to_point --placement pack --connectivity procedural"}) {
    for (int ranks = 1; ranks <= 3; ++ranks) {
      const std::string out = "r" + std::to_string(++number);
      const Outcome outcome = on(ranks, "run m.toml --out " + out + record + how);
      ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
      EXPECT_EQ(times(outcome.out, "digest "), 1u) << outcome.out;
      EXPECT_EQ(report(out)["digest"], report("alone")["digest"]) << how;
      EXPECT_EQ(report(out)["ranks"], ranks);
      EXPECT_EQ(report(out)["files"], report("alone")["files"]);
      EXPECT_EQ(report(out)["checksums"], report("alone")["checksums"]) << how << ", ranks: " << ranks;
    }
  }
}

TEST_F(OverRanks, TheReportHasFiguresOfAllRanks) {
  ASSERT_EQ(on(3, "run m.toml --out r --exchange point_to_point").exit_code, 0);
  const nlohmann::json ranks = report("r")["over_ranks"];
  for (const char* figure : {"/phases/deliver", "/phases/update", "/phases/wait", "/phases/exchange", "/phases/record",
                             "/neurons", "/synapses", "/synaptic_events", "/messages_per_step", "/bytes_per_step",
                             "/table_bytes"}) {
    for (const char* part : {"/min", "/mean", "/max", "/arg_max"}) {
      EXPECT_TRUE(ranks.contains(nlohmann::json::json_pointer(std::string(figure) + part))) << figure << part;
    }
  }
  EXPECT_EQ(ranks["exchange"], "point_to_point");
  EXPECT_NEAR(ranks["neurons"]["mean"].get<double>(), 200.0 / 3.0, 1e-9);  // 160 + 40 neurons
  EXPECT_GE(ranks["imbalance"].get<double>(), 1.0);
  EXPECT_EQ(ranks["construction_messages"], 0);
  ASSERT_EQ(on(1, "run m.toml --out alone").exit_code, 0);
  EXPECT_FALSE(report("alone").contains("over_ranks"));
}

TEST_F(OverRanks, ACheckpointOfTwoRanksGoesOnOnThree) {
  ASSERT_EQ(tessera(words_of("run m.toml --time 100ms --out whole"), options_).exit_code, 0);
  for (const std::string exchange : {"collective", "point_to_point"}) {
    ASSERT_EQ(on(2, "run m.toml --time 30ms --checkpoint-every 30ms --force --out first --exchange " + exchange).exit_code,
              0);
    for (int ranks = 1; ranks <= 3; ++ranks) {
      const Outcome rest = on(ranks, "run m.toml --time 100ms --resume first/checkpoint_30ms.tsc --force --out rest" +
                                         std::string(" --exchange ") + exchange);
      ASSERT_EQ(rest.exit_code, 0) << rest.err;
      EXPECT_EQ(report("rest")["digest"], report("whole")["digest"]) << ranks;
    }
  }
}

// What all ranks find is told once, and nothing is written.
TEST_F(OverRanks, MistakesAreToldOnce) {
  write_text(folder_ / "bad.toml", std::string(kSmallModel) + "\n[populations.E2]\nmodel = \"iaf_psc_exp\"\nsize = -1\n");
  std::filesystem::create_directory(folder_ / "full");
  write_text(folder_ / "full/notes.txt", "mine");
  const auto before = folder_.contents();
  const std::vector<std::pair<std::string, std::string>> mistakes{
      {"run bad.toml --out r", "populations.E2.size"},
      {"run missing.toml --out r", "missing.toml"},
      {"run m.toml --out r --exchange mail", "--exchange: 'mail' is not possible; choose one of auto, collective, point_to_point"},
      {"run m.toml --out r --placement here", "--placement: 'here' is not possible; choose one of spread, pack"},
      {"run m.toml --out r --patience 3", "--patience: '3' has no unit"},
      {"run m.toml --out r --patience 1ms", "--patience: must be at least 1 s"},
      {"run m.toml --out full", "--out: the folder 'full' is not empty"},
      {"run m.toml --out r --resume nothing.tsc", "--resume: there is no file 'nothing.tsc'"},
      {"run m.toml --resume m.toml --out r", "m.toml"},
      {"run m.toml --out", "--out"}};
  for (const auto& [words, sentence] : mistakes) {
    const Outcome outcome = on(3, words);
    EXPECT_EQ(outcome.exit_code, 2) << words << ": " << outcome.err;
    EXPECT_EQ(times(outcome.err, "tessera: error: "), 1u) << words << ": " << outcome.err;
    EXPECT_EQ(times(outcome.err, sentence), 1u) << words << ": " << outcome.err;
    EXPECT_EQ(folder_.contents(), before) << words;
  }
}

// The launcher ends all ranks as soon as one has left with a failure: none may leave before rank 0 has spoken, which
// begins late here. A wrong order shows as a message that is missing.
TEST_F(OverRanks, NobodyLeavesBeforeRankZeroHasSpoken) {
  const std::vector<std::pair<std::string, std::string>> mistakes{
      {"rum m.toml", "there is no command 'rum'"},
      {"run m.toml --exchagne auto", "has no option '--exchagne'. Did you mean '--exchange'?"}};
  for (const auto& [words, sentence] : mistakes) {
    const Outcome outcome = script(3, "[ $RANK = 0 ] && sleep 1\nexec tessera " + words);
    EXPECT_EQ(outcome.exit_code, 2) << words << ": " << outcome.err;
    EXPECT_EQ(times(outcome.err, "tessera: error: "), 1u) << words << ": " << outcome.err;
    EXPECT_GE(times(outcome.err, sentence), 1u) << words << ": " << outcome.err;
  }
  const Outcome help = script(3, "[ $RANK = 0 ] && sleep 1\nexec tessera");
  EXPECT_EQ(help.exit_code, 2);
  EXPECT_EQ(times(help.err, "Usage: tessera"), 1u) << help.err;
}

// Rank 0 stops for a second when it opens its model, a pipe (which it refuses, too). A patience that is too
// short to be allowed is not what the others have until that is said.
TEST_F(OverRanks, APatienceThatIsRefusedLosesNobody) {
  const Outcome outcome =
      script(3, "[ $RANK = 0 ] || exec tessera run m.toml --out r --patience 1ms\n"
                "mkfifo slow\nSELF=$$\n"
                "(exec 3>slow; kill -STOP $SELF; sleep 1; kill -CONT $SELF; cat m.toml >&3) &\n"
                "exec tessera run slow --out r --patience 1ms");
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_EQ(times(outcome.err, "--patience: must be at least 1 s"), 1u) << outcome.err;
  EXPECT_EQ(times(outcome.err, "has not been heard of"), 0u) << outcome.err;
}

// A mistake that one rank finds names the rank, also one that keeps a command from beginning.
TEST_F(OverRanks, AMistakeInTheWordsOfOneRankEndsAll) {
  const Outcome outcome = script(3, "[ $RANK = 2 ] && MORE=--frce\nexec tessera run m.toml --time 10000s --record none --out r $MORE");
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_EQ(times(outcome.err, "tessera: error: rank 2: 'tessera run' has no option '--frce'"), 1u) << outcome.err;
}

// A mistake that one rank finds names the rank.
TEST_F(OverRanks, AMistakeOnOneRankEndsAll) {
  const Outcome outcome = script(3, "[ $RANK = 2 ] && MODEL=nowhere.toml || MODEL=m.toml\n"
                                    "exec tessera run $MODEL --out r");
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_EQ(times(outcome.err, "tessera: error: "), 1u) << outcome.err;
  EXPECT_EQ(times(outcome.err, "tessera: error: Rank 2: "), 1u) << outcome.err;
  EXPECT_EQ(times(outcome.err, "nowhere.toml"), 1u) << outcome.err;
}

TEST_F(OverRanks, DifferentModelsSeedsOrOptionsAreFoundBeforeTheFirstStep) {
  std::string other = kSmallModel;
  other.replace(other.find("probability = 0.2"), 17, "probability = 0.3");
  write_text(folder_ / "other.toml", other);
  const std::vector<std::pair<std::string, std::string>> differences{
      {"[ $RANK = 1 ] && MODEL=other.toml || MODEL=m.toml\nexec tessera run $MODEL --out r", "models or seeds"},
      {"exec tessera run m.toml --seed $((7 + RANK / 2 * 2)) --out r", "models or seeds"},
      {"[ $RANK = 1 ] && HOW=collective || HOW=point_to_point\nexec tessera run m.toml --exchange $HOW --out r",
       "options"}};
  for (const auto& [text, what] : differences) {
    const Outcome outcome = script(3, text);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_EQ(times(outcome.err, "tessera: error: "), 1u) << outcome.err;
    const char* const pair = text.find("RANK / 2") != std::string::npos ? "Ranks 0 and 2" : "Ranks 0 and 1";
    EXPECT_EQ(times(outcome.err, std::string(pair) + " have different " + what), 1u) << outcome.err;
    EXPECT_FALSE(folder_.contents().count("r/report.json"));
  }
}

// The other build is a copy of this one with another commit written into it.
TEST_F(OverRanks, DifferentBuildsAreFoundBeforeTheFirstStep) {
  const std::string version = tessera({"--version"}, options_).out;  // "tessera 1.2 (commit)"
  const std::size_t begin = version.find('(') + 1;
  const std::string commit = version.substr(begin, version.find(')') - begin), other(commit.size(), 'x');
  ASSERT_FALSE(commit.empty());
  std::string program = read_text(TESSERA_BINARY_DIR "/tessera");
  for (std::size_t at = program.find(commit); at != std::string::npos; at = program.find(commit, at + 1))
    program.replace(at, commit.size(), other);
  write_text(folder_ / "other", program);
  std::filesystem::permissions(folder_ / "other", std::filesystem::perms::owner_all);
  write_text(folder_ / "t.toml", kTraining);
  for (const std::string command : {"run m.toml", "train t.toml"}) {
    const Outcome outcome = script(3, "[ $RANK = 1 ] && exec ./other " + command + " --out r\nexec tessera " + command + " --out r");
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_EQ(times(outcome.err, "tessera: error: Ranks 0 and 1 run different builds of Tessera, "), 1u) << outcome.err;
    EXPECT_EQ(times(outcome.err, "(" + commit + ", "), 1u) << outcome.err;
    EXPECT_EQ(times(outcome.err, "(" + other + ", "), 1u) << outcome.err;
    EXPECT_FALSE(folder_.contents().count("r/report.json"));
  }
}

TEST_F(OverRanks, CommandsThatCannotBeSharedRunOnce) {
  const Outcome info = on(3, "info");
  EXPECT_EQ(info.exit_code, 0) << info.err;
  EXPECT_EQ(times(info.out, "MPI           " + mpi_name()), 1u) << info.out;
  EXPECT_EQ(times(on(2, "--help").out, "Usage: tessera"), 1u);
  const Outcome mistake = on(2, "plan m.toml --rnaks 3");
  EXPECT_EQ(mistake.exit_code, 2);
  EXPECT_EQ(times(mistake.err, "'tessera plan' has no option '--rnaks'"), 1u) << mistake.err;
  EXPECT_EQ(times(on(2, "plan m.toml").out, "small: 200 neurons"), 1u);
  ASSERT_EQ(on(2, "run m.toml --out r").exit_code, 0);
  EXPECT_EQ(times(on(2, "stats r").out, "correlation"), 1u);
  EXPECT_EQ(on(2, "plot r raster").exit_code, 0);
}

TEST_F(OverRanks, MoreRanksThanChunksWorkAndTheIdleOnesAreNamed) {
  const Outcome outcome = on(4, "run m.toml --out r");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(times(outcome.out, "idle ranks"), 1u) << outcome.out;
  EXPECT_EQ(times(outcome.err, "have no neurons and only wait"), 1u) << outcome.err;
}

TEST_F(OverRanks, AnExplodingNetworkEndsAllWithOneMessageAndKeepsItsSpikes) {
  std::string model = kSmallModel;
  model += "\n[projections.loop]\nsource = \"E\"\ntarget = \"E\"\nrule = \"all_to_all\"\n"
           "weight = \"100000 pA\"\ndelay = \"0.1 ms\"\n";
  write_text(folder_ / "m.toml", "rate_limit = \"100 Hz\"\n" + model);
  const Outcome outcome = on(3, "run m.toml --time 1s --out r");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_EQ(times(outcome.err, "tessera: error: Population 'E' fires at"), 1u) << outcome.err;
  EXPECT_TRUE(folder_.contents().count("r/report.json"));
}

TEST_F(OverRanks, ARankThatIsKilledIsNamedWithThePhase) {
  const Outcome outcome = long_run(SIGKILL, "--out r");
  EXPECT_EQ(times(outcome.err, "tessera: error: "), 1u) << outcome.err;
  EXPECT_EQ(times(outcome.err, "tessera: error: rank 1 of 3 is gone: it was killed, or left without a word. Rank 0 is in '"),
            1u)
      << outcome.err;
}

TEST_F(OverRanks, ARankThatHangsIsNamedWithThePhaseAndTheLastCheckpointIsWhole) {
  const Outcome outcome = long_run(SIGSTOP, "--patience 3s --checkpoint-every 1s --out r", "r/checkpoint_");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(times(outcome.err, "tessera: error: "), 1u) << outcome.err;
  EXPECT_EQ(times(outcome.err, "rank 1 of 3 has not been heard of for 3 s: it hangs, or its machine is lost. Rank 0 is in '"),
            1u)
      << outcome.err;
  // Any of the checkpoints can be gone on from, and nothing half-written has a final name.
  double last = 0.0;
  for (const std::string& name : folder_.contents()) {
    if (name.rfind("r/checkpoint_", 0) == 0 && name.ends_with(".tsc")) last = std::max(last, std::stod(name.substr(13)));
  }
  ASSERT_GT(last, 0.0);
  const Outcome rest = tessera({"run", "m.toml", "--resume", "r/checkpoint_" + std::to_string(std::lround(last)) + "ms.tsc",
                                "--time", std::to_string(std::lround(last) + 100) + "ms", "--out", "rest", "--quiet"},
                               options_);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
}

// The first signal to any rank ends the run on all of them, with a whole result.
TEST_F(OverRanks, AnInterruptedRankEndsAllWithAWholeResult) {
  const Outcome outcome = long_run(SIGTERM, "--checkpoint-every 5000s --out r");
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_EQ(times(outcome.out, "interrupted "), 1u) << outcome.out;
  EXPECT_TRUE(report("r")["interrupted"]);
}

// The limit, 20 MB, is above what MPI needs for itself; 160 values of 4 bytes per step fill it in 3.2 s.
TEST_F(OverRanks, AFullDiskEndsAllWithOneMessage) {
  const Outcome outcome = script(2, "ulimit -f 40000\nexec tessera run m.toml --time 1000s --out r --record V_m:E:160:0.1ms");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_EQ(times(outcome.err, "tessera: error: "), 1u) << outcome.err;
  EXPECT_EQ(times(outcome.err, "traces_V_m.h5"), 1u) << outcome.err;
  EXPECT_FALSE(folder_.contents().count("r/traces_V_m.h5"));
}

// Every process finds it; rank 0 speaks.
TEST_F(OverRanks, TheLauncherOfAnotherMpiIsRefused) {
  for (const char* const rank : {"0", "1"}) {
    options_.environment = {{"PMI_SIZE", "2"}, {"PMI_RANK", rank}};
    const Outcome outcome = tessera(words_of("run m.toml --out r"), options_);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_EQ(times(outcome.err, "the launcher belongs to another MPI, and each rank would run alone"),
              rank[0] == '0' ? 1u : 0u)
        << outcome.err;
    EXPECT_FALSE(folder_.contents().count("r/report.json"));
  }
}

class TrainingOverRanks : public OverRanks {
 protected:
  TrainingOverRanks() { write_text(folder_ / "t.toml", kTraining); }
};

TEST_F(TrainingOverRanks, WeightsAreTheSameOnAnyNumberOfRanks) {
  ASSERT_EQ(tessera(words_of("train t.toml --out alone --quiet"), options_).exit_code, 0);
  const std::string weights = read_text(folder_ / "alone/weights.safetensors");
  for (const std::string ranks : {"2", "3"}) {
    const std::string out = "r" + ranks;
    const Outcome outcome = on(std::stoi(ranks), "train t.toml --threads 1 --out " + out);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(times(outcome.out, "weights     digest"), 1u) << outcome.out;
    EXPECT_EQ(read_text(folder_ / (out + "/weights.safetensors")), weights);
    EXPECT_EQ(report(out)["ranks"], std::stoi(ranks));
    EXPECT_EQ(report(out)["slices"], 4);
    EXPECT_EQ(report(out)["test"], report("alone")["test"]);
  }
}

// They are not pinned here, so each may use all cores.
TEST_F(TrainingOverRanks, RanksOfOneMachineDivideItsCores) {
  ASSERT_EQ(on(2, "train t.toml --epochs 1 --out r --quiet").exit_code, 0);
  EXPECT_EQ(report("r")["threads"], std::max(1, process_limits().threads() / 2));
}

TEST_F(TrainingOverRanks, ACheckpointOfTwoRanksGoesOnOnThree) {
  ASSERT_EQ(tessera(words_of("train t.toml --epochs 4 --out whole --quiet"), options_).exit_code, 0);
  ASSERT_EQ(on(2, "train t.toml --epochs 2 --out r --quiet").exit_code, 0);
  const Outcome rest = on(3, "train t.toml --epochs 4 --resume --out r --quiet");
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_EQ(report("r")["weights_digest"], report("whole")["weights_digest"]);
}

// Three tiles in the first layer; the test, the confusion and the raster are made by all ranks together.
TEST_F(TrainingOverRanks, RanksThatShareLayersTrainTheSameWeights) {
  std::string text = kTraining;
  text.replace(text.find("size = 40"), 9, "size = 300\nrecurrent = true");
  write_text(folder_ / "m.toml", text + "parallel = \"model\"\n");
  ASSERT_EQ(tessera(words_of("train m.toml --out alone --quiet"), options_).exit_code, 0);
  const Outcome outcome = on(3, "train m.toml --threads 1 --out r3");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("3 ranks with 1 thread, 4 slices of every layer"), std::string::npos) << outcome.out;
  EXPECT_EQ(report("r3")["parallel"], "model");
  ASSERT_EQ(on(2, "train m.toml --epochs 2 --out r2 --quiet").exit_code, 0);
  ASSERT_EQ(on(3, "train m.toml --resume --parallel data --out r2 --quiet").exit_code, 0);
  EXPECT_EQ(report("r2")["parallel"], "data");
  for (const std::string out : {"r3", "r2"}) {
    EXPECT_EQ(report(out)["weights_digest"], report("alone")["weights_digest"]);
    EXPECT_EQ(report(out)["test"], report("alone")["test"]);
    for (const std::string file : {"/weights.safetensors", "/confusion.csv", "/raster.csv"})
      EXPECT_EQ(read_text(folder_ / (out + file)), read_text(folder_ / ("alone" + file))) << out << file;
  }
}

// Its parameter `ranks` follows their number, and --set overrules: the same network on one process.
TEST_F(TrainingOverRanks, AModelThatGrowsWithTheRanks) {
  const std::string train = "train " TESSERA_SOURCE_DIR "/models/training/scaling.toml --quiet --epochs 1 --set neurons=450 "
                            "--set inputs=20 --set samples=96 ";
  ASSERT_EQ(on(2, train + "--out r").exit_code, 0);
  ASSERT_EQ(tessera(words_of(train + "--set ranks=2 --out alone"), options_).exit_code, 0);
  EXPECT_EQ(report("r")["named_parameters"]["ranks"], 2);
  EXPECT_EQ(report("r")["named_parameters"]["layer"], 300);
  EXPECT_EQ(report("r")["parallel"], "model");
  EXPECT_EQ(report("r")["weights_digest"], report("alone")["weights_digest"]);
}

TEST_F(TrainingOverRanks, MistakesAreToldOnce) {
  write_text(folder_ / "other.toml", std::string(kTraining) + "seed = 5\n");
  const std::vector<std::pair<std::string, std::string>> mistakes{
      {"exec tessera train t.toml --slices 2 --out r", "A batch has 2 slices, but there are 3 ranks"},
      {"exec tessera train t.toml --slices 0 --out r", "--slices: '0' is not a whole number from 1 to 4096"},
      {"[ $RANK = 2 ] && MODEL=other.toml || MODEL=t.toml\nexec tessera train $MODEL --out r",
       "Ranks 0 and 2 have different models or seeds"},
      {"exec tessera train t.toml --slices $((RANK / 2 + 3)) --out r", "Ranks 0 and 2 have different numbers of slices"},
      {"[ $RANK = 2 ] && SHARE=model || SHARE=data\nexec tessera train t.toml --parallel $SHARE --out r",
       "Ranks 0 and 2 have different ways to share the work (parallel)"},
      {"exec tessera train missing.toml --out r", "missing.toml"}};
  for (const auto& [text, sentence] : mistakes) {
    const Outcome outcome = script(3, text);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_EQ(times(outcome.err, "tessera: error: "), 1u) << outcome.err;
    EXPECT_EQ(times(outcome.err, sentence), 1u) << outcome.err;
    EXPECT_FALSE(folder_.contents().count("r/report.json"));
  }
}

// The checkpoint of the last whole epoch stays whole.
TEST_F(TrainingOverRanks, ARankThatIsKilledIsNamedAndTheCheckpointIsWhole) {
  bool sent = false;
  options_.on_error_output = [&](pid_t, const std::string& text) {
    if (sent || text.find(" 3/100000") == std::string::npos) return;
    sent = true;
    kill(std::stoi(read_text(folder_ / "process1")), SIGKILL);
  };
  const Outcome outcome = script(3, "echo $$ > process$RANK\nexec tessera train t.toml --epochs 100000 --out r",
                                 LauncherIs::patient);
  options_.on_error_output = nullptr;
  EXPECT_TRUE(sent);
  EXPECT_EQ(times(outcome.err, "tessera: error: "), 1u) << outcome.err;
  EXPECT_EQ(times(outcome.err, "rank 1 of 3 is gone: it was killed, or left without a word. Rank 0 is in 'training: "), 1u)
      << outcome.err;
  ASSERT_TRUE(folder_.contents().count("r/checkpoint.safetensors"));
  const Outcome rest = on(2, "train t.toml --epochs 100000 --resume --out r --quiet --slices 3");
  EXPECT_NE(rest.err.find("made with slices = 4"), std::string::npos) << rest.err;
}

}  // namespace
}  // namespace tessera::test
