// [populations.NAME]: one population, or a group of similar ones with a value each.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "files/list_file.hpp"
#include "model_file/parts.hpp"
#include "network/select_populations.hpp"
#include "network/state_names.hpp"
#include "network/validate.hpp"

namespace tessera::io {
namespace {

constexpr std::uint64_t kLargestPopulation = 4294901760;

Dimension unit_of(const std::string& name) { return find_unit(name).value_or(Dimension{}); }

// NEST keeps the time constant of the postsynaptic trace in the neuron.
void refuse_parameters_of_rules(TableReader& reader, const NeuronModel& model) {
  std::vector<std::string> names;
  for (const ParameterInfo& info : model.parameters) names.push_back(info.name);
  for (const std::string& key : reader.keys()) {
    const std::string hint = validation::hint_at_rules(reader.context().models, key);
    if (hint.empty() || std::find(names.begin(), names.end(), key) != names.end()) continue;
    reader.context().problems.add_harmless(
        reader.get(key)->source(), reader.path_of(key),
        fmt::format("The model {} has no parameter '{}'.{}{}", model.name, key, did_you_mean(key, names), hint));
  }
}

void read_parameters(TableReader& t, const NeuronModel& model, const Place& place, Population& p) {
  const toml::node* node = t.get("parameters");
  if (node == nullptr) return;
  const toml::table* table = node->as_table();
  if (table == nullptr) return t.complain("parameters", "The parameters must be a table.");
  TableReader reader(t.context(), *table, t.path_of("parameters"));
  for (const ParameterInfo& info : model.parameters) {
    if (reader.get(info.name) == nullptr) continue;
    p.parameters[info.name] =
        reader.number(info.name, unit_of(info.unit), info.default_value, place);
  }
  refuse_parameters_of_rules(reader, model);
  reader.done();
}

void read_initial_values(TableReader& t, const NeuronModel& model, const Place& place,
                         Population& p) {
  const toml::node* node = t.get("initial");
  if (node == nullptr) return;
  const toml::table* table = node->as_table();
  if (table == nullptr) return t.complain("initial", "The initial values must be a table.");
  TableReader reader(t.context(), *table, t.path_of("initial"));
  std::vector<StateInfo> states = model.states;
  states.push_back({kRefractoryState, "ms", "", "what is left of the refractory time"});
  for (const StateInfo& info : states) {
    const toml::node* value = reader.get(info.name);
    if (value == nullptr) continue;
    const toml::table* details = value->as_table();
    if (details != nullptr && details->contains("values")) {
      TableReader list(t.context(), *details, reader.path_of(info.name));
      if (!list.is_for_one("values", place)) continue;
      p.initial[info.name].values =
          read_list(t.context(), *list.get("values"), list.path_of("values"), unit_of(info.unit));
      if (p.initial[info.name].values.empty()) list.complain("values", "The list is empty.");
      list.done();
    } else {
      p.initial[info.name].distribution = reader.distribution(info.name, unit_of(info.unit), place);
    }
  }
  reader.done();
}

// Which units the values should have is unknown; everything else about them can be wrong all the
// same.
void read_of_unknown_model(TableReader& t, const Place& place) {
  for (const char* key : {"parameters", "initial"}) {
    const toml::node* node = t.get(key);
    const toml::table* table = node == nullptr ? nullptr : node->as_table();
    if (node != nullptr && table == nullptr) t.complain(key, "This must be a table.");
    if (table == nullptr) continue;
    TableReader reader(t.context(), *table, t.path_of(key));
    for (const auto& [name, value] : *table) {
      const toml::table* details = value.as_table();
      if (details != nullptr && details->contains("values")) continue;
      (void)reader.distribution(std::string(name.str()), Dimension::of_any_kind(), place);
    }
  }
}

void read_neurons(TableReader& t, const Place& place, Population& p) {
  ModelContext& c = t.context();
  const toml::node* node = t.need("model");
  p.model = node == nullptr ? "" : t.text("model", "", place);
  const NeuronModel* model = c.models.find(p.model);
  if (model == nullptr) {
    if (!p.model.empty()) {
      c.problems.add_unknown(node->source(), t.path_of("model"),
                             fmt::format("There is no neuron model named '{}'.", p.model), p.model,
                             c.models.names());
    }
    read_of_unknown_model(t, place);
    return;
  }
  read_parameters(t, *model, place, p);
  read_initial_values(t, *model, place, p);
}

void read_poisson(TableReader& t, const Place& place, Population& p) {
  p.rate_hz = t.needed_number("rate", kHertz, place).value_or(0.0);
  p.start_ms = t.number("start", kMilliseconds, 0.0, place);
  p.duration_ms = t.number("duration", kMilliseconds, HUGE_VAL, place);
  p.interval_ms = t.number("interval", kMilliseconds, 0.0, place);
  std::optional<TableReader> bump = t.tables("bump", "peak");
  if (!bump) return;
  p.bump.emplace();
  p.bump->peak_hz = bump->needed_number("peak", kHertz, place).value_or(0.0);
  p.bump->sigma = bump->needed_number("sigma", {}, place).value_or(1.0);
  p.bump->period_ms = bump->number("period", kMilliseconds, 20.0, place);
  p.bump->block = static_cast<std::uint32_t>(std::min<std::uint64_t>(bump->count("block", 16, place), 65535u));
  p.bump->centres = static_cast<std::uint32_t>(std::min<std::uint64_t>(bump->count("centres", p.bump->block, place), 65535u));
  bump->done();
}

void add_spike(TableReader& t, Population& p, double time_ms, double neuron) {
  if (!(neuron >= 0.0 && neuron < 4294967296.0) || neuron != std::floor(neuron)) {
    t.complain(t.has("file") ? "file" : "spikes",
               fmt::format("{} is not the number of a neuron.", neuron));
    return;
  }
  p.train.push_back({time_ms, static_cast<std::uint32_t>(neuron)});
}

void read_spike_train(TableReader& t, const Place& place, Population& p) {
  ModelContext& c = t.context();
  const toml::node* spikes = t.get("spikes");
  const toml::node* file = t.get("file");
  if ((spikes == nullptr) == (file == nullptr)) {
    return t.complain("spikes",
                      "A spike train needs either 'spikes' (a list of [time, neuron]) or "
                      "'file'.");
  }
  if (!t.is_for_one(file != nullptr ? "file" : "spikes", place)) return;
  if (file != nullptr) {
    try {
      const auto values =
          read_list_file(file_in_folder(c.folder, t.text("file", "")), {"time_ms", "neuron"});
      for (std::size_t i = 0; i + 1 < values.size(); i += 2)
        add_spike(t, p, values[i], values[i + 1]);
    } catch (const InputError& error) {
      t.complain("file", error.what());
    }
    return;
  }
  const toml::array* rows = spikes->as_array();
  if (rows == nullptr) return t.complain("spikes", "The spikes must be a list of [time, neuron].");
  std::size_t index = 0;
  for (const toml::node& row : *rows) {
    const std::string path = fmt::format("{}[{}]", t.path_of("spikes"), index++);
    const toml::array* entries = row.as_array();
    if (entries == nullptr || entries->size() != 2) {
      c.problems.add(row.source(), path, "A spike is written as [time, neuron].");
      continue;
    }
    const auto time = read_number(c, *entries->get(0), path + "[0]", kMilliseconds, {});
    const auto neuron = read_count(c, *entries->get(1), path + "[1]", {});
    if (time && neuron) add_spike(t, p, *time, static_cast<double>(*neuron));
  }
}

// Where the neurons of a grid are; `extent` is [x, y], each of which may have an entry per
// population.
void read_sheet(TableReader& t, const Place& place, Population& p) {
  p.grid_columns = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(t.count("grid_columns", 0, place), 4294967295u));
  p.periodic = t.truth("periodic", true, place);
  if (!t.has("grid_columns") && t.has("periodic")) {
    t.complain("periodic",
               "Only a grid can be periodic or not; this population has no grid_columns.");
  }
  const toml::node* node = t.get("extent");
  if (node == nullptr) return;
  const toml::array* edges = node->as_array();
  if (edges == nullptr || edges->size() != 2) {
    return t.complain(
        "extent", "The extent is a list of two lengths, [x, y], for example [\"4 mm\", \"2 mm\"].");
  }
  for (std::size_t i = 0; i < 2; ++i) {
    Leaf leaf;
    const std::string path = fmt::format("{}[{}]", t.path_of("extent"), i);
    const auto edge = read_number(t.context(), *edges->get(i), path, kMillimetres, place, &leaf);
    if (!edge) continue;
    p.extent_mm[i] = *edge;
    if (*edge > 0.0) continue;
    t.context().problems.add(leaf.node->source(), leaf.path,
                             fmt::format("The extent must be above 0 mm, not {}.", *edge));
  }
}

// 0 after a mistake: nothing is compared with a size that is not known.
std::uint32_t read_size(TableReader& t, const Place& place) {
  const toml::node* node = t.need("size");
  if (node == nullptr) return 0;
  Leaf leaf{node, t.path_of("size")};
  // Sizes are computed with the rounding that expressions spell out; see read_count.
  const auto number = read_number(t.context(), *node, leaf.path, {}, place, &leaf);
  if (!number) return 0;
  if (*number >= 1.0 && *number <= kLargestPopulation && *number == std::round(*number)) {
    return static_cast<std::uint32_t>(*number);
  }
  const std::string message = fmt::format("The size must be a whole number from 1 to {}, not {}.",
                                          kLargestPopulation, *number);
  if (std::isfinite(*number) && *number > kLargestPopulation) {
    t.context().problems.add_too_large(leaf.node->source(), leaf.path, message);
  } else {
    t.context().problems.add(leaf.node->source(), leaf.path, message);
  }
  return 0;
}

// Every key that some kind has, as far as it can be judged.
void read_unknown_kind(TableReader& t, const Place& place, Population& p) {
  using R = TableReader::Reading;
  if (t.has("model")) read_neurons(t, place, p);
  t.read_anyway({{"rate", R::number, kHertz},
                 {"start", R::number, kMilliseconds},
                 {"duration", R::number, kMilliseconds},
                 {"interval", R::number, kMilliseconds},
                 {"bump", R::nothing, {}},
                 {"model", R::nothing, {}},
                 {"parameters", R::nothing, {}},
                 {"initial", R::nothing, {}},
                 {"file", R::nothing, {}}},
                place);
  if (t.has("spikes")) read_spike_train(t, place, p);
  p.train.clear();
  t.context().problems.spoil(t.path_of("model"));  // may be none where one is needed
}

Population read_population(ModelContext& c, const Section& section, const std::string& name,
                           const Place& place, bool& active) {
  TableReader t(c, *section.table, section.path);
  Population p;
  p.name = name;
  p.where = c.problems.location(section.table->source(), section.path);
  t.allow("names");
  t.allow("about");
  active = t.truth("when", true, place);
  const std::string kind =
      t.choice("kind", "neurons", {"neurons", "poisson", "spike_train"}, place);
  p.size = read_size(t, place);
  p.mean_rate_hz = t.number("mean_rate", kHertz, 0.0, place);
  p.inhibitory = t.truth("inhibitory", false, place);
  read_sheet(t, place, p);
  if (c.problems.is_spoiled(t.path_of("grid_columns"))) p.size = 0;  // no rule can be checked
  if (c.problems.is_spoiled(t.path_of("kind"))) {
    read_unknown_kind(t, place, p);
    t.done();
    return p;
  }
  if (kind == "neurons") read_neurons(t, place, p);
  if (kind == "poisson") {
    p.kind = Population::Kind::poisson_source;
    read_poisson(t, place, p);
  }
  if (kind == "spike_train") {
    p.kind = Population::Kind::spike_train_source;
    read_spike_train(t, place, p);
  }
  t.done();
  return p;
}

std::vector<std::string> member_names(ModelContext& c, const Section& section) {
  const toml::node* node = section.table->get("names");
  if (node == nullptr) return {section.name};
  const std::string path = section.path + ".names";
  if (is_table_file(*node)) {
    if (const auto request = table_request(c, *node->as_table(), path)) {
      try {
        return c.parameters.files().texts(*request);
      } catch (const InputError& error) {
        c.problems.add(node->source(), path, error.what());
      }
    }
    return {};
  }
  const toml::array* array = node->as_array();
  if (array == nullptr || array->empty() || !array->is_homogeneous<std::string>()) {
    c.problems.add(node->source(), path, "The names of a group must be a list of texts.");
    return {};
  }
  std::vector<std::string> names;
  for (const toml::node& entry : *array) names.push_back(*entry.value<std::string>());
  return names;
}

}  // namespace

void read_populations(ModelContext& c, const toml::node* section, ModelParts& parts) {
  if (section == nullptr) {
    c.problems.add({}, "populations", "The model has no [populations].");
    return;
  }
  for (const Section& entry : sections_of(c, section, "populations")) {
    const std::vector<std::string> names = member_names(c, entry);
    if (!expand(c, *entry.table, entry.path, names.size())) return;
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < names.size(); ++i) {
      bool active = true;
      members.push_back(parts.populations.size());
      parts.populations.push_back(read_population(c, entry, names[i], {names.size(), i}, active));
      parts.active.push_back(active);
      if (!parts.names.emplace(names[i], std::vector{members.back()}).second) {
        c.problems.add(
            entry.table->source(), entry.path,
            fmt::format("The name '{}' is used twice; names of populations and groups must "
                        "differ.",
                        names[i]));
      }
    }
    if (!entry.table->contains("names")) continue;
    if (!parts.names.emplace(entry.name, members).second) {
      c.problems.add(
          entry.table->source(), entry.path,
          fmt::format("The name '{}' is used twice; names of populations and groups must "
                      "differ.",
                      entry.name));
    }
  }
}

std::vector<std::size_t> read_population_names(ModelContext& c, const toml::node& node,
                                               const std::string& path, const ModelParts& parts,
                                               bool wanted) {
  std::vector<std::size_t> found;
  if (const toml::array* array = node.as_array()) {
    std::size_t index = 0;
    for (const toml::node& entry : *array) {
      const std::string entry_path = fmt::format("{}[{}]", path, index++);
      if (!entry.is_string()) {
        c.problems.add(entry.source(), entry_path,
                       "This must be the name of a population or group.");
        continue;
      }
      const auto some = read_population_names(c, entry, entry_path, parts, wanted);
      if (!expand(c, entry, entry_path, some.size())) return {};
      found.insert(found.end(), some.begin(), some.end());
    }
    if (array->empty()) c.problems.add(node.source(), path, "The list names no population.");
    return found;
  }
  const std::optional<std::string> name = read_text(c, node, path, {});
  if (!name) return {};
  const auto entry = parts.names.find(*name);
  if (entry == parts.names.end()) {
    std::vector<std::string> names;
    for (const auto& [known, members] : parts.names) names.push_back(known);
    c.problems.add_unknown(node.source(), path,
                           fmt::format("There is no population or group named '{}'.", *name), *name,
                           names);
    return {};
  }
  for (const std::size_t member : entry->second) {
    if (!wanted || parts.active[member]) continue;
    c.problems.add(node.source(), path,
                   fmt::format("Population '{}' is switched off by its 'when'; this "
                               "needs the same condition.",
                               parts.populations[member].name));
  }
  return entry->second;
}

std::vector<std::size_t> read_recorded_populations(ModelContext& c, const toml::node& node, const std::string& path,
                                                   const ModelParts& parts, bool wanted) {
  if (const toml::array* array = node.as_array(); array != nullptr && !array->empty()) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < array->size(); ++i) {
      const auto some = read_recorded_populations(c, *array->get(i), fmt::format("{}[{}]", path, i), parts, wanted);
      found.insert(found.end(), some.begin(), some.end());
    }
    return found;
  }
  const std::optional<std::string> text = node.is_string() ? read_text(c, node, path, {}) : std::nullopt;
  if (!text || parts.names.contains(*text)) return read_population_names(c, node, path, parts, wanted);
  std::vector<std::string> names;
  for (const Population& population : parts.populations) names.push_back(population.name);
  std::vector<std::size_t> found = select_populations(names, *text);
  if (found.empty()) {
    std::vector<std::string> known = with_areas(names);
    for (const auto& [name, members] : parts.names) known.push_back(name);
    c.problems.add_unknown(node.source(), path, fmt::format("There is no population, area or group named '{}'.", *text), *text, known);
  }
  std::erase_if(found, [&parts](std::size_t p) { return !parts.active[p]; });
  return found;
}

bool names_one(const toml::node& node, const ModelParts& parts) {
  const auto text = node.value_exact<std::string>();
  if (!text) return false;
  const auto entry = parts.names.find(*text);
  return entry != parts.names.end() && entry->second.size() == 1 &&
         parts.populations[entry->second[0]].name == *text;
}

std::optional<Dimension> weight_unit(const ModelContext& c, const Population& target) {
  const NeuronModel* model = c.models.find(target.model);
  if (model == nullptr) return std::nullopt;
  return unit_of(model->weight_unit);
}

std::vector<Section> sections_of(ModelContext& c, const toml::node* node, const std::string& path) {
  std::vector<Section> sections;
  if (node == nullptr) return sections;
  const toml::table* table = node->as_table();
  if (table == nullptr) {
    c.problems.add(node->source(), path,
                   fmt::format("'{}' must be a table of named tables.", path));
    return sections;
  }
  for (const auto& [key, entry] : in_file_order(*table)) {
    const std::string name(key->str());
    const std::string entry_path = path + "." + name;
    c.problems.remember(entry_path, key->source());
    if (const toml::table* inner = entry->as_table()) {
      sections.push_back({name, inner, entry_path});
    } else {
      c.problems.add(key->source(), entry_path, fmt::format("'{}' must be a table.", entry_path));
    }
  }
  return sections;
}

}  // namespace tessera::io
