/* The header of an NPY file (NumPy's NEP 1). Nothing here is collective. */
#ifndef MLPDIST_CONVERT_NPY_H
#define MLPDIST_CONVERT_NPY_H

#include "convert/convert_header.h"
#include "convert/convert_input.h"

/* Parses the header of in, which must be at its start. */
mlpd_status npy_header(input *in, array_header *header);

#endif
