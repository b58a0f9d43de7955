#include "data/part_codes.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* ---- Matching --------------------------------------------------------------------------------------- */

static const char *column_shown(const name_list *names, uint32_t j, char text[300]) {
  if (j < names->count)
    (void)snprintf(text, 300, "column '%.255s'", names->names[j]);
  else
    (void)snprintf(text, 300, "column %u (from 0)", j);
  return text;
}

static bool is_category(const columns *about, uint32_t j) {
  return about->count > 0 && about->kinds[j] == COLUMN_KIND_CATEGORY;
}

static mlpd_status check_kind(const part *p, const columns *about, const name_list *names, const column_codes *codes,
                              uint32_t j) {
  char shown[300];
  const bool wanted = codes != NULL && is_category(&codes->about, j), given = is_category(about, j);
  if (wanted == given || (about->count == 0 && !element_is_unsigned(p->type))) return MLPD_OK;
  if (wanted)
    return FAIL(MLPD_ERROR_DATA,
                "%s: %s holds numbers, but the model expects categories there; --categorical makes categories of them "
                "when the table is converted",
                p->file, column_shown(names, j, shown));
  return FAIL(MLPD_ERROR_DATA, "%s: %s holds categories, but the model expects numbers there", p->file,
              column_shown(names, j, shown));
}

/* The model's codes of the categories of column j by their names; of a file that tells no names, its codes are the
 * model's. Those that have no input are unknown. */
static mlpd_status match_categories(part *p, const columns *about, const column_codes *codes, uint32_t j) {
  const name_list *const wanted = &codes->about.categories[j],
                         *given = about->count > 0 ? &about->categories[j] : wanted;
  name_match found;
  TRY(columns_match_categories(wanted, given, &found));
  p->order.codes[j] = (int32_t *)found.to; /* NAME_ABSENT is -1 */
  p->order.num_codes[j] = (uint32_t)given->count;
  found.to = NULL;
  name_match_free(&found);
  for (uint64_t k = 0; k < given->count; k++)
    if (!column_codes_knows(codes, j, p->order.codes[j][k])) p->order.codes[j][k] = CATEGORY_UNKNOWN;
  return MLPD_OK;
}

static mlpd_status match_all(part *p, const columns *about, const name_list *names, const column_codes *codes) {
  for (uint32_t j = 0; j < p->features; j++) TRY(check_kind(p, about, names, codes, j));
  if (codes == NULL || !columns_any_category(&codes->about)) return MLPD_OK;
  TRY(memory_allocate(&p->order.codes, p->features, sizeof(int32_t *), "codes of categories"));
  TRY(memory_allocate(&p->order.num_codes, p->features, sizeof(uint32_t), "codes of categories"));
  for (uint32_t j = 0; j < p->features; j++)
    if (is_category(&codes->about, j)) TRY(match_categories(p, about, codes, j));
  return MLPD_OK;
}

/* Properties of the columns in the order in which they are read; none if the file describes other columns. */
static mlpd_status read_about(part *p, columns *about) {
  columns all;
  const uint32_t file_columns = p->order.columns != NULL ? p->order.file_columns : p->features;
  *about = (columns){.count = 0};
  const mlpd_status read = columns_read(p->h5, &all);
  if (read != MLPD_OK) return status_prefix(read, "%s: ", p->file);
  if (all.count != file_columns) return columns_free(&all), MLPD_OK;
  if (p->order.columns == NULL) return *about = all, MLPD_OK;
  const mlpd_status status = columns_pick(&all, p->order.columns, p->features, about);
  columns_free(&all);
  return status;
}

mlpd_status part_match_codes(part *p, const name_list *names, const column_codes *codes, const affine *input) {
  columns about;
  mlpd_status status = read_about(p, &about);
  if (status == MLPD_OK) status = match_all(p, &about, names, codes);
  columns_free(&about);
  TRY(status);
  if (p->may_miss) p->order.fill = input->shift;
  if (codes != NULL) p->order.keeps_missing = codes->marked;
  if (p->order.codes == NULL && p->order.fill == NULL) return MLPD_OK;
  return memory_allocate(&p->order.replaced, p->features, sizeof *p->order.replaced, "counts of columns");
}

/* ---- Rows ------------------------------------------------------------------------------------------- */

/* A category that the model does not know, and a code that is none, are unknown. */
static void translate_codes(const part *p, uint32_t j, uint64_t count, void *x) {
  uint64_t unknown = 0;
  for (uint64_t i = j; i < count * p->features; i += p->features) {
    const double code = element_get(p->type, x, i);
    if (code == CATEGORY_MISSING) continue;
    const bool known = code >= 0 && code < p->order.num_codes[j] && code == floor(code);
    const int32_t translated = known ? p->order.codes[j][(uint32_t)code] : CATEGORY_UNKNOWN;
    unknown += translated == CATEGORY_UNKNOWN;
    element_set(p->type, x, i, translated);
  }
#pragma omp atomic
  p->order.replaced[j] += unknown;
}

static void fill_missing(const part *p, uint32_t j, uint64_t count, void *x) {
  uint64_t filled = 0;
  for (uint64_t i = j; i < count * p->features; i += p->features) {
    if (!isnan(element_get(p->type, x, i))) continue;
    element_set(p->type, x, i, p->order.fill[j]);
    filled++;
  }
#pragma omp atomic
  p->order.replaced[j] += filled;
}

void part_translate(const part *p, uint64_t count, void *x) {
  const part_order *const o = &p->order;
  if (o->codes == NULL && o->fill == NULL) return;
  const bool floats = !element_is_integer(p->type);
  for (uint32_t j = 0; j < p->features; j++) {
    if (o->codes != NULL && o->codes[j] != NULL)
      translate_codes(p, j, count, x);
    else if (floats && o->fill != NULL && (o->keeps_missing == NULL || o->keeps_missing[j] == 0))
      fill_missing(p, j, count, x);
  }
}
