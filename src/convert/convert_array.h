/* Typed arrays in files of other kinds than HDF5: IDX (LeCun's MNIST page) and NPY (NumPy's NEP 1), as
 * streams of rows. Their headers are untrusted: shapes are checked against what the input can hold. Nothing here is
 * collective. */
#ifndef MLPDIST_CONVERT_ARRAY_H
#define MLPDIST_CONVERT_ARRAY_H

#include "base/element.h"
#include "convert/convert_input.h"

/* What a header says. */
enum { ARRAY_RANK_MOST = 32 }; /* NumPy's own */

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

typedef struct input_array {
  input *in; /* owned */
  array_header header;
  uint64_t row;        /* the next one */
  bool ended;          /* nothing follows the last row */
  unsigned char *held; /* an array in Fortran order, in C order; or NULL */
} input_array;

typedef enum input_kind { KIND_TEXT, KIND_NPY, KIND_NPZ, KIND_IDX } input_kind;

/* Tells an input's kind by its first bytes, and rewinds it. */
mlpd_status input_kind_of(input *in, input_kind *kind);

/* Reads the header of in (IDX or NPY, at its start) and checks it. Takes in over, closing it on failure. */
mlpd_status array_open(input *in, input_array **opened);
void array_close(input_array *array); /* NULL is allowed. */

/* Reads the next rows (at most those left) to out (rows, columns) of header.type. A value that is not
 * finite is MLPD_ERROR_DATA, and so are bytes after the last row. */
mlpd_status array_read(input_array *array, uint64_t rows, void *out);

size_t array_row_bytes(const array_header *header); /* of a row as array_read delivers it */

/* The text at stored, as UTF-8 without the zeros that fill it up, to out (ARRAY_TEXT_MOST): its length. */
enum { ARRAY_TEXT_MOST = 1 << 14, ARRAY_TEXT_BYTES = 1 << 12 /* a text as stored, at most */ };
size_t array_text_at(const array_header *header, const void *stored, char *out);

mlpd_status array_rewind(input_array *array);

/* Parsers of the headers; in is at its start. */
mlpd_status idx_header(input *in, array_header *header);
mlpd_status npy_header(input *in, array_header *header);

/* Folds dimensions (rank) into rows and columns; an overflow, no row or no column is an error. */
mlpd_status array_fold(const char *name, const uint64_t *dimensions, int rank, array_header *header);

#endif
