// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/substrate_part.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tessera::training {
namespace {

// A neuron whose threshold came to lie at its leak, or whose time constant vanished, could not work at all.
constexpr double kLeast = 0.05;
constexpr std::uint32_t kGathered = 64;  // neurons that are read in one go

std::string name_of(const Layer& layer, const std::vector<PartRange>& ranges) {
  std::string name;
  for (const PartRange& r : ranges)
    name += fmt::format("{}{}[{}:{}]", name.empty() ? "" : "+", layer.name, r.begin, r.end);
  return name;
}

std::uint32_t size_of(const std::vector<PartRange>& ranges) {
  return ranges.empty() ? 0 : ranges.back().place + (ranges.back().end - ranges.back().begin);
}

// The decay per step of a time constant that is (1 + deviation) times that of `factor`.
float stretched(float factor, double deviation) {
  if (deviation == 0.0) return factor;
  return static_cast<float>(std::pow(static_cast<double>(factor), 1.0 / std::max(kLeast, 1.0 + deviation)));
}

}  // namespace

double chip_step_us(const Network& network, const MachineDescription& machine) {
  return network.dt_ms * 1e3 / machine.speedup;
}

substrate::Readout readout_of(const MachineDescription::Readout& readout, double threshold, double step_us) {
  substrate::Readout converter;
  if (readout.membranes == 0) return converter;
  converter.low = static_cast<float>(readout.lowest * threshold);
  converter.high = static_cast<float>(readout.highest * threshold);
  converter.steps = readout.bits > 0 ? (1U << readout.bits) - 1 : 0;
  converter.interval = static_cast<std::uint32_t>(std::max(1.0, std::round(readout.interval_us / step_us)));
  return converter;
}

substrate::WeightMap weight_map_of(const Layer& layer, const MachineDescription::Weights& weights, float largest) {
  substrate::WeightMap map;
  if (weights.bits == 0) return map;
  const std::int32_t lowest = weights.lowest < 0 ? -weights.lowest : weights.highest;
  map.steps = static_cast<std::uint32_t>(std::min(lowest, weights.highest));
  map.cap = layer.weight_limit > 0.0 ? static_cast<float>(layer.weight_limit) : std::max(largest, 1e-30F);
  map.roll_off = layer.weight_limit > 0.0 ? static_cast<float>(layer.weight_roll_off) : 1.0F;
  return map;
}

SubstratePart::SubstratePart(const Layer& layer, const LayerTopology& topology, const PartitionRun& run,
                             std::uint32_t number, std::vector<PartRange> ranges, const Substrate& substrate,
                             double step_us)
    : layer_(&layer),
      substrate_(&substrate),
      number_(number),
      chip_(run.chip),
      neurons_(size_of(ranges)),
      ranges_(std::move(ranges)),
      name_(name_of(layer, ranges_)),
      weights_(topology.input, ranges_, neurons_),
      membrane_noise_(substrate.machine.noise.membrane),
      readout_(readout_of(substrate.machine.readout, layer.threshold, step_us)) {
  if (topology.recurrent) recurrent_.emplace(*topology.recurrent, ranges_, neurons_);
  for (const PartRange& r : ranges_) {
    for (std::uint32_t j = r.begin; j < r.end; ++j) {
      pattern_.push_back(substrate::draw_pattern(substrate.machine.fixed_pattern, substrate.seed, chip_,
                                                 r.circuit + (j - r.begin) * r.circuits));
    }
  }
  circuits_.alpha = AlignedArray<float>(padded(neurons_));
  circuits_.second = AlignedArray<float>(padded(neurons_));
  circuits_.factor.resize(neurons_);
  circuits_.input.resize(neurons_);
  circuits_.rest.resize(neurons_);
  circuits_.reading.resize(neurons_);
}

void SubstratePart::load_neurons(const float* alpha, const float* second, substrate::RunNumber run) {
  const double theta = layer_->threshold;
  const bool spikes = layer_->neuron != NeuronKind::readout;
  circuits_.exact = true;
  for (const PartRange& r : ranges_) {
    for (std::uint32_t j = r.begin; j < r.end; ++j) {
      const std::uint32_t i = r.place + (j - r.begin), circuit = r.circuit + (j - r.begin) * r.circuits;
      const substrate::CircuitPattern& p = pattern_[i];
      const double noise = spikes ? substrate::draw_run_threshold(substrate_->machine.noise.threshold,
                                                                  substrate_->seed, run, chip_, circuit)
                                  : 0.0;
      // Of the threshold from the neuron's own leak, in thresholds of the model.
      const double distance = std::max(kLeast, 1.0 + p.threshold + noise - p.leak);
      const double factor = spikes ? 1.0 / distance : 1.0;
      circuits_.alpha[i] = stretched(alpha[j], p.membrane);
      if (second != nullptr) circuits_.second[i] = stretched(second[j], p.synapse);
      circuits_.factor[i] = static_cast<float>(factor);
      circuits_.input[i] = static_cast<float>(factor * (1.0 + p.gain));
      circuits_.rest[i] = static_cast<float>(p.leak * theta);
      circuits_.reading[i] = readout_.read(circuits_.rest[i]);
      circuits_.exact = circuits_.exact && circuits_.factor[i] == 1.0F && circuits_.rest[i] == 0.0F;
    }
  }
}

void SubstratePart::load(const LayerRun& layer, substrate::RunNumber run, float factor,
                         const substrate::WeightMap& input_map, const substrate::WeightMap& recurrent_map,
                         AlignedArray<float>* memory) {
  load_neurons(layer.membrane.alpha, layer.membrane.second, run);
  weights_.load(layer.weights, input_map, factor, circuits_.input, memory[0]);
  if (recurrent_) recurrent_->load(*layer.recurrent, recurrent_map, factor, circuits_.input, memory[1]);
  bias_.clear();
  if (layer.bias == nullptr) return;
  bias_.assign(padded(neurons_), 0.0F);
  for (const PartRange& r : ranges_) {
    for (std::uint32_t j = r.begin; j < r.end; ++j) {
      const std::uint32_t i = r.place + (j - r.begin);
      bias_[i] = layer.bias->value[layer.bias->layout.of(j)] * circuits_.factor[i];
    }
  }
}

PartState SubstratePart::make_state() const {
  const std::size_t n = padded(neurons_);
  PartState s;
  for (AlignedArray<float>* array : {&s.u, &s.second, &s.current, &s.reading, &s.held}) *array = AlignedArray<float>(n);
  s.candidate_place = AlignedArray<std::uint32_t>(n + 16);
  s.candidate_x = AlignedArray<float>(n + 16);
  s.candidates = {s.candidate_place.data(), s.candidate_x.data(), nullptr, nullptr};
  s.input_ring = weights_.make_ring();
  if (recurrent_) s.recurrent_ring = recurrent_->make_ring();
  return s;
}

void SubstratePart::begin(PartState& s) const {
  for (AlignedArray<float>* array : {&s.u, &s.second, &s.reading}) std::fill(array->begin(), array->end(), 0.0F);
  s.input_ring.clear();
  s.recurrent_ring.clear();
}

void SubstratePart::add_input(const std::uint16_t* ids, std::size_t n, std::uint32_t step, PartState& s) const {
  // Where the layer's tiles run in one go, the bias is what sums begin with (kernels/tile_run).
  const bool first = layer_->neuron != NeuronKind::readout && weights_.is_plain() && !recurrent_;
  if (!bias_.empty() && first) {
    std::copy(bias_.begin(), bias_.end(), s.current.begin());
  } else {
    std::fill(s.current.begin(), s.current.end(), 0.0F);
  }
  weights_.add(ids, n, step, s.input_ring, s.current.data());
  for (std::size_t j = 0; !first && j < bias_.size(); ++j) s.current[j] += bias_[j];
}

void SubstratePart::add_recurrent(const std::uint16_t* ids, std::size_t n, std::uint32_t step, PartState& s) const {
  recurrent_->add(ids, n, step, s.recurrent_ring, s.current.data());
}

// u[t] = alpha (u[t-1] + xi) + ...: the noise enters with the membrane of the step before.
void SubstratePart::add_noise(substrate::NoiseWords& noise, PartState& s) const {
  const auto theta = static_cast<float>(layer_->threshold);
  for (std::uint32_t j = 0; j < neurons_; ++j)
    s.u[j] += theta * circuits_.factor[j] * membrane_noise_.of(noise.next());
}

// The trace minus its first sample, which is the neuron at rest.
float SubstratePart::read(std::uint32_t j, float u) const {
  const float v = circuits_.exact ? u : u / circuits_.factor[j];
  return readout_.is_exact() ? v : readout_.read(v + circuits_.rest[j]) - circuits_.reading[j];
}

void SubstratePart::read_all(PartState& s) const {
  if (readout_.is_exact()) {
    for (std::uint32_t j = 0; j < neurons_; ++j) s.reading[j] = read(j, s.u[j]);
    return;
  }
  const substrate::Readout converter = readout_;  // which no reading can alias: several neurons at once
  const float *u = s.u.data(), *factor = circuits_.factor.data(), *rest = circuits_.rest.data();
  float* to = s.reading.data();
  for (std::uint32_t j = 0; j < neurons_; ++j) to[j] = converter.read(u[j] / factor[j] + rest[j]) - circuits_.reading[j];
}

// What is read of the candidates' membranes, before the reset, minus the threshold. Between two readings the last one
// counts: u' of all neurons is kept for it, and read only of those that are listed.
void SubstratePart::record_membranes(float threshold, bool stale, PartState& s, float* x) const {
  const std::uint32_t n = s.candidates.count;
  if (circuits_.exact && readout_.is_exact() && readout_.interval == 1) {
    std::copy_n(s.candidate_x.data(), n, x);
    return;
  }
  const std::uint32_t* const place = s.candidate_place.data();
  float* const held = s.held.data();
  if (stale) {
    for (std::uint32_t k = 0; k < n; ++k) x[k] = held[place[k]];
  } else {
    for (std::uint32_t k = 0; k < n; ++k) x[k] = s.candidate_x[k] + threshold;
    if (readout_.interval > 1) std::copy_n(s.u.data(), neurons_, held);
    for (std::uint32_t k = 0; readout_.interval > 1 && k < n; ++k) held[place[k]] = x[k];
  }
  for (std::uint32_t k = 0; k < n; k += kGathered) read_listed(place + k, std::min(kGathered, n - k), threshold, x + k);
}

// read() of u' in x, minus the threshold. What belongs to a neuron is gathered first: then several are read at once.
void SubstratePart::read_listed(const std::uint32_t* place, std::uint32_t n, float threshold, float* x) const {
  float factor[kGathered], rest[kGathered], reading[kGathered];
  for (std::uint32_t k = 0; k < n; ++k) {
    factor[k] = circuits_.factor[place[k]];
    rest[k] = circuits_.rest[place[k]];
    reading[k] = circuits_.reading[place[k]];
  }
  if (readout_.is_exact()) {
    for (std::uint32_t k = 0; k < n; ++k) x[k] = x[k] / factor[k] - threshold;
    return;
  }
  const substrate::Readout converter = readout_;  // which no reading can alias
  for (std::uint32_t k = 0; k < n; ++k) x[k] = converter.read(x[k] / factor[k] + rest[k]) - reading[k] - threshold;
}

void SubstratePart::step(const Membrane& constants, std::uint32_t t, bool gradients, substrate::NoiseWords* noise,
                         PartState& s, PartRecord& record) const {
  Membrane m = constants;
  m.alpha = circuits_.alpha.data();
  if (m.second != nullptr) m.second = circuits_.second.data();
  if (noise != nullptr) add_noise(*noise, s);
  s.candidates.clear();
  membrane_step(m, {s.u.data(), s.second.data()}, s.current.data(), neurons_, 0, gradients, s.candidates);
  const std::size_t before = record.size, n = s.candidates.count;
  record.make_room(n);
  const std::uint32_t* const place = s.candidate_place.data();
  const float* const x = s.candidate_x.data();
  std::uint16_t* const neuron = record.neuron.data() + before;
  std::uint8_t* const spiked = record.spiked.data() + before;
  record.first.push_back(static_cast<std::uint32_t>(record.size += n));
  record.last_spikes = s.candidates.spikes;
  for (std::size_t k = 0; k < n; ++k) neuron[k] = static_cast<std::uint16_t>(place[k]);
  for (std::size_t k = 0; k < n; ++k) spiked[k] = x[k] > 0.0F ? 1 : 0;
  if (gradients) record_membranes(m.threshold, !readout_.reads_at(t), s, record.x.data() + before);  // else nobody asks
  if (!m.reset_to_zero || circuits_.exact) return;
  for (std::size_t k = 0; k < n; ++k) {
    const std::uint32_t j = place[k];
    if (x[k] > 0.0F) s.u[j] = -circuits_.rest[j] * circuits_.factor[j];
  }
}

void SubstratePart::probe(const Membrane& constants, PartState& s, std::vector<float>& peak) const {
  Membrane m = constants;
  m.alpha = circuits_.alpha.data();
  if (m.second != nullptr) m.second = circuits_.second.data();
  s.candidates.clear();
  membrane_step(m, {s.u.data(), s.second.data()}, s.current.data(), neurons_, 0, false, s.candidates);
  for (std::uint32_t j = 0; j < neurons_; ++j) peak[j] = std::max(peak[j], read(j, s.u[j]));
}

void SubstratePart::readout(const Membrane& constants, std::uint32_t t, substrate::NoiseWords* noise, PartState& s,
                            float* trace_row) const {
  if (noise != nullptr) add_noise(*noise, s);
  // The current is no longer needed: the trace of the exact membrane goes there.
  readout_step(circuits_.alpha.data(), constants.inverse_capacitance, s.current.data(), static_cast<std::uint32_t>(padded(neurons_)),
               s.u.data(), s.current.data());
  if (readout_.reads_at(t)) read_all(s);
  for (const PartRange& r : ranges_) std::copy_n(s.reading.data() + r.place, r.end - r.begin, trace_row + r.begin);
}

}  // namespace tessera::training
