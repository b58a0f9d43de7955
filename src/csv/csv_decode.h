/* Converts input in UTF-16 or a given encoding to UTF-8 as it is read. Nothing here is collective. */
#ifndef MLPDIST_CSV_DECODE_H
#define MLPDIST_CSV_DECODE_H

#include "csv/csv.h"

/* Creates a decoder for in, which must be at its start and stays there, from encoding, a name that iconv knows; NULL or
 * "auto": UTF-16 is found. *found is NULL if none is needed. */
mlpd_status csv_decoder_find(input *in, const char *encoding, csv_decoder **found);
void csv_decoder_free(csv_decoder *decoder); /* NULL is allowed. */

/* As input_read, decoded. *got may be a few bytes short of `bytes` before the end, to keep characters whole. */
mlpd_status csv_decoder_read(csv_decoder *decoder, input *in, char *out, size_t bytes, size_t *got);
bool csv_decoder_done(const csv_decoder *decoder); /* nothing is left */

#endif
