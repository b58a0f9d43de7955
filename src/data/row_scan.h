/* Reads training rows that are not kept in memory and returns, per lane, their statistics and a hash, and the classes
 * that occur. Every value is checked as in shard_read. Nothing here is collective. */
#ifndef MLPDIST_ROW_SCAN_H
#define MLPDIST_ROW_SCAN_H

#include "data/class_counts.h"
#include "data/dataset.h"
#include "data/normalize.h"

typedef struct row_scan {
  double *x; /* (lanes, 1 + 4 features): count, mean, m2, minimum, maximum, bit for bit as column_statistics_of */
  double *y; /* (lanes, 1 + 4 outputs): the same of target values, or NULL */
  uint64_t *hashes; /* (lanes) hash of x, classes, values and weights, in position order */
  class_counts classes;
  double largest_weight;
  char *memory; /* of the arrays */
} row_scan;

typedef struct row_scan_wishes {
  const lane_plan *plan;  /* gives the order of positions in which rows are read */
  const lane_plan *split; /* if not NULL, rows of plan are positions of split */
  uint32_t lane_begin, lane_end;
  const double *fill; /* (features) replaces NaN in statistics; NULL: there are no NaN */
  bool as_classes;
  uint32_t num_classes;            /* as in shard_read */
  bool x_deviations, y_deviations; /* compute m2, which takes a second pass */
  int threads;
} row_scan_wishes;

/* Reads the rows of lanes [lane_begin, lane_end) once or twice, block by block. Free with row_scan_free, also on
 * failure. */
mlpd_status row_scan_run(part *from, const row_scan_wishes *wishes, row_scan *made);
void row_scan_free(row_scan *scan);

/* A view of a record of (1 + 4 columns) doubles as statistics. */
column_statistics row_scan_record(double *record, uint32_t columns);

/* Bytes of the arrays that row_scan_run allocates, by a dry run. */
uint64_t row_scan_size(part *from, const row_scan_wishes *wishes);

#endif
