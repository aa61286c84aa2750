// SONATA circuits: every synapse is in the file, and comes back from it as an explicit connection.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/sonata.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <tuple>

#include "files/file.hpp"
#include "files/sonata_edges.hpp"
#include "support/temporary_folder.hpp"
#include "tessera/model_file.hpp"
#include "tessera/result.hpp"
#include "tessera/simulation.hpp"

namespace tessera::test {
namespace {

const NeuronCatalogue& models() {
  static const NeuronCatalogue all = NeuronCatalogue::builtin();
  return all;
}

const char* const kPopulations = R"(
dt = "0.1 ms"
[populations.input]
kind = "poisson"
size = 40
rate = "10 Hz"
[populations.E4]
size = 300
model = "iaf_psc_exp"
grid_columns = 20
extent = ["2 mm", "1.5 mm"]
)";

const char* const kProjections = R"(
[projections.drive]
source = "input"
target = "E4"
rule = "pairwise_bernoulli"
probability = 0.2
weight = { distribution = "normal", mean = 80, sd = 8, low = 0 }
delay = { distribution = "uniform", from = 0.5, to = 3 }
[projections.inner]
source = "E4"
target = "E4"
rule = "fixed_indegree"
number = 12
weight = -40
delay = 1.5
)";

using Row = std::tuple<std::uint32_t, std::uint32_t, double, double>;

std::vector<Row> rows_of(const Network& network, const std::string& projection, std::uint64_t seed) {
  std::vector<Row> rows;
  for (const auto& s : list_synapses(network, models(), seed, projection))
    rows.emplace_back(s.source, s.target, s.weight, s.delay_ms);
  std::sort(rows.begin(), rows.end());
  return rows;
}

Network read(const std::string& text, const std::filesystem::path& folder) {
  return parse_model(text, "m.toml", folder, models());
}

class Sonata : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_hdf5()) GTEST_SKIP() << "built without HDF5";
  }
  const TemporaryFolder folder_;
};

TEST_F(Sonata, AnExportedNetworkComesBackSynapseBySynapse) {
  const Network network = read(std::string(kPopulations) + kProjections, folder_.path());
  const std::vector<std::string> files = export_sonata(network, models(), 5, folder_ / "out");
  for (const std::string& file : files) EXPECT_TRUE(std::filesystem::is_regular_file(folder_ / "out" / file)) << file;
  EXPECT_EQ(files.size(), 6U);  // nodes, edges, their types, parameters of one population, the configuration
  EXPECT_EQ(rows_of(network, "inner", 5).size(), 300U * 12);
  const std::string lists = R"(
[projections.drive]
source = "input"
target = "E4"
rule = "explicit_list"
file = "out/edges.h5"
population = "drive"
[projections.inner]
source = "E4"
target = "E4"
rule = "explicit_list"
file = "out/edges.h5"
population = "inner"
)";
  const Network back = read(std::string(kPopulations) + lists, folder_.path());
  for (const char* projection : {"drive", "inner"})
    EXPECT_EQ(rows_of(back, projection, 1), rows_of(network, projection, 5)) << projection;
}

TEST_F(Sonata, NothingIsLeftWhenItIsToldToStop) {
  const Network network = read(std::string(kPopulations) + kProjections, folder_.path());
  std::uint64_t seen = 0;
  EXPECT_TRUE(export_sonata(network, models(), 5, folder_ / "deep/out", [&](std::uint64_t done) {
                return (seen = done) == 0;
              }).empty());
  EXPECT_GT(seen, 0U);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "deep/out"));
  // What was there stays.
  (void)export_sonata(network, models(), 5, folder_ / "out");
  const std::string before = io::read_file(folder_ / "out/edges.h5", 1 << 26);
  EXPECT_TRUE(export_sonata(network, models(), 6, folder_ / "out", [](std::uint64_t) { return false; }).empty());
  EXPECT_EQ(io::read_file(folder_ / "out/edges.h5", 1 << 26), before);
}

TEST_F(Sonata, EdgesWithoutWeightsTakeThoseOfTheProjection) {
  const Network network = read(std::string(kPopulations) + kProjections, folder_.path());
  (void)export_sonata(network, models(), 5, folder_.path());
  const auto mistake = [&](const std::string& keys) -> std::string {
    try {
      (void)read(std::string(kPopulations) +
                     "[projections.p]\nsource = \"input\"\ntarget = \"E4\"\nrule = \"explicit_list\"\n" + keys,
                 folder_.path());
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  const auto expect = [&](const std::string& keys, const std::string& part) {
    EXPECT_NE(mistake(keys).find(part), std::string::npos) << part << " is not in: " << mistake(keys);
  };
  EXPECT_EQ(mistake("file = \"edges.h5\"\npopulation = \"drive\"\n"), "");
  expect("file = \"edges.h5\"\n", "it has several populations of edges (drive, inner); name one as 'population'");
  expect("file = \"edges.h5\"\npopulation = \"drove\"\n", "Did you mean 'drive'?");
  expect("file = \"edges.h5\"\npopulation = \"drive\"\nweight = 3\n", "have a 'syn_weight' of their own");
  expect("file = \"nodes.h5\"\n", "'edges' is missing");
  expect("file = \"edges.h5\"\npopulation = \"inner\"\n", "source");  // neuron 299 of 40
  std::ofstream(folder_ / "text.h5") << "no HDF5";
  expect("file = \"text.h5\"\n", "not an HDF5 file");
  const io::SonataEdges edges = io::read_sonata_edges(folder_ / "edges.h5", "inner");
  EXPECT_EQ(edges.source.size(), 3600U);
  EXPECT_TRUE(std::all_of(edges.weight.begin(), edges.weight.end(), [](double w) { return w == -40.0; }));
}

}  // namespace
}  // namespace tessera::test
