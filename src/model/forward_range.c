#include "model/forward_range.h"

static uint64_t blocks_of(uint64_t rows) { return (rows + FORWARD_BLOCK_ROWS - 1) / FORWARD_BLOCK_ROWS; }

static uint64_t share(uint64_t blocks, int size, int rank) {
  return blocks / (uint64_t)size * (uint64_t)rank + blocks % (uint64_t)size * (uint64_t)rank / (uint64_t)size;
}

forward_range forward_range_of_rank(uint64_t rows, int size, int rank) {
  const uint64_t blocks = blocks_of(rows);
  forward_range range = {
      .rows = rows, .block_begin = share(blocks, size, rank), .block_end = share(blocks, size, rank + 1)};
  range.row_begin = range.block_begin * FORWARD_BLOCK_ROWS;
  range.row_end = range.block_end * FORWARD_BLOCK_ROWS < rows ? range.block_end * FORWARD_BLOCK_ROWS : rows;
  if (range.row_begin > range.row_end) range.row_begin = range.row_end;
  return range;
}
