// The sections of a training file: each reads its table and fills a part of the model.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model_file/reader.hpp"
#include "tessera/training_file.hpp"

namespace tessera::io {

inline constexpr Dimension kMs{0, 1, 0, 0};

/// A TableReader with what training files need besides: 32-bit counts, words that stand for a C++
/// enumerator, and keys that only make sense beside another value.
class TrainingReader : public TableReader {
 public:
  using TableReader::TableReader;

  std::uint32_t count32(const std::string& key, std::uint32_t otherwise);
  /// A time in whole steps of dt; reports one that is not a multiple, or longer than 32 bits allow.
  std::uint32_t steps(const std::string& key, double dt_ms, std::uint32_t otherwise);
  template <class Enum>
  Enum word(const std::string& key, Enum otherwise,
            const std::vector<std::pair<std::string, Enum>>& words) {
    std::vector<std::string> names;
    std::string standard;
    for (const auto& [name, value] : words) {
      names.push_back(name);
      if (value == otherwise) standard = name;
    }
    const std::string chosen = choice(key, standard, names);
    for (const auto& [name, value] : words) {
      if (name == chosen) return value;
    }
    return otherwise;
  }
  /// Whether the key may be read. A key that is there although it would have no effect is reported:
  /// "'momentum' has no effect here: only sgd has a momentum."
  bool applies(const std::string& key, bool condition, const std::string& reason);
  /// The table of a key; nothing (after reporting it) when it is something else, or absent.
  const toml::table* table(const std::string& key);
};

void read_layers(ModelContext& c, const toml::node* section, training::Network& network);
void read_loss(TrainingReader& t, double dt_ms, training::Loss& loss);
void read_eprop(TrainingReader& t, training::Eprop& eprop);
void read_optimizer(TrainingReader& t, training::Optimizer& optimizer);
void read_schedule(TrainingReader& t, training::Optimizer& optimizer);
void read_second_threshold(TrainingReader& t, training::SecondThreshold& threshold);
void read_training(TrainingReader& t, training::Options& options);
void read_data(TrainingReader& top, training::TrainingModel& model);

}  // namespace tessera::io
