/* Notes on numbers that are written with zeros in front of them. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_CSV_CODES_H
#define MLPDIST_CONVERT_CSV_CODES_H

#include "convert/convert_csv_internal.h"

/* Keeps the first such number of a column, of those that are seen in the first pass. */
mlpd_status csv_codes_see(csv_source *c, uint32_t column, const char *begin, const char *end);

void csv_codes_forget(csv_source *c);
void csv_codes_report(const csv_source *c);

#endif
