/* Counts the rows of each class, block by block. Nothing here is collective. */
#ifndef MLPDIST_CLASS_COUNTS_H
#define MLPDIST_CLASS_COUNTS_H

#include "base/status.h"

enum {
  CLASSES_COUNTED = 1 << 20
}; /* higher class numbers are not counted (they are no real classes): only `largest`
    * changes */

typedef struct class_counts {
  uint64_t *rows; /* (count) */
  uint32_t count, room;
  int64_t largest; /* the highest class seen; -1: none was */
} class_counts;

static const class_counts NO_CLASSES = {.largest = -1};

/* Adds n rows of classes (n), all >= 0; classes NULL adds nothing. */
mlpd_status class_counts_add(class_counts *c, const int32_t *classes, uint64_t n);
mlpd_status class_counts_merge(const class_counts *other, class_counts *into); /* adds the counts of other */
mlpd_status class_counts_reach(class_counts *c, uint32_t count);               /* extends rows to at least (count) */
void class_counts_free(class_counts *c);

#endif
