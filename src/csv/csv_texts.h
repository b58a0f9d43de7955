/* Notes on categories that may be meant otherwise. Nothing here is collective. */
#ifndef MLPDIST_CSV_TEXTS_H
#define MLPDIST_CSV_TEXTS_H

#include "csv/csv_internal.h"

/* After the first pass: notes numbers among texts, and texts that look alike. */
void csv_texts_report(const csv_source *c);

/* Notes a class NA, which is read as a missing target, and a table whose rows may be columns. */
void csv_doubts_report(const csv_source *c);

#endif
