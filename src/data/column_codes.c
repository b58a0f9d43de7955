#include "data/column_codes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

mlpd_status column_codes_create(columns *about, column_codes *made) {
  *made = (column_codes){.about = *about};
  *about = (columns){.count = 0};
  const uint32_t n = made->about.count;
  TRY(memory_allocate(&made->fill, n, sizeof *made->fill, "codes of columns"));
  TRY(memory_allocate(&made->marked, n, sizeof *made->marked, "codes of columns"));
  TRY(memory_allocate(&made->embedded, n, sizeof *made->embedded, "codes of columns"));
  TRY(memory_allocate(&made->known, n, sizeof *made->known, "codes of columns"));
  TRY(memory_allocate(&made->begin, (size_t)n + 1, sizeof *made->begin, "codes of columns"));
  TRY(memory_allocate(&made->first, (size_t)n + 1, sizeof *made->first, "codes of columns"));
  for (uint32_t j = 0; j < n; j++) made->first[j + 1] = made->first[j] + made->about.categories[j].count;
  TRY(memory_allocate(&made->inputs, made->first[n], sizeof *made->inputs, "codes of columns"));
  for (uint64_t k = 0; k < made->first[n]; k++) made->inputs[k] = -1;
  column_codes_settle(made);
  return MLPD_OK;
}

void column_codes_free(column_codes *c) {
  columns_free(&c->about);
  free(c->fill);
  free(c->marked);
  free(c->embedded);
  free(c->known);
  free(c->inputs);
  free(c->begin);
  free(c->first);
  *c = (column_codes){.width = 0};
}

static bool is_category(const column_codes *c, uint32_t j) { return c->about.kinds[j] == COLUMN_KIND_CATEGORY; }

/* The least number of rows that a category must have, so that at most CODES_ONE_HOT_MOST of n are left; *ties of those
 * with one row less may stay, too. */
static uint64_t least_rows(const uint64_t *rows, uint64_t n, uint64_t *ties) {
  for (uint64_t least = 1;;) {
    uint64_t left = 0, next = UINT64_MAX;
    for (uint64_t k = 0; k < n; k++) {
      if (rows[k] < least) continue;
      left++;
      if (rows[k] < next) next = rows[k];
    }
    *ties = least == 1 || left > CODES_ONE_HOT_MOST ? 0 : CODES_ONE_HOT_MOST - left;
    if (left <= CODES_ONE_HOT_MOST) return least;
    least = next + 1;
  }
}

static void choose(int32_t *inputs, const uint64_t *rows, uint64_t n) {
  uint64_t ties = 0;
  const uint64_t least = least_rows(rows, n, &ties);
  int32_t next = 0;
  for (uint64_t k = 0; k < n; k++) {
    const bool tied = ties > 0 && rows[k] == least - 1 && rows[k] > 0;
    ties -= tied;
    inputs[k] = rows[k] >= least || tied ? next++ : -1;
  }
}

/* All that have rows. */
static void choose_codes(int32_t *inputs, const uint64_t *rows, uint64_t n) {
  int32_t next = 0;
  for (uint64_t k = 0; k < n; k++) inputs[k] = rows[k] > 0 ? next++ : -1;
}

void column_codes_embed(column_codes *c, uint64_t above) {
  for (uint32_t j = 0; j < c->about.count; j++)
    c->embedded[j] = is_category(c, j) && c->first[j + 1] - c->first[j] > above;
}

void column_codes_choose(column_codes *c, const uint64_t *rows) {
  for (uint32_t j = 0; j < c->about.count; j++) {
    const uint64_t first = c->first[j], n = c->first[j + 1] - first;
    if (c->embedded[j])
      choose_codes(c->inputs + first, rows + first, n);
    else
      choose(c->inputs + first, rows + first, n);
  }
}

void column_codes_settle(column_codes *c) {
  for (uint32_t j = 0; j < c->about.count; j++) {
    c->known[j] = 0;
    for (uint64_t k = c->first[j]; k < c->first[j + 1]; k++) c->known[j] += c->inputs[k] >= 0;
    const uint32_t inputs = c->embedded[j] ? 1 : (is_category(c, j) ? c->known[j] : 1) + c->marked[j];
    c->begin[j + 1] = c->begin[j] + inputs;
  }
  c->width = c->begin[c->about.count];
}

bool column_codes_plain(const column_codes *c) {
  for (uint32_t j = 0; j < c->about.count; j++)
    if (is_category(c, j) || c->marked[j]) return false;
  return true;
}

bool column_codes_any_embedded(const column_codes *c) {
  for (uint32_t j = 0; j < c->about.count; j++)
    if (c->embedded[j]) return true;
  return false;
}

void column_codes_sizes(const column_codes *c, uint32_t *sizes) {
  for (uint32_t j = 0; j < c->about.count; j++)
    for (uint32_t i = c->begin[j]; i < c->begin[j + 1]; i++) sizes[i] = c->embedded[j] ? c->known[j] + c->marked[j] : 0;
}

void column_codes_numbers(const column_codes *c, uint8_t *numbers) {
  for (uint32_t j = 0; j < c->about.count; j++)
    for (uint32_t i = c->begin[j]; i < c->begin[j + 1]; i++)
      numbers[i] = i == c->begin[j] && c->about.kinds[j] == COLUMN_KIND_NUMBER;
}

bool column_codes_knows(const column_codes *c, uint32_t j, int64_t code) {
  if (code < 0 || (uint64_t)code >= c->first[j + 1] - c->first[j]) return false;
  return c->inputs[c->first[j] + (uint64_t)code] >= 0;
}

uint32_t column_codes_source(const column_codes *c, uint32_t i) {
  uint32_t j = 0;
  while (c->begin[j + 1] <= i) j++;
  return j;
}

/* ---- Rows ------------------------------------------------------------------------------------------- */

typedef struct row_map {
  const column_codes *codes;
  const double *shift, *scale;
} row_map;

static void put_number(const row_map *map, uint32_t j, double value, float *out) {
  const column_codes *const c = map->codes;
  const bool missing = isnan(value);
  out[0] = (float)(((missing ? c->fill[j] : value) - map->shift[j]) * map->scale[j]);
  if (c->marked[j]) out[1] = missing ? 1 : 0;
}

/* The index of a category among those of its column, a missing value the last; -1: the model does not know it. */
static int32_t index_of(const column_codes *c, uint32_t j, double value) {
  if (value == CATEGORY_MISSING && c->marked[j]) return (int32_t)c->known[j];
  if (!(value >= 0 && value < CATEGORIES_MOST) || value != floor(value)) return -1;
  const int64_t code = (int64_t)value;
  return column_codes_knows(c, j, code) ? c->inputs[c->first[j] + (uint64_t)code] : -1;
}

/* The inputs of column j, which are 0 so far. */
static void put(const row_map *map, uint32_t j, double value, float *out) {
  const column_codes *const c = map->codes;
  if (!is_category(c, j)) return put_number(map, j, value, out);
  const int32_t index = index_of(c, j, value);
  if (c->embedded[j])
    out[0] = (float)index;
  else if (index >= 0)
    out[index] = 1;
}

#define DEFINE_ROW(type, name)                                                                       \
  static void name##_row(const row_map *map, const void *x, uint64_t row, float *out) {              \
    const column_codes *const c = map->codes;                                                        \
    const type *const values = (const type *)x + row * c->about.count;                               \
    memset(out, 0, c->width * sizeof *out);                                                          \
    for (uint32_t j = 0; j < c->about.count; j++) put(map, j, (double)values[j], out + c->begin[j]); \
  }

DEFINE_ROW(int8_t, i8)
DEFINE_ROW(uint8_t, u8)
DEFINE_ROW(int16_t, i16)
DEFINE_ROW(uint16_t, u16)
DEFINE_ROW(int32_t, i32)
DEFINE_ROW(uint32_t, u32)
DEFINE_ROW(int64_t, i64)
DEFINE_ROW(uint64_t, u64)
DEFINE_ROW(float, f32)
DEFINE_ROW(double, f64)

typedef void (*row_maker)(const row_map *map, const void *x, uint64_t row, float *out);

void column_codes_gather(const column_codes *c, const double *shift, const double *scale, element_type type, uint64_t m,
                         const void *x, const uint32_t *rows, float *out) {
  const row_map map = {c, shift, scale};
  static const row_maker makers[NUM_ELEMENT_TYPES] = {
      [ELEMENT_I8] = i8_row,   [ELEMENT_U8] = u8_row,   [ELEMENT_I16] = i16_row, [ELEMENT_U16] = u16_row,
      [ELEMENT_I32] = i32_row, [ELEMENT_U32] = u32_row, [ELEMENT_I64] = i64_row, [ELEMENT_U64] = u64_row,
      [ELEMENT_F32] = f32_row, [ELEMENT_F64] = f64_row};
  const row_maker make = makers[type];
  for (uint64_t i = 0; i < m; i++) make(&map, x, rows != NULL ? rows[i] : i, out + i * c->width);
}
