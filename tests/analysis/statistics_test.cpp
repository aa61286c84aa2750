// Statistics of trains whose rates, CVs and correlations are known.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/correlation.hpp"
#include "tessera/analysis.hpp"

namespace tessera {
namespace {

StatisticsOptions window(double start_ms, double end_ms) {
  StatisticsOptions options;
  options.start_ms = start_ms;
  options.end_ms = end_ms;
  return options;
}

SpikeList sorted(std::vector<std::pair<double, std::uint32_t>> spikes) {
  std::sort(spikes.begin(), spikes.end());
  SpikeList list;
  for (const auto& [time, neuron] : spikes) {
    list.times_ms.push_back(time);
    list.neurons.push_back(neuron);
  }
  return list;
}

TEST(Statistics, CountsTheWindowWithItsEndAndWithoutItsStart) {
  const SpikeList spikes = sorted({{100.0, 0}, {100.1, 0}, {200.0, 0}, {200.1, 0}, {150.0, 1}});
  const auto statistics = population_statistics(spikes, 3, window(100.0, 200.0));
  EXPECT_EQ(statistics.rates_hz, (std::vector<double>{20.0, 10.0, 0.0}));
  EXPECT_DOUBLE_EQ(statistics.mean_rate_hz, 10.0);
  EXPECT_TRUE(statistics.cvs.empty());  // no neuron has more than two spikes
  EXPECT_TRUE(std::isnan(statistics.mean_cv));
}

TEST(Statistics, CvOfConstructedIntervals) {
  // Neuron 0: intervals 10, 10, 10: CV 0. Neuron 1: intervals 10 and 30: mean 20, SD 10: CV 1/2.
  const SpikeList spikes =
      sorted({{10, 0}, {20, 0}, {30, 0}, {40, 0}, {10, 1}, {20, 1}, {50, 1}, {10, 2}, {20, 2}});
  const auto statistics = population_statistics(spikes, 3, window(0, 100));
  ASSERT_EQ(statistics.cvs.size(), 2U);
  EXPECT_NEAR(statistics.cvs[0], 0.0, 1e-12);
  EXPECT_NEAR(statistics.cvs[1], 0.5, 1e-12);
}

// Poisson trains: rate as given, CV 1, correlation 0.
TEST(Statistics, PoissonTrains) {
  constexpr std::uint32_t kNeurons = 300;
  constexpr double kRate = 20.0;
  constexpr double kEnd = 50000.0;
  std::mt19937_64 generator(7);
  std::exponential_distribution<double> interval(kRate / 1000.0);
  std::vector<std::pair<double, std::uint32_t>> spikes;
  for (std::uint32_t neuron = 0; neuron < kNeurons; ++neuron) {
    for (double t = interval(generator); t < kEnd; t += interval(generator)) {
      spikes.emplace_back(t, neuron);
    }
  }
  const auto statistics = population_statistics(sorted(spikes), kNeurons, window(0, kEnd));
  // 300,000 spikes: the standard error of the rate is 0.18 %; of a CV over 1,000 intervals
  // 1/sqrt(1000).
  EXPECT_NEAR(statistics.mean_rate_hz, kRate, 5 * kRate / std::sqrt(300000.0));
  EXPECT_NEAR(statistics.mean_cv, 1.0, 0.01);
  for (const double cv : statistics.cvs) EXPECT_NEAR(cv, 1.0, 5.5 / std::sqrt(1000.0));
  // 25,000 bins: a correlation of independent trains has SD 1/sqrt(25000) = 0.0063.
  ASSERT_EQ(statistics.correlations.size(), kNeurons * (kNeurons - 1) / 2);  // fewer than 1,000: all pairs
  EXPECT_NEAR(statistics.mean_correlation, 0.0, 0.001);
  double squares = 0.0;
  for (const double r : statistics.correlations) squares += r * r;
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(statistics.correlations.size())), 0.00632, 0.0003);
}

TEST(Correlations, ConstructedCounts) {
  // Ten bins of 2 ms; neuron 0 and 1 spike in the same bins, 2 in exactly the others, 3 never.
  std::vector<std::pair<double, std::uint32_t>> spikes;
  for (int bin = 0; bin < 10; ++bin) {
    const double time = 2.0 * bin + 1.0;
    if (bin % 2 == 0) {
      spikes.emplace_back(time, 0);
      spikes.emplace_back(time + 0.5, 1);
    } else {
      spikes.emplace_back(time, 2);
    }
  }
  auto found = spike_count_correlations(sorted(spikes), 4, window(0, 20));
  std::sort(found.begin(), found.end());
  ASSERT_EQ(found.size(), 3U);  // pairs with the silent neuron are left out
  EXPECT_NEAR(found[0], -1.0, 1e-12);
  EXPECT_NEAR(found[1], -1.0, 1e-12);
  EXPECT_NEAR(found[2], 1.0, 1e-12);
}

TEST(Correlations, HandComputedCoefficient) {
  // Counts over four bins: x = 2 0 1 0, y = 1 0 0 1. r = (4*2 - 3*2) / sqrt((20 - 9) (8 - 4)).
  const SpikeList spikes = sorted({{0.5, 0}, {1.5, 0}, {4.5, 0}, {1.0, 1}, {6.5, 1}});
  const auto found = spike_count_correlations(spikes, 2, window(0, 8));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(found[0], 2.0 / std::sqrt(44.0), 1e-12);
}

TEST(Correlations, ASpikeOnAnEdgeBelongsToTheEarlierBin) {
  // Times at the end of a bin count for it, as a step's spikes carry the time of its end.
  const auto found =
      spike_count_correlations(sorted({{2.0, 0}, {1.0, 1}, {4.0, 0}, {3.0, 1}}), 2, window(0, 8));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(found[0], 1.0, 1e-12);
}

TEST(Subsample, IsDistinctSortedReproducibleAndUniform) {
  const auto sample = random_subsample(1000, 250, 1);
  EXPECT_EQ(sample, random_subsample(1000, 250, 1));
  EXPECT_NE(sample, random_subsample(1000, 250, 2));
  EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
  EXPECT_EQ(std::adjacent_find(sample.begin(), sample.end()), sample.end());
  EXPECT_EQ(random_subsample(3, 250, 1), (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_TRUE(random_subsample(0, 250, 1).empty());
  // Every number is drawn with probability 1/4: over 400 seeds, 100 +- 5 SD (8.7).
  std::vector<int> drawn(100, 0);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    for (const std::uint32_t i : random_subsample(100, 25, seed)) ++drawn[i];
  }
  for (const int count : drawn) EXPECT_NEAR(count, 100, 44);
}

TEST(Statistics, RefusesWhatMakesNoSense) {
  EXPECT_THROW((void)population_statistics({}, 3, window(10, 10)), InputError);
  EXPECT_THROW((void)population_statistics({}, 0xffffffffU, window(0, 10)), InputError);
  EXPECT_THROW((void)population_statistics(sorted({{1.0, 3}}), 3, window(0, 10)), InputError);
  StatisticsOptions options = window(0, 10);
  options.correlation_bin_ms = 0.0;
  EXPECT_THROW((void)population_statistics({}, 3, options), InputError);
}

TEST(Statistics, IntervalsArePooled) {
  auto intervals = interspike_intervals(sorted({{1, 0}, {2, 1}, {4, 0}, {9, 1}}), 2, window(0, 10));
  std::sort(intervals.begin(), intervals.end());
  EXPECT_EQ(intervals, (std::vector<double>{3.0, 7.0}));
}

Network network_of(std::vector<std::uint32_t> sizes) {
  Network network;
  for (const std::uint32_t size : sizes) {
    Population population;
    population.name = "P" + std::to_string(network.populations.size());
    population.size = size;
    network.populations.push_back(population);
  }
  return network;
}

TEST(ActivityStatisticsTest, AgreesWithTheRecordedSpikes) {
  const Network network = network_of({40, 60});
  ActivityStatistics activity(network, 100.0);
  std::mt19937_64 generator(3);
  std::vector<Spike> spikes;
  for (std::uint32_t step = 1; step <= 20000; ++step) {
    for (std::uint32_t neuron = 0; neuron < 100; ++neuron) {
      if (generator() % 1000 < 2) spikes.push_back({step, neuron});
    }
  }
  // In pieces, as a run hands them over.
  for (std::size_t i = 0; i < spikes.size(); i += 333) {
    const std::size_t count = std::min<std::size_t>(333, spikes.size() - i);
    activity.on_spikes(std::span(spikes).subspan(i, count));
  }
  const auto summaries = activity.summaries(2000.0);
  for (std::uint32_t p = 0; p < 2; ++p) {
    SpikeList list;
    for (const Spike& spike : spikes) {
      if ((spike.neuron >= 40) != (p == 1)) continue;
      list.times_ms.push_back(spike.step * 0.1);
      list.neurons.push_back(spike.neuron - (p == 1 ? 40 : 0));
    }
    const auto expected = population_statistics(list, p == 1 ? 60 : 40, window(100.0, 2000.0));
    EXPECT_NEAR(summaries[p].rate_hz, expected.mean_rate_hz, 1e-9);
    EXPECT_NEAR(summaries[p].cv_isi, expected.mean_cv, 1e-9);
  }
}

TEST(ActivityStatisticsTest, UnknownFiguresAreNaN) {
  const ActivityStatistics activity(network_of({4}), 100.0);
  EXPECT_TRUE(std::isnan(activity.summaries(100.0)[0].rate_hz));
  EXPECT_EQ(activity.summaries(200.0)[0].rate_hz, 0.0);
  EXPECT_TRUE(std::isnan(activity.summaries(200.0)[0].cv_isi));
}

TEST(ActivityStatisticsTest, LateStartsShortenTheWindow) {
  ActivityStatistics activity(network_of({1}), 0.0);
  activity.on_spikes(std::vector<Spike>{{10001, 0}, {15000, 0}});
  EXPECT_DOUBLE_EQ(activity.summaries(2000.0, 1000.0)[0].rate_hz, 2.0);
}

}  // namespace
}  // namespace tessera
