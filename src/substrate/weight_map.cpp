// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "substrate/weight_map.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tessera::substrate {
namespace {

// exp(-x) for 0 <= x <= 80, to 2e-7: plain enough for the compiler to take several at once, as all weights of a network go
// through it in every batch. 2^t with t = whole + f, |f| <= 1/2: Taylor's series of 2^f, six terms.
inline float exp_minus(float x) {
  const float t = x * -1.44269504F;
  const auto whole = static_cast<std::int32_t>(t - 0.5F);
  const float y = (t - static_cast<float>(whole)) * 0.693147181F;
  const float series =
      1.0F + y * (1.0F + y * (0.5F + y * (0.166666667F + y * (0.0416666667F + y * (0.00833333333F + y * 0.00138888889F)))));
  return series * std::bit_cast<float>((whole + 127) << 23);
}

struct Constants {
  float cap, begin, width, inverse_width, step, inverse_step;
  float furthest = 80.0F;  // in widths; a literal in the loop would make a branch of it
};

// Without a branch in the loop, so that the compiler takes several weights at once.
template <bool kHard, bool kStepped>
void map_all(const Constants& c, const float* w, std::size_t n, float* mapped, float* slope) {
  for (std::size_t i = 0; i < n; ++i) {
    const float s = std::abs(w[i]);
    float left = 1.0F, r = std::min(s, c.cap);
    if constexpr (!kHard) {
      left = exp_minus(std::min((std::max(s, c.begin) - c.begin) * c.inverse_width, c.furthest));
      r = std::min(s, c.begin) + c.width * (1.0F - left);
    }
    if constexpr (kStepped) r = static_cast<float>(static_cast<std::int32_t>(r * c.inverse_step + 0.5F)) * c.step;
    slope[i] = left;
    mapped[i] = std::copysign(r, w[i]);
  }
}

constexpr std::size_t kUnwanted = 256;  // slopes that nobody asked for
constexpr std::uint32_t kFewSteps = 4096;

}  // namespace

void WeightMap::apply(const float* w, std::size_t n, float* mapped, float* slope) const {
  if (is_identity()) {
    if (mapped != w) std::copy_n(w, n, mapped);
    if (slope != nullptr) std::fill_n(slope, n, 1.0F);
    return;
  }
  const float begin = roll_off * cap, width = cap - begin;
  const bool hard = !(width > 0.0F);
  const Constants c{cap, begin, width, hard ? 0.0F : 1.0F / width, step(), steps > 0 ? static_cast<float>(steps) / cap : 0.0F};
  const auto map = hard ? (steps > 0 ? map_all<true, true> : map_all<true, false>)
                        : (steps > 0 ? map_all<false, true> : map_all<false, false>);
  if (slope != nullptr) return map(c, w, n, mapped, slope);
  float unwanted[kUnwanted];
  for (std::size_t i = 0; i < n; i += kUnwanted) map(c, w + i, std::min(kUnwanted, n - i), mapped + i, unwanted);
}

// There are only so many whole weights: where single precision gives each of them what chip_weight() gives, as it nearly
// always does, several weights are taken at once.
void WeightMap::to_chip(float factor, std::size_t n, float* w) const {
  const float size = step(), inverse = static_cast<float>(steps) / cap, most = static_cast<float>(steps) + 0.5F;
  const auto number = [=](float whole) { return static_cast<std::int32_t>(std::min(whole * factor + 0.5F, most)); };
  bool alike = steps <= kFewSteps;
  for (std::uint32_t k = 0; alike && k <= steps; ++k) {
    const auto whole = static_cast<float>(k);
    alike = number(whole) == chip_weight(whole * size, factor);
  }
  for (std::size_t i = 0; !alike && i < n; ++i) w[i] = static_cast<float>(chip_weight(w[i], factor)) * size;
  for (std::size_t i = 0; alike && i < n; ++i) {
    const std::int32_t sign = std::bit_cast<std::int32_t>(w[i]) >> 31;
    const std::int32_t on_chip = number(static_cast<float>(static_cast<std::int32_t>(std::abs(w[i]) * inverse + 0.5F)));
    w[i] = static_cast<float>((on_chip ^ sign) - sign) * size;
  }
}

std::int32_t WeightMap::chip_weight(float w, float factor) const {
  const double number = std::abs(static_cast<double>(w)) * factor * steps / cap;
  const auto rounded = static_cast<std::int32_t>(std::min(number + 0.5, steps + 0.5));
  return w < 0.0F ? -rounded : rounded;
}

}  // namespace tessera::substrate
