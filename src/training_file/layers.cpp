// [[layer]]: one layer of a network with its connections.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "training_file/parts.hpp"

namespace tessera::io {
namespace {

using namespace training;

constexpr std::size_t kMostLayers = 1000;
constexpr std::uint32_t kRiglInterval = 100;  // as in its publication

const std::vector<std::pair<std::string, NeuronKind>> kNeurons{
    {"lif", NeuronKind::lif},
    {"adaptive_lif", NeuronKind::adaptive_lif},
    {"synaptic_lif", NeuronKind::synaptic_lif},
    {"readout", NeuronKind::readout}};

struct Range {
  double low = 0.0, high = 0.0;
};

// A number or a list [low, high].
std::optional<Range> read_range(TrainingReader& t, const std::string& key, const Dimension& unit) {
  const toml::node* node = t.get(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_array()) {
    const auto number = read_number(t.context(), *node, t.path_of(key), unit, {});
    if (!number) return std::nullopt;
    return Range{*number, *number};
  }
  const std::vector<double> numbers = read_list(t.context(), *node, t.path_of(key), unit);
  if (numbers.size() != 2) {
    t.complain(key, "A range is a list of two values: the lowest and the highest.");
    return std::nullopt;
  }
  return Range{numbers[0], numbers[1]};
}

// The decay factor exp(-dt / tau) of a time constant, which must be above zero.
double decay_of(TrainingReader& t, const std::string& key, double tau_ms, double dt_ms,
                double otherwise) {
  if (!(tau_ms > 0.0)) {
    t.complain(key, fmt::format("A time constant must be above 0 ms, not {} ms.", tau_ms));
    return otherwise;
  }
  return std::exp(-dt_ms / tau_ms);
}

// Two keys for one thing: a time constant ("tau_mem") or its factor per step ("alpha"), and a table
// of its details ("membrane").
struct DecayKeys {
  const char* tau;
  const char* factor;
  const char* details;
};

void read_decay(TrainingReader& t, const DecayKeys& keys, double dt_ms, Decay& decay) {
  const bool has_tau = t.has(keys.tau), has_factor = t.has(keys.factor);
  if (has_tau && has_factor) {
    t.complain(keys.factor, fmt::format("Give either {} or {}, not both.", keys.tau, keys.factor));
  }
  if (const auto tau = read_range(t, keys.tau, kMs)) {
    decay.low = decay_of(t, keys.tau, tau->low, dt_ms, decay.low);
    decay.high = decay_of(t, keys.tau, tau->high, dt_ms, decay.high);
  }
  if (const auto factor = read_range(t, keys.factor, {})) {
    decay.low = factor->low;
    decay.high = factor->high;
  }
  decay.per_neuron = decay.low < decay.high;
  const toml::table* details = t.table(keys.details);
  if (details == nullptr) return;
  TrainingReader d(t.context(), *details, t.path_of(keys.details));
  decay.trainable = d.truth("trainable", decay.trainable);
  const bool per_neuron = d.truth("per_neuron", decay.per_neuron);
  if (decay.per_neuron && !per_neuron) {
    d.complain("per_neuron",
               fmt::format("A range of {} means a value for every neuron.", keys.tau));
  }
  decay.per_neuron = per_neuron;
  d.done();
}

void read_delays(TrainingReader& t, double dt_ms, bool sparse, Connection& connection) {
  const std::string reason = "only sparse connections have delays";
  if (t.applies("min_delay", sparse, reason))
    connection.min_delay = t.steps("min_delay", dt_ms, connection.min_delay);
  if (t.applies("max_delay", sparse, reason))
    connection.max_delay = t.steps("max_delay", dt_ms, connection.min_delay);
}

// connection = { ... } and recurrent = { ... }: dense or sparse.
Connection read_connection(ModelContext& c, const toml::table& table, const std::string& path,
                           double dt_ms) {
  TrainingReader t(c, table, path);
  Connection connection;
  connection.kind = t.word<ConnectionKind>(
      "kind", t.has("density") ? ConnectionKind::sparse : ConnectionKind::dense,
      {{"dense", ConnectionKind::dense}, {"sparse", ConnectionKind::sparse}});
  const bool sparse = connection.kind == ConnectionKind::sparse;
  if (t.applies("density", sparse, "dense connections have all synapses"))
    connection.density = t.number("density", {}, connection.density);
  read_delays(t, dt_ms, sparse, connection);
  t.done();
  // So that one parameter goes from sparse to all synapses. A kind that is given stays.
  if (sparse && !t.has("kind") && connection.density == 1.0 && connection.max_delay == 0)
    connection.kind = ConnectionKind::dense;
  return connection;
}

Connection read_convolution(ModelContext& c, const toml::table& table, const std::string& path) {
  TrainingReader t(c, table, path);
  Connection connection;
  connection.kind = ConnectionKind::convolution;
  t.need("filters");
  connection.filters = t.count32("filters", connection.filters);
  connection.kernel = t.count32("kernel", connection.kernel);
  connection.stride = t.count32("stride", connection.stride);
  connection.padding = t.count32("padding", connection.padding);
  t.done();
  return connection;
}

void read_input(TrainingReader& t, double dt_ms, Layer& layer) {
  const toml::table* connection = t.table("connection");
  const toml::table* convolution = t.table("convolution");
  if (connection != nullptr && convolution != nullptr) {
    t.complain("convolution", "A layer has either a connection or a convolution, not both.");
  }
  if (connection != nullptr)
    layer.input = read_connection(t.context(), *connection, t.path_of("connection"), dt_ms);
  if (convolution != nullptr)
    layer.input = read_convolution(t.context(), *convolution, t.path_of("convolution"));
  layer.input.pool = t.count32("pool", layer.input.pool);
  if (t.applies("pooling", layer.input.pool != 1, "there is no pool")) {
    layer.input.pooling = t.word<Pooling>("pooling", layer.input.pooling,
                                          {{"average", Pooling::average}, {"sum", Pooling::sum}});
  }
}

// recurrent = true, false or a table.
void read_recurrent(TrainingReader& t, double dt_ms, Layer& layer) {
  const toml::node* node = t.get("recurrent");
  if (node == nullptr) return;
  if (const toml::table* table = node->as_table()) {
    layer.recurrent = read_connection(t.context(), *table, t.path_of("recurrent"), dt_ms);
  } else if (t.truth("recurrent", false)) {
    layer.recurrent = Connection{};
  }
}

// Keys that belong to one rule only, and where they are read.
Rewiring read_rule(TrainingReader& r, RewiringKind kind) {
  Rewiring rewiring;
  rewiring.kind = kind;
  const bool deep_r = kind == RewiringKind::deep_r, soft = kind == RewiringKind::soft_deep_r,
             rigl = kind == RewiringKind::rigl;
  rewiring.interval = r.count32("interval", rigl ? kRiglInterval : rewiring.interval);
  if (r.applies("convention", deep_r, "only deep_r has two conventions"))
    rewiring.convention = r.word<DeepRConvention>(
        "convention", rewiring.convention,
        {{"mlgenn", DeepRConvention::mlgenn}, {"bellec", DeepRConvention::bellec}});
  if (r.applies("l1", deep_r || soft, "rigl has no penalty")) rewiring.l1 = r.number("l1", {}, rewiring.l1);
  if (r.applies("noise", soft || (deep_r && rewiring.convention == DeepRConvention::bellec),
                "only soft_deep_r and deep_r with convention = \"bellec\" have noise"))
    rewiring.noise = r.number("noise", {}, rewiring.noise);
  if (r.applies("fraction", rigl, "only rigl has a fraction"))
    rewiring.fraction = r.number("fraction", {}, rewiring.fraction);
  if (r.applies("until", rigl, "only rigl ends before the training"))
    rewiring.until = r.number("until", {}, rewiring.until);
  if (r.applies("grow", rigl, "only rigl has a choice"))
    rewiring.growth = r.word<Growth>("grow", rewiring.growth,
                                     {{"gradient", Growth::gradient}, {"random", Growth::random}});
  if (r.applies("candidates", rigl && rewiring.growth == Growth::gradient, "only rigl with grow = \"gradient\" has candidates"))
    rewiring.candidates = r.count32("candidates", rewiring.candidates);
  return rewiring;
}

bool has_density(TrainingReader& t, const std::string& key) {
  const toml::node* node = t.has(key) ? t.get(key) : nullptr;
  return node != nullptr && node->is_table() && node->as_table()->contains("density");
}

// rewiring = { ... }: of all sparse connections of the layer.
void read_rewiring(TrainingReader& t, Layer& layer) {
  const toml::table* table = t.table("rewiring");
  if (table == nullptr) return;
  TrainingReader r(t.context(), *table, t.path_of("rewiring"));
  enum class Rule { fixed, deep_r, soft_deep_r, rigl };
  r.need("rule");
  const Rule rule = r.word<Rule>("rule", Rule::fixed,
                                 {{"static", Rule::fixed},
                                  {"deep_r", Rule::deep_r},
                                  {"soft_deep_r", Rule::soft_deep_r},
                                  {"rigl", Rule::rigl}});
  const bool unknown = t.context().problems.is_spoiled(r.path_of("rule"));
  std::optional<Rewiring> rewiring;
  if (rule == Rule::fixed) {
    for (const char* key : {"interval", "convention", "l1", "noise", "fraction", "until", "grow", "candidates"}) {
      if (unknown) r.allow(key);
      else (void)r.applies(key, false, "static synapses stay as they are");
    }
  } else {
    rewiring = read_rule(r, rule == Rule::deep_r        ? RewiringKind::deep_r
                            : rule == Rule::soft_deep_r ? RewiringKind::soft_deep_r
                                                        : RewiringKind::rigl);
  }
  r.done();
  bool sparse = has_density(t, "connection") || has_density(t, "recurrent");
  for (Connection* connection : {&layer.input, layer.recurrent ? &*layer.recurrent : nullptr}) {
    if (connection == nullptr || connection->kind != ConnectionKind::sparse) continue;
    connection->rewiring = rewiring;
    sparse = true;
  }
  if (!sparse)
    t.complain("rewiring", "No connection of this layer is sparse: give `connection` or `recurrent` a density.");
}

void read_size(TrainingReader& t, Layer& layer) {
  if (t.applies("size", layer.input.kind != ConnectionKind::convolution,
                "the size of a convolution follows from its input")) {
    if (t.need("size") != nullptr) layer.size = t.count32("size", 0);
  }
}

void read_time_constants(TrainingReader& t, double dt_ms, Layer& layer) {
  read_decay(t, {"tau_mem", "alpha", "membrane"}, dt_ms, layer.membrane);
  const bool unknown = t.context().problems.is_spoiled(t.path_of("neuron"));
  const bool synaptic = unknown || layer.neuron == NeuronKind::synaptic_lif;
  bool wanted = true;
  for (const char* key : {"tau_syn", "kappa", "synapse"})
    wanted &= t.applies(key, synaptic, "only synaptic_lif neurons have a synaptic current");
  if (wanted) read_decay(t, {"tau_syn", "kappa", "synapse"}, dt_ms, layer.synapse);
  const bool adaptive = unknown || layer.neuron == NeuronKind::adaptive_lif;
  wanted = true;
  for (const char* key : {"tau_adapt", "rho", "adaptation", "adaptation_strength"})
    wanted &= t.applies(key, adaptive, "only adaptive_lif neurons adapt");
  if (!wanted) return;
  read_decay(t, {"tau_adapt", "rho", "adaptation"}, dt_ms, layer.adaptation);
  layer.adaptation_strength = t.number("adaptation_strength", {}, layer.adaptation_strength);
}

void read_regulariser(TrainingReader& t, Layer& layer) {
  const toml::table* table = t.table("regulariser");
  if (table == nullptr) return;
  TrainingReader r(t.context(), *table, t.path_of("regulariser"));
  ActivityRegulariser& regulariser = layer.regulariser;
  r.need("strength");
  regulariser.strength = r.number("strength", {}, regulariser.strength);
  regulariser.low = r.number("low", {}, regulariser.low);
  regulariser.high = r.number("high", {}, regulariser.high);
  r.done();
}

void read_bursts(TrainingReader& t, Layer& layer) {
  const toml::table* table = t.table("bursts");
  if (table == nullptr) return;
  TrainingReader r(t.context(), *table, t.path_of("bursts"));
  r.need("strength");
  layer.bursts.strength = r.number("strength", {}, layer.bursts.strength);
  layer.bursts.epoch_factor = r.number("epoch_factor", {}, layer.bursts.epoch_factor);
  r.done();
}

// What only neurons that spike have.
void read_spiking(TrainingReader& t, double dt_ms, Layer& layer) {
  bool spiking = layer.neuron != NeuronKind::readout;
  for (const char* key : {"threshold", "reset", "refractory", "surrogate", "steepness", "height", "max_activity",
                          "initial_activity", "regulariser", "bursts", "recurrent"})
    spiking &= t.applies(key, layer.neuron != NeuronKind::readout, "a readout never spikes");
  if (!spiking) return;
  layer.threshold = t.number("threshold", {}, layer.threshold);
  layer.reset = t.word<Reset>("reset", layer.reset,
                              {{"zero", Reset::to_zero},
                               {"subtract", Reset::subtract},
                               {"subtract_undecayed", Reset::subtract_undecayed}});
  layer.refractory = t.steps("refractory", dt_ms, layer.refractory);
  layer.surrogate = t.word<Surrogate>("surrogate", layer.surrogate,
                                      {{"superspike", Surrogate::superspike},
                                       {"arctan", Surrogate::arctan},
                                       {"sigmoid", Surrogate::sigmoid},
                                       {"triangular", Surrogate::triangular},
                                       {"piecewise_linear", Surrogate::piecewise_linear}});
  layer.surrogate_steepness = t.number("steepness", {}, layer.surrogate_steepness);
  layer.surrogate_height = t.number("height", {}, layer.surrogate_height);
  layer.max_activity = t.number("max_activity", {}, layer.max_activity);
  layer.initial_activity = t.number("initial_activity", {}, layer.initial_activity);
  read_regulariser(t, layer);
  read_bursts(t, layer);
}

Layer read_layer(ModelContext& c, const toml::table& table, const std::string& path,
                 std::size_t index, double dt_ms) {
  TrainingReader t(c, table, path);
  Layer layer;
  layer.where = c.problems.location(table.source(), path);
  layer.name = t.text("name", fmt::format("layer{}", index + 1));
  t.allow("about");
  layer.neuron = t.word<NeuronKind>("neuron", layer.neuron, kNeurons);
  read_input(t, dt_ms, layer);
  read_size(t, layer);
  read_spiking(t, dt_ms, layer);
  if (layer.neuron != NeuronKind::readout) read_recurrent(t, dt_ms, layer);
  read_rewiring(t, layer);
  layer.bias = t.truth("bias", layer.bias);
  read_time_constants(t, dt_ms, layer);
  layer.capacitance = t.number("capacitance", {}, layer.capacitance);
  layer.initial_gain = t.number("initial_gain", {}, layer.initial_gain);
  layer.weight_penalty = t.number("weight_penalty", {}, layer.weight_penalty);
  layer.on_substrate = t.truth("substrate", layer.on_substrate);
  layer.weight_limit = t.number("weight_limit", {}, layer.weight_limit);
  if (t.applies("weight_roll_off", layer.weight_limit != 0.0, "there is no weight_limit to roll off to"))
    layer.weight_roll_off = t.number("weight_roll_off", {}, layer.weight_roll_off);
  t.done();
  return layer;
}

}  // namespace

void read_layers(ModelContext& c, const toml::node* section, training::Network& network) {
  if (section == nullptr) {
    c.problems.add({}, "layer", "The model has no layers; write a [[layer]] for each.");
    return;
  }
  const toml::array* list = section->as_array();
  if (list == nullptr || list->empty()) {
    c.problems.add(section->source(), "layer",
                   "Layers are a list: write [[layer]] with two brackets for each.");
    return;
  }
  if (list->size() > kMostLayers) {
    c.problems.add(
        section->source(), "layer",
        fmt::format("There are {} layers; at most {} are possible.", list->size(), kMostLayers));
    return;
  }
  std::size_t index = 0;
  for (const toml::node& node : *list) {
    const std::string path = fmt::format("layer[{}]", index);
    c.problems.remember(path, node.source());
    if (const toml::table* table = node.as_table()) {
      network.layers.push_back(read_layer(c, *table, path, index, network.dt_ms));
    } else {
      c.problems.add(node.source(), path, "A layer must be a table.");
    }
    ++index;
  }
}

}  // namespace tessera::io
