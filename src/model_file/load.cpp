// Model files: reads the sections in order, then validates, scales and validates again.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/model_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "files/file.hpp"
#include "model_file/parts.hpp"

namespace tessera {
namespace io {
namespace {

void read_run(TableReader& top, Network& network) {
  top.allow("about");
  network.name = top.text("name", network.name);
  network.dt_ms = top.number("dt", kMilliseconds, network.dt_ms);
  network.time_ms = top.number("time", kMilliseconds, network.time_ms);
  network.discard_ms = top.number("discard", kMilliseconds, network.discard_ms);
  network.seed = top.count("seed", network.seed);
  network.rate_limit_hz = top.number("rate_limit", kHertz, network.rate_limit_hz);
  // Nothing is compared with a time step that is not known.
  if (top.context().problems.is_spoiled("dt")) network.dt_ms = std::nan("");
}

struct Scaling {
  double neurons = 1.0, synapses = 1.0;
};
Scaling read_scaling(TableReader& top) {
  Scaling scaling;
  const toml::node* node = top.get("scaling");
  if (node == nullptr) return scaling;
  const toml::table* table = node->as_table();
  if (table == nullptr) {
    top.complain("scaling", "[scaling] must be a table.");
    return scaling;
  }
  TableReader t(top.context(), *table, "scaling");
  scaling.neurons = t.number("neurons", {}, 1.0);
  scaling.synapses = t.number("synapses", {}, 1.0);
  t.done();
  const auto check = [&](const char* key, double factor) {
    if (factor > 0.0 && factor <= 1.0) return;
    t.complain(key, fmt::format("The scaling factor of {} is {}; it must be above 0 and at most 1.",
                                key, factor));
  };
  check("neurons", scaling.neurons);
  check("synapses", scaling.synapses);
  return scaling;
}

// Populations that are switched off are gone; so is everything that would have joined them.
void assemble(ModelParts parts, Network& network) {
  for (std::size_t i = 0; i < parts.populations.size(); ++i) {
    if (parts.active[i]) network.populations.push_back(std::move(parts.populations[i]));
  }
  network.projections = std::move(parts.projections);
  network.stimuli = std::move(parts.stimuli);
  network.recorders = std::move(parts.recorders);
  network.spike_recorders = std::move(parts.spike_recorders);
  network.weight_recorders = std::move(parts.weight_recorders);
}

// Validation names the fields of a network; the file has keys of its own for some of them.
std::string key_of(const std::string& path, const ModelDiagnostics& known) {
  constexpr const char* kKeys[][2] = {
      {".list", ".synapses"}, {".list", ".file"}, {".spikes", ".file"}, {".sd", ".relative_sd"}};
  for (const auto& [field, key] : kKeys) {
    if (!path.ends_with(field) || known.remembers(path)) continue;
    const std::string other = path.substr(0, path.size() - std::string_view(field).size()) + key;
    if (known.remembers(other)) return other;
  }
  return path;
}

void require_valid_model(const Network& network, ModelContext& c) {
  std::vector<Problem> problems = validate(network, c.models);
  const std::vector<Problem> sizes = problems.empty() ? problems : size_problems(network, c.models);
  for (Problem& problem : problems) {
    const bool too_large = std::any_of(sizes.begin(), sizes.end(), [&problem](const Problem& size) {
      return size.message == problem.message;
    });
    problem.where.key_path = key_of(problem.where.key_path, c.problems);
    c.problems.add(std::move(problem), too_large);
  }
  c.problems.raise();
}

void scale(Network& network, const Scaling& scaling, ModelContext& c) {
  if (scaling.neurons == 1.0 && scaling.synapses == 1.0) return;
  try {
    scale_network(network, scaling.neurons, scaling.synapses, c.models);
  } catch (const InputError& error) {
    for (const Problem& problem : error.problems()) c.problems.add(problem);
  }
  c.problems.raise();
  require_valid_model(network, c);
}

Network read_model(const toml::table& file, ModelContext& c,
                   const std::vector<ParameterOverride>& overrides, int ranks) {
  TableReader top(c, file, "");
  const toml::node* named = top.get("parameters");
  if (named != nullptr && !named->is_table()) {
    top.complain("parameters", "[parameters] must be a table.");
  }
  c.parameters.read(named == nullptr ? nullptr : named->as_table(), overrides, ranks);
  Network network;
  ModelParts parts;
  read_run(top, network);
  read_populations(c, top.get("populations"), parts);
  read_projections(c, top.get("projections"), parts);
  read_stimuli(c, top.get("stimuli"), parts);
  read_recorders(c, top.get("recorders"), parts);
  const Scaling scaling = read_scaling(top);
  top.allow("partition");  // src/machine_file/stated.cpp
  top.done();
  if (c.problems.readable()) c.parameters.report_unused();
  assemble(std::move(parts), network);
  c.parameters.list(network);
  require_valid_model(network, c);
  scale(network, scaling, c);
  return network;
}

}  // namespace
}  // namespace io

namespace {

/// `data`: where files are looked for that are not beside the model.
Network parse(const std::string& text, const std::string& name, const std::filesystem::path& folder,
              const std::filesystem::path& data, const NeuronCatalogue& models,
              const std::vector<ParameterOverride>& overrides, int ranks) {
  const toml::table file = io::parse_toml(text, name);
  // One sentence instead of an unknown key after the other.
  if (file.contains("layer") && !file.contains("populations")) {
    throw InputError("'" + name + "' is a training file: use 'tessera train " + name + "'.");
  }
  io::ModelDiagnostics problems(name);
  io::ModelParameters parameters(problems);
  parameters.files().look_in(folder, data);
  io::ModelContext context{problems, parameters, models, folder, {}, 0};
  return io::read_model(file, context, overrides, ranks);
}

}  // namespace

Network parse_model(const std::string& text, const std::string& name,
                    const std::filesystem::path& folder, const NeuronCatalogue& models,
                    const std::vector<ParameterOverride>& overrides, int ranks) {
  return parse(text, name, folder, {}, models, overrides, ranks);
}

Network load_model_file(const std::filesystem::path& path, const NeuronCatalogue& models,
                        const std::vector<ParameterOverride>& overrides, int ranks) {
  const std::string text = io::read_file(path, io::kLongestModelFile);
  const char* const data = std::getenv("TESSERA_DATA_DIR");
  Network network = parse(text, path.string(), path.parent_path(), data == nullptr ? "" : data, models, overrides, ranks);
  if (network.name.empty()) network.name = path.stem().string();
  return network;
}

}  // namespace tessera
