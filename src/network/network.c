#include "network/network.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "kernels/piecewise.h"
#include "network/init.h"
#include "network/layer_kind.h"

enum { ARENA_STEP = 16, MOST_MEMBERS = 1024 };

static size_t round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

/* ---- Making ---------------------------------------------------------------------------------------- */

static mlpd_status check_width(uint32_t width) {
  if (width > 0 && width <= INT32_MAX / 2) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "layer width %u is not in [1, %d]", width, INT32_MAX / 2);
}

static mlpd_status check_activation(mlpd_activation activation, uint32_t l, uint32_t num_layers) {
  if ((int)activation < 0 || activation >= MLPD_NUM_ACTIVATIONS)
    return FAIL(MLPD_ERROR_USAGE, "activation %d of layer %u does not exist", (int)activation, l + 1);
  if (activation == MLPD_SOFTMAX && l + 1 < num_layers)
    return FAIL(MLPD_ERROR_USAGE, "softmax is for the output layer only, not for layer %u of %u", l + 1, num_layers);
  return MLPD_OK;
}

/* From a fan-out on, arrays and heads have `copies` times a layer's width: a number that products take as an int. */
static mlpd_status check_copies(uint32_t copies, uint32_t l, uint32_t width) {
  const uint32_t most = INT32_MAX / 2 / copies;
  if (width <= most) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "layer %u is %u wide; in an ensemble of %u members a layer has at most %u outputs",
              l + 1, width, copies, most);
}

/* One settles its deltas by whole rows, which the other computes by whole lanes. */
static mlpd_status check_neighbours(uint32_t num_layers, const layer_spec *specs) {
  for (uint32_t l = 0; l + 1 < num_layers; l++)
    if (specs[l].kind->settle != NULL && specs[l + 1].kind->reach == REACH_LANE)
      return FAIL(MLPD_ERROR_USAGE, "layer %u: %s cannot follow %s", l + 2, specs[l + 1].kind->name,
                  specs[l].kind->name);
  return MLPD_OK;
}

static bool begins_members(const layer_kind *kind) { return kind == &layer_fan_out || kind == &layer_fork; }

/* Layer l of an ensemble; below: where its members begin, or NULL. */
static mlpd_status check_layer_of_ensemble(uint32_t l, bool is_last, const layer_spec *spec, const layer_kind *below) {
  const layer_kind *const kind = spec->kind, *const wanted = below != NULL ? &layer_heads : &layer_dense;
  if (begins_members(kind) && below != NULL)
    return FAIL(MLPD_ERROR_USAGE, "layer %u is a second fan-out; a network has one at most", l + 1);
  if (begins_members(kind) && (spec->copies == 0 || spec->copies > MOST_MEMBERS))
    return FAIL(MLPD_ERROR_USAGE, "an ensemble has 1 to %d members, not %u", MOST_MEMBERS, spec->copies);
  if (is_last && kind != wanted)
    return FAIL(MLPD_ERROR_USAGE, "the output layer is %s, and must be %s", kind->name, wanted->name);
  if (!is_last && kind == &layer_heads && below != &layer_fork)
    return FAIL(MLPD_ERROR_USAGE, "layer %u is heads, which are for the output layer only", l + 1);
  if (below == &layer_fork && kind->tensors != NULL && !kind->of_members)
    return FAIL(MLPD_ERROR_USAGE,
                "layer %u is %s, which the members above a fork would share: leave it out, or use --ensemble, whose "
                "members share layers",
                l + 1, kind->name);
  return MLPD_OK;
}

/* At most one fan-out, and above it heads: the last layer alone; or one fork, and above it heads in place of all dense
 * layers. */
static mlpd_status check_ensemble(uint32_t num_layers, const layer_spec *specs) {
  const layer_kind *below = NULL;
  uint32_t copies = 1;
  for (uint32_t l = 0; l < num_layers; l++) {
    TRY(check_layer_of_ensemble(l, l + 1 == num_layers, &specs[l], below));
    if (begins_members(specs[l].kind)) below = specs[l].kind;
    if (begins_members(specs[l].kind)) copies = specs[l].copies;
    TRY(check_copies(copies, l, specs[l].outputs));
  }
  return MLPD_OK;
}

static mlpd_status check_specs(uint32_t inputs, uint32_t num_layers, const layer_spec *specs) {
  if (num_layers == 0) return FAIL(MLPD_ERROR_USAGE, "a network needs at least one layer");
  TRY(check_width(inputs));
  for (uint32_t l = 0; l < num_layers; l++) TRY(check_width(specs[l].outputs));
  for (uint32_t l = 0; l < num_layers; l++) TRY(check_activation(specs[l].activation, l, num_layers));
  TRY(check_neighbours(num_layers, specs));
  return check_ensemble(num_layers, specs);
}

uint32_t network_expanded(uint32_t inputs, const uint32_t *sizes, uint32_t width) {
  uint64_t outputs = 0;
  for (uint32_t i = 0; i < inputs; i++) outputs += sizes[i] > 0 ? width : 1;
  return outputs <= UINT32_MAX ? (uint32_t)outputs : 0;
}

static mlpd_status check_piecewise(const layer_spec *spec) {
  if (!(spec->amount >= 1 && spec->amount <= PIECEWISE_MOST_BINS))
    return FAIL(MLPD_ERROR_USAGE, "layer of kind piecewise: %g bins, not 1 to %d", spec->amount, PIECEWISE_MOST_BINS);
  if (spec->width < 2 || spec->width > PIECEWISE_MOST_WIDTH)
    return FAIL(MLPD_ERROR_USAGE, "layer of kind piecewise: width %u, not 2 to %d", spec->width, PIECEWISE_MOST_WIDTH);
  return MLPD_OK;
}

/* Copies the sizes of a layer that expands inputs. */
static mlpd_status take_sizes(layer *l, const layer_spec *spec) {
  const uint32_t fixed = spec->kind->fixed_width;
  uint64_t total = 0;
  if (fixed > 0 && spec->width != fixed)
    return FAIL(MLPD_ERROR_USAGE, "layer of kind %s: width %u, not %u", spec->kind->name, spec->width, fixed);
  if (spec->kind == &layer_piecewise) TRY(check_piecewise(spec));
  for (uint32_t i = 0; i < l->inputs; i++) {
    total += spec->sizes[i];
    if (spec->kind->numbers != NULL && spec->sizes[i] > 1)
      return FAIL(MLPD_ERROR_USAGE, "layer of kind %s: size %u of input %u is not 0 or 1", spec->kind->name,
                  spec->sizes[i], i);
  }
  if (total > INT32_MAX / 2 / l->copies)
    return FAIL(MLPD_ERROR_USAGE, "layer of kind %s: %llu rows for each of %u members are too many", spec->kind->name,
                (unsigned long long)total, l->copies);
  if (total == 0 || network_expanded(l->inputs, spec->sizes, spec->width) != l->outputs)
    return FAIL(MLPD_ERROR_USAGE, "layer of kind %s: %u outputs do not fit its sizes", spec->kind->name, l->outputs);
  TRY(memory_allocate(&l->sizes, l->inputs, sizeof *l->sizes, "layers"));
  memcpy(l->sizes, spec->sizes, l->inputs * sizeof *l->sizes);
  return MLPD_OK;
}

/* The tensors of layer l, in their places of the arena. */
static mlpd_status append_tensors(mlpd_network *network, uint32_t l, const layer_spec *spec, uint32_t *draws) {
  tensor made[LAYER_MOST_TENSORS] = {{0}};
  layer *const of = &network->layers[l];
  of->first_tensor = network->num_tensors;
  of->num_tensors = spec->kind->tensors != NULL ? spec->kind->tensors(of, spec, made) : 0;
  for (uint32_t i = 0; i < of->num_tensors; i++) {
    tensor *const t = &made[i];
    if (t->columns > 0 && t->rows > SIZE_MAX / sizeof(float) / 2 / t->columns)
      return FAIL(MLPD_ERROR_MEMORY, "layer %u: %u x %u weights are too many", l + 1, t->rows, t->columns);
    t->layer = l;
    t->stride = t->vector ? t->columns : tensor_row_stride(t->columns);
    t->offset = network->arena_size;
    t->auto_init = spec->learning == NULL ? init_for_activation(spec->starts_for) : MLPD_LECUN_NORMAL;
    if (t->start >= TENSOR_DRAWN) t->draw = (*draws)++;
    network->arena_size = round_up(tensor_end(t), ARENA_STEP);
    network->has_statistics |= t->source == TENSOR_STATISTICS;
    network->tensors[network->num_tensors++] = *t;
  }
  return MLPD_OK;
}

static mlpd_status append_layers(mlpd_network *network, uint32_t inputs, uint32_t num_layers, const layer_spec *specs) {
  uint32_t draws = 0, copies = 1;
  for (uint32_t l = 0; l < num_layers; l++) {
    const layer_spec *const spec = &specs[l];
    if (begins_members(spec->kind)) copies = spec->copies;
    network->members_apart |= spec->kind == &layer_fork;
    network->layers[l] = (layer){.kind = spec->kind,
                                 .inputs = l == 0 ? inputs : specs[l - 1].outputs,
                                 .outputs = spec->outputs,
                                 .copies = copies,
                                 .activation = spec->activation,
                                 .stride = l + 1 < num_layers ? tensor_row_stride(spec->outputs) : spec->outputs,
                                 .amount = spec->amount,
                                 .width = spec->width};
    network->num_layers++;
    if (spec->kind->expands) TRY(take_sizes(&network->layers[l], spec));
    TRY(append_tensors(network, l, spec, &draws));
    if (network->num_tensors == 0) network->lowest_delta = l + 1;
  }
  return MLPD_OK;
}

static void start_parameters(mlpd_network *network) {
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    float *const values = network->parameters + t->offset;
    for (uint32_t j = 0; t->start == TENSOR_CONSTANT && j < t->columns; j++) values[j] = t->value;
  }
}

static mlpd_status fill_network(mlpd_network *network, uint32_t inputs, uint32_t num_layers, const layer_spec *specs,
                                bool shape_alone) {
  TRY(memory_allocate(&network->layers, num_layers, sizeof *network->layers, "layers"));
  TRY(memory_allocate(&network->tensors, (size_t)num_layers * LAYER_MOST_TENSORS, sizeof *network->tensors, "layers"));
  TRY(append_layers(network, inputs, num_layers, specs));
  if (shape_alone) return MLPD_OK;
  TRY(memory_allocate(&network->parameters, network->arena_size, sizeof(float), "parameters"));
  start_parameters(network);
  return MLPD_OK;
}

mlpd_status network_build(uint32_t inputs, uint32_t num_layers, const layer_spec *specs, bool shape_alone,
                          mlpd_network **network) {
  *network = NULL;
  TRY(check_specs(inputs, num_layers, specs));
  mlpd_network *made = NULL;
  TRY(memory_allocate(&made, 1, sizeof *made, "network"));
  const mlpd_status status = fill_network(made, inputs, num_layers, specs, shape_alone);
  if (status != MLPD_OK) {
    mlpd_network_free(made);
    return status;
  }
  *network = made;
  return MLPD_OK;
}

mlpd_status mlpd_network_create(uint32_t num_layers, const uint32_t *widths, const mlpd_activation *activations,
                                mlpd_network **network) {
  layer_spec *specs = NULL;
  NEED(network);
  *network = NULL;
  NEED(widths);
  NEED(activations);
  TRY(memory_allocate(&specs, num_layers, sizeof *specs, "layers"));
  for (uint32_t l = 0; l < num_layers; l++)
    specs[l] = (layer_spec){
        .kind = &layer_dense, .outputs = widths[l + 1], .activation = activations[l], .starts_for = activations[l]};
  const mlpd_status status = network_build(widths[0], num_layers, specs, false, network);
  free(specs);
  return status;
}

/* Layers of a copy: their sizes are its own. */
static mlpd_status copy_layers(const mlpd_network *network, mlpd_network *made) {
  TRY(memory_allocate(&made->layers, made->num_layers, sizeof *made->layers, "layers"));
  for (uint32_t l = 0; l < made->num_layers; l++) {
    layer *const to = &made->layers[l];
    *to = network->layers[l];
    to->sizes = NULL;
  }
  for (uint32_t l = 0; l < made->num_layers; l++) {
    const layer *const from = &network->layers[l];
    if (from->sizes == NULL) continue;
    TRY(memory_allocate(&made->layers[l].sizes, from->inputs, sizeof *from->sizes, "layers"));
    memcpy(made->layers[l].sizes, from->sizes, from->inputs * sizeof *from->sizes);
  }
  return MLPD_OK;
}

mlpd_status network_copy(const mlpd_network *network, mlpd_network **copy) {
  mlpd_network *made = NULL;
  *copy = NULL;
  TRY(memory_allocate(&made, 1, sizeof *made, "network"));
  *made = *network;
  made->layers = NULL;
  made->tensors = NULL;
  made->parameters = NULL;
  mlpd_status status = copy_layers(network, made);
  if (status == MLPD_OK) status = memory_allocate(&made->tensors, made->num_tensors, sizeof *made->tensors, "tensors");
  if (status == MLPD_OK) status = memory_allocate(&made->parameters, made->arena_size, sizeof(float), "parameters");
  if (status != MLPD_OK) {
    mlpd_network_free(made);
    return status;
  }
  memcpy(made->tensors, network->tensors, made->num_tensors * sizeof *made->tensors);
  memcpy(made->parameters, network->parameters, made->arena_size * sizeof(float));
  *copy = made;
  return MLPD_OK;
}

void mlpd_network_free(mlpd_network *network) {
  if (network == NULL) return;
  free(network->parameters);
  free(network->tensors);
  for (uint32_t l = 0; network->layers != NULL && l < network->num_layers; l++) free(network->layers[l].sizes);
  free(network->layers);
  free(network);
}

/* ---- Views ----------------------------------------------------------------------------------------- */

uint32_t mlpd_network_num_layers(const mlpd_network *network) { return network->num_layers; }

uint64_t mlpd_network_num_parameters(const mlpd_network *network) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    if (tensor_learns(t)) sum += (uint64_t)t->rows * t->columns;
  }
  return sum;
}

mlpd_layer_view mlpd_network_layer(mlpd_network *network, uint32_t l) {
  const layer *const shape = &network->layers[l];
  mlpd_layer_view view = {
      .kind = shape->kind->name, .inputs = shape->inputs, .outputs = shape->outputs, .activation = shape->activation};
  for (uint32_t i = 0; shape->kind == &layer_dense && i < shape->num_tensors; i++) {
    const tensor *const t = layer_tensor(network, l, i);
    float *const values = network->parameters + t->offset;
    if (t->vector) view.bias = values;
    if (t->vector) continue;
    view.weight = values;
    view.weight_stride = t->stride;
  }
  return view;
}

mlpd_tensor_view network_view_tensor(const mlpd_network *network, uint32_t layer, uint32_t index, float *arena) {
  if (layer >= network->num_layers || index >= network->layers[layer].num_tensors) return (mlpd_tensor_view){0};
  const tensor *const t = layer_tensor(network, layer, index);
  return (mlpd_tensor_view){
      .name = t->name, .rows = t->rows, .columns = t->columns, .stride = t->stride, .values = arena + t->offset};
}

mlpd_tensor_view mlpd_network_tensor(mlpd_network *network, uint32_t layer, uint32_t index) {
  return network_view_tensor(network, layer, index, network->parameters);
}

/* ---- Digest ---------------------------------------------------------------------------------------- */

static void hash_layer(XXH3_state_t *state, const mlpd_network *network, uint32_t l, const float *parameters) {
  const layer *const shape = &network->layers[l];
  const char *const activation = mlpd_choice_name(mlpd_activation_choices, (int)shape->activation);
  const uint32_t widths[] = {shape->inputs, shape->outputs};
  if (shape->kind != &layer_dense) (void)XXH3_64bits_update(state, shape->kind->name, strlen(shape->kind->name) + 1);
  (void)XXH3_64bits_update(state, widths, sizeof widths);
  (void)XXH3_64bits_update(state, activation, strlen(activation) + 1);
  if (shape->sizes != NULL) (void)XXH3_64bits_update(state, shape->sizes, shape->inputs * sizeof *shape->sizes);
  for (uint32_t i = 0; i < shape->num_tensors; i++) {
    const tensor *const t = layer_tensor(network, l, i);
    for (uint32_t row = 0; row < t->rows; row++)
      (void)XXH3_64bits_update(state, parameters + t->offset + (size_t)row * t->stride, t->columns * sizeof(float));
  }
}

uint64_t network_hash(const mlpd_network *network, const float *parameters) {
  XXH3_state_t *const state = XXH3_createState();
  if (state == NULL) return 0;
  (void)XXH3_64bits_reset(state);
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (!network->layers[l].kind->training_only) hash_layer(state, network, l, parameters);
  const uint64_t hash = XXH3_64bits_digest(state);
  (void)XXH3_freeState(state);
  return hash;
}

void mlpd_network_digest(const mlpd_network *network, char digest[17]) {
  (void)snprintf(digest, 17, "%016llx", (unsigned long long)network_hash(network, network->parameters));
}

void network_clear_statistics(const mlpd_network *network, size_t begin, size_t count, float *values) {
  for (uint32_t i = 0; network->has_statistics && i < network->num_tensors; i++) {
    const tensor *const t = &network->tensors[i];
    if (t->source != TENSOR_STATISTICS) continue;
    for (size_t at = t->offset; at < tensor_end(t); at++)
      if (at >= begin && at - begin < count) values[at - begin] = 0;
  }
}
