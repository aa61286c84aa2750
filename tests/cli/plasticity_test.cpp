// Commands on a network with plastic projections: what they say about it, and what they refuse.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/process.hpp"
#include "cli/small_model.hpp"

namespace tessera::test {
namespace {

/// The small model; its projection from E onto I (20 synapses on each of 40 neurons) learns.
class Plastic : public testing::Test {
 protected:
  Plastic() {
    std::string model = kSmallModel;
    const std::string head = "[projections.to_I]\n";
    model.insert(model.find(head) + head.size(),
                 "plasticity = { rule = \"stdp\", Wmax = \"600 pA\", axonal_delay = \"0.5 ms\" }\n");
    write_text(folder_ / "m.toml", model);
    options_.folder = folder_.path();
  }
  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  void expect_refused(const std::string& words, const std::string& part) {
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }
  void expect_says(const std::string& words, const std::string& part) {
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find(part), std::string::npos) << outcome.out;
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

TEST_F(Plastic, CannotBeProcedural) {
  const std::string sentence =
      "Projection 'to_I' is plastic (stdp), so its weights must be kept: connectivity must be 'stored' or 'auto', not "
      "'procedural'.";
  expect_refused("run m.toml --connectivity procedural --out r", sentence);
  expect_refused("plan m.toml --connectivity procedural", sentence);
}

TEST_F(Plastic, CannotRunOnAGpu) {
  expect_refused("run m.toml --device emulated --out r", "Projection 'to_I' is plastic (stdp); weights do not change on a GPU yet.");
}

TEST_F(Plastic, IsToldByPlanSynapsesAndReport) {
  expect_says("plan m.toml", "\nplastic           800 synapses with stdp in 1 projection\n");
  const Outcome list = line("synapses m.toml");
  EXPECT_NE(list.out.find("  plasticity  "), std::string::npos) << list.out;
  EXPECT_NE(list.out.find("  stdp  "), std::string::npos) << list.out;
  expect_says("run m.toml --time 100ms --out r", "\nplastic           800 synapses with stdp in 1 projection\n");
  const auto report = nlohmann::json::parse(read_text(folder_ / "r/report.json"));
  ASSERT_EQ(report.at("plasticity").size(), 1u);
  const auto& entry = report.at("plasticity")[0];
  EXPECT_EQ(entry.at("projection"), "to_I");
  EXPECT_EQ(entry.at("rule"), "stdp");
  EXPECT_EQ(entry.at("axonal_delay_ms"), 0.5);
  EXPECT_EQ(entry.at("parameters"), nlohmann::json({{"Wmax", 600.0}}));
}

// A checkpoint belongs to one plasticity.
TEST_F(Plastic, OfAnotherKindDoesNotGoOn) {
  ASSERT_EQ(line("run m.toml --time 100ms --checkpoint-every 50ms --out r").exit_code, 0);
  std::string model = read_text(folder_ / "m.toml");
  model.replace(model.find("600 pA"), 6, "700 pA");
  write_text(folder_ / "other.toml", model);
  expect_refused("run other.toml --time 100ms --resume r/checkpoint_50ms.tsc --out s", "it belongs to another network");
}

}  // namespace
}  // namespace tessera::test
