// The sparse strategy: layer after layer, all steps of a layer before the next; only lists in
// between.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "train/bursts.hpp"
#include "train/engine.hpp"
#include "train/eprop_signals.hpp"
#include "train/output_loss.hpp"
#include "train/sparse_layer.hpp"
#include "train/substrate_forward.hpp"

namespace tessera::training {
namespace {

class SparseEngine final : public Engine {
 public:
  SparseEngine(const Network& network, const Loss& loss, const std::vector<LayerTopology>& topology,
               const Agreement& ranks, const std::optional<Eprop>& eprop, std::uint64_t seed,
               std::shared_ptr<const Substrate> substrate)
      : network_(network), loss_(loss), topology_(topology), substrate_(std::move(substrate)) {
    if (topology[0].share.divided && !ranks.alone()) exchange_ = std::make_unique<TileExchange>(ranks);
    layers_.reserve(network.layers.size());
    for (std::size_t k = 0; k < network.layers.size(); ++k) {
      layers_.emplace_back(network.layers[k], topology[k], exchange_.get());
    }
    if (substrate_) chips_ = std::make_unique<SubstrateForward>(network_, topology_, *substrate_, layers_);
    if (!eprop) return;
    eprop_ = std::make_unique<EpropSignals>(network, loss, *eprop, topology, seed);
    for (std::size_t k = 0; k + 1 < layers_.size(); ++k) layers_[k].learn_locally(eprop_->lag(), eprop_->adaptation(network.layers[k]));
  }

  std::vector<ParameterArray*> arrays() override {
    std::vector<ParameterArray*> all;
    for (SparseLayer& layer : layers_) {
      const auto own = layer.arrays();
      all.insert(all.end(), own.begin(), own.end());
    }
    if (eprop_) {
      const auto feedback = eprop_->arrays();
      all.insert(all.end(), feedback.begin(), feedback.end());
    }
    return all;
  }

  void parameters_changed() override {
    for (SparseLayer& layer : layers_) layer.parameters_changed();
  }

  BatchResult run(Crew& crew, const SpikeBatch& batch, double theta_grad, bool gradients,
                  const std::function<void(Worker&)>& finish) override {
    try {
      crew.run([&](Worker& worker) { run_batch(worker, batch, theta_grad, gradients, finish); });
    } catch (...) {
      if (chips_) chips_->restore();
      throw;
    }
    BatchResult result = batch_result(output_, input_.samples, layers_);
    if (chips_) result.links = chips_->links();
    return result;
  }

  SubstrateUse substrate_use() const override { return chips_ ? chips_->use() : SubstrateUse{}; }
  std::vector<double> calibrate() override { return chips_ ? chips_->calibrate() : std::vector<double>{}; }
  std::vector<float> calibration() const override { return chips_ ? chips_->factors() : std::vector<float>{}; }
  void set_calibration(const std::vector<float>& factors) override {
    if (chips_) chips_->set_factors(factors);
  }

  std::vector<float> output() const override {
    return output_.by_steps(input_.samples, network_.classes);
  }

  std::vector<std::array<std::uint32_t, 2>> spikes(std::size_t layer,
                                                   std::uint32_t sample) const override {
    std::vector<std::array<std::uint32_t, 2>> found;
    const SpikeLists& lists = layers_[layer].lists();
    if (layers_[layer].is_readout()) return found;
    for (std::uint32_t t = 0; t < lists.steps; ++t) {
      const std::size_t q = std::size_t{sample} * lists.steps + t;
      for (std::uint32_t e = lists.first[q]; e < lists.first[q + 1]; ++e) {
        found.push_back({t, lists.id[e]});
      }
    }
    return found;
  }

  std::uint64_t bytes_over_time() const override {
    std::uint64_t bytes = 0;
    for (const SparseLayer& layer : layers_)
      bytes += layer.is_readout() ? 0 : layer.lists().bytes();
    return bytes;
  }

 private:
  // Every layer for itself: nothing flows from one to the other but the errors of the output.
  void learn_locally(Worker& worker, const SpikeBatch& batch) {
    SparseLayer& readout = layers_.back();
    eprop_->prepare(worker, batch, output_, readout);
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      const bool last = k + 1 == layers_.size();
      if (!last) eprop_->give(worker, k, layers_[k]);
      layers_[k].backward(worker, below(k), last ? eprop_->derivative() : nullptr, false, visits_);
    }
    eprop_->correct_bias(worker, readout);
  }

  void run_batch(Worker& worker, const SpikeBatch& batch, double theta_grad, bool gradients,
                 const std::function<void(Worker&)>& finish) {
    assign_input(worker, batch, gradients, input_);
    const substrate::RunNumber number{static_cast<std::uint32_t>(moment().batch), moment().look};
    if (chips_) chips_->begin(worker, number, batch.samples, batch.steps);
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      layers_[k].forward(worker, below(k), theta_grad, gradients);
    }
    evaluate_output(worker, batch, gradients);
    if (gradients && eprop_) learn_locally(worker, batch);
    for (std::size_t k = gradients && !eprop_ ? layers_.size() : 0; k-- > 0;) {
      const bool last = k + 1 == layers_.size();
      const BurstRegulariser& bursts = network_.layers[k].bursts;
      if (bursts.strength != 0.0)
        add_bursts(worker, burst_strength(bursts, moment().epoch), topology_[k].neurons, layers_[k].lists());
      layers_[k].backward(worker, below(k), last ? output_.derivative.data() : nullptr, k > 0,
                          visits_, k > 0 ? &layers_[k - 1].share() : nullptr);
    }
    if (chips_) chips_->end(worker, gradients);
    if (finish) finish(worker);
  }

  SpikeLists& below(std::size_t layer) { return layer == 0 ? input_ : layers_[layer - 1].lists(); }

  void evaluate_output(Worker& worker, const SpikeBatch& batch, bool gradients) {
    const SparseLayer& last = layers_.back();
    const std::uint32_t classes = network_.classes;
    const auto fill = [&](std::size_t q, float* row) {
      if (last.is_readout()) {
        std::copy_n(last.trace() + q * last.stride(), classes, row);
      } else {
        const SpikeLists& l = last.lists();
        std::fill_n(row, classes, 0.0f);
        for (std::uint32_t e = l.first[q]; e < l.first[q + 1]; ++e) row[l.id[e]] = 1.0f;
      }
    };
    output_.evaluate(worker, loss_, batch, classes, gradients, output_derivative(), fill);
    const auto look = [&] {
      if (!std::isfinite(output_.result.loss))
        throw_diverged(output_.result.loss, network_, arrays());
    };
    if (exchange_ == nullptr) return worker.once(look);
    // Every rank has the loss, but only its own weights to tell where it comes from.
    worker.on_caller([&] {
      exchange_->keep_failure(look);
      exchange_->settle();
    });
  }

  Network network_;
  Loss loss_;
  std::unique_ptr<EpropSignals> eprop_;     ///< null: back-propagation through time
  const std::vector<LayerTopology>& topology_;
  std::shared_ptr<const Substrate> substrate_;
  std::unique_ptr<TileExchange> exchange_;  ///< with the ranks that own the other tiles; null: alone
  std::vector<SparseLayer> layers_;
  std::unique_ptr<SubstrateForward> chips_;  ///< null: no layer is on a substrate
  SpikeLists input_;
  std::vector<VisitBlock> visits_;  ///< of the layer whose turn it is
  OutputLoss output_;
};

}  // namespace

std::unique_ptr<Engine> make_sparse_engine(const Network& network, const Loss& loss,
                                           const std::vector<LayerTopology>& topology,
                                           const Agreement& ranks, const std::optional<Eprop>& eprop,
                                           std::uint64_t seed, std::shared_ptr<const Substrate> substrate) {
  return std::make_unique<SparseEngine>(network, loss, topology, ranks, eprop, seed, std::move(substrate));
}

}  // namespace tessera::training
