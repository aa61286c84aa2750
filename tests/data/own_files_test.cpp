// Set "file": spikes and values from npy, csv and HDF5, and the sentences for what is wrong in
// them. (npz is read by tests/files/npz_test.cpp, and whole trainings by
// tests/cli/own_data_test.cpp.)
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cmath>

#include "data/readers.hpp"
#include "files.hpp"
#include "files/npy.hpp"

namespace tessera::training {
namespace {

class OwnFiles : public ::testing::Test {
 protected:
  OwnFiles()
      : folder_(std::filesystem::temp_directory_path() / ("own" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    spec_ = spec_of("file");
    spec_.file.training = "s.csv";
    spec_.file.training_labels = "l.csv";
    spec_.file.shape = {1, 4, 1};
    spec_.file.classes = {"no", "yes"};
    spec_.encoder.steps = 5;
    write("l.csv", "sample,label\n0,1\n1,0\n");
  }
  ~OwnFiles() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    write_bytes(folder_ / name, text);
  }
  std::unique_ptr<SpikeDataset> open(Split split = Split::train) {
    return open_dataset(spec_, folder_, split, 1);
  }
  std::string refused() {
    return refusal([&] { (void)open(); });
  }
  SpikeSample sample(std::size_t index) {
    SpikeSample sample;
    open()->read(index, kUnvaried, sample);
    return sample;
  }

  std::filesystem::path folder_;
  DataSpec spec_;
};

TEST_F(OwnFiles, SpikesGoToTheirSamplesInAnyOrder) {
  write("s.csv", "channel,sample,step\n3,1,4\n0,0,2\n2,1,0\n1,0,2\n");
  const auto data = open();
  EXPECT_EQ(data->size(), 2u);
  EXPECT_EQ(data->classes(), 2u);
  EXPECT_EQ(data->shape(), (Shape{1, 1, 4}));
  EXPECT_EQ(data->label(0), 1);
  EXPECT_EQ(sample(0).first, (std::vector<std::uint32_t>{0, 0, 0, 2, 2, 2}));
  EXPECT_EQ(sample(0).channel, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(sample(1).first, (std::vector<std::uint32_t>{0, 1, 1, 1, 1, 2}));
  EXPECT_EQ(sample(1).channel, (std::vector<std::uint32_t>{2, 3}));
  EXPECT_EQ(class_names(spec_), (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(open(Split::test)->size(), 0u);
}

// Steps of the file and of the encoder may differ: a spike in step 7 of 0.5 ms is at 3.5 ms.
TEST_F(OwnFiles, StepsOfTheFileHaveALengthOfTheirOwn) {
  write("s.csv", "0,7,1\n1,2,0\n");
  spec_.file.step_ms = 0.5;
  EXPECT_EQ(sample(0).first, (std::vector<std::uint32_t>{0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(sample(1).first, (std::vector<std::uint32_t>{0, 0, 1, 1, 1, 1}));
}

// 33.3 us is no whole number of microseconds: every step must come back all the same.
TEST_F(OwnFiles, StepsThatAreNoWholeMicrosecondsComeBack) {
  constexpr int kSteps = 3000;
  std::string rows;
  for (int step = 0; step < kSteps; ++step) rows += "0," + std::to_string(step) + ",0\n";
  write("s.csv", rows);
  spec_.encoder.steps = kSteps;
  for (const double dt_ms : {0.0333, 0.0015, 0.1, 0.001}) {
    spec_.encoder.dt_ms = dt_ms;
    const SpikeSample read = sample(0);
    ASSERT_EQ(read.channel.size(), std::size_t{kSteps}) << dt_ms;
    for (std::size_t t = 0; t <= kSteps; ++t) ASSERT_EQ(read.first[t], t) << dt_ms;
  }
}

TEST_F(OwnFiles, ValuesAreEncoded) {
  const std::vector<double> values = {0.0, 1.0, 0.5, 0.25, 1.0, 0.0, 0.75, 0.5};
  io::write_npy(folder_ / "v.npy", std::span<const double>(values), 4);
  io::write_npy(folder_ / "l.npy", std::span<const std::int64_t>(std::vector<std::int64_t>{0, 1}));
  spec_.file.training = "v.npy";
  spec_.file.training_labels = "l.npy";
  spec_.file.content = FileContent::values;
  // t = 4 (1 - x) ms; without a threshold also the zero spikes, in the last step.
  EXPECT_EQ(sample(0).channel, (std::vector<std::uint32_t>{1, 2, 3, 0}));
  EXPECT_EQ(sample(0).first, (std::vector<std::uint32_t>{0, 1, 1, 2, 3, 4}));
  spec_.encoder.threshold = 0.25;
  EXPECT_EQ(sample(0).channel, (std::vector<std::uint32_t>{1, 2}));
  const std::vector<double> bright = {0.0, 1.0, 0.5, 255.0};
  io::write_npy(folder_ / "v.npy", std::span<const double>(bright), 2);
  spec_.file.shape = {1, 2, 1};
  EXPECT_TRUE(contains(refused(), "v.npy: row 1: the value in column 1 is 255; values are scaled"));
  spec_.file.shape = {1, 3, 1};
  EXPECT_TRUE(contains(refused(), "2 rows of 2 values, but 2 labels and a shape of 3"));
}

TEST_F(OwnFiles, MistakesHaveFileRowAndColumn) {
  const auto with = [&](const std::string& rows) {
    write("s.csv", rows);
    return refused();
  };
  EXPECT_EQ(with("0,1,2\n1,4,3\n"), "");
  EXPECT_TRUE(contains(with("sample,step,channel\n\n2,1,2\n"),
                       "s.csv:3: the sample is 2; it must be a whole number from 0 to 1."));
  EXPECT_TRUE(contains(with("0,1,4\n"),
                       "s.csv:1: the channel is 4; it must be a whole number from "
                       "0 to 3."));
  EXPECT_TRUE(contains(with("0,1,1.5\n"), "the channel is 1.5"));
  EXPECT_TRUE(contains(with("0,-1,1\n"), "s.csv:1: the step is -1"));
  EXPECT_TRUE(contains(with("0,nan,1\n"), "the step is nan"));
  EXPECT_TRUE(contains(with("0,1e300,1\n"), "the step is 1e+300"));
  EXPECT_TRUE(contains(with("0,1\n"), "2 columns instead of sample, step, channel"));
  EXPECT_TRUE(
      contains(with("sample,time,channel\n0,1,1\n"), "names sample, time, channel instead"));
  write("s.csv", "0,1,2\n");
  write("l.csv", "1\n2\n");
  EXPECT_TRUE(
      contains(refused(), "l.csv:2: the label is 2; it must be a whole number from 0 to 1."));
  write("l.csv", "0,1\n2,0\n");
  EXPECT_TRUE(contains(refused(), "l.csv:2: the sample is 2, where 1 is next."));
  write("l.csv", "");
  EXPECT_TRUE(contains(refused(), "there are spikes, but no label"));
  spec_.file.training = "missing.csv";
  EXPECT_TRUE(contains(refused(), "missing.csv"));
}

TEST_F(OwnFiles, ASpecificationTellsAllItsMistakes) {
  spec_.file = {};
  spec_.encoder.steps = 0;
  std::string all;
  for (const Problem& problem : validate(spec_)) all += problem.where.key_path + "\n";
  EXPECT_EQ(all, "data.file.training\ndata.file.shape\ndata.file.classes\ndata.encoder.steps\n");
  const auto told = [&](const std::string& training, const std::string& labels) {
    DataSpec spec = spec_;
    spec.file = {training, labels, "", "", FileContent::spikes, {1, 2, 1}, {"a", "b"}, {}};
    spec.encoder.steps = 5;
    std::string sentences;
    for (const Problem& problem : validate(spec)) sentences += problem.message;
    return sentences;
  };
  EXPECT_EQ(told("a.npz", ""), "");
  EXPECT_EQ(told("a.h5", ""), "");
  EXPECT_EQ(told("a.npy", "b.csv"), "");
  EXPECT_TRUE(contains(told("a.npy", ""), "has no labels in it"));
  EXPECT_TRUE(contains(told("a.npz", "b.npy"), "holds the labels itself"));
  EXPECT_TRUE(contains(told("a.mat", ""), "does not end in"));
  EXPECT_TRUE(contains(told("../a.npz", ""), "must be a name inside"));
  EXPECT_TRUE(contains(told("/etc/a.npz", ""), "must be a name inside"));
  DataSpec other = spec_of("mnist");
  other.file.training = "a.npz";
  EXPECT_EQ(validate(other).at(0).where.key_path, "data.file");
}

}  // namespace
}  // namespace tessera::training
