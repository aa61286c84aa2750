// libFuzzer target: lists, units, times and labels in a whole HDF5 file of SHD's layout. The HDF5
// library itself is not fuzzed here: it is not safe for hostile files (see docs/data.md).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "data/readers.hpp"
#include "data/shd_file.hpp"
#include "memory_file.hpp"
#include "tessera/errors.hpp"

namespace {

struct Folder {
  Folder() : path("/dev/shm/tessera_fuzz_shd_" + std::to_string(getpid())) {
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

}  // namespace

// First byte: number of samples; then per sample label, counts of times and units, and their bytes.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tessera::training;
  static const Folder folder;
  std::size_t at = 0;
  const auto byte = [&] { return at < size ? data[at++] : static_cast<unsigned char>(0); };
  std::vector<std::int32_t> labels(byte() % 4);
  std::vector<Recording> recordings(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] = static_cast<std::int8_t>(byte());
    recordings[i].times.resize(byte() % 8);
    recordings[i].units.resize(byte() % 8);
    for (float& time : recordings[i].times) {
      const unsigned char bits[4] = {byte(), byte(), byte(), byte()};
      std::memcpy(&time, bits, 4);
    }
    for (std::uint16_t& unit : recordings[i].units) {
      unit = static_cast<std::uint16_t>(byte() | byte() << 8);
    }
  }
  try {
    write_shd(folder.path / "shd_train.h5", labels, byte() % 2 == 1,
              [&](std::size_t i, Recording& r) { r = recordings[i]; });
    const auto source = open_shd("shd", {folder.path}, Split::train);
    Events events;
    for (std::size_t i = 0; i < source->size(); ++i) {
      source->read(i, events);
      for (const std::uint32_t a : events.address) {
        if (a >= 700) std::abort();
      }
    }
  } catch (const tessera::InputError&) {
  }
  return 0;
}
