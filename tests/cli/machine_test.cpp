// The command on machines as they are: little address space, few threads, signals at any moment.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/process.hpp"
#include "cli/small_model.hpp"
#include "tessera/result.hpp"

namespace tessera::test {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TESSERA_NEEDS_ADDRESS_SPACE \
  GTEST_SKIP() << "The sanitizers reserve terabytes of addresses: a limit would end them."
#else
#define TESSERA_NEEDS_ADDRESS_SPACE (void)0
#endif

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Machine : public ::testing::Test {
 protected:
  Machine() {
    write_text(folder_ / "m.toml", kSmallModel);
    options_.folder = folder_.path();
  }
  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  nlohmann::json report(const std::string& result) {
    return nlohmann::json::parse(read_text(folder_ / (result + "/report.json")));
  }
  // Calls `look` once, when the first line of progress is there, and ends the run with SIGTERM.
  Outcome look_into_a_run(const std::string& words, const std::function<void(pid_t)>& look) {
    bool looked = false;
    options_.on_error_output = [&](pid_t child, const std::string& text) {
      if (looked || !contains(text, "ETA")) return;
      looked = true;
      look(child);
      kill(child, SIGTERM);
    };
    const Outcome outcome = line("run m.toml --time 400000s --record none --out r " + words);
    EXPECT_TRUE(looked);
    return outcome;
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

// OpenBLAS, opened here, would start its threads and wait for their buffers without an end.
TEST_F(Machine, CommandsEndInLittleAddressSpace) {
  TESSERA_NEEDS_ADDRESS_SPACE;
  options_.address_space_bytes = 150u << 20;
  for (const char* words : {"--version", "info", "models", "plan m.toml",
                            "run m.toml --out r --quiet", "stats r"}) {
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 0) << words << ": " << outcome.err;
  }
}

// OpenBLAS asks for its buffers again and again until it gets them. What it needs depends on its
// version: every limit must lead to an end, a small one to the sentence, none to the training.
TEST_F(Machine, DenseTrainingEndsInAnyAddressSpace) {
  TESSERA_NEEDS_ADDRESS_SPACE;
  write_text(folder_ / "t.toml", R"([data]
set = "yin_yang"
[data.generator]
training_samples = 60
test_samples = 10
[data.encoder]
steps = 40
[[layer]]
size = 20
[[layer]]
neuron = "readout"
size = 3
[second_threshold]
rate = 0          # all neurons are listed: work for the dense strategy
[training]
batch = 20
epochs = 1
)");
  const std::string dense = "train t.toml --threads 1 --quiet --force --out dense --strategy dense";
  if (const Outcome free = line(dense); free.exit_code != 0) GTEST_SKIP() << free.err;
  for (const std::uint64_t mebibytes : {150, 200, 250, 300, 350, 400, 500}) {
    options_.address_space_bytes = mebibytes << 20;
    const Outcome outcome = line(dense);
    EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 2) << mebibytes << ": " << outcome.err;
    EXPECT_EQ(outcome.exit_code == 2, contains(outcome.err, "error: The dense strategy needs OpenBLAS"))
        << outcome.err;
  }
  options_.address_space_bytes = 150u << 20;
  const Outcome refused = line(dense);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_TRUE(contains(refused.err, "The dense strategy needs OpenBLAS, which takes")) << refused.err;
  EXPECT_TRUE(contains(refused.err, "ulimit -v")) << refused.err;
  const Outcome automatic = line("train t.toml --threads 1 --quiet --out automatic");
  EXPECT_EQ(automatic.exit_code, 0) << automatic.err;
  EXPECT_TRUE(contains(automatic.err, "The sparse strategy is used, although")) << automatic.err;
  EXPECT_EQ(report("automatic")["strategy"], "sparse");
}

// 30,000,000 synapses in words of four bytes are 120 MB, the whole limit.
TEST_F(Machine, AutomaticConnectivityKeepsToTheLimit) {
  TESSERA_NEEDS_ADDRESS_SPACE;
  write_text(folder_ / "large.toml", R"(name = "large"
time = "1 ms"
[populations.A]
size = 10000
model = "iaf_psc_exp"
mean_rate = "1 Hz"
[projections.P]
source = "A"
target = "A"
rule = "fixed_total_number"
number = 30000000
weight = "1 pA"
delay = "1 ms"
)");
  const Outcome free = line("run large.toml --out free --quiet");
  ASSERT_EQ(free.exit_code, 0) << free.err;
  EXPECT_EQ(report("free")["connectivity"], "stored");
  options_.address_space_bytes = 120u << 20;
  const Outcome tight = line("run large.toml --out tight --quiet");
  ASSERT_EQ(tight.exit_code, 0) << tight.err;
  EXPECT_EQ(report("tight")["connectivity"], "procedural");
  EXPECT_LE(report("tight")["machine"]["memory_bytes"], 120u << 20);
  const Outcome plan = line("plan large.toml");
  EXPECT_TRUE(contains(plan.out, "procedural, because stored connectivity would take")) << plan.out;
  EXPECT_TRUE(contains(plan.out, "ulimit -v")) << plan.out;
  EXPECT_TRUE(contains(line("info").out, "ulimit -v"));
  // What is asked for and does not fit is refused with the limit.
  const Outcome asked = line("run large.toml --connectivity stored --out asked");
  EXPECT_EQ(asked.exit_code, 2) << asked.err;
  EXPECT_TRUE(contains(asked.err, "available (ulimit -v)")) << asked.err;
  EXPECT_FALSE(fs::exists(folder_ / "asked"));
}

TEST_F(Machine, OneThreadIsOneThread) {
  std::ptrdiff_t tasks = 0;
  look_into_a_run("--threads 1", [&tasks](pid_t child) {
    const fs::directory_iterator list("/proc/" + std::to_string(child) + "/task");
    tasks = std::distance(begin(list), end(list));
  });
  EXPECT_EQ(tasks, 1);
}

// Sent before the program begins, and delivered as soon as it can take it: as early as there is.
TEST_F(Machine, ASignalInTheFirstMomentEndsEveryCommandWithItsExitCode) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    options_.pending_signal = number;
    for (const char* words : {"run m.toml --out r", "train m.toml --out r", "--version"}) {
      const Outcome outcome = line(words);
      EXPECT_EQ(outcome.exit_code, 130) << words << ", signal " << outcome.signal;
      EXPECT_EQ(outcome.out + outcome.err, "");
      EXPECT_EQ(folder_.contents(), std::set<std::string>{"m.toml"});
    }
  }
}

// While connectivity is built, or, on a very busy machine, in the loop behind it: no file, or whole ones.
TEST_F(Machine, ASignalBeforeTheLoopLeavesNothingHalfDone) {
  write_text(folder_ / "large.toml", R"(name = "large"
time = "10000 s"
[populations.A]
size = 1000
model = "iaf_psc_exp"
mean_rate = "1 Hz"
[projections.P]
source = "A"
target = "A"
rule = "fixed_total_number"
number = 400000000
weight = "1 pA"
delay = "1 ms"
)");
  bool sent = false;
  options_.on_error_output = [&sent](pid_t child, const std::string& text) {
    if (sent || !contains(text, "building connectivity")) return;
    sent = true;
    kill(child, SIGHUP);
  };
  const Outcome outcome =
      line("run large.toml --connectivity procedural --threads 1 --out r");
  EXPECT_TRUE(sent) << outcome.err;
  EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
  for (const std::string& name : folder_.contents()) EXPECT_FALSE(contains(name, "partial")) << name;
  if (!fs::exists(folder_ / "r")) return;
  EXPECT_EQ(report("r")["interrupted"], true);
  EXPECT_TRUE(load_result(folder_ / "r").has_spikes);
}

// The mask of ignored signals, in hexadecimal; bit 0 is signal 1, SIGHUP.
TEST_F(Machine, UnderNohupAHangupStaysIgnored) {
  for (const bool nohup : {true, false}) {
    options_.ignore_hangups = nohup;
    std::uint64_t ignored = 0;
    look_into_a_run("--force", [&ignored](pid_t child) {
      std::istringstream status(read_text("/proc/" + std::to_string(child) + "/status"));
      for (std::string word; status >> word;) {
        if (word == "SigIgn:" && status >> word) ignored = std::strtoull(word.c_str(), nullptr, 16);
      }
    });
    EXPECT_EQ((ignored & 1) != 0, nohup);
  }
}

}  // namespace
}  // namespace tessera::test
