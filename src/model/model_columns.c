#include "model/model_columns.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

static bool any_yes_no(const columns *about) {
  for (uint32_t j = 0; j < about->count; j++)
    if (about->kinds[j] == COLUMN_KIND_YES_NO) return true;
  return false;
}

mlpd_status model_columns_write(h5_file *file, const mlpd_model *model) {
  const column_codes *const c = model->input.codes;
  if (c == NULL) return any_yes_no(&model->codes.about) ? columns_write(file, &model->codes.about) : MLPD_OK;
  const uint32_t count = c->about.count;
  TRY(columns_write(file, &c->about));
  TRY(h5_write(file, "/input/fill", count, 0, ELEMENT_F64, c->fill));
  TRY(h5_write(file, "/input/marked", count, 0, ELEMENT_U8, c->marked));
  if (column_codes_any_embedded(c)) TRY(h5_write(file, "/input/embedded", count, 0, ELEMENT_U8, c->embedded));
  return c->first[count] > 0 ? h5_write(file, "/input/category_input", c->first[count], 0, ELEMENT_I32, c->inputs)
                             : MLPD_OK;
}

/* The places of the categories of a column are 0, 1, ..., in their order. */
static mlpd_status check_inputs(const column_codes *c, uint32_t j) {
  int32_t next = 0;
  for (uint64_t k = c->first[j]; k < c->first[j + 1]; k++) {
    if (c->inputs[k] == -1) continue;
    if (c->inputs[k] != next++)
      return FAIL(MLPD_ERROR_DATA, "/input/category_input [%llu] is %d, which is not possible", (unsigned long long)k,
                  c->inputs[k]);
  }
  return MLPD_OK;
}

mlpd_status model_columns_check(const column_codes *c) {
  for (uint32_t j = 0; j < c->about.count; j++) {
    if (!isfinite(c->fill[j])) return FAIL(MLPD_ERROR_DATA, "/input/fill [%u] is not a finite number", j);
    if (c->marked[j] > 1) return FAIL(MLPD_ERROR_DATA, "/input/marked [%u] is neither 0 nor 1", j);
    if (c->embedded[j] > 1 || (c->embedded[j] > 0 && c->about.kinds[j] != COLUMN_KIND_CATEGORY))
      return FAIL(MLPD_ERROR_DATA, "/input/embedded [%u] is %u, which is not possible", j, c->embedded[j]);
    TRY(check_inputs(c, j));
  }
  return MLPD_OK;
}

static mlpd_status read_codes(h5_file *file, column_codes *c) {
  const uint32_t count = c->about.count;
  TRY(h5_read(file, "/input/fill", count, 0, ELEMENT_F64, c->fill));
  TRY(h5_read(file, "/input/marked", count, 0, ELEMENT_U8, c->marked));
  if (c->first[count] > 0) TRY(h5_read(file, "/input/category_input", c->first[count], 0, ELEMENT_I32, c->inputs));
  if (h5_exists(file, "/input/embedded")) TRY(h5_read(file, "/input/embedded", count, 0, ELEMENT_U8, c->embedded));
  TRY(model_columns_check(c));
  column_codes_settle(c);
  return MLPD_OK;
}

/* Of columns that are inputs as they are, kinds alone are stored: a number that is missing counts as its mean. */
static mlpd_status take_kinds(mlpd_model *model) {
  column_codes *const c = &model->codes;
  if (columns_any_category(&c->about)) return FAIL(MLPD_ERROR_DATA, "/columns/kind has categories, but no /input/fill");
  for (uint32_t j = 0; j < c->about.count; j++) c->fill[j] = model->input.shift[j];
  column_codes_settle(c);
  return MLPD_OK;
}

mlpd_status model_columns_read(h5_file *file, uint32_t columns_of_x, mlpd_model *model) {
  columns about;
  const bool coded = h5_exists(file, "/input/fill");
  if (!coded && !h5_exists(file, "/columns/kind")) return MLPD_OK;
  TRY(columns_read(file, &about));
  if (about.count != columns_of_x) {
    const uint32_t kinds = about.count;
    columns_free(&about);
    return FAIL(MLPD_ERROR_DATA, "/columns/kind holds %u kinds, but there are %u columns", kinds, columns_of_x);
  }
  const mlpd_status status = column_codes_create(&about, &model->codes);
  columns_free(&about);
  TRY(status);
  if (!coded) return take_kinds(model);
  TRY(read_codes(file, &model->codes));
  model->input.codes = &model->codes;
  return MLPD_OK;
}

mlpd_status model_columns_count(h5_file *file, uint32_t *columns_of_x) {
  h5_array *array = NULL;
  TRY(h5_array_open(file, "/input/shift", &array));
  const h5_shape shape = h5_array_shape(array);
  h5_array_close(array);
  if (shape.rows == 0 || shape.rows > INT32_MAX) return FAIL(MLPD_ERROR_DATA, "/input/shift is of no use");
  *columns_of_x = (uint32_t)shape.rows;
  return MLPD_OK;
}
