// A simulation with what it records, as several files bind it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "catalogue.hpp"
#include "tessera/simulation.hpp"

namespace tessera::python {

// A spike as NumPy sees it; packed, so that 1e8 of them take 1.2 GB.
struct __attribute__((packed)) SpikeRecord {
  double time_ms;
  std::uint32_t neuron;
};
static_assert(sizeof(SpikeRecord) == 12);

// Keeps what a run gives. Arrays that Python has taken keep their memory: the next run then goes on with a copy.
class Recording : public RunObserver {
 public:
  /// `recorded`: of how many first neurons of every population spikes are kept.
  Recording(const Network& network, const std::vector<std::uint32_t>& recorded, std::shared_ptr<const RuleFailures> failures)
      : dt_ms_(network.dt_ms), recorded_(recorded), failures_(std::move(failures)) {
    std::uint64_t first = 0;
    for (const Population& p : network.populations) {
      begin_.push_back(first);
      first += p.size;
      spikes.push_back(std::make_shared<std::vector<SpikeRecord>>());
    }
    for (std::size_t i = 0; i < network.recorders.size(); ++i) {
      sample_times.push_back(std::make_shared<std::vector<double>>());
      samples.push_back(std::make_shared<std::vector<double>>());
    }
    any_ = std::any_of(recorded.begin(), recorded.end(), [](std::uint32_t count) { return count > 0; });
  }

  void start(PendingError& pending, nb::object progress) {
    for (auto& list : spikes) detach(list);
    for (auto& list : sample_times) detach(list);
    for (auto& list : samples) detach(list);
    pending_ = &pending;
    progress_ = std::move(progress);
  }
  void end() {
    pending_ = nullptr;
    progress_ = nb::none();
  }
  void clear() {
    for (auto& list : spikes) list = std::make_shared<std::vector<SpikeRecord>>();
    for (auto& list : sample_times) list = std::make_shared<std::vector<double>>();
    for (auto& list : samples) list = std::make_shared<std::vector<double>>();
  }

  [[nodiscard]] bool wants_spikes() const override { return any_; }
  void on_spikes(std::span<const Spike> list) override {
    for (const Spike& spike : list) {
      const auto next = std::upper_bound(begin_.begin(), begin_.end(), spike.neuron);
      const auto p = static_cast<std::size_t>(next - begin_.begin()) - 1;
      if (spike.neuron - begin_[p] >= recorded_[p]) continue;
      spikes[p]->push_back({spike.step * dt_ms_, static_cast<std::uint32_t>(spike.neuron - begin_[p])});
    }
  }
  void on_sample(const StateSample& sample) override {
    sample_times[sample.recorder]->push_back(sample.step * dt_ms_);
    samples[sample.recorder]->insert(samples[sample.recorder]->end(), sample.values.begin(), sample.values.end());
  }
  void on_progress(const Progress& p) override {
    if (progress_.is_none()) return;
    pending_->call([&] {
      progress_(p.model_time_ms, p.model_time_end_ms, p.wall_seconds, p.real_time_factor, p.spikes_per_second);
    });
  }
  [[nodiscard]] bool stop_requested() override { return pending_->stop() || failures_->any(); }

  std::vector<Shared<SpikeRecord>> spikes;  ///< by population
  std::vector<Shared<double>> sample_times, samples;  ///< by recorder

 private:
  template <class T>
  static void detach(Shared<T>& list) {
    if (list.use_count() > 1) list = std::make_shared<std::vector<T>>(*list);
  }

  double dt_ms_;
  std::vector<std::uint32_t> recorded_;
  std::shared_ptr<const RuleFailures> failures_;
  std::vector<std::uint64_t> begin_;
  bool any_ = false;
  PendingError* pending_ = nullptr;
  nb::object progress_ = nb::none();
};

struct RunningSimulation {
  RunningSimulation(const PythonNetwork& network_, const SimulationOptions& options_, const std::vector<std::uint32_t>& recorded)
      : network(network_), options(options_), failures(std::make_shared<RuleFailures>()), models(catalogue_of(network, failures)),
        simulation(network, models, options), recording(network, recorded, failures) {}

  PythonNetwork network;
  SimulationOptions options;
  std::shared_ptr<RuleFailures> failures;
  NeuronCatalogue models;
  Simulation simulation;
  Recording recording;
  std::atomic<bool> busy = false;
};

}  // namespace tessera::python
