// Rows that grow and shrink, and what a structural rule sees of them.
//
// A row that is full moves to the end of its bundle's columns, with half as much room again; the place that it leaves is
// lost until a quarter of all is, and then rows are laid out anew. A synapse that goes is replaced by the last of its row.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <type_traits>

#include "connectivity/plastic_bundle.hpp"
#include "tessera/errors.hpp"

namespace tessera {

template <class Real>
void PlasticRows<Real>::Bundle::move(std::size_t from, std::size_t to, std::uint32_t n) {
  const auto column = [&](auto& values) {
    if (values.size() > 0) std::memmove(values.data() + to, values.data() + from, n * sizeof(values[0]));
  };
  column(words);
  column(targets);
  column(weights);
  column(states);
  column(seen_sums);
}

template <class Real>
void PlasticRows<Real>::Bundle::lay_out(std::size_t room) {
  // In the order of their places rows only move towards the front.
  std::vector<std::uint32_t> order(rows.size());
  for (std::uint32_t r = 0; r < order.size(); ++r) order[r] = r;
  std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
    return rows[a].begin != rows[b].begin ? rows[a].begin < rows[b].begin : a < b;
  });
  std::size_t to = 0;
  for (const std::uint32_t r : order) {
    move(rows[r].begin, to, rows[r].count);
    rows[r].begin = static_cast<std::uint32_t>(to);
    rows[r].capacity = rows[r].count;
    to += rows[r].count;
  }
  used = to;
  wasted = 0;
  if (used + room + kPadding > weights.size()) resize(used + used / 4 + room + kPadding);
}

/// The row gets to the end, with room for more.
template <class Real>
void PlasticRows<Real>::Bundle::give_room(Row& row) {
  const std::uint32_t capacity = std::max(4u, row.count + row.count / 2 + 1);
  if (used + capacity + kPadding > weights.size()) {
    if (wasted > used / 4) lay_out(capacity);
    if (used + capacity + kPadding > weights.size()) resize(used + used / 4 + capacity + kPadding);
  }
  if (used > std::numeric_limits<std::uint32_t>::max() - capacity) throw RunError("A chunk has more plastic synapses than 32 bits count.");
  move(row.begin, used, row.count);
  wasted += row.capacity;
  row.begin = static_cast<std::uint32_t>(used);
  row.capacity = capacity;
  used += capacity;
}

template <class Real>
void PlasticRows<Real>::Bundle::append(Row& row, std::uint32_t target_in_chunk, Real weight) {
  if (row.count == row.capacity) give_room(row);
  const std::size_t at = row.begin + row.count++;
  if (is_summed()) {
    targets[at] = static_cast<std::uint16_t>(target_in_chunk);
    seen_sums[at] = sums->sum_of_now(target_in_chunk);
  } else {
    words[at] = target_in_chunk | static_cast<std::uint32_t>(delay) << PlasticRow<Real>::kTargetBits;
  }
  weights[at] = weight;
  if (states.size() > 0) states[at] = 0;
  ++indegree[target_in_chunk];
  ++synapses;
}

template <class Real>
void PlasticRows<Real>::Bundle::remove(Row& row, std::uint32_t k) {
  --indegree[target(row.begin + k)];
  --row.count;
  --synapses;
  if (k != row.count) move(row.begin + row.count, row.begin + k, 1);
}

/// All spikes of a row's source up to this time have acted on it, once `step` is delivered.
template <class Real>
std::int32_t PlasticRows<Real>::time_of_row(const Bundle& bundle, const Row& row, std::int64_t step) const {
  return bundle.is_summed() ? time_of_sums(bundle, step)
                            : static_cast<std::int32_t>(std::max<std::int64_t>(0, step - std::int64_t{row.group} * group_steps_));
}

template <class Real>
class PlasticRows<Real>::View final : public StructuralView {
 public:
  View(PlasticRows& owner, Bundle& bundle, std::int64_t step)
      : owner_(owner), bundle_(bundle), step_(step),
        random_(owner.wiring_->key(), Purpose::structural_rule, bundle.described->id, static_cast<std::uint32_t>(step)) {}

  double time_ms() const override { return static_cast<double>(step_) * bundle_.dt_ms; }
  std::uint32_t sources() const override { return bundle_.sources; }
  std::uint32_t first_target() const override { return bundle_.first_target; }
  std::uint32_t targets() const override { return bundle_.targets_in_chunk; }
  bool is_recurrent() const override { return bundle_.described->self_projection; }

  bool exists(std::uint32_t source, std::uint32_t target) const override {
    return in_range(source, target) && place(source, target) < row(source).count;
  }
  void expect(std::uint32_t source) const override {
    if (source < bundle_.sources) __builtin_prefetch(&row(source));
  }
  double weight(std::uint32_t source, std::uint32_t target) const override {
    if (!in_range(source, target)) return 0.0;
    const std::uint32_t k = place(source, target);
    return k < row(source).count ? bundle_.sign * weight_at(row(source), k) : 0.0;
  }
  std::uint32_t indegree(std::uint32_t target) const override {
    return target - bundle_.first_target < bundle_.targets_in_chunk ? bundle_.indegree[target - bundle_.first_target] : 0;
  }
  std::uint32_t outdegree(std::uint32_t source) const override { return source < bundle_.sources ? row(source).count : 0; }
  void for_each(const std::function<void(std::uint32_t, std::uint32_t, double)>& visit) const override {
    for (std::uint32_t s = 0; s < bundle_.sources; ++s) {
      for (std::uint32_t k = 0; k < row(s).count; ++k) {
        visit(s, bundle_.first_target + bundle_.target(row(s).begin + k), bundle_.sign * weight_at(row(s), k));
      }
    }
  }

  double source_value(std::size_t k, std::uint32_t source) const override {
    return value(bundle_.seen == nullptr ? nullptr : &bundle_.seen->of_sources, k, source);
  }
  double target_value(std::size_t k, std::uint32_t target) const override {
    return value(bundle_.seen == nullptr ? nullptr : &bundle_.seen->of_targets, k, target);
  }

  double distance(std::uint32_t source, std::uint32_t target) const override { return sheets().distance(source, target); }
  std::uint32_t source_near(std::uint32_t target, int columns, int rows) const override {
    const Sheet from = sheets().source(), to = sheets().target();
    const auto moved = [](const Axis& a, std::uint32_t cells, std::uint32_t cell, int by) -> std::int64_t {
      const std::int64_t at = std::int64_t{cell} * a.cells / cells + by;
      if (!a.ring) return at;
      return (at % a.cells + a.cells) % a.cells;
    };
    const std::int64_t x = moved(from.x, to.x.cells, to.column(target), columns), y = moved(from.y, to.y.cells, to.row(target), rows);
    if (x < 0 || y < 0 || x >= from.x.cells || y >= from.y.cells) return bundle_.sources;
    return static_cast<std::uint32_t>(y) * from.x.cells + static_cast<std::uint32_t>(x);
  }

  void reweight(const std::function<double(std::uint32_t, std::uint32_t, double)>& change) override {
    for (std::uint32_t s = 0; s < bundle_.sources; ++s) {
      Row& of = row(s);
      bring_up_to_date(of);
      for (std::uint32_t k = 0; k < of.count; ++k) {
        Real& weight = bundle_.weights[of.begin + k];
        const double magnitude = bundle_.sign * change(s, bundle_.first_target + bundle_.target(of.begin + k), bundle_.sign * weight);
        if (is_possible(magnitude)) {
          weight = static_cast<Real>(magnitude);
        } else {
          ++bundle_.rewired.invalid;
        }
      }
    }
  }

  bool remove(std::uint32_t source, std::uint32_t target) override {
    if (!in_range(source, target)) return false;
    const std::uint32_t k = place(source, target);
    if (k == row(source).count) return false;
    bundle_.remove(row(source), k);
    ++bundle_.rewired.eliminated;
    if (!bundle_.allowed.empty()) ++bundle_.allowed[source];
    return true;
  }
  bool add(std::uint32_t source, std::uint32_t target, double weight) override {
    RewiringCounts& counts = bundle_.rewired;
    const double magnitude = weight * bundle_.sign;
    if (!in_range(source, target) || !is_possible(magnitude)) return ++counts.invalid, false;
    if (exists(source, target)) return ++counts.existing, false;
    const bool full = bundle_.max_indegree > 0 && indegree(target) >= bundle_.max_indegree;
    if (full || (!bundle_.allowed.empty() && bundle_.allowed[source] == 0)) return ++counts.at_limit, false;
    Row& to = row(source);
    bring_up_to_date(to);
    bundle_.append(to, target - bundle_.first_target, static_cast<Real>(magnitude));
    if (!bundle_.allowed.empty()) --bundle_.allowed[source];
    ++counts.formed;
    return true;
  }

  double uniform() override { return random_.next_unit(); }
  std::uint32_t below(std::uint32_t n) override {  // without a bias: what does not divide evenly is drawn again
    if (n == 0) return 0;
    for (;;) {
      const std::uint64_t product = std::uint64_t{random_.next()} * n;
      const auto low = static_cast<std::uint32_t>(product);
      if (low >= n || low >= (0u - n) % n) return static_cast<std::uint32_t>(product >> 32);
    }
  }

 private:
  [[nodiscard]] static double value(const std::vector<std::vector<double>>* values, std::size_t k, std::uint32_t neuron) {
    if (values == nullptr || k >= values->size()) throw InputError("A structural rule looks at a value of neurons that it has not asked for.");
    return (*values)[k].at(neuron);
  }
  [[nodiscard]] bool is_possible(double magnitude) const {
    return magnitude >= 0.0 && magnitude <= std::max(std::abs(bundle_.rule->lowest), bundle_.rule->highest);
  }
  /// All synapses of a row have one time: that of one that is made, or gets another weight, now.
  void bring_up_to_date(Row& of) {
    const std::int32_t now = owner_.time_of_row(bundle_, of, step_);
    if (bundle_.rule->efficacy != nullptr || of.seen >= now) return;
    owner_.advance_row(bundle_, of, owner_.columns_of(bundle_, of), bundle_.is_summed() ? &*bundle_.sums : nullptr, now, false, step_, nullptr);
  }
  [[nodiscard]] bool in_range(std::uint32_t source, std::uint32_t target) const {
    return source < bundle_.sources && target - bundle_.first_target < bundle_.targets_in_chunk;
  }
  [[nodiscard]] Row& row(std::uint32_t source) const { return bundle_.rows[bundle_.first_row[source]]; }
  [[nodiscard]] std::uint32_t place(std::uint32_t source, std::uint32_t target) const {
    return bundle_.find(row(source), target - bundle_.first_target);
  }
  [[nodiscard]] const SheetPair& sheets() const {
    if (!bundle_.sheets) throw InputError("A structural rule asks where neurons are, but the populations of the projection are no grids.");
    return *bundle_.sheets;
  }
  /// A copy of one synapse is brought to the row's time; nothing is kept.
  [[nodiscard]] double weight_at(const Row& of, std::uint32_t k) const {
    Real weight[Bundle::kPadding] = {}, state[Bundle::kPadding] = {};
    float sum[Bundle::kPadding] = {};
    const std::size_t at = of.begin + k;
    weight[0] = bundle_.weights[at];
    if (bundle_.rule->efficacy != nullptr) return weight[0];
    if (bundle_.states.size() > 0) state[0] = bundle_.states[at];
    if (bundle_.is_summed()) sum[0] = bundle_.seen_sums[at];
    const std::int32_t now = owner_.time_of_row(bundle_, of, step_);
    if (of.seen >= now) return weight[0];
    Row one = of;
    one.begin = static_cast<std::uint32_t>(at);
    one.count = 1;
    const Modulator* modulator = bundle_.rule->tau_modulator > 0.0 ? &owner_.modulators_[bundle_.modulator] : nullptr;
    owner_.advance_row(bundle_, one, {weight, bundle_.states.size() > 0 ? state : nullptr, sum, modulator}, bundle_.is_summed() ? &*bundle_.sums : nullptr,
                       now, false, step_, nullptr);
    return weight[0];
  }

  PlasticRows& owner_;
  Bundle& bundle_;
  std::int64_t step_;
  RandomStream random_;
};

template <class Real>
void PlasticRows<Real>::rewire(std::int64_t step) {
  using Clock = std::chrono::steady_clock;
  for (const auto& bundle : bundles_) {
    if (bundle->structural == nullptr || step == 0 || step % bundle->rewiring_interval != 0) continue;
    const auto begin = Clock::now();
    View view(*this, *bundle, step);
    bundle->structural->act(view);
    rewiring_seconds_ += std::chrono::duration<double>(Clock::now() - begin).count();
  }
}

template <class Real>
typename PlasticRows<Real>::Bundle* PlasticRows<Real>::bundle_of(std::uint32_t projection, std::uint32_t target) const {
  for (const auto& bundle : bundles_) {
    if (bundle->projection == projection && target - bundle->first_target < bundle->targets_in_chunk) return bundle.get();
  }
  return nullptr;
}

template <class Real>
void PlasticRows<Real>::count_degrees(std::uint32_t projection, std::span<std::uint64_t> of_sources, std::span<std::uint64_t> of_targets) const {
  for (const auto& bundle : bundles_) {
    if (bundle->projection != projection) continue;
    for (std::uint32_t s = 0; s < bundle->sources && !of_sources.empty(); ++s) of_sources[s] += bundle->rows[bundle->first_row[s]].count;
    for (std::uint32_t t = 0; t < bundle->targets_in_chunk && !of_targets.empty(); ++t) of_targets[bundle->first_target + t] += bundle->indegree[t];
  }
}

template <class Real>
void PlasticRows<Real>::show_synapses(std::uint32_t projection, std::span<const char> sources, std::span<const char> targets,
                                      const std::function<void(std::uint32_t source, std::uint32_t target)>& show) const {
  for (const auto& bundle : bundles_) {
    if (bundle->projection != projection) continue;
    for (std::uint32_t s = 0; s < bundle->sources; ++s) {
      if (!sources.empty() && sources[s] == 0) continue;
      const Row& row = bundle->rows[bundle->first_row[s]];
      for (std::uint32_t k = 0; k < row.count; ++k) {
        const std::uint32_t target = bundle->first_target + bundle->target(row.begin + k);
        if (targets.empty() || targets[target] != 0) show(s, target);
      }
    }
  }
}

/// The state of the rows is that after the step before.
template <class Real>
bool PlasticRows<Real>::change(std::uint32_t projection, std::int64_t step, std::uint32_t source, std::uint32_t target,
                               std::optional<double> weight) {
  Bundle* const bundle = bundle_of(projection, target);
  if (bundle == nullptr) return false;
  View view(*this, *bundle, step - 1);
  return weight ? view.add(source, target, *weight) : view.remove(source, target);
}

template <class Real>
void PlasticRows<Real>::refuse(std::uint32_t projection, std::uint32_t target) {
  if (Bundle* const bundle = bundle_of(projection, target)) ++bundle->rewired.at_limit;
}

template <class Real>
void PlasticRows<Real>::allow(std::uint32_t projection, std::uint32_t chunk, std::vector<std::uint32_t> of_sources) {
  for (const auto& bundle : bundles_) {
    if (bundle->projection == projection && bundle->chunk == chunk) bundle->allowed = of_sources;
  }
}

template <class Real>
void PlasticRows<Real>::show(std::uint32_t projection, const SeenNeurons& neurons) {
  for (const auto& bundle : bundles_) {
    if (bundle->projection == projection) bundle->seen = &neurons;
  }
}

template <class Real>
RewiringCounts PlasticRows<Real>::rewired(std::uint32_t projection) const {
  RewiringCounts sum;
  for (const auto& bundle : bundles_) {
    if (bundle->projection != projection) continue;
    sum.synapses += bundle->synapses;
    sum.formed += bundle->rewired.formed;
    sum.eliminated += bundle->rewired.eliminated;
    sum.existing += bundle->rewired.existing;
    sum.invalid += bundle->rewired.invalid;
    sum.at_limit += bundle->rewired.at_limit;
  }
  return sum;
}

template class PlasticRows<float>;
template class PlasticRows<double>;

}  // namespace tessera
