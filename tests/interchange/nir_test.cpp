// NIR: what becomes of nodes, what is refused, and networks that come back as they were.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/nir.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <random>

#include "files/file.hpp"
#include "interchange/nir_matrix.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/result.hpp"

namespace tessera::test {
namespace {

using namespace nir;
using namespace training;

using Arrays = std::map<std::string, Array>;

Array list(std::vector<double> values) { return {{values.size()}, values}; }
Array fill(std::vector<std::uint64_t> shape, double value) {
  std::uint64_t n = 1;
  for (const std::uint64_t size : shape) n *= size;
  return {shape, std::vector<double>(n, value)};
}

// tau 2 ms, dt 0.1 ms, r 20: alpha 0.95 and a gain of 1.
Arrays lif() {
  return {{"tau", fill({2}, 2e-3)},
          {"r", fill({2}, 20.0)},
          {"v_leak", fill({2}, 0.0)},
          {"v_threshold", fill({2}, 1.0)},
          {"v_reset", fill({2}, 0.0)}};
}

struct Made {
  Graph graph;
  Made& node(const std::string& name, const std::string& type, Arrays arrays) {
    graph.nodes.push_back({name, type, std::move(arrays), {}});
    return *this;
  }
  Made& edge(const std::string& from, const std::string& to) {
    graph.edges.push_back({at(from), at(to)});
    return *this;
  }
  std::size_t at(const std::string& name) const {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      if (graph.nodes[i].name == name) return i;
    }
    throw std::logic_error("no node " + name);
  }
  Arrays& arrays(const std::string& name) { return graph.nodes[at(name)].arrays; }
};

// input (3) - fc - n - output (2)
Made small(const std::string& neurons = "LIF", Arrays arrays = lif()) {
  Made m;
  m.graph.file = "small.nir";
  m.node("input", "Input", {{"shape", list({3})}}).node("fc", "Linear", {{"weight", fill({2, 3}, 1.0)}});
  m.node("n", neurons, std::move(arrays)).node("output", "Output", {{"shape", list({2})}});
  return m.edge("input", "fc").edge("fc", "n").edge("n", "output");
}

const Tensor& find(const NirNetwork& made, const std::string& name) {
  for (const Tensor& t : made.weights) {
    if (t.name == name) return t;
  }
  throw std::logic_error("no tensor " + name);
}

std::string mistakes(const Graph& graph, const NirOptions& options = {}) {
  try {
    (void)network_of(graph, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

void expect_mistake(const Graph& graph, const std::string& part, const NirOptions& options = {}) {
  EXPECT_NE(mistakes(graph, options).find(part), std::string::npos)
      << part << " is not in: " << mistakes(graph, options);
}

TEST(Nir, TimeConstantsAreSecondsAndDiscretisedAsAskedFor) {
  const NirNetwork euler = network_of(small().graph, {});
  EXPECT_NEAR(euler.network.layers[0].membrane.low, 0.95, 1e-15);
  for (const float w : find(euler, "n.weight").values) EXPECT_FLOAT_EQ(w, 1.0F);
  NirOptions options;
  options.exponential = true;
  const NirNetwork exact = network_of(small().graph, options);
  EXPECT_NEAR(exact.network.layers[0].membrane.low, std::exp(-0.05), 1e-15);
  for (const float w : find(exact, "n.weight").values)
    EXPECT_FLOAT_EQ(w, static_cast<float>(20.0 * (1.0 - std::exp(-0.05))));
}

TEST(Nir, ThresholdsLeaksAndScalesAreWorkedIntoWeightsAndBias) {
  Arrays neurons = lif();
  neurons["v_threshold"] = list({1.0, 2.0});
  neurons["v_leak"] = list({0.0, 0.4});
  Made m = small("LIF", neurons);
  m.node("s", "Scale", {{"scale", list({3.0, 5.0})}});
  m.graph.edges = {};
  m.edge("input", "fc").edge("fc", "s").edge("s", "n").edge("n", "output");
  const NirNetwork made = network_of(m.graph, {});
  EXPECT_EQ(made.network.layers[0].threshold, 1.0);
  const Tensor& w = find(made, "n.weight");  // [source, target]
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_FLOAT_EQ(w.values[2 * i], 3.0F);
    EXPECT_FLOAT_EQ(w.values[2 * i + 1], 2.5F);  // over the threshold
  }
  EXPECT_FLOAT_EQ(find(made, "n.bias").values[0], 0.0F);
  EXPECT_FLOAT_EQ(find(made, "n.bias").values[1], static_cast<float>(0.4 * 0.05 / 2.0));
}

TEST(Nir, SeveralLinearNodesAreOne) {
  // (x -> W1 x + b1 -> W2 x + b2) is W2 W1 x + W2 b1 + b2.
  Made m = small();
  m.arrays("fc") = {{"weight", {{2, 3}, {1, 2, 3, 4, 5, 6}}}, {"bias", list({1, -1})}};
  m.graph.nodes[m.at("fc")].type = "Affine";
  m.node("more", "Affine", {{"weight", {{2, 2}, {1, 1, 0, 2}}}, {"bias", list({10, 20})}});
  m.graph.edges = {};
  m.edge("input", "fc").edge("fc", "more").edge("more", "n").edge("n", "output");
  const NirNetwork made = network_of(m.graph, {});
  EXPECT_EQ(find(made, "n.weight").values, (std::vector<float>{5, 8, 7, 10, 9, 12}));
  EXPECT_EQ(find(made, "n.bias").values, (std::vector<float>{10, 18}));
}

// v' = r I with r = 100 / s and dt = 1 ms adds a tenth of the input, so 0.4 a step: above 1 in the third, every time.
TEST(Nir, AnIntegratorDoesNotLeak) {
  Made m = small("IF", {{"r", fill({2}, 100.0)}, {"v_threshold", fill({2}, 1.0)}});
  m.arrays("fc")["weight"] = {{2, 3}, {4, 0, 0, 0, 4, 0}};
  NirOptions options;
  options.dt_ms = 1.0;
  options.steps = 12;
  const NirNetwork made = network_of(m.graph, options);
  EXPECT_EQ(made.network.layers[0].membrane.low, 1.0);
  for (const Strategy strategy : {Strategy::sparse, Strategy::reference}) {
    Options how;
    how.strategy = strategy;
    how.loss.kind = LossKind::spike_count;
    how.threads = 1;
    Trainer trainer(made.network, how);
    trainer.set_parameters(made.weights);
    SpikeSample sample;
    sample.first = {0};
    for (std::uint32_t t = 0; t < 12; ++t) {
      sample.channel.push_back(0);
      if (t % 2 == 0) sample.channel.push_back(1);  // the other one takes twice as long, and waits in between
      sample.first.push_back(static_cast<std::uint32_t>(sample.channel.size()));
    }
    SpikeBatch batch;
    make_batch({sample}, 3, 12, batch);
    (void)trainer.evaluate(batch);
    std::vector<std::uint32_t> first, second;
    for (const auto& [step, neuron] : trainer.spikes(0, 0)) (neuron == 0 ? first : second).push_back(step);
    EXPECT_EQ(first, (std::vector<std::uint32_t>{2, 5, 8, 11}));
    EXPECT_EQ(second, (std::vector<std::uint32_t>{4, 10}));
  }
}

TEST(Nir, AllMistakesAreTold) {
  Made m = small();
  m.node("d", "Delay", {}).node("late", "LF", {});
  m.arrays("n").erase("tau");
  m.arrays("n")["r"] = fill({2}, std::nan(""));
  const std::string all = mistakes(m.graph);
  for (const char* part :
       {"small.nir (node 'd'): has the type 'Delay'; possible are Input", "node 'late'): has the type 'LF'",
        "Did you mean 'LIF'?", "node 'n'): is a LIF and has no tau", "node 'n'): r has values that are not finite"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << " is not in: " << all;
  }
}

TEST(Nir, MistakesOfSeveralLayersAreTold) {
  Made m = small();
  Arrays bad = lif();
  bad["v_reset"] = list({0.0, 0.1});
  m.arrays("n") = bad;
  m.node("fc2", "Linear", {{"weight", fill({2, 7}, 1.0)}}).node("n2", "LIF", lif());
  m.graph.edges.pop_back();
  m.edge("n", "fc2").edge("fc2", "n2").edge("n2", "output");
  const std::string all = mistakes(m.graph);
  EXPECT_NE(all.find("node 'n'): has a v_reset"), std::string::npos) << all;
  EXPECT_NE(all.find("node 'fc2'): has a weight of shape (2, 7), but 2 inputs"), std::string::npos) << all;
}

TEST(Nir, WhatHasNoCounterpartIsRefused) {
  NirOptions slow;
  slow.dt_ms = 5.0;
  expect_mistake(small().graph, "time constant below dt = 5 ms", slow);
  NirOptions none;
  none.steps = 0;
  none.dt_ms = 0.0;
  expect_mistake(small().graph, "steps: must be from 1 to 65535", none);
  expect_mistake(small().graph, "dt: must be from 0.001", none);
  expect_mistake(small().edge("input", "n").graph, "node 'n'): has several inputs");
  expect_mistake(small().node("lost", "Scale", {{"scale", list({1})}}).graph, "node 'lost'): does not lie between");
  Made two = small();
  two.node("input2", "Input", {{"shape", list({3})}});
  expect_mistake(two.graph, "needs one node of the type Input, not 2");
  Made open = small();
  open.graph.edges.pop_back();
  expect_mistake(open.graph, "node 'output'): does not come after the last");
  Made large = small();
  large.arrays("input")["shape"] = list({256, 256, 256});
  expect_mistake(large.graph, "at most 65536 in all");
  Made wide = small();
  wide.arrays("input")["shape"] = list({65536});
  wide.graph.edges = {};
  wide.node("s", "Scale", {{"scale", list({2})}});
  wide.graph.nodes.erase(wide.graph.nodes.begin() + 1);
  wide.edge("input", "s").edge("s", "n").edge("n", "output");
  expect_mistake(wide.graph, "would need 4294967296 weights");
  Made ring = small();
  ring.node("a", "Scale", {{"scale", list({1})}}).node("b", "Scale", {{"scale", list({1})}});
  ring.edge("a", "b").edge("b", "a").edge("a", "n");
  expect_mistake(ring.graph, "is in a ring without neurons");
}

// --------------------------------------------------------------------------------------- networks there and back

training::Network varied(Reset reset) {
  training::Network n;
  n.name = "varied";
  n.input = {6, 8, 2};
  n.steps = 10;
  n.dt_ms = 0.5;
  n.classes = 3;
  Layer image;
  image.name = "image";
  image.input.kind = ConnectionKind::convolution;
  image.input.filters = 4;
  image.input.kernel = 3;
  image.input.padding = 1;
  image.input.pool = 2;
  image.reset = reset;
  image.threshold = 0.5;
  image.capacitance = 2.0;
  image.bias = true;
  Layer middle;
  middle.name = "middle";
  middle.neuron = NeuronKind::synaptic_lif;
  middle.size = 7;
  middle.recurrent = Connection{};
  middle.reset = reset;
  middle.bias = true;
  middle.membrane = {0.6, 0.97, true, false};
  middle.synapse = {0.3, 0.9, true, true};
  Layer integrating;
  integrating.name = "sum";
  integrating.size = 5;
  integrating.membrane = {1.0, 1.0, false, false};
  integrating.reset = reset;
  Layer out;
  out.name = "out";
  out.neuron = NeuronKind::readout;
  out.size = 3;
  out.membrane = {0.9, 0.9, false, false};
  n.layers = {image, middle, integrating, out};
  return n;
}

std::vector<Tensor> random_weights(const training::Network& network) {
  Options options;
  options.second_threshold.target = 0.4;
  std::vector<Tensor> tensors = Trainer(network, options).parameters();
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  for (Tensor& t : tensors) {
    for (float& value : t.values) value = normal(random);
    // NIR has one bias for each filter.
    if (t.name == "image.bias")
      for (std::size_t i = 4; i < t.values.size(); ++i) t.values[i] = t.values[i % 4];
  }
  return tensors;
}

TEST(Nir, ANetworkComesBackAsItWas) {
  const TemporaryFolder folder;
  const training::Network network = varied(Reset::subtract);
  const std::vector<Tensor> weights = random_weights(network);
  if (!has_hdf5()) GTEST_SKIP() << "built without HDF5";
  export_nir(folder / "varied.nir", network, weights);
  NirOptions options;
  options.dt_ms = 0.5;
  options.steps = 10;
  options.reset = Reset::subtract;
  const NirNetwork back = import_nir(folder / "varied.nir", options);
  ASSERT_EQ(back.network.layers.size(), 4U);
  EXPECT_EQ(back.network.name, "varied");
  EXPECT_NEAR(back.second_threshold, 0.45, 1e-12);
  for (std::size_t i = 0; i < 4; ++i) {
    const Layer &a = network.layers[i], &b = back.network.layers[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.neuron, b.neuron);
    EXPECT_EQ(a.threshold, b.threshold);
    EXPECT_EQ(a.input.pool, b.input.pool);
    EXPECT_EQ(a.recurrent.has_value(), b.recurrent.has_value());
    if (a.membrane.low == a.membrane.high) {
      EXPECT_NEAR(a.membrane.low, b.membrane.low, 1e-12);
    }
  }
  ASSERT_EQ(back.weights.size(), weights.size());
  for (const Tensor& t : weights) {
    // The capacitance of 2 has been worked into weights and bias.
    const float factor = t.name.starts_with("image.") ? 0.5F : 1.0F;
    const Tensor& b = find(back, t.name);
    EXPECT_EQ(t.shape, b.shape) << t.name;
    for (std::size_t j = 0; j < t.values.size(); ++j)
      ASSERT_NEAR(factor * t.values[j], b.values[j], 2e-5) << t.name << " " << j;
  }
  Options how;
  how.second_threshold.target = 0.4;
  Trainer(back.network, how).set_parameters(back.weights);
}

TEST(Nir, WhatFilesCannotSayIsRefusedAtOnce) {
  training::Network network = varied(Reset::to_zero);
  network.layers[1].neuron = NeuronKind::adaptive_lif;
  network.layers[2].refractory = 2;
  network.layers[3].input.kind = ConnectionKind::sparse;
  try {
    (void)graph_of(network, {});
    FAIL();
  } catch (const InputError& error) {
    ASSERT_EQ(error.problems().size(), 3U);
    EXPECT_EQ(error.problems()[0].message, "layer 'middle' has adaptive neurons, for which NIR has no node.");
  }
  EXPECT_THROW((void)graph_of(varied(Reset::to_zero), {}), InputError);  // no weights
  std::vector<Tensor> other = random_weights(varied(Reset::to_zero));
  other[0].values.pop_back();
  EXPECT_THROW((void)graph_of(varied(Reset::to_zero), other), InputError);
}

// Cut off anywhere a file is refused. The heap of its texts, which we read ourselves since nothing else checks it, may
// hold anything: then the file is read or refused.
TEST(Nir, DamagedFilesAreRefused) {
  if (!has_hdf5()) GTEST_SKIP() << "built without HDF5";
  const TemporaryFolder folder;
  write_graph(folder / "good.nir", small().graph);
  EXPECT_EQ(read_graph(folder / "good.nir").nodes.size(), 4U);
  const std::string good = io::read_file(folder / "good.nir", 1 << 20);
  const auto answers = [&](const std::string& bytes) {
    std::ofstream(folder / "bad.nir", std::ios::binary) << bytes;
    try {
      (void)import_nir(folder / "bad.nir", {});
      return true;
    } catch (const InputError&) {
      return false;
    }
  };
  EXPECT_TRUE(answers(good));
  for (std::size_t size = 0; size < good.size(); size += 397) EXPECT_FALSE(answers(good.substr(0, size))) << size;
  const std::size_t heap = good.find("GCOL");
  ASSERT_NE(heap, std::string::npos);
  // An object that says to be longer than its heap, which is what HDF5 would follow.
  std::string longer = good;
  longer[heap + 16 + 8 + 3] = 1;
  std::ofstream(folder / "bad.nir", std::ios::binary) << longer;
  try {
    (void)read_graph(folder / "bad.nir");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("a heap of texts is damaged"), std::string::npos) << error.what();
  }
  std::mt19937 random(3);
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    std::string bad = good;
    bad[heap + random() % 400] ^= static_cast<char>(1U << random() % 8);
    refused += answers(bad) ? 0 : 1;
  }
  EXPECT_GT(refused, 10);
  EXPECT_THROW((void)read_graph(folder / "nothing.nir"), InputError);
}

}  // namespace
}  // namespace tessera::test
