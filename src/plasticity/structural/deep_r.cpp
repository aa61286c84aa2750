// Weights walk at random; where the walk reaches 0 the synapse goes, and as many come elsewhere (DEEP R).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "tessera/structural_rule.hpp"

namespace tessera::deep_r {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();
constexpr int kMostTries = 1000;  // for a pair that has no synapse yet, and neurons below their limits

class DeepR final : public StructuralRule {
 public:
  explicit DeepR(const ParameterValues& p) : noise_(p["noise"]), decay_(p["decay"]), most_(std::abs(p["most"])), weight_(p["weight"]) {}

  void act(StructuralView& view) const override {
    const double sign = std::copysign(1.0, weight_);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> gone;
    view.reweight([&](std::uint32_t source, std::uint32_t target, double weight) {
      const double size = sign * weight - decay_ + noise_ * normal(view);
      if (size <= 0.0) gone.emplace_back(source, target);
      return sign * std::clamp(size, 0.0, most_);
    });
    for (const auto& [source, target] : gone) view.remove(source, target);
    for (std::size_t i = 0; i < gone.size(); ++i) grow(view);
  }

 private:
  [[nodiscard]] static double normal(StructuralView& view) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - view.uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * view.uniform());
  }
  void grow(StructuralView& view) const {
    for (int tries = 0; tries < kMostTries; ++tries) {
      const std::uint32_t source = view.below(view.sources()), target = view.first_target() + view.below(view.targets());
      if (view.exists(source, target)) continue;
      if (view.add(source, target, weight_)) return;
    }
  }

  double noise_, decay_, most_, weight_;
};

}  // namespace

StructuralModel structural_rule() {
  return {.name = "deep_r",
          .summary = "Weights walk at random; a synapse whose weight would change its sign goes, and another one comes at random.",
          .description = "Every interval |w| <- |w| - decay + noise nu, nu a standard normal number, at most `most`: on top of what the plasticity\n"
                         "of the projection does. A synapse whose |w| comes to 0 goes. For each of them a pair without a synapse is drawn, evenly\n"
                         "among all pairs of the chunk, and gets one with `weight`: their number stays. (Pairs whose neurons are at a limit are\n"
                         "drawn again.) The sign of `weight` is that of the projection.",
          .source = "Bellec, Kappel, Maass and Legenstein (2018) Deep rewiring, ICLR; for training see docs/structural-plasticity.md",
          .parameters = {{"noise", "weight", 0.0, "standard deviation of a step", 0.0, kUnbounded, true},
                         {"decay", "weight", 0.0, "|w| loses so much at every step", 0.0, kUnbounded, true},
                         {"most", "weight", kUnbounded, "largest |w|", -kUnbounded, kUnbounded, true},
                         {"weight", "weight", 1.0, "of new synapses", -kUnbounded, kUnbounded, true}},
          .check = [](const ParameterValues& p) -> std::vector<std::string> {
            if (p["weight"] == 0.0) return {"the weight of new synapses must not be 0: it says the sign of all."};
            return {};
          },
          .make = [](const ParameterValues& p) -> std::shared_ptr<const StructuralRule> { return std::make_shared<DeepR>(p); }};
}

}  // namespace tessera::deep_r
