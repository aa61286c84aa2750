// A partition as a picture: the network as blocks coloured by run, and which run is when on which chip.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/svg.hpp"
#include "tessera/partition.hpp"
#include "tessera/plot.hpp"

namespace tessera {
namespace {

using svg::Canvas;

constexpr double kWidth = 860.0, kLeft = 150.0, kRight = 830.0;
constexpr std::uint32_t kMostCells = 20'000;  // of all sheets of a picture

// Runs beside each other differ in hue by the golden angle, and in lightness.
std::string colour_of(std::size_t run) {
  const double hue = std::fmod(205.0 + 137.508 * static_cast<double>(run), 360.0);
  return fmt::format("hsl({:.0f},62%,{}%)", hue, 46 + 12 * (run % 3));
}

struct Piece {
  std::uint32_t first, count, run;
};

// By population, in the order of neurons.
std::vector<std::vector<Piece>> pieces_of(const Partition& p) {
  std::vector<std::vector<Piece>> pieces(p.populations.size());
  for (std::uint32_t r = 0; r < p.runs.size(); ++r) {
    for (const PartitionSlice& s : p.runs[r].slices) pieces[s.population].push_back({s.first, s.count, r});
  }
  for (auto& list : pieces) std::sort(list.begin(), list.end(), [](const Piece& a, const Piece& b) { return a.first < b.first; });
  return pieces;
}

bool is_sheet(const PartitionedPopulation& q) {
  return q.shape.height > 1 && std::uint64_t{q.shape.height} * q.shape.width <= kMostCells && q.shape.size() == q.size;
}

double height_of(const PartitionedPopulation& q) {
  if (!is_sheet(q)) return 26.0;
  // At most 300 pixels high, and not beyond the right edge.
  return std::min(300.0, (kRight - kLeft) * q.shape.height / q.shape.width);
}

// The first channel of every place of a sheet.
void draw_sheet(Canvas& canvas, const PartitionedPopulation& q, const std::vector<Piece>& pieces, double top) {
  const double cell = height_of(q) / q.shape.height;
  std::size_t piece = 0;
  for (std::uint32_t y = 0; y < q.shape.height; ++y) {
    for (std::uint32_t x = 0; x < q.shape.width;) {
      const auto run_at = [&](std::uint32_t column) {
        const std::uint64_t neuron = (std::uint64_t{y} * q.shape.width + column) * q.shape.channels;
        while (pieces[piece].first + pieces[piece].count <= neuron) ++piece;
        return pieces[piece].run;
      };
      const std::uint32_t run = run_at(x), begin = x;
      while (x < q.shape.width && run_at(x) == run) ++x;
      canvas.rectangle(kLeft + begin * cell, top + y * cell, (x - begin) * cell, cell, colour_of(run).c_str());
    }
  }
}

void draw_bar(Canvas& canvas, const PartitionedPopulation& q, const std::vector<Piece>& pieces, double top) {
  const double scale = (kRight - kLeft) / q.size;
  double drawn_to = -1.0;
  for (const Piece& piece : pieces) {
    const double from = piece.first * scale, to = (piece.first + piece.count) * scale;
    if (to - drawn_to < 0.25 && drawn_to >= 0.0) continue;  // what is thinner than a pixel's quarter
    canvas.rectangle(kLeft + from, top, std::max(0.25, to - from), 26.0, colour_of(piece.run).c_str());
    drawn_to = to;
  }
  canvas.rectangle(kLeft, top, kRight - kLeft, 26.0, "none", svg::kMuted, 0.5);
}

std::string network_svg(const Partition& p) {
  double height = 90.0;
  for (const PartitionedPopulation& q : p.populations) height += height_of(q) + 14.0;
  Canvas canvas(kWidth, height);
  canvas.heading(p.network + " on " + p.machine,
                 fmt::format("{} runs (bound {}), {} playback copies (bound {}); one colour per run", p.runs.size(), p.bound.runs, p.playback_copies, p.bound.playback_copies));
  const auto pieces = pieces_of(p);
  double top = 74.0;
  for (std::size_t i = 0; i < p.populations.size(); ++i) {
    const PartitionedPopulation& q = p.populations[i];
    canvas.text(kLeft - 10, top + 12, svg::shortened(q.name, kLeft - 20, 12), {.anchor = svg::Anchor::end});
    canvas.text(kLeft - 10, top + 25, std::to_string(q.size), {.size = 10, .colour = svg::kMuted, .anchor = svg::Anchor::end});
    is_sheet(q) ? draw_sheet(canvas, q, pieces[i], top) : draw_bar(canvas, q, pieces[i], top);
    top += height_of(q) + 14.0;
  }
  return canvas.document();
}

// Rounds of equal length; runs in lock-step have a frame.
std::string schedule_svg(const Partition& p) {
  const double row = p.chips > 20 ? 8.0 : 26.0;
  Canvas canvas(kWidth, 120.0 + row * std::min(p.chips, 100u));
  canvas.heading("Schedule", fmt::format("{} rounds; predicted {:.4g} ms: chip {:.4g}, transfer {:.4g}, reconfiguration {:.4g}", p.rounds, p.predicted.total_ms(),
                                         p.predicted.chip_ms, p.predicted.transfer_ms, p.predicted.reconfiguration_ms));
  const double scale = (kRight - kLeft) / std::max(1u, p.rounds);
  const std::uint32_t chips = std::min(p.chips, 100u);
  for (std::uint32_t c = 0; c < chips && row > 10.0; ++c)
    canvas.text(kLeft - 10, 74.0 + c * row + 17, fmt::format("chip {}", c + 1), {.anchor = svg::Anchor::end});
  for (std::size_t r = 0; r < p.runs.size(); ++r) {
    const PartitionRun& run = p.runs[r];
    if (run.chip >= chips) continue;
    const double x = kLeft + run.round * scale, y = 74.0 + run.chip * row;
    const bool in_turns = run.component != PartitionRun::kAlone;
    canvas.rectangle(x, y, std::max(0.25, scale - (scale > 4 ? 1.5 : 0.0)), row - 2, colour_of(r).c_str(), in_turns ? svg::kInk : nullptr, 1.5);
    if (scale > 26 && row > 10.0) canvas.text(x + scale / 2, y + 17, std::to_string(r + 1), {.size = 11, .colour = "#ffffff", .anchor = svg::Anchor::middle});
  }
  const double bottom = 74.0 + chips * row + 16;
  canvas.text((kLeft + kRight) / 2, bottom + 6, "rounds, one after the other; frames: runs in lock-step", {.size = 11, .colour = svg::kMuted, .anchor = svg::Anchor::middle});
  return canvas.document();
}

}  // namespace

std::string partition_svg(const Partition& partition) { return stacked_svg({network_svg(partition), schedule_svg(partition)}); }

}  // namespace tessera
