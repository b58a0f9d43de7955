/* UTF-16 to UTF-8 on the way into the buffer of lines. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_CSV_DECODE_H
#define MLPDIST_CONVERT_CSV_DECODE_H

#include "convert/convert_csv.h"

/* A decoder for in, which is at its start and stays there; *found is NULL where none is needed. */
mlpd_status csv_decoder_find(input *in, csv_decoder **found);
void csv_decoder_free(csv_decoder *decoder); /* NULL is allowed. */

/* Like input_read, decoded; but *got may be less than bytes by part of a character before the end. */
mlpd_status csv_decoder_read(csv_decoder *decoder, input *in, char *out, size_t bytes, size_t *got);
bool csv_decoder_done(const csv_decoder *decoder); /* nothing is left */

#endif
