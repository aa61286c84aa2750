// Notices a rank that has died or hangs. Ranks watch each other in a ring: each tells the one before it a few
// times per patience that it lives and what it does, so a rank costs two small messages wherever it is, and
// exactly one finds out that it is lost.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>
#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "comm/mpi_parts.hpp"
#include "tessera/communicator.hpp"

namespace tessera {

/// Only one thread at a time may be inside MPI (MPI_THREAD_SERIALIZED).
using MpiMutex = std::timed_mutex;

/// Throws CommunicationError when an MPI call has failed.
void check_mpi(int code, const char* phase);

class MpiWatch {
 public:
  using OnLoss = std::function<void(const CommunicationError&)>;

  /// `world` is watched through a duplicate of it. Called by all ranks; `threaded` starts the thread.
  MpiWatch(MPI_Comm world, MpiMutex& mutex, double patience_seconds, bool threaded, OnLoss on_loss);
  ~MpiWatch();
  MpiWatch(const MpiWatch&) = delete;
  MpiWatch& operator=(const MpiWatch&) = delete;

  void enter(const char* phase, std::int64_t step) noexcept {
    phase_.store(phase, std::memory_order_relaxed);
    step_.store(step, std::memory_order_relaxed);
  }
  [[nodiscard]] const char* phase() const noexcept { return phase_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t step() const noexcept { return step_.load(std::memory_order_relaxed); }

  /// For every turn of a loop that waits: gives signs of life where there is no thread for it, and throws
  /// once a rank is lost. The mutex must be free.
  void while_waiting();
  /// From now on a rank may leave: only silence counts, not that its process is gone.
  void expect_leaving() noexcept { leaving_.store(true); }
  /// No more signs are given or expected. All ranks have called expect_leaving().
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  /// A sign of life; the text of a phase is cut where it is longer.
  struct Sign {
    std::int64_t step = -1;
    std::array<char, 40> phase{};
  };
  /// How the process of a rank can be found on this machine.
  struct Process {
    std::uint64_t machine = 0;  ///< equal where processes see each other
    std::int64_t id = 0;
  };

  void loop();
  void beat();
  void exchange_signs();
  [[nodiscard]] bool next_is_gone() const;
  void lose(const std::string& what);

  MpiMutex& mutex_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1, before_ = 0, next_ = 0;
  std::chrono::duration<double> patience_, pause_;
  OnLoss on_loss_;
  std::optional<pid_t> next_process_;  ///< where it is on this machine
  std::atomic<const char*> phase_{"start"};
  std::atomic<std::int64_t> step_{-1};
  std::atomic<bool> leaving_{false};

  Sign sent_, heard_, last_heard_;
  MPI_Request sending_ = MPI_REQUEST_NULL, hearing_ = MPI_REQUEST_NULL;
  Clock::time_point last_beat_, last_sign_;
  RunningTime silence_;

  std::mutex loss_mutex_;
  std::optional<CommunicationError> loss_;
  std::atomic<bool> lost_{false};

  std::thread thread_;
  std::mutex stop_mutex_;
  std::condition_variable stop_asked_;
  bool stop_ = false;
};

}  // namespace tessera
