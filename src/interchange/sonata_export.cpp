// A network as a SONATA circuit: nodes, edges, their types, the configuration.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "files/file.hpp"
#include "interchange/sonata_nodes.hpp"
#include "results/sinks.hpp"
#include "tessera/simulation.hpp"
#include "tessera/sonata.hpp"

namespace tessera {
namespace sonata {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kBufferedEdges = 32768;

bool is_source(const Population& p) { return p.kind != Population::Kind::neurons; }

// Files of types are separated by spaces, which names do not have.
std::string cell(const std::string& text) { return text.empty() ? "NULL" : text; }

// Parameters have NEST's names and units, and so have the models of the catalogue.
std::string template_of(const Population& p) { return is_source(p) ? "" : "nest:" + p.model; }

std::string parameters_file(const Population& p) { return is_source(p) ? "" : io::encoded_name(p.name) + ".json"; }

std::string node_types(const Network& network) {
  std::string text = "node_type_id population model_type model_template dynamics_params\n";
  for (std::size_t i = 0; i < network.populations.size(); ++i) {
    const Population& p = network.populations[i];
    text += fmt::format("{} {} {} {} {}\n", i, cell(p.name), is_source(p) ? "virtual" : "point_neuron",
                        cell(template_of(p)), cell(parameters_file(p)));
  }
  return text;
}

std::string edge_types(const Network& network) {
  std::string text = "edge_type_id population source target model_template\n";
  for (std::size_t i = 0; i < network.projections.size(); ++i) {
    const Projection& p = network.projections[i];
    text += fmt::format("{} {} {} {} {}\n", i, cell(p.name), cell(p.source), cell(p.target),
                        p.plasticity ? "tessera:" + p.plasticity->rule : "nest:static_synapse");
  }
  return text;
}

std::string configuration(const Network& network) {
  ordered_json nodes = ordered_json::object(), edges = ordered_json::object();
  for (const Population& p : network.populations)
    nodes[io::encoded_name(p.name)] = {{"type", is_source(p) ? "virtual" : "point_neuron"}};
  for (const Projection& p : network.projections) edges[io::encoded_name(p.name)] = {{"type", "chemical"}};
  ordered_json networks = {{"nodes",
                            {{{"nodes_file", "$BASE_DIR/nodes.h5"},
                              {"node_types_file", "$BASE_DIR/node_types.csv"},
                              {"populations", nodes}}}},
                           {"edges", ordered_json::array()}};
  if (!network.projections.empty())
    networks["edges"].push_back({{"edges_file", "$BASE_DIR/edges.h5"},
                                 {"edge_types_file", "$BASE_DIR/edge_types.csv"},
                                 {"populations", edges}});
  const ordered_json config = {{"manifest", {{"$BASE_DIR", "."}}},
                               {"components", {{"point_neuron_models_dir", "$BASE_DIR/components"}}},
                               {"networks", networks}};
  return config.dump(2) + "\n";
}

std::string parameters(const Population& p, const NeuronModel& model) {
  const ParameterValues values = values_of(p, model);
  ordered_json object = ordered_json::object();
  for (const ParameterInfo& parameter : model.parameters) object[parameter.name] = values[parameter.name];
  return object.dump(2) + "\n";
}

void require_distinct(const Network& network) {
  std::set<std::string> names;
  for (const Projection& p : network.projections) {
    if (!names.insert(p.name).second)
      throw InputError(fmt::format("Two projections have the name '{}'; SONATA needs names that differ.", p.name));
  }
}

// Small texts that are renamed together.
class Texts {
 public:
  explicit Texts(const std::filesystem::path& folder) : folder_(folder) {}
  void write(const std::string& name, const std::string& text) {
    files_.push_back(std::make_unique<io::FileWriter>(folder_ / name));
    files_.back()->write(text);
    names_.push_back(name);
  }
  void commit() {
    for (const auto& file : files_) file->commit();
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  std::filesystem::path folder_;
  std::vector<std::unique_ptr<io::FileWriter>> files_;
  std::vector<std::string> names_;
};

// Takes folders away again that nothing was put into.
struct EmptyFolders {
  std::filesystem::path folder;
  ~EmptyFolders() {
    std::error_code ignored;
    std::filesystem::remove(folder / "components", ignored);
    std::filesystem::remove(folder, ignored);
  }
};

// Streams all synapses. False when it was told to stop.
bool write_edges(const Network& network, const NeuronCatalogue& models, std::uint64_t seed, io::EdgeSink& sink,
                 const std::function<bool(std::uint64_t)>& go_on) {
  std::vector<ConnectivityRule::Synapse> buffer;
  std::uint64_t done = 0;
  bool going = true;
  for (std::size_t i = 0; i < network.projections.size() && going; ++i) {
    const auto flush = [&] {
      sink.append(i, buffer);
      done += buffer.size();
      buffer.clear();
      going = !go_on || go_on(done);
    };
    visit_synapses(network, models, seed, network.projections[i].name,
                   [&](std::span<const ConnectivityRule::Synapse> row) {
                     buffer.insert(buffer.end(), row.begin(), row.end());
                     if (buffer.size() >= kBufferedEdges) flush();
                     return going;
                   });
    if (going) flush();
  }
  return going;
}

}  // namespace
}  // namespace sonata

std::vector<std::string> export_sonata(const Network& network, const NeuronCatalogue& models, std::uint64_t seed,
                                       const std::filesystem::path& folder,
                                       const std::function<bool(std::uint64_t)>& go_on) {
  using namespace sonata;
  if (!has_hdf5()) throw InputError("SONATA networks are in HDF5, and this build has no HDF5.");
  const std::vector<Problem> problems = validate(network, models);
  if (!problems.empty()) throw InputError(problems);
  require_distinct(network);
  std::error_code error;
  const EmptyFolders cleaned{folder};
  std::filesystem::create_directories(folder / "components", error);
  if (error) io::throw_write_error(folder, error.message());
  std::vector<io::EdgePopulation> populations;
  for (const Projection& p : network.projections) {
    const NeuronModel* model = models.find(network.find(p.target)->model);
    populations.push_back({p.name, p.source, p.target, model == nullptr ? "" : model->weight_unit, populations.size()});
  }
  const std::unique_ptr<PendingNodes> nodes = write_nodes(folder / "nodes.h5", network);
  Texts texts(folder);
  texts.write("node_types.csv", node_types(network));
  for (const Population& p : network.populations) {
    if (!is_source(p)) texts.write("components/" + parameters_file(p), parameters(p, *models.find(p.model)));
  }
  std::vector<std::string> names{"nodes.h5"};
  if (!populations.empty()) {
    const std::unique_ptr<io::EdgeSink> edges = io::make_edge_sink(folder, populations);
    if (!write_edges(network, models, seed, *edges, go_on)) return {};
    texts.write("edge_types.csv", edge_types(network));
    (void)edges->finish();
    names.push_back("edges.h5");
  }
  nodes->commit();
  texts.write("circuit_config.json", configuration(network));
  texts.commit();
  names.insert(names.end(), texts.names().begin(), texts.names().end());
  return names;
}

}  // namespace tessera
