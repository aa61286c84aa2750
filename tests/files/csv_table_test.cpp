// Tables of numbers: headers, comments, what is wrong with its line and column.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/csv_table.hpp"

#include <gtest/gtest.h>

#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

std::string refusal(const std::string& text) {
  try {
    (void)parse_csv_table(text, "t.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(CsvTable, ReadsNumbersWithAndWithoutAHeader) {
  const CsvTable plain = parse_csv_table("1,2\n3,4.5\n", "t.csv");
  EXPECT_TRUE(plain.header.empty());
  EXPECT_EQ(plain.values, (std::vector<double>{1, 2, 3, 4.5}));
  EXPECT_EQ(plain.lines, (std::vector<std::uint32_t>{1, 2}));
  const CsvTable headed =
      parse_csv_table("\xef\xbb\xbf x , y\r\n\r\n# no row\r\n-1e3, 2 \r\n", "t");
  EXPECT_EQ(headed.header, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(headed.values, (std::vector<double>{-1000, 2}));
  EXPECT_EQ(headed.lines, std::vector<std::uint32_t>{4});
  EXPECT_EQ(parse_csv_table("", "t").rows(), 0u);
}

TEST(CsvTable, NamesLineAndColumnOfAMistake) {
  EXPECT_EQ(refusal("x,y\n1,2\n\n3,four\n"), "t.csv:4: 'four' in column 'y' is not a number.");
  EXPECT_EQ(refusal("1,2\n3,\n"), "t.csv:2: '' in column 2 is not a number.");
  EXPECT_EQ(refusal("1,2\n3\n"), "t.csv:2: This row has 1 cells; the first one has 2.");
  EXPECT_EQ(refusal("x,y\n1,2,3\n"), "t.csv:2: This row has 3 cells; the first one has 2.");
}

TEST(CsvTexts, KeepsCellsAsTheyAre) {
  const CsvTexts table = parse_csv_texts("\xef\xbb\xbf" "area, n\r\n# no row\r\nV1,4 0 \r\n\r\n7a,\r\n", "t");
  EXPECT_EQ(table.header, (std::vector<std::string>{"area", "n"}));
  EXPECT_EQ(table.cells, (std::vector<std::string>{"V1", "4 0", "7a", ""}));
  EXPECT_EQ(table.lines, (std::vector<std::uint32_t>{3, 5}));
}

TEST(CsvTexts, NamesTheLineOfAMistake) {
  const auto texts_refusal = [](const std::string& text) -> std::string {
    try {
      (void)parse_csv_texts(text, "t.csv");
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(texts_refusal("a,b\n1\n"), "t.csv:2: This row has 1 cells; the first one has 2.");
  EXPECT_EQ(texts_refusal("a,b,a\n"), "t.csv:1: Two columns are named 'a'.");
  EXPECT_TRUE(texts_refusal("# nothing\n").ends_with("The file has no header."));
}

}  // namespace
}  // namespace tessera::io
