/* Opens a text table as a source of rows. Nothing here is collective. */
#ifndef MLPDIST_CSV_OPEN_H
#define MLPDIST_CSV_OPEN_H

#include "source/source.h"

/* Opens a CSV file; options give label, header and delimiter. first: the table before it, or NULL, which tells whether
 * texts are names. Takes ownership of in, also on failure. */
mlpd_status csv_source_open(input *in, meter *m, const mlpd_convert_options *options, const source *first,
                            source **opened);

#endif
