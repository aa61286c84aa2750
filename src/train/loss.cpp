// Losses on the output trace; the table is in training.hpp (enum LossKind).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/loss.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "kernels/cross_entropy.hpp"

namespace tessera::training {
namespace {

template <class Values>
std::int32_t largest(const Values& values) {
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

/// d += the derivative of strength / classes * sum of l^4 by the logits, l = log of the softmax; d holds softmax -
/// one-hot before.
void add_log_probability_penalty(double strength, std::span<const double> logits, std::int32_t label,
                                 std::span<double> d) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0, cubes = 0.0;
  for (const double z : logits) sum += std::exp(z - top);
  const auto cube = [&](double z) {
    const double l = z - top - std::log(sum);
    return l * l * l;
  };
  for (const double z : logits) cubes += cube(z);
  const double factor = 4.0 * strength / static_cast<double>(logits.size());
  for (std::size_t k = 0; k < logits.size(); ++k) {
    const double probability = d[k] + (k == static_cast<std::size_t>(label) ? 1.0 : 0.0);
    d[k] += factor * (cube(logits[k]) - probability * cubes);
  }
}

/// The trace of one sample: a strided view, one row of classes per step.
template <class Value>
class SampleTrace {
 public:
  SampleTrace(const OutputTrace<Value>& output, std::size_t sample)
      : output_(output),
        begin_(sample * output.sample_stride),
        target_(output.target == nullptr ? nullptr : output.target + sample * output.steps * output.classes),
        steps(output.steps),
        classes(output.classes) {}

  [[nodiscard]] std::span<const Value> row(std::size_t step) const {
    return {output_.trace + begin_ + step * output_.step_stride, classes};
  }
  /// d loss / d trace of all classes in one step.
  template <class Numbers>
  void set(std::size_t step, double factor, const Numbers& d) const {
    if (output_.derivative == nullptr) return;
    Value* to = output_.derivative + begin_ + step * output_.step_stride;
    for (std::size_t k = 0; k < classes; ++k) to[k] = static_cast<Value>(factor * d[k]);
  }
  /// From a step on.
  [[nodiscard]] LogitRows rows(std::uint32_t step) const requires std::is_same_v<Value, float> {
    return {output_.trace + begin_ + step * output_.step_stride, steps - step, output_.step_stride, classes};
  }
  [[nodiscard]] Value* derivative(std::uint32_t step) const {
    return output_.derivative == nullptr ? nullptr : output_.derivative + begin_ + step * output_.step_stride;
  }
  [[nodiscard]] const float* target(std::uint32_t step) const {
    return target_ == nullptr ? nullptr : target_ + std::size_t{step} * classes;
  }

 private:
  const OutputTrace<Value>& output_;
  std::size_t begin_;
  const float* target_;

 public:
  const std::uint32_t steps;
  const std::uint32_t classes;
};

/// One number per class, and for the maximum the step it is from.
struct Reduced {
  std::vector<double> value;
  std::vector<std::uint32_t> step;
};

template <class Trace>
Reduced reduce(const Trace& trace, Reduction reduction) {
  Reduced reduced{std::vector<double>(trace.classes, 0.0),
                  std::vector<std::uint32_t>(trace.classes, 0)};
  const auto take = [&](std::uint32_t t) {
    const auto row = trace.row(t);
    std::copy(row.begin(), row.end(), reduced.value.begin());
  };
  if (reduction == Reduction::last) take(trace.steps - 1);
  if (reduction == Reduction::max) take(0);
  const bool sums = reduction == Reduction::sum || reduction == Reduction::mean;
  for (std::uint32_t t = 0; reduction != Reduction::last && t < trace.steps; ++t) {
    const auto row = trace.row(t);
    for (std::uint32_t k = 0; k < trace.classes; ++k) {
      if (sums) {
        reduced.value[k] += row[k];
      } else if (row[k] > reduced.value[k]) {
        reduced.value[k] = row[k];
        reduced.step[k] = t;
      }
    }
  }
  for (double& value : reduced.value) value /= reduction == Reduction::mean ? trace.steps : 1.0;
  return reduced;
}

/// d loss / d reduced, back to the trace.
template <class Trace>
void spread(const Trace& trace, Reduction reduction, const Reduced& reduced,
            const std::vector<double>& d) {
  std::vector<double> at_step(trace.classes);
  for (std::uint32_t t = 0; t < trace.steps; ++t) {
    for (std::uint32_t k = 0; k < trace.classes; ++k) {
      const bool here = reduction == Reduction::last  ? t + 1 == trace.steps
                        : reduction == Reduction::max ? t == reduced.step[k]
                                                      : true;
      at_step[k] = here ? d[k] : 0.0;
    }
    trace.set(t, reduction == Reduction::mean ? 1.0 / trace.steps : 1.0, at_step);
  }
}

/// Losses of one number per class. `weight` is 1 / samples.
template <class Trace>
SampleLoss reduced_loss(const Loss& loss, const Trace& trace, std::int32_t label, double weight) {
  const Reduced reduced = reduce(trace, loss.reduction);
  std::vector<double> d(trace.classes);
  SampleLoss result{0.0, largest(reduced.value)};
  if (loss.kind == LossKind::cross_entropy) {
    std::vector<double> logits = reduced.value;
    for (double& logit : logits) logit *= loss.scale;
    result.loss = cross_entropy(logits, label, d);
    if (loss.log_probability_penalty != 0.0)
      add_log_probability_penalty(loss.log_probability_penalty, logits, label, d);
    for (double& value : d) value *= loss.scale;
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

/// The first step that a loss per step looks at; those before it have no derivative.
template <class Trace>
std::uint32_t window_begin(const Loss& loss, const Trace& trace) {
  const std::uint32_t begin = loss.window == 0 ? 0 : trace.steps - std::min(loss.window, trace.steps);
  const std::vector<double> nothing(trace.classes, 0.0);
  for (std::uint32_t t = 0; t < begin; ++t) trace.set(t, 0.0, nothing);
  return begin;
}

SampleLoss loss_per_step(const Loss& loss, const SampleTrace<double>& trace, std::int32_t label, double weight) {
  const std::uint32_t begin = window_begin(loss, trace), steps = trace.steps - begin;
  std::vector<double> d(trace.classes);
  std::vector<double> votes(trace.classes, 0.0);
  SampleLoss result;
  for (std::uint32_t t = begin; t < trace.steps; ++t) {
    result.loss += cross_entropy(trace.row(t), label, d) / steps;
    votes[static_cast<std::size_t>(largest(trace.row(t)))] += 1.0;
    trace.set(t, weight / steps, d);
  }
  result.prediction = largest(votes);
  return result;
}

SampleLoss loss_per_step(const Loss& loss, const SampleTrace<float>& trace, std::int32_t label, double weight) {
  const std::uint32_t begin = window_begin(loss, trace), steps = trace.steps - begin;
  std::vector<std::uint32_t> votes(trace.classes, 0);
  const double sum = cross_entropy_rows(trace.rows(begin), static_cast<std::uint32_t>(label),
                                        static_cast<float>(weight / steps), trace.derivative(begin), votes.data());
  return {sum / steps, largest(votes)};
}

/// Without targets the prediction is a vote, with them whether the output came close to them.
template <class Trace>
SampleLoss squares_per_step(const Loss& loss, const Trace& trace, std::int32_t label, double weight) {
  constexpr double kClose = 0.1;
  std::vector<double> d(trace.classes), votes(trace.classes, 0.0);
  SampleLoss result;
  double size = 0.0;
  for (std::uint32_t t = window_begin(loss, trace); t < trace.steps; ++t) {
    const auto row = trace.row(t);
    const float* const target = trace.target(t);
    for (std::uint32_t k = 0; k < trace.classes; ++k) {
      const double wanted = target != nullptr ? target[k] : static_cast<std::int32_t>(k) == label ? 1.0 : 0.0;
      d[k] = row[k] - wanted;
      result.loss += 0.5 * d[k] * d[k];
      size += 0.5 * wanted * wanted;
    }
    votes[static_cast<std::size_t>(largest(row))] += 1.0;
    trace.set(t, weight, d);
  }
  const bool given = trace.target(0) != nullptr;
  result.prediction = given ? label : largest(votes);
  result.followed = !given || result.loss <= kClose * size;
  return result;
}

template <class Trace>
SampleLoss count_loss(const Loss& loss, const Trace& trace, std::int32_t label, double weight) {
  const Reduced counts = reduce(trace, Reduction::sum);
  SampleLoss result{0.0, largest(counts.value)};
  std::vector<double> d(trace.classes);
  for (std::uint32_t k = 0; k < trace.classes; ++k) {
    const double target =
        static_cast<std::int32_t>(k) == label ? loss.count_true : loss.count_false;
    const double error = counts.value[k] / trace.steps - target;
    result.loss += error * error / trace.classes;
    d[k] = 2.0 * error / trace.classes / trace.steps;
  }
  for (std::uint32_t t = 0; t < trace.steps; ++t) trace.set(t, weight, d);
  return result;
}

template <class Value>
SampleLoss loss_of(const Loss& loss, const OutputTrace<Value>& output, std::size_t sample,
                   std::int32_t label) {
  const SampleTrace<Value> trace(output, sample);
  const double weight = 1.0 / static_cast<double>(output.samples);
  switch (loss.kind) {
    case LossKind::cross_entropy:
    case LossKind::mean_squared_error:
      return reduced_loss(loss, trace, label, weight);
    case LossKind::cross_entropy_per_step:
      return loss_per_step(loss, trace, label, weight);
    case LossKind::squared_error_per_step:
      return squares_per_step(loss, trace, label, weight);
    case LossKind::spike_count:
      return count_loss(loss, trace, label, weight);
  }
  return {};
}

}  // namespace

void LossResult::add(const SampleLoss& one, std::int32_t label, std::size_t samples) {
  loss += one.loss * (1.0 / static_cast<double>(samples));
  prediction.push_back(one.prediction);
  correct += one.prediction == label && one.followed;
}

SampleLoss sample_loss(const Loss& loss, const OutputTrace<float>& output, std::size_t sample,
                       std::int32_t label) {
  return loss_of(loss, output, sample, label);
}

LossResult evaluate_loss(const Loss& loss, std::span<const double> trace,
                         std::span<const std::int32_t> label, std::uint32_t steps,
                         std::uint32_t classes, std::span<double> derivative, std::span<const float> target) {
  LossResult result;
  const std::size_t samples = label.size();
  const OutputTrace<double> output{trace.data(), derivative.empty() ? nullptr : derivative.data(),
                                   classes,      samples * classes,
                                   samples,      steps,
                                   classes,      target.empty() ? nullptr : target.data()};
  for (std::size_t b = 0; b < label.size(); ++b)
    result.add(loss_of(loss, output, b, label[b]), label[b], label.size());
  return result;
}

}  // namespace tessera::training
