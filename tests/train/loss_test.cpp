// Losses: values computed by hand, and derivatives against central differences.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tessera::training {
namespace {

constexpr std::uint32_t steps = 4, samples = 3, classes = 3;
const std::vector<std::int32_t> labels = {2, 0, 1};

std::vector<double> some_trace() {
  std::vector<double> trace(steps * samples * classes);
  for (std::size_t i = 0; i < trace.size(); ++i)
    trace[i] = std::sin(1.7 * static_cast<double>(i) + 0.3);
  return trace;
}

double value(const Loss& loss, const std::vector<double>& trace) {
  return evaluate_loss(loss, trace, labels, steps, classes, {}).loss;
}

void expect_central_differences(const Loss& loss, const std::string& name) {
  std::vector<double> trace = some_trace();
  std::vector<double> derivative(trace.size());
  const LossResult result = evaluate_loss(loss, trace, labels, steps, classes, derivative);
  EXPECT_NEAR(result.loss, value(loss, trace), 1e-15);
  const double h = 1e-5;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const double middle = trace[i];
    trace[i] = middle + h;
    const double up = value(loss, trace);
    trace[i] = middle - h;
    const double down = value(loss, trace);
    trace[i] = middle;
    EXPECT_NEAR(derivative[i], (up - down) / (2.0 * h), 1e-9) << name << " at " << i;
  }
}

TEST(loss, derivatives_equal_central_differences) {
  for (const LossKind kind : {LossKind::cross_entropy, LossKind::mean_squared_error})
    for (const Reduction reduction :
         {Reduction::sum, Reduction::mean, Reduction::last, Reduction::max})
      expect_central_differences({kind, reduction}, to_string(kind) + " " + to_string(reduction));
  expect_central_differences({LossKind::cross_entropy_per_step}, "per step");
  expect_central_differences({LossKind::spike_count}, "spike count");
}

// What the penalty adds to the derivatives are the differences of strength / (samples classes) * sum of l^4, l = log of
// the softmax of the scaled readout; the loss itself does not have it.
TEST(loss, penalty_of_log_probabilities_and_scale) {
  Loss loss{LossKind::cross_entropy, Reduction::sum};
  loss.scale = 1.7;
  expect_central_differences(loss, "scaled");
  const Loss plain = loss;
  loss.log_probability_penalty = 0.4;
  EXPECT_EQ(value(loss, some_trace()), value(plain, some_trace()));
  const auto penalty = [&](const std::vector<double>& trace) {
    double total = 0.0;
    for (std::size_t b = 0; b < samples; ++b) {
      std::vector<double> z(classes, 0.0);
      for (std::size_t t = 0; t < steps; ++t) {
        for (std::size_t k = 0; k < classes; ++k) z[k] += loss.scale * trace[(t * samples + b) * classes + k];
      }
      double sum = 0.0;
      for (const double x : z) sum += std::exp(x);
      for (const double x : z) total += std::pow(x - std::log(sum), 4.0);
    }
    return 0.4 / (samples * classes) * total;
  };
  std::vector<double> trace = some_trace(), with(trace.size()), without(trace.size());
  (void)evaluate_loss(loss, trace, labels, steps, classes, with);
  (void)evaluate_loss(plain, trace, labels, steps, classes, without);
  const double h = 1e-5;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const double middle = trace[i];
    trace[i] = middle + h;
    const double up = penalty(trace);
    trace[i] = middle - h;
    const double down = penalty(trace);
    trace[i] = middle;
    EXPECT_NEAR(with[i] - without[i], (up - down) / (2.0 * h), 1e-7) << i;
  }
}

// One sample, two steps, two classes: u = (1, 0), (3, 1).
const std::vector<double> two = {1.0, 0.0, 3.0, 1.0};
const std::vector<std::int32_t> second = {1};

LossResult of_two(const Loss& loss) { return evaluate_loss(loss, two, second, 2, 2, {}); }

TEST(loss, has_the_values_computed_by_hand) {
  const auto ce = [](double wrong, double right) {
    return std::log(1.0 + std::exp(wrong - right));
  };
  EXPECT_NEAR(of_two({LossKind::cross_entropy, Reduction::sum}).loss, ce(4.0, 1.0), 1e-14);
  EXPECT_NEAR(of_two({LossKind::cross_entropy, Reduction::mean}).loss, ce(2.0, 0.5), 1e-14);
  EXPECT_NEAR(of_two({LossKind::cross_entropy, Reduction::last}).loss, ce(3.0, 1.0), 1e-14);
  EXPECT_NEAR(of_two({LossKind::cross_entropy, Reduction::max}).loss, ce(3.0, 1.0), 1e-14);
  EXPECT_NEAR(of_two({LossKind::cross_entropy_per_step}).loss, (ce(1.0, 0.0) + ce(3.0, 1.0)) / 2.0,
              1e-14);
  // Means 2 and 0.5 against 0 and 1: (4 + 0.25) / 2.
  EXPECT_NEAR(of_two({LossKind::mean_squared_error, Reduction::mean}).loss, 2.125, 1e-14);
  EXPECT_EQ(of_two({}).prediction[0], 0);
  EXPECT_EQ(of_two({}).correct, 0U);
}

TEST(loss, spike_count_compares_rates_with_their_targets) {
  // Of five steps, class 0 spikes in four and class 1 in one: rates 0.8 and 0.2.
  const std::vector<double> spikes = {1, 0, 1, 0, 1, 1, 1, 0, 0, 0};
  const std::vector<std::int32_t> label = {0};
  std::vector<double> d(10);
  const LossResult result =
      evaluate_loss({LossKind::spike_count, Reduction::sum, 0.8, 0.05}, spikes, label, 5, 2, d);
  EXPECT_NEAR(result.loss, (0.0 + 0.15 * 0.15) / 2.0, 1e-15);
  EXPECT_NEAR(d[1], 2.0 * 0.15 / 2.0 / 5.0, 1e-15);
  EXPECT_EQ(result.correct, 1U);
}

TEST(loss, of_equal_classes_predicts_the_lowest) {
  const std::vector<double> flat(6, 0.25);
  const std::vector<std::int32_t> label = {1};
  EXPECT_EQ(evaluate_loss({}, flat, label, 2, 3, {}).prediction[0], 0);
  // Per step the majority decides: classes 2, 2 and 1, although class 1 has the largest sum.
  const std::vector<double> votes = {0, 0, 1, 0, 0, 1, 0, 9, 0};
  EXPECT_EQ(evaluate_loss({LossKind::cross_entropy_per_step}, votes, label, 3, 3, {}).prediction[0],
            2);
}

TEST(loss, softmax_does_not_overflow) {
  const std::vector<double> far = {1e4, -1e4};
  const std::vector<std::int32_t> label = {1};
  std::vector<double> d(2);
  EXPECT_NEAR(evaluate_loss({}, far, label, 1, 2, d).loss, 2e4, 1e-9);
  EXPECT_NEAR(d[0], 1.0, 1e-15);
  EXPECT_NEAR(d[1], -1.0, 1e-15);
}

TEST(loss, of_what_is_not_a_number_is_not_a_number) {
  const std::vector<double> bad = {std::numeric_limits<double>::quiet_NaN(), 0.0};
  const std::vector<std::int32_t> label = {1};
  EXPECT_FALSE(std::isfinite(evaluate_loss({}, bad, label, 1, 2, {}).loss));
}

}  // namespace
}  // namespace tessera::training
