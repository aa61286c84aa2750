// Recording spikes of some neurons: what is in the files, and that nothing else changes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/process.hpp"
#include "cli/small_model.hpp"
#include "tessera/result.hpp"

namespace tessera::test {
namespace {

class RecordSome : public ::testing::Test {
 protected:
  RecordSome() {
    write_text(folder_ / "m.toml", kSmallModel);
    options_.folder = folder_.path();
  }
  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  nlohmann::json report(const std::string& result) { return nlohmann::json::parse(read_text(folder_ / (result + "/report.json"))); }

  // Populations of areas, eight of them: names as in the multi-area model.
  void write_areas(const std::string& recorders = "") {
    write_text(folder_ / "areas.toml", R"(time = "100 ms"
[populations.cortex]
names = ["V1.23E", "V1.23I", "V1.4E", "V1.4I", "V2.23E", "V2.23I", "MT.23E", "MT.23I"]
size = [40, 10, 30, 8, 40, 10, 20, 5]
inhibitory = [false, true, false, true, false, true, false, true]
model = "iaf_psc_exp"
[populations.cortex.initial.V_m]
distribution = "uniform"
from = "-65 mV"
to = "-50 mV"
[stimuli.drive]
kind = "current"
target = "cortex"
amplitude = "500 pA"
)" + recorders);
  }
  // The spikes of a result against those of the first neurons of a whole one.
  void expect_first(const Result& some, const Result& all, const std::vector<std::uint32_t>& counts) {
    ASSERT_EQ(some.populations.size(), counts.size());
    for (std::size_t p = 0; p < counts.size(); ++p) {
      SpikeList expected;
      const SpikeList& whole = all.populations[p].spikes;
      for (std::size_t i = 0; i < whole.size(); ++i) {
        if (whole.neurons[i] >= counts[p]) continue;
        expected.times_ms.push_back(whole.times_ms[i]);
        expected.neurons.push_back(whole.neurons[i]);
      }
      EXPECT_EQ(some.populations[p].recorded(), std::min(counts[p], all.populations[p].size));
      EXPECT_EQ(some.populations[p].spikes.neurons, expected.neurons) << all.populations[p].name;
      EXPECT_EQ(some.populations[p].spikes.times_ms, expected.times_ms);
    }
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

// Digest, rates and CVs are those of all neurons, whoever is recorded.
TEST_F(RecordSome, TheRestOfTheReportIsThatOfAll) {
  ASSERT_EQ(line("run m.toml --out all --quiet").exit_code, 0);
  const Outcome outcome = line("run m.toml --out some --record spikes:E:7 --record V_m:I:2:1ms");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("spikes of 7 neurons in 1 population only"), std::string::npos) << outcome.out;
  EXPECT_EQ(report("some")["digest"], report("all")["digest"]);
  for (int p = 0; p < 2; ++p) {
    for (const char* key : {"rate_hz", "cv_isi", "spikes"}) EXPECT_EQ(report("some")["populations"][p][key], report("all")["populations"][p][key]) << key;
  }
  EXPECT_EQ(report("some")["populations"][0]["recorded_neurons"], 7);
  EXPECT_EQ(report("some")["populations"][1]["recorded_neurons"], 0);
  EXPECT_FALSE(report("all")["populations"][0].contains("recorded_neurons"));
  const Result some = load_result(folder_ / "some");
  expect_first(some, load_result(folder_ / "all"), {7, 0});
  EXPECT_GT(some.populations[0].spikes.size(), 0u);
  EXPECT_EQ(some.traces.at(0).neurons, 2u);
}

TEST_F(RecordSome, AreasAndPatternsStandForTheirPopulations) {
  write_areas();
  ASSERT_EQ(line("run areas.toml --out all --quiet").exit_code, 0);
  const Result all = load_result(folder_ / "all");
  int number = 0;
  const struct {
    const char* record;
    std::vector<std::uint32_t> counts;
  } cases[] = {{"--record spikes:V1:9", {9, 9, 9, 9, 0, 0, 0, 0}},
               {"--record spikes:*.23E --record spikes:MT.23I:2", {40, 0, 0, 0, 40, 0, 20, 2}},
               {"--record spikes:V?.*I:3 --record spikes:V1.4I:6", {0, 3, 0, 6, 0, 3, 0, 0}}};
  for (const auto& [record, counts] : cases) {
    const std::string out = "r" + std::to_string(number++);
    ASSERT_EQ(line("run areas.toml --quiet --out " + out + " " + record).exit_code, 0) << record;
    expect_first(load_result(folder_ / out), all, counts);
  }
  ASSERT_EQ(line("run areas.toml --quiet --out v --record V_m:MT:3:1ms").exit_code, 0);
  EXPECT_EQ(load_result(folder_ / "v").traces.size(), 2u);
}

TEST_F(RecordSome, AModelFileSaysItToo) {
  write_areas();
  ASSERT_EQ(line("run areas.toml --out all --quiet").exit_code, 0);
  const Result all = load_result(folder_ / "all");
  write_areas(R"([[recorders]]
population = ["V2", "V1.4*"]
variable = "spikes"
count = 5
[[recorders]]
population = "MT.23E"
variable = "spikes"
[[recorders]]
population = "MT"
count = 1
)");
  ASSERT_EQ(line("run areas.toml --out some --quiet").exit_code, 0);
  const Result some = load_result(folder_ / "some");
  expect_first(some, all, {0, 0, 5, 5, 5, 5, 20, 0});
  EXPECT_EQ(some.traces.size(), 2u) << "of an area";
  ASSERT_EQ(line("run areas.toml --out listed --quiet --record spikes").exit_code, 0);
  EXPECT_FALSE(load_result(folder_ / "listed").is_subset()) << "what the command line lists takes the place of it";
}

// Statistics are told of whom they are, and pictures show what there is.
TEST_F(RecordSome, StatisticsAndPlotsAreOfTheRecorded) {
  write_areas();
  ASSERT_EQ(line("run areas.toml --out some --quiet --record spikes:V1:9").exit_code, 0);
  const Outcome stats = line("stats some");
  EXPECT_EQ(stats.exit_code, 0) << stats.err;
  EXPECT_NE(stats.out.find("Spikes of some neurons only were recorded."), std::string::npos) << stats.out;
  const double rate = report("some")["populations"][6]["rate_hz"];
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", rate);
  EXPECT_NE(stats.out.find(text), std::string::npos) << "the rate of all, of a population that was not recorded: " << text << stats.out;
  for (const char* kind : {"raster", "rates", "isi", "areas"}) {
    const Outcome plot = line(std::string("plot some ") + kind);
    EXPECT_EQ(plot.exit_code, 0) << kind << plot.err;
    const std::string svg = read_text(folder_ / ("some/" + std::string(kind) + ".svg"));
    EXPECT_EQ(svg.find("MT") == std::string::npos, std::string(kind) != "areas") << kind << ": rates of areas are of all";
  }
  EXPECT_NE(read_text(folder_ / "some/raster.svg").find("all 35 recorded neurons"), std::string::npos);  // 9 + 9 + 9 + 8
  ASSERT_EQ(line("plot some raster --population V1.23E --population *.4I").exit_code, 0);
  EXPECT_NE(read_text(folder_ / "some/raster.svg").find("all 17 recorded neurons"), std::string::npos);  // 9 + 8
  ASSERT_EQ(line("run areas.toml --out all --quiet").exit_code, 0);
  ASSERT_EQ(line("plot all raster --population MT").exit_code, 0);
  EXPECT_NE(read_text(folder_ / "all/raster.svg").find("all 25 neurons"), std::string::npos);
}

TEST_F(RecordSome, WhatCannotBeIsASentence) {
  write_areas();
  const struct {
    const char *words, *sentence;
  } cases[] = {{"run areas.toml --out r --record spikes:V3", "There is no population or area named 'V3'. Did you mean 'V1'?"},
               {"run areas.toml --out r --record spikes:V1.23F", "Did you mean 'V1.23E'?"},
               {"run areas.toml --out r --record spikes:X*", "No population has a name like 'X*'."},
               {"run areas.toml --out r --record V_m:W1:1:1ms", "There is no population or area named 'W1'. Did you mean 'V1'?"},
               {"run areas.toml --out r --record spikes:V1:0", "'0' is not a whole number from 1"},
               {"run areas.toml --out r --record spikes:V1:2:3", "should be spikes:POPULATION or spikes:POPULATION:COUNT"},
               {"run areas.toml --out r --record spikes:", "should be spikes:POPULATION or spikes:POPULATION:COUNT"},
               {"run areas.toml --out r --record spikes --record spikes:V1", "leave it out to record spikes of some"},
               {"run areas.toml --out r --record none --record spikes:V1", "contradict each other"}};
  for (const auto& [words, sentence] : cases) {
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 2) << words;
    EXPECT_NE(outcome.err.find(sentence), std::string::npos) << words << ": " << outcome.err;
    EXPECT_FALSE(folder_.contents().contains("r"));
  }
  ASSERT_EQ(line("run areas.toml --out some --quiet --record spikes:V1:9").exit_code, 0);
  const struct {
    const char *words, *sentence;
  } plots[] = {{"plot some raster --population V3", "There is no population or area named 'V3'. Did you mean 'V1'?"},
               {"plot some raster --population MT", "No spikes of these populations were recorded"},
               {"plot some rates --population V1", "only the raster plot takes populations"}};
  for (const auto& [words, sentence] : plots) {
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 2) << words;
    EXPECT_NE(outcome.err.find(sentence), std::string::npos) << words << ": " << outcome.err;
  }
  for (const auto& [recorder, sentence] :
       {std::pair("population = \"V3\"\nvariable = \"spikes\"", "There is no population, area or group named 'V3'. Did you mean 'V1'?"),
        {"population = \"V1\"\nvariable = \"spikes\"\ninterval = 1", "there is no interval"},
        {"population = \"V1\"\nvariable = \"spikes\"\ncount = 0", "must be at least 1"}}) {
    write_areas("[[recorders]]\n" + std::string(recorder));
    const Outcome outcome = line("run areas.toml --out r");
    EXPECT_EQ(outcome.exit_code, 2) << recorder;
    EXPECT_NE(outcome.err.find(sentence), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace tessera::test
