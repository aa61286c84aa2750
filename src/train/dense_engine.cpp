// The dense strategy: layer after layer, all rows (sample, step) of a layer at once, as products of
// dense matrices. Every element is computed; the second threshold masks the surrogate derivative,
// so that the gradients are those of the sparse strategy.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "train/dense_layer.hpp"
#include "train/engine.hpp"
#include "train/output_loss.hpp"

namespace tessera::training {
namespace {

class DenseEngine final : public Engine {
 public:
  DenseEngine(const Network& network, const Loss& loss, const std::vector<LayerTopology>& topology)
      : network_(network), loss_(loss) {
    layers_.reserve(network.layers.size());
    for (std::size_t k = 0; k < network.layers.size(); ++k)
      layers_.emplace_back(network.layers[k], topology[k]);
  }

  std::vector<ParameterArray*> arrays() override {
    std::vector<ParameterArray*> all;
    for (DenseLayer& layer : layers_) {
      const auto own = layer.arrays();
      all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  }

  void parameters_changed() override {
    for (DenseLayer& layer : layers_) layer.parameters_changed();
  }

  BatchResult run(Crew& crew, const SpikeBatch& batch, double theta_grad, bool gradients,
                  const std::function<void(Worker&)>& finish) override {
    const SingleThreadedBlas single;
    cut_ = RowCut::of(batch.samples, batch.steps);
    scratch_.resize(static_cast<std::size_t>(crew.size()));
    input_.neurons = batch.channels;
    input_.stride = padded(batch.channels);
    make_room(input_.spike, cut_.rows() * input_.stride);
    crew.run([&](Worker& worker) {
      worker.each(cut_.groups,
                  [&](std::size_t group) { expand_input(batch, cut_.samples_of(group)); });
      for (std::size_t k = 0; k < layers_.size(); ++k) {
        layers_[k].forward(worker, cut_, below(k), theta_grad, gradients, scratch_);
      }
      evaluate_output(worker, batch, gradients);
      for (std::size_t k = gradients ? layers_.size() : 0; k-- > 0;) {
        const bool last = k + 1 == layers_.size();
        layers_[k].backward(worker, last ? nullptr : &layers_[k + 1], output_.derivative.data(),
                            scratch_);
        layers_[k].finish_gradients(worker, below(k), scratch_);
      }
      if (finish) finish(worker);
    });
    return batch_result(output_, cut_.samples, layers_);
  }

  std::vector<float> output() const override {
    return output_.by_steps(cut_.samples, network_.classes);
  }

  std::vector<std::array<std::uint32_t, 2>> spikes(std::size_t layer,
                                                   std::uint32_t sample) const override {
    std::vector<std::array<std::uint32_t, 2>> found;
    if (layers_[layer].is_readout()) return found;
    const SpikeMatrix& spikes = layers_[layer].spikes();
    for (std::uint32_t t = 0; t < cut_.steps; ++t) {
      const std::uint8_t* row =
          spikes.spike.data() + (std::size_t{sample} * cut_.steps + t) * spikes.stride;
      for (std::uint32_t j = 0; j < spikes.neurons; ++j) {
        if (row[j] != 0) found.push_back({t, j});
      }
    }
    return found;
  }

  // As for the sparse strategy without the input and the readout's trace.
  std::uint64_t bytes_over_time() const override {
    std::uint64_t bytes = 0;
    for (const DenseLayer& layer : layers_) bytes += layer.bytes_over_time();
    return bytes;
  }

 private:
  const SpikeMatrix& below(std::size_t layer) const {
    return layer == 0 ? input_ : layers_[layer - 1].spikes();
  }

  void expand_input(const SpikeBatch& batch, Span samples) {
    for (std::size_t b = samples.begin; b < samples.end; ++b) {
      std::uint8_t* rows = input_.spike.data() + b * cut_.steps * input_.stride;
      std::fill_n(rows, cut_.steps * input_.stride, std::uint8_t{0});
      for (std::size_t t = 0; t < batch.steps; ++t) {
        const std::size_t q = t * batch.samples + b;
        for (std::uint32_t e = batch.first[q]; e < batch.first[q + 1]; ++e) {
          rows[t * input_.stride + batch.channel[e]] = 1;
        }
      }
    }
  }

  void evaluate_output(Worker& worker, const SpikeBatch& batch, bool gradients) {
    const DenseLayer& last = layers_.back();
    const std::uint32_t classes = network_.classes;
    const auto fill = [&](std::size_t q, float* row) {
      const std::size_t at = q * last.stride();
      if (last.is_readout()) {
        std::copy_n(last.rows() + at, classes, row);
      } else {
        std::copy_n(last.spikes().spike.data() + at, classes, row);
      }
    };
    output_.evaluate(worker, loss_, batch, classes, gradients, output_derivative(), fill);
    worker.once([&] {
      if (!std::isfinite(output_.result.loss))
        throw_diverged(output_.result.loss, network_, arrays());
    });
  }

  Network network_;
  Loss loss_;
  std::vector<DenseLayer> layers_;
  std::vector<DenseScratch> scratch_;
  RowCut cut_;
  SpikeMatrix input_;
  OutputLoss output_;
};

std::string connection_obstacle(const Layer& layer, const Connection& connection) {
  if (connection.kind == ConnectionKind::convolution) {
    return fmt::format("The dense strategy has no convolutions (layer '{}'); use the sparse one.",
                       layer.name);
  }
  if (connection.kind == ConnectionKind::sparse && connection.max_delay > 0) {
    return fmt::format("The dense strategy has no delays (layer '{}'); use the sparse one.",
                       layer.name);
  }
  if (connection.rewiring) {
    return fmt::format("The dense strategy does not rewire (layer '{}'); use the sparse one.",
                       layer.name);
  }
  return {};
}

std::string neuron_obstacle(const Layer& layer) {
  if (layer.neuron == NeuronKind::readout) return {};
  const char* what = layer.refractory > 1                        ? "refractory neurons"
                     : layer.reset == Reset::subtract_undecayed ? "the reset subtract_undecayed"
                     : layer.surrogate_height != 1.0            ? "surrogates of another height than 1"
                                                                : nullptr;
  if (what == nullptr) return {};
  return fmt::format("The dense strategy does not have {} (layer '{}'); use the sparse one.", what, layer.name);
}

}  // namespace

std::string dense_network_obstacle(const Network& network) {
  for (const Layer& layer : network.layers) {
    std::string obstacle = connection_obstacle(layer, layer.input);
    if (obstacle.empty()) obstacle = neuron_obstacle(layer);
    if (obstacle.empty() && layer.recurrent)
      obstacle = connection_obstacle(layer, *layer.recurrent);
    if (obstacle.empty() && layer.bursts.strength != 0.0)
      obstacle = fmt::format("The dense strategy keeps no lists, so layer '{}' cannot have `bursts`; use the sparse one.",
                             layer.name);
    if (!obstacle.empty()) return obstacle;
  }
  return {};
}

std::string dense_obstacle(const Network& network, int workers) {
  std::string obstacle = dense_network_obstacle(network);
  return obstacle.empty() ? blas_obstacle(workers) : obstacle;
}

std::unique_ptr<Engine> make_dense_engine(const Network& network, const Loss& loss,
                                          const std::vector<LayerTopology>& topology, int workers) {
  const std::string obstacle = dense_obstacle(network, workers);
  if (!obstacle.empty()) throw InputError(obstacle);
  return std::make_unique<DenseEngine>(network, loss, topology);
}

}  // namespace tessera::training
