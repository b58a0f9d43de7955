/* The HDF5 file that a conversion writes: beside its target, and renamed to it when all is well. Nothing here is
 * collective. */
#ifndef MLPDIST_CONVERT_OUTPUT_H
#define MLPDIST_CONVERT_OUTPUT_H

#include "base/file_output.h"
#include "convert/convert_label.h"
#include "h5/h5.h"

/* Rows of one part, gathered to blocks and written. */
typedef struct part_output {
  h5_array *x, *y;
  uint64_t rows, written, filled; /* to come in all; on file; in the block */
  uint64_t block_rows;
  element_type read_type; /* of x in the block */
  char *x_block;          /* (block_rows, features) */
  int32_t *classes;       /* (block_rows), or */
  double *values;         /* (block_rows, y_columns) */
} part_output;

typedef struct output {
  file_output place;
  h5_file *file; /* NULL: nothing was created */
  /* Set these before output_part. */
  uint32_t features, y_columns; /* y_columns 0: no y */
  element_type stored_type;     /* of x on file */
  int compress;
  part_output parts[3]; /* by mlpd_split */
} output;

/* May path be written? Not over an input, under whatever name, nor over anything but a data set of ours or an empty
 * file. */
mlpd_status output_check(const char *path, const char *const *inputs, int num_inputs);

/* Creates the temporary file. The output is closed by output_close in any case. */
mlpd_status output_create(const char *path, output *out);

/* Makes the arrays of a part of rows rows; widest: the widest type in which x will come. */
mlpd_status output_part(output *out, mlpd_split split, uint64_t rows, element_type widest, const label_set *labels);

/* Adds a row: x (features), and where there is y, *class_index or value (y_columns). */
mlpd_status output_row(output *out, mlpd_split split, element_type read_type, const void *x, const int32_t *class_index,
                       const double *value);

/* Writes what is left of each part. */
mlpd_status output_flush(output *out);

/* Closes the file. Where so_far is MLPD_OK, flushes it and renames it to its target; else, and where that
 * fails, removes the temporary file. Returns so_far or the failure. */
mlpd_status output_close(output *out, mlpd_status so_far);

#endif
