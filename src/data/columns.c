#include "data/columns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"

static const char *const kind_names[] = {
    [COLUMN_KIND_NUMBER] = "number", [COLUMN_KIND_YES_NO] = "yes/no", [COLUMN_KIND_CATEGORY] = "category"};

const char *column_kind_name(uint8_t kind) { return kind_names[kind]; }

mlpd_status columns_create(uint32_t count, columns *made) {
  *made = (columns){.count = count};
  TRY(memory_allocate(&made->kinds, count, sizeof *made->kinds, "kinds of columns"));
  return memory_allocate(&made->categories, count, sizeof *made->categories, "categories");
}

void columns_free(columns *c) {
  for (uint32_t j = 0; c->categories != NULL && j < c->count; j++) name_list_free(&c->categories[j]);
  free(c->categories);
  free(c->kinds);
  *c = (columns){.count = 0};
}

bool columns_any_category(const columns *c) {
  for (uint32_t j = 0; j < c->count; j++)
    if (c->kinds[j] == COLUMN_KIND_CATEGORY) return true;
  return false;
}

mlpd_status columns_pick(const columns *c, const uint32_t *from, uint32_t count, columns *made) {
  TRY(columns_create(count, made));
  made->missing = c->missing;
  for (uint32_t j = 0; j < count; j++) {
    const name_list *const list = &c->categories[from[j]];
    made->kinds[j] = c->kinds[from[j]];
    if (list->count > 0) TRY(name_list_copy((const char *const *)list->names, list->count, &made->categories[j]));
  }
  return MLPD_OK;
}

/* ---- Files ------------------------------------------------------------------------------------------ */

static mlpd_status write_kinds(h5_file *file, const columns *c) {
  const char **names = NULL;
  TRY(memory_allocate(&names, c->count, sizeof *names, "kinds of columns"));
  for (uint32_t j = 0; j < c->count; j++) names[j] = kind_names[c->kinds[j]];
  const mlpd_status status = h5_strings_write(file, "/columns/kind", names, c->count);
  free(names);
  return status;
}

static mlpd_status write_categories(h5_file *file, const columns *c) {
  uint64_t *counts = NULL, total = 0;
  const char **all = NULL;
  mlpd_status status;
  TRY_GOTO(status, memory_allocate(&counts, c->count, sizeof *counts, "categories"), done);
  for (uint32_t j = 0; j < c->count; j++) total += counts[j] = c->categories[j].count;
  TRY_GOTO(status, memory_allocate(&all, total, sizeof *all, "categories"), done);
  for (uint64_t j = 0, at = 0; j < c->count; j++)
    for (uint64_t k = 0; k < counts[j]; k++) all[at++] = c->categories[j].names[k];
  TRY_GOTO(status, h5_write(file, "/columns/category_counts", c->count, 0, ELEMENT_U64, counts), done);
  status = total > 0 ? h5_strings_write(file, "/columns/categories", all, total) : MLPD_OK;
done:
  free(counts);
  free(all);
  return status;
}

mlpd_status columns_write(h5_file *file, const columns *c) {
  if (c->count == 0) return MLPD_OK;
  TRY(write_kinds(file, c));
  if (c->missing) TRY(h5_attribute_write_u64(file, "/columns", "missing_values", 1));
  return columns_any_category(c) ? write_categories(file, c) : MLPD_OK;
}

static mlpd_status read_kinds(h5_file *file, columns *c) {
  char **names = NULL;
  uint64_t count = 0;
  TRY(h5_strings_read(file, "/columns/kind", &names, &count));
  mlpd_status status =
      count <= UINT32_MAX ? columns_create((uint32_t)count, c) : FAIL(MLPD_ERROR_DATA, "/columns/kind is too long");
  for (uint64_t j = 0; j < count && status == MLPD_OK; j++) {
    uint8_t kind = 0;
    while (kind <= COLUMN_KIND_CATEGORY && strcmp(names[j], kind_names[kind]) != 0) kind++;
    if (kind > COLUMN_KIND_CATEGORY)
      status = FAIL(MLPD_ERROR_DATA, "/columns/kind [%llu] is '%.40s', which this version does not know",
                    (unsigned long long)j, names[j]);
    else
      c->kinds[j] = kind;
  }
  h5_strings_free(names, count);
  return status;
}

/* Shares the texts out to the columns. */
static mlpd_status share_categories(columns *c, const uint64_t *counts, char **all, uint64_t total) {
  uint64_t at = 0;
  for (uint32_t j = 0; j < c->count; j++) {
    if (counts[j] > total - at || counts[j] > CATEGORIES_MOST || (counts[j] > 0 && c->kinds[j] != COLUMN_KIND_CATEGORY))
      return FAIL(MLPD_ERROR_DATA, "/columns/category_counts [%u] is %llu, which is not possible", j,
                  (unsigned long long)counts[j]);
    if (counts[j] > 0) TRY(name_list_copy((const char *const *)all + at, counts[j], &c->categories[j]));
    at += counts[j];
  }
  if (at == total) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "/columns/categories holds %llu texts, but %llu are counted", (unsigned long long)total,
              (unsigned long long)at);
}

static mlpd_status read_categories(h5_file *file, columns *c) {
  uint64_t *counts = NULL, total = 0;
  char **all = NULL;
  mlpd_status status = memory_allocate(&counts, c->count, sizeof *counts, "categories");
  if (status == MLPD_OK) status = h5_read(file, "/columns/category_counts", c->count, 0, ELEMENT_U64, counts);
  if (status == MLPD_OK && h5_exists(file, "/columns/categories")) /* rows to predict may hold none */
    status = h5_strings_read(file, "/columns/categories", &all, &total);
  if (status == MLPD_OK) status = share_categories(c, counts, all, total);
  h5_strings_free(all, total);
  free(counts);
  return status;
}

mlpd_status columns_read(h5_file *file, columns *read) {
  *read = (columns){.count = 0};
  if (!h5_exists(file, "/columns/kind")) return MLPD_OK;
  mlpd_status status = read_kinds(file, read);
  if (status == MLPD_OK) read->missing = h5_attribute_exists(file, "/columns", "missing_values");
  if (status == MLPD_OK && columns_any_category(read)) status = read_categories(file, read);
  if (status != MLPD_OK) columns_free(read);
  return status;
}

/* ---- Categories of two lists -------------------------------------------------------------------------- */

/* Adds the name; a whole number as an integer: 7.0 as 7. */
static mlpd_status add_whole(name_list *names, const char *name) {
  char text[32];
  number parsed;
  int64_t whole = 0;
  const char *const end = name + strlen(name);
  if (number_parse(name, end, &parsed) != end || !number_is_whole(&parsed, &whole)) return name_list_add(names, name);
  (void)snprintf(text, sizeof text, "%" PRId64, whole);
  return name_list_add(names, text);
}

/* The given name k is the wanted name i, if that has none yet. */
static void meet(name_match *found, uint32_t k, uint32_t i) {
  found->to[k] = i;
  if (i == NAME_ABSENT) return;
  found->unknown--;
  if (found->from[i] != NAME_ABSENT) return;
  found->from[i] = k;
  found->missing--;
}

static mlpd_status match_by_value(const name_list *wanted, const name_list *given, name_match *found) {
  name_list known = {0}, others = {0};
  name_match by_value = {0};
  mlpd_status status = MLPD_OK;
  for (uint64_t k = 0; k < given->count && status == MLPD_OK; k++)
    if (found->to[k] == NAME_ABSENT) status = add_whole(&others, given->names[k]);
  for (uint64_t i = 0; i < wanted->count && others.count > 0 && status == MLPD_OK; i++)
    status = add_whole(&known, wanted->names[i]);
  if (status == MLPD_OK) status = name_match_make(&known, &others, &by_value);
  for (uint64_t k = 0, other = 0; k < given->count && status == MLPD_OK; k++)
    if (found->to[k] == NAME_ABSENT) meet(found, (uint32_t)k, by_value.to[other++]);
  name_match_free(&by_value);
  name_list_free(&known);
  name_list_free(&others);
  return status;
}

mlpd_status columns_match_categories(const name_list *wanted, const name_list *given, name_match *made) {
  TRY(name_match_make(wanted, given, made));
  const mlpd_status status = match_by_value(wanted, given, made);
  if (status != MLPD_OK) name_match_free(made);
  return status;
}
