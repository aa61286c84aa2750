// Plots: well-formed documents that show what they should, bounded in size, safe for any text.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/plot.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "plot/svg.hpp"
#include "plot/xml.hpp"

namespace tessera {
namespace {

using test::occurrences;
using test::xml_problem;

ResultPopulation population(const std::string& name, std::uint32_t size, bool inhibitory) {
  ResultPopulation made;
  made.name = name;
  made.size = size;
  made.inhibitory = inhibitory;
  made.rate_hz = 5.0;
  return made;
}

// Every neuron spikes once in each `period` ms, one after the other.
void fill(ResultPopulation& target, double end_ms, double period_ms) {
  for (double start = 0.0; start < end_ms; start += period_ms) {
    for (std::uint32_t neuron = 0; neuron < target.size; ++neuron) {
      const double time = start + period_ms * (neuron + 1) / target.size;
      if (time > end_ms) return;
      target.spikes.times_ms.push_back(time);
      target.spikes.neurons.push_back(neuron);
    }
  }
}

Result layered() {
  Result result;
  result.model = "layers";
  result.seed = 42;
  result.model_time_ms = 1000.0;
  result.has_spikes = true;
  result.populations = {population("L23E", 40, false), population("L23I", 10, true),
                        population("L4E", 30, false), population("L4I", 1, true)};
  for (ResultPopulation& each : result.populations) fill(each, 1000.0, 50.0);
  return result;
}

TEST(Raster, ShowsEverySpikeOfTheWindow) {
  const std::string plot = raster_svg(layered());
  EXPECT_EQ(xml_problem(plot), "");
  // 81 neurons, one spike each in 50 ms, the last 400 ms: 8 dots each; a dot is one "M".
  std::size_t dots = 0;
  for (std::size_t at = plot.find("scale(.1)"); at != std::string::npos;
       at = plot.find("scale(.1)", at + 1)) {
    dots += occurrences(plot.substr(at, plot.find("</g>", at) - at), "M");
  }
  EXPECT_EQ(dots, 81U * 8U);
}

TEST(Raster, NamesLayersModelSeedAndTime) {
  const std::string plot = raster_svg(layered());
  for (const char* text : {">L2/3<", ">L4<", ">E<", ">I<", "layers: spikes", "seed 42",
                           "1 s of model time", "time (ms)", ">excitatory<", ">inhibitory<"}) {
    EXPECT_NE(plot.find(text), std::string::npos) << text;
  }
}

TEST(Raster, StaysBelowThreeMegabytes) {
  Result result = layered();
  result.populations[0] = population("L23E", 200000, false);
  fill(result.populations[0], 1000.0, 40.0);  // 2 million spikes in the window
  RasterOptions options;
  options.neuron_fraction = 1.0;
  const std::string plot = raster_svg(result, options);
  EXPECT_LT(plot.size(), 3'000'000U);
  EXPECT_GT(plot.size(), 500'000U);
}

TEST(Raster, AcceptsOddResults) {
  Result result = layered();
  for (ResultPopulation& each : result.populations) each.spikes = {};
  EXPECT_EQ(xml_problem(raster_svg(result)), "");
  result.populations.resize(1);
  result.populations[0] = population("a<b>&\"\x01\xff", 1, false);
  result.populations[0].rate_hz = NAN;
  result.model_time_ms = 0.0;
  EXPECT_EQ(xml_problem(raster_svg(result)), "");
  result.has_spikes = false;
  EXPECT_THROW((void)raster_svg(result), InputError);
  Result many;
  many.has_spikes = true;
  many.model_time_ms = 100.0;
  for (int i = 0; i < 300; ++i)
    many.populations.push_back(population("P" + std::to_string(i), 3, i % 2 == 1));
  EXPECT_EQ(xml_problem(raster_svg(many)), "");
}

/// All dots of a raster as the heights of their middle, in pixels.
std::vector<double> heights_of_dots(const std::string& plot) {
  std::vector<double> heights;
  for (std::size_t at = plot.find("scale(.1)"); at != std::string::npos; at = plot.find("scale(.1)", at + 1)) {
    const std::string group = plot.substr(at, plot.find("</g>", at) - at);
    for (std::size_t dot = group.find('M'); dot != std::string::npos; dot = group.find('M', dot + 1)) {
      heights.push_back(std::stod(group.substr(group.find(' ', dot) + 1)) / 10.0);
    }
  }
  return heights;
}

// 254 populations have a pixel or two each: all of them lie inside the plot, one below the other, and areas are named.
TEST(Raster, HoldsTheMultiAreaModel) {
  Result result;
  result.has_spikes = true;
  result.model_time_ms = 400.0;
  for (int p = 0; p < 254; ++p) {
    const std::string layers[] = {"23E", "23I", "4E", "4I", "5E", "5I", "6E", "6I"};
    result.populations.push_back(population("W" + std::to_string(p / 8) + "." + layers[p % 8], 100 + 40 * (p % 7), p % 2 == 1));
    result.populations.back().spikes.times_ms = {100.0};
    result.populations.back().spikes.neurons = {0};  // the first one is always shown
  }
  const std::string plot = raster_svg(result);
  EXPECT_EQ(xml_problem(plot), "");
  for (int area = 0; area < 32; ++area) EXPECT_EQ(occurrences(plot, ">W" + std::to_string(area) + "<"), 1U) << area;
  EXPECT_EQ(plot.find("W0."), std::string::npos);
  const std::vector<double> heights = heights_of_dots(plot);
  ASSERT_EQ(heights.size(), 254U);
  EXPECT_TRUE(std::is_sorted(heights.begin(), heights.end()));
  EXPECT_GE(heights.front(), 84.0);          // the plot begins here ...
  EXPECT_LE(heights.back(), 84.0 + 560.0);   // ... and is so high
}

// Of the first 10 of 40 neurons spikes were recorded: the document shows these ten, and says so.
TEST(Raster, ShowsWhatWasRecorded) {
  Result result = layered();
  ResultPopulation& some = result.populations[0];
  some.first_recorded = 10;
  SpikeList kept;
  for (std::size_t i = 0; i < some.spikes.size(); ++i) {
    if (some.spikes.neurons[i] >= 10) continue;
    kept.times_ms.push_back(some.spikes.times_ms[i]);
    kept.neurons.push_back(some.spikes.neurons[i]);
  }
  some.spikes = kept;
  result.populations[2].first_recorded = 0;
  result.populations[2].spikes = {};
  const std::string plot = raster_svg(result);
  EXPECT_EQ(heights_of_dots(plot).size(), (10U + 10U + 1U) * 8U);
  EXPECT_NE(plot.find("all 21 recorded neurons"), std::string::npos);
  RasterOptions options;
  options.populations = {"L23E", "L4I"};
  EXPECT_EQ(heights_of_dots(raster_svg(result, options)).size(), (10U + 1U) * 8U);
  options.populations = {"L4E"};
  EXPECT_THROW((void)raster_svg(result, options), InputError) << "nothing was recorded";
  options.populations = {"L5E"};
  EXPECT_THROW((void)raster_svg(result, options), InputError) << "no such population";
  const std::string rates = rates_svg(result, result_statistics(result));
  EXPECT_EQ(rates.find("L4E"), std::string::npos);
  EXPECT_NE(rates.find("recorded neurons only"), std::string::npos);
  EXPECT_NEAR(result_statistics(result)[0].mean_rate_hz, 20.0, 0.5) << "of ten neurons, which spike every 50 ms";
}

TEST(Raster, NoPopulationsIsAnError) {
  Result result;
  result.has_spikes = true;
  EXPECT_THROW((void)raster_svg(result), InputError);
  result.populations = {population("empty", 0, false)};
  EXPECT_EQ(xml_problem(raster_svg(result)), "");
}

TEST(Rates, MarksTheReference) {
  const Result result = layered();
  StatisticsOptions window = default_window(result);
  const auto statistics = result_statistics(result, window);
  const std::string alone = rates_svg(result, statistics);
  EXPECT_EQ(xml_problem(alone), "");
  EXPECT_EQ(alone.find("reference"), std::string::npos);
  Reference reference;
  reference.name = "NEST";
  Reference::Population expected;
  expected.name = "L4E";
  expected.realisations.push_back({{4.0, 6.0}, {0.5}, {}});
  reference.populations.push_back(expected);
  const std::string marked = rates_svg(result, statistics, &reference);
  EXPECT_EQ(xml_problem(marked), "");
  EXPECT_NE(marked.find("mean of the reference (NEST)"), std::string::npos);
  // Two marks (rate and CV of L4E) and one in the key; marks are closed paths filled with ink.
  EXPECT_EQ(occurrences(marked, "Z\" fill=\"#222222\""), 3U);
  EXPECT_THROW((void)rates_svg(result, {}), InputError);
}

TEST(Isi, OnePanelPerPopulation) {
  const Result result = layered();
  const std::string plot = isi_svg(result, default_window(result));
  EXPECT_EQ(xml_problem(plot), "");
  for (const char* name : {">L2/3E<", ">L2/3I<", ">L4E<", ">L4I<"}) {
    EXPECT_NE(plot.find(name), std::string::npos) << name;
  }
  EXPECT_EQ(occurrences(plot, "mean 50 ms, CV 0.00"), 4U);  // every interval is 50 ms
}

TEST(Isi, ResultsWithoutIntervals) {
  Result result = layered();
  for (ResultPopulation& each : result.populations) each.spikes = {};
  const std::string plot = isi_svg(result, default_window(result));
  EXPECT_EQ(xml_problem(plot), "");
  EXPECT_EQ(occurrences(plot, "no intervals"), 4U);
}

TEST(Traces, ShowRecordersSpikesAndUnits) {
  Result result = layered();
  Trace trace{"L4E", "V_m", 2, {}, {}};
  for (int step = 1; step <= 20000; ++step) {
    trace.times_ms.push_back(step * 0.1);
    trace.values.push_back(-65.0 + 5.0 * std::sin(step * 0.01));
    trace.values.push_back(step % 1000 == 0 ? NAN : -60.0);
  }
  result.traces.push_back(trace);
  const std::string plot = trace_svg(result);
  EXPECT_EQ(xml_problem(plot), "");
  EXPECT_NE(plot.find("L4E: V_m (mV)"), std::string::npos);
  EXPECT_LT(plot.size(), 300'000U);
  result.traces[0].times_ms.clear();
  result.traces[0].values.clear();
  EXPECT_EQ(xml_problem(trace_svg(result)), "");
  result.traces.clear();
  EXPECT_THROW((void)trace_svg(result), InputError);
}

TEST(Charts, LinesPointsAndBars) {
  Chart chart;
  chart.title = "sweep <1>";
  chart.x_label = "group size";
  chart.y_label = "real-time factor";
  chart.x_log = true;
  chart.series = {{"stored", {1, 2, 4}, {1.5, 1.1, NAN}, {1.4, 1.0, 1}, {1.6, 1.2, 1}},
                  {"procedural", {1, 2, 4}, {2, 1.5, 1.3}, {}, {}, true, true, true}};
  chart.horizontal_marks = {1.0};
  const std::string plot = chart_svg(chart);
  EXPECT_EQ(xml_problem(plot), "");
  EXPECT_NE(plot.find("sweep &lt;1&gt;"), std::string::npos);
  chart.x_names = {"a", "b", "c"};
  chart.x_log = false;
  EXPECT_EQ(xml_problem(chart_svg(chart)), "");
  chart.series[0].y.pop_back();
  EXPECT_THROW((void)chart_svg(chart), InputError);
  chart.series = {{"nothing", {1}, {NAN}, {}, {}}};
  EXPECT_THROW((void)chart_svg(chart), InputError);
}

TEST(Charts, ExtremeRanges) {
  for (const double scale : {1e-300, 1e-9, 1.0, 1e9, 1e300}) {
    Chart chart;
    chart.series = {{"", {scale, 2 * scale}, {-scale, scale}, {}, {}}};
    EXPECT_EQ(xml_problem(chart_svg(chart)), "") << scale;
  }
  Chart chart;
  chart.x_log = chart.y_log = true;
  chart.series = {{"", {1e-300, 1e300}, {1e-300, 1e300}, {}, {}}};
  EXPECT_EQ(xml_problem(chart_svg(chart)), "");
  chart.x_log = chart.y_log = false;
  chart.series = {{"", {-1.7e308, 1.7e308}, {-1.7e308, 1.7e308}, {}, {}}};
  EXPECT_EQ(xml_problem(chart_svg(chart)), "");
}

TEST(HeatTables, FrameTheBest) {
  HeatTable table;
  table.rows = {"2", "4"};
  table.columns = {"1", "2"};
  table.values = {1.0, 0.75, NAN, 2.0};
  const std::string plot = heat_table_svg(table);
  EXPECT_EQ(xml_problem(plot), "");
  const std::size_t best = plot.find(">0.75<");
  ASSERT_NE(best, std::string::npos);
  EXPECT_NE(plot.rfind("font-weight=\"bold\">0.75<", best + 6), std::string::npos);
  table.values.pop_back();
  EXPECT_THROW((void)heat_table_svg(table), InputError);
  table.values = {NAN, NAN, NAN, NAN};
  EXPECT_THROW((void)heat_table_svg(table), InputError);
}

TEST(Areas, AreRowsWithALayerPerColumn) {
  Result result;
  result.model = "two areas";
  result.populations = {population("V1.4E", 30, false), population("V1.4I", 10, true), population("V2.4E", 20, false), population("noise", 5, false)};
  result.populations[0].rate_hz = 2.0;
  result.populations[1].rate_hz = 6.0;
  result.populations[2].rate_hz = 4.5;
  const std::string plot = area_rates_svg(result);
  EXPECT_EQ(xml_problem(plot), "");
  for (const char* text : {">V1<", ">V2<", ">4E<", ">4I<", ">all<", ">2.00<", ">6.00<"}) EXPECT_EQ(occurrences(plot, text), 1U) << text;
  EXPECT_EQ(occurrences(plot, ">4.50<"), 2U) << "V2 has one population, whose rate is its mean";
  EXPECT_EQ(occurrences(plot, ">3.00<"), 1U) << "(30 * 2 + 10 * 6) / 40";
  EXPECT_EQ(occurrences(plot, "noise"), 0U);
  EXPECT_EQ(plot.find("font-weight=\"bold\">6.00<"), std::string::npos);
  EXPECT_THROW((void)area_rates_svg(layered()), InputError);
}

TEST(Stacked, HoldsAllDocuments) {
  HeatTable table;
  table.rows = {"r"};
  table.columns = {"c"};
  table.values = {1.0};
  const std::string one = heat_table_svg(table);
  const std::string two = stacked_svg({one, one});
  EXPECT_EQ(xml_problem(two), "");
  EXPECT_EQ(occurrences(two, "<svg "), 3U);
  EXPECT_THROW((void)stacked_svg({"<html>"}), InputError);
}

TEST(Svg, TicksAreRoundAndInside) {
  const auto ticks = svg::Scale(0.0, 20.0, 0, 100).ticks(5);
  ASSERT_EQ(ticks.size(), 5U);
  EXPECT_EQ(ticks[1].label, "5");
  const auto small = svg::Scale(-0.02, 0.04, 0, 100).ticks(5);
  EXPECT_EQ(small.front().label, "\u22120.02");
  EXPECT_EQ(small[1].label, "0.00");
  std::string labels;
  for (const auto& tick : svg::Scale(0.5, 2000.0, 0, 100, true).ticks(5)) {
    if (!tick.label.empty()) labels += tick.label + " ";
  }
  EXPECT_EQ(labels, "1 10 100 1000 ");
}

TEST(Svg, ScalesMapEndsToEnds) {
  const svg::Scale y(10.0, 20.0, 300.0, 100.0);
  EXPECT_DOUBLE_EQ(y(10.0), 300.0);
  EXPECT_DOUBLE_EQ(y(15.0), 200.0);
  const svg::Scale x(1.0, 100.0, 0.0, 200.0, true);
  EXPECT_DOUBLE_EQ(x(10.0), 100.0);
}

TEST(Svg, LabelsKeepTheirDistance) {
  const auto places = svg::spread_labels({10, 11, 12, 100}, 13, 0, 100);
  for (std::size_t i = 1; i < places.size(); ++i) EXPECT_GE(places[i] - places[i - 1], 12.999);
  EXPECT_LE(places.back(), 100.0);
  EXPECT_TRUE(svg::spread_labels({}, 13, 0, 100).empty());
}

// Every text of a document that is not rotated, with its extent: letters of half an em, which is
// less than Helvetica, Arial and DejaVu Sans need on average, so what this finds is cut in all of them.
std::string text_outside(const std::string& plot) {
  const auto number = [](const std::string& tag, const std::string& key, double otherwise) {
    const std::size_t at = tag.find(" " + key + "=\"");
    return at == std::string::npos ? otherwise : std::stod(tag.substr(at + key.size() + 3));
  };
  const double width = number(plot.substr(0, plot.find('>')), "width", 0.0);
  for (std::size_t at = 0; (at = plot.find("<text", at)) != std::string::npos;) {
    const std::size_t close = plot.find('>', at), end = plot.find('<', close);
    const std::string tag = plot.substr(at, close - at), text = plot.substr(close + 1, end - close - 1);
    at = end;
    if (tag.find("rotate") != std::string::npos) continue;
    const auto letters = std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    });
    const double extent = 0.5 * number(tag, "font-size", 12.0) * static_cast<double>(letters);
    const bool at_end = tag.find("\"end\"") != std::string::npos;
    const bool middle = tag.find("\"middle\"") != std::string::npos;
    const double left = number(tag, "x", 0.0) - (at_end ? extent : middle ? extent / 2 : 0.0);
    if (left < 0.0 || left + extent > width) return text;
  }
  return "";
}

TEST(Layout, NoTextIsCutHoweverLongTheNamesAre) {
  const std::string name = "a_population_with_the_longest_name_that_a_model_file_may_give_it";
  ASSERT_EQ(name.size(), 64u);  // the limit of validation
  for (const std::size_t populations : {1, 2, 4}) {
    Result result = layered();
    result.populations.resize(populations);
    for (const bool long_names : {false, true}) {
      if (long_names) {
        for (std::size_t i = 0; i < populations; ++i) {
          result.populations[i].name = name.substr(0, 63) + std::to_string(i);
        }
        result.model = name;
      }
      SCOPED_TRACE(std::to_string(populations) + (long_names ? " long" : " short"));
      Trace trace{result.populations[0].name, "V_m", 1, {1.0, 2.0}, {-65.0, -64.0}};
      result.traces = {trace};
      Reference reference;
      reference.name = name;
      const StatisticsOptions window = default_window(result);
      EXPECT_EQ(text_outside(isi_svg(result, window)), "");
      EXPECT_EQ(text_outside(raster_svg(result)), "");
      EXPECT_EQ(text_outside(trace_svg(result)), "");
      EXPECT_EQ(text_outside(rates_svg(result, result_statistics(result, window), &reference)), "");
      Chart chart;
      chart.title = chart.subtitle = name;
      chart.series = {{name, {1, 2}, {1, 2}, {}, {}}};
      EXPECT_EQ(text_outside(chart_svg(chart)), "");
    }
  }
}

TEST(Svg, ShortenedTextKeepsItsEndsAndFits) {
  EXPECT_EQ(svg::shortened("short", 100, 12), "short");
  const std::string cut = svg::shortened("beginning of a long name and its end", 80, 12);
  EXPECT_LE(svg::text_width(cut, 12), 80.0);
  EXPECT_EQ(cut.substr(0, 3), "beg");
  EXPECT_EQ(cut.substr(cut.size() - 3), "end");
  EXPECT_NE(cut.find("\u2026"), std::string::npos);
  EXPECT_EQ(svg::escaped(svg::shortened("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", 30, 12)).find('?'),
            std::string::npos);  // no character is halved
}

TEST(Svg, TextIsSafe) {
  EXPECT_EQ(svg::escaped("a<b>&\"c"), "a&lt;b&gt;&amp;&quot;c");
  EXPECT_EQ(svg::escaped("\x01\xff\xc3\xa9\xed\xa0\x80"), "??\xc3\xa9???");
  EXPECT_EQ(svg::grouped(298880968), "298,880,968");
  EXPECT_EQ(svg::grouped(77), "77");
}

}  // namespace
}  // namespace tessera
