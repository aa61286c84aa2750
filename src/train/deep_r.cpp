// DEEP R: a fixed number of synapses, each with the sign of its pair; what would change its sign goes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/rewiring_rules.hpp"

namespace tessera::training {
namespace {

// Bellec et al. 2018 with the optimiser in place of plain gradient descent.
class BellecRule final : public RewiringRule {
 public:
  explicit BellecRule(const Rewiring& r) : l1_(r.l1), noise_(r.noise) {}

  void rewire(RewiredConnection& connection) override {
    const double rate = connection.learning_rate();
    RuleRandom noise = connection.random(0), draw = connection.random(1);
    const std::size_t removed = connection.remove_if([&](const RewiredConnection::Synapse& s) {
      const double step = rate * ((noise_ > 0.0 ? noise_ * noise.normal() : 0.0) - l1_);
      s.weight = static_cast<float>(s.weight + s.sign * step);
      return s.sign * s.weight <= 0.0F;
    });
    connection.add_uniformly(removed, draw, kDormant);
  }
  [[nodiscard]] bool wants_gradients() const override { return false; }

 private:
  static constexpr float kDormant = 1e-12F;  // as in the authors' program
  double l1_, noise_;
};

// Knight, Senk and Nowotny 2025, as in ml_genn; but a weight of exactly 0 has no wrong sign.
class PracticalRule final : public RewiringRule {
 public:
  explicit PracticalRule(const Rewiring& r) : l1_(r.l1) {}

  void rewire(RewiredConnection& connection) override {
    const std::size_t removed = connection.remove_if(
        [](const RewiredConnection::Synapse& s) { return s.sign * s.weight < 0.0F; });
    RuleRandom draw = connection.random(0);
    connection.add_by_row(removed, draw);
  }
  [[nodiscard]] double l1() const override { return l1_; }
  [[nodiscard]] bool wants_gradients() const override { return false; }

 private:
  double l1_;
};

}  // namespace

std::unique_ptr<RewiringRule> make_deep_r(const Rewiring& r) {
  if (r.convention == DeepRConvention::bellec) return std::make_unique<BellecRule>(r);
  return std::make_unique<PracticalRule>(r);
}

std::unique_ptr<RewiringRule> make_rule(const Rewiring& rewiring) {
  switch (rewiring.kind) {
    case RewiringKind::deep_r:
      break;
    case RewiringKind::soft_deep_r:
      return make_soft_deep_r(rewiring);
    case RewiringKind::rigl:
      return make_rigl(rewiring);
    case RewiringKind::custom:
      return rewiring.custom();
  }
  return make_deep_r(rewiring);
}

}  // namespace tessera::training
