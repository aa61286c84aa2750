// A rule of rewiring: synapses that stayed weak for long go, new ones come where a target has few.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <tessera/rewiring.hpp>
#include <vector>

class WeakAndOld final : public tessera::training::RewiringRule {
 public:
  WeakAndOld(float weak, std::uint32_t patience, std::uint32_t most_per_target)
      : weak_(weak), patience_(patience), most_(most_per_target) {}

  void rewire(tessera::training::RewiredConnection& connection) override {
    using Synapse = tessera::training::RewiredConnection::Synapse;
    std::vector<std::uint32_t> in_degree(connection.targets());
    connection.for_each([&](const Synapse& s) { ++in_degree[s.target]; });
    std::size_t missing = connection.remove_if([&](const Synapse& s) {
      const bool goes = std::abs(s.weight) < weak_ && connection.batch() >= s.born + std::uint64_t{patience_};
      if (goes) --in_degree[s.target];
      return goes;
    });
    auto random = connection.random(0);  // the same on any number of threads and ranks
    for (int tries = 0; missing > 0 && tries < 1000; ++tries) {
      const std::uint32_t source = random.below(connection.sources());
      const std::uint32_t target = random.below(connection.targets());
      if (in_degree[target] >= most_ || connection.connected(source, target)) continue;
      connection.add(source, target, 0.1F * weak_ * connection.sign(source, target));
      ++in_degree[target];
      --missing;
    }
  }
  [[nodiscard]] bool has_signs() const override { return false; }  // of the initial weights
  [[nodiscard]] bool wants_ages() const override { return true; }  // Synapse::born
  [[nodiscard]] bool wants_gradients() const override { return false; }

 private:
  float weak_;
  std::uint32_t patience_, most_;
};
