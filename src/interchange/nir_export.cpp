// A network to train as a NIR file.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "interchange/nir_matrix.hpp"
#include "tessera/nir.hpp"

namespace tessera::nir {
namespace {

using namespace training;

constexpr std::uint64_t kPixels = 2;  // dimensions of an image

std::vector<std::uint64_t> wide(const Dims& dims) { return {dims.begin(), dims.end()}; }

Array whole(const std::vector<double>& values) { return {{values.size()}, values, Array::Kind::whole}; }
Array whole(const Dims& dims) { return whole(std::vector<double>(dims.begin(), dims.end())); }
Array number(double value) { return {{}, {value}, Array::Kind::whole}; }
Array both(double value) { return whole(std::vector<double>(kPixels, value)); }

// What NIR has no node for, of all layers.
void require_sayable(const Network& network) {
  std::vector<Problem> problems;
  for (const Layer& layer : network.layers) {
    const auto refuse = [&](const char* what) {
      problems.push_back({layer.where, fmt::format("layer '{}' has {}, for which NIR has no node.", layer.name, what)});
    };
    const bool sparse = layer.input.kind == ConnectionKind::sparse ||
                        (layer.recurrent && layer.recurrent->kind == ConnectionKind::sparse);
    if (sparse) refuse("sparse connections");
    if (layer.neuron == NeuronKind::adaptive_lif) refuse("adaptive neurons");
    if (layer.refractory > 0) refuse("a refractory period");
  }
  if (!problems.empty()) throw InputError(problems);
}

class GraphMaker {
 public:
  GraphMaker(const Network& network, const std::vector<Tensor>& weights)
      : network_(network), weights_(weights), dt_(network.dt_ms / 1000.0) {}

  Graph make() {
    Dims shape = their_shape(network_.input);
    graph_.file = "the export";
    before_ = add("input", "Input", {{"shape", whole(shape)}});
    std::set<std::string> resets;
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& layer = network_.layers[i];
      shape = add_layer(layer, std::move(shape), layer_shapes(network_)[i]);
      if (layer.neuron == NeuronKind::readout) continue;
      resets.insert(layer.reset == Reset::to_zero    ? "zero"
                    : layer.reset == Reset::subtract ? "subtract"
                                                     : "subtract_undecayed");
    }
    follow(add("output", "Output", {{"shape", whole(shape)}}));
    graph_.metadata = {{"dt", fmt::format("{} s", dt_)},
                       {"discretisation", "forward Euler"},
                       {"reset", fmt::format("{}", fmt::join(resets, ", "))}};
    return std::move(graph_);
  }

 private:
  // A number; names of nodes stay different.
  std::size_t add(const std::string& wanted, const std::string& type, std::map<std::string, Array> arrays) {
    std::string name = wanted;
    for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
    graph_.nodes.push_back({name, type, std::move(arrays), {}});
    return graph_.nodes.size() - 1;
  }
  void follow(std::size_t node) {
    graph_.edges.push_back({before_, node});
    before_ = node;
  }

  const Tensor* find(const std::string& name) const {
    const auto found = std::find_if(weights_.begin(), weights_.end(), [&](const Tensor& t) { return t.name == name; });
    return found == weights_.end() ? nullptr : &*found;
  }
  // With as many values as the network says.
  const Tensor& need(const std::string& name, std::uint64_t values) const {
    const Tensor* tensor = find(name);
    if (tensor == nullptr) throw InputError(fmt::format("The weights have no '{}', which the network needs.", name));
    if (tensor->values.size() != values)
      throw InputError(fmt::format("'{}' has {} values; the network has {}.", name, tensor->values.size(), values));
    return *tensor;
  }

  Dims add_layer(const Layer& layer, Dims shape, const Shape& ours) {
    if (layer.input.pool > 1) {
      const double pool = layer.input.pool;
      const char* const type = layer.input.pooling == Pooling::average ? "AvgPool2d" : "SumPool2d";
      follow(
          add(layer.name + "_pool", type, {{"kernel_size", both(pool)}, {"stride", both(pool)}, {"padding", both(0)}}));
      shape = {shape[0], shape[1] / layer.input.pool, shape[2] / layer.input.pool};
    }
    const bool convolution = layer.input.kind == ConnectionKind::convolution;
    const Dims target =
        convolution ? Dims{ours.channels, ours.height, ours.width} : Dims{static_cast<std::uint32_t>(ours.size())};
    if (convolution) {
      add_convolution(layer, shape, target);
    } else {
      add_dense(layer, shape, target[0]);
    }
    follow(add_neurons(layer, target));
    if (layer.recurrent) {
      const std::uint64_t n = count(target);
      const std::size_t loop =
          add(layer.name + "_recurrent", "Linear",
              {{"weight", matrix(need(layer.name + ".recurrent_weight", n * n), target, n, layer)}});
      graph_.edges.push_back({before_, loop});
      graph_.edges.push_back({loop, before_});
    }
    return target;
  }

  // Ours is [sources, targets], sources in our order; theirs [targets, sources].
  Array matrix(const Tensor& weight, const Dims& source, std::uint64_t targets, const Layer& layer) const {
    if (source.size() == 3 && &weight == find(layer.name + ".recurrent_weight"))
      throw InputError(
          {{layer.where,
            fmt::format("layer '{}' is a convolution that is recurrent, for which NIR has no node.", layer.name)}});
    const std::uint64_t sources = count(source);
    const std::vector<std::uint32_t> order = order_of(source);
    Array array{{targets, sources}, std::vector<double>(weight.values.size()), Array::Kind::real32};
    for (std::uint64_t i = 0; i < sources; ++i) {
      for (std::uint64_t j = 0; j < targets; ++j) array.values[j * sources + order[i]] = weight.values[i * targets + j];
    }
    return array;
  }

  void add_dense(const Layer& layer, const Dims& source, std::uint64_t targets) {
    if (source.size() == 3)
      follow(add(layer.name + "_flat", "Flatten",
                 {{"input_type", whole(source)}, {"start_dim", number(0)}, {"end_dim", number(-1)}}));
    std::map<std::string, Array> arrays{
        {"weight", matrix(need(layer.name + ".weight", count(source) * targets), source, targets, layer)}};
    if (layer.bias) {
      const Tensor& bias = need(layer.name + ".bias", targets);
      arrays["bias"] = {{targets}, {bias.values.begin(), bias.values.end()}, Array::Kind::real32};
    }
    follow(add(layer.name + "_in", layer.bias ? "Affine" : "Linear", std::move(arrays)));
  }

  void add_convolution(const Layer& layer, const Dims& source, const Dims& target) {
    const Connection& c = layer.input;
    const std::uint64_t filters = target[0], taps = std::uint64_t{source[0]} * c.kernel * c.kernel;
    const Tensor& ours = need(layer.name + ".weight", taps * filters);
    Array weight{{filters, source[0], c.kernel, c.kernel}, std::vector<double>(taps * filters), Array::Kind::real32};
    for (std::uint64_t t = 0; t < taps; ++t) {
      for (std::uint64_t f = 0; f < filters; ++f) weight.values[f * taps + t] = ours.values[t * filters + f];
    }
    Array bias{{filters}, std::vector<double>(filters, 0.0), Array::Kind::real32};
    if (layer.bias) {
      const Tensor& all = need(layer.name + ".bias", count(target));
      bias.values.assign(all.values.begin(), all.values.begin() + static_cast<std::ptrdiff_t>(filters));
      for (std::size_t j = 0; j < all.values.size(); ++j) {
        if (all.values[j] == all.values[j % filters]) continue;
        throw InputError(
            {{layer.where, fmt::format("layer '{}' has a bias for each neuron of a filter, for which NIR has no node.",
                                       layer.name)}});
      }
    }
    follow(add(layer.name + "_in", "Conv2d",
               {{"weight", weight},
                {"bias", bias},
                {"input_shape", whole(Dims{source[1], source[2]})},
                {"stride", both(c.stride)},
                {"padding", both(c.padding)},
                {"dilation", both(1)},
                {"groups", number(1)}}));
  }

  // In the order of files.
  std::vector<double> decay(const Layer& layer, const Decay& spec, const char* of, const Dims& dims) const {
    std::vector<double> values(count(dims), spec.low);
    const Tensor* logit = find(layer.name + of);
    if (logit == nullptr) return values;
    (void)need(layer.name + of, logit->values.size() == 1 ? 1 : values.size());
    const std::vector<std::uint32_t> order = order_of(dims);
    for (std::size_t j = 0; j < values.size(); ++j) {
      const double x = logit->values[logit->values.size() == 1 ? 0 : j];
      values[order[j]] = 1.0 / (1.0 + std::exp(-x));
    }
    return values;
  }

  std::size_t add_neurons(const Layer& layer, const Dims& dims) {
    const std::size_t n = count(dims);
    const auto array = [&](std::vector<double> values) {
      return Array{wide(dims), std::move(values), Array::Kind::real64};
    };
    const auto constant = [&](double value) { return array(std::vector<double>(n, value)); };
    const std::vector<double> alpha = decay(layer, layer.membrane, ".membrane_logit", dims);
    std::map<std::string, Array> arrays;
    if (layer.neuron != NeuronKind::readout)
      arrays = {{"v_threshold", constant(layer.threshold)}, {"v_reset", constant(0.0)}};
    const bool integrates = std::all_of(alpha.begin(), alpha.end(), [](double a) { return a == 1.0; });
    if (integrates && layer.neuron == NeuronKind::lif) {
      arrays["r"] = constant(1.0 / (layer.capacitance * dt_));
      return add(layer.name, "IF", std::move(arrays));
    }
    if (std::any_of(alpha.begin(), alpha.end(), [](double a) { return a >= 1.0; }))
      throw InputError(
          {{layer.where,
            fmt::format("layer '{}' has a membrane without a leak, which NIR has for lif neurons only.", layer.name)}});
    std::vector<double> tau(n), r(n);
    for (std::size_t j = 0; j < n; ++j) {
      tau[j] = dt_ / (1.0 - alpha[j]);
      r[j] = tau[j] / (layer.capacitance * dt_);
    }
    arrays["r"] = array(r);
    arrays["v_leak"] = constant(0.0);
    if (layer.neuron != NeuronKind::synaptic_lif) {
      arrays["tau"] = array(tau);
      return add(layer.name, layer.neuron == NeuronKind::readout ? "LI" : "LIF", std::move(arrays));
    }
    std::vector<double> tau_syn = decay(layer, layer.synapse, ".synapse_logit", dims), w_in(n);
    for (std::size_t j = 0; j < n; ++j) {
      tau_syn[j] = dt_ / (1.0 - std::min(tau_syn[j], 1.0 - 1e-15));
      w_in[j] = tau_syn[j] / dt_;
    }
    arrays["tau_mem"] = array(tau);
    arrays["tau_syn"] = array(tau_syn);
    arrays["w_in"] = array(w_in);
    return add(layer.name, "CubaLIF", std::move(arrays));
  }

  const Network& network_;
  const std::vector<Tensor>& weights_;
  double dt_;
  Graph graph_;
  std::set<std::string> names_;
  std::size_t before_ = 0;
};

}  // namespace

Graph graph_of(const Network& network, const std::vector<Tensor>& weights) {
  require_sayable(network);
  return GraphMaker(network, weights).make();
}

}  // namespace tessera::nir

namespace tessera::training {

void export_nir(const std::filesystem::path& file, const Network& network, const std::vector<Tensor>& weights) {
  nir::write_graph(file, nir::graph_of(network, weights));
}

}  // namespace tessera::training
