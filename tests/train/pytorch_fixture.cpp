// Reads pytorch/gradients.json.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/pytorch_fixture.hpp"

#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "train/parameters.hpp"

namespace tessera::training::test {
namespace {

using nlohmann::json;

template <class Kind>
Kind named(const std::string& name, std::initializer_list<Kind> kinds) {
  for (const Kind kind : kinds)
    if (to_string(kind) == name) return kind;
  throw std::runtime_error("pytorch/gradients.json: unknown name " + name);
}

bool is_trained(const json& layer, const std::string& key) {
  if (!layer.contains("train")) return false;
  for (const json& name : layer.at("train"))
    if (name == key) return true;
  return false;
}

Decay read_decay(const json& layer, const std::string& key, const Decay& otherwise) {
  if (!layer.contains(key)) return otherwise;
  const double value = layer.at(key);
  return {value, value, false, is_trained(layer, key)};
}

Connection read_input(const json& layer) {
  Connection c;
  c.pool = layer.value("pool", 1U);
  c.pooling = layer.value("pooling", "average") == "sum" ? Pooling::sum : Pooling::average;
  if (!layer.contains("convolution")) return c;
  const json& convolution = layer.at("convolution");
  c.kind = ConnectionKind::convolution;
  c.filters = convolution.at("filters");
  c.kernel = convolution.at("kernel");
  c.stride = convolution.at("stride");
  c.padding = convolution.at("padding");
  return c;
}

Layer read_layer(const json& from) {
  Layer layer;
  layer.name = from.at("name");
  layer.neuron = named(from.at("neuron"), {NeuronKind::lif, NeuronKind::adaptive_lif,
                                           NeuronKind::synaptic_lif, NeuronKind::readout});
  layer.size = from.value("size", 0U);
  layer.input = read_input(from);
  if (from.value("recurrent", false)) layer.recurrent = Connection{};
  layer.bias = from.value("bias", false);
  layer.membrane = read_decay(from, "alpha", layer.membrane);
  layer.synapse = read_decay(from, "kappa", layer.synapse);
  layer.adaptation = read_decay(from, "rho", layer.adaptation);
  layer.adaptation_strength = from.value("adaptation_strength", layer.adaptation_strength);
  layer.capacitance = from.at("capacitance");
  if (from.contains("regulariser")) {
    const json& r = from.at("regulariser");
    layer.regulariser = {r.at(0), r.at(1), r.at(2)};
  }
  if (layer.neuron == NeuronKind::readout) return layer;
  layer.threshold = from.at("threshold");
  layer.reset = from.at("reset") == "zero" ? Reset::to_zero : Reset::subtract;
  layer.surrogate =
      named(from.at("surrogate"), {Surrogate::superspike, Surrogate::arctan, Surrogate::sigmoid,
                                   Surrogate::triangular, Surrogate::piecewise_linear});
  layer.surrogate_steepness = from.at("steepness");
  return layer;
}

SpikeBatch read_batch(const json& from, const Network& network, std::uint32_t samples) {
  SpikeBatch batch;
  batch.samples = samples;
  batch.steps = network.steps;
  batch.channels = static_cast<std::uint32_t>(network.input.size());
  batch.first.push_back(0);
  for (const json& list : from.at("spikes")) {
    for (const json& channel : list) batch.channel.push_back(channel);
    batch.first.push_back(static_cast<std::uint32_t>(batch.channel.size()));
  }
  batch.label = from.at("labels").get<std::vector<std::int32_t>>();
  return batch;
}

PytorchCase read_case(const json& from, const json& document) {
  PytorchCase c;
  c.network.name = from.at("name");
  const json& input = from.at("input");
  c.network.input = {input.at(0), input.at(1), input.at(2)};
  c.network.steps = document.at("steps");
  c.network.classes = document.at("classes");
  for (const json& layer : from.at("layers")) c.network.layers.push_back(read_layer(layer));
  c.loss.kind =
      named(from.at("loss").at(0), {LossKind::cross_entropy, LossKind::cross_entropy_per_step,
                                    LossKind::spike_count, LossKind::mean_squared_error});
  c.loss.reduction = named(from.at("loss").at(1),
                           {Reduction::sum, Reduction::mean, Reduction::last, Reduction::max});
  c.batch = read_batch(from, c.network, document.at("samples"));
  const json& expected = from.at("expected");
  c.expected_loss = expected.at("loss");
  c.expected_regulariser = expected.at("regulariser");
  c.expected_prediction = expected.at("prediction").get<std::vector<std::int32_t>>();
  c.expected_spikes = expected.at("spikes").get<std::vector<std::uint64_t>>();
  c.expected_output = expected.at("output").get<std::vector<double>>();
  // Our own initial parameters give names, order and shapes; the values are those of the file.
  for (Tensor& tensor : initial_parameters(c.network, resolve(c.network, 1), 1)) {
    const json& values = from.at("parameters").at(tensor.name);
    if (values.at("shape").get<std::vector<std::uint64_t>>() != tensor.shape)
      throw std::runtime_error(c.network.name + ": another shape of " + tensor.name);
    tensor.values = values.at("values").get<std::vector<float>>();
    c.expected_gradients.push_back(
        expected.at("gradients").at(tensor.name).get<std::vector<double>>());
    c.parameters.push_back(std::move(tensor));
  }
  if (c.parameters.size() != from.at("parameters").size())
    throw std::runtime_error(c.network.name + ": parameters that the network does not have");
  return c;
}

}  // namespace

std::vector<PytorchCase> read_pytorch_cases() {
  std::ifstream file(TESSERA_SOURCE_DIR "/tests/train/pytorch/gradients.json");
  const json document = json::parse(file);
  std::vector<PytorchCase> cases;
  for (const json& from : document.at("cases")) cases.push_back(read_case(from, document));
  return cases;
}

}  // namespace tessera::training::test
