// tessera import: a network of another program as a training file and weights.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>

#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/data_files.hpp"
#include "cli/output_folder.hpp"
#include "cli/values.hpp"
#include "tessera/nir.hpp"
#include "tessera/result.hpp"
#include "tessera/training_result.hpp"
#include "tessera/training_text.hpp"

namespace tessera::cli {
namespace {

using namespace training;

NirOptions nir_options(const ImportArguments& arguments, Problems& problems) {
  NirOptions options;
  if (arguments.steps) {
    if (const auto steps = parse_whole(*arguments.steps, 1, 65535, "--steps", problems))
      options.steps = static_cast<std::uint32_t>(*steps);
  }
  if (arguments.dt) {
    if (const auto dt = parse_time_ms(*arguments.dt, "--dt", problems)) options.dt_ms = *dt;
    if (!(options.dt_ms >= 0.001 && options.dt_ms <= 1000.0)) problems.add("--dt", "must be from 0.001 ms to 1000 ms.");
  }
  if (arguments.reset) {
    if (const auto reset =
            parse_choice(*arguments.reset, {"zero", "subtract", "subtract_undecayed"}, "--reset", problems))
      options.reset = static_cast<Reset>(*reset);
  }
  if (arguments.discretisation) {
    if (const auto kind =
            parse_choice(*arguments.discretisation, {"euler", "exponential"}, "--discretisation", problems))
      options.exponential = *kind == 1;
  }
  return options;
}

// What the file did not say, and what stands for it.
std::string choices_text(const ImportArguments& arguments, const NirOptions& options) {
  const auto said = [](const Text& given) { return given ? "asked for" : "the default"; };
  const char* const resets[] = {"zero", "subtract", "subtract_undecayed"};
  return fmt::format("dt {:g} ms ({}), {} discretisation ({}), reset {} ({})", options.dt_ms, said(arguments.dt),
                     options.exponential ? "exponential" : "Euler", said(arguments.discretisation),
                     resets[static_cast<int>(options.reset)], said(arguments.reset));
}

FileSpec data_files(const ImportArguments& arguments, const training::Network& network) {
  FileSpec files;
  files.training = arguments.training.value_or("training.npz");
  files.training_labels = arguments.training_labels.value_or("");
  files.test = arguments.test.value_or("");
  files.test_labels = arguments.test_labels.value_or("");
  files.shape = network.input;
  for (std::uint32_t i = 0; i < network.classes; ++i) files.classes.push_back(std::to_string(i));
  return files;
}

std::string model_text(const NirNetwork& made, const std::string& source, const std::string& choices,
                       const FileSpec& files) {
  EncoderSpec encoder;
  encoder.steps = made.network.steps;
  encoder.dt_ms = made.network.dt_ms;
  std::string text = fmt::format("# From the NIR file {}: {}.\n", printable(source), choices);
  for (const std::string& sentence : made.mapping) text += fmt::format("# {}\n", printable(sentence));
  text += fmt::format(
      "# The weights of the file are in weights.safetensors; 'tessera train' begins with them by --weights.\n\n{}\n{}",
      data_section(files, encoder, ""), layers_text(made.network));
  if (made.network.layers.back().neuron != NeuronKind::readout)
    text += "\n[loss]\nkind = \"spike_count\"  # the output spikes\n";
  if (made.second_threshold != 0.9)
    text += fmt::format("\n[second_threshold]\ntarget = {}  # below the lowest threshold\n", made.second_threshold);
  return text;
}

void write(const std::filesystem::path& folder, const std::string& text, const NirNetwork& made) {
  const TrainingModel model = parse_training_model(text, "model.toml");  // what is written can be read
  require_writable(folder);
  const OutputLock lock(folder);
  save_weights(folder / "weights.safetensors", made.weights, model_digest(model), 0);
  write_text_file(folder / "model.toml", text);
}

}  // namespace

int import_file(const ImportArguments& arguments) {
  const std::string example = "tessera import nir network.nir --steps 200";
  Problems problems;
  require_given(arguments.format, "FORMAT", example, problems);
  if (arguments.format) (void)parse_choice(*arguments.format, {"nir"}, "FORMAT", problems);
  require_given(arguments.file, "FILE", example, problems);
  require_given(arguments.steps, "--steps", example, problems);
  const NirOptions options = nir_options(arguments, problems);
  const std::string source = arguments.file.value_or("");
  const std::filesystem::path out = arguments.out.value_or("results/" + std::filesystem::path(source).stem().string());
  check_output_folder(out, false, ResultKind::training, problems);
  problems.raise();

  const NirNetwork made = import_nir(source, options);
  const std::string choices = choices_text(arguments, options);
  const FileSpec files = data_files(arguments, made.network);
  write(out, model_text(made, std::filesystem::path(source).filename().string(), choices, files), made);
  if (arguments.quiet) return kOk;
  for (const std::string& sentence : made.mapping) fmt::print("{}\n", printable(sentence));
  fmt::print("{}\n", choices);
  fmt::print("model       {}\nweights     {}\n", printable((out / "model.toml").string()),
             printable((out / "weights.safetensors").string()));
  fmt::print("samples     {}{}, in the data folder (--data)\n", printable(files.training),
             files.test.empty() ? "" : ", " + printable(files.test));
  return kOk;
}

}  // namespace tessera::cli
