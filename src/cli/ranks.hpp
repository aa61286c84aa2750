// Commands over all processes that a launcher (mpirun, srun) has started.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "cli/arguments.hpp"
#include "comm/agreement.hpp"
#include "tessera/communicator.hpp"

namespace tessera::cli {

/// Below, a busy machine would look like a dead rank.
constexpr double kLeastPatienceMs = 1000.0;

/// Whether this process prints and writes: alone, or rank 0.
[[nodiscard]] bool speaks();

/// Runs `command` on every rank and returns its exit code, the same on all: with what the ranks settle together,
/// and the communicator (null: alone). An exception that all ranks meet is printed by rank 0; one that the
/// others do not know of ends them all, with one message. `patience`: --patience, refused by the command
/// where it means nothing.
int on_ranks(const Text& patience,
             const std::function<int(const std::shared_ptr<Communicator>&)>& command);

/// For what stops this process before a command begins: the exit code, after rank 0 has said what it is, or
/// this rank, where it is the only one. A launcher ends all processes as soon as one leaves with a failure, so
/// none may go before rank 0 has spoken. Throws `failure` where the process is alone, or cannot meet the others.
[[nodiscard]] int refuse_on_ranks(const std::exception_ptr& failure);

/// Does something that only rank 0 does, and throws on all ranks what it threw there.
template <class Work>
void on_first(const Agreement& ranks, const Work& work) {
  std::exception_ptr failure;
  try {
    if (ranks.first()) work();
  } catch (...) {
    failure = std::current_exception();
  }
  ranks.settle_failures(failure);
}

/// Does something on all ranks; throws on all of them when it throws on one.
template <class Work>
auto together(const Agreement& ranks, const Work& work) {
  std::exception_ptr failure;
  std::optional<decltype(work())> result;
  try {
    result.emplace(work());
  } catch (...) {
    failure = std::current_exception();
  }
  ranks.settle_failures(failure);
  return std::move(*result);
}

}  // namespace tessera::cli
