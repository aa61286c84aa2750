// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/dry_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>
#include <optional>

#include "cli/run_summary.hpp"
#include "cli/status_line.hpp"
#include "cli/text.hpp"
#include "cli/values.hpp"
#include "tessera/communicator.hpp"
#include "tessera/result.hpp"

namespace tessera::cli {
namespace {

constexpr std::uint64_t kMostRanks = 1u << 20;

struct Wanted {
  std::vector<int> ranks;
  int rank = 0;
  SimulationOptions options;
};

Wanted resolve(const PlanArguments& arguments, Problems& problems) {
  Wanted wanted;
  wanted.options = simulation_options(arguments, problems);
  wanted.ranks = parse_ranks(*arguments.ranks, problems);
  if (arguments.rank && !wanted.ranks.empty()) {
    const int fewest = *std::min_element(wanted.ranks.begin(), wanted.ranks.end());
    const auto rank = parse_whole(*arguments.rank, 0, static_cast<std::uint64_t>(fewest) - 1, "--rank", problems);
    wanted.rank = static_cast<int>(rank.value_or(0));
  }
  if (arguments.time) problems.add("--time", "is not for a plan over ranks, which predicts a real-time factor.");
  CostModel& costs = wanted.options.costs;
  parse_cost(arguments.latency, "--latency", "microseconds", 1e-6, costs.message_seconds, problems);
  double bandwidth = 1.0 / costs.byte_seconds;
  parse_cost(arguments.bandwidth, "--bandwidth", "GB/s", 1e9, bandwidth, problems);
  costs.byte_seconds = 1.0 / bandwidth;
  parse_cost(arguments.event_cost, "--event-cost", "nanoseconds", 1e-9, costs.event_seconds, problems);
  return wanted;
}

/// Builds the rank; throws InputError when it does not fit, before anything is allocated.
DryRun build(const Network& network, const NeuronCatalogue& models, const SimulationOptions& options) {
  DryRun run;
  run.ranks = options.communicator->size();
  run.rank = options.communicator->rank();
  run.plan = plan(network, models, options);
  run.network_neurons = run.plan.neurons;
  const std::vector<double>& loads = run.plan.rank_loads;
  const double mean = std::accumulate(loads.begin(), loads.end(), 0.0) / std::max<double>(1.0, static_cast<double>(loads.size()));
  run.imbalance = mean > 0.0 ? *std::max_element(loads.begin(), loads.end()) / mean : 1.0;
  run.idle_ranks = static_cast<std::uint64_t>(std::count(loads.begin(), loads.end(), 0.0));
  run.network_synapses = static_cast<double>(run.plan.synapses);
  if (!run.plan.obstacles.empty()) {
    throw InputError(fmt::format("{} {}", fmt::join(run.plan.obstacles, " "), fmt::join(run.plan.remedies, " ")));
  }
  const Simulation simulation(network, models, options);
  const SimulationReport report = simulation.report();
  run.construction_seconds = report.construction_seconds;
  run.synapses = run.plan.connectivity == Connectivity::stored ? report.counts.synapses
                                                               : static_cast<std::uint64_t>(run.plan.own_synapses);
  run.peak_resident_bytes = peak_resident_bytes();
  run.real_time_factor = run.plan.real_time_factor;
  run.step_seconds = run.plan.real_time_factor * network.dt_ms / 1000.0;
  return run;
}

/// A process of its own, so that its memory is that of one rank: what it wrote, and how it ended.
class Child {
 public:
  template <class Work>
  explicit Child(const Work& work) {
    int ends[2];
    if (::pipe(ends) != 0) throw RunError(std::string("A pipe could not be made: ") + std::strerror(errno) + ".");
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw RunError(std::string("A process could not be started: ") + std::strerror(errno) + ".");
    if (pid_ == 0) {
      ::close(ends[0]);
      const std::string text = work();
      for (std::size_t at = 0; at < text.size();) {
        const ssize_t n = ::write(ends[1], text.data() + at, text.size() - at);
        if (n <= 0) ::_exit(1);
        at += static_cast<std::size_t>(n);
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    from_ = ends[0];
  }
  ~Child() {
    ::close(from_);
    if (!ended_) ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Waits up to a second; false when all was read.
  bool read() {
    pollfd wait{from_, POLLIN, 0};
    if (::poll(&wait, 1, 1000) <= 0) return true;
    char buffer[4096];
    const ssize_t n = ::read(from_, buffer, sizeof buffer);
    if (n > 0) text_.append(buffer, static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
  }
  /// What it wrote; nothing when it was ended.
  std::optional<std::string> text() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text_;
    return std::nullopt;
  }

 private:
  pid_t pid_ = 0;
  int from_ = -1;
  bool ended_ = false;
  std::string text_;
};

/// Builds one rank in a process of its own. What it answers begins with '{', or is what went wrong.
DryRun build_apart(const std::string& model, const std::function<DryRun()>& work, StatusLine& line) {
  const auto start = std::chrono::steady_clock::now();
  Child child([&]() -> std::string {
    try {
      return dry_run_json(work());
    } catch (const std::exception& error) {
      return error.what();
    }
  });
  while (child.read()) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (seconds > 2.0) line.draw(fmt::format("{}: building, {:.0f} s", model, seconds));
  }
  line.clear();
  const std::optional<std::string> answer = child.text();
  if (!answer) throw RunError(model + ": the process that built it was ended, most likely for its memory.");
  if (answer->empty() || answer->front() != '{') throw InputError(model + ": " + *answer);
  return dry_run_of(*answer);
}

void show(const std::vector<DryRun>& runs) {
  Table table({"ranks", "rank", "neurons", "synapses", "built in", "memory", "planned", "exchange", "sent per step",
               "p2p table", "real-time factor"}, 0);
  for (const DryRun& r : runs) {
    const ExchangeEstimate& e = r.plan.exchange == Exchange::collective ? r.plan.collective : r.plan.point_to_point;
    table.row({grouped(static_cast<std::uint64_t>(r.ranks)), grouped(static_cast<std::uint64_t>(r.rank)), grouped(r.plan.own_neurons),
               grouped(r.synapses), fmt::format("{:.2f} s", r.construction_seconds), bytes_text(r.peak_resident_bytes),
               bytes_text(r.plan.memory_bytes), to_string(r.plan.exchange),
               bytes_text(static_cast<std::uint64_t>(e.bytes_per_step)),
               bytes_text(static_cast<std::uint64_t>(r.plan.point_to_point.table_bytes)),
               r.real_time_factor > 0.0 ? fmt::format("{:.2g}", r.real_time_factor) : "unknown"});
  }
  fmt::print("{}", table.text());
}

void show_one(const DryRun& r) {
  fmt::print("\nrank {} of {}: {} connectivity, {}; a network of {} neurons and {:.4g} synapses\n\n", r.rank, grouped(static_cast<std::uint64_t>(r.ranks)),
             to_string(r.plan.connectivity, r.plan.mixture), counted(static_cast<std::uint64_t>(r.plan.threads), "thread"),
             grouped(r.network_neurons), r.network_synapses);
  Table memory({"room", "holds", "planned bytes"}, 2);
  for (const PlannedMemory& part : r.plan.memory) memory.row({part.room, part.what, bytes_text(part.bytes)});
  memory.row({"in all", "predicted peak of the process", bytes_text(r.plan.memory_bytes)});
  memory.row({"", "measured peak after construction", bytes_text(r.peak_resident_bytes)});
  fmt::print("{}\n", memory.text());
  show_mixture(r.plan.mixture);
  Table exchange({"exchange", "messages per step", "bytes per step", "spikes that come", "table", "seconds per step"});
  for (const auto& [name, e] : {std::pair("collective", &r.plan.collective), std::pair("point_to_point", &r.plan.point_to_point)}) {
    exchange.row({name, fmt::format("{:.4g}", e->messages_per_step), fmt::format("{:.4g}", e->bytes_per_step),
                  fmt::format("{:.4g}", e->received_per_step), bytes_text(static_cast<std::uint64_t>(e->table_bytes)), fmt::format("{:.3g}", e->seconds_per_step)});
  }
  fmt::print("{}chosen: {}; ranks meet every {} steps, their threads every {}\n", exchange.text(), to_string(r.plan.exchange),
             r.plan.remote_interval_steps, r.plan.local_interval_steps);
  const double all = r.plan.collective.received_per_step;
  if (all > 0.0) {
    fmt::print("point to point saves {:.1f} % of the copies of spikes that an all-gather makes\n",
               100.0 * (1.0 - r.plan.point_to_point.received_per_step / all));
  }
  if (r.ranks > 1) fmt::print("the busiest rank has {:.2f} times the mean load; {} without neurons\n", r.imbalance, counted(r.idle_ranks, "rank"));
}

}  // namespace

std::vector<int> parse_ranks(const std::string& text, Problems& problems) {
  std::vector<int> ranks;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const auto number = parse_whole(text.substr(begin, end - begin), 1, kMostRanks, "--ranks", problems);
    if (number) ranks.push_back(static_cast<int>(*number));
    begin = end + 1;
  }
  return ranks;
}

void parse_cost(const Text& text, const char* option, const char* unit, double factor, double& value, Problems& problems) {
  if (!text) return;
  char* end = nullptr;
  const double number = std::strtod(text->c_str(), &end);
  if (end == text->c_str() || *end != '\0' || !(number > 0.0) || number > 1e12) {
    problems.add(option, fmt::format("'{}' should be a positive number of {}, without unit.", *text, unit));
    return;
  }
  value = number * factor;
}

int plan_ranks(const PlanArguments& arguments, Problems& problems) {
  require_given(arguments.model, "MODEL", "tessera plan model.toml --ranks 1024", problems);
  const Wanted wanted = resolve(arguments, problems);
  problems.raise();
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  StatusLine line;
  std::vector<DryRun> runs;
  std::string name;
  for (const int ranks : wanted.ranks) {
    std::optional<Network> network = load_network(arguments, models, problems, ranks);
    problems.raise();
    SimulationOptions options = wanted.options;
    if (!arguments.seed) options.seed = network->seed;
    options.communicator = dry_run_communicator(wanted.rank, ranks);
    name = network->name;
    const std::string which = fmt::format("rank {} of {}", wanted.rank, grouped(static_cast<std::uint64_t>(ranks)));
    runs.push_back(build_apart(which, [&] { return build(*network, models, options); }, line));
  }
  show(runs);
  if (runs.size() == 1) show_one(runs.front());
  if (arguments.json) {
    std::string text;
    for (const DryRun& run : runs) text += (text.empty() ? "" : ",\n") + dry_run_json(run);
    write_text_file(*arguments.json, (runs.size() == 1 ? text : "[\n" + text + "\n]") + "\n");
  }
  if (arguments.svg) write_text_file(*arguments.svg, scaling_svg(name, runs));
  return kOk;
}

}  // namespace tessera::cli
