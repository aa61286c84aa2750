// Several populations named at once: by their area, or by a pattern.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tessera/network.hpp"

namespace tessera {

/// The area in the name of a population, "V1" of "V1.23E"; "" where it has none.
[[nodiscard]] std::string area_of(const std::string& population);

/// What `text` stands for, as places in `names`, ascending: the population of that name; else all of the area of that
/// name; else all whose names fit it as a pattern, * for any letters and ? for one. Empty: none.
[[nodiscard]] std::vector<std::size_t> select_populations(const std::vector<std::string>& names, const std::string& text);

/// The names, and those of their areas.
[[nodiscard]] std::vector<std::string> with_areas(const std::vector<std::string>& names);

/// Why a text stands for none, with the nearest name of a population or area.
[[nodiscard]] std::string not_selected(const std::vector<std::string>& names, const std::string& text);

[[nodiscard]] std::vector<std::string> population_names(const Network& network);

}  // namespace tessera
