// e-prop as its equations say it, in float64: every eligibility trace of every pair of neurons is kept and advanced
// step by step. Slow, and what everything else is compared with. docs/eprop.md has the equations of both conventions.
//
// Names as in the publications: z spike, v membrane potential, a adaptation, A the threshold with it, psi the
// pseudo-derivative, z_bar the trace of a source, epsilon the slow eligibility of an adaptive neuron, e eligibility,
// e_bar its filtered trace, L learning signal, y output.
// Sources: Bellec et al. 2020 (Nat. Commun. 11:3625) as the models `*_bsshslm_2020` of NEST state it; ml_genn's
// EPropCompiler.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tessera::training::eprop {

/// Row by row.
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> values;

  Matrix() = default;
  Matrix(std::size_t its_rows, std::size_t its_columns)
      : rows(its_rows), columns(its_columns), values(its_rows * its_columns, 0.0) {}
  double& operator()(std::size_t row, std::size_t column) { return values[row * columns + column]; }
  double operator()(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
};

/// One recurrent layer and a readout.
struct Weights {
  Matrix input;              ///< [neuron][input]
  Matrix recurrent;          ///< [neuron][neuron]: target, source
  Matrix output;             ///< [output][neuron]
  std::vector<double> bias;  ///< of the outputs
  [[nodiscard]] Weights like() const;  ///< zeros
};

struct Neurons {
  double alpha = 0.95;     ///< decay of the membrane per step
  double threshold = 1.0;  ///< v_th
  double rho = 0.99;       ///< decay of the adaptation per step
  double beta = 0.0;       ///< rise of the threshold per unit of adaptation; 0: no adaptation
  double gamma = 0.3;      ///< height of the pseudo-derivative times v_th
  std::uint32_t refractory = 0;  ///< steps
  double input_scale = 1.0;  ///< zeta: 1, or 1 - alpha
  std::vector<double> betas;  ///< of each neuron, where some adapt and some do not; empty: all have beta
  [[nodiscard]] double beta_of(std::size_t neuron) const { return betas.empty() ? beta : betas[neuron]; }
};

struct Readout {
  double kappa = 0.95;       ///< decay per step
  double input_scale = 1.0;  ///< zeta: 1, or 1 - kappa
};

struct RateRegulariser {
  double strength = 0.0;        ///< c_reg
  double target = 0.0;          ///< spikes per step
  double decay = 0.998;         ///< mlgenn: of the running mean of spikes
};

enum class Error { squared, cross_entropy };

/// One sample.
struct Interval {
  Matrix x;       ///< [step][input], 0 or 1
  Matrix target;  ///< [step][output]; cross-entropy: probabilities
  Error error = Error::squared;
  std::size_t window = 0;  ///< last steps, which have errors
};

struct Outcome {
  double loss = 0.0;  ///< squared: 0.5 sum (y - y*)^2; cross-entropy: - mean over the window of sum y* log softmax(y)
  Weights gradient;   ///< sums over steps
  Matrix y;           ///< [step][output]
  std::vector<std::array<std::uint32_t, 2>> spikes;  ///< step, neuron
};

struct Rule {
  Neurons neurons;
  Readout readout;
  RateRegulariser rate;
};

/// Convention bellec2020: an interval from rest. `feedback`: B, [neuron][output].
[[nodiscard]] Outcome bellec2020(const Rule& rule, const Weights& weights, const Matrix& feedback,
                                 const Interval& interval);

/// Convention mlgenn: the state runs on from interval to interval; a new object is at rest. Feedback through the
/// output's weights. bellec2020's scales of the input are not used: both are 1.
class Mlgenn {
 public:
  Mlgenn(const Rule& rule, const Weights& like);
  Outcome run(const Weights& weights, const Interval& interval);

 private:
  /// Of the synapses from one kind of source.
  struct Eligibility {
    Matrix epsilon, e_bar;
  };
  void eligibility(const std::vector<double>& trace, Eligibility& traces, Matrix& gradient) const;
  void synapses(const Weights& weights, Weights& gradient);
  void neurons(std::uint32_t step, Outcome& outcome);
  void readout(const Weights& weights, const Interval& interval, std::size_t step, Outcome& outcome);

  Rule rule_;
  std::size_t inputs_, neurons_, outputs_;
  std::vector<double> x_, z_;                       ///< of the last step
  std::vector<double> x_bar_, z_bar_;               ///< with it
  std::vector<double> v_, a_, psi_, error_, rate_;  ///< error_: E, what reached the neuron; rate_: f_av
  std::vector<std::uint32_t> refractory_;
  std::vector<double> y_, softmax_, output_error_;
  std::vector<double> current_, output_current_, feedback_;  ///< on their way to the neurons
  Eligibility of_inputs_, of_neurons_;
};

/// max(0, 1 - |v - A| / v_th) gamma / v_th.
[[nodiscard]] double pseudo_derivative(const Neurons& neurons, double v, double threshold);
[[nodiscard]] std::vector<double> softmax(const double* y, std::size_t n);

}  // namespace tessera::training::eprop
