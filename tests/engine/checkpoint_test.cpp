// Damaged and foreign checkpoints: refused with a sentence, the simulation goes on as if nothing happened.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>

#include "engine/networks.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {
namespace {

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

/// The checkpoint's sum over everything before its last eight bytes (FNV-1a, as its format says).
void repair_checksum(std::string& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (std::size_t i = 0; i + 8 < bytes.size(); ++i) hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 0x100000001b3ull;
  std::memcpy(bytes.data() + bytes.size() - 8, &hash, 8);
}

class Checkpoint : public testing::Test {
 protected:
  Checkpoint() {
    network_ = balanced();
    for (std::size_t p = 0; p < 2; ++p) network_.populations[p].size /= 10;
    for (Projection& p : network_.projections) p.rule.number /= 100;
    Simulation simulation = simulation_of(network_, options_);
    simulation.run(12.0);
    simulation.save_checkpoint(file_);
    good_ = bytes_of(file_);
    simulation.run(10.0);
    digest_ = simulation.report().digest;
  }

  /// Loading must fail with InputError and leave a simulation at 12 ms as it was.
  void expect_refused(Simulation& simulation, const std::string& bytes, const std::string& what) {
    write_bytes(folder_ / "bad.ckpt", bytes);
    try {
      simulation.load_checkpoint(folder_ / "bad.ckpt");
      ADD_FAILURE() << what << ": accepted";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("bad.ckpt"), std::string::npos) << error.what();
    }
  }
  Simulation at_12_ms() {
    Simulation simulation = simulation_of(network_, options_);
    simulation.run(12.0);
    return simulation;
  }
  void expect_unharmed(Simulation& simulation) {
    EXPECT_EQ(simulation.step(), 120);
    simulation.run(10.0);
    EXPECT_EQ(simulation.report().digest, digest_);
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "good.ckpt";
  Network network_;
  SimulationOptions options_ = options_of(Connectivity::stored);
  std::string good_;
  std::uint64_t digest_ = 0;
};

TEST_F(Checkpoint, TruncatedAtAnyLengthIsRefused) {
  Simulation simulation = at_12_ms();
  for (std::size_t length = 0; length < good_.size(); length += length < 80 ? 1 : 97) {
    expect_refused(simulation, good_.substr(0, length), "length " + std::to_string(length));
  }
  expect_refused(simulation, good_.substr(0, good_.size() - 1), "one byte short");
  expect_refused(simulation, good_ + '\0', "one byte long");
  expect_unharmed(simulation);
}

TEST_F(Checkpoint, FlippedBitsAreRefused) {
  Simulation simulation = at_12_ms();
  for (std::size_t bit = 0; bit < 8 * good_.size(); bit += bit < 600 ? 1 : 4001) {
    std::string bytes = good_;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    expect_refused(simulation, bytes, "bit " + std::to_string(bit));
  }
  expect_unharmed(simulation);
}

// Sizes and indices that lie, under a correct checksum. Offsets follow the format: magic 8, length 8,
// header 48 (network, step, window_begin, digest, spikes, exact, history_steps), two populations,
// 88 neurons' counts, then the history.
TEST_F(Checkpoint, LyingFieldsAreRefused) {
  Simulation simulation = at_12_ms();
  const std::size_t header = 16, history = header + 48 + 2 * 8 + 88 * 4;
  const auto put = [&](std::size_t at, auto value) {
    std::string bytes = good_;
    std::memcpy(bytes.data() + at, &value, sizeof value);
    repair_checksum(bytes);
    expect_refused(simulation, bytes, "at " + std::to_string(at));
  };
  put(8, ~std::uint64_t{0});
  put(8, std::uint64_t{1} << 40);
  put(8, std::uint64_t{0});
  put(header, std::uint64_t{1});
  for (const std::int64_t step : {std::int64_t{-1}, std::int64_t{1} << 40, std::int64_t{3}, INT64_MIN, INT64_MAX}) {
    put(header + 8, step);
    put(header + 16, step == 3 ? std::int64_t{121} : step);
  }
  put(header + 40, std::uint32_t{1});
  put(header + 44, std::uint32_t{0});
  put(header + 44, ~std::uint32_t{0});
  put(history, ~std::uint32_t{0});
  put(history, std::uint32_t{1});
  std::string bytes = good_ + std::string(8, '\0');  // values after the last one
  const std::uint64_t length = good_.size() - 16 - 8 + 8;
  std::memcpy(bytes.data() + 8, &length, 8);
  repair_checksum(bytes);
  expect_refused(simulation, bytes, "longer body");
  expect_unharmed(simulation);
}

TEST_F(Checkpoint, OfAnotherNetworkIsRefused) {
  const std::function<void(Network&)> changes[] = {
      [](Network& n) { n.populations[0].size += 1; },
      [](Network& n) { n.populations[0].parameters["C_m"] = 251.0; },
      [](Network& n) { n.populations[1].model = "iaf_psc_alpha"; },
      [](Network& n) { n.projections[0].rule.number += 1; },
      [](Network& n) { n.projections[0].weight.b += 1.0; },
      [](Network& n) { n.projections[0].delay_ms.high += 1.0; },
      [](Network& n) { n.projections[0].rule.autapses = false; },
      [](Network& n) { n.projections.pop_back(); },
      [](Network& n) { n.stimuli[0].amplitude_pA += 1.0; },
      [](Network& n) { n.stimuli[0].start_ms = 3.0; },
      [](Network& n) { n.dt_ms = 0.05; }};
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    Network other = network_;
    changes[i](other);
    Simulation simulation = simulation_of(other, options_);
    expect_refused(simulation, good_, "change " + std::to_string(i));
    EXPECT_EQ(simulation.step(), 0);
  }
  SimulationOptions options = options_;
  options.seed += 1;
  Simulation seed = simulation_of(network_, options);
  expect_refused(seed, good_, "seed");
  Simulation exact = simulation_of(network_, exact_options());
  expect_refused(exact, good_, "precision");
}

// What a list, a spike train or a grid says is part of the network.
TEST_F(Checkpoint, OfOtherListsIsRefused) {
  const auto slow_down = [](Network& n, double slope) {
    for (Projection& p : n.projections) {
      if (p.rule.kind != Kind::gaussian_2d) continue;
      p.delay_ms = Distribution::constant(1.0);
      p.delay_slope = slope;
    }
  };
  Network network = every_rule();
  slow_down(network, 0.1);
  Simulation simulation = simulation_of(network, options_);
  simulation.save_checkpoint(file_);
  good_ = bytes_of(file_);
  const std::function<void(Network&)> changes[] = {
      [](Network& n) { n.populations[4].train[7].time_ms += 0.1; },
      [](Network& n) { n.populations[4].train[7].neuron = 0; },
      [](Network& n) { n.populations[2].grid_columns = 10; },
      [](Network& n) { n.populations[2].extent_mm = {20.0, 20.0}; },  // the same distances, in mm
      [](Network& n) { n.populations[2].periodic = false; },
      [slow_down](Network& n) { slow_down(n, 0.2); },
      [](Network& n) { n.projections.back().rule.list[3].weight += 1.0; },
      [](Network& n) { n.projections.back().rule.list[3].target += 1; },
      [](Network& n) { n.stimuli.back().values[5] += 1.0; }};
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    Network other = network;
    changes[i](other);
    Simulation foreign = simulation_of(other, options_);
    expect_refused(foreign, good_, "change " + std::to_string(i));
  }
}

TEST_F(Checkpoint, MissingFilesAndFoldersAreRefused) {
  Simulation simulation = at_12_ms();
  EXPECT_THROW(simulation.load_checkpoint(folder_ / "absent.ckpt"), InputError);
  EXPECT_THROW(simulation.load_checkpoint(folder_.path()), InputError);
  expect_unharmed(simulation);
}

TEST_F(Checkpoint, FailedWritesLeaveTheOldFile) {
  Simulation simulation = at_12_ms();
  EXPECT_THROW(simulation.save_checkpoint(folder_ / "no_folder" / "a.ckpt"), RunError);
  if (std::filesystem::exists("/dev/full")) {  // a device that is always full stands in for a disk
    const std::string temporary = "." + file_.filename().string() + ".partial";
    std::filesystem::create_symlink("/dev/full", file_.parent_path() / temporary);
    EXPECT_THROW(simulation.save_checkpoint(file_), RunError);
  }
  EXPECT_EQ(bytes_of(file_), good_);
  EXPECT_EQ(folder_.listing(), "good.ckpt");
}

}  // namespace
}  // namespace tessera::test
