#include "data/shard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/row_request.h"
#include "data/shard_classes.h"
#include "data/shard_column.h"
#include "data/shard_values.h"
#include "data/shard_x.h"

/* ---- Memory ------------------------------------------------------------------------------------------- */

/* The arrays of a shard: bytes of a row (0: the shard lacks it), and its name in messages. */
typedef struct shard_array {
  size_t row_bytes;
  const char *name;
} shard_array;

enum { X, TARGETS, WEIGHTS, FOLDS, NUM_ARRAYS };

static size_t target_bytes(const part *p, bool as_classes, bool mapped) {
  if (p->y == NULL) return 0;
  return as_classes ? sizeof(int32_t) : (mapped ? sizeof(float) : element_size(shard_raw_type(p))) * p->y_columns;
}

static void list_arrays(const part *p, bool as_classes, bool mapped, shard_array list[NUM_ARRAYS]) {
  list[X] = (shard_array){element_size(shard_x_type(p)) * p->features, p->x_path};
  list[TARGETS] = (shard_array){target_bytes(p, as_classes, mapped), p->y_path};
  list[WEIGHTS] = (shard_array){p->weight != NULL ? sizeof(float) : 0, p->weight_path};
  list[FOLDS] = (shard_array){p->folds != NULL ? sizeof(uint8_t) : 0, "folds"};
}

/* The shard with these arrays, which list_arrays has listed. */
static void take_arrays(const part *p, uint64_t rows, bool as_classes, const affine *target,
                        void *const arrays[NUM_ARRAYS], shard *made) {
  *made = (shard){.rows = rows, .features = p->features, .type = shard_x_type(p), .target = target};
  made->x = arrays[X];
  made->weights = arrays[WEIGHTS];
  made->folds = arrays[FOLDS];
  if (as_classes) {
    made->classes = arrays[TARGETS];
    return;
  }
  if (!p->need_y || p->y == NULL) return;
  made->outputs = p->y_columns;
  made->raw_type = shard_raw_type(p);
  made->values = target != NULL ? arrays[TARGETS] : NULL;
  made->raw = target == NULL ? arrays[TARGETS] : NULL;
}

static int arrays_read(const part *p) { return p->need_y ? NUM_ARRAYS : X + 1; }

void shard_lay_out(const part *p, uint64_t rows, bool as_classes, const affine *target, memory_layout *layout,
                   shard *made) {
  shard_array list[NUM_ARRAYS];
  void *arrays[NUM_ARRAYS] = {NULL};
  list_arrays(p, as_classes, target != NULL, list);
  for (int i = 0; i < arrays_read(p); i++) arrays[i] = memory_place(layout, rows, list[i].row_bytes);
  take_arrays(p, rows, as_classes, target, arrays, made);
}

mlpd_status shard_check(const part *p, bool as_classes) {
  if (!p->need_y || p->y == NULL) return MLPD_OK;
  if (!as_classes && p->y_text)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds text, but a regression needs numbers", p->file, p->y_path);
  if (as_classes && p->y_columns != 1 && (p->map == NULL || !p->map->one_hot))
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu32 " columns: values, not classes; %s", p->file, p->y_path,
                p->y_columns, shard_cure_for_values(p));
  return MLPD_OK;
}

mlpd_status shard_allocate(const part *p, uint64_t rows, bool as_classes, const affine *target, shard *made) {
  shard_array list[NUM_ARRAYS];
  void *arrays[NUM_ARRAYS] = {NULL};
  list_arrays(p, as_classes, target != NULL, list);
  mlpd_status status = shard_check(p, as_classes);
  for (int i = 0; i < arrays_read(p) && status == MLPD_OK; i++)
    status = memory_allocate(&arrays[i], rows, list[i].row_bytes, list[i].name);
  take_arrays(p, rows, as_classes, target, arrays, made);
  if (status != MLPD_OK) shard_free(made);
  return status;
}

void shard_free(shard *s) {
  free(s->x);
  free(s->classes);
  free(s->values);
  free(s->raw);
  free(s->weights);
  free(s->folds);
  *s = (shard){0};
}

uint64_t part_target_bytes(const part *p, bool as_classes) {
  shard_array list[NUM_ARRAYS];
  list_arrays(p, as_classes, true, list);
  return list[TARGETS].row_bytes + list[WEIGHTS].row_bytes + list[FOLDS].row_bytes;
}

static uint64_t row_bytes(const part *p, bool as_classes, bool mapped) {
  shard_array list[NUM_ARRAYS];
  list_arrays(p, as_classes, mapped, list);
  return list[X].row_bytes + list[TARGETS].row_bytes + list[WEIGHTS].row_bytes + list[FOLDS].row_bytes;
}

uint64_t part_row_bytes(const part *p, bool as_classes) { return row_bytes(p, as_classes, true); }

uint64_t part_raw_row_bytes(const part *p, bool as_classes) { return row_bytes(p, as_classes, false); }

/* ---- Reading ------------------------------------------------------------------------------------------ */

static mlpd_status shard_read_y(part *p, const row_request *request, uint32_t num_classes, shard *s) {
  if (s->classes == NULL) return shard_column_read(p, p->y, request, ELEMENT_F64, shard_take_values, 0, s);
  if (p->y_text) return shard_read_texts(p, request, num_classes, s);
  if (p->map != NULL && p->map->one_hot)
    return shard_column_read(p, p->y, request, ELEMENT_F64, shard_take_one_hot, 0, s);
  if (p->y_integer) return shard_column_read(p, p->y, request, ELEMENT_I64, shard_take_integer_classes, num_classes, s);
  return shard_column_read(p, p->y, request, ELEMENT_F64, shard_take_float_classes, num_classes, s);
}

/* The folds of the requested rows, from those of the part. */
static void take_folds(const part *p, const row_request *request, uint8_t *folds) {
  for (uint64_t i = 0; i < request->num_runs; i++) {
    const row_run *const run = &request->runs[i];
    memcpy(folds + (run->position - request->first_position), p->folds + run->file_row, run->count);
  }
}

mlpd_status shard_fill(part *p, const row_run *runs, uint64_t num_runs, uint64_t first_position, uint32_t num_classes,
                       shard *s) {
  const row_request request = {runs, num_runs, first_position, s->rows};
  TRY(row_request_check(p, &request));
  if (s->folds != NULL) take_folds(p, &request, s->folds);
  TRY(shard_read_x(p, &request, s));
  if (s->classes != NULL || s->values != NULL || s->raw != NULL) TRY(shard_read_y(p, &request, num_classes, s));
  return s->weights == NULL ? MLPD_OK
                            : shard_column_read(p, p->weight, &request, ELEMENT_F64, shard_take_weights, 0, s);
}

mlpd_status shard_read(part *p, const row_run *runs, uint64_t num_runs, uint64_t first_position, uint64_t rows,
                       bool as_classes, uint32_t num_classes, const affine *target, shard *read) {
  TRY(shard_allocate(p, rows, as_classes, target, read));
  const mlpd_status status = shard_fill(p, runs, num_runs, first_position, num_classes, read);
  if (status != MLPD_OK) shard_free(read);
  return status;
}

mlpd_status shard_read_classes(part *p, uint64_t row, uint64_t count, uint32_t num_classes, int32_t *classes) {
  shard s = {.rows = count, .classes = classes};
  const row_run run = {.file_row = row, .count = count};
  const row_request request = {&run, 1, 0, count};
  TRY(row_request_check(p, &request));
  return shard_read_y(p, &request, num_classes, &s);
}
