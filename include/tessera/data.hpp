// Data sets for training: which samples, how they become spikes, how training samples are varied. A
// DataSpec says all of it; open_dataset() makes the SpikeDataset that the trainer reads.
// Sources: Cramer et al. 2022 (SHD, SSC), Orchard et al. 2015 (N-MNIST), Amir et al. 2017 (DVS
// Gesture), LeCun et al. 1998 (MNIST), Helber et al. 2019 (EuroSAT), Jackson et al. 2018 (spoken
// digits), Kriener et al. 2022 (Yin-Yang), Zenke and Vogels 2021 (random manifolds), Nowotny et al.
// 2022 (shift, blend).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tessera/errors.hpp"
#include "tessera/spike_dataset.hpp"

namespace tessera::training {

enum class Split { train, test };

/// How a sample becomes at most one spike per channel and step. What a data set holds decides which
/// kinds it takes (the first is its default):
///   numbers  yin_yang, mnist, eurosat, file (values)                        latency, rate
///   events   nmnist, dvs_gesture, shd, ssc, random_manifolds, file (spikes) binning
///   sound    spoken_digits                                                  cochlea, delta
enum class EncoderKind { automatic, binning, latency, rate, delta, cochlea };

/// The time of a value x in [0, 1]; x = 1 spikes at early_ms, smaller ones later:
///   linear       t = early + (late - early) (1 - x), as in mlGeNN
///   logarithmic  t = early + tau (log(x / (x - theta)) - log(1 / (1 - theta))), at most late:
///                when a leaky membrane (tau) that x drives reaches theta, counted from the
///                moment when x = 1 does
/// With a threshold theta, x <= theta never spikes; it does not move the other times.
enum class LatencyCurve { linear, logarithmic };

/// Probability of a spike in one step of a channel with rate r = x * max_rate_hz, 0 for x <=
/// threshold:
///   bernoulli  min(1, r dt)
///   poisson    1 - exp(-r dt): at least one event of a Poisson process
enum class RateKind { bernoulli, poisson };

/// Spacing of the filters' centre frequencies: equal steps of ERB number (Glasberg and Moore 1990)
/// or mel.
enum class FrequencyScale { erb, mel };

/// An empty optional, or 0 where said, is the default of the data set (see with_defaults). A field
/// that the kind does not use has to keep its default: validate() refuses a value that would be
/// ignored.
struct EncoderSpec {
  EncoderKind kind = EncoderKind::automatic;
  std::uint32_t steps = 0;  ///< of a sample, 1 .. 65,535; 0: default
  double dt_ms = 0.0;  ///< length of a step, 1e-3 .. 1e3; 0: default. steps * dt_ms is what is seen

  // events and sound: a channel spikes in a step that holds at least `min_events` of its events
  std::optional<double> start_ms;  ///< skips the beginning of the recording, >= 0; default 0
  std::optional<std::uint32_t> min_events;  ///< 1 .. 1000; default 1
  /// Event cameras, images: cuts this rectangle out (0 width or height: to the border), then scales
  /// it down to `width` x `height` (0: no scaling). Never up.
  std::uint32_t crop_x = 0, crop_y = 0, crop_width = 0, crop_height = 0;
  std::uint32_t width = 0, height = 0;
  bool merge_polarities = false;  ///< event cameras: one channel instead of off and on
  bool grey = false;  ///< eurosat: 0.299 R + 0.587 G + 0.114 B instead of three channels

  /// shd, ssc: 1 .. 700, neighbouring units are merged (e.g. 140), 0: 700. spoken_digits: filters
  /// of the cochlea, 1 .. 700, 0: 140 (delta: every filter has an on and an off channel behind it).
  std::uint32_t channels = 0;

  // latency; all times inside steps * dt_ms
  LatencyCurve curve = LatencyCurve::linear;
  std::optional<double> early_ms;  ///< when x = 1 spikes, >= 0; default 0
  /// When x = 0 spikes, or would if it were above the threshold; > early. Default: start of the
  /// last step.
  std::optional<double> late_ms;
  std::optional<double> tau_ms;  ///< logarithmic, > 0; default: a third of late - early
  /// Values x <= threshold do not spike, 0 <= threshold < 1. Default of latency: 0.2 for images and
  /// for the logarithmic curve, else none: every value spikes, also x = 0. Default of rate: 0.
  std::optional<double> threshold;
  /// One more channel, the last, that spikes once in every sample, at bias_ms (default early_ms).
  /// The shape becomes {1, 1, n + 1}.
  bool bias = false;
  std::optional<double> bias_ms;

  // rate
  RateKind rate_kind = RateKind::bernoulli;
  std::optional<double> max_rate_hz;  ///< of x = 1, > 0 .. 1e5; default 200

  // cochlea and delta (docs/data.md has the equations)
  FrequencyScale scale = FrequencyScale::erb;
  std::optional<double> low_hz;  ///< lowest centre frequency, >= 20; default 80
  /// Highest centre frequency, below half the sampling rate; default 0.45 of the rate.
  std::optional<double> high_hz;
  std::optional<double> compression;  ///< exponent of the rectified output, (0, 1]; default 0.3
  std::optional<double> gain;  ///< cochlea: current of a full-scale tone, in thresholds; default 3
  /// Cochlea: membrane time constant of a hair cell, > 0; default 2.
  std::optional<double> hair_tau_ms;
  std::optional<double> refractory_ms;  ///< cochlea, >= 0; default 2
  /// Delta: change of the compressed envelope that makes an event, (0, 1]; default 0.05.
  std::optional<double> delta_threshold;
  /// Steps with more spikes are thinned out by random numbers that depend on seed, sample and step;
  /// 0: never.
  std::uint32_t max_spikes_per_step = 0;
};

/// Variations of training samples, drawn anew for every `draw`. All are off at their defaults. Test
/// samples are never varied.
struct AugmentationSpec {
  /// Largest shift: pixels in x and in y (images, event cameras), or channels (shd, ssc,
  /// spoken_digits).
  std::uint32_t shift = 0;
  double jitter_ms = 0.0;  ///< standard deviation of normal noise on every event's time, >= 0
  /// Probability that a sample is blended with another one of its class, 0 .. 1: every event of
  /// both stays with probability 1/2, after the other's mean time and channel were moved to this
  /// one's. shd, ssc, spoken_digits.
  double blend = 0.0;
  double crop_ms = 0.0;  ///< the seen window begins up to this much later, uniform, >= 0
  /// Largest angle about the centre, 0 .. 180; images, event cameras.
  double rotation_degrees = 0.0;
  double rotation_probability = 1.0;  ///< of a sample being rotated at all, 0 .. 1
  /// Images: the values of a rotated image become min(1, rotation_gain v / largest v), which undoes what the
  /// interpolation took; 0: they stay.
  double rotation_gain = 0.0;
  /// Times are multiplied by a number drawn from low .. high.
  double skew_low = 1.0, skew_high = 1.0;
  [[nodiscard]] bool any() const {
    return shift != 0 || jitter_ms != 0.0 || blend != 0.0 || crop_ms != 0.0 ||
           rotation_degrees != 0.0 || skew_low != 1.0 || skew_high != 1.0;
  }
};

/// yin_yang, random_manifolds, evidence_accumulation and pattern_generation are generated. Training and test samples come from different
/// random numbers of the same seed.
struct GeneratorSpec {
  /// 0: the default, 5000 for yin_yang, 1000 per class for random_manifolds, 2048 for evidence_accumulation;
  /// pattern_generation has one sample.
  std::uint32_t training_samples = 0;
  /// 0: the default, 1000 for yin_yang, 200 per class for random_manifolds, 512 for evidence_accumulation.
  std::uint32_t test_samples = 0;
  std::uint64_t seed = 42;  ///< which samples, which manifolds
  // random_manifolds: spike time of channel i at the point x of class c's manifold, rescaled to
  // 0 .. 1, with k from 1 to cutoff:
  //   prod_j sum_k  theta_cijk / k^alpha  sin(2 pi (k x_j beta_cijk + delta_cijk))
  std::uint32_t dimension = 1;  ///< of a manifold, 1 .. 10
  double smoothness = 3.0;      ///< alpha >= 0; larger is smoother and easier
  std::uint32_t classes = 10;   ///< one manifold each, 2 .. 1000
  std::uint32_t channels = 50;  ///< input units, 1 .. 10,000
  std::uint32_t cutoff = 100;   ///< Fourier terms, 1 .. 1000; those below 1e-6 are left out
  // evidence_accumulation (docs/data.md): 40 channels of which 10 each are left and right cues, the recall cue and noise
  std::uint32_t cues = 7;  ///< of 100 steps with 50 between them, odd, 1 .. 101
  bool operator==(const GeneratorSpec&) const = default;
};

enum class FileContent { spikes, values };

/// Set "file": data of one's own, in files of the set's folder (docs/data.md has the layouts).
///   .npy, .csv  one array; the labels are in a file of their own
///   .npz        the arrays `spikes` or `values`, and `labels`
///   .h5         spikes and labels in the layout of SHD, times in seconds
struct FileSpec {
  std::string training, training_labels;  ///< names of files; labels: npy and csv only
  std::string test, test_labels;          ///< empty: there are no test samples
  /// spikes: rows of sample, step, channel. values: a row of numbers from 0 to 1 for every sample.
  FileContent content = FileContent::spikes;
  Shape shape = {0, 0, 0};           ///< of the source; {1, n, 1} for n channels; at most 65,536
  std::vector<std::string> classes;  ///< their names, 2 .. 65,536; a class may lack samples
  /// Length of a step of the file's spikes, 1e-3 .. 1e3; default: that of the encoder. Not for
  /// HDF5, which has times.
  std::optional<double> step_ms;
  bool operator==(const FileSpec&) const = default;
};

struct DataSpec {
  std::string dataset;  ///< one of dataset_names()
  /// Of this set, relative to the data folder; empty: searched, see download_help.
  std::string folder;
  EncoderSpec encoder;
  AugmentationSpec augmentation;
  GeneratorSpec generator;
  FileSpec file;
  std::uint64_t cache_megabytes = 4096;  ///< memory for samples that were read before; 0: none
  /// Keeps encoded samples (spoken_digits: the cochlea's events) in this folder, one file for each
  /// combination of source files and encoder. Empty: no files. Refused for what cannot be kept:
  /// rates.
  std::filesystem::path cache_folder;
  /// For messages; key paths of problems are appended, e.g. "data.encoder.steps".
  SourceLocation where;
};

/// yin_yang, random_manifolds, evidence_accumulation, pattern_generation, mnist, nmnist, spoken_digits, shd, ssc,
/// dvs_gesture, eurosat, file.
[[nodiscard]] const std::vector<std::string>& dataset_names();
/// True for the sets that need no files.
[[nodiscard]] bool is_generated(const std::string& dataset);
/// Names of the classes, by label. The specification must be valid.
[[nodiscard]] std::vector<std::string> class_names(const DataSpec& spec);

/// All problems at once; empty when there are none. Looks at no file.
[[nodiscard]] std::vector<Problem> validate(const DataSpec& spec);
/// Every default filled in. The specification must be valid.
[[nodiscard]] DataSpec with_defaults(DataSpec spec);
/// Shape of the encoded samples. The specification must be valid.
[[nodiscard]] Shape encoded_shape(const DataSpec& spec);
/// Number of classes. The specification must be valid.
[[nodiscard]] std::uint32_t class_count(const DataSpec& spec);

/// Looks into data_folder/<names of the set> and then data_folder itself for the files that
/// download_help describes. `seed` selects the random numbers of rate encoders, thinning and
/// augmentation. Throws InputError: problems of the specification; a missing folder or file (with
/// download_help); a damaged file (file and offset); a library this program was built without. The
/// result may outlive everything.
[[nodiscard]] std::unique_ptr<SpikeDataset> open_dataset(const DataSpec& spec,
                                                         const std::filesystem::path& data_folder,
                                                         Split split, std::uint64_t seed);

/// Where to get the files of a set, into which layout they belong, and their checksums where we
/// know them.
[[nodiscard]] std::string download_help(const std::string& dataset);

/// What `tessera data info` shows.
struct DatasetInfo {
  std::string name;
  std::size_t samples = 0;
  std::uint32_t classes = 0;
  std::vector<std::uint64_t> samples_per_class;
  Shape shape;
  std::uint32_t steps = 0;
  double mean_spikes = 0.0;  ///< per sample
  std::uint64_t min_spikes = 0, max_spikes = 0;
  double activity = 0.0;  ///< spikes per channel and step
};
/// Reads every sample once.
[[nodiscard]] DatasetInfo describe(const SpikeDataset& dataset);

/// A number that equal data shares and other data does not: of the number of samples, shape, steps,
/// all labels and up to 1,000 samples, evenly spread, as they are encoded without variation.
[[nodiscard]] std::uint64_t data_digest(const SpikeDataset& dataset);

[[nodiscard]] std::string to_string(Split split);
[[nodiscard]] std::string to_string(EncoderKind kind);
[[nodiscard]] std::string to_string(LatencyCurve curve);
[[nodiscard]] std::string to_string(RateKind kind);
[[nodiscard]] std::string to_string(FrequencyScale scale);

}  // namespace tessera::training
