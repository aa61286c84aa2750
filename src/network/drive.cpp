// The input of a population from outside, and whether its mean makes a neuron fire.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/drive.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace tessera {
namespace {

constexpr double kPatience_ms = 1000.0;
constexpr double kMostSteps = 1e5;
constexpr std::ptrdiff_t kMostMoments = 100;

// The mean input at one moment; constant between two times at which a stimulus changes.
struct MeanInput {
  double current_pA = 0.0;
  double positive = 0.0, negative = 0.0;  // expected sum of arriving weights per ms
};

struct Window {
  double from_ms, until_ms;
};

bool is_in(const Window& window, double start_ms, double duration_ms) {
  return start_ms < window.until_ms && start_ms + duration_ms > window.from_ms;
}

bool is_on(const Stimulus& s, double at_ms) {
  return at_ms >= s.start_ms && at_ms < s.start_ms + s.duration_ms;
}

void add_spikes(MeanInput& input, double per_ms, double weight) {
  (weight > 0.0 ? input.positive : input.negative) += per_ms * weight;
}

// Spikes per second of one neuron of a source of spikes in the window, while it is on; 0 for
// neurons.
double rate_of_source(const Population& source, const Window& window) {
  if (source.kind == Population::Kind::neurons) return 0.0;
  if (source.kind == Population::Kind::poisson_source) {
    const double whole = source.interval_ms > 0.0 ? HUGE_VAL : source.duration_ms;
    if (!is_in(window, source.start_ms, whole)) return 0.0;
    if (!source.bump) return source.rate_hz;
    // The mean over a block of a bump that is narrow beside it.
    const double cells = static_cast<double>(source.bump->block) * source.bump->block;
    return source.rate_hz + source.bump->peak_hz * std::min(1.0, 2.0 * std::numbers::pi * source.bump->sigma * source.bump->sigma / cells);
  }
  const double length_ms = window.until_ms - window.from_ms;
  if (!(length_ms > 0.0) || source.size == 0) return 0.0;
  const auto spikes =
      std::count_if(source.train.begin(), source.train.end(), [&](const Population::TrainSpike& s) {
        return s.time_ms > window.from_ms && s.time_ms <= window.until_ms;
      });
  return 1000.0 * static_cast<double>(spikes) / length_ms / source.size;
}

double mean_weight(const Projection& projection) {
  if (projection.rule.kind != ConnectivityRule::Kind::explicit_list)
    return projection.weight.mean();
  double sum = 0.0;
  for (const ConnectivityRule::Synapse& synapse : projection.rule.list) sum += synapse.weight;
  const auto count = static_cast<double>(projection.rule.list.size());
  return count > 0.0 ? sum / count : 0.0;
}

MeanInput input_at(const Network& network, const Population& population, const Window& window,
                   double at_ms) {
  MeanInput input;
  for (const Stimulus& s : network.stimuli) {
    if (s.target != population.name || !is_on(s, at_ms)) continue;
    if (s.kind == Stimulus::Kind::poisson) {
      add_spikes(input, 0.001 * s.rate_hz, s.weight);
    } else {
      input.current_pA +=
          s.values.empty() ? s.amplitude_pA : *std::max_element(s.values.begin(), s.values.end());
    }
  }
  for (const Projection& p : network.projections) {
    if (p.target != population.name) continue;
    const Population* source = network.find(p.source);
    const double in_degree = expected_synapses(p, *source, population) / population.size;
    add_spikes(input, 0.001 * rate_of_source(*source, window) * in_degree, mean_weight(p));
  }
  return input;
}

// Times at which the input may be largest: where a stimulus starts, or an inhibiting one ends. Of
// very many (a long list of steps) the strongest ones.
std::vector<double> strongest_moments(const Network& network, const Population& population,
                                      const Window& window) {
  struct Moment {
    double strength, at_ms;
  };
  std::vector<Moment> moments;
  for (const Stimulus& s : network.stimuli) {
    if (s.target != population.name || !is_in(window, s.start_ms, s.duration_ms)) continue;
    const double strength =
        s.kind == Stimulus::Kind::poisson ? s.rate_hz * s.weight : s.amplitude_pA;
    moments.push_back({strength, std::max(s.start_ms, window.from_ms)});
    const double end_ms = s.start_ms + s.duration_ms;
    if (end_ms < window.until_ms) moments.push_back({-strength, end_ms});
  }
  if (std::ssize(moments) > kMostMoments) {
    const auto last = moments.begin() + kMostMoments;
    std::nth_element(moments.begin(), last, moments.end(),
                     [](const Moment& a, const Moment& b) { return a.strength > b.strength; });
    moments.erase(last, moments.end());
  }
  std::vector<double> times{window.from_ms};
  for (const Moment& moment : moments) times.push_back(moment.at_ms);
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

OutsideDrive::Kind kind_of(const Network& network, const Population& population,
                           const Window& window) {
  bool any = false;
  for (const Stimulus& s : network.stimuli) {
    if (s.target != population.name || !is_in(window, s.start_ms, s.duration_ms)) continue;
    if (s.kind == Stimulus::Kind::poisson) return OutsideDrive::Kind::random;
    any = true;
  }
  for (const Projection& p : network.projections) {
    if (p.target == population.name && rate_of_source(*network.find(p.source), window) > 0.0) {
      return OutsideDrive::Kind::random;
    }
  }
  return any ? OutsideDrive::Kind::constant : OutsideDrive::Kind::none;
}

// The scalar equation of the model with the same input in every step.
bool spikes(const NeuronVariant& neuron, const ParameterValues& values, const MeanInput& mean,
            double dt_ms) {
  std::vector<double> state;
  for (const StateInfo& info : neuron.states) {
    state.push_back(info.initial_parameter.empty() ? 0.0 : values[info.initial_parameter]);
  }
  state.at(0) -= neuron.origin;
  const bool shared = neuron.ports == 1;
  const double input[2] = {dt_ms * (mean.positive + (shared ? mean.negative : 0.0)),
                           shared ? 0.0 : dt_ms * mean.negative};
  const auto steps =
      static_cast<std::int64_t>(std::min(kMostSteps, std::nearbyint(kPatience_ms / dt_ms)));
  std::vector<double> before;
  for (std::int64_t step = 0; step < steps; ++step) {
    before = state;
    if (neuron.reference_step(state.data(), neuron.constants.data(), input, mean.current_pA,
                              false)) {
      return true;
    }
    if (state == before) return false;  // nothing will ever change again
  }
  return false;
}

}  // namespace

OutsideDrive outside_drive(const Network& network, const Population& population,
                           const NeuronCatalogue& models, double from_ms, double until_ms) {
  const Window window{from_ms, until_ms};
  OutsideDrive drive;
  drive.kind = kind_of(network, population, window);
  const NeuronModel& model = *models.find(population.model);
  const ParameterValues values = values_of(population, model);
  const NeuronVariant neuron = model.prepare(values, network.dt_ms);
  for (const double moment : strongest_moments(network, population, window)) {
    if (!spikes(neuron, values, input_at(network, population, window, moment), network.dt_ms))
      continue;
    drive.mean_reaches_threshold = true;
    break;
  }
  return drive;
}

}  // namespace tessera
