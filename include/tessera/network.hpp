// The description of a network: populations, projections, stimuli, recorders. Plain values; build one
// in C++ or load a model file (tessera/model_file.hpp), validate it, then simulate it. Nothing here
// allocates neurons or synapses.
//
// Units: ms, mV, pA, pF, nS, Hz, mm; weights in the unit of the target's model.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tessera/errors.hpp"
#include "tessera/neuron_model.hpp"

namespace tessera {

/// A one-dimensional distribution, redrawn until the value lies within [low, high].
struct Distribution {
  enum class Kind { constant, uniform, normal, lognormal, exponential };
  Kind kind = Kind::constant;
  /// constant: a. uniform: [a, b). normal: mean a, SD b. lognormal: exp(normal(a, b)), a = mu and
  /// b = sigma of the underlying normal (in log of the unit). exponential: mean a (all values have the
  /// sign of a).
  double a = 0.0;
  double b = 0.0;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool mirrored = false;  ///< lognormal: values are -exp(normal(a, b)), for inhibitory weights

  friend bool operator==(const Distribution&, const Distribution&) = default;

  static Distribution constant(double value) { return {Kind::constant, value}; }
  static Distribution uniform(double from, double to) { return {Kind::uniform, from, to}; }
  static Distribution normal(double mean, double sd) { return {Kind::normal, mean, sd}; }
  static Distribution lognormal(double mu, double sigma) { return {Kind::lognormal, mu, sigma}; }
  static Distribution exponential(double mean) { return {Kind::exponential, mean}; }
  /// The same, redrawn until the value also lies within [lowest, highest].
  [[nodiscard]] Distribution within(double lowest, double highest) const;
  /// Multiplies every value by `factor` (bounds too); a negative factor mirrors, 0 gives constant 0.
  [[nodiscard]] Distribution scaled(double factor) const;
  /// Mean of the distribution after redrawing within the bounds.
  [[nodiscard]] double mean() const;
  /// Variance after redrawing within the bounds.
  [[nodiscard]] double variance() const;
  /// Inverse cumulative distribution after redrawing within the bounds, u in (0, 1).
  [[nodiscard]] double quantile(double u) const;
  /// Cumulative distribution after redrawing within the bounds.
  [[nodiscard]] double cdf(double x) const;
  /// "" when the parameters make sense, else a sentence.
  [[nodiscard]] std::string problem() const;
};
[[nodiscard]] std::string to_string(Distribution::Kind kind);

/// Who is connected to whom.
struct ConnectivityRule {
  enum class Kind {
    one_to_one,           ///< source i to target i; sizes must be equal
    all_to_all,           ///< every pair
    fixed_total_number,   ///< `number` synapses, uniform over pairs
    fixed_indegree,       ///< every target has exactly `number` synapses
    fixed_outdegree,      ///< every source has exactly `number` synapses
    pairwise_bernoulli,   ///< every pair with `probability`
    gaussian_2d,          ///< every pair with probability * exp(-d^2 / (2 sigma^2)), d their distance on grids
    explicit_list         ///< `list`
  };
  Kind kind = Kind::one_to_one;
  std::uint64_t number = 0;
  double probability = 0.0;
  double sigma = 0.0;  ///< gaussian_2d: in mm; in grid units for grids without an extent
  bool autapses = true;
  bool multapses = true;  ///< fixed_* rules only
  struct Synapse {
    std::uint32_t source = 0;
    std::uint32_t target = 0;
    double weight = 0.0;
    double delay_ms = 0.0;
  };
  std::vector<Synapse> list;  ///< explicit_list: carries its own weights and delays
};
[[nodiscard]] std::string to_string(ConnectivityRule::Kind kind);

/// Values that populate one column of a population's state: drawn, or listed one per neuron.
struct InitialValue {
  Distribution distribution;
  std::vector<double> values;  ///< when not empty: one per neuron
};

/// A bump of rates over the grid of a poisson_source, rate_hz + peak_hz exp(-d^2 / (2 sigma^2)), d the distance from its
/// centre, which jumps to another place every period. The grid is cut into blocks of `block` x `block` cells, each of which
/// is a ring in both directions and has the bump at the same place; centres are drawn from the first `centres` x `centres`
/// cells of a block. At most one spike per step.
struct ActivityBump {
  double peak_hz = 0.0;
  double sigma = 1.0;  ///< cells
  double period_ms = 20.0;
  std::uint32_t block = 16;
  std::uint32_t centres = 16;
};

struct Population {
  enum class Kind { neurons, poisson_source, spike_train_source };
  std::string name;
  Kind kind = Kind::neurons;
  std::uint32_t size = 0;
  std::string model;                          ///< neurons: a name of the catalogue
  std::map<std::string, double> parameters;   ///< those that differ from the model's defaults
  std::map<std::string, InitialValue> initial;  ///< by state variable
  std::uint32_t grid_columns = 0;  ///< neuron i sits in column i % columns, row i / columns; 0: no grid
  /// Lengths of the grid's edges, along its columns' index (x) and its rows' (y); a neuron sits in the
  /// middle of its cell, and all grids have the same centre. {0, 0}: lengths count in grid units, the
  /// distance between neighbours.
  std::array<double, 2> extent_mm = {0.0, 0.0};
  bool periodic = true;  ///< opposite edges of the grid touch
  /// poisson_source: every neuron spikes as a Poisson process while a pulse is on. A pulse starts at
  /// start, start + interval, ... and lasts `duration`; interval 0: one pulse only. Every beginning and
  /// end is rounded to the nearest step by itself.
  double rate_hz = 0.0;
  double start_ms = 0.0;
  double duration_ms = std::numeric_limits<double>::infinity();
  double interval_ms = 0.0;
  std::optional<ActivityBump> bump;  ///< poisson_source: added to rate_hz
  /// spike_train_source: spike times of each neuron, from 0 on; rounded to the nearest step.
  struct TrainSpike {
    double time_ms = 0.0;
    std::uint32_t neuron = 0;
  };
  std::vector<TrainSpike> train;
  double mean_rate_hz = 0.0;  ///< expected rate; used for down-scaling and for the time estimate
  bool inhibitory = false;    ///< drawn in the second colour
  SourceLocation where;
};

/// A rule that changes the weights of a projection while the network runs.
struct Plasticity {
  std::string rule;                          ///< a name of the catalogue
  std::map<std::string, double> parameters;  ///< those that differ from the rule's defaults
  /// The part of every synapse's delay (ms, rounded to steps) that lies before the synapse; the rest, at least
  /// one step, lies behind it. 0: all of it behind.
  double axonal_delay_ms = 0.0;
  /// Rules with a third factor: the population whose spikes are it, for all synapses alike, so long (ms, rounded to
  /// steps, at least one) after they were fired.
  std::string modulator = {};
  double modulator_delay_ms = 1.0;
};

/// A rule that creates and removes synapses of a projection while the network runs. All its delays are the same; weights
/// that do not learn have the plasticity "static".
struct StructuralPlasticity {
  std::string rule;                          ///< a structural rule of the catalogue
  std::map<std::string, double> parameters;  ///< those that differ from the rule's defaults
  double interval_ms = 1.0;                  ///< between two times at which it acts
  std::uint32_t max_indegree = 0;            ///< it makes no synapse onto a target that has so many; 0: no limit
  std::uint32_t max_outdegree = 0;           ///< the same of a source, whose synapses lie on all chunks of the targets
  std::map<std::string, std::string> words = {};  ///< parameters that are words; those left out have the rule's defaults
};

struct Projection {
  std::string name;
  std::string source;
  std::string target;
  ConnectivityRule rule;
  Distribution weight;    ///< in the target model's unit
  Distribution delay_ms;  ///< rounded to steps of dt; at least one step
  /// ms per mm (per grid unit for grids without an extent): not 0, the delay of a synapse is the constant
  /// delay_ms plus this times the distance of its neurons, rounded to steps, at least one.
  double delay_slope = 0.0;
  std::optional<Plasticity> plasticity;  ///< none: weights stay as they are
  std::optional<StructuralPlasticity> rewiring;      ///< none: so do the synapses
  SourceLocation where;
};

/// Input that needs no synapses: a current, or one private Poisson train per neuron.
struct Stimulus {
  enum class Kind { current, poisson };
  std::string name;
  Kind kind = Kind::current;
  std::string target;
  /// current: amplitude (pA) from `start_ms` for `duration_ms`. `values`, when not empty, gives one
  /// amplitude per neuron instead. Beginning and end are rounded to the nearest step, each by itself.
  double amplitude_pA = 0.0;
  std::vector<double> values;
  double start_ms = 0.0;
  double duration_ms = std::numeric_limits<double>::infinity();
  /// poisson: every neuron receives its own train of `rate_hz` with `weight`; the first spikes arrive
  /// `delay_ms` after start_ms.
  double rate_hz = 0.0;
  double weight = 0.0;
  double delay_ms = 0.0;
  SourceLocation where;
};

/// A network that is right, but larger than Tessera can hold: all problems are about sizes.
class TooLargeError : public InputError {
 public:
  using InputError::InputError;
};

/// What to write down beside spikes: a state variable of the first `count` neurons of a population.
struct StateRecorder {
  std::string population;
  std::string variable = "V_m";
  std::uint32_t count = 1;
  double interval_ms = 0.1;
  SourceLocation where;
};

/// Whose spikes to write down: of the first `count` neurons of a population.
struct SpikeSelection {
  static constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();
  std::string population;
  std::uint32_t count = kAll;  ///< 1 or more; more than it has: all
  SourceLocation where = {};
};

/// What to write down of the weights of a plastic projection, at time 0 and at every multiple of the interval.
struct WeightRecording {
  enum class What { all, sample, histogram };
  /// Most synapses (all, sample) and bins of one recording. Rank 0 holds 48 bytes of each recorded synapse.
  static constexpr std::uint32_t kMostSynapses = 10'000'000, kMostBins = 10'000;

  std::string projection;
  What what = What::sample;
  std::uint32_t count = 100;  ///< sample: synapses; histogram: bins; 1 or more
  double interval_ms = 1.0;   ///< a multiple of dt
  SourceLocation where = {};
};

struct Network {
  std::string name;
  double dt_ms = 0.1;
  double time_ms = 1000.0;    ///< default model time of a run
  double discard_ms = 0.0;    ///< default start of statistics
  std::uint64_t seed = 1;     ///< default seed
  std::vector<Population> populations;
  std::vector<Projection> projections;
  std::vector<Stimulus> stimuli;
  std::vector<StateRecorder> recorders;
  std::vector<SpikeSelection> spike_recorders;  ///< none: where spikes are written down, all are
  std::vector<WeightRecording> weight_recorders;
  /// A population that fires above this rate (averaged over 100 ms of model time) stops the run.
  double rate_limit_hz = 1000.0;
  /// Named parameters of the model file after overriding, for reports: numbers in the unit they were
  /// written in, truths as 0 or 1; and those that are a choice between texts.
  std::map<std::string, double> parameters;
  std::map<std::string, std::string> choices;

  [[nodiscard]] const Population* find(const std::string& population_name) const noexcept;
  [[nodiscard]] std::size_t index_of(const std::string& population_name) const;  ///< throws InputError
};

/// Of how many first neurons of every population spikes are written down, as Network::spike_recorders say; all of all
/// where there are none.
[[nodiscard]] std::vector<std::uint32_t> recorded_neurons(const Network& network);

/// The population's parameters with the model's defaults filled in.
[[nodiscard]] ParameterValues values_of(const Population& population, const NeuronModel& model);

/// The same of a rule of plasticity.
[[nodiscard]] ParameterValues values_of(const Plasticity& plasticity, const PlasticityModel& rule);
[[nodiscard]] ParameterValues values_of(const StructuralPlasticity& rewiring, const StructuralModel& rule);

/// Whether any projection has plasticity.
[[nodiscard]] bool is_plastic(const Network& network) noexcept;

/// The expected number of synapses of a projection (exact for every rule but the Bernoulli ones).
[[nodiscard]] double expected_synapses(const Projection& projection, const Population& source,
                                       const Population& target);

/// Whether a rule draws how many synapses it makes, so that another seed gives another number.
[[nodiscard]] bool draws_number_of_synapses(const ConnectivityRule& rule);

/// The synapses of all projections: their number, or its mean when a rule draws it.
struct SynapseNumber {
  std::uint64_t synapses = 0;
  bool expected = false;  ///< a mean
};
[[nodiscard]] SynapseNumber number_of_synapses(const Network& network);

/// Of what validate() finds, the things that are no mistakes, but more than Tessera can hold.
[[nodiscard]] std::vector<Problem> size_problems(const Network& network, const NeuronCatalogue& models);

/// Everything that is wrong with a network, empty when it can be simulated.
[[nodiscard]] std::vector<Problem> validate(const Network& network, const NeuronCatalogue& models);

/// Throws InputError with all problems when there are any.
void require_valid(const Network& network, const NeuronCatalogue& models);

/// Down-scaling that keeps mean and variance of the input (van Albada et al. 2015): sizes times
/// `neurons`, in-degrees times `synapses` (K), weights over sqrt(K), rates of Poisson stimuli times K. The
/// mean that is lost comes back as one constant current per population,
///   (1 - sqrt(K)) * 0.001 * sum of tau_syn * weight * in-degree * rate,
/// over its projections (with the sources' mean_rate_hz) and Poisson stimuli at full scale. Currents
/// stay as they are; sizes of spike train sources too. Both factors in (0, 1].
/// Throws InputError with all problems: synapses < 1 needs iaf_psc_exp targets and mean rates of all
/// sources and weights that do not learn; rules that fix the in-degree by the sizes (one_to_one, all_to_all) or list neurons allow no
/// in-degree of their own.
void scale_network(Network& network, double neurons, double synapses, const NeuronCatalogue& models);

}  // namespace tessera
