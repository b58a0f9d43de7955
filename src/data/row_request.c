#include "data/row_request.h"

#include <inttypes.h>

mlpd_status row_request_check(const part *p, const row_request *request) {
  uint64_t rows = 0;
  for (uint64_t i = 0; i < request->num_runs; ++i) {
    const row_run run = request->runs[i];
    if (run.count > p->rows || run.file_row > p->rows - run.count || run.position < request->first_position ||
        run.count > request->rows || run.position - request->first_position > request->rows - run.count)
      return FAIL(MLPD_ERROR_INTERNAL, "%s: a run of %" PRIu64 " rows at row %" PRIu64 " is outside of %s", p->file,
                  run.count, run.file_row, p->x_path);
    rows += run.count;
  }
  if (rows != request->rows)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: the runs have %" PRIu64 " rows, not %" PRIu64, p->file, rows, request->rows);
  return MLPD_OK;
}

uint64_t row_request_group(const row_request *request, uint64_t first, uint64_t gap, uint64_t most) {
  const row_run *const runs = request->runs;
  uint64_t next = first + 1;
  for (uint64_t end = runs[first].file_row + runs[first].count; next < request->num_runs; next++) {
    if (runs[next].file_row < end || runs[next].file_row - end > gap) break;
    end = runs[next].file_row + runs[next].count;
    if (end - runs[first].file_row > most) break;
  }
  return next;
}

uint64_t row_request_rows(const row_request *request, uint64_t first, uint64_t end) {
  return request->runs[end - 1].file_row + request->runs[end - 1].count - request->runs[first].file_row;
}
