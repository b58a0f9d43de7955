/* The header of an array in an IDX or NPY file: shape and type. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_HEADER_H
#define MLPDIST_CONVERT_HEADER_H

#include "base/element.h"
#include "base/status.h"

enum { ARRAY_RANK_MOST = 32 }; /* NumPy's limit */

enum { ARRAY_TEXT_MOST = 1 << 14 /* bytes in UTF-8 */, ARRAY_TEXT_BYTES = 1 << 12 /* as stored */ };

/* Largest row, in bytes. */
#define ARRAY_ROW_BYTES_MOST (UINT64_C(1) << 30)

typedef enum array_text { ARRAY_NUMBERS, ARRAY_BYTES_TEXT, ARRAY_UCS4_TEXT } array_text;

typedef struct array_header {
  uint64_t bytes; /* length of the header */
  int rank;
  uint64_t dimensions[ARRAY_RANK_MOST]; /* (rank) */
  uint64_t rows, columns;               /* columns: the product of the other dimensions; 1 for rank 1 */
  element_type type;                    /* type that array_read returns */
  size_t stored_size;                   /* bytes of an element in the file */
  bool swap;                            /* stored in the other byte order */
  bool half;                            /* stored as IEEE half, returned as float32 */
  array_text text;                      /* texts are returned as they are stored, stored_size bytes each */
  bool image;                           /* rows are images: IDX, or bytes with more than two dimensions */
  bool column_major;                    /* Fortran order: the first dimension varies fastest */
} array_header;

/* Sets rows and columns from dimensions (rank). Fails for an overflow, no row or no column. */
mlpd_status array_fold(const char *name, const uint64_t *dimensions, int rank, array_header *header);

#endif
