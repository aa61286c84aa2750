// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/device_map.hpp"

#include <algorithm>
#include <cmath>

#include "base/time_grid.hpp"
#include "kernels/cuda/phases.hpp"
#include "kernels/poisson.hpp"

namespace tessera {

gpu::Equation device_equation(const Population& population, const NeuronVariant& variant) {
  if (population.kind != Population::Kind::neurons || population.model != "iaf_psc_exp") return gpu::Equation::none;
  return variant.ports == 1 ? gpu::Equation::iaf_psc_exp_one : gpu::Equation::iaf_psc_exp_two;
}

DeviceMap::DeviceMap(const Network& network, const TileContext& context, std::uint32_t blocks, std::uint32_t longest, bool drawn) {
  layout_.blocks = blocks;
  layout_.slices = static_cast<std::uint32_t>(network.populations.size());
  layout_.ring_steps = longest + (drawn ? 1 : 0);
  layout_.columns = 1;
  for (const Population& population : network.populations) sizes_.push_back(population.size);
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
      slice.scale = static_cast<float>(context.kernels[p].weight_unit);
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
  if (options.connectivity == Connectivity::procedural) {
    for (const Projection& projection : network.projections) {
      const ConnectivityRule& rule = projection.rule;
      if (rule.multapses && (rule.kind == ConnectivityRule::Kind::fixed_total_number ||
                             rule.kind == ConnectivityRule::Kind::fixed_outdegree)) {
        continue;
      }
      obstacles.push_back("The rows of projection '" + projection.name +
                          "' cannot be drawn on a GPU, only those of fixed_total_number and fixed_outdegree with "
                          "multapses; use --connectivity stored.");
    }
  }
  for (const Projection& projection : network.projections) {
    if (!projection.plasticity) continue;
    obstacles.push_back("Projection '" + projection.name + "' is plastic (" + projection.plasticity->rule +
                        "); weights do not change on a GPU yet.");
  }
  for (const Population& population : network.populations) {
    if (population.kind != Population::Kind::neurons) {
      obstacles.push_back("Population '" + population.name + "' is a source of spikes; a GPU runs neurons only so far.");
      continue;
    }
    const NeuronModel& model = *models.find(population.model);
    if (device_equation(population, model.prepare(values_of(population, model), network.dt_ms)) == gpu::Equation::none) {
      obstacles.push_back("Population '" + population.name + "' has the model '" + population.model +
                          "'; a GPU runs iaf_psc_exp only so far.");
    }
  }
  if (!network.recorders.empty()) obstacles.push_back("State variables are not recorded on a GPU yet.");
  return obstacles;
}

}  // namespace tessera
