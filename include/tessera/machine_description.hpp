// What a neuromorphic machine can hold and how it computes, as data: limits for the partitioner
// (tessera/partition.hpp), arithmetic and variation for the emulation. Machine files (machines/*.toml) are
// read into it; docs/partitioned-emulation.md has their keys.
//
// A chip has tiles (cores; one where the chip is not divided), a tile has circuits. A neuron takes one circuit,
// or several joined ones where its inputs do not fit one. A limit of 0 means that there is none. Times of the
// chip are physical; model times are divided by `speedup`.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tessera/errors.hpp"
#include "tessera/model_file.hpp"
#include "tessera/network.hpp"

namespace tessera {

/// One way in which the machine differs from its description, and whether it is wanted.
struct MachineVariation {
  Distribution distribution = Distribution::constant(0.0);
  bool on = true;
  /// Whether it changes anything.
  [[nodiscard]] bool applies() const {
    return on && distribution != Distribution::constant(0.0);
  }
};

/// [lowest, highest]; both 0: no limit.
struct MachineRange {
  double lowest = 0.0, highest = 0.0;
  [[nodiscard]] bool limits() const { return highest > 0.0; }
  [[nodiscard]] bool holds(double value) const {
    return !limits() || (value >= lowest && value <= highest);
  }
};

struct MachineDescription {
  std::string name;
  std::string about;
  std::uint32_t chips = 1;
  double speedup = 1.0;  ///< so many ms of the model pass in one ms of the chip

  struct Circuits {
    std::uint32_t tiles = 1;          ///< of a chip; with more than one, a tile holds one population only
    std::uint32_t per_tile = 0;       ///< of a tile, at least 1
    std::uint32_t fan_in = 0;         ///< synapse rows of a circuit
    std::uint32_t signed_rows = 1;    ///< rows of an input whose weights have both signs
    std::uint32_t join_at_most = 1;   ///< circuits that can be joined to one neuron
    std::uint32_t join_multiple = 1;  ///< joined circuits come in multiples of this (more than one circuit)
  } circuits;

  struct Memory {
    std::uint64_t bytes_per_tile = 0;    ///< for neurons, and for synapses unless the chip has memory for them
    std::uint64_t bytes_per_chip = 0;    ///< for synapses, shared by all tiles; 0: they lie on the tiles
    double bytes_per_neuron = 0.0;
    double bytes_per_synapse = 0.0;
    std::uint64_t synapses_per_tile = 0;
  } memory;

  struct Sources {
    std::uint64_t external = 0;  ///< spike sources outside of the chip whose events it can tell apart
    std::uint64_t per_tile = 0;  ///< sources whose events a tile can tell apart
  } sources;

  struct Events {
    double clock_ns = 0.0;             ///< chip time between two possible times of an event; 0: any time
    double in_per_clock = 0.0;         ///< events that reach a chip in one clock; the others are dropped
    double out_per_clock = 0.0;        ///< events that leave a chip in one clock; the others are dropped
    double per_source_per_clock = 0.0; ///< events of one source in one clock; the others are dropped
    std::uint32_t longest_delay = 0;   ///< in steps of the model; 0: any
  } events;

  /// Weights are whole numbers lowest .. highest times one scale per projection; bits 0: any number.
  struct Weights {
    std::uint32_t bits = 0;  ///< of the magnitude where a row has one sign, else of the weight
    std::int32_t lowest = 0, highest = 0;
  } weights;

  /// Of the chip, in us.
  struct TimeConstants {
    MachineRange membrane_us, synapse_us, refractory_us;
  } time_constants;

  struct Readout {
    std::uint32_t membranes = 0;  ///< that can be read at one time; 0: none
    std::uint32_t bits = 0;       ///< 0: exact
    double interval_us = 0.0;     ///< between two samples of a membrane; 0: every step of the model
    /// What the lowest and the highest code stand for, where 0 is the leak and 1 the threshold.
    double lowest = -1.0, highest = 1.0;
  } readout;

  /// For predictions; 0: not counted.
  struct Times {
    double reconfiguration_ms = 0.0;  ///< loading a run (weights, routes) onto a chip
    double section_ms = 0.0;          ///< around every recorded section: start, stop, wait
    double host_ms = 0.0;             ///< one exchange with the host, without its events
    double events_per_second = 0.0;   ///< that travel between host and chip
  } times;

  /// Drawn once per chip, from the seed of the chip.
  struct FixedPattern {
    MachineVariation threshold;  ///< added, in units of the distance from leak to threshold
    MachineVariation leak;       ///< the same
    MachineVariation membrane_time_constant;  ///< relative: tau (1 + x)
    MachineVariation synapse_time_constant;   ///< relative
    MachineVariation weight_gain;             ///< relative, one per neuron
  } fixed_pattern;

  /// Drawn for every run.
  struct Noise {
    MachineVariation threshold;      ///< one per neuron and run, in units of the distance from leak to threshold
    MachineVariation membrane;       ///< one per neuron and step, the same unit
    MachineVariation spike_time_us;  ///< one per event, in us of the chip
  } noise;

  std::map<std::string, double> parameters;  ///< named parameters of the file, with their overrides
  std::map<std::string, std::string> choices;
  std::string file;  ///< where it was read from; empty for a shipped one

  [[nodiscard]] std::uint64_t circuits_per_chip() const {
    return std::uint64_t{circuits.tiles} * circuits.per_tile;
  }
  /// Whether it computes like the host: nothing is rounded, drawn or dropped.
  [[nodiscard]] bool is_ideal() const;
};

/// Circuits that a neuron takes with so many rows (inputs, or inputs x signed_rows); 0: more than can be joined.
[[nodiscard]] std::uint64_t circuits_of(const MachineDescription& machine, std::uint64_t rows);

/// Everything that is wrong with a description; empty when it can be used. Key paths are those of machine files.
[[nodiscard]] std::vector<Problem> validate(const MachineDescription& machine);

/// Names of the machines that are built in.
[[nodiscard]] std::vector<std::string> machine_names();

/// A built-in machine, or a machine file: what contains '/' or ends with ".toml" is a path. Throws InputError with all
/// problems, each with file:line:column and key path; for an unknown name with the nearest one.
[[nodiscard]] MachineDescription load_machine(const std::string& name_or_path,
                                              const std::vector<ParameterOverride>& overrides = {});

/// The same from text; `name` stands for the file in messages.
[[nodiscard]] MachineDescription parse_machine(const std::string& text, const std::string& name,
                                               const std::vector<ParameterOverride>& overrides = {});

}  // namespace tessera
