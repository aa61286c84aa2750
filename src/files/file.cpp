// Atomic writing and bounded reading of files.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "files/digest.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 18;

std::string reason_of(int error_number) { return std::generic_category().message(error_number); }

// Devices, pipes and sockets keep their name; std::filesystem follows links to them.
bool written_in_place(const std::filesystem::path& file) {
  std::error_code ignored;
  const auto status = std::filesystem::status(file, ignored);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

void sync_path(const std::filesystem::path& path, const std::filesystem::path& named, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) throw_write_error(named, errno);
  const int failed = ::fsync(descriptor) != 0 ? errno : 0;
  ::close(descriptor);
  // Some file systems cannot flush a folder; that is no reason to lose a result.
  if (failed != 0 && failed != EINVAL && failed != ENOTSUP) throw_write_error(named, failed);
}

void write_fully(int descriptor, const char* data, std::size_t bytes,
                 const std::filesystem::path& named) {
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor, data, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_write_error(named, errno);
    data += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

}  // namespace

void throw_write_error(const std::filesystem::path& file, const std::string& reason) {
  throw RunError("cannot write " + file.string() + ": " + reason);
}

void throw_write_error(const std::filesystem::path& file, int error_number) {
  throw_write_error(file, reason_of(error_number));
}

PendingFile::PendingFile(std::filesystem::path final_name) : final_(std::move(final_name)) {
  if (written_in_place(final_)) {
    temporary_ = final_;
    pending_ = false;
  } else {
    temporary_ = final_.parent_path() / ("." + final_.filename().string() + ".partial");
  }
}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : final_(std::move(other.final_)),
      temporary_(std::move(other.temporary_)),
      pending_(std::exchange(other.pending_, false)) {}

PendingFile::~PendingFile() {
  if (pending_) ::unlink(temporary_.c_str());
}

void PendingFile::commit() {
  if (!pending_) return;
  sync_path(temporary_, final_, O_RDONLY);
  if (::rename(temporary_.c_str(), final_.c_str()) != 0) throw_write_error(final_, errno);
  pending_ = false;
  const auto folder = final_.parent_path().empty() ? "." : final_.parent_path();
  sync_path(folder, final_, O_RDONLY | O_DIRECTORY);
}

FileWriter::FileWriter(const std::filesystem::path& final_name) : file_(final_name) {
  descriptor_ = ::open(file_.temporary().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_write_error(final_name, errno);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      buffer_(std::move(other.buffer_)) {}

FileWriter::~FileWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void FileWriter::flush() {
  write_fully(descriptor_, buffer_.data(), buffer_.size(), file_.final_name());
  buffer_.clear();
}

void FileWriter::write(const void* data, std::size_t bytes) {
  buffer_.append(static_cast<const char*>(data), bytes);
  if (buffer_.size() >= kBufferBytes) flush();
}

void FileWriter::overwrite(std::uint64_t offset, const void* data, std::size_t bytes) {
  flush();
  const ssize_t written = ::pwrite(descriptor_, data, bytes, static_cast<off_t>(offset));
  if (written < 0) throw_write_error(file_.final_name(), errno);
  if (static_cast<std::size_t>(written) != bytes) throw_write_error(file_.final_name(), ENOSPC);
}

void FileWriter::commit() {
  flush();
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0) throw_write_error(file_.final_name(), errno);
  file_.commit();
}

void write_file(const std::filesystem::path& file, const std::string& bytes) {
  FileWriter writer(file);
  writer.write(bytes);
  writer.commit();
}

std::string read_file(const std::filesystem::path& file, std::uint64_t limit) {
  const auto fail = [&file](const std::string& reason) -> void {
    throw InputError("cannot read " + file.string() + ": " + reason);
  };
  // Non-blocking, so that a pipe in place of a file cannot make us wait for ever.
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail(reason_of(errno));
  struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } closer{descriptor};
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail(reason_of(errno));
  if (!S_ISREG(status.st_mode)) fail("it is not a regular file.");
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  if (bytes > limit) {
    fail("it has " + std::to_string(bytes) + " bytes, more than the " + std::to_string(limit) +
         " allowed.");
  }
  std::string content(static_cast<std::size_t>(bytes), '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = ::read(descriptor, content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(reason_of(errno));
    if (got == 0) fail("it became shorter while being read.");
    filled += static_cast<std::size_t>(got);
  }
  return content;
}

std::string file_checksum(const std::filesystem::path& file) {
  const auto fail = [&file](int error_number) {
    throw RunError("cannot read " + file.string() + ": " + reason_of(error_number));
  };
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail(errno);
  std::vector<char> buffer(kBufferBytes);
  Digest digest;
  ssize_t got = 1;
  while (got != 0) {
    got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno != EINTR) break;
    if (got > 0) digest.add(buffer.data(), static_cast<std::size_t>(got));
  }
  const int failed = got < 0 ? errno : 0;
  ::close(descriptor);
  if (failed != 0) fail(failed);
  return digest.text();
}

std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

std::string encoded_name(const std::string& name) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char letter : name) {
    const auto code = static_cast<unsigned char>(letter);
    const bool plain = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
                       (code >= '0' && code <= '9') || code == '_' || code == '-' || code == '+' ||
                       (code == '.' && !encoded.empty());
    if (plain) {
      encoded += letter;
    } else {
      encoded += '%';
      encoded += kDigits[code >> 4];
      encoded += kDigits[code & 15];
    }
  }
  return encoded;
}

}  // namespace tessera::io
