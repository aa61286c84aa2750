// Workers that walk through the phases of one batch together: every worker calls the same sequence
// of each() and once(), every one ends with a barrier. Jobs of a phase are taken in any order, so a
// job may only write what no other job of the phase touches.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>

#include "base/flush_subnormals.hpp"
#include "base/thread_team.hpp"

namespace tessera::training {

class Crew {
 public:
  explicit Crew(int threads) : team_(threads) {}
  [[nodiscard]] int size() const noexcept { return team_.size(); }

  class Worker {
   public:
    [[nodiscard]] int id() const noexcept { return id_; }
    [[nodiscard]] int workers() const noexcept { return crew_->size(); }

    /// job(k) for k in 0 .. jobs-1, shared among the workers. After an exception all workers leave
    /// the batch at the end of this phase (what follows may need what was not made), and run()
    /// rethrows it.
    template <class Job>
    void each(std::size_t jobs, const Job& job) {
      std::atomic<std::size_t>& next = crew_->next_[phase_ % kCounters];
      // Nobody is two phases away, so the counter after the next is out of use.
      crew_->next_[(phase_ + 2) % kCounters].store(0, std::memory_order_relaxed);
      for (std::size_t k = next.fetch_add(1, std::memory_order_relaxed); k < jobs;
           k = next.fetch_add(1, std::memory_order_relaxed)) {
        if (crew_->failed_phase_.load(std::memory_order_relaxed) != kNone) break;
        crew_->guard(phase_, [&] { job(k); });
      }
      finish();
    }
    /// The same jobs go to the same workers whenever as many are shared: what they touch stays in a
    /// cache.
    template <class Job>
    void each_at_home(std::size_t jobs, const Job& job) {
      const auto mine = static_cast<std::size_t>(id_), all = static_cast<std::size_t>(workers());
      for (std::size_t k = mine * jobs / all; k < (mine + 1) * jobs / all; ++k) {
        if (crew_->failed_phase_.load(std::memory_order_relaxed) != kNone) break;
        crew_->guard(phase_, [&] { job(k); });
      }
      crew_->next_[(phase_ + 2) % kCounters].store(0, std::memory_order_relaxed);
      finish();
    }
    /// job() on one worker.
    template <class Job>
    void once(const Job& job) {
      each(1, [&](std::size_t) { job(); });
    }

    /// job() on the thread that called run(), the only one that may talk to other ranks.
    template <class Job>
    void on_caller(const Job& job) {
      if (id_ == 0 && crew_->failed_phase_.load(std::memory_order_relaxed) == kNone) {
        crew_->guard(phase_, job);
      }
      crew_->next_[(phase_ + 2) % kCounters].store(0, std::memory_order_relaxed);
      finish();
    }

   private:
    friend class Crew;
    Worker(Crew& crew, int id) : crew_(&crew), id_(id) {}
    void finish() {
      crew_->team_.barrier();
      // A faster worker may have failed in the next phase already: then everyone leaves after that
      // one.
      if (crew_->failed_phase_.load(std::memory_order_relaxed) == phase_) throw Abandoned();
      ++phase_;
    }
    Crew* crew_;
    int id_;
    std::size_t phase_ = 0;
  };

  /// work(worker) on every worker; rethrows the first exception of a job.
  template <class Work>
  void run(const Work& work) {
    for (auto& counter : next_) counter.store(0, std::memory_order_relaxed);
    failed_phase_.store(kNone, std::memory_order_relaxed);
    failure_ = nullptr;
    team_.run([&](int id) {
      const FlushSubnormals flush;
      Worker worker(*this, id);
      try {
        work(worker);
      } catch (const Abandoned&) {
      }
    });
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  static constexpr std::size_t kCounters = 4;
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  struct Abandoned {};

  template <class Job>
  void guard(std::size_t phase, const Job& job) noexcept {
    try {
      job();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      failed_phase_.store(phase, std::memory_order_relaxed);
    }
  }

  ThreadTeam team_;
  std::array<std::atomic<std::size_t>, kCounters> next_{};
  std::atomic<std::size_t> failed_phase_{kNone};
  std::mutex mutex_;
  std::exception_ptr failure_;
};

using Worker = Crew::Worker;

}  // namespace tessera::training
