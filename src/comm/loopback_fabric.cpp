// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/loopback_fabric.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace tessera {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::string name_of(int rank) { return "rank " + std::to_string(rank); }

std::string sentence_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an unknown failure";
  }
}

}  // namespace

LoopbackFabric::LoopbackFabric(int ranks, std::uint64_t seed, LoopbackFault fault)
    : wake_(static_cast<std::size_t>(ranks)),
      ranks_(static_cast<std::size_t>(ranks)),
      random_(seed),
      eagerness_(1 + random_() % 15),
      fault_(fault) {}

void LoopbackFabric::open() {
  const std::lock_guard lock(mutex_);
  pass_on();
}

void LoopbackFabric::begin(int rank) {
  std::unique_lock lock(mutex_);
  wait_for_turn(lock, rank);
}

void LoopbackFabric::end(int rank, std::exception_ptr failure) {
  const std::lock_guard lock(mutex_);
  Rank& self = ranks_[static_cast<std::size_t>(rank)];
  self.state = Rank::State::left;
  if (failure && !first_failure_) {
    first_failure_ = failure;
    fail(name_of(rank) + " failed " + place(rank) + ": " + sentence_of(failure), self.phase, rank);
  }
  pass_on();
}

void LoopbackFabric::enter(int rank, const char* phase, std::int64_t step) {
  const std::lock_guard lock(mutex_);
  ranks_[static_cast<std::size_t>(rank)].phase = phase;
  ranks_[static_cast<std::size_t>(rank)].step = step;
}

void LoopbackFabric::pause(int rank) {
  std::unique_lock lock(mutex_);
  pass_on();
  wait_for_turn(lock, rank);
}

void LoopbackFabric::post(Message message, bool can_fail) {
  const std::lock_guard lock(mutex_);
  if (can_fail && summary_.messages++ == fault_.message && fault_.kind != LoopbackFault::Kind::none) {
    fault_happened_ = true;
    std::vector<std::byte>& bytes = message.bytes;
    switch (fault_.kind) {
      case LoopbackFault::Kind::lost: return;
      case LoopbackFault::Kind::repeated: on_the_way_.push_back(message); break;
      case LoopbackFault::Kind::emptied: bytes.clear(); break;
      case LoopbackFault::Kind::doubled: {
        const std::vector<std::byte> once = bytes;
        bytes.insert(bytes.end(), once.begin(), once.end());
        break;
      }
      case LoopbackFault::Kind::none: break;
    }
  }
  on_the_way_.push_back(std::move(message));
}

std::vector<std::byte> LoopbackFabric::take(int rank, int source, std::uint64_t call, const char* kind) {
  std::unique_lock lock(mutex_);
  Rank& self = ranks_[static_cast<std::size_t>(rank)];
  refuse_surplus(rank, source, call);
  std::size_t found = find(self, source, call);
  while (found == kNone) {
    throw_if_failed();
    self.state = Rank::State::waiting;
    self.source = source;
    self.call = call;
    self.kind = kind;
    pass_on();
    wait_for_turn(lock, rank);
    self.state = Rank::State::ready;
    found = find(self, source, call);
  }
  Message message = std::move(self.arrived[found]);
  self.arrived.erase(self.arrived.begin() + static_cast<std::ptrdiff_t>(found));
  if (std::strcmp(message.kind, kind) != 0) {
    throw CommunicationError(name_of(rank) + " calls " + kind + " " + place(rank) + " where " + name_of(source) +
                                 " calls " + message.kind + ": all ranks have to make the same calls.",
                             self.phase, source);
  }
  return std::move(message.bytes);
}

LoopbackSummary LoopbackFabric::close() {
  const std::lock_guard lock(mutex_);
  if (first_failure_) std::rethrow_exception(first_failure_);
  std::vector<Message> left = on_the_way_;
  for (const Rank& rank : ranks_) left.insert(left.end(), rank.arrived.begin(), rank.arrived.end());
  if (!left.empty()) {
    throw CommunicationError(name_of(left[0].source) + " sent something in " + left[0].kind + " that " +
                                 name_of(left[0].target) + " never asked for.",
                             "end", left[0].source);
  }
  if (fault_.kind != LoopbackFault::Kind::none && !fault_happened_) {
    throw std::logic_error("there were only " + std::to_string(summary_.messages) +
                           " messages, so nothing has happened to number " + std::to_string(fault_.message));
  }
  return summary_;
}

std::size_t LoopbackFabric::find(const Rank& rank, int source, std::uint64_t call) const {
  for (std::size_t i = 0; i < rank.arrived.size(); ++i) {
    if (rank.arrived[i].source == source && rank.arrived[i].call == call) return i;
  }
  return kNone;
}

bool LoopbackFabric::can_go_on(const Rank& rank) const {
  if (rank.state == Rank::State::left) return false;
  return rank.state == Rank::State::ready || failure_of_others_ || find(rank, rank.source, rank.call) != kNone;
}

void LoopbackFabric::deliver_one() {
  const std::size_t which = random_() % on_the_way_.size();
  std::swap(on_the_way_[which], on_the_way_.back());
  Message message = std::move(on_the_way_.back());
  on_the_way_.pop_back();
  ranks_[static_cast<std::size_t>(message.target)].arrived.push_back(std::move(message));
}

// The turn goes to a rank that can use it; before that, some of the messages arrive.
void LoopbackFabric::pass_on() {
  turn_ = -1;
  for (;;) {
    std::vector<int> able;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
      if (can_go_on(ranks_[rank])) able.push_back(static_cast<int>(rank));
    }
    if (!on_the_way_.empty() && (able.empty() || random_() % 16 < eagerness_)) {
      deliver_one();
    } else if (!able.empty()) {
      turn_ = able[random_() % able.size()];
      wake_[static_cast<std::size_t>(turn_)].notify_one();
      return;
    } else if (std::all_of(ranks_.begin(), ranks_.end(),
                           [](const Rank& rank) { return rank.state == Rank::State::left; })) {
      return;
    } else {
      break_up_for_ever_waiting();
    }
  }
}

void LoopbackFabric::wait_for_turn(std::unique_lock<std::mutex>& lock, int rank) {
  wake_[static_cast<std::size_t>(rank)].wait(lock, [&] { return turn_ == rank; });
}

// A message of an earlier call that nobody took: it came twice, or was never asked for.
void LoopbackFabric::refuse_surplus(int rank, int source, std::uint64_t call) const {
  const Rank& self = ranks_[static_cast<std::size_t>(rank)];
  for (const Message& message : self.arrived) {
    if (message.source != source || message.call >= call) continue;
    throw CommunicationError(name_of(rank) + " got a message from " + name_of(source) + " " + place(rank) +
                                 " twice, or without having asked for it.",
                             self.phase, source);
  }
}

// Everybody waits and nothing is on its way. Whoever is not even in the same call is to blame.
void LoopbackFabric::break_up_for_ever_waiting() {
  int waiting = -1;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const Rank& rank = ranks_[i];
    if (rank.state != Rank::State::waiting) continue;
    const Rank& source = ranks_[static_cast<std::size_t>(rank.source)];
    if (waiting < 0 || source.state == Rank::State::left) waiting = static_cast<int>(i);
  }
  const Rank& rank = ranks_[static_cast<std::size_t>(waiting)];
  const Rank& source = ranks_[static_cast<std::size_t>(rank.source)];
  const std::string what = source.state == Rank::State::left ? " has left"
                           : source.call == rank.call        ? "'s message did not arrive"
                                                             : " waits " + place(rank.source);
  fail(name_of(waiting) + " waits " + place(waiting) + " for ever: " + name_of(rank.source) + what + ".", rank.phase,
       rank.source);
  first_failure_ = std::make_exception_ptr(
      CommunicationError(failure_of_others_->sentence, failure_of_others_->phase, failure_of_others_->rank));
}

// What was sent before still arrives, so that ranks which all meet the same all meet it.
void LoopbackFabric::fail(const std::string& sentence, const char* phase, int rank) {
  while (!on_the_way_.empty()) deliver_one();
  if (!failure_of_others_) failure_of_others_ = Failure{sentence, phase, rank};
}

void LoopbackFabric::throw_if_failed() const {
  if (!failure_of_others_) return;
  throw CommunicationError(failure_of_others_->sentence, failure_of_others_->phase, failure_of_others_->rank);
}

std::string LoopbackFabric::place(int rank) const {
  const Rank& self = ranks_[static_cast<std::size_t>(rank)];
  std::string text = std::string("in '") + self.phase + "'";
  if (self.step >= 0) text += ", step " + std::to_string(self.step);
  return text;
}

}  // namespace tessera
