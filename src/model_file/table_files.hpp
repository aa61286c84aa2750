// Tables of numbers in files beside a model: { file = "matrix.npy" } wherever a value may stand.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "files/csv_table.hpp"
#include "files/npz.hpp"
#include "files/toml.hpp"
#include "model_file/expression.hpp"

namespace tessera::io {

/// What a table { file, folder, array, column, equals, unit } of a model asks for.
struct TableRequest {
  std::string file, folder;           ///< relative; folder "": the model's own
  std::optional<std::string> array;   ///< of an .npz file
  std::vector<std::string> columns;   ///< of a .csv file with a header; several only as texts
  std::vector<std::string> equals;    ///< a column of texts becomes 1 where it is one of these, else 0
  std::string separator = ".";        ///< between the texts of several columns
  std::string unit;                   ///< of all numbers; "": pure numbers, or those of the key
};

/// Reads the keys of a table with a `file`; `text_of` evaluates texts that begin with '$'. Throws InputError with what
/// is wrong with them. `also`: keys that are read elsewhere.
[[nodiscard]] TableRequest read_table_request(const toml::table& table,
                                              const std::function<std::string(const std::string&)>& text_of,
                                              const std::vector<std::string>& also = {});
/// Whether a value of a model file is such a table.
[[nodiscard]] bool is_table_file(const toml::node& node);

/// Opens files in the model's folder or, where they are not there, in a second one that the user chose. Every file is
/// read once.
class TableFiles {
 public:
  /// `data`: the second folder, or empty.
  void look_in(std::filesystem::path model, std::filesystem::path data) {
    model_ = std::move(model);
    data_ = std::move(data);
  }
  /// A list, or a matrix where the table has two dimensions; without a unit unless the request has one. Throws
  /// InputError: no such file, array or column (with the nearest name), a damaged file, more than 4,194,304 numbers, an
  /// entry that is not finite (with its place).
  [[nodiscard]] Value numbers(const TableRequest& request);
  /// The texts of one column, or of several joined by the separator. Throws InputError.
  [[nodiscard]] std::vector<std::string> texts(const TableRequest& request);

 private:
  [[nodiscard]] std::filesystem::path find(const TableRequest& request) const;
  [[nodiscard]] const CsvTexts& csv(const std::filesystem::path& file);
  [[nodiscard]] const NpzArchive& npz(const std::filesystem::path& file);
  [[nodiscard]] Value csv_numbers(const TableRequest& request, const std::filesystem::path& file);

  std::filesystem::path model_, data_;
  std::map<std::filesystem::path, CsvTexts> csv_;
  std::map<std::filesystem::path, std::unique_ptr<NpzArchive>> npz_;
};

}  // namespace tessera::io
