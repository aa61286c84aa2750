// What a training over ranks will need, counted without building anything: neurons, parameters, memory, messages and
// time of a rank, where ranks share samples and where they share layers.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tessera/training.hpp"

namespace tessera::training {

/// Seconds. The defaults are those of docs/performance.md.
struct TrainingCosts {
  double message_seconds = 2e-6;       ///< a message, for every doubling of the ranks
  double byte_seconds = 1e-10;         ///< of the link of a rank
  double dense_seconds = 0.06e-9;      ///< a weight that an entry of a list visits, on one core
  double synapse_seconds = 1.5e-9;     ///< the same of a sparse connection
};

struct RankPlanOptions {
  int ranks = 1;
  int rank = 0;                   ///< 0 .. ranks - 1
  double activity = 0.02;         ///< share of neurons (and channels) that spikes in a step, where a layer has no initial_activity; above 0, at most 1
  double listed = 0.0;            ///< share that is listed, at most max_activity of a layer; 0: four times the activity
  int threads = 1;                ///< of a rank
  std::uint64_t rank_bytes = 0;   ///< memory of a rank, for the choice; 0: that of this machine
  TrainingCosts costs;
};

struct PlannedRoom {
  std::string room, what;
  double bytes = 0.0;
};

/// One way to share. Where `obstacles` has sentences it is not possible, and the rest is empty.
struct SplitPlan {
  Parallel parallel = Parallel::data;
  std::vector<Problem> obstacles;
  double neurons = 0.0, parameters = 0.0;  ///< whose weights the rank has
  std::vector<PlannedRoom> memory;         ///< by room, without data sets and the program
  double memory_bytes = 0.0;
  double messages = 0.0, bytes = 0.0;      ///< that the rank sends in a batch
  double compute_seconds = 0.0, exchange_seconds = 0.0, batch_seconds = 0.0;  ///< predicted
};

struct RankPlan {
  int ranks = 1, rank = 0;
  double neurons = 0.0, parameters = 0.0;  ///< of the network
  SplitPlan data, model;
  Parallel chosen = Parallel::data;        ///< by Parallel::automatic
};

/// Throws InputError for a network or options that are not valid whatever ranks share, and for numbers outside of
/// their ranges. Synapses of sparse connections, spikes and list entries are expected ones.
[[nodiscard]] RankPlan plan_over_ranks(const Network& network, const Options& options, const RankPlanOptions& wanted);

}  // namespace tessera::training
