// Takes weights out of a simulation at intervals: all, a sample, a histogram.
//
// A sample is the synapses with the smallest of numbers that belong to them: random functions of (seed, projection, source,
// target, which of several synapses of the pair). So every rank finds its part of it without knowing the others' synapses.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/weight_recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <queue>
#include <tuple>

#include "base/random.hpp"
#include "base/time_grid.hpp"
#include "comm/agreement.hpp"
#include "network/prepare_rules.hpp"
#include "results/weight_sinks.hpp"

namespace tessera {
namespace {

using What = WeightRecording::What;
using Synapse = ConnectivityRule::Synapse;

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

/// The number of a synapse; `twin`: how many synapses of the pair come before it.
std::uint64_t number_of(RandomKey key, std::uint32_t projection, std::uint32_t source, std::uint32_t target, std::uint32_t twin) {
  const RandomWords words = random_words(key, round_of(Purpose::subsample, 1 + projection), source, target, twin);
  return words[0] | std::uint64_t{words[1]} << 32;
}

/// A recorded synapse where synapses stay.
struct Chosen {
  std::uint64_t number;
  std::uint32_t source, target, twin;
  float weight;
  double delay_ms;
  /// Columns are by target, as reports of SONATA want them.
  [[nodiscard]] auto place() const { return std::tie(target, source, twin); }
  [[nodiscard]] bool operator<(const Chosen& other) const {
    return std::tie(number, source, target, twin) < std::tie(other.number, other.source, other.target, other.twin);
  }
};

/// One synapse of a pair, where they come and go.
struct Pair {
  std::uint32_t source, target;
  float weight;
};

/// Which synapses of a row are twins: numbers them by pair, delay, order in the row.
void count_twins(std::span<const Synapse> row, std::vector<std::uint32_t>& order, std::vector<std::uint32_t>& twins) {
  order.resize(row.size());
  twins.assign(row.size(), 0);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&row](std::uint32_t a, std::uint32_t b) {
    return std::tie(row[a].target, row[a].delay_ms, a) < std::tie(row[b].target, row[b].delay_ms, b);
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (row[order[i]].target == row[order[i - 1]].target) twins[order[i]] = twins[order[i - 1]] + 1;
  }
}

/// The bins of a histogram: what the rule allows, or twice what the weights begin with where it has no bound.
std::vector<double> bin_edges(const Projection& projection, const PlasticityVariant& rule, std::uint32_t bins) {
  double reach = 0.0;
  if (projection.rule.kind == ConnectivityRule::Kind::explicit_list) {
    for (const Synapse& s : projection.rule.list) reach = std::max(reach, std::abs(s.weight));
  } else {
    reach = std::max(std::abs(projection.weight.quantile(0.001)), std::abs(projection.weight.quantile(0.999)));
  }
  if (!(reach > 0.0)) reach = 1.0;
  const double low = std::isfinite(rule.lowest) ? rule.lowest : -2.0 * reach;
  const double high = std::isfinite(rule.highest) ? rule.highest : 2.0 * reach;
  std::vector<double> edges;
  for (std::uint32_t i = 0; i <= bins; ++i) edges.push_back(low + (high - low) * i / bins);
  return edges;
}

}  // namespace

struct WeightRecorder::Impl {
  struct Recording {
    WeightRecordInfo info;
    std::uint32_t projection = 0;
    std::int64_t interval = 1;
    std::uint64_t limit = kAll;               ///< synapses up to this number are recorded
    std::vector<std::uint32_t> sources;       ///< of a sample on this rank
    std::vector<std::uint64_t> positions;     ///< of recorded synapses, among those of `sources`, or of all
    std::vector<std::uint32_t> columns;       ///< rank 0: of all ranks' synapses in the order in which they come
    std::vector<double> edges;                ///< of a histogram
  };

  Impl(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options,
       const std::vector<WeightRecording>& wanted)
      : ranks(options.communicator), key(options.seed), dt_ms(network.dt_ms) {
    const std::vector<PlasticityVariant> rules = prepare_rules(network, models);
    for (const WeightRecording& recording : wanted) {
      Recording r;
      while (network.projections[r.projection].name != recording.projection) ++r.projection;
      const Projection& p = network.projections[r.projection];
      const Population& target = *network.find(p.target);
      const NeuronModel* model = models.find(target.model);
      r.info = {recording, p.source, p.target, model == nullptr ? "" : model->weight_unit, p.rewiring.has_value()};
      r.interval = nearest_step(recording.interval_ms, dt_ms);
      if (recording.what == What::histogram) {
        r.edges = bin_edges(p, rules[r.projection], recording.count);
      } else if (recording.what == What::sample && r.info.rewired) {
        const double share = recording.count / std::max(1.0, expected_synapses(p, *network.find(p.source), target));
        r.limit = share >= 1.0 ? kAll : static_cast<std::uint64_t>(share * 0x1p64);
      }
      infos.push_back(r.info);
      recordings.push_back(std::move(r));
    }
  }

  /// Does something on rank 0, and throws on all ranks what it threw there.
  template <class Work>
  void on_first(const Work& work) const {
    std::exception_ptr failure;
    try {
      if (ranks.first()) work();
    } catch (...) {
      failure = std::current_exception();
    }
    ranks.settle_failures(failure);
  }
  /// What all ranks have, one after the other, on rank 0.
  template <class T>
  [[nodiscard]] std::vector<T> gathered(std::vector<T> own) const {
    if (ranks.alone()) return own;
    Gathered all;
    ranks.gather(std::as_bytes(std::span(own)), all);
    std::vector<T> values(all.bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), all.bytes.data(), values.size() * sizeof(T));
    return values;
  }
  [[nodiscard]] bool has_sources(const Recording& r) const { return r.info.recording.what == What::sample && !r.info.rewired; }

  template <class Show>
  void visit(const Simulation& simulation, const Recording& r, const Show& show) const {
    if (has_sources(r)) {
      simulation.visit_synapses(r.info.recording.projection, r.sources, show);
    } else {
      simulation.visit_synapses(r.info.recording.projection, show);
    }
  }

  void refuse_too_many(const Recording& r, std::uint64_t synapses) const {
    std::uint64_t total[] = {synapses};
    ranks.sum(total);
    if (total[0] <= WeightRecording::kMostSynapses) return;
    throw RunError(fmt::format("The projection '{}' has {} synapses to record at {} ms; at most {} are possible: take a sample or a "
                               "histogram.", r.info.recording.projection, total[0], static_cast<double>(now) * dt_ms,
                               WeightRecording::kMostSynapses));
  }

  void choose_sample(const Simulation& simulation, Recording& r) const;
  void settle_columns(const Simulation& simulation, std::size_t recording);
  void record_fixed(const Simulation& simulation, std::size_t recording);
  void record_rewired(const Simulation& simulation, std::size_t recording);
  void record_histogram(const Simulation& simulation, std::size_t recording);

  Agreement ranks;
  RandomKey key;
  double dt_ms;
  std::vector<WeightRecordInfo> infos;
  std::vector<Recording> recordings;
  std::unique_ptr<io::WeightSink> sink;  ///< on rank 0
  std::vector<std::string> files;
  bool begun = false;
  std::int64_t now = 0;
};

/// Finds the smallest numbers of all ranks, and which own sources have them.
void WeightRecorder::Impl::choose_sample(const Simulation& simulation, Recording& r) const {
  const std::size_t most = r.info.recording.count;
  std::priority_queue<Chosen> smallest;
  std::vector<std::uint32_t> order, twins;
  simulation.visit_synapses(r.info.recording.projection, [&](std::span<const Synapse> row) {
    count_twins(row, order, twins);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Chosen c{number_of(key, r.projection, row[i].source, row[i].target, twins[i]), row[i].source, row[i].target, twins[i], 0, 0};
      if (smallest.size() == most && !(c < smallest.top())) continue;
      smallest.push(c);
      if (smallest.size() > most) smallest.pop();
    }
  });
  std::vector<std::uint64_t> numbers;
  for (; !smallest.empty(); smallest.pop()) {
    numbers.push_back(smallest.top().number);
    r.sources.push_back(smallest.top().source);
  }
  std::vector<std::uint64_t> all = ranks.all_of(numbers);
  if (all.size() >= most) {
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(most) - 1, all.end());
    r.limit = all[most - 1];
  }
  std::vector<std::uint32_t> within;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] <= r.limit) within.push_back(r.sources[i]);
  }
  std::sort(within.begin(), within.end());
  within.erase(std::unique(within.begin(), within.end()), within.end());
  r.sources = std::move(within);
}

/// Finds which synapses are recorded, and the columns of all.
void WeightRecorder::Impl::settle_columns(const Simulation& simulation, std::size_t recording) {
  Recording& r = recordings[recording];
  if (r.info.recording.what == What::sample) choose_sample(simulation, r);
  std::vector<Chosen> own;
  std::vector<std::uint32_t> order, twins;
  std::uint64_t position = 0;
  visit(simulation, r, [&](std::span<const Synapse> row) {
    count_twins(row, order, twins);
    for (std::size_t i = 0; i < row.size(); ++i, ++position) {
      const std::uint64_t number =
          r.limit == kAll ? 0 : number_of(key, r.projection, row[i].source, row[i].target, twins[i]);
      if (number > r.limit) continue;
      r.positions.push_back(position);
      if (r.positions.size() > WeightRecording::kMostSynapses) continue;  // refused below
      own.push_back({number, row[i].source, row[i].target, twins[i], 0.0F, row[i].delay_ms});
    }
  });
  refuse_too_many(r, r.positions.size());
  const std::vector<Chosen> all = gathered(std::move(own));
  on_first([&] {
    std::vector<std::uint32_t> by_place(all.size());
    std::iota(by_place.begin(), by_place.end(), 0u);
    std::sort(by_place.begin(), by_place.end(), [&all](std::uint32_t a, std::uint32_t b) { return all[a].place() < all[b].place(); });
    r.columns.resize(all.size());
    std::vector<Synapse> synapses;
    for (std::uint32_t c = 0; c < by_place.size(); ++c) {
      const Chosen& s = all[by_place[c]];
      r.columns[by_place[c]] = c;
      synapses.push_back({s.source, s.target, 0.0, s.delay_ms});
    }
    sink->begin_synapses(recording, synapses);
  });
}

void WeightRecorder::Impl::record_fixed(const Simulation& simulation, std::size_t recording) {
  const Recording& r = recordings[recording];
  std::vector<float> own;
  std::uint64_t position = 0;
  visit(simulation, r, [&](std::span<const Synapse> row) {
    for (; own.size() < r.positions.size() && r.positions[own.size()] < position + row.size();) {
      own.push_back(static_cast<float>(row[r.positions[own.size()] - position].weight));
    }
    position += row.size();
  });
  const std::vector<float> all = gathered(std::move(own));
  on_first([&] {
    std::vector<float> weights(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) weights[r.columns[i]] = all[i];
    sink->append_row(recording, static_cast<double>(now) * dt_ms, weights);
  });
}

void WeightRecorder::Impl::record_rewired(const Simulation& simulation, std::size_t recording) {
  const Recording& r = recordings[recording];
  std::vector<Pair> own;
  std::uint64_t found = 0;
  visit(simulation, r, [&](std::span<const Synapse> row) {
    for (const Synapse& s : row) {
      if (r.limit != kAll && number_of(key, r.projection, s.source, s.target, 0) > r.limit) continue;
      if (++found <= WeightRecording::kMostSynapses) own.push_back({s.source, s.target, static_cast<float>(s.weight)});
    }
  });
  refuse_too_many(r, found);
  const SimulationReport report = simulation.report();
  std::vector<Pair> all = gathered(std::move(own));
  on_first([&] {
    std::sort(all.begin(), all.end(), [](const Pair& a, const Pair& b) { return std::tie(a.source, a.target) < std::tie(b.source, b.target); });
    std::vector<std::uint32_t> sources, targets;
    std::vector<float> weights;
    for (const Pair& pair : all) {
      sources.push_back(pair.source);
      targets.push_back(pair.target);
      weights.push_back(pair.weight);
    }
    io::WeightSink::Snapshot snapshot{static_cast<double>(now) * dt_ms, sources, targets, weights, 0, 0};
    for (const RewiringReport& done : report.rewiring) {
      if (done.projection != r.info.recording.projection) continue;
      snapshot.formed = done.formed;
      snapshot.eliminated = done.eliminated;
    }
    sink->append_snapshot(recording, snapshot);
  });
}

void WeightRecorder::Impl::record_histogram(const Simulation& simulation, std::size_t recording) {
  const Recording& r = recordings[recording];
  const std::size_t bins = r.edges.size() - 1;
  const double low = r.edges.front(), high = r.edges.back(), per_bin = static_cast<double>(bins) / (high - low);
  std::vector<std::uint64_t> counts(bins + 2, 0);
  visit(simulation, r, [&](std::span<const Synapse> row) {
    for (const Synapse& s : row) {
      if (s.weight < low) {
        ++counts.front();
      } else if (s.weight > high) {
        ++counts.back();
      } else if (s.weight == s.weight) {  // a weight that is no number is in no bin; the run ends soon
        ++counts[1 + std::min(bins - 1, static_cast<std::size_t>((s.weight - low) * per_bin))];
      }
    }
  });
  ranks.sum(counts);
  on_first([&] { sink->append_histogram(recording, static_cast<double>(now) * dt_ms, counts); });
}

WeightRecorder::WeightRecorder(const std::filesystem::path& folder, const Network& network, const NeuronCatalogue& models,
                               const SimulationOptions& options, const std::vector<WeightRecording>& recordings) {
  const std::vector<Problem> problems = validate(recordings, network);
  if (!problems.empty()) throw InputError(problems);
  impl_ = std::make_unique<Impl>(network, models, options, recordings);
  if (recordings.empty()) return;
  impl_->on_first([&] {
    impl_->sink = io::make_weight_sink(folder, impl_->infos);
    for (std::size_t r = 0; r < recordings.size(); ++r) {
      if (!impl_->recordings[r].edges.empty()) impl_->sink->begin_histogram(r, impl_->recordings[r].edges);
    }
  });
}

WeightRecorder::~WeightRecorder() = default;

const std::vector<WeightRecordInfo>& WeightRecorder::infos() const noexcept { return impl_->infos; }

std::int64_t WeightRecorder::next(std::int64_t step) const {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const Impl::Recording& r : impl_->recordings) first = std::min(first, (step / r.interval + 1) * r.interval);
  return first;
}

void WeightRecorder::record(const Simulation& simulation) {
  Impl& impl = *impl_;
  const std::int64_t before = impl.now;
  impl.now = simulation.step();
  const bool again = impl.begun ? impl.now == before : impl.now > 0;
  for (std::size_t r = 0; r < impl.recordings.size(); ++r) {
    const WeightRecordInfo& info = impl.recordings[r].info;
    const bool fixed = info.recording.what != What::histogram && !info.rewired;
    if (fixed && !impl.begun) impl.settle_columns(simulation, r);
    if (again || impl.now % impl.recordings[r].interval != 0) continue;
    if (fixed) {
      impl.record_fixed(simulation, r);
    } else if (info.recording.what == What::histogram) {
      impl.record_histogram(simulation, r);
    } else {
      impl.record_rewired(simulation, r);
    }
  }
  impl.begun = true;
}

std::vector<std::string> WeightRecorder::finish() {
  if (impl_->recordings.empty() || !impl_->files.empty()) return impl_->files;
  impl_->on_first([&] {
    impl_->files = impl_->sink->finish();
    impl_->sink.reset();
  });
  return impl_->files;
}

namespace {

struct Complaints {
  std::vector<Problem>& problems;
  const WeightRecording& recording;
  void operator()(std::string message) const { problems.push_back({recording.where, std::move(message)}); }
};

void check_interval(const Complaints& complain, const WeightRecording& r, double dt_ms) {
  const double steps = r.interval_ms / dt_ms;
  if (!std::isfinite(r.interval_ms) || !(r.interval_ms > 0.0)) {
    complain(fmt::format("Weights are to be recorded every {} ms; the interval must be above 0.", r.interval_ms));
  } else if (!(steps < 4294967295.0)) {
    complain(fmt::format("Weights are to be recorded every {} ms, which is longer than a run can be.", r.interval_ms));
  } else if (std::abs(steps - std::round(steps)) > 1e-6 * std::max(1.0, steps * 1e-6)) {
    complain(fmt::format("Weights are to be recorded every {} ms, which is not a multiple of the time step, {} ms.", r.interval_ms, dt_ms));
  }
}

void check_number(const Complaints& complain, const WeightRecording& r, double expected) {
  const bool bins = r.what == What::histogram;
  const std::uint32_t most = bins ? WeightRecording::kMostBins : WeightRecording::kMostSynapses;
  const char* const what = bins ? "bins of a histogram" : "synapses of a sample";
  if (r.what != What::all && (r.count < 1 || r.count > most)) {
    complain(fmt::format("The {} can be from 1 to {}; there are to be {}.", what, most, r.count));
  }
  if (r.what == What::all && expected > most) {
    complain(fmt::format("The projection '{}' has about {:.0f} synapses; at most {} can be recorded over time: take a sample or a "
                         "histogram, or record all once, at the end (synapses).", r.projection, expected, most));
  }
}

}  // namespace

std::vector<WeightRecording> one_of_each(const std::vector<WeightRecording>& recordings, const Network& network) {
  std::vector<WeightRecording> all;
  for (const WeightRecording& r : recordings) {
    const std::size_t before = all.size();
    for (const Projection& p : network.projections) {
      if (!p.plasticity || !p.name.starts_with(r.projection + ".")) continue;
      all.push_back(r);
      all.back().projection = p.name;
    }
    if (all.size() == before) all.push_back(r);
  }
  return all;
}

std::vector<Problem> validate(const std::vector<WeightRecording>& recordings, const Network& network) {
  std::vector<Problem> problems;
  std::vector<std::string> plastic, all;
  for (const Projection& p : network.projections) {
    all.push_back(p.name);
    if (p.plasticity) plastic.push_back(p.name);
  }
  for (const WeightRecording& r : recordings) {
    const Complaints complain{problems, r};
    check_interval(complain, r, network.dt_ms);
    const auto named = std::find_if(network.projections.begin(), network.projections.end(),
                                    [&r](const Projection& p) { return p.name == r.projection; });
    if (named == network.projections.end()) {
      complain(fmt::format("There is no projection named '{}'.{}", r.projection, did_you_mean(r.projection, all)));
      continue;
    }
    if (!named->plasticity) {
      complain(fmt::format("The weights of '{}' stay as they are: it has no plasticity.{}", r.projection,
                           plastic.empty() ? " No projection of this model has." : did_you_mean(r.projection, plastic)));
      continue;
    }
    const Population *source = network.find(named->source), *target = network.find(named->target);
    check_number(complain, r, source == nullptr || target == nullptr ? 0.0 : expected_synapses(*named, *source, *target));
  }
  return problems;
}

}  // namespace tessera
