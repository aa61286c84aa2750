// Sparse connections that rewire while they are trained: the shipped rules, and the class from which
// rules of your own derive. Sources: Bellec et al. 2018 (arXiv 1711.05136, DEEP R and soft-DEEP R);
// Knight, Senk and Nowotny 2025 (arXiv 2510.19764, its practical variant); Evci et al. 2020 (arXiv
// 1911.11134, RigL).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tessera::training {

struct ParameterArray;
class SynapseStore;

/// Every pair (source, target) of a connection has a sign, a random function of (seed, connection,
/// source, target), of which nothing is stored for pairs without a synapse. s: this sign, c: `l1`,
/// rate: the learning rate of the batch, nu: a standard normal number times `noise`.
///   deep_r       mlgenn: gradient += c s before the optimiser; after it every synapse with s w < 0 is
///                removed, and as many are added: a row (source) uniformly at random, then a target
///                that it does not reach. New weights are 0.
///                bellec: after the optimiser w += rate s (nu - c); every synapse with s w <= 0 is
///                removed, and as many are drawn uniformly among all pairs without a synapse, those
///                just removed among them. New weights are 1e-12 s.
///   soft_deep_r  no fixed number: theta = s w of a synapse gets rate (nu - c), theta of any other pair
///                rate nu and is kept above the bound below; a pair has a synapse while theta >= 0.
///                The bound is -(1 - p) T / (p c), with p the density and T = rate noise^2 / 2.
///                Keeps four bytes for every possible pair.
///   rigl         every `interval` batches the share fraction (1 + cos(pi t)) / 2 of the synapses with
///                the smallest |w| is replaced; t rises from 0 to 1 over the share `until` of the
///                training, after which nothing changes. New weights are 0; signs are free.
enum class RewiringKind { deep_r, soft_deep_r, rigl, custom };
enum class DeepRConvention { mlgenn, bellec };
/// rigl: where synapses are added. gradient: at the pairs with the largest gradients of
/// `candidates` times as many, which are drawn uniformly and take part in the batch with the weight 0:
/// that changes no spike, and their gradient costs what that of a synapse costs. random: uniformly.
enum class Growth { gradient, random };

class RewiringRule;

/// How a sparse connection rewires.
struct Rewiring {
  RewiringKind kind = RewiringKind::deep_r;
  std::uint32_t interval = 1;  ///< batches from one rewiring to the next, >= 1
  DeepRConvention convention = DeepRConvention::mlgenn;
  double l1 = 1e-4;        ///< deep_r, soft_deep_r: c >= 0 (soft: > 0)
  double noise = 1e-5;     ///< bellec, soft_deep_r: >= 0
  double fraction = 0.3;   ///< rigl: (0, 1]
  double until = 0.75;     ///< rigl: (0, 1]
  Growth growth = Growth::gradient;
  std::uint32_t candidates = 4;  ///< rigl with gradients: 1 .. 1000
  /// custom: makes a rule for every connection that has this.
  std::function<std::unique_ptr<RewiringRule>()> custom;
};

/// What a rule did to one connection, in a batch or an epoch.
struct RewiringCounts {
  std::string name;            ///< of its weights: "hidden.weight"
  std::uint64_t synapses = 0;  ///< afterwards
  std::uint64_t eliminated = 0, formed = 0;
  /// Proposals of pairs that have a synapse, or that lie outside: they changed nothing.
  std::uint64_t refused = 0;
};

/// How synapses are kept: a row holds those of one source onto one tile of targets.
struct SynapseSlot {
  static constexpr std::uint16_t kDelay = 0x3ff, kOccupied = 0x4000, kInhibitory = 0x8000;
  std::uint16_t target = 0;  ///< inside the tile
  std::uint16_t info = 0;    ///< delay and bits; a free slot has none
  [[nodiscard]] std::uint32_t delay() const { return info & kDelay; }
  [[nodiscard]] float sign() const { return (info & kInhibitory) != 0 ? -1.0F : 1.0F; }
};
static_assert(sizeof(SynapseSlot) == 4);
struct RowSpan {
  std::uint32_t begin = 0, end = 0;  ///< slots
};

/// Random numbers that depend on nothing but (seed, connection, batch, stream).
class RuleRandom {
 public:
  [[nodiscard]] std::uint32_t below(std::uint32_t n);  ///< uniform in 0 .. n - 1, n > 0
  [[nodiscard]] double uniform();                      ///< in [0, 1)
  [[nodiscard]] double normal();                       ///< mean 0, variance 1

 private:
  friend class RewiredConnection;
  [[nodiscard]] std::uint32_t next();
  std::uint64_t seed_ = 0;
  std::uint32_t purpose_ = 0, a_ = 0, b_ = 0, index_ = 0, used_ = 4;
  std::array<std::uint32_t, 4> words_{};
  double spare_ = 0.0;
  bool has_spare_ = false;
};

/// A connection in the hands of its rule, after the update of a batch. All weights, gradients and
/// the optimiser's state move with their synapses; a new synapse starts with no state.
class RewiredConnection {
 public:
  /// Of one synapse. weight may be written.
  struct Synapse {
    std::uint32_t source, target;
    float sign;  ///< +1 or -1: that of the pair
    float& weight;
    float gradient;      ///< of the batch
    std::uint32_t born;  ///< batch that added it, from 1; 0: it was there at the start
  };

  [[nodiscard]] std::uint64_t batch() const noexcept { return batch_; }  ///< from 0
  /// Of the whole training as far as it is known; 0: it is not.
  [[nodiscard]] std::uint64_t batches() const noexcept { return batches_; }
  [[nodiscard]] double learning_rate() const noexcept { return learning_rate_; }
  [[nodiscard]] std::uint32_t sources() const noexcept { return sources_; }
  [[nodiscard]] std::uint32_t targets() const noexcept { return targets_; }
  [[nodiscard]] std::uint64_t pairs() const noexcept { return std::uint64_t{sources_} * targets_; }
  [[nodiscard]] std::uint64_t synapses() const;
  [[nodiscard]] double density() const;  ///< that was asked for
  [[nodiscard]] bool connected(std::uint32_t source, std::uint32_t target) const;
  [[nodiscard]] float sign(std::uint32_t source, std::uint32_t target) const;  ///< +1 or -1
  [[nodiscard]] RuleRandom random(std::uint32_t stream) const;

  /// f(synapse) for all of them, in an order that threads and ranks do not change.
  template <class F>
  void for_each(F f) {
    for (std::size_t row = 0; row < rows(); ++row) {
      const Row r = row_of(row);
      for (std::size_t slot = r.begin; slot < r.end; ++slot) f(synapse(r, slot));
    }
  }
  /// Removes the synapses of which remove(synapse) is true. Returns how many.
  template <class Remove>
  std::size_t remove_if(Remove remove) {
    std::size_t removed = 0;
    for (std::size_t row = 0; row < rows(); ++row) {
      const Row r = row_of(row);
      std::size_t kept = r.begin;
      for (std::size_t slot = r.begin; slot < r.end; ++slot) {
        if (remove(synapse(r, slot))) continue;
        if (kept != slot) move(slot, kept);
        ++kept;
      }
      if (kept == r.end) continue;
      removed += r.end - kept;
      shorten(row, kept);
    }
    return removed;
  }
  /// False for a pair that has a synapse or lies outside: nothing changed then, and it is counted.
  bool add(std::uint32_t source, std::uint32_t target, float weight = 0.0F);
  /// n pairs uniformly among all without a synapse, one after the other, with weight(sign). Returns
  /// how many: fewer when all pairs are connected.
  std::size_t add_uniformly(std::size_t n, RuleRandom& random, float weight_by_sign = 0.0F);
  /// In before_batch(): a synapse with the weight 0 for this batch alone, which changes no spike. False and
  /// counted like add().
  bool probe(std::uint32_t source, std::uint32_t target);
  /// n pairs uniformly among all without a synapse. Returns how many.
  std::size_t probe_uniformly(std::size_t n, RuleRandom& random);
  /// In rewire(): what the gradient of pairs without a synapse was. The probes are no longer there.
  struct Probe {
    std::uint32_t source, target;
    float gradient;
  };
  [[nodiscard]] const std::vector<Probe>& probes() const noexcept { return probes_; }
  /// A uniformly random row of those that are not full, then uniformly one of the targets that it does
  /// not reach; n times.
  std::size_t add_by_row(std::size_t n, RuleRandom& random);

 private:
  friend class Rewirer;
  struct Row {
    std::size_t begin, end;
    std::uint32_t source, first_target;
  };
  RewiredConnection(SynapseStore& store, ParameterArray& array);
  void refresh();
  bool put(std::uint32_t source, std::uint32_t target, float weight);
  [[nodiscard]] bool draw_absent(RuleRandom& random, std::uint32_t& source, std::uint32_t& target) const;
  void take_probes();
  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] Row row_of(std::size_t row) const {
    const auto source = static_cast<std::uint32_t>(row % sources_);
    const auto tile = static_cast<std::uint32_t>(row / sources_);
    return {spans_[row].begin, spans_[row].end, source, tile * width_};
  }
  [[nodiscard]] Synapse synapse(const Row& r, std::size_t slot) const {
    const SynapseSlot s = slots_[slot];
    return {r.source,       r.first_target + s.target, s.sign(),
            weights_[slot], gradients_[slot],          born_ != nullptr ? born_[slot] : 0U};
  }
  void move(std::size_t from, std::size_t to);
  void shorten(std::size_t row, std::size_t end);

  SynapseStore* store_;
  ParameterArray* array_;
  const RowSpan* spans_ = nullptr;
  const SynapseSlot* slots_ = nullptr;
  float* weights_ = nullptr;
  const float* gradients_ = nullptr;
  const std::uint32_t* born_ = nullptr;
  std::uint32_t sources_ = 0, targets_ = 0, width_ = 1;
  std::size_t rows_ = 0;
  std::uint64_t batch_ = 0, batches_ = 0;
  double learning_rate_ = 0.0;
  std::uint64_t eliminated_ = 0, formed_ = 0, refused_ = 0;
  std::vector<Probe> probes_;
};

/// A rule: derive from it, and give it to Rewiring::custom.
class RewiringRule {
 public:
  virtual ~RewiringRule() = default;
  /// After the optimiser of every `interval`th batch.
  virtual void rewire(RewiredConnection& connection) = 0;
  /// Before these batches: the time for probes. Nothing else may be changed.
  virtual void before_batch(RewiredConnection&) {}

  /// Whether initial weights take the sign of their pair.
  [[nodiscard]] virtual bool has_signs() const { return true; }
  /// c of a penalty c |w|, whose gradient c s is added before the optimiser, in every batch.
  [[nodiscard]] virtual double l1() const { return 0.0; }
  /// Whether Synapse::born is kept; four bytes a synapse.
  [[nodiscard]] virtual bool wants_ages() const { return false; }
  /// Whether rewire() looks at gradients: over ranks, they are sent around for it.
  [[nodiscard]] virtual bool wants_gradients() const { return true; }
  /// What the rule itself keeps from batch to batch, for checkpoints.
  [[nodiscard]] virtual std::vector<float> state() const { return {}; }
  /// Throws InputError when it cannot be the state of this rule.
  virtual void set_state(std::span<const float>) {}
};

}  // namespace tessera::training
