// npz archives: members as NumPy writes them (stored, deflated, with zip64 extras), damage, lies.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/npz.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

std::string little(std::uint64_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

// Two numbers of one byte, as NEP 1 describes the file.
std::string npy(const std::string& data) {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (" +
                       std::to_string(data.size()) + ",), }\n";
  return std::string("\x93NUMPY\x01\x00", 8) + little(header.size(), 2) + header + data;
}

struct Member {
  std::string name, content;
  bool deflated = false;
  std::uint32_t flags = 0;
  std::uint32_t announced = 0;   // 0: the true size
  std::string local_extra = {};  // numpy.savez leaves room for zip64 here
};

std::string deflate_raw(const std::string& content) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// A zip file by APPNOTE 6.3: local headers and data, central directory, end record.
std::string zip(const std::vector<Member>& members, const std::string& comment = "") {
  std::string bytes, directory;
  for (const Member& m : members) {
    const std::string packed = m.deflated ? deflate_raw(m.content) : m.content;
    const std::uint64_t size = m.announced != 0 ? m.announced : m.content.size();
    const std::string common = little(m.flags, 2) + little(m.deflated ? 8 : 0, 2) + little(0, 4) +
                               little(crc32(0, reinterpret_cast<const Bytef*>(m.content.data()),
                                            static_cast<uInt>(m.content.size())),
                                      4) +
                               little(packed.size(), 4) + little(size, 4) +
                               little(m.name.size(), 2);
    directory += "PK\x01\x02" + little(20, 2) + little(20, 2) + common + std::string(12, '\0') +
                 little(bytes.size(), 4) + m.name;
    bytes += "PK\x03\x04" + little(20, 2) + common + little(m.local_extra.size(), 2) + m.name +
             m.local_extra + packed;
  }
  const std::size_t start = bytes.size();
  return bytes + directory + "PK\x05\x06" + little(0, 4) + little(members.size(), 2) +
         little(members.size(), 2) + little(directory.size(), 4) + little(start, 4) +
         little(comment.size(), 2) + comment;
}

std::string refusal(const std::string& bytes, const std::string& array = "a") {
  try {
    (void)NpzArchive(bytes, "x.npz").read(array);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Npz, ReadsStoredAndDeflatedMembers) {
  const std::string bytes = zip({{"a.npy", npy("\x05\x07"), false, 0, 0, std::string(20, '\0')},
                                 {"b.npy", npy(std::string(5000, '\x03')), true},
                                 {"notes.txt", "no array"}},
                                "a comment");
  const NpzArchive archive(bytes, "x.npz");
  EXPECT_EQ(archive.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(archive.read("a").values, (std::vector<double>{5, 7}));
  EXPECT_EQ(archive.read("b").values, std::vector<double>(5000, 3.0));
  EXPECT_EQ(refusal(bytes, "c"), "x.npz: it has no array 'c'; its arrays are: a, b.");
}

TEST(Npz, RefusesEveryTruncationAndEveryFlippedByte) {
  const std::string whole = zip({{"a.npy", npy("\x05\x07"), true}});
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_NE(refusal(whole.substr(0, n)), "") << n;
  std::size_t harmless = 0;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    std::string damaged = whole;
    damaged[n] = static_cast<char>(damaged[n] ^ 0x10);
    try {
      // Versions, times and attributes mean nothing here; what is read must be what was written.
      EXPECT_EQ(NpzArchive(damaged, "x.npz").read("a").values, (std::vector<double>{5, 7})) << n;
      ++harmless;
    } catch (const InputError&) {
    }
  }
  EXPECT_LT(harmless, whole.size() / 2);
}

TEST(Npz, RefusesLies) {
  EXPECT_TRUE(contains(refusal("nothing"), "no table of contents"));
  // A deflated bit makes at most 129 bytes: 4 GB cannot come out of this.
  EXPECT_TRUE(contains(refusal(zip({{"a.npy", npy("ab"), true, 0, 4'000'000'000u}})),
                       "announces more bytes than it can hold"));
  EXPECT_TRUE(contains(refusal(zip({{"a.npy", npy("ab"), true, 0, 500}})), "cannot be unpacked"));
  EXPECT_TRUE(contains(refusal(zip({{"a.npy", npy("ab"), false, 1}})), "encrypted"));
  EXPECT_TRUE(
      contains(refusal(zip({{"a.npy", npy("ab")}, {"a.npy", npy("cd")}})), "holds 'a.npy' twice"));
  EXPECT_TRUE(contains(refusal(zip({{"a.npy", "no array"}})), "x.npz:a: not a readable npy file"));
}

}  // namespace
}  // namespace tessera::io
