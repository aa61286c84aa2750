// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/visit_block.hpp"

#include <algorithm>

namespace tessera::training {
namespace {

constexpr std::uint32_t kFour = 4;

// Calls run(stream, sample in it, row of g of step 0, kind) for the spikes (kind 0) and the others
// (kind 1) of every sample in the range.
template <class Lists, class Run>
void each_stream(Lists& lists, const VisitRange& range, const Run& run) {
  const bool whole = range.section == VisitRange::kWhole;
  const std::uint32_t begin = whole ? 0 : range.section, end = whole ? lists.sections : begin + 1;
  for (std::uint32_t s = begin; s < end; ++s) {
    for (std::uint32_t part = 0; part < lists.parts; ++part) {
      auto& recording = lists.recording(s, part);
      const std::uint32_t first = lists.part_begin(part), last = lists.part_begin(part + 1);
      for (std::uint32_t b = first; b < last; ++b) {
        const std::uint32_t base = b * range.sample_stride - range.first;
        run(recording.spikes, b - first, base, 0u);
        if (range.others) run(recording.others, b - first, base, 1u);
      }
    }
  }
}

struct OwnRow {
  std::uint32_t first_row;
  std::uint32_t operator()(std::uint16_t id) const { return id - first_row; }
};
struct PooledRow {
  const std::uint32_t* pooled;
  std::uint32_t rows;
  std::uint32_t operator()(std::uint16_t id) const { return std::min(pooled[id], rows); }
};

// A counting sort of the range's entries by row. Row `rows` collects what is pooled away.
template <class RowOf>
void sort_visits(const SpikeLists& lists, const RowOf& row_of, std::uint32_t rows,
                 const VisitRange& range, VisitBlock& block) {
  std::vector<std::uint32_t> next(2 * (std::size_t{rows} + 1), 0);  // per row: spikes, others
  std::size_t entries = 0;
  block.runs.clear();
  each_stream(lists, range,
              [&](const Stream& s, std::uint32_t sample, std::uint32_t, std::uint32_t kind) {
                std::uint32_t e = s.at(sample, range.first);
                const std::uint32_t end = s.at(sample, range.end);
                block.runs.insert(block.runs.end(), {e, end});
                entries += end - e;
                for (; e < end; ++e) ++next[2 * row_of(s.id[e]) + kind];
              });
  const auto filled = [&](std::uint32_t n) {
    return range.padded ? (n + kFour - 1) / kFour * kFour : n;
  };
  std::uint32_t size = 0;
  for (std::uint32_t k = 0; k < 2 * rows; ++k) size += filled(next[k]);
  grow(block.visit, size);
  if (range.others) {
    grow(block.place, entries);
    grow(block.ds, std::size_t{size} * block.parts);
  }
  block.row_first.resize(rows + 1);
  block.row_spikes.resize(rows);
  std::uint32_t place = 0;
  for (std::uint32_t k = 0; k < rows; ++k) {
    block.row_first[k] = place;
    block.row_spikes[k] = filled(next[2 * k]);
    for (std::uint32_t kind = 0; kind < 2; ++kind) {
      const std::uint32_t n = next[2 * k + kind];
      next[2 * k + kind] = place;
      for (std::uint32_t v = n; v < filled(n); ++v) block.visit[place + v] = range.zero_row;
      place += filled(n);
    }
  }
  block.row_first[rows] = place;
  std::uint32_t* place_of = block.place.data();
  const std::uint32_t* bounds = block.runs.data();
  each_stream(
      lists, range, [&](const Stream& s, std::uint32_t, std::uint32_t base, std::uint32_t kind) {
        for (std::uint32_t e = bounds[0]; e < bounds[1]; ++e) {
          const std::uint32_t row = row_of(s.id[e]);
          const std::uint32_t at = row < rows ? next[2 * row + kind]++ : VisitBlock::kNoVisit;
          if (row < rows) block.visit[at] = base + s.step[e];
          if (range.others) *place_of++ = at;
        }
        bounds += 2;
      });
}

}  // namespace

void VisitBlock::build(const SpikeLists& lists, const std::vector<std::uint32_t>& pooled,
                       std::uint32_t all_rows, const VisitRange& range, std::uint32_t ds_parts) {
  parts = ds_parts;
  const bool whole = range.section == VisitRange::kWhole;
  first_row = whole ? 0 : range.section * lists.section_width;
  if (pooled.empty()) {
    const std::uint32_t rows =
        whole ? all_rows : std::min(lists.section_width, all_rows - first_row);
    sort_visits(lists, OwnRow{first_row}, rows, range, *this);
  } else {
    sort_visits(lists, PooledRow{pooled.data(), all_rows}, all_rows, range, *this);
  }
}

std::size_t VisitBlock::entries() const {
  std::size_t n = 0;
  for (std::size_t k = 0; k < runs.size(); k += 2) n += runs[k + 1] - runs[k];
  return n;
}

void VisitBlock::take_part(std::uint32_t part, float* into) const {
  const float* const sums = ds.data() + std::size_t{part} * visits();
  const std::size_t n = entries();
  for (std::size_t k = 0; k < n; ++k) into[k] = place[k] == kNoVisit ? 0.0f : sums[place[k]];
}

void VisitBlock::give(SpikeLists& lists, const VisitRange& range, const float* sums) const {
  const std::uint32_t* bounds = runs.data();
  each_stream(lists, range, [&](Stream& s, std::uint32_t, std::uint32_t, std::uint32_t) {
    std::copy_n(sums, bounds[1] - bounds[0], s.ds.begin() + bounds[0]);
    sums += bounds[1] - bounds[0];
    bounds += 2;
  });
}

void VisitBlock::scatter(SpikeLists& lists, const VisitRange& range, float scale) {
  const std::size_t n = visits();
  for (std::uint32_t part = 1; part < parts; ++part) {
    for (std::size_t v = 0; v < n; ++v) ds[v] += ds[part * n + v];
  }
  const std::uint32_t *at = place.data(), *bounds = runs.data();
  each_stream(lists, range, [&](Stream& s, std::uint32_t, std::uint32_t, std::uint32_t) {
    for (std::uint32_t e = bounds[0]; e < bounds[1]; ++e, ++at)
      s.ds[e] = *at == kNoVisit ? 0.0f : scale * ds[*at];
    bounds += 2;
  });
}

}  // namespace tessera::training
