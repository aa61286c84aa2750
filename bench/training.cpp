// Training at a fixed activity: time and memory of one batch, forward, backward and update.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
//
// Usage: bench_training [name=value ...]     one line of csv per call, after a header with header=1
//   strategy=sparse|dense  layers=2  neurons=2944 (hidden, in all)  inputs=1472  classes=20
//   batch=48 steps=100  activity=0.02  optimizer=sgd|adamw  threads=0  repetitions=5  recurrent=0
//   density=1 (of the connections between hidden layers)  gain=G theta_grad=T (instead of the search below)
//   slices=1 (parts of a batch; through mpirun the ranks share them)  parallel=data|model
//   connectivity=1 (density of all connections of hidden layers)  turnover=0 (share of these synapses that a rule
//   takes away and forms elsewhere after every batch; its share of the time is the last column)
// Weights are scaled layer by layer until the activity is met, then theta_grad is chosen so that
// about twice as many neurons are listed as spike. The learning rate is so small that the activity
// stays. With a gain the weights are drawn with it and nothing is searched: for networks that take minutes.
#include "tessera/training.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tessera/communicator.hpp"

namespace {

using namespace tessera::training;
using tessera::launched_communicator;
using tessera::launcher;
using Clock = std::chrono::steady_clock;
using Settings = std::map<std::string, std::string>;

double number(const Settings& settings, const std::string& name, double standard) {
  const auto found = settings.find(name);
  return found == settings.end() ? standard : std::atof(found->second.c_str());
}

SpikeBatch random_batch(std::uint32_t samples, std::uint32_t steps, std::uint32_t channels,
                        double activity, std::uint32_t classes) {
  SpikeBatch batch{samples, steps, channels, {0}, {}, {}};
  std::mt19937 engine(1);
  std::uniform_real_distribution<double> unit;
  for (std::uint32_t q = 0; q < samples * steps; ++q) {
    for (std::uint32_t c = 0; c < channels; ++c) {
      if (unit(engine) < activity) batch.channel.push_back(c);
    }
    batch.first.push_back(static_cast<std::uint32_t>(batch.channel.size()));
  }
  for (std::uint32_t b = 0; b < samples; ++b)
    batch.label.push_back(static_cast<std::int32_t>(b % classes));
  return batch;
}

// Every so many synapses one goes, from a random one on, and as many come as DEEP R places them.
class Turnover final : public RewiringRule {
 public:
  explicit Turnover(double share) : period_(static_cast<std::uint32_t>(1.0 / share)) {}
  void rewire(RewiredConnection& connection) override {
    RuleRandom random = connection.random(0);
    std::uint32_t count = random.below(period_);
    const std::size_t removed = connection.remove_if([&](const RewiredConnection::Synapse&) {
      if (++count < period_) return false;
      count = 0;
      return true;
    });
    connection.add_by_row(removed, random);
  }

 private:
  std::uint32_t period_;
};

Connection connection_of(const Settings& settings) {
  Connection connection;
  const double density = number(settings, "connectivity", 1.0), turnover = number(settings, "turnover", 0.0);
  if (density >= 1.0) return connection;
  connection.kind = ConnectionKind::sparse;
  connection.density = density;
  if (turnover <= 0.0) return connection;
  connection.rewiring = Rewiring{};
  connection.rewiring->kind = RewiringKind::custom;
  connection.rewiring->custom = [turnover] { return std::make_unique<Turnover>(turnover); };
  return connection;
}

double ratio_listed(const BatchResult& result) {
  double listed = 0.0, spikes = 0.0;
  for (const LayerActivity& layer : result.layers) {
    listed += static_cast<double>(layer.listed);
    spikes += static_cast<double>(layer.spikes);
  }
  return listed / std::max(spikes, 1.0);
}

struct Found {
  std::vector<Tensor> parameters;
  double theta_grad;
};

// With the sparse strategy, whatever is measured.
Found find_activity(const Network& network, Options options, const SpikeBatch& batch) {
  options.strategy = Strategy::sparse;
  Trainer finder(network, options);
  finder.initialise_activity(batch);
  double low = 0.0, high = 1.0;
  for (int round = 0; round < 12; ++round) {
    finder.set_theta_grad(0.5 * (low + high));
    std::vector<Tensor> unused;
    (ratio_listed(finder.gradients(batch, unused)) > 2.0 ? low : high) = 0.5 * (low + high);
  }
  return {finder.parameters(), high};
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    settings[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
  }
  const auto layers = static_cast<std::uint32_t>(number(settings, "layers", 2));
  const auto neurons = static_cast<std::uint32_t>(number(settings, "neurons", 2944));
  const double activity = number(settings, "activity", 0.02);
  const bool dense = settings.count("strategy") > 0 && settings["strategy"] == "dense";
  const bool adamw = settings.count("optimizer") > 0 && settings["optimizer"] == "adamw";

  Network network;
  network.name = "benchmark";
  network.input = {1, 1, static_cast<std::uint32_t>(number(settings, "inputs", 1472))};
  network.steps = static_cast<std::uint32_t>(number(settings, "steps", 100));
  network.classes = static_cast<std::uint32_t>(number(settings, "classes", 20));
  for (std::uint32_t k = 0; k < layers; ++k) {
    Layer layer;
    layer.name = "hidden" + std::to_string(k + 1);
    layer.size = neurons / layers;
    layer.initial_activity = activity;
    layer.initial_gain = number(settings, "gain", 1.0);
    layer.input = connection_of(settings);
    if (number(settings, "recurrent", 0) > 0) layer.recurrent = connection_of(settings);
    const double density = number(settings, "density", 1.0);
    if (k > 0 && density < 1.0) {
      layer.input.kind = ConnectionKind::sparse;
      layer.input.density = density;
    }
    network.layers.push_back(layer);
  }
  Layer readout;
  readout.name = "readout";
  readout.neuron = NeuronKind::readout;
  readout.size = network.classes;
  network.layers.push_back(readout);
  Options options;
  options.strategy = dense ? Strategy::dense : Strategy::sparse;
  options.threads = static_cast<int>(number(settings, "threads", 0));
  options.batch = static_cast<std::uint32_t>(number(settings, "batch", 48));
  options.optimizer.kind = adamw ? OptimizerKind::adamw : OptimizerKind::sgd;
  options.optimizer.momentum = 0.0;
  options.optimizer.learning_rate = 1e-12;
  options.second_threshold = {0.9, 0.9, 0.0};

  const SpikeBatch batch =
      random_batch(options.batch, network.steps, static_cast<std::uint32_t>(network.input.size()),
                   activity, network.classes);
  options.slices = static_cast<std::uint32_t>(number(settings, "slices", 1));
  if (settings.count("parallel") > 0 && settings["parallel"] == "model") options.parallel = Parallel::model;
  if (launcher()) options.communicator = launched_communicator();
  const bool speaks = !options.communicator || options.communicator->rank() == 0;
  const Found found = settings.count("gain") > 0 ? Found{{}, number(settings, "theta_grad", 0.9)}
                                                 : find_activity(network, options, batch);
  Trainer trainer(network, options);
  if (!found.parameters.empty()) trainer.set_parameters(found.parameters);
  trainer.set_theta_grad(found.theta_grad);
  BatchResult result = trainer.train(batch);  // warm-up
  std::vector<double> seconds;
  double rewiring = 0.0, all = 0.0;
  for (int k = 0; k < static_cast<int>(number(settings, "repetitions", 5)); ++k) {
    const Clock::time_point start = Clock::now();
    result = trainer.train(batch);
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    rewiring += result.rewiring_seconds;
    all += seconds.back();
  }
  if (!speaks) return 0;
  std::sort(seconds.begin(), seconds.end());
  double spikes = 0.0, possible = 0.0;
  for (const LayerActivity& layer : result.layers) {
    spikes += static_cast<double>(layer.spikes);
    possible += static_cast<double>(layer.neuron_steps);
  }
  if (number(settings, "header", 0) > 0) {
    std::printf(
        "strategy,optimizer,layers,neurons,inputs,activity,listed,median_s,fastest_s,slowest_s,"
        "list_bytes,connectivity,rewiring_share\n");
  }
  std::printf("%s,%s,%u,%u,%llu,%.4f,%.4f,%.5f,%.5f,%.5f,%llu,%g,%.4f\n", dense ? "dense" : "sparse",
              adamw ? "adamw" : "sgd", layers, neurons,
              static_cast<unsigned long long>(network.input.size()), spikes / possible,
              ratio_listed(result) * spikes / possible, seconds[seconds.size() / 2],
              seconds.front(), seconds.back(),
              static_cast<unsigned long long>(trainer.list_bytes()), number(settings, "connectivity", 1.0),
              rewiring / all);
  return 0;
}
