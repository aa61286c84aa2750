// A run with silent populations names them in one line, with the reason.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/process.hpp"
#include "cli/small_model.hpp"

namespace tessera::test {
namespace {

// The line of the summary that begins with "silent", "" when there is none.
std::string silent_line(const std::string& model, const std::string& options = "") {
  const TemporaryFolder folder;
  write_text(folder / "m.toml", model);
  ProcessOptions process;
  process.folder = folder.path();
  const Outcome outcome = tessera(words_of("run m.toml --record none " + options), process);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::size_t begin = outcome.out.find("\nsilent ");
  if (begin == std::string::npos) return "";
  return outcome.out.substr(begin + 1, outcome.out.find('\n', begin + 1) - begin - 1);
}

std::string changed(const std::string& text, const std::string& with) {
  std::string model = kSmallModel;
  return model.replace(model.find(text), text.size(), with);
}

bool has(const std::string& line, const std::string& part) {
  return line.find(part) != std::string::npos;
}

TEST(Silence, ALivelyNetworkSaysNothing) {
  EXPECT_EQ(silent_line(changed("weight = \"300 pA\"", "weight = \"3 nA\"")), "");
}

// E fires at 63 spikes/s (13.9 ms from reset to threshold, 2 ms refractory), so I gets 20 synapses
// x 63 Hz x 300 pA x 0.5 ms = 189 of the 375 pA that it needs.
TEST(Silence, AProjectionThatIsTooWeak) {
  const std::string line = silent_line(kSmallModel);
  EXPECT_TRUE(
      has(line, "I (1 of 2 populations): no input from outside, and what other populations send"))
      << line;
}

// 375 pA reach the threshold. Initial potentials are spread up to it, so nothing but a push would.
TEST(Silence, AConstantInputBelowTheThreshold) {
  const std::string line = silent_line(kSmallModel, "--set amplitude=300");
  EXPECT_TRUE(has(line, "E, I (2 of 2 populations): ")) << line;
  EXPECT_TRUE(has(line, "their constant input stays below the threshold")) << line;
}

TEST(Silence, NoInputAtAll) {
  const std::string line = silent_line(kSmallModel, "--set amplitude=0");
  EXPECT_TRUE(has(line, "E, I (2 of 2")) << line;
  std::string model = kSmallModel;
  model.resize(model.find("[stimuli.drive]"));
  model.replace(model.find("[parameters]\namplitude = \"500 pA\"\n"), 34, "");
  EXPECT_TRUE(has(silent_line(model), "nothing from outside drives them")) << silent_line(model);
}

TEST(Silence, ARandomInputThatIsTooWeak) {
  const std::string line = silent_line(changed(
      "kind = \"current\"\ntarget = \"E\"\namplitude = \"$amplitude\"",
      "kind = \"poisson\"\ntarget = \"E\"\nrate = \"100 Hz\"\nweight = \"$amplitude / 100\""));
  EXPECT_TRUE(has(line, "the mean of their input from outside stays below")) << line;
}

// E fires by its current; I is held 1000 pA below anything that E sends.
TEST(Silence, InhibitionIsToldApart) {
  const std::string model =
      std::string(kSmallModel) +
      "[stimuli.brake]\nkind = \"current\"\ntarget = \"I\"\namplitude = \"-2 nA\"\n";
  const std::string line = silent_line(model);
  EXPECT_TRUE(has(line, "I (1 of 2 populations): ")) << line;
  EXPECT_TRUE(has(line, "constant input stays below")) << line;
  const std::string released = silent_line(model +
                                           "[stimuli.late]\nkind = \"current\"\ntarget = "
                                           "\"I\"\namplitude = \"2.5 nA\"\nstart = \"199.9 ms\"\n");
  EXPECT_TRUE(has(released, "inhibition holds them down, or the time was too short")) << released;
}

// The current ends after 40 ms, statistics begin at 50 ms.
TEST(Silence, ActivityThatDiedOutIsTold) {
  const std::string line = silent_line(
      changed("amplitude = \"$amplitude\"", "amplitude = \"$amplitude\"\nduration = \"40 ms\""));
  EXPECT_TRUE(has(
      line, "E, I (2 of 2 populations): fired in the first 50 ms at most; nothing from outside"))
      << line;
}

// A source without spikes is silent for a reason that no neuron can have.
TEST(Silence, SourcesAndNeuronsAreToldApart) {
  const std::string line = silent_line(std::string(kSmallModel) +
                                       "[populations.eye]\nkind = \"spike_train\"\nsize = 1\n"
                                       "spikes = []\n");
  EXPECT_TRUE(has(line, "eye (1 of 3 populations): a source without a spike")) << line;
  EXPECT_TRUE(has(line, "; I (1 of 3 populations): no input from outside")) << line;
}

// Only some of many are asked for their reason, and all are counted.
TEST(Silence, OfManyPopulations) {
  std::string model = "time = \"5 ms\"\n";
  for (int i = 0; i < 100; ++i) {
    model += "[populations.p" + std::to_string(i) + "]\nmodel = \"iaf_psc_exp\"\nsize = 1\n";
  }
  const std::string line = silent_line(model);
  EXPECT_TRUE(has(line, "p7 and 92 more (100 of 100 populations): nothing from outside drives them")) << line;
}

}  // namespace
}  // namespace tessera::test
