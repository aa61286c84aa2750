// A data set made here, a network and options that fit it, an observer that keeps what it is told.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "train/networks.hpp"

namespace tessera::training {

/// Class 0 spikes in channels 0 to 3, class 1 in channels 4 to 7; which ones depends on sample and
/// draw.
class TwoClasses : public SpikeDataset {
 public:
  explicit TwoClasses(std::size_t size) : size_(size) {}
  std::string name() const override { return "two classes"; }
  std::size_t size() const override { return size_; }
  Shape shape() const override { return {1, 1, channels}; }
  std::uint32_t steps() const override { return 10; }
  std::uint32_t classes() const override { return labels; }
  std::int32_t label(std::size_t index) const override {
    return static_cast<std::int32_t>(index % 2);
  }
  void read(std::size_t index, std::uint64_t draw, SpikeSample& sample) const override {
    {
      const std::lock_guard lock(mutex);
      read_order[draw].push_back(index);
    }
    if (index == broken) throw InputError("samples.bin: sample 33 ends at byte 120.");
    RandomStream stream(RandomKey(3), Purpose::subsample, static_cast<std::uint32_t>(index),
                        static_cast<std::uint32_t>(draw));
    sample.first.assign(1, 0);
    sample.channel.clear();
    sample.label = label(index);
    for (std::uint32_t t = 0; t < steps(); ++t) {
      for (std::uint32_t c = 0; c < 8; ++c) {
        const bool own = (c < 4) == (sample.label == 0);
        if (stream.next_unit() < (own ? 0.5 : 0.1)) sample.channel.push_back(c);
      }
      sample.first.push_back(static_cast<std::uint32_t>(sample.channel.size()));
    }
  }

  std::uint32_t channels = 8, labels = 2;
  std::size_t broken = std::numeric_limits<std::size_t>::max();
  mutable std::mutex mutex;
  mutable std::map<std::uint64_t, std::vector<std::size_t>> read_order;  ///< by draw

 private:
  std::size_t size_;
};

inline Network small_network() {
  Network network;
  network.name = "small";
  network.input = {1, 1, 8};
  network.steps = 10;
  network.classes = 2;
  network.layers = {make_layer("hidden", NeuronKind::lif, 20, 1.5),
                    make_layer("out", NeuronKind::readout, 2, 1.0)};
  network.layers[0].initial_activity = 0.1;
  return network;
}

inline Options small_options(int threads = 1) {
  Options options = options_of({}, Strategy::sparse, threads);
  options.batch = 16;
  options.epochs = 4;
  options.validation_fraction = 0.2;
  options.optimizer.learning_rate = 0.02;
  options.optimizer.schedule = ScheduleKind::cosine;
  return options;
}

struct Observer : FitObserver {
  std::vector<std::string> warnings;
  std::vector<bool> best;
  std::vector<TrainingProgress> progress;
  std::vector<std::vector<Tensor>> parameters, state;
  std::uint64_t stop_after = std::numeric_limits<std::uint64_t>::max();

  void on_batch(const TrainingProgress& p) override { progress.push_back(p); }
  void on_epoch(const EpochMetrics&, bool is_best, const Trainer& trainer) override {
    best.push_back(is_best);
    parameters.push_back(trainer.parameters());
    state.push_back(trainer.state());
  }
  void on_warning(const std::string& sentence) override { warnings.push_back(sentence); }
  bool stop_requested() override { return progress.size() >= stop_after; }
  bool warned(const std::string& part) const {
    return std::any_of(warnings.begin(), warnings.end(),
                       [&](const std::string& w) { return w.find(part) != std::string::npos; });
  }
};

inline void expect_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t k = 0; k < a.size(); ++k) EXPECT_TRUE(a[k].values == b[k].values) << a[k].name;
}

// Everything but the times.
inline void expect_same(const EpochMetrics& a, const EpochMetrics& b) {
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.loss, b.loss);
  EXPECT_EQ(a.accuracy, b.accuracy);
  EXPECT_EQ(a.validation_loss, b.validation_loss);
  EXPECT_EQ(a.validation_accuracy, b.validation_accuracy);
  EXPECT_EQ(a.learning_rate, b.learning_rate);
  EXPECT_EQ(a.theta_grad, b.theta_grad);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t k = 0; k < a.layers.size(); ++k) {
    EXPECT_EQ(a.layers[k].spikes, b.layers[k].spikes);
    EXPECT_EQ(a.layers[k].listed, b.layers[k].listed);
    EXPECT_EQ(a.layers[k].silent_neurons, b.layers[k].silent_neurons);
  }
}

inline void expect_same(const FitResult& a, const FitResult& b) {
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  for (std::size_t k = 0; k < a.epochs.size(); ++k) expect_same(a.epochs[k], b.epochs[k]);
  EXPECT_EQ(a.best_epoch, b.best_epoch);
  EXPECT_EQ(a.best_validation_accuracy, b.best_validation_accuracy);
}

}  // namespace tessera::training
