// tessera synapses: the synapses of a projection as they are drawn, or their degrees.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/process_limits.hpp"
#include "cli/arguments.hpp"
#include "cli/countdown.hpp"
#include "cli/degrees.hpp"
#include "cli/interrupt.hpp"
#include "cli/status_line.hpp"
#include "cli/text.hpp"
#include "cli/values.hpp"
#include "files/file.hpp"
#include "files/npy.hpp"

namespace tessera::cli {
namespace {

using Row = std::span<const ConnectivityRule::Synapse>;

constexpr double kMostOnTerminal = 10'000;
constexpr double kCsvBytes = 28, kNpyBytes = 32;  // of a synapse, about
constexpr double kWorthSaying = 1e9;              // bytes

// Takes the synapses of one source after the other.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void take(Row row) = 0;
  virtual void commit() = 0;
};

std::string csv_lines(Row row) {
  fmt::memory_buffer lines;
  for (const ConnectivityRule::Synapse& s : row) {
    // Delays are whole steps: 3 * 0.1 ms is 0.3 ms, whatever binary makes of it.
    fmt::format_to(std::back_inserter(lines), "{},{},{},{:.12g}\n", s.source, s.target, s.weight,
                   s.delay_ms);
  }
  return fmt::to_string(lines);
}
const std::string kCsvHeader = "source,target,weight,delay_ms\n";

class CsvOutput : public Sink {
 public:
  CsvOutput() {
    std::signal(SIGPIPE, SIG_DFL);  // "| head" has seen enough: no reason for a complaint
    std::fputs(kCsvHeader.c_str(), stdout);
  }
  void take(Row row) override {
    const std::string lines = csv_lines(row);
    std::fwrite(lines.data(), 1, lines.size(), stdout);
    if (std::ferror(stdout) != 0) throw RunError("cannot write to standard output.");
  }
  void commit() override {}
};

class CsvFile : public Sink {
 public:
  explicit CsvFile(const std::filesystem::path& file) : file_(file) { file_.write(kCsvHeader); }
  void take(Row row) override { file_.write(csv_lines(row)); }
  void commit() override { file_.commit(); }

 private:
  io::FileWriter file_;
};

class NpyFile : public Sink {
 public:
  explicit NpyFile(const std::filesystem::path& file) : stream_(file, 4) {}
  void take(Row row) override {
    values_.clear();
    for (const ConnectivityRule::Synapse& s : row) {
      values_.insert(values_.end(), {static_cast<double>(s.source), static_cast<double>(s.target),
                                     s.weight, s.delay_ms});
    }
    stream_.append(values_);
  }
  void commit() override { stream_.commit(); }

 private:
  io::NpyStream stream_;
  std::vector<double> values_;
};


// Counts, and writes the degrees in the end.
class DegreesOutput : public Sink {
 public:
  DegreesOutput(const Projection& projection, std::uint32_t sources, std::uint32_t targets, const Text& file)
      : projection_(projection), file_(file), degrees_(sources, targets) {}
  void take(Row row) override {
    degrees_.add(row);
    synapses_ += row.size();
  }
  void commit() override {
    if (file_) return degrees_.write(*file_);
    fmt::print("{}: {} -> {}, {}, {}\n\n{}", projection_.name, projection_.source, projection_.target,
               to_string(projection_.rule.kind), counted(synapses_, "synapse"), degrees_.text());
  }

 private:
  const Projection& projection_;
  const Text& file_;
  Degrees degrees_;
  std::uint64_t synapses_ = 0;
};

std::vector<std::string> projection_names(const Network& network) {
  std::vector<std::string> names;
  for (const Projection& p : network.projections) names.push_back(p.name);
  return names;
}

int list_projections(const Network& network) {
  const bool plastic = is_plastic(network);
  std::vector<std::string> header = {"projection", "rule", "source", "target"};
  if (plastic) header.push_back("plasticity");
  const std::size_t left = header.size();
  header.push_back("synapses expected");
  Table table(std::move(header), left);
  for (const Projection& p : network.projections) {
    const double n = expected_synapses(p, *network.find(p.source), *network.find(p.target));
    std::vector<std::string> cells = {p.name, to_string(p.rule.kind), p.source, p.target};
    if (plastic) cells.push_back(p.plasticity ? p.plasticity->rule : "-");
    cells.push_back(grouped(static_cast<std::uint64_t>(n + 0.5)));
    table.row(std::move(cells));
  }
  fmt::print("{}\n'tessera synapses MODEL PROJECTION' lists the synapses of one.\n", table.text());
  return kOk;
}

const Projection* find_projection(const std::string& name, const Network& network,
                                  Problems& problems) {
  for (const Projection& p : network.projections) {
    if (p.name == name) return &p;
  }
  problems.add(
      "PROJECTION",
      fmt::format("the model has no projection '{}'.{} 'tessera synapses MODEL' lists them.", name,
                  did_you_mean(name, projection_names(network))));
  return nullptr;
}

bool is_npy(const std::filesystem::path& file) { return file.extension() == ".npy"; }

void check_output(const SynapsesArguments& arguments, Problems& problems) {
  if (!arguments.out) {
    if (arguments.force) problems.add("--force", "nothing is replaced without --out.");
    return;
  }
  const std::filesystem::path file = *arguments.out;
  if (file.extension() != ".csv" && !is_npy(file)) {
    problems.add("--out", fmt::format("'{}' does not end in .csv or .npy.", file.string()));
  }
  std::error_code error;
  if (std::filesystem::exists(file, error) && !arguments.force) {
    problems.add("--out",
                 fmt::format("'{}' is there already; --force replaces it.", file.string()));
  }
}

// What is to be listed, and how much it is.
struct Listing {
  const SynapsesArguments& arguments;
  const Projection& projection;
  std::uint32_t sources, targets;
  double expected;
};

// A screen is no place for a million lines, and a memory may be too small to count.
void check_amount(const Listing& listing, Problems& problems) {
  const SynapsesArguments& arguments = listing.arguments;
  if (arguments.degrees) {
    const double bytes = 4.0 * (static_cast<double>(listing.sources) + listing.targets);
    const std::uint64_t available = process_limits().memory_bytes;
    if (available == 0 || bytes <= static_cast<double>(available)) return;
    problems.add("--degrees", fmt::format("counting takes {} of memory, more than the {} that are available.",
                                          bytes_text(static_cast<std::uint64_t>(bytes)), bytes_text(available)));
  } else if (!arguments.out && listing.expected > kMostOnTerminal && isatty(STDOUT_FILENO) == 1) {
    problems.add("--out", fmt::format("about {} are too many for a terminal; write them to a file "
                                      "(--out synapses.npy or .csv), or ask for --degrees.",
                                      counted(static_cast<std::uint64_t>(listing.expected), "synapse")));
  }
}

// A disk may be too small: say so before.
void announce(const Listing& listing) {
  const SynapsesArguments& arguments = listing.arguments;
  const double bytes = listing.expected * (arguments.out && is_npy(*arguments.out) ? kNpyBytes : kCsvBytes);
  if (arguments.degrees || arguments.quiet || bytes <= kWorthSaying) return;
  StatusLine().print(fmt::format("writing about {}, {}",
                                 counted(static_cast<std::uint64_t>(listing.expected), "synapse"),
                                 bytes_text(static_cast<std::uint64_t>(bytes))));
}

std::unique_ptr<Sink> make_sink(const Listing& listing) {
  const Text& out = listing.arguments.out;
  if (listing.arguments.degrees) {
    return std::make_unique<DegreesOutput>(listing.projection, listing.sources, listing.targets, out);
  }
  if (!out) return std::make_unique<CsvOutput>();
  if (is_npy(*out)) return std::make_unique<NpyFile>(*out);
  return std::make_unique<CsvFile>(*out);
}

int list(const Listing& listing, const Network& network, const NeuronCatalogue& models, std::uint64_t seed) {
  const InterruptGuard interrupt;
  Countdown countdown(listing.arguments.quiet, listing.expected);
  std::unique_ptr<Sink> sink;
  std::uint64_t done = 0;
  visit_synapses(network, models, seed, listing.projection.name, [&](Row row) {
    if (!sink) {  // not before it is known that the network fits
      announce(listing);
      sink = make_sink(listing);
    }
    sink->take(row);
    countdown.show(done += row.size());
    return !interrupt.requested();
  });
  if (interrupt.requested()) return kInterrupted;  // an unfinished file is taken away
  sink->commit();
  return kOk;
}

}  // namespace

int synapses(const SynapsesArguments& arguments) {
  Problems problems;
  const std::string example = "tessera synapses model.toml PROJECTION";
  require_given(arguments.model, "MODEL", example, problems);
  const SimulationOptions options = simulation_options(arguments, problems);
  check_output(arguments, problems);
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  const std::optional<Network> network = load_network(arguments, models, problems);
  const Projection* projection = nullptr;
  if (network && arguments.projection) {
    projection = find_projection(*arguments.projection, *network, problems);
  } else if (network && (arguments.out || arguments.degrees)) {
    require_given(arguments.projection, "PROJECTION", example, problems);
  }
  problems.raise();
  if (projection == nullptr) return list_projections(*network);

  const Population &source = *network->find(projection->source),
                   &target = *network->find(projection->target);
  const Listing listing{arguments, *projection, source.size, target.size,
                        expected_synapses(*projection, source, target)};
  check_amount(listing, problems);
  problems.raise();
  return list(listing, *network, models, arguments.seed ? options.seed : network->seed);
}

}  // namespace tessera::cli
