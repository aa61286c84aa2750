// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "results/training_json.hpp"

#include <cmath>

namespace tessera::io {
namespace {

using namespace training;
using nlohmann::ordered_json;

ordered_json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0.0 ? "inf" : "-inf";
}
ordered_json number(const std::optional<double>& value) {
  return value ? number(*value) : ordered_json();
}

ordered_json shape_json(const Shape& s) { return {s.height, s.width, s.channels}; }

ordered_json decay_json(const Decay& d) {
  return {{"low", number(d.low)},
          {"high", number(d.high)},
          {"per_neuron", d.per_neuron},
          {"trainable", d.trainable}};
}

ordered_json rewiring_json(const Rewiring& r) {
  const char* const rule = r.kind == RewiringKind::deep_r        ? "deep_r"
                           : r.kind == RewiringKind::soft_deep_r ? "soft_deep_r"
                           : r.kind == RewiringKind::rigl        ? "rigl"
                                                                 : "custom";
  ordered_json object = {{"rule", rule}, {"interval", r.interval}};
  if (r.kind == RewiringKind::deep_r)
    object["convention"] = r.convention == DeepRConvention::mlgenn ? "mlgenn" : "bellec";
  if (r.kind == RewiringKind::rigl) {
    object["fraction"] = number(r.fraction);
    object["until"] = number(r.until);
    object["grow"] = r.growth == Growth::gradient ? "gradient" : "random";
    object["candidates"] = r.candidates;
  } else {
    object["l1"] = number(r.l1);
    object["noise"] = number(r.noise);
  }
  return object;
}

ordered_json connection_json(const Connection& c) {
  ordered_json object;
  if (c.kind == ConnectionKind::convolution) {
    object = {{"kind", "convolution"},
              {"filters", c.filters},
              {"kernel", c.kernel},
              {"stride", c.stride},
              {"padding", c.padding}};
  } else if (c.kind == ConnectionKind::sparse) {
    object = {{"kind", "sparse"},
              {"density", number(c.density)},
              {"min_delay_steps", c.min_delay},
              {"max_delay_steps", c.max_delay}};
  } else {
    object = {{"kind", "dense"}};
  }
  if (c.rewiring) object["rewiring"] = rewiring_json(*c.rewiring);
  object["pool"] = c.pool;
  if (c.pool != 1) object["pooling"] = c.pooling == Pooling::sum ? "sum" : "average";
  return object;
}

ordered_json layer_json(const Layer& l) {
  ordered_json object = {{"name", l.name},
                         {"neuron", to_string(l.neuron)},
                         {"size", l.size},
                         {"input", connection_json(l.input)},
                         {"bias", l.bias},
                         {"membrane", decay_json(l.membrane)},
                         {"capacitance", number(l.capacitance)},
                         {"initial_gain", number(l.initial_gain)}};
  if (l.recurrent) object["recurrent"] = connection_json(*l.recurrent);
  if (l.weight_penalty != 0.0) object["weight_penalty"] = number(l.weight_penalty);
  if (!l.on_substrate) object["substrate"] = false;
  if (l.weight_limit != 0.0) object["weight_limit"] = {number(l.weight_limit), number(l.weight_roll_off)};
  if (l.neuron == NeuronKind::synaptic_lif) object["synapse"] = decay_json(l.synapse);
  if (l.neuron == NeuronKind::adaptive_lif) {
    object["adaptation"] = decay_json(l.adaptation);
    object["adaptation_strength"] = number(l.adaptation_strength);
  }
  if (l.neuron == NeuronKind::readout) return object;
  object["threshold"] = number(l.threshold);
  object["reset"] = l.reset == Reset::to_zero ? "zero" : l.reset == Reset::subtract ? "subtract" : "subtract_undecayed";
  if (l.refractory > 0) object["refractory_steps"] = l.refractory;
  if (l.surrogate_height != 1.0) object["surrogate_height"] = number(l.surrogate_height);
  object["surrogate"] = to_string(l.surrogate);
  object["steepness"] = number(l.surrogate_steepness);
  object["max_activity"] = number(l.max_activity);
  object["initial_activity"] = number(l.initial_activity);
  object["regulariser"] = {{"strength", number(l.regulariser.strength)},
                           {"low", number(l.regulariser.low)},
                           {"high", number(l.regulariser.high)}};
  if (l.bursts.strength != 0.0) {
    object["bursts"] = {{"strength", number(l.bursts.strength)}, {"epoch_factor", number(l.bursts.epoch_factor)}};
  }
  return object;
}

ordered_json network_json(const training::Network& network) {
  ordered_json layers = ordered_json::array();
  for (const Layer& layer : network.layers) layers.push_back(layer_json(layer));
  return {{"input", shape_json(network.input)},
          {"steps", network.steps},
          {"dt_ms", number(network.dt_ms)},
          {"classes", network.classes},
          {"layers", layers}};
}

ordered_json encoder_json(const EncoderSpec& e) {
  return {{"kind", to_string(e.kind)},
          {"steps", e.steps},
          {"dt_ms", number(e.dt_ms)},
          {"start_ms", number(e.start_ms)},
          {"min_events", e.min_events ? ordered_json(*e.min_events) : ordered_json()},
          {"crop", {e.crop_x, e.crop_y, e.crop_width, e.crop_height}},
          {"size", {e.width, e.height}},
          {"merge_polarities", e.merge_polarities},
          {"grey", e.grey},
          {"channels", e.channels},
          {"curve", to_string(e.curve)},
          {"early_ms", number(e.early_ms)},
          {"late_ms", number(e.late_ms)},
          {"tau_ms", number(e.tau_ms)},
          {"threshold", number(e.threshold)},
          {"bias", e.bias},
          {"bias_ms", number(e.bias_ms)},
          {"rate_kind", to_string(e.rate_kind)},
          {"max_rate_hz", number(e.max_rate_hz)},
          {"scale", to_string(e.scale)},
          {"low_hz", number(e.low_hz)},
          {"high_hz", number(e.high_hz)},
          {"compression", number(e.compression)},
          {"gain", number(e.gain)},
          {"hair_tau_ms", number(e.hair_tau_ms)},
          {"refractory_ms", number(e.refractory_ms)},
          {"delta_threshold", number(e.delta_threshold)},
          {"max_spikes_per_step", e.max_spikes_per_step}};
}

ordered_json file_json(const FileSpec& f) {
  return {{"training", f.training},
          {"training_labels", f.training_labels},
          {"test", f.test},
          {"test_labels", f.test_labels},
          {"content", f.content == FileContent::spikes ? "spikes" : "values"},
          {"shape", shape_json(f.shape)},
          {"classes", f.classes},
          {"step_ms", number(f.step_ms)}};
}

ordered_json data_json(const DataSpec& given) {
  const DataSpec d = with_defaults(given);
  const AugmentationSpec& a = d.augmentation;
  ordered_json object = {{"set", d.dataset}, {"encoder", encoder_json(d.encoder)}};
  object["augmentation"] = {{"shift", a.shift},
                            {"jitter_ms", number(a.jitter_ms)},
                            {"blend", number(a.blend)},
                            {"crop_ms", number(a.crop_ms)},
                            {"rotation_degrees", number(a.rotation_degrees)},
                            {"skew", {number(a.skew_low), number(a.skew_high)}}};
  // Only where they are used: older checkpoints keep their digest.
  if (a.rotation_probability != 1.0) object["augmentation"]["rotation_probability"] = number(a.rotation_probability);
  if (a.rotation_gain != 0.0) object["augmentation"]["rotation_gain"] = number(a.rotation_gain);
  if (d.dataset == "file") object["file"] = file_json(d.file);
  if (!is_generated(d.dataset)) return object;
  const GeneratorSpec& g = d.generator;
  object["generator"] = {{"training_samples", g.training_samples},
                         {"test_samples", g.test_samples},
                         {"seed", g.seed},
                         {"dimension", g.dimension},
                         {"smoothness", number(g.smoothness)},
                         {"classes", g.classes},
                         {"channels", g.channels},
                         {"cutoff", g.cutoff}};
  if (d.dataset == "evidence_accumulation") object["generator"]["cues"] = g.cues;
  return object;
}

const char* name_of(ScheduleKind kind) {
  return kind == ScheduleKind::constant ? "constant"
         : kind == ScheduleKind::cosine ? "cosine"
                                        : "step";
}

ordered_json optimizer_json(const Optimizer& o) {
  return {{"kind", o.kind == OptimizerKind::adamw ? "adamw" : "sgd"},
          {"learning_rate", number(o.learning_rate)},
          {"weight_decay", number(o.weight_decay)},
          {"beta1", number(o.beta1)},
          {"beta2", number(o.beta2)},
          {"epsilon", number(o.epsilon)},
          {"momentum", number(o.momentum)},
          {"clip_norm", number(o.clip_norm)},
          {"schedule", name_of(o.schedule)},
          {"warmup_batches", o.warmup_batches},
          {"final_fraction", number(o.final_fraction)},
          {"step_epochs", o.step_epochs},
          {"step_factor", number(o.step_factor)}};
}

ordered_json eprop_json(const Eprop& e) {
  return {{"convention", to_string(e.convention)},
          {"feedback", to_string(e.feedback)},
          {"feedback_gain", number(e.feedback_gain)},
          {"rate_strength", number(e.rate_strength)},
          {"rate_target_hz", number(e.rate_target_hz)},
          {"rate_tau_ms", number(e.rate_tau_ms)},
          {"average", e.average}};
}

}  // namespace

ordered_json loss_json(const Loss& loss) {
  ordered_json object = {{"kind", to_string(loss.kind)},
                         {"reduction", to_string(loss.reduction)},
                         {"count_true", number(loss.count_true)},
                         {"count_false", number(loss.count_false)}};
  if (loss.scale != 1.0) object["scale"] = number(loss.scale);
  if (loss.log_probability_penalty != 0.0) object["log_probability_penalty"] = number(loss.log_probability_penalty);
  return object;
}

ordered_json model_json(const TrainingModel& model) {
  const Options& o = model.options;
  ordered_json object = {
          {"seed", o.seed},
          {"batch", o.batch},
          {"validation", number(o.validation_fraction)},
          {"data", data_json(model.data)},
          {"network", network_json(model.network)},
          {"loss", loss_json(o.loss)},
          {"optimizer", optimizer_json(o.optimizer)},
          {"second_threshold",
           {{"start", number(o.second_threshold.start)},
            {"target", number(o.second_threshold.target)},
            {"rate", number(o.second_threshold.rate)}}}};
  if (o.loss.window > 0) object["loss"]["window_steps"] = o.loss.window;
  if (o.eprop) object["eprop"] = eprop_json(*o.eprop);
  return object;
}

}  // namespace tessera::io

namespace tessera::training {

std::uint64_t model_digest(const TrainingModel& model) {
  // FNV-1a over a text in which every number has the shortest form that reads back equal.
  std::uint64_t digest = 0xcbf29ce484222325ULL;
  for (const char letter : io::model_json(model).dump()) {
    digest = (digest ^ static_cast<unsigned char>(letter)) * 0x100000001b3ULL;
  }
  return digest;
}

}  // namespace tessera::training
