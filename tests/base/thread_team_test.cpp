// The thread team: every worker runs every job once, barriers hold, exceptions come back.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "base/thread_team.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tessera::test {
namespace {

TEST(ThreadTeam, EveryWorkerRunsEveryJobOnce) {
  for (const int size : {1, 2, 5}) {
    ThreadTeam team(size);
    EXPECT_EQ(team.size(), size);
    std::vector<int> calls(static_cast<std::size_t>(size), 0);
    for (int job = 0; job < 50; ++job) {
      team.run([&](int worker) { ++calls[static_cast<std::size_t>(worker)]; });
    }
    EXPECT_EQ(calls, std::vector<int>(static_cast<std::size_t>(size), 50));
  }
  EXPECT_EQ(ThreadTeam(0).size(), 1);
}

TEST(ThreadTeam, TheCallerIsWorkerZero) {
  ThreadTeam team(3);
  std::vector<std::thread::id> ids(3);
  team.run([&](int worker) { ids[static_cast<std::size_t>(worker)] = std::this_thread::get_id(); });
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[2], ids[1]);
}

// Plain numbers without atomics: only the barrier orders writes and reads of neighbours.
TEST(ThreadTeam, BarriersOrderWhatWorkersWrite) {
  constexpr int kRounds = 300;
  for (const int size : {1, 2, 4}) {
    ThreadTeam team(size);
    std::vector<int> values(static_cast<std::size_t>(size), 0);
    std::vector<int> wrong(static_cast<std::size_t>(size), 0);
    team.run([&](int worker) {
      const auto w = static_cast<std::size_t>(worker);
      for (int round = 1; round <= kRounds; ++round) {
        values[w] = round;
        team.barrier();
        for (const int value : values) wrong[w] += value != round;
        team.barrier();
      }
    });
    EXPECT_EQ(wrong, std::vector<int>(static_cast<std::size_t>(size), 0));
  }
}

// "S" of /proc/self/task/<tid>/stat: the thread sleeps. The name in brackets may hold anything.
char state_of(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(") ");
  return end == std::string::npos ? '?' : line[end + 2];
}

// With a core for every worker or without one: who waits long does not keep a core busy.
TEST(ThreadTeam, AWorkerThatWaitsLongSleeps) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  for (const int size : {2, 64}) {
    ThreadTeam team(size);
    std::vector<std::atomic<pid_t>> ids(static_cast<std::size_t>(size));
    team.run([&](int worker) {
      if (worker == 0) {  // comes when all others sleep
        for (std::size_t w = 1; w < ids.size(); ++w) {
          while (ids[w] == 0 || state_of(ids[w]) != 'S') {
            if (std::chrono::steady_clock::now() > deadline) {
              ADD_FAILURE() << "worker " << w << " of " << size << " does not sleep";
              break;
            }
            std::this_thread::yield();
          }
        }
      } else {
        ids[static_cast<std::size_t>(worker)] = gettid();
      }
      team.barrier();
    });
  }
}

TEST(ThreadTeam, ExceptionsOfAnyWorkerAreRethrownAndTheTeamGoesOn) {
  ThreadTeam team(3);
  for (const int thrower : {0, 1, 2}) {
    EXPECT_THROW(team.run([&](int worker) {
      if (worker == thrower) throw std::runtime_error("from a worker");
    }), std::runtime_error);
    std::vector<int> calls(3, 0);
    team.run([&](int worker) { ++calls[static_cast<std::size_t>(worker)]; });
    EXPECT_EQ(calls, std::vector<int>(3, 1));
  }
}

}  // namespace
}  // namespace tessera::test
