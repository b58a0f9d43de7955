#include "data/shard_x.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/part_codes.h"
#include "data/value_check.h"
#include "kernels/multiversion.h"

enum {
  BLOCK_BYTES = 4 << 20,  /* bytes of x per read: the block is still in the cache when it is checked */
  SPAN_BYTES = 256 << 10, /* most bytes covered by such a read */
  CHUNK_BYTES = 64 << 20  /* most bytes of whole chunks that are read into a separate buffer */
};

static char *place_of_run(const row_request *request, const row_run *run, const shard *s, size_t row_bytes) {
  return (char *)s->x + (run->position - request->first_position) * row_bytes;
}

/* Copies the columns p->order.columns of each row of from (count, file_columns) to out. size: bytes of an element. */
static void pick_columns(const part *p, size_t size, uint64_t count, const char *from, char *out) {
  for (uint64_t i = 0; i < count; i++, from += p->order.file_columns * size)
    for (uint32_t j = 0; j < p->features; j++, out += size) memcpy(out, from + p->order.columns[j] * size, size);
}

/* Bytes of a row of x as it is read, including columns that are not used. */
static size_t x_bytes_read(const part *p) {
  return element_size(p->type) * (p->order.columns != NULL ? p->order.file_columns : p->features);
}

/* Rows of x per read: a block ends at the end of a chunk. */
static uint64_t x_block_rows(const part *p) {
  const size_t read_bytes = x_bytes_read(p);
  const uint64_t chunk_rows = h5_array_shape(p->x).chunk_rows, block = BLOCK_BYTES / read_bytes + 1;
  const uint64_t whole = chunk_rows > 0 ? (block + chunk_rows - 1) / chunk_rows * chunk_rows : block;
  const bool buffered = p->order.columns != NULL; /* else rows are read directly to their destination */
  return buffered && whole > CHUNK_BYTES / read_bytes ? block : whole;
}

/* Reads rows [row, row + count) of x to out (count, features), with the file's codes. */
static mlpd_status read_coded_x(part *p, uint64_t row, uint64_t count, char *out) {
  if (p->order.columns == NULL) return h5_array_read(p->x, row, count, p->type, out);
  const size_t size = element_size(p->type);
  char *whole = NULL;
  TRY(memory_allocate(&whole, count * p->order.file_columns, size, "a block of the data set"));
  const mlpd_status status = h5_array_read(p->x, row, count, p->type, whole);
  if (status == MLPD_OK) pick_columns(p, size, count, whole, out);
  free(whole);
  return status;
}

static mlpd_status read_x(part *p, uint64_t row, uint64_t count, char *out) {
  TRY(read_coded_x(p, row, count, out));
  part_translate(p, count, out);
  return MLPD_OK;
}

static bool becomes_narrow(const part *p) { return p->narrow && element_size(p->type) > sizeof(float); }

element_type shard_x_type(const part *p) { return becomes_narrow(p) ? ELEMENT_F32 : p->type; }

#define NARROW(type)                                                                              \
  for (uint64_t i = 0; i < n; i++) out[i] = (float)(double)((const type *)(const void *)from)[i]; \
  break

/* Rounds n numbers as the identity of data/affine.h would. */
MULTIVERSION static void narrow(element_type type, uint64_t n, const char *from, float *out) {
  switch (type) {
    case ELEMENT_I64:
      NARROW(int64_t);
    case ELEMENT_U64:
      NARROW(uint64_t);
    default:
      NARROW(double);
  }
}

/* Checks rows [row, row + count), which were read to from, and puts them where they stay. */
static mlpd_status take_x(const part *p, const char *from, uint64_t row, uint64_t count, char *out) {
  const uint64_t n = count * p->features;
  TRY(value_check(p, p->x_path, p->type, from, row, count, p->features));
  if (becomes_narrow(p))
    narrow(p->type, n, from, (float *)(void *)out);
  else if (from != out)
    memcpy(out, from, n * element_size(p->type));
  return MLPD_OK;
}

/* between, for as many rows as are read at once, is NULL unless rows become narrow. */
static mlpd_status read_run_x(part *p, const row_run *run, size_t row_bytes, char *between, char *out) {
  const uint64_t block = x_block_rows(p);
  for (uint64_t row = run->file_row, end = run->file_row + run->count; row < end;) {
    const uint64_t left_in_block = block - row % block;
    const uint64_t count = end - row < left_in_block ? end - row : left_in_block;
    char *const to = between != NULL ? between : out;
    TRY(read_x(p, row, count, to));
    TRY(take_x(p, to, row, count, out));
    out += count * row_bytes;
    row += count;
  }
  return MLPD_OK;
}

/* Reads runs [first, end) by one call, through span. */
static mlpd_status read_group_x(part *p, const row_request *request, uint64_t first, uint64_t end, char *span,
                                shard *s) {
  const size_t stored_bytes = element_size(p->type) * p->features, row_bytes = element_size(s->type) * p->features;
  const row_run *const runs = request->runs;
  TRY(read_x(p, runs[first].file_row, row_request_rows(request, first, end), span));
  for (uint64_t k = first; k < end; k++)
    TRY(take_x(p, span + (runs[k].file_row - runs[first].file_row) * stored_bytes, runs[k].file_row, runs[k].count,
               place_of_run(request, &runs[k], s, row_bytes)));
  return MLPD_OK;
}

mlpd_status shard_read_x(part *p, const row_request *request, shard *s) {
  const size_t stored_bytes = element_size(p->type) * p->features, row_bytes = element_size(s->type) * p->features;
  const uint64_t gap = ROW_REQUEST_GAP_BYTES / x_bytes_read(p), most = SPAN_BYTES / x_bytes_read(p);
  const uint64_t block = x_block_rows(p) < request->rows ? x_block_rows(p) : request->rows;
  const row_run *const runs = request->runs;
  char *span = NULL, *between = NULL;
  mlpd_status status = MLPD_OK;
  if (becomes_narrow(p)) status = memory_allocate(&between, block, stored_bytes, "a block of the data set");
  for (uint64_t i = 0, next = 0; i < request->num_runs && status == MLPD_OK; i = next) {
    next = row_request_group(request, i, gap, most);
    if (next == i + 1) {
      status = read_run_x(p, &runs[i], row_bytes, between, place_of_run(request, &runs[i], s, row_bytes));
      continue;
    }
    if (span == NULL) status = memory_allocate(&span, most, stored_bytes, "a block of the data set");
    if (status == MLPD_OK) status = read_group_x(p, request, i, next, span, s);
  }
  free(between);
  free(span);
  return status;
}
