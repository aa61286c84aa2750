// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/chip_circuits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tessera {
namespace {

constexpr double kLeast = 0.05;

bool has(const NeuronModel& model, const std::string& parameter) {
  return std::any_of(model.parameters.begin(), model.parameters.end(), [&](const ParameterInfo& p) { return p.name == parameter; });
}

double distance_of(const Population& population, const NeuronModel& model) {
  const ParameterValues values = values_of(population, model);
  return values["V_th"] - values["E_L"];
}

/// The population of one circuit.
Population varied(const Population& population, const NeuronModel& model, const substrate::CircuitPattern& pattern, double noise) {
  const ParameterValues values = values_of(population, model);
  Population own = population;
  const auto stretch = [&](const char* name, double deviation) {
    if (deviation != 0.0 && has(model, name)) own.parameters[name] = values[name] * std::max(kLeast, 1.0 + deviation);
  };
  stretch("tau_m", pattern.membrane);
  stretch("tau_syn_ex", pattern.synapse);
  stretch("tau_syn_in", pattern.synapse);
  if (pattern.threshold == 0.0 && noise == 0.0 && pattern.leak == 0.0) return own;
  const double theta = values["V_th"] - values["E_L"];
  const double leak = values["E_L"] + theta * pattern.leak;
  own.parameters["E_L"] = leak;
  own.parameters["V_th"] = std::max({values["V_th"] + theta * (pattern.threshold + noise), leak + kLeast * theta, values["V_reset"] + kLeast * theta});
  return own;
}

PopulationKernel kernel_of(const Network& network, const NeuronModel& model, const PopulationKernel& shared, const Population& own, double gain) {
  PopulationKernel kernel = shared;
  const ParameterValues values = values_of(own, model);
  kernel.variant = model.prepare(values, network.dt_ms);
  kernel.input_gain = 1.0 + gain;
  for (std::size_t s = 0; s < kernel.variant.states.size(); ++s) {
    const std::string& initial = kernel.variant.states[s].initial_parameter;
    kernel.default_initial[s] = initial.empty() ? 0.0 : values[initial];
  }
  return kernel;
}

}  // namespace

bool circuits_differ(const MachineDescription& machine) {
  const auto& p = machine.fixed_pattern;
  return p.threshold.applies() || p.leak.applies() || p.membrane_time_constant.applies() || p.synapse_time_constant.applies() ||
         p.weight_gain.applies() || machine.noise.threshold.applies();
}

std::vector<Problem> circuit_problems(const Network& network, const NeuronCatalogue& models, const MachineDescription& machine) {
  const auto& p = machine.fixed_pattern;
  const bool levels = p.threshold.applies() || p.leak.applies() || machine.noise.threshold.applies() || machine.noise.membrane.applies();
  std::vector<Problem> problems;
  for (const Population& population : network.populations) {
    if (population.kind != Population::Kind::neurons) continue;
    const NeuronModel& model = *models.find(population.model);
    const auto need = [&](bool wanted, std::vector<const char*> parameters, const char* what) {
      if (!wanted || std::all_of(parameters.begin(), parameters.end(), [&](const char* name) { return has(model, name); })) return;
      SourceLocation where = population.where;
      if (where.key_path.empty()) where.key_path = "populations." + population.name;
      problems.push_back({where, fmt::format("Population '{}' has the model {}, whose {} the emulation of '{}' cannot vary: iaf_psc_exp, iaf_psc_alpha and "
                                             "iaf_psc_delta can; or leave \"pattern\" and \"noise\" out of --effects.",
                                             population.name, population.model, what, machine.name)});
    };
    need(levels, {"V_th", "E_L", "V_reset"}, "threshold and leak");
    need(p.membrane_time_constant.applies(), {"tau_m"}, "membrane time constant");
    need(p.synapse_time_constant.applies() && population.model != "iaf_psc_delta", {"tau_syn_ex", "tau_syn_in"}, "synaptic time constants");
  }
  return problems;
}

std::uint32_t noise_run(std::uint64_t network_seed) { return static_cast<std::uint32_t>(network_seed ^ network_seed >> 32); }

ChipCircuits::ChipCircuits(const Network& network, const NeuronCatalogue& models, const std::vector<PopulationKernel>& kernels,
                           const PartitionedOptions& options, const PartitionRun& run) {
  std::uint64_t circuit = 0;
  const substrate::RunNumber number{noise_run(options.simulation.seed), 0};
  for (const PartitionSlice& slice : run.slices) {
    const PartitionedPopulation& divided = options.partition.populations[slice.population];
    const Population& population = network.populations[divided.index];
    const NeuronModel& model = *models.find(population.model);
    for (std::uint32_t i = slice.first; i < slice.first + slice.count; ++i, circuit += divided.circuits) {
      const auto place = static_cast<std::uint32_t>(circuit);
      const substrate::CircuitPattern pattern = substrate::draw_pattern(options.machine.fixed_pattern, options.chip_seed, run.chip, place);
      const double noise = substrate::draw_run_threshold(options.machine.noise.threshold, options.chip_seed, number, run.chip, place);
      const Population own = varied(population, model, pattern, noise);
      kernels_.emplace(Key{divided.index, i}, kernel_of(network, model, kernels[divided.index], own, pattern.gain));
    }
  }
}

const PopulationKernel* ChipCircuits::kernel(std::uint32_t population, std::uint32_t neuron) const {
  const auto found = kernels_.find({population, neuron});
  return found == kernels_.end() ? nullptr : &found->second;
}

MembraneNoise membrane_noise(const Network& network, const NeuronCatalogue& models, const PartitionedOptions& options) {
  MembraneNoise noise{substrate::NoiseTable(options.machine.noise.membrane), options.chip_seed, noise_run(options.simulation.seed), {}};
  for (const Population& population : network.populations) {
    const bool noisy = !noise.table.empty() && population.kind == Population::Kind::neurons;
    noise.distance.push_back(noisy ? distance_of(population, *models.find(population.model)) : 0.0);
  }
  return noise;
}

}  // namespace tessera
