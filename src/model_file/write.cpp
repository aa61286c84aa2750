// A network as the text of a model file. Numbers are written with as many digits as bring back the same bits.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

#include "tessera/model_text.hpp"

namespace tessera {
namespace {

// The shortest text that reads as the same number; TOML tells 1.0 from 1.
std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

// The median whose logarithm is mu. exp and log are rounded, so that one of its neighbours may be the one.
double median_of(double mu) {
  const double middle = std::exp(mu);
  double below = middle, above = middle;
  for (int i = 0; i < 8; ++i) {
    if (std::log(below) == mu) return below;
    if (std::log(above) == mu) return above;
    below = std::nextafter(below, 0.0);
    above = std::nextafter(above, std::numeric_limits<double>::infinity());
  }
  return middle;
}

std::string distribution(const Distribution& d) {
  using Kind = Distribution::Kind;
  std::string text;
  switch (d.kind) {
    case Kind::constant:
      return number(d.a);  // its bounds say nothing more
    case Kind::uniform:
      text = fmt::format("distribution = \"uniform\", from = {}, to = {}", number(d.a), number(d.b));
      break;
    case Kind::normal:
      text = fmt::format("distribution = \"normal\", mean = {}, sd = {}", number(d.a), number(d.b));
      break;
    case Kind::lognormal: {
      const double median = median_of(d.a);
      text = fmt::format("distribution = \"lognormal\", median = {}, sigma = {}",
                         number(d.mirrored ? -median : median), number(d.b));
      break;
    }
    case Kind::exponential:
      text = fmt::format("distribution = \"exponential\", mean = {}", number(d.a));
      break;
  }
  if (std::isfinite(d.low)) text += fmt::format(", low = {}", number(d.low));
  if (std::isfinite(d.high)) text += fmt::format(", high = {}", number(d.high));
  return "{ " + text + " }";
}

class ModelWriter {
 public:
  explicit ModelWriter(const Network& network) : network_(network) {}

  std::string write() {
    write_run();
    for (const Population& p : network_.populations) write_population(p);
    for (const Projection& p : network_.projections) write_projection(p);
    for (const Stimulus& s : network_.stimuli) write_stimulus(s);
    for (const StateRecorder& r : network_.recorders) write_recorder(r);
    for (const SpikeSelection& s : network_.spike_recorders) write_spike_selection(s);
    return std::move(text_);
  }

 private:
  template <class... Arguments>
  void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
    text_ += '\n';
  }

  void key(const char* name, double value, double standard) {
    if (value != standard) line("{} = {}", name, number(value));
  }

  void table(const char* section, const std::string& name) {
    if (!names_.insert(fmt::format("{}.{}", section, name)).second) {
      throw InputError(fmt::format("There are two {} named '{}'; names must differ.", section, name));
    }
    line("\n[{}.{}]", section, quoted(name));
  }

  void list(const char* name, const std::vector<double>& values) {
    text_ += fmt::format("{} = [", name);
    for (std::size_t i = 0; i < values.size(); ++i) text_ += (i == 0 ? "" : ", ") + number(values[i]);
    text_ += "]\n";
  }

  void numbers(const char* name, const std::map<std::string, double>& values) {
    if (values.empty()) return;
    std::string all;
    for (const auto& [key, value] : values) {
      all += fmt::format("{}{} = {}", all.empty() ? "" : ", ", quoted(key), number(value));
    }
    line("{} = {{ {} }}", name, all);
  }

  void write_run() {
    if (!network_.name.empty()) line("name = {}", quoted(network_.name));
    line("dt = {}", number(network_.dt_ms));
    line("time = {}", number(network_.time_ms));
    key("discard", network_.discard_ms, 0.0);
    line("seed = {}", network_.seed);
    key("rate_limit", network_.rate_limit_hz, 1000.0);
  }

  void write_grid(const Population& p) {
    if (p.grid_columns == 0) return;
    line("grid_columns = {}", p.grid_columns);
    if (p.extent_mm[0] != 0.0 || p.extent_mm[1] != 0.0) {
      line("extent = [{}, {}]", number(p.extent_mm[0]), number(p.extent_mm[1]));
    }
    if (!p.periodic) line("periodic = false");
  }

  void write_population(const Population& p) {
    table("populations", p.name);
    line("size = {}", p.size);
    key("mean_rate", p.mean_rate_hz, 0.0);
    if (p.inhibitory) line("inhibitory = true");
    write_grid(p);
    if (p.kind == Population::Kind::neurons) write_neurons(p);
    if (p.kind == Population::Kind::poisson_source) write_source(p);
    if (p.kind != Population::Kind::spike_train_source) return;
    line("kind = \"spike_train\"");
    text_ += "spikes = [";
    for (const Population::TrainSpike& spike : p.train) {
      text_ += fmt::format("[{}, {}],", number(spike.time_ms), spike.neuron);
    }
    text_ += "]\n";
  }

  void write_neurons(const Population& p) {
    line("model = {}", quoted(p.model));
    numbers("parameters", p.parameters);
    for (const auto& [state, initial] : p.initial) {
      const std::string name = fmt::format("initial.{}{}", quoted(state), initial.values.empty() ? "" : ".values");
      if (initial.values.empty()) line("{} = {}", name, distribution(initial.distribution));
      else list(name.c_str(), initial.values);
    }
  }

  void write_source(const Population& p) {
    line("kind = \"poisson\"");
    line("rate = {}", number(p.rate_hz));
    write_window(p.start_ms, p.duration_ms);
    key("interval", p.interval_ms, 0.0);
    if (!p.bump) return;
    line("bump = {{ peak = {}, sigma = {}, period = {}, block = {}, centres = {} }}", number(p.bump->peak_hz),
         number(p.bump->sigma), number(p.bump->period_ms), p.bump->block, p.bump->centres);
  }

  void write_window(double start_ms, double duration_ms) {
    key("start", start_ms, 0.0);
    key("duration", duration_ms, std::numeric_limits<double>::infinity());
  }

  void write_rule(const ConnectivityRule& rule) {
    using Kind = ConnectivityRule::Kind;
    line("rule = {}", quoted(to_string(rule.kind)));
    const bool fixed = rule.kind == Kind::fixed_total_number || rule.kind == Kind::fixed_indegree ||
                       rule.kind == Kind::fixed_outdegree;
    if (fixed) line("number = {}", rule.number);
    if (rule.kind == Kind::pairwise_bernoulli || rule.kind == Kind::gaussian_2d) {
      line("probability = {}", number(rule.probability));
    }
    if (rule.kind == Kind::gaussian_2d) line("sigma = {}", number(rule.sigma));
    if (!rule.autapses && rule.kind != Kind::one_to_one && rule.kind != Kind::explicit_list) line("autapses = false");
    if (!rule.multapses && fixed) line("multapses = false");
    if (rule.kind != Kind::explicit_list) return;
    text_ += "synapses = [";
    for (const ConnectivityRule::Synapse& s : rule.list) {
      text_ += fmt::format("[{}, {}, {}, {}],", s.source, s.target, number(s.weight), number(s.delay_ms));
    }
    text_ += "]\n";
  }

  void write_projection(const Projection& p) {
    table("projections", p.name);
    line("source = {}\ntarget = {}", quoted(p.source), quoted(p.target));
    write_rule(p.rule);
    if (p.rule.kind != ConnectivityRule::Kind::explicit_list) {
      line("weight = {}", distribution(p.weight));
      if (p.delay_slope == 0.0) line("delay = {}", distribution(p.delay_ms));
      else line("delay = {{ offset = {}, slope = {} }}", number(p.delay_ms.a), number(p.delay_slope));
    }
    if (p.plasticity) write_plasticity(*p.plasticity);
    if (p.rewiring) write_rewiring(*p.rewiring);
  }

  static std::string entries(const std::map<std::string, double>& values) {
    std::string all;
    for (const auto& [key, value] : values) all += fmt::format(", {} = {}", quoted(key), number(value));
    return all;
  }

  void write_plasticity(const Plasticity& p) {
    std::string all = fmt::format("rule = {}{}", quoted(p.rule), entries(p.parameters));
    if (p.axonal_delay_ms != 0.0) all += fmt::format(", axonal_delay = {}", number(p.axonal_delay_ms));
    if (!p.modulator.empty()) {
      all += fmt::format(", modulator = {}, modulator_delay = {}", quoted(p.modulator), number(p.modulator_delay_ms));
    }
    line("plasticity = {{ {} }}", all);
  }

  void write_rewiring(const StructuralPlasticity& r) {
    std::string all = fmt::format("rule = {}{}, interval = {}", quoted(r.rule), entries(r.parameters), number(r.interval_ms));
    for (const auto& [key, word] : r.words) all += fmt::format(", {} = {}", quoted(key), quoted(word));
    if (r.max_indegree != 0) all += fmt::format(", max_indegree = {}", r.max_indegree);
    if (r.max_outdegree != 0) all += fmt::format(", max_outdegree = {}", r.max_outdegree);
    line("rewiring = {{ {} }}", all);
  }

  void write_stimulus(const Stimulus& s) {
    table("stimuli", s.name);
    line("target = {}", quoted(s.target));
    if (s.kind == Stimulus::Kind::poisson) {
      line("kind = \"poisson\"\nrate = {}\nweight = {}", number(s.rate_hz), number(s.weight));
      key("delay", s.delay_ms, 0.0);
    } else {
      line("kind = \"current\"");
      if (s.values.empty()) line("amplitude = {}", number(s.amplitude_pA));
      else list("values", s.values);
    }
    write_window(s.start_ms, s.duration_ms);
  }

  void write_recorder(const StateRecorder& r) {
    line("\n[[recorders]]\npopulation = {}\nvariable = {}\ncount = {}\ninterval = {}", quoted(r.population),
         quoted(r.variable), r.count, number(r.interval_ms));
  }

  void write_spike_selection(const SpikeSelection& s) {
    line("\n[[recorders]]\npopulation = {}\nvariable = \"spikes\"", quoted(s.population));
    if (s.count != SpikeSelection::kAll) line("count = {}", s.count);
  }

  const Network& network_;
  std::string text_;
  std::set<std::string> names_;
};

}  // namespace

std::string model_text(const Network& network) { return ModelWriter(network).write(); }

}  // namespace tessera
