// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "network/select_populations.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tessera {
namespace {

// One star remembered is enough: a later one takes over what an earlier one could have matched.
bool fits(const std::string& pattern, const std::string& name) {
  std::size_t p = 0, n = 0, star = std::string::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != std::string::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string::npos;
}

}  // namespace

std::string area_of(const std::string& population) {
  const std::size_t dot = population.rfind('.');
  const bool named = dot != std::string::npos && dot > 0 && dot + 1 < population.size();
  return named ? population.substr(0, dot) : "";
}

std::vector<std::size_t> select_populations(const std::vector<std::string>& names, const std::string& text) {
  const auto those = [&names](const auto& wanted) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (wanted(names[i])) places.push_back(i);
    }
    return places;
  };
  if (text.empty()) return {};
  std::vector<std::size_t> places = those([&](const std::string& name) { return name == text; });
  if (places.empty()) places = those([&](const std::string& name) { return area_of(name) == text; });
  if (places.empty()) places = those([&](const std::string& name) { return fits(text, name); });
  return places;
}

std::vector<std::string> with_areas(const std::vector<std::string>& names) {
  std::vector<std::string> all = names;
  for (const std::string& name : names) {
    const std::string area = area_of(name);
    if (!area.empty() && all.back() != area) all.push_back(area);
  }
  return all;
}

std::string not_selected(const std::vector<std::string>& names, const std::string& text) {
  if (text.find_first_of("*?") != std::string::npos) return fmt::format("No population has a name like '{}'.", text);
  const std::vector<std::string> known = with_areas(names);
  return fmt::format("There is no population {}named '{}'.{}", known.size() > names.size() ? "or area " : "", text, did_you_mean(text, known));
}

std::vector<std::string> population_names(const Network& network) {
  std::vector<std::string> names;
  for (const Population& population : network.populations) names.push_back(population.name);
  return names;
}

}  // namespace tessera
