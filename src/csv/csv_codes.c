/* Numbers that may be codes: those with leading zeros, such as the ZIP code 00501, and the shelf mark 7e1. */
#include "csv/csv_codes.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "source/report.h"

enum { LEAST_DIGITS = 4 }; /* 01 to 12 are months */

static const char *skip_digits(const char *p, const char *end) {
  while (p < end && *p >= '0' && *p <= '9') p++;
  return p;
}

static bool has_leading_zero(const char *begin, const char *end) {
  return end - begin >= LEAST_DIGITS && *begin == '0' && skip_digits(begin, end) == end;
}

/* Programs write an exponent with a sign or behind a point: 1e+05, 1.0e5. */
static bool has_bare_exponent(const char *begin, const char *end) {
  const char *const letter = skip_digits(begin, end);
  return letter > begin && letter + 1 < end && (*letter == 'e' || *letter == 'E') &&
         skip_digits(letter + 1, end) == end;
}

mlpd_status csv_codes_see(csv_source *c, uint32_t column, const char *begin, const char *end) {
  char shown[CSV_SHOWN_BYTES + 4];
  if (!has_leading_zero(begin, end) && !has_bare_exponent(begin, end)) return MLPD_OK;
  if (c->codes == NULL) TRY(memory_allocate(&c->codes, c->layout.columns, sizeof *c->codes, "columns"));
  if (c->codes[column] != NULL) return MLPD_OK;
  (void)csv_cell_shown(&(csv_cell){.begin = begin, .end = end}, shown);
  return memory_copy_string(shown, &c->codes[column]);
}

void csv_codes_forget(csv_source *c) {
  for (uint32_t i = 0; c->codes != NULL && i < c->layout.columns; i++) free(c->codes[i]);
  free(c->codes);
  c->codes = NULL;
}

static bool is_zero_code(const char *code) { return skip_digits(code, code + strlen(code)) == code + strlen(code); }

/* Features whose codes have leading zeros, or exponents. */
static void report_features(const csv_source *c, bool zeros, const char *what) {
  char list[REPORT_BYTES] = "", names[REPORT_BYTES] = "", item[400], number[CSV_NUMBER_BYTES];
  size_t used = 0, names_used = 0;
  for (uint32_t i = 0; c->codes != NULL && i < c->layout.columns; i++) {
    const bool category = c->sets != NULL && c->sets[i] != NULL;
    if (c->codes[i] == NULL || c->plan.roles[i] != CSV_FEATURE || category || is_zero_code(c->codes[i]) != zeros)
      continue;
    const char *const name = csv_column_name(&c->layout, i, number);
    (void)snprintf(item, sizeof item, "'%s' in %.255s", c->codes[i], name);
    report_list_add(list, &used, ", ", item);
    report_list_add(names, &names_used, ",", name);
  }
  if (used > 0)
    convert_say(c->options,
                "note: %s: %s: %s; if they are codes, not amounts, --categorical '%s' treats them as categories",
                c->base.name, what, list, names);
}

void csv_codes_report(const csv_source *c) {
  report_features(c, true, "numbers lose their leading zeros");
  report_features(c, false, "numbers are read as powers of ten");
  if (c->codes != NULL && c->label != CSV_NO_LABEL && c->codes[c->label] != NULL && is_zero_code(c->codes[c->label]))
    convert_say(c->options, "note: %s: labels lose their leading zeros: '%s' becomes %lld", c->base.name,
                c->codes[c->label], strtoll(c->codes[c->label], NULL, 10));
}
