// Data sets as the trainer sees them: shapes, reproducibility, caches, generators, bad
// specifications.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <thread>

#include "data/readers.hpp"
#include "data/sample_store.hpp"
#include "files.hpp"
#include "files/npy.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::training {
namespace {

bool same(const SpikeSample& a, const SpikeSample& b) {
  return a.first == b.first && a.channel == b.channel && a.label == b.label;
}
SpikeSample sample_of(const SpikeDataset& data, std::size_t index, std::uint64_t draw = 0) {
  SpikeSample sample;
  data.read(index, draw, sample);
  return sample;
}

// ------------------------------------------------------------------------------------ Yin-Yang

TEST(YinYang, label_rule_gives_the_published_labels) {
  TESSERA_NEED_REAL_DATA("yinyang");
  std::size_t checked = 0;
  for (const std::string part : {"train", "validation", "test"}) {
    const auto samples = io::read_npy(real_data() / "yinyang" / (part + "_samples.npy"));
    const auto labels = io::read_npy(real_data() / "yinyang" / (part + "_labels.npy"));
    for (std::size_t i = 0; i < samples.rows(); ++i, ++checked) {
      const double* v = samples.values.data() + 4 * i;
      ASSERT_EQ(yin_yang_class(v[0], v[1]), static_cast<std::int32_t>(labels.values[i]))
          << part << i;
    }
  }
  EXPECT_EQ(checked, 7000u);
}

// Pearson's statistic of two samples over the same cells, with its degrees of freedom.
struct ChiSquare {
  double statistic = 0.0, freedom = -1.0;
};
ChiSquare compare_counts(const std::vector<double>& a, const std::vector<double>& b) {
  double total_a = 0.0, total_b = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) total_a += a[i], total_b += b[i];
  const double ka = std::sqrt(total_b / total_a), kb = std::sqrt(total_a / total_b);
  ChiSquare result;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] + b[i] == 0.0) continue;
    result.statistic += std::pow(ka * a[i] - kb * b[i], 2) / (a[i] + b[i]);
    result.freedom += 1.0;
  }
  return result;
}

TEST(YinYang, has_the_distribution_of_the_published_set) {
  TESSERA_NEED_REAL_DATA("yinyang");
  // Cells: class x an 8 x 8 grid over the disc.
  const auto cell = [](double x, double y, int label) {
    return static_cast<std::size_t>(label * 64 + std::min(7, static_cast<int>(y * 8)) * 8 +
                                    std::min(7, static_cast<int>(x * 8)));
  };
  std::vector<double> ours(192), published(192);
  const auto samples = io::read_npy(real_data() / "yinyang" / "train_samples.npy");
  const auto labels = io::read_npy(real_data() / "yinyang" / "train_labels.npy");
  for (std::size_t i = 0; i < samples.rows(); ++i) {
    ++published[cell(samples.values[4 * i], samples.values[4 * i + 1],
                     static_cast<int>(labels.values[i]))];
  }
  GeneratorSpec spec;
  spec.training_samples = 20'000;
  const auto source = make_yin_yang(spec, Split::train);
  std::vector<float> v;
  for (std::size_t i = 0; i < source->size(); ++i) {
    source->read(i, v);
    ASSERT_FLOAT_EQ(v[0] + v[2], 1.0f);
    ASSERT_FLOAT_EQ(v[1] + v[3], 1.0f);
    ++ours[cell(v[0], v[1], source->label(i))];
  }
  const ChiSquare chi = compare_counts(ours, published);
  EXPECT_GT(chi.freedom, 60.0);
  // Wilson and Hilferty: the cube root is close to normal. 4.75 standard deviations: one in a
  // million.
  const double f = 2.0 / (9.0 * chi.freedom);
  EXPECT_LT(std::cbrt(chi.statistic / chi.freedom), 1.0 - f + 4.75 * std::sqrt(f));
}

TEST(YinYang, gives_early_and_late_spikes_and_a_bias) {
  DataSpec spec = spec_of("yin_yang");
  spec.encoder.steps = 50;
  spec.encoder.early_ms = 10.0;
  spec.encoder.late_ms = 40.0;
  spec.encoder.bias = true;
  spec.encoder.bias_ms = 5.0;
  const auto data = open_dataset(spec, "/nonexistent", Split::train, 1);
  EXPECT_EQ(data->size(), 5000u);
  EXPECT_EQ(data->shape(), (Shape{1, 1, 5}));
  EXPECT_EQ(data->classes(), 3u);
  for (std::size_t i = 0; i < 100; ++i) {
    const SpikeSample s = sample_of(*data, i);
    ASSERT_EQ(s.channel.size(), 5u);
    EXPECT_EQ(s.first[5], 0u);
    EXPECT_EQ(s.first[6], 1u);
    EXPECT_EQ(s.channel[0], 4u);
    EXPECT_EQ(s.first[10], 1u);
    EXPECT_EQ(s.first[41], 5u);
  }
  const DatasetInfo info = describe(*data);
  for (const std::uint64_t n : info.samples_per_class) {
    EXPECT_NEAR(static_cast<double>(n), 5000.0 / 3, 6 * std::sqrt(5000.0 * 2 / 9));
  }
  EXPECT_EQ(info.mean_spikes, 5.0);
}

TEST(YinYang, splits_differ_and_seeds_decide) {
  const auto train = open_dataset(spec_of("yin_yang"), "", Split::train, 1);
  const auto test = open_dataset(spec_of("yin_yang"), "", Split::test, 1);
  EXPECT_EQ(test->size(), 1000u);
  EXPECT_FALSE(same(sample_of(*train, 0), sample_of(*test, 0)));
  EXPECT_TRUE(same(sample_of(*train, 7),
                   sample_of(*open_dataset(spec_of("yin_yang"), "", Split::train, 9), 7)));
  DataSpec other = spec_of("yin_yang");
  other.generator.seed = 43;
  EXPECT_FALSE(same(sample_of(*train, 0), sample_of(*open_dataset(other, "", Split::train, 1), 0)));
}

// ------------------------------------------------------------------------------ random manifolds

TEST(RandomManifolds, every_channel_spikes_once_inside_the_window) {
  DataSpec spec = spec_of("random_manifolds");
  spec.generator.classes = 3;
  spec.generator.channels = 20;
  spec.generator.training_samples = 60;
  const auto data = open_dataset(spec, "", Split::train, 1);
  EXPECT_EQ(data->shape(), (Shape{1, 1, 20}));
  EXPECT_EQ(data->classes(), 3u);
  for (std::size_t i = 0; i < data->size(); ++i) {
    SpikeSample s = sample_of(*data, i);
    EXPECT_EQ(s.label, static_cast<std::int32_t>(i % 3));
    ASSERT_EQ(s.channel.size(), 20u);
    std::sort(s.channel.begin(), s.channel.end());
    for (std::uint32_t c = 0; c < 20; ++c) ASSERT_EQ(s.channel[c], c);
  }
}

// Mean absolute difference of spike times between samples of a class that are neighbours on its
// manifold shrinks when alpha grows: smoother manifolds.
TEST(RandomManifolds, larger_alpha_is_smoother) {
  const auto roughness = [](double alpha) {
    GeneratorSpec spec;
    spec.classes = 2;
    spec.channels = 30;
    spec.training_samples = 400;
    spec.smoothness = alpha;
    const auto source = make_random_manifolds(spec, Split::train, 1e6);
    // Nearest neighbours in the space of spike times, of the same class.
    std::vector<Events> all(source->size());
    for (std::size_t i = 0; i < all.size(); ++i) source->read(i, all[i]);
    double sum = 0.0;
    for (std::size_t i = 0; i < 100; ++i) {
      double best = 1e30;
      for (std::size_t j = i % 2; j < all.size(); j += 2) {
        if (j == i) continue;
        double distance = 0.0;
        for (std::size_t c = 0; c < 30; ++c) {
          distance += std::abs(static_cast<double>(all[i].time_us[c]) - all[j].time_us[c]);
        }
        best = std::min(best, distance);
      }
      sum += best;
    }
    return sum;
  };
  EXPECT_LT(3.0 * roughness(3.0), roughness(0.5));
}

// -------------------------------------------------------------------------------- files and cache

void write_mnist(const std::filesystem::path& folder, std::uint32_t count) {
  std::string images = big(0x803) + big(count) + big(28) + big(28),
              labels = big(0x801) + big(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::uint32_t p = 0; p < 784; ++p) images += static_cast<char>((p * 7 + i * 13) % 256);
    labels += static_cast<char>(i % 10);
  }
  write_bytes(folder / "train-images-idx3-ubyte", images);
  write_bytes(folder / "train-labels-idx1-ubyte", labels);
}

TEST(OpenDataset, finds_the_folder_of_a_set_or_the_data_folder_itself) {
  const TemporaryFolder folder;
  EXPECT_TRUE(contains(
      refusal([&] { (void)open_dataset(spec_of("mnist"), folder / "no", Split::train, 1); }),
      "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"));
  write_mnist(folder / "mnist", 20);
  EXPECT_EQ(open_dataset(spec_of("mnist"), folder.path(), Split::train, 1)->size(), 20u);
  EXPECT_EQ(open_dataset(spec_of("mnist"), folder / "mnist", Split::train, 1)->size(), 20u);
  EXPECT_TRUE(contains(
      refusal([&] { (void)open_dataset(spec_of("mnist"), folder.path(), Split::test, 1); }),
      "the files of data set 'mnist' are not in"));
  DataSpec elsewhere = spec_of("mnist");
  elsewhere.folder = "other";
  EXPECT_NE(refusal([&] { (void)open_dataset(elsewhere, folder.path(), Split::train, 1); }), "");
}

TEST(OpenDataset, reading_again_and_from_many_threads_gives_the_same) {
  const TemporaryFolder folder;
  write_mnist(folder.path(), 50);
  DataSpec uncached = spec_of("mnist");
  uncached.cache_megabytes = 0;
  const auto plain = open_dataset(uncached, folder.path(), Split::train, 1);
  const auto cached = open_dataset(spec_of("mnist"), folder.path(), Split::train, 1);
  std::vector<std::thread> threads;
  std::vector<int> different(4);
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 2; ++round) {
        for (std::size_t i = 0; i < 50; ++i) {
          different[t] += !same(sample_of(*plain, i), sample_of(*cached, i, t));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, std::vector<int>(4, 0));
}

TEST(OpenDataset, draws_decide_over_rates_and_augmentation) {
  const TemporaryFolder folder;
  write_mnist(folder.path(), 5);
  DataSpec rate = spec_of("mnist");
  rate.encoder.kind = EncoderKind::rate;
  const auto data = open_dataset(rate, folder.path(), Split::train, 1);
  EXPECT_TRUE(same(sample_of(*data, 3, 8), sample_of(*data, 3, 8)));
  EXPECT_FALSE(same(sample_of(*data, 3, 8), sample_of(*data, 3, 9)));
  EXPECT_FALSE(same(sample_of(*data, 3, 8),
                    sample_of(*open_dataset(rate, folder.path(), Split::train, 2), 3, 8)));

  DataSpec moved = spec_of("mnist");
  moved.augmentation.shift = 4;
  moved.augmentation.rotation_degrees = 10.0;
  const auto varied = open_dataset(moved, folder.path(), Split::train, 1);
  const auto plain = open_dataset(spec_of("mnist"), folder.path(), Split::train, 1);
  EXPECT_TRUE(same(sample_of(*varied, 2, 5), sample_of(*varied, 2, 5)));
  EXPECT_FALSE(same(sample_of(*varied, 2, 5), sample_of(*varied, 2, 6)));
  EXPECT_TRUE(same(sample_of(*varied, 2, kUnvaried), sample_of(*plain, 2)));
}

TEST(CacheFile, holds_what_was_encoded_and_is_made_anew_when_it_is_damaged) {
  const TemporaryFolder folder;
  write_mnist(folder / "mnist", 30);
  DataSpec spec = spec_of("mnist");
  spec.cache_folder = folder / "cache";
  const auto first = open_dataset(spec, folder.path(), Split::train, 1);
  const auto files = [&] {
    std::vector<std::filesystem::path> list;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "cache"))
      list.push_back(entry);
    return list;
  };
  ASSERT_EQ(files().size(), 1u);
  const auto written = std::filesystem::last_write_time(files()[0]);
  const auto second = open_dataset(spec, folder.path(), Split::train, 1);
  EXPECT_EQ(std::filesystem::last_write_time(files()[0]), written);  // read, not written
  for (std::size_t i = 0; i < 30; ++i)
    EXPECT_TRUE(same(sample_of(*first, i), sample_of(*second, i)));

  // A flipped bit is found by the checksum; the samples come from their source.
  std::string bytes = io::read_file(files()[0], 1u << 30);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_bytes(files()[0], bytes);
  const auto third = open_dataset(spec, folder.path(), Split::train, 1);
  for (std::size_t i = 0; i < 30; ++i)
    EXPECT_TRUE(same(sample_of(*first, i), sample_of(*third, i)));
  EXPECT_NE(io::read_file(files()[0], 1u << 30), bytes);

  // Another encoder is another file.
  spec.encoder.steps = 10;
  (void)open_dataset(spec, folder.path(), Split::train, 1);
  EXPECT_EQ(files().size(), 2u);
}

TEST(SampleStore, respects_its_limit) {
  SampleStore store(100, 2000);
  const std::vector<std::uint32_t> a(50, 70'000), b(50, 3);
  for (std::size_t i = 0; i < 100; ++i) store.put(i, a, b);
  EXPECT_LE(store.bytes(), 2000u);
  EXPECT_FALSE(store.complete());
  std::vector<std::uint32_t> x, y;
  ASSERT_TRUE(store.get(0, x, y));
  EXPECT_EQ(x, a);
  EXPECT_EQ(y, b);
  EXPECT_FALSE(store.get(99, x, y));
}

// ----------------------------------------------------------------------------------- real data

TEST(RealData, mnist_latency_has_bright_pixels_early) {
  TESSERA_NEED_REAL_DATA("mnist");
  const auto data = open_dataset(spec_of("mnist"), real_data(), Split::test, 1);
  EXPECT_EQ(data->shape(), (Shape{28, 28, 1}));
  const DatasetInfo info = describe(*data);
  EXPECT_EQ(info.samples, 10'000u);
  // Test digits per class, from the publication.
  EXPECT_EQ(info.samples_per_class,
            (std::vector<std::uint64_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
  EXPECT_GT(info.mean_spikes, 80.0);  // a fifth of the pixels is not dark
  EXPECT_LT(info.mean_spikes, 150.0);
}

TEST(RealData, spoken_digits_drive_the_cochlea) {
  TESSERA_NEED_REAL_DATA("fsdd");
  DataSpec spec = spec_of("spoken_digits");
  spec.encoder.channels = 40;
  const auto data = open_dataset(spec, real_data(), Split::test, 1);
  EXPECT_EQ(data->size(), 300u);  // 10 digits x 6 speakers x 5
  EXPECT_EQ(data->shape(), (Shape{1, 1, 40}));
  const DatasetInfo info = describe(*data);
  EXPECT_EQ(info.samples_per_class, std::vector<std::uint64_t>(10, 30));
  EXPECT_GT(info.min_spikes, 50u);
  EXPECT_GT(info.activity, 0.01);
  EXPECT_LT(info.activity, 0.3);
  EXPECT_EQ(open_dataset(spec, real_data(), Split::train, 1)->size(), 2700u);
}

TEST(RealData, eurosat_reads_from_its_archive) {
  TESSERA_NEED_REAL_DATA("eurosat");
  DataSpec spec = spec_of("eurosat");
  spec.encoder.width = spec.encoder.height = 32;
  std::unique_ptr<SpikeDataset> data;
  try {
    data = open_dataset(spec, real_data(), Split::test, 1);
    (void)sample_of(*data, 0);
  } catch (const InputError& error) {
    if (contains(error.what(), "without JPEG support")) GTEST_SKIP() << error.what();
    throw;
  }
  EXPECT_EQ(data->size(), 800u);
  EXPECT_EQ(data->shape(), (Shape{32, 32, 3}));
  EXPECT_EQ(data->label(0), 0);
  EXPECT_EQ(data->label(799), 9);
  EXPECT_GT(sample_of(*data, 799).channel.size(), 100u);
}

// ------------------------------------------------------------------------------ bad specifications

std::string problems_of(const DataSpec& spec) {
  std::string text;
  for (const Problem& problem : validate(spec))
    text += problem.where.to_string() + ": " + problem.message + "\n";
  return text;
}

TEST(ValidateData, accepts_the_defaults_of_every_set) {
  for (const std::string& name : dataset_names()) {
    if (name == "file") continue;  // has none: own_files_test.cpp
    EXPECT_EQ(problems_of(spec_of(name)), "") << name;
    EXPECT_FALSE(download_help(name).empty());
    EXPECT_EQ(class_names(spec_of(name)).size(), class_count(spec_of(name)));
    EXPECT_GT(encoded_shape(spec_of(name)).size(), 0u);
    const DataSpec full = with_defaults(spec_of(name));
    EXPECT_EQ(problems_of(full), "") << name;
  }
}

TEST(ValidateData, suggests_the_name_that_was_meant) {
  EXPECT_TRUE(contains(problems_of(spec_of("mnst")),
                       "there is no data set 'mnst'. Did you mean 'mnist'?"));
}

TEST(ValidateData, names_every_problem_with_its_key) {
  DataSpec spec = spec_of("nmnist");
  spec.where = {"a.toml", 3, 1, "data"};
  spec.encoder.steps = 70'000;
  spec.encoder.dt_ms = std::nan("");
  spec.encoder.crop_x = 30;
  spec.encoder.crop_width = 10;
  spec.augmentation.jitter_ms = -1.0;
  spec.augmentation.skew_low = 2.0;
  const std::string text = problems_of(spec);
  EXPECT_TRUE(
      contains(text, "a.toml:3:1 (data.encoder.steps): 70000 is outside the range 1 to 65535."));
  EXPECT_TRUE(contains(text, "data.encoder.dt_ms): nan is outside"));
  EXPECT_TRUE(
      contains(text, "data.encoder.crop_x): 10 pixels from 30 on do not lie inside the 34"));
  EXPECT_TRUE(contains(text, "data.augmentation.jitter_ms): -1 is outside"));
  EXPECT_TRUE(contains(text, "data.augmentation.skew_low): 2 is above skew_high = 1"));
}

TEST(ValidateData, refuses_what_would_be_ignored) {
  DataSpec spec = spec_of("mnist");
  spec.encoder.start_ms = 1.0;
  spec.encoder.merge_polarities = true;
  spec.encoder.max_rate_hz = 10.0;
  spec.encoder.bias_ms = 2.0;
  const std::string text = problems_of(spec);
  EXPECT_TRUE(contains(text, "encoder.start_ms: only data sets of events or sound use it."));
  EXPECT_TRUE(contains(text, "encoder.merge_polarities: only event cameras use it."));
  EXPECT_TRUE(contains(text, "encoder.max_rate_hz: only rate uses it."));
  EXPECT_TRUE(contains(text, "encoder.bias_ms: only a bias channel (bias = true) uses it."));
  DataSpec wrong = spec_of("shd");
  wrong.encoder.kind = EncoderKind::latency;
  EXPECT_TRUE(
      contains(problems_of(wrong), "shd cannot be encoded by latency; it holds events: binning."));
  DataSpec generated = spec_of("mnist");
  generated.generator.seed = 1;
  EXPECT_NE(problems_of(generated), "");
  DataSpec kept = spec_of("mnist");
  kept.encoder.kind = EncoderKind::rate;
  kept.cache_folder = "cache";
  EXPECT_TRUE(contains(problems_of(kept), "data.cache_folder: rate-encoded spikes"));
}

TEST(ValidateData, keeps_latencies_inside_the_window) {
  DataSpec spec = spec_of("mnist");
  spec.encoder.late_ms = 30.0;  // 30 steps of 1 ms end there
  EXPECT_TRUE(
      contains(problems_of(spec), "30 is not in 0 (early_ms) < late_ms < 30 (steps * dt_ms)"));
  spec.encoder.late_ms = 29.9;
  EXPECT_EQ(problems_of(spec), "");
  spec.encoder.threshold = 1.0;
  EXPECT_NE(problems_of(spec), "");
}

}  // namespace
}  // namespace tessera::training
