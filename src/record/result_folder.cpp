// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "record/result_folder.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "files/file.hpp"
#include "tessera/errors.hpp"
#include "tessera/result.hpp"

namespace tessera {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadBytes = 4096;
constexpr std::uint64_t kLongestReport = std::uint64_t{1} << 26;
constexpr std::string_view kPartial = ".partial";

// A family of names, and what its files begin with. In an HDF5 file the second mark is the root's
// attribute "creator".
struct Family {
  ResultKind kind;
  std::string_view begin, end;  // of the name; an empty `end`: `begin` is the whole name
  std::string_view first;       // the file's first bytes
  std::string_view inside;      // and bytes soon after
};

constexpr std::string_view kHdf5 = "\x89HDF\r\n\x1a\n", kNpy = "\x93NUMPY";
constexpr Family kFamilies[] = {
    {ResultKind::run, "report.json", "", "{", "\"model\": "},
    {ResultKind::run, "spikes.h5", "", kHdf5, "Tessera"},
    {ResultKind::run, "traces_", ".h5", kHdf5, "Tessera"},
    {ResultKind::run, "edges.h5", "", kHdf5, "Tessera"},
    {ResultKind::run, "edges_", ".npy", kNpy, ""},
    {ResultKind::run, "weights.h5", "", kHdf5, "Tessera"},
    {ResultKind::run, "weights_", ".npy", kNpy, ""},
    {ResultKind::run, "spikes_", ".npy", kNpy, ""},
    {ResultKind::run, "traces_", ".npy", kNpy, ""},
    {ResultKind::run, "checkpoint_", "ms.tsc", "TSCKPT", ""},
    {ResultKind::training, "report.json", "", "{", "\"model\": "},
    {ResultKind::training, "weights.safetensors", "", "", "\"format\":\"tessera "},
    {ResultKind::training, "checkpoint.safetensors", "", "", "\"format\":\"tessera "},
    {ResultKind::training, "metrics.json", "", "[", "\"epoch\": 1"},
    {ResultKind::training, "metrics.csv", "", "epoch,loss,", ""},
    {ResultKind::training, "confusion.csv", "", "label,", ""},
    {ResultKind::training, "raster.csv", "", "layer,step,neuron", ""},
    {ResultKind::training, "model.toml", "", "", ""},
    {ResultKind::circuit, "nodes.h5", "", kHdf5, "Tessera"},
    {ResultKind::circuit, "edges.h5", "", kHdf5, "Tessera"},
    {ResultKind::circuit, "node_types.csv", "", "node_type_id population ", ""},
    {ResultKind::circuit, "edge_types.csv", "", "edge_type_id population ", ""},
    {ResultKind::circuit, "circuit_config.json", "", "{", "$BASE_DIR/nodes.h5"},
    {ResultKind::samples, "train.h5", "", kHdf5, "Tessera"},
    {ResultKind::samples, "test.h5", "", kHdf5, "Tessera"},
    {ResultKind::samples, "train_", "s.npy", kNpy, ""},
    {ResultKind::samples, "test_", "s.npy", kNpy, ""},
    {ResultKind::samples, "train_", "s.csv", "sample,", ""},
    {ResultKind::samples, "test_", "s.csv", "sample,", ""},
    {ResultKind::samples, "train_sample_", ".svg", "<", "<svg"},
    {ResultKind::samples, "test_sample_", ".svg", "<", "<svg"},
};

bool has_name(const Family& family, std::string_view name) {
  if (family.end.empty()) return name == family.begin;
  return name.size() > family.begin.size() + family.end.size() && name.starts_with(family.begin) &&
         name.ends_with(family.end);
}

bool is_leftover(std::string_view name) {
  if (name == kLockFile) return true;
  if (!name.starts_with('.') || !name.ends_with(kPartial)) return false;
  const std::string_view final_name = name.substr(1, name.size() - 1 - kPartial.size());
  return std::any_of(std::begin(kFamilies), std::end(kFamilies),
                     [final_name](const Family& family) { return has_name(family, final_name); });
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string head_of(const fs::path& file) {
  std::string head(kHeadBytes, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return head;
}

// model.toml is a copy of a file that somebody wrote: only what lies beside it tells whose it is.
bool is_our_model(const fs::path& folder) {
  if (head_of(folder / "checkpoint.safetensors").find("\"format\":\"tessera ") == std::string::npos) {
    return false;
  }
  std::error_code ignored;
  if (!fs::is_regular_file(folder / "report.json", ignored)) return true;  // was not finished
  try {
    const auto report = nlohmann::json::parse(
        io::read_file(folder / "report.json", kLongestReport), nullptr, false);
    if (!report.is_object() || !report.contains("checksums")) return false;
    return report["checksums"].value("model.toml", "") == io::file_checksum(folder / "model.toml");
  } catch (const std::exception&) {
    return false;
  }
}

bool is_ours(const Family& family, const fs::path& folder, const std::string& name) {
  std::error_code ignored;
  if (!fs::is_regular_file(folder / name, ignored)) return false;
  if (name == "model.toml") return is_our_model(folder);
  const std::string head = head_of(folder / name);
  return head.starts_with(family.first) && head.find(family.inside) != std::string::npos;
}

}  // namespace

std::vector<std::string> content_of(const fs::path& folder) {
  std::vector<std::string> names = names_in(folder);
  std::erase_if(names, is_leftover);
  return names;
}

void remove_leftovers(const fs::path& folder) {
  for (const std::string& name : names_in(folder)) {
    std::error_code ignored;
    if (name != kLockFile && is_leftover(name)) fs::remove(folder / name, ignored);
  }
}

std::vector<std::string> foreign_files(const fs::path& folder, ResultKind kind) {
  std::vector<std::string> foreign;
  for (const std::string& name : names_in(folder)) {
    for (const Family& family : kFamilies) {
      if (family.kind != kind || !has_name(family, name)) continue;
      if (!is_ours(family, folder, name)) foreign.push_back(name);
    }
  }
  return foreign;
}

void prepare_result_folder(const fs::path& folder, bool replace) {
  std::error_code failed;
  const auto status = fs::status(folder, failed);
  if (fs::exists(status)) {
    if (!fs::is_directory(status)) {
      throw InputError(folder.string() + " exists and is not a folder.");
    }
    (void)fs::is_empty(folder, failed);
    if (failed) throw RunError("cannot look into " + folder.string() + ": " + failed.message());
    if (!replace && !content_of(folder).empty()) {
      throw InputError("The folder " + folder.string() +
                       " is not empty; choose another one or allow replacing it (--force).");
    }
    return;
  }
  fs::create_directories(folder, failed);
  if (failed) throw RunError("cannot make the folder " + folder.string() + ": " + failed.message());
}

}  // namespace tessera
