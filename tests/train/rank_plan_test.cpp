// What a plan of a training over ranks counts is what trainings over ranks do.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "comm/loopback.hpp"
#include "train/engine.hpp"
#include "train/networks.hpp"
#include "train/optimizer.hpp"
#include "train/rank_plan.hpp"

namespace tessera::training {
namespace {

using Ranks = const std::shared_ptr<Communicator>&;
constexpr std::uint32_t kSamples = 19;

// Tiles of 128 neurons: 2, 4 and one of 16, without padding but in the readout. All neurons are listed in every step, as
// long as theta_grad is where it starts.
Network planned_network() {
  Network network = two_layers();
  network.input = {1, 1, 32};
  network.layers[0].size = 256;
  network.layers[1].size = 512;
  network.layers[1].recurrent = Connection{};
  network.layers[0].bias = true;
  make_synaptic(network.layers[1]);
  network.layers[1].synapse.trainable = true;
  return network;
}

Options planned_options(Parallel parallel, std::uint32_t slices, double clip) {
  Options options = options_of({}, Strategy::sparse, 1);
  options.parallel = parallel;
  options.slices = slices;
  options.batch = kSamples;
  options.optimizer.clip_norm = clip;
  return options;
}

RankPlan plan_of(const Network& network, const Options& options, int ranks, int rank) {
  RankPlanOptions wanted;
  wanted.ranks = ranks;
  wanted.rank = rank;
  wanted.activity = wanted.listed = 1.0;
  return plan_over_ranks(network, options, wanted);
}

std::vector<Traffic> traffic_of(const Network& network, const Options& options, int ranks) {
  std::vector<Traffic> sent(static_cast<std::size_t>(ranks));
  run_loopback(ranks, 1, [&](Ranks rank) {
    Options own = options;
    own.communicator = rank;
    Trainer trainer(network, own);
    const Traffic before = rank->traffic();
    trainer.train(random_batch(network, kSamples, 0.2, 1));
    const Traffic after = rank->traffic();
    sent[static_cast<std::size_t>(rank->rank())] = {after.messages - before.messages, after.bytes - before.bytes};
  });
  return sent;
}

TEST(RankPlan, CountsTheMessagesAndBytesOfSharedLayers) {
  const Network network = planned_network();
  for (const auto& [slices, ranks, clip] : {std::tuple{1u, 2, 0.0}, {4u, 3, 0.5}}) {
    const Options options = planned_options(Parallel::model, slices, clip);
    const std::vector<Traffic> sent = traffic_of(network, options, ranks);
    for (int rank = 0; rank < ranks; ++rank) {
      const SplitPlan plan = plan_of(network, options, ranks, rank).model;
      const Traffic& found = sent[static_cast<std::size_t>(rank)];
      ASSERT_TRUE(plan.obstacles.empty());
      EXPECT_EQ(plan.messages, static_cast<double>(found.messages)) << rank << " of " << ranks;
      EXPECT_NEAR(plan.bytes / static_cast<double>(found.bytes), 1.0, 0.03) << rank << " of " << ranks;
    }
  }
}

TEST(RankPlan, CountsTheMessagesAndBytesOfSharedSamples) {
  const Network network = planned_network();
  for (const int ranks : {2, 3}) {
    const Options options = planned_options(Parallel::data, 4, 0.5);
    double messages = 0.0, bytes = 0.0, planned_messages = 0.0, planned_bytes = 0.0;
    for (const Traffic& sent : traffic_of(network, options, ranks)) {
      messages += static_cast<double>(sent.messages);
      bytes += static_cast<double>(sent.bytes);
    }
    for (int rank = 0; rank < ranks; ++rank) {
      const SplitPlan plan = plan_of(network, options, ranks, rank).data;
      planned_messages += plan.messages;
      planned_bytes += plan.bytes;
    }
    EXPECT_NEAR(planned_bytes / bytes, 1.0, 0.03) << ranks;
    EXPECT_NEAR(planned_messages / messages, 1.0, 0.15) << ranks;  // where shares end is not known
  }
}

TEST(RankPlan, CountsTheRoomOfTheParametersThatARankHas) {
  const Network network = planned_network();
  const Options options = planned_options(Parallel::model, 4, 0.0);
  double parameters = 0.0, neurons = 0.0;
  for (int rank = 0; rank < 3; ++rank) {
    const auto topology = resolve(network, 1, {4, true, rank, 3});
    const auto engine = make_sparse_engine(network, {}, topology, Agreement(nullptr));
    double weights = 0.0;
    for (const ParameterArray* a : engine->arrays()) {
      if (a->name.ends_with("weight")) weights += static_cast<double>(a->value.size());
    }
    const SplitPlan plan = plan_of(network, options, 3, rank).model;
    // Twelve neurons of the readout are padding; bias and decay factors are on every rank.
    const double padding = plan.neurons > 0.0 && topology[2].share.own_tiles() > 0 ? 12.0 * 512 : 0.0;
    EXPECT_EQ(plan.parameters - 256 - 512, weights - padding) << rank;
    EXPECT_EQ(plan.memory.at(0).bytes, 8.0 * plan.parameters);
    EXPECT_EQ(plan.memory.at(1).bytes, 8.0 * plan.parameters);   // adamw
    EXPECT_EQ(plan.memory.at(2).bytes, 2 * 4.0 * plan.parameters);  // of four slices two sums wait
    parameters += plan.parameters - 256 - 512;
    neurons += plan.neurons;
  }
  const RankPlan whole = plan_of(network, options, 1, 0);
  EXPECT_EQ(whole.parameters, 32.0 * 256 + 256 * 512 + 512 * 512 + 512 * 4 + 256 + 512);
  EXPECT_EQ(whole.data.parameters, whole.parameters);
  EXPECT_EQ(parameters + 256 + 512, whole.parameters);
  EXPECT_EQ(neurons, 256.0 + 512 + 4);
}

// Sums along the tree ((0 1) (2 3)) ((4 5) 6), one after the other.
TEST(RankPlan, KnowsHowManySumsWait) {
  EXPECT_EQ(waiting_sums(1, 0, 1), 0u);
  EXPECT_EQ(waiting_sums(2, 0, 2), 1u);
  EXPECT_EQ(waiting_sums(4, 0, 4), 2u);
  EXPECT_EQ(waiting_sums(7, 0, 7), 2u);  // 0-3 and 4-5; 6 completes the whole
  EXPECT_EQ(waiting_sums(4, 0, 1), 0u);  // stays in the gradient
  EXPECT_EQ(waiting_sums(4, 0, 2), 1u);
  EXPECT_EQ(waiting_sums(4, 1, 3), 1u);  // 1 waits, 2 stays
}

// 2 us for each of two doublings and 1e-10 s a byte; a visit of a weight takes its seconds.
TEST(RankPlan, PredictsByTheCostsThatAreGiven) {
  const Network network = planned_network();
  RankPlanOptions wanted;
  wanted.ranks = 4;
  wanted.activity = 0.1;
  wanted.listed = 0.3;
  wanted.costs = {1.0, 0.0, 0.0, 0.0};
  const Options options = planned_options(Parallel::automatic, 4, 0.0);
  const RankPlan slow = plan_over_ranks(network, options, wanted);
  // Ranks meet, in a slice: 3 times in each layer forwards, 12 in the steps of the recurrent one, 2 after the loss; back 11
  // in the steps, once between layers (rank 0 has no part of the readout, and gets from it only), two sums.
  EXPECT_DOUBLE_EQ(slow.model.exchange_seconds, 2.0 * 4 * (3 * 3 + 12 + 2 + 11 + 1 + 2));
  EXPECT_EQ(slow.model.compute_seconds, 0.0);
  wanted.costs = {0.0, 0.0, 1.0, 0.0};
  const RankPlan busy = plan_over_ranks(network, options, wanted);
  // Of the whole network, in a step of a sample: forwards 3.2 channels, 25.6 and 51.2 neurons, back the channels again and
  // three times as many neurons; the recurrent weights twice for a spike (forwards, and their gradient), once for an entry.
  const double visits = 3.2 * 256 * 2 + 25.6 * 512 * 4 + 51.2 * 4 * 4 + 51.2 * 512 * 2 + 153.6 * 512;
  EXPECT_NEAR(busy.data.compute_seconds, visits * kSamples * 12 / 4, 1e-6 * visits);
  wanted.threads = 2;
  EXPECT_NEAR(plan_over_ranks(network, options, wanted).data.compute_seconds, busy.data.compute_seconds / 2, 1e-6);
}

TEST(RankPlan, SaysWhatIsNotPossible) {
  Network network = planned_network();
  RankPlanOptions wanted;
  wanted.ranks = 3;
  RankPlan plan = plan_over_ranks(network, planned_options(Parallel::automatic, 1, 0.0), wanted);
  ASSERT_EQ(plan.data.obstacles.size(), 1u);  // fewer slices than ranks
  EXPECT_NE(plan.data.obstacles[0].message.find("A batch has 1 slice"), std::string::npos);
  EXPECT_TRUE(plan.model.obstacles.empty());
  network.layers[1].recurrent.reset();
  make_convolutional(network, 1);
  plan = plan_over_ranks(network, planned_options(Parallel::automatic, 3, 0.0), wanted);
  EXPECT_TRUE(plan.data.obstacles.empty());
  EXPECT_EQ(plan.model.obstacles.size(), 2u);  // two convolutions
  wanted.rank = 3;
  wanted.activity = 0.0;
  wanted.listed = 2.0;
  try {
    (void)plan_over_ranks(network, planned_options(Parallel::automatic, 3, 0.0), wanted);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.problems().size(), 3u);
  }
}

// 20 bytes a parameter of planned_network() are 8.07 MB: half of 16 MB is less, half of 17 MB is not.
TEST(RankPlan, ChoosesWhatATrainerWouldChoose) {
  RankPlanOptions wanted;
  wanted.ranks = 2;
  wanted.rank_bytes = 16'000'000;
  const Options options = planned_options(Parallel::automatic, 2, 0.0);
  EXPECT_EQ(plan_over_ranks(planned_network(), options, wanted).chosen, Parallel::model);
  wanted.rank_bytes = 17'000'000;
  EXPECT_EQ(plan_over_ranks(planned_network(), options, wanted).chosen, Parallel::data);
}

}  // namespace
}  // namespace tessera::training
