/* Forward passes divide a part into blocks of a fixed number of rows; here is which rank has which. Nothing here is
 * collective. */
#ifndef MLPDIST_FORWARD_RANGE_H
#define MLPDIST_FORWARD_RANGE_H

#include <stdint.h>

enum { FORWARD_BLOCK_ROWS = 256 };

/* This rank's blocks of a part of `rows` rows. */
typedef struct forward_range {
  uint64_t rows;                   /* of the part, over all ranks */
  uint64_t block_begin, block_end; /* of this rank */
  uint64_t row_begin, row_end;
} forward_range;

forward_range forward_range_of_rank(uint64_t rows, int size, int rank);

#endif
