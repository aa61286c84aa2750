// A trainer and what of it goes to Python and back, as several files bind it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bindings.hpp"
#include "tessera/training_file.hpp"
#include "tessera/training_result.hpp"

namespace tessera::python {

using namespace training;

inline nb::list layers_of(const std::vector<LayerActivity>& layers) {
  nb::list list;
  for (const LayerActivity& a : layers) {
    nb::dict d;
    d["name"] = a.name;
    d["spikes"] = a.spikes;
    d["listed"] = a.listed;
    d["neuron_steps"] = a.neuron_steps;
    d["silent_neurons"] = a.silent_neurons;
    d["dropped_spikes"] = a.dropped_spikes;
    list.append(d);
  }
  return list;
}

inline nb::dict metrics_of(const EpochMetrics& e) {
  nb::dict d;
  d["epoch"] = e.epoch + 1;
  d["loss"] = e.loss;
  d["accuracy"] = e.accuracy;
  d["validation_loss"] = e.validation_loss;
  d["validation_accuracy"] = e.validation_accuracy;
  d["learning_rate"] = e.learning_rate;
  d["theta_grad"] = e.theta_grad;
  d["seconds"] = e.seconds;
  d["samples_per_second"] = e.samples_per_second;
  d["layers"] = layers_of(e.layers);
  return d;
}

inline nb::dict tensors_to_python(std::vector<Tensor>&& tensors) {
  nb::dict d;
  for (Tensor& t : tensors) {
    std::vector<std::size_t> shape(t.shape.begin(), t.shape.end());
    d[nb::str(t.name.c_str())] = array_of(std::move(t.values), shape);
  }
  return d;
}

using FloatArray = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

inline std::vector<Tensor> tensors_from_python(const std::vector<std::pair<std::string, FloatArray>>& arrays) {
  std::vector<Tensor> tensors;
  for (const auto& [name, array] : arrays) {
    Tensor t;
    t.name = name;
    for (std::size_t i = 0; i < array.ndim(); ++i) t.shape.push_back(array.shape(i));
    t.values.assign(array.data(), array.data() + array.size());
    tensors.push_back(std::move(t));
  }
  return tensors;
}

/// What a training that goes on has behind it.
struct Resumed {
  std::vector<EpochMetrics> epochs;
  std::uint32_t best_epoch = 0;
  std::vector<Tensor> best;
  std::uint64_t data_digest = 0;
};

struct RunningTrainer {
  explicit RunningTrainer(const TrainingModel& m) : model(m), trainer(model.network, model.options) {}
  TrainingModel model;
  Trainer trainer;
  std::optional<Resumed> resumed;  ///< until the next fit()
  std::atomic<bool> busy = false;
};

/// Writes a checkpoint after every epoch where there is a folder for it.
class TrainingKeeper {
 public:
  /// Throws InputError where what was restored does not go on with these data.
  TrainingKeeper(const RunningTrainer& trainer, const SpikeDataset& data, std::optional<std::filesystem::path> folder);
  void on_epoch(const EpochMetrics& epoch, bool best, const Trainer& trainer);

 private:
  std::optional<std::filesystem::path> folder_;
  Checkpoint kept_;
  std::vector<Tensor> best_;  ///< that are not written yet
};

}  // namespace tessera::python
