// What answers for SHD and SSC when the program was built without HDF5.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/readers.hpp"
#include "data/shd_file.hpp"
#include "tessera/errors.hpp"

namespace tessera::training {

std::shared_ptr<const EventSource> open_shd(const std::string& dataset, const Folders&, Split) {
  throw InputError("data set '" + dataset +
                   "' is stored as HDF5, and this program was built without HDF5.");
}

std::shared_ptr<const EventSource> open_shd_file(const std::filesystem::path& file, const Shape&,
                                                 std::size_t) {
  throw InputError(file.string() + " is HDF5, and this program was built without HDF5.");
}

void write_shd(const std::filesystem::path& file, const std::vector<std::int32_t>&, bool,
               const std::function<void(std::size_t, Recording&)>&) {
  throw InputError("cannot write " + file.string() + ": this program was built without HDF5.");
}

}  // namespace tessera::training
