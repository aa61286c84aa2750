// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/thread_team.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>

#include "base/process_limits.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

// Longer than workers of equal load usually wait for each other and than it takes to wake a thread,
// much shorter than a time slice: who waits for a worker that lost its core gives up the own one.
constexpr auto kSpinTime = std::chrono::microseconds(50);
constexpr int kPausesPerLook = 16;  // at the clock

inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadTeam::ThreadTeam(int size)
    : size_(std::max(1, size)), spins_(size_ <= process_limits().threads()) {
  try {
    for (int worker = 1; worker < size_; ++worker) threads_.emplace_back([this, worker] { loop(worker); });
  } catch (const std::system_error& error) {
    const std::size_t started = threads_.size() + 1;
    stop();
    throw RunError("Only " + std::to_string(started) + " of " + std::to_string(size_) +
                   " threads could be started: " + error.what() + ".");
  }
}

ThreadTeam::~ThreadTeam() { stop(); }

void ThreadTeam::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  start_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadTeam::call(int worker) noexcept {
  try {
    (*work_)(worker);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void ThreadTeam::loop(int worker) {
  std::uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      start_.wait(lock, [&] { return stop_ || job_ != seen; });
      if (stop_) return;
      seen = job_;
    }
    call(worker);
    {
      const std::lock_guard lock(mutex_);
      ++finished_;
    }
    done_.notify_one();
  }
}

void ThreadTeam::run(const std::function<void(int)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    finished_ = 0;
    failure_ = nullptr;
    ++job_;
  }
  start_.notify_all();
  call(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return finished_ == size_ - 1; });
  if (failure_) std::rethrow_exception(failure_);
}

void ThreadTeam::barrier() noexcept {
  if (size_ == 1) return;
  const std::uint32_t generation = generation_.load(std::memory_order_acquire);
  if (waiting_.fetch_add(1, std::memory_order_acq_rel) == size_ - 1) {
    waiting_.store(0, std::memory_order_relaxed);
    // Not just a release: the store has to be visible before the wake-up looks for sleepers, or one
    // that lies down in between would sleep on.
    generation_.store(generation + 1, std::memory_order_seq_cst);
    generation_.notify_all();
    return;
  }
  if (spins_ && passed_while_spinning(generation)) return;
  generation_.wait(generation, std::memory_order_acquire);
}

bool ThreadTeam::passed_while_spinning(std::uint32_t generation) const noexcept {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int pause = 0; pause < kPausesPerLook; ++pause) {
      if (generation_.load(std::memory_order_acquire) != generation) return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace tessera
