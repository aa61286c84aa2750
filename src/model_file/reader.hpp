// Reading values of a model file: tables with known keys, quantities that may differ from
// population to population or from pair to pair.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model_file/diagnostics.hpp"
#include "model_file/parameters.hpp"
#include "tessera/network.hpp"

namespace tessera::io {

/// What all parts of the reader share.
struct ModelContext {
  ModelDiagnostics& problems;
  ModelParameters& parameters;
  const NeuronCatalogue& models;
  std::filesystem::path folder;
  std::unordered_map<const toml::node*, std::optional<Value>> evaluated;  // expressions, once each
  std::uint64_t expanded = 0;  // populations, pairs and stimuli made so far
};

/// Which of several populations, or which pair of a table, a value is wanted for.
struct Place {
  std::size_t count = 1, index = 0;     ///< populations (of a pair: targets)
  std::size_t sources = 0, source = 0;  ///< of a pair; sources = 0: not a pair
  bool source_inhibitory = false;
  /// The populations are not known (a name that does not exist): lists may have any shape, and all
  /// of their entries are read.
  bool unknown = false;
  [[nodiscard]] bool is_pair() const { return sources > 0; }
};

/// One table of the file. Every key that is asked for becomes known; done() reports the others.
/// Layers let the exceptions of a projection stand before its own values.
class TableReader {
 public:
  TableReader(ModelContext& context, const toml::table& table, std::string path);

  /// The value of a key, or null.
  const toml::node* get(const std::string& key);
  /// The same; reports when it is missing.
  const toml::node* need(const std::string& key);
  /// Keys that are accepted and not read here.
  void allow(const std::string& key) { known_.push_back(key); }
  /// Reads whatever stands at these keys, for the mistakes in it: `kind` or `rule` is one that does
  /// not exist, so that nothing can be done with them.
  struct Reading {
    const char* key;
    enum What { number, count, truth, distribution, nothing } what;
    Dimension unit;
  };
  void read_anyway(const std::vector<Reading>& readings, const Place& place);
  [[nodiscard]] bool has(const std::string& key) const;
  /// Reports a problem with a key, or with the table when it has no such key.
  void complain(const std::string& key, std::string message);
  /// Lists with an entry for every neuron belong to one population or pair: reading them again for
  /// every member of a group would be a mistake, and could take for ever. False after reporting it.
  bool is_for_one(const std::string& key, const Place& place);
  /// Puts a table that takes precedence in front (it may not hold unknown keys either).
  void put_in_front(const toml::table& table, std::string path);
  void done();

  [[nodiscard]] std::string path_of(const std::string& key) const;
  [[nodiscard]] const toml::source_region& source() const { return layers_.back().table->source(); }
  [[nodiscard]] const std::string& path() const { return layers_.back().path; }
  ModelContext& context() { return context_; }

  // Values with defaults; problems are reported and yield the default.
  double number(const std::string& key, const Dimension& unit, double otherwise,
                const Place& place = {});
  std::optional<double> needed_number(const std::string& key, const Dimension& unit,
                                      const Place& place = {});
  std::uint64_t count(const std::string& key, std::uint64_t otherwise, const Place& place = {});
  bool truth(const std::string& key, bool otherwise, const Place& place = {});
  std::string text(const std::string& key, const std::string& otherwise, const Place& place = {});
  /// One of `choices`; reports others with the nearest.
  std::string choice(const std::string& key, const std::string& otherwise,
                     const std::vector<std::string>& choices, const Place& place = {});
  Distribution distribution(const std::string& key, const Dimension& unit, const Place& place = {});
  /// The table of a key when it has one of the keys `own`: the tables of all layers on top of each
  /// other, up to one that has the key `foreign` (and is something else). Nothing otherwise.
  std::optional<TableReader> table_with(const std::string& key, const std::vector<std::string>& own,
                                        const std::string& foreign);
  /// The tables of a key in all layers on top of each other, up to one that has the key `last`, or to the
  /// value `false`, which hides what is further back. Nothing where there is none; reports other values.
  std::optional<TableReader> tables(const std::string& key, const std::string& last);
  /// The keys of all layers.
  [[nodiscard]] std::vector<std::string> keys() const;

 private:
  struct Layer {
    const toml::table* table;
    std::string path;
  };
  ModelContext& context_;
  [[nodiscard]] const Layer* layer_with(const std::string& key) const;
  std::vector<Layer> layers_;  // the first that has a key decides
  std::vector<std::string> known_;
};

/// The entry of a list or matrix that a value came from, to place what is said about it.
struct Leaf {
  const toml::node* node = nullptr;
  std::string path;
};

/// Single values; nothing after reporting a problem.
std::optional<double> read_number(ModelContext& c, const toml::node& node, const std::string& path,
                                  const Dimension& unit, const Place& place, Leaf* leaf = nullptr);
std::optional<std::uint64_t> read_count(ModelContext& c, const toml::node& node,
                                        const std::string& path, const Place& place);
std::optional<bool> read_truth(ModelContext& c, const toml::node& node, const std::string& path,
                               const Place& place);
std::optional<std::string> read_text(ModelContext& c, const toml::node& node,
                                     const std::string& path, const Place& place);
/// What a table with a `file` asks for; nothing after reporting what is wrong with it.
std::optional<TableRequest> table_request(ModelContext& c, const toml::table& table, const std::string& path);
/// Whether a table chooses a value by pair (by_source, by_target, excitatory, inhibitory) or by a table in a file.
bool selects_by_pair(const toml::table& table);
/// A list of plain numbers or quantities.
std::vector<double> read_list(ModelContext& c, const toml::node& node, const std::string& path,
                              const Dimension& unit);

/// Counts what a file makes; false after reporting that it is too much.
bool expand(ModelContext& c, const toml::node& node, const std::string& path, std::uint64_t things);

/// The entries of a table in the order of the file.
std::vector<std::pair<const toml::key*, const toml::node*>> in_file_order(const toml::table& table);

}  // namespace tessera::io
