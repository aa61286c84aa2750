// DVS Gesture: the published recordings (AEDAT 3.1, lists of trials, tables of labels) or folders
// of recordings cut to one gesture each (npy).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <atomic>
#include <system_error>

#include "data/byte_reader.hpp"
#include "data/file_tree.hpp"
#include "data/readers.hpp"
#include "files/file.hpp"

namespace tessera::training {
namespace {

constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 31;
constexpr std::uint64_t kMostTextBytes = 1u << 20;

class Recordings : public EventSource {
 public:
  struct Sample {
    std::size_t file;
    Gesture gesture;
  };
  Recordings(std::vector<std::filesystem::path> files, std::vector<Sample> samples)
      : files_(std::move(files)), samples_(std::move(samples)), invalid_(samples_.size()) {}
  [[nodiscard]] std::size_t size() const override { return samples_.size(); }
  [[nodiscard]] Shape shape() const override { return {128, 128, 2}; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override {
    return samples_[index].gesture.label;
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return files_; }
  void read(std::size_t index, Events& events) const override {
    const Sample& sample = samples_[index];
    const auto& file = files_[sample.file];
    invalid_[index] = parse_aedat(io::read_file(file, kMostFileBytes), file.string(),
                                  sample.gesture.start_us, sample.gesture.end_us, events);
  }
  [[nodiscard]] std::vector<std::string> notes() const override {
    std::uint64_t events = 0, samples = 0;
    for (const std::atomic<std::uint64_t>& invalid : invalid_) {
      events += invalid;
      samples += invalid != 0 ? 1 : 0;
    }
    if (events == 0) return {};
    return {fmt::format("{} events of {} samples were left out: the camera marked them as invalid.",
                        events, samples)};
  }

 private:
  std::vector<std::filesystem::path> files_;
  std::vector<Sample> samples_;
  mutable std::vector<std::atomic<std::uint64_t>> invalid_;  // events, of samples that were read
};

class CutRecordings : public EventSource {
 public:
  CutRecordings(std::shared_ptr<const FileTree> tree, std::vector<std::int32_t> labels)
      : tree_(std::move(tree)), labels_(std::move(labels)) {}
  [[nodiscard]] std::size_t size() const override { return labels_.size(); }
  [[nodiscard]] Shape shape() const override { return {128, 128, 2}; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override { return labels_[index]; }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return tree_->files(); }
  void read(std::size_t index, Events& events) const override {
    parse_gesture_npy(tree_->read(index), tree_->describe(index), events);
  }

 private:
  std::shared_ptr<const FileTree> tree_;
  std::vector<std::int32_t> labels_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t at = text.size() - io::without_byte_order_mark(text).size();
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
    at = end + 1;
  }
  return lines;
}

std::shared_ptr<const EventSource> open_recordings(const std::filesystem::path& folder,
                                                   const std::filesystem::path& list) {
  std::vector<std::filesystem::path> files;
  std::vector<Recordings::Sample> samples;
  for (const std::string& line : lines_of(io::read_file(list, kMostTextBytes))) {
    const std::filesystem::path name(line);
    // The list must not lead out of its folder.
    if (name.has_parent_path() || name.extension() != ".aedat") {
      throw InputError(
          fmt::format("{}: '{}' is not the name of an .aedat file.", list.string(), line));
    }
    const auto labels = folder / (name.stem().string() + "_labels.csv");
    for (const Gesture& gesture :
         parse_gesture_labels(io::read_file(labels, kMostTextBytes), labels.string())) {
      samples.push_back({files.size(), gesture});
    }
    files.push_back(folder / name);
  }
  return std::make_shared<Recordings>(std::move(files), std::move(samples));
}

// "user01_fluorescent/7.npy" has label 7.
std::shared_ptr<const EventSource> open_cut(const std::filesystem::path& folder) {
  auto tree = open_folder(folder, {".npy"});
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < tree->names().size(); ++i) {
    const std::string stem = std::filesystem::path(tree->names()[i]).stem().string();
    const bool digits = !stem.empty() && stem.size() <= 2 &&
                        stem.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || std::stoi(stem) > 10) {
      throw InputError(
          fmt::format("{}: the file name is not a label from 0 to 10.", tree->describe(i)));
    }
    labels.push_back(std::stoi(stem));
  }
  if (labels.empty()) return nullptr;
  return std::make_shared<CutRecordings>(std::move(tree), std::move(labels));
}

}  // namespace

std::shared_ptr<const EventSource> open_dvs_gesture(const Folders& folders, Split split) {
  std::error_code ignored;
  const bool train = split == Split::train;
  for (const auto& folder : folders) {
    for (const char* inner : {"", "DvsGesture"}) {
      const auto list = folder / inner / (train ? "trials_to_train.txt" : "trials_to_test.txt");
      if (std::filesystem::is_regular_file(list, ignored)) {
        return open_recordings(folder / inner, list);
      }
    }
    const auto cut = folder / (train ? "ibmGestureTrain" : "ibmGestureTest");
    if (std::filesystem::is_directory(cut, ignored)) {
      if (auto source = open_cut(cut)) return source;
    }
  }
  throw_missing("dvs_gesture", folders);
}

}  // namespace tessera::training
