#include "prepare/column_inputs.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "network/network_options.h"
#include "prepare/column_quantiles.h"
#include "prepare/column_rows.h"
#include "prepare/init_match.h"
#include "ranks/comm.h"

/* Until the rows are known, as if each category were among them, and missing values in each column that may have some.
 */
static mlpd_status expect_all(preparation *p) {
  column_codes *const codes = &p->model->codes;
  const uint64_t all = codes->first[codes->about.count];
  uint64_t *rows = NULL;
  TRY(memory_allocate(&rows, all, sizeof *rows, "codes of columns"));
  for (uint64_t k = 0; k < all; k++) rows[k] = 1;
  column_codes_choose(codes, rows);
  for (uint32_t j = 0; j < codes->about.count; j++)
    codes->marked[j] = codes->about.missing || codes->about.categories[j].count > 0;
  column_codes_settle(codes);
  free(rows);
  codes->embed_width = p->options.embed_width;
  p->inputs = codes->width;
  return MLPD_OK;
}

mlpd_status column_inputs_read(part *train, preparation *p) {
  columns about;
  const uint64_t above = p->options.embed_above;
  p->options.embed_above = CATEGORIES_MOST; /* unless a column is embedded: then it decides nothing */
  p->inputs = train->features;
  const mlpd_status read = columns_read(train->h5, &about);
  if (read != MLPD_OK) return status_prefix(read, "%s: ", train->file);
  if (about.count != train->features) { /* of another array than is read */
    columns_free(&about);
    return MLPD_OK;
  }
  const mlpd_model *const from = p->options.init_model;
  mlpd_status status = from != NULL ? init_match_about(from, p->model, &about) : MLPD_OK;
  if (status == MLPD_OK) status = column_codes_create(&about, &p->model->codes);
  columns_free(&about);
  TRY(status);
  column_codes_embed(&p->model->codes, above);
  if (from != NULL) TRY(init_match_embedded(from, p->model));
  if (column_codes_any_embedded(&p->model->codes)) p->options.embed_above = above;
  return expect_all(p);
}

mlpd_status column_inputs_network(const preparation *p, uint32_t outputs, bool shape_alone, mlpd_network **network) {
  const column_codes *const codes = &p->model->codes;
  const bool has_schema = codes->about.count > 0;
  uint32_t *sizes = NULL;
  uint8_t *numbers = NULL;
  mlpd_status status = memory_allocate(&sizes, p->inputs, sizeof *sizes, "inputs");
  if (status == MLPD_OK) status = memory_allocate(&numbers, p->inputs, sizeof *numbers, "inputs");
  if (status == MLPD_OK && has_schema) {
    column_codes_sizes(codes, sizes);
    column_codes_numbers(codes, numbers);
  }
  const input_roles inputs = {p->inputs, sizes, has_schema ? numbers : NULL};
  if (status == MLPD_OK) status = network_of_options(&p->options, &inputs, outputs, shape_alone, network);
  free(numbers);
  free(sizes);
  return status;
}

/* ---- Categories and missing values ------------------------------------------------------------------ */

typedef struct counts {
  const column_codes *codes;
  const char *file;
  uint64_t *missing; /* (columns) */
  uint64_t *rows;    /* (all categories) */
} counts;

static mlpd_status count_code(counts *c, uint32_t j, double code) {
  const uint64_t first = c->codes->first[j], most = c->codes->first[j + 1] - first;
  if (code == CATEGORY_MISSING) {
    c->missing[j]++;
    return MLPD_OK;
  }
  if (!(code >= 0 && code < (double)most && code == floor(code)))
    return FAIL(MLPD_ERROR_DATA, "%s: column %u (from 0) holds %g, which is not a code of its %llu categories", c->file,
                j, code, (unsigned long long)most);
  c->rows[first + (uint64_t)code]++;
  return MLPD_OK;
}

static mlpd_status count_rows(void *context, const shard *rows) {
  counts *const c = context;
  const columns *const about = &c->codes->about;
  for (uint32_t j = 0; j < about->count; j++) {
    const bool category = about->kinds[j] == COLUMN_KIND_CATEGORY;
    if (!category && (!about->missing || element_is_integer(rows->type))) continue;
    for (uint64_t i = 0; i < rows->rows; i++) {
      const double value = element_get(rows->type, rows->x, i * about->count + j);
      if (category) TRY(count_code(c, j, value));
      if (!category) c->missing[j] += isnan(value) ? 1 : 0;
    }
  }
  return MLPD_OK;
}

/* ---- Medians ---------------------------------------------------------------------------------------- */

uint64_t column_inputs_size(const preparation *p) {
  const columns *const about = &p->model->codes.about;
  return about->missing ? about->count * sizeof(column_quantile) + column_quantiles_size(about->count) : 0;
}

/* Medians of the marked columns of numbers. */
static mlpd_status find_medians(mlpd_comm *comm, const part *train, preparation *p) {
  column_codes *const codes = &p->model->codes;
  column_quantile *medians = NULL;
  size_t count = 0;
  mlpd_status status = memory_allocate(&medians, codes->about.count, sizeof *medians, "medians");
  for (uint32_t j = 0; j < codes->about.count && status == MLPD_OK; j++)
    if (codes->marked[j] && codes->about.kinds[j] != COLUMN_KIND_CATEGORY)
      medians[count++] = (column_quantile){.column = j, .fraction = 0.5};
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK && count > 0) status = column_quantiles_find(comm, train, p, medians, count);
  for (size_t i = 0; i < count && status == MLPD_OK; i++)
    if (!isnan(medians[i].value)) codes->fill[medians[i].column] = medians[i].value;
  free(medians);
  return status;
}

/* ---- All of it -------------------------------------------------------------------------------------- */

static mlpd_status count_all(mlpd_comm *comm, const part *train, const preparation *p, counts *c) {
  const uint64_t columns = c->codes->about.count, categories = c->codes->first[columns];
  mlpd_status status = memory_allocate(&c->missing, columns, sizeof *c->missing, "counts of columns");
  if (status == MLPD_OK) status = memory_allocate(&c->rows, categories, sizeof *c->rows, "counts of columns");
  if (status == MLPD_OK) status = column_rows_each(comm, train, p, false, count_rows, c);
  TRY(mlpd_comm_agree(comm, status));
  TRY(comm_sum_u64(comm, c->missing, columns));
  return comm_sum_u64(comm, c->rows, categories);
}

mlpd_status column_inputs_find(mlpd_comm *comm, part *train, preparation *p) {
  column_codes *const codes = &p->model->codes;
  counts c = {.codes = codes, .file = train->file};
  if (codes->about.count == 0 || (!codes->about.missing && !columns_any_category(&codes->about))) return MLPD_OK;
  mlpd_status status = count_all(comm, train, p, &c);
  for (uint32_t j = 0; j < codes->about.count && status == MLPD_OK; j++) codes->marked[j] = c.missing[j] > 0;
  if (status == MLPD_OK && p->options.init_model != NULL)
    status = mlpd_comm_agree(comm, init_match_counted(p->options.init_model, p->model, c.rows));
  if (status == MLPD_OK) {
    column_codes_choose(codes, c.rows);
    column_codes_settle(codes);
    status = find_medians(comm, train, p);
  }
  p->inputs = codes->width;
  free(c.missing);
  free(c.rows);
  return status;
}
