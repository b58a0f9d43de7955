/* What the header of a typed array says. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_HEADER_H
#define MLPDIST_CONVERT_HEADER_H

#include "base/element.h"
#include "base/status.h"

enum { ARRAY_RANK_MOST = 32 }; /* NumPy's own */

enum { ARRAY_TEXT_MOST = 1 << 14 /* bytes in UTF-8 */, ARRAY_TEXT_BYTES = 1 << 12 /* as stored */ };

/* Bytes of a row, at most. */
#define ARRAY_ROW_BYTES_MOST (UINT64_C(1) << 30)

typedef enum array_text { ARRAY_NUMBERS, ARRAY_BYTES_TEXT, ARRAY_UCS4_TEXT } array_text;

typedef struct array_header {
  uint64_t bytes; /* of the header */
  int rank;
  uint64_t dimensions[ARRAY_RANK_MOST]; /* (rank) */
  uint64_t rows, columns;               /* columns: the product of the other dimensions; 1 for rank 1 */
  element_type type;                    /* as delivered */
  size_t stored_size;                   /* bytes an element in the file */
  bool swap;                            /* stored in the other byte order */
  bool half;                            /* stored as IEEE half, delivered as float32 */
  array_text text;                      /* texts, which are delivered as they are stored, of stored_size bytes each */
  bool image;                           /* rows are pictures: of IDX, or bytes of more than two dimensions */
  bool column_major;                    /* Fortran order: the first dimension varies fastest */
} array_header;

/* Folds dimensions (rank) into rows and columns; an overflow, no row or no column is an error. */
mlpd_status array_fold(const char *name, const uint64_t *dimensions, int rank, array_header *header);

#endif
