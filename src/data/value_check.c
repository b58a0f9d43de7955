#include "data/value_check.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "kernels/multiversion.h"

static const double MOST = 1e140; /* largest float64: sums of squares must stay finite */

/* true if all n values are finite. Written so that compilers vectorise it. */
MULTIVERSION static bool floats_good(const float *x, uint64_t n) {
  int bad = 0;
  for (uint64_t i = 0; i < n; ++i) bad |= !(fabsf(x[i]) <= FLT_MAX);
  return bad == 0;
}

MULTIVERSION static bool doubles_good(const double *x, uint64_t n, double most) {
  int bad = 0;
  for (uint64_t i = 0; i < n; ++i) bad |= !(fabs(x[i]) <= most);
  return bad == 0;
}

mlpd_status value_fail(const part *p, const char *path, double value, uint64_t row, uint64_t column, uint64_t columns) {
  char place[64] = "";
  if (path == p->x_path && p->order.columns != NULL) column = p->order.columns[column];
  if (columns > 1) (void)snprintf(place, sizeof place, ", column %" PRIu64, column);
  const char *name = isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"; /* printf's nan may have a sign */
  if (!isfinite(value))
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds %s at row %" PRIu64 "%s (from 0)%s", p->file, path, name, row, place,
                !isnan(value)       ? ""
                : path == p->x_path ? "; fill in missing values, or give the data as CSV, in which they may be empty"
                : path == p->y_path ? "; leave out rows without a target"
                                    : "");
  return FAIL(MLPD_ERROR_DATA, "%s: %s holds %g at row %" PRIu64 "%s (from 0), too large for %s%s", p->file, path,
              value, row, place, fabs(value) > MOST ? "the computations" : "32-bit floats",
              path == p->x_path && p->x_as_is && fabs(value) <= MOST ? "; --normalize standard scales columns" : "");
}

mlpd_status value_check(const part *p, const char *path, element_type type, const void *data, uint64_t row,
                        uint64_t count, uint64_t columns) {
  const uint64_t n = count * columns;
  const float *floats = data;
  const double *doubles = data, most = path == p->x_path && p->x_as_is ? FLT_MAX : MOST;
  if (type == ELEMENT_F32 ? floats_good(floats, n) : type != ELEMENT_F64 || doubles_good(doubles, n, most))
    return MLPD_OK;
  const bool may_miss = path == p->x_path && p->may_miss;
  for (uint64_t i = 0; i < n; ++i) {
    const double value = type == ELEMENT_F32 ? (double)floats[i] : doubles[i];
    if (may_miss && isnan(value)) continue;
    if (!(fabs(value) <= most)) return value_fail(p, path, value, row + i / columns, i % columns, columns);
  }
  return MLPD_OK;
}
