// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/encoded_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <system_error>

#include "base/process_limits.hpp"
#include "data/catalogue.hpp"

namespace tessera::training {
namespace {

// The random numbers of one draw: seed and draw are mixed into a key.
RandomKey key_of_draw(RandomKey key, std::uint64_t draw) {
  const RandomWords words =
      random_words(key, Purpose::encoding, ~0u, static_cast<std::uint32_t>(draw),
                   static_cast<std::uint32_t>(draw >> 32));
  return RandomKey(std::uint64_t{words[1]} << 32 | words[0]);
}

template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "-";
}

std::string text_of(const EncoderSpec& e) {
  return fmt::format(
      "{} {} {} {} {} | {} {} {} {} {} {} {} {} {} | {} {} {} {} {} {} {} | {} {} {} {} {} {} {} "
      "{} | {}",
      to_string(e.kind), e.steps, e.dt_ms, text_of(e.start_ms), text_of(e.min_events), e.crop_x,
      e.crop_y, e.crop_width, e.crop_height, e.width, e.height, e.merge_polarities, e.grey,
      e.channels, to_string(e.curve), text_of(e.early_ms), text_of(e.late_ms), text_of(e.tau_ms),
      text_of(e.threshold), e.bias, text_of(e.bias_ms), to_string(e.scale), text_of(e.low_hz),
      text_of(e.high_hz), text_of(e.compression), text_of(e.gain), text_of(e.hair_tau_ms),
      text_of(e.refractory_ms), text_of(e.delta_threshold), e.max_spikes_per_step);
}

// What the cochlea makes of a sound, before it is put into steps.
std::string sound_text(const EncoderSpec& e) {
  return fmt::format("{} {} {} {} {} {} {} {} {} {}", to_string(e.kind), e.channels,
                     to_string(e.scale), text_of(e.low_hz), text_of(e.high_hz),
                     text_of(e.compression), text_of(e.gain), text_of(e.hair_tau_ms),
                     text_of(e.refractory_ms), text_of(e.delta_threshold));
}

std::uint64_t hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return hash;
}

}  // namespace

EncodedDataset::EncodedDataset(DataSpec spec, Split split, std::uint64_t seed,
                               std::shared_ptr<const Source> source)
    : spec_(std::move(spec)),
      split_(split),
      key_(seed),
      source_(std::move(source)),
      events_(dynamic_cast<const EventSource*>(source_.get())),
      values_(dynamic_cast<const ValueSource*>(source_.get())),
      shape_(encoded_shape(spec_)),
      classes_(class_count(spec_)) {
  EncoderSpec places = spec_.encoder;
  const DatasetFacts facts = facts_of(spec_);
  if (facts.content == Content::events && !facts.camera) places.width = places.channels;
  geometry_ = std::make_unique<Geometry>(source_->shape(), places);
  if (values_ != nullptr) {
    value_places_ = std::make_unique<Geometry>(geometry_->shape(), EncoderSpec{});
  }
  varies_ = split_ == Split::train && spec_.augmentation.any();
  std::uint64_t limit = spec_.cache_megabytes << 20;
  // A quarter for each split leaves half of what there is to the training.
  if (const std::uint64_t memory = process_limits().memory_bytes; memory > 0) limit = std::min(limit, memory / 4);
  if (limit > 0 && spec_.encoder.kind != EncoderKind::rate) {
    // Varied samples start from events; those that are not varied, from what was encoded.
    if (varies_ && events_ != nullptr) raw_ = std::make_unique<SampleStore>(size(), limit);
    if (!varies_) encoded_ = std::make_unique<SampleStore>(size(), limit);
  }
  if (varies_ && spec_.augmentation.blend > 0.0) {
    by_class_.resize(classes_);
    for (std::size_t i = 0; i < size(); ++i) {
      const std::int32_t label = source_->label(i);
      if (label >= 0 && static_cast<std::uint32_t>(label) < classes_) {
        by_class_[static_cast<std::size_t>(label)].push_back(static_cast<std::uint32_t>(i));
      }
    }
  }
  if (!spec_.cache_folder.empty()) fill_cache();
}

std::uint64_t EncodedDataset::cache_key(bool encoded) const {
  const bool sound = facts_of(spec_).content == Content::sound;
  std::string text =
      fmt::format("2 {} {} {} {} {}\n", spec_.dataset, to_string(split_), size(), encoded,
                  encoded ? text_of(spec_.encoder)
                  : sound ? sound_text(spec_.encoder)
                          : "");
  if (encoded && spec_.encoder.max_spikes_per_step > 0)
    text += fmt::format("{} {}", key_.low, key_.high);
  if (is_generated(spec_.dataset)) {
    const GeneratorSpec& g = spec_.generator;
    text += fmt::format("{} {} {} {} {} {} {} {} {}", g.training_samples, g.test_samples, g.seed,
                        g.dimension, g.smoothness, g.classes, g.channels, g.cutoff, g.cues);
  }
  if (spec_.dataset == "file") {
    const FileSpec& f = spec_.file;
    text += fmt::format("{} {} {} {} {} {}", f.content == FileContent::spikes, f.shape.height,
                        f.shape.width, f.shape.channels, f.classes.size(), text_of(f.step_ms));
  }
  for (const auto& file : source_->files()) {
    std::error_code failed;
    const auto bytes = std::filesystem::file_size(file, failed);
    const auto time = std::filesystem::last_write_time(file, failed).time_since_epoch().count();
    text += fmt::format("{} {} {}\n", file.string(), bytes, time);
  }
  return hash_of(text);
}

void EncodedDataset::fill_cache() {
  SampleStore* store = encoded_ ? encoded_.get() : raw_.get();
  if (store == nullptr) return;  // varied images: decoded anew
  const std::uint64_t key = cache_key(store == encoded_.get());
  std::error_code failed;
  std::filesystem::create_directories(spec_.cache_folder, failed);
  if (failed) {
    throw RunError(fmt::format("cannot make the folder {}: {}.", spec_.cache_folder.string(),
                               failed.message()));
  }
  const auto file =
      spec_.cache_folder / fmt::format("{}_{}_{:016x}.tsd", spec_.dataset, to_string(split_), key);
  if (store->load(file, key)) return;
  SpikeSample sample;
  Events events;
  for (std::size_t i = 0; i < size(); ++i) {
    if (store == encoded_.get()) {
      read(i, kUnvaried, sample);
    } else {
      read_events(i, events);
    }
  }
  if (store->complete()) store->save(file, key);  // too large for the memory: nothing is kept
}

void EncodedDataset::read(std::size_t index, std::uint64_t draw, SpikeSample& sample) const {
  if (index >= size()) {
    throw InputError(fmt::format("there is no sample {} in data set '{}', which has {} samples.",
                                 index, name(), size()));
  }
  sample.label = source_->label(index);
  source_->target(index, sample.target);
  if (encoded_ && encoded_->get(index, sample.first, sample.channel)) return;
  make(index, draw, varies_ && draw != kUnvaried, sample);
  if (encoded_) encoded_->put(index, sample.first, sample.channel);
}

void EncodedDataset::read_events(std::size_t index, Events& events) const {
  if (raw_ && raw_->get(index, events.time_us, events.address)) return;
  events_->read(index, events);
  if (raw_) raw_->put(index, events.time_us, events.address);
}

void EncodedDataset::make(std::size_t index, std::uint64_t draw, bool varied,
                          SpikeSample& sample) const {
  // Working memory of each thread that reads.
  thread_local std::vector<float> values;
  thread_local Events events;
  thread_local Binner binner;
  const EncoderSpec& encoder = spec_.encoder;
  const AugmentationSpec& augmentation = spec_.augmentation;
  const auto entity = static_cast<std::uint32_t>(index);
  RandomStream chance(key_of_draw(key_, draw), Purpose::augmentation, entity, 0);
  if (values_ != nullptr) {
    values_->read(index, values);
    if (varied) vary_image(augmentation, values_->shape(), chance, values);
    geometry_->scale(values);
    if (encoder.kind == EncoderKind::rate) {
      RandomStream random(key_of_draw(key_, draw), Purpose::encoding, entity, 0);
      rate_spikes(values, encoder, random, sample);
    } else {
      latency_events(values, encoder, events);
      if (varied) vary_times(augmentation, chance, events);
      binner.bin(events, *value_places_, encoder, sample);
    }
  } else {
    read_events(index, events);
    if (varied) {
      const auto label = static_cast<std::size_t>(source_->label(index));
      if (label < by_class_.size() && by_class_[label].size() > 1 &&
          chance.next_unit() < augmentation.blend) {
        Events other;
        const auto& mates = by_class_[label];
        read_events(mates[chance.next_below(static_cast<std::uint32_t>(mates.size()))], other);
        blend(other, source_->shape(), chance, events);
      }
      vary_times(augmentation, chance, events);
      vary_places(augmentation, source_->shape(), chance, events);
    }
    binner.bin(events, *geometry_, encoder, sample);
  }
  if (encoder.max_spikes_per_step > 0) {
    RandomStream random(
        varied || encoder.kind == EncoderKind::rate ? key_of_draw(key_, draw) : key_,
        Purpose::encoding, entity, 1);
    thin_out(encoder.max_spikes_per_step, random, sample);
  }
  if (encoder.bias) {
    const double step = *encoder.bias_ms / encoder.dt_ms + 1e-9;
    add_bias(static_cast<std::uint32_t>(shape_.size() - 1), static_cast<std::uint32_t>(step),
             sample);
  }
}

}  // namespace tessera::training
