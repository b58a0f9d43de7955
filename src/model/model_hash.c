#include "model/model_hash.h"

#include <string.h>
#include <xxhash.h>

#include "data/column_curves.h"

static void add(XXH3_state_t *state, const void *bytes, size_t count) {
  (void)XXH3_64bits_update(state, bytes, count); /* fails on NULL alone */
}

/* Hashes the terminating 0 too, so that different lists of texts never give the same bytes. */
static void add_text(XXH3_state_t *state, const char *text) { add(state, text, strlen(text) + 1); }

static void take(const XXH3_state_t *state, char text[17]) {
  (void)snprintf(text, 17, "%016llx", (unsigned long long)XXH3_64bits_digest(state));
}

static mlpd_status start(XXH3_state_t **state) {
  *state = XXH3_createState();
  if (*state == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, hashing a model");
  (void)XXH3_64bits_reset(*state);
  return MLPD_OK;
}

/* ---- Format 2 ------------------------------------------------------------------------------------ */

static void add_affine(XXH3_state_t *state, const affine *a) {
  add(state, a->shift, a->columns * sizeof *a->shift);
  add(state, a->scale, a->columns * sizeof *a->scale);
}

static void add_curves(XXH3_state_t *state, const column_curves *c) {
  const uint64_t knots = c->first[c->columns];
  add(state, c->first, ((size_t)c->columns + 1) * sizeof *c->first);
  add(state, c->x, knots * sizeof *c->x);
  add(state, c->z, knots * sizeof *c->z);
}

static void add_names(XXH3_state_t *state, const name_list *list) {
  add(state, &list->count, sizeof list->count);
  for (uint64_t i = 0; i < list->count; i++) add_text(state, list->names[i]);
}

/* Parameters that are not given leave the hash as it was before there were any. */
static void add_loss(XXH3_state_t *state, const loss_spec *loss) {
  const float parameters[] = {loss->smoothing, loss->gamma};
  add_text(state, mlpd_choice_name(mlpd_loss_choices, (int)loss->kind));
  if (loss->smoothing > 0 || loss->gamma > 0) add(state, parameters, sizeof parameters);
  add(state, loss->quantiles, loss->num_quantiles * sizeof *loss->quantiles);
}

static void add_codes(XXH3_state_t *state, const column_codes *c) {
  const uint32_t count = c->about.count;
  for (uint32_t j = 0; j < count; j++) {
    add_text(state, column_kind_name(c->about.kinds[j]));
    add_names(state, &c->about.categories[j]);
  }
  add(state, c->fill, count * sizeof *c->fill);
  add(state, c->marked, count * sizeof *c->marked);
  add(state, c->inputs, c->first[count] * sizeof *c->inputs);
  if (column_codes_any_embedded(c))
    add(state, c->embedded, count * sizeof *c->embedded); /* else as before it could be */
}

mlpd_status model_hash(const mlpd_model *model, model_hashes *hashes) {
  const uint64_t numbers[] = {model->epoch, model->step};
  XXH3_state_t *state;
  mlpd_network_digest(model->network, hashes->digest);
  TRY(start(&state));
  add_text(state, mlpd_choice_name(mlpd_task_choices, (int)model->task));
  add_loss(state, &model->loss);
  add(state, numbers, sizeof numbers);
  add_affine(state, &model->input);
  if (model->input.curves != NULL) add_curves(state, model->input.curves);
  if (model->input.limit > 0) add(state, &model->input.limit, sizeof model->input.limit);
  if (model->input.codes != NULL) add_codes(state, model->input.codes);
  add_affine(state, &model->target);
  if (model->least != NULL) add(state, model->least, 2 * (size_t)model->target.columns * sizeof *model->least);
  add_names(state, &model->names.columns);
  add_names(state, &model->names.targets);
  add_names(state, &model->names.classes);
  /* Nothing where there are none, as before there were such lists. */
  if (model->names.left_out.count > 0) add_names(state, &model->names.left_out);
  if (model->names.labels.count > 0) add_names(state, &model->names.labels);
  if (model->config != NULL) add_text(state, model->config);
  if (model->table != NULL) add_text(state, model->table);
  take(state, hashes->checksum);
  (void)XXH3_freeState(state);
  return MLPD_OK;
}

/* ---- Format 1 ------------------------------------------------------------------------------------ */

/* The enumerations in the order of format 1, from 0. These lists never change: later additions occur in no file of
 * format 1. */
static const char *const activations_1[] = {"identity", "relu", "leaky-relu", "elu",     "gelu", "silu",
                                            "sigmoid",  "tanh", "softplus",   "softmax", NULL};
static const char *const losses_1[] = {"auto", "mse",   "mse-mean", "cross-entropy", "binary-cross-entropy",
                                       "mae",  "huber", NULL};
static const char *const tasks_1[] = {"auto", "classification", "regression", NULL};

static uint32_t number_in(const char *const *names, const char *name) {
  uint32_t number = 0;
  while (names[number] != NULL && strcmp(names[number], name) != 0) number++;
  return number;
}

static void add_tensor(XXH3_state_t *state, const tensor *t, const float *parameters) {
  for (uint32_t row = 0; row < t->rows; row++)
    add(state, parameters + t->offset + (size_t)row * t->stride, t->columns * sizeof(float));
}

static mlpd_status hash_network_1(const mlpd_network *network, char digest[17]) {
  XXH3_state_t *state;
  TRY(start(&state));
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    const char *const activation = mlpd_choice_name(mlpd_activation_choices, (int)shape->activation);
    const uint32_t words[] = {shape->inputs, shape->outputs, number_in(activations_1, activation)};
    add(state, words, sizeof words);
    for (uint32_t i = shape->first_tensor; i < shape->first_tensor + shape->num_tensors; i++)
      add_tensor(state, &network->tensors[i], network->parameters);
  }
  take(state, digest);
  (void)XXH3_freeState(state);
  return MLPD_OK;
}

static void add_affine_1(XXH3_state_t *state, const affine *a) {
  add(state, a->narrow_shift, a->columns * sizeof(float));
  add(state, a->narrow_scale, a->columns * sizeof(float));
}

mlpd_status model_hash_format_1(const mlpd_model *model, model_hashes *hashes) {
  const name_list *const classes = &model->names.classes;
  const uint64_t numbers[] = {number_in(tasks_1, mlpd_choice_name(mlpd_task_choices, (int)model->task)),
                              number_in(losses_1, mlpd_choice_name(mlpd_loss_choices, (int)model->loss.kind)),
                              model->epoch, model->step, classes->count};
  XXH3_state_t *state;
  TRY(hash_network_1(model->network, hashes->digest));
  TRY(start(&state));
  add(state, numbers, sizeof numbers);
  add_affine_1(state, &model->input);
  add_affine_1(state, &model->target);
  for (uint64_t k = 0; k < classes->count; k++) add_text(state, classes->names[k]);
  if (model->config != NULL) add(state, model->config, strlen(model->config));
  take(state, hashes->checksum);
  (void)XXH3_freeState(state);
  return MLPD_OK;
}
