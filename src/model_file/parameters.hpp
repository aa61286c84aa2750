// The [parameters] of a model file: named values with defaults that the command line may override.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model_file/expression.hpp"
#include "model_file/diagnostics.hpp"
#include "model_file/table_files.hpp"
#include "tessera/model_file.hpp"

namespace tessera::io {

class ModelParameters {
 public:
  explicit ModelParameters(ModelDiagnostics& problems) : problems_(problems) {}

  /// Reads the table and applies the overrides; evaluates everything and reports what fails. A parameter
  /// called `ranks` that nobody overrides becomes `ranks` when that is more than one.
  void read(const toml::table* table, const std::vector<ParameterOverride>& overrides, int ranks = 1);
  /// Files that values are read from.
  [[nodiscard]] TableFiles& files() { return files_; }
  /// The text that an expression gives; throws ExpressionError.
  [[nodiscard]] std::string text_of(const std::string& expression);
  /// Evaluates an expression of the file; throws ExpressionError.
  [[nodiscard]] Value evaluate(std::string_view expression);
  /// Reports parameters that nothing refers to.
  void report_unused();
  /// Copies the values into the network, for reports.
  void list(Network& network) const;

 private:
  struct Entry {
    std::string path;
    const toml::node* node = nullptr;   ///< the default: a value, a list or an expression
    const toml::node* whole = nullptr;  ///< where the parameter is written
    std::optional<std::string> given;   ///< override
    std::optional<std::string> unit;    ///< for bare numbers
    std::vector<std::string> choices;
    std::optional<std::string> minimum, maximum;
    enum class State { waiting, working, good, bad } state = State::waiting;
    bool used = false;
    Dimension written;  ///< unit of the default; bare overrides and bounds count in it
    Value value;
  };

  void read_entry(const std::string& name, const toml::node& node);
  void read_details(Entry& entry, const toml::table& table);
  Value look_up(const std::string& name);
  void settle(const std::string& name, Entry& entry);
  Value default_of(const Entry& entry);
  Value list_of(const Entry& entry, const toml::array& array);
  Value number_of(const Entry& entry, const toml::node& node);
  Value overridden(const std::string& name, const Entry& entry, const Value& standard);
  void check(const std::string& name, const Entry& entry);
  void complain(const std::string& name, const Entry& entry, const std::string& message);

  ModelDiagnostics& problems_;
  TableFiles files_;
  std::map<std::string, Entry> entries_;
  std::size_t budget_ = 20'000'000;
  int chain_ = 0;    // parameters being settled that look up each other
  int nesting_ = 0;  // of all their expressions
};

}  // namespace tessera::io
