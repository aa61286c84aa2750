// RigL-like: the smallest weights go, the largest gradients come.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "train/rewiring_rules.hpp"

namespace tessera::training {
namespace {

class Rigl final : public RewiringRule {
 public:
  explicit Rigl(const Rewiring& r) : r_(r) {}

  void before_batch(RewiredConnection& connection) override {
    if (r_.growth != Growth::gradient) return;
    RuleRandom draw = connection.random(0);
    connection.probe_uniformly(r_.candidates * replaced(connection), draw);
  }

  void rewire(RewiredConnection& connection) override {
    const std::size_t n = replaced(connection);
    if (n == 0) return;
    remove_smallest(connection, n);
    RuleRandom draw = connection.random(1);
    std::size_t added = 0;
    if (r_.growth == Growth::gradient) added = add_largest(connection, n);
    connection.add_uniformly(n - added, draw);
  }
  [[nodiscard]] bool has_signs() const override { return false; }
  [[nodiscard]] bool wants_gradients() const override { return r_.growth == Growth::gradient; }

 private:
  // A whole training of unknown length is always at its start. Without probes: they are not counted.
  [[nodiscard]] std::size_t replaced(const RewiredConnection& connection) const {
    const double end = r_.until * static_cast<double>(connection.batches());
    const double done = end > 0.0 ? static_cast<double>(connection.batch()) / end : 0.0;
    if (done >= 1.0) return 0;
    const double share = 0.5 * r_.fraction * (1.0 + std::cos(std::numbers::pi * done));
    return static_cast<std::size_t>(share * static_cast<double>(connection.synapses()));
  }

  // Of equal weights the first ones.
  static void remove_smallest(RewiredConnection& connection, std::size_t n) {
    std::vector<float> sizes;
    sizes.reserve(connection.synapses());
    connection.for_each([&](const RewiredConnection::Synapse& s) { sizes.push_back(std::abs(s.weight)); });
    const auto last = sizes.begin() + static_cast<std::ptrdiff_t>(n - 1);
    std::nth_element(sizes.begin(), last, sizes.end());
    const float limit = *last;
    auto equal = static_cast<std::size_t>(std::count(sizes.begin(), last + 1, limit));
    connection.remove_if([&](const RewiredConnection::Synapse& s) {
      const float size = std::abs(s.weight);
      return size < limit || (size == limit && equal > 0 && equal-- > 0);
    });
  }

  static std::size_t add_largest(RewiredConnection& connection, std::size_t n) {
    std::vector<RewiredConnection::Probe> probes = connection.probes();
    std::sort(probes.begin(), probes.end(), [](const auto& a, const auto& b) {
      const float x = std::abs(a.gradient), y = std::abs(b.gradient);
      return x != y ? x > y : std::pair(a.source, a.target) < std::pair(b.source, b.target);
    });
    const std::size_t added = std::min(n, probes.size());
    for (std::size_t k = 0; k < added; ++k) connection.add(probes[k].source, probes[k].target);
    return added;
  }

  Rewiring r_;
};

}  // namespace

std::unique_ptr<RewiringRule> make_rigl(const Rewiring& r) { return std::make_unique<Rigl>(r); }

}  // namespace tessera::training
