/* Raw tables as data for a model: converted to a temporary file. */
#ifndef MLPDIST_MODEL_TABLE_H
#define MLPDIST_MODEL_TABLE_H

#include "base/file_output.h"
#include "model/model.h"
#include "source/spool.h"

enum { MODEL_TABLE_TEXTS = 16 };

typedef struct model_table {
  bool raw;
  bool converted;       /* the table stands at path */
  mlpd_data_paths data; /* the data set that was made, or what was given */
  mlpd_data_paths given;
  char path[FILE_PATH_BYTES]; /* of the data set made */
  file_output room;           /* rank 0: reserves path */
  bool reserved;
  spools streams;                 /* rank 0: what was read from pipes */
  char *texts[MODEL_TABLE_TEXTS]; /* the options that the model was trained with */
  int num_texts;
  mlpd_model *model; /* receives the model's notices meanwhile, so that they name the table */
  void (*notice)(void *context, const char *message);
  void *notice_context;
} model_table;

/* Converts raw data for evaluation or (predict) prediction: all its rows become the test part, and *split is set to it.
 * Table options that are not given are those of the training. out: the output, beside which the temporary file is made;
 * or NULL. Close it in any case. Collective. */
mlpd_status model_table_open(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data, bool predict,
                             const char *out, mlpd_split *split, model_table *t);

/* Removes the temporary file, puts the table's name into an error message about it, and returns status. */
mlpd_status model_table_close(mlpd_status status, model_table *t);

#endif
