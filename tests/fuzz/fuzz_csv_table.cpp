// libFuzzer target: the reader of csv tables must answer any bytes with a table or an InputError.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string_view>

#include "files/csv_table.hpp"
#include "tessera/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  try {
    const auto table =
        tessera::io::parse_csv_table({reinterpret_cast<const char*>(data), size}, "fuzzed.csv");
    if (table.values.size() != table.rows() * table.columns) std::abort();
  } catch (const tessera::InputError&) {
  }
  try {
    const auto texts = tessera::io::parse_csv_texts({reinterpret_cast<const char*>(data), size}, "fuzzed.csv");
    if (texts.cells.size() != texts.lines.size() * texts.header.size()) std::abort();
  } catch (const tessera::InputError&) {
  }
  return 0;
}
