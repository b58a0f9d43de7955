/* What passes over the training rows tell where they are not held in memory: statistics, a hash and the classes there
 * are, a lane at a time. Every value is checked, as shard_read checks it. Nothing here is collective. */
#ifndef MLPDIST_ROW_SCAN_H
#define MLPDIST_ROW_SCAN_H

#include "data/class_counts.h"
#include "data/dataset.h"
#include "data/normalize.h"

typedef struct row_scan {
  double *x;        /* (lanes, 1 + 4 features): count, mean, m2, minimum, maximum: column_statistics_of's bits */
  double *y;        /* (lanes, 1 + 4 outputs) of values, likewise, or NULL */
  uint64_t *hashes; /* (lanes) of x, classes, values and weights, in position order */
  class_counts classes;
  double largest_weight;
} row_scan;

typedef struct row_scan_wishes {
  const lane_plan *plan;  /* whose position order the statistics are taken in */
  const lane_plan *split; /* the plan's rows are positions of it, or NULL */
  uint32_t lane_begin, lane_end;
  const double *fill; /* (features) stands for NaN in statistics; NULL: there is none */
  bool as_classes;
  uint32_t num_classes;            /* as of shard_read */
  bool x_deviations, y_deviations; /* m2 is wanted: a second pass */
  int threads;
} row_scan_wishes;

/* Reads the rows of lanes [lane_begin, lane_end) once or twice, a piece of each at a time. Free with row_scan_free, on
 * failure too. */
mlpd_status row_scan_run(part *from, const row_scan_wishes *wishes, row_scan *made);
void row_scan_free(row_scan *scan);

/* The statistics in a record of (1 + 4 columns) doubles. */
column_statistics row_scan_record(double *record, uint32_t columns);

/* Bytes that a run takes. */
uint64_t row_scan_size(const part *from, const row_scan_wishes *w);

#endif
