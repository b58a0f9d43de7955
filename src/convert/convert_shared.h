/* Rows that the training inputs and those of another part have in common: the figures of that part are then better than
 * for new rows. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_SHARED_H
#define MLPDIST_CONVERT_SHARED_H

#include "source/source.h"

typedef struct shared_rows {
  uint64_t *hashes[3]; /* by mlpd_split, of the inputs' rows; NULL: none, or nothing is compared */
  uint64_t counts[3], room[3];
  bool same_type; /* of x in all inputs: its bytes are hashed, else its numbers as float */
} shared_rows;

/* Compares nothing where one part has inputs, or where there are very many rows. Free with shared_rows_free, also on
 * failure. */
mlpd_status shared_rows_begin(const source_list *list, shared_rows *made);
void shared_rows_free(shared_rows *s);

/* Adds a row of an input of this part: x (features) and, if there are targets, y (bytes). */
void shared_rows_add(shared_rows *s, mlpd_split part, element_type type, uint32_t features, const void *x,
                     const void *y, size_t y_bytes);

/* Says how many rows are the same, unless they are as frequent within the training inputs, as in tables of few
 * categories. */
mlpd_status shared_rows_report(const mlpd_convert_options *options, const shared_rows *s);

#endif
