// Formation by distance, elimination by weight: topographic maps form (Bamford, Murray and Willshaw 2010).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "tessera/structural_rule.hpp"

namespace tessera::bamford {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

class Bamford final : public StructuralRule {
 public:
  explicit Bamford(const ParameterValues& p)
      : attempts_per_target_(p["attempts"] / p["per_targets"]), window_(static_cast<int>(std::lround(p["window"]))),
        probability_(p["p_form"]), exponent_(-0.5 / (p["sigma"] * p["sigma"])), depressed_(p["p_elim_depressed"]),
        potentiated_(p["p_elim_potentiated"]), weight_(p["weight"]), threshold_(p["threshold"] * p["weight"]) {}

  void act(StructuralView& view) const override {
    const double mean = attempts_per_target_ * view.targets();
    auto attempts = static_cast<std::uint32_t>(mean);
    if (view.uniform() < mean - attempts) ++attempts;
    // Some pairs at once: their rows come from memory together.
    std::array<std::pair<std::uint32_t, std::uint32_t>, 16> pairs;
    while (attempts > 0) {
      const std::size_t n = std::min<std::size_t>(attempts, pairs.size());
      for (std::size_t k = 0; k < n; ++k) {
        const std::uint32_t target = view.first_target() + view.below(view.targets());
        pairs[k] = {drawn_source(view, target), target};
        view.expect(pairs[k].first);
      }
      for (std::size_t k = 0; k < n; ++k) {
        const auto [source, target] = pairs[k];
        if (source < view.sources()) attempt(view, source, target);
      }
      attempts -= static_cast<std::uint32_t>(n);
    }
  }

 private:
  [[nodiscard]] std::uint32_t drawn_source(StructuralView& view, std::uint32_t target) const {
    if (window_ == 0) return view.below(view.sources());
    const auto offset = [&] { return static_cast<int>(view.below(static_cast<std::uint32_t>(window_))) - window_ / 2; };
    const int columns = offset(), rows = offset();
    return view.source_near(target, columns, rows);
  }
  void attempt(StructuralView& view, std::uint32_t source, std::uint32_t target) const {
    if (view.exists(source, target)) {
      const bool weak = view.weight(source, target) < threshold_;
      if (view.uniform() < (weak ? depressed_ : potentiated_)) view.remove(source, target);
      return;
    }
    const double d = view.distance(source, target);
    if (view.uniform() < probability_ * std::exp(exponent_ * d * d)) view.add(source, target, weight_);
  }

  double attempts_per_target_;
  int window_;
  double probability_, exponent_, depressed_, potentiated_, weight_, threshold_;
};

}  // namespace

StructuralModel structural_rule() {
  return {.name = "bamford",
          .summary = "Synapses form by distance and are eliminated where they are weak: topographic maps.",
          .description = "Every interval, `attempts` times per `per_targets` neurons of the target population: a target and a source within\n"
                         "`window` x `window` cells around its place (0: any source) are drawn.\n"
                         "They are joined: the synapse goes with p_elim_depressed when its weight is below threshold * weight, else with\n"
                         "p_elim_potentiated.\n"
                         "They are not: a synapse comes with p_form exp(-d^2 / (2 sigma^2)), d their distance; its weight is `weight`.",
          .source = "Bamford, Murray and Willshaw (2010) IEEE Trans. Neural Netw. 21:286",
          .parameters = {{"attempts", "", 10.0, "pairs that are looked at per interval", 0.0, kUnbounded, true},
                         {"per_targets", "", 256.0, "for so many targets", 0.0, kUnbounded, false},
                         {"window", "", 16.0, "cells around the target's place in which sources are drawn; 0: all sources", 0.0, 65535.0, true},
                         {"p_form", "", 0.16, "probability of formation at distance 0", 0.0, 1.0, true},
                         {"sigma", "", 2.5, "width of formation, in mm (in grid units for grids without an extent)", 0.0, kUnbounded, false},
                         {"p_elim_depressed", "", 1.0, "probability that a weak synapse goes", 0.0, 1.0, true},
                         {"p_elim_potentiated", "", 0.0068, "probability that a strong one goes", 0.0, 1.0, true},
                         {"threshold", "", 0.5, "weak is below this part of `weight`", 0.0, kUnbounded, true},
                         {"weight", "weight", 1.0, "of new synapses", 0.0, kUnbounded, false}},
          .check = nullptr,
          .make = [](const ParameterValues& p) -> std::shared_ptr<const StructuralRule> { return std::make_shared<Bamford>(p); }};
}

}  // namespace tessera::bamford
