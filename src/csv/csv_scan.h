/* The first pass over a CSV file. Nothing here is collective. */
#ifndef MLPDIST_CSV_SCAN_H
#define MLPDIST_CSV_SCAN_H

#include "csv/csv_internal.h"

/* The scan of source_methods: collects the ranges of columns, the categories and the labels of all rows, and decides
 * the type of x. */
mlpd_status csv_scan(source *s, label_set *labels);

#endif
