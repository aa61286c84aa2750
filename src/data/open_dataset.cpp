// From a specification to a data set: finds the folder, opens the source, puts the encoder behind
// it.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "data/catalogue.hpp"
#include "data/encoded_dataset.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

Folders places_of(const DataSpec& spec, const std::filesystem::path& data_folder) {
  const std::filesystem::path base = data_folder.empty() ? "." : data_folder;
  if (!spec.folder.empty()) return {base / spec.folder};
  Folders folders;
  for (const std::string& name : find_dataset(spec.dataset)->folders)
    folders.push_back(base / name);
  folders.push_back(base);
  return folders;
}

std::shared_ptr<const Source> open_source(const DataSpec& spec, const Folders& folders,
                                          Split split) {
  const std::string& name = spec.dataset;
  if (name == "yin_yang") return make_yin_yang(spec.generator, split);
  if (name == "random_manifolds") {
    return make_random_manifolds(spec.generator, split,
                                 spec.encoder.steps * spec.encoder.dt_ms * 1e3);
  }
  const EncoderSpec& e = spec.encoder;
  if (name == "evidence_accumulation") return make_evidence_accumulation(spec.generator, split, e.steps, e.dt_ms);
  if (name == "pattern_generation") return make_pattern_generation(spec.generator, e.steps, e.dt_ms);
  if (name == "mnist") return open_mnist(folders, split);
  if (name == "eurosat") return open_eurosat(folders, split, spec.encoder.grey);
  if (name == "nmnist") return open_nmnist(folders, split);
  if (name == "dvs_gesture") return open_dvs_gesture(folders, split);
  if (name == "file") return open_own_files(spec, folders, split);
  if (name == "spoken_digits") return open_spoken_digits(folders, split, spec.encoder);
  return open_shd(name, folders, split);
}

}  // namespace

std::unique_ptr<SpikeDataset> open_dataset(const DataSpec& given,
                                           const std::filesystem::path& data_folder, Split split,
                                           std::uint64_t seed) {
  std::vector<Problem> problems = validate(given);
  if (!problems.empty()) throw InputError(std::move(problems));
  const DataSpec spec = with_defaults(given);
  const Folders folders = places_of(spec, data_folder);
  std::error_code ignored;
  const bool none = std::none_of(folders.begin(), folders.end(), [&](const auto& folder) {
    return std::filesystem::is_directory(folder, ignored);
  });
  if (none && !is_generated(spec.dataset)) throw_missing(spec.dataset, folders);
  return std::make_unique<EncodedDataset>(spec, split, seed, open_source(spec, folders, split));
}

DatasetInfo describe(const SpikeDataset& dataset) {
  DatasetInfo info;
  info.name = dataset.name();
  info.samples = dataset.size();
  info.classes = dataset.classes();
  info.samples_per_class.assign(info.classes, 0);
  info.shape = dataset.shape();
  info.steps = dataset.steps();
  std::uint64_t total = 0;
  SpikeSample sample;
  for (std::size_t i = 0; i < info.samples; ++i) {
    dataset.read(i, kUnvaried, sample);
    if (sample.label < 0 || static_cast<std::uint32_t>(sample.label) >= info.classes) {
      throw InputError(
          fmt::format("sample {} of data set '{}' has the label {}; labels are 0 to {}.", i,
                      info.name, sample.label, std::int64_t{info.classes} - 1));
    }
    ++info.samples_per_class[static_cast<std::size_t>(sample.label)];
    const std::uint64_t spikes = sample.channel.size();
    total += spikes;
    info.min_spikes = i == 0 ? spikes : std::min(info.min_spikes, spikes);
    info.max_spikes = std::max(info.max_spikes, spikes);
  }
  if (info.samples == 0) return info;
  info.mean_spikes = static_cast<double>(total) / static_cast<double>(info.samples);
  info.activity = info.mean_spikes / (static_cast<double>(info.shape.size()) * info.steps);
  return info;
}

}  // namespace tessera::training
