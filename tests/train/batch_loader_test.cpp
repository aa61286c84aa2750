// Batches come in order, whole and once; what the reader meets reaches the caller; validation
// samples are the same share of every class.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "train/batch_loader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <set>

#include "tessera/errors.hpp"

namespace tessera::training {
namespace {

// Sample i has one spike of channel i % 5 in step i % 3, and a spike of channel 4 in step 2 for odd
// draws.
class CountingDataset : public SpikeDataset {
 public:
  CountingDataset(std::size_t samples, std::uint32_t classes)
      : samples_(samples), classes_(classes) {}
  [[nodiscard]] std::string name() const override { return "counting"; }
  [[nodiscard]] std::size_t size() const override { return samples_; }
  [[nodiscard]] Shape shape() const override { return {1, 1, 6}; }
  [[nodiscard]] std::uint32_t steps() const override { return 3; }
  [[nodiscard]] std::uint32_t classes() const override { return classes_; }
  [[nodiscard]] std::int32_t label(std::size_t index) const override {
    if (index == bad_label) return 77;
    return static_cast<std::int32_t>(index % classes_ == empty_class ? 0 : index % classes_);
  }
  void read(std::size_t index, std::uint64_t draw, SpikeSample& sample) const override {
    ++reads;
    if (index == broken) throw InputError("broken.bin is damaged at byte 7.");
    sample.first.assign(4, 0);
    sample.channel.clear();
    for (std::uint32_t t = 0; t < 3; ++t) {
      if (index % 3 == t) sample.channel.push_back(static_cast<std::uint32_t>(index % 4));
      if (t == 2 && draw % 2 == 1) sample.channel.push_back(bad_channel ? 6 : 5);
      sample.first[t + 1] = static_cast<std::uint32_t>(sample.channel.size());
    }
    sample.label = label(index);
  }
  std::size_t broken = ~std::size_t{0}, bad_label = ~std::size_t{0};
  std::uint32_t empty_class = 1000;
  bool bad_channel = false;
  mutable std::atomic<int> reads{0};

 private:
  std::size_t samples_;
  std::uint32_t classes_;
};

std::vector<std::uint32_t> backwards(std::uint32_t n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.rbegin(), order.rend(), 0u);
  return order;
}

TEST(MakeBatch, lays_lists_out_by_step_then_sample) {
  SpikeSample a{{0, 1, 1, 3}, {2, 0, 4}, 1};
  SpikeSample b{{0, 0, 2, 2}, {1, 3}, 0};
  SpikeBatch batch;
  make_batch({a, b}, 5, 3, batch);
  EXPECT_EQ(batch.samples, 2u);
  EXPECT_EQ(batch.steps, 3u);
  EXPECT_EQ(batch.channels, 5u);
  EXPECT_EQ(batch.first, (std::vector<std::uint32_t>{0, 1, 1, 1, 3, 5, 5}));
  EXPECT_EQ(batch.channel, (std::vector<std::uint32_t>{2, 1, 3, 0, 4}));
  EXPECT_EQ(batch.label, (std::vector<std::int32_t>{1, 0}));
}

TEST(MakeBatch, refuses_samples_the_engine_could_not_take) {
  SpikeBatch batch;
  EXPECT_THROW(make_batch({{{0, 1}, {2}, 0}}, 5, 3, batch), InputError);        // too few steps
  EXPECT_THROW(make_batch({{{0, 1, 0, 1}, {2}, 0}}, 5, 3, batch), InputError);  // backwards
  EXPECT_THROW(make_batch({{{0, 0, 0, 2}, {2}, 0}}, 5, 3, batch), InputError);  // beyond the end
  EXPECT_THROW(make_batch({{{0, 0, 0, 1}, {5}, 0}}, 5, 3, batch), InputError);  // channel 5 of 5
}

class BatchLoaderReaders : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Some, BatchLoaderReaders, testing::Values(1, 2, 5, 40));

TEST_P(BatchLoaderReaders, hand_out_every_sample_once_in_order) {
  const CountingDataset data(103, 10);
  const auto order = backwards(103);
  BatchLoader loader(data, order, 10, 2, GetParam());
  ASSERT_EQ(loader.batches(), 11u);
  SpikeBatch batch;
  std::size_t at = 0;
  while (loader.next(batch)) {
    ASSERT_EQ(batch.samples, at < 100 ? 10u : 3u);
    ASSERT_EQ(batch.first.size(), 3u * batch.samples + 1);
    for (std::uint32_t b = 0; b < batch.samples; ++b, ++at) {
      const std::uint32_t index = order[at];
      ASSERT_EQ(batch.label[b], static_cast<std::int32_t>(index % 10));
      for (std::uint32_t t = 0; t < 3; ++t) {
        const std::size_t q = std::size_t{t} * batch.samples + b;
        ASSERT_EQ(batch.first[q + 1] - batch.first[q], index % 3 == t ? 1u : 0u);
        if (index % 3 == t) {
          ASSERT_EQ(batch.channel[batch.first[q]], index % 4);
        }
      }
    }
  }
  EXPECT_EQ(at, 103u);
  EXPECT_FALSE(loader.next(batch));
}

TEST(BatchLoader, gives_the_batches_that_it_was_given_also_one_without_samples) {
  const CountingDataset data(20, 4);
  const std::vector<std::vector<std::uint32_t>> batches{{7, 3}, {}, {11, 2, 5}};
  BatchLoader loader(data, 0, batches);
  ASSERT_EQ(loader.batches(), 3u);
  SpikeBatch batch;
  for (const std::vector<std::uint32_t>& samples : batches) {
    ASSERT_TRUE(loader.next(batch));
    ASSERT_EQ(batch.samples, samples.size());
    EXPECT_EQ(batch.first.size(), 3 * samples.size() + 1);
    for (std::size_t b = 0; b < samples.size(); ++b)
      EXPECT_EQ(batch.label[b], static_cast<std::int32_t>(samples[b] % 4));
  }
  EXPECT_FALSE(loader.next(batch));
  EXPECT_EQ(data.reads, 5);
  EXPECT_THROW(BatchLoader(data, 0, {{3}, {20}}), InputError);
}

TEST(BatchLoader, passes_the_draw_on) {
  const CountingDataset data(4, 2);
  SpikeBatch even, odd;
  ASSERT_TRUE(BatchLoader(data, backwards(4), 4, 2).next(even));
  ASSERT_TRUE(BatchLoader(data, backwards(4), 4, 3).next(odd));
  EXPECT_EQ(odd.channel.size(), even.channel.size() + 4);
}

TEST_P(BatchLoaderReaders, rethrow_at_the_batch_where_reading_failed) {
  CountingDataset data(100, 10);
  data.broken = 25;
  std::vector<std::uint32_t> order(100);
  std::iota(order.begin(), order.end(), 0u);
  BatchLoader loader(data, order, 10, 0, GetParam());
  SpikeBatch batch;
  EXPECT_TRUE(loader.next(batch));
  EXPECT_TRUE(loader.next(batch));
  for (int again = 0; again < 2; ++again) {
    try {
      loader.next(batch);
      FAIL() << "no exception";
    } catch (const InputError& error) {
      EXPECT_STREQ(error.what(), "broken.bin is damaged at byte 7.");
    }
  }
}

TEST_P(BatchLoaderReaders, stop_early_without_reading_everything) {
  const CountingDataset data(1'000'000, 10);
  {
    BatchLoader loader(data, backwards(1'000'000), 10, 0, GetParam());
    SpikeBatch batch;
    EXPECT_TRUE(loader.next(batch));
  }
  // The batch taken, two ready, one being filled by each reader.
  EXPECT_LE(data.reads, 10 * (3 + static_cast<int>(GetParam())));
}

TEST(BatchLoader, refuses_what_makes_no_sense) {
  CountingDataset data(10, 2);
  EXPECT_THROW(BatchLoader(data, {1, 10}, 2, 0), InputError);
  EXPECT_THROW(BatchLoader(data, {1}, 0, 0), InputError);
  SpikeBatch batch;
  EXPECT_FALSE(BatchLoader(data, {}, 4, 0).next(batch));
  data.bad_channel = true;
  EXPECT_THROW(BatchLoader(data, {1}, 1, 1).next(batch), InputError);
  data.bad_label = 1;
  try {
    BatchLoader(data, {1}, 1, 0).next(batch);
    FAIL() << "no exception";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "sample 1 of data set 'counting' has the label 77; labels are 0 to 1.");
  }
}

TEST(SampleSplit, holds_out_the_same_share_of_every_class) {
  const CountingDataset data(1000, 10);
  const SampleSplit parts = split(data, 0.1, 5);
  EXPECT_EQ(parts.training.size(), 900u);
  ASSERT_EQ(parts.validation.size(), 100u);
  std::vector<int> per_class(10);
  for (const std::uint32_t i : parts.validation) ++per_class[i % 10];
  EXPECT_EQ(per_class, std::vector<int>(10, 10));
  std::set<std::uint32_t> all(parts.training.begin(), parts.training.end());
  all.insert(parts.validation.begin(), parts.validation.end());
  EXPECT_EQ(all.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(parts.training.begin(), parts.training.end()));
}

TEST(SampleSplit, depends_on_the_seed_alone) {
  const CountingDataset data(200, 4);
  EXPECT_EQ(split(data, 0.25, 1).validation, split(data, 0.25, 1).validation);
  EXPECT_NE(split(data, 0.25, 1).validation, split(data, 0.25, 2).validation);
}

TEST(SampleSplit, leaves_every_class_something_to_train_on) {
  const CountingDataset pairs(8, 4);  // two samples of each class
  EXPECT_EQ(split(pairs, 0.01, 1).validation.size(), 4u);
  EXPECT_EQ(split(pairs, 0.99, 1).training.size(), 4u);
  const CountingDataset singles(4, 4);
  EXPECT_EQ(split(singles, 0.5, 1).training.size(), 4u);
  EXPECT_TRUE(split(pairs, 0.0, 1).validation.empty());
}

TEST(SampleSplit, names_empty_classes_and_wrong_labels) {
  CountingDataset data(100, 10);
  data.empty_class = 3;
  // Its samples may be missing: the others are split as ever.
  EXPECT_FALSE(split(data, 0.1, 1).validation.empty());
  data.empty_class = 1000;
  data.bad_label = 12;
  EXPECT_THROW((void)split(data, 0.1, 1), InputError);
  data.bad_label = ~std::size_t{0};
  EXPECT_THROW((void)split(data, 1.0, 1), InputError);
}

}  // namespace
}  // namespace tessera::training
