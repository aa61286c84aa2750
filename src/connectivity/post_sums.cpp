// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/post_sums.hpp"

#include <algorithm>
#include <cmath>

#include "connectivity/saved_columns.hpp"

namespace tessera {
namespace {

// What is left of a trace after this many time constants, 4e-11, is nothing to a float32.
constexpr double kTausToFade = 24.0;

}  // namespace

// Inside an epoch sums shrink and traces' units grow by factors that float32 bears.
PostSums::PostSums(std::uint32_t neurons, const PlasticityVariant& rule, std::int32_t delay, double dt_ms)
    : neurons_(neurons), rule_(&rule), delay_(delay),
      epoch_steps_(std::max(1, static_cast<std::int32_t>(std::min({2.0 * rule.tau_plus, 20.0 * rule.tau_minus, 1e5 * dt_ms}) / dt_ms))),
      fade_(static_cast<std::int32_t>(std::min(1e9, std::ceil(kTausToFade * rule.tau_plus / dt_ms)))), dt_ms_(dt_ms),
      lines_(std::size_t{neurons} * SummedRow::kLine) {
  if (rule.tau_minus_slow == 0.0) return;
  slow_.resize(neurons);
  last_.assign(neurons, kNeverSpiked);
}

PostSums::PostSums(const PostSums& other)
    : neurons_(other.neurons_), rule_(other.rule_), delay_(other.delay_), epoch_steps_(other.epoch_steps_), fade_(other.fade_),
      dt_ms_(other.dt_ms_), now_(other.now_), epoch_(other.epoch_), trace_epoch_(other.trace_epoch_), spikes_(other.spikes_),
      in_sums_(other.in_sums_), in_traces_(other.in_traces_), lines_(other.lines_.size()), slow_(other.slow_), last_(other.last_) {
  std::copy_n(other.lines_.data(), lines_.size(), lines_.data());
}

void PostSums::open_epochs(std::int32_t last) {
  for (; epoch_ < last; ++epoch_) {
    for (std::uint32_t n = 0; n < neurons_; ++n) at(n, place_of(epoch_ + 1)) = 0.0f;
  }
}

void PostSums::fade_traces(std::int32_t epoch) {
  if (epoch == trace_epoch_) return;
  const auto factor = static_cast<float>(std::exp(-(epoch - trace_epoch_) * static_cast<double>(epoch_steps_) * dt_ms_ / rule_->tau_minus));
  for (std::uint32_t n = 0; n < neurons_; ++n) at(n, 0) *= factor;
  trace_epoch_ = epoch;
}

/// What the rule gives a spike, by the slow trace of its neuron.
float PostSums::weight_of(const Arrival& arrival) {
  double slow = 0.0;
  if (!slow_.empty()) {
    const std::int32_t last = last_[arrival.neuron];
    slow = last == kNeverSpiked ? 0.0 : slow_[arrival.neuron] * std::exp(-(arrival.time - last) * dt_ms_ / rule_->tau_minus_slow);
    slow_[arrival.neuron] = static_cast<float>(slow + 1.0);
    last_[arrival.neuron] = arrival.time;
  }
  return rule_->gain == nullptr ? 1.0f : static_cast<float>(rule_->gain(rule_->constants.data(), slow));
}

void PostSums::advance(std::int32_t now) {
  const auto since_begin = [this](std::int32_t time) { return (time % epoch_steps_) * dt_ms_; };
  for (; in_traces_ < spikes_.size() && spikes_[in_traces_].time < now; ++in_traces_) {
    const Arrival& arrival = spikes_[in_traces_];
    fade_traces(arrival.time / epoch_steps_);
    const auto one = static_cast<float>(std::exp(since_begin(arrival.time) / rule_->tau_minus));
    float& trace = at(arrival.neuron, 0);
    trace = rule_->nearest ? one : trace + one;
  }
  fade_traces(now / epoch_steps_);
  for (; in_sums_ < spikes_.size() && spikes_[in_sums_].time <= now; ++in_sums_) {
    const Arrival& arrival = spikes_[in_sums_];
    open_epochs(arrival.time / epoch_steps_);
    at(arrival.neuron, place_of(epoch_)) += weight_of(arrival) * static_cast<float>(std::exp(-since_begin(arrival.time) / rule_->tau_plus));
  }
  open_epochs(now / epoch_steps_);
  now_ = now;
  if (in_traces_ < 1024) return;
  spikes_.erase(spikes_.begin(), spikes_.begin() + static_cast<std::ptrdiff_t>(in_traces_));
  in_sums_ -= in_traces_;
  in_traces_ = 0;
}

void PostSums::look_up(std::int32_t before, std::int32_t seen, double fast, SummedRow& row) const {
  row.lines = lines_.data();
  row.place_of_now = place_of(epoch_);
  row.trace_factor = static_cast<float>(std::exp(-(now_ % epoch_steps_) * dt_ms_ / rule_->tau_minus));
  row.epochs = 0;
  row.factor_of_now = row.factor_of_sum = 0.0f;
  if (settled(before, seen)) return;
  const std::int32_t first = seen / epoch_steps_;
  const auto factor = [&](std::int32_t epoch) {
    const std::int32_t steps = epoch * epoch_steps_ - before;
    return steps >= fade_ ? 0.0f : static_cast<float>(fast * std::exp(-steps * dt_ms_ / rule_->tau_plus));
  };
  row.factor_of_sum = factor(first);
  row.factor_of_now = factor(epoch_);
  for (std::int32_t epoch = first; epoch < epoch_ && factor(epoch) > 0.0f; ++epoch) {
    row.place[row.epochs] = place_of(epoch);
    row.factor[row.epochs++] = factor(epoch);
  }
}

std::size_t PostSums::bytes() const {
  return (lines_.size() + slow_.size()) * sizeof(float) + last_.size() * sizeof(std::int32_t) +
         spikes_.capacity() * sizeof(Arrival);
}

namespace {

struct Times {
  std::int32_t now, epoch, trace_epoch, unused;
  std::uint64_t spikes, in_sums;
};

}  // namespace

/// Spikes that are in both sums and traces are not kept.
void PostSums::save(std::vector<std::uint8_t>& bytes) const {
  const Times times{now_, epoch_, trace_epoch_, 0, spikes_.size() - in_traces_, in_sums_ - in_traces_};
  put_column(bytes, &times, 1);
  put_column(bytes, spikes_.data() + in_traces_, spikes_.size() - in_traces_);
  put_column(bytes, lines_.data(), lines_.size());
  put_column(bytes, slow_.data(), slow_.size());
  put_column(bytes, last_.data(), last_.size());
}

std::size_t PostSums::saved_bytes() const {
  return sizeof(Times) + (spikes_.size() - in_traces_) * sizeof(Arrival) + (lines_.size() + slow_.size()) * sizeof(float) +
         last_.size() * sizeof(std::int32_t);
}

bool PostSums::load(std::span<const std::uint8_t>& bytes) {
  Times times{};
  if (!take_column(bytes, &times, 1) || times.spikes > bytes.size() / sizeof(Arrival) || times.in_sums > times.spikes) return false;
  if (times.now < 0 || times.epoch != times.now / epoch_steps_ || times.trace_epoch != times.epoch) return false;
  std::vector<Arrival> spikes(times.spikes);
  if (!take_column(bytes, spikes.data(), spikes.size())) return false;
  for (const Arrival& arrival : spikes) {
    if (arrival.neuron >= neurons_ || arrival.time < 0) return false;
  }
  spikes_ = std::move(spikes);
  in_traces_ = 0;
  in_sums_ = times.in_sums;
  now_ = times.now;
  epoch_ = times.epoch;
  trace_epoch_ = times.trace_epoch;
  return take_column(bytes, lines_.data(), lines_.size()) &&
         take_column(bytes, slow_.data(), slow_.size()) && take_column(bytes, last_.data(), last_.size());
}

}  // namespace tessera
