// tessera synapses: what it lists is the network, in every format; degrees; refusals.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "cli/process.hpp"
#include "cli/small_model.hpp"
#include "files/list_file.hpp"
#include "files/npy.hpp"
#include "tessera/model_file.hpp"
#include "tessera/simulation.hpp"

namespace tessera::test {
namespace {

class Synapses : public testing::Test {
 protected:
  Synapses() {
    write_text(folder_ / "m.toml", kSmallModel);
    options_.folder = folder_.path();
  }
  Outcome line(const std::string& words) { return tessera(words_of(words), options_); }
  void expect_refused(const std::string& words, const std::string& part) {
    const Outcome outcome = line(words);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }
  // Rows of source, target, weight, delay as the library draws them.
  std::vector<double> drawn(const std::string& projection, std::uint64_t seed = 7) {
    const NeuronCatalogue models = NeuronCatalogue::builtin();
    std::vector<double> rows;
    for (const auto& s :
         list_synapses(load_model_file(folder_ / "m.toml", models), models, seed, projection)) {
      rows.insert(rows.end(), {static_cast<double>(s.source), static_cast<double>(s.target),
                               s.weight, s.delay_ms});
    }
    return rows;
  }
  std::vector<double> listed(const std::string& file) {
    return io::read_list_file(folder_ / file, {"source", "target", "weight", "delay_ms"});
  }

  TemporaryFolder folder_;
  ProcessOptions options_;
};

void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-9) << i;
}

TEST_F(Synapses, AreTheSameInEveryFormat) {
  const std::vector<double> rows = drawn("to_I");
  ASSERT_EQ(rows.size(), 4u * 20u * 40u);  // 20 for each of 40 targets
  ASSERT_EQ(line("synapses m.toml to_I --out a.csv").exit_code, 0);
  ASSERT_EQ(line("synapses m.toml to_I --out a.npy").exit_code, 0);
  const Outcome printed = line("synapses m.toml to_I");
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_EQ(printed.out, read_text(folder_ / "a.csv"));
  EXPECT_EQ(printed.out.rfind("source,target,weight,delay_ms\n", 0), 0u);
  expect_near(listed("a.csv"), rows);
  EXPECT_EQ(listed("a.npy"), rows);
  EXPECT_EQ(printed.err, "");
}

TEST_F(Synapses, FollowTheSeedAndTheParameters) {
  ASSERT_EQ(line("synapses m.toml to_E --seed 3 --out a.npy").exit_code, 0);
  EXPECT_EQ(listed("a.npy"), drawn("to_E", 3));
  EXPECT_NE(listed("a.npy"), drawn("to_E"));
  write_text(folder_ / "w.toml",
             "[parameters]\nw = 3\n[populations.E]\nsize = 2\nmodel = \"iaf_psc_exp\"\n"
             "[projections.p]\nsource = \"E\"\ntarget = \"E\"\nrule = \"one_to_one\"\n"
             "weight = \"$w * 2 pA\"\ndelay = \"0.3 ms\"\n");
  EXPECT_EQ(line("synapses w.toml p --set w=4").out,
            "source,target,weight,delay_ms\n0,0,8,0.3\n1,1,8,0.3\n");
}

// The list of a projection as an explicit_list makes the same network, and so the same spikes.
TEST_F(Synapses, CanBeReadBackAsAList) {
  ASSERT_EQ(line("synapses m.toml to_I --out to_I.csv").exit_code, 0);
  std::string model = kSmallModel;
  const std::string rule =
      "rule = \"fixed_indegree\"\nnumber = 20\nweight = \"300 pA\"\ndelay = \"1.5 ms\"\n";
  const std::size_t at = model.find(rule);
  ASSERT_NE(at, std::string::npos);
  model.replace(at, rule.size(), "rule = \"explicit_list\"\nfile = \"to_I.csv\"\n");
  write_text(folder_ / "list.toml", model);
  ASSERT_EQ(line("run m.toml --quiet --record none --out a").exit_code, 0);
  ASSERT_EQ(line("run list.toml --quiet --record none --out b").exit_code, 0);
  const auto digest = [&](const std::string& run) {
    const std::string report = read_text(folder_ / (run + "/report.json"));
    const std::size_t begin = report.find("\"digest\"");
    return report.substr(begin, report.find('\n', begin) - begin);
  };
  EXPECT_EQ(digest("a"), digest("b"));
}

TEST_F(Synapses, DegreesOfAFixedInDegree) {
  const Outcome outcome = line("synapses m.toml to_I --degrees");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string in_degree;
  while (std::getline(lines, in_degree) &&
         in_degree.find("in-degree of targets") == std::string::npos)
    continue;
  std::istringstream words(in_degree.substr(in_degree.find("targets") + 7));
  std::vector<double> numbers;
  for (double x = 0.0; words >> x;) numbers.push_back(x);
  EXPECT_EQ(numbers, (std::vector<double>{40, 20, 20, 0, 20}));  // neurons, least, mean, SD, most
  EXPECT_NE(outcome.out.find("800 synapses"), std::string::npos) << outcome.out;
  ASSERT_EQ(line("synapses m.toml to_I --degrees --out d.npy").exit_code, 0);
  ASSERT_EQ(line("synapses m.toml to_I --degrees --out d.csv").exit_code, 0);
  const io::NpyArray table = io::read_npy(folder_ / "d.npy");
  EXPECT_EQ(table.values, io::read_list_file(folder_ / "d.csv", {"degree", "sources", "targets"}));
  double sources = 0.0, targets = 0.0, outgoing = 0.0;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const double* row = &table.values[3 * i];
    EXPECT_EQ(row[0], static_cast<double>(i));
    EXPECT_EQ(row[2], i == 20 ? 40.0 : 0.0);
    sources += row[1];
    targets += row[2];
    outgoing += row[0] * row[1];
  }
  EXPECT_EQ(sources, 160.0);
  EXPECT_EQ(targets, 40.0);
  EXPECT_EQ(outgoing, 800.0);
}

TEST_F(Synapses, WithoutAProjectionThereIsAList) {
  const Outcome outcome = line("synapses m.toml");
  EXPECT_EQ(outcome.exit_code, 0);
  for (const char* part :
       {"to_I", "fixed_indegree", "800", "to_E", "pairwise_bernoulli", "1,280"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.out;
  }
}

TEST_F(Synapses, UnknownProjectionsAndFilesThatAreThereAreRefused) {
  expect_refused("synapses m.toml to_i",
                 "PROJECTION: the model has no projection 'to_i'. Did you mean 'to_I'?");
  expect_refused("synapses m.toml --degrees", "PROJECTION: is missing");
  write_text(folder_ / "a.csv", "mine");
  expect_refused("synapses m.toml to_I --out a.csv",
                 "'a.csv' is there already; --force replaces it");
  EXPECT_EQ(read_text(folder_ / "a.csv"), "mine");
  EXPECT_EQ(line("synapses m.toml to_I --out a.csv --force").exit_code, 0);
  expect_near(listed("a.csv"), drawn("to_I"));
}

TEST_F(Synapses, ATerminalIsSparedLongLists) {
  std::string model = kSmallModel;
  model.replace(model.find("size = 160"), 10, "size = 9000");  // to_E: 40 x 9000 x 0.2 = 72,000
  write_text(folder_ / "large.toml", model);
  options_.stdout_terminal = true;
  expect_refused("synapses large.toml to_E", "about 72,000 synapses are too many for a terminal");
  EXPECT_EQ(line("synapses large.toml to_E --out e.npy").exit_code, 0);
  EXPECT_EQ(line("synapses large.toml to_E --degrees").exit_code, 0);
  EXPECT_EQ(line("synapses large.toml to_I").exit_code, 0);  // 800 are not
}

// Four bytes for each of 2 x 10^8 sources and targets are 1.6 GB.
TEST_F(Synapses, DegreesThatTheMemoryCannotCountAreRefused) {
  write_text(folder_ / "m.toml",
             "[populations.E]\nmodel = \"iaf_psc_exp\"\nsize = 200000000\n"
             "[projections.p]\nsource = \"E\"\ntarget = \"E\"\nrule = \"one_to_one\"\n"
             "weight = 1\ndelay = 1\n");
  options_.address_space_bytes = 1'000'000'000;
  expect_refused("synapses m.toml p --degrees", "--degrees: counting takes 1.60 GB of memory");
}

// Nothing is begun, announced or printed before it is known that the network fits.
TEST_F(Synapses, OfANetworkThatDoesNotFitAreRefusedFirst) {
  write_text(folder_ / "m.toml",
             "[populations.E]\nmodel = \"iaf_psc_exp\"\nsize = 200000000\n"
             "[projections.p]\nsource = \"E\"\ntarget = \"E\"\nrule = \"fixed_indegree\"\n"
             "number = 10000\nweight = 1\ndelay = 1\n");
  const Outcome outcome = line("synapses m.toml p");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.find("writing about"), std::string::npos) << outcome.err;
}

// 800 x 4000 synapses are far more than a pipe holds: head goes away in the middle.
TEST_F(Synapses, AReaderThatHasSeenEnoughIsNoError) {
  write_text(folder_ / "m.toml",
             "[populations.E]\nmodel = \"iaf_psc_exp\"\nsize = 800\n"
             "[projections.p]\nsource = \"E\"\ntarget = \"E\"\nrule = \"fixed_indegree\"\n"
             "number = 4000\nweight = 1\ndelay = 1\n");
  const std::string command = "cd '" + folder_.path().string() + "' && '" TESSERA_BINARY_DIR
                              "/tessera' synapses m.toml p 2> errors | head -n 1 > first";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(read_text(folder_ / "first"), "source,target,weight,delay_ms\n");
  EXPECT_EQ(read_text(folder_ / "errors"), "");
}

}  // namespace
}  // namespace tessera::test
