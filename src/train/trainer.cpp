// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/process_limits.hpp"
#include "tessera/substrate.hpp"
#include "train/engine.hpp"
#include "train/parallel_choice.hpp"
#include "train/optimizer.hpp"
#include "train/parameters.hpp"
#include "train/rewirer.hpp"
#include "train/shared_parameters.hpp"
#include "train/sliced_training.hpp"

namespace tessera::training {
namespace {

// Above this fraction of listed neurons blocked dense matrices are faster (docs/performance.md).
constexpr double kDenseAbove = 0.4;

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// A batch straight from a caller: the engines index with its numbers without looking again.
void check_batch(const Network& network, const SpikeBatch& batch, bool empty_is_good = false) {
  std::vector<Problem> problems;
  const auto expect = [&](bool good, const std::string& sentence) {
    if (!good) problems.push_back({{}, sentence});
    return good;
  };
  const std::uint64_t lists = std::uint64_t{batch.samples} * batch.steps;
  expect(batch.samples > 0 || empty_is_good, "The batch has no samples.");
  expect(
      batch.steps == network.steps,
      fmt::format("The batch has {} steps, but the network has {}.", batch.steps, network.steps));
  expect(batch.channels == network.input.size(),
         fmt::format("The batch has {} channels, but the network has {} inputs.", batch.channels,
                     network.input.size()));
  expect(batch.label.size() == batch.samples,
         fmt::format("The batch has {} labels for {} samples.", batch.label.size(), batch.samples));
  const auto label = std::find_if(batch.label.begin(), batch.label.end(), [&](std::int32_t l) {
    return l < 0 || static_cast<std::uint32_t>(l) >= network.classes;
  });
  if (label != batch.label.end()) {
    expect(false, fmt::format("Sample {} of the batch has the label {}; labels are 0 to {}.",
                              label - batch.label.begin(), *label, network.classes - 1));
  }
  const std::vector<std::uint32_t>& first = batch.first;
  if (expect(first.size() == lists + 1,
             fmt::format("The batch has {} offsets (`first`); {} samples of {} steps need {}.",
                         first.size(), batch.samples, batch.steps, lists + 1))) {
    expect(first.front() == 0 && first.back() == batch.channel.size() &&
               std::is_sorted(first.begin(), first.end()),
           fmt::format("The offsets of the batch (`first`) do not rise from 0 to its {} spikes.",
                       batch.channel.size()));
  }
  const std::size_t targets = lists * network.classes;
  expect(batch.target.empty() || batch.target.size() == targets,
         fmt::format("The batch has {} targets; {} samples of {} steps and {} classes need {}, or none.",
                     batch.target.size(), batch.samples, batch.steps, network.classes, targets));
  const auto channel = std::find_if(batch.channel.begin(), batch.channel.end(),
                                    [&](std::uint32_t c) { return c >= batch.channels; });
  if (channel != batch.channel.end()) {
    expect(false, fmt::format("The batch has a spike of channel {}, but {} channels.", *channel,
                              batch.channels));
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

// A double as the sum of three floats: exact for the range of a membrane potential.
std::vector<float> in_floats(double x) {
  std::vector<float> parts(3, 0.0f);
  for (float& part : parts) {
    part = static_cast<float>(x);
    if (std::isinf(part)) break;
    x -= part;
  }
  return parts;
}

// 64 bits in three floats, each of which is exact.
std::vector<float> in_pieces(std::uint64_t bits) {
  return {static_cast<float>(bits >> 44), static_cast<float>(bits >> 22 & 0x3fffff), static_cast<float>(bits & 0x3fffff)};
}

double from_floats(const std::vector<float>& parts) {
  double x = 0.0;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) x += *part;
  return x;
}

double listed_fraction(const BatchResult& result) {
  double listed = 0.0, possible = 0.0;
  for (const LayerActivity& layer : result.layers) {
    listed += static_cast<double>(layer.listed);
    possible += static_cast<double>(layer.neuron_steps);
  }
  return possible > 0.0 ? listed / possible : 0.0;
}

ShareRule share_rule(const Options& options) {
  if (options.parallel != Parallel::model) return {options.slices};
  const Agreement ranks(options.communicator);
  return {options.slices, true, ranks.rank(), ranks.size()};
}

int workers_of(const Options& options) {
  return options.threads > 0 ? options.threads : process_limits().threads();
}

}  // namespace

void throw_diverged(double loss, const Network& network,
                    const std::vector<ParameterArray*>& arrays) {
  std::string layer = network.layers.back().name;
  for (const ParameterArray* array : arrays) {
    const bool finite = std::all_of(array->value.data(), array->value.data() + array->value.size(),
                                    [](float x) { return std::isfinite(x); });
    if (finite) continue;
    layer = array->name.substr(0, array->name.rfind('.'));
    break;
  }
  throw DivergedError(
      fmt::format("The loss became {} in layer '{}'. Try a smaller learning rate, gradient "
                  "clipping or a longer warm-up.",
                  loss, layer),
      layer);
}

struct Trainer::Impl {
  Impl(const Network& its_network, const Options& its_options)
      : network(its_network),
        options(its_options),
        topology(resolve(network, options.seed, share_rule(options))),
        crew(workers_of(options)),
        updater(options.optimizer),
        ranks(options.communicator),
        sliced(ranks, options.slices, result_like()),
        shared(ranks),
        theta_grad(options.second_threshold.start) {
    use(options.strategy == Strategy::automatic ? Strategy::sparse : options.strategy);
    if (shares_layers()) {
      assign_initial(network, topology, options.seed, engine->arrays());
      engine->parameters_changed();
    } else {
      assign(initial_parameters(network, topology, options.seed));
    }
    for (LayerTopology& layer : topology) {  // the engine keeps what was drawn
      if (layer.input.rewires() || shares_layers()) layer.input.forget_synapses();
      if (layer.recurrent && layer.recurrent->rewires()) layer.recurrent->forget_synapses();
    }
  }

  [[nodiscard]] bool shares_layers() const { return options.parallel == Parallel::model; }

  [[nodiscard]] BatchResult result_like() const {
    BatchResult like;
    for (std::size_t k = 0; k < network.layers.size(); ++k) {
      if (network.layers[k].neuron == NeuronKind::readout) continue;
      like.layers.push_back({});
      like.layers.back().name = network.layers[k].name;
      like.neuron_spikes.emplace_back(topology[k].neurons);
    }
    return like;
  }

  // `batch`: all of its samples, or those of this rank.
  BatchResult train(const SpikeBatch& batch, std::uint32_t samples, double rate_factor) {
    set_moment(true);
    if (!chosen) choose(batch);
    forget_gathered();
    BatchResult result = rewirer.active() ? train_rewiring(batch, samples, rate_factor) : update(batch, samples, rate_factor);
    engine->parameters_changed();
    anneal();
    return result;
  }

  BatchResult train_rewiring(const SpikeBatch& batch, std::uint32_t samples, double rate_factor) {
    const std::uint64_t n = updater.batches();
    const Rewirer::Moment moment{n, planned_batches, options.optimizer.learning_rate * rate_factor};
    if (rewirer.before_batch(moment)) resized();
    BatchResult result = update(batch, samples, rate_factor);
    if (rewirer.due(n)) {  // every rank keeps the optimiser's state of some synapses only
      sliced.gather_state(updater);
      if (rewirer.wants_gradients(n)) sliced.gather_gradients(updater);
    }
    if (rewirer.after_batch(moment, result)) resized();
    return result;
  }

  void resized() {
    updater.attach(engine->arrays());
    sliced.arrays_resized();
  }

  BatchResult update(const SpikeBatch& batch, std::uint32_t samples, double rate_factor) {
    const std::vector<ParameterArray*> arrays = engine->arrays();
    if (options.slices > 1 && !shares_layers())
      return sliced.train(*engine, crew, updater, batch, samples, theta_grad, rate_factor);
    const auto finish = [&](Worker& worker) {
      shares_layers() ? shared.update(worker, updater, arrays, rate_factor) : updater.update(worker, arrays, rate_factor);
    };
    if (options.slices > 1) return sliced.train_all(*engine, crew, updater, batch, theta_grad, finish);
    return engine->run(crew, batch, theta_grad, true, finish);
  }

  void use(Strategy wanted) {
    if (wanted == Strategy::dense) {
      engine = make_dense_engine(network, options.loss, topology, crew.size());
    } else if (wanted == Strategy::reference) {
      engine = make_reference_engine(network, options.loss, topology);
    } else {
      engine = make_sparse_engine(network, options.loss, topology, ranks, options.eprop, options.seed, options.substrate);
    }
    strategy = wanted;
    penalise_weights();
    updater.attach(engine->arrays());
    rewirer.attach(engine->arrays());
  }

  void penalise_weights() {
    for (const Layer& layer : network.layers) {
      for (ParameterArray* array : engine->arrays()) {
        const bool weights = array->name == layer.name + ".weight" || array->name == layer.name + ".recurrent_weight";
        if (weights && layer.weight_penalty > 0.0)
          array->cubic = static_cast<float>(4.0 * layer.weight_penalty / static_cast<double>(array->elements));
      }
    }
  }

  // Batches are trained; looks at the network between two of them have numbers of their own.
  void set_moment(bool trains) {
    looks = trains ? 0 : looks + 1;
    const std::uint64_t n = updater.batches();
    const auto epoch = planned_batches > 0 ? static_cast<std::uint32_t>(n * options.epochs / planned_batches) : 0;
    engine->set_moment({n, looks, epoch});
  }

  // The first batch decides: a function of its activity alone, so that results stay reproducible.
  void choose(const SpikeBatch& batch) {
    const bool stays_sparse = shares_layers() || options.eprop || options.substrate != nullptr;
    if (options.strategy == Strategy::automatic && !stays_sparse && dense_network_obstacle(network).empty())
      measure(batch);
    chosen = true;
  }

  void measure(const SpikeBatch& batch) {
    // While theta_grad is annealed everything may be listed: what counts is where it goes.
    const SecondThreshold& second = options.second_threshold;
    const BatchResult result =
        engine->run(crew, batch, second.rate > 0.0 ? second.target : theta_grad, true, {});
    if (listed_fraction(result) <= kDenseAbove) return;
    if (std::string obstacle = obstacle_on_any_rank(); !obstacle.empty()) {
      strategy_note = "The sparse strategy is used, although the dense one would be faster: " + obstacle;
      return;
    }
    const std::vector<Tensor> parameters = export_all("");
    use(Strategy::dense);
    assign(parameters);
  }

  // All ranks have measured the same, but OpenBLAS may be missing on one of them.
  [[nodiscard]] std::string obstacle_on_any_rank() const {
    std::string here = dense_obstacle(network, crew.size());
    std::uint64_t any = here.empty() ? 0 : 1;
    ranks.most({&any, 1});
    return any > 0 && here.empty() ? "another rank cannot run it." : here;
  }

  // Rank 0 gets what all have of parameters and state.
  void gather_all() {
    forget_gathered();
    std::vector<Tensor> values, first, second;
    for (const ParameterArray* array : engine->arrays()) {
      const bool state = array->trainable && (updater.has_first() || updater.has_second());
      values.push_back(shared.gather(*array, &ParameterArray::value, ""));
      if (state && updater.has_first()) first.push_back(shared.gather(*array, &ParameterArray::first, ".first"));
      if (state && updater.has_second()) second.push_back(shared.gather(*array, &ParameterArray::second, ".second"));
    }
    if (!ranks.first()) return;
    gathered = {std::move(values), std::move(first), std::move(second)};
  }
  void forget_gathered() { gathered = {}; }

  std::vector<Tensor> export_all(const std::string& which) const {
    if (!gathered.values.empty() && which != ".gradient")
      return which == ".first" ? gathered.first : which == ".second" ? gathered.second : gathered.values;
    std::vector<Tensor> tensors;
    for (ParameterArray* array : engine->arrays()) {
      const AlignedArray<float>& values = which == ".first"      ? array->first
                                          : which == ".second"   ? array->second
                                          : which == ".gradient" ? array->gradient
                                                                 : array->value;
      // A state that the optimiser has is there on a rank without tiles, too.
      const bool has = which == ".first"    ? array->trainable && updater.has_first()
                       : which == ".second" ? array->trainable && updater.has_second()
                                            : true;
      if (has) tensors.push_back(array->tensor(values, which == ".gradient" ? "" : which));
      if (array->store && which.empty()) tensors.push_back(array->store->indices(array->name + "_indices"));
    }
    return tensors;
  }

  void assign(const std::vector<Tensor>& tensors) {
    const auto named = [&](const std::string& name) {
      return std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.name == name; });
    };
    for (ParameterArray* array : engine->arrays()) {
      const auto found = named(array->name);
      if (found == tensors.end()) continue;
      if (array->store) {
        array->store->assign(*array, *named(array->name + "_indices"), found->values);
      } else {
        array->assign(array->value, found->values);
      }
    }
    if (rewirer.active()) resized();
    engine->parameters_changed();
  }

  void anneal() {
    const SecondThreshold& s = options.second_threshold;
    if (s.rate > 0.0) theta_grad += s.rate * (s.target - theta_grad);
  }

  Network network;
  Options options;
  std::vector<LayerTopology> topology;
  Crew crew;
  Updater updater;
  Agreement ranks;
  SlicedTraining sliced;
  SharedParameters shared;
  struct Gathered {
    std::vector<Tensor> values, first, second;
  };
  Gathered gathered;  ///< on rank 0, of all ranks that share layers; empty when something has changed since
  double theta_grad;
  Rewirer rewirer;
  std::uint64_t planned_batches = 0;
  std::uint32_t looks = 0;  ///< at the network since the last batch that was trained
  std::unique_ptr<Engine> engine;
  Strategy strategy = Strategy::sparse;
  bool chosen = false;
  std::string strategy_note;  // of choose()
};

Trainer::Trainer(const Network& network, const Options& options) {
  std::vector<Problem> problems = validate(network, options);
  if (options.strategy == Strategy::dense && problems.empty()) {
    const std::string obstacle = dense_obstacle(network, workers_of(options));
    if (!obstacle.empty()) problems.push_back({{}, obstacle});
  }
  if (!problems.empty()) throw InputError(std::move(problems));
  impl_ = std::make_unique<Impl>(network, with_parallel_chosen(network, options));
}

Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

BatchResult Trainer::train(const SpikeBatch& batch, double learning_rate_scale) {
  check_batch(impl_->network, batch);
  return impl_->train(batch, batch.samples, learning_rate_scale);
}

SampleRange Trainer::share(std::uint32_t samples) const {
  return impl_->shares_layers() ? SampleRange{0, samples} : impl_->sliced.share(samples);
}

BatchResult Trainer::train_share(const SpikeBatch& own, std::uint32_t samples, double learning_rate_scale) {
  check_batch(impl_->network, own, samples > 0);
  const SampleRange expected = share(samples);
  const bool whole_needed = impl_->options.strategy == Strategy::automatic && !impl_->chosen;
  if (own.samples != samples && (whole_needed || own.samples != expected.end - expected.begin)) {
    throw InputError(fmt::format("{} samples of a batch of {} were given; this rank trains on {}{}.", own.samples,
                                 samples, expected.end - expected.begin,
                                 whole_needed ? ", but needs all to choose the strategy" : ""));
  }
  return impl_->train(own, samples, learning_rate_scale);
}

BatchResult Trainer::evaluate(const SpikeBatch& batch) {
  check_batch(impl_->network, batch);
  impl_->set_moment(false);
  return impl_->engine->run(impl_->crew, batch, impl_->theta_grad, false, {});
}

BatchResult Trainer::gradients(const SpikeBatch& batch, std::vector<Tensor>& gradients) {
  check_batch(impl_->network, batch);
  impl_->set_moment(true);
  BatchResult result = impl_->engine->run(impl_->crew, batch, impl_->theta_grad, true, {});
  gradients = impl_->export_all(".gradient");
  return result;
}

BatchResult Trainer::gradients(const SpikeBatch& batch, std::span<const float> derivative, std::vector<Tensor>& gradients) {
  check_batch(impl_->network, batch);
  const Options& o = impl_->options;
  if (o.eprop || o.substrate != nullptr || !impl_->ranks.alone()) {
    throw InputError("The gradient of a loss from outside needs back-propagation on one process: no e-prop, no substrate, no ranks.");
  }
  const std::size_t wanted = std::size_t{batch.steps} * batch.samples * impl_->network.classes;
  if (derivative.size() != wanted) {
    throw InputError(fmt::format("The derivative of the output has {} values; {} steps of {} samples and {} classes have {}.", derivative.size(),
                                 batch.steps, batch.samples, impl_->network.classes, wanted));
  }
  if (!std::all_of(derivative.begin(), derivative.end(), [](float x) { return std::isfinite(x); })) {
    throw InputError("The derivative of the output has a value that is not a finite number.");
  }
  struct Given {  // for this run only
    Engine& engine;
    ~Given() { engine.set_output_derivative({}); }
  } given{*impl_->engine};
  given.engine.set_output_derivative(derivative);
  BatchResult result = this->gradients(batch, gradients);
  result.loss = 0.0;
  result.correct = 0;
  result.prediction.clear();
  return result;
}

void Trainer::initialise_activity(const SpikeBatch& batch) {
  Impl& i = *impl_;
  std::size_t spiking = 0;
  for (const Layer& layer : i.network.layers) {
    if (layer.neuron == NeuronKind::readout) continue;
    const std::size_t index = spiking++;
    if (layer.initial_activity <= 0.0) continue;
    double low = 0.0, high = std::numeric_limits<double>::infinity(), factor = 1.0;
    for (int round = 0; round < 20; ++round) {
      const LayerActivity activity = evaluate(batch).layers[index];
      const double fraction =
          static_cast<double>(activity.spikes) / static_cast<double>(activity.neuron_steps);
      if (std::abs(fraction - layer.initial_activity) <= 0.1 * layer.initial_activity) break;
      (fraction < layer.initial_activity ? low : high) = factor;
      const double next = std::isinf(high) ? 2.0 * factor
                          : low == 0.0     ? factor / 2.0
                                           : std::sqrt(low * high);
      for (ParameterArray* array : i.engine->arrays()) {
        const bool weights = array->name == layer.name + ".weight" ||
                             array->name == layer.name + ".recurrent_weight";
        for (float& w : array->value) {
          if (weights) w *= static_cast<float>(next / factor);
        }
      }
      i.engine->parameters_changed();
      factor = next;
    }
  }
}

std::vector<float> Trainer::output() const { return impl_->engine->output(); }
std::vector<std::array<std::uint32_t, 2>> Trainer::spikes(std::size_t layer,
                                                          std::uint32_t sample) const {
  return impl_->engine->spikes(layer, sample);
}

void Trainer::gather_state() {
  impl_->shares_layers() && !impl_->ranks.alone() ? impl_->gather_all() : impl_->sliced.gather_state(impl_->updater);
}

void Trainer::spread_parameters(const std::vector<Tensor>& on_first) {
  Impl& i = *impl_;
  i.forget_gathered();
  if (!i.shares_layers() || i.ranks.alone()) return set_parameters(on_first);
  std::exception_ptr failure;
  try {
    if (i.ranks.first()) check_parameters(on_first);
  } catch (...) {
    failure = std::current_exception();
  }
  i.ranks.settle_failures(failure);
  for (ParameterArray* array : i.engine->arrays()) {
    const auto found = std::find_if(on_first.begin(), on_first.end(),
                                    [&](const Tensor& t) { return t.name == array->name; });
    i.shared.spread(i.ranks.first() ? &*found : nullptr, *array);
  }
  i.engine->parameters_changed();
}

std::string Trainer::not_finite() const {
  for (const ParameterArray* array : impl_->engine->arrays()) {
    const float* const values = array->value.data();
    if (!std::all_of(values, values + array->value.size(), [](float x) { return std::isfinite(x); }))
      return array->name;
  }
  return {};
}

std::vector<Tensor> Trainer::parameters() const { return impl_->export_all(""); }

void Trainer::check_parameters(const std::vector<Tensor>& parameters) const {
  std::vector<Problem> problems;
  const std::vector<ParameterArray*> arrays = impl_->engine->arrays();
  const auto complain = [&](const std::string& sentence) { problems.push_back({{}, sentence}); };
  const auto named = [&](const std::string& name) {
    return std::find_if(parameters.begin(), parameters.end(), [&](const Tensor& t) { return t.name == name; });
  };
  // The tensor with the synapses of a connection that rewires; its weights have any number.
  const auto check_indices = [&](const ParameterArray* array, const Tensor& weight) {
    const auto indices = named(array->name + "_indices");
    if (indices == parameters.end()) {
      complain(fmt::format("The parameter '{}_indices' of the network is missing.", array->name));
    } else if (const std::string wrong = array->store->check(*indices); !wrong.empty()) {
      complain(fmt::format("The parameter '{}' {}.", indices->name, wrong));
    } else if (weight.shape != std::vector<std::uint64_t>{indices->shape[0]} ||
               weight.values.size() != indices->shape[0]) {
      complain(fmt::format("The parameter '{}' has the shape {}, but '{}' has {} synapses.", weight.name,
                           shape_text(weight.shape), indices->name, indices->shape[0]));
    }
  };
  for (const ParameterArray* array : arrays) {
    const auto found = named(array->name);
    if (found == parameters.end()) {
      complain(fmt::format("The parameter '{}' of the network is missing.", array->name));
      continue;
    }
    if (array->store) check_indices(array, *found);
    if (!array->store && (found->shape != array->shape || found->values.size() != array->elements)) {
      complain(fmt::format("The parameter '{}' has the shape {}, but the network needs {}.",
                           array->name, shape_text(found->shape), shape_text(array->shape)));
    } else if (!std::all_of(found->values.begin(), found->values.end(),
                            [](float x) { return std::isfinite(x); })) {
      complain(
          fmt::format("The parameter '{}' has a value that is not a finite number.", array->name));
    }
  }
  for (const Tensor& tensor : parameters) {
    const bool known = std::any_of(arrays.begin(), arrays.end(),
                                   [&](const ParameterArray* a) {
                                     return a->name == tensor.name ||
                                            (a->store && a->name + "_indices" == tensor.name);
                                   });
    if (!known) complain(fmt::format("The network has no parameter '{}'.", tensor.name));
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

void Trainer::set_parameters(const std::vector<Tensor>& parameters) {
  check_parameters(parameters);
  impl_->forget_gathered();
  impl_->assign(parameters);
}

std::vector<Tensor> Trainer::state() const {
  std::vector<Tensor> state = impl_->export_all(".first");
  for (Tensor& tensor : impl_->export_all(".second")) state.push_back(std::move(tensor));
  const std::uint64_t n = impl_->updater.batches();  // in two floats, exact up to 2^48
  state.push_back(
      {"training.batches", {2}, {static_cast<float>(n >> 24), static_cast<float>(n & 0xffffff)}});
  const bool dense = impl_->strategy == Strategy::dense;
  state.push_back({"training.chosen", {1}, {!impl_->chosen ? 0.0f : dense ? 2.0f : 1.0f}});
  state.push_back({"training.theta_grad", {3}, in_floats(impl_->theta_grad)});
  if (impl_->options.slices > 1) {
    state.push_back({"training.slices", {1}, {static_cast<float>(impl_->options.slices)}});
  }
  if (std::vector<float> factors = impl_->engine->calibration(); !factors.empty())
    state.push_back({"substrate.weight_factors", {factors.size()}, std::move(factors)});
  if (impl_->options.substrate) state.push_back({"substrate.digest", {3}, in_pieces(digest(*impl_->options.substrate))});
  for (Tensor& tensor : impl_->rewirer.state()) state.push_back(std::move(tensor));
  return state;
}

void Trainer::set_state(const std::vector<Tensor>& state) {
  Impl& i = *impl_;
  const auto find = [&](const std::string& name, std::size_t n) -> const std::vector<float>& {
    for (const Tensor& tensor : state) {
      if (tensor.name == name && tensor.values.size() == n) return tensor.values;
    }
    throw InputError(fmt::format("The training state has no '{}' with {} values.", name, n));
  };
  const auto refuse = [](const std::string& name) {
    throw InputError(fmt::format("The training state has a value of '{}' that cannot be.", name));
  };
  // Everything is looked at before anything changes.
  const float chosen = find("training.chosen", 1)[0];
  if (!(chosen == 0.0f || chosen == 1.0f || chosen == 2.0f)) refuse("training.chosen");
  const std::vector<float>& count = find("training.batches", 2);
  for (const float part : count) {
    if (!(part >= 0.0f && part <= 0x1p24f)) refuse("training.batches");
  }
  const auto slices = std::find_if(state.begin(), state.end(), [](const Tensor& tensor) {
    return tensor.name == "training.slices" && tensor.values.size() == 1;
  });
  const float had = slices == state.end() ? 1.0f : slices->values[0];
  if (had != static_cast<float>(i.options.slices)) {
    throw InputError(fmt::format("The training state was made with slices = {}; with {} the weights would go "
                                 "another way.",
                                 had, i.options.slices));
  }
  if (chosen == 2.0f && i.shares_layers()) {
    throw InputError("The training state was made with the dense strategy, which has no tiles that ranks could share "
                     "(parallel = model); with parallel = data it goes on.");
  }
  const bool on_substrate = std::any_of(state.begin(), state.end(), [](const Tensor& tensor) {
    return tensor.name == "substrate.weight_factors";
  });
  if (on_substrate != (i.options.substrate != nullptr)) {
    throw InputError(on_substrate ? "The training state was made on a substrate; without one the weights would go another "
                                    "way."
                                  : "The training state was made without a substrate; on one the weights would go "
                                    "another way.");
  }
  if (on_substrate) {
    if (find("substrate.digest", 3) != in_pieces(digest(*i.options.substrate))) {
      throw InputError("The training state was made on another substrate (machine, effects, seed of the chip, chips or "
                       "partition); on this one the weights would go another way.");
    }
    for (const float factor : find("substrate.weight_factors", i.network.layers.size())) {
      if (!(factor > 0.0f && std::isfinite(factor))) refuse("substrate.weight_factors");
    }
  }
  const double theta_grad = from_floats(find("training.theta_grad", 3));
  if (std::isnan(theta_grad)) refuse("training.theta_grad");
  for (const ParameterArray* array : i.engine->arrays()) {
    const auto check = [&](const AlignedArray<float>& own, const std::string& suffix, bool square) {
      if (own.size() == 0) return;
      for (const float x : find(array->name + suffix, array->elements)) {
        if (!std::isfinite(x) || (square && x < 0.0f)) refuse(array->name + suffix);
      }
    };
    check(array->first, ".first", false);
    check(array->second, ".second", true);
  }
  i.rewirer.check_state(state);
  if (chosen == 2.0f && i.strategy == Strategy::sparse &&
      i.options.strategy == Strategy::automatic) {
    const std::vector<Tensor> parameters = i.export_all("");
    i.use(Strategy::dense);
    i.assign(parameters);
  }
  if (on_substrate) i.engine->set_calibration(find("substrate.weight_factors", i.network.layers.size()));
  i.forget_gathered();
  i.chosen = chosen != 0.0f;
  if (i.rewirer.active()) {
    i.rewirer.set_state(state);
    i.resized();
  }
  for (ParameterArray* array : i.engine->arrays()) {
    if (array->first.size() > 0)
      array->assign(array->first, find(array->name + ".first", array->elements));
    if (array->second.size() > 0)
      array->assign(array->second, find(array->name + ".second", array->elements));
  }
  i.updater.set_batches(static_cast<std::uint64_t>(count[0]) << 24 |
                        static_cast<std::uint64_t>(count[1]));
  i.theta_grad = theta_grad;
}

void Trainer::plan_batches(std::uint64_t batches) noexcept { impl_->planned_batches = batches; }
std::vector<double> Trainer::calibrate() { return impl_->engine->calibrate(); }
SubstrateUse Trainer::substrate_use() const { return impl_->engine->substrate_use(); }
double Trainer::theta_grad() const noexcept { return impl_->theta_grad; }
void Trainer::set_theta_grad(double value) { impl_->theta_grad = value; }
Strategy Trainer::strategy() const noexcept { return impl_->strategy; }
const std::string& Trainer::strategy_note() const noexcept { return impl_->strategy_note; }
std::uint64_t Trainer::list_bytes() const noexcept { return impl_->engine->bytes_over_time(); }
const Network& Trainer::network() const noexcept { return impl_->network; }
const Options& Trainer::options() const noexcept { return impl_->options; }

}  // namespace tessera::training
