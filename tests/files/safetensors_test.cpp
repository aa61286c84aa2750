// safetensors: round trips, files as the format's definition describes them, damaged and hostile
// ones.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/safetensors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "files/file.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::io {
namespace {

// A file put together by hand from the definition, independently of the writer.
std::string file_of(const std::string& header, const std::string& data) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return bytes + header + data;
}

const std::string kOne = std::string("\0\0\x80\x3f", 4);  // 1.0f
const std::string kHalf = std::string("\0\0\0\x3f", 4);   // 0.5f
const std::string kTwo = std::string("\0\0\0\x40", 4);    // 2.0f

std::string error_of(const std::string& bytes) {
  try {
    (void)parse_safetensors(bytes, "w.safetensors");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Safetensors, ReadsAFilePutTogetherByHand) {
  const std::string header =
      R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"__metadata__":{"epoch":"3"},)"
      R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
      R"("none":{"dtype":"F32","shape":[0,5],"data_offsets":[12,12]}}   )";
  const Safetensors content = parse_safetensors(file_of(header, kOne + kHalf + kTwo), "x");
  ASSERT_EQ(content.tensors.size(), 3u);
  EXPECT_EQ(content.tensors[0].name, "a");  // in the order of the data
  EXPECT_TRUE(content.tensors[0].shape.empty());
  EXPECT_EQ(content.tensors[0].values, std::vector<float>{1.0f});
  EXPECT_EQ(content.tensors[1].values, (std::vector<float>{0.5f, 2.0f}));
  EXPECT_EQ(content.tensors[2].shape, (std::vector<std::uint64_t>{0, 5}));
  EXPECT_EQ(content.metadata.at("epoch"), "3");
}

TEST(Safetensors, WhatIsWrittenIsTheFormatAndReadsBack) {
  const TemporaryFolder folder;
  Safetensors content;
  content.tensors = {{"first.weight", {2, 3}, {1, -2, 3.5f, 0, 1e-40f, 7}},
                     {"first.bias", {1}, {std::numeric_limits<float>::max()}}};
  content.metadata = {{"model", "quotes \" and \xc3\xa9"}, {"epoch", "12"}};
  write_safetensors(folder / "w.safetensors", content);
  const std::string bytes = read_file(folder / "w.safetensors", 1 << 20);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  EXPECT_EQ(bytes.size(), 8 + length + 7 * 4);
  EXPECT_EQ(bytes[8], '{');
  const Safetensors back = read_safetensors(folder / "w.safetensors");
  ASSERT_EQ(back.tensors.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(back.tensors[i].name, content.tensors[i].name);
    EXPECT_EQ(back.tensors[i].shape, content.tensors[i].shape);
    EXPECT_EQ(back.tensors[i].values, content.tensors[i].values);
  }
  EXPECT_EQ(back.metadata, content.metadata);
  EXPECT_EQ(folder.listing(), "w.safetensors");
}

TEST(Safetensors, NothingIsWrittenForAShapeThatDoesNotFit) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_safetensors(folder / "w", {{{"a", {2}, {1, 2, 3}}}, {}}), std::logic_error);
  EXPECT_EQ(folder.listing(), "");
}

TEST(Safetensors, EveryDamageIsASentenceWithFileAndOffset) {
  const auto tensor = [](const std::string& shape, const std::string& range,
                         const std::string& type = "F32") {
    return R"({"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + range + "}";
  };
  const auto header = [&](const std::string& a) { return "{\"a\":" + a + "}"; };
  struct Case {
    std::string bytes, part;
  };
  const std::vector<Case> cases = {
      {"", "byte 0"},
      {"1234567", "byte 7"},
      {std::string(8, '\xff'), "18446744073709551615"},
      {file_of("{}", "").substr(0, 9), "byte 0"},
      {file_of("{\"a\":", ""), "not JSON"},
      {file_of("[1]", ""), "not an object"},
      {file_of(header("[[[[[[1]]]]]]"), ""), "nested"},
      {file_of(R"({"a":1,"a":2})", ""), "twice"},
      {file_of(R"({"__metadata__":{"k":1}})", ""), "metadata 'k'"},
      {file_of(header("3"), ""), "needs dtype"},
      {file_of(header(tensor("[1]", "[0,2]", "F16")), "xx"), "F16"},
      {file_of(header(tensor("[-1]", "[0,4]")), kOne), "shape"},
      {file_of(header(tensor("[1.5]", "[0,4]")), kOne), "shape"},
      {file_of(header(tensor("[4294967296,4294967296]", "[0,0]")), ""), "overflows"},
      {file_of(header(tensor("[4611686018427387904]", "[0,0]")), ""), "elements"},
      {file_of(header(tensor("[1]", "[4,0]")), kOne), "range"},
      {file_of(header(tensor("[2]", "[0,4]")), kOne), "range"},
      {file_of(header(tensor("[1]", "[0]")), kOne), "two numbers"},
      {file_of(header(tensor("[2]", "[0,8]")), kOne), "ends inside tensor 'a'"},
      {file_of(header(tensor("[1]", "[0,4]")), kOne + kOne), "4 bytes follow"},
      {file_of(header(tensor("[1]", "[4,8]")), kOne + kOne), "begins at 4"},
      {file_of("{\"a\":" + tensor("[2]", "[0,8]") + ",\"b\":" + tensor("[1]", "[4,8]") + "}",
               kOne + kOne),
       "begins at 4"},
  };
  for (const Case& c : cases) {
    const std::string error = error_of(c.bytes);
    EXPECT_NE(error.find(c.part), std::string::npos) << c.part << " is not in: " << error;
    EXPECT_NE(error.find("w.safetensors"), std::string::npos) << error;
    EXPECT_NE(error.find("byte "), std::string::npos) << error;
  }
}

TEST(Safetensors, EveryPrefixOfAFileIsRefused) {
  const TemporaryFolder folder;
  write_safetensors(folder / "w", {{{"a", {3}, {1, 2, 3}}, {"b", {1}, {4}}}, {{"k", "v"}}});
  const std::string whole = read_file(folder / "w", 1 << 16);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_NE(error_of(whole.substr(0, bytes)), "") << bytes;
  }
  EXPECT_EQ(error_of(whole), "");
}

}  // namespace
}  // namespace tessera::io
