/* Lets raw tables (CSV, NPY, NPZ, IDX) be given in place of a data set: rank 0 converts them to a data set, which all
 * ranks read. All functions here are collective. */
#ifndef MLPDIST_TABLE_H
#define MLPDIST_TABLE_H

#include "base/file.h"
#include "data/names.h"
#include "ranks/comm.h"
#include "source/spool.h"

typedef struct table_job {
  const mlpd_data_paths *data;
  mlpd_task task;
  double valid_fraction;     /* for train; negative: 0.1 */
  bool for_model;            /* for eval and predict: all rows, in order, become the test part */
  bool unlabelled;           /* for predict: there is no target */
  const data_names *names;   /* with for_model: the model's names; columns are taken by name if the table has names */
  uint32_t features;         /* with for_model: number of the model's inputs */
  const uint8_t *categories; /* (features) with for_model: 1: categories; 2: yes/no; NULL: all are numbers */
  void (*decided)(void *context, const char *line); /* receives the decisions, on rank 0; may be NULL */
  void *context;
  bool (*stopped)(void *context); /* ends the wait for a stream; may be NULL */
  spools *streams; /* receives the copies of streams, on rank 0, for a second reading: spools_free; or NULL */
} table_job;

/* MLPD_ERROR_USAGE if the options for reading tables are invalid. Not collective. */
mlpd_status table_check_options(const mlpd_table_options *options);

/* Options of a conversion from those of a table, as far as they say how text is read. */
mlpd_status table_reading(const mlpd_table_options *t, mlpd_convert_options *options);

/* MLPD_ERROR_USAGE if output out, given as option, is one of the files that data names. out may be NULL. */
mlpd_status table_check_apart(const mlpd_data_paths *data, const char *option, const char *out);

/* *raw: the result of mlpd_data_is_raw() on rank 0, on all ranks. */
mlpd_status table_is_raw_for_all(mlpd_comm *comm, const mlpd_data_paths *data, bool *raw);

/* Which data set table_convert() has made or found; equal on all ranks. */
typedef struct table_place {
  bool reused; /* an earlier call made it, by the same job from the same files */
  bool waits;  /* it is the file `next`, not `path` */
} table_place;

/* Makes a data set of the tables that job names. For a model (next is NULL) it is made at path. For a run, a data set
 * of the same job and files at path or next is used again; else one is made at next, and the file at path, which
 * belongs to the model beside it, stays as it is. Only files that table_convert() made are replaced. While rank 0
 * converts, the other ranks wait without reporting a stall. Only rank 0 reads path and next. */
mlpd_status table_convert(mlpd_comm *comm, const table_job *job, const char *path, const char *next,
                          table_place *place);

/* Describes the tables that the data set at path was made of; the caller frees the text. NULL if no run made it. Not
 * collective. */
char *table_origin(const char *path);

/* Is path a data set that table_convert() made for a run? Not collective. */
bool table_is_ours(const char *path);

#endif
