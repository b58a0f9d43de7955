/* The file of predictions, HDF5 (.h5, .hdf5) or CSV, which rank 0 writes row by row. Nothing here is collective. */
#ifndef MLPDIST_PREDICTION_FILE_H
#define MLPDIST_PREDICTION_FILE_H

#include "base/file_output.h"
#include "convert/table_keep.h"
#include "h5/h5.h"
#include "model/model.h"

/* The caller sets model, outputs and width; the rest is zero before prediction_open. */
typedef struct prediction_file {
  const mlpd_model *model;
  uint32_t outputs, width; /* values of a row: outputs of the network, then, where width is larger, their spreads */
  file_output out;
  bool open; /* out is */
  h5_file *h5;
  h5_array *classes, *values, *spreads, *kept;
  FILE *csv;            /* of out, or NULL */
  bool terminal;        /* csv is one */
  table_keeper *keeper; /* of columns that pass through, or NULL */
  uint64_t rows;        /* written so far */
} prediction_file;

/* Creates the file out for `rows` rows. kept: the raw table whose columns table.keep lists stand beside the
 * predictions; streams holds those of its inputs that are streams. MLPD_ERROR_USAGE if the name ends like another
 * format's. Call prediction_close in any case. */
mlpd_status prediction_open(const char *out, uint64_t rows, const mlpd_data_paths *kept, const spools *streams,
                            prediction_file *f);

/* Writes the next n rows: values (n, width), outputs in scaled targets, spreads in units of the targets. */
mlpd_status prediction_write(prediction_file *f, uint64_t n, const float *values);

/* Closes the file and puts it in place if status is MLPD_OK; else removes it. Returns status, or the failure to close.
 */
mlpd_status prediction_close(prediction_file *f, mlpd_status status);

#endif
