// Mistakes in model files: each is named, placed at its line and column, and all are found at once.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "model_file/load.hpp"

namespace tessera {
namespace {

using test::complaints;
using test::contains;

// A valid model with places to put mistakes into.
struct Model {
  std::string top = "", parameters = "", population = "", projection = "", rest = "";
  std::string text() const {
    return top + "\n[parameters]\nw = \"10 pA\"\n" + parameters +
           "\n[populations.E]\nsize = 10\nmodel = \"iaf_psc_exp\"\n" + population +
           "\n[projections.p]\nsource = \"E\"\ntarget = \"E\"\n" +
           (projection.empty() ? "rule = \"all_to_all\"\nweight = \"$w\"\ndelay = 1" : projection) +
           "\n" + rest;
  }
};

void expect(const Model& model, const std::string& part) {
  EXPECT_TRUE(contains(complaints(model.text()), part)) << model.text();
}

// "m.toml:LINE:COLUMN" of the only place where `part` stands in a file.
std::string place(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  EXPECT_EQ(text.find(part, at + 1), std::string::npos) << part;
  const std::size_t line = std::count(text.begin(), text.begin() + static_cast<long>(at), '\n');
  const std::size_t start = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  return fmt::format("m.toml:{}:{}", line + 1, at - start + 1);
}

// The places of all problems of a file.
std::set<std::string> places(const std::string& text) {
  std::set<std::string> found;
  try {
    (void)test::parse(text);
  } catch (const InputError& error) {
    for (const Problem& problem : error.problems()) {
      found.insert(fmt::format("{}:{}:{}", problem.where.file, problem.where.line,
                               problem.where.column));
    }
  }
  return found;
}

// A mistake of every kind, each where others could hide it: the size of the populations, the ends of
// a projection, a parameter that is used, the length of the run.
TEST(Mistakes, TwelveOfAllKindsTakeOnePass) {
  const std::string text = R"(name = "twelve"
dt = "0.1 ms"
time = "1 sec"
discard = "100 ms"
sed = 3

[parameters]
w = "20 pA"
bad = "$w + 1 mV"

[populations.cells]
names = ["E", "I"]
size = [80, 20, 5]
model = "iaf_psc_exp"
parameters = { tau_m = "-3 ms", C_m = "250 nS" }
initial.V_m = { distribution = "normal", mean = "-60 mV", sd = "-2 mV" }

[populations.other]
size = 10
model = "iaf_psc_epx"

[projections.a]
source = "E"
target = "F"
rule = "fixed_indegree"
number = -7
weight = "$bad"
delay = "0.05 ms"

[stimuli.s]
kind = "poisson"
target = "cells"
rate = "-5 Hz"
weight = "$w"
)";
  const std::set<std::string> expected{
      place(text, "\"1 sec\""),       // no unit
      place(text, "sed = 3"),          // an unknown key
      place(text, "\"$w + 1 mV\""),   // an expression of two units
      place(text, "[80, 20, 5]"),      // a list of the wrong length
      place(text, "\"-3 ms\""),       // out of range
      place(text, "\"250 nS\""),      // the wrong unit
      place(text, "\"-2 mV\""),       // a distribution that does not exist
      place(text, "\"iaf_psc_epx\""),  // an unknown model
      place(text, "\"F\""),           // an unknown population
      place(text, "-7"),               // not a number of synapses
      place(text, "\"0.05 ms\""),     // below the time step
      place(text, "\"-5 Hz\"")};      // out of range
  EXPECT_EQ(expected.size(), 12u);
  EXPECT_EQ(places(text), expected) << complaints(text);
}

TEST(Mistakes, AnUnknownKindRuleOrDistributionHidesNothingBesideIt) {
  const std::string head = "[populations.E]\nsize = 10\nmodel = \"iaf_psc_exp\"\n";
  std::string text = head + R"([populations.P]
kind = "posson"
size = 5
rate = "3 ms"
[projections.p]
source = "E"
target = "E"
rule = "all_to_al"
number = 0.5
weight = { distribution = "nomal", mean = "1 mV", sd = "1 pA" }
delay = "-1 ms"
[stimuli.s]
kind = "curent"
target = "E"
amplitude = "1 nS"
[[recorders]]
population = "G"
interval = "0.15 ms"
)";
  const std::set<std::string> expected{
      place(text, "\"posson\""),    place(text, "\"3 ms\""),   place(text, "\"all_to_al\""),
      place(text, "0.5"),           place(text, "\"nomal\""),  place(text, "\"1 mV\""),
      place(text, "\"-1 ms\""),     place(text, "\"curent\""), place(text, "\"1 nS\""),
      place(text, "\"G\""),         place(text, "\"0.15 ms\"")};
  EXPECT_EQ(places(text), expected) << complaints(text);
}

TEST(Mistakes, WhatOnlyFollowsFromAMistakeIsNotTold) {
  const auto only = [](const std::string& text, const std::string& part) {
    EXPECT_EQ(places(text), std::set<std::string>{place(text, part)}) << complaints(text);
  };
  const std::string E = "[populations.E]\nsize = 10\nmodel = \"iaf_psc_exp\"\n";
  // The default dt of 0.1 ms does not divide 0.25 ms; the dt that was meant may.
  only("dt = \"0.05 mV\"\ntime = \"0.25 ms\"\n" + E, "\"0.05 mV\"");
  only("time = \"5 mV\"\ndiscard = \"2 s\"\n" + E, "\"5 mV\"");
  only(E + "[populations.I]\nsize = \"many\"\nmodel = \"iaf_psc_exp\"\n[projections.p]\nsource = "
           "\"E\"\ntarget = \"I\"\nrule = \"one_to_one\"\nweight = 1\ndelay = 1\n",
       "\"many\"");
  only(E + "[populations.I]\nsize = \"many\"\nmodel = \"iaf_psc_exp\"\n[projections.p]\nsource = "
           "\"E\"\ntarget = \"I\"\nrule = \"fixed_total_number\"\nprobability = 0.5\nweight = 1\n"
           "delay = 1\n",
       "\"many\"");
  only(E + "[stimuli.s]\nkind = \"step_current\"\ntarget = \"E\"\nsteps = [[\"5 mV\", 1], [3, 2]]\n",
       "\"5 mV\"");
}

TEST(Mistakes, TheModelIsValidWithoutThem) { EXPECT_EQ(complaints(Model{}.text()), ""); }

TEST(Mistakes, UnknownKeys) {
  expect({.top = "tme = \"1 s\""}, "m.toml:1:1 (tme): Unknown key 'tme'. Did you mean 'time'?");
  expect({.population = "sise = 3"},
         "(populations.E.sise): Unknown key 'sise'. Did you mean 'size'?");
  expect({.population = "rate = \"1 Hz\""}, "Unknown key 'rate'");
  expect({.population = "parameters = { tau_n = 3 }"}, "Did you mean 'tau_m'?");
  expect({.population = "initial.V_n = 3"}, "Did you mean 'V_m'?");
  expect({.rest = "[scaling]\nneuron = 1"}, "Did you mean 'neurons'?");
  expect({.rest = "[stimuli.s]\nkind = \"current\"\ntarget = \"E\"\namplitude = 3\nampl = 2"},
         "'ampl'");
  expect({.rest = "[[recorders]]\npopulation = \"E\"\nvar = \"V_m\""}, "Unknown key 'var'");
  expect({.parameters = "x = { value = 1, units = \"ms\" }"}, "Did you mean 'unit'?");
  expect({.rest = "[[projections.p.exceptions]]\nsource = \"E\"\nwheight = 3"},
         "Did you mean 'weight'?");
}

TEST(Mistakes, WrongUnits) {
  expect({.top = "dt = \"1 mV\""},
         "m.toml:1:6 (dt): This must be a value in ms, but \"1 mV\" is a value "
         "in mV.");
  expect({.top = "time = \"100\""}, "write the unit");
  expect({.top = "time = \"10 sec\""}, "'sec' is not a unit");
  expect({.population = "parameters = { C_m = \"250 nS\" }"}, "a value in pF, but \"250 nS\"");
  expect({.population = "initial.V_m = { distribution = \"normal\", mean = \"1 pA\", sd = 1 }"},
         "(populations.E.initial.V_m.mean)");
  expect({.population = "mean_rate = \"3 ms\""}, "a value in Hz");
}

TEST(Mistakes, WrongTypes) {
  expect({.top = "dt = true"}, "a value in ms, not true or false");
  expect({.top = "seed = -1"}, "whole number of 0 or more");
  expect({.top = "seed = 1.5"}, "whole number of 0 or more, not 1.5");
  expect({.top = "name = 3"}, "must be a text, not the number 3");
  expect({.top = "time = 1979-05-27"}, "not a date or time");
  expect({.top = "populations = 3"}, "This is not valid TOML");
  expect({.population = "inhibitory = 1"}, "true or false");
  expect({.population = "parameters = 4"}, "The parameters must be a table.");
  expect({.top = "recorders = [1]"}, "[[recorders]]");
  expect({.rest = "[stimuli]\ns = 3"}, "'stimuli.s' must be a table.");
}

TEST(Mistakes, Sizes) {
  for (const char* size : {"0", "-5", "2.5", "5000000000", "inf", "nan", "\"$w\"", "[1, 2]"}) {
    const std::string text =
        "[parameters]\nw = \"10 pA\"\n[populations.E]\nmodel = \"iaf_psc_exp\"\nsize = " +
        std::string(size);
    EXPECT_TRUE(contains(complaints(text), "m.toml:5:8 (populations.E.size)")) << size;
  }
}

TEST(Mistakes, Names) {
  expect({.rest = "[populations.\"a/b\"]\nsize = 1\nmodel = \"iaf_psc_exp\""},
         "cannot name a population");
  expect({.rest = "[populations.g]\nnames = [\"E\"]\nsize = 1\nmodel = \"iaf_psc_exp\""},
         "used twice");
  expect({.rest = "[populations.g]\nnames = []\nsize = 1\nmodel = \"iaf_psc_exp\""},
         "list of texts");
  expect({.population = "[populations.E]\nsize = 3"}, "This is not valid TOML");
  EXPECT_TRUE(
      contains(complaints("[populations.E]\nsize = 1\nmodel = \"iaf_psc_ex\""),
               "m.toml:3:9 (populations.E.model): There is no neuron model named 'iaf_psc_ex'. Did "
               "you mean 'iaf_psc_exp'?"));
  EXPECT_TRUE(contains(complaints("time = 1"), "no [populations]"));
}

TEST(Mistakes, Projections) {
  const std::string end = "\nweight = 1\ndelay = 1";
  expect({.projection = "rule = \"all_to_al\"" + end}, "Did you mean 'all_to_all'?");
  expect({.projection = "rule = \"fixed_indegree\"" + end}, "The key 'number' is missing.");
  expect({.projection = "rule = \"fixed_indegree\"\nnumber = -1" + end}, "0 or more, not -1");
  expect({.projection = "rule = \"fixed_indegree\"\nnumber = 11\nmultapses = false" + end},
         "(projections.p.number): The in-degree of 'p' is 11; without multapses it can be at most "
         "10.");
  expect({.projection = "rule = \"fixed_total_number\"" + end}, "either 'number' or 'probability'");
  expect({.projection = "rule = \"fixed_total_number\"\nprobability = 1" + end}, "infinitely many");
  expect({.projection = "rule = \"pairwise_bernoulli\"\nprobability = 1.5" + end},
         "from 0 to 1, not 1.5");
  expect({.projection = "rule = \"pairwise_bernoulli\"\nprobability = nan" + end}, "from 0 to 1");
  expect({.projection = "rule = \"gaussian_2d\"\nprobability = 1\nsigma = 1" + end},
         "no grid_columns");
  const std::string sheet = "grid_columns = 5\nextent = [\"1 mm\", \"1 mm\"]";
  const std::string all = "rule = \"all_to_all\"\nweight = 1\ndelay = ";
  expect({.population = "extent = [1, 1]"}, "no grid_columns");
  expect({.population = "periodic = true"}, "Only a grid can be periodic or not");
  expect({.population = "grid_columns = 5\nextent = \"1 mm\""}, "a list of two lengths");
  expect({.population = "grid_columns = 5\nextent = [1, 2, 3]"}, "a list of two lengths");
  expect({.population = "grid_columns = 5\nextent = [0, 0]"},
         "(populations.E.extent[0]): The extent must be above 0 mm, not 0.");
  expect({.population = "grid_columns = 5\nextent = [\"1 mm\", \"1 ms\"]"},
         "(populations.E.extent[1]): This must be a value in mm");
  expect({.population = sheet, .projection = all + "{ offset = 1 }"},
         "either 'velocity' or 'slope'");
  expect({.population = sheet, .projection = all + "{ velocity = 1, slope = 1 }"},
         "either 'velocity' or 'slope'");
  expect({.population = sheet, .projection = all + "{ velocity = 0 }"},
         "(projections.p.delay.velocity): The velocity must be above 0, not 0.");
  expect({.population = sheet, .projection = all + "{ velocity = \"1 ms\" }"}, "a value in mm/ms");
  expect({.population = sheet, .projection = all + "{ slope = 1, offst = 1 }"},
         "Did you mean 'offset'?");
  expect({.projection = all + "{ slope = 1 }"}, "population 'E' has no grid_columns");
  expect({.projection = "rule = \"explicit_list\""}, "either 'synapses' or 'file'");
  expect({.projection = "rule = \"explicit_list\"\nsynapses = [[1, 2, 3]]"},
         "(projections.p.synapses[0])");
  expect({.projection = "rule = \"explicit_list\"\nsynapses = [[1, 10, 3, 1]]"}, "do not exist");
  expect({.projection = "rule = \"all_to_all\"\nweight = 1\ndelay = \"0.05 ms\""},
         "(projections.p.delay): The delay of 'p' is 0.05 ms; it must be at least one time step, "
         "0.1 ms.");
  expect({.projection = "rule = \"all_to_all\"\nweight = inf\ndelay = 1"}, "finite");
  expect({.projection = "rule = \"all_to_all\"\nweight = 1"}, "The key 'delay' is missing.");
}

TEST(Mistakes, Distributions) {
  const auto weight = [](const std::string& w) {
    return Model{.projection = "rule = \"all_to_all\"\ndelay = 1\nweight = " + w};
  };
  expect(weight("{ mean = 1 }"), "The key 'distribution' is missing.");
  expect(weight("{ distribution = \"gauss\" }"),
         "Possible: uniform, normal, lognormal, exponential.");
  expect(weight("{ distribution = \"\" }"), "'' is not a possible value");
  expect(weight("{ distribution = \"normal\", mean = 1 }"), "The key 'sd' is missing.");
  expect(weight("{ distribution = \"normal\", mean = 1, sd = 1, relative_sd = 1 }"), "not both");
  expect(weight("{ distribution = \"normal\", mean = 1, sd = -1 }"), "0 or more");
  expect(weight("{ distribution = \"normal\", mean = 1, sd = 1, low = 90 }"), "redrawn forever");
  expect(weight("{ distribution = \"uniform\", mean = 1 }"), "Unknown key 'mean'");
}

TEST(Mistakes, Tables) {
  const auto table = [](const std::string& body) {
    return Model{
        .rest =
            "[populations.I]\nsize = 5\nmodel = \"iaf_psc_exp\"\n[projections.q]\nsource = [\"E\", "
            "\"I\"]\ntarget = [\"E\", \"I\"]\nrule = \"pairwise_bernoulli\"\nweight = 1\ndelay = "
            "1\n" +
            body};
  };
  expect(table("probability = [[0.1, 0.2]]"),
         "The list has 1 entry, but should have 2: one row per target.");
  expect(table("probability = [[0.1, 0.2], [0.3]]"), "(projections.q.probability[1])");
  expect(table("probability = [[0.1, 1.2], [0.3, 0]]"), "(projections.q.probability[0][1])");
  expect(table("probability = [0.1, 0.2]"), "a matrix");
  expect(table("probability = { by_source = [1] }"), "(projections.q.probability.by_source)");
  expect(table("probability = { excitatory = 1 }"), "The key 'inhibitory' is missing.");
  expect(table("probability = { by_sauce = 1 }"), "by_source, by_target");
  expect(table("probability = 0.1\n[[projections.q.exceptions]]\nsource = \"X\"\nweight = 1"),
         "named 'X'");
}

TEST(Mistakes, ListsOfNeuronsInGroups) {
  const std::string group = "[populations.g]\nnames = [\"A\", \"B\"]\nsize = 1\n";
  const std::string neurons = "model = \"iaf_psc_exp\"\n";
  const std::string part = "needs a table of its own";
  expect({.rest = group + neurons + "initial.V_m = { values = [1] }"}, part);
  expect({.rest = group + "kind = \"spike_train\"\nspikes = [[1, 0]]"}, part);
  expect(
      {.rest = group + neurons + "[stimuli.s]\nkind = \"current\"\ntarget = \"g\"\nvalues = [1]"},
      part);
  expect({.rest = group + neurons +
                  "[projections.l]\nsource = \"g\"\ntarget = \"E\"\nrule = "
                  "\"explicit_list\"\nsynapses = [[0, 0, 1, 1]]"},
         part);
}

TEST(Mistakes, Parameters) {
  expect({.parameters = "x = 1"}, "Parameter 'x' is never used");
  expect({.parameters = "a = \"$b\"\nb = \"$a\""}, "depends on itself");
  expect({.parameters = "a = \"$c\""}, "there is no parameter 'c'");
  expect({.parameters = "a = { value = 3, maximum = 2 }"}, "'a' is 3; it must be at most 2.");
  expect({.parameters = "a = { value = \"3 s\", minimum = \"5000 ms\" }"}, "at least 5000 ms");
  expect({.parameters = "a = { value = \"x\", choices = [\"y\"] }"}, "it can be y");
  expect({.parameters = "a = [1, \"2 ms\"]"}, "of one unit");
  expect({.parameters = "a = { unit = \"ms\" }"}, "needs a 'value'");
  expect({.parameters = "\"a b\" = 1"}, "letters, digits and '_'");
  std::string chain;
  for (int i = 10; i < 60; ++i) {
    chain += "x" + std::to_string(i) + " = \"$x" + std::to_string(i + 1) + "\"\n";
  }
  expect({.top = "seed = \"$x10\"", .parameters = chain + "x60 = 1"}, "over more than 32 steps");
}

TEST(Mistakes, Overrides) {
  const std::string text = Model{}.text();
  EXPECT_TRUE(contains(complaints(text, {{"v", "1"}}), "no parameter 'v'"));
  EXPECT_TRUE(
      contains(complaints(text, {{"w", "1 ms"}}), "'w' must be a value in pA, but '1 ms' is"));
  EXPECT_TRUE(contains(complaints(text, {{"w", ""}}), "the expression ends"));
  EXPECT_TRUE(contains(complaints(text, {{"w", "1/0 pA"}}), "'w'"));
  EXPECT_EQ(complaints(text, {{"w", "12"}}), "");
}

TEST(Mistakes, SwitchedOffPopulations) {
  expect({.rest = "[populations.X]\nwhen = \"false\"\nsize = 1\nmodel = "
                  "\"iaf_psc_exp\"\n[projections.x]\nsource "
                  "= \"X\"\ntarget = \"E\"\nrule = \"all_to_all\"\nweight = 1\ndelay = 1"},
         "Population 'X' is switched off by its 'when'");
  // Parts that are switched off are checked as well.
  expect({.rest = "[stimuli.s]\nwhen = \"false\"\nkind = \"current\"\ntarget = \"E\"\namplitude = "
                  "\"1 ms\""},
         "a value in pA");
}

TEST(Mistakes, AllAreFoundInOnePassInTheOrderOfTheFile) {
  Model model{.top = "dt = \"1 V\"\ntme = 3",
              .parameters = "x = \"$yy\"",
              .population = "parameters = { tau_n = 1 }",
              .rest = "[[recorders]]\npopulation = \"F\""};
  try {
    (void)test::parse(model.text());
    FAIL();
  } catch (const InputError& error) {
    ASSERT_EQ(error.problems().size(), 5u) << error.what();
    int line = 0;
    for (const Problem& p : error.problems()) {
      EXPECT_EQ(p.where.file, "m.toml");
      EXPECT_GT(p.where.line, line);
      line = p.where.line;
    }
  }
}

TEST(Mistakes, OneMistakeInATableIsNotRepeatedForEveryPair) {
  std::string names, sizes;
  for (int i = 0; i < 40; ++i) names += "\"p" + std::to_string(i) + "\", ";
  const std::string text =
      "[populations.g]\nnames = [" + names + "]\nsize = 3\nmodel = \"iaf_psc_exp\"\n" +
      "[projections.q]\nsource = \"g\"\ntarget = \"g\"\nrule = \"all_to_all\"\n" +
      "weight = \"1 ms\"\ndelay = \"0.01 ms\"\n";
  try {
    (void)test::parse(text);
    FAIL();
  } catch (const InputError& error) {
    // The unit once; the delay, which validation looks at pair by pair, by a few examples.
    EXPECT_LE(error.problems().size(), 5u) << error.what();
    EXPECT_EQ(places(text), (std::set<std::string>{place(text, "\"1 ms\""), place(text, "\"0.01 ms\"")}));
  }
  std::string delays = text;
  delays.replace(delays.find("1 ms"), 4, "1 pA");
  try {
    (void)test::parse(delays);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_LE(error.problems().size(), 5u) << error.what();
  }
}

TEST(Mistakes, HostileTextEndsInAnError) {
  const std::string deep(100000, '[');
  for (const std::string& text :
       {"a = " + deep, "[" + std::string(200000, 'a') + "]", std::string("\xff\xfe\x00", 3),
        std::string(), std::string(9 << 20, '#'), "a" + [] {
          std::string dots;
          for (int i = 0; i < 100000; ++i) dots += ".a";
          return dots;
        }() + " = 1"}) {
    EXPECT_NE(complaints(text), "");
  }
  std::string quoted = "[\"a\"";
  for (int i = 0; i < 100000; ++i) quoted += ".\".,\"";
  EXPECT_TRUE(contains(complaints(quoted + "]"), "more than 16 parts"));
}

TEST(Mistakes, OnlyTextsAndCommentsHoldOtherAlphabets) {
  EXPECT_TRUE(contains(complaints("a = 1\n\xc3\xa9 = 1"), "m.toml:2: Characters beyond ASCII"));
  EXPECT_EQ(complaints("\xef\xbb\xbf# \xc3\xa9\nname = \"\xc3\xa9\"\n" + Model{}.text()), "");
}

TEST(Mistakes, ATableHeaderNeedsAName) {
  for (const char* text : {"[#a]", "[[#a]]", "\n[=]", "[.a]"}) {
    EXPECT_TRUE(contains(complaints(text), "This is not valid TOML: Error while parsing")) << text;
  }
}

TEST(Mistakes, TooManyPairsAreRefusedBeforeTheyAreMade) {
  std::string names;
  for (int i = 0; i < 2000; ++i) names += "\"p" + std::to_string(i) + "\", ";
  EXPECT_TRUE(
      contains(complaints("[populations.g]\nnames = [" + names +
                          "]\nsize = 1\nmodel = \"iaf_psc_exp\"\n"
                          "[projections.q]\nsource = \"g\"\ntarget = \"g\"\nrule = \"all_to_all\"\n"
                          "weight = 1\ndelay = 1\n"),
               "more than 262144"));
}

}  // namespace
}  // namespace tessera
