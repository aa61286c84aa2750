// The loop over epochs on several ranks: the same result, and every sample is read by the rank that needs it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "comm/loopback.hpp"
#include "train/rank_failures.hpp"
#include "train/two_classes.hpp"

namespace tessera::training {
namespace {

using Ranks = const std::shared_ptr<Communicator>&;

// 80 samples, of which 16 are validated in 2 batches of 8, and 64 make 8 batches; a slice has 2.
constexpr std::size_t kSamples = 80;
Options sliced_options() {
  Options options = small_options();
  options.batch = 8;
  options.slices = 4;
  return options;
}

FitResult fit_on(const TwoClasses& data, Options options, const std::shared_ptr<Communicator>& rank) {
  options.communicator = rank;
  Trainer trainer(small_network(), options);
  Observer observer;
  FitResult result = fit(trainer, data, observer);
  result.best_parameters = trainer.parameters();
  return result;
}

TEST(FitOverRanks, HasTheSameResultAndReadsEverySampleOnce) {
  const TwoClasses alone(kSamples);
  const FitResult expected = fit_on(alone, sliced_options(), nullptr);
  for (const int ranks : {2, 3, 4}) {
    std::vector<std::unique_ptr<TwoClasses>> data;
    for (int r = 0; r < ranks; ++r) data.push_back(std::make_unique<TwoClasses>(kSamples));
    run_loopback(ranks, 1, [&](Ranks rank) {
      const FitResult result = fit_on(*data[static_cast<std::size_t>(rank->rank())], sliced_options(), rank);
      expect_same(result, expected);
      expect_same(result.best_parameters, expected.best_parameters);
    });
    // By draw: 0 is validation, then the epochs; all read the first batch, which scales the weights (draw 1) and
    // may choose the strategy.
    for (std::uint64_t draw = 0; draw <= 4; ++draw) {
      std::size_t reads = 0, most = 0;
      for (const auto& one : data) {
        const std::size_t n = one->read_order[draw].size();
        reads += n;
        most = std::max(most, n);
      }
      const std::size_t twice = draw == 1 ? static_cast<std::size_t>(ranks - 1) * 2 * 8 : 0;
      EXPECT_EQ(reads, alone.read_order[draw].size() + twice) << draw;
      // Of four slices a rank has at most two, and one where there are four ranks.
      if (draw > 1) {
        EXPECT_EQ(most, ranks == 4 ? 16u : 32u) << draw;
      }
    }
  }
}

// More ranks than batches of validation: some have none.
TEST(FitOverRanks, ARankMayHaveNothingToValidate) {
  Options options = sliced_options();
  options.batch = 40;
  options.epochs = 2;
  const TwoClasses data(kSamples);
  const FitResult expected = fit_on(data, options, nullptr);
  run_loopback(4, 2, [&](Ranks rank) { expect_same(fit_on(data, options, rank), expected); });
}

// A sample that only one rank reads is named to all.
TEST(FitOverRanks, WhatOneRankCannotReadEndsAll) {
  TwoClasses data(kSamples);
  data.broken = 33;
  int heard = 0;
  EXPECT_THROW(run_loopback(3, 1,
                            [&](Ranks rank) {
                              try {
                                fit_on(data, sliced_options(), rank);
                              } catch (const InputError& error) {
                                heard += std::string(error.what()).find("sample 33 ends") != std::string::npos ? 1 : 0;
                                throw;
                              }
                            }),
               InputError);
  EXPECT_EQ(heard, 3);
}

TEST(RankFailures, ADivergedRankIsHeardOfWithItsLayer) {
  int heard = 0;
  EXPECT_THROW(run_loopback(3, 1,
                            [&](Ranks rank) {
                              try {
                                together(Agreement(rank), [&] {
                                  if (rank->rank() == 1) throw DivergedError("It is too large.", "hidden");
                                });
                              } catch (const DivergedError& error) {
                                heard += error.layer == "hidden" && std::string(error.what()) == "It is too large." ? 1 : 0;
                                throw;
                              }
                            }),
               DivergedError);
  EXPECT_EQ(heard, 3);
}

TEST(TrainShare, TakesTheWholeBatchOrTheShareOfTheRank) {
  const Network network = two_layers();
  const SpikeBatch batch = random_batch(network, 9, 0.2, 1);
  run_loopback(2, 1, [&](Ranks rank) {
    Options options = options_of({}, Strategy::automatic, 1);
    options.slices = 2;
    options.communicator = rank;
    Trainer trainer(network, options);
    const SampleRange share = trainer.share(9);
    EXPECT_EQ(share.begin, rank->rank() == 0 ? 0u : 4u);
    EXPECT_EQ(share.end, rank->rank() == 0 ? 4u : 9u);
    SpikeBatch own = random_batch(network, share.end - share.begin, 0.2, 2);
    EXPECT_THROW(trainer.train_share(own, 9), InputError);  // the strategy is not chosen yet
    trainer.train_share(batch, 9);
    EXPECT_EQ(trainer.train_share(own, 9).prediction.size(), 9u);
    EXPECT_THROW(trainer.train_share(own, 11), InputError);
  });
}

}  // namespace
}  // namespace tessera::training
