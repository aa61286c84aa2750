// The sections of a model file: each reads its table and adds to the parts of a network.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model_file/reader.hpp"

namespace tessera::io {

/// Populations as read, and what their names stand for: a population or a group of them.
struct ModelParts {
  std::vector<Population> populations;
  std::vector<bool> active;  ///< false: switched off by `when`
  std::map<std::string, std::vector<std::size_t>> names;
  std::vector<Projection> projections;
  std::vector<Stimulus> stimuli;
  std::vector<StateRecorder> recorders;
  std::vector<SpikeSelection> spike_recorders;
  std::vector<WeightRecording> weight_recorders;
};

// Dimensions that keys have.
inline constexpr Dimension kMilliseconds{0, 1, 0, 0};
inline constexpr Dimension kHertz{-1, -1, 0, 0};
inline constexpr Dimension kPicoamperes{0, 0, 0, 1};
inline constexpr Dimension kMillimetres{0, 0, 0, 0, 1};

void read_populations(ModelContext& c, const toml::node* section, ModelParts& parts);
void read_projections(ModelContext& c, const toml::node* section, ModelParts& parts);
void read_stimuli(ModelContext& c, const toml::node* section, ModelParts& parts);
void read_recorders(ModelContext& c, const toml::node* section, ModelParts& parts);

/// The plasticity of a projection (of one pair of a table); `unit`: of the target's weights, if known.
void read_plasticity(TableReader& t, const Place& place, const std::optional<Dimension>& unit,
                     Projection& projection);
/// The rule by which its synapses come and go; after its plasticity.
void read_rewiring(TableReader& t, const Place& place, const std::optional<Dimension>& unit, Projection& projection);

/// Populations named by a text or a list of texts; groups count as their members. Reports unknown
/// names, and switched-off ones when `wanted` (the thing that names them is itself switched on).
std::vector<std::size_t> read_population_names(ModelContext& c, const toml::node& node,
                                               const std::string& path, const ModelParts& parts,
                                               bool wanted);
/// The same of what is recorded, where a text may also be an area ("V1" of "V1.23E") or a pattern ("V1.*"): those of its
/// populations that are switched on.
std::vector<std::size_t> read_recorded_populations(ModelContext& c, const toml::node& node, const std::string& path,
                                                   const ModelParts& parts, bool wanted);
/// Whether a text names a single population (and no list or group).
bool names_one(const toml::node& node, const ModelParts& parts);

/// The unit of weights onto a population; nothing when its model is unknown.
std::optional<Dimension> weight_unit(const ModelContext& c, const Population& target);

/// The entries of a section that must be tables, in the order of the file.
struct Section {
  std::string name;
  const toml::table* table;
  std::string path;
};
std::vector<Section> sections_of(ModelContext& c, const toml::node* node, const std::string& path);

}  // namespace tessera::io
