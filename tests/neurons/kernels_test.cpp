// Every model's vector update against its scalar equation, on every instruction set of this
// machine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <ostream>
#include <random>

#include "neurons/block.hpp"

namespace tessera::test {
namespace {

struct Setting {
  const char* label;
  const char* model;
  std::map<std::string, double> changed;
  double input;            // largest arriving weight, in the model's unit
  double v_low, v_high;    // mV; the upper end lies above threshold now and then
  double tolerance = 0.0;  // relative, of the vector update in double; 0: bit for bit
};

void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.label; }

const Setting kSettings[] = {
    {"psc_exp_one", "iaf_psc_exp", {}, 900.0, -70.0, -49.0},
    {"psc_exp_two", "iaf_psc_exp", {{"tau_syn_in", 3.0}, {"t_ref", 0.3}}, 900.0, -70.0, -49.0},
    {"psc_alpha_one", "iaf_psc_alpha", {}, 900.0, -70.0, -49.0},
    {"psc_alpha_two", "iaf_psc_alpha", {{"tau_syn_in", 3.0}}, 900.0, -70.0, -49.0},
    {"psc_delta", "iaf_psc_delta", {{"t_ref", 0.5}}, 2.0, -70.0, -49.0},
    {"cond_exp", "iaf_cond_exp", {{"t_ref", 0.4}}, 30.0, -75.0, -54.0},
    // The exponential is our own in the vector update, the C library's in the scalar one.
    {"cond_exp_strong", "iaf_cond_exp", {{"t_ref", 0.4}}, 60000.0, -85.0, -54.0, 1e-10},
    {"aeif_strong", "aeif_cond_exp", {{"t_ref", 0.4}}, 60000.0, -85.0, -40.0, 1e-8},
    {"aeif", "aeif_cond_exp", {{"t_ref", 0.4}}, 30.0, -75.0, -40.0, 1e-8},
    {"aeif_no_refractoriness", "aeif_cond_exp", {}, 30.0, -75.0, -40.0, 1e-8},
    {"izhikevich", "izhikevich", {}, 5.0, -80.0, 20.0},
};

TEST(KernelSettings, CoverEveryBuiltInModel) {
  for (const std::string& name : NeuronCatalogue::builtin().names()) {
    EXPECT_TRUE(std::any_of(std::begin(kSettings), std::end(kSettings),
                            [&](const Setting& setting) { return setting.model == name; }))
        << name << " needs a line in kSettings";
  }
}

constexpr std::size_t kCounts[] = {1, 3, 7, 16, 17, 64, 65, 130};

/// Random states, inputs and currents, the same for both precisions and all targets. Values are
/// multiples of 2^-10, so that float32 holds them exactly.
template <class Real>
void randomise(Block<Real>& block, const Setting& setting, const NeuronVariant& variant,
               std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto uniform = [&](double low, double high) {
    const double u = static_cast<double>(random() >> 11) * 0x1p-53;
    return std::round((low + u * (high - low)) * 1024.0) / 1024.0;
  };
  const double origin = std::round(variant.origin);
  for (std::size_t i = 0; i < count; ++i) {
    block.states[0][i] = static_cast<Real>(uniform(setting.v_low, setting.v_high) - origin);
    for (std::size_t s = 1; s < block.states.size(); ++s) {
      block.states[s][i] = static_cast<Real>(uniform(0.0, setting.input));
    }
    block.inputs[0][i] =
        static_cast<typename InputOf<Real>::type>(std::lround(uniform(0, setting.input)));
    if (variant.ports == 2) {
      block.inputs[1][i] =
          static_cast<typename InputOf<Real>::type>(-std::lround(uniform(0, setting.input)));
    }
    block.current[i] = static_cast<Real>(uniform(-100.0, 500.0));
    block.refractory[i] = static_cast<std::uint16_t>(random() % 3 == 0 ? random() % 3 : 0);
  }
}

class Kernels : public testing::TestWithParam<Setting> {};

TEST_P(Kernels, DoubleUpdateIsTheScalarEquation) {
  const Setting& setting = GetParam();
  const NeuronVariant variant = prepare(setting.model, setting.changed);
  std::size_t spikes_seen = 0;
  for (const std::string& target : simd_targets()) {
    const ForcedTarget forced(target);
    for (const std::size_t count : kCounts) {
      SCOPED_TRACE(target + ", " + std::to_string(count) + " neurons");
      Block<double> block(variant, count);
      for (std::uint64_t round = 0; round < 8; ++round) {
        randomise(block, setting, variant, count, round);
        const bool per_neuron = round % 2 == 0;
        std::vector<std::uint32_t> expected_spikes;
        std::vector<std::vector<double>> expected(count);
        std::vector<int> left(count);
        for (std::size_t i = 0; i < count; ++i) {
          for (auto& column : block.states) expected[i].push_back(column[i]);
          const double input[2] = {block.inputs[0][i], block.inputs[1][i]};
          const bool spiked =
              variant.reference_step(expected[i].data(), variant.constants.data(), input,
                                     block.current[per_neuron ? i : 0], block.refractory[i] > 0);
          left[i] = spiked ? variant.refractory_steps : std::max(0, block.refractory[i] - 1);
          if (spiked) expected_spikes.push_back(static_cast<std::uint32_t>(i));
        }
        const UpdateArgs<double> args = block.update(per_neuron);
        EXPECT_TRUE(args.finite);
        const std::vector<std::uint32_t> spikes(
            block.spikes.begin(), block.spikes.begin() + static_cast<long>(args.spike_count));
        ASSERT_EQ(spikes, expected_spikes);
        spikes_seen += spikes.size();
        for (std::size_t i = 0; i < count; ++i) {
          EXPECT_EQ(block.refractory[i], left[i]);
          EXPECT_EQ(block.inputs[0][i], 0.0);
          EXPECT_EQ(block.inputs[1][i], 0.0);
          for (std::size_t s = 0; s < expected[i].size(); ++s) {
            const double value = expected[i][s];
            const double allowed = setting.tolerance * std::max(1.0, std::abs(value));
            ASSERT_NEAR(block.states[s][i], value, allowed) << "neuron " << i << " state " << s;
          }
        }
      }
    }
  }
  EXPECT_GT(spikes_seen, 100u);  // both branches of the threshold were taken
}

TEST_P(Kernels, FloatUpdateFollowsTheScalarEquation) {
  const Setting& setting = GetParam();
  const NeuronVariant variant = prepare(setting.model, setting.changed);
  constexpr std::size_t count = 130;
  constexpr float scale = 0.5f;
  std::size_t compared = 0;
  for (std::uint64_t round = 0; round < 8; ++round) {
    Block<float> block(variant, count);
    randomise(block, setting, variant, count, round);
    const Block<float> before = block;
    const UpdateArgs<float> args = block.update(true, scale);
    std::vector<bool> spiked(count, false);
    for (std::size_t i = 0; i < args.spike_count; ++i) spiked[block.spikes[i]] = true;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<double> expected;
      for (const auto& column : before.states) expected.push_back(column[i]);
      const double input[2] = {before.inputs[0][i] * scale, before.inputs[1][i] * scale};
      const bool spike = variant.reference_step(expected.data(), variant.constants.data(), input,
                                                before.current[i], before.refractory[i] > 0);
      // A crossing within rounding of the threshold may be seen on either side.
      if (spike != spiked[i]) continue;
      ++compared;
      EXPECT_EQ(block.inputs[0][i], 0);
      for (std::size_t s = 0; s < expected.size(); ++s) {
        // The last millivolts of an upswing magnify rounding; where they do not matter is below
        // -45.
        const bool upswing = setting.tolerance > 0.0 && expected[0] + variant.origin > -45.0;
        const double allowed = (upswing ? 2e-3 : 2e-6) * std::max(50.0, std::abs(expected[s]));
        EXPECT_NEAR(block.states[s][i], expected[s], allowed) << "neuron " << i << " state " << s;
      }
    }
  }
  EXPECT_GE(compared, 8 * count - 5);
}

template <class Real>
std::vector<Column<Real>> after_many_steps(const Setting& setting, const NeuronVariant& variant,
                                           std::size_t count, std::vector<std::uint32_t>& spikes) {
  Block<Real> block(variant, count);
  for (std::uint64_t step = 0; step < 60; ++step) {
    if (step % 20 == 0) randomise(block, setting, variant, count, step);
    const UpdateArgs<Real> args = block.update();
    spikes.insert(spikes.end(), block.spikes.begin(),
                  block.spikes.begin() + static_cast<long>(args.spike_count));
  }
  return block.states;
}

template <class Real>
void expect_equal_bits(const Setting& setting) {
  const NeuronVariant variant = prepare(setting.model, setting.changed);
  constexpr std::size_t count = 77;
  std::vector<std::uint32_t> expected_spikes;
  std::vector<Column<Real>> expected;
  {
    const ForcedTarget forced("scalar");
    expected = after_many_steps<Real>(setting, variant, count, expected_spikes);
  }
  for (const std::string& target : simd_targets()) {
    SCOPED_TRACE(target);
    const ForcedTarget forced(target);
    std::vector<std::uint32_t> spikes;
    const auto states = after_many_steps<Real>(setting, variant, count, spikes);
    EXPECT_EQ(spikes, expected_spikes);
    for (std::size_t s = 0; s < states.size(); ++s) {
      EXPECT_EQ(std::memcmp(states[s].data(), expected[s].data(), count * sizeof(Real)), 0)
          << "state " << s;
    }
  }
}

TEST_P(Kernels, BitsAreEqualOnEveryInstructionSet) {
  expect_equal_bits<float>(GetParam());
  expect_equal_bits<double>(GetParam());
}

TEST_P(Kernels, PaddingNeverSpikesAndNeverHidesANeuron) {
  const Setting& setting = GetParam();
  const NeuronVariant variant = prepare(setting.model, setting.changed);
  for (const std::string& target : simd_targets()) {
    const ForcedTarget forced(target);
    Block<double> block(variant, 5);
    for (double& v : block.states[0]) v = 80.0 - variant.origin;  // above every threshold
    const UpdateArgs<double> args = block.update();
    ASSERT_EQ(args.spike_count, 5u) << target;
    for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(block.spikes[i], i);
  }
}

TEST_P(Kernels, NonFiniteMembraneIsNoticed) {
  const Setting& setting = GetParam();
  const NeuronVariant variant = prepare(setting.model, setting.changed);
  for (const std::string& target : simd_targets()) {
    SCOPED_TRACE(target);
    const ForcedTarget forced(target);
    Block<float> narrow(variant, 70);
    EXPECT_TRUE(narrow.update().finite);
    narrow.states[0][69] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_FALSE(narrow.update().finite);
    Block<double> wide(variant, 70);
    EXPECT_TRUE(wide.update().finite);
    wide.states[0][3] = -std::numeric_limits<double>::infinity();
    EXPECT_FALSE(wide.update().finite);
    Block<double> driven(variant, 70);
    driven.current[12] = std::numeric_limits<double>::quiet_NaN();
    driven.update();
    EXPECT_FALSE(driven.update().finite);
  }
}

TEST_P(Kernels, RefractoryNeuronsRest) {
  const Setting& setting = GetParam();
  const NeuronVariant variant = prepare(setting.model, setting.changed);
  if (variant.refractory_steps == 0) return;  // nothing to rest
  Block<double> block(variant, 1);
  block.states[0][0] = 60.0 - variant.origin;
  block.current[0] = 1e4;
  ASSERT_EQ(block.update().spike_count, 1u);
  const double reset = block.states[0][0];
  for (int step = variant.refractory_steps; step > 0; --step) {
    EXPECT_EQ(block.refractory[0], step);
    EXPECT_EQ(block.update().spike_count, 0u);
    EXPECT_EQ(block.states[0][0], reset);
  }
  EXPECT_EQ(block.refractory[0], 0);
  block.update();
  EXPECT_NE(block.states[0][0], reset);
}

INSTANTIATE_TEST_SUITE_P(Models, Kernels, testing::ValuesIn(kSettings),
                         [](const auto& setting) { return std::string(setting.param.label); });

}  // namespace
}  // namespace tessera::test
