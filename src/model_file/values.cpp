// Single values of a model file: quantities, counts, truths, texts, lists.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "model_file/reader.hpp"

namespace tessera::io {
namespace {

// What a value of the file is, for messages.
std::string describe_node(const toml::node& node) {
  if (node.is_boolean()) return "true or false";
  if (node.is_array()) return "a list";
  if (node.is_table()) return "a table";
  if (node.is_string()) return fmt::format("the text \"{:.40}\"", *node.value<std::string>());
  if (node.is_number()) return fmt::format("the number {}", *node.value<double>());
  return "a date or time";
}

void complain(ModelContext& c, const toml::node& node, const std::string& path,
              std::string message) {
  c.problems.add(node.source(), path, std::move(message));
}

std::string wrong_length(std::size_t found, std::size_t wanted, const char* kind) {
  return fmt::format("The list has {} {}, but should have {}: one {}.", found,
                     found == 1 ? "entry" : "entries", wanted, kind);
}

std::string wanted_unit(const Dimension& unit) {
  return unit.is_number() ? "a number" : fmt::format("a value in {}", describe(unit));
}

// The value of an expression, or nothing after reporting what is wrong; evaluated once per file.
const std::optional<Value>& value_of(ModelContext& c, const toml::node& node,
                                     const std::string& path) {
  const auto [found, fresh] = c.evaluated.try_emplace(&node);
  if (!fresh) return found->second;
  if (const toml::table* table = node.as_table()) {
    if (const auto request = table_request(c, *table, path)) {
      try {
        found->second = c.parameters.files().numbers(*request);
      } catch (const InputError& error) {
        complain(c, node, path, error.what());
      }
    }
    return found->second;
  }
  const std::string text = *node.value<std::string>();
  try {
    found->second = c.parameters.evaluate(text);
  } catch (const ExpressionError& error) {
    const std::string message = error.what();
    if (message.empty()) {  // a parameter that was reported where it is written
      c.problems.spoil(path);
      return found->second;
    }
    const bool sentence = message.ends_with('.') || message.ends_with('?');
    complain(c, node, path, fmt::format("In \"{:.60}\": {}{}", text, message, sentence ? "" : "."));
  }
  return found->second;
}

// The entry of a value for a place, in the value's own unit.
std::optional<double> number_at(ModelContext& c, const toml::node& node, const std::string& path, const Value& value,
                                const Place& place) {
  if (!value.is_list || place.unknown) return value.numbers[0];
  if (value.columns > 0) {
    const std::size_t rows = value.numbers.size() / value.columns;
    if (place.is_pair() && rows == place.count && value.columns == place.sources) {
      return value.numbers[place.index * value.columns + place.source];
    }
    complain(c, node, path,
             place.is_pair() ? fmt::format("The table has {} numbers, but should have {} x {}: a row per target and a column per source.",
                                           shape_of(value), place.count, place.sources)
                             : fmt::format("The table has {} numbers, but this should be a list of {}: one entry per population.",
                                           shape_of(value), place.count));
    return std::nullopt;
  }
  if (place.is_pair()) {
    complain(c, node, path,
             "A list alone does not say whether it goes along the sources or the targets of "
             "the pairs; write { by_source = ... } or { by_target = ... }.");
    return std::nullopt;
  }
  if (value.numbers.size() != place.count) {
    complain(c, node, path, wrong_length(value.numbers.size(), place.count, "entry per population"));
    return std::nullopt;
  }
  return value.numbers[place.index];
}

std::optional<double> number_of(ModelContext& c, const toml::node& node, const std::string& path,
                                const Value& value, const Dimension& unit, const Place& place) {
  if (value.type != Value::Type::number) {
    complain(c, node, path,
             fmt::format("This must be {}, not {}.", wanted_unit(unit), describe(value)));
    return std::nullopt;
  }
  if (node.is_table() && value.dimension.is_number()) {  // numbers of a file count in the unit of their key
    return number_at(c, node, path, value, place);
  }
  if (!value.dimension.same_kind(unit)) {
    const bool missing = value.dimension.is_number();
    complain(
        c, node, path,
        fmt::format(
            "This must be {}, but {} is {}{}.", wanted_unit(unit),
            node.is_string() ? fmt::format("\"{:.60}\"", *node.value<std::string>()) : "the file's table", describe(value),
            missing ? fmt::format("; write the unit, for example \"1 {}\"", describe(unit)) : ""));
    return std::nullopt;
  }
  if (unit.any) return value.numbers[0];
  const std::optional<double> number = number_at(c, node, path, value, place);
  return number ? std::optional(convert(*number, value.dimension, unit)) : std::nullopt;
}

std::string element(const std::string& path, std::size_t index) {
  return fmt::format("{}[{}]", path, index);
}

std::optional<double> read_selected(ModelContext& c, const toml::table& table,
                                    const std::string& path, const Dimension& unit,
                                    const Place& place, Leaf* leaf);

// Every entry of a list or matrix whose shape cannot be judged; the first one stands for it.
std::optional<double> read_all(ModelContext& c, const toml::array& array, const std::string& path,
                               const Dimension& unit) {
  std::optional<double> first;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const toml::node& entry = *array.get(i);
    const toml::array* row = entry.as_array();
    for (std::size_t j = 0; row != nullptr && j < row->size(); ++j) {
      if (row->get(j)->is_array()) continue;  // too deep: told once the populations are known
      const auto value = read_number(c, *row->get(j), element(element(path, i), j), unit, {});
      if (!first) first = value;
    }
    if (row != nullptr) continue;
    const auto value = read_number(c, entry, element(path, i), unit, {});
    if (!first) first = value;
  }
  return first;
}

// The element of a list or matrix for a place, or null after reporting a wrong shape.
Leaf element_of(ModelContext& c, const toml::array& array, const std::string& path,
                const Place& place) {
  if (array.size() != place.count) {
    const char* kind = place.is_pair() ? "row per target" : "entry per population";
    complain(c, array, path, wrong_length(array.size(), place.count, kind));
    return {};
  }
  const toml::node* found = array.get(place.index);
  const std::string row_path = element(path, place.index);
  if (!place.is_pair()) return {found, row_path};
  const toml::array* row = found->as_array();
  if (row == nullptr) {
    complain(c, *found, row_path,
             "A table of pairs is a matrix: a list of rows (targets) of entries "
             "(sources).");
    return {};
  }
  if (row->size() != place.sources) {
    complain(c, *found, row_path, wrong_length(row->size(), place.sources, "entry per source"));
    return {};
  }
  return {row->get(place.source), element(row_path, place.source)};
}

// { by_source = ... }, { by_target = ... } or { excitatory = ..., inhibitory = ... }.
std::optional<double> read_selected(ModelContext& c, const toml::table& table,
                                    const std::string& path, const Dimension& unit,
                                    const Place& place, Leaf* leaf) {
  if (!place.is_pair() || !selects_by_pair(table)) {
    complain(c, table, path,
             place.is_pair()
                 ? "A table here holds by_source, by_target, or excitatory and inhibitory."
                 : fmt::format("This must be {}, not a table.", wanted_unit(unit)));
    return std::nullopt;
  }
  TableReader reader(c, table, path);
  if (const toml::node* node = reader.get("by_source")) {
    reader.done();
    Place along{place.sources, place.source};
    along.unknown = place.unknown;
    return read_number(c, *node, reader.path_of("by_source"), unit, along, leaf);
  }
  if (const toml::node* node = reader.get("by_target")) {
    reader.done();
    Place along{place.count, place.index};
    along.unknown = place.unknown;
    return read_number(c, *node, reader.path_of("by_target"), unit, along, leaf);
  }
  const toml::node* excitatory = reader.need("excitatory");
  const toml::node* inhibitory = reader.need("inhibitory");
  reader.done();
  if (excitatory == nullptr || inhibitory == nullptr) return std::nullopt;
  if (place.unknown) {
    (void)read_number(c, *inhibitory, reader.path_of("inhibitory"), unit, place, leaf);
    return read_number(c, *excitatory, reader.path_of("excitatory"), unit, place, leaf);
  }
  return place.source_inhibitory
             ? read_number(c, *inhibitory, reader.path_of("inhibitory"), unit, place, leaf)
             : read_number(c, *excitatory, reader.path_of("excitatory"), unit, place, leaf);
}

}  // namespace

std::optional<double> read_number(ModelContext& c, const toml::node& node, const std::string& path,
                                  const Dimension& unit, const Place& place, Leaf* leaf) {
  if (leaf != nullptr) *leaf = {&node, path};
  if (const auto number = node.value_exact<double>()) return number;
  if (const auto number = node.value_exact<std::int64_t>()) return static_cast<double>(*number);
  if (const toml::table* table = node.as_table(); table != nullptr && !is_table_file(node))
    return read_selected(c, *table, path, unit, place, leaf);
  if (const toml::array* array = node.as_array()) {
    if (place.unknown) return read_all(c, *array, path, unit);
    const Leaf e = element_of(c, *array, path, place);
    if (e.node == nullptr) return std::nullopt;
    if (!e.node->is_array()) return read_number(c, *e.node, e.path, unit, {}, leaf);
    complain(c, *e.node, e.path, "The list is nested too deeply.");
    return std::nullopt;
  }
  if (!node.is_string() && !node.is_table()) {
    complain(c, node, path,
             fmt::format("This must be {}, not {}.", wanted_unit(unit), describe_node(node)));
    return std::nullopt;
  }
  const std::optional<Value>& value = value_of(c, node, path);
  return value ? number_of(c, node, path, *value, unit, place) : std::nullopt;
}

std::optional<std::uint64_t> read_count(ModelContext& c, const toml::node& node,
                                        const std::string& path, const Place& place) {
  // Whole numbers of the file keep all their digits.
  if (const auto exact = node.value_exact<std::int64_t>(); exact && *exact >= 0) {
    return static_cast<std::uint64_t>(*exact);
  }
  const std::optional<double> number = read_number(c, node, path, {}, place);
  if (!number) return std::nullopt;
  if (!(*number >= 0.0 && *number <= 9.0e18) || *number != std::round(*number)) {
    complain(c, node, path,
             fmt::format("This must be a whole number of 0 or more, not {}.", *number));
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*number);
}

std::optional<bool> read_truth(ModelContext& c, const toml::node& node, const std::string& path,
                               const Place& place) {
  if (const auto truth = node.value_exact<bool>()) return truth;
  if (const toml::array* array = node.as_array(); array != nullptr && !place.is_pair()) {
    const Leaf e = element_of(c, *array, path, place);
    if (e.node == nullptr) return std::nullopt;
    if (!e.node->is_array()) return read_truth(c, *e.node, e.path, {});
  } else if (node.is_string()) {
    const std::optional<Value>& value = value_of(c, node, path);
    if (!value) return std::nullopt;
    if (value->type == Value::Type::truth) return value->truth;
  } else if (is_table_file(node)) {
    const std::optional<double> number = read_number(c, node, path, {}, place);
    if (!number) return std::nullopt;
    if (*number == 0.0 || *number == 1.0) return *number == 1.0;
    complain(c, node, path, fmt::format("The entry of the table must be 0 (false) or 1 (true), not {}.", *number));
    return std::nullopt;
  }
  complain(c, node, path,
           fmt::format("This must be true or false, or a condition such as \"$drive == "
                       "'dc'\", not {}.",
                       describe_node(node)));
  return std::nullopt;
}

std::optional<std::string> read_text(ModelContext& c, const toml::node& node,
                                     const std::string& path, const Place& place) {
  if (const toml::array* array = node.as_array(); array != nullptr && !place.is_pair()) {
    const Leaf e = element_of(c, *array, path, place);
    if (e.node == nullptr) return std::nullopt;
    if (!e.node->is_array()) return read_text(c, *e.node, e.path, {});
  }
  const auto text = node.value_exact<std::string>();
  if (!text) {
    complain(c, node, path, fmt::format("This must be a text, not {}.", describe_node(node)));
    return std::nullopt;
  }
  if (!text->starts_with('$') && !text->starts_with("if(")) return text;
  const std::optional<Value>& value = value_of(c, node, path);
  if (!value) return std::nullopt;
  if (value->type == Value::Type::text) return value->text;
  complain(c, node, path,
           fmt::format("This must be a text, but \"{:.60}\" is {}.", *text, describe(*value)));
  return std::nullopt;
}

std::vector<double> read_list(ModelContext& c, const toml::node& node, const std::string& path,
                              const Dimension& unit) {
  std::vector<double> numbers;
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    complain(c, node, path, fmt::format("This must be a list, not {}.", describe_node(node)));
    return numbers;
  }
  numbers.reserve(array->size());
  std::size_t index = 0;
  for (const toml::node& entry : *array) {
    if (entry.is_array() || entry.is_table()) {
      complain(c, entry, element(path, index),
               fmt::format("This must be {}, not {}.", wanted_unit(unit), describe_node(entry)));
      return {};
    }
    const auto number = read_number(c, entry, element(path, index), unit, {});
    numbers.push_back(number.value_or(0.0));
    ++index;
  }
  return numbers;
}

std::optional<TableRequest> table_request(ModelContext& c, const toml::table& table, const std::string& path) {
  try {
    return read_table_request(table, [&c](const std::string& text) { return c.parameters.text_of(text); });
  } catch (const ExpressionError& error) {
    const std::string message = error.what();
    if (message.empty()) c.problems.spoil(path);
    if (!message.empty()) complain(c, table, path, message + ".");
  } catch (const InputError& error) {
    complain(c, table, path, error.what());
  }
  return std::nullopt;
}

bool selects_by_pair(const toml::table& table) {
  return table.contains("file") || table.contains("by_source") || table.contains("by_target") ||
         table.contains("excitatory") || table.contains("inhibitory");
}

}  // namespace tessera::io
