// Spiking Heidelberg Digits and Spiking Speech Commands (Cramer et al. 2022): HDF5 with
// variable-length lists.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "data/readers.hpp"
#include "data/shd_file.hpp"
#include "files/hdf5_file.hpp"

namespace tessera::training {
namespace {

using namespace io::hdf5;

constexpr std::uint32_t kUnits = 700;
constexpr double kLongestSeconds = 4000.0;

// HDF5 asks this for the memory of variable-length lists, whose lengths stand in the file: no more
// than the file can hold is given, and what was given is freed whatever happens.
class ListMemory {
 public:
  explicit ListMemory(std::uint64_t most) : left_(most) {}
  ~ListMemory() {
    for (const auto& [block, size] : blocks_) std::free(block);
  }
  ListMemory(const ListMemory&) = delete;
  ListMemory& operator=(const ListMemory&) = delete;
  void use_in(hid_t transfer) {
    H5Pset_vlen_mem_manager(transfer, &ListMemory::allocate, this, &ListMemory::release, this);
  }

 private:
  static void* allocate(std::size_t size, void* self) {
    auto& memory = *static_cast<ListMemory*>(self);
    if (size > memory.left_) return nullptr;
    void* block = std::malloc(std::max<std::size_t>(size, 1));
    if (block == nullptr) return nullptr;
    memory.left_ -= size;
    memory.blocks_[block] = size;
    return block;
  }
  static void release(void* block, void* self) {
    auto& memory = *static_cast<ListMemory*>(self);
    const auto at = memory.blocks_.find(block);
    if (at == memory.blocks_.end()) return;
    memory.left_ += at->second;
    memory.blocks_.erase(at);
    std::free(block);
  }
  std::uint64_t left_;
  std::map<void*, std::size_t> blocks_;
};

// IEEE 754 binary16, least significant byte first: times as published. HDF5 converts them bit by
// bit, which takes longer than everything else about a sample.
Handle half_type() {
  Handle half(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(half.id(), 15, 10, 5, 0, 10);
  H5Tset_size(half.id(), 2);
  H5Tset_ebias(half.id(), 15);
  return half;
}

struct HalfBytes {
  std::uint8_t low, high;
};

double value_of(HalfBytes half) {
  const unsigned fraction = half.low | (half.high & 3u) << 8, exponent = half.high >> 2 & 31u;
  const double size = exponent == 31 ? (fraction == 0 ? HUGE_VAL : std::nan(""))
                      : exponent == 0
                          ? std::ldexp(fraction, -24)
                          : std::ldexp(1024u + fraction, static_cast<int>(exponent) - 25);
  return (half.high & 128u) != 0 ? -size : size;
}

// HDF5 keeps state of its own and is usually built without locks. Recursive: what is written may
// come from a file that is being read.
std::recursive_mutex& hdf5_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

class Shd : public EventSource {
 public:
  Shd(const std::filesystem::path& path, const Shape& shape, std::size_t classes)
      : path_(path), shape_(shape) {
    const std::lock_guard lock(hdf5_mutex());
    const QuietErrors quiet;
    file_ = std::make_unique<InputFile>(path);
    const Handle labels = file_->data_set(file_->id(), "labels");
    constexpr std::uint64_t kMostSamples = 1u << 28;
    const auto count = file_->checked_shape(labels.id(), "labels", 1, H5T_INTEGER, kMostSamples)[0];
    labels_ = file_->read<std::int64_t>(labels.id(), "labels", H5T_NATIVE_INT64, count);
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      if (labels_[i] >= 0 && static_cast<std::uint64_t>(labels_[i]) < classes) continue;
      file_->fail(fmt::format("'labels' holds {} at index {}; labels are 0 to {}.", labels_[i], i,
                              classes - 1));
    }
    group_ = file_->group(file_->id(), "spikes");
    times_ = open_lists("times", H5T_FLOAT);
    units_ = open_lists("units", H5T_INTEGER);
    const Handle type(H5Dget_type(times_.id()), H5Tclose), base(H5Tget_super(type.id()), H5Tclose);
    half_ = half_type();
    halves_ = H5Tequal(base.id(), half_.id()) > 0;
  }
  ~Shd() override {
    const std::lock_guard lock(hdf5_mutex());
    const QuietErrors quiet;
    half_.close();
    times_.close();
    units_.close();
    group_.close();
    file_.reset();
  }
  [[nodiscard]] std::size_t size() const override { return labels_.size(); }
  [[nodiscard]] Shape shape() const override { return shape_; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override {
    return static_cast<std::int32_t>(labels_[index]);
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return {path_}; }

  void read(std::size_t index, Events& events) const override {
    events.clear();
    const std::lock_guard lock(hdf5_mutex());
    const QuietErrors quiet;
    const auto times = read_times(index);
    const auto units =
        read_list<std::int64_t>(units_.id(), "spikes/units", H5T_NATIVE_INT64, index);
    if (times.size() != units.size()) {
      file_->fail(
          fmt::format("sample {} has {} times but {} units.", index, times.size(), units.size()));
    }
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (!(times[i] >= 0.0 && times[i] < kLongestSeconds)) {
        file_->fail(
            fmt::format("'spikes/times' of sample {} holds {} at index {}.", index, times[i], i));
      }
      if (units[i] < 0 || static_cast<std::uint64_t>(units[i]) >= shape_.size()) {
        file_->fail(
            fmt::format("'spikes/units' of sample {} holds {} at index {}; units are 0 to {}.",
                        index, units[i], i, shape_.size() - 1));
      }
      events.add(static_cast<std::uint32_t>(std::llround(times[i] * 1e6)),
                 static_cast<std::uint32_t>(units[i]));
    }
  }

 private:
  std::vector<double> read_times(std::size_t index) const {
    constexpr const char* kPath = "spikes/times";
    if (!halves_) return read_list<double>(times_.id(), kPath, H5T_NATIVE_DOUBLE, index);
    const auto halves = read_list<HalfBytes>(times_.id(), kPath, half_.id(), index);
    std::vector<double> times(halves.size());
    std::transform(halves.begin(), halves.end(), times.begin(), value_of);
    return times;
  }

  Handle open_lists(const std::string& name, H5T_class_t numbers) const {
    Handle lists = file_->data_set(group_.id(), name);
    const std::string path = "spikes/" + name;
    const Handle type(H5Dget_type(lists.id()), H5Tclose);
    if (!type.valid() || H5Tget_class(type.id()) != H5T_VLEN) {
      file_->fail("'" + path + "' does not hold lists of variable length.");
    }
    const Handle base(H5Tget_super(type.id()), H5Tclose);
    if (!base.valid() || H5Tget_class(base.id()) != numbers || H5Tget_size(base.id()) > 8) {
      file_->fail("'" + path + "' does not hold lists of numbers of the expected type.");
    }
    const Handle space(H5Dget_space(lists.id()), H5Sclose);
    hsize_t count = 0;
    if (!space.valid() || H5Sget_simple_extent_ndims(space.id()) != 1 ||
        H5Sget_simple_extent_dims(space.id(), &count, nullptr) != 1 || count != labels_.size()) {
      file_->fail(fmt::format("'{}' holds {} lists, but there are {} labels.", path, count,
                              labels_.size()));
    }
    // Sixteen bytes in the file refer to each list.
    if (count > file_->most_elements(lists.id(), path, 16)) {
      file_->fail(
          fmt::format("'{}' announces {} lists, more than the file can hold.", path, count));
    }
    return lists;
  }

  template <class T>
  std::vector<T> read_list(hid_t lists, const char* path, hid_t memory_type,
                           std::size_t index) const {
    // The numbers lie uncompressed in the file; a byte may become eight.
    ListMemory memory(file_->bytes() * 8);
    const Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose);
    memory.use_in(transfer.id());
    const Handle type(H5Tvlen_create(memory_type), H5Tclose);
    const hsize_t start = index, count = 1;
    const Handle there(H5Dget_space(lists), H5Sclose),
        here(H5Screate_simple(1, &count, nullptr), H5Sclose);
    hvl_t list{0, nullptr};
    if (H5Sselect_hyperslab(there.id(), H5S_SELECT_SET, &start, nullptr, &count, nullptr) < 0 ||
        H5Dread(lists, type.id(), here.id(), there.id(), transfer.id(), &list) < 0) {
      file_->fail(fmt::format("'{}' of sample {} is damaged ({}).", path, index, last_reason()));
    }
    const T* values = static_cast<const T*>(list.p);
    return values == nullptr ? std::vector<T>() : std::vector<T>(values, values + list.len);
  }

  std::filesystem::path path_;
  Shape shape_;
  std::unique_ptr<InputFile> file_;
  Handle group_, times_, units_, half_;
  bool halves_ = false;
  std::vector<std::int64_t> labels_;
};

// Element by element: only one list is in memory at a time.
class ListWriter {
 public:
  ListWriter(const OutputFile& file, hid_t group, const char* name, hid_t base, hid_t memory_base,
             hsize_t count)
      : file_(file),
        memory_(H5Tvlen_create(memory_base), H5Tclose),
        space_(H5Screate_simple(1, &count, nullptr), H5Sclose) {
    const Handle type(H5Tvlen_create(base), H5Tclose);
    lists_ = Handle(
        H5Dcreate2(group, name, type.id(), space_.id(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dclose);
    file.require(lists_.valid());
  }
  void write(hsize_t index, const void* values, std::size_t length) const {
    const hsize_t one = 1;
    const Handle here(H5Screate_simple(1, &one, nullptr), H5Sclose);
    hvl_t list{length, const_cast<void*>(values)};
    H5Sselect_hyperslab(space_.id(), H5S_SELECT_SET, &index, nullptr, &one, nullptr);
    file_.require(H5Dwrite(lists_.id(), memory_.id(), here.id(), space_.id(), H5P_DEFAULT, &list) >=
                  0);
  }

 private:
  const OutputFile& file_;
  Handle memory_, space_, lists_;
};

}  // namespace

std::shared_ptr<const EventSource> open_shd(const std::string& dataset, const Folders& folders,
                                            Split split) {
  std::error_code ignored;
  const std::string name = dataset + (split == Split::train ? "_train.h5" : "_test.h5");
  for (const auto& folder : folders) {
    if (std::filesystem::is_regular_file(folder / name, ignored)) {
      return std::make_shared<Shd>(folder / name, Shape{1, kUnits, 1}, dataset == "shd" ? 20 : 35);
    }
  }
  throw_missing(dataset, folders);
}

std::shared_ptr<const EventSource> open_shd_file(const std::filesystem::path& file,
                                                 const Shape& shape, std::size_t classes) {
  return std::make_shared<Shd>(file, shape, classes);
}

void write_shd(const std::filesystem::path& path, const std::vector<std::int32_t>& labels,
               bool half_precision, const std::function<void(std::size_t, Recording&)>& get) {
  const std::lock_guard lock(hdf5_mutex());
  const QuietErrors quiet;
  OutputFile file(path);
  try {
    const hsize_t count = labels.size();
    const Handle group = file.group(file.id(), "spikes");
    const Handle half = half_type();
    const ListWriter times(file, group.id(), "times", half_precision ? half.id() : H5T_IEEE_F32LE,
                           H5T_NATIVE_FLOAT, count);
    const ListWriter units(file, group.id(), "units", H5T_STD_U16LE, H5T_NATIVE_UINT16, count);
    Recording recording;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      get(i, recording);
      times.write(i, recording.times.data(), recording.times.size());
      units.write(i, recording.units.data(), recording.units.size());
    }
    const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    Handle made(H5Dcreate2(file.id(), "labels", H5T_STD_I32LE, space.id(), H5P_DEFAULT, H5P_DEFAULT,
                           H5P_DEFAULT),
                H5Dclose);
    file.require(made.valid());
    file.require(
        H5Dwrite(made.id(), H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, labels.data()) >= 0);
    made.close();
  } catch (...) {
    file.abandon();
    throw;
  }
  file.commit();
}

}  // namespace tessera::training
