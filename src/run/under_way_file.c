/* mlpd_trainer_save and _load. File: root attributes mlpdist = "trainer", format, version, every field of
 * under_way_state and the sizes by name, options (those that decide the weights, as text), checksum of everything;
 * arrays /parameters, /optimizer/state_0, ... (arenas, gaps included), /buffer (filled, record), /input/shift and
 * scale, /target/shift and scale; with curves, which come from the model to start from, curve_knots (a number that
 * older files lack: 0) and /input/curves/first, x and z (data/column_curves.h). */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/locale.h"
#include "base/memory.h"
#include "data/column_curves.h"
#include "h5/h5.h"
#include "options/option_text.h"
#include "ranks/comm.h"
#include "run/under_way.h"

enum { FORMAT = 1, MOST_ARRAYS = 11, NUM_NUMBERS = 11 };

/* A number of the file; mine: NULL, of a size that must be the trainer's. */
typedef struct number {
  const char *name;
  uint64_t *field, size;
} number;

static uint64_t num_knots(const mlpd_trainer *t) {
  const column_curves *const c = t->model->input.curves;
  return c != NULL ? c->first[c->columns] : 0;
}

static void list_numbers(const mlpd_trainer *t, under_way_state *s, number list[NUM_NUMBERS]) {
  const number all[NUM_NUMBERS] = {{"step", &s->step, 0},
                                   {"seen", &s->seen, 0},
                                   {"filled", &s->filled, 0},
                                   {"scales_x", &s->scales_x, 0},
                                   {"scales_y", &s->scales_y, 0},
                                   {"features", NULL, t->features},
                                   {"targets", NULL, t->targets},
                                   {"steps_per_epoch", NULL, t->steps_per_epoch},
                                   {"buffer_rows", NULL, t->buffer_rows},
                                   {"parameters", NULL, t->model->network->arena_size},
                                   {"curve_knots", NULL, num_knots(t)}};
  memcpy(list, all, sizeof all);
}

/* An array of the trainer and of the file. */
typedef struct stored {
  const char *object;
  void *data;
  uint64_t count;
  element_type type;
} stored;

static int list_arrays(const mlpd_trainer *t, uint64_t filled, stored list[MOST_ARRAYS]) {
  static const char *const states[] = {"/optimizer/state_0", "/optimizer/state_1"};
  const uint64_t arena = t->model->network->arena_size;
  affine *const in = &t->model->input, *const out = &t->model->target;
  int n = 0;
  list[n++] = (stored){"/parameters", t->model->network->parameters, arena, ELEMENT_F32};
  for (uint32_t i = 0; i < t->optimizer.num_state; i++)
    list[n++] = (stored){states[i], t->optimizer.state[i], arena, ELEMENT_F32};
  list[n++] = (stored){"/input/shift", in->shift, in->columns, ELEMENT_F64};
  list[n++] = (stored){"/input/scale", in->scale, in->columns, ELEMENT_F64};
  if (out->columns > 0) list[n++] = (stored){"/target/shift", out->shift, out->columns, ELEMENT_F64};
  if (out->columns > 0) list[n++] = (stored){"/target/scale", out->scale, out->columns, ELEMENT_F64};
  if (num_knots(t) > 0) {
    list[n++] = (stored){"/input/curves/first", in->curves->first, in->columns + 1, ELEMENT_U64};
    list[n++] = (stored){"/input/curves/x", in->curves->x, num_knots(t), ELEMENT_F64};
    list[n++] = (stored){"/input/curves/z", in->curves->z, num_knots(t), ELEMENT_F64};
  }
  if (filled > 0) list[n++] = (stored){"/buffer", t->buffer, filled * t->record, ELEMENT_F32};
  return n;
}

static void checksum_of(const under_way_state *state, const char *options, const stored *arrays, int count,
                        char text[17]) {
  uint64_t hash = XXH3_64bits(state, sizeof *state);
  hash = XXH3_64bits_withSeed(options, strlen(options) + 1, hash);
  for (int i = 0; i < count; i++)
    hash = XXH3_64bits_withSeed(arrays[i].data, arrays[i].count * element_size(arrays[i].type), hash);
  (void)snprintf(text, 17, "%016llx", (unsigned long long)hash);
}

/* ---- Saving ----------------------------------------------------------------------------------------- */

static mlpd_status write_trainer(h5_file *file, const void *content) {
  const mlpd_trainer *const t = content;
  under_way_state state = t->state;
  number numbers[NUM_NUMBERS];
  stored arrays[MOST_ARRAYS];
  char checksum[17];
  list_numbers(t, &state, numbers);
  const int count = list_arrays(t, state.filled, arrays);
  TRY(h5_attribute_write_text(file, "/", "mlpdist", "trainer"));
  TRY(h5_attribute_write_u64(file, "/", "format", FORMAT));
  TRY(h5_attribute_write_text(file, "/", "version", MLPD_VERSION));
  for (int i = 0; i < NUM_NUMBERS; i++)
    TRY(h5_attribute_write_u64(file, "/", numbers[i].name,
                               numbers[i].field != NULL ? *numbers[i].field : numbers[i].size));
  TRY(h5_attribute_write_text(file, "/", "options", t->mathematics));
  for (int i = 0; i < count; i++)
    TRY(h5_write(file, arrays[i].object, arrays[i].count, 0, arrays[i].type, arrays[i].data));
  checksum_of(&state, t->mathematics, arrays, count, checksum);
  return h5_attribute_write_text(file, "/", "checksum", checksum);
}

mlpd_status mlpd_trainer_save(mlpd_trainer *t, const char *path) {
  IN_C_LOCALE();
  TRY(status_need(t, __func__, "trainer"));
  TRY(mlpd_comm_agree(t->comm, status_need_path(path, __func__, "path")));
  TRY(stepper_compare_weights(t->stepper));
  TRY(stepper_complete_state(t->stepper));
  const bool writes = mlpd_comm_rank(t->comm) == 0;
  return mlpd_comm_agree(t->comm, writes ? h5_save(path, write_trainer, t) : MLPD_OK);
}

/* ---- Loading ---------------------------------------------------------------------------------------- */

static mlpd_status read_kind(h5_file *file) {
  char *kind = NULL;
  uint64_t format = 0;
  if (!h5_attribute_exists(file, "/", "mlpdist")) return FAIL(MLPD_ERROR_DATA, "not a file of mlpd_trainer_save()");
  TRY(h5_attribute_read_text(file, "/", "mlpdist", &kind));
  const bool ours = strcmp(kind, "trainer") == 0;
  free(kind);
  if (!ours) return FAIL(MLPD_ERROR_DATA, "not a file of mlpd_trainer_save()");
  TRY(h5_attribute_read_u64(file, "/", "format", &format));
  if (format == FORMAT) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "trainer format %llu; this version reads %d", (unsigned long long)format, FORMAT);
}

static mlpd_status read_numbers(h5_file *file, const mlpd_trainer *t, under_way_state *state) {
  number numbers[NUM_NUMBERS];
  list_numbers(t, state, numbers);
  for (int i = 0; i < NUM_NUMBERS; i++) {
    uint64_t value = 0;
    if (strcmp(numbers[i].name, "curve_knots") != 0 || h5_attribute_exists(file, "/", "curve_knots"))
      TRY(h5_attribute_read_u64(file, "/", numbers[i].name, &value));
    if (numbers[i].field != NULL)
      *numbers[i].field = value;
    else if (value != numbers[i].size)
      return FAIL(MLPD_ERROR_USAGE, "it was made with %s %llu, this trainer has %llu", numbers[i].name,
                  (unsigned long long)value, (unsigned long long)numbers[i].size);
  }
  if (state->filled <= t->buffer_rows && state->filled <= state->seen && state->step < UINT32_MAX) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "it is damaged: its counters contradict each other");
}

/* Reads the arrays into memory of their own: a damaged file changes nothing. */
static mlpd_status read_arrays(h5_file *file, const stored *arrays, int count, stored *read) {
  for (int i = 0; i < count; i++) {
    read[i] = arrays[i];
    read[i].data = NULL;
  }
  for (int i = 0; i < count; i++) {
    TRY(memory_allocate(&read[i].data, read[i].count, element_size(read[i].type), read[i].object));
    TRY(h5_read(file, read[i].object, read[i].count, 0, read[i].type, read[i].data));
  }
  return MLPD_OK;
}

static mlpd_status check_checksum(h5_file *file, const under_way_state *state, const char *options, const stored *read,
                                  int count) {
  char *written = NULL, found[17];
  checksum_of(state, options, read, count, found);
  TRY(h5_attribute_read_text(file, "/", "checksum", &written));
  const bool same = strcmp(written, found) == 0;
  free(written);
  return same ? MLPD_OK : FAIL(MLPD_ERROR_DATA, "it is damaged: it does not match its checksum");
}

static mlpd_status check_options(const mlpd_trainer *t, const char *options) {
  char theirs[OPTION_LINE_BYTES], ours[OPTION_LINE_BYTES];
  if (!option_text_differs(options, t->mathematics, theirs, ours)) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "it was made with '%s', this trainer has '%s'", theirs, ours);
}

/* On rank 0. */
static mlpd_status read_trainer(h5_file *file, mlpd_trainer *t, stored read[MOST_ARRAYS]) {
  under_way_state state = {0};
  stored arrays[MOST_ARRAYS];
  char *options = NULL;
  TRY(read_kind(file));
  TRY(h5_attribute_read_text(file, "/", "options", &options));
  mlpd_status status = check_options(t, options);
  if (status == MLPD_OK) status = read_numbers(file, t, &state);
  const int count = list_arrays(t, status == MLPD_OK ? state.filled : 0, arrays);
  if (status == MLPD_OK) status = read_arrays(file, arrays, count, read);
  if (status == MLPD_OK) status = check_checksum(file, &state, options, read, count);
  free(options);
  if (status != MLPD_OK) return status;
  for (int i = 0; i < count; i++) memcpy(arrays[i].data, read[i].data, read[i].count * element_size(read[i].type));
  t->state = state;
  return MLPD_OK;
}

static mlpd_status load(mlpd_trainer *t, const char *path) {
  h5_file *file = NULL;
  stored read[MOST_ARRAYS] = {{0}};
  TRY(h5_open(path, &file));
  mlpd_status status = read_trainer(file, t, read);
  if (status != MLPD_OK) status = status_prefix(status, "%s: ", path);
  for (int i = 0; i < MOST_ARRAYS; i++) free(read[i].data);
  (void)h5_close(file); /* read-only: nothing is lost */
  return status;
}

mlpd_status mlpd_trainer_load(mlpd_trainer *t, const char *path) {
  IN_C_LOCALE();
  TRY(status_need(t, __func__, "trainer"));
  TRY(mlpd_comm_agree(t->comm, status_need_path(path, __func__, "path")));
  stored arrays[MOST_ARRAYS];
  stepper_own_weights(t->stepper);
  TRY(mlpd_comm_agree(t->comm, mlpd_comm_rank(t->comm) == 0 ? load(t, path) : MLPD_OK));
  TRY(comm_broadcast(t->comm, &t->state, sizeof t->state, 0));
  const int count = list_arrays(t, t->state.filled, arrays);
  for (int i = 0; i < count; i++)
    TRY(comm_broadcast(t->comm, arrays[i].data, arrays[i].count * element_size(arrays[i].type), 0));
  affine_settle(&t->model->input);
  if (num_knots(t) > 0) column_curves_settle(t->model->input.curves);
  if (t->model->target.columns > 0) affine_settle(&t->model->target);
  t->optimizer.step = t->state.step;
  return MLPD_OK;
}
