/* Notes on numbers with leading zeros. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_CSV_CODES_H
#define MLPDIST_CONVERT_CSV_CODES_H

#include "convert/convert_csv_internal.h"

/* In the first pass, keeps the first such number of each column. */
mlpd_status csv_codes_see(csv_source *c, uint32_t column, const char *begin, const char *end);

void csv_codes_forget(csv_source *c);
void csv_codes_report(const csv_source *c);

#endif
