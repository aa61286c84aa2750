// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/tile_exchange.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "train/list_code.hpp"
#include "train/rank_failures.hpp"

namespace tessera::training {
namespace {

[[noreturn]] void refuse(int rank, const char* what, const char* phase) {
  throw CommunicationError("The " + std::string(what) + " of rank " + std::to_string(rank) +
                               " have another size than expected.",
                           phase, rank);
}

constexpr const char* kLists = "training: spike lists";
constexpr const char* kTraces = "training: traces";
constexpr const char* kReturned = "training: gradients of spikes";

std::uint32_t first_neuron(const LayerShare& share, int rank, const NeuronRows& rows) {
  return std::min(share.first_tile_of(rank) * rows.tile_width, rows.neurons);
}

}  // namespace

void TileExchange::settle() {
  std::exception_ptr failure;
  std::swap(failure, failure_);
  training::settle(ranks_, failure);
}

// How many bytes every own section has, then the bytes.
void TileExchange::send_lists(const LayerShare& share) {
  packed_.clear();
  for (std::uint32_t k = 0; k < share.own_tiles(); ++k) {
    const std::uint64_t size = coded_[k].size();
    const auto bytes = std::as_bytes(std::span(&size, 1));
    packed_.insert(packed_.end(), bytes.begin(), bytes.end());
  }
  for (std::uint32_t k = 0; k < share.own_tiles(); ++k) packed_.insert(packed_.end(), coded_[k].begin(), coded_[k].end());
  ranks_.enter(kLists);
  ranks_.communicator()->all_gather(packed_, gathered_);
  section_begin_.assign(share.tiles, 0);
  section_end_.assign(share.tiles, 0);
  for (int r = 0; r < share.ranks; ++r) {
    const std::uint32_t first = share.first_tile_of(r), tiles = share.first_tile_of(r + 1) - first;
    const std::span<const std::byte> bytes = gathered_.of(r);
    std::size_t at = tiles * sizeof(std::uint64_t);
    if (bytes.size() < at) refuse(r, "spike lists", kLists);
    for (std::uint32_t k = 0; k < tiles; ++k) {
      std::uint64_t size = 0;
      std::memcpy(&size, bytes.data() + k * sizeof size, sizeof size);
      if (size > bytes.size() - at) refuse(r, "spike lists", kLists);
      section_begin_[first + k] = gathered_.begin[static_cast<std::size_t>(r)] + at;
      at += size;
      section_end_[first + k] = gathered_.begin[static_cast<std::size_t>(r)] + at;
    }
    if (at != bytes.size()) refuse(r, "spike lists", kLists);
  }
}

void TileExchange::gather_lists(Worker& worker, const LayerShare& share, ListKinds kinds, std::uint32_t neurons,
                                SpikeLists& lists) {
  worker.on_caller([&] {
    settle();
    if (coded_.size() < share.own_tiles()) coded_.resize(share.own_tiles());
  });
  if (!kinds.spikes && !kinds.others) return;
  worker.each(share.own_tiles(), [&](std::size_t k) {
    coded_[k].clear();
    encode_section(lists, share.begin() + static_cast<std::uint32_t>(k), kinds, coded_[k]);
  });
  worker.on_caller([&] { send_lists(share); });
  worker.each(share.tiles, [&](std::size_t job) {
    const auto tile = static_cast<std::uint32_t>(job);
    if (share.owns(tile)) return;
    const std::uint32_t width = lists.section_width;
    decode_section(std::span(gathered_.bytes).subspan(section_begin_[job], section_end_[job] - section_begin_[job]), tile,
                   kinds, std::min(width, neurons - tile * width), lists);
  });
}

void TileExchange::gather_columns(Worker& worker, const LayerShare& share, const NeuronRows& rows) {
  worker.on_caller([&] {
    settle();
    gather_columns(share, rows);
  });
}

void TileExchange::gather_columns(const LayerShare& share, const NeuronRows& rows) {
  const auto columns = [&](int r) { return first_neuron(share, r + 1, rows) - first_neuron(share, r, rows); };
  const std::size_t own = columns(share.rank) * sizeof(float), first = first_neuron(share, share.rank, rows);
  packed_.resize(rows.rows * own);
  for (std::size_t k = 0; own > 0 && k < rows.rows; ++k)
    std::memcpy(packed_.data() + k * own, rows.values + k * rows.stride + first, own);
  ranks_.enter(kTraces);
  ranks_.communicator()->all_gather(packed_, gathered_);
  for (int r = 0; r < share.ranks; ++r) {
    const std::size_t size = columns(r) * sizeof(float), at = first_neuron(share, r, rows);
    const std::span<const std::byte> bytes = gathered_.of(r);
    if (bytes.size() != rows.rows * size) refuse(r, "traces", kTraces);
    for (std::size_t k = 0; r != share.rank && size > 0 && k < rows.rows; ++k)
      std::memcpy(rows.values + k * rows.stride + at, bytes.data() + k * size, size);
  }
}

// How many entries every section has in every block, and how many of the same rank lie before them.
void TileExchange::find_places(const LayerShare& above, const LayerShare& below, std::uint32_t blocks,
                               const std::vector<VisitBlock>& visits) {
  entries_.resize(std::size_t{blocks} * below.tiles);
  place_.resize(entries_.size());
  outgoing_.resize(static_cast<std::size_t>(above.ranks));
  for (int r = 0; r < above.ranks; ++r) {
    std::size_t before = 0;
    for (std::size_t k = 0; k < blocks; ++k) {
      for (std::uint32_t s = below.first_tile_of(r); s < below.first_tile_of(r + 1); ++s) {
        const std::size_t at = k * below.tiles + s;
        entries_[at] = visits[at].entries();
        place_[at] = before;
        before += entries_[at];
      }
    }
    if (r != above.rank) outgoing_[static_cast<std::size_t>(r)].resize(before * above.own_parts());
  }
}

// Who has parts sends to who has sections.
void TileExchange::send_ds(const LayerShare& above, const LayerShare& below) {
  std::vector<Parcel> parcels;
  from_.clear();
  for (int r = 0; r < above.ranks; ++r) {
    if (r == above.rank) continue;
    if (above.own_parts() > 0 && below.first_tile_of(r) < below.first_tile_of(r + 1))
      parcels.push_back({r, std::as_bytes(std::span(outgoing_[static_cast<std::size_t>(r)]))});
    if (below.own_tiles() > 0 && above.first_part(r) < above.first_part(r + 1)) from_.push_back(r);
  }
  ranks_.enter(kReturned);
  ranks_.communicator()->start_exchange(parcels, from_);
  ranks_.communicator()->finish_exchange(gathered_);
  std::size_t own = 0;
  for (std::size_t k = 0; k * below.tiles < entries_.size(); ++k) {
    for (std::uint32_t s = below.begin(); s < below.end(); ++s) own += entries_[k * below.tiles + s];
  }
  for (std::size_t k = 0; k < from_.size(); ++k) {
    const std::size_t parts = above.first_part(from_[k] + 1) - above.first_part(from_[k]);
    if (gathered_.of(static_cast<int>(k)).size() != own * parts * sizeof(float))
      refuse(from_[k], "gradients of spikes", kReturned);
  }
}

const float* TileExchange::received_ds(int rank) const {
  const auto at = std::find(from_.begin(), from_.end(), rank) - from_.begin();
  return reinterpret_cast<const float*>(gathered_.of(static_cast<int>(at)).data());
}

void TileExchange::return_ds(Worker& worker, const LayerShare& above, const LayerShare& below, std::uint32_t blocks,
                             const std::vector<VisitBlock>& visits, SpikeLists& lists,
                             const std::function<VisitRange(std::uint32_t, std::uint32_t)>& range) {
  worker.once([&] {
    find_places(above, below, blocks, visits);
    sums_.resize(static_cast<std::size_t>(worker.workers()));
  });
  const auto owner = [&](std::uint32_t section) {
    int r = 0;
    while (section >= below.first_tile_of(r + 1)) ++r;
    return r;
  };
  worker.each(std::size_t{blocks} * below.tiles, [&](std::size_t at) {
    const int r = owner(static_cast<std::uint32_t>(at % below.tiles));
    if (r == above.rank) return;
    float* into = outgoing_[static_cast<std::size_t>(r)].data() + place_[at] * above.own_parts();
    for (std::uint32_t part = 0; part < above.own_parts(); ++part, into += entries_[at])
      visits[at].take_part(part, into);
  });
  worker.on_caller([&] { send_ds(above, below); });
  std::vector<float>& scratch = sums_[static_cast<std::size_t>(worker.id())];
  worker.each(std::size_t{blocks} * below.own_tiles(), [&](std::size_t job) {
    const auto block = static_cast<std::uint32_t>(job / below.own_tiles()),
               section = below.begin() + static_cast<std::uint32_t>(job % below.own_tiles());
    const std::size_t at = std::size_t{block} * below.tiles + section, n = entries_[at];
    scratch.resize(2 * n);
    float *sum = scratch.data(), *own = sum + n;
    for (int r = 0; r < above.ranks; ++r) {
      const std::uint32_t parts = above.first_part(r + 1) - above.first_part(r);
      for (std::uint32_t part = 0; part < parts; ++part) {
        const float* more = own;
        if (r == above.rank) {
          visits[at].take_part(part, own);
        } else {
          more = received_ds(r) + place_[at] * parts + part * n;
        }
        const bool first = above.first_part(r) + part == 0;
        for (std::size_t k = 0; k < n; ++k) sum[k] = first ? more[k] : sum[k] + more[k];
      }
    }
    visits[at].give(lists, range(block, section), sum);
  });
}

}  // namespace tessera::training
