// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/list_code.hpp"

#include "tessera/errors.hpp"

namespace tessera::training {

void refuse_lists() { throw RunError("The spike lists of a rank arrived damaged."); }

void put_number(std::uint64_t value, std::vector<std::byte>& bytes) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<std::byte>(value | 0x80));
  bytes.push_back(static_cast<std::byte>(value));
}

std::uint64_t take_number(std::span<const std::byte>& bytes) {
  std::uint64_t value = 0;
  for (std::size_t k = 0; k < bytes.size() && k < 10; ++k) {
    const auto byte = static_cast<std::uint64_t>(bytes[k]);
    value |= (byte & 0x7f) << (7 * k);
    if (byte < 0x80) {
      bytes = bytes.subspan(k + 1);
      return value;
    }
  }
  refuse_lists();
}

namespace {

void encode(const SpikeLists& lists, std::uint32_t section, Stream Recording::* which,
            std::vector<std::byte>& bytes) {
  std::size_t entries = 0;
  for (std::uint32_t part = 0; part < lists.parts; ++part) entries += (lists.recording(section, part).*which).size;
  put_number(entries, bytes);
  const std::uint64_t width = lists.section_width;
  const std::uint32_t first_id = section * lists.section_width;
  std::uint64_t last = 0;
  for (std::uint32_t part = 0; part < lists.parts; ++part) {
    const Stream& s = lists.recording(section, part).*which;
    for (std::size_t b = 0; b + 1 < s.first.size(); ++b) {
      const std::uint64_t base = (std::uint64_t{lists.part_begin(part)} + b) * lists.steps;
      for (std::uint32_t e = s.first[b]; e < s.first[b + 1]; ++e) {
        const std::uint64_t key = (base + s.step[e]) * width + (s.id[e] - first_id);
        put_number(key - last, bytes);
        last = key;
      }
    }
  }
}

// Walks from key to key.
struct Cursor {
  std::uint64_t list = 0, id = 0;  ///< sample * steps + step; number in the section
  void advance(std::uint64_t difference, std::uint64_t width) {
    id += difference;
    if (id >= 8 * width) {
      list += id / width;
      id %= width;
    }
    for (; id >= width; id -= width) ++list;
  }
};

void add_entry(Stream& s, std::uint32_t id, std::uint32_t step) {
  s.id[s.size] = static_cast<std::uint16_t>(id);
  s.step[s.size++] = static_cast<std::uint16_t>(step);
}

// Room for the entries and what a copy in whole chunks reads behind them.
void make_room(Stream& s, std::size_t entries) {
  constexpr std::size_t kBehind = 16;
  if (s.room >= entries + kBehind) return;
  s.room = entries + entries / 2 + kBehind;
  s.id.resize(s.room);
  s.step.resize(s.room);
}

std::span<const std::byte> decode(std::span<const std::byte> bytes, std::uint32_t section, Stream Recording::* which,
                                  std::uint16_t StepCounts::* count, std::uint32_t neurons, SpikeLists& lists) {
  std::uint64_t entries = take_number(bytes);
  if (entries > bytes.size()) refuse_lists();  // a byte each at least
  const std::uint32_t first_id = section * lists.section_width;
  Cursor next;
  bool any = false, waits = false;  // for the part of its sample
  for (std::uint32_t part = 0; part < lists.parts; ++part) {
    Recording& r = lists.recording(section, part);
    Stream& s = r.*which;
    const std::uint64_t begin = std::uint64_t{lists.part_begin(part)} * lists.steps,
                        end = std::uint64_t{lists.part_begin(part + 1)} * lists.steps;
    make_room(s, s.size);
    std::uint64_t sample = begin;  // first list of the next sample
    const auto open_samples = [&](std::uint64_t list) {
      for (; sample <= list; sample += lists.steps) s.first.push_back(static_cast<std::uint32_t>(s.size));
    };
    while (waits || entries > 0) {
      if (!waits) {
        const std::uint64_t difference = take_number(bytes);
        if (difference == 0 && any) refuse_lists();
        next.advance(difference, lists.section_width);
        any = true;
        --entries;
        if (next.id >= neurons || next.list >= lists.lists()) refuse_lists();
      }
      waits = next.list >= end;
      if (waits) break;
      open_samples(next.list);
      make_room(s, s.size + 1);
      add_entry(s, first_id + static_cast<std::uint32_t>(next.id), static_cast<std::uint32_t>(next.list + lists.steps - sample));
      ++(r.counts[next.list - begin].*count);
    }
    open_samples(end);
  }
  if (waits || entries > 0) refuse_lists();
  return bytes;
}

}  // namespace

void encode_section(const SpikeLists& lists, std::uint32_t section, ListKinds kinds, std::vector<std::byte>& bytes) {
  if (kinds.spikes) encode(lists, section, &Recording::spikes, bytes);
  if (kinds.others) encode(lists, section, &Recording::others, bytes);
}

void decode_section(std::span<const std::byte> bytes, std::uint32_t section, ListKinds kinds, std::uint32_t neurons,
                    SpikeLists& lists) {
  const auto samples_of = [&](std::uint32_t part) { return lists.part_begin(part + 1) - lists.part_begin(part); };
  for (std::uint32_t part = 0; part < lists.parts && kinds.spikes; ++part) {
    Recording& r = lists.recording(section, part);
    r.clear(false);
    r.counts.resize(std::size_t{samples_of(part)} * lists.steps);
  }
  if (kinds.spikes) bytes = decode(bytes, section, &Recording::spikes, &StepCounts::spikes, neurons, lists);
  for (std::uint32_t part = 0; part < lists.parts; ++part) {
    Stream& others = lists.recording(section, part).others;
    others.first.assign(kinds.others ? 0 : samples_of(part) + 1, 0);
  }
  if (kinds.others) bytes = decode(bytes, section, &Recording::others, &StepCounts::others, neurons, lists);
  if (!bytes.empty()) refuse_lists();
}

}  // namespace tessera::training
