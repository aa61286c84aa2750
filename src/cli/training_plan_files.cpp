// What a plan of a training writes: JSON for programs, a picture for people.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include <limits>

#include "cli/training_plan.hpp"
#include "tessera/plot.hpp"

namespace tessera::cli {
namespace {

using nlohmann::json;
using training::RankPlan;
using training::SplitPlan;

json split_json(const SplitPlan& s) {
  json obstacles = json::array(), rooms = json::array();
  for (const Problem& problem : s.obstacles) obstacles.push_back(problem.message);
  if (!s.obstacles.empty()) return {{"possible", false}, {"obstacles", obstacles}};
  for (const auto& room : s.memory) rooms.push_back({{"room", room.room}, {"holds", room.what}, {"bytes", room.bytes}});
  return {{"possible", true},
          {"neurons", s.neurons},
          {"parameters", s.parameters},
          {"memory", {{"planned_bytes", s.memory_bytes}, {"rooms", rooms}}},
          {"exchange", {{"messages_per_batch", s.messages}, {"bytes_per_batch", s.bytes}}},
          {"predicted",
           {{"compute_seconds", s.compute_seconds}, {"exchange_seconds", s.exchange_seconds}, {"batch_seconds", s.batch_seconds}}}};
}

std::string chart(const std::vector<RankPlan>& plans, const std::string& title, const std::string& y_label,
                  double (*value)(const SplitPlan&)) {
  Chart chart;
  chart.title = title;
  chart.subtitle = "counted and predicted by the cost model; nothing was run";
  chart.x_label = "ranks";
  chart.y_label = y_label;
  chart.x_log = true;
  for (SplitPlan RankPlan::* split : {&RankPlan::data, &RankPlan::model}) {
    Chart::Series series;
    series.label = split == &RankPlan::data ? "ranks share samples" : "ranks share layers";
    bool any = false;
    for (const RankPlan& plan : plans) {
      const bool possible = (plan.*split).obstacles.empty();
      any = any || possible;
      series.x.push_back(plan.ranks);
      series.y.push_back(possible ? value(plan.*split) : std::numeric_limits<double>::quiet_NaN());
    }
    if (any) chart.series.push_back(std::move(series));
  }
  return chart_svg(chart);
}

}  // namespace

std::string rank_plan_json(const RankPlan& plan) {
  const json result = {{"ranks", plan.ranks},
                       {"rank", plan.rank},
                       {"network", {{"neurons", plan.neurons}, {"parameters", plan.parameters}}},
                       {"chosen", to_string(plan.chosen)},
                       {"data", split_json(plan.data)},
                       {"model", split_json(plan.model)}};
  return result.dump(2);
}

std::string rank_plan_svg(const std::string& title, const std::vector<RankPlan>& plans) {
  return stacked_svg({chart(plans, title + ": memory of a rank", "GB", [](const SplitPlan& s) { return s.memory_bytes * 1e-9; }),
                      chart(plans, title + ": predicted time of a batch", "seconds", [](const SplitPlan& s) { return s.batch_seconds; }),
                      chart(plans, title + ": sent by a rank in a batch", "GB", [](const SplitPlan& s) { return s.bytes * 1e-9; })});
}

}  // namespace tessera::cli
