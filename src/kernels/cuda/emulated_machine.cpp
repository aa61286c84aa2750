// The phases on the host: one thread plays all threads of all blocks, in any order, with shared memory as
// a plain struct. What depends on the order of threads within a phase shows as a different digest.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "base/aligned_array.hpp"
#include "base/flush_subnormals.hpp"
#include "kernels/cuda/machine.hpp"
#include "kernels/cuda/phases.hpp"

namespace tessera::gpu {
namespace {

/// Threads of a block one after the other.
class EmulatedTeam {
 public:
  EmulatedTeam(std::vector<std::uint32_t>& order, std::vector<Neuron>& neurons, std::mt19937_64* engine)
      : order_(&order), neurons_(&neurons), engine_(engine) {}

  template <class Phase>
  void phase(int, const Phase& run) {
    apart(run);
  }
  template <class Phase>
  void apart(const Phase& run) {
    if (engine_ != nullptr) std::shuffle(order_->begin(), order_->end(), *engine_);
    for (const std::uint32_t thread : *order_) run(thread, (*neurons_)[thread]);
  }

 private:
  std::vector<std::uint32_t>* order_;
  std::vector<Neuron>* neurons_;  ///< what threads have in registers
  std::mt19937_64* engine_;
};

class EmulatedMachine final : public Machine {
 public:
  EmulatedMachine(std::uint32_t blocks, std::uint32_t threads, std::uint64_t order)
      : blocks_(blocks), engine_(order), shuffled_(order != 0), threads_(threads), order_(blocks), scratch_(blocks),
        neurons_(blocks, std::vector<Neuron>(threads)) {
    std::iota(threads_.begin(), threads_.end(), 0u);
    std::iota(order_.begin(), order_.end(), 0u);
  }

  MachineInfo info() const override { return {"emulated", blocks_, 0, 0, 0}; }
  void* allocate(std::size_t bytes) override {
    arrays_.emplace_back(bytes);
    return arrays_.back().data();
  }
  void upload(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
  void download(void* to, const void* from, std::size_t pitch, std::size_t width, std::size_t rows) override {
    for (std::size_t r = 0; r < rows; ++r) {
      std::memcpy(static_cast<std::uint8_t*>(to) + r * width, static_cast<const std::uint8_t*>(from) + r * pitch, width);
    }
  }
  void clear(void* what, std::size_t bytes) override { std::memset(what, 0, bytes); }

  void wait() override {}
  void start(const Network& network, std::int64_t from, std::int64_t to) override {
    choose_steps(network, static_cast<std::uint32_t>(threads_.size()), [&]<Rows kRows, Equation kEquation, bool kOwn>() {
      run_all<kRows, kEquation, kOwn>(network, from, to);
    });
  }

 private:
  /// Blocks meet after every half of a step: then all have added to the rings, and all have published what the
  /// next step reads.
  template <Rows kRows, Equation kEquation, bool kOwn>
  void run_all(const Network& network, std::int64_t from, std::int64_t to) {
    const FlushSubnormals flush_subnormals;
    const auto block = [&](std::uint32_t index) {
      return Block{&network, index, static_cast<std::uint32_t>(threads_.size()),
                   images_.data() + std::size_t{index} * network.layout.words, &scratch_[index]};
    };
    const auto team = [&](std::uint32_t index) {
      return EmulatedTeam(threads_, neurons_[index], shuffled_ ? &engine_ : nullptr);
    };
    // Shared memory holds anything when a launch begins.
    images_.assign(std::size_t{blocks_} * network.layout.words, 0xdeadbeefu);
    for (std::uint32_t i = 0; i < blocks_; ++i) {
      team(i).apart([&](std::uint32_t thread, Neuron&) { begin_launch(thread, block(i)); });
      if (kOwn) team(i).apart([&](std::uint32_t thread, Neuron& own) { take_neuron<kEquation>(thread, block(i), own); });
    }
    for (std::int64_t step = from; step < to; ++step) {
      const std::uint32_t now = ring_row_of(network.layout, step);
      if (shuffled_) std::shuffle(order_.begin(), order_.end(), engine_);
      for (const std::uint32_t i : order_) {
        EmulatedTeam threads = team(i);
        (void)begin_step<kRows, kEquation>(threads, block(i), step, now);  // end_launch() tells of a failure
      }
      if (shuffled_) std::shuffle(order_.begin(), order_.end(), engine_);
      for (const std::uint32_t i : order_) {
        EmulatedTeam threads = team(i);
        end_step<kRows, kEquation, kOwn>(threads, block(i), step, now);
      }
    }
    for (std::uint32_t i = 0; i < blocks_; ++i) {
      if (kOwn) team(i).apart([&](std::uint32_t thread, Neuron& own) { leave_neuron<kEquation>(thread, block(i), own); });
      team(i).apart([&](std::uint32_t thread, Neuron&) { end_launch(thread, block(i), to); });
    }
  }

  std::uint32_t blocks_;
  std::mt19937_64 engine_;
  bool shuffled_;
  std::vector<std::uint32_t> threads_, order_;
  std::vector<Scratch> scratch_;
  std::vector<std::vector<Neuron>> neurons_;
  std::vector<std::uint32_t> images_;
  std::vector<AlignedArray<std::uint8_t>> arrays_;
};

}  // namespace

std::unique_ptr<Machine> emulate_device(std::uint32_t blocks, std::uint32_t threads, std::uint64_t order) {
  return std::make_unique<EmulatedMachine>(blocks, threads, order);
}

}  // namespace tessera::gpu
