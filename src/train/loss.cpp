// Losses on the output trace; the table is in training.hpp (enum LossKind).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/loss.hpp"

#include <algorithm>
#include <cmath>

namespace tessera::training {
namespace {

std::int32_t largest(std::span<const double> values) {
  return static_cast<std::int32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// Cross-entropy of softmax(logits) with a class; d holds softmax - one-hot afterwards. The largest
/// logit is subtracted first, so nothing overflows.
double cross_entropy(std::span<const double> logits, std::int32_t label, std::span<double> d) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (std::size_t k = 0; k < logits.size(); ++k) sum += d[k] = std::exp(logits[k] - top);
  for (double& value : d) value /= sum;
  const auto truth = static_cast<std::size_t>(label);
  d[truth] -= 1.0;
  return std::log(sum) - (logits[truth] - top);
}

/// The trace of one sample: a strided view, one row of classes per step.
class SampleTrace {
 public:
  SampleTrace(std::span<const double> trace, std::span<double> derivative, std::size_t samples,
              std::size_t sample, std::uint32_t steps, std::uint32_t classes)
      : trace_(trace),
        derivative_(derivative),
        samples_(samples),
        sample_(sample),
        steps(steps),
        classes(classes) {}

  [[nodiscard]] std::span<const double> row(std::size_t step) const {
    return trace_.subspan((step * samples_ + sample_) * classes, classes);
  }
  void set(std::size_t step, std::size_t k, double value) const {
    if (!derivative_.empty()) derivative_[(step * samples_ + sample_) * classes + k] = value;
  }

 private:
  std::span<const double> trace_;
  std::span<double> derivative_;
  std::size_t samples_, sample_;

 public:
  const std::uint32_t steps;
  const std::uint32_t classes;
};

/// One number per class, and for the maximum the step it is from.
struct Reduced {
  std::vector<double> value;
  std::vector<std::uint32_t> step;
};

Reduced reduce(const SampleTrace& trace, Reduction reduction) {
  Reduced reduced{std::vector<double>(trace.classes, 0.0),
                  std::vector<std::uint32_t>(trace.classes, 0)};
  for (std::uint32_t k = 0; k < trace.classes; ++k) {
    switch (reduction) {
      case Reduction::sum:
      case Reduction::mean:
        for (std::uint32_t t = 0; t < trace.steps; ++t) reduced.value[k] += trace.row(t)[k];
        if (reduction == Reduction::mean) reduced.value[k] /= trace.steps;
        break;
      case Reduction::last:
        reduced.value[k] = trace.row(trace.steps - 1)[k];
        break;
      case Reduction::max:
        for (std::uint32_t t = 1; t < trace.steps; ++t)
          if (trace.row(t)[k] > trace.row(reduced.step[k])[k]) reduced.step[k] = t;
        reduced.value[k] = trace.row(reduced.step[k])[k];
        break;
    }
  }
  return reduced;
}

/// d loss / d reduced, back to the trace.
void spread(const SampleTrace& trace, Reduction reduction, const Reduced& reduced,
            std::span<const double> d) {
  for (std::uint32_t t = 0; t < trace.steps; ++t)
    for (std::uint32_t k = 0; k < trace.classes; ++k) {
      double factor = 1.0;
      if (reduction == Reduction::mean) factor = 1.0 / trace.steps;
      if (reduction == Reduction::last) factor = t + 1 == trace.steps ? 1.0 : 0.0;
      if (reduction == Reduction::max) factor = t == reduced.step[k] ? 1.0 : 0.0;
      trace.set(t, k, factor * d[k]);
    }
}

struct SampleLoss {
  double loss;
  std::int32_t prediction;
};

/// Losses of one number per class. `weight` is 1 / samples.
SampleLoss reduced_loss(const Loss& loss, const SampleTrace& trace, std::int32_t label,
                        double weight) {
  const Reduced reduced = reduce(trace, loss.reduction);
  std::vector<double> d(trace.classes);
  SampleLoss result{0.0, largest(reduced.value)};
  if (loss.kind == LossKind::cross_entropy) {
    result.loss = cross_entropy(reduced.value, label, d);
  } else {
    for (std::uint32_t k = 0; k < trace.classes; ++k) {
      const double error = reduced.value[k] - (static_cast<std::int32_t>(k) == label ? 1.0 : 0.0);
      result.loss += error * error / trace.classes;
      d[k] = 2.0 * error / trace.classes;
    }
  }
  for (double& value : d) value *= weight;
  spread(trace, loss.reduction, reduced, d);
  return result;
}

SampleLoss loss_per_step(const SampleTrace& trace, std::int32_t label, double weight) {
  std::vector<double> d(trace.classes);
  std::vector<double> votes(trace.classes, 0.0);
  SampleLoss result{0.0, 0};
  for (std::uint32_t t = 0; t < trace.steps; ++t) {
    result.loss += cross_entropy(trace.row(t), label, d) / trace.steps;
    votes[static_cast<std::size_t>(largest(trace.row(t)))] += 1.0;
    for (std::uint32_t k = 0; k < trace.classes; ++k) trace.set(t, k, weight / trace.steps * d[k]);
  }
  result.prediction = largest(votes);
  return result;
}

SampleLoss count_loss(const Loss& loss, const SampleTrace& trace, std::int32_t label,
                      double weight) {
  const Reduced counts = reduce(trace, Reduction::sum);
  SampleLoss result{0.0, largest(counts.value)};
  for (std::uint32_t k = 0; k < trace.classes; ++k) {
    const double target =
        static_cast<std::int32_t>(k) == label ? loss.count_true : loss.count_false;
    const double error = counts.value[k] / trace.steps - target;
    result.loss += error * error / trace.classes;
    const double d = weight * 2.0 * error / trace.classes / trace.steps;
    for (std::uint32_t t = 0; t < trace.steps; ++t) trace.set(t, k, d);
  }
  return result;
}

}  // namespace

LossResult evaluate_loss(const Loss& loss, std::span<const double> trace,
                         std::span<const std::int32_t> label, std::uint32_t steps,
                         std::uint32_t classes, std::span<double> derivative) {
  LossResult result;
  const double weight = 1.0 / static_cast<double>(label.size());
  for (std::size_t b = 0; b < label.size(); ++b) {
    const SampleTrace sample(trace, derivative, label.size(), b, steps, classes);
    SampleLoss one{};
    switch (loss.kind) {
      case LossKind::cross_entropy:
      case LossKind::mean_squared_error:
        one = reduced_loss(loss, sample, label[b], weight);
        break;
      case LossKind::cross_entropy_per_step:
        one = loss_per_step(sample, label[b], weight);
        break;
      case LossKind::spike_count:
        one = count_loss(loss, sample, label[b], weight);
        break;
    }
    result.loss += one.loss * weight;
    result.prediction.push_back(one.prediction);
    result.correct += one.prediction == label[b];
  }
  return result;
}

}  // namespace tessera::training
