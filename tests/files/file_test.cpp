// Files that appear whole or not at all, and csv tables.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "files/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <limits>
#include <set>

#include "files/csv.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/errors.hpp"

namespace tessera::io {
namespace {

TEST(FileWriter, GivesTheNameOnlyAtTheEnd) {
  const TemporaryFolder folder;
  FileWriter writer(folder / "a.txt");
  writer.write("hello");
  EXPECT_EQ(folder.listing(), ".a.txt.partial");
  writer.commit();
  EXPECT_EQ(folder.listing(), "a.txt");
  EXPECT_EQ(read_file(folder / "a.txt", 100), "hello");
}

TEST(FileWriter, AbandonedLeavesTheEarlierFile) {
  const TemporaryFolder folder;
  write_file(folder / "a.txt", "earlier");
  {
    FileWriter writer(folder / "a.txt");
    writer.write(std::string(1000000, 'x'));
  }
  EXPECT_EQ(folder.listing(), "a.txt");
  EXPECT_EQ(read_file(folder / "a.txt", 100), "earlier");
}

TEST(FileWriter, FullDiskNamesFileAndReason) {
  // /dev/full answers every write with "no space left".
  try {
    write_file("/dev/full", std::string(10, 'x'));
    FAIL() << "no error";
  } catch (const RunError& error) {
    EXPECT_EQ(std::string(error.what()), "cannot write /dev/full: No space left on device");
  }
  // The device is written in place, never replaced by a file.
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  EXPECT_FALSE(std::filesystem::exists("/dev/.full.partial"));
}

TEST(FileWriter, MissingFolderIsARunError) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_file(folder / "no/such/file", "x"), RunError);
}

TEST(FileWriter, OverwritesAnEarlierPart) {
  const TemporaryFolder folder;
  FileWriter writer(folder / "a");
  writer.write("0000 tail");
  writer.overwrite(0, "head", 4);
  writer.write("!");
  writer.commit();
  EXPECT_EQ(read_file(folder / "a", 100), "head tail!");
}

TEST(ReadFile, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_THROW((void)read_file(folder / "missing", 10), InputError);
  EXPECT_THROW((void)read_file(folder.path(), 10), InputError);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THROW((void)read_file(folder / "pipe", 10), InputError);  // and does not wait for a writer
  write_file(folder / "long", "12345678901");
  EXPECT_THROW((void)read_file(folder / "long", 10), InputError);
}

TEST(FileChecksum, TellsContentsAndLengthsApart) {
  const TemporaryFolder folder;
  std::set<std::string> sums;
  const std::string long_text(300000, 'x');
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("a\0", 2), std::string(8, '\0'),
        std::string(16, '\0'), long_text, long_text + "x", "y" + long_text}) {
    write_file(folder / "a", text);
    const std::string sum = file_checksum(folder / "a");
    EXPECT_EQ(sum, file_checksum(folder / "a"));
    EXPECT_TRUE(sums.insert(sum).second) << text.size();
  }
  EXPECT_THROW((void)file_checksum(folder / "missing"), RunError);
}

TEST(EncodedName, KeepsPlainNamesAndHidesPaths) {
  EXPECT_EQ(encoded_name("L23E"), "L23E");
  EXPECT_EQ(encoded_name("a.b-c_d+"), "a.b-c_d+");
  EXPECT_EQ(encoded_name("../x"), "%2E.%2Fx");
  EXPECT_EQ(encoded_name("."), "%2E");
  EXPECT_EQ(encoded_name("a b%"), "a%20b%25");
}

TEST(Csv, QuotesOnlyWhereNeeded) {
  const TemporaryFolder folder;
  CsvWriter table(folder / "t.csv", {"name", "value"});
  table.row({std::string("plain"), 0.1});
  table.row({std::string("with, comma and \"quote\""), std::numeric_limits<double>::quiet_NaN()});
  table.row({std::string("line\nbreak"), -3.0});
  EXPECT_THROW(table.row({1.0}), std::logic_error);
  table.commit();
  EXPECT_EQ(read_file(folder / "t.csv", 1000),
            "name,value\nplain,0.1\n\"with, comma and \"\"quote\"\"\",\n\"line\nbreak\",-3\n");
}

}  // namespace
}  // namespace tessera::io
