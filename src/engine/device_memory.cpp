// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "engine/device_memory.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "kernels/cuda/block.hpp"
#include "machine/fit.hpp"
#include "network/prepare_rules.hpp"
#include "tessera/errors.hpp"

namespace tessera {
namespace {

constexpr std::int64_t kMostLaunchSteps = 1000, kFewestLaunchSteps = 10;
constexpr std::uint64_t kLaunchBytes = std::uint64_t{256} << 20;
constexpr std::uint32_t kUsualBlocks = 132;  // of an H100 or H200

/// Spikes that a block can have in so many steps: a neuron is silent for its refractory period.
std::uint64_t most_spikes(const DeviceMap& map, std::int64_t steps) {
  const gpu::Layout& layout = map.layout();
  std::uint64_t most = 0;
  for (std::uint32_t b = 0; b < layout.blocks; ++b) {
    std::uint64_t spikes = 0;
    for (std::uint32_t p = 0; p < layout.slices; ++p) {
      const gpu::Slice& slice = map.slice(b, p);
      spikes += (slice.end - slice.begin) * (static_cast<std::uint64_t>(steps) / (slice.refractory_steps + 1ull) + 1);
    }
    most = std::max(most, spikes);
  }
  return most;
}

std::string megabytes(std::uint64_t bytes) { return std::to_string((bytes + 999999) / 1000000) + " MB"; }

/// Rows begin at a multiple of kLine words: half a line is lost.
double stored_bytes(const Wiring& wiring, const WeightUnits& units, const gpu::Layout& layout) {
  const Network& network = wiring.network();
  bool wide = std::uint64_t{layout.slots} * layout.ring_steps > gpu::kMostPlaces;
  std::vector<double> synapses(network.populations.size(), 0.0);
  for (const Bundle& b : wiring.bundles()) {
    synapses[b.source_population] += wiring.expected_synapses_of(b);
    wide = wide || units.wide[b.projection];
  }
  double words = 0.0;
  for (std::size_t p = 0; p < synapses.size(); ++p) {
    const double size = network.populations[p].size, mean = synapses[p] / size;
    const double rows = -size * std::expm1(-mean);  // about, where sources have few synapses; all elsewhere
    words += rows * (layout.blocks + 2 + gpu::kLine / 2.0) + synapses[p] * (wide ? 2.0 : 1.0);
  }
  return words * sizeof(std::uint32_t);
}

/// A count per source, bundle and delay group of what is drawn.
double count_bytes(const Wiring& wiring, const std::vector<bool>& stored, std::vector<std::uint32_t>& entries) {
  const Network& network = wiring.network();
  entries.assign(network.populations.size(), 0);
  for (const Bundle& b : wiring.bundles()) {
    if (!stored.empty() && stored[b.projection]) continue;
    const auto [first, last] = wiring.delay_groups(b);
    entries[b.source_population] += last - first + 1;
  }
  double bytes = 0.0;
  for (std::size_t p = 0; p < entries.size(); ++p) bytes += (entries[p] + 7) / 8 * 8 * 2.0 * network.populations[p].size;
  return bytes;
}

}  // namespace

LaunchSize choose_launch(const DeviceMap& map, const DeviceSamples& samples) {
  LaunchSize launch{kMostLaunchSteps, most_spikes(map, kMostLaunchSteps)};
  while (launch.steps > kFewestLaunchSteps &&
         map.layout().blocks * launch.spikes_per_block * sizeof(gpu::LoggedSpike) + samples.bytes(launch.steps) > kLaunchBytes) {
    launch.steps = std::max(launch.steps / 2, kFewestLaunchSteps);
    launch.spikes_per_block = most_spikes(map, launch.steps);
  }
  return launch;
}

std::vector<bool> not_drawn(const Wiring& wiring, const WeightUnits& units) {
  std::vector<bool> stored(wiring.network().projections.size(), false);
  for (const Bundle& b : wiring.bundles()) {
    if (units.listed(b)) stored[b.projection] = true;
  }
  return std::find(stored.begin(), stored.end(), true) == stored.end() ? std::vector<bool>() : stored;
}

std::vector<PlannedMemory> device_memory(const DeviceMap& map, const DeviceSamples& samples, bool drawn, std::uint64_t rows,
                                         std::uint64_t written) {
  const gpu::Layout& layout = map.layout();
  const LaunchSize launch = choose_launch(map, samples);
  const std::uint64_t blocks = layout.blocks;
  std::vector<PlannedMemory> memory;
  memory.push_back({"connectivity", rows, drawn ? "counts of synapses per source" : "rows"});
  if (written > 0) memory.push_back({"connectivity", written, "rows that cannot be drawn there"});
  if (drawn) memory.push_back({"kernels", std::uint64_t{layout.slots} * layout.ring_steps * sizeof(std::int32_t), "input ring of all blocks"});
  memory.push_back({"kernels", blocks * layout.words * sizeof(std::uint32_t), drawn ? "images: state, constants" : "images: state, constants, input rings"});
  memory.push_back({"kernels", blocks * (gpu::kCopies * 2 * sizeof(gpu::SpikeRecord) + 2 * layout.neurons * sizeof(std::uint32_t)),
                    "spikes that travel"});
  memory.push_back({"record", blocks * launch.spikes_per_block * sizeof(gpu::LoggedSpike), "spikes of a launch"});
  if (!samples.empty()) memory.push_back({"record", samples.bytes(launch.steps), "recorded state of a launch"});
  return memory;
}

std::uint64_t sum_of(const std::vector<PlannedMemory>& memory) {
  std::uint64_t sum = 0;
  for (const PlannedMemory& part : memory) sum += part.bytes;
  return sum;
}

void require_device_memory(const std::vector<PlannedMemory>& memory, std::uint64_t free_bytes) {
  const std::uint64_t needed = sum_of(memory);
  if (free_bytes == 0 || needed <= free_bytes) return;
  std::string text = "The network does not fit the GPU's memory: ";
  for (const PlannedMemory& part : memory) text += part.room + " (" + part.what + ") " + megabytes(part.bytes) + ", ";
  throw InputError(text + "in all " + megabytes(needed) + "; " + megabytes(free_bytes) + " are free.");
}

DevicePlan plan_memory(const Wiring& wiring, const WeightUnits& units, const NeuronCatalogue& models, bool drawn,
                       const gpu::MachineInfo& machine) {
  const Network& network = wiring.network();
  TileContext context;
  context.wiring = &wiring;
  context.units = &units;
  context.kernels = make_kernels(network, models, units.unit);
  std::uint32_t first = 0;
  for (const Population& population : network.populations) {
    context.first_id.push_back(first);
    first += population.size;
  }
  DeviceMap map(network, context, machine.multiprocessors, wiring.max_delay_steps(), drawn);
  const DeviceSamples samples(context);
  double rows = 0.0, written = 0.0;
  if (drawn) {
    const std::vector<bool> stored = not_drawn(wiring, units);
    for (const Bundle& b : wiring.bundles()) {
      if (!stored.empty() && stored[b.projection]) written += 8.0 * wiring.expected_synapses_of(b);
    }
    if (!stored.empty()) written += 8.0 * first;
    std::vector<std::uint32_t> entries;
    rows = count_bytes(wiring, stored, entries);
    std::uint32_t all = 0;
    for (const std::uint32_t n : entries) all += n;
    map.make_room_for_draws(all, static_cast<std::uint32_t>(units.tables.size()));
  } else {
    rows = stored_bytes(wiring, units, map.layout());
  }
  DevicePlan plan;
  plan.blocks = machine.multiprocessors;
  plan.neurons_per_block = map.layout().neurons;
  plan.image_bytes = std::uint64_t{map.layout().words} * sizeof(std::uint32_t);
  plan.shared_bytes = machine.shared_bytes;
  plan.in_shared_memory = plan.image_bytes + gpu::kOwnBytes <= machine.shared_bytes;
  plan.launch_steps = choose_launch(map, samples).steps;
  plan.memory = device_memory(map, samples, drawn, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(written));
  plan.memory_bytes = sum_of(plan.memory);
  plan.available_bytes = machine.free_bytes > 0 ? machine.free_bytes : machine.memory_bytes;
  return plan;
}

namespace {

/// The device that options name, or one like those that are usual.
gpu::MachineInfo device_of(const Device& device, DevicePlan& plan) {
  if (device.kind == Device::Kind::emulated) {
    plan.device = "emulated";
    return {"emulated", device.blocks, 0, 0, 0};
  }
  std::string why;
  const std::vector<gpu::MachineInfo> found = gpu::find_devices(why);
  const auto index = static_cast<std::size_t>(std::max(device.index, 0));
  plan.device = "cuda:" + std::to_string(index);
  if (index < found.size()) {
    plan.device += " " + found[index].name;
    return found[index];
  }
  if (why.empty()) why = "there is no GPU with the index " + std::to_string(index) + ".";
  plan.notes.push_back("Planned for a GPU with " + std::to_string(kUsualBlocks) + " multiprocessors: " + why);
  return {"", kUsualBlocks, 0, 0, 0};
}

}  // namespace

DevicePlan plan_on_device(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options) {
  require_valid(network, models);
  DevicePlan plan;
  if (options.device.kind == Device::Kind::cpu || !why_on_processor(network, models, options).empty()) {
    plan.device = "cpu";
    if (options.device.kind != Device::Kind::cpu) plan.notes.push_back(why_on_processor(network, models, options));
    return plan;
  }
  const gpu::MachineInfo machine = device_of(options.device, plan);
  plan.obstacles = device_obstacles(network, models, options);
  if (!plan.obstacles.empty()) return plan;
  if (!wiring_fits(outline(network, models, options))) {
    plan.obstacles.push_back("Not even the wiring fits the memory of this machine, which builds the network.");
    return plan;
  }
  Wiring wiring(network, options.seed);
  std::vector<std::uint32_t> chunks(wiring.chunks().size());
  std::iota(chunks.begin(), chunks.end(), 0u);
  wiring.own(chunks);
  const std::vector<PlasticityVariant> rules = prepare_rules(network, models);
  DevicePlan memory = plan_memory(wiring, choose_weight_units(wiring, rules), models, options.connectivity == Connectivity::procedural, machine);
  memory.device = plan.device;
  memory.notes = plan.notes;
  try {
    require_device_memory(memory.memory, memory.available_bytes);
  } catch (const InputError& error) {
    memory.obstacles.push_back(error.what());
  }
  return memory;
}

}  // namespace tessera
