// Plots as SVG text, without Python: rasters, rates, inter-spike intervals, traces, and plain
// charts. Every function returns a complete SVG document; save it with write_text_file
// (tessera/result.hpp).
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tessera/analysis.hpp"
#include "tessera/map_analysis.hpp"
#include "tessera/result.hpp"
#include "tessera/weight_recording.hpp"

namespace tessera {

struct RasterOptions {
  double start_ms = -1.0;  ///< negative: `duration_ms` before the end
  double duration_ms = 400.0;
  /// Of every population, first neurons; 0: as many as can be told apart.
  double neuron_fraction = 0.0;
  std::size_t max_spikes = 100'000;  ///< thins out neurons beyond it, so that files stay below 3 MB
  std::vector<std::string> populations;  ///< names of those that are drawn; empty: all
};

/// Spikes as dots, populations from top to bottom in the result's order, excitatory and inhibitory
/// in two colours; of recorded neurons. Throws InputError when the result holds no spikes of these populations, or has
/// none of that name.
[[nodiscard]] std::string raster_svg(const Result& result, const RasterOptions& options = {});

/// Box plots per population: single-neuron rates, CVs and (when there are any) correlations. With a
/// reference, its means are marked.
[[nodiscard]] std::string rates_svg(const Result& result,
                                    const std::vector<PopulationStatistics>& statistics,
                                    const Reference* reference = nullptr);

/// Mean rates of the report as a heat map, for populations with names of the form AREA.LAYER: a row per area, a column
/// per layer, and the mean over all neurons of the area. Throws InputError when there are none.
[[nodiscard]] std::string area_rates_svg(const Result& result);

/// Distribution of the inter-spike intervals, one panel per population.
[[nodiscard]] std::string isi_svg(const Result& result, const StatisticsOptions& window);

struct TraceOptions {
  double start_ms = -1.0;  ///< negative: from the beginning of the recording
  double duration_ms = 500.0;
  std::size_t max_neurons = 5;  ///< per recorder
};

/// Recorded state variables over time, one panel per recorder; spikes, when recorded, as marks on
/// top. Throws InputError when the result holds no traces.
[[nodiscard]] std::string trace_svg(const Result& result, const TraceOptions& options = {});

/// Recorded weights over time, one panel per recording: how they are distributed, and their mean. Throws InputError when
/// there are none.
[[nodiscard]] std::string weights_svg(const std::vector<WeightRecord>& records);

/// A topographic map before and after: preferred places as colours, probability and mean weight of synapses by
/// displacement, formations and eliminations over time and displacement, degrees.
[[nodiscard]] std::string map_svg(const MapStatistics& map, const WeightRecordInfo& info);

/// A chart with lines and points on two axes.
struct Chart {
  struct Series {
    std::string label;
    std::vector<double> x, y;       ///< same length; points with a NaN are left out
    std::vector<double> low, high;  ///< error bars; empty or same length
    bool line = true;
    bool points = true;
    bool dashed = false;
  };
  std::string title, subtitle;
  std::string x_label, y_label;
  bool x_log = false, y_log = false;
  bool y_from_zero = true;               ///< linear axes only
  std::vector<std::string> x_names;      ///< names for x = 0, 1, ... instead of numbers
  std::vector<double> horizontal_marks;  ///< dashed lines across, for example a bar to reach
  std::vector<Series> series;
};
/// Throws InputError when lengths differ or there is no finite point.
[[nodiscard]] std::string chart_svg(const Chart& chart);

/// A table whose cells are coloured by their value, for example a sweep over two options.
struct HeatTable {
  std::string title, subtitle;
  std::string row_label, column_label, value_label;
  std::vector<std::string> rows, columns;
  std::vector<double> values;  ///< row after row; NaN: empty cell
  int decimals = 2;
  bool lower_is_better = true;  ///< the best cell gets a frame
  bool frame_best = true;       ///< false where no cell is better than another
};
[[nodiscard]] std::string heat_table_svg(const HeatTable& table);

/// Several SVG documents of this library under one another in one document.
[[nodiscard]] std::string stacked_svg(const std::vector<std::string>& documents);

/// The same beside each other, so many in a row, in columns as wide as the widest.
[[nodiscard]] std::string tiled_svg(const std::vector<std::string>& documents, std::size_t columns);

}  // namespace tessera
