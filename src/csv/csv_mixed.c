#include "csv/csv_mixed.h"

#include <string.h>

#include "csv/csv_forms.h"

enum { VALUES_MOST = 20, ROWS_LEAST = 3, SHARE_LEAST = 100 }; /* of rows a text is in */

/* Enough for a text that is none by mistake? */
static bool are_enough(uint64_t rows, uint64_t all) { return rows >= ROWS_LEAST && SHARE_LEAST * rows >= all; }

/* Are some texts numbers in another notation, dates, times or angles? */
static bool has_values(const csv_fault *f) {
  uint64_t dates = f->dates + f->periods;
  for (int i = 0; i < DATE_ORDERS; i++) dates += f->orders[i];
  return f->number_like + dates + f->spans + f->angles > 0; /* times of day are spans, too */
}

bool csv_mixed_may_be(const csv_source *c, uint32_t column) {
  const csv_fault *const f = c->faults != NULL ? c->faults[column] : NULL;
  if (f == NULL || csv_fault_is_in_header(c, f)) return false;
  return are_enough(f->texts, c->rows_seen - f->missing) && !has_values(f);
}

/* A number with a text behind it, as 5 b, where the number itself is among the others: the text is a flag, or a unit
 * that others lack. */
static bool has_flag(const category_set *set, const category *one) {
  char unit[CSV_UNIT_BYTES];
  const csv_cell cell = {.begin = one->text, .end = one->text + one->length};
  if (!csv_cell_unit(&cell, unit)) return false;
  size_t length = one->length - strlen(unit);
  while (length > 0 && one->text[length - 1] == ' ') length--;
  return category_set_holds(set, one->text, length);
}

bool csv_mixed_is(const csv_source *c, const category_set *set, bool *mostly_texts) {
  uint64_t texts = 0;
  bool amounts;
  *mostly_texts = false;
  if (set->full || set->count > VALUES_MOST) return false;
  for (uint32_t i = 0; i < set->count; i++) {
    const category *const one = &set->all[i];
    const csv_cell cell = {.begin = one->text, .end = one->text + one->length};
    number parsed;
    int64_t whole;
    const csv_kind kind = csv_cell_read(&c->syntax, &cell, &parsed);
    if (kind == CSV_NUMBER && !number_is_whole(&parsed, &whole)) return false;
    if (kind == CSV_NUMBER || kind == CSV_MISSING) continue;
    if (!are_enough(one->rows, set->rows) || has_flag(set, one)) return false;
    texts += one->rows;
  }
  *mostly_texts = 2 * texts > set->rows;
  return csv_form_of(set, &amounts) == NULL || !amounts;
}
