// Which training samples are held out for validation: the same share of every class.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/random.hpp"
#include "tessera/errors.hpp"
#include "train/batch_loader.hpp"

namespace tessera::training {
namespace {

std::vector<std::vector<std::uint32_t>> samples_by_class(const SpikeDataset& dataset) {
  if (dataset.size() == 0)
    throw InputError(fmt::format("data set '{}' has no training samples.", dataset.name()));
  if (dataset.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError(fmt::format("data set '{}' has more than 2^32 samples.", dataset.name()));
  }
  std::vector<std::vector<std::uint32_t>> classes(dataset.classes());
  for (std::uint32_t i = 0; i < dataset.size(); ++i) {
    const std::int32_t label = dataset.label(i);
    if (label < 0 || static_cast<std::size_t>(label) >= classes.size()) {
      throw InputError(
          fmt::format("sample {} of data set '{}' has the label {}; labels are 0 to {}.", i,
                      dataset.name(), label, static_cast<std::int64_t>(classes.size()) - 1));
    }
    classes[static_cast<std::size_t>(label)].push_back(i);
  }
  return classes;
}

}  // namespace

SampleSplit split(const SpikeDataset& dataset, double fraction, std::uint64_t seed) {
  if (!(fraction >= 0.0 && fraction < 1.0)) {
    throw InputError(fmt::format(
        "the fraction of validation samples is {}; it must be at least 0 and below 1.", fraction));
  }
  SampleSplit result;
  const RandomKey key(seed);
  for (const auto& members : samples_by_class(dataset)) {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> ranked;
    ranked.reserve(members.size());
    for (const std::uint32_t i : members) {
      const RandomWords words = random_words(key, Purpose::validation_split, 0, i, 0);
      ranked.emplace_back(std::uint64_t{words[0]} << 32 | words[1], i);
    }
    std::sort(ranked.begin(), ranked.end());
    auto held =
        static_cast<std::size_t>(std::llround(fraction * static_cast<double>(ranked.size())));
    if (fraction > 0.0)
      held = std::clamp<std::size_t>(held, 1, std::max<std::size_t>(1, ranked.size() - 1));
    if (ranked.size() <= 1) held = 0;
    for (std::size_t r = 0; r < ranked.size(); ++r) {
      (r < held ? result.validation : result.training).push_back(ranked[r].second);
    }
  }
  std::sort(result.training.begin(), result.training.end());
  std::sort(result.validation.begin(), result.validation.end());
  return result;
}

}  // namespace tessera::training
