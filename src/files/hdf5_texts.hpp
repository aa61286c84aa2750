// Texts in HDF5 files of unknown origin. Included only where HDF5 is there.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "files/hdf5_file.hpp"

namespace tessera::io::hdf5 {

/// The heaps in which a file keeps texts of variable length (HDF5 File Format Specification, III.E). The library
/// follows what stands there unchecked (1.10: H5HG_read copies beyond the end of a damaged heap), so heaps are read
/// here:
///   "GCOL", version, 3 bytes, size of the heap (8 bytes, itself included); then objects:
///   number (2 bytes; 0: the rest is free), count of references (2), 4 bytes, size (8), data, padded to 8 bytes.
/// All numbers are little endian.
class TextHeaps {
 public:
  explicit TextHeaps(const InputFile& file) : file_(file), in_(file.path(), std::ios::binary), left_(file.bytes()) {}

  /// `count` bytes of the file. Fails beyond its end.
  std::string bytes(std::uint64_t at, std::uint64_t count) {
    if (count > file_.bytes() || at > file_.bytes() - count) file_.fail("a text lies beyond the end of the file.");
    std::string read(static_cast<std::size_t>(count), '\0');
    in_.clear();
    in_.seekg(static_cast<std::streamoff>(at));
    in_.read(read.data(), static_cast<std::streamsize>(count));
    if (static_cast<std::uint64_t>(in_.gcount()) != count) file_.fail("it ends too early.");
    return read;
  }

  /// Object `number` of the heap at an address.
  std::string object(std::uint64_t heap, std::uint32_t number) {
    const auto& objects = objects_of(heap);
    const auto found = objects.find(number);
    if (found == objects.end()) file_.fail("a text is not where it should be.");
    return found->second;
  }

  static std::uint64_t number(const std::string& bytes, std::size_t at, std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = width; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
    return value;
  }

 private:
  using Objects = std::map<std::uint32_t, std::string>;

  const Objects& objects_of(std::uint64_t address) {
    const auto known = heaps_.find(address);
    if (known != heaps_.end()) return known->second;
    constexpr std::size_t kHead = 16;
    const std::string head = bytes(address, kHead);
    const std::uint64_t size = number(head, 8, 8);
    if (head.compare(0, 5, std::string("GCOL\1", 5)) != 0 || size < kHead || size > left_)
      file_.fail("a heap of texts is damaged.");
    left_ -= size;  // heaps do not overlap
    const std::string heap = bytes(address, size);
    Objects objects;
    for (std::size_t at = kHead; at + kHead <= heap.size();) {
      const auto index = static_cast<std::uint32_t>(number(heap, at, 2));
      const std::uint64_t length = number(heap, at + 8, 8);
      if (index == 0) break;
      at += kHead;
      if (length > heap.size() - at) file_.fail("a heap of texts is damaged.");
      objects[index] = heap.substr(at, static_cast<std::size_t>(length));
      at += static_cast<std::size_t>((length + 7) / 8 * 8);
    }
    return heaps_[address] = std::move(objects);
  }

  const InputFile& file_;
  std::ifstream in_;
  std::map<std::uint64_t, Objects> heaps_;
  std::uint64_t left_;
};

/// The texts of a data set, of fixed or variable length, in the order of the file; none longer than `longest`. Fails
/// where there are more than `most`, and for texts of variable length that are compressed (nobody writes them so).
inline std::vector<std::string> read_texts(const InputFile& file, hid_t data_set, const std::string& name,
                                           std::uint64_t most, std::size_t longest) {
  const Handle type(H5Dget_type(data_set), H5Tclose), space(H5Dget_space(data_set), H5Sclose);
  if (!type.valid() || H5Tget_class(type.id()) != H5T_STRING || !space.valid() ||
      H5Sget_simple_extent_type(space.id()) == H5S_NULL)
    file.fail("'" + name + "' does not hold texts.");
  const hssize_t points = H5Sget_simple_extent_npoints(space.id());
  const bool variable = H5Tis_variable_str(type.id()) > 0;
  constexpr std::size_t kReference = 16;  // length (4 bytes), address of the heap (8), number in the heap (4)
  const std::size_t width = variable ? kReference : H5Tget_size(type.id());
  const auto count = static_cast<std::uint64_t>(std::max<hssize_t>(points, 0));
  if (points < 0 || width == 0 || (!variable && width > longest + 1) ||
      count > std::min(most, file.most_elements(data_set, name, width)))
    file.fail("'" + name + "' announces more text than is possible.");
  std::vector<std::string> texts;
  const auto add = [&](const std::string& bytes) {
    texts.push_back(bytes.substr(0, bytes.find('\0')));
    if (texts.back().size() > longest)
      file.fail("'" + name + "' has a text of more than " + std::to_string(longest) + " characters.");
  };
  if (count == 0) return texts;
  if (!variable) {
    std::string all(static_cast<std::size_t>(count) * width, '\0');
    if (H5Dread(data_set, type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()) < 0)
      file.fail("'" + name + "' is damaged.");
    for (std::uint64_t i = 0; i < count; ++i) add(all.substr(i * width, width));
    return texts;
  }
  const Handle creation(H5Fget_create_plist(file.id()), H5Pclose);
  hsize_t user_block = 0;
  std::size_t address_bytes = 0, size_bytes = 0;
  H5Pget_userblock(creation.id(), &user_block);
  H5Pget_sizes(creation.id(), &address_bytes, &size_bytes);
  const haddr_t at = H5Dget_offset(data_set);
  if (at == HADDR_UNDEF || user_block != 0 || address_bytes != 8 || size_bytes != 8)
    file.fail("'" + name + "' keeps its texts in a way that is not read here.");
  TextHeaps heaps(file);
  const std::string references = heaps.bytes(at, count * kReference);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t from = i * kReference;
    const std::uint64_t length = TextHeaps::number(references, from, 4),
                        heap = TextHeaps::number(references, from + 4, 8);
    const auto number = static_cast<std::uint32_t>(TextHeaps::number(references, from + 12, 4));
    add(length == 0 ? "" : heaps.object(heap, number).substr(0, static_cast<std::size_t>(length)));
  }
  return texts;
}

}  // namespace tessera::io::hdf5
