/* Names of a conversion: matched between its inputs, written to its output. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_NAMES_H
#define MLPDIST_CONVERT_NAMES_H

#include "convert/convert_source.h"
#include "h5/h5.h"

/* Writes the names of columns, targets and classes, and the kinds of columns, as dataset.h has them. missing: NaN
 * stands for missing values in some source. */
mlpd_status convert_write_names(h5_file *file, const source *first, bool missing, const label_set *labels);

/* Reports classes that occur in the test or validation part but not in training, and those that have a single row.
 * rows (num_classes): of each class in each part. */
mlpd_status convert_say_rare(const mlpd_convert_options *options, const label_set *labels, const uint64_t (*rows)[3]);

#endif
