// libFuzzer target: a simulation must answer any checkpoint by taking it or with an InputError that
// leaves it as it was. Magic, length, fingerprint and checksum are set right, so that mutations
// reach what comes after them.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "memory_file.hpp"
#include "tessera/errors.hpp"
#include "tessera/simulation.hpp"

namespace {

tessera::Network tiny_network() {
  tessera::Network network;
  tessera::Population a;
  a.name = "A";
  a.size = 3;
  a.model = "iaf_psc_exp";
  network.populations = {a};
  tessera::Projection p;
  p.name = "A_A";
  p.source = p.target = "A";
  p.rule.kind = tessera::ConnectivityRule::Kind::fixed_total_number;
  p.rule.number = 6;
  p.weight = tessera::Distribution::constant(10.0);
  p.delay_ms = tessera::Distribution::uniform(0.1, 1.0);
  network.projections = {p};
  return network;
}

tessera::Simulation tiny_simulation() {
  tessera::SimulationOptions options;
  options.threads = 1;
  options.connectivity = tessera::Connectivity::stored;
  return {tiny_network(), tessera::NeuronCatalogue::builtin(), options};
}

/// The fingerprint of the tiny network: the first eight bytes behind magic and length of a checkpoint.
std::string fingerprint() {
  const std::string file = "/dev/shm/tessera_fuzz_" + std::to_string(getpid()) + ".ckpt";
  tiny_simulation().save_checkpoint(file);
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  ::unlink(file.c_str());
  return bytes.substr(16, 8);
}

template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const std::string right_fingerprint = fingerprint();
  static const MemoryFile file;
  static tessera::Simulation simulation = tiny_simulation();
  std::string bytes;
  if (size > 0 && data[0] % 8 == 0) {
    bytes.assign(reinterpret_cast<const char*>(data + 1), size - 1);
  } else {
    const std::string rest(reinterpret_cast<const char*>(data), size);
    bytes = "TSCKPT06" + bytes_of(std::uint64_t{8} + size) + right_fingerprint + rest;
    std::uint64_t hash = 0xcbf29ce484222325ull;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    bytes += bytes_of(hash);
  }
  file.write(bytes);
  const std::int64_t before = simulation.step();
  try {
    simulation.load_checkpoint(file.path());
    if (simulation.step() < 0) std::abort();
  } catch (const tessera::InputError&) {
    if (simulation.step() != before) std::abort();  // a refused file changes nothing
  }
  (void)simulation.report();
  (void)simulation.state("A", "V_m");
  return 0;
}
