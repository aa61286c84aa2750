// The readers of file formats, one function each, and the data sets they make. All throw InputError
// with file and offset.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/source.hpp"
#include "tessera/data.hpp"

namespace tessera::training {

// ------------------------------------------------------------------------------------- formats

/// IDX (LeCun): big-endian magic 0x00000801 (labels) or 0x00000803 (images), sizes, unsigned bytes.
struct IdxArray {
  std::vector<std::uint32_t> shape;  ///< one or three dimensions
  std::string values;
};
[[nodiscard]] IdxArray parse_idx(std::string bytes, const std::string& name);

/// N-MNIST .bin / .bs2: five bytes per event (Orchard et al. 2015); addresses in 34 x 34 x 2.
void parse_nmnist(std::string_view bytes, const std::string& name, Events& events);

/// AEDAT 3.1: the polarity events with start_us <= time < end_us, times counted from start_us,
/// addresses in 128 x 128 x 2. Those that the camera marked as invalid (bit 0) are left out; gives
/// their number.
std::uint64_t parse_aedat(std::string_view bytes, const std::string& name, std::uint64_t start_us,
                          std::uint64_t end_us, Events& events);
/// Labels of an AEDAT recording: a header line, then class (1 .. 11), start and end in
/// microseconds.
struct Gesture {
  std::int32_t label = 0;  ///< 0 .. 10
  std::uint64_t start_us = 0, end_us = 0;
};
[[nodiscard]] std::vector<Gesture> parse_gesture_labels(std::string_view text,
                                                        const std::string& name);
/// Pre-cut npy recording: columns x, y, polarity, time in ms.
void parse_gesture_npy(std::string_view bytes, const std::string& name, Events& events);

/// RIFF WAVE, PCM of 16 bits; channels are averaged. Samples from -1 to 1, at least one. A length
/// of the sound that is 0 or beyond 2 GB was not known when the header was written (to a pipe):
/// then it lasts to the end of the file.
struct Sound {
  double rate_hz = 0.0;
  std::vector<float> samples;
};
[[nodiscard]] Sound parse_wav(std::string_view bytes, const std::string& name);

/// A JPEG image as height x width x 3 bytes (grey ones are spread over three channels). At most
/// 1024 x 1024. jpeg_absent.cpp: throws a sentence.
struct Image {
  std::uint32_t height = 0, width = 0;
  std::vector<std::uint8_t> rgb;
};
[[nodiscard]] Image parse_jpeg(std::string_view bytes, const std::string& name);

// ----------------------------------------------------------------------------------- data sets

/// Where files may lie, best first; the first folder that holds the set is taken.
using Folders = std::vector<std::filesystem::path>;

/// Each throws InputError with download_help() when no folder holds the files.
[[nodiscard]] std::shared_ptr<const ValueSource> open_mnist(const Folders& folders, Split split);
[[nodiscard]] std::shared_ptr<const ValueSource> open_eurosat(const Folders& folders, Split split,
                                                              bool grey);
[[nodiscard]] std::shared_ptr<const EventSource> open_nmnist(const Folders& folders, Split split);
[[nodiscard]] std::shared_ptr<const EventSource> open_dvs_gesture(const Folders& folders,
                                                                  Split split);
/// `dataset` is "shd" or "ssc". shd_absent.cpp: throws a sentence.
[[nodiscard]] std::shared_ptr<const EventSource> open_shd(const std::string& dataset,
                                                          const Folders& folders, Split split);
[[nodiscard]] std::shared_ptr<const EventSource> open_spoken_digits(const Folders& folders,
                                                                    Split split,
                                                                    const EncoderSpec& encoder);
[[nodiscard]] std::shared_ptr<const ValueSource> make_yin_yang(const GeneratorSpec& spec,
                                                               Split split);
/// Times fill 0 .. duration_us.
[[nodiscard]] std::shared_ptr<const EventSource> make_random_manifolds(const GeneratorSpec& spec,
                                                                       Split split,
                                                                       double duration_us);
/// Channels spike in the steps of `step_ms` of the task; docs/data.md has it. At least evidence_steps() of them.
[[nodiscard]] std::shared_ptr<const EventSource> make_evidence_accumulation(const GeneratorSpec& spec, Split split,
                                                                            std::uint32_t steps, double step_ms);
[[nodiscard]] std::uint32_t evidence_steps(std::uint32_t cues);
/// One sample with a target, in both splits.
[[nodiscard]] std::shared_ptr<const EventSource> make_pattern_generation(const GeneratorSpec& spec, std::uint32_t steps,
                                                                         double step_ms);

/// Set "file".
[[nodiscard]] std::shared_ptr<const Source> open_own_files(const DataSpec& spec,
                                                           const Folders& folders, Split split);
/// The first whole microsecond of a step: whoever divides by the step's length gets `step` again.
[[nodiscard]] double step_start_us(double step, double step_ms);
[[nodiscard]] bool is_hdf5_name(const std::string& file);
/// One file in the layout of SHD, with a shape and classes of its own. shd_absent.cpp: throws a
/// sentence.
[[nodiscard]] std::shared_ptr<const EventSource> open_shd_file(const std::filesystem::path& file,
                                                               const Shape& shape,
                                                               std::size_t classes);

/// "no files of data set 'X' in A or B." and download_help().
[[noreturn]] void throw_missing(const std::string& dataset, const Folders& folders);

/// 0 = yin, 1 = yang, 2 = dot; x and y inside the unit square's circle (Kriener et al. 2022).
[[nodiscard]] std::int32_t yin_yang_class(double x, double y);

}  // namespace tessera::training
