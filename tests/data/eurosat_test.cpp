// EuroSAT: JPEG images in folders of classes, the split by number, damaged images.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/catalogue.hpp"
#include "data/readers.hpp"
#include "files.hpp"
#include "four_colours.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::training {
namespace {

bool has_jpeg() {
  return !contains(refusal([] { (void)parse_jpeg("", "a.jpg"); }), "without JPEG support");
}
#define TESSERA_NEED_JPEG() \
  if (!has_jpeg()) GTEST_SKIP() << "this build has no libjpeg"

// Ten images of every class, numbered 1 to 10.
void write_classes(const std::filesystem::path& folder) {
  for (const std::string& name : find_dataset("eurosat")->classes) {
    for (int n = 1; n <= 10; ++n) {
      write_bytes(folder / name / (name + "_" + std::to_string(n) + ".jpg"), four_colours_jpeg());
    }
  }
}

TEST(Jpeg, decodes_colours) {
  TESSERA_NEED_JPEG();
  const Image image = parse_jpeg(four_colours_jpeg(), "a.jpg");
  ASSERT_EQ(image.height, 64u);
  ASSERT_EQ(image.width, 64u);
  const auto near = [&](std::size_t y, std::size_t x, int red, int green, int blue) {
    const std::uint8_t* p = image.rgb.data() + 3 * (y * 64 + x);
    EXPECT_NEAR(p[0], red, 4);
    EXPECT_NEAR(p[1], green, 4);
    EXPECT_NEAR(p[2], blue, 4);
  };
  near(4, 4, 200, 100, 30);
  near(4, 60, 200, 20, 30);
  near(60, 4, 200, 100, 220);
}

TEST(Jpeg, names_file_and_offset_of_damage) {
  TESSERA_NEED_JPEG();
  const std::string whole = four_colours_jpeg();
  EXPECT_TRUE(
      contains(refusal([] { (void)parse_jpeg("no image", "a.jpg"); }), "a.jpg is damaged at byte"));
  for (std::size_t size = 0; size + 2 < whole.size(); size += 7) {
    EXPECT_TRUE(contains(refusal([&] { (void)parse_jpeg(whole.substr(0, size), "a.jpg"); }),
                         "a.jpg is damaged at byte"))
        << size;
  }
  std::string large = whole;
  const std::size_t sof = large.find("\xff\xc0");
  ASSERT_NE(sof, std::string::npos);
  large[sof + 5] = '\x7f';  // a height of 32,576 pixels
  EXPECT_TRUE(contains(refusal([&] { (void)parse_jpeg(large, "a.jpg"); }), "it announces 32"));
}

TEST(EuroSat, splits_every_class_by_number) {
  TESSERA_NEED_JPEG();
  const TemporaryFolder folder;
  write_classes(folder / "2750");
  const auto training = open_eurosat({folder.path()}, Split::train, false);
  const auto test = open_eurosat({folder.path()}, Split::test, true);
  ASSERT_EQ(training->size(), 90u);
  ASSERT_EQ(test->size(), 10u);
  EXPECT_EQ(training->label(8), 0);
  EXPECT_EQ(training->label(9), 1);
  // Number 10 is the last, though "10" sorts before "2".
  EXPECT_EQ(test->label(9), 9);
  std::vector<float> values;
  training->read(0, values);
  ASSERT_EQ(values.size(), 64u * 64 * 3);
  EXPECT_NEAR(values[0], 200 / 255.0, 0.02);
  test->read(0, values);
  ASSERT_EQ(values.size(), 64u * 64);
  EXPECT_NEAR(values[0], (0.299 * 200 + 0.587 * 100 + 0.114 * 30) / 255.0, 0.02);
  write_bytes(folder / "2750/AnnualCrop/AnnualCrop_1.jpg", four_colours_jpeg().substr(0, 300));
  EXPECT_TRUE(
      contains(refusal([&] { training->read(0, values); }), "AnnualCrop_1.jpg is damaged at byte"));
}

}  // namespace
}  // namespace tessera::training
