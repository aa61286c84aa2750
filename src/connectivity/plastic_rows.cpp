// Building, receiving and delivering; what is read and saved is in plastic_state.cpp.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/plastic_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <type_traits>

#include "base/prefetch.hpp"
#include "base/time_grid.hpp"
#include "connectivity/in_flight.hpp"
#include "connectivity/plastic_bundle.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

double faded(double trace, std::int32_t steps, double tau_ms, double dt_ms) {
  return tau_ms == 0.0 || trace == 0.0 ? 0.0 : trace * std::exp(-steps * dt_ms / tau_ms);
}

}  // namespace

template <class Real>
PlasticRows<Real>::~PlasticRows() = default;

template <class Real>
PlasticRows<Real>::PlasticRows(const PlasticRowsInput& input) : wiring_(input.wiring), network_(&input.wiring->network()) {
  constexpr bool kExact = std::is_same_v<Real, double>;
  const RingShape shape = input.wiring->ring_shape();
  group_steps_ = kExact ? 1 : shape.steps();  // exact precision: every delay by itself
  slot_bits_ = shape.slot_bits();
  ring_mask_ = kRingMask;
  longest_wait_ = std::max<std::int64_t>(1, nearest_step(kLongestWaitMs, network_->dt_ms));
  // All that was spiked this long ago has been delivered.
  lag_ = 2 * static_cast<std::int64_t>(input.wiring->max_delay_steps()) + 2;
  due_.resize(history_slots(static_cast<std::uint32_t>(lag_)));
  for (const tessera::Bundle& bundle : input.wiring->bundles()) {
    if (!is_plastic(*input.wiring, bundle)) continue;
    for (const BlockLayout& block : input.layout->blocks) {
      if (block.chunk == bundle.chunk) add_bundle(input, bundle, block);
    }
  }
  std::stable_sort(bundles_.begin(), bundles_.end(), [](const auto& a, const auto& b) { return a->projection < b->projection; });
}

template <class Real>
void PlasticRows<Real>::add_bundle(const PlasticRowsInput& input, const tessera::Bundle& described, const BlockLayout& block) {
  const double dt = network_->dt_ms;
  const Projection& projection = input.wiring->projection(described);
  bundles_.push_back(std::make_unique<Bundle>());
  Bundle& bundle = *bundles_.back();
  bundle.projection = described.projection;
  bundle.chunk = described.chunk;
  bundle.described = &described;
  bundle.rule = &input.rules[described.projection];
  bundle.first_source = input.first_id[described.source_population];
  bundle.sources = network_->populations[described.source_population].size;
  bundle.first_target = described.targets.begin;
  bundle.first_target_id = input.first_id[described.targets.population] + described.targets.begin;
  bundle.targets_in_chunk = described.targets.size;
  bundle.axonal = static_cast<std::int32_t>(nearest_step(projection.plasticity->axonal_delay_ms, dt));
  bundle.dt_ms = dt;
  bundle.sign = bundle.rule->lowest < 0.0 ? -1.0 : 1.0;  // magnitudes are kept: all weights have the sign that is left to them
  bundle.first_slot = bundle.sign < 0.0 ? block.negative_slot : block.positive_slot;
  const double unit = std::is_same_v<Real, double> ? 1.0 : input.units->unit[described.targets.population];
  bundle.scale = static_cast<Real>(bundle.sign / unit);
  if (has_one_delay(projection)) bundle.delay = static_cast<std::int32_t>(DelayTable::range_of(projection.delay_ms, dt).first) - bundle.axonal;
  if (takes_sums<Real>(projection, *bundle.rule)) {
    bundle.sums.emplace(described.targets.size, *bundle.rule, bundle.delay, dt);
  } else {
    bundle.plus = {bundle.rule->tau_plus, dt};
    bundle.minus = {bundle.rule->tau_minus, dt};
    bundle.history = find_history(bundle);
  }
  if (bundle.rule->tau_modulator > 0.0) bundle.modulator = find_modulator(input, projection, bundle.rule->tau_modulator);
  if (!input.structural.empty() && input.structural[described.projection] != nullptr) {
    bundle.structural = input.structural[described.projection].get();
    bundle.rewiring_interval = std::max<std::int64_t>(1, nearest_step(projection.rewiring->interval_ms, dt));
    bundle.max_indegree = projection.rewiring->max_indegree;
    bundle.indegree.resize(described.targets.size);
    const Population &from = network_->populations[described.source_population], &to = network_->populations[described.targets.population];
    if (is_sheet(from) && is_sheet(to)) bundle.sheets.emplace(from, to);
  }
  list_synapses(bundle);
}

/// Bundles of one chunk share a history where their traces are the same.
template <class Real>
std::uint32_t PlasticRows<Real>::find_history(const Bundle& bundle) {
  const PostTraces traces{bundle.rule->tau_minus, bundle.rule->tau_minus_slow, bundle.rule->nearest};
  std::size_t h = 0;
  while (h < histories_.size() && !(history_places_[h].chunk == bundle.chunk && histories_[h].traces() == traces)) ++h;
  if (h == histories_.size()) {
    histories_.emplace_back(bundle.targets_in_chunk, traces, bundle.dt_ms);
    history_places_.push_back({bundle.chunk, bundle.first_target_id, bundle.targets_in_chunk});
  }
  return static_cast<std::uint32_t>(h);
}

/// Bundles share a modulator where it is the same.
template <class Real>
std::uint32_t PlasticRows<Real>::find_modulator(const PlasticRowsInput& input, const Projection& projection, double tau_ms) {
  const std::size_t population = network_->index_of(projection.plasticity->modulator);
  const Modulator::Source source{input.first_id[population], network_->populations[population].size,
                                 static_cast<std::int32_t>(modulator_steps(projection, network_->dt_ms)), tau_ms};
  std::size_t m = 0;
  while (m < modulators_.size() && !(modulators_[m].source() == source)) ++m;
  if (m == modulators_.size()) modulators_.emplace_back(source, network_->dt_ms);
  return static_cast<std::uint32_t>(m);
}

template <class Real>
void PlasticRows<Real>::list_synapses(Bundle& bundle) const {
  bundle.resize(static_cast<std::size_t>(wiring_->expected_synapses_of(*bundle.described) * 1.02) + Bundle::kPadding);
  const auto group_of = [&](const RowSynapse& synapse) {
    return (synapse.delay_steps - 1 - static_cast<std::uint32_t>(bundle.axonal)) / group_steps_;
  };
  std::vector<RowSynapse> row;
  for (std::uint32_t s = 0; s < bundle.sources; ++s) {
    bundle.first_row.push_back(static_cast<std::uint32_t>(bundle.rows.size()));
    row.clear();
    wiring_->list_row(*bundle.described, s, row);
    std::stable_sort(row.begin(), row.end(), [&](const RowSynapse& a, const RowSynapse& b) { return group_of(a) < group_of(b); });
    if (bundle.synapses + row.size() + Bundle::kPadding > bundle.weights.size()) {
      bundle.resize(bundle.weights.size() + bundle.weights.size() / 4 + row.size() + Bundle::kPadding);
    }
    if (bundle.synapses > std::numeric_limits<std::uint32_t>::max() - row.size()) {
      throw InputError("A projection has more than 4,294,967,295 plastic synapses on one chunk of its targets.");
    }
    const auto begin_row = [&](std::uint32_t group) {
      bundle.rows.push_back({static_cast<std::uint32_t>(bundle.synapses), 0, group, kNeverSpiked, 0, 0, 0.0, 0.0, {}});
    };
    if (bundle.structural != nullptr && row.empty()) {
      begin_row((static_cast<std::uint32_t>(bundle.delay) - 1) / group_steps_);
    }
    for (std::size_t k = 0; k < row.size(); ++k, ++bundle.synapses) {
      if (k == 0 || group_of(row[k]) != group_of(row[k - 1])) begin_row(group_of(row[k]));
      ++bundle.rows.back().count;
      ++bundle.rows.back().capacity;
      if (bundle.structural != nullptr) ++bundle.indegree[row[k].target];
      if (bundle.is_summed()) {
        bundle.targets[bundle.synapses] = static_cast<std::uint16_t>(row[k].target);
      } else {
        bundle.words[bundle.synapses] =
            row[k].target | (row[k].delay_steps - static_cast<std::uint32_t>(bundle.axonal)) << PlasticRow<Real>::kTargetBits;
      }
      bundle.weights[bundle.synapses] = static_cast<Real>(std::abs(row[k].weight));
    }
  }
  bundle.first_row.push_back(static_cast<std::uint32_t>(bundle.rows.size()));
  bundle.resize(bundle.synapses + Bundle::kPadding);
  bundle.rows.shrink_to_fit();
  if (bundle.is_summed()) bundle.seen_sums = AlignedArray<float>(bundle.synapses + Bundle::kPadding);
  if (bundle.rule->keeps_state) bundle.states = AlignedArray<Real>(bundle.synapses + Bundle::kPadding);
  bundle.used = bundle.synapses;
}

/// A row is due when the first of its synapses may be.
template <class Real>
void PlasticRows<Real>::push(std::int64_t step, std::uint32_t source, std::int64_t not_before) {
  for (std::uint32_t b = 0; b < bundles_.size(); ++b) {
    const Bundle& bundle = *bundles_[b];
    const std::uint32_t s = source - bundle.first_source;
    if (s >= bundle.sources) continue;
    for (std::uint32_t r = bundle.first_row[s]; r < bundle.first_row[s + 1]; ++r) {
      const std::int64_t due = step + bundle.axonal + 1 + static_cast<std::int64_t>(bundle.rows[r].group) * group_steps_;
      if (due < not_before) continue;
      due_[static_cast<std::size_t>(due) & (due_.size() - 1)].push_back(
          {b, r, static_cast<std::int32_t>(step + 1 + bundle.axonal)});
    }
  }
}

/// Once for every spike; after a checkpoint modulators know what came before.
template <class Real>
void PlasticRows<Real>::hear_modulators(std::int64_t step, SpikeLists lists) {
  for (Modulator& modulator : modulators_) {
    for (const auto spikes : lists) {
      for (const std::uint32_t source : spikes) {
        if (modulator.has(source)) modulator.add(static_cast<std::int32_t>(step + 1));
      }
    }
  }
}

template <class Real>
void PlasticRows<Real>::receive(std::int64_t step, SpikeLists lists) {
  hear_modulators(step, lists);
  for (const auto spikes : lists) {
    for (const std::uint32_t source : spikes) push(step, source, kFirstSpikeStep);
  }
}

template <class Real>
void PlasticRows<Real>::receive_again(std::int64_t step, std::int64_t now, SpikeLists lists) {
  for (const auto spikes : lists) {
    for (const std::uint32_t source : spikes) push(step, source, now);
  }
}

template <class Real>
typename PlasticRows<Real>::Columns PlasticRows<Real>::columns_of(Bundle& bundle, const Row& row) const {
  return {bundle.weights.data() + row.begin, bundle.states.size() > 0 ? bundle.states.data() + row.begin : nullptr,
          bundle.seen_sums.size() > 0 ? bundle.seen_sums.data() + row.begin : nullptr,
          bundle.rule->tau_modulator > 0.0 ? &modulators_[bundle.modulator] : nullptr};
}

/// What a row remembers of a visit.
template <class Real>
void PlasticRows<Real>::remember(const Bundle& bundle, Row& row, std::int32_t now, bool spike) {
  row.seen = now;
  if (!spike) return;
  const PlasticityVariant& rule = *bundle.rule;
  row.fast = 1.0 + (rule.nearest ? 0.0 : faded(row.fast, now - row.before, rule.tau_plus, bundle.dt_ms));
  row.slow = 1.0 + faded(row.slow, now - row.before, rule.tau_plus_slow, bundle.dt_ms);
  row.before = now;
}

template <class Real>
bool PlasticRows<Real>::advance_each(const Bundle& bundle, Row& row, Columns columns, std::int32_t now, bool spike, std::int64_t step,
                                     Input* ring) const {
  PlasticRow<Real> visit;
  visit.count = row.count;
  visit.words = bundle.words.data() + row.begin;
  visit.weights = columns.weights;
  visit.states = columns.states;
  visit.before = row.before;
  visit.seen = row.seen;
  visit.now = now;
  visit.spike = spike;
  visit.fast = static_cast<Real>(row.fast);
  visit.slow = static_cast<Real>(row.slow);
  visit.slow_now = static_cast<Real>(faded(row.slow, now - row.before, bundle.rule->tau_plus_slow, bundle.dt_ms));
  visit.post = histories_[bundle.history].view();
  visit.plus = bundle.plus.view();
  visit.minus = bundle.minus.view();
  if (columns.modulator != nullptr) {
    const Modulator::Window window = columns.modulator->window(row.seen, now);
    visit.modulator = window.events.data();
    visit.modulator_events = static_cast<std::uint32_t>(window.events.size());
    visit.modulator_level = window.level;
  }
  visit.constants = bundle.rule->constants.data();
  visit.ring = ring;
  visit.first_slot = bundle.first_slot;
  visit.first_delay = 1 + row.group * group_steps_;
  visit.slot_bits = slot_bits_;
  visit.row_of_now = static_cast<std::uint32_t>(step & (group_steps_ - 1)) << slot_bits_;
  visit.ring_mask = ring_mask_;
  visit.scale = bundle.scale;
  if (bundle.rule->efficacy != nullptr && spike) {
    const double since = row.before == kNeverSpiked ? INFINITY : (now - row.before) * bundle.dt_ms;
    visit.efficacy = static_cast<Real>(bundle.rule->efficacy(bundle.rule->constants.data(), row.short_term, since));
  }
  if constexpr (std::is_same_v<Real, double>) {
    bundle.rule->reference(visit);
  } else {
    bundle.rule->fast(visit);
  }
  return visit.finite;
}

template <class Real>
bool PlasticRows<Real>::advance_sum(const Bundle& bundle, Row& row, Columns columns, const PostSums& sums, std::int32_t now, bool spike,
                                    std::int64_t step, Input* ring) const {
  SummedRow visit;
  visit.count = row.count;
  visit.targets = bundle.targets.data() + row.begin;
  if constexpr (std::is_same_v<Real, float>) {
    visit.weights = columns.weights;
    visit.ring = ring;
    visit.scale = bundle.scale;
  }
  visit.sums = columns.sums;
  sums.look_up(row.before, row.seen, row.fast, visit);
  visit.spike = spike;
  visit.slow_now = static_cast<float>(faded(row.slow, now - row.before, bundle.rule->tau_plus_slow, bundle.dt_ms));
  visit.constants = bundle.rule->constants.data();
  const std::uint32_t late = static_cast<std::uint32_t>(bundle.delay) - 1 - row.group * group_steps_;
  visit.first_place = bundle.first_slot + ((late + static_cast<std::uint32_t>(step & (group_steps_ - 1))) << slot_bits_);
  visit.ring_mask = ring_mask_;
  bundle.rule->summed(visit);
  return visit.finite;
}

template <class Real>
bool PlasticRows<Real>::advance_row(const Bundle& bundle, Row& row, Columns columns, const PostSums* sums, std::int32_t now, bool spike,
                                    std::int64_t step, Input* ring) const {
  const bool finite = sums != nullptr ? advance_sum(bundle, row, columns, *sums, now, spike, step, ring)
                                      : advance_each(bundle, row, columns, now, spike, step, ring);
  remember(bundle, row, now, spike);
  return finite;
}

template <class Real>
void PlasticRows<Real>::visit(const Due& due, std::int64_t step, Input* ring) {
  Bundle& bundle = *bundles_[due.bundle];
  Row& row = bundle.rows[due.row];
  const PostSums* sums = bundle.is_summed() ? &*bundle.sums : nullptr;
  const bool finite = advance_row(bundle, row, columns_of(bundle, row), sums, due.time, true, step, ring);
  counters_.synaptic_events += row.count;
  if (finite || not_finite_.step >= 0) return;
  const auto after = std::upper_bound(bundle.first_row.begin(), bundle.first_row.end(), due.row);
  not_finite_ = {step, bundle.projection, static_cast<std::uint32_t>(after - bundle.first_row.begin()) - 1};
}

/// Asks memory for the beginning of a row; the rest follows by itself.
template <class Real>
void PlasticRows<Real>::ask_for(const Due& due) const {
  const Bundle& bundle = *bundles_[due.bundle];
  const Row& row = bundle.rows[due.row];
  for (std::uint32_t k = 0; k < std::min(row.count, 256u); k += 16) {
    prefetch(bundle.weights.data() + row.begin + k);
    prefetch(bundle.is_summed() ? static_cast<const void*>(bundle.seen_sums.data() + row.begin + k)
                                : static_cast<const void*>(bundle.words.data() + row.begin + k));
    if (bundle.is_summed()) prefetch(bundle.targets.data() + row.begin + k);
  }
}

/// The rows of a bundle with sums are all due equally long after their sources' spikes, so its sums have one time: that
/// of the spikes which are due.
template <class Real>
std::int32_t PlasticRows<Real>::time_of_sums(const Bundle& bundle, std::int64_t step) const {
  const std::int64_t group = (bundle.delay - 1) / static_cast<std::int64_t>(group_steps_);
  return static_cast<std::int32_t>(std::max<std::int64_t>(0, step - group * group_steps_));
}

template <class Real>
void PlasticRows<Real>::deliver(std::int64_t step, Input* ring) {
  std::vector<Due>& due = due_[static_cast<std::size_t>(step) & (due_.size() - 1)];
  if constexpr (std::is_same_v<Real, double>) {  // sums depend on their order
    std::sort(due.begin(), due.end(), [](const Due& a, const Due& b) {
      return std::tie(a.bundle, a.row, a.time) < std::tie(b.bundle, b.row, b.time);
    });
  }
  for (const auto& bundle : bundles_) {
    if (bundle->is_summed()) bundle->sums->advance(time_of_sums(*bundle, step));
  }
  for (Modulator& modulator : modulators_) modulator.advance(static_cast<std::int32_t>(step));
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (i + 1 < due.size()) ask_for(due[i + 1]);
    visit(due[i], step, ring);
  }
  counters_.row_visits += due.size();
  due.clear();
  catch_up_sums(step);
  if (step > 0 && step % longest_wait_ == 0) catch_up(step);
  rewire(step);
}

/// The same for rows with sums, before these are overwritten. Sources whose traces have faded have nothing to catch up.
template <class Real>
void PlasticRows<Real>::catch_up_sums(std::int64_t step) {
  for (const auto& bundle : bundles_) {
    if (!bundle->is_summed()) continue;
    const std::int32_t now = time_of_sums(*bundle, step);
    if (now == 0 || !bundle->sums->begins_epoch(now)) continue;
    for (Row& row : bundle->rows) {
      if (bundle->sums->settled(row.before, row.seen) || !bundle->sums->is_old(row.seen, now)) continue;
      advance_row(*bundle, row, columns_of(*bundle, row), &*bundle->sums, now, false, step, nullptr);
    }
  }
}

/// Brings rows up to date that have not been for long, and lets histories forget what no row needs any more.
template <class Real>
void PlasticRows<Real>::catch_up(std::int64_t step) {
  const std::int64_t horizon = step - lag_;
  if (horizon <= longest_wait_ || histories_.empty()) return;
  for (const auto& bundle : bundles_) {
    if (bundle->rule->efficacy != nullptr || bundle->is_summed()) continue;
    for (Row& row : bundle->rows) {
      if (row.seen > horizon - longest_wait_) continue;
      advance_row(*bundle, row, columns_of(*bundle, row), nullptr, static_cast<std::int32_t>(horizon), false, step, nullptr);
    }
  }
  const auto needed = static_cast<std::int32_t>(horizon - longest_wait_ - lag_ / 2);
  for (PostHistory<Real>& history : histories_) history.need_after(needed);
  for (Modulator& modulator : modulators_) modulator.need_after(needed);
}

template <class Real>
void PlasticRows<Real>::spiked(std::int64_t step, std::span<const std::uint32_t> neurons) {
  const auto time = static_cast<std::int32_t>(step + 1);
  for (std::size_t h = 0; h < histories_.size(); ++h) {
    const HistoryPlace& place = history_places_[h];
    for (const std::uint32_t id : neurons) {
      if (id - place.first_id < place.size) histories_[h].add(id - place.first_id, time);
    }
  }
  for (const auto& bundle : bundles_) {
    if (!bundle->is_summed()) continue;
    for (const std::uint32_t id : neurons) {
      if (id - bundle->first_target_id < bundle->targets_in_chunk) bundle->sums->add(id - bundle->first_target_id, time);
    }
  }
}

template <class Real>
bool PlasticRows<Real>::reaches(std::uint32_t source) const {
  if (std::any_of(modulators_.begin(), modulators_.end(), [source](const Modulator& m) { return m.has(source); })) return true;
  return std::any_of(bundles_.begin(), bundles_.end(), [&](const auto& bundle) {
    const std::uint32_t s = source - bundle->first_source;
    return s < bundle->sources && bundle->first_row[s] < bundle->first_row[s + 1];
  });
}

template <class Real>
std::uint64_t PlasticRows<Real>::synapses() const {
  std::uint64_t total = 0;
  for (const auto& bundle : bundles_) total += bundle->synapses;
  return total;
}

template <class Real>
std::uint64_t PlasticRows<Real>::bytes() const {
  std::uint64_t total = 0;
  for (const auto& bundle : bundles_) total += bundle->bytes();
  for (const PostHistory<Real>& history : histories_) total += history.bytes();
  for (const auto& due : due_) total += due.capacity() * sizeof(Due);
  for (const Modulator& modulator : modulators_) total += modulator.bytes();
  return total;
}

template class PlasticRows<float>;
template class PlasticRows<double>;

}  // namespace tessera
