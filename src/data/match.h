/* A part of a data set read as a model takes it: columns, targets and classes are matched by name where both sides have
 * names, else they go by position. Nothing here is collective. */
#ifndef MLPDIST_MATCH_H
#define MLPDIST_MATCH_H

#include "data/dataset.h"

typedef struct match_wishes {
  const data_names *names;          /* the model's */
  uint32_t num_classes;             /* 0: y is not read as classes */
  const struct column_codes *codes; /* the model's, or NULL; and its input map */
  const struct affine *input;       /* NULL: x is read as it is */
  bool y_unused;                    /* predictions: y is not read, and the targets may stand among the columns */
  void (*note)(void *context, const char *message); /* one line that the user should know; may be NULL */
  void *context;
} match_wishes;

/* Sets how p is read from now on. Names that are missing or unknown are MLPD_ERROR_DATA. */
mlpd_status part_match(part *p, const match_wishes *wishes);

#endif
