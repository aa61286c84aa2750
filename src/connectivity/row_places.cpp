// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "connectivity/row_places.hpp"

#include <algorithm>
#include <cstring>

#include "tessera/errors.hpp"

namespace tessera {
namespace {

constexpr std::uint32_t kMostBlockBits = 8;  // a byte says which source of a block
constexpr double kBlockWords = 64.0;         // at least, on average: a cache line of bytes

std::uint32_t as_position(std::size_t at) {
  if (at > 0xffffffffu) throw InputError("A tile would hold more than 4,294,967,295 synapses; use more tiles.");
  return static_cast<std::uint32_t>(at);
}

}  // namespace

RowPlaces::RowPlaces(std::uint32_t first_source, std::uint32_t sources, double words, bool groups)
    : first_source_(first_source), sources_(sources), short_(words < kShortRow * sources), groups_(groups && short_) {
  while (short_ && shift_ < kMostBlockBits && words * block_sources() < kBlockWords * sources) ++shift_;
  begin_ = AlignedArray<std::uint32_t>(((static_cast<std::size_t>(sources) - 1) >> shift_) + 2);
  if (short_) make_room(static_cast<std::size_t>(words * 1.02));
}

double RowPlaces::expected_headers(double sources, double synapses, double groups) {
  return synapses < kShortRow * sources ? 0.0 : std::min(sources * groups, synapses);
}

double RowPlaces::expected_bytes(double sources, double synapses, bool several_groups) {
  if (synapses >= kShortRow * sources) return 4.0 * sources;
  const double block = std::min(256.0, 1.5 * kBlockWords * sources / synapses);
  return synapses * (several_groups ? 3.0 : 1.0) + 4.0 * sources / block;
}

void RowPlaces::make_room(std::size_t n) {
  constexpr std::size_t kRoom = 4096;
  if (size_ + n <= place_.size()) return;
  const std::size_t wanted = size_ + n + size_ / 16 + kRoom;
  place_.resize(wanted);
  if (groups_) group_.resize(wanted);
}

void RowPlaces::begin(std::uint32_t source, std::size_t at) {
  const std::uint32_t entry = source >> shift_;
  if (next_ == 0) base_ = as_position(at);
  for (; next_ <= entry; ++next_) begin_[next_] = as_position(at);
}

void RowPlaces::add(std::uint32_t source, std::uint32_t group, std::size_t n) {
  make_room(n);
  std::memset(place_.data() + size_, static_cast<int>(source & (block_sources() - 1)), n);
  if (groups_) std::fill_n(group_.data() + size_, n, static_cast<std::uint16_t>(group));
  group_of_all_ = group;
  size_ += n;
}

void RowPlaces::add_block(std::uint32_t block_begin, const std::uint32_t* places, std::size_t n, std::uint32_t group) {
  make_room(n);
  const std::uint32_t mask = block_sources() - 1;
  std::uint8_t* out = place_.data() + size_;
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>((block_begin + places[i]) & mask);
  group_of_all_ = group;
  size_ += n;
}

void RowPlaces::finish(std::size_t at) {
  const std::uint32_t end = ((sources_ - 1) >> shift_) + 1;
  for (; next_ <= end; ++next_) begin_[next_] = as_position(at);
  if (!short_) return;
  place_.resize(size_ + 64);  // prefetches may look past the end
  if (groups_) group_.resize(size_ + 64);
}

bool RowPlaces::empty(std::uint32_t source) const {
  if (!short_) return row(source) == row_end(source);
  const std::uint32_t s = source - first_source_, block = s >> shift_;
  const auto place = static_cast<std::uint8_t>(s & (block_sources() - 1));
  const std::uint32_t to = begin_[block + 1] - base_;
  return find(place, begin_[block] - base_, to) == to;
}

std::uint32_t RowPlaces::find(std::uint8_t place, std::uint32_t from, std::uint32_t to) const {
  const void* hit = std::memchr(place_.data() + from, place, to - from);
  return hit == nullptr ? to : static_cast<std::uint32_t>(static_cast<const std::uint8_t*>(hit) - place_.data());
}

}  // namespace tessera
