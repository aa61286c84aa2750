// How a rank waits, and which one speaks when several end the run.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <thread>

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

// One word per machine that the first rank which aborts there takes: the others have nothing to add.
class FirstWord {
 public:
  void open(MPI_Comm world) {
    MPI_Comm machine = MPI_COMM_NULL;
    if (MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine) != MPI_SUCCESS) return;
    int rank = 0, unit = 0;
    MPI_Comm_rank(machine, &rank);
    MPI_Comm_size(machine, &ranks_here_);
    MPI_Aint bytes = rank == 0 ? 64 : 0;
    void* base = nullptr;
    MPI_Comm_set_errhandler(machine, MPI_ERRORS_RETURN);
    if (MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, machine, &base, &window_) == MPI_SUCCESS &&
        MPI_Win_shared_query(window_, 0, &bytes, &unit, &base) == MPI_SUCCESS) {
      taken_ = static_cast<int*>(base);
      if (rank == 0) *taken_ = 0;
      MPI_Barrier(machine);
    }
    MPI_Comm_free(&machine);
  }
  void close() {
    taken_ = nullptr;
    if (window_ != MPI_WIN_NULL) MPI_Win_free(&window_);
  }
  [[nodiscard]] bool take() const { return taken_ == nullptr || std::atomic_ref(*taken_).exchange(1) == 0; }
  [[nodiscard]] int ranks_here() const { return ranks_here_; }

 private:
  MPI_Win window_ = MPI_WIN_NULL;
  int* taken_ = nullptr;
  int ranks_here_ = 1;
};

}  // namespace tessera
