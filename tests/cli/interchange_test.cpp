// tessera import and export: NIR there and back, SONATA circuits, weights to begin with, refusals, Ctrl-C.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>

#include "cli/process.hpp"
#include "cli/small_model.hpp"
#include "tessera/result.hpp"

namespace tessera::test {
namespace {

const char* const kData = R"([data]
set = "yin_yang"
[data.generator]
training_samples = 200
test_samples = 100
)";

const char* const kLayers = R"(
[[layer]]
name = "hidden"
size = 24
bias = true
alpha = 0.9
initial_activity = 0.05
[[layer]]
name = "output"
neuron = "readout"
size = 3
[training]
epochs = 4
threads = 1
)";

class Interchange : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_hdf5()) GTEST_SKIP() << "built without HDF5";
    write_text(folder_ / "t.toml", std::string(kData) + kLayers);
    write_text(folder_ / "m.toml", kSmallModel);
    options_.folder = folder_.path();
  }
  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  std::string good(const std::string& words) {
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 0) << words << ": " << outcome.err;
    return outcome.out;
  }
  void expect_refused(const std::string& words, const std::string& part) {
    const auto before = folder_.contents();
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 2) << words;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " is not in: " << outcome.err;
    EXPECT_EQ(folder_.contents(), before) << words;
  }

  const TemporaryFolder folder_;
  ProcessOptions options_;
};

TEST_F(Interchange, AnImportedNetworkIsAsGoodAsTheOneThatWasExported) {
  good("train t.toml --out r --quiet");
  const std::string trained = good("evaluate r --quiet");
  good("export nir r --out n.nir --quiet");
  const std::string said = good("import nir n.nir --steps 40 --dt 1ms --out i");
  EXPECT_NE(said.find("hidden_in + hidden: layer 'hidden', lif, alpha 0.9, threshold 1, reset zero, bias"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("dt 1 ms (asked for), Euler discretisation (the default), reset zero (the default)"),
            std::string::npos)
      << said;
  EXPECT_EQ(folder_.contents().count("i/model.toml"), 1U);
  // The data of the training in place of files that are not there.
  std::string model = read_text(folder_ / "i/model.toml");
  model.replace(model.find("[data]"), model.find("[[layer]]") - model.find("[data]"), kData);
  write_text(folder_ / "i/model.toml", model);
  const std::string imported = good("evaluate i --quiet");
  EXPECT_EQ(imported, trained.substr(0, trained.rfind(", epoch")) + ", imported weights\n");
  // What trains on from there begins where the training ended: with a rate of nearly nothing it stays there.
  write_text(folder_ / "on.toml",
             model + "\n[optimizer]\nlearning_rate = 1e-30\n[training]\nepochs = 1\nthreads = 1\n");
  good("train on.toml --weights i --out on --quiet");
  const std::string on = good("evaluate on --quiet");
  EXPECT_EQ(on.substr(0, on.rfind(',')), imported.substr(0, imported.rfind(',')));
  EXPECT_NE(read_text(folder_ / "on/report.json").find("begins with the weights of 'i/weights.safetensors'"),
            std::string::npos);
  good("export nir i --out again.nir");
  expect_refused("export nir i --out again.nir", "'again.nir' is there already; --force replaces it.");
  good("export nir i --out again.nir --force");
}

TEST_F(Interchange, RefusesWhatMakesNoSense) {
  expect_refused("import nur x.nir --steps 3 --out o", "Did you mean 'nir'?");
  expect_refused("import nir x.nir --out o", "--steps: is missing");
  expect_refused("import nir x.nir --steps 0 --dt 3 --reset hard --discretisation none --out o",
                 "--reset: 'hard' is not possible");
  expect_refused("import nir x.nir --steps 3 --out o", "cannot read x.nir");
  expect_refused("import nir t.toml --steps 3 --out o", "not an HDF5 file");
  expect_refused("export nir nowhere --out x.nir",
                 "is not the result folder of a training, nor what 'import nir' wrote");
  expect_refused("export nir r --out x.nir --set a=1 --seed 2", "--seed: a training has its weights already.");
  expect_refused("export sonata m.toml --out m.toml", "exists and is not a folder");
  expect_refused("export sonata nowhere.toml --out c", "nowhere.toml");
  expect_refused("train t.toml --out r --weights nowhere", "--weights: there is no file 'nowhere'.");
}

TEST_F(Interchange, WeightsOfAnotherShapeAreRefused) {
  good("train t.toml --out r --quiet");
  std::string other = read_text(folder_ / "t.toml");
  other.replace(other.find("size = 24"), 9, "size = 25");
  write_text(folder_ / "o.toml", other);
  expect_refused("train o.toml --out o --weights r", "hidden.weight");
  expect_refused("train t.toml --out r --weights r --resume",
                 "--weights: --resume goes on with the weights of the checkpoint");
}

TEST_F(Interchange, ACircuitIsWrittenWholeAndReplacedOnlyByForce) {
  const std::string said = good("export sonata m.toml --out c");
  EXPECT_NE(said.find("c: 2 populations, 2 projections, "), std::string::npos) << said;
  for (const char* file :
       {"nodes.h5", "edges.h5", "node_types.csv", "edge_types.csv", "circuit_config.json", "components/E.json"})
    EXPECT_EQ(folder_.contents().count(std::string("c/") + file), 1U) << file;
  const std::string edges = read_text(folder_ / "c/edges.h5");
  expect_refused("export sonata m.toml --out c", "is not empty");
  good("export sonata m.toml --out c --force --quiet");
  EXPECT_EQ(read_text(folder_ / "c/edges.h5"), edges);  // equal networks are equal files
  good("export sonata m.toml --out c --force --quiet --seed 8");
  EXPECT_NE(read_text(folder_ / "c/edges.h5"), edges);
  write_text(folder_ / "c/node_types.csv", "mine");
  expect_refused("export sonata m.toml --out c --force", "Tessera did not write it");
}

// 25 million synapses are announced before they are written.
TEST_F(Interchange, CtrlCLeavesNothingOfACircuit) {
  write_text(folder_ / "big.toml", R"(dt = "0.1 ms"
[populations.a]
size = 5000
model = "iaf_psc_exp"
[projections.all]
source = "a"
target = "a"
rule = "all_to_all"
weight = 1
delay = 1.5
)");
  const auto before = folder_.contents();
  bool sent = false;
  options_.on_error_output = [&sent](pid_t child, const std::string& text) {
    if (sent || text.find("writing about 25,000,000 synapses") == std::string::npos) return;
    sent = true;
    kill(child, SIGINT);
  };
  const Outcome outcome = line("export sonata big.toml --out c");
  EXPECT_TRUE(sent);
  EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
  EXPECT_EQ(folder_.contents(), before);
}

}  // namespace
}  // namespace tessera::test
