// Communicators without other ranks: one rank alone, and one that pretends to be one of many.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/gathered.hpp"
#include "comm/half_call.hpp"

namespace tessera {
namespace {

class Alone final : public Communicator {
 public:
  Alone(int rank, int size, const char* name) : rank_(rank), size_(size), name_(name) {}

  [[nodiscard]] int rank() const noexcept override { return rank_; }
  [[nodiscard]] int size() const noexcept override { return size_; }
  [[nodiscard]] std::string name() const override { return name_; }
  void enter(const char*, std::int64_t) override {}
  [[nodiscard]] Traffic traffic() const noexcept override { return traffic_; }

  void barrier() override { to_others(0); }

  void all_gather(std::span<const std::byte> mine, Gathered& all) override {
    start_all_gather(mine);
    finish_all_gather(all);
  }

  void all_reduce(std::span<std::uint64_t> values, Reduction) override { to_others(values.size_bytes()); }
  void all_reduce(std::span<double> values, Reduction) override { to_others(values.size_bytes()); }

  void gather(std::span<const std::byte> mine, int root, Gathered& all) override {
    half_.require_none("gather");
    all = {};
    if (root == rank_) return own_part(mine, all);
    count(1, mine.size());
  }

  void broadcast(std::vector<std::byte>& bytes, int root) override {
    half_.require_none("broadcast");
    if (root == rank_) to_others(bytes.size());
  }

  void start_all_gather(std::span<const std::byte> mine) override {
    to_others(mine.size());
    half_.start(HalfCall::Kind::all_gather);
    mine_ = mine;
  }

  void finish_all_gather(Gathered& all) override {
    half_.finish(HalfCall::Kind::all_gather);
    own_part(mine_, all);
  }

  void start_exchange(std::span<const Parcel> parcels, std::span<const int> from) override {
    half_.start(HalfCall::Kind::exchange);
    for (const Parcel& parcel : parcels) count(1, parcel.bytes.size());
    expected_ = from.size();
  }

  void finish_exchange(Gathered& received) override {
    half_.finish(HalfCall::Kind::exchange);
    start(received);
    for (std::size_t i = 0; i < expected_; ++i) add(received, {});
  }

  [[nodiscard]] bool leave(double) override { return true; }
  [[noreturn]] void abort(int exit_code, const std::string& message) override {
    throw RunAborted(message, exit_code);
  }

 private:
  void count(std::uint64_t messages, std::size_t bytes) {
    traffic_.messages += messages;
    traffic_.bytes += messages * bytes;
  }

  void to_others(std::size_t bytes) {
    half_.require_none("a call of all ranks");
    count(static_cast<std::uint64_t>(size_ - 1), bytes);
  }

  void own_part(std::span<const std::byte> mine, Gathered& all) const {
    start(all);
    for (int rank = 0; rank < size_; ++rank) add(all, rank == rank_ ? mine : std::span<const std::byte>{});
  }

  int rank_, size_;
  const char* name_;
  HalfCall half_;
  std::span<const std::byte> mine_;
  std::size_t expected_ = 0;
  Traffic traffic_;
};

}  // namespace

std::shared_ptr<Communicator> local_communicator() { return std::make_shared<Alone>(0, 1, "local"); }

std::shared_ptr<Communicator> dry_run_communicator(int rank, int size) {
  if (size < 1) throw InputError("A dry run needs at least 1 rank; " + std::to_string(size) + " were asked for.");
  if (rank < 0 || rank >= size) {
    throw InputError("There is no rank " + std::to_string(rank) + " of " + std::to_string(size) +
                     "; ranks go from 0 to " + std::to_string(size - 1) + ".");
  }
  return std::make_shared<Alone>(rank, size, "dry run");
}

}  // namespace tessera
