// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "data/byte_reader.hpp"
#include "tessera/errors.hpp"

namespace tessera::training {

GzipReader::GzipReader(const std::filesystem::path& file) : name_(file.string()) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed)) {
    throw InputError("cannot read " + name_ + ": it is missing or not a regular file.");
  }
  errno = 0;
  gzFile stream = gzopen(name_.c_str(), "rb");
  if (stream == nullptr) {
    throw InputError("cannot read " + name_ + ": " + std::generic_category().message(errno) + ".");
  }
  gzbuffer(stream, 1u << 18);
  stream_ = stream;
}

GzipReader::~GzipReader() {
  if (stream_ != nullptr) gzclose(static_cast<gzFile>(stream_));
}

std::size_t GzipReader::read(char* into, std::size_t count) {
  auto* stream = static_cast<gzFile>(stream_);
  std::size_t done = 0;
  while (done < count) {
    const auto part = static_cast<unsigned>(std::min<std::size_t>(count - done, 1u << 30));
    const int got = gzread(stream, into + done, part);
    int error = Z_OK;
    const char* reason = gzerror(stream, &error);
    // A compressed file that ends early gives what there is and then Z_BUF_ERROR.
    if (got < 0 || error != Z_OK) {
      throw_damaged(name_, offset_ + (got > 0 ? static_cast<unsigned>(got) : 0u),
                    error == Z_BUF_ERROR
                        ? "the compressed data ends early"
                        : std::string("the compressed data is wrong (") + reason + ")");
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
    offset_ += static_cast<std::uint64_t>(got);
  }
  return done;
}

bool GzipReader::skip(std::uint64_t count) {
  std::string scratch(static_cast<std::size_t>(std::min<std::uint64_t>(count, 1u << 16)), '\0');
  while (count > 0) {
    const std::size_t part =
        static_cast<std::size_t>(std::min<std::uint64_t>(count, scratch.size()));
    if (read(scratch.data(), part) < part) return false;
    count -= part;
  }
  return true;
}

std::string read_gzip(const std::filesystem::path& file, std::uint64_t limit) {
  GzipReader reader(file);
  std::string bytes;
  constexpr std::size_t kPart = 1u << 20;
  while (true) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kPart);
    const std::size_t got = reader.read(bytes.data() + before, kPart);
    bytes.resize(before + got);
    if (bytes.size() > limit) {
      throw InputError("cannot read " + file.string() + ": it holds more than " +
                       std::to_string(limit) + " bytes.");
    }
    if (got < kPart) return bytes;
  }
}

}  // namespace tessera::training
