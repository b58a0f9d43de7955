#include "data/shard_column.h"

#include <stdlib.h>

#include "base/memory.h"

/* Reads y or weight as elements of 8 bytes. */
typedef struct column_reader {
  part *p;
  h5_array *array;
  element_type as;
  shard_block_taker take;
  uint32_t num_classes;
  shard *s;
  uint64_t block; /* rows that fit in data */
  char *data;
  size_t row_bytes;
} column_reader;

static mlpd_status read_run_column(const column_reader *r, const row_run *run, uint64_t place) {
  for (uint64_t done = 0; done < run->count; done += r->block) {
    const uint64_t count = run->count - done < r->block ? run->count - done : r->block;
    TRY(h5_array_read(r->array, run->file_row + done, count, r->as, r->data));
    TRY(r->take(r->p, r->s, r->data, run->file_row + done, place + done, count, r->num_classes));
  }
  return MLPD_OK;
}

/* Reads several runs at once; they fit in the block. */
static mlpd_status read_group_column(const column_reader *r, const row_request *request, uint64_t first, uint64_t end) {
  const row_run *const runs = request->runs;
  TRY(h5_array_read(r->array, runs[first].file_row, row_request_rows(request, first, end), r->as, r->data));
  for (uint64_t i = first; i < end; i++)
    TRY(r->take(r->p, r->s, r->data + (runs[i].file_row - runs[first].file_row) * r->row_bytes, runs[i].file_row,
                runs[i].position - request->first_position, runs[i].count, r->num_classes));
  return MLPD_OK;
}

mlpd_status shard_column_read(part *p, h5_array *array, const row_request *request, element_type as,
                              shard_block_taker take, uint32_t num_classes, shard *s) {
  const size_t row_bytes = h5_array_shape(array).columns * element_size(as);
  const uint64_t gap = ROW_REQUEST_GAP_BYTES / row_bytes;
  const uint64_t most = SHARD_COLUMN_BYTES > row_bytes ? SHARD_COLUMN_BYTES / row_bytes : 1;
  column_reader r = {p, array, as, take, num_classes, s, .row_bytes = row_bytes, .block = 1};
  for (uint64_t i = 0, next = 0; i < request->num_runs;
       i = next) { /* allocate no more than is used: there may be many windows */
    next = row_request_group(request, i, gap, most);
    const uint64_t rows = row_request_rows(request, i, next) < most ? row_request_rows(request, i, next) : most;
    if (rows > r.block) r.block = rows;
  }
  TRY(memory_allocate(&r.data, r.block, r.row_bytes, "a block of the data set"));
  mlpd_status status = MLPD_OK;
  for (uint64_t i = 0, next = 0; i < request->num_runs && status == MLPD_OK; i = next) {
    next = row_request_group(request, i, gap, most);
    status = next > i + 1 ? read_group_column(&r, request, i, next)
                          : read_run_column(&r, &request->runs[i], request->runs[i].position - request->first_position);
  }
  free(r.data);
  return status;
}
