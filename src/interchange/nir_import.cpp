// A NIR file as a network to train: the chain of layers behind the graph, and every layer with its weights.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "interchange/nir_matrix.hpp"
#include "tessera/nir.hpp"

namespace tessera::nir {
namespace {

using namespace training;

constexpr std::size_t kLongestChain = 64;

bool is_neuron(const Node& node) {
  return node.type == "LIF" || node.type == "CubaLIF" || node.type == "LI" || node.type == "IF";
}

// Neurons with what leads to them: nodes in order, from the layer (or input) `from`; and back from themselves.
struct Stage {
  const Node* neurons = nullptr;
  const Node* from = nullptr;
  std::vector<const Node*> chain;
  std::optional<std::vector<const Node*>> loop;
};

// Finds the chain of layers.
class Route {
 public:
  Route(const Graph& graph, std::vector<Problem>& problems)
      : graph_(graph), problems_(problems), before_(graph.nodes.size()) {
    for (const auto& [from, to] : graph.edges) before_[to].push_back(from);
    input_ = only("Input");
    output_ = only("Output");
  }

  std::vector<Stage> stages() {
    if (input_ == nullptr || output_ == nullptr) return {};
    std::map<const Node*, Stage> by_neurons;
    for (const Node& node : graph_.nodes) {
      if (is_neuron(node)) by_neurons[&node] = stage_of(node);
    }
    if (!problems_.empty()) return {};
    std::vector<Stage> ordered;
    for (const Node* last = input_; last != nullptr;) {
      const Node* next = nullptr;
      for (const auto& [node, stage] : by_neurons) {
        if (stage.from != last) continue;
        if (next != nullptr) {
          problems_.push_back(graph_.problem(*last, "feeds several layers; a layer has one successor here."));
          return {};
        }
        next = node;
      }
      if (next != nullptr) ordered.push_back(by_neurons[next]);
      if (ordered.size() > by_neurons.size()) break;  // a ring of layers
      last = next;
    }
    const std::vector<std::size_t>& end = before_[index(*output_)];
    const bool ends = end.size() == 1 && !ordered.empty() && &graph_.nodes[end[0]] == ordered.back().neurons;
    if (!ends || ordered.size() != by_neurons.size())
      problems_.push_back(graph_.problem(*output_, "does not come after the last of a chain of layers."));
    require_all_used(ordered);
    return ordered;
  }

  [[nodiscard]] const Node* input() const { return input_; }
  [[nodiscard]] const Node* output() const { return output_; }

 private:
  [[nodiscard]] std::size_t index(const Node& node) const {
    return static_cast<std::size_t>(&node - graph_.nodes.data());
  }

  const Node* only(const char* type) {
    const Node* found = nullptr;
    std::size_t number = 0;
    for (const Node& node : graph_.nodes) {
      if (node.type != type) continue;
      found = &node;
      ++number;
    }
    if (number == 1) return found;
    problems_.push_back(graph_.problem(fmt::format("needs one node of the type {}, not {}.", type, number)));
    return nullptr;
  }

  Stage stage_of(const Node& neurons) {
    Stage stage{&neurons, nullptr, {}, std::nullopt};
    for (const std::size_t before : before_[index(neurons)]) {
      std::vector<const Node*> chain;
      const Node* start = back(graph_.nodes[before], chain);
      if (start == nullptr) continue;
      if (start == &neurons && !stage.loop) {
        stage.loop = std::move(chain);
      } else if (start != &neurons && stage.from == nullptr) {
        stage.from = start;
        stage.chain = std::move(chain);
      } else {
        problems_.push_back(
            graph_.problem(neurons, "has several inputs; one, and one from itself, can be told apart."));
        break;
      }
    }
    return stage;
  }

  void require_all_used(const std::vector<Stage>& stages) {
    std::set<const Node*> used{input_, output_};
    for (const Stage& stage : stages) {
      used.insert(stage.neurons);
      used.insert(stage.chain.begin(), stage.chain.end());
      if (stage.loop) used.insert(stage.loop->begin(), stage.loop->end());
    }
    for (const Node& node : graph_.nodes) {
      if (!used.contains(&node))
        problems_.push_back(graph_.problem(node, "does not lie between the Input and the Output."));
    }
  }

  // The neurons or input where linear nodes begin; they are put into `chain` in their order.
  const Node* back(const Node& last, std::vector<const Node*>& chain) {
    const Node* node = &last;
    while (!is_neuron(*node) && node->type != "Input") {
      const std::vector<std::size_t>& before = before_[index(*node)];
      if (before.size() != 1 || chain.size() == kLongestChain) {
        problems_.push_back(graph_.problem(*node, before.size() == 1
                                                      ? "is in a ring without neurons, or behind too many nodes."
                                                      : fmt::format("must have one input, not {}.", before.size())));
        return nullptr;
      }
      chain.insert(chain.begin(), node);
      node = &graph_.nodes[before[0]];
    }
    return node;
  }

  const Graph& graph_;
  std::vector<Problem>& problems_;
  std::vector<std::vector<std::size_t>> before_;
  const Node *input_ = nullptr, *output_ = nullptr;
};

// Factor per step, and what a constant input of 1 adds in a step.
struct Decays {
  std::vector<double> factor, share;
};

bool all_equal(const std::vector<double>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}
bool any(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double x) { return x != 0.0; });
}

Tensor tensor(const std::string& name, std::vector<std::uint64_t> shape, const std::vector<double>& values) {
  return {name, std::move(shape), std::vector<float>(values.begin(), values.end())};
}

// Makes one layer after the other.
class Layers {
 public:
  Layers(const Graph& graph, const NirOptions& options, NirNetwork& made)
      : graph_(graph), options_(options), dt_(options.dt_ms / 1000.0), made_(made) {}

  // Returns the sizes of the layer. Throws InputError.
  Dims add(const Stage& stage, Dims shape) {
    Layer layer;
    layer.where = graph_.problem(*stage.neurons, "").where;
    layer.name = name_for(stage.neurons->name);
    const std::size_t parameters = made_.weights.size();
    try {
      shape = build(stage, std::move(shape), layer);
    } catch (const InputError&) {
      made_.weights.resize(parameters);
      throw;
    }
    made_.mapping.push_back(sentence(stage, layer));
    made_.network.layers.push_back(std::move(layer));
    return shape;
  }

 private:
  [[noreturn]] void fail(const Node& node, std::string sentence) const {
    throw InputError({graph_.problem(node, std::move(sentence))});
  }

  std::string name_for(const std::string& node) {
    std::string name;
    for (const char c : node)
      name += (std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 128) || c == '-'
                  ? c
                  : '_';
    name.resize(std::min<std::size_t>(name.size(), 56));
    std::string unique = name;
    for (int i = 2; !names_.insert(unique).second; ++i) unique = fmt::format("{}_{}", name, i);
    return unique;
  }

  Dims build(const Stage& stage, Dims shape, Layer& layer) {
    std::vector<const Node*> chain = stage.chain;
    if (!chain.empty() && (chain[0]->type == "AvgPool2d" || chain[0]->type == "SumPool2d")) {
      shape = pooled(graph_, *chain[0], shape, layer.input);
      chain.erase(chain.begin());
    }
    Weights w;
    if (!chain.empty() && chain[0]->type == "Conv2d") {
      if (chain.size() > 1) fail(*chain[1], "has no place between a convolution and its neurons.");
      w = convolution_weights(graph_, *chain[0], shape, layer.input);
    } else {
      w = dense_weights(graph_, chain, shape, *stage.neurons);
      layer.size = static_cast<std::uint32_t>(w.bias.size());
    }
    std::optional<std::vector<double>> recurrent;
    if (stage.loop) {
      if (w.target.size() == 3)
        fail(*stage.neurons, "is an image with recurrent connections, which only dense layers have here.");
      Weights loop = dense_weights(graph_, *stage.loop, w.target, *stage.neurons);
      if (loop.bias.size() != w.bias.size())
        fail(*stage.neurons, fmt::format("has {} neurons, and {} come back.", w.bias.size(), loop.bias.size()));
      for (std::size_t j = 0; j < w.bias.size(); ++j) w.bias[j] += loop.bias[j];
      recurrent = std::move(loop.values);
      layer.recurrent = Connection{};
    }
    finish(*stage.neurons, w, std::move(recurrent), layer);
    return w.target;
  }

  // Gains, thresholds and leaks are worked into weights and bias.
  void finish(const Node& node, Weights& w, std::optional<std::vector<double>> recurrent, Layer& layer) {
    const std::size_t neurons = w.bias.size(), logits = made_.weights.size();
    const std::vector<double> gain = neuron(node, w.target, layer);
    std::vector<double> norm(neurons, 1.0);
    if (layer.neuron != NeuronKind::readout) norm = threshold(node, w.target, layer);
    for (std::size_t j = 0; j < neurons; ++j) {
      w.bias[j] = w.bias[j] * gain[j] * norm[j];
      if (node.arrays.contains("v_leak")) w.bias[j] += leak_[j] * norm[j];
    }
    const std::uint64_t targets = w.convolution ? w.target[0] : neurons;
    for (std::size_t j = targets; j < neurons; ++j) {
      if (gain[j] * norm[j] != gain[j % targets] * norm[j % targets])
        fail(node, "neurons of one filter differ in gain or threshold.");
    }
    for (std::size_t i = 0; i < w.values.size(); ++i) w.values[i] *= gain[i % targets] * norm[i % targets];
    if (recurrent) {
      for (std::size_t i = 0; i < recurrent->size(); ++i) (*recurrent)[i] *= gain[i % neurons] * norm[i % neurons];
    }
    undecay(node, neurons, logits, recurrent, layer);
    const std::uint64_t kernel = layer.input.kernel;
    const std::vector<std::uint64_t> shape =
        w.convolution
            ? std::vector<std::uint64_t>{w.values.size() / (kernel * kernel * targets), kernel, kernel, targets}
            : std::vector<std::uint64_t>{w.values.size() / targets, targets};
    made_.weights.push_back(tensor(layer.name + ".weight", shape, w.values));
    if (recurrent) made_.weights.push_back(tensor(layer.name + ".recurrent_weight", {neurons, neurons}, *recurrent));
    layer.bias = any(w.bias);
    if (layer.bias) made_.weights.push_back(tensor(layer.name + ".bias", {neurons}, w.bias));
  }

  // Training has the undecayed reset for layers of one decay. For others, alpha (u - theta s) - (1 - alpha) theta s is
  // alpha u - theta s: the second part is a neuron's spike acting on itself one step later.
  void undecay(const Node& node, std::size_t neurons, std::size_t first, std::optional<std::vector<double>>& recurrent,
               Layer& layer) {
    diagonal_ = false;
    if (layer.reset != Reset::subtract_undecayed || layer.neuron == NeuronKind::readout) return;
    const auto logit = std::find_if(made_.weights.begin() + static_cast<std::ptrdiff_t>(first), made_.weights.end(),
                                    [&](const Tensor& t) { return t.name == layer.name + ".membrane_logit"; });
    if (logit == made_.weights.end()) return;
    if (layer.neuron != NeuronKind::lif || layer.input.kind == ConnectionKind::convolution)
      fail(node, "subtract_undecayed with a decay for each neuron is possible for dense LIF layers.");
    if (!recurrent) recurrent.emplace(neurons * neurons, 0.0);
    for (std::size_t j = 0; j < neurons; ++j) {
      const double alpha = 1.0 / (1.0 + std::exp(-static_cast<double>(logit->values[j])));
      (*recurrent)[j * neurons + j] -= (1.0 - alpha) * layer.threshold;
    }
    layer.reset = Reset::subtract;
    layer.recurrent = Connection{};
    diagonal_ = true;
  }

  Decays decays(const Node& node, const std::string& field, const Dims& dims) const {
    Decays d;
    for (const double tau : neuron_values(graph_, node, field, dims)) {
      if (!(tau >= dt_ * (1 - 1e-9)))
        fail(node, fmt::format("{} has a time constant below dt = {:g} ms.", field, options_.dt_ms));
      const double factor = options_.exponential ? std::exp(-dt_ / tau) : 1.0 - dt_ / tau;
      d.factor.push_back(std::max(factor, 0.0));
      d.share.push_back(1.0 - factor);
    }
    return d;
  }

  void put(const std::string& parameter, const std::vector<double>& factor, Decay& decay) {
    if (all_equal(factor)) {
      decay.low = decay.high = factor[0];
      return;
    }
    constexpr double kLeast = 1e-12;
    decay.low = std::max(*std::min_element(factor.begin(), factor.end()), kLeast);
    decay.high = *std::max_element(factor.begin(), factor.end());
    decay.per_neuron = true;
    std::vector<double> logits;
    for (const double f : factor) logits.push_back(std::log(std::max(f, kLeast)) - std::log1p(-std::max(f, kLeast)));
    made_.weights.push_back(tensor(parameter, {factor.size()}, logits));
  }

  // Decays; the gain of the input; what v_leak adds in a step.
  std::vector<double> neuron(const Node& node, const Dims& dims, Layer& layer) {
    std::vector<double> gain = neuron_values(graph_, node, "r", dims);
    layer.neuron = node.type == "LI"        ? NeuronKind::readout
                   : node.type == "CubaLIF" ? NeuronKind::synaptic_lif
                                            : NeuronKind::lif;
    if (node.type == "IF") {
      layer.membrane.low = layer.membrane.high = 1.0;
      for (double& g : gain) g *= dt_;
      return gain;
    }
    const Decays membrane = decays(node, node.type == "CubaLIF" ? "tau_mem" : "tau", dims);
    leak_ = neuron_values(graph_, node, "v_leak", dims);
    for (std::size_t j = 0; j < gain.size(); ++j) {
      gain[j] *= membrane.share[j];
      leak_[j] *= membrane.share[j];
    }
    if (node.type == "CubaLIF") {
      if (any(leak_)) fail(node, "has a v_leak that is not 0, which has no counterpart behind a synapse.");
      const Decays synapse = decays(node, "tau_syn", dims);
      const std::vector<double> w_in = node.arrays.contains("w_in") ? neuron_values(graph_, node, "w_in", dims)
                                                                    : std::vector<double>(gain.size(), 1.0);
      for (std::size_t j = 0; j < gain.size(); ++j) gain[j] *= synapse.share[j] * w_in[j];
      put(layer.name + ".synapse_logit", synapse.factor, layer.synapse);
    }
    put(layer.name + ".membrane_logit", membrane.factor, layer.membrane);
    return gain;
  }

  // What input and membrane are divided by: thresholds, where they differ.
  std::vector<double> threshold(const Node& node, const Dims& dims, Layer& layer) const {
    if (node.arrays.contains("v_reset") && any(neuron_values(graph_, node, "v_reset", dims)))
      fail(node, "has a v_reset that is not 0, which training does not have.");
    std::vector<double> threshold = neuron_values(graph_, node, "v_threshold", dims);
    if (!std::all_of(threshold.begin(), threshold.end(), [](double x) { return x > 0.0; }))
      fail(node, "has a threshold that is not above 0.");
    layer.reset = options_.reset;
    std::vector<double> norm(threshold.size(), 1.0);
    if (all_equal(threshold)) {
      layer.threshold = threshold[0];
    } else {
      for (std::size_t j = 0; j < norm.size(); ++j) norm[j] = 1.0 / threshold[j];
    }
    return norm;
  }

  [[nodiscard]] std::string sentence(const Stage& stage, const Layer& layer) const {
    std::string nodes;
    for (const Node* node : stage.chain) nodes += node->name + " + ";
    for (const Node* node : stage.loop.value_or(std::vector<const Node*>{})) nodes += node->name + " (back) + ";
    std::string text =
        fmt::format("{}{}: layer '{}', {}", nodes, stage.neurons->name, layer.name, to_string(layer.neuron));
    const auto decay = [&](const char* name, const Decay& d) {
      text += d.per_neuron ? fmt::format(", {} {:.6g} to {:.6g}", name, d.low, d.high)
                           : fmt::format(", {} {:.6g}", name, d.low);
    };
    decay("alpha", layer.membrane);
    if (layer.neuron == NeuronKind::synaptic_lif) decay("kappa", layer.synapse);
    if (layer.neuron != NeuronKind::readout) {
      text += fmt::format(", threshold {:g}, reset {}", layer.threshold,
                          layer.reset == Reset::to_zero    ? "zero"
                          : layer.reset == Reset::subtract ? "subtract"
                                                           : "subtract_undecayed");
    }
    if (layer.bias) text += ", bias";
    if (layer.recurrent) text += ", recurrent";
    if (diagonal_) text += "; a diagonal of recurrent weights makes the reset undecayed";
    for (const std::string& field : stage.neurons->unknown)
      text += fmt::format("; the field '{}', which NIR 1.0.8 does not have, was left out", field);
    return text;
  }

  const Graph& graph_;
  const NirOptions& options_;
  double dt_;
  NirNetwork& made_;
  std::set<std::string> names_;
  std::vector<double> leak_;
  bool diagonal_ = false;
};

void check_options(const NirOptions& options, std::vector<Problem>& problems) {
  if (options.steps < 1 || options.steps > 65535)
    problems.push_back({{"", 0, 0, "steps"}, fmt::format("must be from 1 to 65535, not {}.", options.steps)});
  if (!(options.dt_ms >= 0.001 && options.dt_ms <= 1000.0))
    problems.push_back({{"", 0, 0, "dt"}, fmt::format("must be from 0.001 to 1000 ms, not {:g} ms.", options.dt_ms)});
}

}  // namespace

NirNetwork network_of(const Graph& graph, const NirOptions& options) {
  std::vector<Problem> problems;
  check_options(options, problems);
  check_nodes(graph, problems);
  if (!problems.empty()) throw InputError(problems);
  Route route(graph, problems);
  const std::vector<Stage> stages = route.stages();
  if (!problems.empty()) throw InputError(problems);
  NirNetwork made;
  made.network.steps = options.steps;
  made.network.dt_ms = options.dt_ms;
  Layers layers(graph, options, made);
  Dims shape = shape_of(graph, *route.input());
  made.network.input = our_shape(shape);
  for (const Stage& stage : stages) {
    try {
      shape = layers.add(stage, std::move(shape));
    } catch (const InputError& error) {
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
      // What follows can be looked at where the neurons say how many they are.
      const Array& r = stage.neurons->arrays.at("r");
      shape = Dims(r.shape.begin(), r.shape.end());
      if ((shape.size() != 1 && shape.size() != 3) || count(shape) == 0 || count(shape) > 65536) break;
    }
  }
  if (!problems.empty()) throw InputError(problems);
  made.network.classes = static_cast<std::uint32_t>(count(shape));
  double lowest = 1.0;
  for (const Layer& layer : made.network.layers) {
    if (layer.neuron != NeuronKind::readout) lowest = std::min(lowest, layer.threshold);
  }
  made.second_threshold = std::min(0.9, 0.9 * lowest);
  Options training;
  training.second_threshold.target = made.second_threshold;
  if (made.network.layers.back().neuron != NeuronKind::readout) training.loss.kind = LossKind::spike_count;
  problems = validate(made.network, training);
  if (!problems.empty()) throw InputError(problems);
  return made;
}

}  // namespace tessera::nir

namespace tessera::training {

NirNetwork import_nir(const std::filesystem::path& file, const NirOptions& options) {
  NirNetwork made = nir::network_of(nir::read_graph(file), options);
  made.network.name = file.stem().string();
  return made;
}

}  // namespace tessera::training
