/* Typed arrays in files of other kinds than HDF5: IDX (LeCun's MNIST page) and NPY (NumPy's NEP 1), as
 * streams of rows. Their headers are untrusted: shapes are checked against what the input can hold. Nothing here is
 * collective. */
#ifndef MLPDIST_CONVERT_ARRAY_H
#define MLPDIST_CONVERT_ARRAY_H

#include "convert/convert_header.h"
#include "convert/convert_input.h"

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
size_t array_text_at(const array_header *header, const void *stored, char *out);

mlpd_status array_rewind(input_array *array);

#endif
