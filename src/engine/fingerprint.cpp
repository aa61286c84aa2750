// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/fingerprint.hpp"

#include <string>
#include <type_traits>
#include <vector>

namespace tessera {
namespace {

/// Hashes values one after the other.
class Hash {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(&value, sizeof value);
  }
  void put(const void* data, std::size_t n) {
    value_ = fnv1a({static_cast<const std::uint8_t*>(data), n}, value_);
  }
  void text(const std::string& s) {
    put(s.size());
    put(s.data(), s.size());
  }
  void distribution(const Distribution& d) {
    for (const double value : {static_cast<double>(d.kind), d.a, d.b, d.low, d.high, static_cast<double>(d.mirrored)}) put(value);
  }
  void plasticity(const Plasticity& p) {
    text(p.rule);
    for (const auto& [name, value] : p.parameters) {
      text(name);
      put(value);
    }
    put(p.axonal_delay_ms);
    if (p.modulator.empty()) return;
    text(p.modulator);
    put(p.modulator_delay_ms);
  }
  void rewiring(const StructuralPlasticity& r) {
    text(r.rule);
    for (const auto& [name, value] : r.parameters) {
      text(name);
      put(value);
    }
    put(r.interval_ms);
    put(static_cast<double>(r.max_indegree));
    put(static_cast<double>(r.max_outdegree));
    for (const auto& [name, word] : r.words) {
      text(name);
      text(word);
    }
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = fnv1a({});
};

}  // namespace

std::uint64_t fnv1a(std::span<const std::uint8_t> bytes, std::uint64_t hash) {
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3ull;
  return hash;
}

std::uint64_t fingerprint(const Network& network, std::uint64_t seed) {
  Hash w;
  w.put(seed);
  w.put(network.dt_ms);
  for (const Population& p : network.populations) {
    w.text(p.name);
    w.text(p.model);
    w.put(p.size);
    w.put(static_cast<int>(p.kind));
    for (const auto& [name, value] : p.parameters) {
      w.text(name);
      w.put(value);
    }
    for (const double value : {p.rate_hz, p.start_ms, p.duration_ms, p.interval_ms}) w.put(value);
    if (p.bump) {
      for (const double value : {p.bump->peak_hz, p.bump->sigma, p.bump->period_ms, double(p.bump->block), double(p.bump->centres)}) w.put(value);
    }
    w.put(p.grid_columns);
    if (p.extent_mm[0] > 0.0 || !p.periodic) {  // networks without these keep their old fingerprint
      for (const double value : {p.extent_mm[0], p.extent_mm[1], p.periodic ? 1.0 : 0.0}) w.put(value);
    }
    w.put(p.train.size());
    for (const Population::TrainSpike& spike : p.train) {
      w.put(spike.time_ms);
      w.put(spike.neuron);
    }
  }
  for (const Projection& p : network.projections) {
    w.text(p.source);
    w.text(p.target);
    w.put(static_cast<int>(p.rule.kind));
    w.put(p.rule.number);
    w.put(p.rule.probability);
    w.put(p.rule.sigma);
    w.put(static_cast<int>(p.rule.autapses) * 2 + static_cast<int>(p.rule.multapses));
    w.put(p.rule.list.size());
    for (const ConnectivityRule::Synapse& synapse : p.rule.list) {
      w.put(synapse.source);
      w.put(synapse.target);
      w.put(synapse.weight);
      w.put(synapse.delay_ms);
    }
    w.distribution(p.weight);
    w.distribution(p.delay_ms);
    if (p.delay_slope != 0.0) w.put(p.delay_slope);
    if (p.plasticity) w.plasticity(*p.plasticity);
    if (p.rewiring) w.rewiring(*p.rewiring);
  }
  for (const Stimulus& s : network.stimuli) {
    w.text(s.target);
    w.put(static_cast<int>(s.kind));
    for (const double value : {s.amplitude_pA, s.start_ms, s.duration_ms, s.rate_hz, s.weight, s.delay_ms}) w.put(value);
    w.put(s.values.size());
    for (const double value : s.values) w.put(value);
  }
  return w.value();
}

Agreement::Identity identity_of(const Network& network, const SimulationOptions& options) {
  Hash run;
  run.put(fingerprint(network, options.seed));
  run.put(network.rate_limit_hz);
  for (const Population& p : network.populations) {
    run.put(p.mean_rate_hz);  // by which neurons are dealt out
    for (const auto& [name, initial] : p.initial) {
      run.text(name);
      run.distribution(initial.distribution);
      for (const double value : initial.values) run.put(value);
    }
  }
  for (const StateRecorder& recorder : network.recorders) {
    run.text(recorder.population);
    run.text(recorder.variable);
    run.put(recorder.count);
    run.put(recorder.interval_ms);
  }
  Hash same;
  for (const int choice : {static_cast<int>(options.precision), static_cast<int>(options.exchange),
                           static_cast<int>(options.rank_placement)}) {
    same.put(choice);
  }
  return {run.value(), same.value(), Agreement::this_build()};
}

}  // namespace tessera
