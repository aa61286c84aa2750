// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "machine/partition_orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "machine/partition_graph.hpp"

namespace tessera {
namespace {

void push(Slices& slices, const PartitionSlice& s) {
  if (!slices.empty() && slices.back().population == s.population && slices.back().first + slices.back().count == s.first) {
    slices.back().count += s.count;
  } else {
    slices.push_back(s);
  }
}

std::uint32_t rounds(std::uint32_t length, std::uint32_t step) { return (length - 1) / step + 1; }

struct Tile {
  std::uint32_t rows, columns, channels;
};

// Tile after tile, rows of tiles there and back, so that where a run ends amid a tile the rest is beside it.
Order tiled(std::uint32_t population, const training::Shape& shape, const Tile& tile, bool breaks) {
  Order order;
  order.method = fmt::format("tiles of {} x {}", tile.rows, tile.columns);
  if (tile.channels < shape.channels) order.method += fmt::format(" x {} channels", tile.channels);
  const std::uint32_t across = rounds(shape.width, tile.columns);
  for (std::uint32_t c = 0; c < shape.channels; c += tile.channels) {
    const std::uint32_t channels = std::min(tile.channels, shape.channels - c);
    for (std::uint32_t row = 0; row * tile.rows < shape.height; ++row) {
      for (std::uint32_t i = 0; i < across; ++i) {
        const std::uint32_t x0 = (row % 2 == 0 ? i : across - 1 - i) * tile.columns, x1 = std::min(shape.width, x0 + tile.columns);
        bool first = true;
        for (std::uint32_t y = row * tile.rows; y < std::min(shape.height, (row + 1) * tile.rows); ++y) {
          for (std::uint32_t x = x0; x < x1; ++x) {
            const PartitionSlice s{population, (y * shape.width + x) * shape.channels + c, channels};
            if (first && breaks && !order.slices.empty()) {
              order.breaks.push_back(order.slices.size());
              order.slices.push_back(s);
            } else {
              push(order.slices, s);
            }
            first = false;
          }
        }
      }
    }
  }
  return order;
}

// Populations on sheets that lie on one another: the neurons of all of them in one part of the sheet come together.
Order tiled_together(const Group& group, const DividedNetwork& n, std::uint32_t down, std::uint32_t across) {
  Order order;
  order.method = fmt::format("{} x {} parts of the sheet", down, across);
  const auto part = [](std::uint32_t i, std::uint32_t parts, std::uint32_t cells) {
    return static_cast<std::uint32_t>((std::uint64_t{i} * cells + parts - 1) / parts);
  };
  for (std::uint32_t row = 0; row < down; ++row) {
    for (std::uint32_t i = 0; i < across; ++i) {
      const std::uint32_t column = row % 2 == 0 ? i : across - 1 - i;
      for (const PartitionSlice& whole : group.slices) {
        const training::Shape& shape = n.populations[whole.population].shape;
        const std::uint32_t x0 = part(column, across, shape.width), x1 = part(column + 1, across, shape.width);
        for (std::uint32_t y = part(row, down, shape.height); x1 > x0 && y < part(row + 1, down, shape.height); ++y)
          push(order.slices, {whole.population, y * shape.width + x0, x1 - x0});
      }
    }
  }
  return order;
}

std::vector<std::uint32_t> sizes_up_to(std::uint32_t length, std::uint32_t most) {
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t parts = rounds(length, std::min(length, std::max(1u, most))); parts <= length && sizes.size() < 40; ++parts) {
    const std::uint32_t size = rounds(length, parts);
    if (sizes.empty() || sizes.back() != size) sizes.push_back(size);
  }
  return sizes;
}

std::vector<Tile> tiles_for(const training::Shape& shape, std::uint32_t capacity) {
  std::vector<Tile> tiles;
  for (const std::uint32_t channels : sizes_up_to(shape.channels, capacity)) {
    if (tiles.size() > 200) break;
    const std::uint32_t places = std::max(1u, capacity / channels);
    for (const std::uint32_t rows : sizes_up_to(shape.height, places)) {
      const std::uint32_t most = std::min(shape.width, std::max(1u, places / rows));
      for (const std::uint32_t columns : {most, rounds(shape.width, rounds(shape.width, most))}) {
        const Tile tile{rows, columns, channels};
        const bool known = !tiles.empty() && tiles.back().rows == rows && tiles.back().columns == columns && tiles.back().channels == channels;
        if (!known) tiles.push_back(tile);
      }
    }
  }
  return tiles;
}

class Chooser {
 public:
  Chooser(const Group& group, Limits& limits) : group_(group), limits_(limits), best_(index_order(group)) {
    best_runs_ = cut_alone(best_);
    cost_ = cost_of(best_runs_, limits_);
  }
  void consider(Order order) {
    const Runs runs = cut_alone(order);
    if (runs.size() > cost_.runs) return;
    const Cost cost = cost_of(runs, limits_);
    if (!(cost < cost_)) return;
    cost_ = cost;
    best_ = std::move(order);
  }
  [[nodiscard]] std::uint64_t runs() const { return cost_.runs; }
  [[nodiscard]] const Runs& index_runs() const { return best_runs_; }
  [[nodiscard]] Order take() { return std::move(best_); }

 private:
  Runs cut_alone(const Order& order) {
    std::vector<Group> groups{group_};
    groups[0].before.clear();
    return cut(groups, {order}, whole(groups), limits_);
  }
  const Group& group_;
  Limits& limits_;
  Order best_;
  Runs best_runs_;
  Cost cost_;
};

bool has_shape(const training::Shape& shape) { return shape.height > 1 && shape.width * shape.channels > 1; }

void consider_tiles(const Group& group, Limits& limits, Chooser& chooser) {
  const DividedNetwork& n = limits.network();
  const bool sheets = std::all_of(group.slices.begin(), group.slices.end(), [&](const PartitionSlice& s) {
    return has_shape(n.populations[s.population].shape) && s.count == n.populations[s.population].size;
  });
  if (!sheets) return;
  // Large networks: few tries, those nearest to squares.
  const std::size_t tries = std::clamp<std::size_t>(4'000'000 / std::max<std::uint64_t>(1, group.neurons), 3, 400);
  if (group.slices.size() == 1) {
    const PartitionSlice& s = group.slices[0];
    const training::Shape& shape = n.populations[s.population].shape;
    std::uint32_t capacity = 0;
    for (const Slices& run : chooser.index_runs()) {
      std::uint32_t neurons = 0;
      for (const PartitionSlice& part : run) neurons += part.count;
      capacity = std::max(capacity, neurons);
    }
    std::vector<Tile> tiles = tiles_for(shape, capacity);
    // Those first that are nearly squares and fill a run: others are cut, and then have more than one piece in a run.
    const auto badness = [&](const Tile& t) {
      return std::abs(std::log(double(t.rows) / t.columns)) - std::log(double(t.channels)) - 60.0 * t.rows * t.columns * t.channels / capacity;
    };
    std::stable_sort(tiles.begin(), tiles.end(), [&](const Tile& a, const Tile& b) { return badness(a) < badness(b); });
    if (tiles.size() > tries) tiles.resize(tries);
    for (const Tile& tile : tiles) {
      chooser.consider(tiled(s.population, shape, tile, false));
      const std::uint64_t number = std::uint64_t{rounds(shape.height, tile.rows)} * rounds(shape.width, tile.columns) * rounds(shape.channels, tile.channels);
      if (number <= chooser.runs()) chooser.consider(tiled(s.population, shape, tile, true));
    }
    return;
  }
  if (std::any_of(group.slices.begin(), group.slices.end(), [&](const PartitionSlice& s) { return n.populations[s.population].shape.channels > 1; })) return;
  const auto runs = static_cast<std::uint32_t>(std::min<std::uint64_t>(chooser.runs(), 100'000));
  const auto root = static_cast<std::uint32_t>(std::lround(std::sqrt(runs)));
  std::size_t tried = 0;
  for (std::uint32_t away = 0; away <= root && tried < tries; ++away) {
    for (const std::uint32_t down : {root + away, root - std::min(away, root)}) {
      if (down == 0 || (away == 0 && tried > 0)) continue;
      chooser.consider(tiled_together(group, n, down, rounds(runs, down)));
      ++tried;
    }
  }
}

// Neurons of a group, numbered, and nets of all listed links onto them.
PinGraph graph_of(const Group& group, const DividedNetwork& n, std::vector<PartitionSlice>& neurons) {
  PinGraph g;
  std::vector<std::vector<std::uint32_t>> number(n.populations.size());
  for (const PartitionSlice& s : group.slices) {
    number[s.population].resize(n.populations[s.population].size, kNone);
    for (std::uint32_t i = s.first; i < s.first + s.count; ++i) {
      number[s.population][i] = static_cast<std::uint32_t>(neurons.size());
      neurons.push_back({s.population, i, 1});
      g.vertex_weight.push_back(n.populations[s.population].circuits_in(i, 1));
    }
  }
  // (source, neuron of it, target vertex), so that a source of several links is one net.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> synapses;
  std::vector<std::uint64_t> base(n.sources.size() + 1, 0);
  for (std::size_t s = 0; s < n.sources.size(); ++s) base[s + 1] = base[s] + n.sources[s].size;
  for (const EventLink& link : n.links) {
    if (link.kind != EventLink::Kind::listed || number[link.target].empty()) continue;
    for (std::uint32_t t = 0; t < n.populations[link.target].size; ++t) {
      if (number[link.target][t] == kNone) continue;
      for (std::uint64_t i = link.begin[t]; i < link.begin[t + 1]; ++i) synapses.emplace_back(base[link.source] + link.sources[i], number[link.target][t]);
    }
  }
  std::sort(synapses.begin(), synapses.end());
  synapses.erase(std::unique(synapses.begin(), synapses.end()), synapses.end());
  const bool by_events = n.events_known();
  std::size_t source = 0;
  for (std::size_t i = 0; i < synapses.size(); ++i) {
    if (i == 0 || synapses[i].first != synapses[i - 1].first) {
      while (base[source + 1] <= synapses[i].first) ++source;
      g.begin.push_back(i);
      g.net_weight.push_back(by_events ? n.sources[source].events : 1.0);
      const bool inside = source < number.size() && !number[source].empty();
      g.vertex_of.push_back(inside ? number[source][synapses[i].first - base[source]] : kNone);
    }
    g.pins.push_back(synapses[i].second);
  }
  g.begin.push_back(synapses.size());
  return g;
}

void consider_graph(const Group& group, Limits& limits, Chooser& chooser) {
  const DividedNetwork& n = limits.network();
  constexpr std::uint64_t kMostSynapses = 50'000'000;
  std::uint64_t listed = 0;
  for (const EventLink& link : n.links) {
    const bool here = std::any_of(group.slices.begin(), group.slices.end(), [&](const PartitionSlice& s) { return s.population == link.target; });
    if (here && link.kind == EventLink::Kind::listed) listed += link.sources.size();
  }
  if (listed == 0 || listed > kMostSynapses || limits.has_tiles() || chooser.runs() < 2) return;
  std::vector<PartitionSlice> neurons;
  const PinGraph graph = graph_of(group, n, neurons);
  const auto parts = static_cast<std::uint32_t>(chooser.runs());
  const Parts division = divide_graph(graph, parts, limits.machine().circuits_per_chip());
  if (division.empty()) return;
  std::vector<Slices> by_part(parts);
  for (std::size_t v = 0; v < neurons.size(); ++v) push(by_part[division[v]], neurons[v]);
  // Of equal parts none is to be cut; the lightest comes last, where others may join it.
  std::stable_sort(by_part.begin(), by_part.end(), [&](const Slices& a, const Slices& b) {
    return limits.quick_usage(a).circuits > limits.quick_usage(b).circuits;
  });
  Order order;
  order.method = has_metis() ? "METIS and exchanges" : "growth and exchanges";
  for (const Slices& part : by_part) {
    if (!order.slices.empty()) order.breaks.push_back(order.slices.size());
    order.slices.insert(order.slices.end(), part.begin(), part.end());
  }
  chooser.consider(std::move(order));
}

}  // namespace

Order index_order(const Group& group) { return {group.slices, {}, "index order"}; }

Order best_order(const Group& group, Limits& limits) {
  if (!group.is_cut()) return index_order(group);
  Chooser chooser(group, limits);
  if (chooser.runs() < 2) return chooser.take();
  const DividedNetwork& n = limits.network();
  const bool shaped = std::any_of(n.links.begin(), n.links.end(), [&](const EventLink& link) {
    return link.has_shape() && link.kind != EventLink::Kind::listed &&
           std::any_of(group.slices.begin(), group.slices.end(), [&](const PartitionSlice& s) { return s.population == link.target; });
  });
  if (shaped) consider_tiles(group, limits, chooser);
  consider_graph(group, limits, chooser);
  return chooser.take();
}

}  // namespace tessera
