/* The rows that are to be read into a shard, and which of them are read by one call. Nothing here is collective. */
#ifndef MLPDIST_ROW_REQUEST_H
#define MLPDIST_ROW_REQUEST_H

#include "data/dataset.h"

/* Runs closer than this are read together: copying the gap costs as much as a call. */
enum { ROW_REQUEST_GAP_BYTES = 2 << 10 };

/* The rows to read: runs, and the position of the shard's row 0. */
typedef struct row_request {
  const row_run *runs;
  uint64_t num_runs, first_position, rows;
} row_request;

/* MLPD_ERROR_INTERNAL if the runs are not rows of p, or not as many as the shard has. */
mlpd_status row_request_check(const part *p, const row_request *request);

/* Groups runs for one read: returns the end of the runs [first, end) that lie at most `gap` rows apart in the file and
 * cover at most `most` rows in all. */
uint64_t row_request_group(const row_request *request, uint64_t first, uint64_t gap, uint64_t most);

/* Rows of the file that the runs [first, end) cover. */
uint64_t row_request_rows(const row_request *request, uint64_t first, uint64_t end);

#endif
