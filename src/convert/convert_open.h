/* Opens inputs as sources of rows: what text tables, arrays and archives have in common. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_OPEN_H
#define MLPDIST_CONVERT_OPEN_H

#include "source/source.h"

enum { SOURCE_PARTS = 3 };

/* Opens the files options->inputs, any number for each part. The caller frees the list. */
mlpd_status sources_open(const mlpd_convert_options *options, meter *m, source_list *opened);
void source_list_free(source_list *list);

/* true if the rows have no targets */
bool source_wants_no_label(const mlpd_convert_options *options);

/* Opens x and y of one part; second is NULL without y. If unordered, and only the first has one dimension, the first is
 * y. Takes ownership of both. */
mlpd_status source_open_pair(input *first, input *second, bool unordered, meter *m, source **opened);

/* Opens one array with its targets in a column. Takes ownership of in. */
mlpd_status source_open_column(input *in, const mlpd_convert_options *options, meter *m, source **opened);

/* Opens one array without targets. Where a model wants one column less than it has, that of the targets (option label,
 * else the last) is left out. Takes ownership of in. */
mlpd_status source_open_features(input *in, const mlpd_convert_options *options, meter *m, source **opened);

/* Can an array be the targets alone, beside those of the features that a model takes? It holds texts or a list. */
mlpd_status source_holds_targets(input *in, const mlpd_convert_options *options, bool *targets);

/* Opens the arrays of an NPZ archive. Arrays whose names contain no part belong to part `whole`. */
mlpd_status archive_open(const char *path, const mlpd_convert_options *options, mlpd_split whole, meter *m,
                         source_list *list);

#endif
