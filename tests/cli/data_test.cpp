// tessera data: lists, descriptions, files for other programs, and what it refuses.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/process.hpp"
#include "files/npy.hpp"

namespace tessera::test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(DataInfo, ListsTheSetsAndDescribesOne) {
  const Outcome all = tessera({"data", "info"});
  EXPECT_EQ(all.exit_code, 0) << all.err;
  for (const char* name : {"yin_yang", "mnist", "shd", "dvs_gesture"})
    EXPECT_TRUE(contains(all.out, name));
  const Outcome one = tessera({"data", "info", "yin_yang"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_TRUE(contains(one.out, "yin_yang, train: 5,000 samples, 3 classes"));
  EXPECT_TRUE(contains(one.out, "yin_yang, test: 1,000 samples, 3 classes"));
}

TEST(DataInfo, TakesTheEncoderOfATrainingFile) {
  const std::string file = std::string(TESSERA_SOURCE_DIR) + "/models/training/yin_yang.toml";
  const Outcome outcome = tessera({"data", "info", file, "--split", "test"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "yin_yang, test: ")) << outcome.out;
  EXPECT_EQ(tessera({"data", "info", "no_such_file.toml"}).exit_code, 2);
}

TEST(DataInfo, SaysWhatToDownload) {
  const TemporaryFolder folder;
  const Outcome outcome = tessera({"data", "info", "mnist", "--data", folder.path().string()});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(contains(outcome.err, "the files of data set 'mnist' are not in")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "train-images-idx3-ubyte.gz"));
}

TEST(DataConvert, WritesEverySpikeOnce) {
  const TemporaryFolder folder;
  ProcessOptions options;
  options.folder = folder.path();
  const Outcome outcome = tessera(
      {"data", "convert", "yin_yang", "--split", "test", "--sample", "3", "--out", "spikes"},
      options);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto spikes = io::read_npy(folder / "spikes/test_spikes.npy");
  EXPECT_EQ(spikes.rows(), 4000u);  // 1,000 samples of four values
  EXPECT_EQ(spikes.columns(), 3u);
  EXPECT_EQ(io::read_npy(folder / "spikes/test_labels.npy").rows(), 1000u);
  EXPECT_TRUE(contains(read_text(folder / "spikes/test_sample_3.svg"), "</svg>"));
  // The folder is not empty any more.
  EXPECT_EQ(tessera({"data", "convert", "yin_yang", "--out", "spikes"}, options).exit_code, 2);
  const Outcome csv = tessera({"data", "convert", "yin_yang", "--split", "test", "--format", "csv",
                               "--out", "spikes", "--force"},
                              options);
  ASSERT_EQ(csv.exit_code, 0) << csv.err;
  EXPECT_EQ(read_text(folder / "spikes/test_spikes.csv").rfind("sample,step,channel\n0,", 0), 0u);
}

TEST(DataCommand, TellsEveryMistakeAtOnce) {
  const Outcome outcome = tessera({"data", "info", "mnst", "--split", "tests", "--out", "x"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.err, "Did you mean 'mnist'?")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "Did you mean 'test'?")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "--out: only 'data convert' writes files.")) << outcome.err;
  EXPECT_EQ(tessera({"data"}).exit_code, 2);
  EXPECT_EQ(tessera({"data", "convert", "yin_yang"}).exit_code, 2);
  EXPECT_EQ(tessera({"data", "info", "yin_yang", "--sample", "5000"}).exit_code, 2);
}

}  // namespace
}  // namespace tessera::test
