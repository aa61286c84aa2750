// Every fast strategy against the float64 oracle: the same spikes, loss and gradients.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <set>
#include <ostream>
#include <string>

#include "train/blas.hpp"
#include "train/engine.hpp"
#include "train/networks.hpp"

namespace tessera::training {
namespace {

constexpr double kEverything = -std::numeric_limits<double>::infinity();

struct Case {
  std::string name;
  std::function<void(Network&, Loss&)> change;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }  // for test listings

// Relative to the largest element: single small elements are differences of large ones.
double relative_difference(const Tensor& a, const Tensor& b) {
  double largest = 0.0, difference = 0.0;
  for (std::size_t k = 0; k < b.values.size(); ++k) {
    largest = std::max(largest, std::abs(static_cast<double>(b.values[k])));
    difference = std::max(difference, std::abs(static_cast<double>(a.values[k]) - b.values[k]));
  }
  return largest == 0.0 ? difference : difference / largest;
}

void compare(const Case& c, Strategy strategy, double theta_grad, int threads,
             std::uint32_t samples = 5) {
  Network network = two_layers();
  Loss loss;
  c.change(network, loss);
  const SpikeBatch batch = random_batch(network, samples, 0.2, 3);
  Trainer oracle(network, options_of(loss, Strategy::reference, 1));
  Trainer fast(network, options_of(loss, strategy, threads));
  oracle.set_theta_grad(theta_grad);
  fast.set_theta_grad(theta_grad);
  std::vector<Tensor> wanted, found;
  const BatchResult a = oracle.gradients(batch, wanted);
  fast.gradients(random_batch(network, 7, 0.3, 4),
                 found);  // leaves nothing behind for the next batch
  const BatchResult b = fast.gradients(batch, found);
  for (std::size_t k = 0; k < a.layers.size(); ++k) {
    // Otherwise the comparison says little.
    EXPECT_GT(a.layers[k].spikes, a.layers[k].neuron_steps / 200) << a.layers[k].name;
    EXPECT_EQ(b.layers[k].spikes, a.layers[k].spikes) << a.layers[k].name;
    EXPECT_EQ(b.layers[k].listed, a.layers[k].listed) << a.layers[k].name;
    EXPECT_EQ(b.layers[k].silent_neurons, a.layers[k].silent_neurons) << a.layers[k].name;
    EXPECT_EQ(fast.spikes(k, 2), oracle.spikes(k, 2));
  }
  EXPECT_NEAR(b.loss, a.loss, 1e-5 * std::abs(a.loss) + 1e-7);
  EXPECT_EQ(b.prediction, a.prediction);
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    ASSERT_EQ(found[k].name, wanted[k].name);
    ASSERT_EQ(found[k].shape, wanted[k].shape);
    EXPECT_LT(relative_difference(found[k], wanted[k]), 1e-5) << wanted[k].name;
    const bool moves = std::any_of(wanted[k].values.begin(), wanted[k].values.end(),
                                   [](float x) { return x != 0.0f; });
    EXPECT_TRUE(moves) << wanted[k].name << " has no gradient: the case tests nothing";
  }
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"lif", [](Network&, Loss&) {}},
      {"bias",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) l.bias = true;
       }},
      {"capacitance",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) {
           l.capacitance = 2.0;
           l.initial_gain *= 2.0;
         }
       }},
      {"subtract",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) l.reset = Reset::subtract;
       }},
      {"adaptive",
       [](Network& n, Loss&) {
         for (Layer* l : hidden(n)) make_adaptive(*l);
       }},
      {"adaptive_trained",
       [](Network& n, Loss&) {
         for (Layer* l : hidden(n)) {
           make_adaptive(*l);
           train_decays(*l);
         }
       }},
      {"synaptic",
       [](Network& n, Loss&) {
         for (Layer* l : hidden(n)) make_synaptic(*l);
       }},
      {"synaptic_trained",
       [](Network& n, Loss&) {
         for (Layer* l : hidden(n)) {
           make_synaptic(*l);
           train_decays(*l);
           l->bias = true;
         }
       }},
      {"decays_trained",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) train_decays(l);
       }},
      {"decays_per_neuron_subtract",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) {
           train_decays(l);
           l.membrane = {0.7, 0.97, true, true};
           l.reset = Reset::subtract;
         }
       }},
      {"recurrent", [](Network& n, Loss&) { n.layers[0].recurrent = Connection{}; }},
      {"recurrent_sparse_delayed",
       [](Network& n, Loss&) {
         n.layers[0].recurrent = sparse(0.3, 0, 4);
         n.layers[1].recurrent = sparse(0.5, 1, 2);
         n.layers[1].input = sparse(0.4, 0, 3);
       }},
      {"recurrent_adaptive",
       [](Network& n, Loss&) {
         n.layers[0].recurrent = Connection{};
         make_adaptive(n.layers[0]);
         train_decays(n.layers[0]);
       }},
      {"sparse",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) l.input = sparse(0.3, 0, 0);
       }},
      {"sparse_delayed",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) l.input = sparse(0.4, 1, 5);
       }},
      {"convolution", [](Network& n, Loss&) { make_convolutional(n, 1); }},
      {"convolution_pooled", [](Network& n, Loss&) { make_convolutional(n, 2); }},
      {"convolution_readout",
       [](Network& n, Loss&) {
         make_convolutional(n, 1);
         Connection all = n.layers[0].input;
         all.filters = 4;
         all.kernel = 4;
         all.padding = 0;
         n.layers[2].input = all;  // of 4 x 4 pixels
         n.layers[2].size = 0;
       }},
      {"dense_pooled",
       [](Network& n, Loss&) {
         n.input = {7, 6, 2};
         n.layers[0].input.pool = 2;
         n.layers[0].initial_gain *= 2.0;
       }},
      {"sparse_pooled_sum",
       [](Network& n, Loss&) {
         n.input = {7, 6, 2};
         n.layers[0].input = sparse(0.5, 0, 2);
         n.layers[0].input.pool = 3;
         n.layers[0].input.pooling = Pooling::sum;
       }},
      {"regulariser",
       [](Network& n, Loss&) {
         for (Layer* l : hidden(n)) l->regulariser = {50.0, 0.06, 0.08};
       }},
      {"bursts",
       [](Network& n, Loss&) {
         for (Layer* l : hidden(n)) l->bursts = {0.02, 1.0};
       }},
      {"scaled_loss",
       [](Network&, Loss& loss) {
         loss = {LossKind::cross_entropy, Reduction::max};
         loss.scale = 3.0;
         loss.log_probability_penalty = 1e-3;
       }},
      {"arctan",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) l.surrogate = Surrogate::arctan;
       }},
      {"sigmoid",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) l.surrogate = Surrogate::sigmoid;
       }},
      {"triangular",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) {
           l.surrogate = Surrogate::triangular;
           l.surrogate_steepness = 1.0;
         }
       }},
      {"piecewise_linear",
       [](Network& n, Loss&) {
         for (Layer& l : n.layers) {
           l.surrogate = Surrogate::piecewise_linear;
           l.surrogate_steepness = 0.5;
         }
       }},
      {"mean", [](Network&, Loss& l) { l.reduction = Reduction::mean; }},
      {"last", [](Network&, Loss& l) { l.reduction = Reduction::last; }},
      {"max", [](Network&, Loss& l) { l.reduction = Reduction::max; }},
      {"per_step", [](Network&, Loss& l) { l.kind = LossKind::cross_entropy_per_step; }},
      {"mean_squared_error", [](Network&, Loss& l) { l.kind = LossKind::mean_squared_error; }},
      {"spike_count",
       [](Network& n, Loss& l) {
         l.kind = LossKind::spike_count;
         n.layers.back().neuron = NeuronKind::lif;
         n.layers.back().initial_gain = 3.0;
       }},
      {"wide",
       [](Network& n, Loss&) {  // several tiles, the last one not full
         n.layers[0].size = 300;
         n.layers[1].size = 150;
       }},
      {"many_tiles",
       [](Network& n, Loss&) {  // more than four: several of them add to the same ds
         n.steps = 12;
         n.layers[0].size = 150;
         n.layers[1].size = 1200;
         n.layers[1].initial_gain *= 2.0;
       }},
      {"wide_recurrent",
       [](Network& n, Loss&) {
         n.layers[0].size = 140;
         n.layers[0].recurrent = Connection{};
       }},
      {"long",
       [](Network& n, Loss&) {
         n.steps = 130;
         n.layers[0].size = 300;
       }},  // several blocks of steps
      {"long_recurrent",
       [](Network& n, Loss&) {
         n.steps = 60;
         n.layers[0].size = 200;
         n.layers[0].recurrent = Connection{};
       }},
  };
  return all;
}

class SparseStrategy : public testing::TestWithParam<Case> {};

TEST_P(SparseStrategy, EqualsTheOracleWithEveryNeuronListed) {
  compare(GetParam(), Strategy::sparse, kEverything, 2);
}
TEST_P(SparseStrategy, EqualsTheMaskedOracleWithASecondThreshold) {
  compare(GetParam(), Strategy::sparse, 0.4, 1);
}

INSTANTIATE_TEST_SUITE_P(Cases, SparseStrategy, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

// A batch so large that g of a tile is made in blocks of steps: some that divide the steps, some
// that do not; g must flow from block to block, and start from nothing in every tile.
TEST(SparseStrategyInBlocks, EqualsTheOracle) {
  const auto sized = [](std::uint32_t steps, const std::function<void(Network&)>& also) {
    return Case{"blocks", [=](Network& n, Loss&) {
                  n.steps = steps;
                  n.layers[0].size = 250;
                  n.layers[1].size = 130;
                  also(n);
                }};
  };
  for (const std::uint32_t steps : {50u, 60u, 75u}) {
    SCOPED_TRACE(steps);
    compare(sized(steps, [](Network& n) { n.layers[0].bias = true; }), Strategy::sparse, 0.4, 2,
            48);
  }
  compare(sized(50, [](Network& n) { make_synaptic(n.layers[0]); }), Strategy::sparse, 0.4, 3, 48);
  // The input of a recurrent layer is made for 600 steps of 250 neurons at a time.
  const auto recurrent = [](Network& n) {
    n.layers[0].recurrent = Connection{};
    n.layers[0].input = sparse(0.5, 0, 3);
    n.layers[0].bias = true;
  };
  compare(sized(620, recurrent), Strategy::sparse, 0.4, 2, 3);
  for (const std::uint32_t steps : {75u, 130u}) {  // blocks of 60 steps
    compare(sized(steps, [](Network& n) { n.layers[1].recurrent = Connection{}; }),
            Strategy::sparse, 0.4, 2, 48);
  }
}

// What the dense strategy has no matrices for.
const std::set<std::string>& refused_by_dense() {
  static const std::set<std::string> names = {
      "recurrent_sparse_delayed", "sparse_delayed",      "convolution",
      "convolution_pooled",       "convolution_readout", "sparse_pooled_sum", "bursts"};
  return names;
}

std::vector<Case> dense_cases() {
  std::vector<Case> taken;
  for (const Case& c : cases()) {
    if (!refused_by_dense().contains(c.name)) taken.push_back(c);
  }
  taken.push_back({"recurrent_sparse", [](Network& n, Loss&) {
                     n.layers[0].recurrent = sparse(0.3, 0, 0);
                     n.layers[1].recurrent = Connection{};
                     train_decays(n.layers[1]);
                     n.layers[1].bias = true;
                   }});
  taken.push_back({"recurrent_synaptic", [](Network& n, Loss&) {
                     n.layers[0].recurrent = Connection{};
                     make_synaptic(n.layers[0]);
                     n.layers[0].initial_gain = 1.5;
                   }});
  taken.push_back({"sparse_pooled", [](Network& n, Loss&) {
                     n.input = {7, 6, 2};
                     n.layers[0].input = sparse(0.5, 0, 0);
                     n.layers[0].input.pool = 3;
                     n.layers[0].input.pooling = Pooling::sum;
                   }});
  return taken;
}

class DenseStrategy : public testing::TestWithParam<Case> {};

TEST_P(DenseStrategy, EqualsTheOracleWithEveryNeuronListed) {
  if (!blas_obstacle().empty()) GTEST_SKIP() << blas_obstacle();
  compare(GetParam(), Strategy::dense, kEverything, 2);
}
TEST_P(DenseStrategy, EqualsTheMaskedOracleWithASecondThreshold) {
  if (!blas_obstacle().empty()) GTEST_SKIP() << blas_obstacle();
  compare(GetParam(), Strategy::dense, 0.4, 1);
}

// Three batches of training with each number of threads; more rows and neurons than one block has.
TEST_P(DenseStrategy, HasTheSameBitsForAnyNumberOfThreads) {
  if (!blas_obstacle().empty()) GTEST_SKIP() << blas_obstacle();
  Network network = two_layers();
  Loss loss;
  GetParam().change(network, loss);
  const SpikeBatch batch = random_batch(network, 26, 0.2, 3);
  std::vector<Tensor> first;
  for (const int threads : {1, 2, 3}) {
    Trainer trainer(network, options_of(loss, Strategy::dense, threads));
    for (int k = 0; k < 3; ++k) trainer.train(batch);
    const std::vector<Tensor> parameters = trainer.parameters();
    if (threads == 1) first = parameters;
    ASSERT_EQ(parameters.size(), first.size());
    for (std::size_t k = 0; k < first.size(); ++k) {
      EXPECT_TRUE(parameters[k].values == first[k].values)
          << first[k].name << " with " << threads << " threads";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, DenseStrategy, testing::ValuesIn(dense_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(DenseObstacle, IsASentenceAndTheTrainerRefusesWithIt) {
  for (const Case& c : cases()) {
    Network network = two_layers();
    Loss loss;
    c.change(network, loss);
    const std::string obstacle = dense_obstacle(network);
    const bool refused = refused_by_dense().contains(c.name) || !blas_obstacle().empty();
    EXPECT_EQ(!obstacle.empty(), refused) << c.name << ": " << obstacle;
    if (!refused) continue;
    EXPECT_TRUE(obstacle.starts_with("The dense strategy")) << obstacle;
    EXPECT_TRUE(obstacle.ends_with(".")) << obstacle;
    try {
      Trainer(network, options_of(loss, Strategy::dense, 1));
      ADD_FAILURE() << c.name << " is not refused.";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(obstacle), std::string::npos) << error.what();
    }
  }
}

// A machine that the program was copied to may not have it.
TEST(OpenBlas, ThatIsNotThereIsASentence) {
  const std::string obstacle = blas_obstacle_of("libno_such_openblas.so.0");
  EXPECT_TRUE(obstacle.starts_with("The dense strategy needs OpenBLAS")) << obstacle;
  EXPECT_TRUE(obstacle.ends_with(".")) << obstacle;
}

// A library of another kind under that name: found, but without the products.
TEST(OpenBlas, ThatHasNoProductsIsASentence) {
  const std::string obstacle = blas_obstacle_of("libm.so.6");
  EXPECT_TRUE(obstacle.starts_with("The dense strategy needs OpenBLAS")) << obstacle;
}

std::size_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

// The crew's workers compute the products: OpenBLAS has no threads of its own, and what it read in
// the environment for that is as it was.
TEST(OpenBlas, StartsNoThreadsAndLeavesTheEnvironmentAlone) {
  const auto setting = [] {
    const char* const text = std::getenv("OPENBLAS_NUM_THREADS");
    return std::string(text == nullptr ? "none" : text);
  };
  const std::string given = setting();
  const std::size_t before = threads_of_this_process();
  if (!blas_obstacle().empty()) GTEST_SKIP() << blas_obstacle();
  EXPECT_EQ(setting(), given);
  const Network network = two_layers();
  Trainer trainer(network, options_of({}, Strategy::dense, 1));
  trainer.train(random_batch(network, 26, 0.2, 3));
  EXPECT_EQ(threads_of_this_process(), before);
}

// Where there is no synapse the matrix stays zero through updates: after some of them both still do
// the same.
TEST(DenseStrategySynapses, TrainAsThoseOfTheOracle) {
  if (!blas_obstacle().empty()) GTEST_SKIP() << blas_obstacle();
  Network network = two_layers();
  for (Layer& layer : network.layers) layer.input = sparse(0.3, 0, 0);
  network.layers[0].recurrent = sparse(0.2, 0, 0);
  const SpikeBatch batch = random_batch(network, 5, 0.2, 3);
  std::vector<Trainer> trainers;
  for (const Strategy strategy : {Strategy::reference, Strategy::dense}) {
    Options options = options_of({}, strategy, 1);
    options.optimizer.kind = OptimizerKind::sgd;
    options.optimizer.learning_rate = 0.05;
    options.optimizer.clip_norm = 1.0;
    trainers.emplace_back(network, options);
    for (int k = 0; k < 3; ++k) trainers.back().train(batch);
  }
  const std::vector<Tensor> wanted = trainers[0].parameters(), found = trainers[1].parameters();
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    EXPECT_LT(relative_difference(found[k], wanted[k]), 1e-5) << wanted[k].name;
  }
}

// Four bytes of u and one of the spike for every neuron and step of the two hidden layers.
TEST(DenseStrategyMemory, IsProportionalToNeuronsTimesSteps) {
  if (!blas_obstacle().empty()) GTEST_SKIP() << blas_obstacle();
  const Network network = two_layers();
  Trainer trainer(network, options_of({}, Strategy::dense, 1));
  trainer.evaluate(random_batch(network, 5, 0.2, 3));
  EXPECT_EQ(trainer.list_bytes(), 5u * 12 * (40 + 24) * 5);
}

// Groups of one sample whose steps are cut in blocks: 1,100 steps are more than two blocks.
TEST(DenseStrategyBlocks, StateGoesFromBlockToBlock) {
  if (!blas_obstacle().empty()) GTEST_SKIP() << blas_obstacle();
  compare({"blocks",
           [](Network& n, Loss& l) {
             n.steps = 1100;
             l.reduction = Reduction::mean;
             for (Layer* layer : hidden(n)) make_synaptic(*layer);
           }},
          Strategy::dense, 0.4, 2);
}

}  // namespace
}  // namespace tessera::training
