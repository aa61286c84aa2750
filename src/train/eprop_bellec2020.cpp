// e-prop, convention bellec2020.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "train/eprop_reference.hpp"

namespace tessera::training::eprop {

Weights Weights::like() const {
  return {Matrix(input.rows, input.columns), Matrix(recurrent.rows, recurrent.columns),
          Matrix(output.rows, output.columns), std::vector<double>(bias.size(), 0.0)};
}

double pseudo_derivative(const Neurons& n, double v, double threshold) {
  return n.gamma / n.threshold * std::max(0.0, 1.0 - std::abs(v - threshold) / n.threshold);
}

std::vector<double> softmax(const double* y, std::size_t n) {
  const double top = *std::max_element(y, y + n);
  std::vector<double> p(n);
  double sum = 0.0;
  for (std::size_t k = 0; k < n; ++k) sum += p[k] = std::exp(y[k] - top);
  for (double& value : p) value /= sum;
  return p;
}

namespace {

// The state of an interval and its sums.
class Bellec {
 public:
  Bellec(const Rule& rule, const Weights& weights, const Matrix& feedback, const Interval& interval)
      : rule_(rule),
        w_(weights),
        feedback_(feedback),
        interval_(interval),
        v(w_.input.rows, 0.0),
        a(v),
        z(v),
        psi(v),
        z_bar(v),
        z_out(v),
        x_bar(w_.input.columns, 0.0),
        y(w_.output.rows, 0.0),
        error(y),
        refractory(v.size(), 0),
        spikes(v.size(), 0),
        input{Matrix(v.size(), x_bar.size()), Matrix(v.size(), x_bar.size()), Matrix(v.size(), x_bar.size())},
        recurrent{Matrix(v.size(), v.size()), Matrix(v.size(), v.size()), Matrix(v.size(), v.size())} {
    outcome_.gradient = w_.like();
    outcome_.y = Matrix(interval.x.rows, y.size());
  }

  Outcome run() {
    const std::size_t steps = interval_.x.rows;
    for (std::size_t t = 0; t < steps; ++t) {
      const std::vector<double> before = z;
      membranes(t, before);
      traces(t, before);
      readout(t);
      learn(x_bar, input, outcome_.gradient.input);
      learn(z_bar, recurrent, outcome_.gradient.recurrent);
      for (std::size_t k = 0; k < y.size(); ++k) {
        if (!outcome_.gradient.bias.empty()) outcome_.gradient.bias[k] += error[k] * bias_trace;
        for (std::size_t i = 0; i < z.size(); ++i) outcome_.gradient.output(k, i) += error[k] * z_out[i];
      }
    }
    regularise(steps, input, outcome_.gradient.input);
    regularise(steps, recurrent, outcome_.gradient.recurrent);
    if (interval_.error == Error::cross_entropy) outcome_.loss /= static_cast<double>(interval_.window);
    return std::move(outcome_);
  }

 private:
  struct Eligibility {
    Matrix epsilon, e_bar, sum;  ///< sum: of e, for the rate
  };

  // v = alpha v + zeta (W_in x(t) + W_rec z(t-1)) - v_th z(t-1); a = rho a + z(t-1); A = v_th + beta a
  void membranes(std::size_t t, const std::vector<double>& before) {
    const Neurons& n = rule_.neurons;
    for (std::size_t j = 0; j < v.size(); ++j) {
      double current = 0.0;
      for (std::size_t i = 0; i < x_bar.size(); ++i) current += w_.input(j, i) * interval_.x(t, i);
      for (std::size_t i = 0; i < v.size(); ++i) current += w_.recurrent(j, i) * before[i];
      v[j] = n.alpha * v[j] + n.input_scale * current - n.threshold * before[j];
      a[j] = n.rho * a[j] + before[j];
      const double threshold = n.threshold + n.beta_of(j) * a[j];
      if (refractory[j] > 0) --refractory[j];
      psi[j] = refractory[j] > 0 ? 0.0 : pseudo_derivative(n, v[j], threshold);
      z[j] = v[j] >= threshold && refractory[j] == 0 ? 1.0 : 0.0;
      if (z[j] == 0.0) continue;
      refractory[j] = n.refractory;
      ++spikes[j];
      outcome_.spikes.push_back({static_cast<std::uint32_t>(t), static_cast<std::uint32_t>(j)});
    }
  }

  // Of the inputs with this step's spikes, of the neurons with those of the last step: what is in v.
  void traces(std::size_t t, const std::vector<double>& before) {
    const Neurons& n = rule_.neurons;
    const Readout& r = rule_.readout;
    for (std::size_t i = 0; i < x_bar.size(); ++i)
      x_bar[i] = n.alpha * x_bar[i] + n.input_scale * interval_.x(t, i);
    for (std::size_t i = 0; i < z.size(); ++i) {
      z_bar[i] = n.alpha * z_bar[i] + n.input_scale * before[i];
      z_out[i] = r.kappa * z_out[i] + r.input_scale * z[i];
    }
  }

  // y = kappa y + zeta W_out z(t), and its error in the window.
  void readout(std::size_t t) {
    const Readout& r = rule_.readout;
    bias_trace = r.kappa * bias_trace + r.input_scale;
    for (std::size_t k = 0; k < y.size(); ++k) {
      double current = w_.bias.empty() ? 0.0 : w_.bias[k];
      for (std::size_t i = 0; i < z.size(); ++i) current += w_.output(k, i) * z[i];
      y[k] = outcome_.y(t, k) = r.kappa * y[k] + r.input_scale * current;
      error[k] = 0.0;
    }
    if (t + interval_.window < interval_.x.rows) return;
    const std::vector<double> p = softmax(y.data(), y.size());
    for (std::size_t k = 0; k < y.size(); ++k) {
      const double target = interval_.target(t, k);
      const bool squared = interval_.error == Error::squared;
      error[k] = (squared ? y[k] : p[k]) - target;
      if (squared) outcome_.loss += 0.5 * error[k] * error[k];
      if (!squared && target != 0.0) outcome_.loss -= target * std::log(p[k]);
    }
  }

  // e = psi (z_bar - beta epsilon); epsilon = rho epsilon + e; e_bar = kappa e_bar + (1 - kappa) e; gradient += L e_bar
  void learn(const std::vector<double>& trace, Eligibility& el, Matrix& gradient) {
    const Neurons& n = rule_.neurons;
    const double kappa = rule_.readout.kappa;
    for (std::size_t j = 0; j < v.size(); ++j) {
      const double beta = n.beta_of(j);
      double signal = 0.0;
      for (std::size_t k = 0; k < y.size(); ++k) signal += feedback_(j, k) * error[k];
      for (std::size_t i = 0; i < trace.size(); ++i) {
        const double e = psi[j] * (trace[i] - beta * el.epsilon(j, i));
        el.epsilon(j, i) = n.rho * el.epsilon(j, i) + e;
        el.e_bar(j, i) = kappa * el.e_bar(j, i) + (1.0 - kappa) * e;
        el.sum(j, i) += e;
        gradient(j, i) += signal * el.e_bar(j, i);
      }
    }
  }

  // c_reg / T (spikes / T - target) times the sum of e.
  void regularise(std::size_t steps, const Eligibility& el, Matrix& gradient) {
    const auto all = static_cast<double>(steps);
    for (std::size_t j = 0; j < v.size(); ++j) {
      const double pull = rule_.rate.strength / all * (spikes[j] / all - rule_.rate.target);
      for (std::size_t i = 0; i < gradient.columns; ++i) gradient(j, i) += pull * el.sum(j, i);
    }
  }

  const Rule& rule_;
  const Weights& w_;
  const Matrix& feedback_;
  const Interval& interval_;
  Outcome outcome_;
  std::vector<double> v, a, z, psi, z_bar, z_out, x_bar, y, error;
  double bias_trace = 0.0;  // of a source that spikes in every step
  std::vector<std::uint32_t> refractory, spikes;
  Eligibility input, recurrent;
};

}  // namespace

Outcome bellec2020(const Rule& rule, const Weights& weights, const Matrix& feedback, const Interval& interval) {
  return Bellec(rule, weights, feedback, interval).run();
}

}  // namespace tessera::training::eprop
