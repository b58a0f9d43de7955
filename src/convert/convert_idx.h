/* The header of an IDX file (LeCun's MNIST page). Nothing here is collective. */
#ifndef MLPDIST_CONVERT_IDX_H
#define MLPDIST_CONVERT_IDX_H

#include "convert/convert_header.h"
#include "source/input.h"

/* Parses the header of in, which must be at its start. */
mlpd_status idx_header(input *in, array_header *header);

#endif
