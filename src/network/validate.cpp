// Everything that is wrong with a network, in one pass.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "network/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/printable.hpp"
#include "network/limits.hpp"

namespace tessera {
namespace validation {
namespace {

void check_times(context& c) {
  const Network& n = c.network();
  const SourceLocation file;
  if (!c.dt_is_good()) {
    c.add(file, "", "dt",
          fmt::format("The time step dt is {} ms; it must be a positive number.", n.dt_ms));
  }
  const auto check = [&](const char* key, double value) {
    if (!std::isfinite(value) || value < 0.0) {
      c.add(file, "", key,
            fmt::format("The {} is {} ms; it must be a number of 0 or more.", key, value));
    } else if (!c.dt_is_good()) {
      return true;  // nothing can be compared with it
    } else if (value / n.dt_ms > kMaxSteps) {
      c.add(file, "", key,
            fmt::format("The {} of {} ms is more than {:.0f} steps of {} ms, the longest "
                        "run.",
                        key, value, kMaxSteps, n.dt_ms));
    } else if (!is_multiple(value, n.dt_ms)) {
      c.add(file, "", key,
            fmt::format("The {} of {} ms is not a whole number of steps of {} ms.", key, value,
                        n.dt_ms));
    } else {
      return true;
    }
    return false;
  };
  const bool time_good = check("time", n.time_ms);
  if (check("discard", n.discard_ms) && time_good && n.discard_ms > n.time_ms) {
    c.add(file, "", "discard",
          fmt::format("The first {} ms are to be discarded, but the run lasts only "
                      "{} ms.",
                      n.discard_ms, n.time_ms));
  }
}

template <class List>
void check_duplicates(context& c, const List& things, const char* what, const char* table) {
  std::set<std::string> seen;
  for (const auto& thing : things) {
    if (thing.name.empty() || seen.insert(thing.name).second) continue;
    c.add(thing.where, std::string(table) + "." + thing.name, "",
          fmt::format("There are two {} named '{}'; names must differ.", what, thing.name));
  }
}

void check_total_size(context& c) {
  std::uint64_t total = 0;
  for (const Population& population : c.network().populations) total += population.size;
  if (total > kMaxNeurons) {
    c.add_too_large(
        {}, "", "populations",
        fmt::format("The populations have {} neurons in all, {} more than the {} that are "
                    "possible.",
                    total, total - kMaxNeurons, kMaxNeurons));
  }
}

// Names of populations have stricter rules; these are shown to people and written into reports.
void check_names(context& c) {
  const auto check = [&c](const SourceLocation& where, const std::string& path,
                          const std::string& name) {
    if (is_plain_name(name)) return;
    c.add(where, path, "name",
          fmt::format("'{:.80}' cannot be a name: it has control characters or is no UTF-8.", name));
  };
  const Network& network = c.network();
  check({}, "", network.name);
  for (const Projection& p : network.projections) check(p.where, "projections", p.name);
  for (const Stimulus& s : network.stimuli) check(s.where, "stimuli", s.name);
}

}  // namespace

context::context(const Network& network, const NeuronCatalogue& models)
    : network_(network), models_(models) {
  for (const Population& p : network.populations) populations_.emplace(p.name, &p);
}

void context::add(const SourceLocation& where, const std::string& path, const std::string& key,
                  std::string message) {
  SourceLocation place = where;
  if (place.key_path.empty()) place.key_path = path;
  if (!key.empty()) place.key_path += (place.key_path.empty() ? "" : ".") + key;
  problems_.push_back({std::move(place), std::move(message)});
}

void context::add_too_large(const SourceLocation& where, const std::string& path,
                            const std::string& key, std::string message) {
  add(where, path, key, std::move(message));
  too_large_.push_back(problems_.back());
}

const Population* context::look_up(const SourceLocation& where, const std::string& path,
                                   const std::string& key, const std::string& name) {
  if (const auto found = populations_.find(name); found != populations_.end()) return found->second;
  std::vector<std::string> names;
  for (const Population& p : network_.populations) names.push_back(p.name);
  add(where, path, key,
      fmt::format("There is no population named '{}'.{}", name, did_you_mean(name, names)));
  return nullptr;
}

const std::vector<std::string>* context::states_of(const Population& population) const {
  const auto found = states_.find(&population);
  return found == states_.end() ? nullptr : &found->second;
}

void context::set_states(const Population& population, std::vector<std::string> names) {
  states_[&population] = std::move(names);
}

bool context::dt_is_good() const noexcept {
  return std::isfinite(network_.dt_ms) && network_.dt_ms > 0.0;
}

bool is_multiple(double time, double dt) {
  const double steps = time / dt;
  return std::abs(steps - std::nearbyint(steps)) <= std::max(1e-6, std::abs(steps) * 1e-12);
}

namespace {

void check_everything(context& c) {
  const Network& network = c.network();
  check_times(c);
  if (!(network.rate_limit_hz > 0.0)) {
    c.add({}, "", "rate_limit",
          fmt::format("The rate limit is {} Hz; it must be above 0.", network.rate_limit_hz));
  }
  check_names(c);
  if (network.populations.empty()) {
    c.add({}, "", "populations", "The network has no populations; it needs at least one.");
  }
  check_duplicates(c, network.populations, "populations", "populations");
  check_duplicates(c, network.projections, "projections", "projections");
  check_duplicates(c, network.stimuli, "stimuli", "stimuli");
  check_total_size(c);
  for (const Population& population : network.populations) check_population(c, population);
  for (std::size_t i = 0; i < network.projections.size(); ++i) {
    check_projection(c, network.projections[i], i);
  }
  for (std::size_t i = 0; i < network.stimuli.size(); ++i) check_stimulus(c, network.stimuli[i], i);
  for (std::size_t i = 0; i < network.recorders.size(); ++i) {
    check_recorder(c, network.recorders[i], i);
  }
  for (const SpikeSelection& selection : network.spike_recorders) check_spike_selection(c, selection);
}

}  // namespace
}  // namespace validation

std::vector<Problem> validate(const Network& network, const NeuronCatalogue& models) {
  validation::context c(network, models);
  validation::check_everything(c);
  return c.take();
}

std::vector<Problem> size_problems(const Network& network, const NeuronCatalogue& models) {
  validation::context c(network, models);
  validation::check_everything(c);
  return c.take_too_large();
}

void require_valid(const Network& network, const NeuronCatalogue& models) {
  std::vector<Problem> problems = validate(network, models);
  if (!problems.empty()) throw InputError(std::move(problems));
}

}  // namespace tessera
