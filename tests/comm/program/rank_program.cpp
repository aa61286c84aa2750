// One rank of a test: what it does is its first argument. mpi_test.cpp starts it through mpirun.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>

#include "comm/communicators.hpp"
#include "comm/mpi.hpp"

namespace {

using namespace tessera;

constexpr int kVictim = 1;
constexpr int kRounds = 21;  ///< of seven lengths and up to three roots, all pairs; every message waits for its turn on a crowded machine

// The others exchange until something happens; the victim does what it is told in round 20.
void exchange_until_it_ends(Communicator& ranks, const std::string& fate) {
  Gathered all;
  for (std::int64_t round = 0;; ++round) {
    ranks.enter("exchange", round);
    if (round == 20 && ranks.rank() == kVictim) {
      if (fate == "killed") raise(SIGKILL);
      if (fate == "stopped") raise(SIGSTOP);
      if (fate == "leaves") _exit(0);
      if (fate == "silent") {  // alive for the launcher, but for nobody else
        for (;;) pause();
      }
      if (fate == "error") ranks.start_exchange({{Parcel{99, {}}}}, {});  // there is no such rank
      if (fate == "abort") ranks.abort(7, "rank 1 says why");
    }
    if (round == 20 && fate == "all abort") ranks.abort(7, "the same on every rank");
    ranks.all_gather(test::bytes_of(ranks.rank(), 0, 8), all);
  }
}

int run(Communicator& ranks, const std::string& what, bool watched) {
  if (what == "calls") {
    const std::string wrong = test::check_all_calls(ranks, kRounds);
    if (!wrong.empty()) std::fprintf(stderr, "%s", wrong.c_str());
    if (ranks.rank() == 0) std::printf("%d ranks, %s\n", ranks.size(), ranks.name().c_str());
    return wrong.empty() ? 0 : 1;
  }
  if (what == "busy") {  // computes for much longer than the patience; the thread gives signs of life
    if (ranks.rank() == kVictim) std::this_thread::sleep_for(std::chrono::seconds(watched ? 4 : 3600));
    ranks.barrier();
    return 0;
  }
  if (what == "fail alone") {  // the others are in a call meanwhile
    if (ranks.rank() != kVictim) ranks.barrier();
    if (!ranks.leave(1.0)) ranks.abort(8, "rank 1 fails alone");
    return 0;
  }
  if (what == "fail together") return ranks.leave(60.0) && ranks.leave(0.0) ? 9 : 1;
  exchange_until_it_ends(ranks, what);
  return 0;
}

}  // namespace

// rank_program WHAT LARGEST_COUNT PATIENCE_SECONDS thread|no_thread|callback
int main(int argc, char** argv) {
  if (argc != 5) return 3;
  signal(SIGTERM, SIG_IGN);  // a launcher sends it when a rank is gone, and kills a second later
  const std::string what = argv[1], watch = argv[4];
  MpiOptions options;
  options.largest_count = std::strtoull(argv[2], nullptr, 10);
  options.ranks.patience_seconds = std::strtod(argv[3], nullptr);
  options.watch_thread = watch != "no_thread";
  if (const auto by = launcher()) options.expected_size = by->size;
  if (watch == "callback") {
    options.ranks.on_loss = [](Communicator& ranks, const CommunicationError& error) {
      ranks.abort(6, std::string("called back: ") + error.what());
    };
  }
  try {
    const auto ranks = mpi_communicator(options);
    try {
      return run(*ranks, what, options.watch_thread);
    } catch (const CommunicationError& error) {
      ranks->abort(5, std::string("lost rank ") + std::to_string(error.rank) + ": " + error.what());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
