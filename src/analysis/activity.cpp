// Rates and CVs while a simulation runs, without recording.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <vector>

#include "analysis/window.hpp"
#include "tessera/analysis.hpp"

namespace tessera {
namespace {

// Integers: sums of intervals and of their squares are exact, whatever the order of calls.
struct IntervalSums {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint32_t spikes = 0;
  std::uint64_t squares = 0;

  void add(std::uint32_t step) {
    if (spikes == 0) first = step;
    const std::uint64_t interval = spikes == 0 ? 0 : step - last;
    squares += interval * interval;
    last = step;
    ++spikes;
  }
  [[nodiscard]] double cv() const {
    const double n = spikes - 1.0;
    const double mean = (last - first) / n;
    const double variance = static_cast<double>(squares) / n - mean * mean;
    return std::sqrt(std::max(variance, 0.0)) / mean;
  }
};

}  // namespace

struct ActivityStatistics::Impl {
  std::vector<PopulationSummary> populations;
  std::vector<IntervalSums> neurons;
  double discard_ms = 0.0;
  std::uint32_t first_step = 0;  // spikes of this step and later ones count
};

ActivityStatistics::ActivityStatistics(const Network& network, double discard_ms)
    : impl_(std::make_unique<Impl>()) {
  std::size_t neurons = 0;
  for (const Population& population : network.populations) {
    impl_->populations.push_back(
        {population.name, population.size, population.inhibitory, 0.0, 0.0});
    neurons += population.size;
  }
  impl_->neurons.resize(neurons);
  impl_->discard_ms = discard_ms;
  // After discard_ms; where nothing is discarded, spikes at 0 count as well.
  const double steps = std::floor((discard_ms + kTimeTolerance_ms) / network.dt_ms) + 1.0;
  impl_->first_step =
      discard_ms > 0.0 ? static_cast<std::uint32_t>(std::clamp(steps, 0.0, 4294967295.0)) : 0;
}

ActivityStatistics::~ActivityStatistics() = default;

void ActivityStatistics::on_spikes(std::span<const Spike> spikes) {
  for (const Spike& spike : spikes) {
    if (spike.step >= impl_->first_step) impl_->neurons[spike.neuron].add(spike.step);
  }
}

std::vector<PopulationSummary> ActivityStatistics::summaries(double model_time_ms,
                                                             double start_ms) const {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  const double seconds = (model_time_ms - std::max(start_ms, impl_->discard_ms)) / 1000.0;
  std::vector<PopulationSummary> populations = impl_->populations;
  auto neuron = impl_->neurons.begin();
  for (PopulationSummary& population : populations) {
    double spikes = 0.0;
    double cv_sum = 0.0;
    double cv_count = 0.0;
    for (std::uint32_t i = 0; i < population.size; ++i, ++neuron) {
      spikes += neuron->spikes;
      if (neuron->spikes <= 2) continue;
      cv_sum += neuron->cv();
      cv_count += 1.0;
    }
    const bool known = seconds > 0.0 && population.size > 0;
    population.rate_hz = known ? spikes / population.size / seconds : kUnknown;
    population.cv_isi = cv_count > 0.0 ? cv_sum / cv_count : kUnknown;
  }
  return populations;
}

}  // namespace tessera
