/* Numbers that may be codes: those with leading zeros, such as the ZIP code 00501. */
#include "convert/convert_csv_codes.h"

#include <stdlib.h>

#include "base/memory.h"
#include "convert/convert_report.h"

enum { LEAST_DIGITS = 4 }; /* 01 to 12 are months */

mlpd_status csv_codes_see(csv_source *c, uint32_t column, const char *begin, const char *end) {
  char shown[CSV_SHOWN_BYTES + 4];
  if (end - begin < LEAST_DIGITS || *begin != '0') return MLPD_OK;
  if (c->codes == NULL) TRY(memory_allocate(&c->codes, c->layout.columns, sizeof *c->codes, "columns"));
  if (c->codes[column] != NULL) return MLPD_OK;
  for (const char *p = begin; p < end; p++)
    if (*p < '0' || *p > '9') return MLPD_OK;
  (void)csv_cell_shown(&(csv_cell){.begin = begin, .end = end}, shown);
  return memory_copy_string(shown, &c->codes[column]);
}

void csv_codes_forget(csv_source *c) {
  for (uint32_t i = 0; c->codes != NULL && i < c->layout.columns; i++) free(c->codes[i]);
  free(c->codes);
  c->codes = NULL;
}

void csv_codes_report(const csv_source *c) {
  char list[REPORT_BYTES] = "", names[REPORT_BYTES] = "", item[400], number[16];
  size_t used = 0, names_used = 0;
  for (uint32_t i = 0; c->codes != NULL && i < c->layout.columns; i++) {
    if (c->codes[i] == NULL || c->plan.roles[i] != CSV_FEATURE) continue;
    (void)snprintf(number, sizeof number, "%u", i);
    const char *const name = c->layout.names != NULL ? c->layout.names[i] : number;
    (void)snprintf(item, sizeof item, "'%s' in %.255s", c->codes[i], name);
    report_list_add(list, &used, ", ", item);
    report_list_add(names, &names_used, ",", name);
  }
  if (used > 0)
    convert_say(c->options,
                "note: %s: numbers lose their leading zeros: %s; if they are codes, not amounts, --categorical "
                "'%s' treats them as categories",
                c->base.name, list, names);
  if (c->codes != NULL && c->label != CSV_NO_LABEL && c->codes[c->label] != NULL)
    convert_say(c->options, "note: %s: labels lose their leading zeros: '%s' becomes %lld", c->base.name,
                c->codes[c->label], strtoll(c->codes[c->label], NULL, 10));
}
