#include "data/shard_values.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/value_check.h"

element_type shard_raw_type(const part *p) {
  const element_type type = p->y != NULL ? h5_array_shape(p->y).type : ELEMENT_F32;
  return type == ELEMENT_F64 || (element_is_integer(type) && element_size(type) > 2) ? ELEMENT_F64 : ELEMENT_F32;
}

/* The index in a block of the file of value i in the shard's order of columns. */
static uint64_t source_of(const part *p, const shard *s, uint64_t i) {
  const uint64_t column = i % s->outputs;
  return p->order.targets != NULL ? i - column + p->order.targets[column] : i;
}

static mlpd_status map_values(const part *p, shard *s, const double *values, uint64_t row, uint64_t place,
                              uint64_t count) {
  float *const out = s->values + place * s->outputs;
  for (uint64_t i = 0; i < count * s->outputs; ++i) {
    const uint64_t source = source_of(p, s, i);
    out[i] = affine_map(s->target, (uint32_t)(i % s->outputs), values[source]);
    if (!isfinite(out[i]))
      return value_fail(p, p->y_path, values[source], row + source / s->outputs, source % s->outputs, s->outputs);
  }
  return MLPD_OK;
}

mlpd_status shard_take_values(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                              uint32_t num_classes) {
  (void)num_classes;
  const double *values = data;
  TRY(value_check(p, p->y_path, ELEMENT_F64, values, row, count, s->outputs));
  if (s->values != NULL) return map_values(p, s, values, row, place, count);
  const uint64_t first = place * s->outputs, n = count * s->outputs;
  for (uint64_t i = 0; i < n; ++i) {
    if (s->raw_type == ELEMENT_F64)
      ((double *)s->raw)[first + i] = values[source_of(p, s, i)];
    else
      ((float *)s->raw)[first + i] = (float)values[source_of(p, s, i)];
  }
  return MLPD_OK;
}

static double raw_value(const shard *s, uint64_t i) {
  return s->raw_type == ELEMENT_F64 ? ((const double *)s->raw)[i] : (double)((const float *)s->raw)[i];
}

mlpd_status shard_map_values(shard *s, const affine *target, const char *what) {
  if (s->raw == NULL) return MLPD_OK;
  char *const bytes = s->raw; /* a value is at most as long as its raw value, so no raw value is overwritten unread */
  for (uint64_t i = 0; i < s->rows * s->outputs; ++i) {
    const uint32_t column = (uint32_t)(i % s->outputs);
    const float mapped = affine_map(target, column, raw_value(s, i));
    if (!isfinite(mapped))
      return FAIL(MLPD_ERROR_DATA, "%s, column %" PRIu32 " (from 0): %g is too large for 32-bit floats", what, column,
                  raw_value(s, i));
    memcpy(bytes + i * sizeof mapped, &mapped, sizeof mapped);
  }
  const size_t size = s->rows * s->outputs * sizeof(float);
  void *const smaller = s->raw_type == ELEMENT_F64 && size > 0 ? realloc(s->raw, size) : NULL;
  s->values = smaller != NULL ? smaller : s->raw;
  s->raw = NULL;
  return MLPD_OK;
}

/* Checks weights (count) of the rows from row on. */
static mlpd_status weights_check(const part *p, const double *weights, uint64_t row, uint64_t count) {
  TRY(value_check(p, p->weight_path, ELEMENT_F64, weights, row, count, 1));
  for (uint64_t i = 0; i < count; ++i)
    if (weights[i] < 0)
      return FAIL(MLPD_ERROR_DATA, "%s: %s holds %g at row %" PRIu64 " (from 0); a weight must be at least 0", p->file,
                  p->weight_path, weights[i], row + i);
  return MLPD_OK;
}

mlpd_status shard_take_weights(const part *p, shard *s, const void *data, uint64_t row, uint64_t place, uint64_t count,
                               uint32_t num_classes) {
  (void)num_classes;
  const double *weights = data;
  TRY(weights_check(p, weights, row, count));
  for (uint64_t i = 0; i < count; ++i) s->weights[place + i] = (float)(weights[i] / p->weight_unit);
  return MLPD_OK;
}

mlpd_status part_largest_weight(part *p, uint64_t begin, uint64_t end, double *largest) {
  enum { BLOCK = SHARD_COLUMN_BYTES / sizeof(double) };
  double *block = NULL;
  mlpd_status status = memory_allocate(&block, BLOCK, sizeof *block, p->weight_path);
  *largest = 0;
  for (uint64_t row = begin; row < end && status == MLPD_OK; row += BLOCK) {
    const uint64_t count = end - row < BLOCK ? end - row : BLOCK;
    status = h5_array_read(p->weight, row, count, ELEMENT_F64, block);
    if (status == MLPD_OK) status = weights_check(p, block, row, count);
    for (uint64_t i = 0; i < count && status == MLPD_OK; i++) *largest = fmax(*largest, block[i]);
  }
  free(block);
  return status;
}
