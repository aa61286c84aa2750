// libFuzzer target: loading a checkpoint must answer any bytes with a usable state or an
// InputError. Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
//
// Random bytes never pass the checksum, so most inputs are edits of a whole checkpoint with its
// checksum mended: first byte odd, then (16-bit position, value) triples.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>

#include "tessera/errors.hpp"
#include "tessera/network.hpp"
#include "tessera/simulation.hpp"

namespace {

using namespace tessera;

Network ring_of_neurons() {
  Network network;
  network.name = "fuzzed";
  Population population;
  population.name = "E";
  population.size = 20;
  population.model = "iaf_psc_exp";
  network.populations.push_back(population);
  Projection projection;
  projection.name = "loop";
  projection.source = projection.target = "E";
  projection.rule.kind = ConnectivityRule::Kind::fixed_indegree;
  projection.rule.number = 4;
  projection.weight = Distribution::constant(100.0);
  projection.delay_ms = Distribution::constant(1.0);
  network.projections.push_back(projection);
  Stimulus drive;
  drive.name = "drive";
  drive.target = "E";
  drive.amplitude_pA = 600.0;
  network.stimuli.push_back(drive);
  return network;
}

class Fixture {
 public:
  Fixture()
      : file_(std::filesystem::temp_directory_path() /
              ("tessera_fuzz_" + std::to_string(getpid()) + ".tsc")),
        simulation_(ring_of_neurons(), NeuronCatalogue::builtin(), options()) {
    simulation_.run(20.0);
    simulation_.save_checkpoint(file_);
    std::ostringstream bytes;
    bytes << std::ifstream(file_, std::ios::binary).rdbuf();
    whole_ = bytes.str();
  }
  ~Fixture() { std::filesystem::remove(file_); }

  // A loaded state must be usable: it may stop with an error, it may not crash.
  void load(const std::string& bytes) {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << bytes;
    try {
      simulation_.load_checkpoint(file_);
      simulation_.run(1.0);
    } catch (const InputError&) {
      return;
    } catch (const RunError&) {
      return;
    }
  }

  [[nodiscard]] const std::string& whole() const { return whole_; }

 private:
  static SimulationOptions options() {
    SimulationOptions options;
    options.threads = 1;
    return options;
  }
  std::filesystem::path file_;
  Simulation simulation_;
  std::string whole_;
};

// The last eight bytes are the FNV-1a hash of all bytes before them, little endian.
void mend_checksum(std::string& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (std::size_t i = 0; i + 8 < bytes.size(); ++i) {
    hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 0x100000001b3ull;
  }
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[bytes.size() - 8 + i] = static_cast<char>(hash >> (8 * i) & 0xff);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static Fixture fixture;
  const std::span<const unsigned char> input(data, size);
  if (input.empty()) return 0;
  if (input[0] % 2 == 0) {
    fixture.load(std::string(input.begin() + 1, input.end()));
    return 0;
  }
  std::string bytes = fixture.whole();
  for (std::size_t i = 1; i + 2 < input.size(); i += 3) {
    const std::size_t position = input[i] + 256u * input[i + 1];
    bytes[position % bytes.size()] = static_cast<char>(input[i + 2]);
  }
  mend_checksum(bytes);
  fixture.load(bytes);
  return 0;
}
