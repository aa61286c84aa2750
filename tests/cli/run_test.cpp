// Whole runs: the files of a result, refusals, Ctrl-C, a full disk, checkpoints, progress.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/process.hpp"
#include "cli/small_model.hpp"
#include "tessera/result.hpp"

namespace tessera::test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Run : public ::testing::Test {
 protected:
  Run() {
    write_text(folder_ / "m.toml", kSmallModel);
    options_.folder = folder_.path();
  }

  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }

  nlohmann::json report(const std::string& result) {
    return nlohmann::json::parse(read_text(folder_ / (result + "/report.json")));
  }

  // No file that is still in the making.
  void expect_nothing_partial() {
    for (const std::string& name : folder_.contents())
      EXPECT_FALSE(contains(name, "partial")) << name;
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

TEST_F(Run, LeavesAReportWithEveryFieldAndSpikes) {
  const Outcome outcome = line("run m.toml --out r --seed 3 --threads 2 --connectivity stored");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const nlohmann::json report = this->report("r");
  for (const char* path : {"/model",
                           "/seed",
                           "/dt_ms",
                           "/model_time_ms",
                           "/connectivity",
                           "/threads",
                           "/ranks",
                           "/real_time_factor",
                           "/construction_seconds",
                           "/phases/deliver/seconds",
                           "/phases/update/seconds",
                           "/phases/wait/seconds",
                           "/phases/exchange/seconds",
                           "/phases/record/seconds",
                           "/memory/peak_resident_bytes",
                           "/memory/synapse_bytes",
                           "/memory/planned_bytes",
                           "/counts/neurons",
                           "/counts/synapses",
                           "/counts/spikes",
                           "/counts/synaptic_events",
                           "/digest",
                           "/populations/0/name",
                           "/populations/0/size",
                           "/populations/0/rate_hz",
                           "/populations/0/cv_isi",
                           "/version",
                           "/commit",
                           "/simd_target"}) {
    EXPECT_TRUE(report.contains(nlohmann::json::json_pointer(path))) << path;
  }
  EXPECT_EQ(report["seed"], 3);
  EXPECT_EQ(report["model_time_ms"], 200.0);
  EXPECT_EQ(report["connectivity"], "stored");
  EXPECT_EQ(report["counts"]["neurons"], 200);
  const Result result = load_result(folder_ / "r");
  EXPECT_TRUE(result.has_spikes);
  // 500 pA charge the membrane to 20 mV above rest: tau_m ln(20 / 5) + t_ref = 15.9 ms per spike
  // without inhibition, so at least one and at most 13 spikes per neuron in 200 ms.
  EXPECT_GT(result.find("E")->spikes.size(), 160u);
  EXPECT_LE(result.find("E")->spikes.size(), 160u * 13u);
  expect_nothing_partial();
}

TEST_F(Run, ShowsPhasesRatesAndMemoryAtItsEnd) {
  const Outcome outcome = line("run m.toml --out r");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* part : {"deliver", "update", "wait", "exchange", "record", "real-time factor", "memory",
                           "rate (Hz)", "CV", "digest", "result            r"}) {
    EXPECT_TRUE(contains(outcome.out, part)) << outcome.out;
  }
}

TEST_F(Run, SaysWhichTimesItHadToRound) {
  write_text(folder_ / "off_grid.toml", R"(time = "10 ms"
[populations.s]
kind = "spike_train"
size = 3
spikes = [[0, 0], [0.04, 2], [5, 0], [5.03, 0]]
)");
  const Outcome outcome = line("run off_grid.toml --out r");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("2 of the 4 spike times of 's'"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("same step as another one of their neuron: 1;"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("spikes            4"), std::string::npos) << outcome.out;
  EXPECT_NE(line("plan off_grid.toml").out.find("2 of the 4 spike times of 's'"), std::string::npos);
  EXPECT_EQ(line("run off_grid.toml --out r --force --quiet").err, "");
}

TEST_F(Run, QuietSaysNothing) {
  const Outcome outcome = line("run m.toml --out r --quiet");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(Run, DefaultFolderIsNamedAfterTheModelFile) {
  EXPECT_EQ(line("run m.toml --quiet").exit_code, 0);
  EXPECT_TRUE(folder_.contents().count("results/m/report.json"));
}

TEST_F(Run, RecordsWhatIsListedAndNothingElse) {
  ASSERT_EQ(line("run m.toml --out none --record none --quiet").exit_code, 0);
  EXPECT_FALSE(load_result(folder_ / "none").has_spikes);
  ASSERT_EQ(line("run m.toml --out trace --record V_m:E:3:0.5ms --quiet").exit_code, 0);
  const Result result = load_result(folder_ / "trace");
  EXPECT_FALSE(result.has_spikes);
  ASSERT_EQ(result.traces.size(), 1u);
  EXPECT_EQ(result.traces[0].neurons, 3u);
  EXPECT_EQ(result.traces[0].times_ms.size(), 400u);  // 200 ms / 0.5 ms
  EXPECT_EQ(report("none")["digest"], report("trace")["digest"]);
  // Rates and CVs do not need recorded spikes.
  EXPECT_GT(report("none")["populations"][0]["rate_hz"], 0.0);
}

TEST_F(Run, ThreadsTilesAndConnectivityDoNotChangeTheSpikes) {
  ASSERT_EQ(line("run m.toml --out a --threads 1 --connectivity stored --quiet").exit_code, 0);
  int number = 0;
  for (const char* options :
       {"--threads 2 --connectivity stored", "--threads 3 --connectivity procedural",
        "--threads 2 --tiles 5 --group-size 2 --connectivity stored",
        "--threads 1 --connectivity procedural --no-count-table", "--threads 2 --simd scalar"}) {
    const std::string out = "b" + std::to_string(++number);
    const Outcome outcome = line("run m.toml --quiet --out " + out + " " + options);
    ASSERT_EQ(outcome.exit_code, 0) << options << ": " << outcome.err;
    EXPECT_EQ(report(out)["digest"], report("a")["digest"]) << options;
  }
  ASSERT_EQ(line("run m.toml --out c --seed 8 --quiet").exit_code, 0);
  EXPECT_NE(report("c")["digest"], report("a")["digest"]);
}

TEST_F(Run, AParameterCanBeOverridden) {
  ASSERT_EQ(line("run m.toml --out silent --set 'amplitude=300 pA' --quiet").exit_code, 0);
  // 300 pA are below the 375 pA that reach threshold: at most the one spike of the initial state.
  EXPECT_LE(report("silent")["counts"]["spikes"], 200);
}

TEST_F(Run, AFolderThatIsNotEmptyIsRefusedUnlessForced) {
  ASSERT_EQ(line("run m.toml --out r --quiet").exit_code, 0);
  write_text(folder_ / "r/notes.txt", "mine");
  const std::string before = read_text(folder_ / "r/report.json");
  const Outcome refused = line("run m.toml --out r --seed 99");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_TRUE(contains(refused.err, "--force")) << refused.err;
  EXPECT_EQ(read_text(folder_ / "r/report.json"), before);

  ASSERT_EQ(line("run m.toml --out r --seed 99 --record none --force --quiet").exit_code, 0);
  EXPECT_EQ(report("r")["seed"], 99);
  EXPECT_EQ(read_text(folder_ / "r/notes.txt"), "mine");
  EXPECT_FALSE(load_result(folder_ / "r").has_spikes) << "the old spikes are not the new result's";
}

TEST_F(Run, AFileWhereTheFolderShouldBeIsRefused) {
  write_text(folder_ / "r", "a file");
  const Outcome outcome = line("run m.toml --out r --force");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.err, "not a folder")) << outcome.err;
  EXPECT_EQ(read_text(folder_ / "r"), "a file");
}

TEST_F(Run, AFolderThatCannotBeMadeIsARunError) {
  // Nobody, not even root, can make a folder in /proc.
  const Outcome outcome = line("run m.toml --out /proc/tessera-result");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "/proc")) << outcome.err;
}

TEST_F(Run, AFullDiskIsARunErrorAndLeavesTheEarlierResult) {
  ASSERT_EQ(line("run m.toml --out r --quiet").exit_code, 0);
  const auto files = folder_.contents();
  const std::string digest = report("r")["digest"];
  options_.largest_file_bytes = 20'000;  // a run of 20 s has far more than 1,250 spikes
  const Outcome outcome = line("run m.toml --time 20s --out r --force --quiet");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "tessera: error: ")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "spikes")) << outcome.err;
  EXPECT_EQ(folder_.contents(), files);
  EXPECT_EQ(load_result(folder_ / "r").digest, digest);
}

TEST_F(Run, CtrlCLeavesAWholeResultAndACheckpoint) {
  bool sent = false;
  options_.on_error_output = [&sent](pid_t child, const std::string& text) {
    if (sent || !contains(text, "ETA")) return;
    sent = true;
    kill(child, SIGINT);
  };
  const Outcome outcome = line("run m.toml --time 400000s --checkpoint-every 100000s --out r");
  EXPECT_TRUE(sent);
  EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "interrupted")) << outcome.out;
  const nlohmann::json report = this->report("r");
  EXPECT_EQ(report["interrupted"], true);
  const double reached_ms = report["model_time_ms"];
  EXPECT_GT(reached_ms, 0.0);
  const Result result = load_result(folder_ / "r");
  ASSERT_TRUE(result.has_spikes);
  EXPECT_EQ(result.populations[0].spikes.size() + result.populations[1].spikes.size(),
            report["counts"]["spikes"]);
  EXPECT_LE(result.populations[0].spikes.times_ms.back(), reached_ms);
  expect_nothing_partial();

  // It goes on from there.
  std::string checkpoint;
  for (const std::string& name : folder_.contents()) {
    if (contains(name, "checkpoint_")) checkpoint = name;
  }
  ASSERT_NE(checkpoint, "");
  options_.on_error_output = nullptr;
  const std::string end = std::to_string(static_cast<long long>(reached_ms) + 50) + "ms";
  const Outcome resumed =
      line("run m.toml --resume " + checkpoint + " --out s --quiet --time " + end);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
}

TEST_F(Run, TerminationAndHangupAreLikeCtrlC) {
  for (const int number : {SIGTERM, SIGHUP}) {
    bool sent = false;
    options_.on_error_output = [&sent, number](pid_t child, const std::string& text) {
      if (sent || !contains(text, "ETA")) return;
      sent = true;
      kill(child, number);
    };
    EXPECT_EQ(line("run m.toml --time 400000s --out r --force").exit_code, 130);
    EXPECT_EQ(report("r")["interrupted"], true);
    EXPECT_EQ(load_result(folder_ / "r").populations[0].spikes.size() > 0, true);
    expect_nothing_partial();
    std::filesystem::remove_all(folder_ / "r");
  }
}

TEST_F(Run, ProgressOnATerminalIsRedrawnInPlace) {
  options_.terminal = true;
  bool sent = false;  // a second Ctrl-C would end the program at once
  options_.on_error_output = [&sent](pid_t child, const std::string& text) {
    const auto first = text.find("ETA");
    if (sent || first == std::string::npos || text.find("ETA", first + 1) == std::string::npos) return;
    sent = true;
    kill(child, SIGINT);
  };
  const Outcome outcome = line("run m.toml --time 400000s --record none --out r");
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_TRUE(contains(outcome.err, "\r\033[K"));
  EXPECT_FALSE(contains(outcome.err, "\n")) << outcome.err;
  for (const char* part : {" %", "real-time factor", "spikes/s"}) {
    EXPECT_TRUE(contains(outcome.err, part)) << outcome.err;
  }
}

TEST_F(Run, ResumeEqualsARunThatWasNeverSplit) {
  ASSERT_EQ(line("run m.toml --time 100ms --discard 0s --out whole --quiet").exit_code, 0);
  ASSERT_EQ(line("run m.toml --time 30ms --checkpoint-every 30ms --discard 0s --out first --quiet")
                .exit_code,
            0);
  const Outcome outcome = line(
      "run m.toml --time 100ms --discard 0s --resume first/checkpoint_30ms.tsc "
      "--threads 2 --connectivity procedural --out rest --quiet");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(report("rest")["digest"], report("whole")["digest"]);
  EXPECT_EQ(report("rest")["start_ms"], 30.0);

  const Result whole = load_result(folder_ / "whole"), first = load_result(folder_ / "first"),
               rest = load_result(folder_ / "rest");
  for (std::size_t p = 0; p < whole.populations.size(); ++p) {
    std::vector<double> times = first.populations[p].spikes.times_ms;
    const std::vector<double>& tail = rest.populations[p].spikes.times_ms;
    if (!tail.empty()) {
      EXPECT_GT(tail.front(), 30.0);
    }
    times.insert(times.end(), tail.begin(), tail.end());
    EXPECT_EQ(times, whole.populations[p].spikes.times_ms);
  }
}

TEST_F(Run, CheckpointsAreWrittenAtEveryMultiple) {
  ASSERT_EQ(line("run m.toml --time 100ms --checkpoint-every 25.5ms --record none --out r --quiet")
                .exit_code,
            0);
  const auto names = folder_.contents();
  for (const char* name : {"25.5", "51", "76.5"}) {
    EXPECT_TRUE(names.count(std::string("r/checkpoint_") + name + "ms.tsc")) << name;
  }
  EXPECT_FALSE(names.count("r/checkpoint_100ms.tsc"));
}

TEST_F(Run, BadCheckpointsAreRefusedAndNothingIsWritten) {
  ASSERT_EQ(line("run m.toml --time 30ms --checkpoint-every 30ms --out first --quiet").exit_code,
            0);
  const std::string whole = read_text(folder_ / "first/checkpoint_30ms.tsc");
  write_text(folder_ / "short.tsc", whole.substr(0, whole.size() / 2));
  write_text(folder_ / "empty.tsc", "");
  write_text(folder_ / "foreign.tsc", "PK\003\004 this is not a checkpoint");
  std::string damaged = whole;
  damaged[damaged.size() / 2] ^= 0x40;
  write_text(folder_ / "damaged.tsc", damaged);
  const auto before = folder_.contents();
  for (const char* words :
       {"--resume short.tsc", "--resume empty.tsc", "--resume foreign.tsc", "--resume damaged.tsc",
        "--resume first/checkpoint_30ms.tsc --seed 8",             // another seed
        "--resume first/checkpoint_30ms.tsc --set amplitude=600",  // another model (or a wrong
                                                                   // unit)
        "--resume first/checkpoint_30ms.tsc --time 30ms"}) {       // nothing left to do
    const Outcome outcome = line(std::string("run m.toml --out r ") + words);
    EXPECT_EQ(outcome.exit_code, 2) << words << ": " << outcome.err;
    EXPECT_TRUE(contains(outcome.err, "tessera: error: ")) << words;
    EXPECT_EQ(folder_.contents(), before) << words;
  }
}

TEST_F(Run, AnExplodingNetworkStopsWithPopulationAndStepAndKeepsItsSpikes) {
  std::string model = kSmallModel;
  // Excitation among the excitatory neurons without any inhibition to speak of, and no
  // refractoriness.
  model.replace(model.find("[populations.E.initial"), 0,
                "[populations.E.parameters]\nt_ref = \"0 ms\"\n\n");
  model +=
      "\n[projections.loop]\nsource = \"E\"\ntarget = \"E\"\nrule = \"all_to_all\"\n"
      "weight = \"100000 pA\"\ndelay = \"0.1 ms\"\n";
  write_text(folder_ / "m.toml", model);
  const Outcome outcome = line("run m.toml --time 1s --out r");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "'E'")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "step")) << outcome.err;
  EXPECT_TRUE(load_result(folder_ / "r").has_spikes);
}

TEST_F(Run, PlanPredictsAndWritesNothing) {
  const Outcome outcome = line("plan m.toml --threads 2 --connectivity stored");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  // 40 * 20 synapses from E to I, 40 * 160 * 0.2 expected the other way.
  for (const char* part : {"200 neurons", "2,080 synapses expected", "stored", "2 threads", "predicted"}) {
    EXPECT_TRUE(contains(outcome.out, part)) << outcome.out;
  }
  EXPECT_EQ(folder_.contents(), std::set<std::string>{"m.toml"});
}

// 100 x 100 pairs: nobody counts the synapses of a procedural run, and nobody need.
TEST_F(Run, ProceduralRunsSayHowManySynapsesTheyHave) {
  const std::string pairs =
      "[populations.a]\nsize = 100\nmodel = \"iaf_psc_delta\"\n[projections.p]\nsource = \"a\"\ntarget = \"a\"\n"
      "weight = 0.001\ndelay = 0.1\nrule = ";
  write_text(folder_ / "all.toml", pairs + "\"all_to_all\"\n");
  write_text(folder_ / "some.toml", pairs + "\"pairwise_bernoulli\"\nprobability = 0.5\n");
  Outcome outcome = line("run all.toml --time 1ms --connectivity procedural --out r");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, " 10,000 synapses,")) << outcome.out;
  EXPECT_EQ(report("r")["counts"]["synapses"], 10000);
  EXPECT_EQ(report("r")["counts"]["synapses_expected"], false);
  outcome = line("run some.toml --time 1ms --connectivity procedural --out s");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, " 5,000 synapses expected,")) << outcome.out;
  EXPECT_EQ(report("s")["counts"]["synapses"], 5000);
  EXPECT_EQ(report("s")["counts"]["synapses_expected"], true);
  outcome = line("plan all.toml");
  EXPECT_TRUE(contains(outcome.out, " 10,000 synapses,")) << outcome.out;
}

// One synapse of 1e6 mV leaves no room for 1e-9 mV in sums of 31 bits.
TEST_F(Run, WeightsThatAreRoundedAwayAreNamed) {
  write_text(folder_ / "m.toml",
             "[populations.a]\nsize = 1\nmodel = \"iaf_psc_delta\"\n"
             "[projections.faint]\nsource = \"a\"\ntarget = \"a\"\nrule = \"one_to_one\"\nweight = 1e-9\ndelay = 1\n"
             "[projections.huge]\nsource = \"a\"\ntarget = \"a\"\nrule = \"one_to_one\"\nweight = 1e6\ndelay = 1\n");
  const std::string sentence = "projection 'faint': mean |weight| is off by 100 %";
  EXPECT_TRUE(contains(line("plan m.toml").out, sentence));
  const Outcome outcome = line("run m.toml --time 1ms --out r");
  EXPECT_TRUE(contains(outcome.out, sentence)) << outcome.out << outcome.err;
  EXPECT_EQ(report("r")["rounded_weights"][0]["name"], "projection 'faint'");
  EXPECT_FALSE(contains(line("plan m.toml --precision exact").out, "faint"));
}

TEST_F(Run, AResultCanBeLookedAt) {
  ASSERT_EQ(line("run m.toml --out r --record spikes --record V_m:E:2:1ms --quiet").exit_code, 0);
  const Outcome stats = line("stats r");
  EXPECT_EQ(stats.exit_code, 0) << stats.err;
  EXPECT_TRUE(contains(stats.out, "correlation")) << stats.out;
  for (const char* kind : {"raster", "rates", "isi", "trace"}) {
    const Outcome plot = line(std::string("plot r ") + kind);
    EXPECT_EQ(plot.exit_code, 0) << plot.err;
    const std::string svg = read_text(folder_ / (std::string("r/") + kind + ".svg"));
    EXPECT_TRUE(contains(svg, "<svg")) << kind;
    EXPECT_TRUE(contains(svg, "</svg>")) << kind;
  }
  const Outcome nowhere = line("plot r raster -o missing/folder/x.svg");
  EXPECT_EQ(nowhere.exit_code, 1) << nowhere.err;
}

TEST_F(Run, ADamagedResultIsBadInput) {
  ASSERT_EQ(line("run m.toml --out r --quiet").exit_code, 0);
  write_text(folder_ / "r/report.json", "{\"model\": ");
  for (const char* words : {"stats r", "plot r raster"}) {
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_TRUE(contains(outcome.err, "report.json")) << outcome.err;
  }
}

}  // namespace
}  // namespace tessera::test
