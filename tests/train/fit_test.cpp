// The loop over epochs on a data set made here: learning, resume, patience, warnings, errors.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <string>

#include "train/two_classes.hpp"

namespace tessera::training {
namespace {

TEST(Fit, LearnsTwoClassesTheSameWithTwoThreads) {
  const TwoClasses data(100), unseen(60);
  Observer observers[2];
  FitResult results[2];
  for (int k : {0, 1}) {
    Trainer trainer(small_network(), small_options(k + 1));
    results[k] = fit(trainer, data, observers[k]);
    const EvaluationResult test = evaluate(trainer, unseen, observers[k]);
    EXPECT_GT(test.accuracy, 0.95);
    std::uint64_t right = 0, all = 0;
    for (std::size_t label : {0, 1}) {
      for (std::size_t prediction : {0, 1}) all += test.confusion[label][prediction];
      right += test.confusion[label][label];
      EXPECT_EQ(test.confusion[label][0] + test.confusion[label][1], 30u);
    }
    EXPECT_EQ(all, 60u);
    EXPECT_DOUBLE_EQ(test.accuracy, static_cast<double>(right) / 60.0);
  }
  expect_same(results[0], results[1]);
  expect_same(results[0].best_parameters, results[1].best_parameters);
  expect_same(observers[0].parameters.back(), observers[1].parameters.back());

  const FitResult& result = results[0];
  EXPECT_FALSE(result.stopped_early || result.interrupted);
  ASSERT_EQ(result.epochs.size(), 4u);
  EXPECT_GT(result.epochs[3].validation_accuracy, 0.95);
  // 20 of 100 samples are held out; 80 make 5 batches of 16.
  const auto& progress = observers[0].progress;
  ASSERT_GE(progress.size(), 20u);
  EXPECT_EQ(progress[19].batch, 5u);
  EXPECT_EQ(progress[19].batches, 5u);
  EXPECT_EQ(progress[19].epoch, 3u);
  EXPECT_EQ(progress[19].seconds_left, 0.0);
  EXPECT_EQ(result.epochs[0].layers[0].neuron_steps, 80u * 10 * 20);
  EXPECT_GT(result.epochs[0].samples_per_second, 0.0);
  // The initial activity was met before the first batch.
  const LayerActivity& first = progress[0].layers[0];
  EXPECT_NEAR(static_cast<double>(first.spikes) / static_cast<double>(first.neuron_steps), 0.1,
              0.01);
}

// 36 of 45 samples are for training: batches of 16, 16 and 4, in which every neuron is listed (8
// bytes). What the validation lists, without gradients, does not count.
TEST(Fit, TellsWhatTheLargestBatchListed) {
  const TwoClasses data(45);
  Options options = small_options();
  options.second_threshold = {-100.0, -100.0, 0.0};
  Trainer trainer(small_network(), options);
  Observer observer;
  const std::uint64_t listed = fit(trainer, data, observer).list_bytes, entries = 16 * 10 * 20;
  EXPECT_GE(listed, entries * 8);
  EXPECT_LE(listed, entries * (8 + 2) + 16 * 10 * 3 * 8);  // spikes once more, steps of tiles
  EXPECT_LT(trainer.list_bytes(), listed / 4);
}

TEST(Fit, TheBestEpochHasTheBestValidation) {
  const TwoClasses data(60);
  Options options = small_options();
  options.optimizer.learning_rate = 0.3;  // restless
  Trainer trainer(small_network(), options);
  Observer observer;
  const FitResult result = fit(trainer, data, observer);
  for (std::size_t k = 0; k < 4; ++k) {
    const EpochMetrics& m = result.epochs[k];
    const EpochMetrics& best = result.epochs[result.best_epoch];
    EXPECT_TRUE(m.validation_accuracy < best.validation_accuracy ||
                (m.validation_accuracy == best.validation_accuracy &&
                 m.validation_loss >= best.validation_loss));
    EXPECT_EQ(
        observer.best[k] && std::none_of(observer.best.begin() + static_cast<std::ptrdiff_t>(k) + 1,
                                         observer.best.end(), [](bool b) { return b; }),
        k == result.best_epoch);
  }
  EXPECT_TRUE(observer.best[0]);
  EXPECT_EQ(result.best_validation_accuracy, result.epochs[result.best_epoch].validation_accuracy);
  expect_same(result.best_parameters, observer.parameters[result.best_epoch]);
}

TEST(Fit, ResumesExactly) {
  const TwoClasses data(60);
  for (const OptimizerKind kind : {OptimizerKind::adamw, OptimizerKind::sgd}) {
    Options options = small_options();
    options.optimizer.kind = kind;
    Observer all;
    Trainer whole(small_network(), options);
    const FitResult expected = fit(whole, data, all);
    for (const std::size_t epochs : {1, 3}) {
      options.threads = 2;
      Trainer trainer(small_network(), options);
      trainer.set_parameters(all.parameters[epochs - 1]);
      trainer.set_state(all.state[epochs - 1]);
      Observer rest;
      const FitResult result = fit(
          trainer, data, rest,
          {expected.epochs.begin(), expected.epochs.begin() + static_cast<std::ptrdiff_t>(epochs)});
      expect_same(result, expected);
      expect_same(trainer.parameters(), whole.parameters());
      expect_same(trainer.state(), whole.state());
      EXPECT_EQ(result.best_parameters.empty(), expected.best_epoch < epochs);
      if (!result.best_parameters.empty())
        expect_same(result.best_parameters, expected.best_parameters);
    }
    // All epochs are done: nothing is left.
    Observer none;
    expect_same(fit(whole, data, none, expected.epochs), expected);
    EXPECT_TRUE(none.progress.empty());
  }
}

TEST(Fit, EveryEpochHasTheSameSamplesInAnotherOrder) {
  const TwoClasses data(60);
  Network network = small_network();
  network.layers[0].initial_activity = 0.0;  // which reads a batch before the first epoch
  Trainer trainer(network, small_options());
  Observer observer;
  fit(trainer, data, observer);
  ASSERT_EQ(data.read_order.size(),
            5u);  // four epochs, and validation without random numbers of its own
  std::vector<std::size_t> all = data.read_order.at(0);
  all.resize(12);  // validated after every epoch
  std::vector<std::size_t> first = data.read_order.at(1), second = data.read_order.at(2);
  first.erase(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(first.size() - 48));
  EXPECT_NE(first, second);
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, second);
  all.insert(all.end(), first.begin(), first.end());
  std::sort(all.begin(), all.end());
  for (std::size_t k = 0; k < 60; ++k) EXPECT_EQ(all[k], k);
}

// With a learning rate that changes nothing, no epoch is better than the first.
TEST(Fit, StopsWhenPatienceRunsOut) {
  const TwoClasses data(40);
  Options options = small_options();
  options.epochs = 10;
  options.patience = 2;
  options.optimizer.learning_rate = 1e-30;
  Trainer trainer(small_network(), options);
  Observer observer;
  const FitResult result = fit(trainer, data, observer);
  EXPECT_EQ(result.epochs.size(), 3u);
  EXPECT_EQ(result.best_epoch, 0u);
  EXPECT_TRUE(result.stopped_early);
  EXPECT_FALSE(result.interrupted);
}

TEST(Fit, StopsWhenAsked) {
  const TwoClasses data(60);  // 48 for training: 3 batches an epoch
  Trainer trainer(small_network(), small_options());
  Observer observer;
  observer.stop_after = 5;
  const FitResult result = fit(trainer, data, observer);
  EXPECT_TRUE(result.interrupted);
  EXPECT_FALSE(result.stopped_early);
  EXPECT_EQ(result.epochs.size(), 1u);
  EXPECT_EQ(observer.progress.size(), 5u);
}

TEST(Fit, WithoutHeldOutSamplesThereIsNoValidation) {
  const TwoClasses data(40);
  Options options = small_options();
  options.validation_fraction = 0.0;
  options.epochs = 2;
  Trainer trainer(small_network(), options);
  Observer observer;
  const FitResult result = fit(trainer, data, observer);
  EXPECT_EQ(observer.progress.size(), 2u * 3);  // 40 samples: 16, 16, 8
  for (const EpochMetrics& m : result.epochs) {
    EXPECT_FALSE(m.validated());
    EXPECT_TRUE(std::isnan(m.validation_loss) && std::isnan(m.validation_accuracy));
    EXPECT_EQ(m.layers[0].neuron_steps, 40u * 10 * 20);
  }
  EXPECT_TRUE(std::isnan(result.best_validation_accuracy));
  // The training accuracy, then the loss, chooses.
  const EpochMetrics &a = result.epochs[0], &b = result.epochs[1];
  const bool second = b.accuracy != a.accuracy ? b.accuracy > a.accuracy : b.loss < a.loss;
  EXPECT_EQ(result.best_epoch, second ? 1u : 0u);
  EXPECT_FALSE(observer.warned("held out"));  // which nobody asked for
}

// One sample of each class: there is nothing to hold out, although a tenth was asked for.
TEST(Fit, SaysWhenNothingCanBeHeldOut) {
  const TwoClasses data(2);
  Options options = small_options();
  options.epochs = 1;
  Trainer trainer(small_network(), options);
  Observer observer;
  const FitResult result = fit(trainer, data, observer);
  EXPECT_FALSE(result.epochs[0].validated());
  EXPECT_TRUE(observer.warned("Nothing can be held out"));
}

TEST(Fit, ClassesWithoutSamplesAreTold) {
  TwoClasses data(40);
  data.labels = 4;
  Network network = small_network();
  network.classes = network.layers[1].size = 4;
  Options options = small_options();
  options.epochs = 1;
  Trainer trainer(network, options);
  Observer observer;
  fit(trainer, data, observer);
  EXPECT_TRUE(observer.warned("no training sample of 2 of its 4 classes (2, 3)"));
  const TwoClasses none(0);
  EXPECT_THROW(fit(trainer, none, observer), InputError);
}

TEST(Evaluate, RefusesToTellTheAccuracyOfNothing) {
  const TwoClasses none(0);
  Trainer trainer(small_network(), small_options());
  Observer observer;
  EXPECT_THROW((void)evaluate(trainer, none, observer), InputError);
}

// Neurons 0 to 7 spike when their channel does, 8 and 9 never. Channels 0 to 3 belong to class 0
// and the others to class 1, but 0.1 of the time to any: in 80 samples of 10 steps all of them
// spike, in a batch of one or two samples not.
TEST(Fit, SilentNeuronsAreThoseOfTheWholeEpoch) {
  const TwoClasses data(80);
  Network network = small_network();
  network.layers[0].size = 10;
  network.layers[0].initial_activity = 0.0;
  for (const std::uint32_t batch : {1u, 7u, 80u}) {
    for (const Strategy strategy : {Strategy::sparse, Strategy::reference}) {
      Options options = small_options();
      options.strategy = strategy;
      options.batch = batch;
      options.epochs = 1;
      options.validation_fraction = 0.0;
      options.optimizer.learning_rate = 1e-30;
      Trainer trainer(network, options);
      std::vector<Tensor> parameters = trainer.parameters();
      std::fill(parameters[0].values.begin(), parameters[0].values.end(), 0.0f);
      for (std::size_t j = 0; j < 8; ++j)
        parameters[0].values[j * 10 + j] = 2.0f;  // above theta = 1
      trainer.set_parameters(parameters);
      Observer observer;
      const FitResult result = fit(trainer, data, observer);
      EXPECT_EQ(result.epochs[0].layers[0].silent_neurons, 2u) << batch;
      EXPECT_EQ(evaluate(trainer, data, observer).layers[0].silent_neurons, 2u) << batch;
      // Two of ten are a fifth: from there on they are told.
      EXPECT_TRUE(observer.warned("2 of 10 neurons of layer 'hidden' are dead")) << batch;
    }
  }
}

// Told when it begins, not in every epoch, and not below a fifth.
TEST(Fit, DeadNeuronsAreToldOnce) {
  const TwoClasses data(80);
  Network network = small_network();
  network.layers[0].initial_activity = 0.0;
  const auto warnings = [&](std::size_t alive) {
    Options options = small_options();
    options.epochs = 3;
    options.optimizer.learning_rate = 1e-30;
    Trainer trainer(network, options);
    std::vector<Tensor> parameters = trainer.parameters();
    const std::size_t neurons = network.layers[0].size;
    // Channel 0 drives the living: it spikes in three of ten steps.
    std::fill(parameters[0].values.begin(), parameters[0].values.end(), 0.0f);
    std::fill_n(parameters[0].values.begin(), std::min(alive, neurons), 2.0f);
    trainer.set_parameters(parameters);
    Observer observer;
    fit(trainer, data, observer);
    return observer.warnings.size();
  };
  EXPECT_EQ(warnings(17), 0u);  // 3 of 20 are dead
  EXPECT_EQ(warnings(16), 1u);
}

TEST(Fit, WarnsOfLayersThatAreDeadSaturatedOrFull) {
  const TwoClasses data(40);
  const auto warnings = [&](const std::function<void(Layer&)>& change) {
    Network network = small_network();
    network.layers[0].initial_activity = 0.0;
    change(network.layers[0]);
    Options options = small_options();
    options.epochs = 1;
    options.optimizer.learning_rate = 1e-6;
    Trainer trainer(network, options);
    Observer observer;
    fit(trainer, data, observer);
    return observer;
  };
  const Observer well = warnings([](Layer& l) { l.initial_activity = 0.1; });
  for (const char* part : {"did not spike", "spikes in", "dropped"})
    EXPECT_FALSE(well.warned(part));
  EXPECT_TRUE(
      warnings([](Layer& l) { l.threshold = 1e6; }).warned("'hidden' did not spike in epoch 1"));
  EXPECT_TRUE(warnings([](Layer& l) { l.initial_gain = 0.0; }).warned("'hidden' did not spike"));
  const Observer full = warnings([](Layer& l) { l.max_activity = 0.05; });
  EXPECT_TRUE(full.warned("'hidden' dropped")) << "one of 20 neurons a step";
  EXPECT_TRUE(full.warned("max_activity"));
  Network network = small_network();
  network.layers[0].initial_activity = 0.9;  // many spikes, whatever the weights' signs
  network.layers[0].threshold = 1e-6;
  network.layers[0].initial_activity = 0.0;
  network.layers[0].reset = Reset::subtract;
  Options options = small_options();
  options.epochs = 1;
  options.second_threshold = {-100.0, 1e-7, 0.5};
  Trainer trainer(network, options);
  std::vector<Tensor> parameters = trainer.parameters();
  for (float& w : parameters[0].values) w = std::abs(w);
  trainer.set_parameters(parameters);
  Observer observer;
  fit(trainer, data, observer);
  EXPECT_TRUE(observer.warned("'hidden' spikes in"));
}

// The reference strategy keeps no lists, so their capacity means nothing to it: said, not ignored.
TEST(Fit, SaysWhatTheStrategyIgnores) {
  const TwoClasses data(20);
  Network network = small_network();
  network.layers[0].max_activity = 0.5;
  Options options = small_options();
  options.epochs = 1;
  for (const Strategy strategy : {Strategy::sparse, Strategy::reference}) {
    options.strategy = strategy;
    Trainer trainer(network, options);
    Observer observer;
    fit(trainer, data, observer);
    EXPECT_EQ(observer.warned("max_activity of layer 'hidden' has no effect"),
              strategy == Strategy::reference);
  }
}

TEST(Fit, ADivergedTrainingHasItsPlace) {
  const TwoClasses data(60);
  Network network = small_network();
  network.layers[0].initial_activity = 0.0;
  Options options = small_options();
  options.optimizer.kind = OptimizerKind::sgd;
  options.optimizer.schedule = ScheduleKind::constant;
  options.optimizer.learning_rate = 3e38;
  Trainer trainer(network, options);
  Observer observer;
  std::string message, layer;
  try {
    fit(trainer, data, observer);
  } catch (const DivergedError& error) {
    message = error.what();
    layer = error.layer;
  }
  EXPECT_NE(message.find("Epoch 1, batch 2: "), std::string::npos) << message;
  EXPECT_NE(message.find("'" + layer + "'"), std::string::npos) << message;
  EXPECT_FALSE(layer.empty());
}

// Nothing looks at the last update of an epoch, unless there is validation: it must not be handed
// out.
TEST(Fit, AnUpdateThatDivergesIsNotHandedOut) {
  const TwoClasses data(20);
  Options options = small_options();
  options.validation_fraction = 0.0;
  options.batch = 32;  // all samples: one update, whose decay of the weights is infinite
  options.optimizer.learning_rate = 3e38;
  options.optimizer.weight_decay = 10.0;
  Trainer trainer(small_network(), options);
  Observer observer;
  std::string message;
  try {
    fit(trainer, data, observer);
  } catch (const DivergedError& error) {
    message = error.what();
  }
  EXPECT_NE(message.find("Epoch 1, last batch: "), std::string::npos) << message;
  EXPECT_TRUE(observer.parameters.empty());
}

// In validation too: weights that are still finite, but not what they add up to. How large a step
// that takes depends on the gradients.
TEST(Fit, ValidationThatDivergesHasItsPlace) {
  const TwoClasses data(20);
  Network network = small_network();
  network.layers[0].initial_activity = 0.0;
  Options options = small_options();
  options.optimizer.kind = OptimizerKind::sgd;
  std::string messages;
  for (const double rate : {1e35, 1e36, 3e36, 1e37, 3e37, 1e38, 3e38}) {
    options.optimizer.learning_rate = rate;  // one batch, whose update is all there is
    Trainer trainer(network, options);
    Observer observer;
    try {
      fit(trainer, data, observer);
    } catch (const DivergedError& error) {
      messages += error.what() + std::string("\n");
    }
  }
  EXPECT_NE(messages.find("Epoch 1, validation: "), std::string::npos) << messages;
}

TEST(Fit, WhatTheReaderThrowsArrives) {
  TwoClasses data(80);
  data.broken = 33;
  Trainer trainer(small_network(), small_options());
  Observer observer;
  try {
    fit(trainer, data, observer);
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("ends at byte 120"), std::string::npos);
  }
  EXPECT_THROW((void)evaluate(trainer, data, observer), InputError);
}

TEST(Fit, RefusesDataOfAnotherShape) {
  TwoClasses data(80);
  data.channels = 9;
  data.labels = 1;
  Trainer trainer(small_network(), small_options());
  Observer observer;
  const auto sentences = [&](const auto& action) {
    std::string all;
    try {
      action();
    } catch (const InputError& error) {
      for (const Problem& problem : error.problems()) all += problem.message;
    }
    return all;
  };
  for (const std::string& text : {sentences([&] { fit(trainer, data, observer); }),
                                  sentences([&] { (void)evaluate(trainer, data, observer); })}) {
    EXPECT_NE(text.find("1 x 1 x 9"), std::string::npos) << text;
    EXPECT_NE(text.find("1 x 1 x 8"), std::string::npos) << text;
    EXPECT_NE(text.find("number of classes 1, but the network 'small' needs 2"), std::string::npos)
        << text;
  }
}

}  // namespace
}  // namespace tessera::training
