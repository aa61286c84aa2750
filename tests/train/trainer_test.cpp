// What the trainer promises: the same weights for any number of threads, exact resume, full lists
// that are counted, and sentences for what cannot be.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <ostream>
#include <string>

#include "train/blas.hpp"
#include "train/engine.hpp"
#include "train/networks.hpp"

namespace tessera::training {
namespace {

constexpr double kEverything = -std::numeric_limits<double>::infinity();

// Bit for bit, with the name of the first array that differs.
void expect_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t k = 0; k < a.size(); ++k) {
    EXPECT_EQ(a[k].name, b[k].name);
    EXPECT_TRUE(a[k].values == b[k].values) << a[k].name;
  }
}

bool same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor& x, const Tensor& y) { return x.values == y.values; });
}

// Sizes that change, one sample, and no spikes at all.
std::vector<SpikeBatch> five_batches(const Network& network) {
  return {random_batch(network, 5, 0.2, 1), random_batch(network, 19, 0.1, 2),
          random_batch(network, 3, 0.0, 3), random_batch(network, 1, 0.3, 4),
          random_batch(network, 7, 0.25, 5)};
}

Options adamw_options(int threads) {
  Options options = options_of({}, Strategy::sparse, threads);
  options.optimizer.learning_rate = 0.01;
  options.optimizer.weight_decay = 0.01;
  return options;
}

struct Case {
  std::string name;
  std::function<void(Network&)> change;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }  // for test listings

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"dense", [](Network&) {}},
      {"one_step",
       [](Network& n) {
         n.steps = 1;
         n.layers[0].initial_gain = 4.0;
         n.layers[1].initial_gain = 4.0;
       }},
      {"wide",
       [](Network& n) {
         n.layers[0].size = 300;
         n.layers[1].size = 140;
       }},
      {"recurrent",
       [](Network& n) {
         n.layers[0].size = 150;
         n.layers[0].recurrent = Connection{};
       }},
      {"sparse_delayed",
       [](Network& n) {
         for (Layer& l : n.layers) l.input = sparse(0.4, 0, 3);
         n.layers[1].recurrent = sparse(0.4, 0, 2);
       }},
      {"long",
       [](Network& n) {  // the largest batch needs several blocks of steps, the others one
         n.steps = 70;
         n.layers[0].size = 256;
         n.layers[1].size = 200;
         n.layers[1].recurrent = Connection{};
       }},
      {"convolution",
       [](Network& n) {
         make_convolutional(n, 2);
         for (Layer& l : n.layers) l.bias = true;
       }},
      {"convolution_recurrent",
       [](Network& n) {
         make_convolutional(n, 1);
         n.layers[1].recurrent = sparse(0.1, 0, 1);
       }},
      {"many_tiles",
       [](Network& n) {  // dealt out to workers, the rest shared
         n.layers[0].size = 150;
         n.layers[1].size = 1200;
         n.layers[1].initial_gain *= 2.0;
         n.layers[1].bias = true;
       }},
      {"decays_and_biases",
       [](Network& n) {
         make_adaptive(n.layers[0]);
         make_synaptic(n.layers[1]);
         for (Layer& l : n.layers) {
           train_decays(l);
           l.bias = true;
         }
         n.layers[0].membrane = {0.7, 0.95, true, true};
       }},
  };
  return all;
}

class EveryCase : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Trainer, EveryCase, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(EveryCase, WeightsDoNotDependOnThreads) {
  Network network = two_layers();
  GetParam().change(network);
  const std::vector<SpikeBatch> batches = five_batches(network);
  for (const double clip : {0.0, 0.05}) {
    std::vector<Tensor> parameters, state;
    double loss = 0.0;
    for (const int threads : {1, 2, 3}) {
      Options options = adamw_options(threads);
      options.optimizer.clip_norm = clip;
      Trainer trainer(network, options);
      const std::vector<Tensor> before = trainer.parameters();
      double sum = 0.0;
      for (const SpikeBatch& batch : batches) sum += trainer.train(batch).loss;
      if (threads == 1) {
        parameters = trainer.parameters();
        state = trainer.state();
        loss = sum;
        for (std::size_t k = 0; k < before.size(); ++k) {
          EXPECT_NE(before[k].values, parameters[k].values) << before[k].name << " was not trained";
        }
      }
      expect_same(trainer.parameters(), parameters);
      expect_same(trainer.state(), state);
      EXPECT_EQ(sum, loss);
    }
  }
}

// A batch's gradient must not depend on what the buffers held before.
TEST_P(EveryCase, EarlierBatchesLeaveNothingBehind) {
  Network network = two_layers();
  GetParam().change(network);
  const std::vector<SpikeBatch> batches = five_batches(network);
  for (const double theta_grad : {kEverything, 0.5}) {
    Trainer used(network, adamw_options(1));
    used.set_theta_grad(theta_grad);
    std::vector<Tensor> found, wanted;
    for (int pass = 0; pass < 2; ++pass) {
      for (const SpikeBatch& batch : batches) {
        Trainer fresh(network, adamw_options(1));
        fresh.set_theta_grad(theta_grad);
        EXPECT_EQ(used.gradients(batch, found).loss, fresh.gradients(batch, wanted).loss);
        expect_same(found, wanted);
        used.evaluate(batches[1]);
      }
    }
  }
}

TEST_P(EveryCase, ResumesExactly) {
  Network network = two_layers();
  GetParam().change(network);
  const std::vector<SpikeBatch> batches = five_batches(network);
  for (const OptimizerKind kind : {OptimizerKind::adamw, OptimizerKind::sgd}) {
    Options options = adamw_options(1);
    options.optimizer.kind = kind;
    Trainer whole(network, options), first(network, options);
    for (std::size_t k = 0; k < 5; ++k) whole.train(batches[k], 1.0 / (k + 1.0));
    for (std::size_t k = 0; k < 2; ++k) first.train(batches[k], 1.0 / (k + 1.0));
    options.threads = 2;
    Trainer second(network, options);
    second.set_parameters(first.parameters());
    second.set_state(first.state());
    EXPECT_EQ(second.theta_grad(), first.theta_grad());
    for (std::size_t k = 2; k < 5; ++k) second.train(batches[k], 1.0 / (k + 1.0));
    expect_same(second.parameters(), whole.parameters());
    expect_same(second.state(), whole.state());
    EXPECT_EQ(second.theta_grad(), whole.theta_grad());
  }
}

TEST(Trainer, TheSeedMakesTheWeights) {
  const Network network = two_layers();
  Options options = adamw_options(1);
  Trainer a(network, options), b(network, options);
  expect_same(a.parameters(), b.parameters());
  ++options.seed;
  EXPECT_FALSE(same(Trainer(network, options).parameters(), a.parameters()));
}

TEST(Trainer, LooksChangeNothing) {
  const Network network = two_layers();
  const std::vector<SpikeBatch> batches = five_batches(network);
  Trainer quiet(network, adamw_options(1)), asked(network, adamw_options(1));
  std::vector<Tensor> gradients;
  for (const SpikeBatch& batch : batches) {
    quiet.train(batch);
    asked.evaluate(batches[1]);
    asked.gradients(batches[4], gradients);
    asked.train(batch);
  }
  expect_same(asked.parameters(), quiet.parameters());
  expect_same(asked.state(), quiet.state());
  EXPECT_EQ(asked.theta_grad(), quiet.theta_grad());
}

TEST(Trainer, ThetaGradApproachesItsTarget) {
  const Network network = two_layers();
  Trainer trainer(network, adamw_options(1));
  const SpikeBatch batch = random_batch(network, 2, 0.2, 1);
  EXPECT_EQ(trainer.theta_grad(), -100.0);
  trainer.train(batch);
  EXPECT_DOUBLE_EQ(trainer.theta_grad(), -100.0 + 0.5 * 100.9);
  trainer.train(batch);
  EXPECT_DOUBLE_EQ(trainer.theta_grad(), -49.55 + 0.5 * 50.45);
  trainer.evaluate(batch);
  EXPECT_DOUBLE_EQ(trainer.theta_grad(), -24.325);
}

TEST(Trainer, StateHasAThetaGradThatWasSet) {
  const Network network = two_layers();
  for (const double value : {0.1 + 0.2, kEverything}) {
    Trainer a(network, adamw_options(1)), b(network, adamw_options(1));
    a.set_theta_grad(value);
    b.set_state(a.state());
    EXPECT_EQ(b.theta_grad(), value);
  }
}

TEST(Trainer, FullListsAreCounted) {
  Network network = two_layers();
  const SpikeBatch batch = random_batch(network, 6, 0.3, 8);
  Trainer roomy(network, adamw_options(1));
  network.layers[0].max_activity = 0.05;  // 2 of 40
  Trainer narrow(network, adamw_options(2));
  std::vector<Tensor> gradients;
  for (Trainer* trainer : {&roomy, &narrow}) trainer->set_theta_grad(kEverything);
  const LayerActivity all = roomy.gradients(batch, gradients).layers[0];
  const LayerActivity some = narrow.gradients(batch, gradients).layers[0];
  EXPECT_EQ(all.dropped_spikes + all.dropped_gradients, 0u);
  EXPECT_EQ(all.listed, all.neuron_steps);

  std::uint64_t kept = 0;
  for (std::uint32_t b = 0; b < batch.samples; ++b) {
    std::vector<std::array<std::uint32_t, 2>> expected;
    std::vector<std::uint32_t> in_step(network.steps, 0);
    for (const auto& spike : roomy.spikes(0, b)) {
      if (in_step[spike[0]]++ < 2) expected.push_back(spike);
    }
    kept += expected.size();
    EXPECT_EQ(narrow.spikes(0, b), expected) << b;
  }
  EXPECT_LT(kept + 50, all.spikes);
  EXPECT_EQ(some.spikes, kept);
  EXPECT_EQ(some.spikes + some.dropped_spikes, all.spikes);
  // With every neuron wanted, the room that spikes leave is filled.
  const std::uint64_t room = std::uint64_t{2} * batch.samples * network.steps;
  EXPECT_EQ(some.listed, room);
  EXPECT_EQ(some.dropped_gradients, all.neuron_steps - all.spikes - (room - kept));
  const double before = narrow.evaluate(batch).loss;
  for (int k = 0; k < 20; ++k) narrow.train(batch);
  EXPECT_LT(narrow.evaluate(batch).loss, before);
}

TEST(Trainer, InitialActivityIsMet) {
  Network network = two_layers();
  network.layers[0].initial_activity = 0.05;
  network.layers[1].initial_activity = 0.1;
  network.layers[1].recurrent = Connection{};
  const SpikeBatch batch = random_batch(network, 20, 0.1, 8);
  Trainer trainer(network, adamw_options(2));
  const std::vector<Tensor> before = trainer.parameters();
  trainer.initialise_activity(batch);
  const BatchResult result = trainer.evaluate(batch);
  for (std::size_t k : {0, 1}) {
    const LayerActivity& layer = result.layers[k];
    const double wanted = network.layers[k].initial_activity;
    EXPECT_NEAR(static_cast<double>(layer.spikes) / static_cast<double>(layer.neuron_steps), wanted,
                0.1 * wanted);
  }
  const std::vector<Tensor> after = trainer.parameters();
  EXPECT_NE(after[0].values, before[0].values);
  EXPECT_EQ(after.back().values, before.back().values) << "the readout has no initial_activity";
}

// Memory over time follows what is listed, not how many neurons there are.
TEST(Trainer, ListBytesFollowTheListedEntries) {
  Network network = two_layers();
  const SpikeBatch batch = random_batch(network, 4, 0.2, 8);
  Trainer small(network, adamw_options(1));
  network.layers[0].size = 80;  // 40 more, without weights
  Trainer large(network, adamw_options(1));
  std::vector<Tensor> wide = large.parameters();
  const std::vector<Tensor> narrow = small.parameters();
  for (std::size_t k = 0; k < wide.size(); ++k) {
    std::fill(wide[k].values.begin(), wide[k].values.end(), 0.0f);
    const std::size_t columns = narrow[k].shape.back(), wide_columns = wide[k].shape.back();
    for (std::size_t i = 0; i < narrow[k].values.size(); ++i) {
      wide[k].values[i / columns * wide_columns + i % columns] = narrow[k].values[i];
    }
  }
  large.set_parameters(wide);
  std::vector<Tensor> gradients;
  small.set_theta_grad(0.5);
  large.set_theta_grad(0.5);
  const BatchResult few = small.gradients(batch, gradients);
  EXPECT_EQ(large.gradients(batch, gradients).layers[0].listed, few.layers[0].listed);
  EXPECT_EQ(large.list_bytes(), small.list_bytes());
  const std::uint64_t before = small.list_bytes();
  small.set_theta_grad(kEverything);
  const BatchResult all = small.gradients(batch, gradients);
  const std::uint64_t more =
      all.layers[0].listed - few.layers[0].listed + all.layers[1].listed - few.layers[1].listed;
  EXPECT_EQ(small.list_bytes() - before, more * (2 * sizeof(std::uint16_t) + sizeof(float)));
}

// The sentences of the InputError that `action` throws, joined.
std::string complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    std::string all;
    for (const Problem& problem : error.problems()) all += problem.message + "\n";
    return all.empty() ? error.what() : all;
  }
  return "";
}

void expect_has(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
}

TEST(Trainer, RefusesParametersThatDoNotFit) {
  const Network network = two_layers();
  Trainer trainer(network, adamw_options(1));
  const std::vector<Tensor> good = trainer.parameters();
  std::vector<Tensor> bad = good;
  bad[0].shape = {29, 40};
  bad[0].values.resize(29 * 40);
  bad[1].values[3] = std::numeric_limits<float>::quiet_NaN();
  bad[2].name = "out.wait";
  const std::string text = complaint([&] { trainer.set_parameters(bad); });
  expect_has(text, {"'first.weight' has the shape [29, 40]", "[30, 40]",
                    "'second.weight' has a value that is not",
                    "'out.weight' of the network is missing", "no parameter 'out.wait'"});
  expect_same(trainer.parameters(), good);
}

TEST(Trainer, RefusesAStateThatDoesNotFit) {
  const Network network = two_layers();
  Trainer trainer(network, adamw_options(1));
  trainer.train(random_batch(network, 2, 0.2, 1));
  const std::vector<Tensor> good = trainer.state();
  for (std::size_t k = 0; k < good.size(); ++k) {
    std::vector<Tensor> bad = good;
    bad[k].values[0] = std::numeric_limits<float>::quiet_NaN();
    expect_has(complaint([&] { trainer.set_state(bad); }), {"'" + good[k].name + "'"});
    bad = good;
    bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(k));
    expect_has(complaint([&] { trainer.set_state(bad); }), {"'" + good[k].name + "'"});
  }
  std::vector<Tensor> bad = good;
  for (Tensor& tensor : bad) {
    if (tensor.name == "training.batches") tensor.values[0] = 1e30f;
  }
  expect_has(complaint([&] { trainer.set_state(bad); }), {"training.batches"});
  expect_same(trainer.state(), good);
}

TEST(Trainer, RefusesBatchesThatDoNotFit) {
  const Network network = two_layers();
  Trainer trainer(network, adamw_options(1));
  const SpikeBatch good = random_batch(network, 3, 0.2, 1);
  const auto refused = [&](const std::function<void(SpikeBatch&)>& change,
                           const std::vector<std::string>& parts) {
    SpikeBatch bad = good;
    change(bad);
    std::vector<Tensor> gradients;
    expect_has(complaint([&] { trainer.train(bad); }), parts);
    expect_has(complaint([&] { trainer.evaluate(bad); }), parts);
    expect_has(complaint([&] { trainer.gradients(bad, gradients); }), parts);
    expect_has(complaint([&] { trainer.initialise_activity(bad); }), {});
  };
  refused([](SpikeBatch& b) { b = {}; },
          {"no samples", "0 steps, but the network has 12", "0 channels", "30 inputs"});
  refused([](SpikeBatch& b) { b.channels = 31; }, {"31 channels, but the network has 30 inputs"});
  refused([](SpikeBatch& b) { b.steps = 11; },
          {"11 steps, but the network has 12", "37 offsets", "need 34"});
  refused([](SpikeBatch& b) { b.label[2] = 4; },
          {"Sample 2 of the batch has the label 4; labels are 0 to 3"});
  refused([](SpikeBatch& b) { b.label[1] = -1; }, {"Sample 1", "label -1"});
  refused([](SpikeBatch& b) { b.label.pop_back(); }, {"2 labels for 3 samples"});
  refused([](SpikeBatch& b) { std::swap(b.first[3], b.first[9]); }, {"do not rise"});
  refused([](SpikeBatch& b) { b.first.back() += 1; }, {"do not rise"});
  refused([](SpikeBatch& b) { b.channel[5] = 30; }, {"spike of channel 30, but 30 channels"});
}

// Weights that are finite but sum to infinity, in the very first batch.
TEST(Trainer, NamesTheLayerThatDiverged) {
  const Network network = two_layers();
  const SpikeBatch batch = random_batch(network, 5, 0.3, 1);
  std::vector<Options> all = {adamw_options(1), adamw_options(3)};
  if (blas_obstacle().empty()) {
    all.push_back(adamw_options(2));
    all.back().strategy = Strategy::dense;
  }
  for (const Options& options : all) {
    for (const std::string layer : {"first", "second", "out"}) {
      Trainer trainer(network, options), healthy(network, options);
      const std::vector<Tensor> good = trainer.parameters();
      std::vector<Tensor> bad = good;
      for (Tensor& tensor : bad) {
        if (tensor.name == layer + ".weight")
          std::fill(tensor.values.begin(), tensor.values.end(), -3e38f);
      }
      trainer.set_parameters(bad);
      std::string named;
      try {
        trainer.train(batch);
      } catch (const DivergedError& error) {
        named = error.layer;
        expect_has(error.what(), {"'" + layer + "'"});
      }
      EXPECT_EQ(named, layer);
      expect_same(trainer.parameters(), bad);
      trainer.set_parameters(good);  // and the trainer goes on
      trainer.train(batch);
      healthy.train(batch);
      expect_same(trainer.parameters(), healthy.parameters());
    }
  }
}

TEST(Trainer, AHugeLearningRateEndsWithTheWeightsBeforeTheFailedBatch) {
  const Network network = two_layers();
  for (const double clip : {0.0, 1.0}) {
    Options options = adamw_options(2);
    options.optimizer.kind = OptimizerKind::sgd;
    options.optimizer.learning_rate = 3e38;
    options.optimizer.weight_decay = 0.0;
    options.optimizer.clip_norm = clip;
    Trainer trainer(network, options);
    bool failed = false;
    for (std::uint64_t k = 0; k < 20 && !failed; ++k) {
      const std::vector<Tensor> before = trainer.parameters(), state = trainer.state();
      try {
        trainer.train(random_batch(network, 5, 0.3, k));
      } catch (const DivergedError& error) {
        failed = true;
        EXPECT_FALSE(error.layer.empty());
        EXPECT_TRUE(same(trainer.parameters(), before));
        EXPECT_TRUE(same(trainer.state(), state));
      }
    }
    EXPECT_TRUE(failed);
  }
}

// While theta_grad is annealed from far below, every neuron is listed: that says nothing about the
// training.
TEST(TrainerStrategy, AutomaticJudgesTheThresholdThatTrainingApproaches) {
  const Network network = two_layers();
  const SpikeBatch batch = random_batch(network, 5, 0.2, 3);
  Options options = options_of(Loss{}, Strategy::automatic, 1);
  options.second_threshold = {-100.0, 0.9, 0.5};
  Trainer annealed(network, options);
  const BatchResult first = annealed.train(batch);
  EXPECT_EQ(first.layers[0].listed, first.layers[0].neuron_steps) << "all of them, for now";
  EXPECT_EQ(annealed.strategy(), Strategy::sparse);
  options.second_threshold = {-100.0, 0.9, 0.0};  // stays where everything is listed
  Trainer open(network, options);
  open.train(batch);
  EXPECT_EQ(open.strategy(), dense_obstacle(network).empty() ? Strategy::dense : Strategy::sparse);
}

}  // namespace
}  // namespace tessera::training
