/* Reads arrays of numbers from IDX (LeCun's MNIST page) and NPY (NumPy's NEP 1) files, row by row. Headers are
 * untrusted: shapes are checked against the size of the input. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_ARRAY_H
#define MLPDIST_CONVERT_ARRAY_H

#include "convert/convert_header.h"
#include "source/input.h"

typedef struct input_array {
  input *in; /* owned */
  array_header header;
  uint64_t row;        /* the next row */
  bool ended;          /* the end of the input was checked: nothing follows the last row */
  unsigned char *held; /* the whole array, converted from Fortran to C order; NULL: rows are read from the file */
} input_array;

typedef enum input_kind { KIND_TEXT, KIND_NPY, KIND_NPZ, KIND_IDX } input_kind;

/* Determines the kind of an input from its first bytes, and rewinds it. */
mlpd_status input_kind_of(input *in, input_kind *kind);

/* Reads and checks the header of an IDX or NPY input, which must be at its start and stays there. */
mlpd_status array_header_of(input *in, array_header *header);

/* Opens an IDX or NPY input, which must be at its start, and checks its header. Takes ownership of in, also on
 * failure. */
mlpd_status array_open(input *in, input_array **opened);
void array_close(input_array *array); /* NULL is allowed. */

/* Reads the next rows (at most as many as are left) to out (rows, columns) of header.type. A value that is not finite
 * is MLPD_ERROR_DATA, and so are bytes after the last row. */
mlpd_status array_read(input_array *array, uint64_t rows, void *out);

size_t array_row_bytes(const array_header *header); /* bytes of a row as array_read returns it */

/* Writes the text at stored to out (ARRAY_TEXT_MOST) as UTF-8, without zero padding; returns its length. */
size_t array_text_at(const array_header *header, const void *stored, char *out);

mlpd_status array_rewind(input_array *array);

#endif
