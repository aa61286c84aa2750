// Machine files: reads the sections, then has the description validated.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "files/file.hpp"
#include "machine_file/builtin.hpp"
#include "model_file/reader.hpp"
#include "tessera/machine_description.hpp"

namespace tessera {
namespace io {
namespace {

constexpr Dimension kNs{-2, 1, 0, 0}, kUs{-1, 1, 0, 0}, kMs{0, 1, 0, 0}, kHz{-1, -1, 0, 0};

// A section of the file; an absent one has no keys.
class Section {
 public:
  Section(TableReader& top, const std::string& name)
      : reader_(top.context(), table_of(top, name), name) {}
  ~Section() { reader_.done(); }
  Section(const Section&) = delete;

  TableReader& operator*() { return reader_; }
  TableReader* operator->() { return &reader_; }
  void count(const std::string& key, std::uint64_t& value) { value = reader_.count(key, value); }
  void count(const std::string& key, std::uint32_t& value) {
    const std::uint64_t number = reader_.count(key, value);
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    if (number > kMost) return reader_.complain(key, fmt::format("It is {}; at most {} is possible.", number, kMost));
    value = static_cast<std::uint32_t>(number);
  }
  void number(const std::string& key, double& value, const Dimension& unit = {}) {
    value = reader_.number(key, unit, value);
  }
  void whole(const std::string& key, std::int32_t& value) {
    const double number = reader_.number(key, {}, value);
    constexpr double kMost = 1 << 24;
    if (!(number >= -kMost && number <= kMost) || number != static_cast<std::int32_t>(number))
      return reader_.complain(key, fmt::format("It is {}; it must be a whole number between -{} and {}.", number, kMost, kMost));
    value = static_cast<std::int32_t>(number);
  }
  void range(const std::string& key, MachineRange& range) {
    const toml::node* node = reader_.get(key);
    if (node == nullptr) return;
    const std::vector<double> ends = read_list(reader_.context(), *node, reader_.path_of(key), kUs);
    if (reader_.context().problems.is_spoiled(reader_.path_of(key))) return;
    if (ends.size() != 2) return reader_.complain(key, "A range is a list of two values: the lowest and the highest.");
    range = {ends[0], ends[1]};
  }

 private:
  static const toml::table& table_of(TableReader& top, const std::string& name) {
    static const toml::table kNone;
    const toml::node* node = top.get(name);
    if (node == nullptr) return kNone;
    if (const toml::table* table = node->as_table()) return *table;
    top.complain(name, fmt::format("[{}] must be a table.", name));
    return kNone;
  }
  TableReader reader_;
};

struct NamedVariation {
  const char* key;
  MachineVariation* variation;
  Dimension unit;
};

// Distributions by name; `on = false` switches all of them off, `off = [...]` single ones.
void read_variations(TableReader& top, const std::string& name, const std::vector<NamedVariation>& variations) {
  Section s(top, name);
  const bool on = s->truth("on", true);
  std::vector<std::string> names;
  for (const auto& [key, variation, unit] : variations) {
    names.emplace_back(key);
    variation->distribution = s->distribution(key, unit);
    variation->on = on;
  }
  const toml::node* off = s->get("off");
  if (off == nullptr) return;
  const toml::array* list = off->as_array();
  if (list == nullptr) return s->complain("off", "It must be a list of names, for example [\"threshold\"].");
  ModelContext& c = top.context();
  std::size_t index = 0;
  for (const toml::node& entry : *list) {
    const std::string path = fmt::format("{}[{}]", s->path_of("off"), index++);
    const auto word = read_text(c, entry, path, {});
    if (!word) continue;
    const auto found = std::find(names.begin(), names.end(), *word);
    if (found == names.end()) {
      c.problems.add_unknown(entry.source(), path, fmt::format("There is no variation '{}' here.", *word), *word, names);
    } else {
      variations[static_cast<std::size_t>(found - names.begin())].variation->on = false;
    }
  }
}

void read_limits(TableReader& top, MachineDescription& m) {
  Section c(top, "circuits");
  c->need("per_tile");
  c.count("tiles", m.circuits.tiles);
  c.count("per_tile", m.circuits.per_tile);
  c.count("fan_in", m.circuits.fan_in);
  c.count("signed_rows", m.circuits.signed_rows);
  c.count("join_at_most", m.circuits.join_at_most);
  c.count("join_multiple", m.circuits.join_multiple);
  Section memory(top, "memory");
  memory.count("bytes_per_tile", m.memory.bytes_per_tile);
  memory.count("bytes_per_chip", m.memory.bytes_per_chip);
  memory.number("bytes_per_neuron", m.memory.bytes_per_neuron);
  memory.number("bytes_per_synapse", m.memory.bytes_per_synapse);
  memory.count("synapses_per_tile", m.memory.synapses_per_tile);
  Section sources(top, "sources");
  sources.count("external", m.sources.external);
  sources.count("per_tile", m.sources.per_tile);
}

void read_arithmetic(TableReader& top, MachineDescription& m) {
  Section events(top, "events");
  events.number("clock", m.events.clock_ns, kNs);
  events.number("in_per_clock", m.events.in_per_clock);
  events.number("out_per_clock", m.events.out_per_clock);
  events.number("per_source_per_clock", m.events.per_source_per_clock);
  events.count("longest_delay", m.events.longest_delay);
  Section weights(top, "weights");
  weights.count("bits", m.weights.bits);
  weights.whole("lowest", m.weights.lowest);
  weights.whole("highest", m.weights.highest);
  Section constants(top, "time_constants");
  constants.range("membrane", m.time_constants.membrane_us);
  constants.range("synapse", m.time_constants.synapse_us);
  constants.range("refractory", m.time_constants.refractory_us);
  Section readout(top, "readout");
  readout.count("membranes", m.readout.membranes);
  readout.count("bits", m.readout.bits);
  readout.number("interval", m.readout.interval_us, kUs);
  readout.number("lowest", m.readout.lowest);
  readout.number("highest", m.readout.highest);
  Section times(top, "times");
  times.number("reconfiguration", m.times.reconfiguration_ms, kMs);
  times.number("section", m.times.section_ms, kMs);
  times.number("host", m.times.host_ms, kMs);
  times.number("events_per_second", m.times.events_per_second, kHz);
}

MachineDescription read_machine(const toml::table& file, ModelContext& c,
                                const std::vector<ParameterOverride>& overrides) {
  TableReader top(c, file, "");
  const toml::node* named = top.get("parameters");
  if (named != nullptr && !named->is_table()) top.complain("parameters", "[parameters] must be a table.");
  c.parameters.read(named == nullptr ? nullptr : named->as_table(), overrides);
  MachineDescription m;
  m.name = top.text("name", "");
  m.about = top.text("about", "");
  const std::uint64_t chips = top.count("chips", 1);
  m.chips = static_cast<std::uint32_t>(std::min<std::uint64_t>(chips, std::numeric_limits<std::uint32_t>::max()));
  m.speedup = top.number("speedup", {}, m.speedup);
  if (top.need("circuits") != nullptr) read_limits(top, m);
  read_arithmetic(top, m);
  auto& p = m.fixed_pattern;
  read_variations(top, "fixed_pattern",
                  {{"threshold", &p.threshold, {}},
                   {"leak", &p.leak, {}},
                   {"membrane_time_constant", &p.membrane_time_constant, {}},
                   {"synapse_time_constant", &p.synapse_time_constant, {}},
                   {"weight_gain", &p.weight_gain, {}}});
  auto& n = m.noise;
  read_variations(top, "noise", {{"threshold", &n.threshold, {}}, {"membrane", &n.membrane, {}}, {"spike_time", &n.spike_time_us, kUs}});
  top.done();
  if (c.problems.readable()) c.parameters.report_unused();
  Network named_values;  // which is where models keep their parameters
  c.parameters.list(named_values);
  m.parameters = std::move(named_values.parameters);
  m.choices = std::move(named_values.choices);
  for (Problem& problem : validate(m)) c.problems.add(std::move(problem));
  c.problems.raise();
  return m;
}

bool is_path(const std::string& text) { return text.find('/') != std::string::npos || text.ends_with(".toml"); }

}  // namespace
}  // namespace io

MachineDescription parse_machine(const std::string& text, const std::string& name,
                                 const std::vector<ParameterOverride>& overrides) {
  const toml::table file = io::parse_toml(text, name);
  for (const char* key : {"populations", "layer"}) {
    if (file.contains(key) && !file.contains("circuits"))
      throw InputError("'" + name + "' is a model, not a machine: it has no [circuits].");
  }
  io::ModelDiagnostics problems(name);
  io::ModelParameters parameters(problems);
  const NeuronCatalogue no_models;
  io::ModelContext context{problems, parameters, no_models, {}, {}, 0};
  return io::read_machine(file, context, overrides);
}

std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  for (const io::BuiltinMachine& machine : io::builtin_machines()) names.emplace_back(machine.name);
  return names;
}

MachineDescription load_machine(const std::string& name_or_path, const std::vector<ParameterOverride>& overrides) {
  if (io::is_path(name_or_path)) {
    const std::filesystem::path path(name_or_path);
    MachineDescription m = parse_machine(io::read_file(path, io::kLongestModelFile), path.string(), overrides);
    if (m.name.empty()) m.name = path.stem().string();
    m.file = name_or_path;
    return m;
  }
  for (const io::BuiltinMachine& machine : io::builtin_machines()) {
    if (machine.name != name_or_path) continue;
    MachineDescription m = parse_machine(std::string(machine.text), fmt::format("{}.toml", machine.name), overrides);
    m.name = name_or_path;
    return m;
  }
  const std::vector<std::string> names = machine_names();
  throw InputError(fmt::format("There is no machine '{}'.{} Built in are {}; a path ends with .toml or has a '/'.", name_or_path,
                               did_you_mean(name_or_path, names), fmt::join(names, ", ")));
}

}  // namespace tessera
