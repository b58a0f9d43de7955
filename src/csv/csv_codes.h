/* Notes on numbers that may be codes: with leading zeros, or such as 7e1. Nothing here is collective. */
#ifndef MLPDIST_CSV_CODES_H
#define MLPDIST_CSV_CODES_H

#include "csv/csv_internal.h"

/* Quick: may a number that begins with this sign be one? */
static inline bool csv_may_be_code(char first, const number *parsed) {
  const double value = parsed->value;
  return first == '0' || (!parsed->is_integer && value >= 1 && (value >= 1e18 || (double)(int64_t)value == value));
}

/* In the first pass, keeps the first such number of each column. */
mlpd_status csv_codes_see(csv_source *c, uint32_t column, const char *begin, const char *end);

void csv_codes_forget(csv_source *c);
void csv_codes_report(const csv_source *c);

#endif
