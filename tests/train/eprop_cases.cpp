// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/eprop_cases.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tessera::test {

using namespace training::eprop;

namespace {

using nlohmann::json;

double decay(double tau, double dt) { return std::exp(-dt / tau); }

// Adam with or without the correction of epsilon, or plain gradient descent.
class Steps {
 public:
  explicit Steps(const json& optimizer)
      : adam_(optimizer.at("type") == "adam"),
        eta_(optimizer.at("eta")),
        beta1_(optimizer.value("beta_1", 0.9)),
        beta2_(optimizer.value("beta_2", 0.999)),
        epsilon_(optimizer.value("epsilon", 1e-7)),
        corrects_epsilon_(optimizer.value("corrects_epsilon", false)) {}

  void begin() { ++n_; }
  void update(Matrix& w, const Matrix& gradient, Matrix& m, Matrix& v) const {
    for (std::size_t i = 0; i < w.values.size(); ++i) {
      const double g = gradient.values[i];
      if (!adam_) {
        w.values[i] -= eta_ * g;
        continue;
      }
      double &mean = m.values[i], &square = v.values[i];
      mean = beta1_ * mean + (1.0 - beta1_) * g;
      square = beta2_ * square + (1.0 - beta2_) * g * g;
      const double c1 = 1.0 - std::pow(beta1_, n_), c2 = 1.0 - std::pow(beta2_, n_);
      w.values[i] -= corrects_epsilon_ ? eta_ * (mean / c1) / (std::sqrt(square / c2) + epsilon_)
                                       : eta_ * std::sqrt(c2) / c1 * mean / (std::sqrt(square) + epsilon_);
    }
  }

 private:
  bool adam_;
  double eta_, beta1_, beta2_, epsilon_;
  bool corrects_epsilon_;
  double n_ = 0.0;
};

void scale(Weights& g, double factor) {
  for (Matrix* m : {&g.input, &g.recurrent, &g.output}) {
    for (double& value : m->values) value *= factor;
  }
}

// There are no synapses of a neuron with itself.
void without_autapses(Matrix& m) {
  for (std::size_t j = 0; j < m.rows; ++j) m(j, j) = 0.0;
}

double relative(double value, double expected) { return std::abs(value - expected) / std::abs(expected); }

}  // namespace

Matrix matrix_of(const json& rows, bool transposed) {
  Matrix m(transposed ? rows.at(0).size() : rows.size(), transposed ? rows.size() : rows.at(0).size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows[i].size(); ++j) (transposed ? m(j, i) : m(i, j)) = rows[i][j].get<double>();
  }
  return m;
}

double deviation(const Matrix& value, const Matrix& expected) {
  if (value.values.size() != expected.values.size()) return std::numeric_limits<double>::infinity();
  double largest = 0.0, worst = 0.0;
  for (const double x : expected.values) largest = std::max(largest, std::abs(x));
  for (std::size_t i = 0; i < value.values.size(); ++i) {
    const double d = std::abs(value.values[i] - expected.values[i]);
    if (std::isnan(d)) return d;
    worst = std::max(worst, d);
  }
  return largest > 0.0 ? worst / largest : worst;
}

EpropCase bellec2020_case(const json& entry) {
  EpropCase c;
  const json& p = entry.at("params");
  const double dt = p.at("dt");
  c.rule.neurons.alpha = decay(p.at("tau_m"), dt);
  c.rule.neurons.threshold = p.at("v_th");
  c.rule.neurons.gamma = p.at("gamma");
  c.rule.neurons.beta = p.at("beta");
  c.rule.neurons.rho = p.at("tau_a").is_null() ? 0.0 : decay(p.at("tau_a"), dt);
  c.rule.neurons.refractory = static_cast<std::uint32_t>(std::lround(p.at("t_ref").get<double>() / dt));
  c.rule.readout.kappa = decay(p.at("tau_out"), dt);
  c.rule.rate = {p.at("c_reg"), p.at("f_target").get<double>() * dt / 1000.0, 0.0};
  c.weights = {matrix_of(entry.at("w_in")), matrix_of(entry.at("w_rec")), matrix_of(entry.at("w_out")), {}};
  c.feedback = matrix_of(entry.at("B"));
  c.interval.x = matrix_of(entry.at("x"), true);
  c.interval.target = matrix_of(entry.at("target"), true);
  c.interval.error = entry.at("task") == "mse" ? Error::squared : Error::cross_entropy;
  c.interval.window = p.at("window");
  return c;
}

double bellec2020_deviation(const json& entry) {
  EpropCase c = bellec2020_case(entry);
  Steps steps(entry.at("optimizer"));
  Weights m = c.weights.like(), v = m;
  double worst = 0.0;
  std::size_t iteration = 0;
  // A value that is not a number stays.
  const auto see = [&](double d) { worst = d <= worst ? worst : d; };
  for (const json& expected : entry.at("expected")) {
    Outcome outcome = bellec2020(c.rule, c.weights, c.feedback, c.interval);
    without_autapses(outcome.gradient.recurrent);
    if (entry.at("average_gradient")) scale(outcome.gradient, 1.0 / static_cast<double>(c.interval.window));
    if (json(outcome.spikes) != expected.at("spikes")) return std::numeric_limits<double>::infinity();
    see(relative(outcome.loss, expected.at("loss")));
    if (entry.contains("nest_loss")) see(relative(outcome.loss, entry.at("nest_loss").at(iteration++)));
    see(deviation(c.weights.input, matrix_of(expected.at("w_in"))));
    see(deviation(c.weights.recurrent, matrix_of(expected.at("w_rec"))));
    see(deviation(c.weights.output, matrix_of(expected.at("w_out"))));
    see(deviation(outcome.gradient.input, matrix_of(expected.at("g_in"))));
    see(deviation(outcome.gradient.recurrent, matrix_of(expected.at("g_rec"))));
    see(deviation(outcome.gradient.output, matrix_of(expected.at("g_out"))));
    steps.begin();
    steps.update(c.weights.input, outcome.gradient.input, m.input, v.input);
    steps.update(c.weights.recurrent, outcome.gradient.recurrent, m.recurrent, v.recurrent);
    steps.update(c.weights.output, outcome.gradient.output, m.output, v.output);
  }
  return worst;
}

EpropCase mlgenn_case(const json& entry) {
  EpropCase c;
  const bool adaptive = entry.at("alif");
  c.rule.neurons.alpha = c.rule.readout.kappa = decay(20.0, 1.0);
  c.rule.neurons.threshold = 0.6;
  c.rule.neurons.beta = adaptive ? 0.2 : 0.0;
  c.rule.neurons.rho = decay(100.0, 1.0);
  c.rule.neurons.refractory = 3;
  c.rule.rate = {0.001, 0.01, decay(500.0, 1.0)};
  c.weights = {matrix_of(entry.at("w_in"), true), matrix_of(entry.at("w_rec"), true), matrix_of(entry.at("w_out"), true),
               {0.0, 0.0}};
  c.interval.x = matrix_of(entry.at("x"), true);
  c.interval.window = c.interval.x.rows;
  c.interval.error = entry.at("kind") == "mse" ? Error::squared : Error::cross_entropy;
  c.interval.target = matrix_of(entry.at("target"));
  for (std::size_t t = 0; c.interval.error == Error::cross_entropy && t < c.interval.target.rows; ++t) {
    c.interval.target(t, 0) = 1.0;  // the label of these cases
    c.interval.target(t, 1) = 0.0;
  }
  return c;
}

double mlgenn_deviation(const json& entry, const std::string& which) {
  EpropCase c = mlgenn_case(entry);
  Steps steps(json{{"type", "adam"}, {"eta", 1e-3}, {"epsilon", 1e-8}, {"corrects_epsilon", true}});
  Weights m = c.weights.like(), v = m;
  Mlgenn network(c.rule, c.weights);
  double worst = 0.0;
  const auto see = [&](double d) { worst = d <= worst ? worst : d; };
  const auto column = [](const std::vector<double>& values) {
    Matrix matrix(1, values.size());
    matrix.values = values;
    return matrix;
  };
  for (const json& expected : entry.at(which)) {
    const Outcome outcome = network.run(c.weights, c.interval);
    steps.begin();
    steps.update(c.weights.input, outcome.gradient.input, m.input, v.input);
    steps.update(c.weights.recurrent, outcome.gradient.recurrent, m.recurrent, v.recurrent);
    steps.update(c.weights.output, outcome.gradient.output, m.output, v.output);
    Matrix bias = column(c.weights.bias), mean = column(m.bias), square = column(v.bias);
    steps.update(bias, column(outcome.gradient.bias), mean, square);
    c.weights.bias = bias.values, m.bias = mean.values, v.bias = square.values;
    see(deviation(m.input, matrix_of(expected.at("M_w_in"), true)));
    see(deviation(m.recurrent, matrix_of(expected.at("M_w_rec"), true)));
    see(deviation(m.output, matrix_of(expected.at("M_w_out"), true)));
    see(deviation(mean, column(expected.at("M_b").get<std::vector<double>>())));
    see(deviation(c.weights.input, matrix_of(expected.at("w_in"), true)));
    see(deviation(c.weights.recurrent, matrix_of(expected.at("w_rec"), true)));
    see(deviation(c.weights.output, matrix_of(expected.at("w_out"), true)));
  }
  return worst;
}

}  // namespace tessera::test
