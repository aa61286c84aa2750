// Training over ranks: the same weights, bit for bit, on any number of ranks; slices add up to the gradient of
// the batch; resume on another number; failures that reach all.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "comm/loopback.hpp"
#include "train/blas.hpp"
#include "train/networks.hpp"
#include "train/slices.hpp"

namespace tessera::training {
namespace {

using Ranks = const std::shared_ptr<Communicator>&;

// Sizes that change, fewer samples than slices, one sample.
std::vector<SpikeBatch> batches(const Network& network) {
  return {random_batch(network, 19, 0.2, 1), random_batch(network, 8, 0.1, 2), random_batch(network, 3, 0.3, 3),
          random_batch(network, 1, 0.3, 4), random_batch(network, 16, 0.25, 5)};
}

Options sliced_options(std::uint32_t slices, int threads, double clip = 0.0) {
  Options options = options_of({}, Strategy::sparse, threads);
  options.slices = slices;
  options.optimizer.learning_rate = 0.01;
  options.optimizer.weight_decay = 0.01;
  options.optimizer.clip_norm = clip;
  return options;
}

// Parameters and state after all batches, and losses on the way.
struct Trained {
  std::vector<Tensor> parameters, state;
  std::vector<BatchResult> results;
};

Trained train_all(const Network& network, const Options& options) {
  Trainer trainer(network, options);
  Trained trained;
  for (const SpikeBatch& batch : batches(network)) trained.results.push_back(trainer.train(batch));
  trainer.gather_state();
  trained.parameters = trainer.parameters();
  trained.state = trainer.state();
  return trained;
}

void expect_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t k = 0; k < a.size(); ++k)
    EXPECT_TRUE(a[k].name == b[k].name && a[k].values == b[k].values) << what << ": " << a[k].name;
}

void expect_same(const Trained& a, const Trained& b, const std::string& what) {
  expect_same(a.parameters, b.parameters, what);
  expect_same(a.state, b.state, what);
  for (std::size_t k = 0; k < a.results.size(); ++k) {
    EXPECT_EQ(a.results[k].loss, b.results[k].loss) << what;
    EXPECT_EQ(a.results[k].correct, b.results[k].correct) << what;
    EXPECT_EQ(a.results[k].prediction, b.results[k].prediction) << what;
    EXPECT_EQ(a.results[k].neuron_spikes, b.results[k].neuron_spikes) << what;
    for (std::size_t l = 0; l < a.results[k].layers.size(); ++l) {
      EXPECT_EQ(a.results[k].layers[l].listed, b.results[k].layers[l].listed) << what;
      EXPECT_EQ(a.results[k].layers[l].silent_neurons, b.results[k].layers[l].silent_neurons) << what;
    }
  }
}

struct Case {
  std::string name;
  std::function<void(Network&)> change;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"dense", [](Network&) {}},
      {"recurrent", [](Network& n) { n.layers[0].recurrent = Connection{}; }},
      {"adaptive, decays trained",
       [](Network& n) {
         make_adaptive(n.layers[0]);
         make_synaptic(n.layers[1]);
         for (Layer* l : hidden(n)) train_decays(*l);
       }},
      {"convolution", [](Network& n) { make_convolutional(n, 2); }},
      {"sparse_delayed", [](Network& n) { for (Layer& l : n.layers) l.input = sparse(0.4, 0, 3); }},
      {"deep_r",
       [](Network& n) {
         for (Layer& l : n.layers) {
           l.input = sparse(0.4, 0, 2);
           l.input.rewiring = Rewiring{};
         }
       }},
      {"rigl",
       [](Network& n) {
         n.layers[0].recurrent = sparse(0.3, 0, 0);
         n.layers[0].recurrent->rewiring = Rewiring{};
         n.layers[0].recurrent->rewiring->kind = RewiringKind::rigl;
         n.layers[0].recurrent->rewiring->interval = 2;
       }}};
  return all;
}

TEST(Slices, TheTreeDependsOnTheNumberOfSlicesAlone) {
  // What is left after merging the nodes of all ranks is the root, and every rank has few of them.
  for (std::uint32_t slices = 1; slices <= 40; ++slices) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
      std::vector<SliceRange> nodes;
      for (int r = 0; r < ranks; ++r) {
        const auto own = nodes_of_rank(slices, r, ranks);
        nodes.insert(nodes.end(), own.begin(), own.end());
        EXPECT_LE(own.size(), 10u);  // 2 log2(40)
      }
      EXPECT_EQ(merges_of(nodes, slices).size(), nodes.size() - 1) << slices << " slices, " << ranks << " ranks";
    }
  }
  // Seven slices: ((0 1) (2 3)) ((4 5) 6).
  EXPECT_TRUE(are_halves({0, 4}, {4, 7}, 7));
  EXPECT_TRUE(are_halves({4, 6}, {6, 7}, 7));
  EXPECT_FALSE(are_halves({2, 4}, {4, 6}, 7));
  EXPECT_FALSE(are_halves({5, 6}, {6, 7}, 7));
  EXPECT_FALSE(are_halves({0, 4}, {4, 6}, 7));
}

TEST(Slices, OfABatchHaveItsSamplesInOrder) {
  const Network network = two_layers();
  const SpikeBatch batch = random_batch(network, 11, 0.3, 9);
  std::uint32_t sample = 0;
  for (std::uint32_t s = 0; s < 4; ++s) {
    SpikeBatch part;
    cut_slice(batch, s, 4, part);
    for (std::uint32_t b = 0; b < part.samples; ++b, ++sample) {
      EXPECT_EQ(part.label[b], batch.label[sample]);
      for (std::uint32_t t = 0; t < batch.steps; ++t) {
        const std::size_t q = std::size_t{t} * part.samples + b, whole = std::size_t{t} * batch.samples + sample;
        EXPECT_EQ(std::vector(part.channel.begin() + part.first[q], part.channel.begin() + part.first[q + 1]),
                  std::vector(batch.channel.begin() + batch.first[whole], batch.channel.begin() + batch.first[whole + 1]));
      }
    }
  }
  EXPECT_EQ(sample, 11u);
}

TEST(SlicedTraining, HasTheSameBitsOnAnyNumberOfRanksAndThreads) {
  for (const Case& c : cases()) {
    Network network = two_layers();
    c.change(network);
    for (const double clip : {0.0, 0.05}) {
      const Trained alone = train_all(network, sliced_options(8, 1, clip));
      expect_same(alone, train_all(network, sliced_options(8, 3, clip)), c.name + ", 3 threads");
      for (const int ranks : {2, 3, 4, 7, 8}) {
        run_loopback(ranks, static_cast<std::uint64_t>(ranks), [&](Ranks rank) {
          Options options = sliced_options(8, 1 + rank->rank() % 2, clip);
          options.communicator = rank;
          expect_same(alone, train_all(network, options), c.name + ", ranks: " + std::to_string(ranks));
        });
      }
    }
  }
}

TEST(SlicedTraining, EveryStrategyHasTheSameBits) {
  const Network network = two_layers();
  for (const Strategy strategy : {Strategy::dense, Strategy::reference}) {
    if (strategy == Strategy::dense && !blas_obstacle().empty()) continue;
    Options options = sliced_options(5, 1);
    options.strategy = strategy;
    const Trained alone = train_all(network, options);
    run_loopback(3, 1, [&](Ranks rank) {
      Options own = options;
      own.communicator = rank;
      expect_same(alone, train_all(network, own), to_string(strategy));
    });
  }
}

// With plain descent the step is the gradient: slices change its rounding, nothing else.
TEST(SlicedTraining, IsTheGradientOfTheBatchToRounding) {
  const Network network = two_layers();
  Options options = options_of({}, Strategy::sparse, 1);
  options.optimizer.kind = OptimizerKind::sgd;
  options.optimizer.learning_rate = 1.0;
  options.optimizer.weight_decay = options.optimizer.momentum = options.optimizer.clip_norm = 0.0;
  const SpikeBatch batch = random_batch(network, 19, 0.2, 1);
  Trainer whole(network, options);
  const std::vector<Tensor> before = whole.parameters();
  const double loss = whole.train(batch).loss;
  options.slices = 6;
  Trainer sliced(network, options);
  EXPECT_NEAR(sliced.train(batch).loss, loss, 1e-9 * std::abs(loss));
  const std::vector<Tensor> a = whole.parameters(), b = sliced.parameters();
  for (std::size_t k = 0; k < a.size(); ++k) {
    double largest = 0.0;
    for (std::size_t i = 0; i < a[k].values.size(); ++i)
      largest = std::max<double>(largest, std::abs(a[k].values[i] - before[k].values[i]));
    for (std::size_t i = 0; i < a[k].values.size(); ++i)
      EXPECT_NEAR(a[k].values[i], b[k].values[i], 1e-5 * largest + 1e-7) << a[k].name;
  }
}

TEST(SlicedTraining, GoesOnOnAnotherNumberOfRanks) {
  const Network network = two_layers();
  const Trained whole = train_all(network, sliced_options(6, 1));
  const std::vector<SpikeBatch> all = batches(network);
  std::vector<Tensor> parameters, state;
  run_loopback(2, 3, [&](Ranks rank) {
    Options options = sliced_options(6, 1);
    options.communicator = rank;
    Trainer trainer(network, options);
    for (std::size_t k = 0; k < 2; ++k) trainer.train(all[k]);
    trainer.gather_state();
    if (rank->rank() != 1) return;  // any of them has everything
    parameters = trainer.parameters();
    state = trainer.state();
  });
  run_loopback(3, 4, [&](Ranks rank) {
    Options options = sliced_options(6, 1);
    options.communicator = rank;
    Trainer trainer(network, options);
    trainer.set_parameters(parameters);
    trainer.set_state(state);
    for (std::size_t k = 2; k < all.size(); ++k) trainer.train(all[k]);
    trainer.gather_state();
    expect_same(whole.parameters, trainer.parameters(), "resumed");
    expect_same(whole.state, trainer.state(), "resumed");
  });
}

TEST(SlicedTraining, AStateOfOtherSlicesIsRefused) {
  const Network network = two_layers();
  Trainer six(network, sliced_options(6, 1)), one(network, sliced_options(1, 1));
  EXPECT_THROW(one.set_state(six.state()), InputError);
  EXPECT_THROW(six.set_state(one.state()), InputError);
}

TEST(SlicedTraining, MoreRanksThanSlicesAreRefused) {
  const Network network = two_layers();
  try {
    run_loopback(3, 1, [&](Ranks rank) {
      Options options = sliced_options(2, 1);
      options.communicator = rank;
      Trainer trainer(network, options);
    });
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("A batch has 2 slices, but there are 3 ranks"), std::string::npos)
        << error.what();
  }
}

// A loss that explodes in the samples of one rank ends all ranks with the same sentence.
TEST(SlicedTraining, ALossThatIsNoNumberOnOneRankEndsAll) {
  Network network = two_layers();
  int heard = 0;
  EXPECT_THROW(run_loopback(3, 5,
                            [&](Ranks rank) {
                              Options options = sliced_options(3, 1);
                              options.communicator = rank;
                              Trainer trainer(network, options);
                              std::vector<Tensor> parameters = trainer.parameters();
                              for (Tensor& tensor : parameters) {
                                for (float& x : tensor.values) x = rank->rank() == 1 ? 3e38f : x;
                              }
                              trainer.set_parameters(parameters);
                              try {
                                trainer.train(batches(network)[0]);
                              } catch (const DivergedError& error) {
                                EXPECT_NE(std::string(error.what()).find("stopped being a finite number"), std::string::npos) << error.what();
                                ++heard;
                                throw;
                              }
                            }),
               DivergedError);
  EXPECT_EQ(heard, 3);
}

// Negative control: gradients that are lost, doubled or emptied on their way are noticed.
TEST(SlicedTraining, WhatHappensToAMessageIsNoticed) {
  const Network network = two_layers();
  const Trained alone = train_all(network, sliced_options(4, 1));
  const auto work = [&](Ranks rank) {
    Options options = sliced_options(4, 1);
    options.communicator = rank;
    expect_same(alone, train_all(network, options), "what was not noticed");
  };
  const std::uint64_t messages = run_loopback(2, 1, work).messages;
  int noticed = 0;
  for (std::uint64_t message = 0; message < messages; message += 5) {
    for (const auto kind : {LoopbackFault::Kind::lost, LoopbackFault::Kind::repeated}) {
      EXPECT_THROW(run_loopback(2, 1, work, {kind, message}), std::runtime_error) << message;
    }
    // Some messages are empty, or say "all is well": twice that is no harm. Then the weights are the same.
    try {
      run_loopback(2, 1, work, {LoopbackFault::Kind::doubled, message});
    } catch (const std::runtime_error&) {
      ++noticed;
    }
  }
  EXPECT_GE(noticed, 3);
}

}  // namespace
}  // namespace tessera::training
