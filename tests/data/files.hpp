// Small files in the published layouts, and what the tests share.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "tessera/data.hpp"

namespace tessera::training {

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(out.good()) << file;
}

inline std::string big(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}
inline std::string little(std::uint32_t value, unsigned bytes = 4) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

/// An AEDAT 3.1 packet of polarity events: x, y, polarity, time in microseconds.
inline std::string aedat_packet(const std::vector<std::array<std::uint32_t, 4>>& events,
                                std::uint32_t type = 1) {
  const auto count = static_cast<std::uint32_t>(events.size());
  std::string bytes = little(type, 2) + little(0, 2) + little(8) + little(4) + little(0) +
                      little(count) + little(count) + little(count);
  for (const auto& [x, y, p, t] : events)
    bytes += little(x << 17 | y << 2 | p << 1 | 1) + little(t);
  return bytes;
}
inline const std::string kAedatHeader =
    "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n";

/// The message of the InputError that `action` throws, "" when it throws none.
inline std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}
inline ::testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << part << "' is not in '" << text << "'";
}

inline DataSpec spec_of(const std::string& dataset) {
  DataSpec spec;
  spec.dataset = dataset;
  return spec;
}

/// The folder of real data sets, or nothing.
inline std::filesystem::path real_data() {
  const char* folder = std::getenv("TESSERA_DATA_DIR");
  return folder == nullptr ? std::filesystem::path() : std::filesystem::path(folder);
}

#define TESSERA_NEED_REAL_DATA(name)                                               \
  if (real_data().empty() || !std::filesystem::is_directory(real_data() / (name))) \
  GTEST_SKIP() << "TESSERA_DATA_DIR does not name a folder with '" << (name)       \
               << "': the published files are not checked"

}  // namespace tessera::training
