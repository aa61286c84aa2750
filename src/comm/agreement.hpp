// What the ranks of a simulation settle together. Alone, every call returns at once. All calls are made by every
// rank in the same order; nothing that one rank meets lets it leave while others wait for it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "tessera/communicator.hpp"

namespace tessera {

class Agreement {
 public:
  /// Null: alone.
  explicit Agreement(std::shared_ptr<Communicator> ranks) : ranks_(std::move(ranks)) {}

  [[nodiscard]] int rank() const { return ranks_ ? ranks_->rank() : 0; }
  [[nodiscard]] int size() const { return ranks_ ? ranks_->size() : 1; }
  [[nodiscard]] bool alone() const { return size() == 1; }
  /// Rank 0 speaks to the observer and writes files.
  [[nodiscard]] bool first() const { return rank() == 0; }
  [[nodiscard]] const std::shared_ptr<Communicator>& communicator() const { return ranks_; }
  [[nodiscard]] Traffic traffic() const { return ranks_ ? ranks_->traffic() : Traffic{}; }
  /// What error messages call what follows.
  void enter(const char* phase, std::int64_t step = -1) const {
    if (ranks_) ranks_->enter(phase, step);
  }

  void sum(std::span<std::uint64_t> values) const {
    if (!alone()) ranks_->all_reduce(values, Reduction::sum);
  }
  void most(std::span<std::uint64_t> values) const {
    if (!alone()) ranks_->all_reduce(values, Reduction::most);
  }
  /// What every rank gives, in the order of ranks; a rank that is not there (a dry run) is left out.
  template <class T>
  [[nodiscard]] std::vector<T> all(const T& mine) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (alone()) return {mine};
    Gathered gathered;
    ranks_->all_gather(std::as_bytes(std::span(&mine, 1)), gathered);
    std::vector<T> values;
    for (int r = 0; r < size(); ++r) {
      if (gathered.of(r).size() == sizeof(T)) std::memcpy(&values.emplace_back(), gathered.of(r).data(), sizeof(T));
    }
    return values;
  }
  /// The same of several values each.
  template <class T>
  [[nodiscard]] std::vector<T> all_of(const std::vector<T>& mine) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (alone()) return mine;
    Gathered gathered;
    ranks_->all_gather(std::as_bytes(std::span(mine)), gathered);
    std::vector<T> values(gathered.bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), gathered.bytes.data(), values.size() * sizeof(T));
    return values;
  }
  /// On rank 0: what every rank gives. On the others: nothing.
  void gather(std::span<const std::byte> mine, Gathered& all) const;

  /// Returns when no rank has failed. Else every rank throws: what it met itself where all have met the same,
  /// else the failure of the lowest rank that has one, with its number.
  void settle_failures(const std::exception_ptr& mine) const;
  /// The same, and throws InputError unless all ranks have the same network and seed, options, and build.
  /// Version, commit, compiler and kind of build, as text: two builds may round differently. Cut where it is longer.
  using Build = std::array<char, 112>;
  struct Identity {
    std::uint64_t network = 0, options = 0;
    Build build{};
  };
  [[nodiscard]] static Build this_build();
  void settle_construction(const std::exception_ptr& mine, const Identity& identity) const;

 private:
  std::shared_ptr<Communicator> ranks_;
};

}  // namespace tessera
