// Tables of numbers in files beside a model.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <filesystem>

#include "files/file.hpp"
#include "files/npy.hpp"
#include "model_file/load.hpp"
#include "support/temporary_folder.hpp"

namespace tessera {
namespace {

using test::contains;
using test::find_projection;
using test::parse;

const std::string kModel = R"(
[parameters]
folder = { value = "'.'", about = "of the tables" }
w = { file = "w.npy", folder = "$folder", unit = "pA" }
[populations.c]
names = { file = "p.csv", folder = "$folder", column = ["area", "layer"], separator = "-" }
size = { file = "p.csv", folder = "$folder", column = "n" }
inhibitory = { file = "p.csv", column = "layer", equals = ["I"] }
model = "iaf_psc_exp"
[projections.c]
source = "c"
target = "c"
rule = "fixed_total_number"
number = { file = "number.csv" }
weight = "2 * $w"
delay = { by_source = { file = "p.csv", column = "delay" } }
)";

class TableFiles : public testing::Test {
 protected:
  TableFiles() {
    io::write_file(folder_.path() / "p.csv", "area,layer,n,delay\nV1,E,40,1.5\nV1,I,10,0.5\nV2,E,30,2.5\n");
    io::write_file(folder_.path() / "number.csv", "1,2,3\n4,0,6\n7,8,9\n");
    const double w[] = {10, -20, 30, 40, -50, 60, 70, -80, 90};
    io::write_npy(folder_.path() / "w.npy", std::span<const double>(w), 3);
  }
  [[nodiscard]] std::string complaints(const std::string& from, const std::string& to,
                                       const std::vector<ParameterOverride>& overrides = {}) const {
    std::string text = kModel;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    try {
      (void)parse(text, overrides, folder_.path());
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  TemporaryFolder folder_;
};

TEST_F(TableFiles, GiveNamesListsAndMatrices) {
  const Network n = parse(kModel, {}, folder_.path());
  ASSERT_EQ(n.populations.size(), 3u);
  EXPECT_EQ(n.populations[1].name, "V1-I");
  EXPECT_EQ(n.populations[2].size, 30u);
  EXPECT_FALSE(n.populations[0].inhibitory);
  EXPECT_TRUE(n.populations[1].inhibitory);
  EXPECT_EQ(n.projections.size(), 8u);  // nine pairs, one of number 0
  // Rows are targets, columns sources.
  const Projection* p = find_projection(n, "c.V2-E->V1-I");
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(p->rule.number, 6u);
  EXPECT_EQ(p->weight.mean(), 120.0);
  EXPECT_EQ(p->delay_ms.mean(), 2.5);
  EXPECT_EQ(find_projection(n, "c.V1-I->V1-I"), nullptr);
  EXPECT_EQ(n.choices.at("w"), "a table of 3 x 3 numbers in pA");
}

TEST_F(TableFiles, MayLieInAFolderThatAParameterNames) {
  std::filesystem::create_directory(folder_.path() / "other");
  for (const char* file : {"p.csv", "w.npy"}) std::filesystem::copy(folder_.path() / file, folder_.path() / "other" / file);
  io::write_file(folder_.path() / "other/p.csv", "area,layer,n,delay\nV1,E,41,1.5\nV1,I,10,0.5\nV2,E,30,2.5\n");
  EXPECT_EQ(parse(kModel, {{"folder", "other"}}, folder_.path()).populations[0].size, 41u);
  EXPECT_TRUE(contains(complaints("'.'", "'.'", {{"folder", "../other"}}), "without '..'"));
}

TEST_F(TableFiles, MustHaveTheShapeOfThePairs) {
  io::write_file(folder_.path() / "number.csv", "1,2\n3,4\n");
  EXPECT_TRUE(contains(complaints("", ""), "The table has 2 x 2 numbers, but should have 3 x 3: a row per target and a column per source."));
  EXPECT_TRUE(contains(complaints("{ file = \"p.csv\", folder = \"$folder\", column = \"n\" }", "\"$w / (1 pA)\""),
                       "The table has 3 x 3 numbers, but this should be a list of 3"));
  EXPECT_TRUE(contains(complaints("\"2 * $w\"", "{ file = \"p.csv\", column = \"n\" }"), "A list alone does not say"));
}

TEST_F(TableFiles, AreCombinedOnlyWithTheSameShape) {
  const std::string four = "w2 = [1.0, 2.0, 3.0]\nw = { file";
  std::string text = kModel;
  text.replace(text.find("w = { file"), 10, four);
  text.replace(text.find("2 * $w"), 6, "$w2 * $w");
  try {
    (void)parse(text, {}, folder_.path());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_TRUE(contains(error.what(), "cannot combine a list of 3 numbers with a table of 3 x 3 numbers in pA"));
  }
}

TEST_F(TableFiles, NameWhatIsNear) {
  EXPECT_TRUE(contains(complaints("number.csv", "numbr.csv"), "There is no file 'numbr.csv' in the model's folder, and TESSERA_DATA_DIR names no other. Did you mean 'number.csv'?"));
  EXPECT_TRUE(contains(complaints("column = \"n\"", "column = \"delai\""), "Did you mean 'delay'?"));
  EXPECT_TRUE(contains(complaints("column = \"n\"", "columm = \"n\""), "Did you mean 'column'?"));
  EXPECT_TRUE(contains(complaints("column = \"n\"", "column = \"layer\""), "'E' in column 'layer' is not a number"));
  EXPECT_TRUE(contains(complaints("w.npy\",", "w.npy\", array = \"w\","), "Only an .npz file has an 'array'"));
  EXPECT_TRUE(contains(complaints("equals = [\"I\"]", "equals = \"I\", unit = \"parsec\""), "'parsec' is not a unit"));
  EXPECT_TRUE(contains(complaints("column = \"layer\", equals = [\"I\"]", "column = \"n\""), "must be 0 (false) or 1 (true), not 40"));
}

TEST_F(TableFiles, MustBeFinite) {
  const double w[] = {1, 2, 3, 4, 5, NAN, 7, 8, 9};
  io::write_npy(folder_.path() / "w.npy", std::span<const double>(w), 3);
  EXPECT_TRUE(contains(complaints("", ""), "Row 1, column 2 of 'w.npy' (counted from 0) is not a finite number."));
}

}  // namespace
}  // namespace tessera
