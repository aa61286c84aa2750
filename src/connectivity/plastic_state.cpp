// What plastic rows show and save.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <tuple>
#include <type_traits>

#include "connectivity/plastic_bundle.hpp"
#include "connectivity/saved_columns.hpp"

namespace tessera {

/// Reads the weights of a bundle as they are at `now`, on copies: spikes that wait for their delivery have acted on
/// them, and so have all spikes of the targets.
template <class Real>
class PlasticRows<Real>::Reader {
 public:
  Reader(const PlasticRows& owner, std::uint32_t bundle, std::int64_t now)
      : owner_(owner), bundle_(*owner.bundles_[bundle]), sums_(bundle_.sums), now_(static_cast<std::int32_t>(now)) {
    if (bundle_.rule->tau_modulator > 0.0) {
      modulator_ = owner.modulators_[bundle_.modulator];
      modulator_->advance(now_);
    }
    std::vector<Due> due;
    for (const auto& step : owner.due_) {
      std::copy_if(step.begin(), step.end(), std::back_inserter(due), [&](const Due& d) { return d.bundle == bundle && d.time <= now; });
    }
    std::sort(due.begin(), due.end(), [](const Due& a, const Due& b) { return std::tie(a.time, a.row) < std::tie(b.time, b.row); });
    for (const Due& spike : due) {
      Copy& copy = waiting_.try_emplace(spike.row, copy_of(spike.row)).first->second;
      advance(copy, spike.time, true);
    }
    if (sums_) sums_->advance(now_);
  }

  /// Weights of a row, valid until the next call.
  [[nodiscard]] const Real* read(std::uint32_t row) {
    const auto waiting = waiting_.find(row);
    if (waiting == waiting_.end()) {
      last_ = copy_of(row);
    } else {
      last_ = waiting->second;
    }
    if (bundle_.rule->efficacy == nullptr && now_ > last_.row.seen) advance(last_, now_, false);
    return last_.weights.data();
  }

 private:
  struct Copy {
    Row row;
    std::vector<Real> weights, states;
    std::vector<float> sums;
  };

  [[nodiscard]] Copy copy_of(std::uint32_t r) const {
    const Row& row = bundle_.rows[r];
    const auto part = [&row](const auto& all) {
      using T = std::remove_cvref_t<decltype(all[0])>;
      return all.size() == 0 ? std::vector<T>() : std::vector<T>(all.data() + row.begin, all.data() + row.begin + row.count + Bundle::kPadding);
    };
    return {row, part(bundle_.weights), part(bundle_.states), part(bundle_.seen_sums)};
  }
  void advance(Copy& copy, std::int32_t time, bool spike) {
    if (sums_) sums_->advance(time);
    owner_.advance_row(bundle_, copy.row, {copy.weights.data(), copy.states.empty() ? nullptr : copy.states.data(), copy.sums.data(),
                       modulator_ ? &*modulator_ : nullptr},
                       sums_ ? &*sums_ : nullptr, time, spike, 0, nullptr);
  }

  const PlasticRows& owner_;
  const Bundle& bundle_;
  std::optional<PostSums> sums_;
  std::optional<Modulator> modulator_;
  std::int32_t now_;
  std::map<std::uint32_t, Copy> waiting_;
  Copy last_;
};

template <class Real>
void PlasticRows<Real>::read(std::uint32_t projection, std::int64_t now, const std::vector<std::uint32_t>* sources,
                             const std::function<void(std::span<const PlasticSynapse> row)>& show) const {
  std::vector<PlasticSynapse> synapses;
  for (std::uint32_t b = 0; b < bundles_.size(); ++b) {
    const Bundle& bundle = *bundles_[b];
    if (bundle.projection != projection) continue;
    Reader reader(*this, b, now);
    const std::size_t wanted = sources == nullptr ? bundle.sources : sources->size();
    for (std::size_t i = 0; i < wanted; ++i) {
      const std::uint32_t s = sources == nullptr ? static_cast<std::uint32_t>(i) : (*sources)[i];
      synapses.clear();
      for (std::uint32_t r = bundle.first_row[s]; r < bundle.first_row[s + 1]; ++r) {
        const Real* weights = reader.read(r);
        for (std::uint32_t k = 0; k < bundle.rows[r].count; ++k) {
          const std::size_t at = bundle.rows[r].begin + k;
          synapses.push_back({s, bundle.first_target + bundle.target(at), bundle.delay_steps(at), bundle.sign * weights[k]});
        }
      }
      if (!synapses.empty()) show(synapses);
    }
  }
}

/// A weight that spikes under way will change gets the difference; else it is what was given, to the last bit.
template <class Real>
void PlasticRows<Real>::set_row(Bundle& bundle, Reader& reader, std::uint32_t r, std::int64_t now, const double* weights) {
  Row& row = bundle.rows[r];
  const Real* shown = reader.read(r);
  const auto changes = [&](std::uint32_t k) { return weights[k] != bundle.sign * shown[k]; };
  std::vector<std::uint32_t> changed;
  for (std::uint32_t k = 0; k < row.count; ++k) {
    if (changes(k)) changed.push_back(k);
  }
  if (changed.empty()) return;
  if (const std::int32_t time = now > 0 ? time_of_row(bundle, row, now - 1) : 0; bundle.rule->efficacy == nullptr && row.seen < time) {
    advance_row(bundle, row, columns_of(bundle, row), bundle.is_summed() ? &*bundle.sums : nullptr, time, false, now - 1, nullptr);
    shown = reader.read(r);
  }
  const double most = std::max(std::abs(bundle.rule->lowest), bundle.rule->highest);
  for (const std::uint32_t k : changed) {
    Real& weight = bundle.weights[row.begin + k];
    const double wanted = bundle.sign * weights[k], later = static_cast<double>(shown[k]) - weight;
    weight = static_cast<Real>(later == 0.0 ? wanted : std::clamp(wanted - later, 0.0, most));
  }
}

template <class Real>
void PlasticRows<Real>::write(std::uint32_t projection, std::int64_t now, std::span<const double> weights) {
  std::size_t at = 0;
  for (std::uint32_t b = 0; b < bundles_.size(); ++b) {
    Bundle& bundle = *bundles_[b];
    if (bundle.projection != projection) continue;
    Reader reader(*this, b, now);
    for (std::uint32_t s = 0; s < bundle.sources; ++s) {
      for (std::uint32_t r = bundle.first_row[s]; r < bundle.first_row[s + 1]; ++r) {
        const std::uint32_t count = bundle.rows[r].count;
        if (count > 0) set_row(bundle, reader, r, now, weights.data() + at);
        at += count;
      }
    }
  }
}

/// Visits what is kept of a bundle's synapses: where they come and go, row by row.
template <class Real, class Bundle, class Visit>
static void each_column(Bundle& bundle, const Visit& visit) {
  const auto part = [&](std::size_t begin, std::size_t n) {
    visit(bundle.weights.data() + begin, n);
    if (bundle.states.size() > 0) visit(bundle.states.data() + begin, n);
    if (bundle.seen_sums.size() > 0) visit(bundle.seen_sums.data() + begin, n);
    if (bundle.structural == nullptr) return;
    if (bundle.is_summed()) {
      visit(bundle.targets.data() + begin, n);
    } else {
      visit(bundle.words.data() + begin, n);
    }
  };
  if (bundle.structural == nullptr) return part(0, bundle.synapses);
  for (const auto& row : bundle.rows) part(row.begin, row.count);
}

template <class Real>
void PlasticRows<Real>::save_chunk(std::uint32_t chunk, std::vector<std::uint8_t>& bytes) const {
  const auto put = [&bytes](const auto* data, std::size_t n) { put_column(bytes, data, n); };
  for (std::size_t h = 0; h < histories_.size(); ++h) {
    if (history_places_[h].chunk == chunk) histories_[h].save(bytes);
  }
  for (const auto& bundle : bundles_) {
    if (bundle->chunk != chunk) continue;
    if (bundle->sums) bundle->sums->save(bytes);
    if (bundle->rule->tau_modulator > 0.0) modulators_[bundle->modulator].save(bytes);
    put(bundle->rows.data(), bundle->rows.size());
    if (bundle->structural != nullptr) put(&bundle->rewired, 1);
    each_column<Real>(*bundle, put);
  }
}

template <class Real>
std::size_t PlasticRows<Real>::chunk_bytes(std::uint32_t chunk) const {
  std::size_t bytes = 0;
  for (std::size_t h = 0; h < histories_.size(); ++h) {
    if (history_places_[h].chunk == chunk) bytes += histories_[h].saved_bytes();
  }
  for (const auto& bundle : bundles_) {
    if (bundle->chunk != chunk) continue;
    if (bundle->rule->tau_modulator > 0.0) bytes += modulators_[bundle->modulator].saved_bytes();
    bytes += (bundle->sums ? bundle->sums->saved_bytes() : 0) + bundle->rows.size() * sizeof(Row) +
             (bundle->structural != nullptr ? sizeof(RewiringCounts) : 0);
    each_column<Real>(*bundle, [&bytes](const auto* data, std::size_t n) { bytes += n * sizeof(*data); });
  }
  return bytes;
}

/// Rows of a bundle whose synapses come and go, as saved: they are laid out one after the other.
template <class Real>
bool PlasticRows<Real>::lay_out_rows(Bundle& bundle, std::vector<Row> rows) {
  std::uint64_t total = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    rows[r].group = bundle.rows[r].group;
    rows[r].begin = static_cast<std::uint32_t>(total);
    rows[r].capacity = rows[r].count;
    total += rows[r].count;
    if (total > std::uint64_t{bundle.sources} * bundle.targets_in_chunk || total > 0xffffffffu) return false;
  }
  bundle.rows = std::move(rows);
  bundle.synapses = bundle.used = total;
  bundle.wasted = 0;
  bundle.resize(total + Bundle::kPadding);
  return true;
}

template <class Real>
bool PlasticRows<Real>::load_chunk(std::uint32_t chunk, std::span<const std::uint8_t> bytes) {
  static_assert(std::is_trivially_copyable_v<Row>);
  bool whole = true;
  const auto take = [&](auto* data, std::size_t n) { whole = whole && take_column(bytes, data, n); };
  for (std::size_t h = 0; h < histories_.size(); ++h) {
    if (history_places_[h].chunk == chunk && !histories_[h].load(bytes)) return false;
  }
  for (const auto& bundle : bundles_) {
    if (bundle->chunk != chunk) continue;
    if (bundle->sums && !bundle->sums->load(bytes)) return false;
    if (bundle->rule->tau_modulator > 0.0 && !modulators_[bundle->modulator].load(bytes)) return false;
    std::vector<Row> rows(bundle->rows.size());
    take(rows.data(), rows.size());
    if (!whole) return false;
    if (bundle->structural != nullptr) {
      take(&bundle->rewired, 1);
      if (!whole || !lay_out_rows(*bundle, std::move(rows))) return false;
    } else {
      for (std::size_t r = 0; r < rows.size(); ++r) {  // where synapses are follows from the network
        const Row& own = bundle->rows[r];
        std::tie(rows[r].begin, rows[r].count, rows[r].group, rows[r].capacity) = std::tuple(own.begin, own.count, own.group, own.capacity);
      }
      bundle->rows = std::move(rows);
    }
    each_column<Real>(*bundle, take);
    if (!whole || !count_targets(*bundle)) return false;
  }
  return whole && bytes.empty();
}

/// In-degrees of a bundle whose synapses come and go; false when a target is none of the chunk's.
template <class Real>
bool PlasticRows<Real>::count_targets(Bundle& bundle) {
  std::fill(bundle.indegree.begin(), bundle.indegree.end(), 0);
  if (bundle.structural == nullptr) return true;
  for (std::size_t k = 0; k < bundle.synapses; ++k) {
    if (bundle.target(k) >= bundle.targets_in_chunk || (!bundle.is_summed() && bundle.words[k] >> PlasticRow<Real>::kTargetBits != static_cast<std::uint32_t>(bundle.delay))) return false;
    ++bundle.indegree[bundle.target(k)];
  }
  return true;
}

template class PlasticRows<float>;
template class PlasticRows<double>;

}  // namespace tessera
