// A source, its encoder and augmentation as one SpikeDataset, with what was read before kept in
// memory.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/augmentation.hpp"
#include "data/encoding.hpp"
#include "data/sample_store.hpp"
#include "data/source.hpp"
#include "tessera/data.hpp"

namespace tessera::training {

class EncodedDataset : public SpikeDataset {
 public:
  /// `spec` is valid and has all defaults; `split` test switches augmentation off.
  EncodedDataset(DataSpec spec, Split split, std::uint64_t seed,
                 std::shared_ptr<const Source> source);

  [[nodiscard]] std::string name() const override { return spec_.dataset; }
  [[nodiscard]] std::size_t size() const override { return source_->size(); }
  [[nodiscard]] Shape shape() const override { return shape_; }
  [[nodiscard]] std::uint32_t steps() const override { return spec_.encoder.steps; }
  [[nodiscard]] std::uint32_t classes() const override { return classes_; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override {
    return source_->label(index);
  }
  [[nodiscard]] bool has_targets() const override { return source_->has_targets(); }
  void read(std::size_t index, std::uint64_t draw, SpikeSample& sample) const override;
  [[nodiscard]] std::vector<std::string> notes() const override { return source_->notes(); }

 private:
  /// How the stored samples came about: changes when the files or the specification do.
  [[nodiscard]] std::uint64_t cache_key(bool encoded) const;
  void fill_cache();
  void make(std::size_t index, std::uint64_t draw, bool varied, SpikeSample& sample) const;
  void read_events(std::size_t index, Events& events) const;

  DataSpec spec_;
  Split split_;
  RandomKey key_;
  std::shared_ptr<const Source> source_;
  const EventSource* events_ = nullptr;  // exactly one of these is the source
  const ValueSource* values_ = nullptr;
  std::unique_ptr<Geometry> geometry_;      // from source addresses or pixels to channels
  std::unique_ptr<Geometry> value_places_;  // latency: channels as they are
  Shape shape_;
  std::uint32_t classes_ = 0;
  bool varies_ = false;
  std::unique_ptr<SampleStore> encoded_, raw_;
  std::vector<std::vector<std::uint32_t>> by_class_;  // for blending
};

}  // namespace tessera::training
