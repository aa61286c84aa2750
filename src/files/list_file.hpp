// Lists of connections and spikes in files beside a model: csv or npy, a few named columns.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::io {

/// The file that a model names, inside the model's folder. Throws InputError for absolute paths,
/// paths that leave the folder (also through links) and files that are not there.
[[nodiscard]] std::filesystem::path file_in_folder(const std::filesystem::path& folder,
                                                   const std::string& name);

/// Rows of numbers, one column per name, row after row. A .csv file may begin with a header line
/// that names exactly these columns in any order; an .npy file is an array of shape (rows,
/// columns). Throws InputError.
[[nodiscard]] std::vector<double> read_list_file(const std::filesystem::path& file,
                                                 const std::vector<std::string>& columns);

/// The same from csv text; `name` stands for the file in messages.
[[nodiscard]] std::vector<double> parse_csv_list(std::string_view text, const std::string& name,
                                                 const std::vector<std::string>& columns);

}  // namespace tessera::io
