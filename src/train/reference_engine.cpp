// The oracle as a strategy: float64, plain loops, slow.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <utility>

#include "train/engine.hpp"
#include "train/parameters.hpp"
#include "train/reference_network.hpp"

namespace tessera::training {
namespace {

class ReferenceEngine final : public Engine {
 public:
  ReferenceEngine(const Network& network, const Loss& loss,
                  const std::vector<LayerTopology>& topology)
      : network_(network), loss_(loss), topology_(topology), reference_(network_, topology_) {
    for (const Tensor& tensor : initial_parameters(network_, topology_, 0)) {
      std::size_t n = 1;
      for (const std::uint64_t extent : tensor.shape) n *= extent;
      arrays_.push_back(
          std::make_unique<ParameterArray>(tensor.name, tensor.shape, ArrayLayout::flat(n)));
      arrays_.back()->decays = tensor.name.ends_with("weight");
      arrays_.back()->trainable = trains(tensor.name);
    }
  }

  std::vector<ParameterArray*> arrays() override {
    std::vector<ParameterArray*> all;
    for (const auto& array : arrays_) all.push_back(array.get());
    return all;
  }
  void parameters_changed() override {}

  BatchResult run(Crew& crew, const SpikeBatch& batch, double theta_grad, bool gradients,
                  const std::function<void(Worker&)>& finish) override {
    ReferenceValues values;
    for (const auto& array : arrays_) {
      values.emplace_back(array->value.data(), array->value.data() + array->elements);
    }
    ReferenceOptions options;
    options.theta_grad = theta_grad;
    options.epoch = moment().epoch;
    samples_ = batch.samples;
    steps_ = batch.steps;
    run_ = reference_.run(values, batch, loss_, options);
    if (!std::isfinite(run_.loss)) throw_diverged(run_.loss, network_, arrays());
    if (!output_derivative().empty()) run_.output_derivative.assign(output_derivative().begin(), output_derivative().end());
    if (gradients) {
      const ReferenceValues slopes = reference_.gradients(values, batch, run_, options);
      for (std::size_t k = 0; k < arrays_.size(); ++k) {
        for (std::size_t i = 0; i < slopes[k].size(); ++i) {
          arrays_[k]->gradient[i] = static_cast<float>(slopes[k][i]);
        }
      }
    }
    if (finish) crew.run(finish);
    return result(theta_grad, gradients);
  }

  std::vector<float> output() const override {
    return {run_.output().begin(), run_.output().end()};
  }

  std::vector<std::array<std::uint32_t, 2>> spikes(std::size_t layer,
                                                   std::uint32_t sample) const override {
    std::vector<std::array<std::uint32_t, 2>> found;
    const ReferenceTrace& trace = run_.layers[layer];
    const std::uint32_t neurons = topology_[layer].neurons;
    for (std::uint32_t t = 0; t < steps_ && !trace.spike.empty(); ++t) {
      for (std::uint32_t j = 0; j < neurons; ++j) {
        if (trace.spike[(std::size_t{t} * samples_ + sample) * neurons + j] != 0.0)
          found.push_back({t, j});
      }
    }
    return found;
  }

  std::uint64_t bytes_over_time() const override {
    std::uint64_t numbers = 0;
    for (const ReferenceTrace& t : run_.layers) {
      numbers += t.input.size() + t.current.size() + t.adaptation.size() + t.u.size() +
                 t.spike.size() + t.reset.size();
    }
    return numbers * sizeof(double);
  }

 private:
  bool trains(const std::string& name) const {
    for (const Layer& layer : network_.layers) {
      for (const DecayRole role :
           {DecayRole::membrane, DecayRole::synapse, DecayRole::adaptation}) {
        if (name == layer.name + "." + std::string(logit_suffix(role)))
          return decay_of(layer, role).trainable;
      }
    }
    return true;
  }

  BatchResult result(double theta_grad, bool gradients) const {
    BatchResult r;
    r.loss = run_.loss;
    r.samples = samples_;
    r.correct = run_.correct;
    r.prediction = run_.prediction;
    for (std::size_t k = 0; k < run_.layers.size(); ++k) {
      const ReferenceTrace& trace = run_.layers[k];
      if (trace.spike.empty()) continue;
      const std::uint32_t neurons = topology_[k].neurons;
      std::vector<std::uint32_t> counts(neurons, 0);
      LayerActivity a;
      a.name = network_.layers[k].name;
      a.neuron_steps = trace.spike.size();
      for (std::size_t n = 0; n < trace.spike.size(); ++n) {
        const bool spike = trace.spike[n] != 0.0;
        a.spikes += spike ? 1 : 0;
        counts[n % neurons] += spike ? 1 : 0;
        const bool listed =
            spike || (gradients && Reference::is_listed(network_.layers[k], trace, n, theta_grad));
        a.listed += listed ? 1 : 0;
      }
      for (const std::uint32_t count : counts) a.silent_neurons += count == 0 ? 1 : 0;
      r.layers.push_back(std::move(a));
      r.neuron_spikes.push_back(std::move(counts));
    }
    return r;
  }

  Network network_;
  Loss loss_;
  std::vector<LayerTopology> topology_;
  Reference reference_;
  std::vector<std::unique_ptr<ParameterArray>> arrays_;
  ReferenceRun run_;
  std::uint32_t samples_ = 0, steps_ = 0;
};

}  // namespace

std::unique_ptr<Engine> make_reference_engine(const Network& network, const Loss& loss,
                                              const std::vector<LayerTopology>& topology) {
  return std::make_unique<ReferenceEngine>(network, loss, topology);
}

}  // namespace tessera::training
