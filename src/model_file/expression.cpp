// A recursive-descent evaluator with limits on length, depth and work: model files are untrusted.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "model_file/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

constexpr std::size_t kLongestExpression = 4096;
constexpr int kDeepestNesting = 96;

[[noreturn]] void fail(std::string message) { throw ExpressionError(std::move(message)); }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

double number_in(const Value& value, std::size_t i, const Dimension& unit) {
  return convert(value.numbers[value.is_list ? i : 0], value.dimension, unit);
}

class Evaluator {
 public:
  Evaluator(std::string_view text, const ExpressionScope& scope)
      : text_(text), scope_(scope), depth_(scope.depth != nullptr ? *scope.depth : own_depth_) {}

  Value whole() {
    Value value = any();
    skip_space();
    if (at_ < text_.size()) fail(fmt::format("unexpected '{}' {}", text_.substr(at_, 12), here()));
    return value;
  }

 private:
  // --- characters ---
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n'))
      ++at_;
  }
  bool take(std::string_view token) {
    skip_space();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void expect(std::string_view token) {
    if (!take(token)) fail(fmt::format("'{}' is missing {}", token, here()));
  }
  std::string here() const { return fmt::format("at character {}", at_ + 1); }
  std::string name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  // --- grammar, loosest binding first ---
  Value any() {
    const Nesting nesting(depth_);
    Value left = both();
    while (take("||")) {
      const bool right = truth(both(), "||");
      left = Value::of_truth(truth(left, "||") || right);
    }
    return left;
  }
  Value both() {
    Value left = comparison();
    while (take("&&")) {
      const bool right = truth(comparison(), "&&");
      left = Value::of_truth(truth(left, "&&") && right);
    }
    return left;
  }
  Value comparison() {
    Value left = sum();
    for (const std::string_view sign : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (take(sign)) return Value::of_truth(compare(left, sign, sum()));
    }
    return left;
  }
  Value sum() {
    Value left = product();
    for (;;) {
      if (take("+")) {
        left = combine_alike(left, product(), [](double a, double b) { return a + b; });
      } else if (take("-")) {
        left = combine_alike(left, product(), [](double a, double b) { return a - b; });
      } else {
        return left;
      }
    }
  }
  Value product() {
    Value left = signed_value();
    for (;;) {
      if (take("*")) {
        const Value right = signed_value();
        left = combine(left, right, left.dimension * right.dimension,
                       [](double a, double b) { return a * b; });
      } else if (take("/")) {
        const Value right = signed_value();
        left = combine(left, right, left.dimension / right.dimension,
                       [](double a, double b) { return a / b; });
      } else {
        return left;
      }
    }
  }
  Value signed_value() {
    const Nesting nesting(depth_);
    if (take("-")) {
      const Value value = number(signed_value(), "-");
      return map(value, value.dimension, [](double x) { return -x; });
    }
    if (take("+")) return number(signed_value(), "+");
    if (peek() == '!' && text_.substr(at_, 2) != "!=") {
      ++at_;
      return Value::of_truth(!truth(signed_value(), "!"));
    }
    return power();
  }
  Value power() {
    Value base = atom();
    if (!take("^")) return base;
    if (bare_quantity_) fail("put parentheses around a number with a unit before '^'");
    return raise(base, signed_value());
  }
  Value atom() {
    bare_quantity_ = false;
    const char c = peek();
    if (is_digit(c) || c == '.') return literal();
    if (c == '$') {
      ++at_;
      const std::string wanted = name();
      if (wanted.empty()) fail(fmt::format("a parameter's name must follow '$' {}", here()));
      Value value = scope_.look_up(wanted);
      spend(value.numbers.size());
      return value;
    }
    if (c == '\'') return quoted();
    if (take("(")) {
      Value value = any();
      expect(")");
      bare_quantity_ = false;
      return value;
    }
    if (is_letter(c)) return word();
    fail(c == '\0' ? "the expression ends where a value should follow"
                   : fmt::format("unexpected '{}' {}", c, here()));
  }
  Value literal() {
    double number = 0.0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), number);
    if (error != std::errc()) fail(fmt::format("a number that cannot be read {}", here()));
    at_ += static_cast<std::size_t>(end - begin);
    if (take("%")) return Value::of(number / 100.0);
    if (!is_letter(peek())) return Value::of(number);
    bare_quantity_ = true;
    return Value::of(number, unit(name()));
  }
  Value quoted() {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos)
      fail(fmt::format("a text without its closing quote {}", here()));
    Value value = Value::of_text(std::string(text_.substr(at_ + 1, end - at_ - 1)));
    at_ = end + 1;
    return value;
  }
  Value word() {
    const std::string found = name();
    if (peek() == '(') return call(found);
    if (found == "true" || found == "false") return Value::of_truth(found == "true");
    return Value::of(1.0, unit(found));
  }
  static Dimension unit(const std::string& found) {
    if (const auto dimension = find_unit(found)) return *dimension;
    fail(fmt::format("'{}' is not a unit; units are {} (parameters are written $name)", found,
                     known_units()));
  }

  // --- functions ---
  Value call(const std::string& function) {
    static const std::vector<std::string> kFunctions{"sqrt", "exp", "ln",  "round", "floor",
                                                     "ceil", "min", "max", "abs",   "if"};
    if (std::find(kFunctions.begin(), kFunctions.end(), function) == kFunctions.end()) {
      fail(fmt::format("there is no function '{}'.{}", function,
                       did_you_mean(function, kFunctions)));
    }
    const std::vector<Value> arguments = list_of_arguments();
    bare_quantity_ = false;
    const std::size_t wanted = function == "if"                         ? 3
                               : function == "min" || function == "max" ? 2
                                                                        : 1;
    if (arguments.size() != wanted) {
      fail(fmt::format("{} takes {} value{}, not {}", function, wanted, wanted == 1 ? "" : "s",
                       arguments.size()));
    }
    if (function == "if") return choose(arguments);
    if (function == "min" || function == "max") {
      const bool least = function == "min";
      return combine_alike(arguments[0], arguments[1], [least](double a, double b) {
        return least ? std::min(a, b) : std::max(a, b);
      });
    }
    return apply(function, number(arguments[0], function));
  }
  std::vector<Value> list_of_arguments() {
    expect("(");
    std::vector<Value> arguments;
    do {
      arguments.push_back(any());
    } while (arguments.size() < 8 && take(","));
    expect(")");
    return arguments;
  }
  Value choose(const std::vector<Value>& a) {
    if (a[1].type != a[2].type || !a[1].dimension.same_kind(a[2].dimension)) {
      fail(fmt::format("both values of if() must be of one kind, not {} and {}", describe(a[1]),
                       describe(a[2])));
    }
    return truth(a[0], "if") ? a[1] : a[2];
  }
  Value apply(const std::string& function, const Value& x) {
    if (function == "abs") return map(x, x.dimension, [](double v) { return std::abs(v); });
    if (function == "sqrt") {
      const Dimension& d = x.dimension;
      if (d.time % 2 != 0 || d.voltage % 2 != 0 || d.current % 2 != 0 || d.length % 2 != 0) {
        fail(fmt::format("sqrt of {} has no unit", describe(d)));
      }
      const Dimension from{0, d.time, d.voltage, d.current, d.length};
      return map(x, {0, d.time / 2, d.voltage / 2, d.current / 2, d.length / 2},
                 [&](double v) { return std::sqrt(convert(v, d, from)); });
    }
    if (!x.dimension.is_number()) {
      fail(fmt::format("{} needs a pure number, not one in {}; divide by a unit first", function,
                       describe(x.dimension)));
    }
    return map(x, {}, [&](double scaled) {
      const double v = convert(scaled, x.dimension, {});
      if (function == "exp") return std::exp(v);
      if (function == "ln") return std::log(v);
      if (function == "floor") return std::floor(v);
      return function == "ceil" ? std::ceil(v) : std::round(v);
    });
  }
  Value raise(const Value& base, const Value& exponent) {
    if (!number(exponent, "^").dimension.is_number()) fail("an exponent must be a pure number");
    if (number(base, "^").dimension.is_number()) {
      return combine(pure(base), pure(exponent), {},
                     [](double a, double b) { return std::pow(a, b); });
    }
    const double n = pure(exponent).numbers[0];
    if (exponent.is_list || !(std::abs(n) <= 8.0) || n != std::round(n)) {
      fail(fmt::format("a value in {} can only be raised to whole powers up to 8",
                       describe(base.dimension)));
    }
    const int whole = static_cast<int>(n);
    const Dimension& d = base.dimension;
    return map(
        base,
        {d.kilo * whole, d.time * whole, d.voltage * whole, d.current * whole, d.length * whole},
        [n](double v) { return std::pow(v, n); });
  }

  // --- values ---
  static const Value& number(const Value& value, std::string_view what) {
    if (value.type == Value::Type::number) return value;
    fail(fmt::format("'{}' needs a number, not {}", what, describe(value)));
  }
  static bool truth(const Value& value, std::string_view what) {
    if (value.type == Value::Type::truth) return value.truth;
    fail(fmt::format("'{}' needs true or false, not {}", what, describe(value)));
  }
  Value in_unit(const Value& x, const Dimension& unit) {
    return map(x, unit, [&](double v) { return convert(v, x.dimension, unit); });
  }
  Value pure(const Value& x) { return in_unit(x, {}); }
  bool compare(const Value& a, std::string_view sign, const Value& b) {
    const bool equality = sign == "==" || sign == "!=";
    if (a.type != b.type || !a.dimension.same_kind(b.dimension) || a.is_list || b.is_list ||
        (!equality && a.type != Value::Type::number)) {
      fail(fmt::format("cannot compare {} with {} by '{}'", describe(a), describe(b), sign));
    }
    if (a.type == Value::Type::text) return (a.text == b.text) == (sign == "==");
    if (a.type == Value::Type::truth) return (a.truth == b.truth) == (sign == "==");
    const double left = a.numbers[0], right = number_in(b, 0, a.dimension);
    if (equality) return (left == right) == (sign == "==");
    if (sign == "<") return left < right;
    if (sign == ">") return left > right;
    return sign == "<=" ? left <= right : left >= right;
  }
  template <class F>
  Value combine_alike(const Value& a, const Value& b, F f) {
    if (!number(a, "an operator").dimension.same_kind(number(b, "an operator").dimension)) {
      fail(fmt::format("cannot combine {} with {}", describe(a), describe(b)));
    }
    // The smaller unit keeps whole numbers whole: 1 s + 1 ms is exactly 1001 ms.
    const Dimension unit = a.dimension.kilo <= b.dimension.kilo ? a.dimension : b.dimension;
    return combine(in_unit(a, unit), in_unit(b, unit), unit, f);
  }
  template <class F>
  Value combine(const Value& a, const Value& b, const Dimension& dimension, F f) {
    number(a, "an operator");
    number(b, "an operator");
    if (!dimension.is_sane()) fail("the powers of units grow too large");
    if (a.is_list && b.is_list && (a.numbers.size() != b.numbers.size() || a.columns != b.columns)) {
      if (a.columns + b.columns > 0) fail(fmt::format("cannot combine {} with {}", describe(a), describe(b)));
      fail(fmt::format("cannot combine a list of {} numbers with one of {}", a.numbers.size(),
                       b.numbers.size()));
    }
    Value result;
    result.columns = std::max(a.columns, b.columns);
    result.is_list = a.is_list || b.is_list;
    result.dimension = dimension;
    result.numbers.resize(a.is_list ? a.numbers.size() : b.numbers.size());
    spend(result.numbers.size());
    for (std::size_t i = 0; i < result.numbers.size(); ++i) {
      result.numbers[i] = f(a.numbers[a.is_list ? i : 0], b.numbers[b.is_list ? i : 0]);
    }
    return result;
  }
  template <class F>
  Value map(const Value& x, const Dimension& dimension, F f) {
    if (!dimension.is_sane()) fail("the powers of units grow too large");
    spend(x.numbers.size());
    Value result = x;
    result.dimension = dimension;
    for (double& v : result.numbers) v = f(v);
    return result;
  }
  void spend(std::size_t numbers) {
    if (scope_.budget == nullptr) return;
    if (*scope_.budget < numbers) fail("the expressions of this file take too much work");
    *scope_.budget -= numbers;
  }

  struct Nesting {
    explicit Nesting(int& depth) : depth_(depth) {
      if (depth_ >= kDeepestNesting) fail("the expression is nested too deeply");
      ++depth_;
    }
    ~Nesting() { --depth_; }
    int& depth_;
  };

  std::string_view text_;
  const ExpressionScope& scope_;
  std::size_t at_ = 0;
  int own_depth_ = 0;
  int& depth_;
  bool bare_quantity_ = false;  // the last atom was "2 ms", where a power would be ambiguous
};

}  // namespace

Value Value::of(double number, const Dimension& dimension) {
  Value value;
  value.numbers = {number};
  value.dimension = dimension;
  return value;
}

Value Value::of(std::vector<double> numbers, const Dimension& dimension) {
  Value value;
  value.numbers = std::move(numbers);
  value.is_list = true;
  value.dimension = dimension;
  return value;
}

Value Value::of_text(std::string text) {
  Value value;
  value.type = Type::text;
  value.text = std::move(text);
  return value;
}

Value Value::of_truth(bool truth) {
  Value value;
  value.type = Type::truth;
  value.truth = truth;
  return value;
}

std::string shape_of(const Value& value) {
  return fmt::format("{} x {}", value.numbers.size() / value.columns, value.columns);
}

std::string describe(const Value& value) {
  if (value.type == Value::Type::text) return fmt::format("the text '{:.40}'", value.text);
  if (value.type == Value::Type::truth) return value.truth ? "true" : "false";
  const bool pure = value.dimension.is_number();
  const std::string unit = pure ? "" : " in " + describe(value.dimension);
  if (value.columns > 0) return fmt::format("a table of {} numbers{}", shape_of(value), unit);
  if (value.is_list) return fmt::format("a list of {} numbers{}", value.numbers.size(), unit);
  return pure ? "a number without a unit" : "a value" + unit;
}

Value evaluate(std::string_view text, const ExpressionScope& scope) {
  if (text.size() > kLongestExpression) {
    fail(fmt::format("the expression has {} characters; at most {} are read", text.size(),
                     kLongestExpression));
  }
  return Evaluator(text, scope).whole();
}

}  // namespace tessera::io
