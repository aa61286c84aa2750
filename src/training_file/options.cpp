// [loss], [optimizer], [schedule], [second_threshold] and [training] of a training file.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "training_file/parts.hpp"

namespace tessera::io {

using namespace training;

std::uint32_t TrainingReader::count32(const std::string& key, std::uint32_t otherwise) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  const std::uint64_t number = count(key, otherwise);
  if (number <= kMost) return static_cast<std::uint32_t>(number);
  complain(key, fmt::format("{} is too much; at most {} is possible.", number, kMost));
  return otherwise;
}

std::uint32_t TrainingReader::steps(const std::string& key, double dt_ms, std::uint32_t otherwise) {
  if (get(key) == nullptr) return otherwise;
  const double time_ms = number(key, kMs, otherwise * dt_ms);
  const double exact = time_ms / dt_ms, whole = std::round(exact);
  if (!(exact >= 0.0 && exact < 4294967295.0)) {
    complain(key, fmt::format("{} ms is not a possible time.", time_ms));
    return otherwise;
  }
  const ModelDiagnostics& problems = context().problems;
  if (problems.is_spoiled("data.encoder.dt") || problems.is_spoiled("data.set")) return otherwise;
  // Decimal times are not exact in binary: a millionth of a step is rounding, not intent.
  if (std::abs(exact - whole) > 1e-6 * std::max(1.0, exact)) {
    complain(key, fmt::format("{} ms is not a multiple of the time step, {} ms.", time_ms, dt_ms));
  }
  return static_cast<std::uint32_t>(whole);
}

bool TrainingReader::applies(const std::string& key, bool condition, const std::string& reason) {
  if (condition) return true;
  if (const toml::node* node = get(key)) {
    context().problems.add_harmless(node->source(), path_of(key),
                                    fmt::format("'{}' has no effect here: {}.", key, reason));
  }
  return false;
}

const toml::table* TrainingReader::table(const std::string& key) {
  const toml::node* node = get(key);
  if (node == nullptr) return nullptr;
  if (const toml::table* table = node->as_table()) return table;
  complain(key, fmt::format("'{}' must be a table.", key));
  return nullptr;
}

void read_loss(TrainingReader& t, double dt_ms, Loss& loss) {
  loss.kind = t.word<LossKind>("kind", loss.kind,
                               {{"cross_entropy", LossKind::cross_entropy},
                                {"cross_entropy_per_step", LossKind::cross_entropy_per_step},
                                {"spike_count", LossKind::spike_count},
                                {"mean_squared_error", LossKind::mean_squared_error},
                                {"squared_error_per_step", LossKind::squared_error_per_step}});
  const bool reduces =
      loss.kind == LossKind::cross_entropy || loss.kind == LossKind::mean_squared_error;
  if (t.applies("reduction", reduces,
                "losses per step and spike_count look at every step of the output")) {
    loss.reduction = t.word<Reduction>("reduction", loss.reduction,
                                       {{"sum", Reduction::sum},
                                        {"mean", Reduction::mean},
                                        {"last", Reduction::last},
                                        {"max", Reduction::max}});
  }
  const bool per_step = loss.kind == LossKind::cross_entropy_per_step || loss.kind == LossKind::squared_error_per_step;
  if (t.applies("window", per_step, "only the losses per step look at a part of a sample"))
    loss.window = t.steps("window", dt_ms, loss.window);
  const bool softmax = loss.kind == LossKind::cross_entropy;
  if (t.applies("scale", softmax, "only cross_entropy has a softmax of the reduced readout"))
    loss.scale = t.number("scale", {}, loss.scale);
  if (t.applies("log_probability_penalty", softmax, "only cross_entropy has a softmax of the reduced readout"))
    loss.log_probability_penalty = t.number("log_probability_penalty", {}, loss.log_probability_penalty);
  const bool counts = loss.kind == LossKind::spike_count;
  if (t.applies("count_true", counts, "it is a target of the spike_count loss"))
    loss.count_true = t.number("count_true", {}, loss.count_true);
  if (t.applies("count_false", counts, "it is a target of the spike_count loss"))
    loss.count_false = t.number("count_false", {}, loss.count_false);
  t.done();
}

void read_optimizer(TrainingReader& t, Optimizer& o) {
  o.kind = t.word<OptimizerKind>("kind", o.kind,
                                 {{"adamw", OptimizerKind::adamw}, {"sgd", OptimizerKind::sgd}});
  const bool adamw = o.kind == OptimizerKind::adamw;
  o.learning_rate = t.number("learning_rate", {}, o.learning_rate);
  o.weight_decay = t.number("weight_decay", {}, o.weight_decay);
  o.clip_norm = t.number("clip_norm", {}, o.clip_norm);
  const auto of_adamw = [&](const char* key, double& value) {
    if (t.applies(key, adamw, "only adamw has it")) value = t.number(key, {}, value);
  };
  of_adamw("beta1", o.beta1);
  of_adamw("beta2", o.beta2);
  of_adamw("epsilon", o.epsilon);
  if (t.applies("momentum", !adamw, "only sgd has a momentum"))
    o.momentum = t.number("momentum", {}, o.momentum);
  t.done();
}

void read_schedule(TrainingReader& t, Optimizer& o) {
  o.schedule = t.word<ScheduleKind>("kind", o.schedule,
                                    {{"constant", ScheduleKind::constant},
                                     {"cosine", ScheduleKind::cosine},
                                     {"step", ScheduleKind::step}});
  o.warmup_batches = t.count32("warmup_batches", o.warmup_batches);
  if (t.applies("final_fraction", o.schedule == ScheduleKind::cosine,
                "only the cosine schedule ends at a fraction"))
    o.final_fraction = t.number("final_fraction", {}, o.final_fraction);
  const bool steps = o.schedule == ScheduleKind::step;
  if (t.applies("step_epochs", steps, "only the step schedule has steps"))
    o.step_epochs = t.count32("step_epochs", o.step_epochs);
  if (t.applies("step_factor", steps, "only the step schedule has steps"))
    o.step_factor = t.number("step_factor", {}, o.step_factor);
  t.done();
}

void read_second_threshold(TrainingReader& t, SecondThreshold& s) {
  s.start = t.number("start", {}, s.start);
  s.target = t.number("target", {}, s.target);
  s.rate = t.number("rate", {}, s.rate);
  t.done();
}

void read_training(TrainingReader& t, Options& options) {
  options.batch = t.count32("batch", options.batch);
  options.epochs = t.count32("epochs", options.epochs);
  options.seed = t.count("seed", options.seed);
  options.validation_fraction = t.number("validation", {}, options.validation_fraction);
  options.patience = t.count32("patience", options.patience);
  options.slices = t.count32("slices", options.slices);
  options.parallel = t.word<Parallel>("parallel", options.parallel,
                                      {{"auto", Parallel::automatic}, {"data", Parallel::data}, {"model", Parallel::model}});
  options.strategy = t.word<Strategy>("strategy", options.strategy,
                                      {{"auto", Strategy::automatic},
                                       {"sparse", Strategy::sparse},
                                       {"dense", Strategy::dense},
                                       {"reference", Strategy::reference}});
  const std::uint64_t threads = t.count("threads", 0);
  if (threads > 4096) {
    t.complain("threads", "At most 4096 threads are possible.");
  } else {
    options.threads = static_cast<int>(threads);
  }
  t.done();
}

}  // namespace tessera::io
