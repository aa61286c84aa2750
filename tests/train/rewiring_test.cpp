// Connections that rewire while they are trained: each rule against what its equations say.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <set>
#include <utility>

#include "train/networks.hpp"
#include "train/synapse_store.hpp"

namespace tessera::training {
namespace {

using Pair = std::pair<std::uint32_t, std::uint32_t>;
using Matrix = std::map<Pair, float>;

const Tensor& tensor(const std::vector<Tensor>& tensors, const std::string& name) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.name == name; });
}

// The synapses of a tensor of weights (or gradients, which have the same order).
Matrix matrix(const std::vector<Tensor>& tensors, const std::string& name, const Tensor& indices) {
  const Tensor& values = tensor(tensors, name);
  Matrix all;
  for (std::size_t i = 0; i < values.values.size(); ++i) {
    const auto at = [&](std::size_t k) { return static_cast<std::uint32_t>(indices.values[3 * i + k]); };
    EXPECT_TRUE(all.emplace(Pair{at(0), at(1)}, values.values[i]).second) << "a pair twice";
  }
  return all;
}
Matrix weights(const Trainer& trainer, const std::string& name = "first.weight") {
  const std::vector<Tensor> parameters = trainer.parameters();
  return matrix(parameters, name, tensor(parameters, name + "_indices"));
}

Connection rewired(double density, Rewiring rewiring) {
  Connection connection = sparse(density, 0, 0);
  connection.rewiring = std::move(rewiring);
  return connection;
}

// The first layer's input (and recurrent connection) and the output's rewire.
Network rewiring_network(const Rewiring& rewiring, bool recurrent = true) {
  Network network = two_layers();
  network.layers[0].input = rewired(0.3, rewiring);
  if (recurrent) network.layers[0].recurrent = rewired(0.2, rewiring);
  network.layers[2].input = rewired(0.5, rewiring);
  return network;
}

Options fast_options(double rate, int threads = 1) {
  Options options = options_of({}, Strategy::sparse, threads);
  options.optimizer.learning_rate = rate;
  return options;
}

double sign_of(std::uint64_t seed, std::uint32_t connection, std::uint32_t targets, Pair pair) {
  return is_inhibitory(RandomKey(seed), connection, std::uint64_t{pair.first} * targets + pair.second) ? -1.0 : 1.0;
}

// The same weights in full matrices compute the same, and have the same gradient where there is a synapse.
TEST(Rewiring, ComputesWhatFullMatricesWithZerosCompute) {
  Rewiring rule;
  Trainer trainer(rewiring_network(rule), fast_options(0.03, 2));
  for (std::uint64_t k = 0; k < 6; ++k) trainer.train(random_batch(trainer.network(), 9, 0.2, k));

  Network full = rewiring_network(rule);
  for (Layer& layer : full.layers) layer.input = Connection{};
  full.layers[0].recurrent = Connection{};
  Trainer oracle(full, options_of({}, Strategy::reference, 1));
  std::vector<Tensor> dense = oracle.parameters();
  const std::vector<Tensor> parameters = trainer.parameters();
  for (Tensor& t : dense) {
    if (t.name == "second.weight") {
      t.values = tensor(parameters, t.name).values;
      continue;
    }
    std::fill(t.values.begin(), t.values.end(), 0.0F);
    for (const auto& [pair, w] : weights(trainer, t.name)) t.values[pair.first * t.shape[1] + pair.second] = w;
  }
  oracle.set_parameters(dense);
  oracle.set_theta_grad(trainer.theta_grad());
  const SpikeBatch batch = random_batch(full, 7, 0.25, 99);
  std::vector<Tensor> wanted, found;
  const BatchResult a = oracle.gradients(batch, wanted), b = trainer.gradients(batch, found);
  EXPECT_EQ(a.neuron_spikes, b.neuron_spikes);
  EXPECT_NEAR(a.loss, b.loss, 1e-5 * a.loss);
  for (const std::string name : {"first.weight", "first.recurrent_weight", "out.weight"}) {
    const Tensor& all = tensor(wanted, name);
    float largest = 0.0F;
    for (const float g : all.values) largest = std::max(largest, std::abs(g));
    ASSERT_GT(largest, 0.0F);
    for (const auto& [pair, g] : matrix(found, name, tensor(parameters, name + "_indices")))
      EXPECT_NEAR(g, all.values[pair.first * all.shape[1] + pair.second], 1e-5F * largest) << name;
  }
}

// Delays are drawn like those of a connection that stays, and move with their synapses.
TEST(Rewiring, StartsAsTheSameConnectionThatStays) {
  Rewiring rule;
  rule.kind = RewiringKind::rigl;  // signs as drawn
  Network network = two_layers(), fixed = two_layers();
  for (Network* n : {&network, &fixed}) {
    n->layers[0].input = sparse(0.4, 1, 3);
    n->layers[1].recurrent = sparse(0.3, 0, 2);
  }
  network.layers[0].input.rewiring = network.layers[1].recurrent->rewiring = rule;
  Trainer trainer(network, fast_options(0.01)), still(fixed, options_of({}, Strategy::reference, 1));
  // In the order of the one, which is by delays first.
  for (const std::string name : {"first.weight", "second.recurrent_weight"}) {
    const std::vector<Tensor> own = trainer.parameters();
    std::vector<float> a = tensor(own, name).values, b = tensor(still.parameters(), name).values;
    ASSERT_EQ(a.size(), b.size());
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    EXPECT_EQ(a, b);
  }
}

// deep_r of Bellec et al., written out in float64 for a small matrix.
TEST(DeepR, OfBellecIsItsEquations) {
  Rewiring rule;
  rule.convention = DeepRConvention::bellec;
  rule.l1 = 0.02;
  rule.noise = 0.15;
  Network network = two_layers();
  network.layers[0].input = rewired(0.3, rule);
  Options options = fast_options(0.4);
  options.optimizer.kind = OptimizerKind::sgd;
  options.optimizer.momentum = 0.0;
  Trainer trainer(network, options);
  std::uint64_t removed_in_all = 0;
  for (std::uint32_t n = 0; n < 12; ++n) {
    const SpikeBatch batch = random_batch(network, 6, 0.2, n);
    std::vector<Tensor> gradients;
    trainer.gradients(batch, gradients);
    const std::vector<Tensor> before = trainer.parameters();
    const Tensor& indices = tensor(before, "first.weight_indices");
    const Matrix w = matrix(before, "first.weight", indices), g = matrix(gradients, "first.weight", indices);
    const BatchResult result = trainer.train(batch);
    const Matrix after = weights(trainer);

    std::uint32_t normals = 0;
    const auto normal = [&] {  // Box and Muller, the numbers of (batch, stream 0) one after the other
      const std::uint32_t pair = normals++ / 2;
      const RandomWords words = random_words(RandomKey(7), round_of(Purpose::rewiring, 0), pair / 2, n, 0);
      const double radius = std::sqrt(-2.0 * std::log((words[pair % 2 * 2] + 1.0) / 4294967296.0));
      const double angle = 2.0 * std::numbers::pi * words[pair % 2 * 2 + 1] / 4294967296.0;
      return radius * (normals % 2 == 1 ? std::cos(angle) : std::sin(angle));
    };
    std::size_t kept = 0;
    for (const auto& [pair, weight] : w) {
      const double s = sign_of(7, 0, 40, pair);
      double theta = s * weight;
      theta -= 0.4 * s * g.at(pair);
      theta += 0.4 * 0.15 * normal();
      theta -= 0.4 * 0.02;
      if (std::abs(theta) < 1e-6) continue;  // either way, in float32
      const auto found = after.find(pair);
      if (theta > 0.0) {
        ASSERT_NE(found, after.end());
        EXPECT_NEAR(found->second, s * theta, 1e-6 * (1.0 + theta));
        ++kept;
      } else if (found != after.end()) {  // it was drawn again
        EXPECT_EQ(found->second, static_cast<float>(s) * 1e-12F);
      }
    }
    EXPECT_EQ(after.size(), w.size());
    ASSERT_EQ(result.rewiring.size(), 1u);
    EXPECT_EQ(result.rewiring[0].name, "first.weight");
    EXPECT_EQ(result.rewiring[0].eliminated, w.size() - kept);
    EXPECT_EQ(result.rewiring[0].formed, w.size() - kept);
    std::size_t dormant = 0;
    for (const auto& [pair, weight] : after) {
      if (std::abs(weight) != 1e-12F) continue;
      ++dormant;
      EXPECT_EQ(weight, static_cast<float>(sign_of(7, 0, 40, pair)) * 1e-12F);
    }
    EXPECT_EQ(dormant, w.size() - kept);
    removed_in_all += w.size() - kept;
  }
  EXPECT_GT(removed_in_all, 100u);
}

// deep_r of Knight et al.: the optimiser sees gradient + c s; what has the wrong sign then is gone, and what is
// new is 0. Plain gradient descent makes the step a formula.
TEST(DeepR, InPracticeIsItsEquations) {
  Rewiring rule;
  rule.l1 = 0.2;
  Network network = two_layers();
  network.layers[0].input = rewired(0.3, rule);
  Options options = fast_options(4.0);
  options.optimizer.kind = OptimizerKind::sgd;
  options.optimizer.momentum = 0.0;
  for (const double clip : {0.0, 0.3}) {
    options.optimizer.clip_norm = clip;
    Trainer trainer(network, options);
    const SpikeBatch batch = random_batch(network, 6, 0.2, 1);
    std::vector<Tensor> gradients;
    trainer.gradients(batch, gradients);
    const std::vector<Tensor> before = trainer.parameters();
    const Tensor& indices = tensor(before, "first.weight_indices");
    const Matrix w = matrix(before, "first.weight", indices);
    Matrix g = matrix(gradients, "first.weight", indices);
    double squares = 0.0;
    for (auto& [pair, x] : g) x = static_cast<float>(x + 0.2 * sign_of(7, 0, 40, pair));
    for (const auto& [pair, x] : g) squares += double{x} * x;
    for (const Tensor& t : gradients) {
      if (t.name == "first.weight") continue;
      for (const float x : t.values) squares += double{x} * x;
    }
    const double scale = clip > 0.0 ? std::min(1.0, clip / std::sqrt(squares)) : 1.0;
    EXPECT_EQ(scale < 1.0, clip > 0.0);
    trainer.train(batch);
    const Matrix after = weights(trainer);
    std::size_t removed = 0, fresh = 0;
    for (const auto& [pair, weight] : w) {
      const double s = sign_of(7, 0, 40, pair);
      EXPECT_GE(s * weight, 0.0) << "initial weights have the sign of their pair";
      const double next = weight - 4.0 * scale * g.at(pair);
      if (std::abs(next) < 1e-6) continue;
      if (s * next > 0.0) {
        EXPECT_NEAR(after.at(pair), next, 1e-6 * (1.0 + std::abs(next)));
      } else {
        ++removed;
        EXPECT_TRUE(!after.contains(pair) || after.at(pair) == 0.0F);
      }
    }
    for (const auto& [pair, weight] : after) fresh += weight == 0.0F ? 1 : 0;
    EXPECT_EQ(fresh, removed);
    EXPECT_EQ(after.size(), w.size());
    EXPECT_GT(removed, 5u);
  }
}

TEST(DeepR, ObeysSignsAndKeepsTheNumberOfSynapses) {
  for (const DeepRConvention convention : {DeepRConvention::mlgenn, DeepRConvention::bellec}) {
    Rewiring rule;
    rule.convention = convention;
    Trainer trainer(rewiring_network(rule), fast_options(0.02));
    const std::pair<const char*, std::uint32_t> connections[] = {
        {"first.weight", 0}, {"first.recurrent_weight", 1}, {"out.weight", 4}};
    std::map<std::string, Matrix> start;
    for (const auto& [name, number] : connections) start[name] = weights(trainer, name);
    std::map<std::string, std::uint64_t> formed;
    for (std::uint64_t n = 0; n < 25; ++n) {
      const BatchResult result = trainer.train(random_batch(trainer.network(), 6, 0.2, n));
      for (const RewiringCounts& c : result.rewiring) {
        EXPECT_EQ(c.formed, c.eliminated);
        EXPECT_EQ(c.refused, 0u);
        EXPECT_EQ(c.synapses, start[c.name].size());
        formed[c.name] += c.formed;
      }
    }
    for (const auto& [name, number] : connections) {
      const Matrix now = weights(trainer, name);
      EXPECT_EQ(now.size(), start[name].size());
      EXPECT_GT(formed[name], 3u) << name;
      const std::uint32_t targets = number == 4 ? 4 : 40;
      std::size_t moved = 0;
      for (const auto& [pair, w] : now) {
        EXPECT_GE(w * sign_of(7, number, targets, pair), 0.0);
        moved += start[name].contains(pair) ? 0 : 1;
      }
      EXPECT_GT(moved, 0u) << name;
    }
  }
}

// A rule for tests, around a function.
class Around final : public RewiringRule {
 public:
  using Work = std::function<void(RewiredConnection&)>;
  explicit Around(Work rewire, Work before = {}) : rewire_(std::move(rewire)), before_(std::move(before)) {}
  void rewire(RewiredConnection& connection) override { rewire_(connection); }
  void before_batch(RewiredConnection& connection) override {
    if (before_) before_(connection);
  }
  [[nodiscard]] bool wants_ages() const override { return true; }

 private:
  Work rewire_, before_;
};
Rewiring around(Around::Work rewire, Around::Work before = {}) {
  Rewiring rewiring;
  rewiring.kind = RewiringKind::custom;
  rewiring.custom = [=] { return std::make_unique<Around>(rewire, before); };
  return rewiring;
}

// Numbers that fall into `counts` evenly: chi-squared has mean k - 1 and variance 2 (k - 1), and is nearly
// normal for the hundreds of cells here.
void expect_even(const std::vector<double>& counts, const std::string& what) {
  const double mean = std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
  double chi = 0.0;
  for (const double n : counts) chi += (n - mean) * (n - mean) / mean;
  const double freedom = static_cast<double>(counts.size() - 1);
  ASSERT_GT(mean, 20.0);
  EXPECT_LT(chi, freedom + 5.0 * std::sqrt(2.0 * freedom)) << what;
}

TEST(RewiredConnection, DrawsNewPairsUniformly) {
  constexpr std::uint32_t kSources = 30, kTargets = 40;
  std::vector<double> any(std::size_t{kSources} * kTargets), rows(kSources), columns(kTargets);
  for (const bool by_row : {false, true}) {
    // One row is nearly full: by row it is as likely as others, else not.
    const auto rule = around([&](RewiredConnection& c) {
      c.remove_if([](const RewiredConnection::Synapse&) { return true; });
      for (std::uint32_t t = 0; by_row && t < 30; ++t) c.add(3, t);
      RuleRandom random = c.random(0);
      if (by_row) {
        EXPECT_EQ(c.add_by_row(30, random), 30u);
      } else {
        EXPECT_EQ(c.add_uniformly(60, random), 60u);
      }
      c.for_each([&](const RewiredConnection::Synapse& s) {
        if (by_row && s.source == 3 && s.target < 30) return;
        ++(by_row ? rows[s.source] : any[s.source * kTargets + s.target]);
        if (by_row && s.source != 3) ++columns[s.target];
      });
    });
    Network network = two_layers();
    network.layers[0].input = rewired(0.3, rule);
    network.steps = 1;
    Trainer trainer(network, fast_options(0.01));
    const SpikeBatch batch = random_batch(network, 1, 0.2, 1);
    for (int n = 0; n < 500; ++n) trainer.train(batch);
  }
  expect_even(any, "pairs");
  expect_even(rows, "rows");
  expect_even(columns, "columns of a row");
}

// Where nearly every pair has a synapse, those without are still drawn evenly.
TEST(RewiredConnection, DrawsUniformlyAmongTheLastPairs) {
  std::vector<double> drawn(4 * 12);
  std::uint32_t n = 0;
  const auto rule = around([&](RewiredConnection& c) {
    RuleRandom random = c.random(1);
    c.add_uniformly(c.pairs() - c.synapses() - 1, random);
    EXPECT_EQ(c.synapses(), c.pairs() - 1);
    for (std::uint32_t source = 0; source < c.sources(); ++source) {
      for (std::uint32_t target = 0; target < c.targets(); ++target)
        if (!c.connected(source, target)) ++drawn[source * c.targets() + target];
    }
    EXPECT_EQ(c.add_uniformly(5, random), 1u);
    EXPECT_EQ(c.add_by_row(5, random), 0u);
    EXPECT_EQ(c.probe_uniformly(5, random), 0u);
    c.remove_if([](const RewiredConnection::Synapse&) { return true; });
  });
  Network network = test::network(4, test::layer("first", NeuronKind::lif, 12), 2, 1);
  network.layers[0].input = rewired(0.5, rule);
  Trainer trainer(network, fast_options(0.01));
  const SpikeBatch batch = random_batch(network, 1, 0.5, 1);
  for (; n < 1500; ++n) trainer.train(batch);
  expect_even(drawn, "the last pair");
}

// Random rules of a user: beside a naive set, with refusals, ages and state that moves.
TEST(RewiredConnection, CarriesOutAnyRuleAndRefusesWhatCannotBe) {
  std::set<Pair> naive;
  std::map<Pair, std::uint32_t> born;
  std::uint64_t formed = 0, eliminated = 0, refused = 0;
  bool first = true;
  const auto rule = around([&](RewiredConnection& c) {
    std::set<Pair> seen;
    c.for_each([&](const RewiredConnection::Synapse& s) {
      seen.insert({s.source, s.target});
      EXPECT_EQ(s.sign, c.sign(s.source, s.target));
      EXPECT_TRUE(first || s.born == (born[{s.source, s.target}]));
    });
    if (first) naive = seen;
    EXPECT_EQ(seen, naive);
    first = false;
    RuleRandom random = c.random(7);
    eliminated += c.remove_if([&](const RewiredConnection::Synapse& s) {
      const bool gone = random.uniform() < 0.2;
      if (gone) {
        naive.erase({s.source, s.target});
        born.erase({s.source, s.target});
      }
      return gone;
    });
    for (int k = 0; k < 90; ++k) {
      const Pair pair{random.below(31), random.below(41)};  // one outside on either side
      const bool fits = pair.first < 30 && pair.second < 40 && !naive.contains(pair);
      EXPECT_EQ(c.add(pair.first, pair.second, 0.5F), fits);
      ++(fits ? formed : refused);
      if (fits) {
        naive.insert(pair);
        born[pair] = static_cast<std::uint32_t>(c.batch() + 1);
      }
    }
  });
  Network network = two_layers();
  network.layers[0].input = rewired(0.3, rule);
  Trainer trainer(network, fast_options(0.01));
  const std::size_t start = weights(trainer).size();
  RewiringCounts sum;
  for (std::uint64_t n = 0; n < 60; ++n) {
    const BatchResult result = trainer.train(random_batch(network, 3, 0.2, n));
    sum.eliminated += result.rewiring.at(0).eliminated;
    sum.formed += result.rewiring[0].formed;
    sum.refused += result.rewiring[0].refused;
    EXPECT_EQ(result.rewiring[0].synapses, start + sum.formed - sum.eliminated);
  }
  EXPECT_EQ(sum.formed, formed);
  EXPECT_EQ(sum.eliminated, eliminated);
  EXPECT_EQ(sum.refused, refused);
  EXPECT_GT(refused, 100u);
  std::set<Pair> now;
  for (const auto& [pair, w] : weights(trainer)) now.insert(pair);
  EXPECT_EQ(now, naive);
}

// A new synapse has no optimiser state: its first step of Adam is the rate in the direction of its gradient.
TEST(RewiredConnection, NewSynapsesStartWithoutState) {
  const auto rule = around([](RewiredConnection& c) {
    if (c.batch() != 4) return;
    RuleRandom random = c.random(0);
    c.add_uniformly(c.remove_if([](const RewiredConnection::Synapse& s) { return s.target % 2 == 0; }), random);
  });
  Network network = two_layers();
  network.layers[0].input = rewired(0.3, rule);
  Trainer trainer(network, fast_options(0.01));
  for (std::uint64_t n = 0; n < 5; ++n) trainer.train(random_batch(network, 6, 0.3, n));
  const std::vector<Tensor> state = trainer.state();
  const Matrix now = weights(trainer);
  const std::vector<Tensor> parameters = trainer.parameters();
  const Tensor& indices = tensor(parameters, "first.weight_indices");
  std::size_t fresh = 0, old = 0;
  for (const auto& [pair, m] : matrix(state, "first.weight.first", indices)) {
    const bool is_new = now.at(pair) == 0.0F;
    EXPECT_TRUE(!is_new || m == 0.0F);
    ++(is_new ? fresh : old);
  }
  EXPECT_GT(fresh, 100u);
  EXPECT_GT(old, 100u);
}

TEST(Rigl, ReplacesTheSmallestByTheLargestGradientsOfItsProbes) {
  Rewiring rule;
  rule.kind = RewiringKind::rigl;
  rule.interval = 3;
  rule.fraction = 0.2;
  rule.until = 0.5;
  Network network = two_layers();
  network.layers[0].input = rewired(0.3, rule);
  Trainer trainer(network, fast_options(0.01));
  trainer.plan_batches(40);
  for (std::uint64_t n = 0; n < 30; ++n) {
    const Matrix before = weights(trainer);
    const BatchResult result = trainer.train(random_batch(network, 6, 0.25, n));
    const Matrix after = weights(trainer);
    EXPECT_EQ(after.size(), before.size());
    const double share = n >= 20 ? 0.0 : 0.1 * (1.0 + std::cos(std::numbers::pi * static_cast<double>(n) / 20.0));
    const auto replaced = n % 3 == 2 ? static_cast<std::size_t>(share * static_cast<double>(before.size())) : 0u;
    EXPECT_EQ(result.rewiring.at(0).formed, replaced);
    EXPECT_EQ(result.rewiring.at(0).eliminated, replaced);
    std::size_t gone = 0;
    float largest_gone = 0.0F, smallest_kept = 1e9F;
    for (const auto& [pair, w] : before) {
      const auto found = after.find(pair);
      const bool is_gone = found == after.end();
      gone += is_gone ? 1 : 0;
      if (is_gone) largest_gone = std::max(largest_gone, std::abs(w));
      if (!is_gone && found->second != 0.0F) smallest_kept = std::min(smallest_kept, std::abs(found->second));
    }
    EXPECT_LE(gone, replaced);
    const auto zero = [](const auto& x) { return x.second == 0.0F; };  // the new ones, and any that nothing moved
    EXPECT_GE(static_cast<std::size_t>(std::count_if(after.begin(), after.end(), zero)), replaced);
    // A step of Adam is about the rate at most.
    EXPECT_TRUE(gone == 0 || largest_gone < smallest_kept + 0.03F);
  }
}

// A probe changes nothing but gets the gradient that full matrices have at its pair.
TEST(Rigl, ProbesHaveTheGradientsOfAbsentPairs) {
  std::vector<RewiredConnection::Probe> probes;
  const auto rule = around([&](RewiredConnection& c) { probes = c.probes(); },
                           [](RewiredConnection& c) {
                             RuleRandom random = c.random(0);
                             EXPECT_EQ(c.probe_uniformly(80, random), 80u);
                             EXPECT_FALSE(c.probe(30, 0));
                           });
  Network network = two_layers(), full = two_layers();
  network.layers[0].input = rewired(0.3, rule);
  Trainer trainer(network, fast_options(0.01)), oracle(full, options_of({}, Strategy::reference, 1));
  std::vector<Tensor> dense = oracle.parameters();
  for (Tensor& t : dense) {
    if (t.name != "first.weight") {
      t.values = tensor(trainer.parameters(), t.name).values;
      continue;
    }
    std::fill(t.values.begin(), t.values.end(), 0.0F);
    for (const auto& [pair, w] : weights(trainer)) t.values[pair.first * 40 + pair.second] = w;
  }
  oracle.set_parameters(dense);
  const Matrix before = weights(trainer);
  const SpikeBatch batch = random_batch(network, 6, 0.25, 1);
  std::vector<Tensor> wanted;
  oracle.gradients(batch, wanted);
  const BatchResult result = trainer.train(batch);
  EXPECT_EQ(result.rewiring.at(0).refused, 1u);
  ASSERT_EQ(probes.size(), 80u);
  const Tensor& all = tensor(wanted, "first.weight");
  float largest = 0.0F;
  for (const float g : all.values) largest = std::max(largest, std::abs(g));
  for (const RewiredConnection::Probe& p : probes) {
    EXPECT_FALSE(before.contains({p.source, p.target}));
    EXPECT_NEAR(p.gradient, all.values[p.source * 40 + p.target], 1e-5F * largest);
  }
  const Matrix after = weights(trainer);
  EXPECT_EQ(after.size(), before.size());
  for (const auto& [pair, w] : before) EXPECT_TRUE(after.contains(pair));
}

// The walk of a pair that nothing pulls: its number of synapses rises where theta crosses 0 and falls where a
// synapse does. Without gradient, theta only walks: then it is the equation for every pair.
TEST(SoftDeepR, WalksEveryPair) {
  Rewiring rule;
  rule.kind = RewiringKind::soft_deep_r;
  rule.l1 = 0.5;
  rule.noise = 40.0;
  Network network = two_layers();
  network.layers[0].input = rewired(0.25, rule);
  constexpr double kRate = 1e-4;
  Options options = fast_options(kRate);
  options.optimizer.kind = OptimizerKind::sgd;
  options.optimizer.momentum = 0.0;
  Trainer trainer(network, options);
  const double bound = -(0.75 / 0.25) * (kRate * 40.0 * 40.0 / 2.0) / 0.5;
  std::uint64_t formed = 0, eliminated = 0;
  std::size_t last = weights(trainer).size();
  for (std::uint64_t n = 0; n < 40; ++n) {
    const BatchResult result = trainer.train(random_batch(network, 3, 0.2, n));
    const std::size_t now = weights(trainer).size();
    EXPECT_EQ(now, last + result.rewiring.at(0).formed - result.rewiring[0].eliminated);
    formed += result.rewiring[0].formed;
    eliminated += result.rewiring[0].eliminated;
    last = now;
    for (const auto& [pair, w] : weights(trainer)) EXPECT_GE(w * sign_of(7, 0, 40, pair), 0.0);
    std::size_t connected = 0;
    const std::vector<Tensor> state = trainer.state();
    for (const float theta : tensor(state, "first.weight.rule").values) {
      EXPECT_GE(theta, static_cast<float>(bound));
      EXPECT_TRUE(theta < 0.0F || theta == 1.0F) << theta;
      connected += theta == 1.0F ? 1 : 0;
    }
    EXPECT_EQ(connected, now);
  }
  EXPECT_GT(formed, 50u);
  EXPECT_GT(eliminated, 20u);
}

TEST(Rewiring, GoesOnExactlyWhereItWasInterrupted) {
  Rewiring bellec, rigl, soft;
  bellec.convention = DeepRConvention::bellec;
  rigl.kind = RewiringKind::rigl;
  rigl.interval = 4;
  soft.kind = RewiringKind::soft_deep_r;
  soft.noise = 1.0;
  const auto oldest = around([](RewiredConnection& c) {
    std::uint32_t first = ~0U;
    c.for_each([&](const RewiredConnection::Synapse& s) { first = std::min(first, s.born); });
    std::size_t left = 9;
    const auto removed = c.remove_if([&](const RewiredConnection::Synapse& s) {
      return s.born == first && left > 0 && left-- > 0;
    });
    RuleRandom random = c.random(0);
    c.add_uniformly(removed, random, 0.1F);
  });
  for (const Rewiring& rule : {Rewiring{}, bellec, rigl, soft, oldest}) {
    const Network network = rewiring_network(rule);
    Options options = fast_options(0.01);
    options.optimizer.clip_norm = 0.05;  // whose sum follows the layout of the slots
    const auto batch = [&](std::uint64_t n) { return random_batch(network, 5, 0.2, n); };
    Trainer whole(network, options), begin(network, options), rest(network, options);
    for (Trainer* t : {&whole, &begin, &rest}) t->plan_batches(20);
    for (std::uint64_t n = 0; n < 16; ++n) whole.train(batch(n));
    for (std::uint64_t n = 0; n < 10; ++n) begin.train(batch(n));  // in the middle of rigl's interval
    rest.set_parameters(begin.parameters());
    rest.set_state(begin.state());
    for (std::uint64_t n = 10; n < 16; ++n) rest.train(batch(n));
    const std::vector<Tensor> a = whole.parameters(), b = rest.parameters();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k) EXPECT_EQ(a[k].values, b[k].values) << a[k].name;
    const std::vector<Tensor> c = whole.state(), d = rest.state();
    ASSERT_EQ(c.size(), d.size());
    for (std::size_t k = 0; k < c.size(); ++k) EXPECT_EQ(c[k].values, d[k].values) << c[k].name;
  }
}

TEST(Rewiring, IsTheSameOnAnyNumberOfThreads) {
  Network network = rewiring_network(Rewiring{});
  network.layers[0].size = 600;  // two tiles
  std::vector<Tensor> wanted;
  for (const int threads : {1, 2, 5}) {
    Trainer trainer(network, fast_options(0.01, threads));
    for (std::uint64_t n = 0; n < 6; ++n) trainer.train(random_batch(network, 7, 0.2, n));
    const std::vector<Tensor> found = trainer.parameters();
    if (threads == 1) wanted = found;
    for (std::size_t k = 0; k < wanted.size(); ++k) EXPECT_EQ(found[k].values, wanted[k].values) << wanted[k].name;
  }
}

TEST(Rewiring, SaysWhatDoesNotFit) {
  Network network = rewiring_network(Rewiring{});
  const auto said = [&](const Options& options) {
    std::string all;
    for (const Problem& p : validate(network, options)) all += p.where.key_path + ": " + p.message + "\n";
    return all;
  };
  EXPECT_EQ(said(fast_options(0.01)), "");
  Options options = fast_options(0.01);
  options.strategy = Strategy::reference;
  EXPECT_NE(said(options).find("The reference strategy does not rewire (layer 'first')"), std::string::npos);
  options.strategy = Strategy::dense;
  EXPECT_THROW(Trainer(network, options), InputError);
  network.layers[0].input.rewiring->l1 = -1.0;
  network.layers[0].input.rewiring->interval = 0;
  network.layers[1].input.rewiring = Rewiring{};
  network.layers[2].input.rewiring->kind = RewiringKind::custom;
  const std::string all = said(fast_options(0.01));
  for (const char* part : {"rewiring.l1: ", "rewiring.l1 of layer 'first' is -1; it must be at least 0", "rewiring.interval",
                           "only sparse connections can", "makes no rule"})
    EXPECT_NE(all.find(part), std::string::npos) << part << " in\n" << all;
}

TEST(Rewiring, RefusesParametersThatDoNotBelongTogether) {
  Trainer trainer(rewiring_network(Rewiring{}), fast_options(0.01));
  const std::vector<Tensor> good = trainer.parameters();
  const auto refused = [&](std::vector<Tensor> parameters) {
    try {
      trainer.set_parameters(parameters);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refused(good), "");
  std::vector<Tensor> missing = good;
  std::erase_if(missing, [](const Tensor& t) { return t.name == "first.weight_indices"; });
  EXPECT_NE(refused(missing).find("'first.weight_indices' of the network is missing"), std::string::npos);
  std::vector<Tensor> outside = good;
  for (Tensor& t : outside) {
    if (t.name == "out.weight_indices") t.values[1] = 4.0F;
  }
  EXPECT_NE(refused(outside).find("has the target 4 at synapse 0; it must be a whole number from 0 to 3"),
            std::string::npos);
  std::vector<Tensor> cut = good;
  for (Tensor& t : cut) {
    if (t.name != "first.weight") continue;
    t.values.pop_back();
    t.shape[0] -= 1;
  }
  EXPECT_NE(refused(cut).find("but 'first.weight_indices' has"), std::string::npos);
}

}  // namespace
}  // namespace tessera::training
