// What readers and generators give to the encoders: samples that are numbers, or samples that are
// events.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tessera/spike_dataset.hpp"

namespace tessera::training {

/// Events of one sample, in any order. `address` is an index into the shape of the source.
struct Events {
  std::vector<std::uint32_t> time_us;
  std::vector<std::uint32_t> address;
  void clear() {
    time_us.clear();
    address.clear();
  }
  void add(std::uint32_t time, std::uint32_t where) {
    time_us.push_back(time);
    address.push_back(where);
  }
  [[nodiscard]] std::size_t size() const { return time_us.size(); }
};

/// Samples of one split. read() may be called from any thread; it throws InputError (file, offset).
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual Shape shape() const = 0;
  [[nodiscard]] virtual std::int32_t label(std::size_t index) const = 0;
  /// Of every step and class, see SpikeDataset::has_targets().
  [[nodiscard]] virtual bool has_targets() const { return false; }
  virtual void target(std::size_t /*index*/, std::vector<float>& values) const { values.clear(); }
  /// The files the samples come from; what is kept on disk is made anew when one of them changes.
  [[nodiscard]] virtual std::vector<std::filesystem::path> files() const { return {}; }
  /// What was left out of the samples that were read so far, as sentences.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
};

class EventSource : public Source {
 public:
  /// Replaces `events`; every address is inside the shape.
  virtual void read(std::size_t index, Events& events) const = 0;
};

class ValueSource : public Source {
 public:
  /// Replaces `values`: shape().size() numbers from 0 to 1.
  virtual void read(std::size_t index, std::vector<float>& values) const = 0;
};

}  // namespace tessera::training
