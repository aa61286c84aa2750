// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "network/rounded_times.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/time_grid.hpp"
#include "network/validate.hpp"

namespace tessera {
namespace {

void check_train(const Population& p, double dt_ms, std::vector<std::string>& sentences) {
  std::size_t rounded = 0, together = 0;
  std::vector<std::pair<std::uint32_t, std::int64_t>> spikes;
  spikes.reserve(p.train.size());
  for (const Population::TrainSpike& spike : p.train) {
    rounded += validation::is_multiple(spike.time_ms, dt_ms) ? 0 : 1;
    spikes.emplace_back(spike.neuron, nearest_step(spike.time_ms, dt_ms));
  }
  std::sort(spikes.begin(), spikes.end());
  for (std::size_t i = 1; i < spikes.size(); ++i) together += spikes[i] == spikes[i - 1] ? 1 : 0;
  if (rounded > 0) {
    sentences.push_back(
        fmt::format("{} of the {} spike times of '{}' are not multiples of dt ({} ms); they are rounded "
                    "to the nearest.",
                    rounded, p.train.size(), p.name, dt_ms));
  }
  if (together > 0) {
    sentences.push_back(
        fmt::format("Spikes of '{}' that fall into the same step as another one of their neuron: {}; each "
                    "is sent.",
                    p.name, together));
  }
}

void check_pulses(const Population& p, double dt_ms, std::vector<std::string>& sentences) {
  const StepWindow first = step_window(p.start_ms, p.duration_ms, dt_ms);
  if (p.interval_ms > 0.0 && p.duration_ms < dt_ms) {
    sentences.push_back(
        fmt::format("The pulses of '{}' last {} ms, less than a step of {} ms: some hold one step, the "
                    "others none.",
                    p.name, p.duration_ms, dt_ms));
  } else if (first.begin == first.end) {
    sentences.push_back(
        fmt::format("The pulse of '{}' lasts {} ms and falls between two steps of {} ms: it has no effect.",
                    p.name, p.duration_ms, dt_ms));
  }
}

}  // namespace

std::vector<std::string> rounded_times(const Network& network) {
  std::vector<std::string> sentences;
  for (const Population& p : network.populations) {
    if (p.kind == Population::Kind::spike_train_source) check_train(p, network.dt_ms, sentences);
    if (p.kind == Population::Kind::poisson_source) check_pulses(p, network.dt_ms, sentences);
  }
  for (const Stimulus& s : network.stimuli) {
    const double start_ms = s.start_ms + (s.kind == Stimulus::Kind::poisson ? s.delay_ms : 0.0);
    const StepWindow window = step_window(start_ms, s.duration_ms, network.dt_ms);
    if (window.begin != window.end || window.begin == kForever) continue;
    sentences.push_back(
        fmt::format("Stimulus '{}' lasts {} ms and falls between two steps of {} ms: it has no effect.",
                    s.name, s.duration_ms, network.dt_ms));
  }
  return sentences;
}

}  // namespace tessera
