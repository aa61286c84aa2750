// The kernels of training with dense matrices on every instruction set: against the reference, and
// the reference against values that are computed by hand.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "kernels/dense_membrane.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "kernels/reference/dense_membrane.hpp"
#include "support/forced_target.hpp"

namespace tessera::test {
namespace {

using Row = std::vector<float>;

Row random_row(std::size_t n, std::uint32_t salt, double low, double high) {
  RandomStream random(RandomKey(17), Purpose::pair, salt, 0);
  Row row((n + 15) / 16 * 16);
  for (float& x : row) x = static_cast<float>(low + (high - low) * random.next_unit());
  return row;
}

// Membranes of every kind, reset and surrogate.
struct Neurons {
  Row alpha, second;
  Membrane membrane;
};

std::vector<Neurons> all_neurons(std::size_t n) {
  std::vector<Neurons> all;
  for (const MembraneKind kind :
       {MembraneKind::lif, MembraneKind::adaptive, MembraneKind::synaptic}) {
    for (const bool to_zero : {true, false}) {
      for (const SlopeKind slope : {SlopeKind::superspike, SlopeKind::arctan, SlopeKind::sigmoid,
                                    SlopeKind::triangular, SlopeKind::boxcar}) {
        Neurons made{random_row(n, 1, 0.5, 0.99), random_row(n, 2, 0.5, 0.99), {}};
        made.membrane.kind = kind;
        made.membrane.reset_to_zero = to_zero;
        made.membrane.slope = slope;
        made.membrane.steepness = 1.5f;
        made.membrane.threshold = 0.8f;
        made.membrane.adaptation = 0.2f;
        made.membrane.inverse_capacitance = 0.7f;
        made.membrane.second_threshold = 0.5f;
        all.push_back(std::move(made));
        all.back().membrane.alpha = all.back().alpha.data();
        all.back().membrane.second = all.back().second.data();
      }
    }
  }
  for (Neurons& made : all) {  // the vector of them may have moved
    made.membrane.alpha = made.alpha.data();
    made.membrane.second = made.second.data();
  }
  return all;
}

struct Forward {
  Row before_u, before_second, u, second, float_spikes;
  std::vector<std::uint8_t> spikes;
  std::vector<std::uint32_t> counts;
  std::uint32_t listed = 0;
};

template <class Kernel>
Forward forward(const Membrane& m, std::size_t n, const Kernel& kernel) {
  Forward f{random_row(n, 3, -1.0, 1.5),
            random_row(n, 4, 0.0, 1.0),
            random_row(n, 5, -1.0, 2.0),
            {},
            {},
            {},
            {}};
  f.second.resize(f.u.size());
  f.float_spikes.resize(f.u.size());
  f.spikes.assign(f.u.size(), 7);
  f.counts.assign(f.u.size(), 3);
  const DenseStep row{f.before_u.data(), f.before_second.data(), f.u.data(),     f.second.data(),
                      f.spikes.data(),   f.float_spikes.data(),  f.counts.data()};
  f.listed = kernel(m, row, static_cast<std::uint32_t>(n));
  for (auto* floats : {&f.u, &f.second, &f.float_spikes}) floats->resize(n);
  f.spikes.resize(n);
  f.counts.resize(n);
  return f;
}

TEST(DenseMembraneStep, EveryTargetHasTheReferencesBits) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::size_t n : {1u, 15u, 16u, 17u, 100u}) {
      for (const Neurons& neurons : all_neurons(n)) {
        const Forward expected = forward(neurons.membrane, n, reference::dense_membrane_step);
        const Forward found = forward(neurons.membrane, n, dense_membrane_step);
        EXPECT_TRUE(found.u == expected.u) << target << " " << n;
        EXPECT_TRUE(found.second == expected.second) << target << " " << n;
        EXPECT_TRUE(found.spikes == expected.spikes) << target << " " << n;
        EXPECT_TRUE(found.float_spikes == expected.float_spikes) << target << " " << n;
        EXPECT_TRUE(found.counts == expected.counts) << target << " " << n;
        EXPECT_EQ(found.listed, expected.listed) << target << " " << n;
      }
    }
  }
}

struct Backward {
  Row ds, regulariser, second, before_u, before_second, u, gu, gsecond, bias_sum, alpha_sum,
      decay_sum;
};

template <class Kernel>
Backward backward(std::size_t n, bool sums, const Kernel& kernel) {
  Backward b;
  std::uint32_t salt = 10;
  for (Row* row : {&b.ds, &b.regulariser, &b.second, &b.before_u, &b.before_second, &b.u, &b.gu,
                   &b.gsecond, &b.bias_sum, &b.alpha_sum, &b.decay_sum}) {
    *row = random_row(n, salt++, -0.5, 1.5);
  }
  DenseFlow row;
  row.ds = b.ds.data();
  row.regulariser = sums ? b.regulariser.data() : nullptr;
  row.second = b.second.data();
  row.before_u = b.before_u.data();
  row.before_second = b.before_second.data();
  row.u = b.u.data();
  row.gu = b.gu.data();
  row.gsecond = b.gsecond.data();
  row.bias_sum = sums ? b.bias_sum.data() : nullptr;
  row.alpha_sum = sums ? b.alpha_sum.data() : nullptr;
  row.decay_sum = sums ? b.decay_sum.data() : nullptr;
  kernel(row, static_cast<std::uint32_t>(n));
  return b;
}

void expect_equal(const Backward& found, const Backward& expected, std::size_t n,
                  const std::string& what) {
  const auto near = [&](const Row& a, const Row& b, const char* name) {
    // Only the exponential of the sigmoid differs from the library's, in the last places.
    for (std::size_t j = 0; j < n; ++j)
      EXPECT_NEAR(a[j], b[j], 4e-7f * (1.0f + std::abs(b[j]))) << what << " " << name;
  };
  near(found.u, expected.u, "g");
  near(found.gu, expected.gu, "gu");
  near(found.gsecond, expected.gsecond, "gsecond");
  near(found.bias_sum, expected.bias_sum, "bias_sum");
  near(found.alpha_sum, expected.alpha_sum, "alpha_sum");
  near(found.decay_sum, expected.decay_sum, "decay_sum");
}

TEST(DenseMembraneBack, EveryTargetAgreesWithTheReference) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::size_t n : {1u, 15u, 16u, 17u, 100u}) {
      for (const Neurons& neurons : all_neurons(n)) {
        for (const bool sums : {false, true}) {
          const auto run = [&](auto kernel) {
            return backward(n, sums, [&](const DenseFlow& row, std::uint32_t m) {
              kernel(neurons.membrane, row, m);
            });
          };
          expect_equal(run(dense_membrane_back), run(reference::dense_membrane_back), n, target);
        }
      }
    }
  }
}

TEST(DenseReadout, EveryTargetAgreesWithTheReference) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    for (const std::size_t n : {1u, 10u, 16u, 33u}) {
      const Row alpha = random_row(n, 1, 0.5, 0.99), before = random_row(n, 2, -1.0, 1.0);
      Row expected = random_row(n, 3, -1.0, 1.0), found = expected;
      reference::dense_readout_step(alpha.data(), 0.5f, before.data(), expected.data(),
                                    static_cast<std::uint32_t>(n));
      dense_readout_step(alpha.data(), 0.5f, before.data(), found.data(),
                         static_cast<std::uint32_t>(n));
      for (std::size_t j = 0; j < n; ++j) EXPECT_EQ(found[j], expected[j]) << target;
      for (const bool sums : {false, true}) {
        const auto run = [&](auto kernel) {
          return backward(n, sums, [&](const DenseFlow& row, std::uint32_t m) {
            kernel(alpha.data(), 0.5f, row, m);
          });
        };
        expect_equal(run(dense_readout_back), run(reference::dense_readout_back), n, target);
      }
    }
  }
}

TEST(ExpandSpikes, CopiesEveryByte) {
  for (const std::string& target : simd_targets()) {
    const SimdTarget forced(target);
    std::vector<std::uint8_t> bytes(48);
    for (std::size_t k = 0; k < bytes.size(); ++k) bytes[k] = k % 3 == 0 ? 1 : 0;
    Row floats(48, -1.0f);
    expand_spikes(bytes.data(), bytes.size(), floats.data());
    for (std::size_t k = 0; k < bytes.size(); ++k)
      EXPECT_EQ(floats[k], k % 3 == 0 ? 1.0f : 0.0f) << target;
  }
}

// alpha = 1/2, theta = 1, C = 2 (scale 1/2), by hand. Neuron 0 spiked at u = 2, which leaves 0;
// neuron 1 had 0.5. With I = 1 they get 0.5 and 0.75; with I = 4 both spike.
TEST(DenseMembraneStep, FollowsTheEquationOfLif) {
  Neurons neurons{Row(16, 0.5f), Row(16, 0.0f), {}};
  neurons.membrane.alpha = neurons.alpha.data();
  neurons.membrane.inverse_capacitance = 0.5f;
  neurons.membrane.second_threshold = 0.6f;
  Row before(16, 0.0f), u(16, 0.0f);
  before[0] = 2.0f;
  before[1] = 0.5f;
  u[0] = u[1] = 1.0f;
  u[2] = 4.0f;
  std::vector<std::uint8_t> spikes(16);
  std::vector<std::uint32_t> counts(16);
  const DenseStep row{before.data(), nullptr, u.data(),     nullptr,
                      spikes.data(), nullptr, counts.data()};
  EXPECT_EQ(dense_membrane_step(neurons.membrane, row, 3), 2u);  // 0.75 and 2 are above 0.6
  EXPECT_EQ(u[0], 0.5f);
  EXPECT_EQ(u[1], 0.75f);
  EXPECT_EQ(u[2], 2.0f);
  EXPECT_EQ(spikes[2], 1);
  EXPECT_EQ(spikes[0] + spikes[1], 0);
  EXPECT_EQ(counts[2], 1u);
}

// beta = 1, theta = 1: at u = 0.75 the slope is 1 / 1.25^2 = 0.64; ds = 2 gives du = 1.28, and gu =
// 1 of the step behind brings alpha = 1/2: gu = 1.78, g = 0.89. A spike (u = 2, slope 1/4) cuts
// what comes from behind.
TEST(DenseMembraneBack, FollowsTheEquationOfLif) {
  Neurons neurons{Row(16, 0.5f), Row(16, 0.0f), {}};
  neurons.membrane.alpha = neurons.alpha.data();
  neurons.membrane.inverse_capacitance = 0.5f;
  neurons.membrane.second_threshold = 0.6f;
  neurons.membrane.steepness = 1.0f;
  Row ds(16, 2.0f), u(16, 0.0f), gu(16, 1.0f);
  u[0] = 0.75f;
  u[1] = 2.0f;
  u[2] = 0.5f;  // below the second threshold: only what comes from behind
  DenseFlow row;
  row.ds = ds.data();
  row.u = u.data();
  row.gu = gu.data();
  dense_membrane_back(neurons.membrane, row, 3);
  EXPECT_NEAR(gu[0], 1.78f, 1e-6f);
  EXPECT_NEAR(u[0], 0.89f, 1e-6f);
  EXPECT_NEAR(u[1], 0.25f, 1e-6f);
  EXPECT_NEAR(u[2], 0.25f, 1e-6f);
}

}  // namespace
}  // namespace tessera::test
