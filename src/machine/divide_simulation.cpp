// What the partitioner sees of a network to simulate.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "machine/divided_network.hpp"

namespace tessera {
namespace {

using Rule = ConnectivityRule::Kind;

/// The chance that any neuron of a population has more inputs than what is assumed.
constexpr double kFanInChance = 1e-6;

bool has_both_signs(const Distribution& d) {
  const double low = d.kind == Distribution::Kind::uniform ? std::max(d.a, d.low) : d.low;
  const double high = d.kind == Distribution::Kind::uniform ? std::min(d.b, d.high) : d.high;
  if (d.kind == Distribution::Kind::normal && d.b == 0.0) return false;
  const bool ranges = d.kind == Distribution::Kind::uniform || d.kind == Distribution::Kind::normal;
  return ranges && low < 0.0 && high > 0.0;
}

double shortest_delay(const Projection& p, double dt_ms) {
  double least = dt_ms;
  const Distribution& d = p.delay_ms;
  if (p.rule.kind == Rule::explicit_list) {
    least = HUGE_VAL;
    for (const auto& s : p.rule.list) least = std::min(least, s.delay_ms);
    if (p.rule.list.empty()) least = dt_ms;
  } else if (d.kind == Distribution::Kind::constant || d.kind == Distribution::Kind::uniform) {
    least = std::max(d.a, d.low);
  } else if (std::isfinite(d.low)) {
    least = d.low;
  }
  return std::max(dt_ms, std::round(least / dt_ms) * dt_ms);
}

// The largest sum, over target cells, of the kernel's factor along one edge.
double largest_axis_sum(const AxisPair& axis, double sigma) {
  constexpr std::uint64_t kMostPairs = 1u << 22;
  if (std::uint64_t{axis.source.cells} * axis.target.cells > kMostPairs)
    return std::sqrt(2.0 * M_PI) * sigma / axis.source.spacing() + 1.0;
  double largest = 0.0;
  for (std::uint32_t t = 0; t < axis.target.cells; ++t) {
    double sum = 0.0;
    for (std::uint32_t s = 0; s < axis.source.cells; ++s) {
      const double z = axis.gap(s, t) / sigma;
      sum += std::exp(-0.5 * z * z);
    }
    largest = std::max(largest, sum);
  }
  return largest;
}

void list_by_target(const Projection& p, std::uint32_t targets, EventLink& link) {
  link.begin.assign(std::size_t{targets} + 1, 0);
  for (const auto& s : p.rule.list) ++link.begin[s.target + 1];
  for (std::uint32_t t = 0; t < targets; ++t) link.begin[t + 1] += link.begin[t];
  std::vector<std::uint64_t> at(link.begin.begin(), link.begin.end() - 1);
  link.sources.resize(p.rule.list.size());
  for (const auto& s : p.rule.list) link.sources[at[s.target]++] = s.source;
  for (std::uint32_t t = 0; t < targets; ++t)
    std::sort(link.sources.begin() + static_cast<std::ptrdiff_t>(link.begin[t]), link.sources.begin() + static_cast<std::ptrdiff_t>(link.begin[t + 1]));
}

LinkInputs describe_rule(const Projection& p, const Population& source, const Population& target, EventLink& link) {
  const ConnectivityRule& rule = p.rule;
  const double from = source.size, to = target.size, number = static_cast<double>(rule.number);
  const double odds = std::log(to / kFanInChance);
  LinkInputs inputs{0.0, has_both_signs(p.weight)};
  link.repeated = rule.multapses;
  switch (rule.kind) {
    case Rule::all_to_all:
      link.kind = EventLink::Kind::all;
      inputs.number = from;
      break;
    case Rule::one_to_one:
      link.kind = EventLink::Kind::one_to_one;
      inputs.number = 1.0;
      break;
    case Rule::fixed_indegree:
      link.kind = EventLink::Kind::indegree;
      link.number = inputs.number = number;
      break;
    case Rule::fixed_outdegree:
      link.kind = EventLink::Kind::outdegree;
      link.number = number;
      inputs.number = not_exceeded(from * number / to, from * number / to, odds);
      break;
    case Rule::fixed_total_number:
      link.kind = EventLink::Kind::indegree;
      link.number = number / to;
      inputs.number = std::min(not_exceeded(number / to, number / to, odds), rule.multapses ? HUGE_VAL : from);
      break;
    case Rule::pairwise_bernoulli:
      link.kind = rule.probability < 1.0 ? EventLink::Kind::chance : EventLink::Kind::all;
      link.probability = rule.probability;
      inputs.number = std::min(from, not_exceeded(from * rule.probability, from * rule.probability * (1.0 - rule.probability), odds));
      break;
    case Rule::gaussian_2d: {
      link.kind = EventLink::Kind::gaussian;
      link.probability = rule.probability;
      link.sigma = rule.sigma;
      const SheetPair sheets(source, target);
      link.axes = {sheets.x, sheets.y};
      const double mean = rule.probability * largest_axis_sum(sheets.x, rule.sigma) * largest_axis_sum(sheets.y, rule.sigma);
      inputs.number = std::min(from, not_exceeded(mean, mean, odds));
      break;
    }
    case Rule::explicit_list: {
      link.kind = EventLink::Kind::listed;
      list_by_target(p, target.size, link);
      const auto negative = [](const auto& s) { return s.weight < 0.0; };
      inputs.both_signs = std::any_of(rule.list.begin(), rule.list.end(), negative) && !std::all_of(rule.list.begin(), rule.list.end(), negative);
      break;
    }
  }
  return inputs;
}

EventOrigin source_of(const Population& p, double sample_ms, double dt_ms, double activity) {
  EventOrigin s{p.name, p.size};
  double rate = p.mean_rate_hz, peak = p.mean_rate_hz;
  if (p.kind == Population::Kind::poisson_source) {
    peak = p.rate_hz + (p.bump ? p.bump->peak_hz : 0.0);
    rate = p.mean_rate_hz > 0.0 ? p.mean_rate_hz : peak;
  } else if (p.kind == Population::Kind::spike_train_source) {
    s.events = p.size > 0 ? static_cast<double>(p.train.size()) / p.size : 0.0;
    rate = peak = s.events / sample_ms * 1000.0;
  }
  s.known = rate > 0.0 || p.kind != Population::Kind::neurons || activity > 0.0;
  if (!s.known) return s;
  s.events = rate > 0.0 || activity == 0.0 ? rate * sample_ms / 1000.0 : activity * sample_ms / dt_ms;
  s.peak = activity > 0.0 ? activity : std::min(1.0, peak * dt_ms / 1000.0);
  return s;
}

void add_stimuli(const Network& network, const std::vector<std::uint32_t>& place, DividedNetwork& n) {
  for (const Stimulus& s : network.stimuli) {
    if (s.kind != Stimulus::Kind::poisson || s.rate_hz <= 0.0) continue;
    const std::uint32_t index = place[network.index_of(s.target)];
    if (index == kNone) continue;
    DividedPopulation& p = n.populations[index];
    ++p.private_sources;
    p.private_peak += s.rate_hz * n.step_ms / 1000.0;
    p.private_events += s.rate_hz * n.sample_ms / 1000.0;
  }
}

// The worst projection of those that break a limit, and how many more there are.
struct Offence {
  const Projection* projection = nullptr;
  double value = 0.0;
  int more = 0;
  void add(const Projection& p, double found, bool worse) {
    more += projection != nullptr ? 1 : 0;
    if (projection != nullptr && !worse) return;
    projection = &p;
    value = found;
  }
  [[nodiscard]] std::string name() const {
    return more > 0 ? fmt::format("'{}' (and {} more)", projection->name, more) : fmt::format("'{}'", projection->name);
  }
};

double longest_delay(const Projection& p) {
  double longest = p.delay_ms.kind == Distribution::Kind::constant ? p.delay_ms.a : std::min(p.delay_ms.high, p.delay_ms.quantile(0.999999));
  for (const auto& s : p.rule.list) longest = std::max(longest, s.delay_ms);
  return longest;
}

void check_delays(const Network& network, const MachineDescription& m, DividedNetwork& n) {
  Offence fast, slow;
  for (const Projection& p : network.projections) {
    const double shortest = shortest_delay(p, network.dt_ms), steps = std::round(longest_delay(p) / network.dt_ms);
    if (m.events.clock_ns > 0.0 && shortest / m.speedup * 1e6 < m.events.clock_ns * (1.0 - 1e-9)) fast.add(p, shortest, shortest < fast.value);
    if (m.events.longest_delay > 0 && steps > m.events.longest_delay) slow.add(p, steps, steps > slow.value);
  }
  if (fast.projection != nullptr) {
    n.problems.push_back({fast.projection->where,
                          fmt::format("Clock of events: the shortest delay of {} is {} ms, which is {:.6g} ns on the chip, but its clock is {:.6g} ns. Longer "
                                      "delays, or a machine with a faster clock would help.",
                                      fast.name(), fast.value, fast.value / m.speedup * 1e6, m.events.clock_ns)});
  }
  if (slow.projection != nullptr) {
    n.problems.push_back({slow.projection->where,
                          fmt::format("Delays of {}: {:.0f} steps, but the machine has {} at most: {:.0f} too many. Shorter delays or a longer time step would help.",
                                      slow.name(), slow.value, m.events.longest_delay, slow.value - m.events.longest_delay)});
  }
}

void check_time_constants(const Network& network, const NeuronCatalogue& models, const MachineDescription& m, DividedNetwork& n) {
  for (const Population& p : network.populations) {
    if (p.kind != Population::Kind::neurons) continue;
    const ParameterValues values = values_of(p, *models.find(p.model));
    const auto has = [&values](const char* name) { return values.all().contains(name); };
    const auto check = [&](const char* what, double ms, const MachineRange& range) { return check_time_constant(p.name, what, ms, range, m, p.where, n); };
    if (has("tau_m")) {
      check("Membrane time constant", values["tau_m"], m.time_constants.membrane_us);
    } else if (has("C_m") && has("g_L")) {
      check("Membrane time constant", values["C_m"] / values["g_L"], m.time_constants.membrane_us);
    }
    for (const char* synapse : {"tau_syn_ex", "tau_syn_in"}) {
      if (has(synapse) && check("Synaptic time constant", values[synapse], m.time_constants.synapse_us)) break;
    }
    if (has("t_ref") && values["t_ref"] > 0.0) check("Refractory time", values["t_ref"], m.time_constants.refractory_us);
  }
}

}  // namespace

DividedNetwork divide(const Network& network, const NeuronCatalogue& models, const MachineDescription& machine, const PartitionOptions& options) {
  DividedNetwork n;
  n.name = network.name;
  n.step_ms = network.dt_ms;
  n.sample_ms = options.sample_ms > 0.0 ? options.sample_ms : network.time_ms;
  std::vector<std::uint32_t> place(network.populations.size(), kNone), source(network.populations.size());
  for (std::uint32_t i = 0; i < network.populations.size(); ++i) {
    const Population& p = network.populations[i];
    if (p.kind != Population::Kind::neurons) continue;
    place[i] = source[i] = static_cast<std::uint32_t>(n.populations.size());
    DividedPopulation d;
    d.name = p.name;
    d.index = i;
    d.size = p.size;
    d.shape = is_sheet(p) ? training::Shape{p.size / p.grid_columns, p.grid_columns, 1} : training::Shape{1, 1, p.size};
    n.populations.push_back(std::move(d));
    n.sources.push_back(source_of(p, n.sample_ms, n.step_ms, options.activity));
  }
  for (std::uint32_t i = 0; i < network.populations.size(); ++i) {
    if (place[i] != kNone) continue;
    source[i] = static_cast<std::uint32_t>(n.sources.size());
    n.sources.push_back(source_of(network.populations[i], n.sample_ms, n.step_ms, options.activity));
  }
  add_stimuli(network, place, n);
  std::vector<LinkInputs> inputs;
  for (const Projection& p : network.projections) {
    const std::size_t from = network.index_of(p.source), to = network.index_of(p.target);
    if (place[to] == kNone || network.populations[from].size == 0 || network.populations[to].size == 0) continue;
    EventLink link;
    link.name = p.name;
    link.source = source[from];
    link.target = place[to];
    link.shortest_delay_ms = shortest_delay(p, network.dt_ms);
    inputs.push_back(describe_rule(p, network.populations[from], network.populations[to], link));
    n.links.push_back(std::move(link));
  }
  check_delays(network, machine, n);
  check_time_constants(network, models, machine, n);
  map_onto(machine, inputs, n);
  return n;
}

}  // namespace tessera
