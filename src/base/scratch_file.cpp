// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/scratch_file.hpp"

#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL  // no library to link
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "tessera/errors.hpp"

namespace tessera {
namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& folder) {
  throw RunError("A temporary file in '" + folder.string() + "' " + what + ": " + std::strerror(errno) + ".");
}

[[noreturn]] void throw_damaged(const std::filesystem::path& folder) {
  throw RunError("A temporary file in '" + folder.string() + "' does not have what was written to it: it is damaged.");
}

}  // namespace

ScratchFile::ScratchFile(const std::filesystem::path& folder) {
  std::error_code ignored;
  folder_ = folder.empty() ? std::filesystem::temp_directory_path(ignored) : folder;
  std::string name = (folder_ / "tessera_XXXXXX").string();
  file_ = ::mkstemp(name.data());
  if (file_ < 0) fail("cannot be made", folder_);
  ::unlink(name.c_str());
}

ScratchFile::~ScratchFile() { ::close(file_); }

ScratchFile::Block ScratchFile::append(const void* bytes, std::size_t size) {
  const Block block{size_, size, XXH3_64bits(bytes, size)};
  const char* from = static_cast<const char*>(bytes);
  for (std::uint64_t at = size_, end = size_ + size; at < end;) {
    const ssize_t n = ::pwrite(file_, from, end - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("cannot be written", folder_);
    from += n;
    at += static_cast<std::uint64_t>(n);
  }
  size_ += size;
  return block;
}

void ScratchFile::read(const Block& block, void* bytes) const {
  char* to = static_cast<char*>(bytes);
  for (std::uint64_t at = block.at, end = block.at + block.size; at < end;) {
    const ssize_t n = ::pread(file_, to, end - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot be read", folder_);
    if (n == 0) throw_damaged(folder_);  // shorter than it was
    to += n;
    at += static_cast<std::uint64_t>(n);
  }
  if (XXH3_64bits(bytes, block.size) != block.digest) throw_damaged(folder_);
}

}  // namespace tessera
