// The [[partition]] tables of a model or training file: `part = ["hidden[0:64]", "output"]`, one table a run.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "files/file.hpp"
#include "model_file/reader.hpp"
#include "tessera/partition.hpp"

namespace tessera {
namespace io {
namespace {

constexpr std::size_t kMostRuns = 100'000;

std::optional<std::uint32_t> whole(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// "hidden", "hidden[7]", "hidden[0:64]" (up to 63), "hidden[64:]".
std::optional<StatedSlice> parse_slice(std::string_view text) {
  StatedSlice slice;
  const std::size_t open = text.find('[');
  slice.population = std::string(text.substr(0, open));
  if (slice.population.empty()) return std::nullopt;
  if (open == std::string_view::npos) return slice;
  if (!text.ends_with(']')) return std::nullopt;
  const std::string_view range = text.substr(open + 1, text.size() - open - 2);
  const std::size_t colon = range.find(':');
  const auto first = colon == 0 ? std::optional(0u) : whole(range.substr(0, colon));
  if (!first) return std::nullopt;
  slice.first = *first;
  if (colon == std::string_view::npos) {
    slice.count = 1;
    return slice;
  }
  if (colon + 1 == range.size()) return slice;
  const auto end = whole(range.substr(colon + 1));
  if (!end || *end <= *first) return std::nullopt;
  slice.count = *end - *first;
  return slice;
}

void read_part(ModelContext& c, const toml::table& table, const std::string& path, std::uint32_t run,
               std::vector<StatedSlice>& slices) {
  TableReader t(c, table, path);
  const toml::node* part = t.need("part");
  if (part != nullptr && !part->is_array())
    t.complain("part", "It must be a list of slices, for example [\"hidden[0:64]\", \"output\"].");
  const toml::array* list = part != nullptr ? part->as_array() : nullptr;
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const std::string place = fmt::format("{}.part[{}]", path, i);
    const auto text = read_text(c, *list->get(i), place, {});
    if (!text) continue;
    auto slice = parse_slice(*text);
    if (!slice) {
      c.problems.add(list->get(i)->source(), place,
                     fmt::format("'{:.60}' is no slice; write \"name\", \"name[7]\", \"name[0:64]\" (0 to 63) or \"name[64:]\".", *text));
      continue;
    }
    slice->run = run;
    slice->where = c.problems.location(list->get(i)->source(), place);
    slices.push_back(std::move(*slice));
  }
  if (list != nullptr && list->empty()) t.complain("part", "The run is empty.");
  t.done();
}

}  // namespace
}  // namespace io

std::vector<StatedSlice> parse_stated_partition(const std::string& text, const std::string& name) {
  const toml::table file = io::parse_toml(text, name);
  const toml::node* node = file.get("partition");
  if (node == nullptr) return {};
  io::ModelDiagnostics problems(name);
  io::ModelParameters parameters(problems);
  const NeuronCatalogue no_models;
  io::ModelContext c{problems, parameters, no_models, {}, {}, 0};
  parameters.read(file.get("parameters") == nullptr ? nullptr : file.get("parameters")->as_table(), {});
  std::vector<StatedSlice> slices;
  const toml::array* runs = node->as_array();
  if (runs == nullptr || runs->empty() || runs->size() > io::kMostRuns) {
    problems.add(node->source(), "partition", fmt::format("Runs are a list of 1 to {}: write [[partition]] with two brackets for each.", io::kMostRuns));
    problems.raise();
  }
  for (std::size_t i = 0; i < runs->size(); ++i) {
    const std::string path = fmt::format("partition[{}]", i);
    if (const toml::table* table = runs->get(i)->as_table()) {
      io::read_part(c, *table, path, static_cast<std::uint32_t>(i), slices);
    } else {
      problems.add(runs->get(i)->source(), path, "Each run is a table: write [[partition]].");
    }
  }
  problems.raise();
  return slices;
}

std::vector<StatedSlice> load_stated_partition(const std::filesystem::path& model_file) {
  return parse_stated_partition(io::read_file(model_file, io::kLongestModelFile), model_file.string());
}

}  // namespace tessera
