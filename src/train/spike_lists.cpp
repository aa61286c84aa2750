// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/spike_lists.hpp"

#include <algorithm>

namespace tessera::training {
namespace {

template <class T>
void grow(std::vector<T>& array, std::size_t n) {
  if (array.size() < n) array.resize(n + n / 8);
}

// Puts the parts of all sections one after the other, cut at the capacity.
struct ListWriter {
  const RecordingGrid& grid;
  SpikeLists& lists;
  bool gradients;

  // Pieces are a few entries long: loops, not memmove.
  void copy(const Recording& from, std::size_t begin, std::size_t n, std::size_t to) const {
    for (std::size_t k = 0; k < n; ++k) lists.id[to + k] = from.id[begin + k];
    if (!gradients) return;
    for (std::size_t k = 0; k < n; ++k) lists.slope[to + k] = from.slope[begin + k];
    for (std::size_t k = 0; !lists.by_alpha.empty() && k < n; ++k)
      lists.by_alpha[to + k] = from.by_alpha[begin + k];
    for (std::size_t k = 0; !lists.by_second.empty() && k < n; ++k)
      lists.by_second[to + k] = from.by_second[begin + k];
  }

  // All lists of one sample: section after section, every list remembering how full it is.
  void write(std::uint32_t part, std::size_t local, std::size_t q) const {
    std::vector<std::uint32_t> spike_at(lists.steps), other_at(lists.steps);
    for (std::uint32_t t = 0; t < lists.steps; ++t) {
      spike_at[t] = lists.first[q + t];
      other_at[t] = lists.first[q + t] + lists.spikes[q + t];
    }
    for (std::uint32_t s = 0; s < grid.sections; ++s) {
      const Recording& from = grid.recordings[s * grid.parts + part];
      const Recording::Span* spans = from.spans.data() + local;
      for (std::uint32_t t = 0; t < lists.steps; ++t) {
        const std::uint32_t middle = lists.first[q + t] + lists.spikes[q + t],
                            end = lists.first[q + t + 1];
        const std::uint32_t spikes = std::min(spans[t].spikes, middle - spike_at[t]);
        const std::uint32_t others = std::min(spans[t].others, end - other_at[t]);
        copy(from, spans[t].begin, spikes, spike_at[t]);
        copy(from, spans[t].begin + spans[t].spikes, others, other_at[t]);
        spike_at[t] += spikes;
        other_at[t] += others;
      }
    }
  }
};

}  // namespace

std::uint64_t SpikeLists::bytes() const {
  const std::uint64_t floats =
      (slope.empty() ? 0 : 1) + (by_alpha.empty() ? 0 : 1) + (by_second.empty() ? 0 : 1);
  return entries() * (sizeof(std::uint16_t) + floats * sizeof(float)) +
         lists() * 2 * sizeof(std::uint32_t);
}

void assign_input(Worker& worker, const SpikeBatch& batch, SpikeLists& lists) {
  worker.once([&] {
    lists.samples = batch.samples;
    lists.steps = batch.steps;
    grow(lists.first, lists.lists() + 1);
    grow(lists.spikes, lists.lists());
    grow(lists.id, batch.channel.size());
    std::uint32_t at = 0;
    for (std::uint32_t b = 0; b < batch.samples; ++b) {
      for (std::uint32_t t = 0; t < batch.steps; ++t) {
        const std::size_t q = std::size_t{b} * batch.steps + t,
                          from = std::size_t{t} * batch.samples + b;
        lists.first[q] = at;
        lists.spikes[q] = batch.first[from + 1] - batch.first[from];
        at += lists.spikes[q];
      }
    }
    lists.first[lists.lists()] = at;
  });
  worker.each(batch.samples, [&](std::size_t b) {
    for (std::uint32_t t = 0; t < batch.steps; ++t) {
      const std::uint32_t from = batch.first[std::size_t{t} * batch.samples + b];
      const std::size_t q = b * batch.steps + t;
      for (std::uint32_t k = 0; k < lists.spikes[q]; ++k) {
        lists.id[lists.first[q] + k] = static_cast<std::uint16_t>(batch.channel[from + k]);
      }
    }
  });
}

void Recording::clear(std::size_t lists) {
  spans.assign(lists, Span{});
  entries = 0;
}

void Recording::append(std::size_t list, const Listed& listed, bool gradients) {
  Span& span = spans[list];
  span.begin = static_cast<std::uint32_t>(entries);
  span.spikes = listed.spikes.count;
  span.others = listed.others.count;
  const std::size_t end = entries + span.spikes + span.others;
  const auto room = [end](auto& array) {
    if (array.size() < end) array.resize(2 * end + 1024);
  };
  room(id);
  if (gradients) room(slope);
  const bool alpha = gradients && listed.spikes.by_alpha != nullptr;
  const bool second = gradients && listed.spikes.by_second != nullptr;
  if (alpha) room(by_alpha);
  if (second) room(by_second);
  for (const ListPart* part : {&listed.spikes, &listed.others}) {
    for (std::uint32_t k = 0; k < part->count; ++k)
      id[entries + k] = static_cast<std::uint16_t>(part->id[k]);
    for (std::uint32_t k = 0; gradients && k < part->count; ++k)
      slope[entries + k] = part->slope[k];
    for (std::uint32_t k = 0; alpha && k < part->count; ++k)
      by_alpha[entries + k] = part->by_alpha[k];
    for (std::uint32_t k = 0; second && k < part->count; ++k)
      by_second[entries + k] = part->by_second[k];
    entries += part->count;
  }
}

void RecordingGrid::resize(std::uint32_t new_sections, std::uint32_t new_parts) {
  sections = new_sections;
  parts = new_parts;
  recordings.resize(std::size_t{sections} * parts);
}

void ListMerge::run(Worker& worker, const RecordingGrid& grid, std::uint32_t capacity,
                    std::uint32_t neurons, bool gradients, SpikeLists& lists) {
  const auto part_of = [&](std::uint32_t b) {
    std::uint32_t part = 0;
    while (grid.begin(part + 1, lists.samples) <= b) ++part;
    return part;
  };
  worker.once([&] {
    grow(lists.first, lists.lists() + 1);
    grow(lists.spikes, lists.lists());
    lists.first[0] = 0;
    dropped.assign(lists.samples, {});
    counts.resize(static_cast<std::size_t>(worker.workers()));
  });
  counts[static_cast<std::size_t>(worker.id())].assign(neurons, 0);
  worker.each(lists.samples, [&](std::size_t job) {
    const auto b = static_cast<std::uint32_t>(job);
    const std::uint32_t part = part_of(b);
    const std::size_t local = std::size_t{b - grid.begin(part, lists.samples)} * lists.steps;
    const std::size_t q = std::size_t{b} * lists.steps;
    std::uint32_t* spikes = lists.spikes.data() + q;
    std::uint32_t* entries =
        lists.first.data() + q + 1;  // of every list; offsets come with the sum below
    std::fill_n(spikes, lists.steps, 0u);
    std::fill_n(entries, lists.steps, 0u);
    for (std::uint32_t s = 0; s < grid.sections; ++s) {
      const Recording::Span* spans = grid.recordings[s * grid.parts + part].spans.data() + local;
      for (std::uint32_t t = 0; t < lists.steps; ++t) {
        spikes[t] += spans[t].spikes;
        entries[t] += spans[t].spikes + spans[t].others;
      }
    }
    for (std::uint32_t t = 0; t < lists.steps; ++t) {
      const std::uint32_t others = entries[t] - spikes[t];
      const std::uint32_t kept = std::min(spikes[t], capacity),
                          room = std::min(others, capacity - kept);
      dropped[b].spikes += spikes[t] - kept;
      dropped[b].others += others - room;
      spikes[t] = kept;
      entries[t] = kept + room;
    }
  });
  worker.once([&] {
    for (std::size_t q = 0; q < lists.lists(); ++q) lists.first[q + 1] += lists.first[q];
    const std::size_t n = lists.entries();
    grow(lists.id, n);
    const auto floats = [&](auto member, std::vector<float>& target) {
      const bool used =
          gradients && std::any_of(grid.recordings.begin(), grid.recordings.end(),
                                   [&](const Recording& r) { return !(r.*member).empty(); });
      if (used) {
        grow(target, n);
      } else {
        target.clear();
      }
    };
    floats(&Recording::slope, lists.slope);
    floats(&Recording::by_alpha, lists.by_alpha);
    floats(&Recording::by_second, lists.by_second);
  });
  const ListWriter writer{grid, lists, gradients};
  std::uint32_t* own = counts[static_cast<std::size_t>(worker.id())].data();
  worker.each(lists.samples, [&](std::size_t job) {
    const auto b = static_cast<std::uint32_t>(job);
    const std::uint32_t part = part_of(b);
    const std::size_t local = std::size_t{b - grid.begin(part, lists.samples)} * lists.steps;
    const std::size_t begin = std::size_t{b} * lists.steps;
    writer.write(part, local, begin);
    for (std::size_t q = begin; q < begin + lists.steps; ++q) {
      for (std::uint32_t e = lists.first[q]; e < lists.first[q] + lists.spikes[q]; ++e)
        ++own[lists.id[e]];
    }
  });
}

Dropped ListMerge::total_dropped() const {
  Dropped total;
  for (const Dropped& d : dropped) {
    total.spikes += d.spikes;
    total.others += d.others;
  }
  return total;
}

void ListMerge::sum_counts(std::vector<std::uint32_t>& into) const {
  std::fill(into.begin(), into.end(), 0u);
  for (const auto& own : counts) {
    for (std::size_t j = 0; j < into.size(); ++j) into[j] += own[j];
  }
}

namespace {

// Calls list(first entry, first gradient-only entry, end, index of the list in the block) for a
// block's lists.
template <class List>
void each_list(const SpikeLists& lists, std::uint32_t first, std::uint32_t end,
               std::uint32_t sample_stride, const List& list) {
  for (std::uint32_t b = 0; b < lists.samples; ++b) {
    for (std::uint32_t t = first; t < end; ++t) {
      const std::size_t q = std::size_t{b} * lists.steps + t;
      list(lists.first[q], lists.first[q] + lists.spikes[q], lists.first[q + 1],
           b * sample_stride + (t - first));
    }
  }
}

struct SameRow {
  const std::uint16_t* id;
  std::uint32_t operator()(std::uint32_t e) const { return id[e]; }
};
struct PooledRow {
  const std::uint16_t* id;
  const std::uint32_t* pooled;
  std::uint32_t operator()(std::uint32_t e) const { return pooled[id[e]]; }
};

// A counting sort of the block's entries by row; `next` has a place for spikes and one for others
// per row.
template <class RowOf>
void sort_visits(const SpikeLists& lists, const RowOf& row_of, std::uint32_t rows,
                 std::uint32_t first, std::uint32_t end, std::uint32_t sample_stride, bool others,
                 VisitBlock& block) {
  std::vector<std::uint32_t> next(2 * (std::size_t{rows} + 1), 0);
  const auto slot = [rows](std::uint32_t row, bool other) {
    return 2 * std::size_t{std::min(row, rows)} + other;
  };
  each_list(lists, first, end, sample_stride,
            [&](std::uint32_t e, std::uint32_t middle, std::uint32_t last, std::uint32_t) {
              for (; e < middle; ++e) ++next[slot(row_of(e), false)];
              for (; others && e < last; ++e) ++next[slot(row_of(e), true)];
            });
  block.row_first.resize(rows + 1);
  block.row_spikes.resize(rows);
  std::uint32_t place = 0, entries = 0;
  for (std::uint32_t k = 0; k < rows; ++k) {
    block.row_first[k] = place;
    block.row_spikes[k] = next[2 * k];
    for (std::uint32_t part = 0; part < 2; ++part) {
      const std::uint32_t n = next[2 * std::size_t{k} + part];
      next[2 * std::size_t{k} + part] = place;
      place += n;
    }
  }
  block.row_first[rows] = place;
  grow(block.visit, place);
  entries = place + next[2 * std::size_t{rows}] +
            next[2 * std::size_t{rows} + 1];  // with those pooled away
  if (others) {
    grow(block.place, entries);
    grow(block.ds, place);
    std::fill_n(block.ds.begin(), place, 0.0f);
  }
  std::uint32_t k = 0;
  each_list(lists, first, end, sample_stride,
            [&](std::uint32_t e, std::uint32_t middle, std::uint32_t last, std::uint32_t at_list) {
              for (const std::uint32_t stop = others ? last : middle; e < stop; ++e, ++k) {
                const std::uint32_t row = row_of(e);
                const std::uint32_t at =
                    row < rows ? next[slot(row, e >= middle)]++ : VisitBlock::kNoVisit;
                if (row < rows) block.visit[at] = at_list;
                if (others) block.place[k] = at;
              }
            });
}

}  // namespace

void VisitBlock::build(const SpikeLists& lists, const std::vector<std::uint32_t>& pooled,
                       std::uint32_t rows, std::uint32_t first, std::uint32_t end,
                       std::uint32_t sample_stride, bool others) {
  if (pooled.empty()) {
    sort_visits(lists, SameRow{lists.id.data()}, rows, first, end, sample_stride, others, *this);
  } else {
    sort_visits(lists, PooledRow{lists.id.data(), pooled.data()}, rows, first, end, sample_stride,
                others, *this);
  }
}

void VisitBlock::scatter(const SpikeLists& lists, std::uint32_t first, std::uint32_t end,
                         float scale, std::vector<float>& entry_ds) const {
  std::uint32_t k = 0;
  each_list(lists, first, end, 0,
            [&](std::uint32_t e, std::uint32_t, std::uint32_t last, std::uint32_t) {
              for (; e < last; ++e, ++k)
                entry_ds[e] = place[k] == kNoVisit ? 0.0f : scale * ds[place[k]];
            });
}

}  // namespace tessera::training
