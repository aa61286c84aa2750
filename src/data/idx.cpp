// MNIST and its relatives: IDX files, compressed or not.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstring>
#include <system_error>

#include "data/byte_reader.hpp"
#include "data/gzip.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 31;

class Mnist : public ValueSource {
 public:
  Mnist(std::filesystem::path image_file, std::filesystem::path label_file)
      : files_{std::move(image_file), std::move(label_file)},
        images_(parse_idx(read_gzip(files_[0], kMostBytes), files_[0].string())),
        labels_(parse_idx(read_gzip(files_[1], kMostBytes), files_[1].string())) {
    if (images_.shape.size() != 3) throw_damaged(files_[0].string(), 3, "it does not hold images");
    if (labels_.shape.size() != 1) throw_damaged(files_[1].string(), 3, "it does not hold labels");
    if (images_.shape[1] != 28 || images_.shape[2] != 28) {
      throw_damaged(files_[0].string(), 8,
                    fmt::format("images are {} x {} pixels instead of 28 x 28", images_.shape[1],
                                images_.shape[2]));
    }
    if (images_.shape[0] != labels_.shape[0]) {
      throw InputError(fmt::format("{} holds {} images, but {} holds {} labels.",
                                   files_[0].string(), images_.shape[0], files_[1].string(),
                                   labels_.shape[0]));
    }
    for (std::size_t i = 0; i < size(); ++i) {
      if (label(i) <= 9) continue;
      throw_damaged(files_[1].string(), 8 + i, fmt::format("label {} is not a digit", label(i)));
    }
  }
  [[nodiscard]] std::size_t size() const override { return labels_.values.size(); }
  [[nodiscard]] Shape shape() const override { return {28, 28, 1}; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override {
    return static_cast<unsigned char>(labels_.values[index]);
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return files_; }
  void read(std::size_t index, std::vector<float>& values) const override {
    constexpr std::size_t kPixels = 28 * 28;
    values.resize(kPixels);
    const auto* image =
        reinterpret_cast<const unsigned char*>(images_.values.data()) + index * kPixels;
    for (std::size_t i = 0; i < kPixels; ++i) values[i] = static_cast<float>(image[i]) / 255.0f;
  }

 private:
  std::vector<std::filesystem::path> files_;
  IdxArray images_, labels_;
};

}  // namespace

IdxArray parse_idx(std::string bytes, const std::string& name) {
  ByteReader reader(bytes, name);
  const std::uint32_t magic = reader.big(4, "the header");
  if (magic != 0x801 && magic != 0x803) {
    throw_damaged(name, 0,
                  fmt::format("the magic number is {:#010x} instead of 0x00000801 (labels) or "
                              "0x00000803 (images)",
                              magic));
  }
  IdxArray array;
  std::uint64_t count = 1;
  for (std::uint32_t d = 0; d < (magic & 3u); ++d) {
    const std::uint32_t size = reader.big(4, "the header");
    array.shape.push_back(size);
    if (size != 0 && count > kMostBytes / size) reader.fail("the announced size is too large");
    count *= size;
  }
  const std::size_t at = reader.offset();
  (void)reader.take(count, "the values");
  if (reader.left() != 0) reader.fail(fmt::format("{} bytes follow the last value", reader.left()));
  bytes.erase(0, at);
  array.values = std::move(bytes);
  return array;
}

std::shared_ptr<const ValueSource> open_mnist(const Folders& folders, Split split) {
  const std::string which = split == Split::train ? "train" : "t10k";
  const auto find = [&](const std::filesystem::path& folder, const std::string& kind) {
    for (const char* dot : {"-", "."}) {  // some mirrors write train-images.idx3-ubyte
      for (const char* end : {".gz", ""}) {
        const auto file = folder / (which + "-" + kind.substr(0, 6) + dot + kind.substr(7) + end);
        std::error_code ignored;
        if (std::filesystem::is_regular_file(file, ignored)) return file;
      }
    }
    return std::filesystem::path();
  };
  for (const auto& folder : folders) {
    const auto images = find(folder, "images-idx3-ubyte"),
               labels = find(folder, "labels-idx1-ubyte");
    if (!images.empty() && !labels.empty()) return std::make_shared<Mnist>(images, labels);
  }
  throw_missing("mnist", folders);
}

}  // namespace tessera::training
