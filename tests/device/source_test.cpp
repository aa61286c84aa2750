// Every call of the CUDA runtime is looked at: its error is thrown, kept, or dropped on purpose.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

namespace tessera::test {
namespace {

/// Calls of a line that are neither inside check(...), nor kept, nor dropped with (void).
int unchecked_calls(const std::string& line) {
  static const std::regex call("cuda[A-Z][A-Za-z0-9]*\\(");
  static const std::regex fine("check\\(cuda[A-Z][A-Za-z0-9]*\\(|\\(void\\)cuda[A-Z][A-Za-z0-9]*\\(|cudaError_t error = cuda[A-Z][A-Za-z0-9]*\\(|"
                               "cudaGetErrorString\\(");
  const auto count = [&line](const std::regex& what) {
    return static_cast<int>(std::distance(std::sregex_iterator(line.begin(), line.end(), what), std::sregex_iterator()));
  };
  return count(call) - count(fine);
}

TEST(CudaSources, EveryCallIsChecked) {
  EXPECT_EQ(unchecked_calls("  cudaFree(x);"), 1);
  EXPECT_EQ(unchecked_calls("  check(cudaFree(x), \"f\"); (void)cudaFree(y);"), 0);
  int calls = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(TESSERA_SOURCE_DIR "/src")) {
    if (entry.path().extension() != ".cu") continue;
    std::ifstream file(entry.path());
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
      if (line.find("__cuda") == std::string::npos) {
        EXPECT_EQ(unchecked_calls(line), 0) << entry.path() << ":" << number << ": " << line;
      }
      calls += line.find("check(cuda") != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_GT(calls, 5);
}

}  // namespace
}  // namespace tessera::test
