// Ranks that are processes: every call through mpirun, and ranks that die, hang, leave or give up.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/process.hpp"
#include "support/mpirun.hpp"

namespace tessera::test {
namespace {

Outcome ranks(int number, const std::vector<std::string>& arguments, LauncherIs launcher = LauncherIs::hasty) {
  std::vector<std::string> words = mpirun(number, launcher);
  words.push_back(TESSERA_BINARY_DIR "/tests/rank_program");
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_program(words);
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// Three ranks of which one meets its fate in round 20. The patience is short: 3 s.
Outcome fate(const std::string& what, const std::string& watch, LauncherIs launcher = LauncherIs::hasty) {
  return ranks(3, {what, "1000000", "3", watch}, launcher);
}

// Pieces of 7 bytes stand in for those of a gigabyte: lists are longer than one, as long, and shorter.
TEST(Mpi, EveryCallGivesTheSameForAnyNumberOfRanksAndInPieces) {
  for (int number = 1; number <= 3; ++number) {
    for (const char* const largest : {"1000000", "80", "7"}) {
      for (const char* const watch : {"thread", "no_thread"}) {
        const Outcome outcome = ranks(number, {"calls", largest, "60", watch});
        EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
        EXPECT_EQ(outcome.out, std::to_string(number) + " ranks, mpi\n");
      }
    }
  }
}

TEST(Mpi, ARankAloneNeedsNoLauncher) {
  const Outcome outcome = run_program({TESSERA_BINARY_DIR "/tests/rank_program", "calls", "80", "60", "thread"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "1 ranks, mpi\n");
}

// A patient mpirun gives no exit code; the other gives that of whom it sees dead first: 128 + 9.
TEST(Mpi, ARankThatIsKilledIsNamedOnceWithThePhase) {
  EXPECT_EQ(fate("killed", "thread").exit_code, 137);
  for (const char* const watch : {"thread", "no_thread", "callback"}) {
    const Outcome outcome = fate("killed", watch, LauncherIs::patient);
    EXPECT_EQ(times(outcome.err, "rank 1 of 3 is gone: it was killed, or left without a word. Rank 0 is in "
                                 "'exchange', step 20;"),
              1u)
        << watch << ": " << outcome.err;
  }
}

TEST(Mpi, ARankThatLeavesIsNamedOnceWithThePhase) {
  EXPECT_NE(fate("leaves", "thread").exit_code, 0);
  const Outcome outcome = fate("leaves", "thread", LauncherIs::patient);
  EXPECT_EQ(times(outcome.err, "rank 1 of 3 is gone: it was killed, or left without a word. Rank 0 is in 'exchange', "
                               "step 20;"),
            1u)
      << outcome.err;
}

TEST(Mpi, ARankThatHangsIsNamedOnceAndAllEndWithTheSameCode) {
  const std::string sentence = "rank 1 of 3 has not been heard of for 3 s: it hangs, or its machine is lost. Rank 0 is "
                               "in 'exchange', step 20;";
  for (const char* const watch : {"thread", "no_thread", "callback"}) {
    const Outcome outcome = fate("stopped", watch);
    EXPECT_EQ(outcome.exit_code, watch == std::string("callback") ? 6 : 5) << outcome.err;
    EXPECT_EQ(times(outcome.err, sentence), 1u) << watch << ": " << outcome.err;
  }
  // Alive for the operating system, without the thread that says so.
  const Outcome outcome = fate("silent", "no_thread");
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_EQ(times(outcome.err, sentence), 1u) << outcome.err;
}

TEST(Mpi, ARankThatComputesForLongGivesSignsOfLife) {
  EXPECT_EQ(ranks(3, {"busy", "1000000", "2", "thread"}).exit_code, 0);  // 4 s of work
  const Outcome without = ranks(3, {"busy", "1000000", "2", "no_thread"});
  EXPECT_EQ(without.exit_code, 5);
  EXPECT_EQ(times(without.err, "rank 1 of 3 has not been heard of for 2 s"), 1u) << without.err;
}

TEST(Mpi, ARankThatGivesUpEndsAllWithItsMessageAndItsCode) {
  const Outcome one = fate("abort", "thread");
  EXPECT_EQ(one.exit_code, 7);
  EXPECT_EQ(times(one.err, "rank 1 says why\n"), 1u) << one.err;
  const Outcome all = fate("all abort", "thread");
  EXPECT_EQ(all.exit_code, 7);
  EXPECT_EQ(times(all.err, "the same on every rank\n"), 1u) << all.err;
}

TEST(Mpi, ARankThatFailsFindsOutWhetherItIsTheOnlyOne) {
  const Outcome alone = fate("fail alone", "thread");
  EXPECT_EQ(alone.exit_code, 8);
  EXPECT_EQ(times(alone.err, "rank 1 fails alone\n"), 1u) << alone.err;
  EXPECT_EQ(fate("fail together", "thread").exit_code, 9);
}

TEST(Mpi, ErrorsOfTheLibraryAreSentences) {
  const Outcome outcome = fate("error", "thread");
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_EQ(times(outcome.err, "MPI reports in 'exchange': MPI_ERR_RANK"), 1u) << outcome.err;
}

// Without the launcher of this MPI, every rank would believe that it is alone.
TEST(Mpi, TheLauncherOfAnotherMpiIsNoticed) {
  ProcessOptions options;
  options.environment = {{"PMI_SIZE", "2"}, {"PMI_RANK", "0"}};
  const Outcome outcome =
      run_program({TESSERA_BINARY_DIR "/tests/rank_program", "calls", "80", "60", "thread"}, options);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(times(outcome.err, "one of 2, but the MPI of this build (" + mpi_name() + ") sees 1 rank"), 1u)
      << outcome.err;
}

}  // namespace
}  // namespace tessera::test
