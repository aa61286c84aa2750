// A single value with its unit, outside of a model file.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "model_file/expression.hpp"
#include "tessera/model_text.hpp"

namespace tessera {

double quantity(const std::string& text, const std::string& unit) {
  const std::optional<io::Dimension> wanted = io::find_unit(unit);
  if (!wanted) throw InputError(fmt::format("There is no unit '{}'. Units are {}.", unit, io::known_units()));
  const std::string what = wanted->is_number() ? "a number" : fmt::format("a value in {}", unit);
  const std::string shown = fmt::format("{:.60}", text);
  io::Value value;
  try {
    std::size_t budget = 10'000;
    int depth = 0;
    const auto no_names = [](const std::string& name) -> io::Value {
      throw io::ExpressionError(fmt::format("there is no parameter '{}' here", name));
    };
    value = io::evaluate(text, {no_names, &budget, &depth});
  } catch (const io::ExpressionError& error) {
    throw InputError(fmt::format("This must be {}, but in \"{}\": {}", what, shown, error.what()));
  }
  const bool single = value.type == io::Value::Type::number && !value.is_list;
  if (!single) throw InputError(fmt::format("This must be {}, not {}.", what, io::describe(value)));
  if (!value.dimension.same_kind(*wanted)) {
    const bool bare = value.dimension.is_number();
    throw InputError(fmt::format("This must be {}, but \"{}\" is {}{}.", what, shown, io::describe(value),
                                 bare ? fmt::format("; write the unit, for example \"1 {}\"", unit) : ""));
  }
  return io::convert(value.numbers[0], value.dimension, *wanted);
}

}  // namespace tessera
