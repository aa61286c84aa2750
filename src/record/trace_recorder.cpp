// Streams state samples to disk, and composes observers.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "results/sinks.hpp"
#include "tessera/result.hpp"

namespace tessera {
namespace {

constexpr std::size_t kBufferedValues = 65536;

struct Samples {
  std::vector<double> times_ms;
  std::vector<double> values;
};

std::string unit_of(const StateRecorder& recorder, const Network& network,
                    const NeuronCatalogue& models) {
  const Population* population = network.find(recorder.population);
  const NeuronModel* model = population != nullptr ? models.find(population->model) : nullptr;
  if (model == nullptr) return "";
  for (const StateInfo& state : model->states) {
    if (state.name == recorder.variable) return state.unit;
  }
  return "";
}

}  // namespace

struct TraceRecorder::Impl {
  Impl(const std::filesystem::path& folder, const Network& network, const NeuronCatalogue& models)
      : dt_ms(network.dt_ms), samples(network.recorders.size()) {
    for (const StateRecorder& recorder : network.recorders) {
      columns.push_back({recorder.population, recorder.variable, recorder.count,
                         recorder.interval_ms, unit_of(recorder, network, models)});
    }
    sink = io::make_trace_sink(folder, columns);
  }

  void flush(std::size_t recorder) {
    sink->append(recorder, samples[recorder].times_ms, samples[recorder].values);
    samples[recorder].times_ms.clear();
    samples[recorder].values.clear();
  }

  double dt_ms;
  std::vector<io::TraceColumn> columns;
  std::vector<Samples> samples;
  std::unique_ptr<io::TraceSink> sink;
  std::vector<std::string> files;
};

TraceRecorder::TraceRecorder(const std::filesystem::path& folder, const Network& network,
                             const NeuronCatalogue& models)
    : impl_(std::make_unique<Impl>(folder, network, models)) {}

TraceRecorder::~TraceRecorder() = default;

void TraceRecorder::on_sample(const StateSample& sample) {
  Samples& samples = impl_->samples.at(sample.recorder);
  if (sample.values.size() != impl_->columns[sample.recorder].neurons) {
    throw std::logic_error("a state sample with another number of neurons than its recorder");
  }
  samples.times_ms.push_back(sample.step * impl_->dt_ms);
  samples.values.insert(samples.values.end(), sample.values.begin(), sample.values.end());
  if (samples.values.size() >= kBufferedValues) impl_->flush(sample.recorder);
}

std::vector<std::string> TraceRecorder::finish() {
  if (impl_->sink == nullptr) return impl_->files;
  for (std::size_t recorder = 0; recorder < impl_->samples.size(); ++recorder) {
    impl_->flush(recorder);
  }
  impl_->files = impl_->sink->finish();
  impl_->sink.reset();
  return impl_->files;
}

void ObserverList::on_progress(const Progress& progress) {
  for (RunObserver* observer : observers_) observer->on_progress(progress);
}

void ObserverList::on_spikes(std::span<const Spike> spikes) {
  for (RunObserver* observer : observers_) {
    if (observer->wants_spikes()) observer->on_spikes(spikes);
  }
}

bool ObserverList::wants_spikes() const {
  return std::any_of(observers_.begin(), observers_.end(),
                     [](const RunObserver* observer) { return observer->wants_spikes(); });
}

void ObserverList::on_sample(const StateSample& sample) {
  for (RunObserver* observer : observers_) observer->on_sample(sample);
}

bool ObserverList::stop_requested() {
  bool stop = false;
  for (RunObserver* observer : observers_) stop = observer->stop_requested() || stop;
  return stop;
}

}  // namespace tessera
