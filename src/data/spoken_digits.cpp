// Spoken digits: wav files {digit}_{speaker}_{index}.wav, index 0-4 test, 5-49 training.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <limits>
#include <map>
#include <mutex>
#include <system_error>

#include "data/cochlea.hpp"
#include "data/file_tree.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

constexpr std::uint32_t kTestRecordings = 5;  // of every digit and speaker

class SpokenDigits : public EventSource {
 public:
  struct Sample {
    std::size_t file;
    std::int32_t label;
  };
  SpokenDigits(std::shared_ptr<const FileTree> tree, std::vector<Sample> samples,
               const EncoderSpec& encoder)
      : tree_(std::move(tree)), samples_(std::move(samples)), encoder_(encoder) {}
  [[nodiscard]] std::size_t size() const override { return samples_.size(); }
  [[nodiscard]] Shape shape() const override {
    return {1, encoder_.channels, encoder_.kind == EncoderKind::delta ? 2u : 1u};
  }
  [[nodiscard]] std::int32_t label(std::size_t index) const override {
    return samples_[index].label;
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return tree_->files(); }
  void read(std::size_t index, Events& events) const override {
    const std::size_t file = samples_[index].file;
    const std::string name = tree_->describe(file);
    const Sound sound = parse_wav(tree_->read(file), name);
    if (static_cast<double>(sound.samples.size()) / sound.rate_hz > 4000.0) {
      throw InputError(name + " is longer than 4000 s.");
    }
    cochlea(sound.rate_hz, name).events(sound.samples, events);
  }

 private:
  // One filter bank per sampling rate.
  const Cochlea& cochlea(double rate_hz, const std::string& name) const {
    const std::lock_guard lock(mutex_);
    auto& bank = banks_[rate_hz];
    if (!bank) bank = std::make_unique<Cochlea>(encoder_, rate_hz, name);
    return *bank;
  }

  std::shared_ptr<const FileTree> tree_;
  std::vector<Sample> samples_;
  EncoderSpec encoder_;
  mutable std::mutex mutex_;
  mutable std::map<double, std::unique_ptr<Cochlea>> banks_;
};

std::vector<SpokenDigits::Sample> samples_of(const FileTree& tree, Split split) {
  std::vector<SpokenDigits::Sample> samples;
  for (std::size_t i = 0; i < tree.names().size(); ++i) {
    const std::string stem = std::filesystem::path(tree.names()[i]).stem().string();
    const std::size_t last = stem.rfind('_');
    if (stem.size() < 5 || stem[0] < '0' || stem[0] > '9' || stem[1] != '_' || last <= 2) continue;
    std::uint32_t index = 0;
    const char* end = stem.data() + stem.size();
    const auto [rest, error] = std::from_chars(stem.data() + last + 1, end, index);
    if (error != std::errc() || rest != end) continue;
    if ((index < kTestRecordings) == (split == Split::test)) samples.push_back({i, stem[0] - '0'});
  }
  return samples;
}

}  // namespace

std::shared_ptr<const EventSource> open_spoken_digits(const Folders& folders, Split split,
                                                      const EncoderSpec& encoder) {
  std::error_code ignored;
  for (const auto& folder : folders) {
    for (const char* inner : {"", "recordings"}) {
      if (!std::filesystem::is_directory(folder / inner, ignored)) continue;
      auto tree = open_folder(folder / inner, {".wav"});
      auto samples = samples_of(*tree, split);
      if (!samples.empty())
        return std::make_shared<SpokenDigits>(tree, std::move(samples), encoder);
    }
    const auto archive = folder / "fsdd_recordings.tar.gz";
    if (!std::filesystem::is_regular_file(archive, ignored)) continue;
    auto tree = open_tar(archive, {".wav"});
    auto samples = samples_of(*tree, split);
    if (!samples.empty()) return std::make_shared<SpokenDigits>(tree, std::move(samples), encoder);
  }
  throw_missing("spoken_digits", folders);
}

}  // namespace tessera::training
