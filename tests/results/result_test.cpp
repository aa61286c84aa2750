// Reading results that are missing, damaged or foreign.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/result.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "files/file.hpp"
#include "files/npy.hpp"
#include "files/sealed_json.hpp"
#include "results/sinks.hpp"
#include "support/temporary_folder.hpp"

namespace tessera {
namespace {

constexpr const char* kReport = R"({"model": "m", "seed": 7, "dt_ms": 0.1, "model_time_ms": 100,
  "discard_ms": 10, "populations": [{"name": "E", "size": 4, "rate_hz": null},
                                    {"name": "I", "size": 2, "inhibitory": true, "rate_hz": 3.5}]})";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  return text.replace(text.find(what), what.size(), with);
}

std::string error_of(const std::string& report) {
  try {
    (void)parse_report(report, "report.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string load_error(const std::filesystem::path& folder) {
  try {
    (void)load_result(folder);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// Writes kReport for files that are in the folder, as write_report does.
void write_report_of(const std::filesystem::path& folder, const std::vector<std::string>& files) {
  std::string list, checksums;
  for (const std::string& file : files) {
    const std::string comma = list.empty() ? "" : ", ";
    list += comma + '"' + file + '"';
    const bool there = std::filesystem::exists(folder / file);
    checksums += comma + '"' + file + "\": \"" +
                 (there ? io::file_checksum(folder / file) : "none") + '"';
  }
  const std::string keys =
      "\"files\": [" + list + "], \"checksums\": {" + checksums + "}, \"seed\"";
  io::write_file(folder / "report.json", io::sealed(replaced(kReport, "\"seed\"", keys)));
}

TEST(ParseReport, ReadsWhatMatters) {
  const Result result = parse_report(kReport, "report.json");
  EXPECT_EQ(result.seed, 7U);
  EXPECT_EQ(result.model_time_ms, 100.0);
  EXPECT_EQ(result.discard_ms, 10.0);
  ASSERT_EQ(result.populations.size(), 2U);
  EXPECT_TRUE(std::isnan(result.populations[0].rate_hz));
  EXPECT_TRUE(result.populations[1].inhibitory);
  EXPECT_EQ(result.populations[1].rate_hz, 3.5);
}

TEST(ParseReport, NamesAllProblemsAtOnce) {
  std::string report = replaced(kReport, "\"dt_ms\": 0.1", "\"dt_ms\": -1");
  report = replaced(report, "\"size\": 4", "\"size\": 1e30");
  report = replaced(report, "\"name\": \"I\"", "\"name\": \"E\"");
  const std::string error = error_of(report);
  EXPECT_NE(error.find("dt_ms"), std::string::npos);
  EXPECT_NE(error.find("populations[0].size"), std::string::npos);
  EXPECT_NE(error.find("occurs twice"), std::string::npos);
}

TEST(ParseReport, RefusesWhatIsNoReport) {
  for (const char* text : {"", "{", "[]", "null", "3", "{\"populations\": 3}", "\xff\xfe",
                           "{\"populations\": [3], \"dt_ms\": 0.1, \"model_time_ms\": 1}"}) {
    EXPECT_NE(error_of(text), "") << text;
  }
  EXPECT_NE(error_of(std::string(100000, '[')).find("deep"), std::string::npos);
  EXPECT_NE(error_of(replaced(kReport, "\"model_time_ms\": 100", "\"model_time_ms\": \"100\"")),
            "");
}

TEST(ParseReport, EveryTruncationIsAnError) {
  const std::string whole = kReport;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(error_of(whole.substr(0, length)), "") << length;
  }
}

TEST(LoadResult, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_NE(load_error(folder / "nowhere").find("no result folder"), std::string::npos);
  EXPECT_NE(load_error(folder.path()).find("report.json is missing"), std::string::npos);
  write_report_of(folder.path(), {"spikes.h5"});
  EXPECT_NE(load_error(folder.path()).find("spikes.h5"), std::string::npos);
  write_report_of(folder.path(), {"spikes_E.npy"});
  EXPECT_NE(load_error(folder.path()).find("spikes_E.npy"), std::string::npos);
}

// A result whose spikes are npy, with one row of population E as given.
std::string error_with_spike(double time_ms, double neuron) {
  const TemporaryFolder folder;
  io::write_npy(folder / "spikes_E.npy", std::vector<double>{time_ms, neuron}, 2);
  io::write_npy(folder / "spikes_I.npy", std::vector<double>{}, 2);
  write_report_of(folder.path(), {"spikes_E.npy", "spikes_I.npy"});
  return load_error(folder.path());
}

TEST(LoadResult, ChecksSpikesAgainstTheReport) {
  EXPECT_EQ(error_with_spike(100.0, 3), "");
  EXPECT_NE(error_with_spike(100.2, 3).find("outside the run"), std::string::npos);
  EXPECT_NE(error_with_spike(-0.1, 3).find("outside the run"), std::string::npos);
  EXPECT_NE(error_with_spike(std::nan(""), 3).find("outside the run"), std::string::npos);
  EXPECT_NE(error_with_spike(50.0, 4).find("neuron 4 of a population of 4"), std::string::npos);
  EXPECT_NE(error_with_spike(50.0, -1), "");
  EXPECT_NE(error_with_spike(50.0, 1.5), "");
  EXPECT_NE(error_with_spike(50.0, 1e300), "");
}

TEST(LoadResult, BringsSpikesIntoOrder) {
  const TemporaryFolder folder;
  io::write_npy(folder / "spikes_E.npy", std::vector<double>{3, 1, 1, 2, 1, 0, 2, 2}, 2);
  io::write_npy(folder / "spikes_I.npy", std::vector<double>{}, 2);
  write_report_of(folder.path(), {"spikes_E.npy", "spikes_I.npy"});
  const Result result = load_result(folder.path());
  EXPECT_EQ(result.populations[0].spikes.times_ms, (std::vector<double>{1, 1, 2, 3}));
  EXPECT_EQ(result.populations[0].spikes.neurons, (std::vector<std::uint32_t>{0, 2, 2, 1}));
}

TEST(LoadResult, FindsEveryChangedByteOfTheReport) {
  const TemporaryFolder folder;
  write_report_of(folder.path(), {});
  EXPECT_EQ(load_error(folder.path()), "");
  const std::string whole = io::read_file(folder / "report.json", 1 << 20);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {1, 0x20, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      std::ofstream(folder / "report.json", std::ios::binary) << damaged;
      EXPECT_NE(load_error(folder.path()).find("report.json"), std::string::npos) << at;
    }
  }
}

TEST(LoadResult, RefusesAReportWithoutChecksumAsEarlierVersionsWroteIt) {
  const TemporaryFolder folder;
  io::write_file(folder / "report.json", kReport);
  EXPECT_NE(load_error(folder.path()).find("earlier version"), std::string::npos);
}

TEST(LoadResult, AFileThatTheReportHasNoChecksumOfIsRefused) {
  const TemporaryFolder folder;
  io::write_npy(folder / "spikes_E.npy", std::vector<double>{}, 2);
  io::write_npy(folder / "spikes_I.npy", std::vector<double>{}, 2);
  io::write_file(folder / "report.json",
                 io::sealed(replaced(kReport, "\"seed\"",
                                     "\"files\": [\"spikes_E.npy\", \"spikes_I.npy\"], \"seed\"")));
  EXPECT_NE(load_error(folder.path()).find("checksum"), std::string::npos);
}

class Hdf5Result : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_hdf5()) GTEST_SKIP() << "built without HDF5";
    auto sink = io::make_spike_sink(folder_.path(), {"E", "I"});
    std::vector<double> times(2000);
    std::vector<std::uint64_t> ids(2000);
    for (std::size_t i = 0; i < times.size(); ++i) {
      times[i] = 0.05 * static_cast<double>(i);
      ids[i] = i % 4;
    }
    sink->append(0, times, ids);
    files_ = sink->finish();
    write_report_of(folder_.path(), files_);
  }
  // Beside a report that says it is whole: what the reader of HDF5 itself makes of it.
  void replace(const std::string& bytes) {
    io::write_file(folder_ / "spikes.h5", bytes);
    write_report_of(folder_.path(), files_);
  }
  TemporaryFolder folder_;
  std::vector<std::string> files_;
};

TEST_F(Hdf5Result, LoadsWhole) {
  const Result result = load_result(folder_.path());
  EXPECT_EQ(result.populations[0].spikes.size(), 2000U);
  EXPECT_EQ(result.populations[1].spikes.size(), 0U);
}

TEST_F(Hdf5Result, TruncatedFilesAreInputErrors) {
  const std::string whole = io::read_file(folder_ / "spikes.h5", 1 << 24);
  for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 97) {
    replace(whole.substr(0, length));
    EXPECT_NE(load_error(folder_.path()), "") << length;
  }
}

TEST_F(Hdf5Result, DamagedDataIsFoundByTheChecksumsOfHdf5) {
  const Result before = load_result(folder_.path());
  const std::string whole = io::read_file(folder_ / "spikes.h5", 1 << 24);
  // The second half of the file is data; some of it lies beyond the spikes and is never read.
  for (std::size_t at = whole.size() / 2; at < whole.size(); at += 1 + whole.size() / 211) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    replace(damaged);
    if (load_error(folder_.path()).empty()) {
      const Result after = load_result(folder_.path());
      EXPECT_EQ(after.populations[0].spikes.times_ms, before.populations[0].spikes.times_ms) << at;
      EXPECT_EQ(after.populations[0].spikes.neurons, before.populations[0].spikes.neurons) << at;
    }
  }
}

TEST_F(Hdf5Result, ForeignFilesAreInputErrors) {
  replace("this is no HDF5 file");
  EXPECT_NE(load_error(folder_.path()).find("not an HDF5 file"), std::string::npos);
  auto sink = io::make_spike_sink(folder_.path(), {"X"});
  (void)sink->finish();
  write_report_of(folder_.path(), files_);
  EXPECT_NE(load_error(folder_.path()).find("'E' is missing"), std::string::npos);
}

}  // namespace
}  // namespace tessera
