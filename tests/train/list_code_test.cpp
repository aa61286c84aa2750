// Spike lists as bytes for other ranks.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "base/random.hpp"
#include "tessera/errors.hpp"
#include "train/list_code.hpp"

namespace tessera::training {
namespace {

// Ids and steps at the ends of their ranges, samples and steps without entries.
TEST(ListCode, GivesBackWhatWasWritten) {
  for (const std::uint32_t parts : {1u, 3u}) {
    SpikeLists lists;
    lists.samples = 5;
    lists.steps = 700;
    lists.section_width = 96;
    lists.resize(3, 2);
    RandomStream stream(RandomKey(1), Purpose::subsample, 0, 0);
    struct Entry {
      std::uint32_t sample, step, id;
      bool operator==(const Entry&) const = default;
    };
    std::vector<Entry> written[2];
    for (std::uint32_t part = 0; part < lists.parts; ++part) {
      Recording& r = lists.recording(1, part);
      for (std::uint32_t b = lists.part_begin(part); b < lists.part_begin(part + 1); ++b) {
        r.begin_sample();
        for (std::uint32_t t = 0; t < lists.steps; ++t) {
          const double rate = b == 2 ? 0.0 : t == 699 ? 0.9 : t < 300 ? 0.001 : 0.03;
          for (std::uint32_t i = 96; i < 192; ++i) {
            for (int kind = 0; kind < 2; ++kind) {
              if (stream.next_unit() >= rate) continue;
              Stream& s = kind == 0 ? r.spikes : r.others;
              s.id.push_back(static_cast<std::uint16_t>(i));
              s.step.push_back(static_cast<std::uint16_t>(t));
              ++s.size;
              written[kind].push_back({b, t, i});
            }
          }
        }
      }
      r.end_samples();
    }
    std::vector<std::byte> bytes;
    encode_section(lists, 1, {}, bytes);
    EXPECT_LT(bytes.size(), 2 * (written[0].size() + written[1].size()));

    SpikeLists read;
    read.samples = lists.samples;
    read.steps = lists.steps;
    read.section_width = lists.section_width;
    read.resize(3, parts);
    decode_section(bytes, 1, {}, 96, read);
    std::vector<Entry> found[2];
    for (std::uint32_t part = 0; part < parts; ++part) {
      const Recording& r = read.recording(1, part);
      for (int kind = 0; kind < 2; ++kind) {
        const Stream& s = kind == 0 ? r.spikes : r.others;
        ASSERT_EQ(s.first.size(), read.part_begin(part + 1) - read.part_begin(part) + 1);
        std::uint64_t counted = 0;
        for (const StepCounts& c : r.counts) counted += kind == 0 ? c.spikes : c.others;
        EXPECT_EQ(counted, s.size);
        for (std::uint32_t b = read.part_begin(part), k = 0; b < read.part_begin(part + 1); ++b, ++k) {
          for (std::uint32_t e = s.first[k]; e < s.first[k + 1]; ++e) found[kind].push_back({b, s.step[e], s.id[e]});
        }
      }
    }
    EXPECT_TRUE(found[0] == written[0] && found[1] == written[1]) << parts;

    // Cut off, too long, neurons that the section does not have.
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, bytes.size() / 2, bytes.size() - 1})
      EXPECT_THROW(decode_section(std::span(bytes).first(n), 1, {}, 96, read), RunError) << n;
    EXPECT_THROW(decode_section(bytes, 1, {}, 95, read), RunError);
    bytes.push_back(std::byte{0});
    EXPECT_THROW(decode_section(bytes, 1, {}, 96, read), RunError);
  }
}

}  // namespace
}  // namespace tessera::training
