// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "model_file/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tessera::io {
namespace {

constexpr std::size_t kMostParameters = 1000;
constexpr std::size_t kLongestList = 4096;
constexpr int kLongestChain = 32;

bool is_identifier(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), good);
}

}  // namespace

void ModelParameters::read(const toml::table* table,
                           const std::vector<ParameterOverride>& overrides, int ranks) {
  if (table != nullptr) {
    if (table->size() > kMostParameters) {
      problems_.add(table->source(), "parameters",
                    fmt::format("There are {} parameters; at most {} are "
                                "possible.",
                                table->size(), kMostParameters));
      return;
    }
    for (const auto& [key, node] : *table) {
      problems_.remember("parameters." + std::string(key.str()), node.source());
      read_entry(std::string(key.str()), node);
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  for (const auto& [name, text] : overrides) {
    if (const auto entry = entries_.find(name); entry != entries_.end()) {
      entry->second.given = text;
    } else {
      problems_.add_unknown({}, "",
                            fmt::format("The model has no parameter '{}' that could be set.", name),
                            name, names, true);
    }
  }
  const auto own = entries_.find("ranks");
  if (ranks > 1 && own != entries_.end() && !own->second.given) own->second.given = std::to_string(ranks);
  for (auto& [name, entry] : entries_) settle(name, entry);
}

void ModelParameters::read_entry(const std::string& name, const toml::node& node) {
  Entry entry;
  entry.path = "parameters." + name;
  entry.node = entry.whole = &node;
  if (!is_identifier(name)) {
    problems_.add(node.source(), entry.path,
                  "A parameter's name consists of letters, digits and '_', at most 64 of them.");
    return;
  }
  if (const toml::table* table = node.as_table()) read_details(entry, *table);
  entries_.emplace(name, std::move(entry));
}

void ModelParameters::read_details(Entry& entry, const toml::table& table) {
  static const std::vector<std::string> kKeys{"value",   "unit",    "choices",
                                              "minimum", "maximum", "about"};
  if (is_table_file(table)) return;  // read when it is settled
  entry.node = nullptr;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const auto text = node.value<std::string>();
    const auto wrong = [&, &place = node](const char* wanted) {
      problems_.add(place.source(), entry.path + "." + name,
                    fmt::format("'{}' must be {}.", name, wanted));
    };
    if (name == "value") {
      entry.node = &node;
    } else if (name == "unit") {
      if (text && find_unit(*text))
        entry.unit = *text;
      else
        wrong(("one of " + known_units()).c_str());
    } else if (name == "about") {
      if (!text) wrong("a text");
    } else if (name == "minimum" || name == "maximum") {
      std::optional<std::string> bound = text;
      if (const auto number = node.value<double>()) bound = fmt::format("{}", *number);
      if (!bound) wrong("a number or a quantity such as \"1 ms\"");
      (name == "minimum" ? entry.minimum : entry.maximum) = bound;
    } else if (name == "choices") {
      const toml::array* array = node.as_array();
      if (array == nullptr || array->empty() || !array->is_homogeneous<std::string>()) {
        wrong("a list of texts");
        continue;
      }
      for (const toml::node& choice : *array) entry.choices.push_back(*choice.value<std::string>());
    } else {
      problems_.add_unknown(key.source(), entry.path + "." + name,
                            fmt::format("Unknown key '{}' of a parameter.", name), name, kKeys,
                            true);
    }
  }
  if (entry.node == nullptr) {
    problems_.add(table.source(), entry.path, "The parameter needs a 'value'.");
    entry.state = Entry::State::bad;
  }
}

Value ModelParameters::evaluate(std::string_view expression) {
  const ExpressionScope scope{[this](const std::string& name) { return look_up(name); }, &budget_,
                              &nesting_};
  return io::evaluate(expression, scope);
}

std::string ModelParameters::text_of(const std::string& expression) {
  const Value value = evaluate(expression);
  if (value.type == Value::Type::text) return value.text;
  throw ExpressionError(fmt::format("'{}' must be a text, not {}", expression, describe(value)));
}

Value ModelParameters::look_up(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    std::vector<std::string> names;
    for (const auto& [known, entry] : entries_) names.push_back(known);
    throw ExpressionError(
        fmt::format("there is no parameter '{}'.{}", name, did_you_mean(name, names)));
  }
  Entry& entry = found->second;
  entry.used = true;
  if (entry.state == Entry::State::working) {
    throw ExpressionError(fmt::format("parameter '{}' depends on itself", name));
  }
  if (chain_ >= kLongestChain) {
    throw ExpressionError(
        fmt::format("parameters depend on each other over more than {} steps", kLongestChain));
  }
  settle(name, entry);
  if (entry.state == Entry::State::bad) throw ExpressionError("");  // reported when it was settled
  return entry.value;
}

void ModelParameters::settle(const std::string& name, Entry& entry) {
  if (entry.state != Entry::State::waiting) return;
  entry.state = Entry::State::working;
  ++chain_;
  try {
    const Value standard = default_of(entry);
    entry.written = standard.dimension;
    entry.value = entry.given ? overridden(name, entry, standard) : standard;
    check(name, entry);
    entry.state = Entry::State::good;
  } catch (const ExpressionError& error) {
    entry.state = Entry::State::bad;
    complain(name, entry, error.what());
  }
  --chain_;
}

Value ModelParameters::number_of(const Entry& entry, const toml::node& node) {
  const Dimension unit = entry.unit ? *find_unit(*entry.unit) : Dimension{};
  if (const auto number = node.value<double>()) return Value::of(*number, unit);
  if (const auto text = node.value<std::string>()) return evaluate(*text);
  throw ExpressionError("a list may hold numbers and expressions only");
}

Value ModelParameters::default_of(const Entry& entry) {
  const toml::node& node = *entry.node;
  if (is_table_file(node)) {
    try {
      return files_.numbers(read_table_request(*node.as_table(), [this](const std::string& text) { return text_of(text); }, {"about"}));
    } catch (const InputError& error) {
      throw ExpressionError(error.what());
    }
  }
  if (const auto truth = node.value_exact<bool>()) return Value::of_truth(*truth);
  if (const toml::array* array = node.as_array()) return list_of(entry, *array);
  if (!entry.choices.empty()) {
    if (const auto text = node.value<std::string>()) return Value::of_text(*text);
    throw ExpressionError("a parameter with choices must be a text");
  }
  if (!node.is_number() && !node.is_string()) {
    throw ExpressionError(
        "a parameter is a number, a quantity such as \"1.5 ms\", an expression, a list "
        "of these, a text with choices, or true or false");
  }
  return number_of(entry, node);
}

Value ModelParameters::list_of(const Entry& entry, const toml::array& array) {
  if (array.empty() || array.size() > kLongestList) {
    throw ExpressionError(fmt::format("a list has 1 to {} entries", kLongestList));
  }
  std::vector<double> numbers;
  Dimension dimension;
  for (const toml::node& node : array) {
    const Value value = number_of(entry, node);
    if (numbers.empty()) dimension = value.dimension;
    if (value.type != Value::Type::number || value.is_list ||
        !value.dimension.same_kind(dimension)) {
      throw ExpressionError("the entries of a list must be single numbers of one unit");
    }
    numbers.push_back(convert(value.numbers[0], value.dimension, dimension));
  }
  return Value::of(std::move(numbers), dimension);
}

// What an override means depends on what the default is: its type, and its unit for bare numbers.
Value ModelParameters::overridden(const std::string& name, const Entry& entry,
                                  const Value& standard) {
  const std::string& text = *entry.given;
  if (standard.type == Value::Type::text) return Value::of_text(text);
  if (standard.type == Value::Type::truth) {
    if (text == "true" || text == "false") return Value::of_truth(text == "true");
    throw ExpressionError(fmt::format("'{}' must be true or false, not '{}'", name, text));
  }
  Value value = evaluate(text);
  const bool bare = value.dimension.is_number() && text.find('$') == std::string::npos;
  if (value.type == Value::Type::number && bare) {
    const Dimension pure;
    for (double& number : value.numbers) number = convert(number, value.dimension, pure);
    value.dimension = standard.dimension;
    // A bare number counts in the unit that the default is written in.
  }
  if (value.type != Value::Type::number || !value.dimension.same_kind(standard.dimension)) {
    throw ExpressionError(fmt::format("'{}' must be {}, but '{}' is {}", name, describe(standard),
                                      text, describe(value)));
  }
  return value;
}

void ModelParameters::check(const std::string& name, const Entry& entry) {
  const Value& value = entry.value;
  if (value.type == Value::Type::text) {
    if (entry.choices.empty()) return;  // any text
    if (std::find(entry.choices.begin(), entry.choices.end(), value.text) == entry.choices.end()) {
      throw ExpressionError(fmt::format("'{}' is not a possible value of '{}'; it can be {}.{}",
                                        value.text, name, fmt::join(entry.choices, ", "),
                                        did_you_mean(value.text, entry.choices)));
    }
    return;
  }
  if (value.type != Value::Type::number) return;
  for (const double number : value.numbers) {
    if (!std::isfinite(number))
      throw ExpressionError(fmt::format("'{}' is not a finite number", name));
  }
  const auto bound = [&](const std::optional<std::string>& text, bool lower) {
    if (!text) return;
    Value limit = evaluate(*text);
    if (limit.dimension.is_number()) limit.dimension = entry.written;
    if (limit.type != Value::Type::number || limit.is_list ||
        !limit.dimension.same_kind(value.dimension)) {
      throw ExpressionError(fmt::format("the bound '{}' of '{}' must be {}", *text, name,
                                        describe(Value::of(0.0, value.dimension))));
    }
    const double edge = convert(limit.numbers[0], limit.dimension, value.dimension);
    for (const double number : value.numbers) {
      if (lower ? number >= edge : number <= edge) continue;
      throw ExpressionError(fmt::format("'{}' is {}; it must be at {} {}", name, number,
                                        lower ? "least" : "most", *text));
    }
  };
  bound(entry.minimum, true);
  bound(entry.maximum, false);
}

void ModelParameters::complain(const std::string& name, const Entry& entry,
                               const std::string& message) {
  if (message.empty()) return;
  const bool sentence = message.ends_with('.') || message.ends_with('?');
  problems_.add(entry.given ? toml::source_region{} : entry.whole->source(), entry.path,
                fmt::format("Parameter '{}'{}: {}{}", name,
                            entry.given ? fmt::format(" (set to '{:.60}')", *entry.given) : "",
                            message, sentence ? "" : "."));
}

void ModelParameters::report_unused() {
  for (const auto& [name, entry] : entries_) {
    if (entry.used) continue;
    problems_.add_harmless(
        entry.whole->source(), entry.path,
        fmt::format("Parameter '{}' is never used; refer to it as ${} or remove it.", name, name));
  }
}

void ModelParameters::list(Network& network) const {
  for (const auto& [name, entry] : entries_) {
    const Value& value = entry.value;
    if (value.type == Value::Type::text) network.choices[name] = value.text;
    if (value.type == Value::Type::truth) network.parameters[name] = value.truth ? 1.0 : 0.0;
    if (value.type != Value::Type::number) continue;
    if (value.columns > 0) {  // of tables, the report has the size
      network.choices[name] = describe(value);
      continue;
    }
    for (std::size_t i = 0; i < value.numbers.size(); ++i) {
      network.parameters[value.is_list ? fmt::format("{}[{}]", name, i) : name] = value.numbers[i];
    }
  }
}

}  // namespace tessera::io
