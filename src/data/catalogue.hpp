// What every data set is, in one table: content, classes, shape, usual window, where its files may
// lie.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tessera/data.hpp"

namespace tessera::training {

enum class Content { numbers, events, sound };

struct DatasetFacts {
  std::string name;
  Content content;
  Shape shape;          ///< of the source; {1, 1, 4} for four numbers, {1, 700, 1} for 700 channels
  std::uint32_t steps;  ///< default
  double dt_ms;         ///< default
  std::vector<std::string> folders;  ///< names looked for in the data folder
  std::vector<std::string> classes;  ///< their names; empty: numbers
  bool generated = false;
  bool camera = false;  ///< events of an event camera
  [[nodiscard]] bool image() const { return content == Content::numbers && shape.height > 1; }
};

/// Of a set with a known name; those of "file" follow from the specification.
[[nodiscard]] DatasetFacts facts_of(const DataSpec& spec);
/// nullptr for an unknown name.
[[nodiscard]] const DatasetFacts* find_dataset(const std::string& name);
[[nodiscard]] const std::vector<DatasetFacts>& all_datasets();

/// What samples of this specification (with defaults) look like before spikes are made of them.
[[nodiscard]] Shape source_shape(const DataSpec& spec);

}  // namespace tessera::training
