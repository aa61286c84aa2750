// Where things are on a device.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "connectivity/wiring.hpp"
#include "engine/device_map.hpp"
#include "engine/networks.hpp"
#include "engine/step_loop.hpp"
#include "kernels/cuda/machine.hpp"
#include "kernels/cuda/phases.hpp"
#include "tessera/errors.hpp"

namespace tessera::test {
namespace {

/// What a map needs of a context.
struct Mapped {
  explicit Mapped(const Network& network, std::uint32_t blocks) : wiring(network, 1) {
    const NeuronCatalogue models = NeuronCatalogue::builtin();
    std::uint32_t id = 0;
    for (const Population& p : network.populations) {
      const NeuronModel& model = *models.find(p.model);
      PopulationKernel kernel;
      kernel.population = &p;
      kernel.variant = model.prepare(values_of(p, model), network.dt_ms);
      context.kernels.push_back(kernel);
      context.first_id.push_back(id);
      id += p.size;
    }
    context.wiring = &wiring;
    map = std::make_unique<DeviceMap>(network, context, blocks, 47);
  }
  Wiring wiring;
  TileContext context;
  std::unique_ptr<DeviceMap> map;
};

TEST(DeviceMap, EveryNeuronHasOnePlaceAndShareOfBlocksDiffersByOnePerPopulation) {
  const Network network = balanced();
  for (const std::uint32_t blocks : {1u, 7u, 132u, 200u}) {
    const Mapped mapped(network, blocks);
    std::set<std::pair<std::uint32_t, std::uint32_t>> places;
    for (std::uint32_t p = 0; p < 2; ++p) {
      std::vector<std::uint32_t> of_block(blocks);
      for (std::uint32_t i = 0; i < network.populations[p].size; ++i) {
        const DeviceMap::Place place = mapped.map->place(p, i);
        ASSERT_LT(place.block, blocks);
        const gpu::Slice& slice = mapped.map->slice(place.block, p);
        ASSERT_GE(place.neuron, slice.begin);
        ASSERT_LT(place.neuron, slice.end);
        ASSERT_EQ(slice.first_id + place.neuron - slice.begin, mapped.context.first_id[p] + i);
        ASSERT_TRUE(places.emplace(place.block, place.neuron).second);
        ++of_block[place.block];
      }
      const auto [least, most] = std::minmax_element(of_block.begin(), of_block.end());
      EXPECT_LE(*most - *least, 1u) << blocks;
    }
  }
}

TEST(DeviceMap, PartsOfAnImageDoNotOverlap) {
  const Mapped mapped(balanced(), 5);
  const gpu::Layout& at = mapped.map->layout();
  EXPECT_EQ(at.neurons, 880u / 5);
  EXPECT_EQ(at.slots, 700u / 5 + 2 * 180 / 5);  // I has two ports
  EXPECT_EQ(at.slice_of_at, at.slices_at + 2 * 32);
  EXPECT_EQ(at.slices_at % 4, 0u);
  EXPECT_EQ(at.weights_at, at.slice_of_at);  // rows are not drawn
  EXPECT_EQ(at.words % 4, 0u);
  EXPECT_EQ(at.row_at, at.slice_of_at + at.neurons);
  EXPECT_EQ(at.ring_at, at.spiked_at + at.neurons);
  EXPECT_EQ(at.words, (at.ring_at + at.slots * 47 + 3) / 4 * 4);
}

TEST(Phases, TheHashIsThatOfTheStepLoop) {
  for (const std::uint32_t step : {0u, 1u, 77u, 4000000000u}) {
    for (const std::uint32_t neuron : {0u, 5u, 77168u, 0xffffffffu}) EXPECT_EQ(gpu::hash_of(step, neuron), spike_hash(step, neuron));
  }
}

TEST(Phases, StampsOfARecordsLastAndNextStepDiffer) {
  for (const std::int64_t step : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{65533}, std::int64_t{65534}, std::int64_t{4000000000}}) {
    EXPECT_EQ(gpu::side_of(step), gpu::side_of(step + 2));
    EXPECT_NE(gpu::side_of(step), gpu::side_of(step + 1));
    EXPECT_NE(gpu::stamp_of(step), gpu::stamp_of(step + 2));
  }
  EXPECT_NE(gpu::stamp_of(0), 0u) << "zeroed memory looks like a record of step 0";
}

}  // namespace
}  // namespace tessera::test
