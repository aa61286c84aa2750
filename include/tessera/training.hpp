// Training spiking networks with surrogate gradients on compressed spike lists: the network, the
// options, the trainer and the loop over epochs. Sources: Finkbeiner et al. 2024 (arXiv
// 2311.04386), Perez-Nieves and Goodman 2021 (second threshold), Neftci et al. 2019 (surrogate
// gradients).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tessera/eprop.hpp"
#include "tessera/errors.hpp"
#include "tessera/rewiring.hpp"
#include "tessera/spike_dataset.hpp"

namespace tessera {
class Communicator;
}

namespace tessera::training {
struct Substrate;  // tessera/substrate.hpp
}

namespace tessera::training {

/// Per step t, with input current I[t] = sum_j w_ij s_j (this step's spikes of the layer below, the
/// last step's of the layer itself) + bias:
///   lif           u[t] = alpha u[t-1] (1 - s[t-1]) + I[t] / C        (reset = zero)
///                 u[t] = alpha (u[t-1] - theta s[t-1]) + I[t] / C    (reset = subtract)
///                 u[t] = alpha u[t-1] - theta s[t-1] + I[t] / C          (reset = subtract_undecayed)
///                 s[t] = 1 if u[t] > theta, and the last spike is at least `refractory` steps ago
///   adaptive_lif  the same with the threshold theta + beta a[t],  a[t] = rho a[t-1] + s[t-1]
///   synaptic_lif  u as above from i[t] / C,  i[t] = kappa i[t-1] + I[t]
///   readout       u[t] = alpha u[t-1] + I[t] / C, never spikes: the output of the network
/// The gradient does not flow through the reset (it is detached), as in the sources above.
enum class NeuronKind { lif, adaptive_lif, synaptic_lif, readout };
enum class Reset { to_zero, subtract, subtract_undecayed };

/// ds/du as a function of x = u - threshold, with steepness beta; all are 1 at x = 0, times the layer's height, and 0
/// while a neuron is refractory:
///   superspike        1 / (1 + beta |x|)^2
///   arctan            1 / (1 + (beta x)^2)
///   sigmoid           4 q (1 - q), q = 1 / (1 + exp(-beta x))
///   triangular        max(0, 1 - beta |x|)
///   piecewise_linear  1 where beta |x| < 1/2, else 0 (derivative of a ramp: a boxcar)
enum class Surrogate { superspike, arctan, sigmoid, triangular, piecewise_linear };

/// A decay factor per step, exp(-dt/tau), in [0, 1). With low < high every neuron draws its own,
/// log-uniformly in tau. Trainable factors are kept in (0, 1) by training their logit.
struct Decay {
  double low = 0.95;
  double high = 0.95;
  bool per_neuron = false;  ///< one factor for each neuron (else one for the layer)
  bool trainable = false;
};

enum class ConnectionKind { dense, sparse, convolution };
enum class Pooling { sum, average };

struct Connection {
  ConnectionKind kind = ConnectionKind::dense;
  double density = 1.0;  ///< sparse: probability of a synapse, (0, 1]; fixed after construction
  std::uint32_t min_delay = 0;  ///< sparse: extra steps, drawn uniformly per synapse in min .. max
  std::uint32_t max_delay = 0;  ///< at most 1023; dense connections have no delays
  std::uint32_t filters = 0;    ///< convolution: output channels
  std::uint32_t kernel = 3;     ///< convolution: edge length of the square kernel
  std::uint32_t stride = 1;
  std::uint32_t padding = 0;
  std::uint32_t pool = 1;  ///< edge of the square windows summed or averaged in front (1: none)
  Pooling pooling = Pooling::average;
  /// Sparse: which synapses there are changes while they are trained. `density` is that of the start.
  std::optional<Rewiring> rewiring;
};

/// Pulls activity z (spikes per step of one neuron, mean over batch and time) into [low, high]:
/// loss += strength / N * sum_j (max(0, low - z_j)^2 + max(0, z_j - high)^2).
struct ActivityRegulariser {
  double strength = 0.0;
  double low = 0.0;
  double high = 1.0;
};

/// Against neurons that spike many times in one sample: with n_bj the spikes of neuron j in sample b,
/// loss += strength * epoch_factor^epoch * mean over b and j of n_bj^4. Epochs count from 0.
struct BurstRegulariser {
  double strength = 0.0;
  double epoch_factor = 1.0;  ///< above 0, at most 1
};

struct Layer {
  std::string name;
  NeuronKind neuron = NeuronKind::lif;
  std::uint32_t size = 0;  ///< neurons; convolution: 0, it follows from the input's shape
  Connection input;
  std::optional<Connection> recurrent;  ///< dense or sparse; acts one step later (plus its delays)
  bool bias = false;
  Decay membrane;                                 ///< alpha
  Decay synapse = {0.8, 0.8, false, false};       ///< kappa, synaptic_lif only
  Decay adaptation = {0.99, 0.99, false, false};  ///< rho, adaptive_lif only
  double adaptation_strength = 0.1;               ///< beta, in units of the threshold per spike
  double threshold = 1.0;                         ///< theta > 0
  double capacitance = 1.0;  ///< C > 0; 1 / (1 - alpha) gives u = alpha u + (1 - alpha) I
  Reset reset = Reset::to_zero;
  Surrogate surrogate = Surrogate::superspike;
  double surrogate_steepness = 10.0;  ///< beta > 0
  double surrogate_height = 1.0;      ///< > 0; of the derivative at the threshold
  std::uint32_t refractory = 0;       ///< steps from a spike to the next at least; u runs on meanwhile
  /// Capacity of a list (one sample, one step): this fraction of the neurons, (0, 1].
  double max_activity = 1.0;
  /// Scale the initial weights until this fraction spikes in a step, [0, 1); 0: do not.
  double initial_activity = 0.0;
  double initial_gain = 1.0;  ///< weights ~ N(0, gain / sqrt(inputs)) before that
  ActivityRegulariser regulariser;
  BurstRegulariser bursts;  ///< layers that spike, but not the output; sparse and reference strategies
  /// loss += weight_penalty * mean of w^4, of the weights of each of the layer's connections; not for connections
  /// that rewire.
  double weight_penalty = 0.0;
  bool on_substrate = true;  ///< whether the layer runs on the substrate where the options have one
  /// On a substrate with whole weights: what the largest of them stands for, > 0; 0: in every batch the largest weight
  /// of the connection.
  double weight_limit = 0.0;
  /// Beginning of the roll-off towards weight_limit, in weight_limits, 0 .. 1; 1: none, a hard limit.
  double weight_roll_off = 1.0;
  SourceLocation where;  ///< for messages
};

/// The second threshold: neurons with theta_grad < u pass gradients. It approaches `target` after
/// every batch: theta_grad += rate * (target - theta_grad). rate = 0 keeps `start`. In units of u;
/// relative to theta (adaptive: the current threshold): listed if u > theta_grad / theta *
/// threshold.
struct SecondThreshold {
  double start = -100.0;
  double target = 0.9;
  double rate = 0.5;
};

struct Network {
  std::string name;
  Shape input;
  std::uint32_t steps = 0;  ///< of a sample, 1 .. 65,536
  double dt_ms = 1.0;
  std::uint32_t classes = 0;  ///< the last layer has this many neurons
  std::vector<Layer> layers;  ///< the last one is the output: a readout, or a spiking layer
};

enum class LossKind {
  cross_entropy,
  cross_entropy_per_step,
  spike_count,
  mean_squared_error,
  squared_error_per_step
};
/// How the readout's trace becomes one number per class (logits; also what the prediction
/// compares).
enum class Reduction { sum, mean, last, max };

///   cross_entropy           of softmax over the reduced readout
///   cross_entropy_per_step  mean over steps of the cross-entropy of softmax(u[t]);
///                           prediction by majority vote
///   spike_count             spiking output: mean over classes of (spikes / steps - target)^2,
///                           target `count_true` for the label's neuron, `count_false` for others
///   mean_squared_error      mean over classes of (reduced readout - one-hot)^2
///   squared_error_per_step  1/2 sum over steps and outputs of (u[t] - target[t])^2, the target from the data, or one-hot.
///                           Prediction: majority vote; with targets from the data a sample is right when its error
///                           is at most a tenth of 1/2 sum target^2
/// All are means over the samples of a batch.
struct Loss {
  LossKind kind = LossKind::cross_entropy;
  Reduction reduction = Reduction::sum;
  double scale = 1.0;  ///< cross_entropy: the reduced readout times this, > 0, goes into the softmax
  /// cross_entropy: loss += this times the mean over samples and classes of (log of the softmax)^4. It keeps the
  /// readout small.
  double log_probability_penalty = 0.0;
  double count_true = 0.8;
  double count_false = 0.05;
  std::uint32_t window = 0;  ///< the losses per step: the last so many steps of a sample; 0: all
};

enum class OptimizerKind { adamw, sgd };
enum class ScheduleKind { constant, cosine, step };

struct Optimizer {
  OptimizerKind kind = OptimizerKind::adamw;
  double learning_rate = 1e-3;
  double weight_decay = 0.0;  ///< decoupled (adamw), weights only; L2 for sgd
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double momentum = 0.9;   ///< sgd
  double clip_norm = 0.0;  ///< global norm of all gradients; 0: no clipping
  ScheduleKind schedule = ScheduleKind::constant;
  std::uint32_t warmup_batches = 0;  ///< learning rate rises linearly over these
  double final_fraction = 0.0;       ///< cosine: of the learning rate at the end
  std::uint32_t step_epochs = 10;    ///< step: every so many epochs ...
  double step_factor = 0.5;          ///< ... the rate is multiplied by this
};

enum class Strategy {
  automatic,  ///< sparse or dense, by the listed fraction of the first batch
  sparse,     ///< compressed spike lists on tiles
  dense,      ///< blocked dense matrices and BLAS
  reference   ///< plain loops in float64: the oracle, slow
};

/// What the ranks of a training share. The choice changes no bit of the weights.
enum class Parallel {
  automatic,  ///< the samples, unless parameters with gradients and optimiser state take more than half of the memory
              ///< of a rank and the layers can be shared
  data,       ///< the samples of a batch; every rank has all weights
  model       ///< the tiles of every layer: a rank has the weights, gradients and optimiser state of its own tiles, and
              ///< only spike lists and what flows back to their entries travel
};

struct Options {
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: one per core this process may use
  Strategy strategy = Strategy::automatic;
  std::uint32_t batch = 48;
  std::uint32_t epochs = 10;
  Loss loss;
  Optimizer optimizer;
  SecondThreshold second_threshold;
  /// Learns by e-prop instead of back-propagation through time: sparse strategy, losses per step, lif and adaptive_lif
  /// layers that subtract at a reset. Exact where the second threshold lists whoever has a derivative, as 0 does with
  /// the triangular surrogate and steepness 1 / theta.
  std::optional<Eprop> eprop;
  /// Of the training samples, held out, for choosing the best epoch; 0: none, and the training
  /// accuracy chooses.
  double validation_fraction = 0.1;
  std::uint32_t patience = 0;  ///< stop after so many epochs that were not better; 0: never
  /// Parts of a batch whose gradients are computed for themselves and then added in an order that depends on
  /// this number alone, 1 to 4096: so many ranks can share a training at most (its layers: four at least). Regularisers
  /// see a slice. The tiles of a layer make parts, too, which ranks share with Parallel::model: as many as slices, at
  /// least four, as far as there are tiles.
  std::uint32_t slices = 1;
  /// model: sparse strategy, layers that are dense or sparse, recurrent or not, neither pooled nor rewired. A Trainer's
  /// options() say what was chosen.
  Parallel parallel = Parallel::automatic;
  /// The ranks that train the network together, each on some slices; null: this process
  /// alone. The weights do not depend on their number. All ranks give the same network, options and data
  /// (threads may differ), and call train(), evaluate() and fit() in the same order.
  std::shared_ptr<Communicator> communicator;
  /// The emulated chip through which the network is trained and evaluated; null: none. Sparse strategy, one process.
  std::shared_ptr<const Substrate> substrate;
};

/// All problems of a network and its options at once; empty when there are none.
[[nodiscard]] std::vector<Problem> validate(const Network& network, const Options& options);
/// Shape of every layer (convolutions resolved). The network must be valid.
[[nodiscard]] std::vector<Shape> layer_shapes(const Network& network);

/// One parameter array as users see it: `weight` [sources, targets] (convolution: [channels,
/// kernel, kernel, filters]; sparse: [synapses], in the order of sources, then delays, then
/// targets; a connection that rewires: by sources, then targets, and `weight_indices` [synapses, 3] beside it:
/// source (after pooling), target, delay), `bias` [targets], `membrane_logit`, `synapse_logit`, `adaptation_logit` [1 or
/// targets]. Names are "<layer>.weight", "<layer>.recurrent_weight", "<layer>.bias",
/// "<layer>.membrane_logit", ...
struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::vector<float> values;
};

/// Of a batch, or of all samples of an epoch or an evaluation: the batch size does not matter.
struct LayerActivity {
  std::string name;
  std::uint64_t spikes = 0;
  std::uint64_t listed = 0;          ///< spikes and gradient-only entries
  std::uint64_t dropped_spikes = 0;  ///< that did not fit the list's capacity
  std::uint64_t dropped_gradients = 0;
  std::uint64_t neuron_steps = 0;    ///< neurons x samples x steps
  std::uint32_t silent_neurons = 0;  ///< neurons that did not spike in any of these samples
};

/// Events over a link to or from a part of a network on a substrate.
struct LinkActivity {
  std::string name;  ///< "hidden -> output[0:10]", "hidden[0:64] ->"
  std::uint64_t events = 0;
  std::uint64_t dropped = 0;  ///< more in one tick of the chip's clock than the link takes
  std::uint64_t late = 0;     ///< whose tick comes after the end of the sample
};

/// What the parts of a network on a substrate take, in bytes of the emulation: weights, states and recorded events of
/// what exists at one time (the largest part; with several chips, the largest round) and of all of them together.
struct SubstrateUse {
  std::uint64_t largest_part = 0;
  std::uint64_t all_parts = 0;
  std::uint32_t parts = 0;
};

struct BatchResult {
  double loss = 0.0;  ///< mean over samples, without regularisers
  std::uint32_t samples = 0;
  std::uint32_t correct = 0;
  std::vector<std::int32_t> prediction;
  std::vector<LayerActivity> layers;  ///< spiking layers only
  /// Spikes of every neuron of these layers in this batch.
  std::vector<std::vector<std::uint32_t>> neuron_spikes;
  /// Of the connections that rewire; empty when none does, and where nothing is updated.
  std::vector<RewiringCounts> rewiring;
  double rewiring_seconds = 0.0;
  std::vector<LinkActivity> links;  ///< on a substrate
};

/// A loss or a gradient that stopped being a finite number.
class DivergedError : public RunError {
 public:
  DivergedError(const std::string& sentence, std::string which_layer)
      : RunError(sentence), layer(std::move(which_layer)) {}
  std::string layer;
};

/// Samples begin .. end of a batch.
struct SampleRange {
  std::uint32_t begin = 0, end = 0;
};

/// Weights, optimiser state and the three passes. Same seed: same weights for any number of
/// threads.
class Trainer {
 public:
  /// Throws InputError when validate() finds problems.
  Trainer(const Network& network, const Options& options);
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  /// Scales initial weights layer by layer until `initial_activity` is met (within 10 %, at most 20
  /// rounds); layers with initial_activity = 0 are left alone.
  void initialise_activity(const SpikeBatch& batch);
  /// Forward, backward, update. `learning_rate_scale` comes from the schedule.
  BatchResult train(const SpikeBatch& batch, double learning_rate_scale = 1.0);
  /// Those samples of a batch of `samples` that this rank trains on; alone, all of them.
  [[nodiscard]] SampleRange share(std::uint32_t samples) const;
  /// The same as train() of a batch of `samples`, of which this rank gives only those of share(), perhaps none.
  /// With Strategy::automatic the first batch has to be whole, as the choice needs all of it.
  BatchResult train_share(const SpikeBatch& own, std::uint32_t samples, double learning_rate_scale = 1.0);
  /// Forward only.
  BatchResult evaluate(const SpikeBatch& batch);
  /// Forward and backward without update: gradients of every parameter, for tests and inspection.
  BatchResult gradients(const SpikeBatch& batch, std::vector<Tensor>& gradients);
  /// The same for a loss that somebody else has: `derivative` is its derivative with respect to output(), [steps, samples,
  /// classes], and what regularisers add comes to it. Labels and targets of the batch mean nothing; the result has no loss
  /// and no predictions. Throws InputError with e-prop, on a substrate, over ranks, and for values that are not finite.
  BatchResult gradients(const SpikeBatch& batch, std::span<const float> derivative, std::vector<Tensor>& gradients);
  /// Output trace of the last evaluate(): [steps, samples, classes] (spiking output: 0 or 1).
  [[nodiscard]] std::vector<float> output() const;
  /// Spikes of a layer for one sample of the last evaluate(): (step, neuron), ascending.
  [[nodiscard]] std::vector<std::array<std::uint32_t, 2>> spikes(std::size_t layer,
                                                                 std::uint32_t sample) const;

  /// Over ranks that share layers (Parallel::model): on rank 0 after gather_state(); else weights of other ranks
  /// are 0.
  [[nodiscard]] std::vector<Tensor> parameters() const;
  /// Throws InputError naming both shapes when they do not match, or for a value that is not
  /// finite.
  void set_parameters(const std::vector<Tensor>& parameters);
  /// Optimiser state, theta_grad and batch counter: with the parameters, all that exact resume
  /// needs. Over ranks: after gather_state().
  [[nodiscard]] std::vector<Tensor> state() const;
  void set_state(const std::vector<Tensor>& state);
  /// How many batches the whole training has, for rules of rewiring and regularisers whose pace follows from it; 0:
  /// not known (and then every batch is one of the first epoch). fit() says it.
  void plan_batches(std::uint64_t batches) noexcept;
  /// Over ranks, each keeps the state of some parameters: gives all of it to all of them. Called by all;
  /// fit() does so after every epoch. Over ranks that share layers rank 0 gets all parameters, too, and the others
  /// get nothing.
  void gather_state();
  /// set_parameters() where only rank 0 has them: the others give nothing. Called by all.
  void spread_parameters(const std::vector<Tensor>& on_first);
  /// The name of a parameter of this rank with a value that is not a finite number; empty: there is none.
  [[nodiscard]] std::string not_finite() const;

  /// On a substrate: measures on the emulated chip, for every layer there, by how much its post-synaptic potentials
  /// differ from those of the model, and scales the weights on their way to the chip accordingly. What was measured
  /// belongs to the state. Returns the factors, layer by layer (1 for those that are not on the substrate); empty
  /// without a substrate.
  std::vector<double> calibrate();
  [[nodiscard]] SubstrateUse substrate_use() const;  ///< of the last batch

  [[nodiscard]] double theta_grad() const noexcept;
  void set_theta_grad(double value);                        ///< -infinity: every neuron is listed
  [[nodiscard]] Strategy strategy() const noexcept;         ///< after `automatic` was resolved
  /// Why `automatic` stayed sparse although so much is listed that dense would be faster, as a
  /// sentence; empty when there is nothing to say.
  [[nodiscard]] const std::string& strategy_note() const noexcept;
  [[nodiscard]] std::uint64_t list_bytes() const noexcept;  ///< stored over time in the last batch
  [[nodiscard]] const Network& network() const noexcept;
  [[nodiscard]] const Options& options() const noexcept;

 private:
  void check_parameters(const std::vector<Tensor>& parameters) const;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One line of the metrics: an epoch.
struct EpochMetrics {
  std::uint32_t epoch = 0;
  double loss = 0.0;      ///< of the training samples, while the weights change
  double accuracy = 0.0;  ///< of the training samples, 0 .. 1
  /// Of the held-out samples after the epoch; NaN when none are held out.
  double validation_loss = std::numeric_limits<double>::quiet_NaN();
  double validation_accuracy = std::numeric_limits<double>::quiet_NaN();
  double learning_rate = 0.0;  ///< of the last batch
  double theta_grad = 0.0;
  double seconds = 0.0;
  double samples_per_second = 0.0;
  std::vector<LayerActivity> layers;  ///< of the training batches
  std::vector<RewiringCounts> rewiring;  ///< of the training batches, for connections that rewire
  double rewiring_seconds = 0.0;         ///< of `seconds`
  std::vector<LinkActivity> links;       ///< on a substrate, of the training batches
  /// Whether validation was measured. If not, the training accuracy chooses the best epoch.
  [[nodiscard]] bool validated() const { return validation_accuracy == validation_accuracy; }
};

struct TrainingProgress {
  std::uint32_t epoch = 0, epochs = 0;
  std::uint64_t batch = 0, batches = 0;
  double loss = 0.0, accuracy = 0.0;  ///< running means of this epoch
  double samples_per_second = 0.0;
  double seconds_left = 0.0;          ///< of the whole training
  std::vector<LayerActivity> layers;  ///< of the last batch
  std::vector<RewiringCounts> rewiring;  ///< of this epoch so far
};

/// Events of fit(), on the calling thread.
class FitObserver {
 public:
  virtual ~FitObserver() = default;
  virtual void on_batch(const TrainingProgress&) {}
  /// `best` is true when the validation accuracy (then loss) is the best so far; without held-out
  /// samples, the training accuracy.
  virtual void on_epoch(const EpochMetrics&, bool /*best*/, const Trainer&) {}
  /// A layer that is silent, half dead, saturated or drops entries, classes without samples: a
  /// sentence with advice.
  virtual void on_warning(const std::string&) {}
  /// Asked after every batch: true ends the training (the epoch is not counted). Over ranks, those of all
  /// ranks are asked; nothing else is told to any but that of rank 0.
  [[nodiscard]] virtual bool stop_requested() { return false; }
};

struct EvaluationResult {
  double loss = 0.0;
  double accuracy = 0.0;
  std::vector<std::vector<std::uint64_t>> confusion;  ///< [label][prediction]
  std::vector<LayerActivity> layers;
  std::vector<LinkActivity> links;  ///< on a substrate
};

struct FitResult {
  std::vector<EpochMetrics> epochs;
  std::uint32_t best_epoch = 0;
  /// NaN without held-out samples.
  double best_validation_accuracy = std::numeric_limits<double>::quiet_NaN();
  std::vector<Tensor> best_parameters;
  std::uint64_t list_bytes = 0;  ///< stored over time, in the batch that listed the most
  bool stopped_early = false;    ///< patience ran out
  bool interrupted = false;      ///< stop_requested()
};

/// Epochs over the training samples, shuffled by seed and epoch, until options.epochs are done.
/// `finished` are the metrics of the epochs before an interruption (the trainer then has the
/// parameters and the state saved after the last of them): the result is that of an uninterrupted
/// run. The held-out validation samples depend on the seed and the labels alone. best_parameters is
/// empty when the best epoch is among the finished ones. Throws DivergedError with epoch, batch and
/// layer, InputError for data that does not fit the network or has no samples.
FitResult fit(Trainer& trainer, const SpikeDataset& training, FitObserver& observer,
              std::vector<EpochMetrics> finished = {});
/// Every sample once. Called by all ranks that share layers; else the ranks are not asked. Throws InputError for data that does not fit the network, or that has no
/// sample: there is no accuracy of nothing.
[[nodiscard]] EvaluationResult evaluate(Trainer& trainer, const SpikeDataset& data,
                                        FitObserver& observer);

[[nodiscard]] std::string to_string(NeuronKind kind);
[[nodiscard]] std::string to_string(Surrogate kind);
[[nodiscard]] std::string to_string(LossKind kind);
[[nodiscard]] std::string to_string(Reduction kind);
[[nodiscard]] std::string to_string(Strategy strategy);
[[nodiscard]] std::string to_string(Parallel parallel);

}  // namespace tessera::training
