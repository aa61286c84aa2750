// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/training_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/process_limits.hpp"
#include "cli/dry_run.hpp"
#include "cli/text.hpp"
#include "cli/train_settings.hpp"
#include "files/file.hpp"
#include "files/toml.hpp"
#include "tessera/result.hpp"

namespace tessera::cli {
namespace {

using training::RankPlan;
using training::RankPlanOptions;
using training::SplitPlan;

struct Wanted {
  std::vector<int> ranks;
  RankPlanOptions options;
  Text slices;
};

// Options of networks to simulate.
void refuse_others(const PlanArguments& a, Problems& problems) {
  for (const auto& [option, given] :
       {std::pair("--time", &a.time), std::pair("--connectivity", &a.connectivity), std::pair("--group-size", &a.group_size),
        std::pair("--tiles", &a.tiles), std::pair("--precision", &a.precision), std::pair("--exchange", &a.exchange),
        std::pair("--placement", &a.placement), std::pair("--device", &a.device), std::pair("--seed", &a.seed)}) {
    if (*given) problems.add(option, "is for networks to simulate, not for training files.");
  }
  if (a.no_count_table) problems.add("--no-count-table", "is for networks to simulate, not for training files.");
}

Wanted resolve(const PlanArguments& a, Problems& problems) {
  refuse_others(a, problems);
  Wanted wanted;
  wanted.ranks = a.ranks ? parse_ranks(*a.ranks, problems) : std::vector<int>{1};
  if (a.rank && !wanted.ranks.empty()) {
    const int fewest = *std::min_element(wanted.ranks.begin(), wanted.ranks.end());
    wanted.options.rank = static_cast<int>(
        parse_whole(*a.rank, 0, static_cast<std::uint64_t>(fewest) - 1, "--rank", problems).value_or(0));
  }
  wanted.options.threads = process_limits().threads();
  if (a.threads) wanted.options.threads = static_cast<int>(parse_whole(*a.threads, 1, 4096, "--threads", problems).value_or(1));
  if (a.activity) wanted.options.activity = parse_share(*a.activity, "--activity", problems);
  if (a.listed) wanted.options.listed = parse_share(*a.listed, "--listed", problems);
  training::TrainingCosts& costs = wanted.options.costs;
  parse_cost(a.latency, "--latency", "microseconds", 1e-6, costs.message_seconds, problems);
  double bandwidth = 1.0 / costs.byte_seconds;
  parse_cost(a.bandwidth, "--bandwidth", "GB/s", 1e9, bandwidth, problems);
  costs.byte_seconds = 1.0 / bandwidth;
  parse_cost(a.event_cost, "--event-cost", "nanoseconds", 1e-9, costs.dense_seconds, problems);
  if (a.event_cost) costs.synapse_seconds = costs.dense_seconds;
  return wanted;
}

std::string whole(double number) { return grouped(static_cast<std::uint64_t>(number)); }

std::vector<const SplitPlan*> splits(const RankPlan& plan) { return {&plan.data, &plan.model}; }

void show(const std::vector<RankPlan>& plans) {
  Table table({"ranks", "rank", "shares", "neurons", "parameters", "memory", "messages", "sent per batch", "time of a batch",
               "of which exchange"}, 0);
  for (const RankPlan& plan : plans) {
    for (const SplitPlan* s : splits(plan)) {
      std::vector<std::string> cells = {grouped(static_cast<std::uint64_t>(plan.ranks)), grouped(static_cast<std::uint64_t>(plan.rank)),
                                        s->parallel == training::Parallel::data ? "samples" : "layers"};
      if (!s->obstacles.empty()) {
        cells.insert(cells.end(), {"not possible", "", "", "", "", "", ""});
      } else {
        cells.insert(cells.end(),
                     {whole(s->neurons), whole(s->parameters),
                      bytes_text(static_cast<std::uint64_t>(s->memory_bytes)), whole(s->messages),
                      bytes_text(static_cast<std::uint64_t>(s->bytes)), fmt::format("{:.3g} s", s->batch_seconds),
                      fmt::format("{:.3g} s", s->exchange_seconds)});
      }
      table.row(cells);
    }
  }
  fmt::print("{}", table.text());
}

void show_one(const RankPlan& plan) {
  for (const SplitPlan* s : splits(plan)) {
    const bool data = s->parallel == training::Parallel::data;
    fmt::print("\nranks share {} (parallel = {}){}\n", data ? "samples" : "layers", to_string(s->parallel),
               plan.ranks > 1 && plan.chosen == s->parallel && s->obstacles.empty() ? ": what auto chooses where ranks have the memory of this machine each" : "");
    for (const Problem& problem : s->obstacles) fmt::print("  not possible: {}\n", problem.message);
    if (!s->obstacles.empty()) continue;
    Table memory({"room", "holds", "bytes"}, 2);
    for (const auto& room : s->memory) memory.row({room.room, room.what, bytes_text(static_cast<std::uint64_t>(room.bytes))});
    memory.row({"in all", "without data sets and the program", bytes_text(static_cast<std::uint64_t>(s->memory_bytes))});
    fmt::print("{}", memory.text());
  }
}

RankPlan plan_of(const PlanArguments& arguments, const Wanted& wanted, int ranks, std::string& name, Problems& problems) {
  std::vector<ParameterOverride> overrides = parse_overrides(arguments.set, problems);
  problems.raise();
  training::TrainingModel model = load_for_ranks(*arguments.model, ranks, overrides);
  if (arguments.slices) {
    model.options.slices = static_cast<std::uint32_t>(parse_whole(*arguments.slices, 1, 4096, "--slices", problems).value_or(1));
    problems.raise();
  }
  name = model.network.name;
  RankPlanOptions options = wanted.options;
  options.ranks = ranks;
  return plan_over_ranks(model.network, model.options, options);
}

}  // namespace

bool is_training_file(const std::filesystem::path& path) {
  const toml::table file = io::parse_toml(io::read_file(path, io::kLongestModelFile), path.string());
  return file.contains("layer") && !file.contains("populations");
}

bool looks_like_training(const std::filesystem::path& path) {
  try {
    return is_training_file(path);
  } catch (const InputError&) {
    return false;  // whoever reads it says what is wrong
  }
}

double parse_share(const std::string& text, const std::string& option, Problems& problems) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value > 0.0 && value <= 1.0) return value;
  problems.add(option, fmt::format("'{}' should be a number above 0 and at most 1.", text));
  return 0.0;
}

int plan_training(const PlanArguments& arguments) {
  Problems problems;
  const Wanted wanted = resolve(arguments, problems);
  std::vector<RankPlan> plans;
  std::string name;
  problems.raise();
  for (const int ranks : wanted.ranks) plans.push_back(plan_of(arguments, wanted, ranks, name, problems));
  const RankPlan& last = plans.back();
  fmt::print("{}: {} neurons, {} parameters{}\n\n", name, whole(last.neurons), whole(last.parameters),
             plans.size() > 1 ? fmt::format(" on {} ranks", last.ranks) : "");
  show(plans);
  if (plans.size() == 1) show_one(last);
  if (arguments.json) {
    std::string text;
    for (const RankPlan& plan : plans) text += (text.empty() ? "" : ",\n") + rank_plan_json(plan);
    write_text_file(*arguments.json, (plans.size() == 1 ? text : "[\n" + text + "\n]") + "\n");
  }
  if (arguments.svg) write_text_file(*arguments.svg, rank_plan_svg(name, plans));
  return kOk;
}

}  // namespace tessera::cli
