// N-MNIST: recordings of digits by an event camera. The published folders Train/<digit>/*.bin and
// Test/<digit>/*.bin, or the small set of 1,100 recordings (train1K.txt, test100.txt, <n>.bs2), as
// a folder or as its archive.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include "data/byte_reader.hpp"
#include "data/file_tree.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kNmnistSide = 34;

class Nmnist : public EventSource {
 public:
  struct Sample {
    std::size_t file;
    std::int32_t label;
  };
  Nmnist(std::shared_ptr<const FileTree> tree, std::vector<Sample> samples)
      : tree_(std::move(tree)), samples_(std::move(samples)) {}
  [[nodiscard]] std::size_t size() const override { return samples_.size(); }
  [[nodiscard]] Shape shape() const override { return {kNmnistSide, kNmnistSide, 2}; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override {
    return samples_[index].label;
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return tree_->files(); }
  void read(std::size_t index, Events& events) const override {
    const std::size_t file = samples_[index].file;
    parse_nmnist(tree_->read(file), tree_->describe(file), events);
  }

 private:
  std::shared_ptr<const FileTree> tree_;
  std::vector<Sample> samples_;
};

// "Train/7/00012.bin" is a 7.
std::vector<Nmnist::Sample> samples_by_folder(const FileTree& tree) {
  std::vector<Nmnist::Sample> samples;
  for (std::size_t i = 0; i < tree.names().size(); ++i) {
    const std::string& name = tree.names()[i];
    if (name.size() > 2 && name[0] >= '0' && name[0] <= '9' && name[1] == '/') {
      samples.push_back({i, name[0] - '0'});
    }
  }
  return samples;
}

// Lines "<n> <class>" after a comment; sample n is <n>.bs2 beside the list.
std::vector<Nmnist::Sample> samples_by_list(const FileTree& tree, std::size_t list) {
  const std::string text = tree.read(list), name = tree.describe(list);
  const std::string folder = tree.names()[list].substr(0, tree.names()[list].rfind('/') + 1);
  std::vector<Nmnist::Sample> samples;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    const std::size_t offset = at;
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string::npos || line[0] == '#') continue;
    unsigned number = 0, label = 0;
    const char* last = line.data() + line.size();
    const auto first = std::from_chars(line.data(), last, number);
    const char* rest = first.ptr;
    while (rest != last && (*rest == ' ' || *rest == '\t')) ++rest;
    const auto second = std::from_chars(rest, last, label);
    if (first.ec != std::errc() || second.ec != std::errc() || rest == first.ptr || label > 9) {
      throw_damaged(name, offset, "a line is not '<sample> <digit>'");
    }
    const std::size_t file = tree.find(folder + std::to_string(number) + ".bs2");
    if (file == tree.names().size()) {
      throw InputError(fmt::format("{} names sample {}, but there is no file {}{}.bs2.", name,
                                   number, folder, number));
    }
    samples.push_back({file, static_cast<std::int32_t>(label)});
  }
  return samples;
}

std::shared_ptr<const EventSource> open_small(const std::shared_ptr<const FileTree>& tree,
                                              Split split) {
  const std::string list = split == Split::train ? "train1K.txt" : "test100.txt";
  for (const std::string& folder : {std::string(), std::string("NMNISTsmall/")}) {
    const std::size_t at = tree->find(folder + list);
    if (at < tree->names().size()) {
      return std::make_shared<Nmnist>(tree, samples_by_list(*tree, at));
    }
  }
  return nullptr;
}

}  // namespace

void parse_nmnist(std::string_view bytes, const std::string& name, Events& events) {
  events.clear();
  const std::size_t count = bytes.size() / 5;
  if (bytes.size() % 5 != 0) {
    throw_damaged(name, count * 5, "the file ends inside an event of five bytes");
  }
  events.time_us.reserve(count);
  events.address.reserve(count);
  std::uint32_t overflow = 0;
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  for (std::size_t i = 0; i < count; ++i, at += 5) {
    const std::uint32_t x = at[0], y = at[1];
    if (y == 240) {  // the time counter ran over
      if (overflow >= 1u << 30)
        throw_damaged(name, i * 5, "the recording is longer than 20 minutes");
      overflow += 1u << 13;
      continue;
    }
    if (x >= kNmnistSide || y >= kNmnistSide) {
      throw_damaged(name, i * 5,
                    fmt::format("an event at ({}, {}) is outside 34 x 34 pixels", x, y));
    }
    const std::uint32_t time = (at[2] & 127u) << 16 | std::uint32_t{at[3]} << 8 | at[4];
    events.add(time + overflow, (y * kNmnistSide + x) * 2 + (at[2] >> 7));
  }
}

std::shared_ptr<const EventSource> open_nmnist(const Folders& folders, Split split) {
  std::error_code ignored;
  const std::string part = split == Split::train ? "Train" : "Test";
  for (const auto& folder : folders) {
    if (std::filesystem::is_directory(folder / part, ignored)) {
      auto tree = open_folder(folder / part, {".bin"});
      auto samples = samples_by_folder(*tree);
      if (!samples.empty()) return std::make_shared<Nmnist>(tree, std::move(samples));
    }
    for (const char* small : {"", "NMNISTsmall"}) {
      if (!std::filesystem::is_regular_file(folder / small / "train1K.txt", ignored)) continue;
      if (auto source = open_small(open_folder(folder / small, {".bs2", ".txt"}), split))
        return source;
    }
    const auto archive = folder / "NMNISTsmall.tar.gz";
    if (std::filesystem::is_regular_file(archive, ignored)) {
      if (auto source = open_small(open_tar(archive, {".bs2", ".txt"}), split)) return source;
    }
  }
  throw_missing("nmnist", folders);
}

}  // namespace tessera::training
