// tessera run --machine: the digest of the whole network, what the report tells of the parts, what is refused.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/process.hpp"

namespace tessera::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string kModel = TESSERA_SOURCE_DIR "/models/small/two_populations.toml";

class RunOnMachine : public ::testing::Test {
 protected:
  RunOnMachine() { options_.folder = folder_.path(); }
  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  nlohmann::json report(const std::string& words, const std::string& result) {
    const Outcome outcome = line("run " + kModel + " --time 200ms --out " + result + " " + words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    said_ = outcome.out;
    return nlohmann::json::parse(read_text(folder_ / (result + "/report.json")));
  }
  void expect_refused(const std::string& words, const std::vector<std::string>& sentences) {
    const auto before = folder_.contents();
    const Outcome outcome = line("run " + words);
    EXPECT_EQ(outcome.exit_code, 2) << words << ": " << outcome.err;
    for (const std::string& sentence : sentences) EXPECT_TRUE(contains(outcome.err, sentence)) << words << ": " << outcome.err;
    EXPECT_EQ(folder_.contents(), before) << words;
  }
  TemporaryFolder folder_;
  ProcessOptions options_;
  std::string said_;
};

// 250 neurons on chips of 100: three parts, in lock-step with the shortest delay, 0.1 ms: 2,000 turns each.
TEST_F(RunOnMachine, ReportsTheDigestOfTheWholeAndItsParts) {
  const nlohmann::json whole = report("", "whole");
  EXPECT_FALSE(whole.contains("in_parts"));
  const nlohmann::json parts = report("--machine ideal_512 --machine-set circuits=100 --chips 2", "parts");
  EXPECT_GT(whole.at("counts").at("spikes"), 100);
  EXPECT_EQ(parts.at("digest"), whole.at("digest"));
  EXPECT_EQ(parts.at("counts").at("synapses"), whole.at("counts").at("synapses"));
  EXPECT_EQ(parts.at("populations"), whole.at("populations"));
  EXPECT_EQ(read_text(folder_ / "parts/spikes.h5").size(), read_text(folder_ / "whole/spikes.h5").size());
  const nlohmann::json& in_parts = parts.at("in_parts");
  EXPECT_EQ(in_parts.at("machine"), "ideal_512");
  EXPECT_EQ(in_parts.at("runs"), 3);
  EXPECT_EQ(in_parts.at("rounds"), 2);
  EXPECT_EQ(in_parts.at("lock_step_parts"), 3);
  EXPECT_EQ(in_parts.at("turns"), 6000);
  EXPECT_EQ(in_parts.at("recorded_spikes"), whole.at("counts").at("spikes"));
  EXPECT_EQ(in_parts.at("edges").size(), 6u) << "every part sends to the two others";
  EXPECT_EQ(in_parts.at("parts").size(), 3u);
  EXPECT_TRUE(contains(said_, "3 runs in 2 rounds on 2 chips")) << said_;
  EXPECT_TRUE(contains(said_, "6,000 turns of 3 parts")) << said_;
}

TEST_F(RunOnMachine, RefusesWhatPartsCannotDoAllAtOnce) {
  const std::string start = kModel + " --out r --machine ideal_512 --machine-set circuits=100 ";
  expect_refused(start + "--checkpoint-every 50ms --tiles 3 --exchange collective",
                 {"--checkpoint-every", "no checkpoints", "--tiles", "--exchange"});
  expect_refused(start + "--no-lock-step", {"Recurrent component of 'E', 'I': it takes 250 circuits, but a run has 100: 150 too many"});
  expect_refused(start + "--precision exact", {"'fast', not 'exact'"});
  expect_refused(kModel + " --out r --chips 2 --no-lock-step", {"--chips", "--no-lock-step", "there is no --machine"});
  expect_refused(kModel + " --out r --machine ideal_521", {"Did you mean 'ideal_512'?"});
  expect_refused(start + "--effects wights", {"weights"});
  write_text(folder_ / "stated.toml", read_text(kModel) + "\n[[partition]]\npart = [\"E[0:90]\", \"F\"]\n");
  expect_refused("stated.toml --out r --machine ideal_512", {"'F'"});
}

}  // namespace
}  // namespace tessera::test
