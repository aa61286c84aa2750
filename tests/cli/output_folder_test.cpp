// The folder that a command writes into: locks, leftovers, other people's files, names for terminals.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/process.hpp"
#include "cli/small_model.hpp"

namespace tessera::test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const char* const kTraining = R"(name = "small"
[data]
set = "yin_yang"
[data.generator]
training_samples = 60
test_samples = 20
[[layer]]
name = "hidden"
size = 8
[[layer]]
name = "output"
neuron = "readout"
size = 3
[training]
epochs = 1
threads = 1
)";

class OutputFolder : public ::testing::Test {
 protected:
  OutputFolder() {
    write_text(folder_ / "m.toml", kSmallModel);
    write_text(folder_ / "t.toml", kTraining);
    options_.folder = folder_.path();
  }

  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }

  void expect_refused(const std::string& words, const std::string& part) {
    const std::set<std::string> before = folder_.contents();
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 2) << words << ": " << outcome.err;
    EXPECT_TRUE(contains(outcome.err, part)) << words << ": " << outcome.err;
    EXPECT_EQ(folder_.contents(), before) << words;
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

// Holds the lock of a folder as a running command does, and claims to be process 4711.
class HeldLock {
 public:
  explicit HeldLock(const std::string& file)
      : descriptor_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    EXPECT_EQ(fcntl(descriptor_, F_OFD_SETLK, &lock), 0);
    EXPECT_EQ(write(descriptor_, "4711\n", 5), 5);
  }
  ~HeldLock() { close(descriptor_); }
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;

 private:
  int descriptor_;
};

TEST_F(OutputFolder, IsWrittenByOneCommandAtATime) {
  ASSERT_EQ(line("train t.toml --out r --quiet").exit_code, 0);
  {
    const HeldLock lock(folder_ / "r/.tessera.lock");
    for (const char* words :
         {"run m.toml --out r", "run m.toml --out r --force", "train t.toml --out r --force",
          "evaluate r", "data convert yin_yang --out r --force"}) {
      expect_refused(words, "4711");
    }
  }
  // The lock file of a process that is gone means nothing, and goes.
  EXPECT_EQ(line("evaluate r").exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "r/.tessera.lock"));
}

TEST_F(OutputFolder, ASecondRunNamesTheProcessOfTheFirst) {
  options_.terminal = true;
  Outcome second;
  pid_t first = 0;
  options_.on_error_output = [&](pid_t child, const std::string& text) {
    if (first != 0 || !contains(text, "ETA")) return;
    first = child;
    ProcessOptions plain;
    plain.folder = folder_.path();
    second = tessera(words_of("run m.toml --out r"), plain);
    kill(child, SIGINT);
  };
  const Outcome outcome = line("run m.toml --out r --time 100000s");
  EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_TRUE(contains(second.err, "process " + std::to_string(first) + ")")) << second.err;
  EXPECT_FALSE(folder_.contents().count("r/.tessera.lock"));
  EXPECT_TRUE(folder_.contents().count("r/report.json"));
}

TEST_F(OutputFolder, IsTakenOverFromAKilledRun) {
  options_.terminal = true;
  options_.on_error_output = [](pid_t child, const std::string& text) {
    if (contains(text, "ETA")) kill(child, SIGKILL);
  };
  EXPECT_EQ(line("run m.toml --out r --time 100000s").signal, SIGKILL);
  EXPECT_TRUE(folder_.contents().count("r/.tessera.lock"));
  options_ = {};
  options_.folder = folder_.path();
  // What it left is no content: no --force is needed, and nothing of it stays.
  write_text(folder_ / "r/.spikes.h5.partial", "half");
  const Outcome outcome = line("run m.toml --out r --quiet");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const std::string& name : folder_.contents()) {
    EXPECT_FALSE(contains(name, "partial") || contains(name, "lock")) << name;
  }
}

TEST_F(OutputFolder, FilesInTheMakingOfOtherProgramsStay) {
  std::filesystem::create_directory(folder_ / "r");
  write_text(folder_ / "r/.download.zip.partial", "mine");
  expect_refused("run m.toml --out r", ".download.zip.partial");
  EXPECT_EQ(line("run m.toml --out r --quiet --force").exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "r/.download.zip.partial"), "mine");
}

TEST_F(OutputFolder, NothingStaysOfACommandThatWroteNothing) {
  EXPECT_EQ(line("run m.toml --out a/b/c --resume m.toml").exit_code, 2);  // no checkpoint
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a"));
}

TEST_F(OutputFolder, ForceReplacesOnlyWhatTesseraWrote) {
  ASSERT_EQ(line("run m.toml --out r --quiet --record spikes --record V_m:E:1:1ms").exit_code, 0);
  for (const char* name : {"spikes.h5", "traces_V_m.h5", "spikes_E.npy", "report.json",
                           "checkpoint_100ms.tsc"}) {
    SCOPED_TRACE(name);
    const std::filesystem::path file = folder_.path() / "r" / name;
    const bool there = std::filesystem::exists(file);
    const std::string before = there ? read_text(file) : "";
    // HDF5, but of another program.
    const std::string foreign = std::string("\x89HDF\r\n\x1a\n", 8) + "somebody else's";
    write_text(file, foreign);
    expect_refused("run m.toml --out r --force", name);
    EXPECT_EQ(read_text(file), foreign);
    std::filesystem::remove(file);
    if (there) write_text(file, before);
  }
  EXPECT_EQ(line("run m.toml --out r --quiet --force").exit_code, 0);
}

TEST_F(OutputFolder, ForceDoesNotTakeAModelFileForACopyOfOne) {
  std::filesystem::create_directory(folder_ / "r");
  std::filesystem::rename(folder_ / "t.toml", folder_ / "r/model.toml");
  expect_refused("train r/model.toml --out r --force", "model.toml");
  EXPECT_EQ(read_text(folder_ / "r/model.toml"), kTraining);
  // The copy that a training made is replaced, unless somebody changed it.
  ASSERT_EQ(line("train r/model.toml --out s --quiet").exit_code, 0);
  ASSERT_EQ(line("train r/model.toml --out s --quiet --force").exit_code, 0);
  write_text(folder_ / "s/model.toml", std::string(kTraining) + "# my notes\n");
  expect_refused("train r/model.toml --out s --force", "model.toml");
  for (const char* name : {"weights.safetensors", "metrics.csv", "confusion.csv", "raster.csv",
                           "metrics.json", "checkpoint.safetensors"}) {
    const TemporaryFolder other;
    write_text(other / name, "mine");
    expect_refused("train r/model.toml --force --out " + other.path().string(), name);
    EXPECT_EQ(read_text(other / name), "mine");
  }
}

TEST_F(OutputFolder, AFileInItsPathIsASentence) {
  write_text(folder_ / "file", "");
  expect_refused("run m.toml --out file", "'file' exists and is not a folder");
  expect_refused("run m.toml --out file/x/y", "/file' is a file");
  expect_refused("train t.toml --out file/x", "/file' is a file");
  expect_refused("data convert yin_yang --out file/x", "/file' is a file");
}

TEST_F(OutputFolder, NamesReachNoTerminalUnescaped) {
  const std::string escape = "\x1b]0;pwned\x07";
  const Outcome missing = tessera({"run", escape + ".toml"}, options_);
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_TRUE(contains(missing.err, "\\x1b]0;pwned\\x07")) << missing.err;
  EXPECT_FALSE(contains(missing.err, "\x1b"));
  std::string text = kSmallModel;
  for (const auto& [from, to] : {std::pair("name = \"small\"", "name = \"a\\u001b[2J\""),
                                 std::pair("[populations.I]", "[populations.\"a\\u0000b\"]"),
                                 std::pair("[projections.to_I]", "[projections.\"a\\u009bb\"]")}) {
    std::string changed = text;
    changed.replace(changed.find(from), std::string(from).size(), to);
    write_text(folder_ / "bad.toml", changed);
    const Outcome outcome = line("run bad.toml --out r");
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_TRUE(contains(outcome.err, "cannot be") || contains(outcome.err, "name")) << outcome.err;
    for (const char* raw : {"\x1b", "\xc2\x9b"}) EXPECT_FALSE(contains(outcome.err, raw)) << to;
    EXPECT_EQ(outcome.err.find('\0'), std::string::npos);
  }
  const Outcome out = tessera({"run", "m.toml", "--out", "r" + escape}, options_);
  EXPECT_EQ(out.exit_code, 0) << out.err;
  EXPECT_FALSE(contains(out.out, "\x1b"));
}

TEST_F(OutputFolder, AByteOrderMarkBeforeAFileChangesNothing) {
  const std::string mark = "\xef\xbb\xbf";
  const std::string list = R"(
[populations.src]
kind = "spike_train"
size = 2
spikes = [[10, 0], [20, 1]]
[projections.listed]
source = "src"
target = "E"
rule = "explicit_list"
file = "list.csv"
)";
  write_text(folder_ / "list.csv", "source,target,weight,delay_ms\n0,1,2000,1\n1,2,2000,1\n");
  write_text(folder_ / "plain.toml", kSmallModel + list);
  ASSERT_EQ(line("run plain.toml --out a --quiet").exit_code, 0);
  write_text(folder_ / "list.csv", mark + read_text(folder_ / "list.csv"));
  write_text(folder_ / "plain.toml", mark + kSmallModel + list);
  const Outcome outcome = line("run plain.toml --out b --quiet");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto digest = [this](const std::string& result) {
    return nlohmann::json::parse(read_text(folder_ / (result + "/report.json")))["digest"];
  };
  EXPECT_EQ(digest("a"), digest("b"));
  write_text(folder_ / "b/report.json", mark + read_text(folder_ / "b/report.json"));
  EXPECT_EQ(line("stats b").exit_code, 0);
}

TEST_F(OutputFolder, NeedsAName) {
  write_text(folder_ / "plain.toml", kSmallModel);
  for (const char* command : {"run plain.toml", "train plain.toml", "data convert yin_yang"}) {
    std::vector<std::string> words = words_of(command);
    words.insert(words.end(), {"--out", ""});
    ProcessOptions options;
    options.folder = folder_.path();
    const Outcome outcome = tessera(words, options);
    EXPECT_EQ(outcome.exit_code, 2) << command;
    EXPECT_NE(outcome.err.find("--out: needs the name of a folder."), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace tessera::test
