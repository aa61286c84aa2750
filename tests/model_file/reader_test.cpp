// What a model file may say: every kind of entry, read into the network it means.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <filesystem>
#include <fstream>

#include "files/list_file.hpp"
#include "files/npy.hpp"
#include "model_file/load.hpp"

namespace tessera {
namespace {

using test::contains;
using test::find_projection;
using test::parse;

const std::string kTwo = R"(
[populations.E]
size = 80
model = "iaf_psc_exp"
[populations.I]
size = 20
model = "iaf_psc_exp"
inhibitory = true
)";

Projection projection(const std::string& body) {
  return parse(kTwo + "[projections.p]\nsource = \"E\"\ntarget = \"I\"\n" + body).projections.at(0);
}

TEST(ModelFile, EveryModelOfTheRepositoryLoads) {
  int models = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::kModels)) {
    // Training files are another format, with tests of their own (tests/training_file).
    if (entry.path().extension() != ".toml" || entry.path().parent_path().filename() == "training")
      continue;
    std::vector<ParameterOverride> overrides;
    if (entry.path().filename() == "multi_area.toml") overrides = {{"tables", "stand_in"}};  // the published ones are not here
    EXPECT_NO_THROW((void)load_model_file(entry.path(), NeuronCatalogue::builtin(), overrides))
        << entry.path();
    ++models;
  }
  EXPECT_GE(models, 5);
}

TEST(ModelFile, SaysWhichCommandATrainingFileIsFor) {
  try {
    parse("[data]\nset = \"yin_yang\"\n[[layer]]\nsize = 3\n");
    FAIL() << "a training file was read as a model";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("tessera train"), std::string::npos) << error.what();
  }
}

TEST(ModelFile, ReadsTheRun) {
  const Network n = parse(
      "name = \"x\"\ndt = \"0.05 ms\"\ntime = \"2 s\"\ndiscard = \"100 ms\"\nseed = 7\n"
      "rate_limit = \"0.3 kHz\"\n" +
      kTwo);
  EXPECT_EQ(n.name, "x");
  EXPECT_EQ(n.dt_ms, 0.05);
  EXPECT_EQ(n.time_ms, 2000.0);
  EXPECT_EQ(n.discard_ms, 100.0);
  EXPECT_EQ(n.seed, 7u);
  EXPECT_EQ(n.rate_limit_hz, 300.0);
}

TEST(ModelFile, KeepsTheOrderOfTheFile) {
  const Network n = parse(R"(
[populations.zebra]
size = 1
model = "iaf_psc_exp"
[populations.apple]
size = 2
model = "iaf_psc_exp"
[populations.mango]
size = 3
model = "iaf_psc_exp"
)");
  EXPECT_EQ(n.populations[0].name, "zebra");
  EXPECT_EQ(n.populations[1].name, "apple");
  EXPECT_EQ(n.populations[2].name, "mango");
}

TEST(ModelFile, TakesBareNumbersInTheUnitOfTheKey) {
  const Network n = parse(R"(
dt = 0.1
[populations.E]
size = 1
model = "iaf_psc_exp"
mean_rate = 3
parameters = { C_m = 200, tau_m = "0.02 s", E_L = -60.0 }
)");
  EXPECT_EQ(n.populations[0].mean_rate_hz, 3.0);
  EXPECT_EQ(n.populations[0].parameters.at("C_m"), 200.0);
  EXPECT_EQ(n.populations[0].parameters.at("tau_m"), 20.0);
  EXPECT_EQ(n.populations[0].parameters.at("E_L"), -60.0);
}

TEST(ModelFile, ExpandsGroups) {
  const Network n = parse(R"(
[parameters]
V = { value = [-60, -61], unit = "mV" }
[populations.pair]
names = ["a", "b"]
size = ["2 * 3", 7]
inhibitory = [false, true]
mean_rate = "2 Hz"
model = ["iaf_psc_exp", "iaf_psc_alpha"]
parameters = { E_L = "$V - 5 mV", C_m = ["100 pF", 200] }
initial.V_m = { distribution = "normal", mean = "$V", sd = [1, 2] }
)");
  ASSERT_EQ(n.populations.size(), 2u);
  const Population &a = n.populations[0], &b = n.populations[1];
  EXPECT_EQ(a.size, 6u);
  EXPECT_EQ(b.size, 7u);
  EXPECT_FALSE(a.inhibitory);
  EXPECT_TRUE(b.inhibitory);
  EXPECT_EQ(b.mean_rate_hz, 2.0);
  EXPECT_EQ(b.model, "iaf_psc_alpha");
  EXPECT_EQ(a.parameters.at("E_L"), -65.0);
  EXPECT_EQ(b.parameters.at("E_L"), -66.0);
  EXPECT_EQ(b.parameters.at("C_m"), 200.0);
  EXPECT_EQ(b.initial.at("V_m").distribution.a, -61.0);
  EXPECT_EQ(b.initial.at("V_m").distribution.b, 2.0);
}

TEST(ModelFile, ReadsSourcesOfSpikes) {
  const Network n = parse(kTwo + R"(
[populations.noise]
kind = "poisson"
size = 5
rate = "20 Hz"
start = "10 ms"
duration = "5 ms"
interval = "0.1 s"
[populations.train]
kind = "spike_train"
size = 2
spikes = [[1.5, 0], ["3 ms", 1]]
)");
  EXPECT_EQ(n.populations[2].kind, Population::Kind::poisson_source);
  EXPECT_EQ(n.populations[2].interval_ms, 100.0);
  ASSERT_EQ(n.populations[3].train.size(), 2u);
  EXPECT_EQ(n.populations[3].train[1].time_ms, 3.0);
  EXPECT_EQ(n.populations[3].train[1].neuron, 1u);
}

// Two sheets with four neurons of L4 for one of L23, as in the documentation.
std::string sheets(const std::string& projection, const std::string& more = "") {
  return R"(
[parameters]
width = "2 mm"
[populations.cells]
names = ["fine", "coarse"]
size = [800, 200]
grid_columns = [40, 20]
extent = ["$width", "1000 um"]
periodic = false
model = "iaf_psc_exp"
)" + more +
         R"(
[projections.p]
source = "fine"
target = "coarse"
rule = "gaussian_2d"
probability = 0.5
sigma = "150 um"
weight = 1
)" + projection;
}

TEST(ModelFile, ReadsSheetsAndDelaysThatGrowWithTheDistance) {
  const Network n = parse(sheets("delay = { offset = \"0.5 ms\", velocity = \"0.3 m/s\" }"));
  for (const Population& p : n.populations) {
    EXPECT_EQ(p.extent_mm, (std::array<double, 2>{2.0, 1.0}));
    EXPECT_FALSE(p.periodic);
  }
  EXPECT_EQ(n.populations[1].grid_columns, 20u);
  const Projection& p = n.projections.at(0);
  EXPECT_EQ(p.rule.sigma, 0.15);
  EXPECT_EQ(p.delay_ms, Distribution::constant(0.5));
  EXPECT_DOUBLE_EQ(p.delay_slope, 1.0 / 0.3);
  const Network slope = parse(sheets("delay = { slope = \"4 s/m\" }"));
  EXPECT_EQ(slope.projections[0].delay_ms, Distribution::constant(0.0));
  EXPECT_EQ(slope.projections[0].delay_slope, 4.0);
  // Bare numbers count in mm and ms.
  EXPECT_EQ(parse(sheets("delay = { offset = 1, slope = 2 }")).projections[0].delay_slope, 2.0);
}

TEST(ModelFile, CountsInGridUnitsWithoutAnExtent) {
  const Network n = parse(R"(
[populations.sheet]
size = 400
grid_columns = 20
model = "iaf_psc_exp"
[projections.p]
source = "sheet"
target = "sheet"
rule = "gaussian_2d"
probability = 0.5
sigma = 2
weight = 1
delay = { offset = "1 ms", slope = "0.2 ms" }
[projections.q]
source = "sheet"
target = "sheet"
rule = "all_to_all"
weight = 1
delay = { velocity = "5/ms" }
)");
  EXPECT_TRUE(n.populations[0].periodic);
  EXPECT_EQ(n.populations[0].extent_mm, (std::array<double, 2>{0.0, 0.0}));
  EXPECT_EQ(n.projections[0].rule.sigma, 2.0);
  EXPECT_EQ(n.projections[0].delay_slope, 0.2);
  EXPECT_EQ(n.projections[1].delay_slope, 0.2);
}

TEST(ModelFile, ExceptionsChangeDelaysThatGrowWithTheDistance) {
  const auto delays = [](const std::string& exception) {
    const Network n = parse(R"(
[populations.cells]
names = ["A", "B"]
size = 16
grid_columns = 4
model = "iaf_psc_exp"
[projections.p]
source = "cells"
target = "cells"
rule = "all_to_all"
weight = 1
delay = { offset = { by_source = [1, 2] }, slope = 0.5 }
[[projections.p.exceptions]]
source = "B"
)" + exception);
    return n.projections;  // A->A, B->A, A->B, B->B
  };
  const auto slower = delays("delay.slope = 0.75");
  EXPECT_EQ(slower[0].delay_slope, 0.5);
  EXPECT_EQ(slower[1].delay_slope, 0.75);
  EXPECT_EQ(slower[0].delay_ms.a, 1.0);
  EXPECT_EQ(slower[1].delay_ms.a, 2.0);
  const auto constant = delays("delay = 3");
  EXPECT_EQ(constant[0].delay_slope, 0.5);
  EXPECT_EQ(constant[1].delay_slope, 0.0);
  EXPECT_EQ(constant[1].delay_ms, Distribution::constant(3.0));
  const auto drawn = delays("delay = { distribution = \"uniform\", from = 1, to = 2 }");
  EXPECT_EQ(drawn[1].delay_slope, 0.0);
  EXPECT_EQ(drawn[1].delay_ms, Distribution::uniform(1.0, 2.0));
}

TEST(ModelFile, ReadsEveryRule) {
  const std::string rest = "\nweight = \"2 pA\"\ndelay = \"1 ms\"\n";
  using Kind = ConnectivityRule::Kind;
  EXPECT_EQ(projection("rule = \"all_to_all\"\nautapses = false" + rest).rule.kind,
            Kind::all_to_all);
  EXPECT_EQ(projection("rule = \"fixed_total_number\"\nnumber = 11" + rest).rule.number, 11u);
  EXPECT_EQ(
      projection("rule = \"fixed_indegree\"\nnumber = 3\nmultapses = false" + rest).rule.multapses,
      false);
  EXPECT_EQ(projection("rule = \"fixed_outdegree\"\nnumber = \"2 * 3\"" + rest).rule.number, 6u);
  EXPECT_EQ(
      projection("rule = \"pairwise_bernoulli\"\nprobability = \"10 %\"" + rest).rule.probability,
      0.1);
  const Projection list = projection(
      "rule = \"explicit_list\"\nsynapses = [[3, 4, \"1 nA\", 2], [0, 0, -1.5, \"1 ms\"]]");
  ASSERT_EQ(list.rule.list.size(), 2u);
  EXPECT_EQ(list.rule.list[0].source, 3u);
  EXPECT_EQ(list.rule.list[0].target, 4u);
  EXPECT_EQ(list.rule.list[0].weight, 1000.0);
  EXPECT_EQ(list.rule.list[0].delay_ms, 2.0);
}

TEST(ModelFile, TurnsProbabilitiesIntoTotalNumbers) {
  // 1 - (1 - 1/(80*20))^K = 0.5: K = ln 0.5 / ln(1 - 1/1600) = 1108.7
  const Projection p =
      projection("rule = \"fixed_total_number\"\nprobability = 0.5\nweight = 1\ndelay = 1");
  EXPECT_EQ(p.rule.number, 1109u);
}

TEST(ModelFile, ReadsEveryDistribution) {
  const auto weight = [](const std::string& text) {
    return projection("rule = \"all_to_all\"\ndelay = 1\nweight = " + text).weight;
  };
  EXPECT_EQ(weight("3.5").a, 3.5);
  EXPECT_EQ(weight("{ distribution = \"uniform\", from = 1, to = \"3 pA\" }").b, 3.0);
  const Distribution normal =
      weight("{ distribution = \"normal\", mean = -4, sd = 1, low = -6, high = -1 }");
  EXPECT_EQ(normal.low, -6.0);
  EXPECT_EQ(normal.high, -1.0);
  const Distribution negative =
      weight("{ distribution = \"normal\", mean = -4, relative_sd = 0.5, keep_sign = true }");
  EXPECT_EQ(negative.b, 2.0);
  EXPECT_EQ(negative.high, 0.0);
  const Distribution lognormal =
      weight("{ distribution = \"lognormal\", median = -2, sigma = 0.5 }");
  EXPECT_NEAR(lognormal.mean(), -2.0 * std::exp(0.125), 1e-12);
  EXPECT_EQ(weight("{ distribution = \"exponential\", mean = 2, high = 9 }").high, 9.0);
}

const std::string kPairs = R"(
[projections.all]
source = ["E", "I"]
target = ["I", "E"]
rule = "fixed_indegree"
)";

TEST(ModelFile, ReadsTablesOverPairs) {
  const Network n = parse(kTwo + kPairs + R"(
number = [[1, 2], [3, 0]]
weight = { excitatory = 10, inhibitory = -40 }
delay = { distribution = "uniform", from = { by_source = [1, 2] }, to = { by_target = ["3 ms", "4 ms"] } }
)");
  ASSERT_EQ(n.projections.size(), 3u);  // number 0 makes no projection
  const Projection* ee = find_projection(n, "all.E->E");
  const Projection* ii = find_projection(n, "all.I->I");
  const Projection* ei = find_projection(n, "all.E->I");
  ASSERT_TRUE(ee != nullptr && ii != nullptr && ei != nullptr);
  EXPECT_EQ(ei->rule.number, 1u);
  EXPECT_EQ(ii->rule.number, 2u);
  EXPECT_EQ(ee->rule.number, 3u);
  EXPECT_EQ(ii->weight.a, -40.0);
  EXPECT_EQ(ee->weight.a, 10.0);
  EXPECT_EQ(ii->delay_ms.a, 2.0);
  EXPECT_EQ(ii->delay_ms.b, 3.0);
  EXPECT_EQ(ee->delay_ms.a, 1.0);
  EXPECT_EQ(ee->delay_ms.b, 4.0);
}

TEST(ModelFile, ExceptionsReplaceSingleKeys) {
  const Network n = parse(kTwo + kPairs + R"(
number = 4
weight = { distribution = "normal", mean = { excitatory = 10, inhibitory = -40 }, relative_sd = 0.1 }
delay = 1
[[projections.all.exceptions]]
source = "E"
target = "E"
weight.mean = 20
number = 9
[[projections.all.exceptions]]
target = "I"
weight = "7 pA"
)");
  const Projection* ee = find_projection(n, "all.E->E");
  EXPECT_EQ(ee->weight.a, 20.0);
  EXPECT_EQ(ee->weight.b, 2.0);
  EXPECT_EQ(ee->rule.number, 9u);
  const Projection* ii = find_projection(n, "all.I->I");
  EXPECT_EQ(ii->weight.kind, Distribution::Kind::constant);
  EXPECT_EQ(ii->weight.a, 7.0);
  EXPECT_EQ(ii->rule.number, 4u);
  EXPECT_EQ(find_projection(n, "all.I->E")->weight.a, -40.0);
}

TEST(ModelFile, SwitchesPartsOff) {
  const std::string text =
      "[parameters]\nmode = { value = \"a\", choices = [\"a\", \"b\"] }\n" + kTwo + R"(
[populations.extra]
when = "$mode == 'b'"
size = 3
model = "iaf_psc_exp"
[projections.extra]
when = "$mode == 'b'"
source = "extra"
target = "E"
rule = "all_to_all"
weight = 1
delay = 1
[stimuli.s]
when = "$mode == 'a'"
kind = "current"
target = "E"
amplitude = "10 pA"
)";
  const Network a = parse(text), b = parse(text, {{"mode", "b"}});
  EXPECT_EQ(a.populations.size(), 2u);
  EXPECT_EQ(a.projections.size(), 0u);
  EXPECT_EQ(a.stimuli.size(), 1u);
  EXPECT_EQ(b.populations.size(), 3u);
  EXPECT_EQ(b.projections.size(), 1u);
  EXPECT_EQ(b.stimuli.size(), 0u);
}

TEST(ModelFile, ReadsStimuliAndRecorders) {
  const Network n = parse(kTwo + R"(
[stimuli.dc]
kind = "current"
target = ["E", "I"]
amplitude = ["0.1 nA", 0]
start = "10 ms"
[stimuli.steps]
kind = "step_current"
target = "E"
steps = [["10 ms", "5 pA"], ["30 ms", 7]]
[stimuli.noise]
kind = "poisson"
target = "I"
rate = "2 kHz"
weight = "-3 pA"
delay = "1.5 ms"
[[recorders]]
population = ["E", "I"]
count = 4
interval = "1 ms"
)");
  ASSERT_EQ(n.stimuli.size(), 4u);  // a current of 0 makes no stimulus
  EXPECT_EQ(n.stimuli[0].name, "dc.E");
  EXPECT_EQ(n.stimuli[0].amplitude_pA, 100.0);
  EXPECT_EQ(n.stimuli[1].start_ms, 10.0);
  EXPECT_EQ(n.stimuli[1].duration_ms, 20.0);
  EXPECT_EQ(n.stimuli[2].amplitude_pA, 7.0);
  EXPECT_TRUE(std::isinf(n.stimuli[2].duration_ms));
  EXPECT_EQ(n.stimuli[3].rate_hz, 2000.0);
  EXPECT_EQ(n.stimuli[3].weight, -3.0);
  ASSERT_EQ(n.recorders.size(), 2u);
  EXPECT_EQ(n.recorders[1].population, "I");
  EXPECT_EQ(n.recorders[1].interval_ms, 1.0);
}

TEST(ModelFile, OverridesParameters) {
  const std::string text = R"(
[parameters]
n = 2
tau = "10 ms"
c = "100 pF * $n"
fast = false
[populations.E]
size = "$n"
model = "iaf_psc_exp"
inhibitory = "$fast"
parameters = { tau_m = "$tau", C_m = "$c" }
)";
  EXPECT_EQ(parse(text).populations[0].parameters.at("C_m"), 200.0);
  const Network n = parse(text, {{"n", "5"}, {"tau", "0.03 s"}, {"fast", "true"}});
  EXPECT_EQ(n.populations[0].size, 5u);
  EXPECT_EQ(n.populations[0].parameters.at("C_m"), 500.0);
  EXPECT_EQ(n.populations[0].parameters.at("tau_m"), 30.0);
  EXPECT_TRUE(n.populations[0].inhibitory);
  EXPECT_EQ(n.parameters.at("n"), 5.0);
  // A bare number counts in the unit of the default; expressions may use other parameters.
  EXPECT_EQ(parse(text, {{"tau", "7"}}).populations[0].parameters.at("tau_m"), 7.0);
  EXPECT_EQ(parse(text, {{"tau", "$n * 4 ms"}}).populations[0].parameters.at("tau_m"), 8.0);
}

class ModelFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(testing::TempDir()) /
        ("tessera_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(folder_ / "inner");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  Network with_list(const std::string& file) {
    return parse(
        kTwo + "[projections.p]\nsource=\"E\"\ntarget=\"I\"\nrule=\"explicit_list\"\nfile=\"" +
            file + "\"\n",
        {}, folder_);
  }
  std::string refusal(const std::string& file) {
    try {
      (void)with_list(file);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  std::filesystem::path folder_;
};

TEST_F(ModelFolder, ReadsListsBesideTheModel) {
  write("inner/a.csv", "# comment\nweight, source,target,delay_ms\n1.5,3,4,2\n-1,79,19,0.1\n");
  const Network csv = with_list("inner/a.csv");
  ASSERT_EQ(csv.projections[0].rule.list.size(), 2u);
  EXPECT_EQ(csv.projections[0].rule.list[0].weight, 1.5);
  EXPECT_EQ(csv.projections[0].rule.list[1].source, 79u);
  const std::vector<double> values{3, 4, 1.5, 2, 79, 19, -1, 0.1};
  io::write_npy(folder_ / "a.npy", values, 4);
  const Network npy = with_list("a.npy");
  ASSERT_EQ(npy.projections[0].rule.list.size(), 2u);
  EXPECT_EQ(npy.projections[0].rule.list[1].weight, -1.0);
  write("t.csv", "1.5,0\n2.5,1\n");
  const Network train =
      parse("[populations.t]\nkind=\"spike_train\"\nsize=2\nfile=\"t.csv\"\n", {}, folder_);
  EXPECT_EQ(train.populations[0].train[1].time_ms, 2.5);
}

TEST_F(ModelFolder, StaysInsideTheFolder) {
  write("a.csv", "0,0,1,1\n");
  std::filesystem::create_symlink("/etc/hostname", folder_ / "link.csv");
  EXPECT_TRUE(contains(refusal("/etc/passwd"), "inside the model's folder"));
  EXPECT_TRUE(contains(refusal("inner/../a.csv"), "without '..'"));
  EXPECT_TRUE(contains(refusal("link.csv"), "link.csv"));
  EXPECT_TRUE(contains(refusal("none.csv"), "cannot be opened"));
  EXPECT_TRUE(contains(refusal("inner"), ".csv or an .npy"));
  EXPECT_EQ(refusal("a.csv"), "");
}

TEST_F(ModelFolder, ExplainsBadLists) {
  write("words.csv", "source,target,weight,delay_ms\n1,2,x,1\n");
  EXPECT_TRUE(contains(refusal("words.csv"), "'x' is not a number (weight)"));
  write("header.csv", "from,to,weight,delay_ms\n");
  EXPECT_TRUE(contains(refusal("header.csv"), "source, target, weight, delay_ms"));
  write("short.csv", "1,2,3\n");
  EXPECT_TRUE(contains(refusal("short.csv"), "Every row has the columns"));
  write("range.csv", "80,0,1,1\n");
  EXPECT_TRUE(contains(refusal("range.csv"), "neurons that do not exist"));
  write("half.csv", "0.5,0,1,1\n");
  EXPECT_TRUE(contains(refusal("half.csv"), "not numbers of neurons"));
  write("bad.npy", "not an array");
  EXPECT_NE(refusal("bad.npy"), "");
}

}  // namespace
}  // namespace tessera
