// tessera plan of a training file: a rank of many, counted.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "cli/process.hpp"

namespace tessera::test {
namespace {

class TrainingPlans : public testing::Test {
 protected:
  Outcome plan(const std::string& file, const std::string& options) {
    std::vector<std::string> words = words_of(options);
    words.insert(words.begin(), {"plan", TESSERA_SOURCE_DIR "/models/training/" + file});
    ProcessOptions process;
    process.folder = folder_.path();
    return tessera(words, process);
  }
  nlohmann::json json_of(const std::string& file, const std::string& options) {
    const Outcome outcome = plan(file, options + " --json p.json");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return nlohmann::json::parse(read_text(folder_ / "p.json"));
  }
  TemporaryFolder folder_;
};

// Finkbeiner et al. 2024: 190,000 neurons and 180 million parameters on four ranks, the same per rank on any number. The
// tiles of a rank have 512 neurons or a few less, so ranks differ by one of 31.
TEST_F(TrainingPlans, LayersGrowWithTheRanksAndARankStaysAsLarge) {
  const nlohmann::json plans = json_of("scaling.toml", "--ranks 1,2,4 --svg p.svg");
  ASSERT_EQ(plans.size(), 3u);
  EXPECT_NEAR(plans[2].at("network").at("neurons").get<double>(), 190e3, 100.0);
  EXPECT_NEAR(plans[2].at("network").at("parameters").get<double>(), 180e6, 0.1e6);
  for (const nlohmann::json& p : plans) {
    const nlohmann::json& model = p.at("model");
    EXPECT_NEAR(model.at("parameters").get<double>(), 45e6, 45e6 / 31);
    EXPECT_NEAR(model.at("neurons").get<double>(), 47.5e3, 47.5e3 / 31);
    EXPECT_LT(model.at("memory").at("planned_bytes"), 24e9 / 4);
    double rooms = 0.0;
    for (const nlohmann::json& room : model.at("memory").at("rooms")) rooms += room.at("bytes").get<double>();
    EXPECT_DOUBLE_EQ(rooms, model.at("memory").at("planned_bytes"));
  }
  EXPECT_EQ(plans[0].at("model").at("exchange").at("messages_per_batch"), 0.0);
  // To each of three others: three lists or traces with two words about failures each, and a fourth layer's, two more
  // after the loss, and what flows back into two layers.
  EXPECT_EQ(plans[2].at("model").at("exchange").at("messages_per_batch"), 3.0 * (4 * 3 + 2 + 2));
  const std::string svg = read_text(folder_ / "p.svg");
  for (const char* part : {"memory of a rank", "time of a batch", "ranks share layers", "</svg>"})
    EXPECT_NE(svg.find(part), std::string::npos) << part;
}

TEST_F(TrainingPlans, CostsCanBeSet) {
  const auto predicted = [this](const std::string& options, const char* part) {
    return json_of("scaling.toml", "--ranks 4 --threads 1 " + options).at("model").at("predicted").at(part).get<double>();
  };
  const double usual = predicted("--latency 2", "exchange_seconds");
  // Ranks meet 16 times in a batch: two doublings each, a microsecond more.
  EXPECT_NEAR(predicted("--latency 3", "exchange_seconds") - usual, 16 * 2 * 1e-6, 1e-9);
  EXPECT_NEAR(predicted("--event-cost 4", "compute_seconds") / predicted("--event-cost 2", "compute_seconds"), 2.0, 1e-9);
  EXPECT_NEAR(predicted("--bandwidth 5 --latency 0.000001", "exchange_seconds") /
                  predicted("--bandwidth 10 --latency 0.000001", "exchange_seconds"), 2.0, 1e-6);
}

TEST_F(TrainingPlans, OneRankIsToldRoomByRoomAndWhatIsNotPossible) {
  const Outcome outcome = plan("nmnist_convolution.toml", "--ranks 2 --slices 2");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* part : {"ranks share samples (parallel = data): what auto chooses", "optimiser", "not possible: ", "is a convolution"})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << outcome.out;
}

TEST_F(TrainingPlans, MistakesAreToldAtOnce) {
  const Outcome outcome = plan("scaling.toml", "--ranks 4,x --rank 9 --activity 2 --listed 0 --time 1s --no-count-table --threads 0");
  EXPECT_EQ(outcome.exit_code, 2);
  for (const char* part : {"'x'", "--rank", "--activity: '2'", "--listed: '0'", "--time: is for networks to simulate", "--no-count-table", "--threads"})
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << outcome.err;
  const Outcome five = plan("scaling.toml", "--ranks 5");  // 79,170 neurons in a layer
  EXPECT_EQ(five.exit_code, 2);
  EXPECT_NE(five.err.find("size of layer 'hidden1' is 79170"), std::string::npos) << five.err;
  std::vector<std::string> words = words_of("plan " TESSERA_SOURCE_DIR "/models/small/grid.toml --activity 0.1 --slices 2");
  const Outcome simulated = tessera(words, {});
  EXPECT_EQ(simulated.exit_code, 2);
  EXPECT_NE(simulated.err.find("--activity: is for training files"), std::string::npos) << simulated.err;
  EXPECT_NE(simulated.err.find("--slices: is for training files"), std::string::npos) << simulated.err;
}

}  // namespace
}  // namespace tessera::test
