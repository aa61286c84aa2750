// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/device_map.hpp"

#include <algorithm>
#include <cmath>

#include "base/time_grid.hpp"
#include "kernels/cuda/phases.hpp"
#include "kernels/poisson.hpp"

namespace tessera {

gpu::Equation device_equation(const Population& population, const NeuronVariant& variant) {
  if (population.kind != Population::Kind::neurons) return gpu::Equation::none;
  const std::string& model = population.model;
  const bool one = variant.ports == 1;
  if (model == "iaf_psc_exp") return one ? gpu::Equation::iaf_psc_exp_one : gpu::Equation::iaf_psc_exp_two;
  if (model == "iaf_psc_alpha") return one ? gpu::Equation::iaf_psc_alpha_one : gpu::Equation::iaf_psc_alpha_two;
  if (model == "iaf_psc_delta") return gpu::Equation::iaf_psc_delta;
  if (model == "izhikevich") return gpu::Equation::izhikevich;
  if (model == "iaf_cond_exp") return gpu::Equation::iaf_cond_exp;
  if (model == "aeif_cond_exp") return gpu::Equation::aeif_cond_exp;
  return gpu::Equation::none;
}

gpu::Equation DeviceMap::common_equation() const {
  gpu::Equation common = gpu::Equation::none;
  for (std::uint32_t p = 0; p < layout_.slices; ++p) {
    const gpu::Equation equation = slice(0, p).equation;
    if (equation == gpu::Equation::none) continue;  // a source
    if (common != gpu::Equation::none && equation != common) return gpu::Equation::none;
    common = equation;
  }
  return common;
}

DeviceMap::DeviceMap(const Network& network, const TileContext& context, std::uint32_t blocks, std::uint32_t longest, bool drawn) {
  layout_.blocks = blocks;
  layout_.slices = static_cast<std::uint32_t>(network.populations.size());
  layout_.ring_steps = longest + (drawn ? 1 : 0);
  layout_.columns = 1;
  for (const Population& population : network.populations) {  // sources live on the host
    sizes_.push_back(population.kind == Population::Kind::neurons ? population.size : 0);
  }
  add_poisson(network, context);
  for (std::uint32_t b = 0; b < blocks; ++b) {
    std::uint32_t neurons = 0, slots = 0, before = 0;  // slots of the block; of all populations before
    for (std::uint32_t p = 0; p < layout_.slices; ++p) {
      const NeuronVariant& variant = context.kernels[p].variant;
      const auto first = static_cast<std::uint32_t>(sizes_[p] * b / blocks);
      const auto n = static_cast<std::uint32_t>(sizes_[p] * (b + 1) / blocks) - first;
      gpu::Slice slice;
      slice.begin = neurons;
      slice.end = neurons += n;
      slice.first_id = context.first_id[p] + first;
      slice.equation = device_equation(network.populations[p], variant);
      const std::uint32_t ports = gpu::ports_of(slice.equation);
      const auto size = static_cast<std::uint32_t>(sizes_[p]);
      slice.positive = drawn ? before + first : slots;
      slice.negative = slice.positive + (ports - 1) * (drawn ? size : n);
      slots += ports * n;
      before += ports * size;
      slice.refractory_steps = static_cast<std::uint32_t>(variant.refractory_steps);
      slice.poisson_begin = poisson_begin_[p];
      slice.poisson_end = poisson_begin_[p + 1];
      slice.scale = static_cast<float>(context.kernels[p].weight_unit * context.kernels[p].input_gain);
      for (std::size_t k = 0; k < variant.constants.size(); ++k) {
        slice.constants[k] = static_cast<float>(variant.constants[k]);
      }
      layout_.columns = std::max(layout_.columns, gpu::columns_of(slice.equation));
      slices_.push_back(slice);
    }
    layout_.neurons = std::max(layout_.neurons, neurons);
    layout_.slots = std::max(layout_.slots, drawn ? before : slots);
  }
  layout_.place(!drawn);
}

void DeviceMap::make_room_for_draws(std::uint32_t entries, std::uint32_t weights) {
  layout_.entries = entries;
  layout_.weights = weights;
  layout_.place(false);
}

void DeviceMap::add_poisson(const Network& network, const TileContext& context) {
  static_assert(gpu::kPoissonPurpose == static_cast<std::uint32_t>(Purpose::poisson_input));
  for (std::uint32_t p = 0; p < network.populations.size(); ++p) {
    poisson_begin_.push_back(static_cast<std::uint32_t>(poisson_.size()));
    for (std::uint32_t s = 0; s < network.stimuli.size(); ++s) {
      const Stimulus& stimulus = network.stimuli[s];
      if (stimulus.kind != Stimulus::Kind::poisson || stimulus.target != network.populations[p].name) continue;
      const PoissonTable table(stimulus.rate_hz * network.dt_ms / 1000.0);
      const StepWindow window = step_window(stimulus.start_ms + stimulus.delay_ms, stimulus.duration_ms, network.dt_ms);
      gpu::PoissonInput input;
      input.begin = window.begin;
      input.end = window.end;
      input.stimulus = s;
      input.weight = static_cast<std::int32_t>(std::lround(stimulus.weight / context.kernels[p].weight_unit));
      input.parts = table.parts;
      input.thresholds_at = static_cast<std::uint32_t>(thresholds_.size());
      input.thresholds = static_cast<std::uint32_t>(table.thresholds.size());
      thresholds_.insert(thresholds_.end(), table.thresholds.begin(), table.thresholds.end());
      poisson_.push_back(input);
    }
  }
  poisson_begin_.push_back(static_cast<std::uint32_t>(poisson_.size()));
  layout_.poisson = static_cast<std::uint32_t>(poisson_.size());
  layout_.thresholds = static_cast<std::uint32_t>(thresholds_.size());
}

std::vector<std::string> device_obstacles(const Network& network, const NeuronCatalogue& models,
                                          const SimulationOptions& options) {
  std::vector<std::string> obstacles;
  if (options.precision == Precision::exact) obstacles.push_back("A GPU has no exact precision; use --precision fast.");
  for (const Projection& projection : network.projections) {
    if (!projection.plasticity) continue;
    obstacles.push_back("Projection '" + projection.name + "' is plastic (" + projection.plasticity->rule +
                        "); weights do not change on a GPU yet.");
  }
  for (const Population& population : network.populations) {
    if (population.kind != Population::Kind::neurons) continue;
    const NeuronModel& model = *models.find(population.model);
    if (device_equation(population, model.prepare(values_of(population, model), network.dt_ms)) == gpu::Equation::none) {
      obstacles.push_back("Population '" + population.name + "' has the model '" + population.model +
                          "', which is none of the built-in ones: only those run on a GPU.");
    }
  }
  return obstacles;
}

}  // namespace tessera
