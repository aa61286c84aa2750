// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/augmentation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace tessera::training {
namespace {

constexpr double kLatest = std::numeric_limits<std::uint32_t>::max();

// Box-Muller, both of a pair; 1 - u is never 0.
class Normals {
 public:
  explicit Normals(RandomStream& random) : random_(random) {}
  double next() {
    if (std::exchange(has_spare_, !has_spare_)) return spare_;
    const double u = random_.next_unit(), v = random_.next_unit();
    const double radius = std::sqrt(-2.0 * std::log(1.0 - u)), angle = 2.0 * std::numbers::pi * v;
    spare_ = radius * std::sin(angle);
    return radius * std::cos(angle);
  }

 private:
  RandomStream& random_;
  double spare_ = 0.0;
  bool has_spare_ = false;
};

std::int64_t whole_shift(std::uint32_t most, RandomStream& random) {
  return std::int64_t{random.next_below(2 * most + 1)} - most;
}

// A turn by an angle and a shift: where a place (x, y) goes, about the centre of the shape.
struct Motion {
  Motion(const AugmentationSpec& spec, const Shape& shape, RandomStream& random)
      : centre_x(0.5 * (shape.width - 1)), centre_y(0.5 * (shape.height - 1)) {
    const bool always = spec.rotation_probability >= 1.0;
    if (spec.rotation_degrees > 0.0 && (always || random.next_unit() < spec.rotation_probability)) {
      const double angle = (2.0 * random.next_unit() - 1.0) * spec.rotation_degrees;
      cosine = std::cos(angle * std::numbers::pi / 180.0);
      sine = std::sin(angle * std::numbers::pi / 180.0);
    }
    if (spec.shift > 0) {
      shift_x = static_cast<double>(whole_shift(spec.shift, random));
      if (shape.height > 1) shift_y = static_cast<double>(whole_shift(spec.shift, random));
    }
  }
  [[nodiscard]] bool moves() const { return turns() || shift_x != 0.0 || shift_y != 0.0; }
  [[nodiscard]] bool turns() const { return sine != 0.0; }
  double centre_x, centre_y, cosine = 1.0, sine = 0.0, shift_x = 0.0, shift_y = 0.0;
};

// Heads or tails, 32 of a number.
class Coin {
 public:
  explicit Coin(RandomStream& random) : random_(random) {}
  bool heads() {
    if (left_ == 0) {
      bits_ = random_.next();
      left_ = 32;
    }
    --left_;
    const bool heads = (bits_ & 1) != 0;
    bits_ >>= 1;
    return heads;
  }

 private:
  RandomStream& random_;
  std::uint32_t bits_ = 0;
  int left_ = 0;
};

struct Centre {
  double time = 0.0, place = 0.0;
};
Centre centre_of(const Events& events, std::uint32_t channels) {
  Centre centre;
  for (std::size_t i = 0; i < events.size(); ++i) {
    centre.time += events.time_us[i];
    centre.place += events.address[i] / channels;
  }
  const double count = std::max<double>(1.0, static_cast<double>(events.size()));
  return {centre.time / count, centre.place / count};
}

// What the interpolation of a turn took from the brightest places.
void brighten(double gain, std::vector<float>& values) {
  const float largest = *std::max_element(values.begin(), values.end());
  if (!(largest > 0.0f)) return;
  const float factor = static_cast<float>(gain) / largest;
  for (float& value : values) value = std::min(1.0f, factor * value);
}

}  // namespace

void vary_times(const AugmentationSpec& spec, RandomStream& random, Events& events) {
  if (spec.skew_low == 1.0 && spec.skew_high == 1.0 && spec.jitter_ms == 0.0 &&
      spec.crop_ms == 0.0) {
    return;
  }
  const double skew = spec.skew_low + (spec.skew_high - spec.skew_low) * random.next_unit();
  const double crop_us = spec.crop_ms * 1e3 * random.next_unit();
  Normals normal(random);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    double time = events.time_us[i] * skew - crop_us + 0.5;
    if (spec.jitter_ms > 0.0) time += spec.jitter_ms * 1e3 * normal.next();
    if (time < 0.0 || time > kLatest) continue;
    events.time_us[kept] = static_cast<std::uint32_t>(time);  // rounded
    events.address[kept++] = events.address[i];
  }
  events.time_us.resize(kept);
  events.address.resize(kept);
}

void vary_places(const AugmentationSpec& spec, const Shape& shape, RandomStream& random,
                 Events& events) {
  const Motion m(spec, shape, random);
  if (!m.moves()) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::uint32_t channel = events.address[i] % shape.channels;
    const std::uint32_t pixel = events.address[i] / shape.channels;
    double to_x = pixel % shape.width + m.shift_x, to_y = pixel / shape.width + m.shift_y;
    if (m.turns()) {
      const double x = pixel % shape.width - m.centre_x, y = pixel / shape.width - m.centre_y;
      to_x = std::round(m.cosine * x - m.sine * y + m.centre_x + m.shift_x);
      to_y = std::round(m.sine * x + m.cosine * y + m.centre_y + m.shift_y);
    }
    if (to_x < 0.0 || to_y < 0.0 || to_x >= shape.width || to_y >= shape.height) continue;
    events.time_us[kept] = events.time_us[i];
    events.address[kept++] =
        (static_cast<std::uint32_t>(to_y) * shape.width + static_cast<std::uint32_t>(to_x)) *
            shape.channels +
        channel;
  }
  events.time_us.resize(kept);
  events.address.resize(kept);
}

void vary_image(const AugmentationSpec& spec, const Shape& shape, RandomStream& random,
                std::vector<float>& values) {
  const Motion m(spec, shape, random);
  if (!m.moves()) return;
  const std::vector<float> before = std::move(values);
  values.assign(before.size(), 0.0f);
  const auto pixel = [&](double x, double y, std::uint32_t c) {
    if (x < 0.0 || y < 0.0 || x >= shape.width || y >= shape.height) return 0.0f;
    return before[(static_cast<std::size_t>(y) * shape.width + static_cast<std::size_t>(x)) *
                      shape.channels +
                  c];
  };
  for (std::uint32_t row = 0; row < shape.height; ++row) {
    for (std::uint32_t column = 0; column < shape.width; ++column) {
      // Where this pixel came from: the motion backwards.
      const double x = column - m.centre_x - m.shift_x, y = row - m.centre_y - m.shift_y;
      const double from_x = m.cosine * x + m.sine * y + m.centre_x;
      const double from_y = -m.sine * x + m.cosine * y + m.centre_y;
      const double left = std::floor(from_x), top = std::floor(from_y);
      const auto part_x = static_cast<float>(from_x - left),
                 part_y = static_cast<float>(from_y - top);
      for (std::uint32_t c = 0; c < shape.channels; ++c) {
        const float above =
            pixel(left, top, c) * (1.0f - part_x) + pixel(left + 1, top, c) * part_x;
        const float below =
            pixel(left, top + 1, c) * (1.0f - part_x) + pixel(left + 1, top + 1, c) * part_x;
        values[(std::size_t{row} * shape.width + column) * shape.channels + c] =
            above * (1.0f - part_y) + below * part_y;
      }
    }
  }
  if (m.turns() && spec.rotation_gain > 0.0) brighten(spec.rotation_gain, values);
}

void blend(const Events& other, const Shape& shape, RandomStream& random, Events& events) {
  const Centre here = centre_of(events, shape.channels), there = centre_of(other, shape.channels);
  Coin coin(random);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    events.time_us[kept] = events.time_us[i];
    events.address[kept] = events.address[i];
    kept += coin.heads() ? 1 : 0;
  }
  events.time_us.resize(kept);
  events.address.resize(kept);
  const double shift = std::round(here.place - there.place);
  for (std::size_t i = 0; i < other.size(); ++i) {
    if (!coin.heads()) continue;
    const double time = other.time_us[i] + here.time - there.time + 0.5;  // rounded
    const double place = other.address[i] / shape.channels + shift;
    if (time < 0.0 || time > kLatest || place < 0.0 || place >= shape.width) continue;
    events.add(
        static_cast<std::uint32_t>(time),
        static_cast<std::uint32_t>(place) * shape.channels + other.address[i] % shape.channels);
  }
}

}  // namespace tessera::training
