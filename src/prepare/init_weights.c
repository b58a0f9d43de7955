/* init_match_weights: the tensors of a network from those of another. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/names.h"
#include "network/layer_kind.h"
#include "prepare/init_match.h"

enum { TEXT_BYTES = 200, LINE_BYTES = 900 };

/* The next layer from l on that is not for training alone; num_layers: there is none. */
static uint32_t next_layer(const mlpd_network *network, uint32_t l) {
  while (l < network->num_layers && network->layers[l].kind->training_only) l++;
  return l;
}

/* "64-256-10, layers dense, batch-norm, dense", cut. */
static void describe(const mlpd_network *network, char text[TEXT_BYTES]) {
  int used = snprintf(text, TEXT_BYTES, "%u", network_inputs(network));
  for (uint32_t l = next_layer(network, 0); l < network->num_layers; l = next_layer(network, l + 1)) {
    const layer *const one = &network->layers[l];
    const bool plain = one->kind == &layer_dense;
    if (used > 0 && used < TEXT_BYTES)
      used +=
          snprintf(text + used, TEXT_BYTES - (size_t)used, plain ? "-%u" : "-%u (%s)", one->outputs, one->kind->name);
  }
}

/* The options that decide the layers: "--hidden, --norm, ... and --folds", which is the only one that no model sets. */
static const char *options_of_layers(char text[LINE_BYTES]) {
  size_t used = 0;
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL; row++)
    if (row->from_model == MLPD_FROM_MODEL_LAYERS && used < LINE_BYTES)
      used += (size_t)snprintf(text + used, LINE_BYTES - used, "%s--%s", used > 0 ? ", " : "", row->name);
  if (used < LINE_BYTES) (void)snprintf(text + used, LINE_BYTES - used, " and --folds");
  return text;
}

/* Do members that share nothing else share an embedding, below the fork? */
static bool shares_embedding(const mlpd_network *network) {
  return network->members_apart && network->layers[0].kind->expands;
}

static mlpd_status fail_layers(const mlpd_network *from, const mlpd_network *network) {
  char theirs[TEXT_BYTES], ours[TEXT_BYTES], options[LINE_BYTES];
  if (shares_embedding(from))
    return FAIL(MLPD_ERROR_USAGE,
                "--init-from: the members of this model share embeddings, as those of versions before 2026-11-30 do, "
                "and no run can go on with them; train a new model");
  describe(from, theirs);
  describe(network, ours);
  return FAIL(
      MLPD_ERROR_USAGE,
      "--init-from: the model's network is %s, this one is %s; leave out %s to use the model's, or give the same",
      theirs, ours, options_of_layers(options));
}

/* A layer of both networks, and the model's input and output of each of ours; NULL: the same. */
typedef struct layer_pair {
  const mlpd_network *from;
  mlpd_network *network;
  uint32_t theirs, ours, number; /* number: from 1, for messages */
  const uint32_t *inputs, *outputs;
  uint32_t *places; /* memory of inputs after a layer that expands them */
} layer_pair;

/* Do the rows of a tensor belong to inputs, or codes of these, that may lie elsewhere? Those of an ensemble's scales
 * are its members. */
static bool rows_are_inputs(const layer_pair *p, const tensor *ours) {
  return p->inputs != NULL && (ours->source == TENSOR_PRODUCT || p->network->layers[p->ours].kind->expands);
}

/* Matrices of a tensor, one for each member of an ensemble. */
static uint32_t members_of(const tensor *t) { return t->rows / tensor_group_rows(t); }

static mlpd_status check_shape(const layer_pair *p, const tensor *theirs, const tensor *ours) {
  char options[LINE_BYTES];
  const bool rows_fit = rows_are_inputs(p, ours) ? members_of(theirs) == members_of(ours) : theirs->rows == ours->rows;
  if (rows_fit && (p->outputs != NULL || theirs->columns == ours->columns)) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE,
              "--init-from: %s of layer %u is (%u, %u) in the model, (%u, %u) in this network; leave out %s to use the "
              "model's, or give the same",
              ours->name, p->number, theirs->rows, theirs->columns, ours->rows, ours->columns,
              options_of_layers(options));
}

/* The model's row for row i of ours, or NAME_ABSENT. */
static uint32_t row_of_model(const layer_pair *p, const tensor *theirs, const tensor *ours, uint32_t i) {
  if (!rows_are_inputs(p, ours)) return i;
  const uint32_t member = i / tensor_group_rows(ours), input = p->inputs[i % tensor_group_rows(ours)];
  return input == NAME_ABSENT ? NAME_ABSENT : member * tensor_group_rows(theirs) + input;
}

/* An input that the model lacks had no effect there: its weights are 0, and a factor of it stays as it starts, as does
 * what is learned of a number. */
static void copy_tensor(const layer_pair *p, const tensor *theirs, const tensor *ours) {
  for (uint32_t i = 0; i < ours->rows; i++) {
    const uint32_t row = row_of_model(p, theirs, ours, i);
    float *const to = p->network->parameters + ours->offset + (size_t)i * ours->stride;
    if (row == NAME_ABSENT && p->network->layers[p->ours].kind->numbers != NULL) continue;
    if (row == NAME_ABSENT) {
      memset(to, 0, ours->columns * sizeof *to);
      continue;
    }
    const float *const values = p->from->parameters + theirs->offset + (size_t)row * theirs->stride;
    for (uint32_t j = 0; j < ours->columns; j++) {
      const uint32_t column = p->outputs == NULL ? j : p->outputs[j];
      if (column != NAME_ABSENT) to[j] = values[column];
    }
  }
}

static mlpd_status copy_layer(const layer_pair *p) {
  const layer *const theirs = &p->from->layers[p->theirs], *const ours = &p->network->layers[p->ours];
  if (theirs->num_tensors != ours->num_tensors) return fail_layers(p->from, p->network);
  for (uint32_t i = 0; i < ours->num_tensors; i++) {
    TRY(check_shape(p, layer_tensor(p->from, p->theirs, i), layer_tensor(p->network, p->ours, i)));
    copy_tensor(p, layer_tensor(p->from, p->theirs, i), layer_tensor(p->network, p->ours, i));
  }
  return MLPD_OK;
}

static void note_activation(const layer_pair *p, init_note *note, void *context) {
  char line[LINE_BYTES];
  const mlpd_activation theirs = p->from->layers[p->theirs].activation, ours = p->network->layers[p->ours].activation;
  if (theirs == ours || note == NULL) return;
  (void)snprintf(line, sizeof line, "--init-from: layer %u has activation %s in the model, %s in this network",
                 p->number, mlpd_choice_name(mlpd_activation_choices, (int)theirs),
                 mlpd_choice_name(mlpd_activation_choices, (int)ours));
  note(context, line);
}

/* The first output of input i of a layer that expands inputs. */
static uint32_t output_begin(const layer *l, uint32_t i) { return network_expanded(i, l->sizes, l->width); }

static uint32_t width_of(const layer *l, uint32_t i) { return l->sizes[i] > 0 ? l->width : 1; }

/* The model's place of each output of a layer that expands inputs, from the places of its inputs. What is a number in
 * one network alone has only its value in common, the last output. */
static mlpd_status expand_places(layer_pair *p) {
  const layer *const theirs = &p->from->layers[p->theirs], *const ours = &p->network->layers[p->ours];
  uint32_t *places = NULL, next = 0;
  TRY(memory_allocate(&places, ours->outputs, sizeof *places, "inputs"));
  for (uint32_t i = 0; i < ours->inputs; i++) {
    const uint32_t input = p->inputs[i], mine = width_of(ours, i);
    const uint32_t begin = input != NAME_ABSENT ? output_begin(theirs, input) : NAME_ABSENT;
    const uint32_t other = input != NAME_ABSENT ? width_of(theirs, input) : 0;
    for (uint32_t k = 0; k < mine; k++) places[next + k] = other == mine ? begin + k : NAME_ABSENT;
    next += mine;
    if (other > 0 && other != mine) places[next - 1] = begin + other - 1;
  }
  free(p->places);
  p->inputs = p->places = places;
  return MLPD_OK;
}

/* Number `input` of a layer of numbers: its row of their tensors. */
static uint32_t number_row(const layer *l, uint32_t input) {
  uint32_t row = 0;
  for (uint32_t i = 0; i < input; i++) row += l->sizes[i];
  return row;
}

/* What is learned of each number, by the places of the inputs. */
static mlpd_status copy_numbers(layer_pair *p) {
  const layer *const theirs = &p->from->layers[p->theirs], *const ours = &p->network->layers[p->ours];
  uint32_t *places = NULL;
  layer_pair rows = *p;
  TRY(memory_allocate(&places, ours->inputs, sizeof *places, "inputs"));
  for (uint32_t i = 0, row = 0; i < ours->inputs; row += ours->sizes[i++]) {
    const uint32_t input = p->inputs[i];
    const bool both = input != NAME_ABSENT && ours->sizes[i] > 0 && theirs->sizes[input] > 0;
    if (ours->sizes[i] > 0) places[row] = both ? number_row(theirs, input) : NAME_ABSENT;
  }
  rows.inputs = places;
  rows.outputs = NULL;
  const mlpd_status status = copy_layer(&rows);
  free(places);
  TRY(status);
  return expand_places(p);
}

/* The rows of a table by their codes. */
static mlpd_status copy_table(layer_pair *p, const init_match *match) {
  layer_pair rows = *p;
  rows.inputs = match->codes;
  rows.outputs = NULL;
  TRY(copy_layer(&rows));
  return expand_places(p);
}

static bool is_product(const layer_kind *kind) { return kind == &layer_dense || kind == &layer_heads; }

/* A fork may have the scales of its members, or the layer above it has them, where noise stands between (which a model
 * does not have). Goes on to that layer if the other network's fork has them. */
static void meet_scales(layer_pair *p) {
  const layer *const theirs = &p->from->layers[p->theirs], *const ours = &p->network->layers[p->ours];
  if (theirs->kind != &layer_fork || ours->kind != &layer_fork || theirs->num_tensors == ours->num_tensors) return;
  const mlpd_network *const bare = theirs->num_tensors == 0 ? p->from : p->network;
  uint32_t *const l = theirs->num_tensors == 0 ? &p->theirs : &p->ours;
  const uint32_t above = next_layer(bare, *l + 1);
  if (bare->layers[above].kind == &layer_scale) *l = above;
}

static mlpd_status match_layers(layer_pair *p, const init_match *match, init_note *note, void *context) {
  const mlpd_network *const network = p->network;
  for (;; p->theirs++, p->ours++) {
    p->theirs = next_layer(p->from, p->theirs);
    p->ours = next_layer(network, p->ours);
    const bool ended = p->theirs == p->from->num_layers, last = p->ours + 1 == network->num_layers;
    if (ended != (p->ours == network->num_layers)) return fail_layers(p->from, network);
    if (ended) return MLPD_OK;
    const layer_kind *const kind = network->layers[p->ours].kind;
    if (p->from->layers[p->theirs].kind != kind || last != (p->theirs + 1 == p->from->num_layers))
      return fail_layers(p->from, network);
    meet_scales(p);
    p->number++;
    p->outputs = last ? match->outputs : is_product(kind) ? NULL : p->inputs; /* others keep their inputs' places */
    if (kind->numbers != NULL)
      TRY(copy_numbers(p));
    else if (kind->expands)
      TRY(copy_table(p, match));
    else if (!last || match->outputs != NULL)
      TRY(copy_layer(p));
    if (!last) note_activation(p, note, context); /* of the last it is the same, or starts anew */
    if (is_product(kind)) p->inputs = NULL;
  }
}

mlpd_status init_match_weights(const mlpd_model *from, const init_match *match, mlpd_network *network, init_note *note,
                               void *context) {
  layer_pair p = {.from = from->network, .network = network, .inputs = match->inputs};
  const mlpd_status status = match_layers(&p, match, note, context);
  free(p.places);
  return status;
}
