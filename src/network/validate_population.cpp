// Checks of one population: its size, model, parameters, initial values, or its spikes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network/limits.hpp"
#include "network/state_names.hpp"
#include "network/validate.hpp"

namespace tessera::validation {
namespace {

constexpr std::size_t kLongestName = 64;

// Names become file names, HDF5 groups and parts of command-line arguments.
bool is_good_name(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '+';
  };
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
         name.front() != '-' && std::all_of(name.begin(), name.end(), good);
}

// Adds problems of one population; keeps the arguments of context::add short.
struct population_reporter {
  context& c;
  const Population& p;
  void operator()(const std::string& key, std::string message) const {
    c.add(p.where, "populations." + p.name, key, std::move(message));
  }
};

void check_initial_values(const population_reporter& report, const std::vector<std::string>& states) {
  const Population& p = report.p;
  for (const auto& [name, initial] : p.initial) {
    const std::string key = "initial." + name;
    if (std::find(states.begin(), states.end(), name) == states.end()) {
      report(key, fmt::format("Population '{}' has no state variable '{}'; it has {}.{}", p.name,
                              name, fmt::join(states, ", "), did_you_mean(name, states)));
    } else if (initial.values.empty()) {
      for (const auto& [part, sentence] : distribution_problems(initial.distribution)) {
        report(key + part, sentence);
      }
    } else if (p.size > 0 && initial.values.size() != p.size) {
      report(key + ".values", fmt::format("{} initial values of {} are given for the {} neurons of population "
                              "'{}'; there must be one for each.",
                              initial.values.size(), name, p.size, p.name));
    } else if (!std::all_of(initial.values.begin(), initial.values.end(),
                            [](double v) { return std::isfinite(v); })) {
      report(key + ".values", fmt::format("The initial values of {} must be finite numbers.", name));
    }
  }
}

void check_refractory(const population_reporter& report) {
  const auto found = report.p.initial.find(kRefractoryState);
  if (found == report.p.initial.end()) return;
  const double longest = kMaxRefractorySteps * report.c.network().dt_ms;
  const auto wrong = [longest](double ms) { return ms < 0.0 || ms > longest; };
  const Distribution& d = found->second.distribution;
  const bool bad = found->second.values.empty() ? d.kind == Distribution::Kind::constant && wrong(d.a)
                                                : std::any_of(found->second.values.begin(), found->second.values.end(), wrong);
  if (bad) {
    report("initial.refractory", fmt::format("The refractory time that is left to neurons of '{}' must be from 0 to {} ms.",
                                             report.p.name, longest));
  }
}

std::vector<std::string> names_of(const std::vector<StateInfo>& states) {
  std::vector<std::string> names;
  for (const StateInfo& state : states) names.push_back(state.name);
  return names;
}

void check_neurons(const population_reporter& report) {
  context& c = report.c;
  const Population& p = report.p;
  const NeuronModel* model = c.models().find(p.model);
  if (model == nullptr) {
    report("model", p.model.empty() ? fmt::format("Population '{}' names no neuron model.", p.name)
                                    : fmt::format("There is no neuron model named '{}'.{}", p.model,
                                                  did_you_mean(p.model, c.models().names())));
    return;
  }
  std::vector<std::string> states = names_of(model->states);
  ParameterValues values;
  const auto problems = parameter_problems("The model " + model->name, "population '" + p.name + "'",
                                           model->parameters, p.parameters, values);
  for (const auto& [name, sentence] : problems) {
    const bool known = values.all().contains(name);
    report("parameters." + name, known ? sentence : sentence + hint_at_rules(c.models(), name));
  }
  if (problems.empty()) {
    std::vector<std::string> sentences;
    if (model->check != nullptr) sentences = model->check(values);
    const auto t_ref = values.all().find("t_ref");
    if (c.dt_is_good() && t_ref != values.all().end() &&
        !(t_ref->second / c.network().dt_ms <= kMaxRefractorySteps)) {
      sentences.push_back(fmt::format("t_ref is {} ms; at most {} steps of {} ms are possible.",
                                      t_ref->second, kMaxRefractorySteps, c.network().dt_ms));
    }
    for (const std::string& sentence : sentences) {
      report("parameters", fmt::format("Population '{}': {}", p.name, sentence));
    }
    // Some states exist only for some parameters (one or two synaptic currents).
    if (sentences.empty() && c.dt_is_good() && model->prepare != nullptr) {
      states = names_of(model->prepare(values, c.network().dt_ms).states);
    }
  }
  std::vector<std::string> initial = states;
  initial.emplace_back(kRefractoryState);
  check_initial_values(report, initial);
  check_refractory(report);
  c.set_states(p, std::move(states));
}

void check_bump(const population_reporter& report) {
  const Population& p = report.p;
  const ActivityBump& bump = *p.bump;
  const auto positive = [&](const char* key, double value, const char* unit) {
    if (std::isfinite(value) && value > 0.0) return;
    report(std::string("bump.") + key, fmt::format("The {} of the bump of '{}' is {}{}; it must be above 0.", key, p.name, value, unit));
  };
  positive("sigma", bump.sigma, " cells");
  positive("period", bump.period_ms, " ms");
  if (!std::isfinite(bump.peak_hz) || bump.peak_hz < 0.0) {
    report("bump.peak", fmt::format("The peak of the bump of '{}' is {} Hz; it must be a number of 0 or more.", p.name, bump.peak_hz));
  } else if (report.c.dt_is_good() && (p.rate_hz + bump.peak_hz) * report.c.network().dt_ms > 1000.0) {
    report("bump.peak", fmt::format("At the peak of its bump '{}' has a rate of {} Hz; at most one spike per step, {} Hz, is possible.", p.name,
                                    p.rate_hz + bump.peak_hz, 1000.0 / report.c.network().dt_ms));
  }
  const std::uint32_t columns = p.grid_columns, rows = columns == 0 ? 0 : p.size / columns;
  if (columns == 0) {
    report("bump", fmt::format("'{}' has a bump of rates, but no grid to have it on; give it grid_columns.", p.name));
  } else if (bump.block == 0 || columns % bump.block != 0 || rows % bump.block != 0) {
    report("bump.block", fmt::format("The bump of '{}' has blocks of {} cells; the edges of its grid, {} and {}, must be multiples of that.",
                                     p.name, bump.block, columns, rows));
  } else if (bump.centres == 0 || bump.centres > bump.block) {
    report("bump.centres", fmt::format("The bump of '{}' has {} places along a block; 1 to {} are possible.", p.name, bump.centres, bump.block));
  }
}

void check_poisson_source(const population_reporter& report) {
  const Population& p = report.p;
  if (p.bump) check_bump(report);
  if (!std::isfinite(p.rate_hz) || p.rate_hz < 0.0) {
    report("rate",
           fmt::format("The rate of the Poisson source '{}' is {} Hz; it must be a number of 0 "
                       "or more.",
                       p.name, p.rate_hz));
  } else if (report.c.dt_is_good() &&
             p.rate_hz * report.c.network().dt_ms > 1000.0 * kMaxSourceSpikesPerStep) {
    report("rate",
           fmt::format("The rate of the Poisson source '{}' is {} Hz; it must be at most {} Hz, "
                       "one spike per step on average.",
                       p.name, p.rate_hz,
                       1000.0 * kMaxSourceSpikesPerStep / report.c.network().dt_ms));
  }
  if (!std::isfinite(p.start_ms) || p.start_ms < 0.0) {
    report("start",
           fmt::format("The start of '{}' is {} ms; it must be 0 or later.", p.name, p.start_ms));
  }
  if (!(p.duration_ms > 0.0)) {
    report("duration", fmt::format("The duration of '{}' is {} ms; it must be above 0.", p.name,
                                   p.duration_ms));
  }
  if (!std::isfinite(p.interval_ms) || p.interval_ms < 0.0) {
    report("interval",
           fmt::format("The interval of '{}' is {} ms; it must be 0 (one pulse only) or "
                       "more.",
                       p.name, p.interval_ms));
  } else if (p.interval_ms > 0.0 && p.interval_ms < p.duration_ms) {
    report("interval",
           fmt::format("The pulses of '{}' last {} ms but come every {} ms; they must not "
                       "overlap.",
                       p.name, p.duration_ms, p.interval_ms));
  }
}

void check_spike_train(const population_reporter& report) {
  const Population& p = report.p;
  const double dt = report.c.dt_is_good() ? report.c.network().dt_ms : 1.0;
  std::size_t bad_times = 0, bad_neurons = 0;
  std::string first_time, first_neuron;
  for (std::size_t i = 0; i < p.train.size(); ++i) {
    const Population::TrainSpike& spike = p.train[i];
    if (!std::isfinite(spike.time_ms) || spike.time_ms < 0.0 || spike.time_ms / dt > kMaxSteps) {
      if (bad_times++ == 0) first_time = fmt::format("spike {} at {} ms", i, spike.time_ms);
    }
    if (p.size > 0 && spike.neuron >= p.size) {
      if (bad_neurons++ == 0) first_neuron = fmt::format("spike {} of neuron {}", i, spike.neuron);
    }
  }
  if (bad_times > 0) {
    report("spikes",
           fmt::format("{} spike times of '{}' are not times from 0 to {:.0f} steps (first: "
                       "{}).",
                       bad_times, p.name, kMaxSteps, first_time));
  }
  if (bad_neurons > 0) {
    report("spikes", fmt::format("{} spikes of '{}' belong to neurons outside 0 to {} (first: {}).",
                                 bad_neurons, p.name, p.size - 1, first_neuron));
  }
}

void check_grid(const population_reporter& report) {
  const Population& p = report.p;
  const auto [width, height] = p.extent_mm;
  const bool measured = width != 0.0 || height != 0.0;
  if (p.grid_columns == 0 && (measured || !p.periodic)) {
    report(measured ? "extent" : "periodic",
           fmt::format("Population '{}' has no grid_columns, so it is no sheet that could {}.",
                       p.name, measured ? "have an extent" : "have edges"));
  }
  const auto is_length = [](double x) { return x > 0.0 && x <= kMaxExtent_mm; };
  if (measured && !(is_length(width) && is_length(height))) {
    report("extent",
           fmt::format("The extent of population '{}' is {} mm x {} mm; both lengths must "
                       "be above 0 and at most {} mm.",
                       p.name, width, height, kMaxExtent_mm));
  }
  if (p.grid_columns == 0 || p.size == 0) return;
  if (p.size % p.grid_columns != 0) {
    report("grid_columns", fmt::format("The {} neurons of population '{}' do not fill a grid of {} "
                                       "columns.",
                                       p.size, p.name, p.grid_columns));
  } else if (p.grid_columns > kMaxGridSide || p.size / p.grid_columns > kMaxGridSide) {
    report("grid_columns",
           fmt::format("The grid of population '{}' has {} columns and {} rows; at most "
                       "{} of each are possible.",
                       p.name, p.grid_columns, p.size / p.grid_columns, kMaxGridSide));
  }
}

}  // namespace

void check_population(context& c, const Population& p) {
  const population_reporter report{c, p};
  if (!is_good_name(p.name)) {
    report("", fmt::format(
                   "'{}' cannot name a population; a name has 1 to {} letters, digits, '_', '-', "
                   "'.' and '+', and does not begin with '-' or '.'.",
                   p.name, kLongestName));
  }
  if (p.size == 0) {
    report("size", fmt::format("Population '{}' has no neurons; the size must be from 1 to {}.",
                               p.name, kMaxNeurons));
  }
  check_grid(report);
  if (!std::isfinite(p.mean_rate_hz) || p.mean_rate_hz < 0.0) {
    report("mean_rate",
           fmt::format("The mean rate of '{}' is {} Hz; it must be a number of 0 or more.", p.name,
                       p.mean_rate_hz));
  }
  if (p.kind == Population::Kind::neurons) {
    check_neurons(report);
    return;
  }
  if (!p.model.empty() || !p.parameters.empty() || !p.initial.empty()) {
    report("",
           fmt::format("'{}' is a source of spikes: it has no neuron model, parameters or initial "
                       "values.",
                       p.name));
  }
  if (p.kind == Population::Kind::poisson_source) check_poisson_source(report);
  if (p.kind == Population::Kind::spike_train_source) check_spike_train(report);
}

}  // namespace tessera::validation
