// Small arithmetic in model files: "-4 * $w", "8 Hz * $K_ext", "$drive == 'dc'". Checks units.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "files/units.hpp"

namespace tessera::io {

/// What an expression is worth: one number or a list of numbers with a unit, a text, or a truth.
struct Value {
  enum class Type { number, text, truth };
  Type type = Type::number;
  std::vector<double> numbers{0.0};
  bool is_list = false;
  std::size_t columns = 0;  ///< of a matrix, whose rows follow each other; 0: no matrix
  Dimension dimension;
  std::string text;
  bool truth = false;

  static Value of(double number, const Dimension& dimension = {});
  static Value of(std::vector<double> numbers, const Dimension& dimension);
  static Value of_text(std::string text);
  static Value of_truth(bool truth);
};
/// "a number", "a list of 8 numbers in pA", "the text 'dc'", for messages.
[[nodiscard]] std::string describe(const Value& value);
/// "254 x 254", of a matrix.
[[nodiscard]] std::string shape_of(const Value& value);

/// A sentence about an expression that makes no sense; "" when it was reported already.
class ExpressionError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Where an expression gets "$name" from, and how much work it may still do. `look_up` throws
/// ExpressionError for names it does not know.
struct ExpressionScope {
  std::function<Value(const std::string&)> look_up;
  std::size_t* budget = nullptr;  ///< numbers that may still be computed
  int* depth = nullptr;           ///< nesting, shared by expressions that look up each other
};

/// Evaluates an expression. Grammar, loosest first: ||, &&, comparisons, + -, * /, unary - + !, ^;
/// numbers with units ("1.5 ms"), units alone ("1/s"), 'text', true, false, $name, parentheses, and
/// the functions sqrt exp ln round floor ceil min max abs if(condition, a, b). Lists combine
/// element by element. Throws ExpressionError.
[[nodiscard]] Value evaluate(std::string_view text, const ExpressionScope& scope);

}  // namespace tessera::io
