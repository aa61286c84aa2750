// EuroSAT: satellite images in a folder per class, <Class>/<Class>_<n>.jpg, or the archive of them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "data/catalogue.hpp"
#include "data/file_tree.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kEurosatSide = 64;
const std::vector<std::string> kExtensions = {".jpg", ".jpeg"};

class EuroSat : public ValueSource {
 public:
  struct Sample {
    std::size_t file;
    std::int32_t label;
  };
  EuroSat(std::shared_ptr<const FileTree> tree, std::vector<Sample> samples, bool grey)
      : tree_(std::move(tree)), samples_(std::move(samples)), grey_(grey) {}
  [[nodiscard]] std::size_t size() const override { return samples_.size(); }
  [[nodiscard]] Shape shape() const override { return {kEurosatSide, kEurosatSide, grey_ ? 1u : 3u}; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override {
    return samples_[index].label;
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return tree_->files(); }
  void read(std::size_t index, std::vector<float>& values) const override {
    const std::size_t file = samples_[index].file;
    const Image image = parse_jpeg(tree_->read(file), tree_->describe(file));
    if (image.height != kEurosatSide || image.width != kEurosatSide) {
      throw InputError(fmt::format("{} has {} x {} pixels instead of 64 x 64.",
                                   tree_->describe(file), image.height, image.width));
    }
    values.resize(shape().size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint8_t* rgb = image.rgb.data() + 3 * i;
      values[i] = grey_
                      ? (0.299f * static_cast<float>(rgb[0]) + 0.587f * static_cast<float>(rgb[1]) +
                         0.114f * static_cast<float>(rgb[2])) /
                            255.0f
                      : static_cast<float>(image.rgb[i]) / 255.0f;
    }
  }

 private:
  std::shared_ptr<const FileTree> tree_;
  std::vector<Sample> samples_;
  bool grey_;
};

// There is no official split: the images of a class, in the order of their numbers, are nine parts
// training and one part test (of 800: 1 to 720 and 721 to 800).
std::vector<EuroSat::Sample> samples_of(const FileTree& tree, Split split) {
  const std::vector<std::string> classes = find_dataset("eurosat")->classes;
  std::vector<EuroSat::Sample> samples;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const std::string begin = classes[label] + "/" + classes[label] + "_";
    std::vector<std::pair<std::uint32_t, std::size_t>> numbered;
    for (std::size_t i = 0; i < tree.names().size(); ++i) {
      const std::string& name = tree.names()[i];
      const std::size_t at = name.rfind(begin);
      if (at == std::string::npos || (at > 0 && name[at - 1] != '/')) continue;
      std::uint32_t number = 0;
      const char* digits = name.data() + at + begin.size();
      const auto [rest, error] = std::from_chars(digits, name.data() + name.size(), number);
      if (error == std::errc() && *rest == '.') numbered.emplace_back(number, i);
    }
    std::sort(numbered.begin(), numbered.end());
    const std::size_t training = numbered.size() * 9 / 10;
    const std::size_t from = split == Split::train ? 0 : training;
    const std::size_t to = split == Split::train ? training : numbered.size();
    for (std::size_t i = from; i < to; ++i) {
      samples.push_back({numbered[i].second, static_cast<std::int32_t>(label)});
    }
  }
  return samples;
}

}  // namespace

std::shared_ptr<const ValueSource> open_eurosat(const Folders& folders, Split split, bool grey) {
  std::error_code ignored;
  for (const auto& folder : folders) {
    std::shared_ptr<const FileTree> tree;
    for (const char* inner : {"", "EuroSAT_RGB", "2750"}) {
      const auto place = folder / inner;
      if (std::filesystem::is_directory(place / "AnnualCrop", ignored)) {
        tree = open_folder(place, kExtensions);
        break;
      }
    }
    const auto archive = folder / "EuroSAT_RGB_8000.tar";
    if (!tree && std::filesystem::is_regular_file(archive, ignored)) {
      tree = open_tar(archive, kExtensions);
    }
    if (!tree) continue;
    auto samples = samples_of(*tree, split);
    if (!samples.empty()) return std::make_shared<EuroSat>(tree, std::move(samples), grey);
  }
  throw_missing("eurosat", folders);
}

}  // namespace tessera::training
