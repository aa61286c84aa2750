// The examples of models/training and of docs/training.md are models that load.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <sstream>

#include "training_file/load.hpp"

namespace tessera::training {
namespace {

const std::string kFolder = TESSERA_SOURCE_DIR "/models/training/";

TEST(TrainingExamples, AllLoad) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".toml") continue;
    SCOPED_TRACE(entry.path().string());
    ++files;
    try {
      const TrainingModel model = load_training_file(entry.path());
      EXPECT_EQ(model.network.name, entry.path().stem().string());
      EXPECT_EQ(layer_shapes(model.network).back().size(), model.network.classes);
    } catch (const InputError& error) {
      ADD_FAILURE() << error.what();
    }
  }
  EXPECT_GE(files, 7u);
}

TEST(TrainingExamples, HaveTheShapesTheyState) {
  const auto shapes = [](const std::string& name) {
    return layer_shapes(load_training_file(kFolder + name).network);
  };
  EXPECT_EQ(shapes("mnist.toml")[0].size(), 256u);
  EXPECT_EQ(shapes("nmnist_convolution.toml")[0], (Shape{17, 17, 12}));
  EXPECT_EQ(shapes("nmnist_convolution.toml")[1], (Shape{8, 8, 32}));
  const TrainingModel gestures = load_training_file(kFolder + "dvs_gesture.toml");
  EXPECT_EQ(gestures.network.input, (Shape{48, 48, 2}));
  EXPECT_EQ(load_training_file(kFolder + "shd.toml").network.input.size(), 700u);
}

// Per rank 3 x 15,834 neurons; of every neuron 70, 1,376 and 1,376 inputs, and 20 outputs of those of the last layer.
// On four ranks that is the published size.
TEST(TrainingExamples, TheOneThatScalesHasTheSameParametersPerRank) {
  for (const int ranks : {1, 2, 4}) {
    const TrainingModel model = load_training_file(kFolder + "scaling.toml", {{"ranks", std::to_string(ranks)}});
    const std::vector<Layer>& layers = model.network.layers;
    ASSERT_EQ(layers.size(), 4u);
    double neurons = 0.0, parameters = 20.0 * layers[2].size, below = model.network.input.size();
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_EQ(layers[k].size, 15'834u * static_cast<unsigned>(ranks));
      neurons += layers[k].size;
      parameters += below * layers[k].size * layers[k].input.density;
      below = layers[k].size;
    }
    EXPECT_NEAR(parameters, 45.0e6 * ranks, 0.1e6 * ranks);
    EXPECT_NEAR(neurons, 47'500.0 * ranks, 5.0 * ranks);
    EXPECT_EQ(model.options.parallel, Parallel::model);
    EXPECT_EQ(model.options.slices, 1u);  // enough for four
  }
  EXPECT_EQ(load_training_file(kFolder + "scaling.toml", {{"ranks", "5"}, {"neurons", "3000"}}).options.slices, 5u);
}

TEST(TrainingExamples, TheOneOfTheDocumentationLoads) {
  std::stringstream page;
  page << std::ifstream(TESSERA_SOURCE_DIR "/docs/training.md").rdbuf();
  const std::string text = page.str(), fence = "```toml\n";
  const std::size_t begin = text.find(fence) + fence.size();
  const std::string example = text.substr(begin, text.find("```", begin) - begin);
  const TrainingModel model = test::parse(example, {{"neurons", "100"}});
  EXPECT_EQ(model.network.layers.at(0).size, 100u);
  EXPECT_EQ(model.network.input.size(), 5u);
  EXPECT_EQ(model.options.epochs, 3u);
}

// What the page says about defaults is what an empty section gives.
TEST(TrainingExamples, TheDefaultsOfTheDocumentationAreThoseOfTheStructs) {
  std::stringstream page;
  page << std::ifstream(TESSERA_SOURCE_DIR "/docs/training.md").rdbuf();
  const std::string text = page.str();
  const Options options;
  const Layer layer;
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
  row("`batch`", number(options.batch));
  row("`epochs`", number(options.epochs));
  row("`validation`", number(options.validation_fraction));
  row("`learning_rate`", number(options.optimizer.learning_rate));
  row("`momentum`", number(options.optimizer.momentum));
  row("`start`, `target`, `rate`", number(options.second_threshold.start) + ", " +
                                       number(options.second_threshold.target) + ", " +
                                       number(options.second_threshold.rate));
  row("`step_epochs`, `step_factor`",
      number(options.optimizer.step_epochs) + ", " + number(options.optimizer.step_factor));
  row("`count_true`, `count_false`",
      number(options.loss.count_true) + ", " + number(options.loss.count_false));
  row("`adaptation_strength`", number(layer.adaptation_strength));
  row("`max_activity`", number(layer.max_activity));
  row("`tau_mem` or `alpha`", "alpha " + number(layer.membrane.low));
}

}  // namespace
}  // namespace tessera::training
