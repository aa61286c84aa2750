// Statistics of a run as JSON, for scripts that compare many runs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/moments.hpp"
#include "tessera/analysis.hpp"

namespace tessera {
namespace {

using nlohmann::ordered_json;

constexpr int kIntervals = 20;  // between the quantiles

// Linear between the sorted values, as numpy.quantile.
ordered_json quantiles_of(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  std::sort(values.begin(), values.end());
  ordered_json quantiles = ordered_json::array();
  for (int i = 0; i <= kIntervals; ++i) {
    const double place = static_cast<double>(values.size() - 1) * i / kIntervals;
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    quantiles.push_back(values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]));
  }
  return quantiles;
}

ordered_json summary_of(const std::vector<double>& values) {
  const Moments moments = moments_of(values);
  if (moments.count == 0) return nullptr;
  return {{"count", moments.count}, {"mean", moments.mean}, {"sd", moments.sd}, {"quantiles", quantiles_of(values)}};
}

}  // namespace

std::string statistics_json(const std::vector<PopulationStatistics>& statistics, const StatisticsOptions& options) {
  ordered_json populations = ordered_json::object();
  for (const PopulationStatistics& population : statistics) {
    populations[population.name] = {{"neurons", population.rates_hz.size()},
                                    {"rate", summary_of(population.rates_hz)},
                                    {"cv", summary_of(population.cvs)},
                                    {"correlation", summary_of(population.correlations)}};
  }
  const ordered_json all = {{"start_ms", options.start_ms},
                            {"end_ms", options.end_ms},
                            {"correlation_bin_ms", options.correlation_bin_ms},
                            {"correlation_neurons", options.correlation_neurons},
                            {"populations", populations}};
  return all.dump(1) + "\n";
}

}  // namespace tessera
