#include "data/shard.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/row_request.h"
#include "data/shard_classes.h"
#include "data/shard_column.h"
#include "data/shard_values.h"
#include "data/shard_x.h"

static mlpd_status shard_read_y(part *p, const row_request *request, uint32_t num_classes, shard *s) {
  if (s->classes == NULL) return shard_column_read(p, p->y, request, ELEMENT_F64, shard_take_values, 0, s);
  if (p->y_text) return shard_read_texts(p, request, num_classes, s);
  if (p->map != NULL && p->map->one_hot)
    return shard_column_read(p, p->y, request, ELEMENT_F64, shard_take_one_hot, 0, s);
  if (p->y_integer) return shard_column_read(p, p->y, request, ELEMENT_I64, shard_take_integer_classes, num_classes, s);
  return shard_column_read(p, p->y, request, ELEMENT_F64, shard_take_float_classes, num_classes, s);
}

static mlpd_status allocate_y(const part *p, uint64_t rows, bool as_classes, shard *made) {
  if (!as_classes) {
    if (p->y_text)
      return FAIL(MLPD_ERROR_DATA, "%s: %s holds text, but a regression needs numbers", p->file, p->y_path);
    made->outputs = p->y_columns;
    made->raw_type = shard_raw_type(p);
    if (made->target != NULL) return memory_allocate(&made->values, rows, sizeof(float) * p->y_columns, p->y_path);
    return memory_allocate(&made->raw, rows, element_size(made->raw_type) * p->y_columns, p->y_path);
  }
  if (p->y_columns != 1 && (p->map == NULL || !p->map->one_hot))
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %" PRIu32 " columns: values, not classes; %s", p->file, p->y_path,
                p->y_columns, shard_cure_for_values(p));
  return memory_allocate(&made->classes, rows, sizeof(int32_t), p->y_path);
}

mlpd_status shard_allocate(const part *p, uint64_t rows, bool as_classes, const affine *target, shard *made) {
  *made = (shard){.rows = rows, .features = p->features, .type = p->type, .target = target};
  mlpd_status status = memory_allocate(&made->x, rows, element_size(p->type) * p->features, p->x_path);
  if (status == MLPD_OK && p->need_y && p->y != NULL) status = allocate_y(p, rows, as_classes, made);
  if (status == MLPD_OK && p->need_y && p->weight != NULL)
    status = memory_allocate(&made->weights, rows, sizeof(float), p->weight_path);
  if (status != MLPD_OK) shard_free(made);
  return status;
}

mlpd_status shard_fill(part *p, const row_run *runs, uint64_t num_runs, uint64_t first_position, uint32_t num_classes,
                       shard *s) {
  const row_request request = {runs, num_runs, first_position, s->rows};
  TRY(row_request_check(p, &request));
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

void shard_free(shard *s) {
  free(s->x);
  free(s->classes);
  free(s->values);
  free(s->raw);
  free(s->weights);
  *s = (shard){0};
}

uint64_t part_target_bytes(const part *p, bool as_classes) {
  const uint64_t targets = p->y == NULL ? 0 : as_classes ? sizeof(int32_t) : sizeof(float) * (uint64_t)p->y_columns;
  return targets + (p->weight != NULL ? sizeof(float) : 0);
}

uint64_t part_row_bytes(const part *p, bool as_classes) {
  return element_size(p->type) * (uint64_t)p->features + part_target_bytes(p, as_classes);
}

uint64_t part_raw_row_bytes(const part *p, bool as_classes) {
  const uint64_t more = as_classes || p->y == NULL ? 0 : element_size(shard_raw_type(p)) - sizeof(float);
  return part_row_bytes(p, as_classes) + more * p->y_columns;
}

uint64_t shard_size(const shard *s) {
  uint64_t row = element_size(s->type) * s->features;
  if (s->classes != NULL) row += sizeof(int32_t);
  if (s->values != NULL) row += sizeof(float) * s->outputs;
  if (s->raw != NULL) row += element_size(s->raw_type) * s->outputs;
  if (s->weights != NULL) row += sizeof(float);
  return s->rows * row;
}
