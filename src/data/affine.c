#include "data/affine.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/column_codes.h"
#include "data/column_curves.h"
#include "kernels/cpu.h"
#include "kernels/vector.h"

/* Larger shifts and scales, or scales below its reciprocal, could overflow in float32 or be flushed to 0. */
static const double NARROW = 0x1p100;

mlpd_status affine_create(uint32_t columns, affine *made) {
  *made = (affine){.columns = columns};
  mlpd_status status = memory_allocate(&made->shift, columns, sizeof(double), "normalisation");
  if (status == MLPD_OK) status = memory_allocate(&made->scale, columns, sizeof(double), "normalisation");
  if (status == MLPD_OK) status = memory_allocate(&made->narrow_shift, columns, sizeof(float), "normalisation");
  if (status == MLPD_OK) status = memory_allocate(&made->narrow_scale, columns, sizeof(float), "normalisation");
  if (status != MLPD_OK) {
    affine_free(made);
    return status;
  }
  for (uint32_t c = 0; c < columns; ++c) made->scale[c] = 1;
  affine_settle(made);
  return MLPD_OK;
}

void affine_free(affine *a) {
  free(a->shift);
  free(a->scale);
  free(a->narrow_shift);
  free(a->narrow_scale);
  column_curves_free(a->curves);
  free(a->curves);
  *a = (affine){0};
}

mlpd_status affine_bend(affine *a, column_curves *curves) {
  const mlpd_status status = memory_allocate(&a->curves, 1, sizeof *a->curves, "normalisation");
  if (status == MLPD_OK)
    *a->curves = *curves;
  else
    column_curves_free(curves);
  *curves = (column_curves){.columns = 0};
  return status;
}

void affine_straighten(affine *a) {
  column_curves_free(a->curves);
  free(a->curves);
  a->curves = NULL;
}

static bool is_narrow(double shift, double scale) {
  const double size = fabs(scale);
  return fabs(shift) <= NARROW && size <= NARROW && (size == 0 || size >= 1 / NARROW);
}

void affine_settle(affine *a) {
  a->narrow = true;
  for (uint32_t c = 0; c < a->columns; ++c) {
    a->narrow = a->narrow && is_narrow(a->shift[c], a->scale[c]);
    a->narrow_shift[c] = (float)a->shift[c];
    a->narrow_scale[c] = (float)a->scale[c];
  }
}

static bool fits_float(element_type type) {
  return type == ELEMENT_I8 || type == ELEMENT_U8 || type == ELEMENT_I16 || type == ELEMENT_U16 || type == ELEMENT_F32;
}

static void gather(const affine *a, element_type type, uint64_t m, uint64_t known, const void *x, const uint32_t *rows,
                   float *out) {
  if (a->codes != NULL) {
    column_codes_gather(a->codes, a->shift, a->scale, type, m, x, rows, out);
    return;
  }
  if (a->narrow && fits_float(type)) {
    vector_gather_rows(type, m, known, a->columns, x, rows, a->narrow_shift, a->narrow_scale, out);
    return;
  }
  /* float32 values around 1e-40 are denormal; by default the processor reads them as 0 here. */
  const bool denormals = type == ELEMENT_F32;
  const uint64_t mode = denormals ? cpu_keep_denormals() : 0;
  vector_gather_rows_wide(type, m, known, a->columns, x, rows, a->shift, a->scale, out);
  if (denormals) cpu_restore_denormals(mode);
}

/* Maps the columns that have a curve. */
static void follow_curves(const affine *a, element_type type, uint64_t m, const void *x, const uint32_t *rows,
                          float *out) {
  const uint32_t width = affine_width(a);
  const uint64_t mode = cpu_keep_denormals();
  for (uint64_t i = 0; i < m; i++, out += width) {
    const uint64_t row = (rows != NULL ? rows[i] : i) * a->columns;
    for (uint32_t j = 0; j < a->columns; j++) {
      if (!column_curves_has(a->curves, j)) continue;
      double value = element_get(type, x, row + j);
      if (a->codes != NULL && isnan(value)) value = a->codes->fill[j];
      out[a->codes != NULL ? a->codes->begin[j] : j] = (float)column_curves_map(a->curves, j, value);
    }
  }
  cpu_restore_denormals(mode);
}

/* Of rows with codes: their numbers alone. */
static void squash_numbers(const affine *a, uint64_t m, float *out) {
  const column_codes *const codes = a->codes;
  for (uint64_t i = 0; i < m; i++)
    for (uint32_t j = 0; j < codes->about.count; j++)
      if (codes->about.kinds[j] != COLUMN_KIND_CATEGORY)
        vector_squash(1, a->limit, out + i * codes->width + codes->begin[j]);
}

void affine_gather(const affine *a, element_type type, uint64_t m, uint64_t known, const void *x, const uint32_t *rows,
                   float *out) {
  gather(a, type, m, known, x, rows, out);
  if (a->curves != NULL) follow_curves(a, type, m, x, rows, out);
  if (!(a->limit > 0)) return;
  if (a->codes != NULL)
    squash_numbers(a, m, out);
  else
    vector_squash(m * a->columns, a->limit, out);
}

double affine_slope(const affine *a, uint32_t j, double x) {
  const bool curved = a->curves != NULL && column_curves_has(a->curves, j);
  const double slope = curved ? column_curves_slope(a->curves, j, x) : a->scale[j];
  if (!(a->limit > 0)) return slope;
  const double mapped = curved ? column_curves_map(a->curves, j, x) : (x - a->shift[j]) * a->scale[j];
  const double part = mapped / a->limit, square = 1 + part * part;
  return slope / (square * sqrt(square));
}

float affine_number(const affine *a, uint32_t j, double value) {
  const bool curved = a->curves != NULL && column_curves_has(a->curves, j);
  float mapped = curved ? (float)column_curves_map(a->curves, j, value) : affine_map(a, j, value);
  if (a->limit > 0) vector_squash(1, a->limit, &mapped);
  return mapped;
}

uint32_t affine_width(const affine *a) { return a->codes != NULL ? a->codes->width : a->columns; }

uint32_t affine_column_of(const affine *a, uint32_t input) {
  return a->codes != NULL ? column_codes_source(a->codes, input) : input;
}

float affine_map(const affine *a, uint32_t j, double value) { return (float)((value - a->shift[j]) * a->scale[j]); }

double affine_map_back(const affine *a, uint32_t j, double value) { return value / a->scale[j] + a->shift[j]; }
