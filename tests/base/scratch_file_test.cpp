// Files without a name: what comes back, a disk that is full, damage, and that nothing stays.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/scratch_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

// Descriptors of this process that are files of a folder, by the name that they had.
std::vector<std::filesystem::path> open_files_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string file = std::filesystem::read_symlink(entry.path(), gone).string();
    if (!gone && file.starts_with(folder.string())) found.push_back(entry.path());
  }
  return found;
}

// Files of this process can have so many bytes: a disk that is full, for the time of its life.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

std::vector<std::uint32_t> numbers(std::uint32_t first, std::size_t n) {
  std::vector<std::uint32_t> all(n);
  std::iota(all.begin(), all.end(), first);
  return all;
}

std::vector<std::uint32_t> read_back(const ScratchFile& file, const ScratchFile::Block& block) {
  std::vector<std::uint32_t> read(block.size / sizeof(std::uint32_t));
  file.read(block, read.data());
  return read;
}

TEST(ScratchFile, GivesBackWhatItWasGiven) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  const auto a = numbers(1, 1000), b = numbers(5000, 70'000);
  const ScratchFile::Block first = file.append(a.data(), a.size() * 4), nothing = file.append(nullptr, 0),
                           second = file.append(b.data(), b.size() * 4);
  EXPECT_EQ(file.size(), 4u * 71'000u);
  EXPECT_EQ(read_back(file, second), b);
  EXPECT_EQ(read_back(file, first), a);
  EXPECT_TRUE(read_back(file, nothing).empty());
}

TEST(ScratchFile, SaysThatTheDiskIsFullAndKeepsWhatItHas) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  const auto a = numbers(1, 1000);
  const ScratchFile::Block first = file.append(a.data(), a.size() * 4);
  {
    const FullDisk full(6000);  // the second block would fit by half
    try {
      static_cast<void>(file.append(a.data(), a.size() * 4));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const RunError& error) {
      EXPECT_NE(std::string(error.what()).find(folder.path().string()), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("cannot be written"), std::string::npos) << error.what();
    }
    EXPECT_EQ(file.size(), 4000u);
    EXPECT_EQ(read_back(file, first), a);
  }
  const ScratchFile::Block again = file.append(a.data(), a.size() * 4);  // there is room now
  EXPECT_EQ(read_back(file, again), a);
}

TEST(ScratchFile, NoticesDamage) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  const auto a = numbers(1, 1000);
  const ScratchFile::Block first = file.append(a.data(), a.size() * 4), second = file.append(a.data(), a.size() * 4);
  const auto files = open_files_of(folder.path());
  ASSERT_EQ(files.size(), 1u);
  const int door = ::open(files.front().c_str(), O_RDWR);
  ASSERT_GE(door, 0);
  char byte = 0;
  ASSERT_EQ(::pread(door, &byte, 1, 1234), 1);
  byte = static_cast<char>(byte ^ 8);  // one bit
  ASSERT_EQ(::pwrite(door, &byte, 1, 1234), 1);
  EXPECT_THROW(read_back(file, first), RunError);
  EXPECT_EQ(read_back(file, second), a) << "the other one is whole";
  ASSERT_EQ(::ftruncate(door, 7999), 0);
  EXPECT_THROW(read_back(file, second), RunError);
  ::close(door);
}

TEST(ScratchFile, LeavesNothingAlsoAfterAnException) {
  const TemporaryFolder folder;
  try {
    ScratchFile file(folder.path());
    EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "it has no name";
    EXPECT_EQ(open_files_of(folder.path()).size(), 1u);
    throw RunError("something else");
  } catch (const RunError&) {
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_TRUE(open_files_of(folder.path()).empty());
  EXPECT_THROW(ScratchFile(folder / "not there"), RunError);
}

}  // namespace
}  // namespace tessera
