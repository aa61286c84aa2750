// Checks of stimuli and state recorders.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network/limits.hpp"
#include "network/validate.hpp"

namespace tessera::validation {
namespace {

struct input_reporter {
  context& c;
  const SourceLocation& where;
  std::string path;
  void operator()(const std::string& key, std::string message) const {
    c.add(where, path, key, std::move(message));
  }
};

void check_poisson(const input_reporter& report, const Stimulus& s) {
  if (!std::isfinite(s.rate_hz) || s.rate_hz < 0.0) {
    report("rate",
           fmt::format("The Poisson rate is {} Hz; it must be a number of 0 or more.", s.rate_hz));
  } else if (report.c.dt_is_good() &&
             s.rate_hz * report.c.network().dt_ms > 1000.0 * kMaxStimulusSpikesPerStep) {
    report("rate",
           fmt::format("The Poisson rate is {} Hz; at most {} Hz, {} spikes per step, are "
                       "possible.",
                       s.rate_hz, 1000.0 * kMaxStimulusSpikesPerStep / report.c.network().dt_ms,
                       kMaxStimulusSpikesPerStep));
  }
  if (!std::isfinite(s.weight)) report("weight", "The weight must be a finite number.");
  if (!std::isfinite(s.delay_ms) || s.delay_ms < 0.0) {
    report("delay",
           fmt::format("The delay is {} ms; it must be a number of 0 or more.", s.delay_ms));
  } else if (report.c.dt_is_good() &&
             s.delay_ms > static_cast<double>(kMaxDelaySteps) * report.c.network().dt_ms) {
    report("delay", fmt::format("The delay is {} ms; at most {} steps are possible.", s.delay_ms,
                                kMaxDelaySteps));
  }
}

void check_current(const input_reporter& report, const Stimulus& s, const Population* target) {
  if (!std::isfinite(s.amplitude_pA)) report("amplitude", "The amplitude must be a finite number.");
  if (s.values.empty()) return;
  if (target != nullptr && target->size > 0 && s.values.size() != target->size) {
    report("values",
           fmt::format("{} amplitudes are given for the {} neurons of '{}'; there must be one "
                       "for each.",
                       s.values.size(), target->size, s.target));
  }
  if (!std::all_of(s.values.begin(), s.values.end(), [](double v) { return std::isfinite(v); })) {
    report("values", "The amplitudes must be finite numbers.");
  }
}

}  // namespace

void check_stimulus(context& c, const Stimulus& s, std::size_t index) {
  const input_reporter report{c, s.where,
                        s.name.empty() ? fmt::format("stimuli[{}]", index) : "stimuli." + s.name};
  const Population* target = c.look_up(s.where, report.path, "target", s.target);
  if (target != nullptr && target->kind != Population::Kind::neurons) {
    report("target", fmt::format("'{}' is a source of spikes; it cannot be stimulated.", s.target));
  }
  if (!std::isfinite(s.start_ms) || s.start_ms < 0.0) {
    report("start", fmt::format("The start is {} ms; it must be 0 or later.", s.start_ms));
  }
  if (!(s.duration_ms > 0.0)) {
    report("duration", fmt::format("The duration is {} ms; it must be above 0.", s.duration_ms));
  }
  if (s.kind == Stimulus::Kind::poisson) check_poisson(report, s);
  if (s.kind == Stimulus::Kind::current) check_current(report, s, target);
}

void check_recorder(context& c, const StateRecorder& r, std::size_t index) {
  const input_reporter report{c, r.where, fmt::format("recorders[{}]", index)};
  const Population* population = c.look_up(r.where, report.path, "population", r.population);
  if (population != nullptr && population->kind != Population::Kind::neurons) {
    report("population",
           fmt::format("'{}' is a source of spikes; it has no state to record.", r.population));
  } else if (population != nullptr) {
    const std::vector<std::string>* states = c.states_of(*population);
    if (states != nullptr &&
        std::find(states->begin(), states->end(), r.variable) == states->end()) {
      report("variable",
             fmt::format("Population '{}' has no state variable '{}'; it has {}.{}", r.population,
                         r.variable, fmt::join(*states, ", "), did_you_mean(r.variable, *states)));
    }
    if (population->size > 0 && r.count > population->size) {
      report("count", fmt::format("{} neurons of '{}' are to be recorded, but it has only {}.",
                                  r.count, r.population, population->size));
    }
  }
  if (r.count == 0) report("count", "The number of neurons to record must be at least 1.");
  const double dt = c.network().dt_ms;
  if (c.dt_is_good() && !(std::isfinite(r.interval_ms) && r.interval_ms >= dt * (1.0 - 1e-6) &&
                          is_multiple(r.interval_ms, dt))) {
    report("interval",
           fmt::format("The recording interval is {} ms; it must be a whole number of steps "
                       "of {} ms, at least one.",
                       r.interval_ms, dt));
  }
}

void check_spike_selection(context& c, const SpikeSelection& s) {
  const input_reporter report{c, s.where, "spike_recorders"};
  (void)c.look_up(s.where, report.path, "population", s.population);
  if (s.count == 0) report("count", "The number of neurons to record must be at least 1.");
}

}  // namespace tessera::validation
