// Ranks that share the tiles of layers: the same weights, bit for bit, as one process; every rank holds its own
// tiles only; resume on another number; failures that reach all.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <tuple>

#include "comm/loopback.hpp"
#include "train/engine.hpp"
#include "train/layer_share.hpp"
#include "train/networks.hpp"
#include "train/optimizer.hpp"
#include "train/parameters.hpp"

namespace tessera::training {
namespace {

using Ranks = const std::shared_ptr<Communicator>&;

// Tiles of at most 128 neurons: 3 in the first layer, 7 in the second (more than there are parts), 1 in the readout.
Network several_tiles() {
  Network network = two_layers();
  network.layers[0].size = 300;
  network.layers[1].size = 800;
  return network;
}

std::vector<SpikeBatch> batches(const Network& network) {
  return {random_batch(network, 19, 0.2, 1), random_batch(network, 1, 0.3, 2), random_batch(network, 8, 0.25, 3)};
}

Options options_with(Parallel parallel, std::uint32_t slices, int threads = 1) {
  Options options = options_of({}, Strategy::sparse, threads);
  options.parallel = parallel;
  options.slices = slices;
  options.optimizer.learning_rate = 0.01;
  options.optimizer.weight_decay = 0.01;
  return options;
}

struct Trained {
  std::vector<Tensor> parameters, state;
  std::vector<BatchResult> results;
  std::vector<float> output;
};

Trained train_all(const Network& network, const Options& options) {
  Trainer trainer(network, options);
  Trained trained;
  for (const SpikeBatch& batch : batches(network)) trained.results.push_back(trainer.train(batch));
  trained.results.push_back(trainer.evaluate(batches(network)[2]));
  trained.output = trainer.output();
  trainer.gather_state();
  trained.parameters = trainer.parameters();
  trained.state = trainer.state();
  return trained;
}

void expect_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t k = 0; k < a.size(); ++k)
    EXPECT_TRUE(a[k].name == b[k].name && a[k].shape == b[k].shape && a[k].values == b[k].values) << what << ": " << a[k].name;
}

void expect_same_results(const Trained& a, const Trained& b, const std::string& what) {
  EXPECT_EQ(a.output, b.output) << what;
  for (std::size_t k = 0; k < a.results.size(); ++k) {
    EXPECT_EQ(a.results[k].loss, b.results[k].loss) << what;
    EXPECT_EQ(a.results[k].prediction, b.results[k].prediction) << what;
    EXPECT_EQ(a.results[k].neuron_spikes, b.results[k].neuron_spikes) << what;
    for (std::size_t l = 0; l < a.results[k].layers.size(); ++l) {
      EXPECT_EQ(a.results[k].layers[l].listed, b.results[k].layers[l].listed) << what;
      EXPECT_EQ(a.results[k].layers[l].dropped_gradients, b.results[k].layers[l].dropped_gradients) << what;
    }
  }
}

// What rank 0 has of all of them, and what every rank has found.
void expect_same(const Trained& a, const Trained& b, Ranks rank, const std::string& what) {
  expect_same_results(a, b, what);
  if (rank->rank() != 0) return;
  expect_same(a.parameters, b.parameters, what);
  expect_same(a.state, b.state, what);
}

struct Case {
  std::string name;
  std::function<void(Network&)> change;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"dense", [](Network&) {}},
      {"full lists", [](Network& n) { for (Layer* l : hidden(n)) l->max_activity = 0.2; }},
      {"adaptive and synaptic, biases and decays trained",
       [](Network& n) {
         make_adaptive(n.layers[0]);
         make_synaptic(n.layers[1]);
         for (Layer& l : n.layers) l.bias = true;
         for (Layer* l : hidden(n)) train_decays(*l);
         n.layers[1].membrane = {0.7, 0.95, true, true};
         n.layers[2].membrane.trainable = true;
       }},
      {"sparse and delayed",
       [](Network& n) {
         n.layers[0].size = 1200;  // sparse tiles have up to 512 neurons
         n.layers[1].size = 1500;
         n.layers[0].input = sparse(0.4, 0, 3);
         n.layers[1].input = sparse(0.05, 0, 0);
       }},
      {"regulariser", [](Network& n) { n.layers[1].regulariser = {10.0, 0.2, 0.3}; }},
      {"recurrent", [](Network& n) { for (Layer* l : hidden(n)) l->recurrent = Connection{}; }},
      {"recurrent with full lists, biases and decays",
       [](Network& n) {
         make_adaptive(n.layers[0]);
         make_synaptic(n.layers[1]);
         for (Layer* l : hidden(n)) {
           l->recurrent = Connection{};
           l->bias = true;
           l->max_activity = 0.2;
           l->refractory = 3;
           train_decays(*l);
         }
       }},
      {"recurrent, sparse and delayed",
       [](Network& n) {
         for (Layer* l : hidden(n)) l->recurrent = sparse(0.1, 0, 4);
         n.layers[0].input = sparse(0.4, 0, 2);
         n.layers[0].size = 1200;
       }},
      {"weight penalty", [](Network& n) { n.layers[0].weight_penalty = n.layers[1].weight_penalty = 300.0; }}};
  return all;
}

TEST(LayerShare, EveryTileBelongsToOneRankAndPartsAreNeverDivided) {
  for (std::uint32_t tiles = 1; tiles <= 40; ++tiles) {
    for (const std::uint32_t slices : {1u, 3u, 8u, 64u}) {
      for (int ranks = 1; ranks <= 9; ++ranks) {
        std::uint32_t next = 0, parts = 0, most = 0, least = tiles;
        for (int r = 0; r < ranks; ++r) {
          const LayerShare share = LayerShare::of_rank(tiles, slices, r, ranks);
          ASSERT_EQ(share.begin(), next);
          next = share.end();
          parts += share.own_parts();
          most = std::max(most, share.own_parts());
          least = std::min(least, share.own_parts());
          for (std::uint32_t tile = share.begin(); tile < share.end(); ++tile) {
            const std::uint32_t part = share.part_of(tile);
            ASSERT_TRUE(tile >= share.first_tile(part) && tile < share.first_tile(part + 1));
            ASSERT_TRUE(part >= share.first_part(r) && part < share.first_part(r + 1));
          }
        }
        ASSERT_EQ(next, tiles);
        ASSERT_EQ(parts, std::min(tiles, std::max(slices, tiles <= 6 ? 6u : 4u)));
        ASSERT_LE(most - least, 1u);
      }
    }
  }
}

// One slice; more than the parts of a layer, and than some batches have samples. Clipped, all gradients meet.
TEST(SharedLayers, HaveTheWeightsOfSharedSamples) {
  for (const Case& c : cases()) {
    Network network = several_tiles();
    c.change(network);
    for (const std::uint32_t slices : {1u, 10u}) {
      Options options = options_with(Parallel::data, slices);
      if (slices > 1) options.optimizer.clip_norm = 0.05;
      const Trained data = train_all(network, options);
      options.parallel = Parallel::model;
      const Trained model = train_all(network, options);
      const std::string what = c.name + ", slices: " + std::to_string(slices);
      expect_same_results(data, model, what);
      expect_same(data.parameters, model.parameters, what);
      expect_same(data.state, model.state, what);
    }
  }
}

TEST(SharedLayers, HaveTheSameBitsOnAnyNumberOfRanksAndThreads) {
  for (const Case& c : cases()) {
    Network network = several_tiles();
    c.change(network);
    for (const double clip : {0.0, 0.05}) {
      if (clip > 0.0 && &c != &cases().front() && c.name != "sparse and delayed") continue;  // clipped alike
      const bool recurrent = network.layers[1].recurrent.has_value();  // which ranks meet in every step
      Options options = options_with(Parallel::model, recurrent ? 3 : 6);
      options.optimizer.clip_norm = clip;
      const Trained alone = train_all(network, options);
      options.threads = 3;
      const Trained threads = train_all(network, options);
      expect_same(alone.parameters, threads.parameters, c.name + ", 3 threads");
      expect_same(alone.state, threads.state, c.name + ", 3 threads");
      for (const int ranks : {2, 3, 6}) {
        if (ranks > static_cast<int>(options.slices)) continue;
        run_loopback(ranks, static_cast<std::uint64_t>(ranks), [&](Ranks rank) {
          Options own = options;
          own.threads = 1 + rank->rank() % 2;
          own.communicator = rank;
          expect_same(alone, train_all(network, own), rank, c.name + ", ranks: " + std::to_string(ranks));
        });
      }
    }
  }
}

// A block of g ends between two steps: 20 samples and tiles of 112 neurons leave room for 102 of them.
TEST(SharedLayers, RecurrentOnesHaveTheSameBitsOverSeveralBlocksOfSteps) {
  Network network = two_layers();
  network.steps = 110;
  network.layers[0].size = 200;
  network.layers[0].recurrent = Connection{};
  network.layers[0].bias = true;
  make_adaptive(network.layers[0]);
  network.layers[1].size = 150;
  network.layers[1].recurrent = sparse(0.3, 0, 0);
  const SpikeBatch batch = random_batch(network, 40, 0.1, 1);
  const auto train = [&](Ranks rank, Parallel parallel) {
    Options options = options_with(parallel, 2);
    options.communicator = rank;
    Trainer trainer(network, options);
    for (int k = 0; k < 2; ++k) trainer.train(batch);
    trainer.gather_state();
    return trainer.parameters();
  };
  const std::vector<Tensor> alone = train(nullptr, Parallel::data);
  run_loopback(2, 1, [&](Ranks rank) {
    const std::vector<Tensor> shared = train(rank, Parallel::model);
    if (rank->rank() == 0) expect_same(alone, shared, "several blocks");
  });
}

TEST(SharedLayers, HaveTheSameBitsInAnyOrderOfEvents) {
  Network network = several_tiles();
  network.layers[1].recurrent = Connection{};
  const Options options = options_with(Parallel::model, 4);
  const Trained alone = train_all(network, options);
  for (std::uint64_t order = 1; order <= 5; ++order) {
    run_loopback(4, order, [&](Ranks rank) {
      Options own = options;
      own.communicator = rank;
      expect_same(alone, train_all(network, own), rank, "order " + std::to_string(order));
    });
  }
}

// Every weight is on one rank: the sums of what the ranks hold of each are the weights.
TEST(SharedLayers, ARankHoldsItsOwnTilesOnly) {
  for (const Case& c : cases()) {
    Network network = several_tiles();
    c.change(network);
    const std::vector<Tensor> whole = Trainer(network, options_with(Parallel::data, 1)).parameters();
    std::vector<std::vector<Tensor>> held(3);
    run_loopback(3, 1, [&](Ranks rank) {
      Options options = options_with(Parallel::model, 6);
      options.communicator = rank;
      held[static_cast<std::size_t>(rank->rank())] = Trainer(network, options).parameters();
    });
    for (std::size_t k = 0; k < whole.size(); ++k) {
      if (!whole[k].name.ends_with("weight")) continue;
      std::size_t holders = 0;
      for (std::size_t i = 0; i < whole[k].values.size(); ++i) {
        int found = 0;
        for (const auto& rank : held) found += rank[k].values[i] == whole[k].values[i] && rank[k].values[i] != 0.0f ? 1 : 0;
        ASSERT_EQ(found, 1) << c.name << ", " << whole[k].name << "[" << i << "]";
      }
      for (const auto& rank : held)
        holders += std::any_of(rank[k].values.begin(), rank[k].values.end(), [](float x) { return x != 0.0f; }) ? 1 : 0;
      EXPECT_EQ(holders, whole[k].name == "out.weight" ? 1u : 3u) << c.name << ", " << whole[k].name;
    }
  }
}

// 300 neurons make 3 tiles of 112, 800 make 7 of 128 (which make 6 parts), 4 one of 16. Rank 0 of 3 has one tile of the
// first layer and the first two of the second (two of six parts); the readout belongs to the last.
TEST(SharedLayers, ARankHasRoomForItsOwnTilesOnly) {
  Network network = several_tiles();
  network.layers[1].recurrent = Connection{};
  const auto floats = [&](const ShareRule& rule) {
    const std::vector<LayerTopology> topology = resolve(network, 1, rule);
    const auto engine = make_sparse_engine(network, {}, topology, Agreement(nullptr));
    Updater updater{Optimizer{}};
    updater.attach(engine->arrays());
    std::vector<std::size_t> sizes;
    for (const ParameterArray* a : engine->arrays()) {
      EXPECT_TRUE(a->gradient.size() == a->value.size() && a->first.size() == a->value.size() &&
                  a->second.size() == a->value.size()) << a->name;
      sizes.push_back(a->value.size());
    }
    return sizes;
  };
  const std::vector<std::size_t> whole = floats({}), first = floats({6, true, 0, 3});
  EXPECT_EQ(whole, (std::vector<std::size_t>{3 * 30 * 112, 7 * 300 * 128, 7 * 800 * 128, 800 * 16}));
  EXPECT_EQ(first, (std::vector<std::size_t>{30 * 112, 3 * 300 * 128, 3 * 800 * 128, 0}));
  std::vector<std::size_t> sum(whole.size(), 0);
  for (int rank = 0; rank < 3; ++rank) {
    const std::vector<std::size_t> own = floats({6, true, rank, 3});
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += own[k];
  }
  EXPECT_EQ(sum, whole);
}

// A recurrent layer costs a message to every other rank in every step forwards, and in every step but the last backwards:
// the last one brings nothing back. In every slice.
TEST(SharedLayers, ARecurrentLayerCostsTwoMessagesAStep) {
  const auto messages = [](bool recurrent) {
    Network network = several_tiles();
    if (recurrent) network.layers[1].recurrent = Connection{};
    std::uint64_t sent = 0;
    run_loopback(3, 1, [&](Ranks rank) {
      Options options = options_with(Parallel::model, 4);
      options.communicator = rank;
      Trainer trainer(network, options);
      const std::uint64_t before = rank->traffic().messages;
      trainer.train(batches(network)[0]);
      if (rank->rank() == 0) sent = rank->traffic().messages - before;
    });
    return sent;
  };
  EXPECT_EQ(messages(true) - messages(false), 2u * 4u * (12u + 11u));
}

TEST(SharedLayers, GoOnOnAnotherNumberOfRanks) {
  const Network network = several_tiles();
  const Options options = options_with(Parallel::model, 6);
  const Trained whole = train_all(network, options);
  const std::vector<SpikeBatch> all = batches(network);
  std::vector<Tensor> parameters, state;
  run_loopback(2, 3, [&](Ranks rank) {
    Options own = options;
    own.communicator = rank;
    Trainer trainer(network, own);
    for (std::size_t k = 0; k < 2; ++k) trainer.train(all[k]);
    trainer.gather_state();
    if (rank->rank() != 0) return;
    parameters = trainer.parameters();
    state = trainer.state();
  });
  run_loopback(3, 4, [&](Ranks rank) {
    Options own = options;
    own.communicator = rank;
    Trainer trainer(network, own);
    trainer.set_state(state);
    rank->rank() == 0 ? trainer.spread_parameters(parameters) : trainer.spread_parameters({});
    trainer.train(all[2]);
    trainer.gather_state();
    if (rank->rank() != 0) return;
    expect_same(whole.parameters, trainer.parameters(), "resumed");
    expect_same(whole.state, trainer.state(), "resumed");
  });
  // Ranks that share samples go on, too.
  run_loopback(4, 5, [&](Ranks rank) {
    Options own = options_with(Parallel::data, 6);
    own.communicator = rank;
    Trainer trainer(network, own);
    trainer.set_state(state);
    trainer.set_parameters(parameters);
    trainer.train(all[2]);
    trainer.gather_state();
    expect_same(whole.parameters, trainer.parameters(), "resumed with shared samples");
    expect_same(whole.state, trainer.state(), "resumed with shared samples");
  });
}

TEST(SharedLayers, GoOnFromSharedSamples) {
  const Network network = several_tiles();
  const Trained whole = train_all(network, options_with(Parallel::data, 6));
  const std::vector<SpikeBatch> all = batches(network);
  Trainer first(network, options_with(Parallel::data, 6));
  for (std::size_t k = 0; k < 2; ++k) first.train(all[k]);
  run_loopback(3, 4, [&](Ranks rank) {
    Options own = options_with(Parallel::model, 6);
    own.communicator = rank;
    Trainer trainer(network, own);
    trainer.set_state(first.state());
    trainer.spread_parameters(rank->rank() == 0 ? first.parameters() : std::vector<Tensor>{});
    trainer.train(all[2]);
    trainer.gather_state();
    if (rank->rank() == 0) expect_same(whole.parameters, trainer.parameters(), "resumed with shared layers");
  });
  std::vector<Tensor> dense = first.state();
  for (Tensor& tensor : dense) {
    if (tensor.name == "training.chosen") tensor.values = {2.0f};
  }
  Trainer model(network, options_with(Parallel::model, 6));
  EXPECT_THROW(model.set_state(dense), InputError);
}

TEST(SharedLayers, AnInitialActivityIsFoundAlike) {
  Network network = several_tiles();
  for (Layer* layer : hidden(network)) layer->initial_activity = 0.1;
  const SpikeBatch batch = batches(network)[0];
  Trainer alone(network, options_with(Parallel::data, 1));
  alone.initialise_activity(batch);
  run_loopback(3, 1, [&](Ranks rank) {
    Options own = options_with(Parallel::model, 3);
    own.communicator = rank;
    Trainer trainer(network, own);
    trainer.initialise_activity(batch);
    trainer.gather_state();
    if (rank->rank() == 0) expect_same(alone.parameters(), trainer.parameters(), "initial activity");
  });
}

// A weight that is too large lies on one rank; all end with the sentence of that rank.
TEST(SharedLayers, WhatBecomesNoNumberOnOneRankEndsAll) {
  Network network = several_tiles();
  for (Layer* layer : hidden(network)) layer->reset = Reset::subtract;  // infinity stays
  for (const std::string layer : {"first", "second", "out"}) {
    int heard = 0;
    EXPECT_THROW(run_loopback(3, 5,
                              [&](Ranks rank) {
                                Options own = options_with(Parallel::model, 3);
                                own.communicator = rank;
                                Trainer trainer(network, own);
                                std::vector<Tensor> parameters = Trainer(network, options_with(Parallel::data, 1)).parameters();
                                for (Tensor& tensor : parameters) {
                                  // The last columns: neurons of the last tile, which one rank owns.
                                  const std::size_t columns = tensor.shape[1];
                                  for (std::size_t i = 0; tensor.name == layer + ".weight" && i < tensor.values.size(); ++i)
                                    if (i % columns + 2 >= columns) tensor.values[i] = 3e38f;
                                }
                                trainer.set_parameters(parameters);
                                try {
                                  trainer.train(batches(network)[0]);
                                } catch (const DivergedError& error) {
                                  heard += error.layer == layer ? 1 : 0;
                                  throw;
                                }
                              }),
                 DivergedError);
    EXPECT_EQ(heard, 3) << layer;
  }
}

// Negative control: lists and gradients that are lost, doubled or emptied on their way are noticed.
TEST(SharedLayers, WhatHappensToAMessageIsNoticed) {
  Network network = several_tiles();
  network.layers[0].recurrent = Connection{};
  const Trained alone = train_all(network, options_with(Parallel::model, 4));
  const auto work = [&](Ranks rank) {
    Options options = options_with(Parallel::model, 4);
    options.communicator = rank;
    const Trained trained = train_all(network, options);
    expect_same(alone, trained, rank, "what was not noticed");
  };
  const std::uint64_t messages = run_loopback(2, 1, work).messages;
  int noticed = 0;
  for (std::uint64_t message = 0; message < messages; message += messages / 9) {
    for (const auto kind : {LoopbackFault::Kind::lost, LoopbackFault::Kind::repeated}) {
      EXPECT_THROW(run_loopback(2, 1, work, {kind, message}), std::runtime_error) << message;
    }
    try {
      run_loopback(2, 1, work, {LoopbackFault::Kind::doubled, message});
    } catch (const std::runtime_error&) {
      ++noticed;
    }
  }
  EXPECT_GE(noticed, 3);
  // Who misses one says in which phase; those of steps are most messages.
  std::set<std::string> missing = {"training: spikes of a step", "training: gradients of a step"};
  for (std::uint64_t message = 0; message < messages && !missing.empty(); message += 23) {
    try {
      run_loopback(2, 1, work, {LoopbackFault::Kind::lost, message});
    } catch (const CommunicationError& error) {
      missing.erase(error.phase);
    }
  }
  EXPECT_TRUE(missing.empty()) << *missing.begin();
}

TEST(SharedLayers, WhatCannotBeSharedIsRefusedWithASentence) {
  const auto problems = [](const std::function<void(Network&, Options&)>& change) {
    Network network = two_layers();
    Options options = options_with(Parallel::model, 2);
    change(network, options);
    std::string all;
    for (const Problem& problem : validate(network, options)) all += problem.message + "\n";
    return all;
  };
  EXPECT_EQ(problems([](Network&, Options&) {}), "");
  EXPECT_EQ(problems([](Network&, Options& o) { o.strategy = Strategy::automatic; }), "");
  EXPECT_NE(problems([](Network&, Options& o) { o.strategy = Strategy::dense; }).find("the dense strategy has no tiles"), std::string::npos);
  EXPECT_NE(problems([](Network&, Options& o) { o.strategy = Strategy::reference; }).find("the reference strategy has no tiles"), std::string::npos);
  EXPECT_NE(problems([](Network& n, Options&) { make_convolutional(n, 1); }).find("layer 'first' is a convolution"), std::string::npos);
  EXPECT_EQ(problems([](Network& n, Options&) { n.layers[1].recurrent = Connection{}; }), "");
  EXPECT_NE(problems([](Network& n, Options&) {
              n.layers[1].recurrent = sparse(0.4, 0, 0);
              n.layers[1].recurrent->rewiring = Rewiring{};
              make_convolutional(n, 1);
            }).find("layer 'second' rewires"),
            std::string::npos);
  EXPECT_NE(problems([](Network& n, Options&) {
              n.layers[1].input = sparse(0.4, 0, 0);
              n.layers[1].input.rewiring = Rewiring{};
            }).find("layer 'second' rewires"),
            std::string::npos);
  EXPECT_NE(problems([](Network& n, Options&) {
              n.input = {6, 5, 1};
              n.layers[0].input.pool = 2;
            }).find("layer 'first' is pooled"),
            std::string::npos);
}

// Few parts are there always, more only with slices.
TEST(SharedLayers, MoreRanksThanPartsAreRefused) {
  for (const auto& [slices, ranks, good] : {std::tuple{1u, 4, true}, {1u, 5, false}, {5u, 5, true}, {5u, 6, false}}) {
    run_loopback(ranks, 1, [&, s = slices, fits = good](Ranks rank) {
      Options options = options_with(Parallel::model, s);
      options.communicator = rank;
      EXPECT_EQ(validate(two_layers(), options).empty(), fits) << s << " slices, " << rank->size() << " ranks";
    });
  }
}

}  // namespace
}  // namespace tessera::training
