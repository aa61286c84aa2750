// What joins the ranks of a loopback: messages on their way, and the turn that only one rank has at a time.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "comm/loopback.hpp"

namespace tessera {

/// Messages of the same pair of ranks may overtake each other; `call`, the number of the sender's call,
/// says which belongs to what.
class LoopbackFabric {
 public:
  struct Message {
    int source = 0, target = 0;
    std::uint64_t call = 0;
    const char* kind = "";  ///< of call
    std::vector<std::byte> bytes;
  };

  LoopbackFabric(int ranks, std::uint64_t seed, LoopbackFault fault);

  /// Gives somebody the first turn.
  void open();
  /// Waits for the first turn of this rank.
  void begin(int rank);
  /// The rank has returned, or failed: the turn goes to another one.
  void end(int rank, std::exception_ptr failure);

  /// All that follow are called by the rank that has the turn.
  void enter(int rank, const char* phase, std::int64_t step);
  /// Somebody else may go first.
  void pause(int rank);
  void post(Message message, bool can_fail);
  /// Waits for a message.
  [[nodiscard]] std::vector<std::byte> take(int rank, int source, std::uint64_t call, const char* kind);

  /// After all have ended: rethrows the first failure.
  LoopbackSummary close();

 private:
  struct Rank {
    enum class State { ready, waiting, left } state = State::ready;
    const char* phase = "start";
    std::int64_t step = -1;
    int source = 0;  ///< who is waited for, in which call
    std::uint64_t call = 0;
    const char* kind = "";
    std::vector<Message> arrived;
  };

  void pass_on();
  void deliver_one();
  [[nodiscard]] bool can_go_on(const Rank& rank) const;
  [[nodiscard]] std::size_t find(const Rank& rank, int source, std::uint64_t call) const;
  void wait_for_turn(std::unique_lock<std::mutex>& lock, int rank);
  void refuse_surplus(int rank, int source, std::uint64_t call) const;
  void break_up_for_ever_waiting();
  void fail(const std::string& sentence, const char* phase, int rank);
  void throw_if_failed() const;
  [[nodiscard]] std::string place(int rank) const;

  std::mutex mutex_;
  std::vector<std::condition_variable> wake_;
  std::vector<Rank> ranks_;
  int turn_ = -1;  ///< rank that runs; -1: none
  std::vector<Message> on_the_way_;
  std::mt19937_64 random_;
  std::uint64_t eagerness_;  ///< of 16: how often a message arrives before a rank goes on
  LoopbackFault fault_;
  bool fault_happened_ = false;
  LoopbackSummary summary_;
  std::exception_ptr first_failure_;
  /// What ranks get that have not failed themselves; every one gets an exception of its own.
  struct Failure {
    std::string sentence;
    const char* phase;
    int rank;
  };
  std::optional<Failure> failure_of_others_;
};

}  // namespace tessera
