// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/eprop_signals.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.hpp"

namespace tessera::training {
namespace {

// Box and Muller.
double gaussian(RandomStream& random) {
  const double radius = std::sqrt(-2.0 * std::log1p(-random.next_unit()));
  return radius * std::cos(2.0 * std::numbers::pi * random.next_unit());
}

}  // namespace

EpropSignals::EpropSignals(const Network& network, const Loss& loss, const Eprop& eprop,
                           const std::vector<LayerTopology>& topology, std::uint64_t seed)
    : eprop_(eprop),
      mlgenn_(eprop.convention == EpropConvention::mlgenn),
      softmax_(loss.kind == LossKind::cross_entropy_per_step),
      steps_(network.steps),
      classes_(network.classes),
      kappa_(network.layers.back().membrane.low),
      rate_decay_(std::exp(-network.dt_ms / eprop.rate_tau_ms)),
      rate_target_(eprop.rate_target_hz * network.dt_ms / 1000.0) {
  const std::uint32_t window = loss.window > 0 ? std::min(loss.window, steps_) : steps_;
  // Sums over steps; the derivative of the cross-entropy is one of a mean already.
  error_scale_ = (softmax_ ? window : 1.0) / (eprop.average ? window : 1.0);
  rate_scale_ = eprop.rate_strength / (eprop.average ? window : 1.0);
  if (eprop.feedback == EpropFeedback::symmetric) return;
  for (std::size_t k = 0; k + 1 < network.layers.size(); ++k) {
    const std::uint32_t neurons = topology[k].neurons;
    const std::size_t n = std::size_t{neurons} * classes_;
    ParameterArray& b = fixed_.emplace_back(network.layers[k].name + ".feedback",
                                            std::vector<std::uint64_t>{neurons, classes_}, ArrayLayout::flat(n));
    b.trainable = false;
    RandomStream random(RandomKey(seed), round_of(Purpose::training_weight, 1), static_cast<std::uint32_t>(k), 0);
    for (std::size_t i = 0; i < n; ++i)
      b.value[i] = static_cast<float>(eprop.feedback_gain / std::sqrt(neurons) * gaussian(random));
  }
}

std::vector<ParameterArray*> EpropSignals::arrays() {
  std::vector<ParameterArray*> all;
  for (ParameterArray& array : fixed_) all.push_back(&array);
  return all;
}

void EpropSignals::prepare(Worker& worker, const SpikeBatch& batch, const OutputLoss& output,
                           const SparseLayer& readout) {
  worker.once([&] {
    samples_ = batch.samples;
    stride_ = output.stride;
    const std::size_t n = std::size_t{samples_} * steps_ * stride_;
    if (derivative_.size() < n) derivative_.resize(n), signal_.resize(n);
    bias_.assign(mlgenn_ ? std::size_t{samples_} * classes_ : 0, 0.0);
    if (fixed_.empty()) readout.input_matrix(symmetric_);
  });
  worker.each(samples_, [&](std::size_t b) {
    const float* const error = output.derivative.data() + b * steps_ * stride_;
    mlgenn_ ? filter_mlgenn(error, b, batch.label[b]) : filter_bellec2020(error, b);
  });
}

// The signal in step t is (1 - kappa) sum over u >= t of kappa^(u - t) error[u]: what e[t] is multiplied with in the end.
void EpropSignals::filter_bellec2020(const float* error, std::size_t b) {
  const std::size_t first = b * steps_ * stride_;
  for (std::uint32_t k = 0; k < classes_; ++k) {
    double carried = 0.0;
    for (std::size_t at = (steps_ - std::size_t{1}) * stride_ + k, n = steps_; n-- > 0; at -= stride_) {
      const double e = error_scale_ * error[at];
      carried = e + kappa_ * carried;
      derivative_[first + at] = static_cast<float>(e);
      signal_[first + at] = static_cast<float>((1.0 - kappa_) * carried);
    }
  }
}

// Errors are late: a neuron has that of the step before, the softmax in it is one step older (and 0 in the first step),
// and what would arrive after the sample is lost. Here alpha of the layer is kappa.
void EpropSignals::filter_mlgenn(const float* error, std::size_t b, std::int32_t label) {
  const std::size_t first = b * steps_ * stride_;
  const double one = error_scale_ / samples_ / (softmax_ ? steps_ : 1.0);  // of the error of a whole class
  const auto late = [&](std::size_t t, std::uint32_t k) {
    if (!softmax_) return error_scale_ * error[t * stride_ + k];
    if (t == 0) return static_cast<std::int32_t>(k) == label ? -one : 0.0;
    return error_scale_ * error[(t - 1) * stride_ + k];
  };
  for (std::uint32_t k = 0; k < classes_; ++k) {
    double carried = 0.0;
    for (std::size_t t = steps_; t-- > 0;) {
      const double e = t > 0 ? late(t - 1, k) : 0.0;
      carried = (t + 1 < steps_ ? e : 0.0) + kappa_ * carried;
      derivative_[first + t * stride_ + k] = static_cast<float>(e);
      signal_[first + t * stride_ + k] = static_cast<float>(carried);
      bias_[b * classes_ + k] += late(t, k);
    }
  }
}

// What pulls the rate of a neuron, step by step of one sample.
struct EpropSignals::Rates {
  Rates(const EpropSignals& owner, const SpikeLists& lists, std::uint32_t neurons, std::uint32_t sample)
      : owner_(owner), lists_(lists), list_(std::size_t{sample} * lists.steps), mean_(neurons, 0.0f), last_(neurons, 0) {
    if (owner.mlgenn_ || owner.rate_scale_ == 0.0) return;
    for (std::uint32_t e = lists.first[list_]; e < lists.first[list_ + lists.steps]; ++e) mean_[lists.id[e]] += 1.0f;
    for (float& count : mean_) count /= static_cast<float>(lists.steps);
  }

  /// Takes the spikes of the next step.
  void step(std::uint32_t t) {
    if (!owner_.mlgenn_ || owner_.rate_scale_ == 0.0) return;
    for (std::uint32_t e = lists_.first[list_ + t]; e < lists_.first[list_ + t + 1]; ++e) {
      const std::uint16_t j = lists_.id[e];
      mean_[j] = static_cast<float>(mean(j, t) + 1.0 - owner_.rate_decay_);
      last_[j] = t;
    }
  }

  [[nodiscard]] double pull(std::uint16_t j, std::uint32_t t) const {
    if (owner_.rate_scale_ == 0.0) return 0.0;
    const double scale = owner_.rate_scale_ / owner_.samples_;
    if (!owner_.mlgenn_) return scale / lists_.steps * (mean_[j] - owner_.rate_target_);
    return scale * (mean(j, t) - owner_.rate_target_);
  }

 private:
  [[nodiscard]] double mean(std::uint16_t j, std::uint32_t t) const {
    return mean_[j] * std::pow(owner_.rate_decay_, static_cast<double>(t - last_[j]));
  }

  const EpropSignals& owner_;
  const SpikeLists& lists_;
  std::size_t list_;
  std::vector<float> mean_;  ///< of the sample, or running, as it was in the neuron's step `last`
  std::vector<std::uint32_t> last_;
};

void EpropSignals::give_sample(std::uint32_t b, std::size_t index, SparseLayer& layer) {
  SpikeLists& lists = layer.lists();
  const float* const feedback = fixed_.empty() ? symmetric_.data() : fixed_[index].value.data();
  const std::uint32_t part = lists.part_of(b), local = b - lists.part_begin(part);
  Rates rates(*this, lists, static_cast<std::uint32_t>(layer.spike_counts().size()), b);
  std::vector<Stream*> streams;
  std::vector<std::size_t> next;
  for (std::uint32_t s = 0; s < lists.sections; ++s) {
    Recording& r = lists.recording(s, part);
    for (Stream* stream : {&r.spikes, &r.others}) {
      streams.push_back(stream);
      next.push_back(stream->first[local]);
    }
  }
  const std::uint32_t end = mlgenn_ ? steps_ - 1 : steps_;
  for (std::uint32_t t = 0; t < steps_; ++t) {
    rates.step(t);
    const float* const signal = signal_.data() + (std::size_t{b} * steps_ + t) * stride_;
    for (std::size_t k = 0; k < streams.size(); ++k) {
      Stream& s = *streams[k];
      std::size_t& e = next[k];
      for (; e < s.first[local + 1] && s.step[e] == t; ++e) {
        const float* const row = feedback + std::size_t{s.id[e]} * classes_;
        double sum = rates.pull(s.id[e], t);
        for (std::uint32_t c = 0; c < classes_; ++c) sum += static_cast<double>(row[c]) * signal[c];
        s.ds[e] = t < end ? static_cast<float>(sum) : 0.0f;
      }
    }
  }
}

void EpropSignals::give(Worker& worker, std::size_t index, SparseLayer& layer) {
  SpikeLists& lists = layer.lists();
  worker.once([&] {
    for (Recording& r : lists.recordings) {
      grow(r.spikes.ds, r.spikes.size);
      grow(r.others.ds, r.others.size);
    }
  });
  worker.each(lists.samples, [&](std::size_t b) { give_sample(static_cast<std::uint32_t>(b), index, layer); });
}

void EpropSignals::correct_bias(Worker& worker, SparseLayer& readout) const {
  ParameterArray* const bias = readout.bias();
  if (!mlgenn_ || bias == nullptr) return;
  worker.once([&] {
    for (std::uint32_t k = 0; k < classes_; ++k) {
      double sum = 0.0;
      for (std::uint32_t b = 0; b < samples_; ++b) sum += bias_[std::size_t{b} * classes_ + k];
      bias->gradient[bias->layout.of(k)] = static_cast<float>(sum);
    }
  });
}

}  // namespace tessera::training
