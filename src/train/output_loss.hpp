// From the output layer's trace to the loss and its derivative, for the engines in float32.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "train/crew.hpp"
#include "train/loss.hpp"
#include "train/parameter_array.hpp"

namespace tessera::training {

/// Buffers are kept from batch to batch.
struct OutputLoss {
  std::size_t stride = 0;         ///< floats per sample and step: the classes, padded
  std::vector<float> trace;       ///< [sample][step][stride]
  std::vector<float> derivative;  ///< d loss / d trace, the same layout
  std::vector<SampleLoss> each;   ///< of every sample
  LossResult result;

  /// Called by all workers. fill(q, row) writes the output of list q = sample * steps + step to
  /// row[0 .. classes). `given`: the derivative, [steps][samples][classes]; empty: that of the loss.
  template <class Fill>
  void evaluate(Worker& worker, const Loss& loss, const SpikeBatch& batch, std::uint32_t classes,
                bool gradients, std::span<const float> given, const Fill& fill) {
    worker.once([&] {
      stride = padded(classes);
      trace.resize(std::size_t{batch.samples} * batch.steps * stride);
      // What lies behind the classes is zero and stays so.
      if (gradients && derivative.size() < trace.size()) derivative.resize(trace.size());
      each.resize(batch.samples);
    });
    worker.each(batch.samples, [&](std::size_t b) {
      for (std::size_t q = b * batch.steps; q < (b + 1) * batch.steps; ++q) {
        float* row = trace.data() + q * stride;
        fill(q, row);
        std::fill(row + classes, row + stride, -std::numeric_limits<float>::infinity());
      }
      if (!given.empty()) {
        for (std::size_t t = 0; t < batch.steps; ++t) {
          std::copy_n(given.data() + (t * batch.samples + b) * classes, classes,
                      derivative.data() + (b * batch.steps + t) * stride);
        }
        each[b] = {};
        return;
      }
      const OutputTrace<float> output{trace.data(),
                                      gradients ? derivative.data() : nullptr,
                                      stride * batch.steps,
                                      stride,
                                      batch.samples,
                                      batch.steps,
                                      classes,
                                      batch.target.empty() ? nullptr : batch.target.data()};
      each[b] = sample_loss(loss, output, b, batch.label[b]);
    });
    worker.once([&] {
      result = {};
      for (std::size_t b = 0; b < each.size(); ++b)
        result.add(each[b], batch.label[b], each.size());
    });
  }

  /// The trace as users see it, [steps][samples][classes].
  [[nodiscard]] std::vector<float> by_steps(std::size_t samples, std::size_t classes) const {
    const std::size_t lists = trace.size() / stride, steps = lists / samples;
    std::vector<float> all(lists * classes);
    for (std::size_t q = 0; q < lists; ++q) {
      const std::size_t to = q % steps * samples + q / steps;
      std::copy_n(trace.begin() + static_cast<std::ptrdiff_t>(q * stride), classes,
                  all.begin() + static_cast<std::ptrdiff_t>(to * classes));
    }
    return all;
  }
};

/// What a run reports: the loss, and the activity of the layers that spike.
template <class Layer>
[[nodiscard]] BatchResult batch_result(const OutputLoss& output, std::uint32_t samples,
                                       const std::vector<Layer>& layers) {
  BatchResult r;
  r.loss = output.result.loss;
  r.samples = samples;
  r.correct = output.result.correct;
  r.prediction = output.result.prediction;
  for (const Layer& layer : layers) {
    if (layer.is_readout()) continue;
    r.layers.push_back(layer.activity());
    r.neuron_spikes.push_back(layer.spike_counts());
  }
  return r;
}

}  // namespace tessera::training
