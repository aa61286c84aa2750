// soft-DEEP R: theta of every possible pair walks at random; a pair has a synapse while it is not below 0.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "tessera/errors.hpp"
#include "train/rewiring_rules.hpp"

namespace tessera::training {
namespace {

class SoftDeepR final : public RewiringRule {
 public:
  explicit SoftDeepR(const Rewiring& r) : l1_(r.l1), noise_(r.noise) {}

  void rewire(RewiredConnection& connection) override {
    const double rate = connection.learning_rate(), p = connection.density();
    const double temperature = rate * noise_ * noise_ / 2.0;
    const double bound = -(1.0 - p) * temperature / (p * l1_);
    if (theta_.size() != connection.pairs()) start(connection, bound);
    appear(connection, rate, bound);
    RuleRandom noise = connection.random(0);
    connection.remove_if([&](const RewiredConnection::Synapse& s) {
      const double theta = s.sign * double{s.weight} + rate * (noise_ * noise.normal() - l1_);
      s.weight = static_cast<float>(s.sign * theta);
      if (theta >= 0.0) return false;
      at(connection, s.source, s.target) = static_cast<float>(std::max(theta, bound));
      return true;
    });
    for (const Appearing& a : appearing_) {
      connection.add(a.source, a.target, connection.sign(a.source, a.target) * a.theta);
      at(connection, a.source, a.target) = kConnected;
    }
  }
  [[nodiscard]] bool wants_gradients() const override { return false; }

  [[nodiscard]] std::vector<float> state() const override { return theta_; }
  void set_state(std::span<const float> state) override { theta_.assign(state.begin(), state.end()); }

 private:
  struct Appearing {
    std::uint32_t source, target;
    float theta;
  };
  static constexpr float kConnected = 1.0F;

  float& at(const RewiredConnection& c, std::uint32_t source, std::uint32_t target) {
    return theta_[std::size_t{source} * c.targets() + target];
  }

  // Between the bound and 0, where the walk of a pair that nothing pulls is at home.
  void start(RewiredConnection& connection, double bound) {
    theta_.resize(connection.pairs());
    RuleRandom random = connection.random(2);
    for (float& theta : theta_) theta = static_cast<float>(bound * (1.0 - random.uniform()));
    connection.for_each([&](const RewiredConnection::Synapse& s) { at(connection, s.source, s.target) = kConnected; });
  }

  // The pairs that were without a synapse before this batch.
  void appear(const RewiredConnection& connection, double rate, double bound) {
    appearing_.clear();
    RuleRandom noise = connection.random(1);
    for (std::uint32_t source = 0; source < connection.sources(); ++source) {
      for (std::uint32_t target = 0; target < connection.targets(); ++target) {
        float& theta = at(connection, source, target);
        if (theta == kConnected) continue;
        theta = static_cast<float>(std::max(theta + rate * noise_ * noise.normal(), bound));
        if (theta >= 0.0F) appearing_.push_back({source, target, theta});
      }
    }
  }

  double l1_, noise_;
  std::vector<float> theta_;  // of every pair; kConnected where there is a synapse
  std::vector<Appearing> appearing_;
};

}  // namespace

std::unique_ptr<RewiringRule> make_soft_deep_r(const Rewiring& r) { return std::make_unique<SoftDeepR>(r); }

}  // namespace tessera::training
