// The scalar equations against NEST, without the engine: a loop over reference_step and a list of
// connections reproduces the spikes and membrane traces of six networks.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "nest_cases/nest_case_data.hpp"
#include "tessera/errors.hpp"
#include "tessera/neuron_model.hpp"

namespace tessera::nest_cases {
namespace {

const std::filesystem::path kData =
    std::filesystem::path(TESSERA_SOURCE_DIR) / "tests/nest_cases/data";

NeuronVariant prepared(const NestCase& nest) {
  const NeuronCatalogue catalogue = NeuronCatalogue::builtin();
  const NeuronModel* model = catalogue.find(nest.model);
  if (model == nullptr) throw InputError("Unknown neuron model '" + nest.model + "'.");
  ParameterValues values;
  for (const ParameterInfo& parameter : model->parameters) {
    values.set(parameter.name, parameter.default_value);
  }
  for (const auto& [name, value] : nest.parameters) values.set(name, value);
  EXPECT_TRUE(model->check(values).empty());
  return model->prepare(values, nest.dt_ms);
}

/// Update `step` leads from step - 1 to step; what it adds at its end lies in slot step % slots. A
/// spike of that update arrives `delay` updates later.
Outcome simulate(const NestCase& nest) {
  const NeuronVariant variant = prepared(nest);
  const std::size_t n = nest.neurons, ports = static_cast<std::size_t>(variant.ports);
  const std::size_t columns = variant.states.size();
  std::uint32_t longest = 1;
  std::vector<std::vector<Connection>> outgoing(n);
  for (const Connection& connection : nest.connections) {
    outgoing[connection.source].push_back(connection);
    longest = std::max(longest, connection.delay_steps);
  }
  const std::size_t slots = longest + 1;
  std::vector<double> ring(slots * n * ports, 0.0), state(n * columns, 0.0);
  std::vector<int> refractory(n, 0);
  for (std::size_t i = 0; i < n; ++i) state[i * columns] = nest.initial_v_mV[i] - variant.origin;
  Outcome outcome;
  std::size_t sample = 0;
  for (std::uint32_t step = 1; step <= nest.steps; ++step) {
    double* slot = &ring[step % slots * n * ports];
    for (std::uint32_t i = 0; i < n; ++i) {
      const bool spiked =
          variant.reference_step(&state[i * columns], variant.constants.data(), slot + i * ports,
                                 nest.current_pA[i], refractory[i] > 0);
      if (refractory[i] > 0) --refractory[i];
      if (!spiked) continue;
      refractory[i] = variant.refractory_steps;
      outcome.spikes.push_back({step, i});
      for (const Connection& connection : outgoing[i]) {
        const std::size_t port = ports == 2 && connection.weight < 0.0 ? 1 : 0;
        const std::size_t arrival = (step + connection.delay_steps) % slots;
        ring[(arrival * n + connection.target) * ports + port] += connection.weight;
      }
    }
    std::fill(slot, slot + n * ports, 0.0);
    for (; sample < nest.membrane.size() && nest.membrane[sample].step == step; ++sample) {
      outcome.v_mV.push_back(state[nest.membrane[sample].id * columns] + variant.origin);
    }
  }
  return outcome;
}

class ReferenceAgainstNest : public testing::TestWithParam<const char*> {};

TEST_P(ReferenceAgainstNest, SpikesAndMembranesAgree) {
  const NestCase nest = read_case(kData / GetParam());
  ASSERT_GT(nest.spikes.size(), 1000u);  // a silent network would agree with anything
  ASSERT_FALSE(nest.membrane.empty());
  const Comparison found = compare(nest, simulate(nest));
  std::cout << nest.name << ": first differing step " << found.first_difference << ", spikes "
            << found.spikes << " (NEST " << found.nest_spikes << "), membrane deviation "
            << found.largest_deviation_mV << " mV, before the first spike "
            << found.deviation_before_spike_mV << " mV\n";
  for (const std::string& sentence : out_of_bounds(nest, found)) ADD_FAILURE() << sentence;
}

INSTANTIATE_TEST_SUITE_P(Cases, ReferenceAgainstNest,
                         testing::Values("iaf_psc_exp", "iaf_psc_exp_two_time_constants",
                                         "iaf_psc_alpha", "iaf_psc_delta", "iaf_cond_exp",
                                         "aeif_cond_exp"));

TEST(NestComparison, SeesADifferentSpikeAndADeviatingMembrane) {
  NestCase nest;
  nest.model = "iaf_psc_exp";
  nest.neurons = 2;
  nest.steps = 10000;
  nest.spikes = {{10, 0}, {20, 1}};
  nest.membrane = {{5, 0, -60.0}, {15, 0, -61.0}};
  Outcome same{{{20, 1}, {10, 0}}, {-60.0, -61.0}};
  EXPECT_TRUE(out_of_bounds(nest, compare(nest, same)).empty());
  Outcome late{{{10, 0}, {21, 1}}, {-60.0, -61.0}};
  EXPECT_EQ(compare(nest, late).first_difference, 20);
  EXPECT_EQ(out_of_bounds(nest, compare(nest, late)).size(), 1u);
  Outcome missing{{{10, 0}}, {-60.0, -61.0}};
  EXPECT_EQ(compare(nest, missing).first_difference, 20);
  Outcome moved{{{10, 0}, {20, 1}}, {-60.0, -61.5}};
  EXPECT_DOUBLE_EQ(compare(nest, moved).largest_deviation_mV, 0.5);
  EXPECT_DOUBLE_EQ(compare(nest, moved).deviation_before_spike_mV, 0.0);  // sample after the spike
  Outcome broken{{{10, 0}, {20, 1}}, {std::nan(""), -61.0}};
  EXPECT_EQ(out_of_bounds(nest, compare(nest, broken)).size(), 1u);
}

TEST(NestCaseFolder, BadFoldersGetASentence) {
  EXPECT_THROW((void)read_case(kData / "no_such_case"), InputError);
  const auto folder = std::filesystem::path(testing::TempDir()) / "tessera_bad_nest_case";
  std::filesystem::remove_all(folder);
  std::filesystem::copy(kData / "iaf_psc_delta", folder);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::filesystem::permissions(entry, std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
  }
  EXPECT_NO_THROW((void)read_case(folder));
  std::ofstream(folder / "connections.csv") << "source,target,weight,delay\n0,200,1.0,1\n";
  EXPECT_THROW((void)read_case(folder), InputError);
  std::ofstream(folder / "connections.csv") << "source,target,weight,delay\n0,1,nan,1\n";
  EXPECT_THROW((void)read_case(folder), InputError);
  std::ofstream(folder / "connections.csv") << "source,target,weight,delay\n0,1,1.0\n";
  EXPECT_THROW((void)read_case(folder), InputError);
  std::ofstream(folder / "case.json") << "{\"model\": 3}";
  EXPECT_THROW((void)read_case(folder), InputError);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tessera::nest_cases
