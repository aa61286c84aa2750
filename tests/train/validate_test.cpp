// Validation of networks and options: every mistake is found, named and located; good networks
// pass.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "train/small_network.hpp"

namespace tessera::training {
namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

struct Case {
  std::string words;  ///< of the message
  std::string key;    ///< end of the key path
  std::function<void(Network&, Options&)> spoil;
};

Network good_network() {
  Network n = test::network(10, test::layer("hidden", NeuronKind::lif, 20), 3, 50);
  n.layers[0].where = {"net.toml", 12, 1, "layer[1]"};
  return n;
}

std::string all_messages(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& p : problems) text += p.where.to_string() + ": " + p.message + "\n";
  return text;
}

void expect_found(const Case& c) {
  Network n = good_network();
  Options o;
  c.spoil(n, o);
  const auto problems = validate(n, o);
  EXPECT_TRUE(std::any_of(problems.begin(), problems.end(),
                          [&](const Problem& p) {
                            return p.message.find(c.words) != std::string::npos &&
                                   p.where.key_path.ends_with(c.key);
                          }))
      << c.words << " at " << c.key << "\nfound:\n"
      << all_messages(problems);
}

Connection convolution(std::uint32_t filters, std::uint32_t kernel) {
  Connection c;
  c.kind = ConnectionKind::convolution;
  c.filters = filters;
  c.kernel = kernel;
  return c;
}

TEST(training_validation, accepts_good_networks) {
  Network n = good_network();
  EXPECT_EQ(all_messages(validate(n, {})), "");
  n.input = {8, 8, 2};
  n.layers[0].input = convolution(4, 3);
  n.layers[0].size = 0;
  n.layers[0].recurrent = Connection{};
  n.layers[0].membrane = {0.8, 0.99, true, true};
  EXPECT_EQ(all_messages(validate(n, {})), "");
  n.layers.back().neuron = NeuronKind::lif;
  Options o;
  o.loss.kind = LossKind::spike_count;
  o.second_threshold = {-infinity, 0.9, 0.0};
  EXPECT_EQ(all_messages(validate(n, o)), "");
}

TEST(training_validation, finds_mistakes_of_the_network) {
  const std::vector<Case> cases = {
      {"has no layers", "layers", [](Network& n, Options&) { n.layers.clear(); }},
      {"steps of the network is 0", "steps", [](Network& n, Options&) { n.steps = 0; }},
      {"classes of the network is 0", "classes", [](Network& n, Options&) { n.classes = 0; }},
      {"The input has the shape", "input", [](Network& n, Options&) { n.input.channels = 0; }},
      {"dt_ms of the network", "dt_ms", [](Network& n, Options&) { n.dt_ms = nan; }},
      {"has the shape 3 (3 neurons), but there are 4 classes", "size",
       [](Network& n, Options&) { n.classes = 4; }},
      {"Two layers have the name 'readout'", "name",
       [](Network& n, Options&) { n.layers[0].name = "readout"; }},
      {"cannot be the name", "name", [](Network& n, Options&) { n.layers[0].name = "a/b"; }},
      {"not the last layer", "neuron",
       [](Network& n, Options&) { n.layers[0].neuron = NeuronKind::readout; }},
      {"cannot have a recurrent connection", "recurrent",
       [](Network& n, Options&) { n.layers[1].recurrent = Connection{}; }},
      {"size of layer 'hidden' is 0", "layer[1].size",
       [](Network& n, Options&) { n.layers[0].size = 0; }},
  };
  for (const Case& c : cases) expect_found(c);
}

TEST(training_validation, finds_mistakes_of_neurons) {
  const std::vector<Case> cases = {
      {"of 20 neurons that is a capacity of zero; it must be at least 0.05", "max_activity",
       [](Network& n, Options&) { n.layers[0].max_activity = 0.01; }},
      {"max_activity of layer 'hidden' is 0;", "max_activity",
       [](Network& n, Options&) { n.layers[0].max_activity = 0.0; }},
      {"above its max_activity", "initial_activity",
       [](Network& n, Options&) {
         n.layers[0].max_activity = 0.1;
         n.layers[0].initial_activity = 0.2;
       }},
      {"never spikes", "readout", [](Network& n, Options&) { n.layers[1].initial_activity = 0.1; }},
      {"threshold of layer 'hidden' is 0", "threshold",
       [](Network& n, Options&) { n.layers[0].threshold = 0.0; }},
      {"capacitance", "capacitance", [](Network& n, Options&) { n.layers[0].capacitance = nan; }},
      {"at least 0 and below 1", "membrane.high",
       [](Network& n, Options&) { n.layers[0].membrane.high = 1.0; }},
      {"above membrane.high", "membrane",
       [](Network& n, Options&) {
         n.layers[0].membrane = {0.9, 0.8, true, false};
       }},
      {"needs per_neuron", "membrane",
       [](Network& n, Options&) {
         n.layers[0].membrane = {0.8, 0.9, false, false};
       }},
      {"must be above 0 when the factor is trained", "membrane",
       [](Network& n, Options&) {
         n.layers[0].membrane = {0.0, 0.0, false, true};
       }},
      {"steepness", "steepness",
       [](Network& n, Options&) { n.layers[0].surrogate_steepness = -1.0; }},
      {"regulariser.low", "regulariser.low",
       [](Network& n, Options&) {
         n.layers[0].regulariser = {1.0, 0.5, 0.2};
       }},
  };
  for (const Case& c : cases) expect_found(c);
}

TEST(training_validation, finds_mistakes_of_connections) {
  const std::vector<Case> cases = {
      {"only sparse connections have a density", "connection.density",
       [](Network& n, Options&) { n.layers[0].input.density = 0.5; }},
      {"density of layer 'hidden' is 0", "connection.density",
       [](Network& n, Options&) {
         n.layers[0].input.kind = ConnectionKind::sparse;
         n.layers[0].input.density = 0.0;
       }},
      {"from 0 to 1023 steps", "connection.max_delay",
       [](Network& n, Options&) {
         n.layers[0].input.kind = ConnectionKind::sparse;
         n.layers[0].input.max_delay = 5000;
       }},
      {"at most max_delay", "recurrent.min_delay",
       [](Network& n, Options&) {
         n.layers[0].recurrent = Connection{};
         n.layers[0].recurrent->kind = ConnectionKind::sparse;
         n.layers[0].recurrent->min_delay = 3;
         n.layers[0].recurrent->max_delay = 2;
       }},
      {"must be dense or sparse", "recurrent.kind",
       [](Network& n, Options&) { n.layers[0].recurrent = convolution(2, 3); }},
      {"does not fit its input of the shape 10", "convolution.kernel",
       [](Network& n, Options&) { n.layers[0].input = convolution(2, 3); }},
      {"size of layer 'hidden' is 20, but its convolution of an input of the shape 5 x 5 x 1 has "
       "the shape 3 x 3 x 2 (18 neurons)",
       "size",
       [](Network& n, Options&) {
         n.input = {5, 5, 1};
         n.layers[0].input = convolution(2, 3);
       }},
      {"the layer below has the shape 10", "pool",
       [](Network& n, Options&) { n.layers[0].input.pool = 2; }},
      {"stride", "convolution.stride",
       [](Network& n, Options&) {
         n.layers[0].input = convolution(2, 3);
         n.layers[0].input.stride = 0;
       }},
      {"weights; it must have at most", "connection",
       [](Network& n, Options&) {
         n.input = {1, 1, 1U << 16};
         n.layers[0].size = 1U << 16;
       }},
  };
  for (const Case& c : cases) expect_found(c);
}

TEST(training_validation, finds_mistakes_of_options) {
  const std::vector<Case> cases = {
      {"a finite number above 0", "optimizer.learning_rate",
       [](Network&, Options& o) { o.optimizer.learning_rate = infinity; }},
      {"below 1", "optimizer.beta2", [](Network&, Options& o) { o.optimizer.beta2 = 1.0; }},
      {"needs a spiking output, but the last layer, 'readout'", "loss.kind",
       [](Network&, Options& o) { o.loss.kind = LossKind::spike_count; }},
      {"needs a readout as the last layer", "loss.kind",
       [](Network& n, Options&) { n.layers[1].neuron = NeuronKind::lif; }},
      {"at most the threshold of layer 'hidden', which is 0.5", "second_threshold.target",
       [](Network& n, Options&) { n.layers[0].threshold = 0.5; }},
      {"-infinity when rate is 0", "second_threshold.start",
       [](Network&, Options& o) { o.second_threshold.start = -infinity; }},
      {"from 1 to 65536 samples", "batch", [](Network&, Options& o) { o.batch = 0; }},
      {"too many lists", "batch",
       [](Network& n, Options& o) {
         n.steps = 65'536;
         o.batch = 65'536;
       }},
      {"epochs", "epochs", [](Network&, Options& o) { o.epochs = 0; }},
      {"validation_fraction", "validation_fraction",
       [](Network&, Options& o) { o.validation_fraction = 1.0; }},
      {"without validation samples", "patience",
       [](Network&, Options& o) {
         o.patience = 3;
         o.validation_fraction = 0.0;
       }},
  };
  for (const Case& c : cases) expect_found(c);
}

TEST(training_validation, reports_all_problems_at_once_with_their_place) {
  Network n = good_network();
  n.layers[0].threshold = -1.0;
  n.layers[0].capacitance = 0.0;
  n.classes = 7;
  Options o;
  o.batch = 0;
  const auto problems = validate(n, o);
  EXPECT_EQ(problems.size(), 4U) << all_messages(problems);
  EXPECT_NE(all_messages(problems).find("net.toml:12:1 (layer[1].threshold)"), std::string::npos)
      << all_messages(problems);
}

TEST(training_validation, survives_shapes_that_overflow) {
  Network n = good_network();
  n.input = {0xFFFFFFFFU, 0xFFFFFFFFU, 0xFFFFFFFFU};
  n.layers[0].input = convolution(0xFFFFFFFFU, 3);
  n.layers[0].input.padding = 0xFFFFFFFFU;
  EXPECT_FALSE(validate(n, {}).empty());
}

}  // namespace
}  // namespace tessera::training
