/* Inputs that become sources of rows: shared by text tables, arrays and archives. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_OPEN_H
#define MLPDIST_CONVERT_OPEN_H

#include "convert/convert_source.h"

enum { SOURCE_PARTS = 3 };

/* Are there rows without targets to read? */
bool source_wants_no_label(const mlpd_convert_options *options);

/* x and y of one part, second NULL without y. unordered: where the first has one dimension and the second
 * more, the first is y. Takes both over. */
mlpd_status source_open_pair(input *first, input *second, bool unordered, meter *m, source **opened);

/* One array with its targets in a column. Takes in over. */
mlpd_status source_open_column(input *in, const mlpd_convert_options *options, meter *m, source **opened);

/* The arrays of an NPZ archive. Those that name no part are of the part whole. */
mlpd_status archive_open(const char *path, const mlpd_convert_options *options, mlpd_split whole, meter *m,
                         source_list *list);

#endif
