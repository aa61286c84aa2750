// Which pairs of a connection have a synapse, while that changes: rows of synapses one after the other
// in slots, tile after tile, source after source, targets ascending, with a few free slots spread among
// them. A new synapse takes the nearest free slot: what lies in between moves by one. So rows grow and
// shrink without padding, and a batch touches what it changes.
//
// What belongs to a synapse (weight, gradient, optimiser's state) lies in a ParameterArray at the same
// slot and moves with it. Free slots are zero in every array, which no optimiser changes.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.hpp"
#include "tessera/training.hpp"

namespace tessera::training {

struct ParameterArray;

/// One synapse with its place in the connection.
struct PlacedSynapse {
  std::uint32_t source = 0, target = 0, delay = 0;
};

/// The sign of every pair of connection `connection`: -1 for one half of them, +1 for the other.
[[nodiscard]] bool is_inhibitory(RandomKey key, std::uint32_t connection, std::uint64_t pair);

class SynapseStore {
 public:
  /// `connection`: its number in the network, for random numbers.
  SynapseStore(const Connection& spec, std::uint32_t sources, std::uint32_t targets,
               std::uint32_t width, std::uint64_t seed, std::uint32_t connection);

  /// Replaces everything. Optimiser state is dropped. The synapses must be as check() wants them.
  void assign(ParameterArray& array, const std::vector<PlacedSynapse>& synapses,
              const std::vector<float>& weights);
  /// What is wrong with an index tensor, as the end of a sentence; empty when it is good.
  [[nodiscard]] std::string check(const Tensor& indices) const;
  void assign(ParameterArray& array, const Tensor& indices, const std::vector<float>& weights);
  /// [synapses, 3]: source, target, delay; by sources, then targets.
  [[nodiscard]] Tensor indices(const std::string& name) const;

  /// Calls f(place in the tensor, slot) by sources, then targets.
  template <class F>
  void for_each(F f) const {
    std::size_t i = 0;
    for (std::uint32_t source = 0; source < sources_; ++source) {
      for (std::uint32_t tile = 0; tile < tiles_; ++tile) {
        const RowSpan row = spans_[std::size_t{tile} * sources_ + source];
        for (std::size_t slot = row.begin; slot < row.end; ++slot) f(i++, slot);
      }
    }
  }

  /// To be called before the changes of a batch, and after them: frees what a batch with probes needed.
  void begin_batch() noexcept { shifted_ = 0; }
  void end_batch(ParameterArray& array);
  /// False when the pair has a synapse. `born`: see Synapse::born.
  bool add(ParameterArray& array, std::uint32_t source, std::uint32_t target, float weight,
           std::uint32_t delay, std::uint32_t born);
  /// The pair must have a synapse.
  void remove(ParameterArray& array, std::uint32_t source, std::uint32_t target);
  /// The slot of a synapse that is there.
  [[nodiscard]] std::size_t slot_of(std::uint32_t source, std::uint32_t target) const {
    return lower_bound(std::size_t{target / width_} * sources_ + source, target % width_);
  }
  /// A synapse takes the slot of one that is gone, further to the front of the same row.
  void move(ParameterArray& array, std::size_t from, std::size_t to);
  /// The row ends at slot `end` now.
  void shorten(ParameterArray& array, std::size_t row, std::size_t end);

  [[nodiscard]] bool connected(std::uint32_t source, std::uint32_t target) const;
  [[nodiscard]] bool inhibitory(std::uint32_t source, std::uint32_t target) const {
    return is_inhibitory(RandomKey(seed_), connection_, std::uint64_t{source} * targets_ + target);
  }
  /// Synapses of a source, over all tiles.
  [[nodiscard]] std::uint32_t out_degree(std::uint32_t source) const;
  /// The target number k, from 0, of those that the source does not reach.
  [[nodiscard]] std::uint32_t absent_target(std::uint32_t source, std::uint32_t k) const;

  [[nodiscard]] std::size_t synapses() const noexcept { return synapses_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }
  [[nodiscard]] std::uint32_t sources() const noexcept { return sources_; }
  [[nodiscard]] std::uint32_t targets() const noexcept { return targets_; }
  [[nodiscard]] std::uint32_t width() const noexcept { return width_; }
  [[nodiscard]] std::size_t rows() const noexcept { return spans_.size(); }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] std::uint32_t connection() const noexcept { return connection_; }
  [[nodiscard]] const Connection& spec() const noexcept { return spec_; }
  [[nodiscard]] const RowSpan* spans(std::uint32_t tile) const {
    return spans_.data() + std::size_t{tile} * sources_;
  }
  [[nodiscard]] const std::vector<RowSpan>& all_spans() const noexcept { return spans_; }
  [[nodiscard]] const std::vector<SynapseSlot>& slots() const noexcept { return slots_; }

  void keep_ages() { ages_ = true; }
  [[nodiscard]] const std::vector<std::uint32_t>& born() const noexcept { return born_; }
  void set_born(std::vector<std::uint32_t> born) { born_ = std::move(born); }

  /// Free slots behind every row: with them, a resumed training has the layout of one that went on.
  [[nodiscard]] std::vector<std::uint32_t> gaps() const;
  void set_gaps(ParameterArray& array, const std::vector<std::uint32_t>& gaps);

  /// gradient += l1 * sign of the slots begin .. end.
  void set_l1(float l1) noexcept { l1_ = l1; }
  [[nodiscard]] float l1() const noexcept { return l1_; }
  void add_l1(float* gradient, std::size_t begin, std::size_t end) const;

  [[nodiscard]] std::size_t bytes() const {
    return spans_.size() * sizeof(RowSpan) + slots_.size() * sizeof(SynapseSlot) +
           born_.size() * sizeof(std::uint32_t);
  }

 private:
  [[nodiscard]] std::uint32_t gap(std::size_t row) const {
    const std::size_t next = row + 1 < spans_.size() ? spans_[row + 1].begin : slots_.size();
    return static_cast<std::uint32_t>(next - spans_[row].end);
  }
  [[nodiscard]] std::size_t lower_bound(std::size_t row, std::uint32_t local) const;
  [[nodiscard]] std::size_t make_room(ParameterArray& array, std::size_t row, std::size_t at);
  void shift(ParameterArray& array, std::size_t from, std::size_t to, std::size_t n);
  void lay_out(ParameterArray& array, const std::vector<std::uint32_t>& gaps);
  [[nodiscard]] std::vector<std::uint32_t> even_gaps(std::size_t free) const;

  Connection spec_;
  std::uint32_t sources_, targets_, width_, tiles_;
  std::uint64_t seed_;
  std::uint32_t connection_;
  float l1_ = 0.0F;
  bool ages_ = false;
  std::size_t synapses_ = 0;
  std::size_t shifted_ = 0;  ///< slots that moved in this batch
  std::vector<RowSpan> spans_;  ///< [tile][source]
  std::vector<SynapseSlot> slots_;
  std::vector<std::uint32_t> born_;  ///< by slot; empty when no ages are kept
};

}  // namespace tessera::training
