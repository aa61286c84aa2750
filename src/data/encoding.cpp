// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/encoding.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace tessera::training {
namespace {

// Compared as the values are stored, so that 0.2f is at a threshold of 0.2.
bool exceeds(float value, const std::optional<double>& threshold) {
  return !threshold || value > static_cast<float>(*threshold);
}

}  // namespace

Geometry::Geometry(const Shape& source, const EncoderSpec& encoder) {
  const std::uint32_t cut_width =
      encoder.crop_width != 0 ? encoder.crop_width : source.width - encoder.crop_x;
  const std::uint32_t cut_height =
      encoder.crop_height != 0 ? encoder.crop_height : source.height - encoder.crop_y;
  shape_.width = encoder.width != 0 ? encoder.width : cut_width;
  shape_.height = encoder.height != 0 ? encoder.height : cut_height;
  shape_.channels = encoder.merge_polarities ? 1 : source.channels;
  map_.assign(source.size(), kOutside);
  for (std::uint32_t y = 0; y < cut_height; ++y) {
    for (std::uint32_t x = 0; x < cut_width; ++x) {
      const std::uint64_t from =
          std::uint64_t{y + encoder.crop_y} * source.width + x + encoder.crop_x;
      const auto to_y = static_cast<std::uint32_t>(std::uint64_t{y} * shape_.height / cut_height);
      const auto to_x = static_cast<std::uint32_t>(std::uint64_t{x} * shape_.width / cut_width);
      for (std::uint32_t c = 0; c < source.channels; ++c) {
        map_[from * source.channels + c] =
            (to_y * shape_.width + to_x) * shape_.channels + (encoder.merge_polarities ? 0 : c);
      }
    }
  }
  identity_ = shape_ == source;
}

void Geometry::scale(std::vector<float>& values) const {
  if (identity_) return;
  std::vector<float> sum(shape_.size()), count(shape_.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (map_[i] == kOutside) continue;
    sum[map_[i]] += values[i];
    count[map_[i]] += 1.0f;
  }
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] /= std::max(count[i], 1.0f);
  values = std::move(sum);
}

void Binner::bin(const Events& events, const Geometry& geometry, const EncoderSpec& encoder,
                 SpikeSample& sample) {
  const std::uint32_t steps = encoder.steps;
  const double start_us = encoder.start_ms.value_or(0.0) * 1e3;
  const double per_us = 1e-3 / encoder.dt_ms;
  // A spike on the border of two steps belongs to the later one, whatever the rounding of the
  // quotient.
  const auto step_of = [&](std::uint32_t time_us) {
    const double step = (static_cast<double>(time_us) - start_us) * per_us + 1e-9;
    return step < 0.0 || step >= steps ? steps : static_cast<std::uint32_t>(step);
  };
  inside_.resize(events.size());
  std::size_t n = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Place place{step_of(events.time_us[i]), geometry(events.address[i])};
    inside_[n] = place;
    n += place.step < steps && place.channel != Geometry::kOutside ? 1 : 0;
  }
  inside_.resize(n);
  // Sorted by step, then channel: two counting sorts.
  by_channel_.resize(n);
  position_.assign(geometry.shape().size() + 1, 0);
  for (const Place& place : inside_) ++position_[place.channel + 1];
  std::partial_sum(position_.begin(), position_.end(), position_.begin());
  for (const Place& place : inside_) by_channel_[position_[place.channel]++] = place;
  channel_.resize(n);
  position_.assign(std::size_t{steps} + 2, 0);
  for (const Place& place : inside_) ++position_[place.step + 2];
  std::partial_sum(position_.begin(), position_.end(), position_.begin());
  for (const Place& place : by_channel_) channel_[position_[place.step + 1]++] = place.channel;
  const std::uint32_t least = encoder.min_events.value_or(1);
  sample.first.resize(std::size_t{steps} + 1);
  sample.channel.clear();
  sample.first[0] = 0;
  for (std::uint32_t t = 0; t < steps; ++t) {
    const auto begin = channel_.begin() + position_[t], end = channel_.begin() + position_[t + 1];
    for (auto at = begin; at != end;) {
      auto next = at;
      while (next != end && *next == *at) ++next;
      if (static_cast<std::uint64_t>(next - at) >= least) sample.channel.push_back(*at);
      at = next;
    }
    sample.first[t + 1] = static_cast<std::uint32_t>(sample.channel.size());
  }
}

void latency_events(const std::vector<float>& values, const EncoderSpec& encoder, Events& events) {
  events.clear();
  const double early = *encoder.early_ms, late = *encoder.late_ms;
  const bool linear = encoder.curve == LatencyCurve::linear;
  const double theta = encoder.threshold.value_or(0.0);
  const double reference = linear ? 0.0 : std::log(1.0 / (1.0 - theta));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!exceeds(values[i], encoder.threshold)) continue;
    const double x = std::clamp(static_cast<double>(values[i]), 0.0, 1.0);
    const double time_ms =
        linear ? early + (late - early) * (1.0 - x)
               : std::min(late, early + *encoder.tau_ms * (std::log(x / (x - theta)) - reference));
    events.add(static_cast<std::uint32_t>(std::llround(time_ms * 1e3)),
               static_cast<std::uint32_t>(i));
  }
}

void rate_spikes(const std::vector<float>& values, const EncoderSpec& encoder, RandomStream& random,
                 SpikeSample& sample) {
  const double rate_per_step = *encoder.max_rate_hz * encoder.dt_ms * 1e-3;
  std::vector<std::uint64_t> spikes;  // step in the upper half, channel in the lower
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!exceeds(values[i], encoder.threshold) || !(values[i] > 0.0f)) continue;
    const double mean = std::min(1.0f, values[i]) * rate_per_step;
    const double p =
        encoder.rate_kind == RateKind::bernoulli ? std::min(1.0, mean) : -std::expm1(-mean);
    // The steps between two spikes are geometrically distributed: draw those, not every step.
    const double per_step = std::log1p(-p);  // -infinity for p = 1: every step
    for (double step = 0.0; step < encoder.steps; step += 1.0) {
      step += std::floor(std::log1p(-random.next_unit()) / per_step);
      if (!(step < encoder.steps)) break;
      spikes.push_back(static_cast<std::uint64_t>(step) << 32 | i);
    }
  }
  std::sort(spikes.begin(), spikes.end());
  sample.channel.resize(spikes.size());
  sample.first.assign(std::size_t{encoder.steps} + 1, 0);
  for (std::size_t s = 0; s < spikes.size(); ++s) {
    sample.channel[s] = static_cast<std::uint32_t>(spikes[s]);
    ++sample.first[(spikes[s] >> 32) + 1];
  }
  std::partial_sum(sample.first.begin(), sample.first.end(), sample.first.begin());
}

void thin_out(std::uint32_t most, RandomStream& random, SpikeSample& sample) {
  std::uint32_t kept = 0, begin = 0;
  for (std::size_t t = 0; t + 1 < sample.first.size(); ++t) {
    const std::uint32_t end = sample.first[t + 1];
    std::uint32_t left = end - begin, wanted = std::min(most, left);
    // Selection sampling keeps the order: each is taken with probability wanted / left.
    for (std::uint32_t i = begin; i < end; ++i, --left) {
      if (random.next_below(left) >= wanted) continue;
      --wanted;
      sample.channel[kept++] = sample.channel[i];
    }
    begin = end;
    sample.first[t + 1] = kept;
  }
  sample.channel.resize(kept);
}

void add_bias(std::uint32_t channel, std::uint32_t step, SpikeSample& sample) {
  sample.channel.insert(sample.channel.begin() + sample.first[step + 1], channel);
  for (std::size_t t = step + 1; t < sample.first.size(); ++t) ++sample.first[t];
}

}  // namespace tessera::training
