// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/rooms.hpp"

#include "base/aligned_array.hpp"
#include "connectivity/in_flight.hpp"
#include "tessera/neuron_model.hpp"

namespace tessera {
namespace {

constexpr double kAllocation = 16.0;                       // what the allocator keeps of a piece, and rounds
constexpr double kMapNode = 4.0 * sizeof(void*) + kAllocation;
constexpr double kDescriptions = 2.0;                      // the caller's and the simulation's
constexpr double kSpikeCount = 4.0, kSpikeSums = 24.0;     // per neuron: StepLoop, ActivityStatistics

double text_bytes(const std::string& text) {
  static const std::size_t inside = std::string().capacity();  // short texts lie in the string itself
  return text.size() > inside ? static_cast<double>(text.size()) + 1.0 + kAllocation : 0.0;
}

template <class T>
double list_bytes(const std::vector<T>& list) {
  return static_cast<double>(list.size() * sizeof(T));
}

template <class Value>
double map_bytes(const std::map<std::string, Value>& map) {
  double bytes = 0.0;
  for (const auto& [name, value] : map) bytes += kMapNode + sizeof(name) + sizeof(value) + text_bytes(name);
  return bytes;
}

double bytes_of(const Population& p) {
  double bytes = text_bytes(p.name) + text_bytes(p.model) + text_bytes(p.where.file) + text_bytes(p.where.key_path) + map_bytes(p.parameters) +
                 map_bytes(p.initial) + list_bytes(p.train);
  for (const auto& [name, initial] : p.initial) bytes += list_bytes(initial.values);
  return bytes;
}

double bytes_of(const Projection& p) {
  double bytes = text_bytes(p.name) + text_bytes(p.source) + text_bytes(p.target) + text_bytes(p.where.file) + text_bytes(p.where.key_path) +
                 list_bytes(p.rule.list);
  if (p.plasticity) bytes += text_bytes(p.plasticity->rule) + map_bytes(p.plasticity->parameters);
  if (p.rewiring) bytes += text_bytes(p.rewiring->rule) + map_bytes(p.rewiring->parameters) + map_bytes(p.rewiring->words);
  return bytes;
}

double bytes_of(const Stimulus& s) {
  return text_bytes(s.name) + text_bytes(s.target) + text_bytes(s.where.file) + text_bytes(s.where.key_path) + list_bytes(s.values);
}

double padded_size(const Chunk& chunk) {
  return static_cast<double>((chunk.size + kNeuronPadding - 1) / kNeuronPadding * kNeuronPadding);
}

double array_bytes(double values, double bytes_each) { return static_cast<double>(page_bytes(static_cast<std::size_t>(values * bytes_each))); }

}  // namespace

double description_bytes(const Network& network) {
  double bytes = list_bytes(network.populations) + list_bytes(network.projections) + list_bytes(network.stimuli);
  for (const Population& p : network.populations) bytes += bytes_of(p);
  for (const Projection& p : network.projections) bytes += bytes_of(p);
  for (const Stimulus& s : network.stimuli) bytes += bytes_of(s);
  return kDescriptions * bytes;
}

double state_bytes(const Wiring& wiring, const NeuronCatalogue& models, Precision precision, const Placement& placement) {
  const Network& network = wiring.network();
  const bool exact = precision == Precision::exact;
  std::vector<double> variables(network.populations.size(), 0.0);
  for (std::size_t p = 0; p < variables.size(); ++p) {
    const Population& population = network.populations[p];
    if (population.kind != Population::Kind::neurons) continue;
    const NeuronModel& model = *models.find(population.model);
    variables[p] = static_cast<double>(model.prepare(values_of(population, model), network.dt_ms).states.size());
  }
  double bytes = 0.0;
  for (const std::uint32_t c : placement.own_chunks) {
    const Chunk& chunk = wiring.chunks()[c];
    if (network.populations[chunk.population].kind != Population::Kind::neurons) continue;
    const double n = padded_size(chunk);
    bytes += variables[chunk.population] * array_bytes(n, exact ? 8.0 : 4.0) + array_bytes(n, 2.0);  // and refractoriness
    if (exact) bytes += array_bytes(n, 4.0);  // counts of Poisson input, which fast precision adds at once
  }
  return bytes;
}

double spike_bytes(const Wiring& wiring, const Placement& placement) {
  double own = 0.0;
  for (const std::uint32_t c : placement.own_chunks) own += wiring.chunks()[c].size;
  const double steps = history_slots(wiring.max_delay_steps() + wiring.ring_shape().steps() + 2 * wiring.exchange_steps());
  const double lists = static_cast<double>(placement.tiles.size()) * steps * (placement.groups > 1 ? 1.0 + placement.groups : 1.0);
  const double reached = placement.groups > 1 ? placement.groups * own / 8.0 : 0.0;
  return kSpikeCount * own + lists * sizeof(std::vector<std::uint32_t>) + reached;
}

double statistics_bytes(const Network& network, const Placement& placement) {
  if (placement.ranks > 1) return 0.0;
  double neurons = 0.0;
  for (const Population& p : network.populations) neurons += p.size;
  return kSpikeSums * neurons;
}

}  // namespace tessera
