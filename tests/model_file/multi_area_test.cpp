// The multi-area model: its stand-in, and the published tables where they are at hand.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <numbers>
#include <random>

#include "files/npz.hpp"
#include "files/file.hpp"
#include "model_file/load.hpp"
#include "support/goodness_of_fit.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/simulation.hpp"

namespace tessera {
namespace {

using test::all_neurons;
using test::all_synapses;
using test::find_projection;
using test::load;

const std::string kFile = "multi_area/multi_area.toml";

TEST(MultiArea, StandInIsTheMicrocircuitInSeveralSizes) {
  const Network n = load(kFile, {{"tables", "stand_in"}});
  ASSERT_EQ(n.populations.size(), 32u);
  EXPECT_EQ(n.populations[0].name, "A01.23E");
  // Areas 1 to 4 have 0.75 + 0.5 ((7 a + 3) mod 4) / 4 times the neurons of the microcircuit.
  const double factors[] = {1.125, 1.0, 0.875, 0.75};
  const double sizes[] = {20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948};
  for (std::size_t p = 0; p < 32; ++p) EXPECT_EQ(n.populations[p].size, std::nearbyint(factors[p / 8] * sizes[p % 8])) << p;
  // p = 0.1009 among 20,683 neurons: 2200.6 synapses per neuron.
  const double k = std::log(1.0 - 0.1009) / std::log(1.0 - 1.0 / (20683.0 * 20683.0)) / 20683.0;
  EXPECT_EQ(find_projection(n, "cortex.A02.23E->A02.23E")->rule.number, std::llround(k * 20683.0));
  // 800 synapses of every neuron come from other areas, but for rounding.
  std::map<std::string, double> received;
  for (const Projection& p : n.projections) {
    if (p.source.substr(0, 3) == p.target.substr(0, 3)) continue;
    EXPECT_TRUE(p.source.ends_with("23E") || p.source.ends_with("5E") || p.source.ends_with("6E")) << p.name;
    received[p.target] += static_cast<double>(p.rule.number);
  }
  ASSERT_EQ(received.size(), 32u);
  for (const Population& p : n.populations) EXPECT_NEAR(received[p.name] / p.size, 800.0, 9.0 / p.size) << p.name;
}

TEST(MultiArea, StatesDifferInWeightsBetweenAreas) {
  const Network ground = load(kFile, {{"tables", "stand_in"}});
  const Network metastable = load(kFile, {{"tables", "stand_in"}, {"state", "metastable"}});
  ASSERT_EQ(ground.projections.size(), metastable.projections.size());
  for (std::size_t i = 0; i < ground.projections.size(); ++i) {
    const Projection &a = ground.projections[i], &b = metastable.projections[i];
    const bool inside = a.source.substr(0, 3) == a.target.substr(0, 3);
    EXPECT_NEAR(b.weight.a / a.weight.a, inside ? 1.0 : a.target.ends_with("I") ? 3.8 : 1.9, 1e-6) << a.name;
    EXPECT_EQ(a.rule.number, b.rule.number);
    EXPECT_EQ(a.delay_ms, b.delay_ms);
  }
}

TEST(MultiArea, RefusesAStateThatIsNeither) {
  try {
    (void)load(kFile, {{"tables", "stand_in"}, {"state", "grond"}});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_TRUE(test::contains(error.what(), "it can be ground, metastable. Did you mean 'ground'?"));
  }
}

/// What is said of the model with the tables in a folder `name` of `folder`.
std::string complaints_about(const std::filesystem::path& folder, const std::string& name) {
  try {
    (void)test::parse(io::read_file(test::kModels + kFile, 1 << 20), {{"tables", name}}, folder);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// Populations of three areas, matrices of four: 24 and 32 populations. And no tables at all.
TEST(MultiArea, TablesOfAnotherShapeAndMissingOnesAreNamed) {
  const TemporaryFolder folder;
  std::filesystem::copy(test::kModels + "multi_area/stand_in", folder.path() / "three");
  EXPECT_EQ(complaints_about(folder.path(), "three"), "");
  const std::string populations = io::read_file(folder.path() / "three/mam_populations.csv", 1 << 20);
  io::write_file(folder.path() / "three/mam_populations.csv", populations.substr(0, populations.find("A04,")));
  const std::string wrong = complaints_about(folder.path(), "three");
  for (const char* key : {"number", "weight", "delay"}) EXPECT_TRUE(test::contains(wrong, std::string("projections.cortex.") + key));
  EXPECT_TRUE(test::contains(wrong, "The table has 32 x 32 numbers, but should have 24 x 24: a row per target and a column per source."));
  std::filesystem::remove(folder.path() / "three/mam_weights.npz");
  EXPECT_TRUE(test::contains(complaints_about(folder.path(), "three"), "There is no file 'three/mam_weights.npz'"));
  EXPECT_TRUE(test::contains(complaints_about(folder.path(), "thre"), "There is no file 'thre/mam_populations.csv'"));
}

/// A table of the model, [target][source].
std::vector<double> table_of(const std::filesystem::path& folder, const char* file, const char* array) {
  return io::NpzArchive(io::read_file(folder / file, 1 << 28), "npz").read(array).values;
}

/// A projection alone, so that nothing else has to be wired; all populations, so that delays are drawn in groups of four steps
/// as in the model (in longer ones a step is one of 1024 parts of a group, which 20,000 synapses would show).
Network alone(const Network& n, const Projection& p) {
  Network one;
  one.dt_ms = n.dt_ms;
  one.populations = n.populations;
  one.projections = {p};
  return one;
}

double normal_below(double x, double mean, double sd) { return 0.5 * std::erfc((mean - x) / sd / std::numbers::sqrt2); }

/// The first 20,000 synapses of a projection against its entries in the tables: delays in steps of 0.1 ms are those of a normal
/// distribution that is redrawn below 0.1 ms, weights of one with an SD of a tenth (in 32 parts of equal probability).
void expect_distributions(const Network& n, const Projection& p, double weight, double delay, double delay_sd) {
  constexpr std::size_t kMost = 20'000, kParts = 32, kDelays = 4096;
  std::vector<double> delays(kDelays, 0.0), weights(kParts, 0.0);
  std::size_t seen = 0;
  visit_synapses(alone(n, p), NeuronCatalogue::builtin(), 11, p.name, [&](std::span<const ConnectivityRule::Synapse> row) {
    for (const auto& s : row) {
      delays.at(static_cast<std::size_t>(std::lround(s.delay_ms / 0.1))) += 1.0;
      const double below = normal_below(s.weight, weight, 0.1 * std::abs(weight));
      weights.at(std::min(kParts - 1, static_cast<std::size_t>(below * kParts))) += 1.0;
    }
    return (seen += row.size()) < kMost;
  });
  const double all = static_cast<double>(seen), kept = 1.0 - normal_below(0.1, delay, delay_sd);
  std::vector<double> expected(kDelays, 0.0);
  for (std::size_t d = 1; d < kDelays; ++d) {
    const double from = std::max(0.1, 0.1 * d - 0.05);
    expected[d] = all * (normal_below(0.1 * d + 0.05, delay, delay_sd) - normal_below(from, delay, delay_sd)) / kept;
  }
  EXPECT_TRUE(test::fits(delays, expected)) << p.name;
  EXPECT_TRUE(test::fits(weights, std::vector<double>(kParts, all / kParts))) << p.name;
}

/// 20 projections drawn at random, of those with 1,000 synapses and more. Each of the 40 tests fails a right sampler once in a
/// million times: 4e-5 in all.
void expect_distributions_of_twenty(const Network& n, const std::filesystem::path& tables) {
  const std::vector<double> weights = table_of(tables, "mam_weights.npz", "w_chi1"), delays = table_of(tables, "mam_delays.npz", "delay_ms"),
                            sds = table_of(tables, "mam_delays.npz", "delay_sd_ms");
  std::mt19937 random(2018);
  int between = 0;
  for (int i = 0; i < 20;) {
    const Projection& p = n.projections[random() % n.projections.size()];
    if (p.rule.number < 1000) continue;
    const std::size_t at = n.index_of(p.target) * n.populations.size() + n.index_of(p.source);
    expect_distributions(n, p, weights[at], delays[at], sds[at]);
    between += p.source.substr(0, p.source.find('.')) != p.target.substr(0, p.target.find('.')) ? 1 : 0;
    ++i;
  }
  EXPECT_GT(between, 0);
  EXPECT_LT(between, 20);
}

TEST(MultiArea, StandInHasTheDistributionsOfItsTables) {
  expect_distributions_of_twenty(load(kFile, {{"tables", "stand_in"}}), test::kModels + "multi_area/stand_in");
}

class PublishedMultiArea : public testing::Test {
 protected:
  void SetUp() override {
    const char* const data = std::getenv("TESSERA_DATA_DIR");
    tables_ = data == nullptr ? "" : std::filesystem::path(data) / "multi_area";
    if (tables_.empty() || !std::filesystem::exists(tables_ / "mam_synapses.npz")) {
      GTEST_SKIP() << "The tables of the multi-area model are not in TESSERA_DATA_DIR/multi_area; models/multi_area/README.md says how to write them.";
    }
  }
  std::filesystem::path tables_;
};

TEST_F(PublishedMultiArea, HasThePublishedTotals) {
  const Network n = load(kFile);
  EXPECT_EQ(n.populations.size(), 254u);
  EXPECT_EQ(n.projections.size(), 8344u);
  EXPECT_EQ(all_neurons(n), 4129924u);
  EXPECT_EQ(all_synapses(n), 24126516728.0);
  EXPECT_EQ(n.find("TH.4E"), nullptr);
  EXPECT_EQ(find_projection(n, "cortex.V1.23E->V1.4E")->delay_ms.a, 1.5);
  EXPECT_NEAR(find_projection(n, "cortex.V1.23I->V1.23E")->weight.a, -965.893, 1e-3);
  EXPECT_NEAR(find_projection(n, "cortex.V1.4E->V1.23E")->weight.a, 175.617, 1e-3);
}

TEST_F(PublishedMultiArea, HasTheNumberOfEveryProjection) {
  const Network n = load(kFile);
  const io::NpyArray numbers = io::NpzArchive(io::read_file(tables_ / "mam_synapses.npz", 1 << 28), "npz").read("n_syn");
  std::map<std::string, std::size_t> index;
  for (std::size_t p = 0; p < n.populations.size(); ++p) index[n.populations[p].name] = p;
  std::size_t wrong = 0, present = 0;
  for (const double number : numbers.values) present += number > 0.0 ? 1 : 0;
  for (const Projection& p : n.projections) {
    const double number = numbers.values[index.at(p.target) * 254 + index.at(p.source)];
    if (static_cast<double>(p.rule.number) != number) ++wrong;
  }
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(present, n.projections.size());
}

TEST_F(PublishedMultiArea, HasTheDistributionsOfItsTables) { expect_distributions_of_twenty(load(kFile), tables_); }

}  // namespace
}  // namespace tessera
