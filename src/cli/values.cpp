// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/values.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "network/select_populations.hpp"
#include "tessera/model_file.hpp"

namespace tessera::cli {
namespace {

constexpr std::uint64_t kMostThreads = 4096;
constexpr std::uint64_t kMostTiles = 1u << 20;

struct TimeUnit {
  const char* name;
  double milliseconds;
};
constexpr TimeUnit kTimeUnits[] = {{"us", 1e-3}, {"ms", 1.0}, {"s", 1e3}, {"min", 6e4}};

struct SizeUnit {
  const char* name;
  double bytes;
};
constexpr SizeUnit kSizeUnits[] = {{"B", 1.0},    {"kB", 1e3},           {"MB", 1e6},          {"GB", 1e9},
                                   {"TB", 1e12},  {"MiB", 1048576.0},    {"GiB", 1073741824.0}};

std::string without_spaces_around(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace

void Problems::add(const std::string& option, const std::string& sentence) {
  SourceLocation where;
  where.key_path = option;
  problems_.push_back({where, sentence});
}

void Problems::add(const std::vector<Problem>& problems) {
  problems_.insert(problems_.end(), problems.begin(), problems.end());
}

void Problems::add(const TooLargeError& error) {
  add(error.problems());
  too_large_ += error.problems().size();
}

void Problems::raise() const {
  if (!problems_.empty()) throw InputError(problems_);
}

std::optional<double> parse_time_ms(const std::string& text, const std::string& option,
                                    Problems& problems) {
  const std::string trimmed = without_spaces_around(text);
  double number = 0.0;
  const char* const end = trimmed.data() + trimmed.size();
  const auto [rest, error] = std::from_chars(trimmed.data(), end, number);
  if (error != std::errc() || !std::isfinite(number)) {
    problems.add(option, fmt::format("'{}' is not a time; write a number and a unit, for example "
                                     "10s or '500 ms'.",
                                     text));
    return std::nullopt;
  }
  const std::string unit = without_spaces_around(std::string(rest, end));
  for (const TimeUnit& known : kTimeUnits) {
    if (unit != known.name) continue;
    const double milliseconds = number * known.milliseconds;
    if (milliseconds >= 0.0 && milliseconds <= 1e12) return milliseconds;
    problems.add(option, fmt::format("'{}' is out of range; times go from 0 to 1e9 s.", text));
    return std::nullopt;
  }
  problems.add(option,
               unit.empty()
                   ? fmt::format("'{}' has no unit; write {}s or {}ms.", text, trimmed, trimmed)
                   : fmt::format("'{}' is not a unit of time; use us, ms, s or min.", unit));
  return std::nullopt;
}

std::optional<std::uint64_t> parse_whole(const std::string& text, std::uint64_t lowest,
                                         std::uint64_t highest, const std::string& option,
                                         Problems& problems) {
  const std::string trimmed = without_spaces_around(text);
  std::uint64_t number = 0;
  const char* const end = trimmed.data() + trimmed.size();
  const auto [rest, error] = std::from_chars(trimmed.data(), end, number);
  if (error == std::errc() && rest == end && number >= lowest && number <= highest) return number;
  problems.add(option,
               fmt::format("'{}' is not a whole number from {} to {}.", text, lowest, highest));
  return std::nullopt;
}

std::optional<std::size_t> parse_choice(const std::string& text,
                                        const std::vector<std::string>& choices,
                                        const std::string& option, Problems& problems) {
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (text == choices[i]) return i;
  }
  problems.add(option, fmt::format("'{}' is not possible; choose one of {}.{}", text,
                                   fmt::join(choices, ", "), did_you_mean(text, choices)));
  return std::nullopt;
}

void require_given(const Text& value, const std::string& name, const std::string& example,
                   Problems& problems) {
  if (!value) problems.add(name, fmt::format("is missing, for example: {}", example));
}

void require_multiple_of_dt(double time_ms, double dt_ms, const std::string& option,
                            Problems& problems) {
  const double steps = time_ms / dt_ms;
  // Decimal times are not exact in binary: a millionth of a step is rounding, not intent.
  if (std::abs(steps - std::round(steps)) > 1e-6 * std::max(1.0, steps * 1e-6)) {
    problems.add(option,
                 fmt::format("{} ms is not a multiple of the time step, {} ms.", time_ms, dt_ms));
  }
}

// "4GB", "500 MB", "2GiB": decimal units, or powers of 1024.
std::optional<std::uint64_t> parse_size(const std::string& text, const std::string& option, Problems& problems) {
  const std::string trimmed = without_spaces_around(text);
  double number = 0.0;
  const char* const end = trimmed.data() + trimmed.size();
  const auto [rest, error] = std::from_chars(trimmed.data(), end, number);
  const std::string unit = without_spaces_around(std::string(rest, end));
  for (const SizeUnit& known : kSizeUnits) {
    if (error != std::errc() || unit != known.name) continue;
    const double bytes = number * known.bytes;
    if (bytes >= 1.0 && bytes <= 1e18) return static_cast<std::uint64_t>(bytes);
    problems.add(option, fmt::format("'{}' is out of range; sizes go from 1 B to 1e6 TB.", text));
    return std::nullopt;
  }
  problems.add(option, fmt::format("'{}' is not a size; write a number and one of B, kB, MB, GB, TB, MiB, GiB, for example 4GB.", text));
  return std::nullopt;
}

// "cpu", "auto", "cuda", "cuda:1", "emulated".
Device parse_device(const std::string& text, Problems& problems) {
  Device device;
  const auto colon = text.find(':');
  if (text.substr(0, colon) == "cuda") {
    device.kind = Device::Kind::cuda;
    if (colon != std::string::npos) {
      if (const auto index = parse_whole(text.substr(colon + 1), 0, 255, "--device", problems)) {
        device.index = static_cast<int>(*index);
      }
    }
    return device;
  }
  constexpr Device::Kind kinds[] = {Device::Kind::cpu, Device::Kind::automatic, Device::Kind::cuda,
                                    Device::Kind::emulated};
  if (const auto choice = parse_choice(text, {"cpu", "auto", "cuda", "emulated"}, "--device", problems)) {
    device.kind = kinds[*choice];
  }
  return device;
}

SimulationOptions simulation_options(const ModelArguments& arguments, Problems& problems) {
  SimulationOptions options;
  const auto whole = [&problems](const Text& text, std::uint64_t highest, const char* option,
                                 auto& into) {
    if (!text) return;
    const std::uint64_t lowest = std::string(option) == "--seed" ? 0 : 1;
    if (const auto number = parse_whole(*text, lowest, highest, option, problems)) {
      into = static_cast<std::remove_reference_t<decltype(into)>>(*number);
    }
  };
  whole(arguments.seed, std::numeric_limits<std::uint64_t>::max(), "--seed", options.seed);
  whole(arguments.threads, kMostThreads, "--threads", options.threads);
  whole(arguments.tiles, kMostTiles, "--tiles", options.tiles);
  whole(arguments.group_size, kMostTiles, "--group-size", options.group_size);
  if (arguments.connectivity) {
    constexpr Connectivity kinds[] = {Connectivity::automatic, Connectivity::stored,
                                      Connectivity::procedural};
    if (const auto choice = parse_choice(*arguments.connectivity, {"auto", "stored", "procedural"},
                                         "--connectivity", problems)) {
      options.connectivity = kinds[*choice];
    }
  }
  if (arguments.precision) {
    constexpr Precision kinds[] = {Precision::fast, Precision::exact};
    if (const auto choice =
            parse_choice(*arguments.precision, {"fast", "exact"}, "--precision", problems)) {
      options.precision = kinds[*choice];
    }
  }
  if (arguments.exchange) {
    constexpr Exchange kinds[] = {Exchange::automatic, Exchange::collective, Exchange::point_to_point};
    if (const auto choice = parse_choice(*arguments.exchange, {"auto", "collective", "point_to_point"},
                                         "--exchange", problems)) {
      options.exchange = kinds[*choice];
    }
  }
  if (arguments.placement) {
    constexpr RankPlacement kinds[] = {RankPlacement::spread, RankPlacement::pack};
    if (const auto choice =
            parse_choice(*arguments.placement, {"spread", "pack"}, "--placement", problems)) {
      options.rank_placement = kinds[*choice];
    }
  }
  if (arguments.device) options.device = parse_device(*arguments.device, problems);
  if (arguments.memory) {
    options.memory_limit_bytes = parse_size(*arguments.memory, "--memory", problems).value_or(0);
  }
  options.count_table = !arguments.no_count_table;
  if (arguments.no_count_table && options.connectivity == Connectivity::stored) {
    problems.add("--no-count-table",
                 "has no effect on stored connectivity; leave it out, or choose "
                 "--connectivity procedural.");
  }
  return options;
}

std::vector<ParameterOverride> parse_overrides(const std::vector<std::string>& set,
                                               Problems& problems) {
  std::vector<ParameterOverride> overrides;
  for (const std::string& assignment : set) {
    const auto equals = assignment.find('=');
    const std::string name = without_spaces_around(assignment.substr(0, equals));
    if (equals == std::string::npos || name.empty()) {
      problems.add(
          "--set",
          fmt::format("'{}' is not of the form NAME=VALUE, for example scale=0.1.", assignment));
      continue;
    }
    overrides.emplace_back(name, without_spaces_around(assignment.substr(equals + 1)));
  }
  return overrides;
}

std::optional<Network> load_network(const ModelArguments& arguments, const NeuronCatalogue& models,
                                    Problems& problems, int ranks) {
  const std::vector<ParameterOverride> overrides = parse_overrides(arguments.set, problems);
  if (!arguments.model) return std::nullopt;
  try {
    return load_model_file(*arguments.model, models, overrides, ranks);
  } catch (const TooLargeError& error) {
    problems.add(error);
    return std::nullopt;
  } catch (const InputError& error) {
    problems.add(error.problems());
    return std::nullopt;
  }
}

std::optional<StateRecorder> parse_recorder(const std::string& text, Problems& problems) {
  const std::string option = "--record " + text;
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() != 4) {
    problems.add(option,
                 "should be none, spikes, spikes:POPULATION[:COUNT], synapses, weights:PROJECTION:COUNT:INTERVAL or "
                 "VARIABLE:POPULATION:COUNT:INTERVAL, for example V_m:L4E:10:1ms." +
                     did_you_mean(text, {"none", "spikes", "synapses"}));
    return std::nullopt;
  }
  const auto count =
      parse_whole(parts[2], 1, std::numeric_limits<std::uint32_t>::max(), option, problems);
  const auto interval = parse_time_ms(parts[3], option, problems);
  if (!count || !interval) return std::nullopt;
  StateRecorder recorder;
  recorder.variable = parts[0];
  recorder.population = parts[1];
  recorder.count = static_cast<std::uint32_t>(*count);
  recorder.interval_ms = *interval;
  recorder.where.key_path = option;
  return recorder;
}

bool is_spike_selection(const std::string& text) { return text.starts_with("spikes:"); }

std::optional<SpikeSelection> parse_spike_selection(const std::string& text, Problems& problems) {
  const std::string option = "--record " + text;
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() > 3 || parts[1].empty()) {
    problems.add(option, "should be spikes:POPULATION or spikes:POPULATION:COUNT, for example spikes:L4E:100.");
    return std::nullopt;
  }
  SpikeSelection selection;
  selection.population = parts[1];
  selection.where.key_path = option;
  if (parts.size() == 2) return selection;
  const auto count = parse_whole(parts[2], 1, SpikeSelection::kAll - 1, option, problems);
  if (!count) return std::nullopt;
  selection.count = static_cast<std::uint32_t>(*count);
  return selection;
}

namespace {

// `fits`: whether a population can be meant by an area or pattern.
template <class Recording, class Fits>
std::vector<Recording> of_each(const std::vector<Recording>& recordings, const Network& network, Problems& problems, const Fits& fits) {
  const std::vector<std::string> names = population_names(network);
  std::vector<Recording> each;
  for (const Recording& recording : recordings) {
    const std::vector<std::size_t> places = select_populations(names, recording.population);
    if (places.empty()) problems.add(recording.where.key_path, not_selected(names, recording.population));
    for (const std::size_t place : places) {
      const Population& population = network.populations[place];
      if (population.name != recording.population && !fits(population)) continue;
      each.push_back(recording);
      each.back().population = population.name;
    }
  }
  return each;
}

}  // namespace

std::vector<StateRecorder> one_of_each(const std::vector<StateRecorder>& recorders, const Network& network, Problems& problems) {
  return of_each(recorders, network, problems, [](const Population& p) { return p.kind == Population::Kind::neurons; });
}

std::vector<SpikeSelection> one_of_each(const std::vector<SpikeSelection>& selections, const Network& network, Problems& problems) {
  return of_each(selections, network, problems, [](const Population&) { return true; });
}

bool is_weight_recording(const std::string& text) { return text == "weights" || text.starts_with("weights:"); }

std::optional<WeightRecording> parse_weight_recording(const std::string& text, Problems& problems) {
  using What = WeightRecording::What;
  constexpr std::uint32_t kBins = 50;
  const std::string option = "--record " + text;
  std::vector<std::string> parts = split(text, ':');
  if (parts.size() < 4) {
    problems.add(option, "should be weights:PROJECTION:COUNT:INTERVAL, where COUNT is a number of synapses, all, or histogram "
                         "(histogram=BINS), for example weights:feed_forward:100:10ms.");
    return std::nullopt;
  }
  WeightRecording recording;
  recording.where.key_path = option;
  const std::string interval_text = parts.back(), count = parts[parts.size() - 2];
  recording.projection = parts[1];
  for (std::size_t i = 2; i + 2 < parts.size(); ++i) recording.projection += ":" + parts[i];
  if (count == "all") {
    recording.what = What::all;
  } else if (count == "histogram" || count.starts_with("histogram=")) {
    recording.what = What::histogram;
    recording.count = kBins;
  } else if (count.empty() || count[0] < '0' || count[0] > '9') {
    problems.add(option, fmt::format("'{}' is not what can be recorded of weights: a number of synapses, all, histogram or "
                                     "histogram=BINS.{}", count, did_you_mean(count, {"all", "histogram"})));
    return std::nullopt;
  }
  if (const auto equals = count.find('='); equals != std::string::npos || recording.what == What::sample) {
    const std::string number = equals == std::string::npos ? count : count.substr(equals + 1);
    const std::uint32_t most = recording.what == What::sample ? WeightRecording::kMostSynapses : WeightRecording::kMostBins;
    const auto whole = parse_whole(number, 1, most, option, problems);
    if (!whole) return std::nullopt;
    recording.count = static_cast<std::uint32_t>(*whole);
  }
  const auto interval = parse_time_ms(interval_text, option, problems);
  if (!interval) return std::nullopt;
  recording.interval_ms = *interval;
  return recording;
}

}  // namespace tessera::cli
