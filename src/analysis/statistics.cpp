// Rates and irregularity of recorded spikes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "analysis/correlation.hpp"
#include "analysis/window.hpp"
#include "tessera/analysis.hpp"

namespace tessera {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
// Larger populations are refused before anything is allocated for them.
constexpr std::uint32_t kMostNeurons = std::uint32_t{1} << 28;

// Sums over one neuron's inter-spike intervals. Welford's update: long windows lose no digits.
struct Train {
  double last_ms = 0.0;
  double mean_interval = 0.0;
  double sum_of_squares = 0.0;
  std::uint32_t spikes = 0;

  void add(double time_ms) {
    if (spikes > 0) {
      const double interval = time_ms - last_ms;
      const double deviation = interval - mean_interval;
      mean_interval += deviation / spikes;
      sum_of_squares += deviation * (interval - mean_interval);
    }
    last_ms = time_ms;
    ++spikes;
  }
  [[nodiscard]] double cv() const {
    return std::sqrt(sum_of_squares / (spikes - 1)) / mean_interval;
  }
};

double mean_of(const std::vector<double>& values) {
  if (values.empty()) return kUnknown;
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

void require_window(const StatisticsOptions& options) {
  if (!(options.end_ms > options.start_ms) || !std::isfinite(options.end_ms)) {
    throw InputError("No model time is left for statistics: they begin at " +
                     std::to_string(options.start_ms) + " ms and end at " +
                     std::to_string(options.end_ms) + " ms.");
  }
  if (options.correlation_neurons > 0 && !(options.correlation_bin_ms > 0.0)) {
    throw InputError("The bin of correlations must be longer than 0 ms.");
  }
}

void require_size(const SpikeList& spikes, std::uint32_t size) {
  if (size > kMostNeurons)
    throw InputError("A population of more than 2^28 neurons cannot be analysed.");
  for (const std::uint32_t neuron : spikes.neurons) {
    if (neuron >= size) throw InputError("A spike of a neuron outside its population.");
  }
}

}  // namespace

PopulationStatistics population_statistics(const SpikeList& spikes, std::uint32_t size,
                                           const StatisticsOptions& options) {
  require_window(options);
  require_size(spikes, size);
  std::vector<Train> trains(size);
  const auto [begin, end] = spikes_in_window(spikes, options);
  for (std::size_t i = begin; i < end; ++i) trains[spikes.neurons[i]].add(spikes.times_ms[i]);

  PopulationStatistics statistics;
  statistics.rates_hz.reserve(size);
  const double seconds = (options.end_ms - options.start_ms) / 1000.0;
  for (const Train& train : trains) {
    statistics.rates_hz.push_back(train.spikes / seconds);
    if (train.spikes > 2) statistics.cvs.push_back(train.cv());
  }
  if (options.correlation_neurons > 0) {
    statistics.correlations = spike_count_correlations(spikes, size, options);
  }
  statistics.mean_rate_hz = mean_of(statistics.rates_hz);
  statistics.mean_cv = mean_of(statistics.cvs);
  statistics.mean_correlation = mean_of(statistics.correlations);
  return statistics;
}

StatisticsOptions default_window(const Result& result) {
  StatisticsOptions options;
  options.start_ms = std::max(result.discard_ms, result.start_ms);
  options.end_ms = result.model_time_ms;
  return options;
}

std::vector<PopulationStatistics> result_statistics(const Result& result,
                                                    const StatisticsOptions& options) {
  if (!result.has_spikes) {
    throw InputError("The result " + result.folder.string() +
                     " holds no spikes; record them with --record spikes.");
  }
  std::vector<PopulationStatistics> all;
  for (const ResultPopulation& population : result.populations) {
    all.push_back(population_statistics(population.spikes, population.recorded(), options));
    all.back().name = population.name;
    all.back().inhibitory = population.inhibitory;
  }
  return all;
}

std::vector<PopulationStatistics> result_statistics(const Result& result) {
  return result_statistics(result, default_window(result));
}

std::vector<double> interspike_intervals(const SpikeList& spikes, std::uint32_t size,
                                         const StatisticsOptions& options) {
  require_window(options);
  require_size(spikes, size);
  std::vector<double> last_ms(size, kUnknown);
  std::vector<double> intervals;
  const auto [begin, end] = spikes_in_window(spikes, options);
  for (std::size_t i = begin; i < end; ++i) {
    double& last = last_ms[spikes.neurons[i]];
    if (!std::isnan(last)) intervals.push_back(spikes.times_ms[i] - last);
    last = spikes.times_ms[i];
  }
  return intervals;
}

}  // namespace tessera
