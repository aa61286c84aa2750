// Ranks inside one process: every call with many seeds, failures of a rank, faults on purpose.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "comm/loopback.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "comm/communicators.hpp"

namespace tessera::test {
namespace {

using Kind = LoopbackFault::Kind;
using Ranks = const std::shared_ptr<Communicator>&;

// Every rank tells every other one its number, a few times.
void gather_three_times(Ranks ranks) {
  Gathered all;
  for (int round = 0; round < 3; ++round) {
    ranks->enter("exchange", round);
    const std::vector<std::byte> mine = bytes_of(ranks->rank(), round, 4);
    ranks->all_gather(mine, all);
    for (int r = 0; r < ranks->size(); ++r) {
      if (!same(all.of(r), bytes_of(r, round, 4))) throw std::runtime_error("wrong bytes");
    }
  }
}

TEST(Loopback, EveryCallGivesTheSameForAnyNumberOfRanksAndAnySeed) {
  for (int ranks = 1; ranks <= 7; ++ranks) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      run_loopback(ranks, seed, [&](Ranks rank) {
        const std::string wrong = check_all_calls(*rank, 5);
        if (!wrong.empty()) throw std::runtime_error(wrong);
      });
    }
  }
}

// A note per rank and round, in the order in which they were made: the course of events.
std::string course(std::uint64_t seed) {
  std::string notes;
  run_loopback(3, seed, [&](Ranks ranks) {
    Gathered all;
    for (int round = 0; round < 4; ++round) {
      notes += std::to_string(ranks->rank());
      ranks->all_gather({}, all);
    }
  });
  return notes;
}

TEST(Loopback, ASeedIsACourseOfEventsAndOthersDiffer) {
  int differ = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(course(seed), course(seed));
    differ += course(seed) != course(0);
  }
  EXPECT_GE(differ, 15);  // there are hundreds of courses
}

TEST(Loopback, MessagesAndBytesOfOthersAreCounted) {
  run_loopback(4, 1, [](Ranks ranks) {
    Gathered all;
    ranks->all_gather(bytes_of(0, 0, 10), all);  // 3 messages of 10 bytes
    const std::vector<std::byte> five = bytes_of(0, 0, 5);
    const int next = (ranks->rank() + 1) % 4, before = (ranks->rank() + 3) % 4;
    const Parcel parcel{next, five};
    ranks->start_exchange({&parcel, 1}, {&before, 1});  // 1 of 5
    ranks->finish_exchange(all);
    if (ranks->traffic().messages != 4 || ranks->traffic().bytes != 35) throw std::runtime_error("wrong counts");
  });
}

TEST(Loopback, TheFirstFailureComesBackAndTheOthersHearOfIt) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    int heard = 0;
    try {
      run_loopback(3, seed, [&](Ranks ranks) {
        if (ranks->rank() == 1) {
          gather_three_times(ranks);
          throw std::runtime_error("the disk is full");
        }
        try {  // a rank that is behind may hear of it in what all have done
          gather_three_times(ranks);
          ranks->barrier();
        } catch (const CommunicationError& error) {
          EXPECT_EQ(error.rank, 1);
          EXPECT_NE(std::string(error.what()).find("the disk is full"), std::string::npos) << error.what();
          ++heard;
          throw;
        }
      });
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "the disk is full");
    }
    EXPECT_EQ(heard, 2);
  }
}

TEST(Loopback, ARankThatLeavesIsNamedWithThePhaseOfThoseWhoWait) {
  try {
    run_loopback(3, 5, [](Ranks ranks) {
      ranks->enter("checkpoint", 17);
      if (ranks->rank() != 2) ranks->barrier();
    });
    FAIL() << "nothing was thrown";
  } catch (const CommunicationError& error) {
    EXPECT_EQ(error.rank, 2);
    EXPECT_EQ(error.phase, "checkpoint");
    EXPECT_NE(std::string(error.what()).find("in 'checkpoint', step 17 for ever: rank 2 has left"), std::string::npos)
        << error.what();
  }
}

TEST(Loopback, DifferentCallsAreAMistake) {
  EXPECT_THROW(run_loopback(2, 1,
                            [](Ranks ranks) {
                              Gathered all;
                              if (ranks->rank() == 0) {
                                ranks->barrier();
                              } else {
                                ranks->all_gather({}, all);
                              }
                            }),
               CommunicationError);
}

TEST(Loopback, WhatNobodyAskedForIsAMistake) {
  EXPECT_THROW(run_loopback(2, 1,
                            [](Ranks ranks) {
                              Gathered all;
                              const Parcel parcel{1, {}};
                              if (ranks->rank() == 0) {
                                ranks->start_exchange({&parcel, 1}, {});
                              } else {
                                ranks->start_exchange({}, {});
                              }
                              ranks->finish_exchange(all);
                            }),
               CommunicationError);
}

TEST(Loopback, HalvesInAWrongOrderAreAMistakeOfTheProgram) {
  EXPECT_THROW(run_loopback(2, 1,
                            [](Ranks ranks) {
                              ranks->start_all_gather({});
                              ranks->barrier();
                            }),
               std::logic_error);
}

TEST(Loopback, ARankThatFailsFindsOutWhetherItIsTheOnlyOne) {
  run_loopback(3, 4, [](Ranks ranks) {
    if (!ranks->leave(0.0)) throw std::logic_error("all have left");
  });
  EXPECT_THROW(run_loopback(3, 4,
                            [](Ranks ranks) {
                              if (ranks->rank() == 1) throw std::runtime_error("the only one");
                              if (ranks->leave(0.0)) throw std::logic_error("one has failed");
                            }),
               std::runtime_error);
}

TEST(Loopback, AbortEndsAllWithItsCode) {
  try {
    run_loopback(3, 2, [](Ranks ranks) {
      if (ranks->rank() == 1) ranks->abort(4, "no more");
      ranks->barrier();
    });
    FAIL() << "nothing was thrown";
  } catch (const RunAborted& aborted) {
    EXPECT_EQ(aborted.exit_code, 4);
    EXPECT_STREQ(aborted.what(), "no more");
  }
}

// The negative control of every test that uses a loopback: what happens to any message is noticed.
TEST(Loopback, EveryFaultOfEveryMessageIsNoticed) {
  const std::uint64_t messages = run_loopback(3, 1, gather_three_times).messages;
  ASSERT_EQ(messages, 18u);  // 3 rounds, 3 ranks, 2 others each
  for (std::uint64_t message = 0; message < messages; ++message) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      EXPECT_THROW(run_loopback(3, seed, gather_three_times, {Kind::lost, message}), CommunicationError) << message;
      EXPECT_THROW(run_loopback(3, seed, gather_three_times, {Kind::repeated, message}), CommunicationError)
          << message;
      for (const Kind kind : {Kind::emptied, Kind::doubled}) {
        try {
          run_loopback(3, seed, gather_three_times, {kind, message});
          ADD_FAILURE() << "nobody noticed message " << message;
        } catch (const std::runtime_error& error) {
          EXPECT_STREQ(error.what(), "wrong bytes");
        }
      }
    }
  }
  EXPECT_THROW(run_loopback(3, 1, gather_three_times, {Kind::lost, messages}), std::logic_error);
}

}  // namespace
}  // namespace tessera::test
