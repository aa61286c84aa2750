// tessera export: trained weights, or a network with its synapses, for other programs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>

#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/countdown.hpp"
#include "cli/interrupt.hpp"
#include "cli/output_folder.hpp"
#include "cli/status_line.hpp"
#include "cli/text.hpp"
#include "cli/trained.hpp"
#include "cli/values.hpp"
#include "tessera/nir.hpp"
#include "tessera/sonata.hpp"

namespace tessera::cli {
namespace {

int export_to_nir(const ExportArguments& arguments, Problems& problems) {
  if (!arguments.set.empty()) problems.add("--set", "a training has its parameters already.");
  if (arguments.seed) problems.add("--seed", "a training has its weights already.");
  std::error_code error;
  if (arguments.out && !arguments.force && std::filesystem::exists(*arguments.out, error))
    problems.add("--out", fmt::format("'{}' is there already; --force replaces it.", *arguments.out));
  problems.raise();
  const Trained trained = load_trained(*arguments.model);
  training::export_nir(*arguments.out, trained.model.network, trained.weights.parameters);
  if (!arguments.quiet) {
    fmt::print("{}: {}, dt {:g} ms, forward Euler\n", printable(*arguments.out),
               counted(trained.model.network.layers.size(), "layer"), trained.model.network.dt_ms);
  }
  return kOk;
}

int export_to_sonata(const ExportArguments& arguments, Problems& problems) {
  const SimulationOptions options = simulation_options(arguments, problems);
  check_output_folder(*arguments.out, arguments.force, ResultKind::circuit, problems);
  const NeuronCatalogue models = NeuronCatalogue::builtin();
  const std::optional<Network> network = load_network(arguments, models, problems);
  problems.raise();
  const InterruptGuard interrupt;
  const SynapseNumber synapses = number_of_synapses(*network);
  constexpr double kEdgeBytes = 56, kWorthSaying = 1e9;
  const double bytes = kEdgeBytes * static_cast<double>(synapses.synapses);
  if (!arguments.quiet && bytes > kWorthSaying)
    StatusLine().print(fmt::format("writing about {}, {}", counted(synapses.synapses, "synapse"),
                                   bytes_text(static_cast<std::uint64_t>(bytes))));
  const std::filesystem::path folder = *arguments.out;
  require_writable(folder);
  const OutputLock lock(folder);
  Countdown countdown(arguments.quiet, static_cast<double>(synapses.synapses), 1);
  std::uint64_t written = 0;
  const std::vector<std::string> files =
      export_sonata(*network, models, arguments.seed ? options.seed : network->seed, folder, [&](std::uint64_t done) {
        countdown.show(written = done);
        return !interrupt.requested();
      });
  if (files.empty()) return kInterrupted;
  countdown.clear();
  if (!arguments.quiet)
    fmt::print("{}: {}, {}, {}\n", printable(folder.string()), counted(network->populations.size(), "population"),
               counted(network->projections.size(), "projection"), counted(written, "synapse"));
  return kOk;
}

}  // namespace

int export_file(const ExportArguments& arguments) {
  const std::string example = "tessera export nir results/yin_yang --out yin_yang.nir";
  Problems problems;
  require_given(arguments.format, "FORMAT", example, problems);
  std::optional<std::size_t> format;
  if (arguments.format) format = parse_choice(*arguments.format, {"nir", "sonata"}, "FORMAT", problems);
  require_given(arguments.model, "INPUT", example, problems);
  require_given(arguments.out, "--out", example, problems);
  if (!format) problems.raise();
  if (!arguments.model || !arguments.out) problems.raise();
  return *format == 0 ? export_to_nir(arguments, problems) : export_to_sonata(arguments, problems);
}

}  // namespace tessera::cli
