// The example of docs/model-files.md is a model that loads, with the numbers the page states.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>

#include "model_file/load.hpp"

namespace tessera {
namespace {

std::string example() {
  std::stringstream page;
  page << std::ifstream(TESSERA_SOURCE_DIR "/docs/model-files.md").rdbuf();
  const std::string text = page.str(), fence = "```toml\n";
  const std::size_t begin = text.find(fence) + fence.size();
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

}  // namespace
}  // namespace tessera
