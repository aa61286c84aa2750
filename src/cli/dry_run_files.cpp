// What a dry run writes: JSON for programs, a picture for people.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/dry_run.hpp"
#include "cli/text.hpp"
#include "tessera/plot.hpp"

namespace tessera::cli {
namespace {

using nlohmann::json;

json exchange_json(const ExchangeEstimate& e) {
  return {{"messages_per_step", e.messages_per_step}, {"bytes_per_step", e.bytes_per_step},
          {"received_spikes_per_step", e.received_per_step}, {"table_bytes", e.table_bytes},
          {"seconds_per_step", e.seconds_per_step}};
}

ExchangeEstimate exchange_of(const json& j) {
  return {j.at("messages_per_step"), j.at("bytes_per_step"), j.at("received_spikes_per_step"),
          j.at("table_bytes"), j.at("seconds_per_step")};
}

Chart over_ranks(const std::vector<DryRun>& runs, const std::string& title, const std::string& subtitle,
                 const std::string& y_label, double (*value)(const DryRun&)) {
  Chart chart;
  chart.title = title;
  chart.subtitle = subtitle;
  chart.x_label = "ranks";
  chart.y_label = y_label;
  chart.x_log = true;
  Chart::Series series;
  for (const DryRun& run : runs) {
    series.x.push_back(run.ranks);
    series.y.push_back(value(run));
  }
  chart.series.push_back(std::move(series));
  return chart;
}

}  // namespace

std::string dry_run_json(const DryRun& run) {
  json rooms = json::array();
  for (const PlannedMemory& part : run.plan.memory) {
    rooms.push_back({{"room", part.room}, {"holds", part.what}, {"bytes", part.bytes}});
  }
  const json result = {
      {"ranks", run.ranks},
      {"rank", run.rank},
      {"neurons", run.plan.own_neurons},
      {"synapses", run.synapses},
      {"network", {{"neurons", run.network_neurons}, {"synapses", run.network_synapses}}},
      {"connectivity", to_string(run.plan.connectivity, run.plan.mixture)},
      {"mixture",
       {{"stored_projections", run.plan.mixture.stored_projections},
        {"stored_synapses", run.plan.mixture.stored_synapses},
        {"drawn_projections", run.plan.mixture.drawn_projections},
        {"drawn_synapses", run.plan.mixture.drawn_synapses}}},
      {"load", {{"most_over_mean", run.imbalance}, {"idle_ranks", run.idle_ranks}}},
      {"threads", run.plan.threads},
      {"construction_seconds", run.construction_seconds},
      {"memory",
       {{"planned_bytes", run.plan.memory_bytes},
        {"peak_resident_bytes", run.peak_resident_bytes},
        {"rooms", rooms}}},
      {"exchange",
       {{"collective", exchange_json(run.plan.collective)},
        {"point_to_point", exchange_json(run.plan.point_to_point)},
        {"chosen", to_string(run.plan.exchange)},
        {"local_interval_steps", run.plan.local_interval_steps},
        {"remote_interval_steps", run.plan.remote_interval_steps}}},
      {"predicted", {{"step_seconds", run.step_seconds}, {"real_time_factor", run.real_time_factor}}}};
  return result.dump(2);
}

DryRun dry_run_of(const std::string& text) {
  const json j = json::parse(text);
  DryRun run;
  run.ranks = j.at("ranks");
  run.rank = j.at("rank");
  run.plan.own_neurons = j.at("neurons");
  run.synapses = j.at("synapses");
  run.network_neurons = j.at("network").at("neurons");
  run.network_synapses = j.at("network").at("synapses");
  run.plan.connectivity = j.at("connectivity") == "stored" ? Connectivity::stored : Connectivity::procedural;
  const json& mixture = j.at("mixture");
  run.plan.mixture = {mixture.at("stored_projections"), mixture.at("drawn_projections"), mixture.at("stored_synapses"),
                      mixture.at("drawn_synapses")};
  run.imbalance = j.at("load").at("most_over_mean");
  run.idle_ranks = j.at("load").at("idle_ranks");
  run.plan.threads = j.at("threads");
  run.construction_seconds = j.at("construction_seconds");
  run.plan.memory_bytes = j.at("memory").at("planned_bytes");
  run.peak_resident_bytes = j.at("memory").at("peak_resident_bytes");
  for (const json& part : j.at("memory").at("rooms")) {
    run.plan.memory.push_back({part.at("room"), part.at("bytes"), part.at("holds")});
  }
  const json& exchange = j.at("exchange");
  run.plan.collective = exchange_of(exchange.at("collective"));
  run.plan.point_to_point = exchange_of(exchange.at("point_to_point"));
  run.plan.exchange = exchange.at("chosen") == "collective" ? Exchange::collective : Exchange::point_to_point;
  run.plan.local_interval_steps = exchange.at("local_interval_steps");
  run.plan.remote_interval_steps = exchange.at("remote_interval_steps");
  run.step_seconds = j.at("predicted").at("step_seconds");
  run.real_time_factor = j.at("predicted").at("real_time_factor");
  return run;
}

std::string scaling_svg(const std::string& title, const std::vector<DryRun>& runs) {
  const DryRun& last = runs.back();
  const std::string what = fmt::format("one rank built on this machine, {} connectivity, {}",
                                       to_string(last.plan.connectivity, last.plan.mixture), counted(static_cast<std::uint64_t>(last.plan.threads), "thread"));
  return stacked_svg(
      {chart_svg(over_ranks(runs, title + ": construction", what, "seconds", [](const DryRun& r) { return r.construction_seconds; })),
       chart_svg(over_ranks(runs, title + ": memory of a rank", what, "GB",
                            [](const DryRun& r) { return static_cast<double>(r.peak_resident_bytes) * 1e-9; })),
       chart_svg(over_ranks(runs, title + ": predicted real-time factor", "by the cost model; nothing but construction was run",
                            "wall time / model time", [](const DryRun& r) { return r.real_time_factor; }))});
}

}  // namespace tessera::cli
