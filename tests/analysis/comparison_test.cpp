// Kolmogorov-Smirnov distances of known value, references and verdicts.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "files/file.hpp"
#include "files/npy.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/analysis.hpp"

namespace tessera {
namespace {

using Values = std::vector<double>;

TEST(KsDistance, KnownValues) {
  EXPECT_EQ(ks_distance(Values{1, 2, 3}, Values{1, 2, 3}), 0.0);
  EXPECT_EQ(ks_distance(Values{1, 2, 3}, Values{4, 5, 6}), 1.0);
  EXPECT_EQ(ks_distance(Values{1, 2, 3, 4}, Values{3, 4, 5, 6}), 0.5);
  // Steps of 1/2 and 1/3: after 1: 1/2 and 0; after 2: 1/2 and 1/3; after 3: 1 and 2/3.
  EXPECT_DOUBLE_EQ(ks_distance(Values{1, 3}, Values{2, 3, 4}), 0.5);
  EXPECT_DOUBLE_EQ(ks_distance(Values{0, 0, 0, 1}, Values{0, 1}), 0.25);  // ties
}

TEST(KsDistance, LeavesOutWhatIsNoNumber) {
  EXPECT_EQ(ks_distance(Values{1, NAN, 2}, Values{2, 1, INFINITY}), 0.0);
  EXPECT_TRUE(std::isnan(ks_distance(Values{}, Values{1})));
  EXPECT_TRUE(std::isnan(ks_distance(Values{NAN}, Values{1})));
}

TEST(KsDistance, ShiftedUniformSamples) {
  // Uniform on [0, 1) and on [0.3, 1.3): the distribution functions differ by 0.3. Two tenths of a
  // step less, so that no two values are equal but for rounding.
  Values a, b;
  for (int i = 0; i < 1000; ++i) {
    a.push_back((i + 0.5) / 1000);
    b.push_back(0.2998 + (i + 0.5) / 1000);
  }
  EXPECT_NEAR(ks_distance(a, b), 0.3, 1e-9);
}

Values poisson_rates(double rate_hz, double window_ms, int neurons, unsigned seed) {
  std::mt19937 generator(seed);
  std::poisson_distribution<int> count(rate_hz * window_ms / 1000.0);
  Values rates;
  for (int i = 0; i < neurons; ++i) rates.push_back(count(generator) * 1000.0 / window_ms);
  return rates;
}

TEST(RateKsDistance, EqualsTheCommonDistanceForEqualWindows) {
  const Values a = poisson_rates(4.0, 2000.0, 500, 1);
  const Values b = poisson_rates(4.3, 2000.0, 700, 2);
  EXPECT_NEAR(rate_ks_distance(a, 2000.0, b, 2000.0), ks_distance(a, b), 1e-12);
}

TEST(RateKsDistance, DoesNotMeasureTheLattice) {
  // The same rates, counted over 10 s and over 9.5 s. Between the lattices the plain distance sees
  // whole steps of one distribution; spread counts differ by noise (about 0.01) and by the windows'
  // 5 %.
  const Values a = poisson_rates(1.0, 10000.0, 20000, 3);
  const Values b = poisson_rates(1.0, 9500.0, 20000, 4);
  EXPECT_GT(ks_distance(a, b), 0.05);
  EXPECT_LT(rate_ks_distance(a, 10000.0, b, 9500.0), 0.025);
}

TEST(RateKsDistance, SurvivesRoundingToSinglePrecision) {
  Values a = poisson_rates(3.0, 9500.0, 2000, 5);
  Values b = a;
  for (double& rate : b) rate = static_cast<float>(rate);
  EXPECT_NEAR(rate_ks_distance(a, 9500.0, b, 9500.0), 0.0, 1e-12);
}

// Two realisations whose rates differ by a fifth of the neurons.
class ReferenceFolder : public testing::Test {
 protected:
  void SetUp() override {
    write("seed1", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    write("seed2", {0, 1, 2, 3, 4, 5, 6, 7, 18, 19});
  }
  void write(const std::string& seed, const std::vector<float>& rates) {
    std::filesystem::create_directory(folder_ / seed);
    io::write_npy(folder_ / (seed + "/rate_E.npy"), rates);
    io::write_npy(folder_ / (seed + "/cv_E.npy"), std::vector<float>{0.5F, 1.0F});
  }
  [[nodiscard]] static PopulationStatistics run_with(const Values& rates) {
    PopulationStatistics statistics;
    statistics.name = "E";
    statistics.rates_hz = rates;
    statistics.cvs = {0.5, 1.0};
    return statistics;
  }
  static StatisticsOptions second() {
    StatisticsOptions options;
    options.end_ms = 1000.0;
    return options;
  }
  TemporaryFolder folder_;
};

TEST_F(ReferenceFolder, ReadsRealisationsFromSubFolders) {
  const Reference reference = load_reference(folder_.path(), {"E", "other"});
  ASSERT_EQ(reference.populations.size(), 1U);
  EXPECT_EQ(reference.populations[0].realisations.size(), 2U);
  EXPECT_DOUBLE_EQ(reference.populations[0].spread(Measure::rate), 0.2);
  EXPECT_DOUBLE_EQ(reference.populations[0].mean(Measure::rate), (45 + 65) / 20.0);
  EXPECT_TRUE(std::isnan(reference.populations[0].mean(Measure::correlation)));
}

TEST_F(ReferenceFolder, JudgesByTheSpreadOfTheSeeds) {
  const Reference reference = load_reference(folder_.path(), {"E"});
  // The seeds together: 0 to 7 twice, 8, 9, 18, 19. Up to 8 lie 9 of our 10 and 17 of these 20
  // rates: 0.05. The bar is 1.5 * 0.2.
  Verdict verdict = compare({run_with({0, 1, 2, 3, 4, 5, 6, 7, 8, 19})}, reference, second());
  ASSERT_EQ(verdict.comparisons.size(), 3U);
  EXPECT_NEAR(verdict.comparisons[0].distance, 0.05, 1e-12);
  // The classic table: 1.63 sqrt((n + m) / (n m)) for 1 %.
  EXPECT_NEAR(verdict.comparisons[0].noise, 1.63 * std::sqrt(30.0 / 200.0), 0.002);
  EXPECT_TRUE(verdict.notes.empty());
  EXPECT_NEAR(verdict.comparisons[0].bar, 0.3, 1e-12);
  EXPECT_TRUE(verdict.comparisons[0].passes);
  EXPECT_FALSE(verdict.comparisons[2].compared);  // no correlations on either side
  // CVs of both seeds are equal: no spread, and ours are the same.
  EXPECT_TRUE(verdict.comparisons[1].passes);
  EXPECT_TRUE(verdict.passes());
  EXPECT_EQ(verdict.compared, 2U);

  verdict = compare({run_with({0, 1, 2, 3, 4, 5, 26, 27, 28, 29})}, reference, second());
  EXPECT_NEAR(verdict.comparisons[0].distance, 0.4, 1e-12);
  EXPECT_FALSE(verdict.comparisons[0].passes);
  EXPECT_FALSE(verdict.passes());
  // Ten neurons: chance alone makes such a distance, and the verdict says so without changing.
  ASSERT_EQ(verdict.notes.size(), 1U);
  EXPECT_NE(verdict.notes[0].find("another seed may pass"), std::string::npos);
}

TEST_F(ReferenceFolder, PublishedSpreadRaisesTheBar) {
  io::write_file(folder_ / "expected.json",
                 R"({"name": "paper", "window_ms": 1000, "populations":
                     {"E": {"rate_hz": 4.5, "ks": {"rate": [0.3, 0.1], "cv": [0.01, 0.001]}}}})");
  const Reference reference = load_reference(folder_.path(), {"E"});
  EXPECT_EQ(reference.name, "paper");
  EXPECT_EQ(reference.populations[0].published_rate_hz, 4.5);
  const Verdict verdict =
      compare({run_with({0, 1, 2, 3, 4, 5, 26, 27, 28, 29})}, reference, second());
  EXPECT_NEAR(verdict.comparisons[0].bar, 0.5, 1e-12);  // 0.3 + 2 * 0.1 beats 1.5 * 0.2
  EXPECT_TRUE(verdict.comparisons[0].passes);
  EXPECT_NEAR(verdict.comparisons[1].bar, 0.012, 1e-12);
}

// Means of the seeds 4.5 and 6.5, so 5.5; SDs sqrt(8.25) and sqrt(40.25) (by hand: 825 / 10 - 6.5^2), so 4.608.
constexpr const char* kSeeds = R"({"runs": 64, "populations": {"E": {
    "rate": {"mean": {"allowed": 0.5}, "width": {"allowed": 2.0}}}}})";

TEST_F(ReferenceFolder, BarsOfManySeedsJudgeMeanAndWidth) {
  io::write_file(folder_ / "seeds.json", kSeeds);
  const Reference reference = load_reference(folder_.path(), {"E"});
  const auto judge = [&](const Values& rates) {
    return compare({run_with(rates)}, reference, second()).comparisons[0];
  };
  // Mean 5.9, SD sqrt(493 / 10 - 5.9^2): 0.4 of 0.5 and 0.4009 of 2.0.
  const Comparison near = judge({0, 1, 2, 4, 6, 7, 8, 9, 11, 11});
  EXPECT_TRUE(near.calibrated);
  EXPECT_NEAR(near.reference_mean, 5.5, 1e-12);
  EXPECT_NEAR(near.reference_width, (std::sqrt(8.25) + std::sqrt(40.25)) / 2, 1e-12);
  EXPECT_NEAR(near.width, std::sqrt(14.49), 1e-12);
  EXPECT_NEAR(near.deviation, 0.8, 1e-9);
  EXPECT_TRUE(near.passes);
  // Mean 6.1: 0.6 of 0.5, although the KS distance is smaller than its bar.
  const Comparison shifted = judge({0, 1, 2, 4, 6, 7, 8, 10, 11, 12});
  EXPECT_NEAR(shifted.deviation, 1.2, 1e-9);
  EXPECT_LT(shifted.distance, shifted.bar);
  EXPECT_FALSE(shifted.passes);
  // The right mean, but every neuron has it: the width is 4.608 off, 2.0 is allowed.
  const Comparison narrow = judge(Values(10, 5.5));
  EXPECT_NEAR(narrow.deviation, (std::sqrt(8.25) + std::sqrt(40.25)) / 4, 1e-9);
  EXPECT_FALSE(narrow.passes);
  // CVs have no bars here: their KS distance is judged as before.
  EXPECT_FALSE(compare({run_with({1})}, reference, second()).comparisons[1].calibrated);
}

TEST_F(ReferenceFolder, DamagedBarsAreInputErrors) {
  for (const char* text : {"{", R"({"populations": {"E": {"rate": {"mean": {"allowed": 1}}}}})",
                           R"({"populations": {"E": {"rate": {"mean": {"allowed": 0}, "width": {"allowed": 1}}}}})",
                           R"({"populations": {"E": {"rate": {"mean": {"allowed": "x"}, "width": {"allowed": 1}}}}})"}) {
    io::write_file(folder_ / "seeds.json", text);
    EXPECT_THROW((void)load_reference(folder_.path(), {"E"}), InputError) << text;
  }
}

TEST(StatisticsJson, HoldsMomentsAndQuantiles) {
  PopulationStatistics statistics;
  statistics.name = "E";
  for (int i = 0; i <= 40; ++i) statistics.rates_hz.push_back(40 - i);
  statistics.cvs = {0.5, NAN, 1.5};
  StatisticsOptions options;
  options.start_ms = 500.0;
  options.end_ms = 1500.0;
  const auto json = nlohmann::json::parse(statistics_json({statistics}, options));
  EXPECT_EQ(json["end_ms"], 1500.0);
  const auto& rate = json["populations"]["E"]["rate"];
  EXPECT_EQ(rate["count"], 41);
  EXPECT_EQ(rate["mean"], 20.0);
  EXPECT_NEAR(rate["sd"].get<double>(), std::sqrt((41.0 * 41.0 - 1.0) / 12.0), 1e-12);  // of 0 .. 40
  ASSERT_EQ(rate["quantiles"].size(), 21U);
  for (int i = 0; i <= 20; ++i) EXPECT_NEAR(rate["quantiles"][i].get<double>(), 2.0 * i, 1e-12);
  EXPECT_EQ(json["populations"]["E"]["cv"]["count"], 2);
  EXPECT_EQ(json["populations"]["E"]["cv"]["quantiles"][10], 1.0);
  EXPECT_TRUE(json["populations"]["E"]["correlation"].is_null());
}

TEST_F(ReferenceFolder, NotesOtherWindowsAndUnknownPopulations) {
  StatisticsOptions options = second();
  options.end_ms = 2000.0;
  PopulationStatistics other = run_with({1.0});
  other.name = "X";
  const Verdict verdict = compare({run_with({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), other},
                                  load_reference(folder_.path(), {"E"}), options);
  ASSERT_EQ(verdict.notes.size(), 2U);
  EXPECT_NE(verdict.notes[0].find("span 2 s, those of the reference 1 s"), std::string::npos);
  EXPECT_NE(verdict.notes[1].find("'X'"), std::string::npos);
}

TEST_F(ReferenceFolder, DamagedReferencesAreInputErrors) {
  EXPECT_THROW((void)load_reference(folder_ / "nowhere", {"E"}), InputError);
  EXPECT_THROW((void)load_reference(folder_.path(), {"unknown"}), InputError);
  for (const char* text : {"{", "[]", "{\"window_ms\": \"x\"}", "{\"populations\": {\"E\": 3}}",
                           "{\"populations\": {\"E\": {\"ks\": {\"rate\": [1]}}}}"}) {
    io::write_file(folder_ / "expected.json", text);
    EXPECT_THROW((void)load_reference(folder_.path(), {"E"}), InputError) << text;
  }
  std::filesystem::remove(folder_ / "expected.json");
  io::write_file(folder_ / "seed1/rate_E.npy", "damaged");
  EXPECT_THROW((void)load_reference(folder_.path(), {"E"}), InputError);
}

TEST(Verdict, WithoutAComparisonIsNoPass) { EXPECT_FALSE(Verdict{}.passes()); }

TEST(Microcircuit, ExpectedStatisticsAreTheOnesPublished) {
  const std::filesystem::path folder =
      std::filesystem::path(TESSERA_SOURCE_DIR) / "models/microcircuit/reference";
  const Reference reference =
      load_reference(folder, {"L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"});
  ASSERT_EQ(reference.populations.size(), 8U);
  EXPECT_DOUBLE_EQ(reference.find("L4E")->published_rate_hz, 4.414);
  EXPECT_NEAR(reference.find("L5I")->published_bar[0], 0.057, 1e-12);  // 0.037 + 2 * 0.010
  for (const auto& population : reference.populations) {
    EXPECT_EQ(population.realisations.size(), 2U) << population.name;
    // Ten seconds spread more than 900 s, and the mean rates agree with the publication within 10
    // %.
    EXPECT_NEAR(population.mean(Measure::rate), population.published_rate_hz,
                0.1 * population.published_rate_hz);
    // One realisation against both passes its own bar: the other one is nearer than 1.5 spreads.
    PopulationStatistics run;
    run.name = population.name;
    run.rates_hz = population.realisations[0].rates_hz;
    run.cvs = population.realisations[0].cvs;
    run.correlations = population.realisations[0].correlations;
    StatisticsOptions options;
    options.start_ms = 500.0;
    options.end_ms = 10500.0;
    const Verdict verdict = compare({run}, reference, options);
    EXPECT_TRUE(verdict.passes()) << population.name;
    EXPECT_TRUE(verdict.notes.empty());
  }
}

}  // namespace
}  // namespace tessera
