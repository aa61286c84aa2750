// [projections.NAME]: one projection, or a table over all pairs of sources and targets.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "files/list_file.hpp"
#include "files/sonata_edges.hpp"
#include "model_file/parts.hpp"

namespace tessera::io {
namespace {

using Kind = ConnectivityRule::Kind;

const std::vector<std::string> kRules{"one_to_one",     "all_to_all",      "fixed_total_number",
                                      "fixed_indegree", "fixed_outdegree", "pairwise_bernoulli",
                                      "gaussian_2d",    "explicit_list"};

constexpr std::size_t kMostExceptionPairs = 20'000'000;

// Values that differ for some pairs of a table.
struct Exception {
  const toml::table* table = nullptr;
  std::string path;
  std::set<std::size_t> sources, targets;  // empty: all
  bool used = false;
  bool matches(std::size_t source, std::size_t target) const {
    return (sources.empty() || sources.contains(source)) &&
           (targets.empty() || targets.contains(target));
  }
};

std::vector<Exception> read_exceptions(ModelContext& c, const Section& section,
                                       const ModelParts& parts) {
  std::vector<Exception> exceptions;
  const toml::node* node = section.table->get("exceptions");
  if (node == nullptr) return exceptions;
  const std::string path = section.path + ".exceptions";
  const toml::array* array = node->as_array();
  if (array == nullptr || !array->is_homogeneous<toml::table>()) {
    c.problems.add(node->source(), path, "The exceptions must be a list of tables.");
    return exceptions;
  }
  std::size_t index = 0;
  for (const toml::node& entry : *array) {
    Exception e;
    e.table = entry.as_table();
    e.path = fmt::format("{}[{}]", path, index++);
    const auto select = [&](const char* key, std::set<std::size_t>& into) {
      const toml::node* names = e.table->get(key);
      if (names == nullptr) return;
      const auto found = read_population_names(c, *names, e.path + "." + key, parts, false);
      into.insert(found.begin(), found.end());
    };
    select("source", e.sources);
    select("target", e.targets);
    const toml::node* when = e.table->get("when");
    if (when != nullptr && !read_truth(c, *when, e.path + ".when", {}).value_or(true)) continue;
    exceptions.push_back(std::move(e));
  }
  return exceptions;
}

// Number of synapses that gives every pair of neurons the probability `p` of at least one, when
// they are drawn with multapses (Potjans and Diesmann 2014, eq. 1). log1p would be more exact in
// the last digits; plain logarithms give the counts of the published model (298,880,968 synapses in
// all).
double number_for_probability(double p, double sources, double targets) {
  const double pairs = sources * targets;
  if (p == 1.0 && pairs == 1.0) return 1.0;
  return p == 0.0 ? 0.0 : std::log(1.0 - p) / std::log((pairs - 1.0) / pairs);
}

std::optional<double> read_probability(TableReader& t, const Place& place) {
  const toml::node* node = t.need("probability");
  if (node == nullptr) return std::nullopt;
  Leaf leaf;
  const auto p = read_number(t.context(), *node, t.path_of("probability"), {}, place, &leaf);
  if (!p) return std::nullopt;
  if (*p >= 0.0 && *p <= 1.0) return p;
  t.context().problems.add(
      leaf.node->source(), leaf.path,
      fmt::format("The connection probability must be from 0 to 1, not {}.", *p));
  return std::nullopt;
}

void read_total_number(TableReader& t, const Place& place, const Population& source,
                       const Population& target, ConnectivityRule& rule) {
  const bool from_probability = t.has("probability");
  if (from_probability == t.has("number")) {
    t.allow("probability");
    t.allow("number");
    return t.complain("number", "fixed_total_number needs either 'number' or 'probability'.");
  }
  if (!from_probability) {
    rule.number = t.count("number", 0, place);
    return;
  }
  const std::optional<double> p = read_probability(t, place);
  if (!p) return;
  if (source.size == 0 || target.size == 0) {  // not known: reported there
    rule.number = 1;
    return;
  }
  const double number = number_for_probability(*p, source.size, target.size);
  if (number < 9.0e18) {
    rule.number = static_cast<std::uint64_t>(std::nearbyint(number));
  } else {
    t.complain("probability",
               "A probability of 1 would take infinitely many synapses drawn at random; "
               "use all_to_all or pairwise_bernoulli.");
  }
}

void add_synapse(TableReader& t, const char* key, const double* row, ConnectivityRule& rule) {
  const auto is_neuron = [](double x) {
    return x >= 0.0 && x < 4294967296.0 && x == std::floor(x);
  };
  if (!is_neuron(row[0]) || !is_neuron(row[1])) {
    return t.complain(key,
                      fmt::format("Synapse {} joins {} and {}, which are not numbers of neurons.",
                                  rule.list.size(), row[0], row[1]));
  }
  rule.list.push_back(
      {static_cast<std::uint32_t>(row[0]), static_cast<std::uint32_t>(row[1]), row[2], row[3]});
}

void read_inline_list(TableReader& t, const toml::node& node, const Dimension& unit,
                      ConnectivityRule& rule) {
  ModelContext& c = t.context();
  const toml::array* rows = node.as_array();
  if (rows == nullptr) {
    return t.complain("synapses",
                      "The synapses must be a list of [source, target, weight, delay].");
  }
  std::size_t index = 0;
  for (const toml::node& entry : *rows) {
    const std::string path = fmt::format("{}[{}]", t.path_of("synapses"), index++);
    const toml::array* row = entry.as_array();
    if (row == nullptr || row->size() != 4) {
      c.problems.add(entry.source(), path,
                     "A synapse is written as [source, target, weight, delay].");
      continue;
    }
    const Dimension units[4] = {{}, {}, unit, kMilliseconds};
    double values[4];
    bool good = true;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto value = read_number(c, *row->get(i), fmt::format("{}[{}]", path, i), units[i], {});
      good = good && value.has_value();
      values[i] = value.value_or(0.0);
    }
    if (good) add_synapse(t, "synapses", values, rule);
  }
}

// An edge population of a SONATA file. Where its edges have no weight or delay of their own, the projection has one for all.
void read_edges(TableReader& t, const std::filesystem::path& file, const Place& place, const std::optional<Dimension>& unit,
                ConnectivityRule& rule) {
  const SonataEdges edges = read_sonata_edges(file, t.text("population", ""));
  const auto value = [&](const char* key, const char* there, bool given, const Dimension& dimension) {
    if (!given) return t.needed_number(key, dimension, place).value_or(1.0);
    if (t.has(key)) t.complain(key, fmt::format("The edges of the file have a '{}' of their own.", there));
    t.allow(key);
    return 0.0;
  };
  const double weight = value("weight", "syn_weight", !edges.weight.empty(), unit.value_or(Dimension::of_any_kind()));
  const double delay = value("delay", "delay", !edges.delay_ms.empty(), kMilliseconds);
  rule.list.reserve(edges.source.size());
  for (std::size_t i = 0; i < edges.source.size(); ++i) {
    const double row[4] = {static_cast<double>(edges.source[i]), static_cast<double>(edges.target[i]),
                           edges.weight.empty() ? weight : edges.weight[i], edges.delay_ms.empty() ? delay : edges.delay_ms[i]};
    add_synapse(t, "file", row, rule);
  }
}

void read_explicit_list(TableReader& t, const Place& place, const std::optional<Dimension>& unit,
                        ConnectivityRule& rule) {
  const toml::node* synapses = t.get("synapses");
  const toml::node* file = t.get("file");
  if ((synapses == nullptr) == (file == nullptr)) {
    return t.complain("synapses", "explicit_list needs either 'synapses' or 'file'.");
  }
  if (!t.is_for_one(file != nullptr ? "file" : "synapses", place)) return;
  if (synapses != nullptr) {
    return read_inline_list(t, *synapses, unit.value_or(Dimension::of_any_kind()), rule);
  }
  try {
    const std::filesystem::path name = file_in_folder(t.context().folder, t.text("file", ""));
    if (name.extension() == ".h5" || name.extension() == ".hdf5") return read_edges(t, name, place, unit, rule);
    const std::vector<double> values = read_list_file(name, {"source", "target", "weight", "delay_ms"});
    rule.list.reserve(values.size() / 4);
    for (std::size_t i = 0; i + 3 < values.size(); i += 4) add_synapse(t, "file", &values[i], rule);
  } catch (const InputError& error) {
    t.complain("file", error.what());
  }
}

// Lengths of grids without an extent count in distances between neighbours.
Dimension length_unit(const Population& source) {
  if (source.size == 0) return Dimension::of_any_kind();  // not known
  return source.extent_mm[0] > 0.0 ? kMillimetres : Dimension{};
}

// { offset, velocity } or { offset, slope }: a delay that grows with the distance. False when the
// delay is something else.
bool read_distance_delay(TableReader& t, const Place& place, const Population& source,
                         Projection& p) {
  std::optional<TableReader> delay =
      t.table_with("delay", {"offset", "velocity", "slope"}, "distribution");
  if (!delay) return false;
  const Dimension length = length_unit(source);
  p.delay_ms = Distribution::constant(delay->number("offset", kMilliseconds, 0.0, place));
  const bool by_velocity = delay->has("velocity");
  if (by_velocity == delay->has("slope")) {
    delay->allow("velocity");
    delay->allow("slope");
    delay->complain("slope",
                    "A delay that grows with the distance needs either 'velocity' or 'slope'.");
  } else if (by_velocity) {
    const double velocity =
        delay->number("velocity", length.any ? length : length / kMilliseconds, 1.0, place);
    p.delay_slope = 1.0 / velocity;
    if (!(velocity > 0.0))
      delay->complain("velocity", fmt::format("The velocity must be above 0, not {}.", velocity));
  } else {
    p.delay_slope =
        delay->number("slope", length.any ? length : kMilliseconds / length, 0.0, place);
  }
  delay->done();
  return true;
}

ConnectivityRule read_rule(TableReader& t, const Place& place, const Population& source,
                           const Population& target, const std::optional<Dimension>& unit) {
  ConnectivityRule rule;
  if (t.need("rule") == nullptr) return rule;
  const std::string name = t.choice("rule", "", kRules);
  if (name.empty()) {
    using R = TableReader::Reading;
    if (t.has("probability")) (void)read_probability(t, place);
    if (t.has("synapses") && !t.has("file")) read_explicit_list(t, place, unit, rule);
    t.read_anyway({{"number", R::count, {}},
                   {"probability", R::nothing, {}},
                   {"sigma", R::number, {}},
                   {"autapses", R::truth, {}},
                   {"multapses", R::truth, {}},
                   {"synapses", R::nothing, {}},
                   {"file", R::nothing, {}}},
                  place);
    return {};
  }
  rule.kind = static_cast<Kind>(std::find(kRules.begin(), kRules.end(), name) - kRules.begin());
  switch (rule.kind) {
    case Kind::one_to_one:
      break;
    case Kind::all_to_all:
      break;
    case Kind::fixed_total_number:
      read_total_number(t, place, source, target, rule);
      break;
    case Kind::fixed_indegree:
    case Kind::fixed_outdegree:
      if (t.need("number") != nullptr) rule.number = t.count("number", 0, place);
      break;
    case Kind::gaussian_2d:
      rule.sigma = t.needed_number("sigma", length_unit(source), place).value_or(1.0);
      [[fallthrough]];
    case Kind::pairwise_bernoulli:
      rule.probability = read_probability(t, place).value_or(0.0);
      break;
    case Kind::explicit_list:
      read_explicit_list(t, place, unit, rule);
      break;
  }
  if (rule.kind != Kind::one_to_one && rule.kind != Kind::explicit_list) {
    rule.autapses = t.truth("autapses", true, place);
  }
  const bool fixed = rule.kind == Kind::fixed_total_number || rule.kind == Kind::fixed_indegree ||
                     rule.kind == Kind::fixed_outdegree;
  if (fixed) rule.multapses = t.truth("multapses", true, place);
  return rule;
}

bool makes_nothing(const ConnectivityRule& rule) {
  switch (rule.kind) {
    case Kind::fixed_total_number:
    case Kind::fixed_indegree:
    case Kind::fixed_outdegree:
      return rule.number == 0;
    case Kind::pairwise_bernoulli:
    case Kind::gaussian_2d:
      return rule.probability == 0.0;
    default:
      return false;
  }
}

// Reads one section: its ends, then every pair.
class ProjectionReader {
 public:
  ProjectionReader(ModelContext& c, const Section& section, ModelParts& parts)
      : c_(c), section_(section), parts_(parts) {}

  void read() {
    TableReader ends(c_, *section_.table, section_.path);
    active_ = ends.truth("when", true);
    const toml::node* source = ends.need("source");
    const toml::node* target = ends.need("target");
    const bool wanted = active_ && !c_.problems.is_spoiled(ends.path_of("when"));
    const auto names = [&](const toml::node* node, const char* key) {
      return node == nullptr ? std::vector<std::size_t>()
                             : read_population_names(c_, *node, ends.path_of(key), parts_, wanted);
    };
    sources_ = names(source, "source");
    targets_ = names(target, "target");
    if (!expand(c_, *section_.table, section_.path, sources_.size() * targets_.size())) return;
    single_ = source != nullptr && target != nullptr && names_one(*source, parts_) &&
              names_one(*target, parts_);
    exceptions_ = read_exceptions(c_, section_, parts_);
    if (exceptions_.size() * sources_.size() * targets_.size() > kMostExceptionPairs) {
      return ends.complain("exceptions",
                           "There are too many exceptions for this many pairs; write the "
                           "values as matrices.");
    }
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      for (std::size_t j = 0; j < sources_.size(); ++j) read_pair(i, j);
    }
    if (sources_.empty() || targets_.empty()) read_unknown_pair();
    for (const Exception& e : exceptions_) {
      if (e.used || sources_.empty() || targets_.empty()) continue;
      c_.problems.add(e.table->source(), e.path,
                      "This exception concerns no pair of the projection.");
    }
  }

 private:
  void read_pair(std::size_t i, std::size_t j) {
    const Population& target = parts_.populations[targets_[i]];
    const Population& source = parts_.populations[sources_[j]];
    TableReader t(c_, *section_.table, section_.path);
    for (const char* key : {"source", "target", "when", "exceptions", "about"}) t.allow(key);
    for (Exception& e : exceptions_) {
      if (!e.matches(sources_[j], targets_[i])) continue;
      t.put_in_front(*e.table, e.path);
      e.used = true;
    }
    const Place place{targets_.size(), i, sources_.size(), j, source.inhibitory};
    const std::optional<Dimension> unit = weight_unit(c_, target);
    Projection p;
    p.source = source.name;
    p.target = target.name;
    p.name = single_ ? section_.name : fmt::format("{}.{}->{}", section_.name, p.source, p.target);
    p.where = c_.problems.location(section_.table->source(), section_.path);
    p.rule = read_rule(t, place, source, target, unit);
    read_synapse(t, place, source, unit, p);
    t.done();
    const bool nothing = makes_nothing(p.rule) && !c_.problems.is_spoiled(t.path_of("number")) &&
                         !c_.problems.is_spoiled(t.path_of("probability"));
    if (active_ && (single_ || !nothing)) parts_.projections.push_back(std::move(p));
  }

  // An end is not known: the values are read all the same, for what is wrong with them.
  void read_unknown_pair() {
    TableReader t(c_, *section_.table, section_.path);
    for (const char* key : {"source", "target", "when", "exceptions", "about"}) t.allow(key);
    Place place{1, 0, 1, 0};
    place.unknown = true;
    std::optional<Dimension> unit;
    if (!targets_.empty()) unit = weight_unit(c_, parts_.populations[targets_[0]]);
    Projection p;
    if (!sources_.empty()) p.source = parts_.populations[sources_[0]].name;
    if (!targets_.empty()) p.target = parts_.populations[targets_[0]].name;
    p.name = section_.name;
    p.where = c_.problems.location(section_.table->source(), section_.path);
    const Population unknown;
    p.rule = read_rule(t, place, unknown, unknown, unit);
    read_synapse(t, place, unknown, unit, p);
    t.done();
    // Validation looks the ends up again; what it would say is said.
    if (sources_.empty()) c_.problems.spoil(section_.path + ".source");
    if (targets_.empty()) c_.problems.spoil(section_.path + ".target");
    if (active_) parts_.projections.push_back(std::move(p));
  }

  void read_synapse(TableReader& t, const Place& place, const Population& source,
                    const std::optional<Dimension>& unit, Projection& p) {
    read_plasticity(t, place, unit, p);
    read_rewiring(t, place, unit, p);
    if (p.rule.kind == Kind::explicit_list) return;
    if (t.need("weight") != nullptr) {
      p.weight = t.distribution("weight", unit.value_or(Dimension::of_any_kind()), place);
    }
    if (t.need("delay") == nullptr || read_distance_delay(t, place, source, p)) return;
    p.delay_ms = t.distribution("delay", kMilliseconds, place);
  }

  ModelContext& c_;
  const Section& section_;
  ModelParts& parts_;
  bool active_ = true, single_ = false;
  std::vector<std::size_t> sources_, targets_;
  std::vector<Exception> exceptions_;
};

}  // namespace

void read_projections(ModelContext& c, const toml::node* section, ModelParts& parts) {
  for (const Section& entry : sections_of(c, section, "projections")) {
    ProjectionReader(c, entry, parts).read();
  }
}

}  // namespace tessera::io
