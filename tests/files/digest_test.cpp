// The checksum of files: published values, and texts that carry their own.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/digest.hpp"

#include <gtest/gtest.h>

#include "files/sealed_json.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

TEST(Digest, IsXxh3) {
  // XXH3_64bits of the empty input, as published with the algorithm.
  EXPECT_EQ(digest_of(""), "xxh3:2d06800538d394c2");
}

TEST(Digest, DoesNotDependOnThePieces) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += static_cast<char>(i * 7 + i / 256);
  for (const std::size_t piece : {1, 3, 64, 1000, 4999}) {
    Digest digest;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      digest.add(text.data() + at, std::min(piece, text.size() - at));
    }
    EXPECT_EQ(digest.text(), digest_of(text)) << piece;
  }
}

TEST(Digest, TellsTextsApartThatJoinToTheSame) {
  Digest a, b;
  a.add_text("ab");
  a.add_text("c");
  b.add_text("a");
  b.add_text("bc");
  EXPECT_NE(a.value(), b.value());
}

TEST(SealedJson, HoldsTheDigestOfWhatStandsBeforeIt) {
  const std::string text = sealed("{\n  \"a\": {\n    \"b\": 1\n  }\n}\n");
  const std::string content = "{\n  \"a\": {\n    \"b\": 1\n  }";
  EXPECT_EQ(text, content + ",\n  \"checksum\": \"" + digest_of(content) + "\"\n}\n");
  EXPECT_EQ(seal_of(text), Seal::intact);
  EXPECT_EQ(seal_of("\xef\xbb\xbf" + text), Seal::intact);
  EXPECT_NO_THROW(require_seal(text, "x"));
}

TEST(SealedJson, EveryChangedByteAndEveryCutIsNoticed) {
  const std::string text = sealed("{\n  \"a\": 1\n}\n");
  for (std::size_t at = 0; at < text.size(); ++at) {
    EXPECT_NE(seal_of(text.substr(0, at)), Seal::intact) << at;
    for (int change = 1; change < 256; ++change) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      ASSERT_NE(seal_of(damaged), Seal::intact) << at << " ^ " << change;
      ASSERT_THROW(require_seal(damaged, "x"), InputError);
    }
  }
  EXPECT_EQ(seal_of("{}"), Seal::missing);
  EXPECT_THROW((void)sealed("[1]"), std::logic_error);
}

}  // namespace
}  // namespace tessera::io
