// What the environment says about who has started this process.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "cli/process.hpp"
#include "tessera/communicator.hpp"

namespace tessera::test {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

// Nothing of what the tests themselves were started by.
class LauncherTest : public ::testing::Test {
 protected:
  LauncherTest() {
    for (const char* const family : {"OMPI_COMM_WORLD_", "MV2_COMM_WORLD_", "PMI_", "JSM_NAMESPACE_"}) {
      for (const char* const what : {"SIZE", "RANK"}) forget(std::string(family) + what);
    }
    for (const char* const name : {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_NTASKS", "FLUX_JOB_SIZE",
                                   "FLUX_TASK_RANK", "PMIX_RANK"}) {
      forget(name);
    }
  }
  ~LauncherTest() override {
    for (const auto& [name, value] : before_) setenv(name.c_str(), value.c_str(), 1);
  }

  static std::optional<Launcher> with(const Variables& variables) {
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
    std::optional<Launcher> found = launcher();
    for (const auto& [name, value] : variables) unsetenv(name.c_str());
    return found;
  }

 private:
  void forget(const std::string& name) {
    if (const char* const value = std::getenv(name.c_str())) before_.emplace_back(name, value);
    unsetenv(name.c_str());
  }
  Variables before_;
};

TEST_F(LauncherTest, NoneIsOneProcessAlone) {
  EXPECT_FALSE(launcher());
  EXPECT_EQ(launched_communicator()->name(), "local");
}

TEST_F(LauncherTest, EveryFamilyIsRecognised) {
  const std::vector<std::pair<Variables, std::string>> families{
      {{{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "3"}}, "Open MPI"},
      {{{"MV2_COMM_WORLD_SIZE", "4"}, {"MV2_COMM_WORLD_RANK", "3"}}, "MVAPICH"},
      {{{"PMI_SIZE", "4"}, {"PMI_RANK", "3"}}, "MPICH"},
      {{{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "3"}}, "Slurm"},
      {{{"JSM_NAMESPACE_SIZE", "4"}, {"JSM_NAMESPACE_RANK", "3"}}, "jsrun"},
      {{{"FLUX_JOB_SIZE", "4"}, {"FLUX_TASK_RANK", "3"}}, "flux"}};
  for (const auto& [variables, name] : families) {
    const std::optional<Launcher> found = with(variables);
    ASSERT_TRUE(found) << name;
    EXPECT_NE(found->name.find(name), std::string::npos);
    EXPECT_EQ(found->size, 4);
    EXPECT_EQ(found->rank, 3);
  }
  const std::optional<Launcher> pmix = with({{"PMIX_RANK", "5"}});
  ASSERT_TRUE(pmix);
  EXPECT_EQ(pmix->rank, 5);
  EXPECT_EQ(pmix->size, 0);  // it does not tell
}

TEST_F(LauncherTest, OneOfOneIsAlone) {
  EXPECT_FALSE(with({{"OMPI_COMM_WORLD_SIZE", "1"}, {"OMPI_COMM_WORLD_RANK", "0"}, {"PMIX_RANK", "0"}}));
}

// A batch script has the tasks of its allocation in its environment, but is no step of several.
TEST_F(LauncherTest, ABatchScriptOfSlurmIsAlone) {
  EXPECT_FALSE(with({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}));
}

TEST_F(LauncherTest, TheInnermostLauncherCounts) {
  const std::optional<Launcher> found = with({{"SLURM_STEP_NUM_TASKS", "2"},
                                              {"SLURM_PROCID", "1"},
                                              {"OMPI_COMM_WORLD_SIZE", "8"},
                                              {"OMPI_COMM_WORLD_RANK", "6"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size, 8);
  EXPECT_EQ(found->rank, 6);
}

TEST_F(LauncherTest, WhatIsNoNumberIsNoLauncher) {
  EXPECT_FALSE(with({{"PMI_SIZE", "many"}, {"PMI_RANK", "0"}}));
  EXPECT_FALSE(with({{"PMI_SIZE", "4"}, {"PMI_RANK", "-1"}}));
}

// The program is linked without MPI, whatever this build has.
TEST_F(LauncherTest, ABuildWithoutMpiRefusesToBeOneOfSeveral) {
  ProcessOptions options;
  options.environment = {{"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_RANK", "0"}};
  const Outcome outcome =
      run_program({TESSERA_BINARY_DIR "/tests/absent_program", "calls", "80", "60", "thread"}, options);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("This build has no MPI"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("-DTESSERA_MPI=ON"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace tessera::test
