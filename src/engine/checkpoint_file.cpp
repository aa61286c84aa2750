// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/checkpoint_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/fingerprint.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

constexpr char kMagic[8] = {'T', 'S', 'C', 'K', 'P', 'T', '0', '6'};
constexpr std::size_t kBuffer = 1 << 20;

std::span<const std::uint8_t> as_octets(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace

CheckpointWriter::CheckpointWriter(std::filesystem::path file, std::uint64_t body_bytes)
    : file_(std::move(file)), temporary_(file_.parent_path() / ("." + file_.filename().string() + ".partial")),
      hash_(fnv1a({})) {
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("create");
  buffer_.reserve(kBuffer);
  put(kMagic);
  put(body_bytes);
}

CheckpointWriter::~CheckpointWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void CheckpointWriter::fail(const char* what) {
  const std::string reason = std::strerror(errno);
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  ::unlink(temporary_.c_str());
  throw RunError("Cannot " + std::string(what) + " checkpoint '" + file_.string() + "': " + reason + ".");
}

void CheckpointWriter::put(std::span<const std::byte> bytes) {
  const auto octets = as_octets(bytes);
  hash_ = fnv1a(octets, hash_);
  for (std::size_t at = 0; at < octets.size();) {
    const std::size_t n = std::min(octets.size() - at, kBuffer - buffer_.size());
    buffer_.insert(buffer_.end(), octets.begin() + static_cast<std::ptrdiff_t>(at),
                   octets.begin() + static_cast<std::ptrdiff_t>(at + n));
    at += n;
    if (buffer_.size() == kBuffer) write_buffer();
  }
}

void CheckpointWriter::write_buffer() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const ssize_t n = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("write");
    done += static_cast<std::size_t>(n);
  }
  buffer_.clear();
}

void CheckpointWriter::finish() {
  put(std::uint64_t{hash_});
  write_buffer();
  const bool flushed = ::fsync(fd_) == 0;
  if (::close(std::exchange(fd_, -1)) != 0 || !flushed) fail("flush");
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) fail("rename");
}

CheckpointReader::CheckpointReader(const std::filesystem::path& file)
    : name_(file.string()), in_(file, std::ios::binary | std::ios::ate) {
  std::error_code ignored;
  if (!in_ || !std::filesystem::is_regular_file(file, ignored)) throw InputError("Checkpoint '" + name_ + "' cannot be opened.");
  left_ = static_cast<std::uint64_t>(std::max<std::streamoff>(0, in_.tellg()));
  in_.seekg(0);
  char magic[sizeof kMagic] = {};
  if (left_ >= sizeof magic) get(std::as_writable_bytes(std::span(magic)));
  if (std::memcmp(magic, kMagic, sizeof magic) != 0) fail("it is not a checkpoint of this version of Tessera");
  const auto length = get<std::uint64_t>();
  const std::streamoff body = in_.tellg();
  require(length);
  std::uint64_t hash = fnv1a(as_octets(std::as_bytes(std::span(&length, 1))), fnv1a(as_octets(std::as_bytes(std::span(kMagic)))));
  std::vector<std::byte> piece(kBuffer);
  for (std::uint64_t left = length; left > 0;) {
    const auto part = std::span(piece).first(std::min<std::uint64_t>(left, kBuffer));
    get(part);
    hash = fnv1a(as_octets(part), hash);
    left -= part.size();
  }
  if (get<std::uint64_t>() != hash || left_ != 0) fail("its checksum does not match");
  in_.seekg(body);
  at_ = 0;
  left_ = length;
}

void CheckpointReader::require(std::uint64_t bytes) const {
  if (bytes > left_) fail("it ends in the middle of a value");
}

void CheckpointReader::get(std::span<std::byte> bytes) {
  require(bytes.size());
  in_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in_) throw InputError("Checkpoint '" + name_ + "' cannot be read.");
  at_ += bytes.size();
  left_ -= bytes.size();
}

void CheckpointReader::skip(std::uint64_t bytes) {
  require(bytes);
  in_.seekg(static_cast<std::streamoff>(bytes), std::ios::cur);
  at_ += bytes;
  left_ -= bytes;
}

void CheckpointReader::fail(const std::string& why) const {
  throw InputError("Checkpoint '" + name_ + "' cannot be used: " + why + " (at byte " + std::to_string(at_) + ").");
}

}  // namespace tessera
