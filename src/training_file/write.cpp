// Layers as the text of a training file. Numbers are written with as many digits as bring back the same bits.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "tessera/training_text.hpp"

namespace tessera::training {
namespace {

// TOML tells 1.0 from 1.
std::string decimal(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

const char* name_of(Reset reset) {
  return reset == Reset::to_zero ? "zero" : reset == Reset::subtract ? "subtract" : "subtract_undecayed";
}

class LayerWriter {
 public:
  LayerWriter(const Network& network, const Layer& layer) : dt_ms_(network.dt_ms), layer_(layer) {}

  std::string write() {
    line("[[layer]]");
    line("name = \"{}\"", layer_.name);
    line("neuron = \"{}\"", to_string(layer_.neuron));
    if (layer_.input.kind != ConnectionKind::convolution) line("size = {}", layer_.size);
    write_connections();
    if (layer_.bias) line("bias = true");
    write_decay("alpha", "membrane", layer_.membrane);
    if (layer_.neuron == NeuronKind::synaptic_lif) write_decay("kappa", "synapse", layer_.synapse);
    if (layer_.neuron == NeuronKind::adaptive_lif) {
      write_decay("rho", "adaptation", layer_.adaptation);
      line("adaptation_strength = {}", decimal(layer_.adaptation_strength));
    }
    if (layer_.neuron != NeuronKind::readout) write_spiking();
    key("capacitance", layer_.capacitance, usual_.capacitance);
    key("initial_gain", layer_.initial_gain, usual_.initial_gain);
    key("weight_penalty", layer_.weight_penalty, usual_.weight_penalty);
    if (!layer_.on_substrate) line("substrate = false");
    key("weight_limit", layer_.weight_limit, usual_.weight_limit);
    key("weight_roll_off", layer_.weight_roll_off, usual_.weight_roll_off);
    return std::move(text_);
  }

 private:
  template <class... Arguments>
  void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
    text_ += '\n';
  }
  void key(const char* name, double value, double usual) {
    if (value != usual) line("{} = {}", name, decimal(value));
  }

  std::string connection(const Connection& c) const {
    if (c.kind == ConnectionKind::dense) return "{ kind = \"dense\" }";
    return fmt::format("{{ kind = \"sparse\", density = {}, min_delay = {}, max_delay = {} }}", decimal(c.density),
                       decimal(c.min_delay * dt_ms_), decimal(c.max_delay * dt_ms_));
  }

  void write_connections() {
    const Connection& c = layer_.input;
    if (c.kind == ConnectionKind::convolution) {
      line("convolution = {{ filters = {}, kernel = {}, stride = {}, padding = {} }}", c.filters, c.kernel, c.stride,
           c.padding);
    } else if (c.kind == ConnectionKind::sparse) {
      line("connection = {}", connection(c));
    }
    if (c.pool != 1) {
      line("pool = {}", c.pool);
      line("pooling = \"{}\"", c.pooling == Pooling::sum ? "sum" : "average");
    }
    if (layer_.recurrent) line("recurrent = {}", connection(*layer_.recurrent));
    const std::optional<Rewiring>& rewiring = c.rewiring || !layer_.recurrent ? c.rewiring : layer_.recurrent->rewiring;
    if (rewiring) write_rewiring(*rewiring);
  }

  void write_rewiring(const Rewiring& r) {
    if (r.kind == RewiringKind::rigl) {
      const bool gradient = r.growth == Growth::gradient;
      line("rewiring = {{ rule = \"rigl\", interval = {}, fraction = {}, until = {}, grow = \"{}\"{} }}", r.interval,
           decimal(r.fraction), decimal(r.until), gradient ? "gradient" : "random",
           gradient ? fmt::format(", candidates = {}", r.candidates) : "");
    } else if (r.kind == RewiringKind::deep_r || r.kind == RewiringKind::soft_deep_r) {
      const bool bellec = r.kind == RewiringKind::deep_r && r.convention == DeepRConvention::bellec;
      std::string more;
      if (bellec) more += ", convention = \"bellec\"";
      if (bellec || r.kind == RewiringKind::soft_deep_r) more += fmt::format(", noise = {}", decimal(r.noise));
      line("rewiring = {{ rule = \"{}\", interval = {}, l1 = {}{} }}",
           r.kind == RewiringKind::deep_r ? "deep_r" : "soft_deep_r", r.interval, decimal(r.l1), more);
    } else {
      throw InputError(
          {{layer_.where,
            fmt::format("layer '{}' rewires by a rule of your own, which a training file cannot name.", layer_.name)}});
    }
  }

  void write_decay(const char* factor, const char* details, const Decay& decay) {
    if (decay.low < decay.high) {
      line("{} = [{}, {}]", factor, decimal(decay.low), decimal(decay.high));
    } else {
      line("{} = {}", factor, decimal(decay.low));
    }
    if (decay.per_neuron || decay.trainable)
      line("{} = {{ per_neuron = {}, trainable = {} }}", details, decay.per_neuron, decay.trainable);
  }

  void write_spiking() {
    line("threshold = {}", decimal(layer_.threshold));
    line("reset = \"{}\"", name_of(layer_.reset));
    if (layer_.refractory > 0) line("refractory = {}", decimal(layer_.refractory * dt_ms_));
    if (layer_.surrogate != usual_.surrogate) line("surrogate = \"{}\"", to_string(layer_.surrogate));
    key("steepness", layer_.surrogate_steepness, usual_.surrogate_steepness);
    key("height", layer_.surrogate_height, usual_.surrogate_height);
    key("max_activity", layer_.max_activity, usual_.max_activity);
    key("initial_activity", layer_.initial_activity, usual_.initial_activity);
    const ActivityRegulariser& r = layer_.regulariser;
    if (r.strength != 0.0)
      line("regulariser = {{ strength = {}, low = {}, high = {} }}", decimal(r.strength), decimal(r.low),
           decimal(r.high));
    const BurstRegulariser& b = layer_.bursts;
    if (b.strength != 0.0)
      line("bursts = {{ strength = {}, epoch_factor = {} }}", decimal(b.strength), decimal(b.epoch_factor));
  }

  double dt_ms_;
  const Layer& layer_;
  const Layer usual_{};
  std::string text_;
};

}  // namespace

std::string layers_text(const Network& network) {
  std::string text;
  for (const Layer& layer : network.layers) text += (text.empty() ? "" : "\n") + LayerWriter(network, layer).write();
  return text;
}

}  // namespace tessera::training
