// What can be changed between two runs: states, weights that are kept one by one, rates and amplitudes. Everything is looked
// at before anything changes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "engine/simulation_impl.hpp"
#include "network/changed_values.hpp"
#include "network/state_names.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

/// Units in which fast precision adds weights: 2048 of the largest at a time leave 31 bits to their sum.
constexpr double kMostUnits = 0x1p20;
/// What rounding to units may change in the mean of weights that are set.
constexpr double kMostRounding = 0.01;

void require_processor(const DeviceLoop* device) {
  if (device != nullptr) throw InputError("A simulation on a GPU cannot be changed between runs; run it with --device cpu.");
}

void require_finite(std::span<const double> values, const std::string& what) {
  const auto bad = std::find_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); });
  if (bad == values.end()) return;
  throw InputError(fmt::format("Entry {} of {} is {}; all must be finite numbers.", bad - values.begin(), what, *bad));
}

void require_count(std::size_t given, std::size_t wanted, const std::string& what, const std::string& of) {
  if (given == wanted) return;
  throw InputError(fmt::format("{} {} were given; there must be {}, one for each {}.", given, what, wanted, of));
}

template <class List>
auto& find_named(List& things, const std::string& name, const char* what) {
  const auto found = std::find_if(things.begin(), things.end(), [&](const auto& thing) { return thing.name == name; });
  if (found != things.end()) return *found;
  std::vector<std::string> names;
  for (const auto& thing : things) names.push_back(thing.name);
  throw InputError(fmt::format("There is no {} named '{}'.{}", what, name, did_you_mean(name, names)));
}

/// Values of a state must be ones that neurons can have.
void require_state(const PopulationKernel& kernel, const std::string& variable, std::span<const double> values, bool fast, double dt_ms) {
  const std::string what = "'" + variable + "'";
  require_finite(values, what);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (variable == kRefractoryState) {
    require_refractory_time(*low, dt_ms);
    return require_refractory_time(*high, dt_ms);
  }
  const auto& states = kernel.variant.states;
  if (std::none_of(states.begin(), states.end(), [&](const StateInfo& s) { return s.name == variable; })) {
    std::vector<std::string> names;
    for (const StateInfo& s : states) names.push_back(s.name);
    names.emplace_back(kRefractoryState);
    throw InputError(fmt::format("Population '{}' has no state variable '{}' that can be set; it has {}.{}", kernel.population->name, variable,
                                 fmt::join(names, ", "), did_you_mean(variable, names)));
  }
  constexpr double kMost = 1e37;  // far inside of float32
  if (fast && std::max(-*low, *high) > kMost) {
    throw InputError(fmt::format("A value of '{}' is beyond {}, the most that fast precision keeps.", variable, kMost));
  }
}

}  // namespace

void Simulation::set_state(const std::string& population, const std::string& variable, std::span<const double> values) {
  Impl& s = *impl_;
  require_processor(s.device.get());
  const std::size_t p = s.network.index_of(population);
  const Population& of = s.network.populations[p];
  if (of.kind != Population::Kind::neurons) throw InputError("'" + population + "' is a source of spikes; it has no state.");
  require_count(values.size(), of.size, "values", "neuron of '" + population + "'");
  require_state(s.context.kernels[p], variable, values, s.options.precision == Precision::fast, s.network.dt_ms);
  for (const auto& tile : s.tiles) {
    for (const std::uint32_t c : tile->chunks()) {
      const Chunk& chunk = s.wiring->chunks()[c];
      if (chunk.population == p) tile->write_state(c, variable, values.data() + chunk.begin);
    }
  }
}

/// Throws unless all of these can be weights of a projection. `before`: what they are now.
void Simulation::Impl::require_weights(std::size_t projection, std::span<const double> weights, std::span<const double> before) const {
  const PlasticityVariant& rule = context.rules[projection];
  const Projection& of = network.projections[projection];
  require_finite(weights, "the weights of '" + of.name + "'");
  const bool fast = options.precision == Precision::fast;
  const double unit = units.unit[network.index_of(of.target)];
  double sum = 0.0, added = 0.0;  // of those that change
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == before[i]) continue;
    if (weights[i] < rule.lowest || weights[i] > rule.highest) {
      throw InputError(fmt::format("Entry {} of the weights of '{}' is {}; with its sign and rule ({}) they are from {} to {}.", i, of.name, weights[i],
                                   of.plasticity->rule, rule.lowest, rule.highest));
    }
    if (fast && std::abs(weights[i]) > kMostUnits * unit) {
      throw InputError(fmt::format("Entry {} of the weights of '{}' is {}, beyond {}, the most that fast precision adds without leaving 31 bits here; "
                                   "use exact precision, or larger initial weights.",
                                   i, of.name, weights[i], kMostUnits * unit));
    }
    sum += std::abs(weights[i]);
    added += std::abs(std::round(weights[i] / unit) * unit);
  }
  if (fast && std::abs(added - sum) > kMostRounding * sum) {
    throw InputError(fmt::format("Fast precision adds weights onto '{}' in multiples of {}, which follows from the initial weights; the mean of these of '{}' would "
                                 "change by {:.1f} %. Use exact precision, or smaller initial weights.",
                                 of.target, unit, of.name, 100.0 * std::abs(added - sum) / sum));
  }
}

/// The synapses of a projection here, tile by tile, and where those of each tile end.
Simulation::Impl::ByTile Simulation::Impl::synapses_by_tile(std::uint32_t projection) const {
  ByTile all;
  for (const auto& tile : tiles) {
    tile->read_synapses(projection, now, nullptr, [&](std::span<const PlasticSynapse> row) { all.synapses.insert(all.synapses.end(), row.begin(), row.end()); });
    all.end.push_back(all.synapses.size());
  }
  return all;
}

void Simulation::set_weights(const std::string& projection, std::span<const double> weights) {
  Impl& s = *impl_;
  require_processor(s.device.get());
  const auto index = static_cast<std::uint32_t>(&find_named(s.network.projections, projection, "projection") - s.network.projections.data());
  if (!s.network.projections[index].plasticity) {
    throw InputError("The weights of '" + projection + "' are not kept one by one and cannot be set; give the projection a plasticity: 'static' keeps weights as they are.");
  }
  const Impl::ByTile all = s.synapses_by_tile(index);
  const std::size_t count = all.synapses.size();
  std::vector<std::size_t> order(count);  // that of synapses()
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto key = [&](std::size_t i) { return std::tie(all.synapses[i].source, all.synapses[i].target, all.synapses[i].delay_steps, all.synapses[i].weight); };
    return key(a) < key(b);
  });
  std::exception_ptr failure;
  try {
    require_count(weights.size(), count, "weights", "synapse of '" + projection + "'");
    std::vector<double> before;
    for (const std::size_t i : order) before.push_back(all.synapses[i].weight);
    s.require_weights(index, weights, before);
  } catch (...) {
    failure = std::current_exception();
  }
  s.ranks.enter("setting weights", s.now);
  s.ranks.settle_failures(failure);
  std::vector<double> by_tile(count);
  for (std::size_t i = 0; i < count; ++i) by_tile[order[i]] = weights[i];
  for (std::size_t t = 0, begin = 0; t < s.tiles.size(); begin = all.end[t++]) {
    s.tiles[t]->write_weights(index, s.now, std::span(by_tile).subspan(begin, all.end[t] - begin));
  }
}

void Simulation::set_stimulus_rate(const std::string& stimulus, double rate_hz) {
  Impl& s = *impl_;
  require_processor(s.device.get());
  Stimulus& of = find_named(s.network.stimuli, stimulus, "stimulus");
  if (of.kind != Stimulus::Kind::poisson) throw InputError("'" + stimulus + "' is a current; it has an amplitude, no rate.");
  require_stimulus_rate(rate_hz, s.network.dt_ms);
  of.rate_hz = rate_hz;
  s.renew_inputs();
}

void Simulation::set_source_rate(const std::string& population, double rate_hz) {
  Impl& s = *impl_;
  require_processor(s.device.get());
  Population& of = s.network.populations[s.network.index_of(population)];
  if (of.kind != Population::Kind::poisson_source) throw InputError("'" + population + "' is no population of Poisson sources; it has no rate.");
  require_source_rate(rate_hz, of, s.network.dt_ms);
  of.rate_hz = rate_hz;
  s.renew_inputs();
}

void Simulation::set_amplitude(const std::string& stimulus, std::span<const double> amplitudes_pA) {
  Impl& s = *impl_;
  require_processor(s.device.get());
  Stimulus& of = find_named(s.network.stimuli, stimulus, "stimulus");
  if (of.kind != Stimulus::Kind::current) throw InputError("'" + stimulus + "' is a Poisson stimulus; it has a rate, no amplitude.");
  if (amplitudes_pA.size() != 1) require_count(amplitudes_pA.size(), s.network.find(of.target)->size, "amplitudes", "neuron of '" + of.target + "', or one for all");
  require_finite(amplitudes_pA, "the amplitudes");
  of.values.clear();
  if (amplitudes_pA.size() == 1) {
    of.amplitude_pA = amplitudes_pA[0];
  } else {
    of.values.assign(amplitudes_pA.begin(), amplitudes_pA.end());
  }
  s.renew_inputs();
}

void Simulation::Impl::renew_inputs() {
  for (const auto& tile : tiles) tile->renew_inputs(network);
}

}  // namespace tessera
