// tessera plot, for the result of a training.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>

#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/values.hpp"
#include "tessera/result.hpp"
#include "tessera/training_result.hpp"

namespace tessera::cli {
namespace {

using Draw = std::string (*)(const training::TrainingResult&);
const std::vector<std::string> kKinds = {"loss", "activity", "confusion", "raster"};
constexpr Draw kDraw[] = {training::loss_svg, training::activity_svg, training::confusion_svg,
                          training::sample_raster_svg};

}  // namespace

int plot_training(const PlotArguments& arguments) {
  Problems problems;
  const auto kind = parse_choice(*arguments.kind, kKinds, "KIND", problems);
  const auto refuse = [&](const Text& value, const char* option) {
    if (value) problems.add(option, "plots of a training do not have this.");
  };
  refuse(arguments.reference, "--reference");
  if (!arguments.populations.empty()) problems.add("--population", "plots of a training do not have this.");
  refuse(arguments.from, "--from");
  refuse(arguments.duration, "--duration");
  // The name must say SVG, so that a slip cannot replace a result's file.
  if (arguments.output && std::filesystem::path(*arguments.output).extension() != ".svg") {
    problems.add("--output", fmt::format("'{}' does not end in .svg.", *arguments.output));
  }
  problems.raise();
  const std::filesystem::path folder = *arguments.result;
  const std::filesystem::path file = arguments.output ? std::filesystem::path(*arguments.output)
                                                      : folder / (kKinds[*kind] + ".svg");
  write_text_file(file, kDraw[*kind](training::load_training_result(folder)));
  fmt::print("{}\n", printable(file.string()));
  return kOk;
}

}  // namespace tessera::cli
