// The weakest synapses go, as many come at random: the number of synapses stays (magnitude pruning, random growth).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "tessera/structural_rule.hpp"

namespace tessera::prune_and_regrow {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();
constexpr int kMostTries = 100;  // for a pair that has no synapse yet, and a target below its limit

class PruneAndRegrow final : public StructuralRule {
 public:
  explicit PruneAndRegrow(const ParameterValues& p) : fraction_(p["fraction"]), weight_(p["weight"]) {}

  void act(StructuralView& view) const override {
    struct Synapse {
      double magnitude;
      std::uint32_t source, target;
    };
    std::vector<Synapse> all;
    view.for_each([&](std::uint32_t source, std::uint32_t target, double weight) { all.push_back({std::abs(weight), source, target}); });
    const double mean = fraction_ * static_cast<double>(all.size());
    auto weakest = static_cast<std::size_t>(mean);
    if (view.uniform() < mean - std::floor(mean)) ++weakest;
    weakest = std::min(weakest, all.size());
    const auto weaker = [](const Synapse& a, const Synapse& b) {  // of equal ones always the same
      return std::tie(a.magnitude, a.source, a.target) < std::tie(b.magnitude, b.source, b.target);
    };
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(weakest), all.end(), weaker);
    std::sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(weakest), weaker);
    for (std::size_t i = 0; i < weakest; ++i) view.remove(all[i].source, all[i].target);
    for (std::size_t i = 0; i < weakest; ++i) grow(view);
  }

 private:
  void grow(StructuralView& view) const {
    for (int tries = 0; tries < kMostTries; ++tries) {
      const std::uint32_t source = view.below(view.sources()), target = view.first_target() + view.below(view.targets());
      if (!view.exists(source, target)) {
        view.add(source, target, weight_);
        return;
      }
    }
  }

  double fraction_, weight_;
};

}  // namespace

StructuralModel structural_rule() {
  return {.name = "prune_and_regrow",
          .summary = "The weakest synapses go, and as many come between pairs drawn at random.",
          .description = "Every interval, the `fraction` of the synapses with the smallest |weight| goes. For each of them a pair without a\n"
                         "synapse is drawn, evenly, and gets one with `weight`. (A target that has max_indegree synapses gets none.)",
          .source = "Mocanu et al. (2018) Nat. Commun. 9:2383",
          .parameters = {{"fraction", "", 0.1, "part of the synapses that is replaced", 0.0, 1.0, true},
                         {"weight", "weight", 1.0, "of new synapses", -kUnbounded, kUnbounded, true}},
          .check = nullptr,
          .make = [](const ParameterValues& p) -> std::shared_ptr<const StructuralRule> { return std::make_shared<PruneAndRegrow>(p); }};
}

}  // namespace tessera::prune_and_regrow
