// AEDAT 3.1, the format of DVS Gesture's recordings, and the tables of their labels.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "data/byte_reader.hpp"
#include "data/readers.hpp"
#include "files/file.hpp"
#include "files/npy.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kAedatSide = 128;
constexpr std::uint32_t kPolarityEvent = 1;
constexpr std::uint32_t kEventBytes = 8;

// Text lines that start with '#', up to and including "#!END-HEADER" when there is one.
std::size_t header_bytes(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && bytes[at] == '#') {
    const std::size_t end = bytes.find('\n', at);
    const std::string_view line = bytes.substr(at, end == std::string_view::npos ? end : end - at);
    at = end == std::string_view::npos ? bytes.size() : end + 1;
    if (line.starts_with("#!END-HEADER")) break;
  }
  return at;
}

}  // namespace

std::uint64_t parse_aedat(std::string_view bytes, const std::string& name, std::uint64_t start_us,
                          std::uint64_t end_us, Events& events) {
  events.clear();
  std::uint64_t invalid = 0;
  ByteReader reader(bytes, name);
  if (!bytes.starts_with("#!AER-DAT3.")) reader.fail("it does not begin with '#!AER-DAT3.1'");
  (void)reader.take(header_bytes(bytes), "the text header");
  while (reader.left() > 0) {
    const std::size_t packet = reader.offset();
    const std::uint32_t type = reader.little(2, "a packet header");
    (void)reader.little(2, "a packet header");  // source
    const std::uint32_t event_bytes = reader.little(4, "a packet header");
    (void)reader.little(4, "a packet header");  // where the time stands inside an event
    const std::uint64_t overflow = reader.little(4, "a packet header");
    const std::uint64_t count = reader.little(4, "a packet header");
    (void)reader.take(8, "a packet header");  // numbers of events and of valid events
    if (event_bytes == 0 || (type == kPolarityEvent && event_bytes != kEventBytes)) {
      throw_damaged(name, packet + 4, fmt::format("events of {} bytes are announced", event_bytes));
    }
    const std::size_t first = reader.offset();
    const std::string_view payload = reader.take(count * event_bytes, "a packet of events");
    if (type != kPolarityEvent) continue;  // marks of the camera
    ByteReader body(payload, name);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint32_t word = body.little(4, "an event"), stamp = body.little(4, "an event");
      const std::uint64_t time = overflow << 31 | (stamp & 0x7fffffffu);
      if (time < start_us || time >= end_us) continue;
      if ((word & 1) == 0) {
        ++invalid;
        continue;
      }
      const std::uint32_t x = word >> 17 & 0x1fff, y = word >> 2 & 0x1fff, p = word >> 1 & 1;
      if (x >= kAedatSide || y >= kAedatSide) {
        throw_damaged(name, first + i * kEventBytes,
                      fmt::format("an event at ({}, {}) is outside 128 x 128 pixels", x, y));
      }
      const std::uint64_t since = time - start_us;
      if (since > std::numeric_limits<std::uint32_t>::max()) continue;  // beyond 71 minutes
      events.add(static_cast<std::uint32_t>(since), (y * kAedatSide + x) * 2 + p);
    }
  }
  return invalid;
}

std::vector<Gesture> parse_gesture_labels(std::string_view text, const std::string& name) {
  std::vector<Gesture> gestures;
  std::size_t at = text.size() - io::without_byte_order_mark(text).size();
  for (int line_number = 1; at < text.size(); ++line_number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    const std::size_t offset = at;
    at = end + 1;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || (line_number == 1 && (line[0] < '0' || line[0] > '9'))) continue;
    std::array<std::uint64_t, 3> numbers{};
    const char* next = line.data();
    const char* last = line.data() + line.size();
    bool valid = true;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto [rest, error] = std::from_chars(next, last, numbers[i]);
      valid =
          valid && error == std::errc() && (i == 2 ? rest == last : rest != last && *rest == ',');
      next = rest == last ? last : rest + 1;
    }
    if (!valid || numbers[0] < 1 || numbers[0] > 11 || numbers[1] > numbers[2]) {
      throw_damaged(name, offset,
                    fmt::format("line {} is not 'class,start_us,end_us' with a class from 1 to 11",
                                line_number));
    }
    gestures.push_back({static_cast<std::int32_t>(numbers[0]) - 1, numbers[1], numbers[2]});
  }
  return gestures;
}

void parse_gesture_npy(std::string_view bytes, const std::string& name, Events& events) {
  events.clear();
  const io::NpyArray array = io::parse_npy(bytes, name);
  if (array.rows() > 0 && array.columns() != 4) {
    throw InputError(
        fmt::format("{} has {} columns instead of x, y, polarity, time.", name, array.columns()));
  }
  for (std::size_t i = 0; i < array.rows(); ++i) {
    const double* row = array.values.data() + i * 4;
    const double time_us = row[3] * 1000.0;
    const bool inside = row[0] >= 0.0 && row[0] < kAedatSide && row[1] >= 0.0 && row[1] < kAedatSide &&
                        (row[2] == 0.0 || row[2] == 1.0);
    if (!inside || !(time_us >= 0.0 && time_us < 4294967295.0)) {
      throw InputError(fmt::format("{}: row {} is not an event of a 128 x 128 camera.", name, i));
    }
    const auto x = static_cast<std::uint32_t>(row[0]), y = static_cast<std::uint32_t>(row[1]);
    events.add(static_cast<std::uint32_t>(std::lround(time_us)),
               (y * kAedatSide + x) * 2 + static_cast<std::uint32_t>(row[2]));
  }
}

}  // namespace tessera::training
