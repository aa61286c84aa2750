// State recorders and checkpoints of a device are those of the processor.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "device/recorded.hpp"

namespace tessera::test {
namespace {

// Of the first neurons, of all of them, of two models, in intervals that no launch is a multiple of.
TEST(EmulatedRecorders, SamplesAreThoseOfTheProcessorBitForBit) {
  Network network = every_rule();
  network.recorders = {recorder_of("E", "V_m", 700, 0.1), recorder_of("E", "I_syn", 650, 0.7), recorder_of("I", "I_syn_in", 7, 1.3),
                       recorder_of("G", "dI_syn", 130, 40.0)};
  Simulation processor = simulation_of(network, options_of(Connectivity::stored));
  Keeper expected;
  processor.run(130.0, expected);
  for (const std::uint32_t threads : {64u, 192u}) {  // neurons from the image, and from registers
    Simulation whole = simulation_of(network, emulated(1, 8, threads)), pieces = simulation_of(network, emulated(2, 5, threads));
    Keeper of_whole, of_pieces;
    whole.run(130.0, of_whole);
    for (const double piece_ms : {0.1, 103.3, 0.2, 26.4}) pieces.run(piece_ms, of_pieces);
    expect_same_samples(of_whole, expected, 1300);
    expect_same_samples(of_pieces, expected, 1300);
    EXPECT_EQ(whole.report().digest, processor.report().digest);
  }
}

TEST(EmulatedRecorders, OfDrawnRows) {
  Network network = with_sources();
  network.recorders = {recorder_of("E", "I_syn", 700, 0.3)};
  Simulation processor = simulation_of(network, options_of(Connectivity::stored));
  Simulation device = simulation_of(network, emulated(1, 7, 96, Connectivity::procedural));
  Keeper of_processor, of_device;
  processor.run(30.0, of_processor);
  device.run(30.0, of_device);
  expect_same_samples(of_device, of_processor, 100);
}

TEST(EmulatedCheckpoints, AreThoseOfTheProcessor) {
  for (const double first_ms : {0.0, 0.4, 33.3}) expect_interchangeable(every_rule(), first_ms, 20.0, emulated(1, 7));
  expect_interchangeable(beside_silent(with_sources(), 40000), 17.1, 20.0, emulated(2));  // delay groups of four steps
}

TEST(EmulatedCheckpoints, OfDrawnRows) {
  for (const double first_ms : {0.2, 33.3}) expect_interchangeable(with_sources(), first_ms, 20.0, emulated(1, 7, 96, Connectivity::procedural));
  expect_interchangeable(every_rule(), 21.7, 20.0, emulated(1, 7, 96, Connectivity::procedural));
}

}  // namespace
}  // namespace tessera::test
