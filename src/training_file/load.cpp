// Training files: reads the sections in order, then has network, options and data validated.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/training_file.hpp"

#include <algorithm>
#include <utility>

#include "files/file.hpp"
#include "training_file/parts.hpp"

namespace tessera {
namespace io {
namespace {

using namespace training;

template <class Part>
void read_section(TrainingReader& top, const std::string& name,
                  void (*read)(TrainingReader&, Part&), Part& part) {
  const toml::table* table = top.table(name);
  if (table == nullptr) return;
  TrainingReader t(top.context(), *table, name);
  read(t, part);
}

void replace_end(std::string& path, const std::string& end, const std::string& by) {
  if (path.ends_with(end)) path.replace(path.size() - end.size(), end.size(), by);
}

// validate() speaks of the fields of a layer; the file has a key or two for each.
std::string layer_key(std::string path, const training::Network& network,
                      const ModelDiagnostics& known) {
  const std::size_t close = path.find(']');
  const std::size_t index = std::stoul(path.substr(6, close - 6));
  const std::string layer = path.substr(0, close + 1);
  const bool convolution = index < network.layers.size() &&
                           network.layers[index].input.kind == ConnectionKind::convolution;
  if (path == layer + ".input.pool") return layer + ".pool";
  if (const std::string input = layer + ".input"; path.rfind(input, 0) == 0) {
    path.replace(0, input.size(), layer + (convolution ? ".convolution" : ".connection"));
  }
  constexpr const char* kDecays[][3] = {{"membrane", "alpha", "tau_mem"},
                                        {"synapse", "kappa", "tau_syn"},
                                        {"adaptation", "rho", "tau_adapt"}};
  for (const auto& [field, factor, tau] : kDecays) {
    const std::string of = layer + "." + field;
    if (path != of && path != of + ".low" && path != of + ".high") continue;
    return layer + "." + (known.remembers(layer + "." + factor) ? factor : tau);
  }
  replace_end(path, ".surrogate_steepness", ".steepness");
  replace_end(path, ".surrogate_height", ".height");
  return path;
}

std::string key_of(std::string path, const training::Network& network,
                   const ModelDiagnostics& known) {
  if (path.rfind("layer[", 0) == 0) return layer_key(std::move(path), network, known);
  if (path == "validation_fraction") return "training.validation";
  for (const char* key : {"threads", "batch", "epochs", "patience"}) {
    if (path == key) return "training." + path;
  }
  if (path.rfind("eprop.", 0) == 0) {
    replace_end(path, "_hz", "");
    replace_end(path, "_ms", "");
  }
  for (const char* key : {"warmup_batches", "final_fraction", "step_epochs", "step_factor"}) {
    if (path == std::string("optimizer.") + key) return std::string("schedule.") + key;
  }
  return path;
}

void require_valid(const TrainingModel& model, ModelDiagnostics& problems) {
  training::Network network = model.network;
  if (network.classes == 0 && !network.layers.empty()) {
    // The data has mistakes of its own: nothing is known about the classes.
    network.classes = std::max(2u, network.layers.back().size);
  }
  for (Problem& problem : validate(network, model.options)) {
    problem.where.key_path = key_of(problem.where.key_path, network, problems);
    problems.add(std::move(problem));
  }
  problems.raise();
}

TrainingModel read_model(const toml::table& file, ModelContext& c,
                         const std::vector<ParameterOverride>& overrides) {
  TrainingReader top(c, file, "");
  c.parameters.read(top.table("parameters"), overrides);
  TrainingModel model;
  top.allow("about");
  model.network.name = top.text("name", "");
  read_data(top, model);
  read_layers(c, top.get("layer"), model.network);
  Options& options = model.options;
  if (const toml::table* table = top.table("loss")) {
    TrainingReader loss(c, *table, "loss");
    read_loss(loss, model.network.dt_ms, options.loss);
  }
  read_section(top, "optimizer", read_optimizer, options.optimizer);
  read_section(top, "schedule", read_schedule, options.optimizer);
  read_section(top, "second_threshold", read_second_threshold, options.second_threshold);
  if (top.table("eprop") != nullptr) {
    // Whoever has a derivative learns, unless the file says otherwise.
    if (!top.has("second_threshold")) options.second_threshold = {0.0, 0.0, 0.0};
    read_section(top, "eprop", read_eprop, options.eprop.emplace());
  }
  read_section(top, "training", read_training, options);
  top.allow("partition");  // src/machine_file/stated.cpp
  top.done();
  if (c.problems.readable()) c.parameters.report_unused();
  tessera::Network named;  // which is where simulation models keep their parameters
  c.parameters.list(named);
  model.parameters = std::move(named.parameters);
  model.choices = std::move(named.choices);
  require_valid(model, c.problems);
  return model;
}

}  // namespace
}  // namespace io

namespace training {

TrainingModel parse_training_model(const std::string& text, const std::string& name,
                                   const std::vector<ParameterOverride>& overrides) {
  const toml::table file = io::parse_toml(text, name);
  if (file.contains("populations") && !file.contains("layer")) {
    throw InputError("'" + name + "' is a model to simulate: use 'tessera run " + name + "'.");
  }
  io::ModelDiagnostics problems(name);
  io::ModelParameters parameters(problems);
  const NeuronCatalogue no_models;
  io::ModelContext context{problems, parameters, no_models, {}, {}, 0};
  TrainingModel model = io::read_model(file, context, overrides);
  model.text = text;
  return model;
}

TrainingModel load_training_file(const std::filesystem::path& path,
                                 const std::vector<ParameterOverride>& overrides) {
  const std::string text = io::read_file(path, io::kLongestModelFile);
  TrainingModel model = parse_training_model(text, path.string(), overrides);
  if (model.network.name.empty()) model.network.name = path.stem().string();
  return model;
}

}  // namespace training
}  // namespace tessera
