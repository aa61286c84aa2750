// tessera data: what a data set holds once it is encoded, and its spikes as files for other
// programs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "tessera/data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "cli/arguments.hpp"
#include "cli/data_files.hpp"
#include "cli/output_folder.hpp"
#include "cli/text.hpp"
#include "cli/train_settings.hpp"
#include "cli/values.hpp"
#include "tessera/training_file.hpp"

namespace tessera::cli {
namespace {

using namespace training;

const std::vector<std::string> kActions = {"info", "convert"};
const std::vector<std::string> kSplits = {"train", "test"};
const std::vector<std::string> kFormats = {"npy", "csv", "h5"};

std::string shape_text(const Shape& shape) {
  return shape.height == 1 && shape.width == 1
             ? fmt::format("{}", shape.channels)
             : fmt::format("{} x {} x {}", shape.height, shape.width, shape.channels);
}

void list_datasets() {
  Table table({"data set", "classes", "encoder", "channels", "steps", "dt (ms)", "files"}, 1);
  for (const std::string& name : dataset_names()) {
    DataSpec spec;
    spec.dataset = name;
    if (name == "file") {
      table.row({name, "any", "binning", "any", "any", "any", "your own"});
      continue;
    }
    spec = with_defaults(spec);
    table.row({name, std::to_string(class_count(spec)), to_string(spec.encoder.kind),
               shape_text(encoded_shape(spec)), std::to_string(spec.encoder.steps),
               fmt::format("{}", spec.encoder.dt_ms), is_generated(name) ? "generated" : "needed"});
  }
  fmt::print("{}\nEncoders are the defaults. 'tessera data info NAME' reads the files of a set.\n",
             table.text());
}

void show(const DatasetInfo& info, Split split, const DataSpec& spec) {
  fmt::print("{}, {}: {} samples, {} classes\n", info.name, to_string(split), grouped(info.samples),
             info.classes);
  fmt::print("  encoder    {}, {} steps of {} ms\n", to_string(spec.encoder.kind), info.steps,
             spec.encoder.dt_ms);
  fmt::print("  channels   {}\n", shape_text(info.shape));
  if (info.samples == 0) {
    fmt::print("  There are no samples.\n");
    return;
  }
  fmt::print("  spikes     {:.1f} per sample ({} to {}), {:.3f} % of channels and steps\n",
             info.mean_spikes, info.min_spikes, info.max_spikes, 100.0 * info.activity);
  const std::vector<std::string> names = class_names(spec);
  Table table({"class", "samples"});
  for (std::size_t c = 0; c < info.samples_per_class.size(); ++c) {
    table.row({names[c], grouped(info.samples_per_class[c])});
  }
  fmt::print("{}", table.text());
}

void show_sample(const SpikeDataset& data, std::size_t index, const DataSpec& spec) {
  SpikeSample sample;
  data.read(index, kUnvaried, sample);
  fmt::print("\nSample {}: {}, {} spikes\n", index,
             class_names(spec)[static_cast<std::size_t>(sample.label)], sample.channel.size());
}

struct Request {
  DataSpec spec;
  std::uint64_t seed = 1;
  std::filesystem::path folder;
  std::vector<Split> splits;
  std::optional<std::uint64_t> sample;
};

// The name of a set, with its default encoder, or a training file with its own.
void choose(const std::string& word, Request& request, Problems& problems) {
  if (std::filesystem::path(word).extension() != ".toml") {
    request.spec.dataset = word;
    problems.add(validate(request.spec));
    return;
  }
  try {
    const TrainingModel model = load_training_file(word);
    request.spec = model.data;
    request.seed = model.options.seed;
  } catch (const InputError& error) {
    problems.add(error.problems());
  }
}

int info(const Request& request) {
  bool first = true;
  for (const Split split : request.splits) {
    const auto data = open_dataset(request.spec, request.folder, split, request.seed);
    if (!first) fmt::print("\n");
    first = false;
    show(describe(*data), split, request.spec);
    for (const std::string& note : data->notes()) fmt::print("Note: {}\n", note);
    if (request.sample) show_sample(*data, *request.sample, request.spec);
  }
  return kOk;
}

int convert(const Request& request, const std::filesystem::path& out, DataFormat format) {
  require_writable(out);
  const OutputLock lock(out);
  FileSpec written;
  written.shape = encoded_shape(request.spec);
  written.classes = class_names(request.spec);
  for (const Split split : request.splits) {
    const auto data = open_dataset(request.spec, request.folder, split, request.seed);
    std::vector<std::string> files =
        write_spikes(*data, request.spec.encoder.dt_ms, out, to_string(split), format);
    (split == Split::train ? written.training : written.test) = files[0];
    if (files.size() > 1) {
      (split == Split::train ? written.training_labels : written.test_labels) = files[1];
    }
    for (const std::string& note : data->notes()) fmt::print("Note: {}\n", note);
    if (request.sample) {
      files.push_back(write_raster(*data, request.spec, *request.sample, out, to_string(split)));
    }
    fmt::print("{}: {} samples in {}\n", to_string(split), grouped(data->size()),
               fmt::join(files, ", "));
  }
  if (!written.training.empty()) {
    fmt::print("{} has the lines of a training file that trains on them\n",
               write_data_section(written, request.spec.encoder, out));
  }
  return kOk;
}

}  // namespace

int data(const DataArguments& arguments) {
  const std::string example = "tessera data info yin_yang";
  Problems problems;
  require_given(arguments.action, "ACTION", example, problems);
  std::optional<std::size_t> action, split, format;
  if (arguments.action) action = parse_choice(*arguments.action, kActions, "ACTION", problems);
  if (arguments.split) split = parse_choice(*arguments.split, kSplits, "--split", problems);
  if (arguments.format) format = parse_choice(*arguments.format, kFormats, "--format", problems);
  const bool converting = action && *action == 1;
  if (converting) {
    require_given(arguments.dataset, "DATASET", "tessera data convert yin_yang --out spikes",
                  problems);
    require_given(arguments.out, "--out", "tessera data convert yin_yang --out spikes", problems);
    if (arguments.out) check_output_folder(*arguments.out, arguments.force, ResultKind::samples, problems);
  } else if (action) {
    if (arguments.out) problems.add("--out", "only 'data convert' writes files.");
    if (arguments.format) problems.add("--format", "only 'data convert' writes files.");
    if (arguments.force) problems.add("--force", "only 'data convert' writes files.");
  }
  Request request;
  request.folder = data_folder(arguments.data);
  request.splits = split ? std::vector{*split == 0 ? Split::train : Split::test}
                         : std::vector{Split::train, Split::test};
  if (arguments.sample) {
    request.sample = parse_whole(*arguments.sample, 0, ~std::uint32_t{0}, "--sample", problems);
  }
  if (arguments.dataset) choose(*arguments.dataset, request, problems);
  problems.raise();
  if (!arguments.dataset) {
    list_datasets();
    return kOk;
  }
  request.spec = with_defaults(request.spec);
  if (converting) {
    return convert(request, *arguments.out, static_cast<DataFormat>(format.value_or(0)));
  }
  return info(request);
}

}  // namespace tessera::cli
