/* The header of an NPY file (NumPy's NEP 1). Nothing here is collective. */
#ifndef MLPDIST_CONVERT_NPY_H
#define MLPDIST_CONVERT_NPY_H

#include "convert/convert_header.h"
#include "source/input.h"

/* Reads the header and leaves `in` at the first element. header->bytes is its length in the file. Call it at the start
 * of the file. MLPD_ERROR_DATA: cut short, of a version above 3, not a dictionary of descr, fortran_order and shape, or
 * an array of a type that is no number and no text of at most 255 bytes; the message says how to save it instead. */
mlpd_status npy_header(input *in, array_header *header);

#endif
