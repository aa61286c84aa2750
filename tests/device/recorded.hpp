// Recorded state and checkpoints of a device, compared with those of the processor.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "device/networks.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::test {

inline StateRecorder recorder_of(const std::string& population, const std::string& variable, std::uint32_t count, double interval_ms) {
  StateRecorder recorder;
  recorder.population = population;
  recorder.variable = variable;
  recorder.count = count;
  recorder.interval_ms = interval_ms;
  return recorder;
}

/// Recorder by recorder: how long slices are is nobody's business.
inline void expect_same_samples(Keeper device, Keeper processor, std::size_t at_least) {
  for (Keeper* keeper : {&device, &processor}) {
    std::stable_sort(keeper->samples.begin(), keeper->samples.end(), [](const auto& a, const auto& b) { return a.recorder < b.recorder; });
  }
  EXPECT_GE(processor.samples.size(), at_least);
  ASSERT_EQ(device.samples.size(), processor.samples.size());
  for (std::size_t k = 0; k < processor.samples.size(); ++k) {
    ASSERT_EQ(device.samples[k].step, processor.samples[k].step) << k;
    ASSERT_EQ(device.samples[k].recorder, processor.samples[k].recorder) << k;
    ASSERT_EQ(device.samples[k].values, processor.samples[k].values) << "recorder " << processor.samples[k].recorder << " at step "
                                                                     << processor.samples[k].step;
  }
}

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The file of a device has the bytes of that of the processor, and each goes on from it.
inline void expect_interchangeable(const Network& network, double first_ms, double rest_ms, const SimulationOptions& on_device) {
  const TemporaryFolder folder;
  const SimulationOptions on_processor = options_of(Connectivity::stored);
  Simulation processor = simulation_of(network, on_processor), device = simulation_of(network, on_device);
  processor.run(first_ms);
  device.run(first_ms);
  processor.save_checkpoint(folder / "processor");
  device.save_checkpoint(folder / "device");
  EXPECT_TRUE(bytes_of(folder / "device") == bytes_of(folder / "processor")) << "after " << first_ms << " ms";
  processor.run(rest_ms);
  device.run(rest_ms);
  EXPECT_GT(processor.report().counts.spikes, 100u);
  EXPECT_EQ(device.report().digest, processor.report().digest) << "saving has changed something";
  Simulation resumed = simulation_of(network, on_device), handed_over = simulation_of(network, on_processor);
  resumed.run(3.0);  // what it did before is forgotten
  resumed.load_checkpoint(folder / "processor");
  handed_over.load_checkpoint(folder / "device");
  for (Simulation* simulation : {&resumed, &handed_over}) {
    for (const double piece_ms : {0.1, 1.0, rest_ms - 1.1}) simulation->run(piece_ms);
    EXPECT_EQ(simulation->report().digest, processor.report().digest) << first_ms << " ms, " << simulation->report().device;
    EXPECT_EQ(simulation->state("E", "V_m"), processor.state("E", "V_m"));
  }
  resumed.save_checkpoint(folder / "resumed");
  processor.save_checkpoint(folder / "processor_end");
  EXPECT_TRUE(bytes_of(folder / "resumed") == bytes_of(folder / "processor_end"));
}

}  // namespace tessera::test
