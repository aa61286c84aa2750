// Mean rates of a network of areas: a row per area, a column per population of an area.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/populations.hpp"
#include "tessera/plot.hpp"

namespace tessera {
namespace {

std::size_t index_in(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  names.push_back(name);
  return names.size() - 1;
}

struct Cell {
  std::size_t area, layer;
  double rate_hz;
};

}  // namespace

std::string area_rates_svg(const Result& result) {
  HeatTable table;
  std::vector<Cell> cells;
  std::vector<double> neurons, spikes_per_second;  // of every area
  for (const ResultPopulation& p : result.populations) {
    const std::size_t dot = p.name.rfind('.');
    if (dot == std::string::npos || dot == 0 || dot + 1 == p.name.size()) continue;
    const std::size_t area = index_in(table.rows, p.name.substr(0, dot));
    cells.push_back({area, index_in(table.columns, p.name.substr(dot + 1)), p.rate_hz});
    neurons.resize(table.rows.size()), spikes_per_second.resize(table.rows.size());
    neurons[area] += p.size;
    spikes_per_second[area] += p.size * p.rate_hz;
  }
  if (cells.empty()) {
    throw InputError("This result has no areas: names of their populations are written AREA.LAYER, for example V1.23E.");
  }
  table.columns.emplace_back("all");
  table.values.assign(table.rows.size() * table.columns.size(), std::nan(""));
  for (const Cell& cell : cells) table.values[cell.area * table.columns.size() + cell.layer] = cell.rate_hz;
  for (std::size_t a = 0; a < table.rows.size(); ++a) {
    table.values[(a + 1) * table.columns.size() - 1] = spikes_per_second[a] / neurons[a];
  }
  table.title = (result.model.empty() ? "Network" : result.model) + ": mean rates";
  table.subtitle = svg::result_subtitle(result);
  table.row_label = "area";
  table.column_label = "population";
  table.value_label = "spikes/s";
  table.frame_best = false;
  return heat_table_svg(table);
}

}  // namespace tessera
