// Each way in which a chip differs from the model, alone, against a float64 oracle that is written from the equations of
// docs/partitioned-training.md.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>

#include "substrate/event_link.hpp"
#include "substrate/variation.hpp"
#include "support/goodness_of_fit.hpp"
#include "train/networks.hpp"
#include "train/substrates.hpp"

namespace tessera::training {
namespace {

constexpr std::uint64_t kSeed = 11;
constexpr std::uint32_t kRunNeurons = 13;

// 30 inputs, 40 hidden neurons (lif, or with a synaptic current), a readout of 4; 12 steps of 1 ms.
Network hidden_and_readout(bool synaptic = false) {
  Network network = two_layers();
  network.layers.erase(network.layers.begin() + 1);
  network.layers[0].initial_gain = 1.5;
  if (synaptic) make_synaptic(network.layers[0]);
  return network;
}

struct Oracle {
  std::vector<std::vector<std::vector<int>>> spikes;         // [sample][step][hidden neuron]
  std::vector<std::vector<std::vector<double>>> output;      // [sample][step][class]
};

const Tensor& named(const std::vector<Tensor>& tensors, const std::string& name) {
  for (const Tensor& t : tensors) {
    if (t.name == name) return t;
  }
  throw std::runtime_error(name);
}

// On the chip of neuron j of a layer: circuit and chip of its run (divide() with kRunNeurons: runs of a layer follow each
// other; neurons of the first layer take two circuits).
struct Place {
  std::uint32_t run, circuit;
};
Place place_of(std::uint32_t layer, std::uint32_t j) {
  if (layer == 0) return {j / kRunNeurons, j % kRunNeurons * 2};
  return {4, j};
}

struct Settings {
  MachineDescription machine;
  double cap = 0.0, roll_off = 1.0;
  std::uint32_t chips = 1;
};

// The weight that the chip has: r(w) in whole steps (substrate/weight_map.hpp).
double chip_weight(double w, const Settings& s, double largest) {
  if (s.machine.weights.bits == 0) return w;
  const double cap = s.cap > 0.0 ? s.cap : largest, b = s.roll_off * cap, size = std::abs(w);
  double r = size <= b ? size : s.roll_off == 1.0 ? cap : cap - (cap - b) * std::exp(-(size - b) / (cap - b));
  const double step = cap / s.machine.weights.highest;
  r = std::floor(r / step + 0.5) * step;
  return w < 0.0 ? -r : r;
}

double read(const MachineDescription::Readout& r, double v) {
  if (r.bits == 0) return v;
  const double step = (r.highest - r.lowest) / ((1 << r.bits) - 1);
  return r.lowest + step * std::floor((std::min(std::max(v, r.lowest), r.highest) - r.lowest) / step + 0.5);
}

using Events = std::vector<std::vector<std::uint32_t>>;  // of a sample, by step

// What arrives over the links of one run: `taken` of its events are there already.
Events over_link(const Events& sent, const MachineDescription::Events& e, double step_us, std::vector<std::uint32_t>& taken) {
  if (e.clock_ns == 0.0) return sent;
  const double clocks = step_us * 1e3 / e.clock_ns;
  const auto period = static_cast<std::uint32_t>(std::lround(std::max(1.0, 1.0 / clocks)));
  const double most = e.in_per_clock > 0.0 ? std::floor(e.in_per_clock * std::max(1.0, clocks)) : 1e9;
  Events arrived(sent.size());
  for (std::uint32_t t = 0; t < sent.size(); ++t) {
    const auto tick = static_cast<std::uint32_t>(std::ceil(static_cast<double>(t) / period)) * period;
    for (const std::uint32_t id : sent[t]) {
      if (tick >= sent.size() || taken[tick] >= most) continue;
      ++taken[tick];
      arrived[tick].push_back(id);
    }
  }
  return arrived;
}

// Runs the equations: C dv/dt towards the neuron's own leak, its own threshold, gain and time constants.
Oracle oracle(const Network& network, const std::vector<Tensor>& parameters, const SpikeBatch& batch, const Settings& s) {
  const std::uint32_t steps = network.steps, hidden = network.layers[0].size, classes = network.classes;
  const double step_us = 1e3 * network.dt_ms / s.machine.speedup;
  const std::vector<float>&w0 = named(parameters, "first.weight").values, &w1 = named(parameters, "out.weight").values;
  const auto largest = [](const std::vector<float>& w) {
    double most = 0.0;
    for (const float x : w) most = std::max(most, static_cast<double>(std::abs(x)));
    return most;
  };
  const double most0 = largest(w0), most1 = largest(w1);
  Oracle o;
  o.spikes.assign(batch.samples, std::vector<std::vector<int>>(steps, std::vector<int>(hidden, 0)));
  o.output.assign(batch.samples, std::vector<std::vector<double>>(steps, std::vector<double>(classes, 0.0)));
  const auto pattern = [&](Place p) {
    return substrate::draw_pattern(s.machine.fixed_pattern, kSeed, p.run % s.chips, p.circuit);
  };
  const Layer& layer = network.layers[0];
  const bool synaptic = layer.neuron == NeuronKind::synaptic_lif;
  for (std::uint32_t b = 0; b < batch.samples; ++b) {
    Events input(steps);
    for (std::uint32_t t = 0; t < steps; ++t) {
      const std::size_t q = std::size_t{t} * batch.samples + b;
      input[t].assign(batch.channel.begin() + batch.first[q], batch.channel.begin() + batch.first[q + 1]);
    }
    Events spikes(steps);
    for (std::uint32_t j = 0; j < hidden; ++j) {
      const Place place = place_of(0, j);
      std::vector<std::uint32_t> taken(steps, 0);  // every run gets all inputs
      const Events arrived = over_link(input, s.machine.events, step_us, taken);
      const auto p = pattern(place);
      const double noise = substrate::draw_run_threshold(s.machine.noise.threshold, kSeed, {0, 1}, place.run % s.chips, place.circuit);
      const double alpha = std::exp(std::log(layer.membrane.low) / (1.0 + p.membrane));
      const double kappa = std::exp(std::log(layer.synapse.low) / (1.0 + p.synapse));
      const double leak = p.leak, threshold = 1.0 + p.threshold + noise;
      double v = leak, i = 0.0;
      for (std::uint32_t t = 0; t < steps; ++t) {
        double current = 0.0;
        for (const std::uint32_t source : arrived[t]) current += chip_weight(w0[std::size_t{source} * hidden + j], s, most0) * (1.0 + p.gain);
        i = synaptic ? kappa * i + current : current;
        v = leak + alpha * (v - leak) + i;
        if (v > threshold) {
          o.spikes[b][t][j] = 1;
          v = 0.0;
        }
      }
    }
    for (std::uint32_t t = 0; t < steps; ++t) {
      std::map<std::uint32_t, double> given;
      const double most = s.machine.events.out_per_clock > 0.0 && s.machine.events.clock_ns > 0.0
                              ? std::floor(s.machine.events.out_per_clock * step_us * 1e3 / s.machine.events.clock_ns)
                              : 1e9;
      for (std::uint32_t j = 0; j < hidden; ++j) {
        if (o.spikes[b][t][j] == 0) continue;
        if (given[place_of(0, j).run] >= most) {
          o.spikes[b][t][j] = 0;
        } else {
          given[place_of(0, j).run] += 1.0;
          spikes[t].push_back(j);
        }
      }
    }
    std::vector<std::uint32_t> taken(steps, 0);
    const Events arrived = over_link(spikes, s.machine.events, step_us, taken);
    for (std::uint32_t k = 0; k < classes; ++k) {
      const auto p = pattern(place_of(1, k));
      const double alpha = std::exp(std::log(network.layers[1].membrane.low) / (1.0 + p.membrane));
      double v = p.leak;
      for (std::uint32_t t = 0; t < steps; ++t) {
        double current = 0.0;
        for (const std::uint32_t j : arrived[t]) current += chip_weight(w1[std::size_t{j} * classes + k], s, most1) * (1.0 + p.gain);
        v = p.leak + alpha * (v - p.leak) + current;
        o.output[b][t][k] = read(s.machine.readout, v) - read(s.machine.readout, p.leak);
      }
    }
  }
  return o;
}

struct Effect {
  std::string name;
  bool synaptic = false;
  std::function<void(Settings&)> change;
  bool changes_spikes = true;
};
void PrintTo(const Effect& e, std::ostream* out) { *out << e.name; }

void clock(Settings& s, double steps) { s.machine.events.clock_ns = steps * 1e6; }

std::vector<Effect> effects() {
  return {
      {"whole_weights", false, [](Settings& s) { s.machine.weights = {6, -63, 63}; }},
      {"few_weights", true, [](Settings& s) { s.machine.weights = {3, -7, 7}; }},
      {"limit", false, [](Settings& s) { s.machine.weights = {6, -63, 63}, s.cap = 0.3; }},
      {"roll_off", false, [](Settings& s) { s.machine.weights = {6, -63, 63}, s.cap = 0.4, s.roll_off = 0.0; }},
      {"slow_clock", false, [](Settings& s) { clock(s, 3.0); }},
      {"bandwidth_in", false, [](Settings& s) { clock(s, 1.0), s.machine.events.in_per_clock = 4.0; }},
      {"bandwidth_out", false, [](Settings& s) { clock(s, 0.5), s.machine.events.out_per_clock = 1.0; }},
      {"thresholds", false, [](Settings& s) { s.machine.fixed_pattern.threshold.distribution = Distribution::normal(0.05, 0.2); }},
      {"leaks", false, [](Settings& s) { s.machine.fixed_pattern.leak.distribution = Distribution::normal(0.0, 0.2); }},
      {"membranes", false, [](Settings& s) { s.machine.fixed_pattern.membrane_time_constant.distribution = Distribution::normal(0.0, 0.3).within(-0.8, 1.0); }},
      {"synapses", true, [](Settings& s) { s.machine.fixed_pattern.synapse_time_constant.distribution = Distribution::normal(0.0, 0.3).within(-0.8, 1.0); }},
      {"gains", false, [](Settings& s) { s.machine.fixed_pattern.weight_gain.distribution = Distribution::normal(0.0, 0.2); }},
      {"gains_of_two_chips", false, [](Settings& s) { s.chips = 2, s.machine.fixed_pattern.weight_gain.distribution = Distribution::normal(0.0, 0.2); }},
      {"noise_of_runs", false, [](Settings& s) { s.machine.noise.threshold.distribution = Distribution::normal(0.0, 0.2); }},
      {"converter", false, [](Settings& s) { s.machine.readout.membranes = 512, s.machine.readout.bits = 4, s.machine.readout.lowest = -2.1, s.machine.readout.highest = 1.9; }, false},
      {"all", true,
       [](Settings& s) {
         s.machine.weights = {6, -63, 63};
         s.cap = 0.5;
         s.roll_off = 0.5;
         clock(s, 1.0);
         s.machine.events.in_per_clock = 6.0;
         s.machine.fixed_pattern.threshold.distribution = Distribution::normal(0.05, 0.1);
         s.machine.fixed_pattern.leak.distribution = Distribution::normal(0.0, 0.05);
         s.machine.fixed_pattern.weight_gain.distribution = Distribution::normal(0.0, 0.1);
         s.machine.noise.threshold.distribution = Distribution::normal(0.0, 0.05);
         s.machine.readout.membranes = 512;
         s.machine.readout.bits = 8;
       }},
  };
}

class SubstrateEffects : public testing::TestWithParam<Effect> {};
INSTANTIATE_TEST_SUITE_P(OneByOne, SubstrateEffects, testing::ValuesIn(effects()),
                         [](const auto& info) { return info.param.name; });

TEST_P(SubstrateEffects, FollowTheEquations) {
  Settings s;
  GetParam().change(s);
  Network network = hidden_and_readout(GetParam().synaptic);
  for (Layer& layer : network.layers) {
    layer.weight_limit = s.cap;
    layer.weight_roll_off = s.roll_off;
  }
  const SpikeBatch batch = random_batch(network, 6, 0.25, 5);
  Options options = options_of({}, Strategy::sparse, 2);
  auto substrate = on(divide(network, kRunNeurons, s.chips), s.machine);
  substrate->seed = kSeed;
  options.substrate = substrate;
  Trainer chip(network, options);
  const Oracle expected = oracle(network, chip.parameters(), batch, s);
  Settings ideal;
  const Oracle without = oracle(network, chip.parameters(), batch, ideal);
  chip.evaluate(batch);
  std::size_t spikes = 0, changed = 0;
  for (std::uint32_t b = 0; b < batch.samples; ++b) {
    std::vector<std::array<std::uint32_t, 2>> wanted;
    for (std::uint32_t t = 0; t < network.steps; ++t) {
      for (std::uint32_t j = 0; j < network.layers[0].size; ++j) {
        if (expected.spikes[b][t][j] != 0) wanted.push_back({t, j});
        changed += expected.spikes[b][t][j] != without.spikes[b][t][j] ? 1 : 0;
      }
    }
    spikes += wanted.size();
    EXPECT_EQ(chip.spikes(0, b), wanted) << "sample " << b;
  }
  EXPECT_GT(spikes, 100U);
  EXPECT_EQ(changed > 0, GetParam().changes_spikes) << "the effect has to be seen";
  const std::vector<float> output = chip.output();
  for (std::uint32_t t = 0; t < network.steps; ++t) {
    for (std::uint32_t b = 0; b < batch.samples; ++b) {
      for (std::uint32_t k = 0; k < network.classes; ++k)
        EXPECT_NEAR(output[(std::size_t{t} * batch.samples + b) * network.classes + k], expected.output[b][t][k], 2e-5);
    }
  }
}

// One input spike, one hidden neuron that spikes, one step: the gradient of its weight is d loss / d output times the
// output weights times the surrogate 1 / (1 + beta |x|)^2 at the membrane that the converter read.
TEST(SubstrateGradient, IsTakenAtTheRecordedMembrane) {
  Network network;
  network.name = "one";
  network.input = {1, 1, 1};
  network.steps = 1;
  network.classes = 2;
  network.layers = {make_layer("hidden", NeuronKind::lif, 1, 1.0), make_layer("out", NeuronKind::readout, 2, 1.0)};
  MachineDescription machine;
  machine.readout.membranes = 512;
  machine.readout.bits = 4;  // steps of 4 / 15 from -2.1: u = 1.3 is 12.75 of them, so it is read as 13
  machine.readout.lowest = -2.1;
  machine.readout.highest = 1.9;
  Options options = options_of({}, Strategy::sparse, 1);
  options.substrate = on(divide(network, 8), machine);
  Trainer trainer(network, options);
  trainer.set_parameters({{"hidden.weight", {1, 1}, {1.3F}}, {"out.weight", {1, 2}, {0.5F, -0.2F}}});
  SpikeBatch batch{1, 1, 1, {0, 1}, {0}, {0}};
  std::vector<Tensor> gradients;
  trainer.gradients(batch, gradients);
  // At rest 7.875 steps are read as 8, so the hidden neuron is 5 steps above it. The output is read, too: 0.5 is 9.75
  // steps, 10, and -0.2 is 7.125, 7.
  const double u0 = 2.0 * 4.0 / 15.0, u1 = -1.0 * 4.0 / 15.0;
  const double p0 = std::exp(u0) / (std::exp(u0) + std::exp(u1));
  const double x = 5.0 * 4.0 / 15.0 - 1.0, slope = 1.0 / ((1.0 + 2.0 * std::abs(x)) * (1.0 + 2.0 * std::abs(x)));
  const double expected = ((p0 - 1.0) * 0.5 + (1.0 - p0) * -0.2) * slope;
  EXPECT_NEAR(named(gradients, "hidden.weight").values[0], expected, 1e-6);
  EXPECT_NEAR(named(gradients, "out.weight").values[0], p0 - 1.0, 1e-6);
}

// Straight through: the gradient on the chip is that of the ideal network with the chip's weights, times the derivative
// of the roll-off, exp(-|w| / cap).
TEST(SubstrateGradient, GoesStraightThroughTheSteps) {
  Network network = hidden_and_readout();
  const SpikeBatch batch = random_batch(network, 6, 0.25, 5);
  Options options = options_of({}, Strategy::sparse, 1);
  Trainer ideal(network, options);
  const std::vector<Tensor> own = ideal.parameters();
  constexpr double kCap = 0.4;
  for (Layer& layer : network.layers) {
    layer.weight_limit = kCap;
    layer.weight_roll_off = 0.0;
  }
  MachineDescription machine;
  machine.weights = {6, -63, 63};
  options.substrate = on(divide(network, kRunNeurons), machine);
  Trainer chip(network, options);
  std::vector<Tensor> on_chip, expected, mapped = own;
  for (Tensor& tensor : mapped) {
    for (float& w : tensor.values) {
      const double r = kCap * (1.0 - std::exp(-std::abs(w) / kCap));
      w = static_cast<float>(std::copysign(std::floor(r / kCap * 63.0 + 0.5) * kCap / 63.0, w));
    }
  }
  ideal.set_parameters(mapped);
  ideal.gradients(batch, expected);
  chip.gradients(batch, on_chip);
  for (std::size_t k = 0; k < expected.size(); ++k) {
    for (std::size_t i = 0; i < expected[k].values.size(); ++i) {
      const double slope = std::exp(-std::abs(own[k].values[i]) / kCap);
      EXPECT_NEAR(on_chip[k].values[i], slope * expected[k].values[i], 2e-6) << expected[k].name;
    }
  }
  for (std::size_t k = 0; k < own.size(); ++k) EXPECT_EQ(chip.parameters()[k].values, own[k].values) << "the model keeps its own weights";
}

// u[t] = alpha (u[t-1] + xi): after the first step a neuron without input has alpha xi.
TEST(SubstrateNoise, OfMembranesFollowsItsDistribution) {
  Network network = hidden_and_readout();
  network.layers[1].size = network.classes = 40;
  MachineDescription machine;
  machine.noise.membrane.distribution = Distribution::normal(0.02, 0.1);
  Options options = options_of({}, Strategy::sparse, 1);
  options.substrate = on(divide(network, kRunNeurons), machine);
  Trainer trainer(network, options);
  SpikeBatch silent = random_batch(network, 250, 0.0, 1);
  trainer.evaluate(silent);
  const std::vector<float> output = trainer.output(), first(output.begin(), output.begin() + 250 * 40);
  const Distribution expected = machine.noise.membrane.distribution.scaled(0.9);
  EXPECT_TRUE(tessera::test::ks_fits({first.begin(), first.end()}, [&](double x) { return expected.cdf(x); }));
  trainer.evaluate(silent);
  EXPECT_NE(trainer.output(), output) << "another run";
}

// A slip of 1 step for every spike (1 ms of the chip) delays what the output gets; events from outside do not slip.
TEST(SubstrateNoise, OfSpikeTimesMovesSpikes) {
  Network network = hidden_and_readout();
  const SpikeBatch batch = random_batch(network, 4, 0.25, 5);
  Options options = options_of({}, Strategy::sparse, 1);
  Trainer ideal(network, options);
  MachineDescription machine;
  machine.noise.spike_time_us.distribution = Distribution::constant(1000.0);
  options.substrate = on(divide(network, kRunNeurons), machine);
  Trainer chip(network, options);
  ideal.evaluate(batch);
  const BatchResult result = chip.evaluate(batch);
  EXPECT_EQ(chip.spikes(0, 1), ideal.spikes(0, 1));
  const std::vector<float> a = ideal.output(), b = chip.output();
  const std::size_t row = std::size_t{batch.samples} * network.classes;
  for (std::size_t n = 0; n + row < a.size(); ++n) EXPECT_EQ(b[n + row], a[n]);
  std::uint64_t late = 0;
  for (const LinkActivity& link : result.links) late += link.late;
  EXPECT_GT(late, 0U);
}

// A gain of 1/4 more makes potentials 5/4 of the model's: the factor is 4/5. A threshold 1/10 higher needs 11/10.
TEST(SubstrateCalibration, UndoesWhatAllCircuitsHaveInCommon) {
  Network network = hidden_and_readout(true);
  Options options = options_of({}, Strategy::sparse, 1);
  MachineDescription machine;
  machine.fixed_pattern.weight_gain.distribution = Distribution::constant(0.25);
  options.substrate = on(divide(network, kRunNeurons), machine);
  Trainer gains(network, options);
  std::vector<double> factors = gains.calibrate();
  EXPECT_NEAR(factors[0], 0.8, 1e-5);
  EXPECT_NEAR(factors[1], 0.8, 1e-5);
  Options plain = options;
  plain.substrate = nullptr;
  Trainer ideal(network, plain);
  const SpikeBatch batch = random_batch(network, 4, 0.25, 5);
  ideal.evaluate(batch);
  gains.evaluate(batch);
  EXPECT_EQ(gains.spikes(0, 1), ideal.spikes(0, 1)) << "calibrated, the chip is the model again";

  machine.fixed_pattern.weight_gain.distribution = Distribution::constant(0.0);
  machine.fixed_pattern.threshold.distribution = Distribution::constant(0.1);
  options.substrate = on(divide(network, kRunNeurons), machine);
  factors = Trainer(network, options).calibrate();
  EXPECT_NEAR(factors[0], 1.1, 1e-5);
  EXPECT_NEAR(factors[1], 1.0, 1e-5) << "a readout has no threshold";
  // Eight bits over two thresholds: a potential of 0.1 to 0.8 is read within 1/255, so factors within 2 %.
  machine.readout.membranes = 512;
  machine.readout.bits = 8;
  machine.readout.highest = 2.0;
  machine.readout.lowest = 0.0;
  options.substrate = on(divide(network, kRunNeurons), machine);
  EXPECT_NEAR(Trainer(network, options).calibrate()[0], 1.1, 0.022);
}

MachineDescription all_effects() {
  Settings s;
  effects().back().change(s);
  s.machine.noise.membrane.distribution = Distribution::normal(0.0, 0.02);
  return s.machine;
}

// Weights after 4 batches are those after 2, a checkpoint and 2 more; threads change nothing.
TEST(SubstrateTraining, ResumesExactlyOnAnyNumberOfThreads) {
  Network network = hidden_and_readout();
  Options options = options_of({}, Strategy::sparse, 1);
  options.substrate = on(divide(network, kRunNeurons), all_effects());
  const auto train = [&](Trainer& trainer, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t k = from; k < to; ++k) trainer.train(random_batch(network, 6, 0.25, k));
  };
  Trainer whole(network, options);
  whole.calibrate();
  train(whole, 0, 4);
  options.threads = 2;
  Trainer first(network, options), second(network, options);
  first.calibrate();
  train(first, 0, 2);
  first.evaluate(random_batch(network, 6, 0.25, 77));
  second.set_parameters(first.parameters());
  second.set_state(first.state());
  train(second, 2, 4);
  for (std::size_t k = 0; k < whole.parameters().size(); ++k)
    EXPECT_EQ(second.parameters()[k].values, whole.parameters()[k].values);
  options.substrate = nullptr;
  Trainer other(network, options);
  EXPECT_THROW(other.set_state(first.state()), InputError);
}

// The layers that are off the substrate compute like the host.
TEST(SubstrateTraining, LayersOffTheSubstrateAreIdeal) {
  Network network = hidden_and_readout();
  network.layers[0].on_substrate = false;
  Options options = options_of({}, Strategy::sparse, 1);
  const SpikeBatch batch = random_batch(network, 6, 0.25, 5);
  Trainer ideal(network, options);
  options.substrate = on(divide(network, kRunNeurons), all_effects());
  Trainer mixed(network, options);
  ideal.evaluate(batch);
  mixed.evaluate(batch);
  EXPECT_EQ(mixed.spikes(0, 3), ideal.spikes(0, 3));
  EXPECT_NE(mixed.output(), ideal.output());
}

TEST(SubstrateProblems, AreToldAtOnce) {
  Network network = hidden_and_readout();
  network.layers[0].membrane.trainable = true;
  Options options = options_of({}, Strategy::dense, 1);
  options.slices = 2;
  auto substrate = on(divide(network, kRunNeurons));
  substrate->partition.runs[1].slices[0].count -= 2;
  substrate->partition.runs[2].slices[0].first -= 1;
  substrate->machine.events.clock_ns = 1.5e6;
  options.substrate = substrate;
  const std::vector<Problem> problems = validate(network, options);
  std::string all;
  for (const Problem& p : problems) all += p.message + "\n";
  for (const char* part : {"needs the sparse strategy, not dense", "one slice, not 2", "1500 us is not a whole number",
                           "time constants of layer 'first' are trained", "misses 2 of the 40 neurons of layer 'first'; the first is 24"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << " in\n" << all;
  }
}

}  // namespace
}  // namespace tessera::training
