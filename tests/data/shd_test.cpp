// SHD's HDF5 layout: what was written in the published types comes back; files that lie are
// refused.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "data/readers.hpp"
#include "data/shd_file.hpp"
#include "files.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/result.hpp"

namespace tessera::training {
namespace {

#define TESSERA_NEED_HDF5() \
  if (!has_hdf5()) GTEST_SKIP() << "this build has no HDF5"

// Times are multiples of 1/1024 s, which 16-bit numbers hold exactly.
void write_three(const std::filesystem::path& file, const std::vector<std::int32_t>& labels,
                 std::uint16_t unit = 699, float time = 0.5f) {
  write_shd(file, labels, true, [&](std::size_t i, Recording& recording) {
    if (i == 0) recording = {{0.0f, 0.25f, time}, {0, 300, unit}};
    if (i == 1) recording = {};
    if (i == 2) recording = {{1.0f}, {7}};
  });
}

TEST(Shd, reads_lists_of_16_bit_times) {
  TESSERA_NEED_HDF5();
  const TemporaryFolder folder;
  write_three(folder / "shd_train.h5", {3, 19, 0});
  const auto source = open_shd("shd", {folder.path()}, Split::train);
  ASSERT_EQ(source->size(), 3u);
  EXPECT_EQ(source->label(1), 19);
  EXPECT_EQ(source->shape().size(), 700u);
  Events events;
  source->read(0, events);
  EXPECT_EQ(events.time_us, (std::vector<std::uint32_t>{0, 250'000, 500'000}));
  EXPECT_EQ(events.address, (std::vector<std::uint32_t>{0, 300, 699}));
  source->read(1, events);
  EXPECT_EQ(events.size(), 0u);
  source->read(2, events);
  EXPECT_EQ(events.time_us, std::vector<std::uint32_t>{1'000'000});
}

// Every time that 16 bits can hold, the smallest ones (subnormal) and those too late included.
TEST(Shd, reads_all_16_bit_numbers) {
  TESSERA_NEED_HDF5();
  const TemporaryFolder folder;
  constexpr int kInfinity = 31 << 10;
  const auto value = [](int bits) {
    const int exponent = bits >> 10, fraction = bits & 1023;
    return exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  };
  write_shd(folder / "shd_train.h5", {0, 1}, true, [&](std::size_t, Recording& r) {
    r = {};
    for (int bits = 0; bits < kInfinity && value(bits) < 4000.0; ++bits) {
      r.times.push_back(static_cast<float>(value(bits)));
      r.units.push_back(1);
    }
  });
  Events events;
  open_shd("shd", {folder.path()}, Split::train)->read(1, events);
  ASSERT_GT(events.size(), 27'000u);
  for (std::size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(events.time_us[i], std::llround(value(static_cast<int>(i)) * 1e6)) << i;
  }
  for (const float outside : {4096.0f, -0x1p-24f, HUGE_VALF, std::nanf("")}) {
    write_three(folder / "shd_train.h5", {0, 1, 2}, 5, outside);
    EXPECT_TRUE(
        contains(refusal([&] { open_shd("shd", {folder.path()}, Split::train)->read(0, events); }),
                 "'spikes/times' of sample 0 holds"))
        << outside;
  }
}

TEST(Shd, refuses_labels_units_and_times_out_of_range) {
  TESSERA_NEED_HDF5();
  const TemporaryFolder folder;
  const auto file = folder / "shd_train.h5";
  write_three(file, {3, 20, 0});
  EXPECT_TRUE(contains(refusal([&] { (void)open_shd("shd", {folder.path()}, Split::train); }),
                       "'labels' holds 20 at index 1; labels are 0 to 19"));
  Events events;
  write_three(file, {3, 1, 0}, 700);
  EXPECT_TRUE(
      contains(refusal([&] { open_shd("shd", {folder.path()}, Split::train)->read(0, events); }),
               "'spikes/units' of sample 0 holds 700 at index 2"));
  write_three(file, {3, 1, 0}, 5, -1.0f);
  EXPECT_TRUE(
      contains(refusal([&] { open_shd("shd", {folder.path()}, Split::train)->read(0, events); }),
               "'spikes/times' of sample 0 holds -1 at index 2"));
  write_shd(file, {0}, false, [](std::size_t, Recording& r) { r = {{1.0f, 2.0f}, {1}}; });
  EXPECT_TRUE(
      contains(refusal([&] { open_shd("shd", {folder.path()}, Split::train)->read(0, events); }),
               "sample 0 has 2 times but 1 units"));
}

TEST(Shd, refuses_truncated_and_foreign_files) {
  TESSERA_NEED_HDF5();
  const TemporaryFolder folder;
  const auto file = folder / "shd_train.h5";
  write_three(file, {3, 1, 0});
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_TRUE(contains(refusal([&] { (void)open_shd("shd", {folder.path()}, Split::train); }),
                       "shd_train.h5: it is truncated or not an HDF5 file"));
  write_bytes(file, "not HDF5 at all");
  EXPECT_NE(refusal([&] { (void)open_shd("shd", {folder.path()}, Split::train); }), "");
}

TEST(Shd, says_what_to_download) {
  TESSERA_NEED_HDF5();
  const TemporaryFolder folder;
  const std::string text = refusal([&] { (void)open_shd("shd", {folder.path()}, Split::test); });
  EXPECT_TRUE(contains(text, "8,156 training and 2,264 test"));
  EXPECT_TRUE(contains(text, "DATA/shd/shd_test.h5"));
}

}  // namespace
}  // namespace tessera::training
