// The Yin-Yang set (Kriener, Goeltz and Petrovici 2022): points of a disc, three classes, made by
// rejection.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "base/random.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

constexpr double kDotRadius = 0.1, kRadius = 0.5;

class YinYang : public ValueSource {
 public:
  YinYang(std::uint32_t samples, std::uint64_t seed, Split split) {
    for (std::uint32_t i = 0; i < samples; ++i) {
      RandomStream random(RandomKey(seed), Purpose::generated_sample, i,
                          static_cast<std::uint32_t>(split));
      // The class first, so that the classes are equally frequent.
      const auto wanted = static_cast<std::int32_t>(random.next_below(3));
      double x = 0.0, y = 0.0;
      do {
        x = random.next_unit();
        y = random.next_unit();
      } while (std::hypot(x - kRadius, y - kRadius) > kRadius || yin_yang_class(x, y) != wanted);
      points_.push_back({static_cast<float>(x), static_cast<float>(y)});
      labels_.push_back(wanted);
    }
  }
  [[nodiscard]] std::size_t size() const override { return labels_.size(); }
  [[nodiscard]] Shape shape() const override { return {1, 1, 4}; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override { return labels_[index]; }
  void read(std::size_t index, std::vector<float>& values) const override {
    const auto [x, y] = points_[index];
    values = {x, y, 1.0f - x, 1.0f - y};
  }

 private:
  struct Point {
    float x, y;
  };
  std::vector<Point> points_;
  std::vector<std::int32_t> labels_;
};

}  // namespace

std::int32_t yin_yang_class(double x, double y) {
  const double right = std::hypot(x - 1.5 * kRadius, y - kRadius);
  const double left = std::hypot(x - 0.5 * kRadius, y - kRadius);
  if (right < kDotRadius || left < kDotRadius) return 2;
  const bool curved = right <= kDotRadius || (left > kDotRadius && left <= 0.5 * kRadius) ||
                      (y > kRadius && right > 0.5 * kRadius);
  return curved ? 1 : 0;
}

std::shared_ptr<const ValueSource> make_yin_yang(const GeneratorSpec& spec, Split split) {
  return std::make_shared<YinYang>(
      split == Split::train ? spec.training_samples : spec.test_samples, spec.seed, split);
}

}  // namespace tessera::training
