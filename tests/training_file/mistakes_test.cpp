// Mistakes in training files: all of them at once, each where it is, each with what would be right.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <set>

#include "training_file/load.hpp"

namespace tessera::training {
namespace {

using test::complaints;
using test::contains;
using test::count_of_problems;
using test::kData;
using test::kHidden;
using test::kOutput;

TEST(TrainingMistakes, AModelToSimulateIsToldItsCommand) {
  try {
    (void)parse_training_model("[populations.E]\nsize = 5\nmodel = \"iaf_psc_exp\"\n", "model.toml",
                               {});
    FAIL() << "a simulation model was read as a training file";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("tessera run model.toml"), std::string::npos)
        << error.what();
  }
}

TEST(TrainingMistakes, AreReportedAllAtOnceWithTheirPlaces) {
  const std::string text = R"([data]
set = "yin_yang"
[data.encoder]
steps = 0.5
colour = 3
[[layer]]
name = "hidden"
size = -4
tau_mem = "0 ms"
treshold = 1.2
surrogate = "superspyke"
[[layer]]
name = "output"
neuron = "readout"
size = 3
reset = "zero"
[optimizer]
learning_rate = nan
[schedule]
kind = "cosine"
step_epochs = 3
[training]
batch = 0
epochs = "three"
)";
  const std::string all = complaints(text);
  EXPECT_TRUE(contains(all, "t.toml:4:9 (data.encoder.steps)"));
  EXPECT_TRUE(contains(all, "Unknown key 'colour'"));
  EXPECT_TRUE(contains(all, "t.toml:8:8 (layer[0].size)"));
  EXPECT_TRUE(contains(all, "t.toml:9:11 (layer[0].tau_mem): A time constant must be above 0 ms"));
  EXPECT_TRUE(contains(all, "Did you mean 'threshold'?"));
  EXPECT_TRUE(contains(all, "Did you mean 'superspike'?"));
  EXPECT_TRUE(contains(all, "t.toml:16:9 (layer[1].reset): 'reset' has no effect here: a readout"));
  EXPECT_TRUE(contains(all, "t.toml:18:17 (optimizer.learning_rate)"));
  EXPECT_TRUE(contains(all, "t.toml:21:15 (schedule.step_epochs): 'step_epochs' has no effect"));
  EXPECT_TRUE(contains(all, "t.toml:23:9 (training.batch)"));
  EXPECT_TRUE(contains(all, "t.toml:24:10 (training.epochs)"));
  EXPECT_EQ(count_of_problems(text), 11u) << all;
}

TEST(TrainingMistakes, TwelveOfAllKindsTakeOnePass) {
  const std::string text = R"([parameters]
n = "3 +"
[data]
set = "yin_yang"
[data.encoder]
steps = 0.5
dt = "2 mV"
colour = 3
[[layer]]
name = "hidden"
size = "$n"
tau_mem = [5, 10, 20]
threshold = -1
surrogate = "superspyke"
connection = { kind = "sparse", density = 2 }
[[layer]]
name = "output"
neuron = "readout"
size = 3
reset = "zero"
[optimizer]
learning_rate = nan
[training]
batch = 0
epochs = "three"
)";
  std::set<std::string> found;
  try {
    (void)test::parse(text);
  } catch (const InputError& error) {
    for (const Problem& problem : error.problems()) {
      found.insert(std::to_string(problem.where.line) + ":" + std::to_string(problem.where.column));
    }
  }
  // An expression, a count, a unit, an unknown key, a list of the wrong length, a range, an unknown
  // name, another range, a key without effect, not a number, not enough, not a number at all.
  const std::set<std::string> expected{"2:5",  "6:9",   "7:6",   "8:1",  "12:11", "13:13",
                                       "14:13", "15:43", "20:9", "22:17", "24:9",  "25:10"};
  EXPECT_EQ(expected.size(), 12u);
  EXPECT_EQ(found, expected) << complaints(text);
}

TEST(TrainingMistakes, WhatOnlyFollowsFromAMistakeIsNotTold) {
  const auto problems = [](const std::string& text) { return count_of_problems(text); };
  // A readout that is misspelt is no reason to doubt the loss.
  EXPECT_EQ(problems(kData + kHidden +
                     "[[layer]]\nname = \"o\"\nneuron = \"readuot\"\nsize = 3\n"), 1u);
  // The step that 1.5 ms should be a multiple of is not known.
  EXPECT_EQ(problems("[data]\nset = \"yin_yang\"\n[data.encoder]\nbias = true\ndt = \"1 mV\"\n" +
                     std::string("[[layer]]\nname = \"a\"\nsize = 3\nconnection = { density = 0.5, "
                                 "max_delay = \"1.5 ms\" }\n") + kOutput), 1u);
}

TEST(TrainingMistakes, ShapesThatDoNotMatchAreBothNamed) {
  const std::string all = complaints(kData + kHidden + R"(
[[layer]]
name = "output"
neuron = "readout"
size = 7
)");
  EXPECT_TRUE(contains(all, "7"));
  EXPECT_TRUE(contains(all, "3"));
  EXPECT_TRUE(contains(all, "t.toml:14:8 (layer[1].size)"));
}

TEST(TrainingMistakes, WhatValidationFindsIsPlacedAtTheKeysOfTheFile) {
  const std::string all = complaints(kData + R"([[layer]]
name = "hidden"
size = 30
alpha = 1.5
steepness = -1
connection = { kind = "sparse", density = 2 }
max_activity = 0.001
)" + kOutput + R"([schedule]
kind = "cosine"
final_fraction = 2
[training]
validation = 1.5
)");
  for (const char* place :
       {"(layer[0].alpha)", "(layer[0].steepness)", "(layer[0].connection.density)",
        "(layer[0].max_activity)", "(schedule.final_fraction)", "(training.validation)"}) {
    EXPECT_TRUE(contains(all, place));
  }
  // Every one of them knows its line.
  EXPECT_TRUE(contains(all, "t.toml:9:9 (layer[0].alpha)"));
  EXPECT_TRUE(contains(all, "capacity"));
}

TEST(TrainingMistakes, AMistakeInTheDataHidesNoMistakeElsewhere) {
  const std::string all = complaints("[data]\nset = \"ying_yang\"\n" + kHidden + kOutput +
                                     "[optimizer]\nlearning_rate = -1\n");
  EXPECT_TRUE(contains(all, "Did you mean 'yin_yang'?"));
  EXPECT_TRUE(contains(all, "(optimizer.learning_rate)"));
}

TEST(TrainingMistakes, KeysWithoutEffectAreRefused) {
  const auto layer = [](const std::string& lines) {
    return complaints(kData + "[[layer]]\nname = \"a\"\n" + lines + kOutput);
  };
  EXPECT_TRUE(contains(layer("size = 3\ntau_syn = 5\n"), "only synaptic_lif"));
  EXPECT_TRUE(contains(layer("size = 3\nrho = 0.9\n"), "only adaptive_lif"));
  EXPECT_TRUE(contains(layer("size = 3\nconnection = { max_delay = 5 }\n"), "only sparse"));
  EXPECT_TRUE(contains(layer("size = 3\nrecurrent = { kind = \"dense\", density = 0.5 }\n"),
                       "dense connections have all synapses"));
  EXPECT_TRUE(contains(layer("size = 3\npooling = \"sum\"\n"), "no pool"));
  const auto section = [](const std::string& lines) {
    return complaints(kData + kHidden + kOutput + lines);
  };
  EXPECT_TRUE(contains(section("[optimizer]\nmomentum = 0.9\n"), "only sgd"));
  EXPECT_TRUE(contains(section("[optimizer]\nkind = \"sgd\"\nbeta1 = 0.9\n"), "only adamw"));
  EXPECT_TRUE(contains(section("[loss]\ncount_true = 1\n"), "spike_count"));
  EXPECT_TRUE(contains(section("[loss]\nkind = \"cross_entropy_per_step\"\nreduction = \"sum\"\n"),
                       "every step"));
}

TEST(TrainingMistakes, ContradictionsAreNamed) {
  const auto layer = [](const std::string& lines) {
    return complaints(kData + "[[layer]]\nname = \"a\"\nsize = 3\n" + lines + kOutput);
  };
  EXPECT_TRUE(contains(layer("alpha = 0.9\ntau_mem = 20\n"), "either tau_mem or alpha"));
  EXPECT_TRUE(contains(layer("tau_mem = [5, 10, 20]\n"), "two values"));
  EXPECT_TRUE(
      contains(layer("tau_mem = [5, 10]\nmembrane = { per_neuron = false }\n"), "every neuron"));
  EXPECT_TRUE(contains(layer("connection = { density = 0.1, max_delay = \"1.5 ms\" }\n"),
                       "not a multiple of the time step"));
  EXPECT_TRUE(contains(layer("tau_mem = \"20 mV\"\n"), "must be a value in ms"));
  EXPECT_TRUE(contains(complaints(kData), "no layers"));
  EXPECT_TRUE(contains(complaints(kData + "[layer]\nsize = 3\n"), "[[layer]]"));
  EXPECT_TRUE(contains(complaints(kHidden + kOutput), "'data' is missing"));
  EXPECT_TRUE(
      contains(complaints(kData + kHidden + kOutput + "[parameters]\nunused = 3\n"), "never used"));
  EXPECT_TRUE(contains(complaints(kData + kHidden + kOutput, {{"neurons", "3"}}),
                       "no parameter 'neurons'"));
}

}  // namespace
}  // namespace tessera::training
