// Figures of a topographic map.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "tessera/errors.hpp"
#include "tessera/map_analysis.hpp"

namespace tessera {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostBins = 100;

/// One edge of a grid: cells with a neuron in the middle of each.
struct Edge {
  std::uint32_t cells = 1;
  double length = 1.0;
  bool ring = true;
  [[nodiscard]] double place(std::uint32_t cell) const { return (cell + 0.5 - 0.5 * cells) * (length / cells); }
};

struct Grid {
  Edge x, y;
  Grid(const PopulationGrid& grid, std::uint32_t size) {
    const std::uint32_t rows = size / grid.columns;
    const bool has_extent = grid.extent_x_mm > 0.0;
    x = {grid.columns, has_extent ? grid.extent_x_mm : grid.columns, grid.periodic};
    y = {rows, has_extent ? grid.extent_y_mm : rows, grid.periodic};
  }
  [[nodiscard]] double x_of(std::uint32_t neuron) const { return x.place(neuron % x.cells); }
  [[nodiscard]] double y_of(std::uint32_t neuron) const { return y.place(neuron / x.cells); }
};

/// From one place to another, the shorter way round on a ring.
double gap(const Edge& edge, double from, double to) {
  const double direct = to - from;
  return edge.ring ? direct - edge.length * std::round(direct / edge.length) : direct;
}

/// How often each distance along an edge occurs between cells of the two grids.
std::map<double, double> gaps_of(const Edge& source, const Edge& target) {
  std::map<double, double> gaps;
  for (std::uint32_t t = 0; t < target.cells; ++t) {
    for (std::uint32_t s = 0; s < source.cells; ++s) {
      // Equal distances differ in their last bits.
      gaps[std::round(std::abs(gap(source, target.place(t), source.place(s))) * 1e9) * 1e-9] += 1.0;
    }
  }
  return gaps;
}

class MapMeasure {
 public:
  MapMeasure(const ResultPopulation& source, const ResultPopulation& target)
      : source_(source.grid, source.size), target_(target.grid, target.size), sources_(source.size), targets_(target.size) {
    const double width = source_.x.length / source_.x.cells;
    const double farthest = std::hypot(gaps_of(source_.x, target_.x).rbegin()->first, gaps_of(source_.y, target_.y).rbegin()->first);
    bins_ = std::min(kMostBins, static_cast<std::size_t>(farthest / width + 0.5) + 1);
    for (std::size_t b = 0; b <= bins_; ++b) edges_.push_back(b == 0 ? 0.0 : (static_cast<double>(b) - 0.5) * width);
    pairs_.assign(bins_, 0.0);
    for (const auto& [dx, nx] : gaps_of(source_.x, target_.x)) {
      for (const auto& [dy, ny] : gaps_of(source_.y, target_.y)) pairs_[bin(std::hypot(dx, dy))] += nx * ny;
    }
  }

  [[nodiscard]] const std::vector<double>& edges() const { return edges_; }
  /// The last bin has all that lies beyond.
  [[nodiscard]] std::size_t bin(double distance) const {
    return std::min(bins_ - 1, static_cast<std::size_t>(distance / (source_.x.length / source_.x.cells) + 0.5));
  }
  [[nodiscard]] double dx(std::uint32_t source, std::uint32_t target) const { return gap(source_.x, target_.x_of(target), source_.x_of(source)); }
  [[nodiscard]] double dy(std::uint32_t source, std::uint32_t target) const { return gap(source_.y, target_.y_of(target), source_.y_of(source)); }

  [[nodiscard]] MapStatistics::State state(const WeightRecord::Synapses& synapses, double time_ms) const {
    MapStatistics::State state;
    state.time_ms = time_ms;
    std::vector<double> number(bins_, 0.0), weight(bins_, 0.0), sum(targets_, 0.0), sum_x(targets_, 0.0), sum_y(targets_, 0.0);
    std::vector<std::uint32_t> in(targets_, 0), out(sources_, 0);
    double squares = 0.0, weighted = 0.0, total = 0.0;
    for (std::size_t i = 0; i < synapses.weights.size(); ++i) {
      const std::uint32_t s = synapses.sources[i], t = synapses.targets[i];
      const double x = dx(s, t), y = dy(s, t), w = std::abs(static_cast<double>(synapses.weights[i]));
      number[bin(std::hypot(x, y))] += 1.0;
      weight[bin(std::hypot(x, y))] += w;
      ++in[t];
      ++out[s];
      sum[t] += w;
      sum_x[t] += w * x;
      sum_y[t] += w * y;
      squares += x * x + y * y;
      weighted += w * (x * x + y * y);
      total += w;
    }
    for (std::size_t b = 0; b < bins_; ++b) {
      state.probability.push_back(pairs_[b] > 0.0 ? number[b] / pairs_[b] : kNone);
      state.weight.push_back(number[b] > 0.0 ? weight[b] / number[b] : kNone);
    }
    state.indegrees = counted(in);
    state.outdegrees = counted(out);
    for (std::uint32_t t = 0; t < targets_; ++t) {
      state.preferred_x.push_back(preferred(source_.x, target_.x_of(t), sum_x[t], sum[t]));
      state.preferred_y.push_back(preferred(source_.y, target_.y_of(t), sum_y[t], sum[t]));
    }
    const auto n = static_cast<double>(synapses.weights.size());
    state.spread = n > 0.0 ? std::sqrt(0.5 * squares / n) : kNone;
    state.weighted_spread = total > 0.0 ? std::sqrt(0.5 * weighted / total) : kNone;
    return state;
  }

 private:
  static std::vector<std::uint64_t> counted(const std::vector<std::uint32_t>& degrees) {
    std::vector<std::uint64_t> neurons;
    for (const std::uint32_t degree : degrees) {
      if (neurons.size() <= degree) neurons.resize(degree + std::size_t{1}, 0);
      ++neurons[degree];
    }
    return neurons;
  }
  static double preferred(const Edge& edge, double own, double sum, double weight) {
    if (!(weight > 0.0)) return kNone;
    const double place = own + sum / weight;
    return edge.ring ? gap(edge, 0.0, place) : place;
  }

  Grid source_, target_;
  std::uint32_t sources_, targets_;
  std::size_t bins_ = 1;
  std::vector<double> edges_, pairs_;
};

/// Pairs that have a synapse at one time only, in both directions. Both lists are sorted by source, then target.
void compare(const MapMeasure& measure, const WeightRecord::Synapses& before, const WeightRecord::Synapses& after, MapStatistics& map) {
  std::size_t i = 0, k = 0;
  const auto pair = [](const WeightRecord::Synapses& s, std::size_t at) { return std::pair(s.sources[at], s.targets[at]); };
  const auto count = [&measure](std::vector<std::uint64_t>& into, const std::pair<std::uint32_t, std::uint32_t>& p) {
    ++into[measure.bin(std::hypot(measure.dx(p.first, p.second), measure.dy(p.first, p.second)))];
  };
  while (i < before.sources.size() || k < after.sources.size()) {
    if (k == after.sources.size() || (i < before.sources.size() && pair(before, i) < pair(after, k))) {
      count(map.disappeared, pair(before, i++));
    } else if (i == before.sources.size() || pair(after, k) < pair(before, i)) {
      count(map.appeared, pair(after, k++));
    } else {
      ++i, ++k;
    }
  }
}

void require_map(const Result& result, const WeightRecord& record) {
  const std::string name = "'" + record.info.recording.projection + "'";
  const std::string how = " Record all its synapses: --record weights:" + record.info.recording.projection + ":all:INTERVAL.";
  if (!record.info.rewired) throw InputError("The synapses of " + name + " do not come and go, so it is no map that forms.");
  if (record.info.recording.what != WeightRecording::What::all) throw InputError("Of " + name + " not all synapses were recorded." + how);
  if (record.times_ms.size() < 2) throw InputError("Of " + name + " fewer than two times were recorded." + how);
  for (const std::string& population : {record.info.source, record.info.target}) {
    const ResultPopulation* found = result.find(population);
    if (found == nullptr || found->grid.columns == 0) {
      throw InputError("The population '" + population + "' of " + name + " lies on no grid, so there are no distances.");
    }
  }
}

}  // namespace

MapStatistics map_statistics(const Result& result, const WeightRecord& record) {
  require_map(result, record);
  const ResultPopulation &source = *result.find(record.info.source), &target = *result.find(record.info.target);
  const MapMeasure measure(source, target);
  const std::size_t last = record.times_ms.size() - 1;
  MapStatistics map;
  map.source_grid = source.grid;
  map.target_grid = target.grid;
  map.sources = source.size;
  map.targets = target.size;
  map.distances = measure.edges();
  map.before = measure.state(record.at(0), record.times_ms.front());
  map.after = measure.state(record.at(last), record.times_ms.back());
  map.appeared.assign(map.distances.size() - 1, 0);
  map.disappeared = map.appeared;
  for (std::size_t t = 1; t <= last; ++t) {
    const double seconds = (record.times_ms[t] - record.times_ms[t - 1]) / 1000.0;
    map.times_ms.push_back(record.times_ms[t]);
    map.formed_per_s.push_back(static_cast<double>(record.formed[t] - record.formed[t - 1]) / seconds);
    map.eliminated_per_s.push_back(static_cast<double>(record.eliminated[t] - record.eliminated[t - 1]) / seconds);
    compare(measure, record.at(t - 1), record.at(t), map);
  }
  return map;
}

}  // namespace tessera
