// From numbers and events to spikes: at most one per channel and step.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.hpp"
#include "data/source.hpp"
#include "tessera/data.hpp"

namespace tessera::training {

/// Where addresses of a source go: a rectangle is cut out and scaled down, polarities may be
/// merged.
class Geometry {
 public:
  static constexpr std::uint32_t kOutside = ~std::uint32_t{0};
  /// `encoder` has all defaults filled in and fits the shape.
  Geometry(const Shape& source, const EncoderSpec& encoder);
  [[nodiscard]] const Shape& shape() const { return shape_; }
  /// Channel of an address, or kOutside.
  [[nodiscard]] std::uint32_t operator()(std::uint32_t address) const { return map_[address]; }
  [[nodiscard]] bool is_identity() const { return identity_; }
  /// Values of the source's shape become values of shape(): means over the pixels that are merged.
  void scale(std::vector<float>& values) const;

 private:
  Shape shape_;
  std::vector<std::uint32_t> map_;
  bool identity_ = false;
};

/// Events counted per channel and step; working memory is kept between calls.
class Binner {
 public:
  /// Times inside start .. start + steps * dt count; a channel with at least `min_events` in a step
  /// spikes.
  void bin(const Events& events, const Geometry& geometry, const EncoderSpec& encoder,
           SpikeSample& sample);

 private:
  struct Place {
    std::uint32_t step, channel;
  };
  std::vector<Place> inside_, by_channel_;
  std::vector<std::uint32_t> position_, channel_;
};

/// Time to first spike; times in microseconds, see LatencyCurve. Values that do not spike are left
/// out.
void latency_events(const std::vector<float>& values, const EncoderSpec& encoder, Events& events);
/// Spikes with a probability per step, see RateKind.
void rate_spikes(const std::vector<float>& values, const EncoderSpec& encoder, RandomStream& random,
                 SpikeSample& sample);
/// Keeps at most `most` spikes of every step, chosen at random.
void thin_out(std::uint32_t most, RandomStream& random, SpikeSample& sample);
/// Adds the spike of the bias channel, which is the last.
void add_bias(std::uint32_t channel, std::uint32_t step, SpikeSample& sample);

}  // namespace tessera::training
