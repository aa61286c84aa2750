// npy arrays: round trips, files as NumPy writes them, damaged and hostile headers.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/npy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "support/temporary_folder.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

// A file as the format's definition describes it (NEP 1), built independently of the writer.
std::string npy(const std::string& dictionary, const std::string& data, char version = 1) {
  std::string header = dictionary;
  const std::size_t fixed = version == 1 ? 10 : 12;
  while ((fixed + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += version;
  bytes += '\0';
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  if (version == 2) bytes += std::string(2, '\0');
  return bytes + header + data;
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes.append(raw, sizeof(T));
  }
  return bytes;
}

std::string dictionary(const std::string& descr, const std::string& shape,
                       const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

std::string error_of(const std::string& bytes) {
  try {
    (void)parse_npy(bytes, "x.npy");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Npy, ReadsEveryNumericTypeThatNumPyWrites) {
  const auto read = [](const char* descr, const std::string& data) {
    return parse_npy(npy(dictionary(descr, "(2,)"), data), "x").values;
  };
  EXPECT_EQ(read("<f8", bytes_of<double>({1.5, -2.0})), (std::vector<double>{1.5, -2.0}));
  EXPECT_EQ(read("<f4", bytes_of<float>({1.5F, -2.0F})), (std::vector<double>{1.5, -2.0}));
  EXPECT_EQ(read("<i8", bytes_of<std::int64_t>({-3, 4})), (std::vector<double>{-3, 4}));
  EXPECT_EQ(read("<u8", bytes_of<std::uint64_t>({3, 4})), (std::vector<double>{3, 4}));
  EXPECT_EQ(read("<i4", bytes_of<std::int32_t>({-3, 4})), (std::vector<double>{-3, 4}));
  EXPECT_EQ(read("<u2", bytes_of<std::uint16_t>({65535, 4})), (std::vector<double>{65535, 4}));
  EXPECT_EQ(read("|i1", bytes_of<std::int8_t>({-128, 4})), (std::vector<double>{-128, 4}));
  EXPECT_EQ(read("|b1", bytes_of<std::uint8_t>({1, 0})), (std::vector<double>{1, 0}));
}

TEST(Npy, ReadsTwoDimensionsAndFormatTwo) {
  const auto array = parse_npy(
      npy(dictionary("<i4", "(2, 3)"), bytes_of<std::int32_t>({1, 2, 3, 4, 5, 6}), 2), "x");
  EXPECT_EQ(array.rows(), 2U);
  EXPECT_EQ(array.columns(), 3U);
  EXPECT_EQ(array.values, (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

TEST(Npy, AcceptsKeysInAnyOrderAndEmptyArrays) {
  const auto array =
      parse_npy(npy("{'shape': (0, 2), 'fortran_order': False, 'descr': '<f8'}", ""), "x");
  EXPECT_EQ(array.rows(), 0U);
  EXPECT_EQ(array.columns(), 2U);
}

TEST(Npy, RefusesWhatItCannotReadWithASentence) {
  const std::string two = bytes_of<double>({1.0, 2.0});
  EXPECT_NE(error_of("PK\x03\x04 something else").find("does not begin"), std::string::npos);
  EXPECT_NE(error_of(npy(dictionary(">f8", "(2,)"), two)).find("big endian"), std::string::npos);
  EXPECT_NE(error_of(npy(dictionary("|O", "(2,)"), two)).find("not supported"), std::string::npos);
  EXPECT_NE(error_of(npy(dictionary("<c16", "(1,)"), two)).find("not supported"),
            std::string::npos);
  EXPECT_NE(error_of(npy(dictionary("<f8", "(1, 2)", "True"), two)).find("Fortran"),
            std::string::npos);
  EXPECT_NE(error_of(npy(dictionary("<f8", "()"), two)).find("dimensions"), std::string::npos);
  EXPECT_NE(error_of(npy(dictionary("<f8", "(1, 1, 2)"), two)).find("dimensions"),
            std::string::npos);
  EXPECT_NE(error_of(npy(dictionary("<u8", "(1,)"), bytes_of<std::uint64_t>({(1ULL << 53) + 1})))
                .find("2^53"),
            std::string::npos);
}

TEST(Npy, RefusesLengthsThatDoNotFit) {
  const std::string two = bytes_of<double>({1.0, 2.0});
  for (const char* shape : {"(3,)", "(1,)", "(999999999999999999,)", "(4294967296, 4294967296)",
                            "(288230376151711744, 16)", "(5, 0)"}) {
    EXPECT_NE(error_of(npy(dictionary("<f8", shape), two)), "") << shape;
  }
  EXPECT_NE(error_of(npy(dictionary("<f8", "(2,)"), two.substr(0, 15))), "");
  EXPECT_NE(error_of(npy(dictionary("<f8", "(9999999999999999999999,)"), two)).find("too large"),
            std::string::npos);
}

TEST(Npy, RefusesEveryTruncation) {
  const std::string whole = npy(dictionary("<f8", "(2,)"), bytes_of<double>({1.0, 2.0}));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(error_of(whole.substr(0, length)), "") << length;
  }
}

TEST(Npy, RefusesMalformedHeaders) {
  for (const char* header : {"", "{", "{}", "{'descr': '<f8'}", "{'descr': '<f8', 'descr': '<f8'}",
                             "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,)}",
                             "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2,)}",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (2}",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)} import os"}) {
    EXPECT_NE(error_of(npy(header, bytes_of<double>({1.0, 2.0}))), "") << header;
  }
}

TEST(Npy, RoundTripsBitForBit) {
  const TemporaryFolder folder;
  const std::vector<double> values{0.1,
                                   -0.0,
                                   std::numeric_limits<double>::denorm_min(),
                                   std::numeric_limits<double>::infinity(),
                                   1e300,
                                   -7.0};
  write_npy(folder / "a.npy", values, 3);
  const NpyArray array = read_npy(folder / "a.npy");
  EXPECT_EQ(array.shape, (std::vector<std::size_t>{2, 3}));
  ASSERT_EQ(array.values.size(), values.size());
  EXPECT_EQ(std::memcmp(array.values.data(), values.data(), values.size() * sizeof(double)), 0);

  write_npy(folder / "b.npy", std::vector<std::int64_t>{-1, 2});
  EXPECT_EQ(read_npy(folder / "b.npy").values, (std::vector<double>{-1, 2}));
  write_npy(folder / "c.npy", std::vector<float>{0.5F});
  EXPECT_EQ(read_npy(folder / "c.npy").values, std::vector<double>{0.5});
  write_npy(folder / "d.npy", std::vector<std::uint32_t>{4294967295U});
  EXPECT_EQ(read_npy(folder / "d.npy").values, std::vector<double>{4294967295.0});
}

TEST(Npy, WritesHeadersThatNumPyAligns) {
  const TemporaryFolder folder;
  write_npy(folder / "a.npy", std::vector<double>{1.0});
  const std::string bytes = read_file(folder / "a.npy", 1000);
  // The definition asks that the data begin at a multiple of 64 and the header end with a newline.
  const std::size_t data = 10 + static_cast<unsigned char>(bytes[8]) +
                           256 * static_cast<std::size_t>(static_cast<unsigned char>(bytes[9]));
  EXPECT_EQ(data % 64, 0U);
  EXPECT_EQ(bytes[data - 1], '\n');
  EXPECT_EQ(bytes.size(), data + 8);
}

TEST(Npy, StreamsRowsWhoseNumberIsNotKnown) {
  const TemporaryFolder folder;
  NpyStream stream(folder / "s.npy", 2);
  std::vector<double> expected;
  for (int block = 0; block < 300; ++block) {
    std::vector<double> rows;
    for (int i = 0; i < 200; ++i) rows.push_back(block * 200 + i);
    expected.insert(expected.end(), rows.begin(), rows.end());
    stream.append(rows);
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "s.npy"));
  stream.commit();
  const NpyArray array = read_npy(folder / "s.npy");
  EXPECT_EQ(array.rows(), 30000U);
  EXPECT_EQ(array.values, expected);
}

TEST(Npy, RefusesFilesBeyondTheLimit) {
  const TemporaryFolder folder;
  write_npy(folder / "a.npy", std::vector<double>(100, 1.0));
  EXPECT_THROW((void)read_npy(folder / "a.npy", 500), InputError);
  EXPECT_THROW((void)read_npy(folder / "missing.npy"), InputError);
  EXPECT_THROW((void)read_npy(folder.path()), InputError);
}

}  // namespace
}  // namespace tessera::io
