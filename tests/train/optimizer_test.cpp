// Schedules of the learning rate and the update of parameters, by hand.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace tessera::training {
namespace {

TEST(Schedule, WarmUpRisesLinearly) {
  Optimizer o;
  o.warmup_batches = 4;
  for (const ScheduleKind kind :
       {ScheduleKind::constant, ScheduleKind::cosine, ScheduleKind::step}) {
    o.schedule = kind;
    EXPECT_DOUBLE_EQ(schedule_factor(o, 0, 100, 10), 0.2);
    EXPECT_DOUBLE_EQ(schedule_factor(o, 3, 100, 10), 0.8);
    EXPECT_DOUBLE_EQ(schedule_factor(o, 4, 100, 10), 1.0);
  }
  o.schedule = ScheduleKind::constant;
  EXPECT_DOUBLE_EQ(schedule_factor(o, 99, 100, 10), 1.0);
}

TEST(Schedule, CosineFallsFromOneToTheFinalFraction) {
  Optimizer o;
  o.schedule = ScheduleKind::cosine;
  o.final_fraction = 0.1;
  o.warmup_batches = 20;
  EXPECT_DOUBLE_EQ(schedule_factor(o, 20, 100, 10), 1.0);
  EXPECT_NEAR(schedule_factor(o, 40, 100, 10), 0.1 + 0.9 * 0.5 * (1.0 + std::sqrt(0.5)),
              1e-12);  // a quarter: cos 45
  EXPECT_NEAR(schedule_factor(o, 60, 100, 10), 0.55, 1e-12);
  EXPECT_NEAR(schedule_factor(o, 99, 100, 10), 0.1, 1e-3);
  EXPECT_NEAR(schedule_factor(o, 100, 100, 10), 0.1, 1e-12);
  EXPECT_NEAR(schedule_factor(o, 500, 100, 10), 0.1, 1e-12);
  o.warmup_batches = 200;  // longer than the training
  EXPECT_DOUBLE_EQ(schedule_factor(o, 99, 100, 10), 100.0 / 201.0);
  EXPECT_DOUBLE_EQ(schedule_factor(o, 200, 100, 10), 1.0);
}

TEST(Schedule, StepsAreCountedInEpochs) {
  Optimizer o;
  o.schedule = ScheduleKind::step;
  o.step_epochs = 3;
  o.step_factor = 0.5;
  EXPECT_DOUBLE_EQ(schedule_factor(o, 0, 1000, 7), 1.0);
  EXPECT_DOUBLE_EQ(schedule_factor(o, 3 * 7 - 1, 1000, 7), 1.0);
  EXPECT_DOUBLE_EQ(schedule_factor(o, 3 * 7, 1000, 7), 0.5);
  EXPECT_DOUBLE_EQ(schedule_factor(o, 6 * 7 + 1, 1000, 7), 0.25);
}

/// Two arrays of 3 weights and 2 biases with the gradients (3, 0, 4) and (0, 12): the norm is 13.
struct Arrays {
  ParameterArray weight{"layer.weight", {3}, ArrayLayout::flat(3)};
  ParameterArray bias{"layer.bias", {2}, ArrayLayout::flat(2)};
  std::vector<ParameterArray*> all{&weight, &bias};

  Arrays() {
    weight.decays = true;
    weight.assign(weight.value, {1, 1, 1});
    bias.assign(bias.value, {1, 1});
    weight.assign(weight.gradient, {3, 0, 4});
    bias.assign(bias.gradient, {0, 12});
  }
  void update(Updater& updater, int threads, double factor = 1.0) {
    Crew crew(threads);
    crew.run([&](Worker& worker) { updater.update(worker, all, factor); });
  }
  void expect(const std::vector<float>& weights, const std::vector<float>& biases) const {
    const Tensor w = weight.tensor(weight.value, ""), b = bias.tensor(bias.value, "");
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(w.values[k], weights[k], 1e-5) << k;
    for (std::size_t k = 0; k < 2; ++k) EXPECT_NEAR(b.values[k], biases[k], 1e-5) << k;
  }
};

Optimizer plain_sgd() {
  Optimizer o;
  o.kind = OptimizerKind::sgd;
  o.learning_rate = 0.1;
  o.momentum = 0.0;
  return o;
}

TEST(Updater, ClipsTheGlobalNorm) {
  for (const int threads : {1, 3}) {
    Optimizer o = plain_sgd();
    o.clip_norm = 1.3;  // a tenth
    Arrays arrays;
    Updater updater(o);
    arrays.update(updater, threads);
    arrays.expect({1 - 0.03f, 1, 1 - 0.04f}, {1, 1 - 0.12f});
    EXPECT_EQ(updater.batches(), 1u);
    o.clip_norm = 14.0;  // not reached
    Arrays others;
    Updater loose(o);
    others.update(loose, threads, 0.5);
    others.expect({1 - 0.15f, 1, 1 - 0.2f}, {1, 1 - 0.6f});
  }
}

TEST(Updater, ArraysThatAreNotTrainedNeitherMoveNorCount) {
  Optimizer o = plain_sgd();
  o.clip_norm = 0.5;  // of 5 without the biases
  Arrays arrays;
  arrays.bias.trainable = false;
  Updater updater(o);
  arrays.update(updater, 2);
  arrays.expect({1 - 0.03f, 1, 1 - 0.04f}, {1, 1});
}

TEST(Updater, DecayIsForWeightsAlone) {
  Optimizer o = plain_sgd();
  o.weight_decay = 0.5;
  Arrays arrays;
  Updater updater(o);
  arrays.update(updater, 1);  // L2: w -= 0.1 (g + 0.5 w)
  arrays.expect({1 - 0.35f, 0.95f, 1 - 0.45f}, {1, 1 - 1.2f});
  o.kind = OptimizerKind::adamw;
  Arrays others;
  Updater adamw(o);
  others.update(adamw, 1);  // decoupled: w -= 0.1 * 0.5 w, and 0.1 against the sign of the gradient
  others.expect({0.95f - 0.1f, 0.95f, 0.95f - 0.1f}, {1, 0.9f});
}

// A penalty of strength * mean of w^4 over three weights: the gradient gets 4 strength w^3 / 3.
TEST(Updater, PenaltyOfFourthPowersIsInTheGradient) {
  for (const double clip : {0.0, 100.0}) {  // before it is measured, and where nothing is
    Optimizer o = plain_sgd();
    o.clip_norm = clip;
    Arrays arrays;
    arrays.weight.assign(arrays.weight.value, {1, -2, 0.5F});
    arrays.weight.cubic = 4.0F * 0.75F / 3.0F;
    Updater updater(o);
    arrays.update(updater, 2);
    arrays.expect({1 - 0.1f * (3 + 1), -2 - 0.1f * -8, 0.5f - 0.1f * (4 + 0.125f)}, {1, 1 - 1.2f});
  }
}

TEST(Updater, MomentumKeepsTheVelocity) {
  Optimizer o = plain_sgd();
  o.momentum = 0.5;
  Arrays arrays;
  Updater updater(o);
  arrays.update(updater, 1);
  arrays.update(updater, 2);  // velocities g, then 1.5 g
  arrays.expect({1 - 0.75f, 1, 1 - 1.0f}, {1, 1 - 3.0f});
}

TEST(Updater, AGradientThatIsNotFiniteChangesNothing) {
  Optimizer o = plain_sgd();
  o.clip_norm = 1.0;
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Arrays arrays;
    arrays.bias.gradient[1] = bad;
    Updater updater(o);
    std::string layer;
    try {
      arrays.update(updater, 2);
    } catch (const DivergedError& error) {
      layer = error.layer;
    }
    EXPECT_EQ(layer, "layer");
    arrays.expect({1, 1, 1}, {1, 1});
    EXPECT_EQ(updater.batches(), 0u);
  }
}

}  // namespace
}  // namespace tessera::training
