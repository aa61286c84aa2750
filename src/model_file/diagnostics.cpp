// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "model_file/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "tessera/network.hpp"

namespace tessera::io {
namespace {
constexpr std::size_t kMostProblems = 100;
constexpr int kMostAtOnePlace = 4;

// "populations.E" of "populations.E.size", "layer[0]" of "layer[0].size"; the path itself of others.
std::string entry_of(const std::string& path) {
  const std::size_t first = path.find('.');
  if (first == std::string::npos || first == 0 || path[first - 1] == ']')
    return path.substr(0, first);
  return path.substr(0, path.find_first_of(".[", first + 1));
}
std::string key_of(const std::string& path, const std::string& entry) {
  return path.size() > entry.size() ? path.substr(entry.size() + 1) : "";
}
std::string section_of(const std::string& path) { return path.substr(0, path.find_first_of(".[")); }

bool is_inside(const std::string& inner, const std::string& outer) {
  return inner.starts_with(outer) &&
         (inner.size() == outer.size() || inner[outer.size()] == '.' || inner[outer.size()] == '[');
}

// Values of an exception stand for those of their projection.
std::string without_exception(std::string path) {
  const std::size_t begin = path.find(".exceptions[");
  const std::size_t end = path.find(']', begin);
  if (begin != std::string::npos && end != std::string::npos) path.erase(begin, end + 1 - begin);
  return path;
}

// Checks that compare two values: what is said about the second may follow from a mistake in the
// first. Everything else is judged value by value; sizes, dt and the like are read as 0 or NaN when
// they cannot be read, and validation skips what it would compare with them.
struct Comparison {
  const char *section, *first, *second_section, *second;
};
constexpr Comparison kComparisons[] = {
    {"time", "", "discard", ""},
    {"populations", "duration", "populations", "interval"},
    {"populations", "parameters", "populations", "initial.*"},  // which states there are
    {"populations", "parameters", "recorders", "variable"},
    {"layer", "max_activity", "layer", "initial_activity"},
    {"layer", "regulariser.high", "layer", "regulariser.low"},
    {"layer", "connection.max_delay", "layer", "connection.min_delay"},
    {"layer", "recurrent.max_delay", "layer", "recurrent.min_delay"},
    {"layer", "neuron", "loss", "kind"},
    {"layer", "threshold", "second_threshold", "start"},
    {"layer", "threshold", "second_threshold", "target"},
    {"data", "set", "data", ""},
    {"data", "encoder.kind", "data", "encoder"},
    {"data", "encoder.curve", "data", "encoder"},
    {"data", "encoder.bias", "data", "encoder.bias_time"},
    {"data", "encoder.dt", "data", "encoder.steps"},
    {"data", "encoder.dt", "data", "encoder.early"},
    {"data", "encoder.dt", "data", "encoder.late"},
    {"data", "encoder.dt", "data", "encoder.bias_time"},
    {"data", "encoder.steps", "data", "encoder.early"},
    {"data", "encoder.steps", "data", "encoder.late"},
    {"data", "encoder.steps", "data", "encoder.bias_time"},
    {"data", "encoder.early", "data", "encoder.late"},
    {"data", "encoder.low", "data", "encoder.high"},
    {"data", "encoder.crop_x", "data", "encoder.width"},
    {"data", "encoder.crop_width", "data", "encoder.width"},
    {"data", "encoder.crop_y", "data", "encoder.height"},
    {"data", "encoder.crop_height", "data", "encoder.height"},
    {"data", "generator", "data", "generator"},
    {"training", "validation", "training", "patience"}};

bool follows(const std::string& path, const std::string& spoiled) {
  for (const Comparison& c : kComparisons) {
    if (section_of(spoiled) != c.section || section_of(path) != c.second_section) continue;
    // Sections with entries of their own compare values of one entry.
    const bool entries = c.section == std::string_view("populations") ||
                         c.section == std::string_view("layer");
    const auto key = [&](const std::string& whole, bool named) {
      return key_of(whole, named ? entry_of(whole) : section_of(whole));
    };
    const std::string second_section = c.second_section;
    const bool second_named = second_section == "populations" || second_section == "layer" ||
                              second_section == "recorders";
    if (entries && second_section == c.section && entry_of(path) != entry_of(spoiled)) continue;
    const std::string first = key(spoiled, entries), second = key(path, second_named);
    if (*c.first != '\0' && !is_inside(first, c.first)) continue;
    const std::string_view wanted = c.second;
    if (wanted.ends_with(".*")) {  // this key with one name below it
      const std::string head(wanted.substr(0, wanted.size() - 1));
      if (second.starts_with(head) && second.find('.', head.size()) == std::string::npos) return true;
    } else if (wanted.empty() || is_inside(second, c.second)) {
      return true;
    }
  }
  return false;
}
}  // namespace

void ModelDiagnostics::remember(const std::string& path, const toml::source_region& region) {
  positions_.emplace(path, region.begin);
}

SourceLocation ModelDiagnostics::location(const toml::source_region& region,
                                          const std::string& path) const {
  SourceLocation where;
  where.file = file_;
  where.line = static_cast<int>(region.begin.line);
  where.column = static_cast<int>(region.begin.column);
  where.key_path = path;
  return where;
}

void ModelDiagnostics::add(const toml::source_region& region, const std::string& path,
                           std::string message) {
  spoil(path);
  append({location(region, path), std::move(message)});
}

void ModelDiagnostics::add_too_large(const toml::source_region& region, const std::string& path,
                                     std::string message) {
  spoiled_.insert(entry_of(path));
  append({location(region, path), std::move(message)}, true);
}

void ModelDiagnostics::add_harmless(const toml::source_region& region, const std::string& path,
                                    std::string message) {
  append({location(region, path), std::move(message)});
}

void ModelDiagnostics::spoil(const std::string& path) {
  if (!path.empty()) spoiled_.insert(without_exception(path));
}

bool ModelDiagnostics::is_doubtful(const std::string& path) const {
  const std::string entry = entry_of(path);
  return std::any_of(spoiled_.begin(), spoiled_.end(), [&](const std::string& spoiled) {
    if (is_inside(path, spoiled)) return true;
    if (path != entry && is_inside(spoiled, path)) return true;  // a part of it was not read
    return follows(path, spoiled);
  });
}

void ModelDiagnostics::add(Problem problem, bool too_large) {
  if (is_doubtful(problem.where.key_path)) return;
  if (problem.where.file.empty()) problem.where.file = file_;
  for (std::string path = problem.where.key_path; !path.empty();) {
    if (const auto found = positions_.find(path); found != positions_.end()) {
      problem.where.line = static_cast<int>(found->second.line);
      problem.where.column = static_cast<int>(found->second.column);
      break;
    }
    const std::size_t cut = path.find_last_of(".[");
    path.resize(cut == std::string::npos ? 0 : cut);
  }
  append(std::move(problem), too_large);
}

void ModelDiagnostics::add_unknown(const toml::source_region& region, const std::string& path,
                                   std::string message, const std::string& word,
                                   const std::vector<std::string>& candidates, bool harmless) {
  std::string near = did_you_mean(word, candidates);
  if (near.empty() && !candidates.empty() && candidates.size() <= 24) {
    near = fmt::format(" Possible: {}.", fmt::join(candidates, ", "));
  }
  if (!harmless) spoil(path);
  append({location(region, path), message + near});
}

void ModelDiagnostics::append(Problem problem, bool too_large) {
  const std::string place = problem.where.to_string();
  if (!seen_.insert(place + "\n" + problem.message).second) return;
  // One wrong value can spoil every pair of a table: a few examples are enough.
  if (++at_one_place_[place] > kMostAtOnePlace) return;
  problems_.push_back(std::move(problem));
  if (too_large) ++too_large_;
  if (problems_.size() >= kMostProblems) {
    SourceLocation where;
    where.file = file_;
    problems_.push_back(
        {where,
         fmt::format("There may be more: only the first {} problems are listed.", kMostProblems)});
    raise();
  }
}

void ModelDiagnostics::raise() {
  if (problems_.empty()) return;
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    // Problems without a position (overrides) come last.
    const auto key = [](const Problem& p) {
      return std::tuple(p.where.line == 0, p.where.line, p.where.column);
    };
    return key(a) < key(b);
  });
  if (too_large_ == problems_.size()) throw TooLargeError(std::move(problems_));
  throw InputError(std::move(problems_));
}

}  // namespace tessera::io
