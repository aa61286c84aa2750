// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/global_rewiring.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <optional>

#include "base/random.hpp"

namespace tessera {
namespace {

using Sight = RewiringPlan::Sight;
using Group = RewiringPlan::Group;

// Keys of what belongs to no bundle.
constexpr std::uint32_t kOfGroup = 0x80000000u, kOfSources = 0xc0000000u;

/// Every value has one owner; elsewhere it is 0. So sums of bits are the values.
void gather(const Agreement& ranks, std::vector<double>& values) {
  if (ranks.alone()) return;
  std::vector<std::uint64_t> bits(values.size());
  std::transform(values.begin(), values.end(), bits.begin(), [](double v) { return std::bit_cast<std::uint64_t>(v); });
  ranks.sum(bits);
  std::transform(bits.begin(), bits.end(), values.begin(), [](std::uint64_t b) { return std::bit_cast<double>(b); });
}

}  // namespace

GlobalRewiring::GlobalRewiring(RewiringPlan plan, const Input& input) : plan_(std::move(plan)), in_(input) {
  tile_of_chunk_.assign(in_.wiring->chunks().size(), in_.tiles->size());
  for (std::size_t t = 0; t < in_.tiles->size(); ++t) {
    for (const std::uint32_t chunk : in_.placement->tiles[t].chunks) tile_of_chunk_[chunk] = t;
  }
  seen_.resize(plan_.locals.size());
  for (std::size_t l = 0; l < seen_.size(); ++l) {
    for (const auto& tile : *in_.tiles) {
      if (tile->structural() != nullptr) tile->structural()->show(plan_.locals[l].projection, seen_[l]);
    }
  }
}
GlobalRewiring::~GlobalRewiring() = default;

std::int64_t GlobalRewiring::next_after(std::int64_t step) const {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  for (const auto& local : plan_.locals) next = std::min(next, (step / local.interval + 1) * local.interval);
  for (const auto& group : plan_.groups) next = std::min(next, (step / group.interval + 1) * group.interval);
  return next;
}

std::size_t GlobalRewiring::size_of(const Sight& sight) const { return in_.network->populations[sight.population].size; }

/// Values of a population's neurons; of those on other ranks only with `everywhere`.
GlobalRewiring::Columns GlobalRewiring::look(const Sight& sight, std::int64_t step, bool everywhere) const {
  const std::size_t memory = sight.memory == Sight::kNone ? 0 : in_.context->memories[sight.memory].names.size();
  Columns columns(sight.states.size() + memory, std::vector<double>(size_of(sight)));
  std::vector<double*> places(memory);
  const std::vector<Chunk>& chunks = in_.wiring->chunks();
  for (std::uint32_t c = 0; c < chunks.size(); ++c) {
    if (chunks[c].population != sight.population || tile_of_chunk_[c] == in_.tiles->size()) continue;
    Tile& tile = *(*in_.tiles)[tile_of_chunk_[c]];
    for (std::size_t k = 0; k < sight.states.size(); ++k) tile.read_state(c, sight.states[k], chunks[c].size, columns[k].data() + chunks[c].begin);
    for (std::size_t k = 0; k < memory; ++k) places[k] = columns[sight.states.size() + k].data() + chunks[c].begin;
    if (memory > 0) tile.memories()->read(sight.memory, c, step, places);
  }
  for (std::vector<double>& column : columns) {
    if (everywhere) gather(*in_.ranks, column);
  }
  return columns;
}

/// Gives a memory these values.
void GlobalRewiring::keep(const Sight& sight, std::int64_t step, const Columns& columns) const {
  if (sight.memory == Sight::kNone) return;
  const std::vector<Chunk>& chunks = in_.wiring->chunks();
  std::vector<const double*> places(in_.context->memories[sight.memory].names.size());
  for (std::uint32_t c = 0; c < chunks.size(); ++c) {
    if (chunks[c].population != sight.population || tile_of_chunk_[c] == in_.tiles->size()) continue;
    for (std::size_t k = 0; k < places.size(); ++k) places[k] = columns[sight.states.size() + k].data() + chunks[c].begin;
    (*in_.tiles)[tile_of_chunk_[c]]->memories()->write(sight.memory, c, step, places);
  }
}

std::vector<std::uint64_t> GlobalRewiring::outdegrees(std::uint32_t projection) const {
  std::vector<std::uint64_t> degrees(in_.network->find(in_.network->projections[projection].source)->size);
  for (const auto& tile : *in_.tiles) {
    if (tile->structural() != nullptr) tile->structural()->count_degrees(projection, degrees, {});
  }
  in_.ranks->sum(degrees);
  return degrees;
}

/// What is left of a source's most synapses is shared out evenly among the chunks of targets; who gets the rest goes round.
void GlobalRewiring::share_out(const RewiringPlan::Local& local, std::int64_t step) {
  const std::vector<std::uint64_t> degrees = outdegrees(local.projection);
  std::vector<std::uint32_t> chunks;
  for (std::uint32_t c = 0; c < tile_of_chunk_.size(); ++c) {
    if (in_.wiring->chunks()[c].population == local.targets.population) chunks.push_back(c);
  }
  const auto n = static_cast<std::uint32_t>(chunks.size());
  std::vector<std::uint32_t> first(degrees.size()), left(degrees.size());
  RandomStream random(in_.wiring->key(), Purpose::structural_rule, kOfSources | local.projection, static_cast<std::uint32_t>(step));
  for (std::size_t s = 0; s < degrees.size(); ++s) {
    first[s] = random.next_below(n);
    left[s] = static_cast<std::uint32_t>(local.max_outdegree - std::min<std::uint64_t>(local.max_outdegree, degrees[s]));
  }
  for (std::uint32_t i = 0; i < n; ++i) {
    if (tile_of_chunk_[chunks[i]] == in_.tiles->size()) continue;
    std::vector<std::uint32_t> share(degrees.size());
    for (std::size_t s = 0; s < share.size(); ++s) share[s] = left[s] / n + ((i + n - first[s]) % n < left[s] % n ? 1 : 0);
    StructuralRows* const rows = (*in_.tiles)[tile_of_chunk_[chunks[i]]]->structural();
    if (rows != nullptr) rows->allow(local.projection, chunks[i], std::move(share));
  }
}

void GlobalRewiring::prepare(const RewiringPlan::Local& local, SeenNeurons& seen, std::int64_t step) {
  seen.of_sources = look(local.sources, step, true);
  seen.of_targets = look(local.targets, step, false);
  if (local.max_outdegree > 0) share_out(local, step);
}

class GlobalRewiring::View final : public GlobalStructuralView {
 public:
  View(GlobalRewiring& owner, const Group& group, std::int64_t step)
      : owner_(owner), group_(group), step_(step),
        random_(owner.in_.wiring->key(), Purpose::structural_rule, kOfGroup | group.members[0].projection, static_cast<std::uint32_t>(step)) {
    look_at(group.sources, source_);
    look_at(group.targets, target_);
    count();
  }
  /// What the rule has left in memories.
  void keep() const {
    for (std::size_t i = 0; i < group_.sources.size(); ++i) owner_.keep(group_.sources[i], step_, source_.values[i]);
    for (std::size_t i = 0; i < group_.targets.size(); ++i) owner_.keep(group_.targets[i], step_, target_.values[i]);
  }

  double time_ms() const override { return static_cast<double>(step_) * owner_.in_.network->dt_ms; }
  std::uint32_t sources() const override { return source_.first.back(); }
  std::uint32_t targets() const override { return target_.first.back(); }
  bool joined(std::uint32_t source, std::uint32_t target) const override { return member(source, target) != nullptr; }
  bool is_same(std::uint32_t source, std::uint32_t target) const override {
    const std::size_t from = source_.population_of(source), to = target_.population_of(target);
    return group_.sources.at(from).population == group_.targets.at(to).population && source - source_.first[from] == target - target_.first[to];
  }
  std::uint32_t outdegree(std::uint32_t source) const override { return source_.degree.at(source); }
  std::uint32_t indegree(std::uint32_t target) const override { return target_.degree.at(target); }
  double source_value(std::size_t k, std::uint32_t source) const override { return source_.value(k, source); }
  double target_value(std::size_t k, std::uint32_t target) const override { return target_.value(k, target); }
  void set_source_value(std::size_t k, std::uint32_t source, double value) override { source_.value(k, source) = value; }
  void set_target_value(std::size_t k, std::uint32_t target, double value) override { target_.value(k, target) = value; }

  std::vector<Pair> synapses_from(const std::vector<std::uint32_t>& sources) override { return list(&sources, nullptr); }
  std::vector<Pair> synapses_onto(const std::vector<std::uint32_t>& targets) override { return list(nullptr, &targets); }

  void remove(std::uint32_t source, std::uint32_t target) override {
    proposals_.push_back({source, target, false});
  }
  void add(std::uint32_t source, std::uint32_t target) override { proposals_.push_back({source, target, true}); }
  void settle() override {
    for (const Proposal& p : proposals_) carry_out(p);
    proposals_.clear();
    count();
  }

  double uniform() override { return random_.next_unit(); }
  std::uint32_t below(std::uint32_t n) override { return n == 0 ? 0 : random_.next_evenly_below(n); }

 private:
  /// The populations of one side, one after the other.
  struct Neurons {
    std::vector<std::uint32_t> first;  ///< [population] and the end
    std::vector<Columns> values;       ///< [population][k][neuron]
    std::vector<std::uint32_t> degree; ///< [neuron of all]

    [[nodiscard]] std::size_t population_of(std::uint32_t neuron) const {
      return static_cast<std::size_t>(std::upper_bound(first.begin(), first.end(), neuron) - first.begin()) - 1;
    }
    [[nodiscard]] double& value(std::size_t k, std::uint32_t neuron) {
      const std::size_t p = population_of(neuron);
      return values.at(p).at(k)[neuron - first[p]];
    }
    [[nodiscard]] double value(std::size_t k, std::uint32_t neuron) const { return const_cast<Neurons*>(this)->value(k, neuron); }
  };
  struct Proposal {
    std::uint32_t source, target;
    bool comes;
  };

  void look_at(const std::vector<Sight>& side, Neurons& neurons) const {
    neurons.first = {0};
    for (const Sight& sight : side) {
      neurons.first.push_back(neurons.first.back() + static_cast<std::uint32_t>(owner_.size_of(sight)));
      neurons.values.push_back(owner_.look(sight, step_, true));
    }
    neurons.degree.resize(neurons.first.back());
  }
  [[nodiscard]] const Group::Member* member(std::uint32_t source, std::uint32_t target) const {
    if (source >= sources() || target >= targets()) return nullptr;
    const std::size_t from = source_.population_of(source), to = target_.population_of(target);
    for (const Group::Member& m : group_.members) {
      if (m.source == from && m.target == to) return &m;
    }
    return nullptr;
  }
  void count() {
    std::vector<std::uint64_t> degrees(sources() + targets());
    of_source_.resize(group_.members.size());
    for (std::size_t m = 0; m < group_.members.size(); ++m) {
      const Group::Member& member = group_.members[m];
      const std::span<std::uint64_t> in = std::span(degrees).subspan(sources() + target_.first[member.target]);
      std::vector<std::uint64_t> out(source_.first[member.source + 1] - source_.first[member.source]);
      for (const auto& tile : *owner_.in_.tiles) {
        if (tile->structural() != nullptr) tile->structural()->count_degrees(member.projection, out, in);
      }
      for (std::size_t s = 0; s < out.size(); ++s) degrees[source_.first[member.source] + s] += out[s];
      if (member.max_outdegree > 0) {
        owner_.in_.ranks->sum(out);
        of_source_[m] = std::move(out);
      }
    }
    owner_.in_.ranks->sum(degrees);
    for (std::uint32_t s = 0; s < sources(); ++s) source_.degree[s] = static_cast<std::uint32_t>(degrees[s]);
    for (std::uint32_t t = 0; t < targets(); ++t) target_.degree[t] = static_cast<std::uint32_t>(degrees[sources() + t]);
  }
  [[nodiscard]] std::vector<Pair> list(const std::vector<std::uint32_t>* from, const std::vector<std::uint32_t>* onto) const {
    std::vector<char> is_source(sources(), from == nullptr ? 1 : 0), is_target(targets(), onto == nullptr ? 1 : 0);
    for (const std::uint32_t s : from == nullptr ? std::vector<std::uint32_t>() : *from) is_source.at(s) = 1;
    for (const std::uint32_t t : onto == nullptr ? std::vector<std::uint32_t>() : *onto) is_target.at(t) = 1;
    std::vector<Pair> pairs;
    for (const Group::Member& m : group_.members) {
      const std::uint32_t s0 = source_.first[m.source], t0 = target_.first[m.target];
      for (const auto& tile : *owner_.in_.tiles) {
        if (tile->structural() == nullptr) continue;
        tile->structural()->show_synapses(m.projection, std::span(is_source).subspan(s0), std::span(is_target).subspan(t0),
                                          [&](std::uint32_t s, std::uint32_t t) { pairs.emplace_back(s0 + s, t0 + t); });
      }
    }
    static_assert(sizeof(Pair) == 8);
    std::vector<std::uint64_t> words;
    for (const Pair& pair : pairs) words.push_back(std::uint64_t{pair.first} << 32 | pair.second);
    words = owner_.in_.ranks->all_of(words);
    std::sort(words.begin(), words.end());
    pairs.clear();
    for (const std::uint64_t word : words) pairs.emplace_back(static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word));
    return pairs;
  }
  void carry_out(const Proposal& p) {
    const Group::Member* const m = member(p.source, p.target);
    if (m == nullptr) return;
    const std::uint32_t source = p.source - source_.first[m->source], target = p.target - target_.first[m->target];
    bool full = false;
    if (m->max_outdegree > 0) {  // counted on all ranks alike, also where the synapse is not made in the end
      std::uint64_t& degree = of_source_[static_cast<std::size_t>(m - group_.members.data())][source];
      full = p.comes && degree >= m->max_outdegree;
      degree = p.comes ? degree + (full ? 0 : 1) : degree - std::min<std::uint64_t>(degree, 1);
    }
    for (const auto& tile : *owner_.in_.tiles) {
      StructuralRows* const rows = tile->structural();
      if (rows == nullptr) continue;
      if (full) {
        rows->refuse(m->projection, target);
      } else {
        rows->change(m->projection, step_, source, target, p.comes ? std::optional(m->weight) : std::nullopt);
      }
    }
  }

  GlobalRewiring& owner_;
  const Group& group_;
  std::int64_t step_;
  RandomStream random_;
  Neurons source_, target_;
  std::vector<std::vector<std::uint64_t>> of_source_;  ///< [member with a limit][source]
  std::vector<Proposal> proposals_;
};

void GlobalRewiring::act(std::int64_t step) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  in_.ranks->enter("rewiring", step);
  for (std::size_t l = 0; l < plan_.locals.size(); ++l) {
    if (step % plan_.locals[l].interval == 0) prepare(plan_.locals[l], seen_[l], step);
  }
  for (const Group& group : plan_.groups) {
    if (step % group.interval != 0) continue;
    View view(*this, group, step);
    static_cast<const GlobalStructuralRule&>(*group.rule).act_on_all(view);
    view.settle();
    view.keep();
  }
  seconds_ += std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace tessera
