// One rank alone, and one of many that do not exist.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

#include "comm/communicators.hpp"

namespace tessera::test {
namespace {

TEST(Local, EveryCallReturnsAtOnceAndNothingIsSent) {
  const auto alone = local_communicator();
  EXPECT_EQ(alone->size(), 1);
  EXPECT_EQ(alone->rank(), 0);
  EXPECT_EQ(alone->name(), "local");
  EXPECT_EQ(check_all_calls(*alone, 5), "");
  EXPECT_EQ(alone->traffic().messages, 0u);
  EXPECT_EQ(alone->traffic().bytes, 0u);
  EXPECT_THROW(alone->abort(3, "over"), RunAborted);
}

TEST(DryRun, OthersAreEmptyAndWhatWouldBeSentIsCounted) {
  const auto rank = dry_run_communicator(17, 1024);
  EXPECT_EQ(rank->rank(), 17);
  EXPECT_EQ(rank->size(), 1024);
  Gathered all;
  rank->all_gather(bytes_of(17, 0, 100), all);
  ASSERT_EQ(all.begin.size(), 1025u);
  EXPECT_TRUE(same(all.of(17), bytes_of(17, 0, 100)));
  EXPECT_TRUE(all.of(16).empty());
  EXPECT_TRUE(all.of(1023).empty());
  EXPECT_EQ(rank->traffic().messages, 1023u);
  EXPECT_EQ(rank->traffic().bytes, 102300u);

  const std::vector<std::byte> seven = bytes_of(17, 0, 7);
  const std::array<Parcel, 2> parcels{Parcel{3, seven}, Parcel{900, seven}};
  const std::array<int, 3> from{1, 2, 1000};
  rank->start_exchange(parcels, from);
  rank->finish_exchange(all);
  EXPECT_EQ(all.begin, (std::vector<std::size_t>{0, 0, 0, 0}));
  EXPECT_EQ(rank->traffic().messages, 1025u);
  EXPECT_EQ(rank->traffic().bytes, 102314u);

  std::vector<std::uint64_t> own{4, 5};
  rank->all_reduce(own, Reduction::sum);
  EXPECT_EQ(own, (std::vector<std::uint64_t>{4, 5}));
  rank->gather(seven, 0, all);
  EXPECT_TRUE(all.bytes.empty());
}

TEST(DryRun, ARankThatIsNotThereIsRefused) {
  EXPECT_THROW(static_cast<void>(dry_run_communicator(0, 0)), InputError);
  EXPECT_THROW(static_cast<void>(dry_run_communicator(-1, 4)), InputError);
  try {
    static_cast<void>(dry_run_communicator(4, 4));
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("no rank 4 of 4; ranks go from 0 to 3"), std::string::npos);
  }
}

TEST(Local, HalvesInAWrongOrderAreAMistakeOfTheProgram) {
  const auto alone = local_communicator();
  Gathered all;
  EXPECT_THROW(alone->finish_all_gather(all), std::logic_error);
  alone->start_exchange({}, {});
  EXPECT_THROW(alone->barrier(), std::logic_error);
}

}  // namespace
}  // namespace tessera::test
