// [stimuli.NAME] and [[recorders]].
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model_file/parts.hpp"

namespace tessera::io {
namespace {

void read_current(TableReader& t, const Place& place, std::vector<Stimulus>& made) {
  Stimulus& s = made.front();
  s.start_ms = t.number("start", kMilliseconds, 0.0, place);
  s.duration_ms = t.number("duration", kMilliseconds, HUGE_VAL, place);
  if (t.has("amplitude") == t.has("values")) {
    t.allow("values");
    t.allow("amplitude");
    return t.complain("amplitude",
                      "A current needs either 'amplitude' or 'values' (one per neuron).");
  }
  if (const toml::node* values = t.get("values")) {
    if (!t.is_for_one("values", place)) return;
    s.values = read_list(t.context(), *values, t.path_of("values"), kPicoamperes);
    if (s.values.empty()) t.complain("values", "The list has no valid entries.");
  } else {
    s.amplitude_pA = t.number("amplitude", kPicoamperes, 0.0, place);
  }
}

// Every step lasts until the next one; the last for ever.
void read_steps(TableReader& t, std::vector<Stimulus>& made) {
  ModelContext& c = t.context();
  const toml::node* node = t.need("steps");
  if (node == nullptr) return;
  const toml::array* rows = node->as_array();
  if (rows == nullptr || rows->empty()) {
    return t.complain("steps", "The steps must be a list of [time, amplitude].");
  }
  if (!expand(c, *node, t.path_of("steps"), rows->size())) return;
  const Stimulus pattern = made.front();
  made.clear();
  std::optional<double> before;  // start of the last step, when it could be read
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const std::string path = fmt::format("{}[{}]", t.path_of("steps"), i);
    const toml::array* row = rows->get(i)->as_array();
    if (row == nullptr || row->size() != 2) {
      c.problems.add(rows->get(i)->source(), path, "A step is written as [time, amplitude].");
      continue;
    }
    Stimulus s = pattern;
    s.name = fmt::format("{}.{}", pattern.name, i);
    const auto start = read_number(c, *row->get(0), path + "[0]", kMilliseconds, {});
    s.start_ms = start.value_or(0.0);
    s.amplitude_pA = read_number(c, *row->get(1), path + "[1]", kPicoamperes, {}).value_or(0.0);
    if (start && before) {
      made.back().duration_ms = s.start_ms - made.back().start_ms;
      if (!(made.back().duration_ms > 0.0)) {
        c.problems.add(row->source(), path, "Every step must begin after the one before it.");
      }
    }
    before = start;
    made.push_back(std::move(s));
  }
}

void read_poisson(TableReader& t, const Place& place, const std::optional<Dimension>& unit,
                  std::vector<Stimulus>& made) {
  Stimulus& s = made.front();
  s.kind = Stimulus::Kind::poisson;
  s.start_ms = t.number("start", kMilliseconds, 0.0, place);
  s.duration_ms = t.number("duration", kMilliseconds, HUGE_VAL, place);
  s.rate_hz = t.needed_number("rate", kHertz, place).value_or(0.0);
  if (t.need("weight") != nullptr) {
    s.weight = t.number("weight", unit.value_or(Dimension::of_any_kind()), 0.0, place);
  }
  s.delay_ms = t.number("delay", kMilliseconds, 0.0, place);
}

bool does_nothing(const Stimulus& s) {
  if (s.kind == Stimulus::Kind::poisson) return s.rate_hz == 0.0 || s.weight == 0.0;
  return s.values.empty() && s.amplitude_pA == 0.0;
}

// Every key that some kind has, as far as it can be judged.
void read_unknown_kind(TableReader& t, const Place& place) {
  using R = TableReader::Reading;
  t.read_anyway({{"start", R::number, kMilliseconds},
                 {"duration", R::number, kMilliseconds},
                 {"amplitude", R::number, kPicoamperes},
                 {"rate", R::number, kHertz},
                 {"weight", R::number, Dimension::of_any_kind()},
                 {"delay", R::number, kMilliseconds},
                 {"values", R::nothing, {}},
                 {"steps", R::nothing, {}}},
                place);
}

// Reads one section: its targets, then what it is for each of them.
class StimulusReader {
 public:
  StimulusReader(ModelContext& c, const Section& section, ModelParts& parts)
      : c_(c), section_(section), parts_(parts) {}

  void read() {
    TableReader ends(c_, *section_.table, section_.path);
    active_ = ends.truth("when", true);
    const toml::node* target = ends.need("target");
    const bool wanted = active_ && !c_.problems.is_spoiled(ends.path_of("when"));
    std::vector<std::size_t> targets;
    if (target != nullptr) {
      targets = read_population_names(c_, *target, ends.path_of("target"), parts_, wanted);
      single_ = names_one(*target, parts_);
    }
    if (!expand(c_, *section_.table, section_.path, targets.size())) return;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      read_for(&parts_.populations[targets[i]], {targets.size(), i});
    }
    if (!targets.empty()) return;
    // No target is known: the values are read all the same, for what is wrong with them.
    Place place;
    place.unknown = single_ = true;
    read_for(nullptr, place);
    c_.problems.spoil(section_.path + ".target");
  }

 private:
  void read_for(const Population* population, const Place& place) {
    TableReader t(c_, *section_.table, section_.path);
    for (const char* key : {"target", "when", "about"}) t.allow(key);
    std::vector<Stimulus> made(1);
    if (population != nullptr) made[0].target = population->name;
    made[0].name = single_ ? section_.name : section_.name + "." + made[0].target;
    made[0].where = c_.problems.location(section_.table->source(), section_.path);
    t.need("kind");
    const std::string kind = t.choice("kind", "", {"current", "step_current", "poisson"});
    if (kind == "current") read_current(t, place, made);
    if (kind == "step_current") read_steps(t, made);
    if (kind == "poisson") {
      const auto unit = population == nullptr ? std::nullopt : weight_unit(c_, *population);
      read_poisson(t, place, unit, made);
    }
    if (kind.empty()) read_unknown_kind(t, place);
    t.done();
    if (!active_ || kind.empty()) return;
    for (Stimulus& s : made) {
      if (single_ || !does_nothing(s)) parts_.stimuli.push_back(std::move(s));
    }
  }

  ModelContext& c_;
  const Section& section_;
  ModelParts& parts_;
  bool active_ = true, single_ = false;
};

// weights = "feed_forward": a recorder of weights. Its projections are checked when the whole network is there.
void read_weight_recorder(ModelContext& c, const toml::table& table, const std::string& path, ModelParts& parts) {
  using What = WeightRecording::What;
  TableReader t(c, table, path);
  const bool active = t.truth("when", true);
  const std::string what = t.choice("what", "sample", {"sample", "all", "histogram"});
  WeightRecording r;
  r.projection = t.text("weights", "");
  r.what = what == "all" ? What::all : what == "histogram" ? What::histogram : What::sample;
  const std::uint64_t usual = r.what == What::histogram ? 50 : 100;
  r.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(t.count("count", usual), 4294967295u));
  r.interval_ms = t.number("interval", kMilliseconds, 1.0);
  r.where = c.problems.location(table.source(), path);
  if (r.what == What::all && t.has("count")) t.complain("count", "All weights are recorded: there is no count.");
  if (active) parts.weight_recorders.push_back(r);
  t.done();
}

void read_recorder(ModelContext& c, const toml::table& table, const std::string& path,
                   ModelParts& parts) {
  if (table.contains("weights")) return read_weight_recorder(c, table, path, parts);
  TableReader t(c, table, path);
  const bool active = t.truth("when", true);
  StateRecorder r;
  r.variable = t.text("variable", "V_m");
  const bool spikes = r.variable == "spikes";
  if (spikes && t.has("interval")) t.complain("interval", "Spikes are recorded when they happen: there is no interval.");
  r.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(t.count("count", spikes ? SpikeSelection::kAll : 1), SpikeSelection::kAll));
  r.interval_ms = t.number("interval", kMilliseconds, 0.1);
  r.where = c.problems.location(table.source(), path);
  if (const toml::node* node = t.need("population")) {
    const auto named = read_recorded_populations(c, *node, t.path_of("population"), parts, active);
    if (!expand(c, table, path, named.size())) return;
    for (const std::size_t index : named) {
      r.population = parts.populations[index].name;
      if (active && spikes) parts.spike_recorders.push_back({r.population, r.count, r.where});
      if (active && !spikes) parts.recorders.push_back(r);
    }
    if (named.empty() && active && !spikes) parts.recorders.push_back(r);  // its other values can be checked
  }
  t.done();
}

}  // namespace

void read_stimuli(ModelContext& c, const toml::node* section, ModelParts& parts) {
  for (const Section& entry : sections_of(c, section, "stimuli")) {
    StimulusReader(c, entry, parts).read();
  }
}

void read_recorders(ModelContext& c, const toml::node* section, ModelParts& parts) {
  if (section == nullptr) return;
  const toml::array* array = section->as_array();
  if (array == nullptr || (!array->empty() && !array->is_homogeneous<toml::table>())) {
    c.problems.add(section->source(), "recorders", "The recorders must be tables: [[recorders]].");
    return;
  }
  std::size_t index = 0;
  for (const toml::node& node : *array) {
    const std::string path = fmt::format("recorders[{}]", index++);
    c.problems.remember(path, node.source());
    read_recorder(c, *node.as_table(), path, parts);
  }
}

}  // namespace tessera::io
