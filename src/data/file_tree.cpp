// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/file_tree.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <numeric>
#include <system_error>
#include <utility>

#include "data/byte_reader.hpp"
#include "data/gzip.hpp"
#include "files/file.hpp"
#include "tessera/errors.hpp"

namespace tessera::training {
namespace {

constexpr std::uint64_t kMostMemberBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kMostArchiveBytes = std::uint64_t{1} << 33;
constexpr std::size_t kMostNameBytes = 4096;

bool matches(const std::string& name, const std::vector<std::string>& extensions) {
  std::string extension = std::filesystem::path(name).extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

class Folder : public FileTree {
 public:
  Folder(std::filesystem::path root, const std::vector<std::string>& extensions)
      : root_(std::move(root)) {
    namespace fs = std::filesystem;
    std::error_code failed;
    fs::recursive_directory_iterator it(root_, fs::directory_options::skip_permission_denied,
                                        failed);
    if (failed) {
      throw InputError("cannot read folder " + root_.string() + ": " + failed.message() + ".");
    }
    for (; it != fs::recursive_directory_iterator(); it.increment(failed)) {
      if (it.depth() >= 4) it.disable_recursion_pending();
      const fs::path& path = it->path();
      if (matches(path.filename().string(), extensions) && it->is_regular_file(failed)) {
        names_.push_back(path.lexically_relative(root_).generic_string());
      }
      if (failed) break;
    }
    if (failed) {
      throw InputError("cannot read folder " + root_.string() + ": " + failed.message() + ".");
    }
    std::sort(names_.begin(), names_.end());
  }
  [[nodiscard]] std::string read(std::size_t i) const override {
    return io::read_file(root_ / names_[i], kMostMemberBytes);
  }
  [[nodiscard]] std::string describe(std::size_t i) const override {
    return (root_ / names_[i]).string();
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override {
    std::vector<std::filesystem::path> all;
    for (const std::string& name : names_) all.push_back(root_ / name);
    return all;
  }

 private:
  std::filesystem::path root_;
};

// One header of the POSIX ustar format (IEEE Std 1003.1-2017, pax); 512 bytes.
struct TarHeader {
  std::array<unsigned char, 512> bytes;

  [[nodiscard]] bool empty() const {
    return std::all_of(bytes.begin(), bytes.end(), [](unsigned char c) { return c == 0; });
  }
  [[nodiscard]] std::string text(std::size_t at, std::size_t most) const {
    const auto* begin = reinterpret_cast<const char*>(bytes.data()) + at;
    return {begin, strnlen(begin, most)};
  }
  // Octal digits, or with the first bit set a big-endian binary number (GNU).
  [[nodiscard]] std::uint64_t number(std::size_t at, std::size_t length, bool& valid) const {
    std::uint64_t value = 0;
    if ((bytes[at] & 0x80) != 0) {
      for (std::size_t i = at + 1; i < at + length; ++i) {
        if (value >> 55 != 0) valid = false;
        value = value << 8 | bytes[i];
      }
      return value;
    }
    for (std::size_t i = at; i < at + length; ++i) {
      if (bytes[i] == ' ' || bytes[i] == 0) continue;
      if (bytes[i] < '0' || bytes[i] > '7') valid = false;
      value = value << 3 | (bytes[i] & 7u);
    }
    return value;
  }
  [[nodiscard]] bool checksum_fits() const {
    bool valid = true;
    const std::uint64_t stated = number(148, 8, valid);
    std::uint64_t sum = 8 * ' ';
    for (std::size_t i = 0; i < bytes.size(); ++i) sum += i < 148 || i >= 156 ? bytes[i] : 0u;
    return valid && sum == stated;
  }
  [[nodiscard]] char type() const { return static_cast<char>(bytes[156]); }
  [[nodiscard]] std::string name() const {
    const std::string prefix = text(257, 5) == "ustar" && bytes[263] == '0' ? text(345, 155) : "";
    return prefix.empty() ? text(0, 100) : prefix + "/" + text(0, 100);
  }
};

class Tar : public FileTree {
 public:
  Tar(const std::filesystem::path& archive, const std::vector<std::string>& extensions)
      : archive_(archive) {
    GzipReader reader(archive);
    while (next(reader, extensions)) {
    }
    std::vector<std::size_t> order(names_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return names_[a] < names_[b]; });
    std::vector<std::string> names, contents;
    for (const std::size_t i : order) {
      names.push_back(std::move(names_[i]));
      contents.push_back(std::move(contents_[i]));
    }
    names_ = std::move(names);
    contents_ = std::move(contents);
  }
  [[nodiscard]] std::string read(std::size_t i) const override { return contents_[i]; }
  [[nodiscard]] std::string describe(std::size_t i) const override {
    return archive_.string() + ":" + names_[i];
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {archive_}; }

 private:
  bool next(GzipReader& reader, const std::vector<std::string>& extensions) {
    const std::uint64_t at = reader.offset();
    TarHeader header;
    const std::size_t got = reader.read(reinterpret_cast<char*>(header.bytes.data()), 512);
    if (got == 0) return false;
    if (got < 512) throw_damaged(reader.name(), at, "the archive ends inside a header");
    if (header.empty()) return false;
    bool valid = header.checksum_fits();
    const std::uint64_t size = header.number(124, 12, valid);
    if (!valid) throw_damaged(reader.name(), at, "this is not a header of a tar archive");
    std::string name = long_name_.empty() ? header.name() : std::exchange(long_name_, {});
    const std::uint64_t padding = (512 - size % 512) % 512;
    const char type = header.type();
    if (type == 'L') {  // GNU: the name of the next entry is longer than its field
      if (size > kMostNameBytes) throw_damaged(reader.name(), at, "a file name is too long");
      long_name_ = content(reader, size);
      long_name_.resize(strnlen(long_name_.c_str(), long_name_.size()));
    } else if ((type == '0' || type == 0) && matches(name, extensions)) {
      total_ += size;
      if (size > kMostMemberBytes || total_ > kMostArchiveBytes) {
        throw_damaged(
            reader.name(), at,
            "'" + name + "' is announced with " + std::to_string(size) + " bytes, too many");
      }
      contents_.push_back(content(reader, size));
      names_.push_back(std::move(name));
    } else if (!reader.skip(size)) {
      throw_damaged(reader.name(), reader.offset(), "the archive ends inside '" + name + "'");
    }
    return reader.skip(padding);
  }

  // Grows as the bytes come: an announced size alone allocates nothing.
  static std::string content(GzipReader& reader, std::uint64_t size) {
    std::string bytes;
    while (bytes.size() < size) {
      const std::size_t before = bytes.size();
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size - before, 1u << 22));
      bytes.resize(before + part);
      if (reader.read(bytes.data() + before, part) < part) {
        throw_damaged(reader.name(), reader.offset(), "the archive ends inside a file");
      }
    }
    return bytes;
  }

  std::filesystem::path archive_;
  std::vector<std::string> contents_;
  std::string long_name_;
  std::uint64_t total_ = 0;
};

}  // namespace

std::size_t FileTree::find(const std::string& name) const {
  const auto at = std::lower_bound(names_.begin(), names_.end(), name);
  return at != names_.end() && *at == name ? static_cast<std::size_t>(at - names_.begin())
                                           : names_.size();
}

std::shared_ptr<const FileTree> open_folder(const std::filesystem::path& folder,
                                            const std::vector<std::string>& extensions) {
  return std::make_shared<Folder>(folder, extensions);
}

std::shared_ptr<const FileTree> open_tar(const std::filesystem::path& archive,
                                         const std::vector<std::string>& extensions) {
  return std::make_shared<Tar>(archive, extensions);
}

}  // namespace tessera::training
