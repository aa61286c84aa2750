// How HDF5 writes our files: a file driver that never tells the library that the disk is full. A
// failed write leaves HDF5 unable to close the file; it then crashes or loops when the program
// ends. This driver notes the first error, drops what follows, and whoever writes looks at the note
// after each step. Included by hdf5_file.hpp only.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace tessera::io::driver {

/// Given to the driver with the file access list; the note outlives the file.
struct Settings {
  int* error = nullptr;  ///< becomes the errno of the first failure
};

struct OutputDescriptor {
  H5FD_t base{};  // must be first: HDF5 sees a pointer to it
  int descriptor = -1;
  int* error = nullptr;
  bool seekable = true;  // false for devices, whose length cannot be set
  haddr_t allocated = 0;
  haddr_t written = 0;
};

inline OutputDescriptor* of(H5FD_t* file) { return reinterpret_cast<OutputDescriptor*>(file); }
inline const OutputDescriptor* of(const H5FD_t* file) {
  return reinterpret_cast<const OutputDescriptor*>(file);
}

inline H5FD_t* open(const char* name, unsigned, hid_t access, haddr_t) {
  const auto* settings = static_cast<const Settings*>(H5Pget_driver_info(access));
  if (settings == nullptr) return nullptr;
  const int descriptor = ::open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    *settings->error = errno;
    return nullptr;
  }
  auto* file = new (std::nothrow) OutputDescriptor;
  if (file == nullptr) {
    ::close(descriptor);
    return nullptr;
  }
  struct stat status {};
  file->seekable = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  file->descriptor = descriptor;
  file->error = settings->error;
  return &file->base;
}

inline herr_t close(H5FD_t* file) {
  OutputDescriptor* output = of(file);
  if (::close(output->descriptor) != 0 && *output->error == 0) *output->error = errno;
  delete output;
  return 0;
}

inline herr_t query(const H5FD_t*, unsigned long* features) {
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

inline haddr_t get_eoa(const H5FD_t* file, H5FD_mem_t) { return of(file)->allocated; }
inline herr_t set_eoa(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  of(file)->allocated = end;
  return 0;
}
inline haddr_t get_eof(const H5FD_t* file, H5FD_mem_t) { return of(file)->written; }

// Bytes that were never written read as zero.
inline herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, size_t bytes, void* into) {
  auto* to = static_cast<char*>(into);
  std::memset(to, 0, bytes);
  while (bytes > 0) {
    const ssize_t got = ::pread(of(file)->descriptor, to, bytes, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    to += got;
    at += static_cast<haddr_t>(got);
    bytes -= static_cast<size_t>(got);
  }
  return 0;
}

inline herr_t write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, size_t bytes, const void* from) {
  OutputDescriptor& output = *of(file);
  const auto* next = static_cast<const char*>(from);
  output.written = std::max(output.written, at + bytes);
  while (bytes > 0 && *output.error == 0) {
    const ssize_t done = ::pwrite(output.descriptor, next, bytes, static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      *output.error = done < 0 ? errno : ENOSPC;
      break;
    }
    next += done;
    at += static_cast<haddr_t>(done);
    bytes -= static_cast<size_t>(done);
  }
  return 0;
}

inline herr_t truncate(H5FD_t* file, hid_t, hbool_t) {
  OutputDescriptor& output = *of(file);
  if (output.written == output.allocated) return 0;
  if (*output.error == 0 && output.seekable &&
      ::ftruncate(output.descriptor, static_cast<off_t>(output.allocated)) != 0) {
    *output.error = errno;
  }
  output.written = output.allocated;
  return 0;
}

/// Registers the driver; the id is given back with H5FDunregister.
inline hid_t make() {
  H5FD_class_t driver{};
#if H5_VERSION_GE(1, 13, 0)
  driver.version = H5FD_CLASS_VERSION;
  driver.value = static_cast<H5FD_class_value_t>(611);  // from the range for private use
#endif
  driver.name = "tessera_output";
  driver.maxaddr = static_cast<haddr_t>(INT64_MAX);
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(Settings);
  driver.open = open;
  driver.close = close;
  driver.query = query;
  driver.get_eoa = get_eoa;
  driver.set_eoa = set_eoa;
  driver.get_eof = get_eof;
  driver.read = read;
  driver.write = write;
  driver.truncate = truncate;
  std::fill(std::begin(driver.fl_map), std::end(driver.fl_map), H5FD_MEM_DEFAULT);
  return H5FDregister(&driver);
}

}  // namespace tessera::io::driver
