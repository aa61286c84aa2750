// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "model_file/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tessera::io {
namespace {
constexpr std::uint64_t kMostThings = 262144;
}  // namespace

bool expand(ModelContext& c, const toml::node& node, const std::string& path,
            std::uint64_t things) {
  c.expanded += things;
  if (things <= kMostThings && c.expanded <= kMostThings) return true;
  c.problems.add(node.source(), path,
                 fmt::format("The file makes more than {} populations, projections and stimuli.",
                             kMostThings));
  return false;
}

std::vector<std::pair<const toml::key*, const toml::node*>> in_file_order(
    const toml::table& table) {
  std::vector<std::pair<const toml::key*, const toml::node*>> entries;
  for (const auto& [key, node] : table) entries.emplace_back(&key, &node);
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    const toml::source_position x = a.first->source().begin, y = b.first->source().begin;
    return std::pair(x.line, x.column) < std::pair(y.line, y.column);
  });
  return entries;
}

TableReader::TableReader(ModelContext& context, const toml::table& table, std::string path)
    : context_(context) {
  layers_.push_back({&table, std::move(path)});
}

void TableReader::put_in_front(const toml::table& table, std::string path) {
  layers_.insert(layers_.begin(), {&table, std::move(path)});
}

const toml::node* TableReader::get(const std::string& key) {
  known_.push_back(key);
  for (const Layer& layer : layers_) {
    if (const toml::node* node = layer.table->get(key)) {
      const std::string path = layer.path.empty() ? key : layer.path + "." + key;
      context_.problems.remember(path, node->source());
      return node;
    }
  }
  return nullptr;
}

const toml::node* TableReader::need(const std::string& key) {
  const toml::node* node = get(key);
  if (node == nullptr) {
    context_.problems.add_harmless(source(), path(), fmt::format("The key '{}' is missing.", key));
    context_.problems.spoil(path().empty() ? key : path() + "." + key);
  }
  return node;
}

const TableReader::Layer* TableReader::layer_with(const std::string& key) const {
  for (const Layer& layer : layers_) {
    if (layer.table->contains(key)) return &layer;
  }
  return nullptr;
}

bool TableReader::has(const std::string& key) const { return layer_with(key) != nullptr; }

std::string TableReader::path_of(const std::string& key) const {
  const Layer* holder = layer_with(key);
  if (holder == nullptr) holder = &layers_.back();
  return holder->path.empty() ? key : holder->path + "." + key;
}

void TableReader::complain(const std::string& key, std::string message) {
  const Layer* holder = layer_with(key);
  if (holder == nullptr) {
    context_.problems.add(source(), path(), std::move(message));
  } else {
    context_.problems.add(holder->table->get(key)->source(), path_of(key), std::move(message));
  }
}

bool TableReader::is_for_one(const std::string& key, const Place& place) {
  if (place.count == 1 && place.sources <= 1) return true;
  complain(key,
           fmt::format("'{}' is about single neurons, so it needs a table of its own, not one of a "
                       "group or list of populations.",
                       key));
  return false;
}

void TableReader::done() {
  for (const Layer& layer : layers_) {
    for (const auto& [key, node] : *layer.table) {
      const std::string name(key.str());
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      std::vector<std::string> candidates = known_;
      std::sort(candidates.begin(), candidates.end());
      candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
      context_.problems.add_unknown(key.source(),
                                    layer.path.empty() ? name : layer.path + "." + name,
                                    fmt::format("Unknown key '{}'.", name), name, candidates, true);
    }
  }
}

double TableReader::number(const std::string& key, const Dimension& unit, double otherwise,
                           const Place& place) {
  const toml::node* node = get(key);
  if (node == nullptr) return otherwise;
  return read_number(context_, *node, path_of(key), unit, place).value_or(otherwise);
}

std::optional<double> TableReader::needed_number(const std::string& key, const Dimension& unit,
                                                 const Place& place) {
  const toml::node* node = need(key);
  if (node == nullptr) return std::nullopt;
  return read_number(context_, *node, path_of(key), unit, place);
}

std::uint64_t TableReader::count(const std::string& key, std::uint64_t otherwise,
                                 const Place& place) {
  const toml::node* node = get(key);
  if (node == nullptr) return otherwise;
  return read_count(context_, *node, path_of(key), place).value_or(otherwise);
}

bool TableReader::truth(const std::string& key, bool otherwise, const Place& place) {
  const toml::node* node = get(key);
  if (node == nullptr) return otherwise;
  return read_truth(context_, *node, path_of(key), place).value_or(otherwise);
}

std::string TableReader::text(const std::string& key, const std::string& otherwise,
                              const Place& place) {
  const toml::node* node = get(key);
  if (node == nullptr) return otherwise;
  return read_text(context_, *node, path_of(key), place).value_or(otherwise);
}

std::string TableReader::choice(const std::string& key, const std::string& otherwise,
                                const std::vector<std::string>& choices, const Place& place) {
  const toml::node* node = get(key);
  if (node == nullptr) return otherwise;
  const std::optional<std::string> found = read_text(context_, *node, path_of(key), place);
  if (!found) return otherwise;
  if (std::find(choices.begin(), choices.end(), *found) != choices.end()) return *found;
  context_.problems.add_unknown(node->source(), path_of(key),
                                fmt::format("'{}' is not a possible value of '{}'.", *found, key),
                                *found, choices);
  return otherwise;
}

void TableReader::read_anyway(const std::vector<Reading>& readings, const Place& place) {
  for (const Reading& reading : readings) {
    if (!has(reading.key)) {
      allow(reading.key);
      continue;
    }
    switch (reading.what) {
      case Reading::number:
        number(reading.key, reading.unit, 0.0, place);
        break;
      case Reading::count:
        count(reading.key, 0, place);
        break;
      case Reading::truth:
        truth(reading.key, false, place);
        break;
      case Reading::distribution:
        distribution(reading.key, reading.unit, place);
        break;
      case Reading::nothing:
        allow(reading.key);
        break;
    }
  }
}

namespace {

// The distribution that a table describes; its own keys only.
Distribution shape_of(TableReader& t, const std::string& kind, const Dimension& unit,
                      const Place& place) {
  if (kind == "uniform") {
    const auto from = t.needed_number("from", unit, place), to = t.needed_number("to", unit, place);
    return Distribution::uniform(from.value_or(0.0), to.value_or(1.0));
  }
  if (kind == "exponential") {
    return Distribution::exponential(t.needed_number("mean", unit, place).value_or(1.0));
  }
  if (kind == "lognormal") {
    const auto median = t.needed_number("median", unit, place);
    const auto sigma = t.needed_number("sigma", {}, place);
    if (!median || !sigma) return Distribution::constant(0.0);
    Distribution d = Distribution::lognormal(std::log(std::abs(*median)), *sigma);
    d.mirrored = *median < 0.0;
    return d;
  }
  const double mean = t.needed_number("mean", unit, place).value_or(0.0);
  const bool relative = t.get("relative_sd") != nullptr;
  if (relative && t.get("sd") != nullptr) {
    t.complain("sd", "Give either sd or relative_sd, not both.");
  }
  const double sd = relative ? std::abs(mean) * t.number("relative_sd", {}, 0.0, place)
                             : t.needed_number("sd", unit, place).value_or(0.0);
  Distribution d = Distribution::normal(mean, sd);
  if (!t.truth("keep_sign", false, place) || mean == 0.0) return d;
  return mean > 0.0 ? d.within(0.0, HUGE_VAL) : d.within(-HUGE_VAL, 0.0);
}

}  // namespace

Distribution TableReader::distribution(const std::string& key, const Dimension& unit,
                                       const Place& place) {
  const toml::node* node = get(key);
  if (node == nullptr) return Distribution::constant(0.0);
  // Exceptions may change single keys of a distribution that is written further back.
  std::vector<std::pair<const toml::table*, std::string>> parts;
  for (const Layer& layer : layers_) {
    const toml::node* part = layer.table->get(key);
    if (part == nullptr) continue;
    const toml::table* table = part->as_table();
    if (table == nullptr || selects_by_pair(*table)) {
      if (parts.empty()) {
        const auto value = read_number(context_, *part, layer.path + "." + key, unit, place);
        return Distribution::constant(value.value_or(0.0));
      }
      break;
    }
    parts.emplace_back(table, layer.path + "." + key);
    if (table->contains("distribution")) break;
  }
  TableReader reader(context_, *parts.back().first, parts.back().second);
  for (std::size_t i = parts.size() - 1; i-- > 0;) {
    reader.put_in_front(*parts[i].first, parts[i].second);
  }
  static const std::vector<std::string> kKinds{"uniform", "normal", "lognormal", "exponential"};
  if (reader.need("distribution") == nullptr) return Distribution::constant(0.0);
  const std::string kind = reader.choice("distribution", "", kKinds);
  if (kind.empty()) {
    using R = Reading;
    reader.read_anyway({{"from", R::number, unit}, {"to", R::number, unit},
                        {"mean", R::number, unit}, {"median", R::number, unit},
                        {"sd", R::number, unit}, {"sigma", R::number, {}},
                        {"relative_sd", R::number, {}}, {"low", R::number, unit},
                        {"high", R::number, unit}, {"keep_sign", R::truth, {}}},
                       place);
    reader.done();
    return Distribution::constant(0.0);
  }
  Distribution d = shape_of(reader, kind, unit, place);
  d = d.within(reader.number("low", unit, -HUGE_VAL, place),
               reader.number("high", unit, HUGE_VAL, place));
  reader.done();
  return d;
}

std::optional<TableReader> TableReader::table_with(const std::string& key,
                                                   const std::vector<std::string>& own,
                                                   const std::string& foreign) {
  std::optional<TableReader> reader;
  bool found = false;
  for (auto layer = layers_.begin(); layer != layers_.end(); ++layer) {
    const toml::node* part = layer->table->get(key);
    if (part == nullptr) continue;
    const toml::table* table = part->as_table();
    if (table == nullptr || selects_by_pair(*table) || table->contains(foreign)) break;
    const std::string path = layer->path + "." + key;
    if (reader) {
      reader->layers_.push_back({table, path});
    } else {
      reader.emplace(context_, *table, path);
    }
    found = found || std::any_of(own.begin(), own.end(),
                                 [table](const std::string& k) { return table->contains(k); });
  }
  if (!found) return std::nullopt;
  known_.push_back(key);
  return reader;
}

std::optional<TableReader> TableReader::tables(const std::string& key, const std::string& last) {
  std::optional<TableReader> reader;
  if (get(key) == nullptr) return std::nullopt;
  for (const Layer& layer : layers_) {
    const toml::node* part = layer.table->get(key);
    if (part == nullptr) continue;
    const std::string path = layer.path + "." + key;
    const toml::table* table = part->as_table();
    if (table == nullptr) {
      if (part->value_exact<bool>() != std::optional(false)) {
        context_.problems.add(part->source(), path,
                              fmt::format("The {} must be a table, or false for none.", key));
      }
      break;
    }
    if (reader) {
      reader->layers_.push_back({table, path});
    } else {
      reader.emplace(context_, *table, path);
    }
    if (table->contains(last)) break;
  }
  return reader;
}

std::vector<std::string> TableReader::keys() const {
  std::vector<std::string> keys;
  for (const Layer& layer : layers_) {
    for (const auto& [key, node] : *layer.table) keys.emplace_back(key.str());
  }
  return keys;
}

}  // namespace tessera::io
