// Reads the central directory at the end of a zip file; nothing is believed before it was checked.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/npz.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <utility>

#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50, kEntrySignature = 0x02014b50,
                        kLocalSignature = 0x04034b50;
constexpr std::size_t kEndBytes = 22, kEntryBytes = 46, kLocalBytes = 30, kLongestComment = 65535;
constexpr std::uint32_t kStored = 0, kDeflated = 8, kEncrypted = 1;
constexpr std::uint32_t kTooLong = 0xffffffff, kTooMany = 0xffff;  // zip64 has the number
// A bit of deflated data makes at most 129 bytes: what announces more is not worth the memory.
constexpr std::uint64_t kMostRatio = 1032;

}  // namespace

NpzArchive::NpzArchive(std::string bytes, std::string name)
    : bytes_(std::move(bytes)), name_(std::move(name)) {
  read_contents();
}

void NpzArchive::fail(const std::string& what) const {
  throw InputError(name_ + ": not a readable npz file: " + what);
}

std::string_view NpzArchive::range(std::uint64_t at, std::uint64_t count,
                                   const std::string& what) const {
  if (at > bytes_.size() || count > bytes_.size() - at) {
    fail(fmt::format("{} at byte {} ends beyond the file.", what, at));
  }
  return std::string_view(bytes_).substr(static_cast<std::size_t>(at),
                                         static_cast<std::size_t>(count));
}

std::uint32_t NpzArchive::number(std::uint64_t at, unsigned count) const {
  const std::string_view part = range(at, count, "a number");
  std::uint32_t value = 0;
  for (unsigned i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(part[i]);
  return value;
}

// The last record whose comment reaches exactly to the end of the file.
std::size_t NpzArchive::end_record() const {
  if (bytes_.size() >= kEndBytes) {
    const std::size_t last = bytes_.size() - kEndBytes;
    const std::size_t first = last - std::min(last, kLongestComment);
    for (std::size_t at = last + 1; at-- > first;) {
      if (number(at, 4) == kEndSignature && number(at + 20, 2) == last - at) return at;
    }
  }
  fail("it has no table of contents; it is no zip file, or it is cut off.");
}

void NpzArchive::read_contents() {
  const std::size_t end = end_record();
  const std::uint32_t entries = number(end + 10, 2);
  std::uint64_t at = number(end + 16, 4);
  if (number(end + 4, 2) != 0 || number(end + 8, 2) != entries) fail("it is one of several parts.");
  if (entries == kTooMany || at == kTooLong) fail("archives of more than 4 GB cannot be read.");
  for (std::uint32_t i = 0; i < entries; ++i) {
    (void)range(at, kEntryBytes, "an entry of the table of contents");
    if (number(at, 4) != kEntrySignature) {
      fail(fmt::format("its table of contents is damaged at byte {}.", at));
    }
    const std::uint32_t name_bytes = number(at + 28, 2);
    const std::string member(range(at + kEntryBytes, name_bytes, "a name"));
    const Member found{number(at + 10, 2), number(at + 16, 4), number(at + 20, 4),
                       number(at + 24, 4), number(at + 42, 4)};
    const bool encrypted = (number(at + 8, 2) & kEncrypted) != 0;
    at += kEntryBytes + name_bytes + number(at + 30, 2) + number(at + 32, 2);
    if (!member.ends_with(".npy")) continue;
    if (encrypted || (found.method != kStored && found.method != kDeflated)) {
      fail(
          fmt::format("'{:.80}' is encrypted or packed in a way that NumPy does not use.", member));
    }
    if (std::max({found.packed, found.unpacked, found.local_header}) == kTooLong) {
      fail(fmt::format("'{:.80}' has more than 4 GB.", member));
    }
    if (!members_.emplace(member.substr(0, member.size() - 4), found).second) {
      fail(fmt::format("it holds '{:.80}' twice.", member));
    }
  }
}

std::vector<std::string> NpzArchive::names() const {
  std::vector<std::string> names;
  for (const auto& [name, member] : members_) names.push_back(name);
  return names;
}

std::string NpzArchive::unpack(const Member& member, const std::string& array) const {
  if (number(member.local_header, 4) != kLocalSignature) {
    fail(fmt::format("there is no member at byte {}.", member.local_header));
  }
  const std::uint64_t data = std::uint64_t{member.local_header} + kLocalBytes +
                             number(std::uint64_t{member.local_header} + 26, 2) +
                             number(std::uint64_t{member.local_header} + 28, 2);
  const std::string_view packed = range(data, member.packed, "'" + array + "'");
  std::string content;
  if (member.method == kStored) {
    content = packed;
  } else {
    if (member.unpacked > kMostRatio * (std::uint64_t{member.packed} + 1)) {
      fail(fmt::format("'{:.80}' announces more bytes than it can hold.", array));
    }
    content.resize(member.unpacked);
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail("zlib has no memory.");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = member.packed;
    stream.next_out = reinterpret_cast<Bytef*>(content.data());
    stream.avail_out = member.unpacked;
    const int result = inflate(&stream, Z_FINISH);
    const bool whole = result == Z_STREAM_END && stream.avail_out == 0;
    inflateEnd(&stream);
    if (!whole) fail(fmt::format("'{:.80}' cannot be unpacked.", array));
  }
  const auto* first = reinterpret_cast<const Bytef*>(content.data());
  if (content.size() != member.unpacked || crc32_z(0, first, content.size()) != member.checksum) {
    fail(fmt::format("'{:.80}' is damaged: its checksum is another one.", array));
  }
  return content;
}

NpyArray NpzArchive::read(const std::string& array) const {
  const auto found = members_.find(array);
  if (found == members_.end()) {
    throw InputError(fmt::format("{}: it has no array '{}'; its arrays are: {:.400}.", name_, array,
                                 fmt::format("{}", fmt::join(names(), ", "))));
  }
  return parse_npy(unpack(found->second, array), name_ + ":" + array);
}

}  // namespace tessera::io
