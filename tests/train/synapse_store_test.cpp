// Rows that grow and shrink: beside a naive map over many random changes; signs; layouts.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/synapse_store.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "train/networks.hpp"
#include "train/parameter_array.hpp"

namespace tessera::training {
namespace {

struct Kept {
  float weight, first, second;
  std::uint32_t delay;
  bool operator==(const Kept&) const = default;
};
using Naive = std::map<std::pair<std::uint32_t, std::uint32_t>, Kept>;

ParameterArray make_array(std::uint32_t sources, std::uint32_t targets, std::uint32_t width) {
  ParameterArray array("a.weight", {0}, ArrayLayout::flat(0));
  array.store = std::make_unique<SynapseStore>(sparse(0.1, 0, 3), sources, targets, width, 5, 0);
  array.store->assign(array, std::vector<PlacedSynapse>{}, {});
  array.first = AlignedArray<float>(array.layout.size);
  array.second = AlignedArray<float>(array.layout.size);
  return array;
}

// Everything that lies in the slots, and that nothing but that lies there.
Naive content(const ParameterArray& array) {
  const SynapseStore& store = *array.store;
  Naive found;
  std::size_t last = 0, row_index = 0;
  for (const RowSpan row : store.all_spans()) {
    EXPECT_LE(last, row.begin);
    EXPECT_LE(row.begin, row.end);
    EXPECT_LE(row.end, store.capacity());
    for (std::size_t slot = last; slot < row.begin; ++slot) {
      EXPECT_EQ(array.value[slot], 0.0F);
      EXPECT_EQ(array.gradient[slot], 0.0F);
      EXPECT_EQ(array.first[slot], 0.0F);
      EXPECT_EQ(array.second[slot], 0.0F);
      EXPECT_EQ(store.slots()[slot].info, 0);
    }
    const auto source = static_cast<std::uint32_t>(row_index % store.sources());
    const auto tile = static_cast<std::uint32_t>(row_index / store.sources());
    for (std::size_t slot = row.begin; slot < row.end; ++slot) {
      const SynapseSlot s = store.slots()[slot];
      EXPECT_TRUE(slot == row.begin || store.slots()[slot - 1].target < s.target);
      const std::uint32_t target = tile * store.width() + s.target;
      EXPECT_EQ(s.sign() < 0.0F, store.inhibitory(source, target));
      EXPECT_EQ(array.gradient[slot], 10.0F * array.value[slot]);
      const bool fresh =
          found.emplace(std::pair(source, target), Kept{array.value[slot], array.first[slot], array.second[slot], s.delay()})
              .second;
      EXPECT_TRUE(fresh) << source << " -> " << target << " twice";
    }
    last = row.end;
    ++row_index;
  }
  return found;
}

// What a synapse has is put there by hand after it was added with the state zero.
void mark(ParameterArray& array, std::uint32_t source, std::uint32_t target, float number) {
  const std::size_t slot = array.store->slot_of(source, target);
  EXPECT_EQ(array.first[slot], 0.0F);
  EXPECT_EQ(array.second[slot], 0.0F);
  EXPECT_EQ(array.gradient[slot], 0.0F);
  array.gradient[slot] = 10.0F * number;
  array.first[slot] = number + 0.25F;
  array.second[slot] = number + 0.5F;
}

TEST(SynapseStore, LosesAndDoublesNothingOverManyRandomChanges) {
  constexpr std::uint32_t kSources = 41, kTargets = 90, kWidth = 32;
  ParameterArray array = make_array(kSources, kTargets, kWidth);
  SynapseStore& store = *array.store;
  Naive naive;
  RandomStream random(RandomKey(3), Purpose::subsample, 0, 0);
  std::uint64_t formed = 0, eliminated = 0;
  for (int change = 0; change < 200000; ++change) {
    // More and more synapses, then fewer; a third of all changes fall into a corner.
    const bool corner = random.next_below(3) == 0;
    const std::uint32_t source = random.next_below(corner ? 4 : kSources);
    const std::uint32_t target = random.next_below(corner ? 9 : kTargets);
    const bool add = random.next_unit() < (change < 100000 ? 0.55 : 0.4);
    const auto found = naive.find({source, target});
    ASSERT_EQ(store.connected(source, target), found != naive.end());
    if (change % 50 == 0) store.begin_batch();
    if (add) {
      const float number = static_cast<float>(change % 8192 + 1);
      const std::uint32_t delay = random.next_below(4);
      ASSERT_EQ(store.add(array, source, target, number, delay, 0), found == naive.end());
      if (found != naive.end()) continue;
      mark(array, source, target, number);
      naive[{source, target}] = {number, number + 0.25F, number + 0.5F, delay};
      ++formed;
    } else if (found != naive.end()) {
      store.remove(array, source, target);
      naive.erase(found);
      ++eliminated;
    }
    ASSERT_EQ(store.synapses(), naive.size());
    if (change % 5000 == 0) {
      ASSERT_EQ(content(array), naive);
    }
  }
  EXPECT_EQ(content(array), naive);
  EXPECT_EQ(formed - eliminated, naive.size());
  EXPECT_GT(eliminated, 30000u);
  // Free slots: a thirty-second of the synapses, or what had to be there when there were most.
  EXPECT_LE(store.capacity(), 41u * 90u + 41u * 90u / 32u + 16u);
}

TEST(SynapseStore, TheFreeTargetsOfARowAreFoundByTheirNumber) {
  ParameterArray array = make_array(7, 70, 16);
  std::set<std::uint32_t> reached;
  RandomStream random(RandomKey(4), Purpose::subsample, 0, 0);
  while (reached.size() < 69) {
    const std::uint32_t target = random.next_below(70);
    EXPECT_EQ(array.store->add(array, 3, target, 1.0F, 0, 0), reached.insert(target).second);
    EXPECT_EQ(array.store->out_degree(3), reached.size());
    std::uint32_t k = 0;
    for (std::uint32_t t = 0; t < 70; ++t) {
      if (reached.contains(t)) continue;
      EXPECT_EQ(array.store->absent_target(3, k++), t);
    }
  }
}

// A fair coin for every pair: the number of -1 is within five standard deviations of the half, and does not
// depend on the connection alone.
TEST(SynapseStore, SignsAreAFairCoinThatNobodyStores) {
  constexpr std::uint64_t kPairs = 40000;
  std::uint64_t inhibitory = 0, same = 0;
  for (std::uint64_t pair = 0; pair < kPairs; ++pair) {
    const bool sign = is_inhibitory(RandomKey(9), 2, pair);
    EXPECT_EQ(sign, is_inhibitory(RandomKey(9), 2, pair));
    inhibitory += sign ? 1 : 0;
    same += sign == is_inhibitory(RandomKey(9), 3, pair) ? 1 : 0;
  }
  const double deviation = std::sqrt(kPairs * 0.25);
  EXPECT_NEAR(static_cast<double>(inhibitory), kPairs * 0.5, 5.0 * deviation);
  EXPECT_NEAR(static_cast<double>(same), kPairs * 0.5, 5.0 * deviation);
}

// With the optimiser, a connection with 5 % of the synapses takes at most 8 % of a full matrix with its optimiser.
TEST(SynapseStore, AFewPercentOfTheSynapsesTakeAFewPercentOfTheMemory) {
  for (const auto& [sources, targets, share] :
       {std::tuple(784u, 256u, 0.08), std::tuple(2312u, 512u, 0.08), std::tuple(512u, 512u, 0.08)}) {
    ParameterArray array("a.weight", {0}, ArrayLayout::flat(0));
    array.store = std::make_unique<SynapseStore>(sparse(0.05, 0, 0), sources, targets, std::min(targets, 512u), 5, 0);
    std::vector<PlacedSynapse> synapses;
    RandomStream random(RandomKey(6), Purpose::subsample, 0, 0);
    for (std::uint32_t s = 0; s < sources; ++s) {
      for (std::uint32_t t = 0; t < targets; ++t)
        if (random.next_unit() < 0.05) synapses.push_back({s, t, 0});
    }
    array.store->assign(array, synapses, std::vector<float>(synapses.size(), 1.0F));
    const double bytes = static_cast<double>(array.store->bytes() + 4 * sizeof(float) * array.layout.size);
    EXPECT_LE(bytes, share * 4.0 * sizeof(float) * sources * targets) << sources << " x " << targets;
  }
}

TEST(SynapseStore, SaysWhatIsWrongWithIndices) {
  const ParameterArray array = make_array(7, 70, 16);
  const auto check = [&](std::vector<float> values) {
    return array.store->check({"i", {values.size() / 3, 3}, values});
  };
  EXPECT_EQ(check({6, 69, 3, 0, 0, 0}), "");
  EXPECT_NE(check({7, 69, 3}).find("source 7 at synapse 0; it must be a whole number from 0 to 6"), std::string::npos);
  EXPECT_NE(check({6, 70, 3}).find("from 0 to 69"), std::string::npos);
  EXPECT_NE(check({6, 69, 4}).find("delay 4"), std::string::npos);
  EXPECT_NE(check({6, 1.5F, 0}).find("target 1.5"), std::string::npos);
  EXPECT_NE(check({6, -1, 0}).find("target -1"), std::string::npos);
  EXPECT_NE(check({6, NAN, 0}), "");
  EXPECT_NE(check({2, 5, 0, 1, 1, 0, 2, 5, 1}).find("two synapses from 2 to 5"), std::string::npos);
  EXPECT_NE(array.store->check({"i", {2}, {0, 0}}).find("[synapses, 3]"), std::string::npos);
}

}  // namespace
}  // namespace tessera::training
