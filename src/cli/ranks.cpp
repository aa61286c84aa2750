// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/ranks.hpp"

#include <fmt/format.h>

#include "cli/failure.hpp"
#include "cli/values.hpp"

namespace tessera::cli {
namespace {

// Long enough for ranks that meet the same error one after the other, also when rank 0 writes files first.
constexpr double kLeavingSeconds = 20.0;
// The same before any work: all ranks have just met.
constexpr double kRefusingSeconds = 3.0;

RankOptions options_of(const Text& patience) {
  RankOptions options;
  Problems ignored;  // a patience that is refused is no reason to lose a rank before that is said
  if (patience) {
    if (const auto ms = parse_time_ms(*patience, "--patience", ignored); ms && *ms >= kLeastPatienceMs)
      options.patience_seconds = *ms / 1000.0;
  }
  options.on_loss = [](Communicator& ranks, const CommunicationError& error) {
    ranks.abort(kRunFailed, text_of(describe(std::make_exception_ptr(error))));
  };
  return options;
}

int fail(Communicator& ranks, const Failure& failure, double seconds = kLeavingSeconds) {
  if (failure.of_one_rank) ranks.abort(failure.exit_code, text_of(failure));
  // It should be the same on all ranks; one that is alone with it says so.
  if (!ranks.leave(seconds)) {
    Failure alone = failure;
    for (std::string& sentence : alone.sentences) sentence = fmt::format("rank {}: {}", ranks.rank(), sentence);
    ranks.abort(failure.exit_code, text_of(alone));
  }
  if (ranks.rank() == 0) complain(failure);
  return failure.exit_code;
}

}  // namespace

bool speaks() {
  const std::optional<Launcher> by = launcher();
  return !by || by->rank == 0;
}

int on_ranks(const Text& patience,
             const std::function<int(const std::shared_ptr<Communicator>&)>& command) {
  if (!launcher()) return command(nullptr);
  const std::shared_ptr<Communicator> ranks = launched_communicator(options_of(patience));
  std::exception_ptr failure;
  try {
    return command(ranks);
  } catch (...) {
    failure = std::current_exception();
  }
  return fail(*ranks, describe(failure));
}

int refuse_on_ranks(const std::exception_ptr& failure) {
  if (!launcher()) std::rethrow_exception(failure);
  std::shared_ptr<Communicator> ranks;
  try {
    ranks = launched_communicator(options_of({}));
  } catch (const std::exception&) {  // another MPI, or none: the mistake is the better message
    std::rethrow_exception(failure);
  }
  return fail(*ranks, describe(failure), kRefusingSeconds);
}

}  // namespace tessera::cli
