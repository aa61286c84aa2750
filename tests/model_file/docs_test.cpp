// The examples of docs/model-files.md are models that load, with the numbers the page states.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <fstream>
#include <sstream>

#include "files/file.hpp"
#include "files/npy.hpp"
#include "model_file/load.hpp"
#include "support/temporary_folder.hpp"

namespace tessera {
namespace {

// The first of the page, or a later one.
std::string example(int number = 0) {
  std::stringstream page;
  page << std::ifstream(TESSERA_SOURCE_DIR "/docs/model-files.md").rdbuf();
  const std::string text = page.str(), fence = "```toml\n";
  std::size_t begin = text.find(fence) + fence.size();
  for (; number > 0; --number) begin = text.find(fence, begin) + fence.size();
  return text.substr(begin, text.find("```", begin) - begin);
}

TEST(Documentation, ItsExampleLoads) {
  const Network n = test::parse(example());
  EXPECT_EQ(n.name, "example");
  EXPECT_EQ(test::all_neurons(n), 1000u);
  EXPECT_EQ(test::all_synapses(n), 1000.0 * (80 + 20));
  EXPECT_EQ(n.stimuli.size(), 2u);
  EXPECT_EQ(test::find_projection(n, "recurrent.E->I")->weight.a, 120.0);
  EXPECT_EQ(test::find_projection(n, "recurrent.I->I")->weight.a, -480.0);
}

TEST(Documentation, ItsExampleTakesTheOverridesItShows) {
  const Network n =
      test::parse(example(), {{"scale", "0.5"}, {"drive", "current"}, {"input", "true"}});
  EXPECT_EQ(test::all_neurons(n), 525u);
  EXPECT_EQ(n.stimuli[0].kind, Stimulus::Kind::current);
  EXPECT_NEAR(n.stimuli[0].amplitude_pA, 4.0 * 80.0 * 0.5 + 240.0, 1e-9);
}

// sigma is above the spacing: every fine neuron sees nearly the integral of the kernel over the
// sheet, p * 2 pi sigma^2 times erf(edge / (2 sqrt(2) sigma)) for both edges, and 100 coarse
// neurons per mm^2.
TEST(Documentation, ItsSheetsLoad) {
  const Network n = test::parse(example(1));
  EXPECT_EQ(test::all_neurons(n), 1000u);
  const double inside =
      std::erf(1.0 / (std::sqrt(2.0) * 0.15)) * std::erf(0.5 / (std::sqrt(2.0) * 0.15));
  EXPECT_NEAR(test::all_synapses(n), 800.0 * 0.5 * 2.0 * M_PI * 0.15 * 0.15 * inside * 100.0, 0.5);
  EXPECT_DOUBLE_EQ(n.projections.at(0).delay_slope, 1.0 / 0.3);
}

// The first twenty neurons of both populations of V1.
TEST(Documentation, ItsRecordersLoad) {
  const Network n = test::parse(example(2));
  EXPECT_EQ(recorded_neurons(n), (std::vector<std::uint32_t>{20, 20, 0}));
  EXPECT_TRUE(n.recorders.empty());
}

TEST(Documentation, ItsTablesLoad) {
  const TemporaryFolder folder;
  io::write_file(folder / "populations.csv", "name,neurons,type\nE,80,E\nI,20,I\n");
  io::write_file(folder / "synapses.csv", "100,200\n300,400\n");
  const double weights[] = {10, -20, 30, -40};
  io::write_npy(folder / "weights.npy", std::span<const double>(weights), 2);
  const Network n = test::parse(example(3), {}, folder.path());
  EXPECT_EQ(test::all_neurons(n), 100u);
  EXPECT_TRUE(n.find("I")->inhibitory);
  EXPECT_EQ(test::all_synapses(n), 1000.0);
  EXPECT_EQ(test::find_projection(n, "cortex.E->I")->rule.number, 300u);
  EXPECT_EQ(test::find_projection(n, "cortex.E->I")->weight.a, 45.0);
}

}  // namespace
}  // namespace tessera
