/* Matches the columns, targets and classes of a data set with those of a model: by name if both sides have names, else
 * by position. Nothing here is collective. */
#ifndef MLPDIST_MATCH_H
#define MLPDIST_MATCH_H

#include "data/dataset.h"

typedef struct match_wishes {
  const data_names *names;          /* names in the model */
  uint32_t num_classes;             /* 0: y is not read as classes */
  const struct column_codes *codes; /* codes of the model, or NULL */
  const struct affine *input;       /* input map of the model; NULL: x is read unchanged */
  bool y_unused;                    /* for predictions: y is not read, and the targets may be among the columns */
  void (*note)(void *context, const char *message); /* receives one line for the user; may be NULL */
  void *context;
} match_wishes;

/* Sets p->order, so that p is read in the model's order from now on. MLPD_ERROR_DATA if names are missing or unknown.
 */
mlpd_status part_match(part *p, const match_wishes *wishes);

#endif
