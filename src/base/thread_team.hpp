// A persistent team of workers with a barrier that spins briefly, then sleeps.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tessera {

class ThreadTeam {
 public:
  /// `size` workers; worker 0 is the thread that calls run(). Throws RunError when the system has not
  /// that many threads.
  explicit ThreadTeam(int size);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  [[nodiscard]] int size() const noexcept { return size_; }
  /// Calls work(worker) on every worker and returns when all have finished. The first exception of a
  /// worker is rethrown here; work that uses the barrier must not throw.
  void run(const std::function<void(int)>& work);
  /// All workers of the running job wait here for each other.
  void barrier() noexcept;

 private:
  void loop(int worker);
  void call(int worker) noexcept;
  void stop();
  [[nodiscard]] bool passed_while_spinning(std::uint32_t generation) const noexcept;

  int size_;
  bool spins_;  ///< there is a core for every worker
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  std::uint64_t job_ = 0;
  int finished_ = 0;
  bool stop_ = false;
  const std::function<void(int)>* work_ = nullptr;
  std::exception_ptr failure_;
  alignas(64) std::atomic<int> waiting_{0};
  alignas(64) std::atomic<std::uint32_t> generation_{0};
};

}  // namespace tessera
