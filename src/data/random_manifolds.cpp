// Random smooth manifolds (Zenke and Vogels 2021): every class is a manifold in the space of spike
// times, every sample a point of it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/random.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kScalingPoints =
    256;                             // points of a manifold that fix the range of its times
constexpr double kLeastTerm = 1e-6;  // Fourier terms below this are left out
// Entities of Purpose::generated_sample: samples are (index, split), these never meet them.
constexpr std::uint32_t kCoefficients = 16, kScaling = 17;

class RandomManifolds : public EventSource {
 public:
  RandomManifolds(const GeneratorSpec& spec, Split split, double duration_us)
      : spec_(spec), split_(split), duration_us_(duration_us) {
    for (std::uint32_t k = 1; k <= spec.cutoff; ++k) {
      const double amplitude = std::pow(static_cast<double>(k), -spec.smoothness);
      if (amplitude < kLeastTerm) break;
      spectrum_.push_back(amplitude);
    }
    draw_coefficients();
    fix_ranges();
  }
  [[nodiscard]] std::size_t size() const override {
    return split_ == Split::train ? spec_.training_samples : spec_.test_samples;
  }
  [[nodiscard]] Shape shape() const override { return {1, spec_.channels, 1}; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override {
    return static_cast<std::int32_t>(index % spec_.classes);
  }
  void read(std::size_t index, Events& events) const override {
    events.clear();
    const auto c = static_cast<std::uint32_t>(label(index));
    const std::vector<double> point =
        random_point(static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(split_));
    for (std::uint32_t i = 0; i < spec_.channels; ++i) {
      const Range range = ranges_[std::size_t{c} * spec_.channels + i];
      const double part = (evaluate(c, i, point) - range.low) / (range.high - range.low);
      // Times lie inside the window: the end itself is not part of it.
      const double time = std::clamp(part, 0.0, 1.0) * duration_us_;
      events.add(static_cast<std::uint32_t>(std::min(time, duration_us_ - 1.0)), i);
    }
  }

 private:
  struct Term {
    float amplitude, frequency, phase;  // frequency and phase in turns
  };
  struct Range {
    double low, high;
  };

  void draw_coefficients() {
    terms_.resize(std::size_t{spec_.classes} * spec_.channels * spec_.dimension * spectrum_.size());
    Term* term = terms_.data();
    for (std::uint32_t c = 0; c < spec_.classes; ++c) {
      RandomStream random(RandomKey(spec_.seed), Purpose::generated_sample, c, kCoefficients);
      for (std::uint32_t i = 0; i < spec_.channels * spec_.dimension; ++i) {
        for (std::size_t k = 0; k < spectrum_.size(); ++k, ++term) {
          term->amplitude = static_cast<float>(random.next_unit() * spectrum_[k]);
          term->frequency = static_cast<float>(random.next_unit() * static_cast<double>(k + 1));
          term->phase = static_cast<float>(random.next_unit());
        }
      }
    }
  }

  [[nodiscard]] std::vector<double> random_point(std::uint32_t a, std::uint32_t b) const {
    RandomStream random(RandomKey(spec_.seed), Purpose::generated_sample, a, b);
    std::vector<double> point(spec_.dimension);
    for (double& x : point) x = random.next_unit();
    return point;
  }

  [[nodiscard]] double evaluate(std::uint32_t c, std::uint32_t i,
                                const std::vector<double>& point) const {
    const Term* term =
        terms_.data() + (std::size_t{c} * spec_.channels + i) * spec_.dimension * spectrum_.size();
    double product = 1.0;
    for (const double x : point) {
      double sum = 0.0;
      for (std::size_t k = 0; k < spectrum_.size(); ++k, ++term) {
        sum += term->amplitude *
               std::sin(2.0 * std::numbers::pi * (term->frequency * x + term->phase));
      }
      product *= sum;
    }
    return product;
  }

  void fix_ranges() {
    ranges_.resize(std::size_t{spec_.classes} * spec_.channels);
    for (Range& range : ranges_) {
      range = {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    }
    for (std::uint32_t p = 0; p < kScalingPoints; ++p) {
      const std::vector<double> point = random_point(p, kScaling);
      for (std::size_t r = 0; r < ranges_.size(); ++r) {
        const double value = evaluate(static_cast<std::uint32_t>(r / spec_.channels),
                                      static_cast<std::uint32_t>(r % spec_.channels), point);
        ranges_[r].low = std::min(ranges_[r].low, value);
        ranges_[r].high = std::max(ranges_[r].high, value);
      }
    }
    for (Range& range : ranges_) {
      if (!(range.high > range.low)) range = {range.low - 0.5, range.low + 0.5};
    }
  }

  GeneratorSpec spec_;
  Split split_;
  double duration_us_;
  std::vector<double> spectrum_;
  std::vector<Term> terms_;
  std::vector<Range> ranges_;
};

}  // namespace

std::shared_ptr<const EventSource> make_random_manifolds(const GeneratorSpec& spec, Split split,
                                                         double duration_us) {
  return std::make_shared<RandomManifolds>(spec, split, duration_us);
}

}  // namespace tessera::training
