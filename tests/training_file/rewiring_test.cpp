// The `rewiring` of a layer: what is read, and what is said about mistakes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>

#include "training_file/load.hpp"

namespace tessera::training {
namespace {

using test::complaints;
using test::contains;
using test::kData;
using test::kOutput;

std::string hidden(const std::string& lines) {
  return kData + "[[layer]]\nname = \"a\"\nsize = 30\n" + lines + kOutput;
}

std::string number_of_interval(const Layer& layer) { return std::to_string(layer.input.rewiring->interval); }

TEST(RewiringSection, IsOfAllSparseConnectionsOfTheLayer) {
  const Layer layer = test::layer(
      "size = 30\nconnection = { density = 0.1 }\nrecurrent = { density = 0.05 }\n"
      "[layer.rewiring]\nrule = \"deep_r\"\nconvention = \"bellec\"\nl1 = 2e-3\nnoise = 0.5\ninterval = 4\n");
  for (const Connection& c : {layer.input, *layer.recurrent}) {
    EXPECT_EQ(c.kind, ConnectionKind::sparse);
    ASSERT_TRUE(c.rewiring);
    EXPECT_EQ(c.rewiring->kind, RewiringKind::deep_r);
    EXPECT_EQ(c.rewiring->convention, DeepRConvention::bellec);
    EXPECT_EQ(c.rewiring->l1, 2e-3);
    EXPECT_EQ(c.rewiring->noise, 0.5);
    EXPECT_EQ(c.rewiring->interval, 4u);
  }
  const Layer mixed = test::layer("size = 30\nrecurrent = { density = 0.05 }\nrewiring = { rule = \"rigl\", grow = \"random\" }\n");
  EXPECT_FALSE(mixed.input.rewiring);
  EXPECT_EQ(mixed.recurrent->rewiring->kind, RewiringKind::rigl);
  EXPECT_EQ(mixed.recurrent->rewiring->growth, Growth::random);
  EXPECT_EQ(mixed.recurrent->rewiring->interval, 100u);
  EXPECT_FALSE(test::layer("size = 30\nconnection = { density = 0.1 }\nrewiring = { rule = \"static\" }\n").input.rewiring);
}

// One parameter goes from sparse to dense.
TEST(RewiringSection, AllSynapsesAreADenseConnectionThatStays) {
  const Layer layer = test::layer("size = 30\nconnection = { density = 1 }\nrewiring = { rule = \"deep_r\" }\n");
  EXPECT_EQ(layer.input.kind, ConnectionKind::dense);
  EXPECT_FALSE(layer.input.rewiring);
  EXPECT_EQ(test::layer("size = 30\nconnection = { kind = \"sparse\", density = 1 }\n").input.kind, ConnectionKind::sparse);
  EXPECT_EQ(test::layer("size = 30\nconnection = { density = 1, max_delay = \"5 ms\" }\n").input.kind, ConnectionKind::sparse);
}

TEST(RewiringSection, ChangesTheDigestOfTheModel) {
  const auto digest = [](const std::string& rewiring) {
    return model_digest(test::parse(hidden("connection = { density = 0.1 }\n" + rewiring)));
  };
  const std::uint64_t still = digest("rewiring = { rule = \"static\" }\n");
  EXPECT_EQ(still, digest(""));
  const std::uint64_t deep_r = digest("rewiring = { rule = \"deep_r\" }\n");
  EXPECT_NE(deep_r, still);
  EXPECT_NE(deep_r, digest("rewiring = { rule = \"deep_r\", l1 = 0.5 }\n"));
  EXPECT_NE(deep_r, digest("rewiring = { rule = \"deep_r\", interval = 2 }\n"));
  EXPECT_NE(deep_r, digest("rewiring = { rule = \"deep_r\", convention = \"bellec\" }\n"));
}

TEST(RewiringSection, MistakesHaveTheirPlacesAndTheNearestName) {
  const auto told = [](const std::string& lines) { return complaints(hidden("connection = { density = 0.1 }\n" + lines)); };
  EXPECT_TRUE(contains(told("[layer.rewiring]\nrule = \"depr\"\nl1 = 1\n"), "t.toml:11:8 (layer[0].rewiring.rule)"));
  EXPECT_TRUE(contains(told("rewiring = { rule = \"deep_rr\" }\n"), "Did you mean 'deep_r'?"));
  EXPECT_TRUE(contains(told("rewiring = { }\n"), "rule"));
  EXPECT_TRUE(contains(told("[layer.rewiring]\nrule = \"deep_r\"\nl1 = -1\n"),
                       "t.toml:12:6 (layer[0].rewiring.l1): rewiring.l1 of layer 'a' is -1; it must be at least 0."));
  EXPECT_TRUE(contains(told("[layer.rewiring]\nrule = \"soft_deep_r\"\nl1 = 0\n"), "it must be above 0"));
  EXPECT_TRUE(contains(told("[layer.rewiring]\nrule = \"rigl\"\nfraction = 1.5\n"), "t.toml:12:12 (layer[0].rewiring.fraction)"));
  EXPECT_TRUE(contains(told("[layer.rewiring]\nrule = \"rigl\"\ncandidates = 0\n"), "from 1 to 1000"));
  EXPECT_TRUE(contains(told("[layer.rewiring]\nrule = \"rigl\"\nuntil = 0\n"), "above 0 and at most 1"));
  EXPECT_TRUE(contains(told("[layer.rewiring]\nrule = \"deep_r\"\ninterval = 0\n"), "at least 1"));
  EXPECT_TRUE(contains(told("rewiring = { rule = \"deep_r\", fracton = 1 }\n"), "Unknown key 'fracton'"));
  EXPECT_TRUE(contains(told("rewiring = 3\n"), "layer[0].rewiring"));
}

// What the page says about defaults is what an empty section gives.
TEST(RewiringSection, DefaultsAreThoseOfTheDocumentation) {
  std::stringstream page;
  page << std::ifstream(TESSERA_SOURCE_DIR "/docs/structural-plasticity.md").rdbuf();
  const std::string text = page.str();
  const auto row = [&](const std::string& keys, const std::string& value) {
    const std::size_t at = text.find("\n| " + keys + " |");
    ASSERT_NE(at, std::string::npos) << keys;
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    EXPECT_TRUE(line.ends_with("| " + value + " |")) << line;
  };
  const auto number = [](double value) {
    std::ostringstream stream;
    stream << value;
    return stream.str();
  };
  const Rewiring rewiring;
  row("`l1`", number(rewiring.l1));
  row("`noise`", number(rewiring.noise));
  row("`fraction`, `until`", number(rewiring.fraction) + ", " + number(rewiring.until));
  row("`candidates`", number(rewiring.candidates));
  const auto interval = [](const std::string& rule) {
    return number_of_interval(test::layer("size = 3\nconnection = { density = 0.5 }\nrewiring = { rule = \"" + rule + "\" }\n"));
  };
  row("`interval`", interval("deep_r") + "; rigl: " + interval("rigl"));
}

TEST(RewiringSection, KeysWithoutEffectAreTold) {
  const auto told = [](const std::string& lines) { return complaints(hidden("connection = { density = 0.1 }\n" + lines)); };
  for (const char* lines :
       {"rewiring = { rule = \"deep_r\", noise = 1 }\n", "rewiring = { rule = \"rigl\", l1 = 1 }\n",
        "rewiring = { rule = \"soft_deep_r\", convention = \"bellec\" }\n", "rewiring = { rule = \"deep_r\", until = 1 }\n",
        "rewiring = { rule = \"rigl\", grow = \"random\", candidates = 3 }\n", "rewiring = { rule = \"static\", interval = 3 }\n"})
    EXPECT_TRUE(contains(told(lines), "has no effect here")) << lines;
  EXPECT_TRUE(contains(complaints(hidden("rewiring = { rule = \"deep_r\" }\n")), "No connection of this layer is sparse"));
  EXPECT_TRUE(contains(complaints(hidden("convolution = { filters = 3 }\nrewiring = { rule = \"deep_r\" }\n")),
                       "No connection of this layer is sparse"));
}

}  // namespace
}  // namespace tessera::training
