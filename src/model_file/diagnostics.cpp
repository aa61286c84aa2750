// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "model_file/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace tessera::io {
namespace {
constexpr std::size_t kMostProblems = 100;
constexpr int kMostAtOnePlace = 4;

// "populations" of "populations.E.size", and "populations.E".
std::string section_of(const std::string& path) { return path.substr(0, path.find_first_of(".[")); }
std::string entry_of(const std::string& path) {
  const std::size_t first = path.find('.');
  if (first == std::string::npos || first == 0 || path[first - 1] == ']')
    return path.substr(0, first);
  return path.substr(0, path.find_first_of(".[", first + 1));
}

// Sections of training files whose values are read and checked one by one.
bool is_independent(const std::string& section) {
  static const std::vector<std::string> kSections{
      "data", "layer", "loss", "optimizer", "schedule", "second_threshold", "training"};
  return std::find(kSections.begin(), kSections.end(), section) != kSections.end();
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
  spoiled_.insert(entry_of(path));
  append({location(region, path), std::move(message)});
}

void ModelDiagnostics::add_harmless(const toml::source_region& region, const std::string& path,
                                    std::string message) {
  append({location(region, path), std::move(message)});
}

bool ModelDiagnostics::is_doubtful(const std::string& path) const {
  const std::string section = section_of(path);
  const bool refers = section == "projections" || section == "stimuli" || section == "recorders";
  return std::any_of(spoiled_.begin(), spoiled_.end(), [&](const std::string& spoiled) {
    const std::string from = section_of(spoiled);
    if (from == "populations") return refers || spoiled == entry_of(path);
    if (from == "projections" || from == "stimuli" || from == "recorders" || from == "scaling") {
      return spoiled == entry_of(path);
    }
    if (is_independent(from)) return spoiled == entry_of(path);
    return true;  // a named parameter or dt can be anywhere
  });
}

void ModelDiagnostics::add(Problem problem) {
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
  append(std::move(problem));
}

void ModelDiagnostics::add_unknown(const toml::source_region& region, const std::string& path,
                                   std::string message, const std::string& word,
                                   const std::vector<std::string>& candidates, bool harmless) {
  std::string near = did_you_mean(word, candidates);
  if (near.empty() && !candidates.empty() && candidates.size() <= 24) {
    near = fmt::format(" Possible: {}.", fmt::join(candidates, ", "));
  }
  if (!harmless) spoiled_.insert(entry_of(path));
  append({location(region, path), message + near});
}

void ModelDiagnostics::append(Problem problem) {
  const std::string place = problem.where.to_string();
  if (!seen_.insert(place + "\n" + problem.message).second) return;
  // One wrong value can spoil every pair of a table: a few examples are enough.
  if (++at_one_place_[place] > kMostAtOnePlace) return;
  problems_.push_back(std::move(problem));
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
  throw InputError(std::move(problems_));
}

}  // namespace tessera::io
