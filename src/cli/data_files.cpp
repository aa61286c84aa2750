// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "cli/data_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/readers.hpp"
#include "data/shd_file.hpp"
#include "files/csv.hpp"
#include "files/npy.hpp"
#include "tessera/errors.hpp"
#include "tessera/plot.hpp"
#include "tessera/result.hpp"

namespace tessera::cli {
namespace {

using namespace training;

std::vector<std::int32_t> labels_of(const SpikeDataset& data) {
  std::vector<std::int32_t> labels(data.size());
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = data.label(i);
  return labels;
}

/// Calls visit(sample, step, channel) for every spike.
template <class Visitor>
void for_each_spike(const SpikeDataset& data, const Visitor& visit) {
  SpikeSample sample;
  for (std::size_t i = 0; i < data.size(); ++i) {
    data.read(i, kUnvaried, sample);
    for (std::uint32_t t = 0; t + 1 < sample.first.size(); ++t) {
      for (std::uint32_t s = sample.first[t]; s < sample.first[t + 1]; ++s) {
        visit(static_cast<std::uint32_t>(i), t, sample.channel[s]);
      }
    }
  }
}

void write_npy_files(const SpikeDataset& data, const std::filesystem::path& spikes,
                     const std::filesystem::path& labels) {
  std::vector<std::uint32_t> rows;
  for_each_spike(data, [&](std::uint32_t sample, std::uint32_t step, std::uint32_t channel) {
    rows.insert(rows.end(), {sample, step, channel});
  });
  io::write_npy(spikes, std::span<const std::uint32_t>(rows), 3);
  const std::vector<std::int32_t> list = labels_of(data);
  const std::vector<std::int64_t> wide(list.begin(), list.end());
  io::write_npy(labels, std::span<const std::int64_t>(wide));
}

void write_csv_files(const SpikeDataset& data, const std::filesystem::path& spikes,
                     const std::filesystem::path& labels) {
  io::CsvWriter rows(spikes, {"sample", "step", "channel"});
  for_each_spike(data, [&](std::uint32_t sample, std::uint32_t step, std::uint32_t channel) {
    rows.row({double(sample), double(step), double(channel)});
  });
  io::CsvWriter list(labels, {"sample", "label"});
  for (std::size_t i = 0; i < data.size(); ++i) {
    list.row({static_cast<double>(i), static_cast<double>(data.label(i))});
  }
  rows.commit();
  list.commit();
}

// A float is not exact: it must not lie before the step, or whoever reads it finds another one.
float step_start_s(std::uint32_t step, double dt_ms) {
  const double exact = step_start_us(step, dt_ms) * 1e-6;
  const auto nearest = static_cast<float>(exact);
  return nearest < exact ? std::nextafter(nearest, std::numeric_limits<float>::max()) : nearest;
}

std::string toml_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + '"';
}

std::string toml_list(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(toml_text(text));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

void write_h5_file(const SpikeDataset& data, double dt_ms, const std::filesystem::path& file) {
  if (data.shape().size() > std::numeric_limits<std::uint16_t>::max() + std::uint64_t{1}) {
    throw InputError("the layout of SHD has room for 65,536 channels; use --format npy.");
  }
  SpikeSample sample;
  write_shd(file, labels_of(data), false, [&](std::size_t i, Recording& recording) {
    data.read(i, kUnvaried, sample);
    recording.times.clear();
    recording.units.assign(sample.channel.begin(), sample.channel.end());
    for (std::uint32_t t = 0; t + 1 < sample.first.size(); ++t) {
      recording.times.insert(recording.times.end(), sample.first[t + 1] - sample.first[t],
                             step_start_s(t, dt_ms));
    }
  });
}

}  // namespace

std::vector<std::string> write_spikes(const SpikeDataset& data, double dt_ms,
                                      const std::filesystem::path& folder, const std::string& name,
                                      DataFormat format) {
  if (format == DataFormat::h5) {
    write_h5_file(data, dt_ms, folder / (name + ".h5"));
    return {name + ".h5"};
  }
  const std::string end = format == DataFormat::npy ? ".npy" : ".csv";
  const std::string spikes = name + "_spikes" + end, labels = name + "_labels" + end;
  if (format == DataFormat::npy) {
    write_npy_files(data, folder / spikes, folder / labels);
  } else {
    write_csv_files(data, folder / spikes, folder / labels);
  }
  return {spikes, labels};
}

std::string data_section(const FileSpec& files, const EncoderSpec& encoder, const std::string& folder) {
  std::string text = "[data]\nset = \"file\"\n";
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} = {}\n", key, toml_text(value));
  };
  add("folder", folder);
  text += "[data.file]\n";
  add("training", files.training);
  add("training_labels", files.training_labels);
  add("test", files.test);
  add("test_labels", files.test_labels);
  const Shape& s = files.shape;
  text += s.height == 1 && s.width == 1
              ? fmt::format("shape = {}\n", s.channels)
              : fmt::format("shape = [{}, {}, {}]\n", s.height, s.width, s.channels);
  const bool numbered = std::all_of(files.classes.begin(), files.classes.end(), [&](const std::string& name) {
    return name == std::to_string(&name - files.classes.data());
  });
  text += fmt::format("classes = {}\n[data.encoder]\nsteps = {}\ndt = \"{} ms\"\n",
                      numbered ? std::to_string(files.classes.size()) : toml_list(files.classes), encoder.steps, encoder.dt_ms);
  return text;
}

std::string write_data_section(const FileSpec& files, const EncoderSpec& encoder,
                               const std::filesystem::path& folder) {
  const std::filesystem::path whole = std::filesystem::absolute(folder).lexically_normal();
  const std::string name =
      (whole.filename().empty() ? whole.parent_path() : whole).filename().string();
  write_text_file(folder / "data.toml",
                  fmt::format("# The data of a training file. With --data, name the folder that holds '{}'.\n{}", name,
                              data_section(files, encoder, name)));
  return (folder / "data.toml").string();
}

std::string write_raster(const SpikeDataset& data, const DataSpec& spec, std::uint64_t index,
                         const std::filesystem::path& folder, const std::string& name) {
  SpikeSample sample;
  data.read(index, kUnvaried, sample);
  Chart::Series spikes;
  spikes.line = false;
  for (std::uint32_t t = 0; t + 1 < sample.first.size(); ++t) {
    for (std::uint32_t s = sample.first[t]; s < sample.first[t + 1]; ++s) {
      spikes.x.push_back(t * spec.encoder.dt_ms);
      spikes.y.push_back(sample.channel[s]);
    }
  }
  Chart chart;
  chart.title = fmt::format("{}, {} sample {}: {}", spec.dataset, name, index,
                            class_names(spec)[static_cast<std::size_t>(sample.label)]);
  chart.x_label = "time (ms)";
  chart.y_label = "channel";
  chart.series.push_back(std::move(spikes));
  const std::string file = fmt::format("{}_sample_{}.svg", name, index);
  write_text_file(folder / file, chart_svg(chart));
  return file;
}

}  // namespace tessera::cli
