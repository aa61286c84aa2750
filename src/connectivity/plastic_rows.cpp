// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/plastic_rows.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>
#include <type_traits>

#include "base/prefetch.hpp"
#include "base/time_grid.hpp"
#include "connectivity/in_flight.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

/// exp(-steps / tau) until float32 does not notice what it is added to.
template <class Real>
class DecayTable {
 public:
  DecayTable(double tau_ms, double dt_ms) : steps_per_tau_(tau_ms / dt_ms) {
    if (std::is_same_v<Real, double> || tau_ms == 0.0) return;  // exact precision takes exponentials
    constexpr double kTaus = 24.0;
    const auto n = static_cast<std::size_t>(std::ceil(kTaus * steps_per_tau_)) + 1;
    for (std::size_t i = 0; i < n; ++i) values_.push_back(static_cast<Real>(std::exp(-static_cast<double>(i) / steps_per_tau_)));
    values_.push_back(0);
  }
  [[nodiscard]] TraceTable<Real> view() const {
    return {values_.data(), static_cast<std::int32_t>(values_.size()) - 1, steps_per_tau_};
  }

 private:
  double steps_per_tau_;
  std::vector<Real> values_;
};

double faded(double trace, std::int32_t steps, double tau_ms, double dt_ms) {
  return tau_ms == 0.0 || trace == 0.0 ? 0.0 : trace * std::exp(-steps * dt_ms / tau_ms);
}

constexpr std::size_t kPadding = 64;  // vectors may read past the last synapse

}  // namespace

template <class Real>
struct PlasticRows<Real>::Rows {
  const Bundle* bundle;
  const PlasticityVariant* rule;
  std::uint32_t first_source, sources;  ///< global id of the first, and how many
  std::uint32_t history, first_slot, first_target;
  std::int32_t axonal;
  double sign;
  Real scale;
  double dt_ms;
  DecayTable<Real> plus, minus;
  std::vector<std::uint32_t> first_row;  ///< [source] and the end
  std::vector<Row> rows;
  AlignedArray<std::uint32_t> words;
  AlignedArray<Real> weights, states;
  std::size_t synapses = 0;
};

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
  for (const Bundle& bundle : input.wiring->bundles()) {
    if (!is_plastic(*input.wiring, bundle)) continue;
    for (const BlockLayout& block : input.layout->blocks) {
      if (block.chunk == bundle.chunk) add_bundle(input, bundle, block);
    }
  }
  std::stable_sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) {
    return a->bundle->projection < b->bundle->projection;
  });
}

template <class Real>
void PlasticRows<Real>::add_bundle(const PlasticRowsInput& input, const Bundle& bundle, const BlockLayout& block) {
  const Wiring& wiring = *input.wiring;
  const double dt = network_->dt_ms;
  const PlasticityVariant& rule = input.rules[bundle.projection];
  const Plasticity& plasticity = *wiring.projection(bundle).plasticity;
  const double sign = rule.highest <= 0.0 && rule.lowest < 0.0 ? -1.0 : 1.0;
  const double unit = input.units->unit[bundle.targets.population];
  rows_.push_back(std::make_unique<Rows>(Rows{&bundle, &rule, input.first_id[bundle.source_population],
                                              network_->populations[bundle.source_population].size, 0,
                                              sign < 0.0 ? block.negative_slot : block.positive_slot, bundle.targets.begin,
                                              static_cast<std::int32_t>(nearest_step(plasticity.axonal_delay_ms, dt)), sign,
                                              static_cast<Real>(std::is_same_v<Real, double> ? sign : sign / unit), dt,
                                              {rule.tau_plus, dt}, {rule.tau_minus, dt}, {}, {}, {}, {}, {}, 0}));
  Rows& rows = *rows_.back();

  const PostTraces traces{rule.tau_minus, rule.tau_minus_slow, rule.nearest};
  std::size_t h = 0;
  while (h < histories_.size() && !(history_places_[h].chunk == bundle.chunk && histories_[h].traces() == traces)) ++h;
  if (h == histories_.size()) {
    histories_.emplace_back(bundle.targets.size, traces, dt);
    history_places_.push_back({bundle.chunk, input.first_id[bundle.targets.population] + bundle.targets.begin, bundle.targets.size});
  }
  rows.history = static_cast<std::uint32_t>(h);

  rows.words = AlignedArray<std::uint32_t>(static_cast<std::size_t>(wiring.expected_synapses_of(bundle) * 1.02) + kPadding);
  rows.weights = AlignedArray<Real>(rows.words.size());
  std::vector<RowSynapse> row;
  for (std::uint32_t s = 0; s < rows.sources; ++s) {
    rows.first_row.push_back(static_cast<std::uint32_t>(rows.rows.size()));
    row.clear();
    wiring.list_row(bundle, s, row);
    const auto group_of = [&](const RowSynapse& synapse) {
      return (synapse.delay_steps - 1 - static_cast<std::uint32_t>(rows.axonal)) / group_steps_;
    };
    std::stable_sort(row.begin(), row.end(), [&](const RowSynapse& a, const RowSynapse& b) { return group_of(a) < group_of(b); });
    if (rows.synapses + row.size() + kPadding > rows.words.size()) {
      const std::size_t larger = rows.words.size() + rows.words.size() / 4 + row.size() + kPadding;
      rows.words.resize(larger);
      rows.weights.resize(larger);
    }
    for (std::size_t k = 0; k < row.size(); ++k, ++rows.synapses) {
      if (k == 0 || group_of(row[k]) != group_of(row[k - 1])) {
        if (rows.synapses > std::numeric_limits<std::uint32_t>::max() - row.size()) {
          throw InputError("A projection has more than 4,294,967,295 plastic synapses on one chunk; use more tiles.");
        }
        rows.rows.push_back({static_cast<std::uint32_t>(rows.synapses), 0, group_of(row[k]), kNeverSpiked, 0, 0, 0.0, 0.0, {}});
      }
      ++rows.rows.back().count;
      rows.words[rows.synapses] = row[k].target | (row[k].delay_steps - static_cast<std::uint32_t>(rows.axonal))
                                                      << PlasticRow<Real>::kTargetBits;
      rows.weights[rows.synapses] = static_cast<Real>(std::abs(row[k].weight));
    }
  }
  rows.first_row.push_back(static_cast<std::uint32_t>(rows.rows.size()));
  rows.words.resize(rows.synapses + kPadding);
  rows.weights.resize(rows.synapses + kPadding);
  if (rule.keeps_state) rows.states = AlignedArray<Real>(rows.synapses + kPadding);
}

/// When a row's first synapse may be due after a spike of `step`.
template <class Real>
std::int64_t PlasticRows<Real>::first_due(const Rows& rows, const Row& row, std::int64_t step) const {
  return step + rows.axonal + 1 + static_cast<std::int64_t>(row.group) * group_steps_;
}

template <class Real>
void PlasticRows<Real>::push(std::int64_t step, std::uint32_t source, std::int64_t not_before, bool late_ones) {
  for (std::uint32_t b = 0; b < rows_.size(); ++b) {
    const Rows& rows = *rows_[b];
    if (source - rows.first_source >= rows.sources) continue;
    const std::uint32_t s = source - rows.first_source;
    for (std::uint32_t r = rows.first_row[s]; r < rows.first_row[s + 1]; ++r) {
      const std::int64_t due = first_due(rows, rows.rows[r], step);
      if (due < not_before && !late_ones) continue;
      due_[static_cast<std::size_t>(std::max(due, not_before)) & (due_.size() - 1)].push_back(
          {b, r, static_cast<std::int32_t>(step + 1 + rows.axonal)});
    }
  }
}

template <class Real>
void PlasticRows<Real>::receive(std::int64_t step, SpikeLists lists) {
  for (const auto spikes : lists) {
    for (const std::uint32_t source : spikes) push(step, source, next_, true);
  }
}

template <class Real>
void PlasticRows<Real>::receive_again(std::int64_t step, std::int64_t now, SpikeLists lists) {
  next_ = now;
  for (const auto spikes : lists) {
    for (const std::uint32_t source : spikes) push(step, source, now, false);
  }
}

template <class Real>
PlasticRow<Real> PlasticRows<Real>::begin_visit(const Rows& rows, const Row& row, std::int32_t now, bool spike) const {
  PlasticRow<Real> visit;
  visit.count = row.count;
  visit.words = rows.words.data() + row.begin;
  visit.before = row.before;
  visit.seen = row.seen;
  visit.now = now;
  visit.spike = spike;
  visit.fast = static_cast<Real>(row.fast);
  visit.slow = static_cast<Real>(row.slow);
  visit.slow_now = static_cast<Real>(faded(row.slow, now - row.before, rows.rule->tau_plus_slow, rows.dt_ms));
  visit.post = histories_[rows.history].view();
  visit.plus = rows.plus.view();
  visit.minus = rows.minus.view();
  visit.constants = rows.rule->constants.data();
  visit.first_slot = rows.first_slot;
  visit.first_delay = 1 + row.group * group_steps_;
  visit.slot_bits = slot_bits_;
  visit.ring_mask = ring_mask_;
  visit.scale = rows.scale;
  return visit;
}

/// What a row remembers of a visit.
template <class Real>
void PlasticRows<Real>::end_visit(const Rows& rows, Row& row, const PlasticRow<Real>& visit) {
  row.seen = visit.now;
  if (!visit.spike) return;
  const double fast = rows.rule->nearest ? 0.0 : faded(row.fast, visit.now - row.before, rows.rule->tau_plus, rows.dt_ms);
  const double slow = faded(row.slow, visit.now - row.before, rows.rule->tau_plus_slow, rows.dt_ms);
  row.fast = fast + 1.0;
  row.slow = slow + 1.0;
  row.before = visit.now;
}

template <class Real>
void PlasticRows<Real>::visit(const Due& due, std::int64_t step, Input* ring) {
  Rows& rows = *rows_[due.rows];
  Row& row = rows.rows[due.row];
  PlasticRow<Real> visit = begin_visit(rows, row, due.time, true);
  visit.weights = rows.weights.data() + row.begin;
  if (rows.states.size() > 0) visit.states = rows.states.data() + row.begin;
  visit.ring = ring;
  visit.row_of_now = static_cast<std::uint32_t>(step & (group_steps_ - 1)) << slot_bits_;
  if (rows.rule->efficacy != nullptr) {
    const double since = row.before == kNeverSpiked ? INFINITY : (due.time - row.before) * rows.dt_ms;
    visit.efficacy = static_cast<Real>(rows.rule->efficacy(rows.rule->constants.data(), row.short_term, since));
  }
  if constexpr (std::is_same_v<Real, double>) {
    rows.rule->reference(visit);
  } else {
    rows.rule->fast(visit);
  }
  end_visit(rows, row, visit);
  counters_.synaptic_events += row.count;
  if (!visit.finite && not_finite_.step < 0) {
    const auto after = std::upper_bound(rows.first_row.begin(), rows.first_row.end(), due.row);
    not_finite_ = {step, rows.bundle->projection, static_cast<std::uint32_t>(after - rows.first_row.begin()) - 1};
  }
}

template <class Real>
void PlasticRows<Real>::deliver(std::int64_t step, Input* ring) {
  std::vector<Due>& due = due_[static_cast<std::size_t>(step) & (due_.size() - 1)];
  if constexpr (std::is_same_v<Real, double>) {  // sums depend on their order
    std::sort(due.begin(), due.end(), [](const Due& a, const Due& b) {
      return std::tie(a.rows, a.row, a.time) < std::tie(b.rows, b.row, b.time);
    });
  }
  const auto ask_for = [this](const Due& next) {
    const Rows& rows = *rows_[next.rows];
    const Row& row = rows.rows[next.row];
    for (std::uint32_t k = 0; k < std::min(row.count, 256u); k += 64 / sizeof(std::uint32_t)) {
      prefetch(rows.words.data() + row.begin + k);
      prefetch(rows.weights.data() + row.begin + k);
    }
  };
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (i + 1 < due.size()) ask_for(due[i + 1]);
    visit(due[i], step, ring);
  }
  counters_.row_visits += due.size();
  due.clear();
  next_ = step + 1;
  if (step > 0 && step % longest_wait_ == 0) catch_up(step);
}

/// Brings rows up to date that have not been for long, and lets histories forget what no row needs any more.
template <class Real>
void PlasticRows<Real>::catch_up(std::int64_t step) {
  const std::int64_t horizon = step - lag_;
  if (horizon <= longest_wait_) return;
  for (const auto& rows : rows_) {
    if (rows->rule->efficacy != nullptr) continue;
    for (Row& row : rows->rows) {
      if (row.seen > horizon - longest_wait_) continue;
      PlasticRow<Real> visit = begin_visit(*rows, row, static_cast<std::int32_t>(horizon), false);
      visit.weights = rows->weights.data() + row.begin;
      if (rows->states.size() > 0) visit.states = rows->states.data() + row.begin;
      if constexpr (std::is_same_v<Real, double>) {
        rows->rule->reference(visit);
      } else {
        rows->rule->fast(visit);
      }
      end_visit(*rows, row, visit);
    }
  }
  for (PostHistory<Real>& history : histories_) {
    history.need_after(static_cast<std::int32_t>(horizon - longest_wait_ - lag_ / 2));
  }
}

template <class Real>
void PlasticRows<Real>::spiked(std::int64_t step, std::span<const std::uint32_t> neurons) {
  for (std::size_t h = 0; h < histories_.size(); ++h) {
    const HistoryPlace& place = history_places_[h];
    for (const std::uint32_t id : neurons) {
      if (id - place.first_id < place.size) histories_[h].add(id - place.first_id, static_cast<std::int32_t>(step + 1));
    }
  }
}

template <class Real>
bool PlasticRows<Real>::reaches(std::uint32_t source) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const auto& rows) {
    const std::uint32_t s = source - rows->first_source;
    return s < rows->sources && rows->first_row[s] < rows->first_row[s + 1];
  });
}

template <class Real>
std::uint64_t PlasticRows<Real>::synapses() const {
  std::uint64_t total = 0;
  for (const auto& rows : rows_) total += rows->synapses;
  return total;
}

template <class Real>
std::uint64_t PlasticRows<Real>::bytes() const {
  std::uint64_t total = 0;
  for (const auto& rows : rows_) {
    total += rows->words.bytes() + rows->weights.bytes() + rows->states.bytes() + rows->rows.capacity() * sizeof(Row) +
             rows->first_row.capacity() * sizeof(std::uint32_t);
  }
  for (const PostHistory<Real>& history : histories_) total += history.bytes();
  for (const auto& due : due_) total += due.capacity() * sizeof(Due);
  return total;
}

/// The weights of a row at `now`: spikes that wait for their delivery have acted, and so have all those of targets.
template <class Real>
void PlasticRows<Real>::read_row(const Rows& rows, std::size_t r, std::span<const Due> due, std::int32_t now,
                                 std::vector<Real>& weights) const {
  Row row = rows.rows[r];
  weights.assign(rows.weights.data() + row.begin, rows.weights.data() + row.begin + row.count + kPadding);
  if (rows.rule->efficacy != nullptr) return;
  std::vector<Real> states;
  if (rows.states.size() > 0) states.assign(rows.states.data() + row.begin, rows.states.data() + row.begin + row.count + kPadding);
  const auto advance = [&](std::int32_t time, bool spike) {
    PlasticRow<Real> visit = begin_visit(rows, row, time, spike);
    visit.weights = weights.data();
    visit.states = states.empty() ? nullptr : states.data();
    if constexpr (std::is_same_v<Real, double>) {
      rows.rule->reference(visit);
    } else {
      rows.rule->fast(visit);
    }
    end_visit(rows, row, visit);
  };
  for (const Due& spike : due) {
    if (spike.time <= now) advance(spike.time, true);
  }
  if (now > row.seen) advance(now, false);
}

template <class Real>
void PlasticRows<Real>::read(std::uint32_t projection, std::int64_t now,
                             const std::function<void(std::span<const PlasticSynapse> row)>& show) const {
  std::vector<Real> weights;
  std::vector<PlasticSynapse> synapses;
  for (std::uint32_t b = 0; b < rows_.size(); ++b) {
    const Rows& rows = *rows_[b];
    if (rows.bundle->projection != projection) continue;
    std::vector<Due> due;  // of this bundle
    for (const auto& step : due_) {
      std::copy_if(step.begin(), step.end(), std::back_inserter(due), [b](const Due& d) { return d.rows == b; });
    }
    std::sort(due.begin(), due.end(), [](const Due& x, const Due& y) { return std::tie(x.row, x.time) < std::tie(y.row, y.time); });
    auto first = due.begin();
    for (std::uint32_t s = 0; s < rows.sources; ++s) {
      synapses.clear();
      for (std::uint32_t r = rows.first_row[s]; r < rows.first_row[s + 1]; ++r) {
        auto last = first;
        while (last != due.end() && last->row == r) ++last;
        read_row(rows, r, std::span(first, last), static_cast<std::int32_t>(now), weights);
        first = last;
        for (std::uint32_t k = 0; k < rows.rows[r].count; ++k) {
          const std::uint32_t word = rows.words[rows.rows[r].begin + k];
          synapses.push_back({s, rows.first_target + (word & PlasticRow<Real>::kTargetMask),
                              (word >> PlasticRow<Real>::kTargetBits) + static_cast<std::uint32_t>(rows.axonal), rows.sign * weights[k]});
        }
      }
      if (!synapses.empty()) show(synapses);
    }
  }
}

template <class Real>
void PlasticRows<Real>::save_chunk(std::uint32_t chunk, std::vector<std::uint8_t>& bytes) const {
  const auto put = [&bytes](const void* data, std::size_t n) {
    const auto* begin = static_cast<const std::uint8_t*>(data);
    bytes.insert(bytes.end(), begin, begin + n);
  };
  for (std::size_t h = 0; h < histories_.size(); ++h) {
    if (history_places_[h].chunk == chunk) histories_[h].save(bytes);
  }
  for (const auto& rows : rows_) {
    if (rows->bundle->chunk != chunk) continue;
    put(rows->rows.data(), rows->rows.size() * sizeof(Row));
    put(rows->weights.data(), rows->synapses * sizeof(Real));
    if (rows->states.size() > 0) put(rows->states.data(), rows->synapses * sizeof(Real));
  }
}

template <class Real>
std::size_t PlasticRows<Real>::chunk_bytes(std::uint32_t chunk) const {
  std::size_t bytes = 0;
  for (std::size_t h = 0; h < histories_.size(); ++h) {
    if (history_places_[h].chunk == chunk) bytes += histories_[h].saved_bytes();
  }
  for (const auto& rows : rows_) {
    if (rows->bundle->chunk != chunk) continue;
    bytes += rows->rows.size() * sizeof(Row) + rows->synapses * sizeof(Real) * (rows->states.size() > 0 ? 2 : 1);
  }
  return bytes;
}

template <class Real>
bool PlasticRows<Real>::load_chunk(std::uint32_t chunk, std::span<const std::uint8_t> bytes) {
  static_assert(std::is_trivially_copyable_v<Row>);
  const auto take = [&bytes](void* data, std::size_t n) {
    if (bytes.size() < n) return false;
    std::memcpy(data, bytes.data(), n);
    bytes = bytes.subspan(n);
    return true;
  };
  for (std::size_t h = 0; h < histories_.size(); ++h) {
    if (history_places_[h].chunk == chunk && !histories_[h].load(bytes)) return false;
  }
  for (const auto& rows : rows_) {
    if (rows->bundle->chunk != chunk) continue;
    std::vector<Row> read(rows->rows.size());
    if (!take(read.data(), read.size() * sizeof(Row))) return false;
    for (std::size_t r = 0; r < read.size(); ++r) {  // where synapses are follows from the network
      read[r].begin = rows->rows[r].begin;
      read[r].count = rows->rows[r].count;
      read[r].group = rows->rows[r].group;
    }
    rows->rows = std::move(read);
    if (!take(rows->weights.data(), rows->synapses * sizeof(Real))) return false;
    if (rows->states.size() > 0 && !take(rows->states.data(), rows->synapses * sizeof(Real))) return false;
  }
  return bytes.empty();
}

template class PlasticRows<float>;
template class PlasticRows<double>;

}  // namespace tessera
