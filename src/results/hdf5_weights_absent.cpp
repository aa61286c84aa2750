// Stands for hdf5_weights.cpp in a build without HDF5: weights are written as npy.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "results/weight_sinks.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {

std::unique_ptr<WeightSink> make_weight_sink(const std::filesystem::path& folder, const std::vector<WeightRecordInfo>& recordings) {
  return make_npy_weight_sink(folder, recordings);
}

std::vector<WeightRecord> read_weights_hdf5(const std::filesystem::path& file, const std::vector<WeightRecordInfo>&, std::uint64_t) {
  throw InputError("cannot read " + file.string() + ": this program was built without HDF5; build it with -DTESSERA_HDF5=ON.");
}

}  // namespace tessera::io
