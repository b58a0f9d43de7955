/* Opens a text table as a source of rows. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_CSV_OPEN_H
#define MLPDIST_CONVERT_CSV_OPEN_H

#include "convert/convert_source.h"

/* Opens a CSV file; options give label, header and delimiter. Takes ownership of in, also on failure. */
mlpd_status csv_source_open(input *in, meter *m, const mlpd_convert_options *options, source **opened);

#endif
