// Expressions and units against hand calculation, and their errors.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "model_file/expression.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace tessera::io {
namespace {

Value look_up(const std::string& name) {
  static const std::map<std::string, Value> kValues{{"w", Value::of(80.0, *find_unit("pA"))},
                                                    {"n", Value::of(3.0)},
                                                    {"list", Value::of({1.0, 2.0, 4.0}, {})},
                                                    {"mode", Value::of_text("dc")},
                                                    {"on", Value::of_truth(true)}};
  const auto found = kValues.find(name);
  if (found == kValues.end()) throw ExpressionError("there is no parameter '" + name + "'");
  return found->second;
}

Value value_of(const std::string& text) { return evaluate(text, {look_up, nullptr, nullptr}); }
double in(const std::string& unit, const std::string& text) {
  const Value v = value_of(text);
  EXPECT_TRUE(v.dimension.same_kind(*find_unit(unit))) << text << " is " << describe(v);
  return convert(v.numbers[0], v.dimension, *find_unit(unit));
}
std::string error_of(const std::string& text) {
  try {
    (void)value_of(text);
  } catch (const ExpressionError& error) {
    return error.what();
  }
  return "";
}

TEST(Expression, FollowsTheUsualPrecedence) {
  EXPECT_EQ(in("", "1 + 2 * 3"), 7.0);
  EXPECT_EQ(in("", "(1 + 2) * 3"), 9.0);
  EXPECT_EQ(in("", "8 / 4 / 2"), 1.0);
  EXPECT_EQ(in("", "10 - 4 - 3"), 3.0);
  EXPECT_EQ(in("", "-2 ^ 2"), -4.0);
  EXPECT_EQ(in("", "2 ^ 3 ^ 2"), 512.0);
  EXPECT_EQ(in("", "2 ^ -1"), 0.5);
  EXPECT_EQ(in("", "- -3"), 3.0);
  EXPECT_EQ(in("", "1e3 + .5"), 1000.5);
  EXPECT_EQ(in("", "25 %"), 0.25);
}

TEST(Expression, KnowsLengths) {
  EXPECT_EQ(in("mm", "150 um"), 0.15);
  EXPECT_EQ(in("mm", "0.004 m"), 4.0);
  EXPECT_EQ(in("mm/ms", "0.3 m/s"), 0.3);  // metres per second are millimetres per millisecond
  EXPECT_EQ(in("mm/ms", "300 um / ms"), 0.3);
  EXPECT_EQ(in("ms/mm", "3 s / m"), 3.0);
  EXPECT_EQ(in("ms", "2 mm / (0.5 m/s)"), 4.0);
  EXPECT_EQ(in("mm", "sqrt((3 mm)^2 + (4 mm)^2)"), 5.0);
  EXPECT_NE(error_of("1 mm + 1 ms"), "");
  EXPECT_NE(error_of("sqrt(2 mm)"), "");
}

TEST(Expression, ConvertsUnits) {
  EXPECT_EQ(in("ms", "1.5 ms"), 1.5);
  EXPECT_EQ(in("ms", "2 s"), 2000.0);
  EXPECT_EQ(in("ms", "500us"), 0.5);
  EXPECT_EQ(in("mV", "-0.065 V"), -65.0);
  EXPECT_EQ(in("pA", "0.5 nA"), 500.0);
  EXPECT_EQ(in("nS", "0.01 uS"), 10.0);
  EXPECT_EQ(in("pF", "0.25 nF"), 250.0);
  EXPECT_EQ(in("Hz", "8 Hz"), 8.0);
  EXPECT_EQ(in("Hz", "2 kHz"), 2000.0);
  EXPECT_EQ(in("Hz", "1/s"), 1.0);
  EXPECT_EQ(in("Hz", "3 / (10 ms)"), 300.0);
}

TEST(Expression, DerivesUnits) {
  EXPECT_EQ(in("nS", "250 pF / 10 ms"), 25.0);
  EXPECT_EQ(in("mV", "100 pA / (20 nS)"), 5.0);
  EXPECT_EQ(in("mV", "100 pA * 50 MOhm"), 5.0);
  EXPECT_EQ(in("", "8 Hz * 2 s"), 16.0);
  EXPECT_DOUBLE_EQ(in("pA", "8 Hz * 1000 * $w * 0.5 ms"), 320.0);
  EXPECT_EQ(in("ms", "sqrt((3 ms)^2 + 16 * ms * ms)"), 5.0);
  EXPECT_EQ(in("ms", "1 s + 1 ms"), 1001.0);
}

TEST(Expression, HasFunctions) {
  EXPECT_DOUBLE_EQ(in("", "exp(1)"), std::exp(1.0));
  EXPECT_DOUBLE_EQ(in("", "ln(2 s / (1 ms))"), std::log(2000.0));
  EXPECT_EQ(in("", "round(2.5) + floor(-0.5) + ceil(0.5)"), 3.0);
  EXPECT_EQ(in("ms", "min(2 s, 3 ms)"), 3.0);
  EXPECT_EQ(in("pA", "max(-$w, abs(-2 * $w))"), 160.0);
  EXPECT_EQ(in("mV", "if($mode == 'dc', 1 mV, 2 mV)"), 1.0);
}

TEST(Expression, ComparesAndCombinesTruths) {
  EXPECT_TRUE(value_of("$mode == 'dc' && 1 s > 999 ms").truth);
  EXPECT_FALSE(value_of("$mode != 'dc' || !$on").truth);
  EXPECT_TRUE(value_of("$n >= 3 && $n <= 3 && !($n < 3)").truth);
  EXPECT_TRUE(value_of("$on == true").truth);
}

TEST(Expression, TreatsListsElementByElement) {
  const Value v = value_of("2 * $list * $w + 1 pA");
  ASSERT_TRUE(v.is_list);
  EXPECT_EQ(v.numbers, (std::vector<double>{161.0, 321.0, 641.0}));
}

TEST(Expression, ExplainsMistakes) {
  EXPECT_EQ(error_of("1 +"), "the expression ends where a value should follow");
  EXPECT_EQ(error_of("(1"), "')' is missing at character 3");
  EXPECT_EQ(error_of("1 2"), "unexpected '2' at character 3");
  EXPECT_EQ(error_of("1 ms + 1 mV"), "cannot combine a value in ms with a value in mV");
  EXPECT_EQ(error_of("$nn"), "there is no parameter 'nn'");
  EXPECT_NE(error_of("3 mx").find("'mx' is not a unit"), std::string::npos);
  EXPECT_EQ(error_of("expp(1)"), "there is no function 'expp'. Did you mean 'exp'?");
  EXPECT_EQ(error_of("min(1)"), "min takes 2 values, not 1");
  EXPECT_NE(error_of("exp(1 ms)").find("pure number"), std::string::npos);
  EXPECT_NE(error_of("2 ms ^ 2").find("parentheses"), std::string::npos);
  EXPECT_NE(error_of("sqrt(1 ms)").find("sqrt"), std::string::npos);
  EXPECT_NE(error_of("'a' + 1").find("needs a number"), std::string::npos);
  EXPECT_NE(error_of("$mode == 1").find("cannot compare"), std::string::npos);
  EXPECT_NE(error_of("1 && 2").find("needs true or false"), std::string::npos);
  EXPECT_NE(error_of("if($on, 1 ms, 1 mV)").find("one kind"), std::string::npos);
  EXPECT_NE(error_of("1e999").find("cannot be read"), std::string::npos);
}

TEST(Expression, HasLimits) {
  EXPECT_EQ(error_of(std::string(1000, '(') + "1"), "the expression is nested too deeply");
  EXPECT_EQ(error_of(std::string(1000, '-') + "1"), "the expression is nested too deeply");
  EXPECT_NE(error_of(std::string(5000, ' ')).find("at most 4096"), std::string::npos);
  std::string powers = "1 ms";
  for (int i = 0; i < 200; ++i) powers += " * 1 ms";
  EXPECT_EQ(error_of(powers), "the powers of units grow too large");
  std::size_t budget = 10;
  EXPECT_THROW((void)evaluate("$list + $list + $list", {look_up, &budget, nullptr}),
               ExpressionError);
}

}  // namespace
}  // namespace tessera::io
