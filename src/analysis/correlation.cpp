// Pairwise correlation of spike counts, at a cost that follows the number of coincidences.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "analysis/correlation.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "analysis/window.hpp"
#include "base/random.hpp"

namespace tessera {
namespace {

constexpr std::uint32_t kNotSampled = 0xffffffff;

// Sums over bins for a subsample of m neurons. Bins without a spike add nothing, so only pairs that
// spike in the same bin cost time.
class CountSums {
 public:
  explicit CountSums(std::size_t m) : m_(m), sum_(m, 0.0), count_(m, 0), product_(m * m, 0.0) {}

  void add_spike(std::uint32_t sampled) {
    if (count_[sampled]++ == 0) active_.push_back(sampled);
  }

  void end_bin() {
    for (std::size_t i = 0; i < active_.size(); ++i) {
      const std::size_t a = active_[i];
      sum_[a] += count_[a];
      for (std::size_t j = 0; j <= i; ++j) {
        const std::size_t b = active_[j];
        product_[std::max(a, b) * m_ + std::min(a, b)] +=
            static_cast<double>(count_[a]) * count_[b];
      }
    }
    for (const std::uint32_t a : active_) count_[a] = 0;
    active_.clear();
  }

  // r = (n Sxy - Sx Sy) / sqrt((n Sxx - Sx^2) (n Syy - Sy^2)) over n bins.
  [[nodiscard]] std::vector<double> correlations(double bins) const {
    std::vector<double> spread(m_);
    for (std::size_t a = 0; a < m_; ++a) {
      spread[a] = bins * product_[a * m_ + a] - sum_[a] * sum_[a];
    }
    std::vector<double> all;
    for (std::size_t a = 0; a < m_; ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        if (!(spread[a] > 0.0) || !(spread[b] > 0.0)) continue;
        const double together = bins * product_[a * m_ + b] - sum_[a] * sum_[b];
        all.push_back(together / std::sqrt(spread[a] * spread[b]));
      }
    }
    return all;
  }

 private:
  std::size_t m_;
  std::vector<double> sum_;
  std::vector<std::uint32_t> count_;   // in the present bin
  std::vector<std::uint32_t> active_;  // neurons with a spike in the present bin
  std::vector<double> product_;        // lower triangle
};

}  // namespace

std::vector<std::uint32_t> random_subsample(std::uint32_t size, std::size_t count,
                                            std::uint64_t seed) {
  const auto wanted = static_cast<std::uint32_t>(std::min<std::size_t>(count, size));
  // The first `wanted` entries of a shuffle, of which only the moved entries are kept.
  RandomStream stream(RandomKey(seed), Purpose::subsample, 0, 0);
  std::unordered_map<std::uint32_t, std::uint32_t> moved;
  const auto at = [&moved](std::uint32_t i) {
    const auto found = moved.find(i);
    return found == moved.end() ? i : found->second;
  };
  std::vector<std::uint32_t> sample;
  for (std::uint32_t i = 0; i < wanted; ++i) {
    const std::uint32_t j = i + stream.next_below(size - i);
    sample.push_back(at(j));
    moved[j] = at(i);
  }
  std::sort(sample.begin(), sample.end());
  return sample;
}

std::vector<double> spike_count_correlations(const SpikeList& spikes, std::uint32_t size,
                                             const StatisticsOptions& options) {
  const std::vector<std::uint32_t> sample =
      random_subsample(size, options.correlation_neurons, options.subsample_seed);
  std::vector<std::uint32_t> place(size, kNotSampled);
  for (std::uint32_t i = 0; i < sample.size(); ++i) place[sample[i]] = i;

  CountSums sums(sample.size());
  const auto [begin, end] = spikes_in_window(spikes, options);
  double present_bin = -1.0;
  for (std::size_t i = begin; i < end; ++i) {
    if (place[spikes.neurons[i]] == kNotSampled) continue;
    // Bin k holds start + k bin < time <= start + (k + 1) bin; bin 0 spikes at time 0 too.
    const double since = spikes.times_ms[i] - options.start_ms - kTimeTolerance_ms;
    const double bin = std::max(0.0, std::floor(since / options.correlation_bin_ms));
    if (bin != present_bin) sums.end_bin();
    present_bin = bin;
    sums.add_spike(place[spikes.neurons[i]]);
  }
  sums.end_bin();
  const double window = options.end_ms - options.start_ms - kTimeTolerance_ms;
  return sums.correlations(std::ceil(window / options.correlation_bin_ms));
}

}  // namespace tessera
