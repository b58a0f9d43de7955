/* The HDF5 file that a conversion writes: a temporary file beside its target, renamed to it on success. Nothing here is
 * collective. */
#ifndef MLPDIST_CONVERT_OUTPUT_H
#define MLPDIST_CONVERT_OUTPUT_H

#include "base/file_output.h"
#include "h5/h5.h"
#include "source/label.h"

/* Collects the rows of one part in a block and writes it when it is full. */
typedef struct part_output {
  h5_array *x, *y;
  uint64_t rows, written, filled; /* expected in total; in the file; in the block */
  uint64_t block_rows;
  element_type read_type; /* type of x in the block */
  char *x_block;          /* (block_rows, features) */
  int32_t *classes;       /* (block_rows), or */
  double *values;         /* (block_rows, y_columns) */
} part_output;

typedef struct output {
  file_output place;
  h5_file *file; /* NULL: nothing was created */
  /* Set these before output_part. */
  uint32_t features, y_columns; /* y_columns 0: no y */
  element_type stored_type;     /* type of x in the file */
  int compress;
  part_output parts[3]; /* by mlpd_split */
} output;

/* Fails unless path may be written: it must not be an input, under any name, and an existing file must be empty or a
 * data set that a conversion made: one of a run (of_run) is for runs to replace. */
mlpd_status output_check(const char *path, const char *const *inputs, int num_inputs, bool of_run);

/* Creates the temporary file. Call output_close in any case. */
mlpd_status output_create(const char *path, output *out);

/* Creates the arrays of a part with `rows` rows. widest: the widest type that x will have in output_row. */
mlpd_status output_part(output *out, mlpd_split split, uint64_t rows, element_type widest, const label_set *labels);

/* Adds a row: x (features) and, if there is y, *class_index or value (y_columns). */
mlpd_status output_row(output *out, mlpd_split split, element_type read_type, const void *x, const int32_t *class_index,
                       const double *value);

/* Writes the incomplete block of each part. */
mlpd_status output_flush(output *out);

/* Closes the file. If so_far is MLPD_OK, flushes it and renames it to its target; otherwise, or if that fails, removes
 * the temporary file. Returns so_far, or the failure to close. */
mlpd_status output_close(output *out, mlpd_status so_far);

#endif
