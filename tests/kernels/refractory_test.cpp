// Neurons that are refractory, resets of another size than the threshold, slopes of another height: by hand, on every
// instruction set.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "kernels/membrane.hpp"
#include "support/forced_target.hpp"

namespace tessera {
namespace {

// alpha 0.5, threshold 1, 2 taken off at a spike (so 1 of the next u), refractory for 3 steps; input 2 in every step:
// u = 2 (spike), 2 and 3 (quiet), 3.5 (spike), 2.75, 3.375 (quiet).
using test::SimdTarget;

TEST(Membrane, RefractoryNeurons) {
  std::vector<std::string> targets = simd_targets();
  for (const std::string& target : targets) {
    const SimdTarget forced(target);
    for (const std::uint32_t n : {1u, 3u, 20u}) {
      SCOPED_TRACE(target);
      const std::vector<float> alpha(32, 0.5f), current(32, 2.0f);
      std::vector<float> u(32, 0.0f), quiet(32, 0.0f), x(64);
      std::vector<std::uint32_t> place(64);
      Membrane m;
      m.reset_to_zero = false;
      m.drop = 2.0f;
      m.refractory = 3.0f;
      m.alpha = alpha.data();
      m.slope = SlopeKind::triangular;
      m.steepness = 0.25f;
      m.height = 0.5f;
      m.second_threshold = 0.0f;  // every u above 0
      MembraneState state;
      state.u = u.data();
      state.quiet = quiet.data();
      const float expected[] = {2.0f, 2.0f, 3.0f, 3.5f, 2.75f, 3.375f};
      for (std::uint32_t t = 0; t < 6; ++t) {
        Candidates found{place.data(), x.data()};
        membrane_step(m, state, current.data(), n, 0, true, found);
        const bool spikes = t % 3 == 0;
        EXPECT_EQ(found.count, spikes ? n : 0u) << t;
        EXPECT_EQ(found.spikes, spikes ? n : 0u) << t;
        for (std::uint32_t j = 0; j < n; ++j) {
          EXPECT_EQ(u[j], expected[t] - (spikes ? 2.0f : 0.0f)) << t;
          if (spikes) {
            EXPECT_EQ(x[j], expected[t] - 1.0f);
          }
        }
        if (!spikes) continue;
        std::vector<std::uint16_t> id(64), step(64);
        std::vector<float> slope(64);
        list_candidates(m, found, {id.data(), step.data(), slope.data()}, {id.data() + 32, step.data() + 32});
        EXPECT_EQ(slope[0], 0.5f * (1.0f - 0.25f * (expected[t] - 1.0f)));
      }
    }
  }
}

}  // namespace
}  // namespace tessera
