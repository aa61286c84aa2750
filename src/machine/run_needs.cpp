// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/run_needs.hpp"

#include <algorithm>
#include <cmath>

namespace tessera {
namespace {

// Beyond so many sigma a source counts as having no target: 4e-5 of the peak, and 7e-6 of all synapses along an edge.
constexpr double kReach = 4.5;

// The chance that one source has none of n targets, by a rule that knows no places.
double miss_of(const EventLink& link, double sources, double targets, double n) {
  const double part = std::min(1.0, n / targets);
  switch (link.kind) {
    case EventLink::Kind::all:
      return n > 0.0 ? 0.0 : 1.0;
    case EventLink::Kind::chance:
      return std::pow(1.0 - link.probability, n);
    case EventLink::Kind::indegree:
      if (!link.repeated) return std::pow(std::max(0.0, 1.0 - link.number / sources), n);
      return sources > 1.0 ? std::exp(n * link.number * std::log1p(-1.0 / sources)) : (n * link.number > 0.0 ? 0.0 : 1.0);
    case EventLink::Kind::outdegree:
      return part >= 1.0 && link.number > 0.0 ? 0.0 : std::pow(1.0 - part, link.number);
    default:
      return 1.0;
  }
}

}  // namespace

RunNeeds::RunNeeds(const DividedNetwork& network) : network_(network) {
  needed_.resize(network.sources.size());
  marks_.resize(network.sources.size());
  common_miss_.resize(network.sources.size());
  targets_.resize(network.populations.size());
  std::vector<bool> used(network.sources.size(), false);
  for (const EventLink& link : network.links) {
    used[link.source] = true;
    if (!link.has_shape()) continue;
    Marks& marks = marks_[link.source];
    marks.miss.resize(network.sources[link.source].size);
    marks.epoch.resize(network.sources[link.source].size, 0);
    if (link.kind == EventLink::Kind::window)
      cells_.resize(std::max<std::size_t>(cells_.size(), std::size_t{link.window.from.height} * link.window.from.width), 0);
  }
  for (std::size_t s = 0; s < used.size(); ++s) most_sources_ += used[s] ? network.sources[s].size : 0.0;
  for (const DividedPopulation& p : network.populations) most_sources_ += static_cast<double>(p.private_sources) * p.size;
}

void RunNeeds::miss(std::uint32_t source, std::uint32_t neuron, float chance) {
  Marks& marks = marks_[source];
  if (marks.epoch[neuron] != epoch_) {
    marks.epoch[neuron] = epoch_;
    marks.touched.push_back(neuron);
    marks.miss[neuron] = chance;
  } else {
    marks.miss[neuron] *= chance;
  }
}

void RunNeeds::follow_window(const EventLink& link, const PartitionSlice& slice) {
  const EventLink::Window& w = link.window;
  const std::int64_t rows = w.from.height / w.pool, columns = w.from.width / w.pool;
  const std::uint32_t last = (slice.first + slice.count - 1) / w.channels;
  for (std::uint32_t place = slice.first / w.channels; place <= last; ++place) {
    const std::int64_t top = std::int64_t{place / w.columns} * w.stride - w.padding;
    const std::int64_t left = std::int64_t{place % w.columns} * w.stride - w.padding;
    const std::int64_t y1 = std::min(rows, top + w.kernel) * w.pool, x1 = std::min(columns, left + w.kernel) * w.pool;
    for (std::int64_t y = std::max<std::int64_t>(0, top) * w.pool; y < y1; ++y) {
      for (std::int64_t x = std::max<std::int64_t>(0, left) * w.pool; x < x1; ++x) {
        const auto cell = static_cast<std::uint32_t>(y * w.from.width + x);
        if (cells_[cell] == cell_epoch_) continue;
        cells_[cell] = cell_epoch_;
        for (std::uint32_t c = 0; c < w.from.channels; ++c) miss(link.source, cell * w.from.channels + c, 0.0f);
      }
    }
  }
}

// Expected synapses from a source are a product of sums along x and along y; none comes of them with the chance
// exp(-expected).
void RunNeeds::rectangle(const EventLink& link, std::uint32_t x0, std::uint32_t x1, std::uint32_t y0, std::uint32_t y1) {
  const auto along = [&](const AxisPair& axis, std::uint32_t from, std::uint32_t to) {
    std::vector<std::pair<std::uint32_t, double>> sums;
    const double reach = kReach * link.sigma, spacing = axis.target.spacing();
    for (std::uint32_t s = 0; s < axis.source.cells; ++s) {
      // Cells of the target beside the source's place, and where the ring closes.
      const double place = axis.source.place(s);
      double sum = 0.0;
      for (int turn = axis.source.ring ? -1 : 0; turn <= (axis.source.ring ? 1 : 0); ++turn) {
        const double centre = (place + turn * axis.source.length) / spacing + 0.5 * axis.target.cells - 0.5;
        const double low = std::max<double>(from, std::ceil(centre - reach / spacing));
        const double high = std::min<double>(to - 1.0, std::floor(centre + reach / spacing));
        for (double t = low; t <= high; ++t) {
          const double z = (t - centre) * spacing / link.sigma;
          // On a small ring two turns reach the same cell: the shorter way counts.
          if (axis.source.ring && std::abs(t - centre) * spacing > 0.5 * axis.source.length + 1e-9) continue;
          sum += std::exp(-0.5 * z * z);
        }
      }
      if (sum > 0.0) sums.emplace_back(s, sum);
    }
    return sums;
  };
  const auto columns = along(link.axes[0], x0, x1), rows = along(link.axes[1], y0, y1);
  const std::uint32_t width = link.axes[0].source.cells;
  for (const auto& [y, by] : rows) {
    for (const auto& [x, bx] : columns) miss(link.source, y * width + x, std::exp(static_cast<float>(-link.probability * bx * by)));
  }
}

// A slice of a grid is whole rows with a part of one before and one behind them. Those that lie under one another, as in
// a tile, are one rectangle.
void RunNeeds::follow_gaussian(const EventLink& link, std::span<const PartitionSlice> slices) {
  struct Rectangle {
    std::uint32_t x0, x1, y0, y1;
  };
  std::vector<Rectangle> found;
  const std::uint32_t width = link.axes[0].target.cells;
  const auto add = [&](Rectangle r) {
    if (!found.empty() && found.back().x0 == r.x0 && found.back().x1 == r.x1 && found.back().y1 == r.y0) {
      found.back().y1 = r.y1;
    } else {
      found.push_back(r);
    }
  };
  for (const PartitionSlice& slice : slices) {
    if (slice.population != link.target) continue;
    const std::uint32_t end = slice.first + slice.count;
    for (std::uint32_t at = slice.first; at < end;) {
      const std::uint32_t y = at / width, x = at % width;
      const std::uint32_t rows = x == 0 ? (end - at) / width : 0;
      const std::uint32_t next = rows > 0 ? at + rows * width : std::min(end, (y + 1) * width);
      add(rows > 0 ? Rectangle{0, width, y, y + rows} : Rectangle{x, x + (next - at), y, y + 1});
      at = next;
    }
  }
  for (const Rectangle& r : found) rectangle(link, r.x0, r.x1, r.y0, r.y1);
}

void RunNeeds::follow(const EventLink& link, const PartitionSlice& slice) {
  switch (link.kind) {
    case EventLink::Kind::one_to_one:
      for (std::uint32_t i = slice.first; i < slice.first + slice.count; ++i) miss(link.source, i, 0.0f);
      break;
    case EventLink::Kind::listed:
      for (std::uint64_t i = link.begin[slice.first]; i < link.begin[slice.first + slice.count]; ++i) miss(link.source, link.sources[i], 0.0f);
      break;
    case EventLink::Kind::window:
      follow_window(link, slice);
      break;
    default:
      break;
  }
}

void RunNeeds::sum_up(std::uint32_t source, std::span<const PartitionSlice> slices) {
  Needed& n = needed_[source];
  const Marks& marks = marks_[source];
  const double common = 1.0 - common_miss_[source], size = network_.sources[source].size;
  double inside = 0.0;
  const auto add = [&](double chance, double times) {
    n.with_target += chance * times;
    n.variance += chance * (1.0 - chance) * times;
  };
  for (const std::uint32_t neuron : marks.touched) add(1.0 - marks.miss[neuron] * common_miss_[source], 1.0);
  add(common, size - static_cast<double>(marks.touched.size()));
  if (source < network_.populations.size()) {
    for (const PartitionSlice& slice : slices) {
      if (slice.population != source) continue;
      if (marks.touched.empty()) {
        inside += common * slice.count;
        continue;
      }
      for (std::uint32_t i = slice.first; i < slice.first + slice.count; ++i)
        inside += marks.epoch[i] == epoch_ ? 1.0 - marks.miss[i] * common_miss_[source] : common;
    }
  }
  n.outside = std::max(0.0, n.with_target - inside);
}

const std::vector<Needed>& RunNeeds::evaluate(std::span<const PartitionSlice> slices) {
  ++epoch_;
  std::fill(needed_.begin(), needed_.end(), Needed{});
  std::fill(common_miss_.begin(), common_miss_.end(), 1.0);
  std::fill(targets_.begin(), targets_.end(), 0.0);
  for (Marks& marks : marks_) marks.touched.clear();
  for (const PartitionSlice& slice : slices) targets_[slice.population] += slice.count;
  for (std::size_t p = 0; p < targets_.size(); ++p) {
    if (targets_[p] == 0.0) continue;
    for (const std::uint32_t l : network_.links_to[p]) {
      const EventLink& link = network_.links[l];
      const double sources = network_.sources[link.source].size, size = network_.populations[p].size;
      if (!link.has_shape()) {
        common_miss_[link.source] *= miss_of(link, sources, size, targets_[p]);
        continue;
      }
      ++cell_epoch_;
      if (link.kind == EventLink::Kind::gaussian) {
        follow_gaussian(link, slices);
        continue;
      }
      for (const PartitionSlice& slice : slices) {
        if (slice.population == p) follow(link, slice);
      }
    }
  }
  for (std::uint32_t s = 0; s < needed_.size(); ++s) {
    if (common_miss_[s] < 1.0 || !marks_[s].touched.empty()) sum_up(s, slices);
  }
  return needed_;
}

}  // namespace tessera
