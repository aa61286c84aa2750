// Checks of one projection: its ends, its rule, its weights and delays.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "network/limits.hpp"
#include "network/sheet.hpp"
#include "network/validate.hpp"

namespace tessera::validation {
namespace {

using Kind = ConnectivityRule::Kind;

struct projection_reporter {
  context& c;
  const Projection& p;
  std::string path;  // for projections that do not know where they were written
  std::string label;
  void operator()(const std::string& key, std::string message) const {
    c.add(p.where, path, key, std::move(message));
  }
};

// Sources a target can have without multapses.
std::uint64_t distinct(const Population& from, bool without_self) {
  return from.size - (without_self && from.size > 0 ? 1u : 0u);
}

void check_number(const projection_reporter& report, const Population& source, const Population& target) {
  const ConnectivityRule& rule = report.p.rule;
  const bool without_self = !rule.autapses && &source == &target;
  const std::uint64_t sources = distinct(source, without_self),
                      targets = distinct(target, without_self);
  const std::uint64_t pairs = sources * target.size;  // both below 2^32
  std::uint64_t most = pairs;
  const char* what = "total number";
  if (rule.kind == Kind::fixed_indegree) {
    most = sources;
    what = "in-degree";
  }
  if (rule.kind == Kind::fixed_outdegree) {
    most = targets;
    what = "out-degree";
  }
  if (rule.number > 0 && pairs == 0) {
    report("number",
           fmt::format("{} cannot have synapses: without autapses no pair of neurons is left.",
                       report.label));
  } else if (!rule.multapses && rule.number > most) {
    report("number", fmt::format("The {} of {} is {}; without multapses it can be at most {}.",
                                 what, report.label, rule.number, most));
  }
}

void check_probability(const projection_reporter& report) {
  const double p = report.p.rule.probability;
  if (p >= 0.0 && p <= 1.0) return;
  report("probability",
         fmt::format("The connection probability of {} is {}; it must be from 0 to 1.",
                     report.label, p));
}

void check_gaussian(const projection_reporter& report, const Population& source, const Population& target) {
  check_probability(report);
  const double sigma = report.p.rule.sigma;
  if (!std::isfinite(sigma) || sigma <= 0.0) {
    report("sigma", fmt::format("The sigma of {} is {}; it must be above 0 (in {}).", report.label,
                                sigma, source.extent_mm[0] > 0.0 ? "mm" : "grid units"));
  }
  const std::string problem = distance_problem(source, target);
  if (!problem.empty())
    report("rule", fmt::format("The rule gaussian_2d of {}: {}.", report.label, problem));
}

// Delays that grow with the distance: an offset and a slope instead of a distribution.
void check_distance_delay(const projection_reporter& report, const Population& source,
                          const Population& target) {
  const Projection& p = report.p;
  if (p.rule.kind == Kind::explicit_list) {
    return report("delay", fmt::format("{} lists its delays; they cannot follow from distances.",
                                       report.label));
  }
  if (!std::isfinite(p.delay_slope) || p.delay_slope < 0.0) {
    return report(
        "delay",
        fmt::format("The delay of {} grows by {} ms per {}; it must be a number of 0 or more.",
                    report.label, p.delay_slope, source.extent_mm[0] > 0.0 ? "mm" : "grid unit"));
  }
  if (p.delay_ms.kind != Distribution::Kind::constant || !std::isfinite(p.delay_ms.a) ||
      p.delay_ms.a < 0.0) {
    return report("delay", fmt::format("The delay of {} needs a constant offset of 0 ms or more.",
                                       report.label));
  }
  const std::string problem = distance_problem(source, target);
  if (!problem.empty()) {
    // The rule says so already.
    if (p.rule.kind != Kind::gaussian_2d)
      report("delay", fmt::format("The delay of {}: {}.", report.label, problem));
    return;
  }
  if (!report.c.dt_is_good() || !is_sheet(source) || !is_sheet(target)) return;
  const double dt = report.c.network().dt_ms;
  const double longest = distances(p, source, target).longest;
  if (distance_delay_ms(p, longest) < (kMaxDelaySteps + 0.5) * dt) return;
  report("delay",
         fmt::format("The delay of {} reaches {:.6g} ms over a distance of {:.6g}{}; at most {} "
                     "steps, {} ms, are "
                     "possible.",
                     report.label, distance_delay_ms(p, longest), longest,
                     source.extent_mm[0] > 0.0 ? " mm" : "", kMaxDelaySteps, kMaxDelaySteps * dt));
}

// Counts the entries that are wrong in one way and remembers the first.
struct finding {
  std::size_t count = 0;
  std::string first;
  void add(std::string text) {
    if (count++ == 0) first = std::move(text);
  }
};

void check_list(const projection_reporter& report, const Population& source, const Population& target) {
  const double dt = report.c.dt_is_good() ? report.c.network().dt_ms : 0.0;
  const double longest = dt > 0.0 ? (kMaxDelaySteps + 0.5) * dt : HUGE_VAL;
  finding ends, weights, delays;
  const std::vector<ConnectivityRule::Synapse>& list = report.p.rule.list;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const ConnectivityRule::Synapse& s = list[i];
    if (s.source >= source.size || s.target >= target.size) {
      ends.add(fmt::format("synapse {} from {} to {}", i, s.source, s.target));
    }
    if (!std::isfinite(s.weight)) weights.add(fmt::format("synapse {}", i));
    if (!std::isfinite(s.delay_ms) || s.delay_ms < dt * (1.0 - 1e-6) || s.delay_ms >= longest) {
      delays.add(fmt::format("synapse {} with {} ms", i, s.delay_ms));
    }
  }
  if (ends.count > 0) {
    report("list",
           fmt::format("{} synapses of {} join neurons that do not exist (first: {}); sources go "
                       "from 0 to {}, targets from 0 to {}.",
                       ends.count, report.label, ends.first, source.size - 1, target.size - 1));
  }
  if (weights.count > 0) {
    report("list", fmt::format("{} weights of {} are not finite numbers (first: {}).",
                               weights.count, report.label, weights.first));
  }
  if (delays.count > 0) {
    report("list",
           fmt::format("{} delays of {} are not between one step ({} ms) and {} steps ({} ms) "
                       "(first: {}).",
                       delays.count, report.label, dt, kMaxDelaySteps,
                       static_cast<double>(kMaxDelaySteps) * dt, delays.first));
  }
}

void check_rule(const projection_reporter& report, const Population& source, const Population& target) {
  const ConnectivityRule& rule = report.p.rule;
  switch (rule.kind) {
    case Kind::one_to_one:
      if (source.size != target.size) {
        report("rule",
               fmt::format("The rule one_to_one needs populations of equal size, but '{}' has {} "
                           "neurons and '{}' {}.",
                           source.name, source.size, target.name, target.size));
      } else if (!rule.autapses && &source == &target) {
        report("rule",
               fmt::format("{} joins every neuron with itself, but autapses are switched off.",
                           report.label));
      }
      break;
    case Kind::all_to_all:
      break;
    case Kind::fixed_total_number:
    case Kind::fixed_indegree:
    case Kind::fixed_outdegree:
      check_number(report, source, target);
      break;
    case Kind::pairwise_bernoulli:
      check_probability(report);
      break;
    case Kind::gaussian_2d:
      check_gaussian(report, source, target);
      break;
    case Kind::explicit_list:
      check_list(report, source, target);
      break;
  }
  if (rule.kind == Kind::gaussian_2d) return;  // local: as many as fit the memory
  if (expected_synapses(report.p, source, target) > kMaxSynapses) {
    report.c.add_too_large(
        report.p.where, report.path, "number",
        fmt::format("{} would have {:.3g} synapses; at most {:.0g} are possible.", report.label,
                    expected_synapses(report.p, source, target), kMaxSynapses));
  }
}

void check_delay(const projection_reporter& report) {
  const Distribution& delay = report.p.delay_ms;
  const auto problems = distribution_problems(delay);
  for (const auto& [part, sentence] : problems) {
    report("delay" + part, fmt::format("Delay of {}: {}", report.label, sentence));
  }
  if (!problems.empty()) return;
  if (!report.c.dt_is_good()) return;
  const double dt = report.c.network().dt_ms;
  const double least = delay.quantile(0.0);
  if (delay.kind == Distribution::Kind::constant) {
    if (least < dt * (1.0 - 1e-6)) {
      report("delay",
             fmt::format("The delay of {} is {} ms; it must be at least one time step, {} ms.",
                         report.label, least, dt));
    }
  } else if (least < 0.5 * dt * (1.0 - 1e-6)) {
    report("delay",
           fmt::format("The delay of {} {}; give its {} distribution a "
                       "lower bound of at least half a time step (low = \"{} ms\").",
                       report.label,
                       std::isinf(least) ? "has no lower bound"
                                         : fmt::format("can be as short as {:.6g} ms", least),
                       to_string(delay.kind), 0.5 * dt));
  }
  const double most = delay.quantile(kDelayTail);
  const double longest = static_cast<double>(kMaxDelaySteps) * dt;
  if (!(most < longest + 0.5 * dt)) {
    report("delay",
           fmt::format("The delay of {} reaches {:.6g} ms; at most {} steps, {} ms, are "
                       "possible{}.",
                       report.label, most, kMaxDelaySteps, longest,
                       delay.kind == Distribution::Kind::constant ? "" : " (add an upper bound)"));
  }
}

}  // namespace

void check_projection(context& c, const Projection& p, std::size_t index) {
  const std::string ends = p.source + "->" + p.target;
  const projection_reporter report{
      c, p, p.name.empty() ? fmt::format("projections[{}]", index) : "projections." + p.name,
      "'" + (p.name.empty() ? ends : p.name) + "'"};
  const Population* source = c.look_up(p.where, report.path, "source", p.source);
  const Population* target = c.look_up(p.where, report.path, "target", p.target);
  if (target != nullptr && target->kind != Population::Kind::neurons) {
    report("target",
           fmt::format("'{}' is a source of spikes; a projection cannot end there.", p.target));
    target = nullptr;
  }
  if (source != nullptr && target != nullptr && source->size > 0 && target->size > 0) {
    check_rule(report, *source, *target);
    if (has_distance_delay(p)) check_distance_delay(report, *source, *target);
  }
  if (p.plasticity) check_plasticity(c, p, report.path, report.label, source, target);
  if (p.rewiring) check_rewiring(c, p, report.path, report.label, source, target);
  if (p.rule.kind == Kind::explicit_list) return;  // carries its own weights and delays
  for (const auto& [part, sentence] : distribution_problems(p.weight)) {
    report("weight" + part, fmt::format("Weight of {}: {}", report.label, sentence));
  }
  if (!has_distance_delay(p)) check_delay(report);
}

}  // namespace tessera::validation
