// report.json: its keys, numbers that are none, and the folder it is put into.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "files/file.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/result.hpp"

namespace tessera {
namespace {

using nlohmann::json;

RunSummary a_summary() {
  RunSummary summary;
  summary.model = "microcircuit";
  summary.seed = 0xfedcba9876543210ULL;
  summary.simulation.model_time_ms = 10000.0;
  summary.simulation.run_seconds = 12.5;
  summary.simulation.digest = 0xabcdefULL;
  summary.simulation.phases.deliver = 7.0;
  summary.simulation.counts.synapses = 298880968ULL;
  summary.simulation.counts.synapses_expected = true;
  summary.simulation.rounded_weights = {{"projection 'faint'", 0.25}};
  summary.simulation.populations = {{"L23E", 20, 180}};
  summary.parameters["scale"] = 0.5;
  return summary;
}

TEST(Report, HoldsEveryPromisedKey) {
  const json report = json::parse(report_json(a_summary()));
  for (const char* key : {"/model",
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
                          "/simd_target",
                          "/parameters/scale",
                          "/machine/processor",
                          "/machine/cores",
                          "/machine/memory_bytes",
                          "/tiles",
                          "/group_size",
                          "/precision",
                          "/compiler"}) {
    EXPECT_TRUE(report.contains(json::json_pointer(key))) << key;
  }
}

TEST(Report, HoldsWhatWasMeasured) {
  const json report = json::parse(report_json(a_summary()));
  EXPECT_EQ(report["seed"].get<std::uint64_t>(), 0xfedcba9876543210ULL);
  EXPECT_EQ(report["digest"], "0000000000abcdef");
  EXPECT_DOUBLE_EQ(report["real_time_factor"], 1.25);  // 12.5 s for 10 s
  EXPECT_DOUBLE_EQ(report["phases"]["deliver"]["seconds"], 7.0);
  EXPECT_EQ(report["counts"]["synapses"], 298880968ULL);
  EXPECT_EQ(report["counts"]["synapses_expected"], true);
  EXPECT_EQ(report["rounded_weights"].size(), 1u);
  EXPECT_EQ(report["rounded_weights"][0]["name"], "projection 'faint'");
  EXPECT_DOUBLE_EQ(report["rounded_weights"][0]["relative_error"], 0.25);
  // 180 spikes of 20 neurons in 10 s
  EXPECT_DOUBLE_EQ(report["populations"][0]["rate_hz"], 0.9);
  EXPECT_TRUE(report["populations"][0]["cv_isi"].is_null());
}

// Where some projections are stored and others drawn, both are counted.
TEST(Report, AMixtureIsCalledMixed) {
  RunSummary summary = a_summary();
  summary.simulation.connectivity = Connectivity::procedural;
  json report = json::parse(report_json(summary));
  EXPECT_EQ(report["connectivity"], "procedural");
  EXPECT_FALSE(report.contains("mixture"));
  summary.simulation.mixture = {.stored_projections = 3, .drawn_projections = 40, .stored_synapses = 500, .drawn_synapses = 6000};
  report = json::parse(report_json(summary));
  EXPECT_EQ(report["connectivity"], "mixed");
  EXPECT_EQ(report["mixture"]["stored"], (json{{"projections", 3}, {"synapses", 500}}));
  EXPECT_EQ(report["mixture"]["drawn"], (json{{"projections", 40}, {"synapses", 6000}}));
}

TEST(Report, ResumedRunsCountTheirOwnTime) {
  RunSummary summary = a_summary();
  summary.start_ms = 5000.0;
  EXPECT_DOUBLE_EQ(json::parse(report_json(summary))["real_time_factor"], 2.5);
}

TEST(Report, NumbersThatAreNoneBecomeNull) {
  RunSummary summary = a_summary();
  summary.simulation.model_time_ms = 0.0;
  summary.simulation.construction_seconds = std::nan("");
  summary.parameters["limit"] = INFINITY;
  summary.model = "broken \xff name";
  const json report = json::parse(report_json(summary));
  EXPECT_TRUE(report["real_time_factor"].is_null());
  EXPECT_TRUE(report["construction_seconds"].is_null());
  EXPECT_TRUE(report["parameters"]["limit"].is_null());
}

TEST(Report, NamesNoUserHostOrPath) {
  const std::string text = report_json(a_summary());
  EXPECT_EQ(text.find("/home"), std::string::npos);
  EXPECT_EQ(text.find("/tmp"), std::string::npos);
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) == 0 && std::string(host).size() > 5) {
    EXPECT_EQ(text.find(host), std::string::npos);
  }
}

TEST(Report, DigestsHaveSixteenDigits) {
  EXPECT_EQ(digest_text(0), "0000000000000000");
  EXPECT_EQ(digest_text(0xffffffffffffffffULL), "ffffffffffffffff");
}

TEST(Report, AFullDiskIsARunError) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "report.json");
  EXPECT_THROW(write_report(folder.path(), a_summary()), RunError);
}

TEST(ResultFolder, IsMadeOnceUnlessReplaced) {
  const TemporaryFolder folder;
  prepare_result_folder(folder / "a/b", false);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b"));
  prepare_result_folder(folder / "a/b", false);  // still empty
  io::write_file(folder / "a/b/report.json", "{}");
  EXPECT_THROW(prepare_result_folder(folder / "a/b", false), InputError);
  prepare_result_folder(folder / "a/b", true);
  EXPECT_TRUE(std::filesystem::exists(folder / "a/b/report.json"));
  EXPECT_THROW(prepare_result_folder(folder / "a/b/report.json", true), InputError);
}

}  // namespace
}  // namespace tessera
