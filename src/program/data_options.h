/* The options that eval and predict share: a model, a part of a data set, where and how to compute. */
#ifndef MLPDIST_PROGRAM_DATA_OPTIONS_H
#define MLPDIST_PROGRAM_DATA_OPTIONS_H

#include "program/outcome.h"

typedef struct data_options {
  const char *model, *data, *x, *y, *backend;
  mlpd_split split;
  int threads;
  stall_options stall;
} data_options;

extern const data_options data_options_default;

/* Rows of an option table for the member `common`, a data_options, of struct type. */
#define DATA_OPTION_ROWS(type)                                                                                    \
  {"model", "input", "FILE", OPTION_PATH, OPTION_AT(type, common.model), .help = "model file written by train"},  \
      {"data",                                                                                                    \
       "input",                                                                                                   \
       "FILE",                                                                                                    \
       OPTION_PATH,                                                                                               \
       OPTION_AT(type, common.data),                                                                              \
       .help = "HDF5 data set",                                                                                   \
       .note = "the shipped digits.h5"},                                                                          \
      {"split",                                                                                                   \
       "input",                                                                                                   \
       "PART",                                                                                                    \
       OPTION_CHOICE,                                                                                             \
       OPTION_AT(type, common.split),                                                                             \
       .help = "part of the data set to use",                                                                     \
       .choices = mlpd_split_choices},                                                                            \
  {                                                                                                               \
    "x", "input", "PATH", OPTION_PATH, OPTION_AT(type, common.x), .help = "inputs in the file", .note = "/PART/x" \
  }

#define COMPUTE_OPTION_ROWS(type)                                                                   \
  {"backend",                                                                                       \
   "run",                                                                                           \
   "NAME",                                                                                          \
   OPTION_TEXT,                                                                                     \
   OPTION_AT(type, common.backend),                                                                 \
   .help = "matrix multiplication: native, onednn, cblas or plain, where built; auto: the fastest", \
   .automatic = true},                                                                              \
      {"threads",                                                                                   \
       "run",                                                                                       \
       "N",                                                                                         \
       OPTION_INTEGER,                                                                              \
       OPTION_AT(type, common.threads),                                                             \
       .help = "threads per rank; auto: OMP_NUM_THREADS, else the cores that the rank is bound to", \
       .maximum = 4096,                                                                             \
       .automatic = true},                                                                          \
      STALL_OPTION_ROWS(type, common.stall.timeout, common.stall.abort)

/* The paths of the split that options name; fills options->data where it is NULL. */
mlpd_status data_options_resolve(data_options *options, mlpd_data_paths *paths);

/* Loads the model on every rank, which then agree. */
mlpd_status data_options_load_model(mlpd_comm *comm, const data_options *options, mlpd_model **model);

#endif
