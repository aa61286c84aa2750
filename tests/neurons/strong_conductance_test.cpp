// Conductances so strong that V follows them within microseconds: the models with conductances
// against the same equations in steps too small for any stiffness, and against closed forms.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "neurons/block.hpp"

namespace tessera::test {
namespace {

constexpr double kDt = 0.1;

/// The equations as `tessera models` prints them, by classical Runge-Kutta with steps of at most 2 % of
/// every time constant: an error below 1e-7 mV. Without `Delta_T` and `a` it is iaf_cond_exp.
struct SmallSteps {
  explicit SmallSteps(const ParameterValues& parameters) : p(parameters.all()), v(p.at("E_L")) {}

  [[nodiscard]] double value(const char* name) const { return p.contains(name) ? p.at(name) : 0.0; }
  struct Slope {
    double v, g_ex, g_in, w;
  };
  [[nodiscard]] Slope slope(double v_, double ex, double in, double w_, double current) const {
    double sum = current - p.at("g_L") * (v_ - p.at("E_L")) - ex * (v_ - p.at("E_ex")) -
                 in * (v_ - p.at("E_in")) - w_;
    if (value("Delta_T") > 0.0) {
      sum += p.at("g_L") * value("Delta_T") * std::exp((v_ - p.at("V_th")) / value("Delta_T"));
    }
    const double dw = value("tau_w") > 0.0 ? (value("a") * (v_ - p.at("E_L")) - w_) / value("tau_w") : 0.0;
    return {sum / p.at("C_m"), -ex / p.at("tau_syn_ex"), -in / p.at("tau_syn_in"), dw};
  }
  void step(double current) {
    const double fastest = std::max({(p.at("g_L") + g_ex + g_in) / p.at("C_m"),
                                     1.0 / p.at("tau_syn_ex"), 1.0 / p.at("tau_syn_in"), 1.0});
    const int n = static_cast<int>(std::ceil(kDt * fastest / 0.02));
    const double h = kDt / n;
    for (int i = 0; i < n; ++i) {
      const auto at = [&](double x, const Slope& k) {
        return slope(v + x * k.v, g_ex + x * k.g_ex, g_in + x * k.g_in, w + x * k.w, current);
      };
      const Slope k1 = slope(v, g_ex, g_in, w, current);
      const Slope k2 = at(h / 2, k1), k3 = at(h / 2, k2), k4 = at(h, k3);
      const auto mean = [](double a, double b, double c, double d) { return (a + 2 * b + 2 * c + d) / 6; };
      v += h * mean(k1.v, k2.v, k3.v, k4.v);
      g_ex += h * mean(k1.g_ex, k2.g_ex, k3.g_ex, k4.g_ex);
      g_in += h * mean(k1.g_in, k2.g_in, k3.g_in, k4.g_in);
      w += h * mean(k1.w, k2.w, k3.w, k4.w);
    }
  }

  std::map<std::string, double> p;
  double v, g_ex = 0.0, g_in = 0.0, w = 0.0;
};

struct Course {
  const char* model;
  double rate;        // (g + g_L) / C when the conductance arrives, 1/ms
  double excitatory;  // its share
  std::map<std::string, double> changed = {};
};

void PrintTo(const Course& c, std::ostream* out) {
  *out << c.model << " at " << c.rate << "/ms, " << c.excitatory << " excitatory";
}

class StrongConductance : public testing::TestWithParam<Course> {
 protected:
  static constexpr int kSteps = 120, kBetween = 40;  // a pulse every 4 ms, three times the longest decay
  static constexpr double kAllowed_mV = 0.01;

  void SetUp() override {
    const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
    const NeuronModel& model = *catalogue.find(GetParam().model);
    parameters_ = values_of(model, GetParam().changed);
    variant_ = model.prepare(parameters_, kDt);
    const double g = GetParam().rate * parameters_["C_m"] - parameters_["g_L"];
    excitatory_ = std::round(GetParam().excitatory * g);
    inhibitory_ = std::round((1.0 - GetParam().excitatory) * g);
  }

  /// V of the reference after every step.
  [[nodiscard]] std::vector<double> expected() const {
    SmallSteps neuron(parameters_);
    std::vector<double> course;
    for (int step = 0; step < kSteps; ++step) {
      neuron.step(kCurrent);
      if (step % kBetween == 0) {
        neuron.g_ex += excitatory_;
        neuron.g_in += inhibitory_;
      }
      course.push_back(neuron.v);
    }
    return course;
  }

  /// The vector update, three neurons that get the same; the others nothing.
  template <class Real>
  void expect_follows(const std::vector<double>& course) {
    Block<Real> block(variant_, 37);
    block.current[0] = static_cast<Real>(kCurrent);
    for (int step = 0; step < kSteps; ++step) {
      for (const std::size_t neuron : {0u, 17u, 36u}) {
        if (step % kBetween != 0) continue;
        block.inputs[0][neuron] = static_cast<typename InputOf<Real>::type>(excitatory_);
        block.inputs[1][neuron] = static_cast<typename InputOf<Real>::type>(-inhibitory_);
      }
      ASSERT_EQ(block.update(false).spike_count, 0u);
      for (const std::size_t neuron : {0u, 17u, 36u}) {
        ASSERT_NEAR(block.states[0][neuron] + variant_.origin, course[static_cast<std::size_t>(step)],
                    kAllowed_mV)
            << "neuron " << neuron << " step " << step;
      }
    }
  }

  static constexpr double kCurrent = 100.0;
  ParameterValues parameters_;
  NeuronVariant variant_;
  double excitatory_ = 0.0, inhibitory_ = 0.0;
};

TEST_P(StrongConductance, FollowsTheEquationsToAHundredthOfAMillivolt) {
  const std::vector<double> course = expected();
  ScalarNeuron neuron(GetParam().model, GetParam().changed);
  for (int step = 0; step < kSteps; ++step) {
    const bool arrives = step % kBetween == 0;
    ASSERT_FALSE(neuron.step(kCurrent, arrives ? excitatory_ : 0.0, arrives ? -inhibitory_ : 0.0));
    ASSERT_NEAR(neuron.v(), course[static_cast<std::size_t>(step)], kAllowed_mV) << step;
  }
  for (const std::string& target : simd_targets()) {
    SCOPED_TRACE(target);
    const ForcedTarget forced(target);
    expect_follows<double>(course);
    expect_follows<float>(course);
  }
}

// Rates below, at and above what the ordinary sub-steps of 0.05 ms are kept for (6/ms and 5/ms).
const std::map<std::string, double> kSilent = {{"V_th", 1e3}};
INSTANTIATE_TEST_SUITE_P(IafInhibition, StrongConductance,
                         testing::Values(Course{"iaf_cond_exp", 5.9, 0.0},
                                         Course{"iaf_cond_exp", 6.1, 0.0},
                                         Course{"iaf_cond_exp", 20.0, 0.0},
                                         Course{"iaf_cond_exp", 56.0, 0.0},
                                         Course{"iaf_cond_exp", 80.0, 0.0},
                                         Course{"iaf_cond_exp", 200.0, 0.0}));
INSTANTIATE_TEST_SUITE_P(IafExcitation, StrongConductance,
                         testing::Values(Course{"iaf_cond_exp", 5.9, 1.0, kSilent},
                                         Course{"iaf_cond_exp", 6.1, 0.7, kSilent},
                                         Course{"iaf_cond_exp", 20.0, 1.0, kSilent},
                                         Course{"iaf_cond_exp", 56.0, 0.9, kSilent},
                                         Course{"iaf_cond_exp", 200.0, 0.4, kSilent},
                                         Course{"iaf_cond_exp", 200.0, 1.0, kSilent}));
// A membrane so small that the leak alone is fast: g_L / C = 20/ms.
INSTANTIATE_TEST_SUITE_P(SmallMembrane, StrongConductance,
                         testing::Values(Course{"iaf_cond_exp", 60.0, 0.2,
                                                {{"C_m", 1.0}, {"g_L", 20.0}, {"V_th", 1e3}}},
                                         Course{"aeif_cond_exp", 60.0, 0.2,
                                                {{"C_m", 1.0}, {"g_L", 20.0}}}));
INSTANTIATE_TEST_SUITE_P(Aeif, StrongConductance,
                         testing::Values(Course{"aeif_cond_exp", 4.9, 0.0},
                                         Course{"aeif_cond_exp", 5.1, 0.1},
                                         Course{"aeif_cond_exp", 20.0, 0.2},
                                         Course{"aeif_cond_exp", 56.0, 0.0},
                                         Course{"aeif_cond_exp", 80.0, 0.1},
                                         Course{"aeif_cond_exp", 200.0, 0.0},
                                         Course{"aeif_cond_exp", 200.0, 0.3}));

TEST(StrongConductances, OneThatStaysDrawsTheNeuronExactly) {
  // A decay of 1e9 ms: C dV/dt = -(g_L + g) (V - V_inf), at 200/ms and at 2000/ms.
  for (const double rate : {200.0, 2000.0}) {
    ScalarNeuron neuron("iaf_cond_exp", {{"tau_syn_in", 1e9}}, 0.002);
    const double g_in = rate * 250.0 - 16.6667, v_inf = (16.6667 * -70.0 + g_in * -85.0) / (rate * 250.0);
    neuron.step(0.0, 0.0, -g_in);
    for (int i = 1; i <= 50; ++i) {
      neuron.step();
      ASSERT_NEAR(neuron.v(), v_inf + (-70.0 - v_inf) * std::exp(-rate * 0.002 * i), 1e-5) << i;
    }
  }
}

TEST(StrongConductances, InhibitionAloneNeverMakesASpike) {
  // Whatever its size, it draws V from rest towards E_in and lets it come back.
  for (const char* model : {"iaf_cond_exp", "aeif_cond_exp"}) {
    for (double g = 100.0; g < 2e9; g *= 20.0) {
      const NeuronVariant variant = prepare(model);
      Block<float> block(variant, 5);
      double lowest = 0.0;
      for (int step = 0; step < 100; ++step) {
        block.inputs[1][2] = step == 0 || step == 50 ? static_cast<std::int32_t>(-g) : 0;
        const auto args = block.update();
        ASSERT_TRUE(args.finite);
        ASSERT_EQ(args.spike_count, 0u) << model << ", " << g << " nS, step " << step;
        const double v = block.states[0][2] + variant.origin;
        ASSERT_GE(v, -85.001) << model << ", " << g << " nS, step " << step;
        ASSERT_LE(v, variant.origin + 0.01) << model << ", " << g << " nS, step " << step;
        lowest = std::min(lowest, v);
      }
      if (g > 1e5) {
        EXPECT_NEAR(lowest, -85.0, 0.01) << model << ", " << g << " nS";
      }
    }
  }
}

TEST(StrongConductances, ANeighbourUnderFireChangesNothing) {
  // What a neuron does depends on its own state alone, bit for bit.
  for (const char* model : {"iaf_cond_exp", "aeif_cond_exp"}) {
    const NeuronVariant variant = prepare(model, {{"t_ref", 1.0}});
    for (const std::string& target : simd_targets()) {
      const ForcedTarget forced(target);
      Block<float> calm(variant, 64), disturbed(variant, 64);
      for (int step = 0; step < 60; ++step) {
        for (std::size_t i = 0; i < 64; ++i) {
          calm.inputs[0][i] = disturbed.inputs[0][i] = static_cast<std::int32_t>((i * 7 + step) % 23);
        }
        disturbed.inputs[1][5] = -20000;
        calm.update();
        disturbed.update();
        for (std::size_t i = 0; i < 64; ++i) {
          if (i == 5) continue;
          ASSERT_EQ(calm.states[0][i], disturbed.states[0][i]) << target << " neuron " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace tessera::test
