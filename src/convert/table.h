/* Raw tables (CSV, NPY, NPZ, IDX) where a data set is expected: rank 0 converts them to one, which all ranks read. No
 * function here is collective unless its comment says so. */
#ifndef MLPDIST_TABLE_H
#define MLPDIST_TABLE_H

#include "base/file.h"
#include "data/names.h"
#include "ranks/comm.h"

typedef struct table_job {
  const mlpd_data_paths *data;
  mlpd_task task;
  double valid_fraction;     /* of train; negative: 0.1 */
  bool for_model;            /* eval and predict: all rows, in their order, are the test part */
  bool unlabelled;           /* predict */
  const data_names *names;   /* for_model: of the model, whose columns are taken where the table has names, too */
  uint32_t features;         /* for_model: columns that it takes */
  const uint8_t *categories; /* (features) for_model: 1: it takes categories; NULL: none */
  void (*decided)(void *context, const char *line); /* on rank 0; may be NULL */
  void *context;
} table_job;

/* MLPD_ERROR_USAGE for options that no table can be read with. Not collective. */
mlpd_status table_check_options(const mlpd_table_options *options);

/* Options of a conversion from those of a table, as far as they say how text is read. */
mlpd_status table_reading(const mlpd_table_options *t, mlpd_convert_options *options);

/* mlpd_data_is_raw() as rank 0 sees it. Collective. */
mlpd_status table_is_raw_for_all(mlpd_comm *comm, const mlpd_data_paths *data, bool *raw);

/* Converts to path (of rank 0), unless that was made by the same job from the same files: *reused. Replaces no file but
 * such a one. Waiting ranks are kept from reporting a stall while rank 0 works. path, reused: of rank 0. Collective. */
mlpd_status table_convert(mlpd_comm *comm, const table_job *job, const char *path, bool *reused);

#endif
