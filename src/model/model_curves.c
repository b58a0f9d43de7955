#include "model/model_curves.h"

#include <math.h>

mlpd_status model_curves_write(h5_file *file, const column_curves *curves) {
  const uint64_t knots = curves->first[curves->columns];
  TRY(h5_write(file, "/input/curves/first", (uint64_t)curves->columns + 1, 0, ELEMENT_U64, curves->first));
  if (knots == 0) return MLPD_OK;
  TRY(h5_write(file, "/input/curves/x", knots, 0, ELEMENT_F64, curves->x));
  return h5_write(file, "/input/curves/z", knots, 0, ELEMENT_F64, curves->z);
}

mlpd_status model_curves_check(const column_curves *c) {
  for (uint32_t j = 0; j < c->columns; j++)
    for (uint64_t k = c->first[j]; k < c->first[j + 1]; k++)
      if (!isfinite(c->x[k]) || !isfinite(c->z[k]) || !isfinite(c->slopes[k]) ||
          (k > c->first[j] && !(c->x[k] > c->x[k - 1])))
        return FAIL(MLPD_ERROR_DATA, "/input/curves holds (%g, %g) as knot %llu, which is not possible", c->x[k],
                    c->z[k], (unsigned long long)k);
  return MLPD_OK;
}

static mlpd_status read_knots(h5_file *file, uint64_t knots, column_curves *c) {
  TRY(h5_read(file, "/input/curves/first", (uint64_t)c->columns + 1, 0, ELEMENT_U64, c->first));
  for (uint32_t j = 0; j < c->columns; j++)
    if (c->first[j] > c->first[j + 1])
      return FAIL(MLPD_ERROR_DATA, "/input/curves/first [%u] is above the next one", j);
  if (c->first[0] != 0 || c->first[c->columns] != knots)
    return FAIL(MLPD_ERROR_DATA, "/input/curves/first does not fit the %llu knots", (unsigned long long)knots);
  if (knots == 0) return MLPD_OK;
  TRY(h5_read(file, "/input/curves/x", knots, 0, ELEMENT_F64, c->x));
  TRY(h5_read(file, "/input/curves/z", knots, 0, ELEMENT_F64, c->z));
  column_curves_settle(c);
  return model_curves_check(c);
}

mlpd_status model_curves_read(h5_file *file, affine *a) {
  column_curves curves;
  h5_array *array = NULL;
  uint64_t knots = 0;
  if (!h5_exists(file, "/input/curves/first")) return MLPD_OK;
  if (h5_exists(file, "/input/curves/x")) {
    TRY(h5_array_open(file, "/input/curves/x", &array));
    knots = h5_array_shape(array).rows;
    h5_array_close(array);
  }
  mlpd_status status = column_curves_create(a->columns, knots, &curves);
  if (status == MLPD_OK) status = read_knots(file, knots, &curves);
  if (status == MLPD_OK) return affine_bend(a, &curves);
  column_curves_free(&curves);
  return status;
}
