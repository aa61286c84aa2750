// e-prop, convention mlgenn. In every step the synapses go first and see what the neurons left in the step before; so
// errors reach a neuron one step later than the output, and its synapses yet another one.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "train/eprop_reference.hpp"

namespace tessera::training::eprop {

Mlgenn::Mlgenn(const Rule& rule, const Weights& like)
    : rule_(rule),
      inputs_(like.input.columns),
      neurons_(like.input.rows),
      outputs_(like.output.rows),
      x_(inputs_, 0.0),
      z_(neurons_, 0.0),
      x_bar_(x_),
      z_bar_(z_),
      v_(z_),
      a_(z_),
      psi_(z_),
      error_(z_),
      rate_(z_),
      refractory_(neurons_, 0),
      y_(outputs_, 0.0),
      softmax_(y_),
      output_error_(y_),
      of_inputs_{Matrix(neurons_, inputs_), Matrix(neurons_, inputs_)},
      of_neurons_{Matrix(neurons_, neurons_), Matrix(neurons_, neurons_)} {}

// e = psi z_bar - psi beta epsilon; epsilon = psi z_bar + rho epsilon - psi beta epsilon; e_bar = alpha e_bar + e
void Mlgenn::eligibility(const std::vector<double>& trace, Eligibility& traces, Matrix& gradient) const {
  const Neurons& n = rule_.neurons;
  for (std::size_t j = 0; j < neurons_; ++j) {
    const double pull = rule_.rate.strength * (rate_[j] - rule_.rate.target);
    for (std::size_t i = 0; i < trace.size(); ++i) {
      const double e = psi_[j] * (trace[i] - n.beta_of(j) * traces.epsilon(j, i));
      traces.epsilon(j, i) = n.rho * traces.epsilon(j, i) + e;
      traces.e_bar(j, i) = n.alpha * traces.e_bar(j, i) + e;
      gradient(j, i) += traces.e_bar(j, i) * error_[j] + pull * e;
    }
  }
}

void Mlgenn::synapses(const Weights& w, Weights& gradient) {
  eligibility(x_bar_, of_inputs_, gradient.input);
  eligibility(z_bar_, of_neurons_, gradient.recurrent);
  current_.assign(neurons_, 0.0);
  feedback_.assign(neurons_, 0.0);
  output_current_ = w.bias;
  output_current_.resize(outputs_, 0.0);
  for (std::size_t j = 0; j < neurons_; ++j) {
    for (std::size_t i = 0; i < inputs_; ++i) current_[j] += w.input(j, i) * x_[i];
    for (std::size_t i = 0; i < neurons_; ++i) current_[j] += w.recurrent(j, i) * z_[i];
    for (std::size_t k = 0; k < outputs_; ++k) {
      gradient.output(k, j) += z_bar_[j] * output_error_[k];
      output_current_[k] += w.output(k, j) * z_[j];
      feedback_[j] += w.output(k, j) * output_error_[k];
    }
  }
}

void Mlgenn::neurons(std::uint32_t step, Outcome& outcome) {
  const Neurons& n = rule_.neurons;
  const RateRegulariser& r = rule_.rate;
  for (std::size_t j = 0; j < neurons_; ++j) {
    error_[j] = feedback_[j];
    v_[j] = n.alpha * v_[j] + current_[j];
    a_[j] *= n.rho;
    const double threshold = n.threshold + n.beta_of(j) * a_[j];
    if (refractory_[j] > 0) --refractory_[j];
    psi_[j] = refractory_[j] > 0 ? 0.0 : pseudo_derivative(n, v_[j], threshold);
    z_[j] = v_[j] >= threshold && refractory_[j] == 0 ? 1.0 : 0.0;
    if (z_[j] != 0.0) {
      v_[j] -= n.threshold;
      a_[j] += 1.0;
      refractory_[j] = n.refractory;
      outcome.spikes.push_back({step, static_cast<std::uint32_t>(j)});
    }
    rate_[j] = r.decay * rate_[j] + (1.0 - r.decay) * z_[j];
    z_bar_[j] = n.alpha * z_bar_[j] + z_[j];
  }
}

// The error of cross-entropy is that of the step before: softmax is taken after the neurons.
void Mlgenn::readout(const Weights& w, const Interval& interval, std::size_t step, Outcome& outcome) {
  const bool squared = interval.error == Error::squared;
  const bool counts = step + interval.window >= interval.x.rows;
  for (std::size_t k = 0; k < outputs_; ++k) {
    y_[k] = outcome.y(step, k) = rule_.readout.kappa * y_[k] + output_current_[k];
    output_error_[k] = counts ? (squared ? y_[k] : softmax_[k]) - interval.target(step, k) : 0.0;
    if (!w.bias.empty()) outcome.gradient.bias[k] += output_error_[k];
    if (squared) outcome.loss += 0.5 * output_error_[k] * output_error_[k];
  }
  softmax_ = softmax(y_.data(), outputs_);
  for (std::size_t k = 0; k < outputs_ && counts && !squared; ++k) {
    const double target = interval.target(step, k);
    if (target != 0.0) outcome.loss -= target * std::log(softmax_[k]) / static_cast<double>(interval.window);
  }
}

Outcome Mlgenn::run(const Weights& w, const Interval& interval) {
  Outcome outcome;
  outcome.gradient = w.like();
  outcome.y = Matrix(interval.x.rows, outputs_);
  for (std::size_t t = 0; t < interval.x.rows; ++t) {
    synapses(w, outcome.gradient);
    for (std::size_t i = 0; i < inputs_; ++i) {
      x_[i] = interval.x(t, i);
      x_bar_[i] = rule_.neurons.alpha * x_bar_[i] + x_[i];
    }
    neurons(static_cast<std::uint32_t>(t), outcome);
    readout(w, interval, t, outcome);
  }
  return outcome;
}

}  // namespace tessera::training::eprop
