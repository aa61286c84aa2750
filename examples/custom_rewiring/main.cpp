// Trains a small network whose hidden layer rewires by a rule of this program, and checks what the rule promises.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <memory>
#include <tessera/training_file.hpp>

#include "weak_and_old.hpp"

namespace {

using namespace tessera::training;

constexpr std::uint32_t kMostPerTarget = 16;

const char* const kModel = R"(
name = "own_rule"
[data]
set = "random_manifolds"
[data.generator]
classes = 4
training_samples = 400
test_samples = 100
[data.encoder]
steps = 40
[[layer]]
name = "hidden"
size = 60
initial_activity = 0.04
connection = { density = 0.2 }
[[layer]]
name = "output"
neuron = "readout"
size = 4
[optimizer]
learning_rate = 0.01
[training]
batch = 20
epochs = 5
)";

class Shown : public FitObserver {
 public:
  void on_epoch(const EpochMetrics& epoch, bool, const Trainer&) override {
    const RewiringCounts& counts = epoch.rewiring.at(0);
    formed += counts.formed;
    eliminated += counts.eliminated;
    std::printf("epoch %u: accuracy %.1f %%, %llu synapses, %llu formed, %llu eliminated\n", epoch.epoch + 1,
                100.0 * epoch.accuracy, static_cast<unsigned long long>(counts.synapses),
                static_cast<unsigned long long>(counts.formed), static_cast<unsigned long long>(counts.eliminated));
  }
  std::uint64_t formed = 0, eliminated = 0;
};

std::vector<std::uint32_t> in_degrees(const Trainer& trainer) {
  std::vector<std::uint32_t> degrees(trainer.network().layers[0].size);
  for (const Tensor& tensor : trainer.parameters()) {
    if (tensor.name != "hidden.weight_indices") continue;
    for (std::size_t i = 1; i < tensor.values.size(); i += 3) ++degrees[static_cast<std::size_t>(tensor.values[i])];
  }
  return degrees;
}

std::uint64_t sum(const std::vector<std::uint32_t>& numbers) {
  std::uint64_t all = 0;
  for (const std::uint32_t n : numbers) all += n;
  return all;
}

}  // namespace

int main() {
  TrainingModel model = parse_training_model(kModel, "own_rule.toml");
  Rewiring rewiring;
  rewiring.kind = RewiringKind::custom;
  rewiring.custom = [] { return std::make_unique<WeakAndOld>(0.05F, 10, kMostPerTarget); };
  model.network.layers[0].input.rewiring = rewiring;

  const auto data = open_dataset(model.data, "data", Split::train, model.options.seed);
  Trainer trainer(model.network, model.options);
  const std::vector<std::uint32_t> before = in_degrees(trainer);
  Shown shown;
  (void)fit(trainer, *data, shown);
  const std::vector<std::uint32_t> after = in_degrees(trainer);
  // A target that began with more keeps them; nobody else gets more than the rule allows.
  for (std::size_t k = 0; k < after.size(); ++k) {
    if (after[k] > std::max(before[k], kMostPerTarget)) return 1;
  }
  return shown.formed > 0 && sum(after) == sum(before) + shown.formed - shown.eliminated ? 0 : 1;
}
