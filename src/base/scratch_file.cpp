// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/scratch_file.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "tessera/errors.hpp"

namespace tessera {
namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& folder) {
  throw RunError("A temporary file in '" + folder.string() + "' " + what + ": " + std::strerror(errno) + ".");
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

std::uint64_t ScratchFile::append(const void* bytes, std::size_t size) {
  const std::uint64_t at = size_;
  const char* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t n = ::pwrite(file_, from, size, static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("cannot be written", folder_);
    from += n;
    size -= static_cast<std::size_t>(n);
    size_ += static_cast<std::uint64_t>(n);
  }
  return at;
}

void ScratchFile::read(std::uint64_t at, void* bytes, std::size_t size) const {
  char* to = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t n = ::pread(file_, to, size, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("cannot be read", folder_);
    to += n;
    size -= static_cast<std::size_t>(n);
    at += static_cast<std::uint64_t>(n);
  }
}

}  // namespace tessera
