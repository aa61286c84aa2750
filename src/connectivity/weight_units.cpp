// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/weight_units.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "kernels/draw_rows.hpp"
#include "kernels/poisson.hpp"

namespace tessera {
namespace {

/// All that lands on a population under one name: a projection or a Poisson stimulus.
struct Incoming {
  std::string name;
  /// |weight| other than 0, ascending, and how often; empty for a long list.
  std::vector<std::pair<double, double>> weights;
  const std::vector<ConnectivityRule::Synapse>* list = nullptr;  ///< with too many different weights
  bool one_by_one = true;            ///< few values, each of which is to be kept
  double largest = 0.0;              ///< |weight|
  double indegree = 0.0;             ///< expected synapses per neuron
  double most_at_once = 0.0;         ///< sum of |weight| that one neuron can get in one step
};

/// Synapses of one neuron that are practically never exceeded: ten and more standard deviations above
/// the mean where the number is drawn.
double most_synapses(const ConnectivityRule& rule, double sources, double mean) {
  switch (rule.kind) {
    case ConnectivityRule::Kind::one_to_one:
    case ConnectivityRule::Kind::all_to_all:
    case ConnectivityRule::Kind::fixed_indegree:
      return std::max(1.0, mean);
    default: {
      const double most = mean + 12.0 * std::sqrt(mean) + 30.0;
      return rule.multapses && rule.kind != ConnectivityRule::Kind::gaussian_2d ? most : std::min(most, sources);
    }
  }
}

void add_list(const ConnectivityRule& rule, std::uint32_t targets, Incoming& in) {
  std::vector<double> at_once(targets, 0.0);
  std::map<double, double> weights;
  for (const auto& synapse : rule.list) {
    const double weight = std::abs(synapse.weight);
    at_once[synapse.target] += weight;
    if (weight > 0.0 && weights.size() <= WeightTable::kSize) weights[weight] += 1.0;
    in.largest = std::max(in.largest, weight);
  }
  in.one_by_one = weights.size() <= WeightTable::kSize;
  if (in.one_by_one) {
    in.weights.assign(weights.begin(), weights.end());
  } else {
    in.list = &rule.list;
  }
  in.most_at_once = *std::max_element(at_once.begin(), at_once.end());
}

Incoming incoming_of(const Wiring& wiring, const Bundle& first) {
  const Network& network = wiring.network();
  const Projection& projection = wiring.projection(first);
  const Population& target = network.populations[first.targets.population];
  const Population& source = network.populations[first.source_population];
  Incoming in;
  in.name = "projection '" + projection.name + "'";
  in.indegree = expected_synapses(projection, source, target) / target.size;
  if (projection.rule.kind == ConnectivityRule::Kind::explicit_list) {
    add_list(projection.rule, target.size, in);
    return in;
  }
  in.one_by_one = projection.weight.kind == Distribution::Kind::constant;
  in.largest = wiring.weights(first).largest_magnitude();
  // Corrected rows are drawn first and put right afterwards.
  ConnectivityRule drawn = projection.rule;
  if (first.drawing == Bundle::Drawing::corrected) drawn.kind = ConnectivityRule::Kind::fixed_total_number, drawn.multapses = true;
  in.most_at_once = in.largest * most_synapses(drawn, source.size, in.indegree);
  if (in.one_by_one) {
    if (in.largest > 0.0) in.weights = {{in.largest, 1.0}};
    return in;
  }
  for (const double weight : wiring.weights(first).values) {
    if (weight != 0.0) in.weights.emplace_back(std::abs(weight), 1.0);
  }
  std::sort(in.weights.begin(), in.weights.end());
  return in;
}

Incoming incoming_of(const Stimulus& stimulus, double dt_ms) {
  Incoming in;
  in.name = "stimulus '" + stimulus.name + "'";
  in.largest = std::abs(stimulus.weight);
  if (in.largest > 0.0) in.weights = {{in.largest, 1.0}};
  const PoissonTable counts(stimulus.rate_hz * dt_ms / 1000.0);
  in.most_at_once = in.largest * counts.parts * static_cast<double>(std::max<std::size_t>(1, counts.thresholds.size()));
  return in;
}

/// Weights that a rule moves about, or of which it transmits parts.
void make_plastic(const PlasticityVariant& rule, Incoming& in) {
  const double bound = std::max(std::abs(rule.lowest), std::abs(rule.highest));
  const double before = in.largest;
  if (!rule.in_parts) in.largest = std::isfinite(bound) ? std::max(bound, before) : 4.0 * before;
  if (before > 0.0) in.most_at_once *= in.largest / before;
  in.one_by_one = false;
  in.list = nullptr;
  in.weights.clear();
  constexpr int kParts = 64;
  for (int i = 0; i < kParts; ++i) in.weights.emplace_back(in.largest * (i + 0.5) / kParts, 1.0);
}

/// The projections and Poisson stimuli of every population, by their numbers.
struct Arriving {
  std::vector<std::uint32_t> projections, stimuli;
};
std::vector<Arriving> arriving(const Wiring& wiring) {
  const Network& network = wiring.network();
  std::vector<Arriving> result(network.populations.size());
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) result[wiring.target_population(p)].projections.push_back(p);
  for (std::uint32_t s = 0; s < network.stimuli.size(); ++s) {
    if (network.stimuli[s].kind == Stimulus::Kind::poisson) result[network.index_of(network.stimuli[s].target)].stimuli.push_back(s);
  }
  return result;
}

/// Of one population: thousands of projections have a thousand weights each.
std::vector<Incoming> incoming(const Wiring& wiring, std::span<const PlasticityVariant> rules, const Arriving& arriving) {
  std::vector<Incoming> all;
  for (const std::uint32_t p : arriving.projections) {
    const Bundle bundle = wiring.first_bundle(p);
    all.push_back(incoming_of(wiring, bundle));
    if (!is_plastic(wiring, bundle) || rules.empty()) continue;
    const bool changes = rules[p].efficacy == nullptr || rules[p].in_parts;
    // Static weights without rewiring are there to be set.
    if (changes || !wiring.projection(bundle).rewiring) make_plastic(rules[p], all.back());
  }
  for (const std::uint32_t s : arriving.stimuli) all.push_back(incoming_of(wiring.network().stimuli[s], wiring.network().dt_ms));
  return all;
}

double rounded(double weight, double unit) { return static_cast<double>(std::llround(weight / unit)) * unit; }

/// Relative change of the mean |weight|.
double mean_error(const Incoming& in, double unit) {
  double sum = 0.0, difference = 0.0;
  const auto add = [&](double weight, double times) {
    sum += weight * times;
    difference += (rounded(weight, unit) - weight) * times;
  };
  for (const auto& [weight, times] : in.weights) add(weight, times);
  if (in.list != nullptr) {
    for (const auto& synapse : *in.list) add(std::abs(synapse.weight), 1.0);
  }
  return sum > 0.0 ? std::abs(difference) / sum : 0.0;
}

/// The largest relative change of a mean |weight|, or of one of few values.
double worst_error(const std::vector<Incoming>& all, double unit) {
  double worst = 0.0;
  for (const Incoming& in : all) {
    if (!in.one_by_one) worst = std::max(worst, mean_error(in, unit));
    if (!in.one_by_one) continue;
    for (const auto& [weight, times] : in.weights) {
      worst = std::max(worst, std::abs(rounded(weight, unit) - weight) / weight);
    }
  }
  return worst;
}

/// Neurons multiply by the unit in float32. Rounded up, no sum of weights falls short of a threshold that
/// it reaches exactly.
double rounded_up(double unit) {
  const auto single = static_cast<float>(unit);
  if (!std::isnormal(single)) return unit;
  return single < unit ? std::nextafter(single, std::numeric_limits<float>::max()) : single;
}

/// A somewhat larger unit of which the smallest of few values is a multiple.
double fitted(const std::vector<Incoming>& all, double unit) {
  double smallest = std::numeric_limits<double>::infinity();
  for (const Incoming& in : all) {
    if (in.one_by_one && !in.weights.empty()) smallest = std::min(smallest, in.weights.begin()->first);
  }
  return std::isfinite(smallest) && smallest >= unit ? rounded_up(smallest / std::floor(smallest / unit)) : unit;
}

/// A number of which all weights are multiples to nine digits, by Euclid's algorithm on real numbers; 0
/// when there is none above `least`, or when weights are drawn.
double common_divisor(const std::vector<Incoming>& all, double largest, double least) {
  constexpr double kAccuracy = 1e-9;
  double divisor = 0.0;
  for (const Incoming& in : all) {
    if (!in.one_by_one) return 0.0;
    for (const auto& [weight, times] : in.weights) {
      double rest = weight;
      while (rest > kAccuracy * largest) {
        const double next = std::abs(std::remainder(divisor, rest));
        divisor = rest;
        rest = next;
      }
      if (divisor < least) return 0.0;
    }
  }
  divisor = largest / std::round(largest / divisor);
  for (const Incoming& in : all) {
    for (const auto& [weight, times] : in.weights) {
      if (std::abs(rounded(weight, divisor) - weight) > kAccuracy * weight) return 0.0;
    }
  }
  return divisor;
}

double choose_unit(const std::vector<Incoming>& all) {
  constexpr double kMostCommonUnits = 0x1p20;  // so that a rounded unit still gives the same multiples
  double largest = 0.0, indegree = 0.0, most_at_once = 0.0;
  for (const Incoming& in : all) {
    largest = std::max(largest, in.largest);
    indegree += in.indegree;
    most_at_once += in.most_at_once;
  }
  if (largest == 0.0) return 1.0;
  // A slot must hold all that a neuron can get at once, twice for safety, without leaving 31 bits.
  const double finest = std::max(most_at_once, largest) / 0x1p30;
  const double common = common_divisor(all, largest, std::max(finest, largest / kMostCommonUnits));
  if (common > 0.0) return rounded_up(common);
  const double most = std::min<double>(kLargestUnits, 0x1p30 / (2.0 * indegree + 1000.0));
  for (double unit = std::max(largest / most, finest);; unit = std::max(unit / 2.0, finest)) {
    const double error = worst_error(all, unit);
    if (error <= WeightUnits::kRoundingAllowed) return unit;
    const double with_fitted = worst_error(all, fitted(all, unit));
    if (with_fitted <= WeightUnits::kRoundingAllowed || (unit <= finest && with_fitted < error)) return fitted(all, unit);
    if (unit <= finest) return unit;
  }
}

}  // namespace

std::int32_t WeightUnits::units_of(double weight, std::uint32_t population) const {
  return static_cast<std::int32_t>(std::lround(weight / unit[population]));
}

WeightUnits choose_weight_units(const Wiring& wiring, std::span<const PlasticityVariant> rules) {
  const Network& network = wiring.network();
  WeightUnits units;
  for (const Arriving& of_population : arriving(wiring)) {
    const std::vector<Incoming> all = incoming(wiring, rules, of_population);
    const double unit = choose_unit(all);
    units.unit.push_back(unit);
    for (const Incoming& in : all) {
      const double error = mean_error(in, unit);
      if (error > WeightUnits::kRoundingAllowed) units.rounded.push_back({in.name, error});
    }
  }
  std::vector<std::vector<std::int32_t>> distinct;
  units.table_of.assign(network.projections.size(), WeightUnits::kMostTables);
  units.wide.assign(network.projections.size(), false);
  for (std::uint32_t p = 0; p < network.projections.size(); ++p) {
    const Bundle bundle = wiring.first_bundle(p);
    const std::uint32_t population = bundle.targets.population;
    if (is_plastic(wiring, bundle)) continue;  // kept as float32
    const auto exceeds = [](std::int32_t n) { return std::abs(n) > kLargestUnits; };
    if (wiring.projection(bundle).rule.kind == ConnectivityRule::Kind::explicit_list) {
      for (const auto& synapse : wiring.projection(bundle).rule.list) {
        if (exceeds(units.units_of(synapse.weight, population))) units.wide[bundle.projection] = true;
      }
      continue;
    }
    std::vector<std::int32_t> table;
    for (const double value : wiring.weights(bundle).values) table.push_back(units.units_of(value, population));
    units.wide[bundle.projection] = std::any_of(table.begin(), table.end(), exceeds);
    if (bundle.drawing == Bundle::Drawing::listed) continue;
    auto same = std::find(distinct.begin(), distinct.end(), table);
    if (same == distinct.end() && distinct.size() == WeightUnits::kMostTables) continue;
    if (same == distinct.end()) same = distinct.insert(distinct.end(), std::move(table));
    units.table_of[bundle.projection] = static_cast<std::uint32_t>(same - distinct.begin());
  }
  for (const auto& table : distinct) units.tables.insert(units.tables.end(), table.begin(), table.end());
  return units;
}

}  // namespace tessera
