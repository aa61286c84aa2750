// Every command of docs/ranks.md runs, one after the other, on small networks; the job script through a stand-in
// for srun.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cli/examples.hpp"
#include "support/mpirun.hpp"

namespace tessera::test {
namespace {

class RanksPage : public ::testing::Test {
 protected:
  RanksPage() {
    std::filesystem::create_directory_symlink(std::string(TESSERA_SOURCE_DIR) + "/models", folder_.path() / "models");
    options_.folder = folder_.path();
  }
  std::string digest_of(const std::string& result) {
    const std::string report = read_text(folder_ / ("results/" + result + "/report.json"));
    const std::size_t at = report.find("\"digest\": ");
    return at == std::string::npos ? "none" : report.substr(at, 30);
  }
  TemporaryFolder folder_;
  ProcessOptions options_;
};

TEST_F(RanksPage, EveryCommandRuns) {
  const std::vector<std::string> commands = examples("ranks.md");
  ASSERT_GE(commands.size(), 8u);
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    std::vector<std::string> words = words_of(command), line;
    if (words.at(0) == "mpirun") {
      ASSERT_EQ(words.at(1), "-n");
      line = mpirun(std::stoi(words.at(2)));
      words.erase(words.begin(), words.begin() + 3);
    }
    ASSERT_EQ(words.at(0), "tessera");
    line.push_back(TESSERA_BINARY_DIR "/tessera");
    line.insert(line.end(), words.begin() + 1, words.end());
    if (command.find("microcircuit.toml") != std::string::npos)
      line.insert(line.end(), {"--set", "scale=0.02", "--set", "drive=poisson"});
    const Outcome outcome = run_program(line, options_);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  // What the page promises of them.
  for (const char* result : {"second_half", "collective", "point_to_point", "packed"})
    EXPECT_EQ(digest_of(result), digest_of("two_ranks")) << result;
}

// The script of the page, with as many ranks as it asks for per machine, on a smaller network.
TEST_F(RanksPage, TheJobScriptRuns) {
  const std::string page = read_text(std::string(TESSERA_SOURCE_DIR) + "/docs/ranks.md");
  const std::string fence = "```bash\n";
  const std::size_t begin = page.find(fence) + fence.size();
  std::string script = page.substr(begin, page.find("```", begin) - begin);
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"scale=20", "scale=0.05"},
                                 {"--checkpoint-every 1s", "--checkpoint-every 10ms --time 10ms --discard 0ms"}}) {
    ASSERT_NE(script.find(from), std::string::npos);
    script.replace(script.find(from), from.size(), to);
  }
  write_text(folder_ / "job.sh", script);
  // Options of srun end where the program begins.
  std::string srun = "#!/bin/sh\nwhile [ \"${1#-}\" != \"$1\" ]; do shift; done\nexec";
  for (const std::string& word : mpirun(2)) srun += " " + word;
  write_text(folder_ / "srun", srun + " \"$@\"\n");
  chmod((folder_ / "srun").c_str(), 0755);
  const std::string path = folder_.path().string() + ":" TESSERA_BINARY_DIR ":" + std::getenv("PATH");
  options_.environment = {{"PATH", path}, {"SLURM_CPUS_PER_TASK", "1"}, {"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}};
  const Outcome outcome = run_program({"/bin/bash", "job.sh"}, options_);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("2 ranks with 1 thread"), std::string::npos) << outcome.out;
  // 2 ranks of 9,000 and 2,250 neurons at a twentieth: 2 x (450 + 113).
  EXPECT_NE(outcome.out.find("1,126 neurons"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace tessera::test
