// The list of neuron models and the constants of exact integration.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "base/time_grid.hpp"
#include "neurons/models.hpp"
#include "tessera/errors.hpp"

namespace tessera {

int steps_of(double duration_ms, double dt_ms) {
  // The counter of every neuron has 16 bits.
  const std::int64_t steps = nearest_step(duration_ms, dt_ms);
  if (!(duration_ms >= 0.0 && steps <= std::numeric_limits<std::uint16_t>::max())) {
    throw InputError(
        fmt::format("A refractory period of {} ms is {} steps of {} ms; at most 65535 "
                    "steps are possible.",
                    duration_ms, std::round(duration_ms / dt_ms), dt_ms));
  }
  return static_cast<int>(steps);
}

double exact_current_to_voltage(double tau_syn, double tau_m, double capacitance, double dt_ms) {
  // V(dt) = 1/C * exp(-dt/tau_m) * integral_0^dt exp(r t) dt with r = 1/tau_m - 1/tau_syn.
  const double rate = 1.0 / tau_m - 1.0 / tau_syn;
  const double integral = rate == 0.0 ? dt_ms : std::expm1(rate * dt_ms) / rate;
  return std::exp(-dt_ms / tau_m) * integral / capacitance;
}

NeuronCatalogue NeuronCatalogue::builtin() {
  NeuronCatalogue catalogue;
  for (const auto model : kBuiltinModels) catalogue.add(model());
  return catalogue;
}

void NeuronCatalogue::add(NeuronModel model) {
  if (models_.contains(model.name)) {
    throw InputError("A neuron model named '" + model.name + "' is already in the catalogue.");
  }
  const std::string name = model.name;
  models_.emplace(name, std::move(model));
}

const NeuronModel* NeuronCatalogue::find(const std::string& name) const noexcept {
  const auto found = models_.find(name);
  return found == models_.end() ? nullptr : &found->second;
}

std::vector<std::string> NeuronCatalogue::names() const {
  std::vector<std::string> names;
  for (const auto& [name, model] : models_) names.push_back(name);
  return names;
}

}  // namespace tessera
