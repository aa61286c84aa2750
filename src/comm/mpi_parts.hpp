// How a rank waits, and what it shares with others on its machine.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/process_limits.hpp"
#include "comm/core_share.hpp"

namespace tessera {

// Waits the way that suits how long it already takes: spins while an answer may come within microseconds and
// nobody needs the core, then lets others run, then sleeps.
class Backoff {
 public:
  explicit Backoff(bool spins) : spins_(spins) {}
  void pause() {
    const auto waited = Clock::now() - begin_;
    if (spins_ && waited < std::chrono::microseconds(50)) return;
    if (waited < std::chrono::milliseconds(20)) {
      sched_yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool spins_;
  Clock::time_point begin_ = Clock::now();
};

// Time in which this process was running: where it was not (a machine that slept or is crowded, a job that was
// suspended), others were not, either, and cannot be blamed for their silence.
class RunningTime {
 public:
  /// No turn between two calls of pass() is taken for longer than this.
  explicit RunningTime(std::chrono::duration<double> longest_turn) : longest_turn_(longest_turn) {}
  void pass() {
    const Clock::time_point now = Clock::now();
    passed_ += std::min<std::chrono::duration<double>>(now - last_, longest_turn_);
    last_ = now;
  }
  void restart() { passed_ = {}; }
  [[nodiscard]] std::chrono::duration<double> passed() const { return passed_; }

 private:
  using Clock = std::chrono::steady_clock;
  std::chrono::duration<double> longest_turn_, passed_{0.0};
  Clock::time_point last_ = Clock::now();
};

// What the ranks of one machine share: its cores, and a word that the first rank which aborts there takes: the
// others have nothing to add. They must not end the run before it is spoken, either: the launcher would kill the
// speaker.
class OneMachine {
 public:
  void open(MPI_Comm world) {
    MPI_Comm machine = MPI_COMM_NULL;
    if (MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine) != MPI_SUCCESS) return;
    int rank = 0, unit = 0;
    MPI_Comm_rank(machine, &rank);
    MPI_Comm_size(machine, &ranks_here_);
    share_cores_of(machine, rank);
    MPI_Aint bytes = rank == 0 ? 64 : 0;
    void* base = nullptr;
    MPI_Comm_set_errhandler(machine, MPI_ERRORS_RETURN);
    if (MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, machine, &base, &window_) == MPI_SUCCESS &&
        MPI_Win_shared_query(window_, 0, &bytes, &unit, &base) == MPI_SUCCESS) {
      taken_ = static_cast<int*>(base);
      if (rank == 0) *taken_ = kFree;
      MPI_Barrier(machine);
    }
    MPI_Comm_free(&machine);
  }
  void close() {
    share_cores(1.0);
    taken_ = nullptr;
    if (window_ != MPI_WIN_NULL) MPI_Win_free(&window_);
  }
  /// Calls `speak` where nobody has the word yet; else returns when it was spoken, or its owner seems to be dead.
  template <class Speak>
  void speak_or_wait(const Speak& speak) const {
    if (taken_ == nullptr) return speak();
    const std::atomic_ref word(*taken_);
    if (int free = kFree; word.compare_exchange_strong(free, kTaken)) {
      speak();
      word = kSpoken;
      return;
    }
    for (int turn = 0; word != kSpoken && turn < kTurns; ++turn)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  [[nodiscard]] int ranks_here() const { return ranks_here_; }

 private:
  // Ranks of one machine do not all take all of its cores.
  void share_cores_of(MPI_Comm machine, int rank) const {
    std::vector<CoreMask> masks(static_cast<std::size_t>(ranks_here_));
    const CoreMask own = own_core_mask();
    constexpr int kBytes = sizeof own;
    if (MPI_Allgather(&own, kBytes, MPI_BYTE, masks.data(), kBytes, MPI_BYTE, machine) != MPI_SUCCESS) return;
    const double alone = share_of_cores({{own}}, 0), share = share_of_cores(masks, rank);
    if (share > 0.0) share_cores(share / alone);
  }

  static constexpr int kFree = 0, kTaken = 1, kSpoken = 2;
  static constexpr int kTurns = 500;  // 5 s, more where this process is not running either
  MPI_Win window_ = MPI_WIN_NULL;
  int* taken_ = nullptr;
  int ranks_here_ = 1;
};

}  // namespace tessera
