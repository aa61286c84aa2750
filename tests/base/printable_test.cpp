// What may reach a terminal.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(Printable, KeepsTextOfAnyLanguage) {
  const std::string text = "L2/3 \xc3\xa9\xce\xbc\xe4\xb8\xad\xf0\x9f\x99\x82\n\tnext";
  EXPECT_EQ(printable(text), text);
}

TEST(Printable, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(printable("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(printable(std::string_view("a\0b\r\x7f", 5)), "a\\x00b\\x0d\\x7f");
  EXPECT_EQ(printable("\xc2\x9b" "31m"), "\\xc2\\x9b31m");  // U+009B: an escape of one character
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");   // U+202E: right to left from here
}

TEST(Printable, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("\xff\x9b"), "\\xff\\x9b");
  EXPECT_EQ(printable("\xc3"), "\\xc3");              // cut off
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");     // '/' in two bytes
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // half of a surrogate pair
}

TEST(Printable, PlainNamesHaveOneLine) {
  EXPECT_TRUE(is_plain_name("caf\xc3\xa9, L4"));
  EXPECT_TRUE(is_plain_name(""));
  EXPECT_FALSE(is_plain_name("a\nb"));
  EXPECT_FALSE(is_plain_name("a\tb"));
  EXPECT_FALSE(is_plain_name("\x1b]0;title\x07"));
}

}  // namespace
}  // namespace tessera
