// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/loopback.hpp"

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "comm/gathered.hpp"
#include "comm/half_call.hpp"
#include "comm/loopback_fabric.hpp"

namespace tessera {
namespace {

template <class T>
T combined(T a, T b, Reduction reduction) {
  switch (reduction) {
    case Reduction::sum: return a + b;
    case Reduction::least: return std::min(a, b);
    case Reduction::most: return std::max(a, b);
  }
  return a;
}

// Every call of all ranks is a message from each to each, numbered by call.
class Loopback final : public Communicator {
 public:
  Loopback(LoopbackFabric& fabric, int rank, int size) : fabric_(fabric), rank_(rank), size_(size) {}

  [[nodiscard]] int rank() const noexcept override { return rank_; }
  [[nodiscard]] int size() const noexcept override { return size_; }
  [[nodiscard]] std::string name() const override { return "loopback"; }
  [[nodiscard]] Traffic traffic() const noexcept override { return traffic_; }
  void enter(const char* phase, std::int64_t step) override { fabric_.enter(rank_, phase, step); }

  void barrier() override {
    begin("barrier");
    send_to_all({});
    for_others([&](int source) { static_cast<void>(receive(source)); });
  }

  void all_gather(std::span<const std::byte> mine, Gathered& all) override {
    start_all_gather(mine);
    finish_all_gather(all);
  }

  void all_reduce(std::span<std::uint64_t> values, Reduction reduction) override { reduce(values, reduction); }
  void all_reduce(std::span<double> values, Reduction reduction) override { reduce(values, reduction); }

  void gather(std::span<const std::byte> mine, int root, Gathered& all) override {
    begin("gather");
    all = {};
    if (rank_ != root) return send(root, mine);
    receive_all(mine, all);
  }

  void broadcast(std::vector<std::byte>& bytes, int root) override {
    begin("broadcast");
    if (rank_ == root) return send_to_all(bytes);
    bytes = receive(root);
  }

  void start_all_gather(std::span<const std::byte> mine) override {
    begin("all_gather");
    half_.start(HalfCall::Kind::all_gather);
    can_fail_ = true;
    send_to_all(mine);
    can_fail_ = false;
    mine_ = mine;
    fabric_.pause(rank_);
  }

  void finish_all_gather(Gathered& all) override {
    half_.finish(HalfCall::Kind::all_gather);
    receive_all(mine_, all);
  }

  void start_exchange(std::span<const Parcel> parcels, std::span<const int> from) override {
    begin("exchange");
    half_.start(HalfCall::Kind::exchange);
    can_fail_ = true;
    for (const Parcel& parcel : parcels) send(parcel.rank, parcel.bytes);
    can_fail_ = false;
    from_.assign(from.begin(), from.end());
    fabric_.pause(rank_);
  }

  void finish_exchange(Gathered& received) override {
    half_.finish(HalfCall::Kind::exchange);
    start(received);
    for (const int source : from_) add(received, receive(source));
  }

  // Nothing is timed here: all leave, or somebody fails.
  [[nodiscard]] bool leave(double) override {
    try {
      barrier();
      return true;
    } catch (const CommunicationError&) {
      return false;
    }
  }

  [[noreturn]] void abort(int exit_code, const std::string& message) override {
    throw RunAborted(message, exit_code);
  }

 private:
  void begin(const char* kind) {
    half_.require_none(kind);
    fabric_.pause(rank_);
    kind_ = kind;
    ++call_;
  }

  void send(int target, std::span<const std::byte> bytes) {
    ++traffic_.messages;
    traffic_.bytes += bytes.size();
    fabric_.post({rank_, target, call_, kind_, {bytes.begin(), bytes.end()}}, can_fail_);
  }

  template <class Work>
  void for_others(const Work& work) const {
    for (int other = 0; other < size_; ++other) {
      if (other != rank_) work(other);
    }
  }

  void send_to_all(std::span<const std::byte> bytes) {
    for_others([&](int target) { send(target, bytes); });
  }

  std::vector<std::byte> receive(int source) { return fabric_.take(rank_, source, call_, kind_); }

  void receive_all(std::span<const std::byte> mine, Gathered& all) {
    start(all);
    for (int source = 0; source < size_; ++source) {
      if (source == rank_) {
        add(all, mine);
      } else {
        add(all, receive(source));
      }
    }
  }

  // In the order of the ranks, so that all get the same bits.
  template <class T>
  void reduce(std::span<T> values, Reduction reduction) {
    begin("all_reduce");
    send_to_all(std::as_bytes(values));
    Gathered all;
    receive_all(std::as_bytes(values), all);
    std::vector<T> part(values.size());
    for (int source = 0; source < size_; ++source) {
      const std::span<const std::byte> bytes = all.of(source);
      if (bytes.size() != values.size_bytes()) {
        throw CommunicationError("rank " + std::to_string(source) + " reduces another number of values than rank " +
                                     std::to_string(rank_) + ".",
                                 kind_, source);
      }
      if (!bytes.empty()) std::memcpy(part.data(), bytes.data(), bytes.size());
      for (std::size_t i = 0; i < part.size(); ++i) {
        values[i] = source == 0 ? part[i] : combined(values[i], part[i], reduction);
      }
    }
  }

  LoopbackFabric& fabric_;
  int rank_, size_;
  HalfCall half_;
  std::uint64_t call_ = 0;
  const char* kind_ = "";
  bool can_fail_ = false;
  std::span<const std::byte> mine_;
  std::vector<int> from_;
  Traffic traffic_;
};

}  // namespace

LoopbackSummary run_loopback(int ranks, std::uint64_t seed,
                             const std::function<void(const std::shared_ptr<Communicator>&)>& work,
                             LoopbackFault fault) {
  LoopbackFabric fabric(ranks, seed, fault);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      std::exception_ptr failure;
      fabric.begin(rank);
      try {
        work(std::make_shared<Loopback>(fabric, rank, ranks));
      } catch (...) {
        failure = std::current_exception();
      }
      fabric.end(rank, failure);
    });
  }
  fabric.open();
  for (std::thread& thread : threads) thread.join();
  return fabric.close();
}

}  // namespace tessera
