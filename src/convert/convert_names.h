/* The names of a conversion: matches those of its inputs, and writes them to the output. Nothing here is collective.
 */
#ifndef MLPDIST_CONVERT_NAMES_H
#define MLPDIST_CONVERT_NAMES_H

#include "h5/h5.h"
#include "source/source.h"

/* Matches the columns and targets of s with those of first, by name if both have names. MLPD_ERROR_DATA if one is
 * missing. */
mlpd_status source_match(const mlpd_convert_options *options, const source *first, source *s);

/* Writes the names of columns, targets and classes, and the kinds of columns, as dataset.h describes. missing: some
 * source has missing values (NaN). */
mlpd_status convert_write_names(h5_file *file, const source *first, bool missing, const label_set *labels);

/* Reports classes that occur in the test or validation part but not in the training part, and those with a single row.
 * rows (num_classes): rows of each class in each part. */
mlpd_status convert_say_rare(const mlpd_convert_options *options, const label_set *labels, const uint64_t (*rows)[3]);

#endif
