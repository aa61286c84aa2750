// Checks of the options of a training: batch, loss, optimiser, second threshold.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "tessera/communicator.hpp"
#include "train/layer_share.hpp"
#include "train/validate.hpp"

namespace tessera::training::validation {
namespace {

void check_optimizer(const Reporter& report, const Optimizer& o) {
  report.check(above_zero(o.learning_rate), "learning_rate", o.learning_rate,
               "a finite number above 0");
  report.check(from_zero(o.weight_decay), "weight_decay", o.weight_decay, "at least 0");
  report.check(o.beta1 >= 0.0 && o.beta1 < 1.0, "beta1", o.beta1, "at least 0 and below 1");
  report.check(o.beta2 >= 0.0 && o.beta2 < 1.0, "beta2", o.beta2, "at least 0 and below 1");
  report.check(above_zero(o.epsilon), "epsilon", o.epsilon, "above 0");
  report.check(o.momentum >= 0.0 && o.momentum < 1.0, "momentum", o.momentum,
               "at least 0 and below 1");
  report.check(from_zero(o.clip_norm), "clip_norm", o.clip_norm, "at least 0 (0: no clipping)");
  report.check(fraction(o.final_fraction), "final_fraction", o.final_fraction, "from 0 to 1");
  report.check(o.step_epochs >= 1, "step_epochs", o.step_epochs, "at least 1");
  report.check(above_zero(o.step_factor), "step_factor", o.step_factor, "above 0");
}

void check_loss(const Reporter& report, const Network& network, const Loss& loss) {
  report.check(fraction(loss.count_true), "count_true", loss.count_true, "from 0 to 1");
  report.check(fraction(loss.count_false), "count_false", loss.count_false, "from 0 to 1");
  const bool steps = loss.kind == LossKind::cross_entropy_per_step || loss.kind == LossKind::squared_error_per_step;
  if (steps)
    report.check(loss.window <= network.steps, "window", loss.window,
                 fmt::format("at most the steps of a sample, {} (0: all)", network.steps));
  if (!steps && loss.window != 0)
    report.add("window", fmt::format("window is {}, but the loss {} does not look at single steps.", loss.window,
                                     to_string(loss.kind)));
  report.check(above_zero(loss.scale), "scale", loss.scale, "a finite number above 0");
  report.check(from_zero(loss.log_probability_penalty), "log_probability_penalty", loss.log_probability_penalty,
               "at least 0");
  if (network.layers.empty()) return;
  const Layer& output = network.layers.back();
  const bool readout = output.neuron == NeuronKind::readout;
  if (loss.kind == LossKind::spike_count && readout)
    report.add("kind", fmt::format("The loss spike_count needs a spiking output, but the last "
                                   "layer, '{}', is a readout.",
                                   output.name));
  if (loss.kind != LossKind::spike_count && !readout)
    report.add("kind", fmt::format("The loss {} needs a readout as the last layer, but '{}' is {}; "
                                   "a spiking output needs the loss spike_count.",
                                   to_string(loss.kind), output.name, to_string(output.neuron)));
}

/// A list must hold at least the spikes, so theta_grad may not pass any layer's threshold.
void check_second_threshold(const Reporter& report, const Network& network,
                            const SecondThreshold& second) {
  const bool unlimited = second.start == -std::numeric_limits<double>::infinity();
  report.check(fraction(second.rate), "rate", second.rate, "from 0 to 1");
  const bool start =
      report.check(std::isfinite(second.start) || (unlimited && second.rate == 0.0), "start",
                   second.start, "a finite number (or -infinity when rate is 0)");
  const bool target =
      report.check(std::isfinite(second.target), "target", second.target, "a finite number");
  for (const Layer& layer : network.layers) {
    if (layer.neuron == NeuronKind::readout || !above_zero(layer.threshold)) continue;
    const std::string range = fmt::format("at most the threshold of layer '{}', which is {}",
                                          layer.name, layer.threshold);
    if (start) report.check(second.start <= layer.threshold, "start", second.start, range);
    if (target && second.rate > 0.0)
      report.check(second.target <= layer.threshold, "target", second.target, range);
  }
}

// How many ranks can have work.
std::uint32_t most_ranks(const Options& options) {
  return options.parallel == Parallel::model ? LayerShare::parts_for(~0u, options.slices) : options.slices;
}

void check_amounts(const Reporter& report, const Network& network, const Options& options) {
  report.check(options.threads >= 0, "threads", options.threads, "at least 0 (0: one per core)");
  constexpr std::uint32_t most_samples = 65'536;
  if (report.check(options.batch >= 1 && options.batch <= most_samples, "batch", options.batch,
                   fmt::format("from 1 to {} samples", most_samples)) &&
      network.steps <= most_steps &&
      std::uint64_t{options.batch} * network.steps >= std::numeric_limits<std::uint32_t>::max())
    report.add("batch", fmt::format("A batch of {} samples of {} steps has too many lists; batch x "
                                    "steps must be below {}.",
                                    options.batch, network.steps,
                                    std::numeric_limits<std::uint32_t>::max()));
  constexpr std::uint32_t most_slices = 4096;
  const int ranks = options.communicator ? options.communicator->size() : 1;
  if (report.check(options.slices >= 1 && options.slices <= most_slices, "slices", options.slices,
                   fmt::format("from 1 to {}", most_slices)) &&
      most_ranks(options) < static_cast<std::uint32_t>(ranks))
    report.add("slices", fmt::format("{}, but there are {} ranks, which share them: ask for at least {} slices (--slices, "
                                     "or `slices` under [training]). The weights depend on the number of slices, not "
                                     "on that of ranks.",
                                     options.parallel == Parallel::model
                                         ? fmt::format("With slices = {} a layer has {} parts", options.slices, most_ranks(options))
                                         : fmt::format("A batch has {}", options.slices == 1 ? "1 slice" : fmt::format("{} slices", options.slices)),
                                     ranks, ranks));
  report.check(options.epochs >= 1, "epochs", options.epochs, "at least 1");
  if (report.check(options.validation_fraction >= 0.0 && options.validation_fraction < 1.0,
                   "validation_fraction", options.validation_fraction, "at least 0 and below 1") &&
      options.patience > 0 && options.validation_fraction == 0.0)
    report.add("patience", fmt::format("patience is {}, but validation_fraction is 0: without "
                                       "validation samples no epoch can be called better.",
                                       options.patience));
}

/// Layers whose tiles can lie on different ranks.
void check_parallel(const Reporter& report, const Network& network, const Options& options) {
  if (options.parallel != Parallel::model) return;
  const auto refuse = [&](const std::string& why) {
    report.add("parallel", fmt::format("Ranks cannot share the tiles of layers (parallel = model): {}. With parallel "
                                       "= data they share the samples of a batch.",
                                       why));
  };
  if (options.strategy == Strategy::dense || options.strategy == Strategy::reference)
    refuse(fmt::format("the {} strategy has no tiles", to_string(options.strategy)));
  for (const Layer& layer : network.layers) {
    if (layer.input.kind == ConnectionKind::convolution) {
      refuse(fmt::format("layer '{}' is a convolution, which is one tile", layer.name));
    } else if (layer.input.pool > 1) {
      refuse(fmt::format("layer '{}' is pooled", layer.name));
    }
    if (layer.input.rewiring || (layer.recurrent && layer.recurrent->rewiring))
      refuse(fmt::format("layer '{}' rewires", layer.name));
  }
}

}  // namespace

namespace {

// A regulariser that looks at single samples of a layer's lists.
void check_bursts(const Reporter& report, const Network& network, const Options& options) {
  for (const Layer& layer : network.layers) {
    if (layer.bursts.strength == 0.0) continue;
    if (options.eprop)
      report.add("", fmt::format("Layer '{}' has `bursts`, which only back-propagation regularises, not e-prop.", layer.name));
    if (options.parallel == Parallel::model) {
      report.add("parallel", fmt::format("Layer '{}' has `bursts`, which parallel = model cannot regularise; with "
                                         "parallel = data ranks share the samples of a batch.",
                                         layer.name));
    }
  }
}

// What only the sparse strategy can do.
void check_strategy(const Reporter& report, const Network& network, const Options& options) {
  check_bursts(report, network, options);
  if (options.strategy != Strategy::reference) return;
  for (const Layer& layer : network.layers) {
    if (!layer.input.rewiring && !(layer.recurrent && layer.recurrent->rewiring)) continue;
    report.add("strategy", fmt::format("The reference strategy does not rewire (layer '{}'); use the sparse one.",
                                       layer.name));
  }
}

}  // namespace

void check_options(std::vector<Problem>& problems, const Network& network, const Options& options) {
  const auto inside = [&](const char* path, const char* what) {
    SourceLocation where;
    where.key_path = path;
    return Reporter(problems, where, what);
  };
  check_amounts(inside("", "the training"), network, options);
  check_strategy(inside("", "the training"), network, options);
  check_parallel(inside("", "the training"), network, options);
  check_eprop(inside("eprop", "e-prop"), network, options);
  check_loss(inside("loss", "the loss"), network, options.loss);
  check_optimizer(inside("optimizer", "the optimizer"), options.optimizer);
  check_second_threshold(inside("second_threshold", "the second threshold"), network,
                         options.second_threshold);
}

}  // namespace tessera::training::validation
