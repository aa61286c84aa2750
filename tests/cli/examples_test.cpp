// The examples whose data sets are too large for a test, trained as documented on small files in the
// published layouts.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "cli/process.hpp"
#include "data/files.hpp"
#include "data/shd_file.hpp"
#include "tessera/result.hpp"

namespace tessera::test {
namespace {

// Trains models/training/<model>.toml and returns the accuracy on the test samples.
double trained(const std::string& model, const TemporaryFolder& folder, int epochs,
               const std::vector<std::string>& more = {}) {
  ProcessOptions options;
  options.folder = folder.path();
  std::vector<std::string> words = {"train", TESSERA_SOURCE_DIR "/models/training/" + model + ".toml",
                                    "--data", "DATA", "--epochs", std::to_string(epochs), "--out", "out", "--force"};
  words.insert(words.end(), more.begin(), more.end());
  const Outcome outcome = tessera(words, options);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto report = nlohmann::json::parse(read_text(folder.path() / "out" / "report.json"), nullptr, false);
  if (report.is_discarded() || !report.contains("test")) {
    ADD_FAILURE() << outcome.err;
    return 0.0;
  }
  const double accuracy = report["test"]["accuracy"];
  return accuracy;
}

// Every connection has the synapses that the weights have, and formed some in the training.
void expect_rewired(const TemporaryFolder& folder, const std::vector<std::string>& names) {
  const auto metrics = nlohmann::json::parse(read_text(folder.path() / "out" / "metrics.json"));
  ASSERT_EQ(metrics[0]["rewiring"].size(), names.size());
  for (std::size_t k = 0; k < names.size(); ++k) {
    std::uint64_t formed = 0, eliminated = 0;
    for (const auto& epoch : metrics) {
      const auto& counts = epoch["rewiring"][k];
      EXPECT_EQ(counts["name"], names[k]);
      EXPECT_EQ(counts["synapses"], metrics[0]["rewiring"][k]["synapses"]);
      formed += counts["formed"].get<std::uint64_t>();
      eliminated += counts["eliminated"].get<std::uint64_t>();
    }
    EXPECT_GT(formed, 0u) << names[k];
    EXPECT_EQ(formed, eliminated) << names[k];
  }
}

// Recordings of a class are bursts in 40 channels of their own, 300 spikes in 0.6 s, and 60 spikes anywhere.
void write_speech(const std::filesystem::path& file, std::uint32_t per_class, std::uint32_t salt) {
  std::vector<std::int32_t> labels;
  for (std::uint32_t i = 0; i < 20 * per_class; ++i) labels.push_back(static_cast<std::int32_t>(i % 20));
  training::write_shd(file, labels, true, [&](std::size_t i, training::Recording& r) {
    r = {};
    RandomStream random(RandomKey(salt), Purpose::subsample, static_cast<std::uint32_t>(i), 0);
    for (int spike = 0; spike < 360; ++spike) {
      r.times.push_back(static_cast<float>(0.6 * spike / 360.0));
      const bool own = spike % 6 != 0;
      r.units.push_back(static_cast<std::uint16_t>(own ? labels[i] * 33 + random.next_below(40) : random.next_below(700)));
    }
  });
}

// Chance is one in twenty: 10 of 20 by luck has a probability of 1e-8.
TEST(Examples, ShdTrainsOnASmallFileOfThePublishedLayout) {
  if (!has_hdf5()) GTEST_SKIP() << "this build has no HDF5";
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "DATA" / "shd");
  write_speech(folder.path() / "DATA" / "shd" / "shd_train.h5", 4, 1);
  write_speech(folder.path() / "DATA" / "shd" / "shd_test.h5", 1, 2);
  EXPECT_GE(trained("shd", folder, 8), 0.5);
  EXPECT_GE(trained("shd_deep_r", folder, 16), 0.5);
  expect_rewired(folder, {"hidden.weight", "hidden.recurrent_weight"});
}

// A user's recording has the eleven gestures one after the other, each a blob of its own that blinks.
void write_user(const std::filesystem::path& folder, const std::string& user, std::uint32_t salt) {
  std::string labels = "class,startTime_usec,endTime_usec\n", bytes = training::kAedatHeader;
  RandomStream random(RandomKey(salt), Purpose::subsample, 0, 0);
  for (std::uint32_t gesture = 0; gesture < 11; ++gesture) {
    const std::uint32_t begin = 1'000'000 + gesture * 2'000'000, end = begin + 1'900'000;
    labels += std::to_string(gesture + 1) + "," + std::to_string(begin) + "," + std::to_string(end) + "\n";
    std::vector<std::array<std::uint32_t, 4>> events;
    for (std::uint32_t k = 0; k < 1500; ++k) {
      const std::uint32_t x = 8 + 36 * (gesture % 4) - 4 + random.next_below(12),
                          y = 8 + 44 * (gesture / 4) - 4 + random.next_below(12);
      events.push_back({std::min(x, 127u), std::min(y, 127u), random.next_below(2), begin + k * 1200});
    }
    bytes += training::aedat_packet(events);
  }
  training::write_bytes(folder / (user + ".aedat"), bytes);
  training::write_bytes(folder / (user + "_labels.csv"), labels);
}

// Chance is one in eleven: 6 of 11 by luck has a probability of 2e-4.
TEST(Examples, DvsGestureTrainsOnSmallFilesOfThePublishedLayout) {
  const TemporaryFolder folder;
  const auto inner = folder.path() / "DATA" / "DvsGesture";
  std::string training, test = "user09_led.aedat\n";
  for (std::uint32_t user = 1; user <= 5; ++user) {
    const std::string name = "user0" + std::to_string(user) + "_led";
    training += name + ".aedat\n";
    write_user(inner, name, user);
  }
  write_user(inner, "user09_led", 9);
  training::write_bytes(inner / "trials_to_train.txt", training);
  training::write_bytes(inner / "trials_to_test.txt", test);
  EXPECT_GE(trained("dvs_gesture", folder, 6), 0.5);
  EXPECT_GE(trained("dvs_gesture_deep_r", folder, 10, {"--set", "neurons=128"}), 0.5);
  expect_rewired(folder, {"hidden.weight", "hidden.recurrent_weight"});
}

// Digit k is 300 events in a square of its own. Chance is one in ten: 10 of 20 by luck has a probability of 1e-5.
TEST(Examples, NmnistTrainsWithFewSynapsesOnSmallFilesOfThePublishedLayout) {
  const TemporaryFolder folder;
  const auto inner = folder.path() / "DATA" / "nmnist" / "NMNISTsmall";
  std::string training = "#sample #class\n", test = training;
  for (std::uint32_t k = 0; k < 80; ++k) {
    (k < 60 ? training : test) += std::to_string(k + 1) + "\t" + std::to_string(k % 10) + "\n";
    RandomStream random(RandomKey(k), Purpose::subsample, 0, 0);
    std::string bytes;
    for (std::uint32_t event = 0; event < 300; ++event) {
      const std::uint32_t x = 8 * (k % 10 % 4) + random.next_below(9), y = 10 * (k % 10 / 4) + random.next_below(11);
      const std::uint32_t time = event * 1000, polarity = random.next_below(2);
      for (const std::uint32_t byte : {x, y, polarity << 7 | time >> 16, time >> 8 & 255, time & 255})
        bytes += static_cast<char>(byte);
    }
    training::write_bytes(inner / (std::to_string(k + 1) + ".bs2"), bytes);
  }
  training::write_bytes(inner / "train1K.txt", training);
  training::write_bytes(inner / "test100.txt", test);
  EXPECT_GE(trained("nmnist_deep_r", folder, 30), 0.5);
  expect_rewired(folder, {"hidden.weight", "hidden.recurrent_weight"});
  (void)trained("nmnist_deep_r", folder, 1, {"--set", "connectivity=1", "--set", "neurons=32"});
  EXPECT_FALSE(nlohmann::json::parse(read_text(folder.path() / "out" / "metrics.json"))[0].contains("rewiring"));
}

// Digit k is a bright square of its own.
TEST(Examples, MnistTrainsWithFewSynapsesOnSmallFilesOfThePublishedLayout) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, std::uint32_t samples, std::uint32_t salt) {
    std::string images = training::big(0x803) + training::big(samples) + training::big(28) + training::big(28),
                labels = training::big(0x801) + training::big(samples);
    RandomStream random(RandomKey(salt), Purpose::subsample, 0, 0);
    for (std::uint32_t k = 0; k < samples; ++k) {
      labels += static_cast<char>(k % 10);
      for (std::uint32_t pixel = 0; pixel < 784; ++pixel) {
        const std::uint32_t x = pixel % 28, y = pixel / 28, digit = k % 10;
        const bool own = x / 7 == digit % 4 && y / 9 == digit / 4;
        images += static_cast<char>(random.next_below(own ? 256 : 60));
      }
    }
    training::write_bytes(folder.path() / "DATA" / "mnist" / (name + "-images-idx3-ubyte"), images);
    training::write_bytes(folder.path() / "DATA" / "mnist" / (name + "-labels-idx1-ubyte"), labels);
  };
  write("train", 300, 1);
  write("t10k", 20, 2);
  EXPECT_GE(trained("mnist_deep_r", folder, 5), 0.5);
  expect_rewired(folder, {"hidden.weight"});
}

}  // namespace
}  // namespace tessera::test
