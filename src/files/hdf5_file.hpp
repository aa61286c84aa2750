// HDF5 files: handles that close themselves, files in the making that survive a full disk, files of
// unknown origin read with care. Included only where HDF5 is there.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "files/file.hpp"
#include "files/hdf5_driver.hpp"
#include "tessera/errors.hpp"

namespace tessera::io::hdf5 {

constexpr hsize_t kChunkElements = 8192;  // 64 KiB of doubles
constexpr const char* kCreator = "Tessera";  // the root's attribute "creator"

// The library prints its errors unless told otherwise; a library of ours never prints.
class QuietErrors {
 public:
  QuietErrors() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

// The innermost cause in HDF5's error stack: the system's word for it when an errno is named.
inline std::string last_reason() {
  std::string reason;
  const auto visit = [](unsigned, const H5E_error2_t* error, void* found) -> herr_t {
    auto& text = *static_cast<std::string*>(found);
    const std::string description = error->desc != nullptr ? error->desc : "";
    const std::size_t at = description.find("errno = ");
    if (at != std::string::npos) {
      text = std::generic_category().message(std::atoi(description.c_str() + at + 8));
      return 1;
    }
    if (text.empty()) text = description;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, visit, &reason);
  H5Eclear2(H5E_DEFAULT);
  return reason.empty() ? "unknown HDF5 error" : reason;
}

class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(closer_, other.closer_);
    return *this;
  }
  ~Handle() { close(); }
  [[nodiscard]] hid_t id() const noexcept { return id_; }
  [[nodiscard]] bool valid() const noexcept { return id_ >= 0; }
  bool close() { return id_ < 0 || closer_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_ = -1;
  Closer closer_ = nullptr;
};

// Properties of a new object, without the time at which it is made: equal contents are equal files.
inline Handle timeless(hid_t kind) {
  Handle creation(H5Pcreate(kind), H5Pclose);
  H5Pset_obj_track_times(creation.id(), false);
  return creation;
}

// A file in the making. Objects are created once and then only grow.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& final_name) : pending_(final_name) {
    const Handle driver(driver::make(), H5FDunregister);
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    const driver::Settings settings{error_.get()};
    H5Pset_driver(access.id(), driver.id(), &settings);
    // Closing the file closes whatever is still open in it, so a failed run leaves nothing behind.
    H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG);
    // From format 1.10 on every structure carries a checksum: damage is found, not followed.
    H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_LATEST);
    const Handle creation = timeless(H5P_FILE_CREATE);
    file_ = Handle(H5Fcreate(pending_.temporary().c_str(), H5F_ACC_TRUNC, creation.id(), access.id()),
                   H5Fclose);
    require(file_.valid());
    text_attribute(file_.id(), "creator", kCreator);
  }

  // Throws when a call failed, or the driver met an error since.
  void require(bool succeeded) const {
    if (*error_ != 0) throw_write_error(pending_.final_name(), *error_);
    if (!succeeded) throw_write_error(pending_.final_name(), last_reason());
  }

  Handle group(hid_t parent, const std::string& name) const {
    const Handle creation = timeless(H5P_GROUP_CREATE);
    Handle made(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, creation.id(), H5P_DEFAULT), H5Gclose);
    require(made.valid());
    return made;
  }

  // columns 0: one dimension.
  Handle data_set(hid_t parent, const char* name, hid_t type, hsize_t columns) const {
    const int rank = columns > 0 ? 2 : 1;
    const hsize_t none[2] = {0, columns};
    const hsize_t most[2] = {H5S_UNLIMITED, columns};
    const hsize_t wide = std::min<hsize_t>(std::max<hsize_t>(columns, 1), kChunkElements);
    const hsize_t chunk[2] = {std::max<hsize_t>(1, kChunkElements / wide), wide};
    const Handle space(H5Screate_simple(rank, none, most), H5Sclose);
    const Handle creation = timeless(H5P_DATASET_CREATE);
    H5Pset_chunk(creation.id(), rank, chunk);
    H5Pset_fletcher32(creation.id());
    Handle made(H5Dcreate2(parent, name, type, space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT),
                H5Dclose);
    require(made.valid());
    return made;
  }

  void text_attribute(hid_t object, const char* name, const std::string& value) const {
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.id(), value.size() + 1);
    attribute(object, name, type.id(), type.id(), 0, value.c_str());
  }

  // count 0: a scalar.
  void attribute(hid_t object, const char* name, hid_t type, hid_t memory_type, hsize_t count,
                 const void* values) const {
    const Handle space(count == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, nullptr),
                       H5Sclose);
    const Handle made(H5Acreate2(object, name, type, space.id(), H5P_DEFAULT, H5P_DEFAULT),
                      H5Aclose);
    require(made.valid());
    require(H5Awrite(made.id(), memory_type, values) >= 0);
  }

  // A whole data set of one dimension that never grows.
  Handle array(hid_t parent, const char* name, hid_t type, hid_t memory_type, hsize_t count,
               const void* values) const {
    const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    const Handle creation = timeless(H5P_DATASET_CREATE);
    if (count > 0) {
      H5Pset_chunk(creation.id(), 1, &count);  // checksums need chunks
      H5Pset_fletcher32(creation.id());
    }
    Handle made(H5Dcreate2(parent, name, type, space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT),
                H5Dclose);
    require(made.valid());
    if (count > 0) {
      require(H5Dwrite(made.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    }
    return made;
  }

  // Appends `rows` rows to a data set that has `have` rows.
  void append(hid_t data_set, hid_t memory_type, hsize_t have, hsize_t rows, hsize_t columns,
              const void* values) const {
    if (rows == 0) return;
    const int rank = columns > 0 ? 2 : 1;
    const hsize_t total[2] = {have + rows, columns};
    require(H5Dset_extent(data_set, total) >= 0);
    const hsize_t start[2] = {have, 0};
    const hsize_t count[2] = {rows, columns};
    const Handle there(H5Dget_space(data_set), H5Sclose);
    const Handle here(H5Screate_simple(rank, count, nullptr), H5Sclose);
    require(H5Sselect_hyperslab(there.id(), H5S_SELECT_SET, start, nullptr, count, nullptr) >= 0);
    require(H5Dwrite(data_set, memory_type, here.id(), there.id(), H5P_DEFAULT, values) >= 0);
  }

  void flush() const { require(H5Fflush(file_.id(), H5F_SCOPE_GLOBAL) >= 0); }

  void commit() {
    flush();
    require(file_.close());
    pending_.commit();
  }

  void abandon() { file_.close(); }

  [[nodiscard]] hid_t id() const noexcept { return file_.id(); }
  [[nodiscard]] std::string name() const { return pending_.final_name().filename().string(); }

 private:
  PendingFile pending_;  // destroyed last: removes the closed file
  std::unique_ptr<int> error_ = std::make_unique<int>(0);  // set by the driver
  Handle file_;
};

// Reads files of unknown origin: hard links only, no external storage, no plug-in, sizes checked.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path) : path_(path) {
    H5PLset_loading_state(0);  // no filter code from a folder that a file or the environment names
    std::error_code failed;
    const auto status = std::filesystem::status(path, failed);
    if (!std::filesystem::is_regular_file(status)) fail("it is missing or not a regular file.");
    bytes_ = std::filesystem::file_size(path, failed);
    if (failed) fail(failed.message());
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG);
    file_ = Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
    if (!file_.valid()) fail("it is truncated or not an HDF5 file (" + last_reason() + ").");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError("cannot read " + path_.string() + ": " + what);
  }

  [[nodiscard]] bool has(hid_t parent, const std::string& name) const {
    return H5Lexists(parent, name.c_str(), H5P_DEFAULT) > 0;
  }
  Handle group(hid_t parent, const std::string& name) const {
    require_hard_link(parent, name);
    return opened(Handle(H5Gopen2(parent, name.c_str(), H5P_DEFAULT), H5Gclose), name);
  }
  Handle data_set(hid_t parent, const std::string& name) const {
    require_hard_link(parent, name);
    return opened(Handle(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), H5Dclose), name);
  }

  // Rows and columns of a data set that is safe to read.
  std::array<hsize_t, 2> checked_shape(hid_t data_set, const std::string& name, int rank,
                                       H5T_class_t type_class, std::uint64_t limit) const {
    const Handle type(H5Dget_type(data_set), H5Tclose);
    if (!type.valid() || H5Tget_class(type.id()) != type_class || H5Tget_size(type.id()) > 8) {
      fail("'" + name + "' does not hold numbers of the expected type.");
    }
    const Handle space(H5Dget_space(data_set), H5Sclose);
    if (!space.valid() || H5Sget_simple_extent_ndims(space.id()) != rank) {
      fail("'" + name + "' has another number of dimensions than " + std::to_string(rank) + ".");
    }
    std::array<hsize_t, 2> shape{0, 1};
    H5Sget_simple_extent_dims(space.id(), shape.data(), nullptr);
    const bool overflows = shape[1] > 0 && shape[0] > limit / shape[1];
    const std::uint64_t most = most_elements(data_set, name, H5Tget_size(type.id()));
    if (overflows || shape[0] * shape[1] > most) {
      fail("'" + name + "' announces " + std::to_string(shape[0]) + " x " +
           std::to_string(shape[1]) + " elements, more than the file can hold.");
    }
    return shape;
  }

  // How many elements of a size the data set can hold: what fits into the file. Refuses storage
  // outside it and filters that are not part of HDF5.
  std::uint64_t most_elements(hid_t data_set, const std::string& name, std::size_t bytes) const {
    return bytes_ / bytes * compression(data_set, name);
  }

  template <class T>
  std::vector<T> read(hid_t data_set, const std::string& name, hid_t type,
                      std::uint64_t count) const {
    std::vector<T> values(static_cast<std::size_t>(count));
    if (count > 0 && H5Dread(data_set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
      fail("'" + name + "' is damaged (" + last_reason() + ").");
    }
    return values;
  }

  [[nodiscard]] hid_t id() const noexcept { return file_.id(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  // An ordinary object of this file, not a pointer to elsewhere.
  void require_hard_link(hid_t parent, const std::string& name) const {
    H5L_info_t link;
    if (H5Lget_info(parent, name.c_str(), &link, H5P_DEFAULT) < 0) {
      fail("'" + name + "' is missing.");
    }
    if (link.type != H5L_TYPE_HARD) fail("'" + name + "' is a link to somewhere else.");
  }

  Handle opened(Handle object, const std::string& name) const {
    if (!object.valid()) {
      fail("'" + name + "' is damaged or of another kind than expected (" + last_reason() + ").");
    }
    return object;
  }

  // How many times larger than the file the content may be: built-in filters only.
  std::uint64_t compression(hid_t data_set, const std::string& name) const {
    const Handle creation(H5Dget_create_plist(data_set), H5Pclose);
    if (!creation.valid()) fail("'" + name + "' is damaged.");
    const H5D_layout_t layout = H5Pget_layout(creation.id());
    if (H5Pget_external_count(creation.id()) != 0 ||
        (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)) {
      fail("'" + name + "' is stored outside this file.");
    }
    std::uint64_t factor = 1;
    const int filters = H5Pget_nfilters(creation.id());
    for (int i = 0; i < filters; ++i) {
      unsigned flags = 0;
      std::size_t values = 0;
      const auto filter = H5Pget_filter2(creation.id(), static_cast<unsigned>(i), &flags, &values,
                                         nullptr, 0, nullptr, nullptr);
      if (filter == H5Z_FILTER_DEFLATE) {
        factor = 1100;  // the most that deflate can reach is 1032
      } else if (filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32) {
        fail("'" + name + "' uses a filter that is not part of HDF5 itself.");
      }
    }
    return factor;
  }

  std::filesystem::path path_;
  std::uint64_t bytes_ = 0;
  Handle file_;
};

/// What every SONATA file says at its root.
inline void mark_as_sonata(const OutputFile& file) {
  constexpr std::uint32_t kMagic = 0x0A7A, kVersion[2] = {0, 1};
  file.attribute(file.id(), "magic", H5T_STD_U32LE, H5T_NATIVE_UINT32, 0, &kMagic);
  file.attribute(file.id(), "version", H5T_STD_U32LE, H5T_NATIVE_UINT32, 2, kVersion);
}

}  // namespace tessera::io::hdf5
