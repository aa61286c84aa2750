// Whether ranks share samples or layers, where nobody has said so.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>

#include "comm/loopback.hpp"
#include "train/networks.hpp"
#include "train/parallel_choice.hpp"

namespace tessera::training {
namespace {

using Ranks = const std::shared_ptr<Communicator>&;

Options sliced(std::uint32_t slices) {
  Options options = options_of({}, Strategy::sparse, 1);
  options.slices = slices;
  return options;
}

// Hand calculation: 30 x 40 + 40 x 24 + 24 x 4 dense weights, 24 x 24 recurrent ones of which a quarter is there, 16 bytes
// each with adamw, 4 more in slices, 12 more for a synapse.
TEST(ParallelChoice, LayersAreSharedWhereParametersTakeMoreThanHalfOfTheMemory) {
  Network network = two_layers();
  network.layers[1].recurrent = sparse(0.25, 0, 0);
  Options options = sliced(2);
  const double bytes = 20.0 * (30 * 40 + 40 * 24 + 24 * 4) + 32.0 * 24 * 24 / 4;
  EXPECT_EQ(parameter_bytes(network, options), bytes);
  EXPECT_EQ(choose_parallel(network, options, static_cast<std::uint64_t>(2 * bytes)), Parallel::data);
  EXPECT_EQ(choose_parallel(network, options, static_cast<std::uint64_t>(2 * bytes) - 1), Parallel::model);
  EXPECT_EQ(choose_parallel(network, options, 0), Parallel::data);  // not known
  options.strategy = Strategy::dense;                               // has no tiles
  EXPECT_EQ(choose_parallel(network, options, 1000), Parallel::data);
  options.slices = 1;
  options.optimizer.kind = OptimizerKind::sgd;
  options.optimizer.momentum = 0.0;
  EXPECT_EQ(parameter_bytes(network, options), 8.0 * (30 * 40 + 40 * 24 + 24 * 4) + 20.0 * 24 * 24 / 4);
}

// Ranks of one machine have its memory together, and all choose alike.
TEST(ParallelChoice, IsMadeByAllRanks) {
  const std::uint64_t here = least_memory(Agreement(nullptr));
  run_loopback(3, 1, [&](Ranks rank) {
    EXPECT_LE(least_memory(Agreement(rank)), here / 3 + here / 10);  // limits may move a little
    Options options = sliced(3);
    options.communicator = rank;
    EXPECT_EQ(Trainer(two_layers(), options).options().parallel, Parallel::data);
  });
}

}  // namespace
}  // namespace tessera::training
