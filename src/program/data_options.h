/* The options that eval and predict share: a model, a part of a data set, where and how to compute. */
#ifndef MLPDIST_PROGRAM_DATA_OPTIONS_H
#define MLPDIST_PROGRAM_DATA_OPTIONS_H

#include "cli/options.h"
#include "cli/outcome.h"

typedef struct data_options {
  bool shipped; /* data is the shipped data set, because the user named none */
  bool beside;  /* data is the converted table beside the model */
  const char *model, *data, *x, *y, *backend;
  mlpd_split part;
  int threads;
  stall_options stall;
  mlpd_table_options table;
} data_options;

extern const data_options data_options_default;

/* Rows of an option table for the member `common`, a data_options, of struct type. */
#define DATA_OPTION_ROWS(type)                                                                                       \
  {"model", "input", "FILE", OPTION_PATH, OPTION_AT(type, common.model), .help = "model file written by train"},     \
      {"data",                                                                                                       \
       "input",                                                                                                      \
       "FILE",                                                                                                       \
       OPTION_PATH,                                                                                                  \
       OPTION_AT(type, common.data),                                                                                 \
       .help = "HDF5 data set; or raw tables as train reads them (- is standard input), all of whose rows are used", \
       .note =                                                                                                       \
           "the table that train converted beside the model, or the shipped digits.h5 if the model was trained on "  \
           "it"},                                                                                                    \
      {"part",                                                                                                       \
       "input",                                                                                                      \
       "PART",                                                                                                       \
       OPTION_CHOICE,                                                                                                \
       OPTION_AT(type, common.part),                                                                                 \
       .help = "part of the data set to use",                                                                        \
       .choices = mlpd_split_choices},                                                                               \
  {                                                                                                                  \
    "x", "input", "PATH", OPTION_PATH, OPTION_AT(type, common.x), .help = "inputs in the file", .note = "/PART/x"    \
  }

/* Rows of how a raw table is read. */
#define TABLE_OPTION_ROWS(type)                                                                                       \
  {OPTION_SHARED("label", "table", type, common.table.label),                                                         \
   .help = "target column, if the table or the model has no names", .note = "as in training"},                        \
      {OPTION_SHARED("ignore", "table", type, common.table.ignore),                                                   \
       .help = "columns to leave out, if the table or the model has no names", .note = "as in training"},             \
      {OPTION_SHARED("columns", "table", type, common.table.columns),                                                 \
       .help = "feature columns, if the table or the model has no names", .note = "as in training"},                  \
      {OPTION_SHARED("header", "table", type, common.table.header), .note = "as in training"},                        \
      {OPTION_SHARED("encoding", "table", type, common.table.encoding), .note = "as in training"},                    \
      {OPTION_SHARED("dates", "table", type, common.table.dates),                                                     \
       .help = "order of dates such as 03/04/2021, if the model has no names: dmy or mdy", .note = "as in training"}, \
      {OPTION_SHARED("delimiter", "table", type, common.table.delimiter), .note = "as in training"},                  \
      {OPTION_SHARED("decimal", "table", type, common.table.decimal), .note = "as in training"},                      \
      {OPTION_SHARED("thousands", "table", type, common.table.thousands), .note = "as in training"},                  \
      {OPTION_SHARED("strip", "table", type, common.table.strip), .note = "as in training"},                          \
      {OPTION_SHARED("missing", "table", type, common.table.missing), .note = "as in training"}, {                    \
    OPTION_SHARED("skip-lines", "table", type, common.table.skip_lines), .note = "as in training"                     \
  }

#define COMPUTE_OPTION_ROWS(type)                                                                                   \
  {OPTION_SHARED("backend", "run", type, common.backend)}, {OPTION_SHARED("threads", "run", type, common.threads)}, \
      STALL_OPTION_ROWS(type, common.stall.timeout, common.stall.abort)

/* Refuses what would do nothing: --part, --x and --y with a raw table, options of raw tables with a data set. */
mlpd_status data_options_check(const data_options *options, const option_results *results);

/* The paths of the part that options name; fills options->data where it is NULL. */
mlpd_status data_options_resolve(data_options *options, mlpd_data_paths *paths);

const char *data_options_shown(const data_options *options); /* the name of the data, for output */

/* Loads the model on every rank, which then agree. */
mlpd_status data_options_load_model(mlpd_comm *comm, const data_options *options, mlpd_model **model);

#endif
