// e-prop on the two problems of its publication, against the losses that NEST and the original program (TensorFlow)
// print for five iterations: pattern generation, and evidence accumulation, where half of the neurons adapt. Weights,
// inputs and targets come from NumPy's generator with seed 1, so it is drawn from here as NumPy draws.
// Sources: NEST, testsuite/pytests/test_eprop_bsshslm_2020_plasticity.py (parameters, losses, and what is drawn in
// which order); NumPy, RandomState (Mersenne twister, polar method of Marsaglia).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>

#include "train/eprop_cases.hpp"

namespace tessera::test {
namespace {

using namespace training::eprop;

// numpy.random.RandomState
class NumpyState {
 public:
  explicit NumpyState(std::uint32_t seed) : words_(seed) {}

  double uniform() {  // random_sample: 53 bits of two words
    const std::uint32_t a = word() >> 5, b = word() >> 6;
    return (a * 67108864.0 + b) / 9007199254740992.0;
  }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal() {  // randn: the second of a pair first
    if (has_one_) {
      has_one_ = false;
      return one_;
    }
    double x, y, square;
    do {
      x = 2.0 * uniform() - 1.0;
      y = 2.0 * uniform() - 1.0;
      square = x * x + y * y;
    } while (square >= 1.0 || square == 0.0);
    const double factor = std::sqrt(-2.0 * std::log(square) / square);
    one_ = factor * x;
    has_one_ = true;
    return factor * y;
  }
  bool coin() { return (word() & 1u) != 0; }  // choice([0, 1])

 private:
  std::uint32_t word() { return static_cast<std::uint32_t>(words_()); }
  std::mt19937 words_;
  bool has_one_ = false;
  double one_ = 0.0;
};

// [rows][columns] drawn column after column: an array of NumPy, transposed, as float32.
template <class Draw>
Matrix drawn(std::size_t rows, std::size_t columns, Draw draw) {
  Matrix m(rows, columns);
  for (std::size_t j = 0; j < columns; ++j) {
    for (std::size_t i = 0; i < rows; ++i) m(i, j) = static_cast<float>(draw());
  }
  return m;
}

// [rows][columns] drawn row after row.
template <class Draw>
Matrix drawn_by_rows(std::size_t rows, std::size_t columns, Draw draw) {
  Matrix m(rows, columns);
  for (double& value : m.values) value = static_cast<float>(draw());
  return m;
}

void no_autapses(Matrix& m) {
  for (std::size_t j = 0; j < m.rows; ++j) m(j, j) = 0.0;
}

double decay(double tau_in_steps) { return std::exp(-1.0 / tau_in_steps); }

TEST(EpropLosses, PatternGenerationOfNest) {
  constexpr std::size_t n = 100, steps = 1000;
  NumpyState numpy(1);
  Rule rule;
  rule.neurons = {.alpha = decay(30.0), .threshold = 0.03, .input_scale = 1.0 - decay(30.0), .betas = {}};
  rule.readout = {decay(30.0), 1.0 - decay(30.0)};
  rule.rate = {300.0, 0.01, 0.0};
  const auto normal = [&] { return numpy.normal() / std::sqrt(100.0); };
  Weights w{drawn(n, n, normal), drawn(n, n, normal), drawn(1, n, normal), {}};
  no_autapses(w.recurrent);
  const Matrix feedback = drawn_by_rows(n, 1, normal);
  Interval interval{Matrix(steps, n), Matrix(steps, 1), Error::squared, steps};
  for (double& x : interval.x.values) x = numpy.uniform() < 0.05 ? 1.0 : 0.0;
  std::fill_n(interval.x.values.begin(), n, 0.0);
  std::array<double, 4> amplitudes{}, phases{};
  for (double& a : amplitudes) a = numpy.uniform(0.5, 2.0);
  for (double& p : phases) p = numpy.uniform(0.0, 2.0 * std::numbers::pi);
  constexpr std::array<std::size_t, 4> periods = {1000, 500, 333, 200};
  double largest = 0.0, first = 0.0;
  for (std::size_t t = 0; t < steps; ++t) {
    double sum = 0.0;
    for (std::size_t k = 0; k < 4; ++k) {
      const double turns = static_cast<double>(steps / periods[k]) * static_cast<double>(t) / (steps - 1.0);
      sum += amplitudes[k] * std::sin(phases[k] + 2.0 * std::numbers::pi * turns);
    }
    if (t == 0) first = sum;
    interval.target(t, 0) = sum - first;
    largest = std::max(largest, std::abs(sum - first));
  }
  for (double& y : interval.target.values) y /= largest;

  const std::array nest = {101.964356999041, 103.466731126205, 103.340607074771, 103.680244037686, 104.412775748752};
  for (const double expected : nest) {
    Outcome outcome = bellec2020(rule, w, feedback, interval);
    EXPECT_NEAR(outcome.loss / expected, 1.0, 1e-8);
    no_autapses(outcome.gradient.recurrent);
    const auto step = [](Matrix& weights, const Matrix& gradient) {
      for (std::size_t i = 0; i < weights.values.size(); ++i) weights.values[i] -= 1e-4 * gradient.values[i];
    };
    step(w.input, outcome.gradient.input);
    step(w.recurrent, outcome.gradient.recurrent);
    step(w.output, outcome.gradient.output);
  }
}

// Seven cues of 100 steps, a pause, and the recall in which the answer counts.
Interval evidence(NumpyState& numpy) {
  constexpr std::size_t cues = 7, recall = 150, steps = cues * 150 + 1050 + recall, group = 10;
  const double rare = 0.3f, frequent = 0.7f;  // float32, as there
  const double first = numpy.coin() ? frequent : rare;
  const double share = first / (first + (first == rare ? frequent : rare));
  std::array<std::size_t, cues> side{};
  for (std::size_t& s : side) s = numpy.uniform() < share ? 0 : 1;
  const auto rate = [&](std::size_t t, std::size_t i) {
    if (i >= 3 * group) return 0.04 / 4.0;
    if (i >= 2 * group) return t >= steps - recall ? 0.04 : 0.0;
    return t < cues * 150 && t % 150 >= 50 && side[t / 150] == i / group ? 0.04 : 0.0;
  };
  Interval interval{Matrix(steps, 4 * group), Matrix(steps, 2), Error::cross_entropy, recall};
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t i = 0; i < 4 * group; ++i) interval.x(t, i) = rate(t, i) > numpy.uniform() && t > 0 ? 1.0 : 0.0;
  }
  const bool right = std::count(side.begin(), side.end(), 1u) > 3;
  for (std::size_t t = 0; t < steps; ++t) interval.target(t, right ? 1 : 0) = 1.0;
  return interval;
}

TEST(EpropLosses, EvidenceAccumulationOfNest) {
  constexpr std::size_t inputs = 40, n = 100;
  NumpyState numpy(1);
  Rule rule;
  rule.neurons = {.alpha = decay(20.0), .threshold = 0.6, .rho = decay(2000.0), .refractory = 5, .betas = {}};
  rule.neurons.betas.assign(n, 0.0);
  std::fill(rule.neurons.betas.begin() + n / 2, rule.neurons.betas.end(), 1.7 * (1 - decay(2000.0)) / (1 - decay(20.0)));
  rule.readout = {decay(20.0), 1.0 - decay(20.0)};
  rule.rate = {300.0, 0.01, 0.0};
  const auto normal = [&](double scale) { return [&numpy, scale] { return numpy.normal() / scale; }; };
  const double limit = std::sqrt(3.0 / 51.0);  // Glorot, of 100 and 2
  Weights w;
  w.input = drawn(n, inputs, normal(std::sqrt(40.0)));
  w.recurrent = drawn(n, n, normal(std::sqrt(100.0)));
  w.output = drawn(2, n, [&] { return numpy.uniform(-limit, limit); });
  no_autapses(w.recurrent);
  const Matrix feedback = drawn_by_rows(n, 2, normal(1.0));

  Weights m = w.like(), v = w.like();
  const std::array nest = {0.741152550006, 0.740388187700, 0.665785233177, 0.663644193322, 0.729428962844};
  for (std::size_t k = 0; k < nest.size(); ++k) {
    Outcome outcome = bellec2020(rule, w, feedback, evidence(numpy));
    EXPECT_NEAR(outcome.loss / nest[k], 1.0, 1e-8) << "iteration " << k + 1;
    no_autapses(outcome.gradient.recurrent);
    const double count = static_cast<double>(k + 1);
    const double eta = 5e-3 * std::sqrt(1.0 - std::pow(0.999, count)) / (1.0 - std::pow(0.9, count));
    const auto adam = [&](Matrix& weights, const Matrix& gradient, Matrix& mean, Matrix& square) {
      for (std::size_t i = 0; i < weights.values.size(); ++i) {
        const double g = gradient.values[i] / 150.0;  // the mean over the window
        mean.values[i] = 0.9 * mean.values[i] + 0.1 * g;
        square.values[i] = 0.999 * square.values[i] + 0.001 * g * g;
        weights.values[i] -= eta * mean.values[i] / (std::sqrt(square.values[i]) + 1e-8);
      }
    };
    adam(w.input, outcome.gradient.input, m.input, v.input);
    adam(w.recurrent, outcome.gradient.recurrent, m.recurrent, v.recurrent);
    adam(w.output, outcome.gradient.output, m.output, v.output);
  }
}

}  // namespace
}  // namespace tessera::test
