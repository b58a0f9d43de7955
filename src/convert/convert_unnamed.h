/* Arrays to which numpy.savez(x, y) gave numbers for want of names: arr_0, arr_1, ... Their shapes tell which are x and
 * which y. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_UNNAMED_H
#define MLPDIST_CONVERT_UNNAMED_H

#include "source/input.h"

enum { UNNAMED_MOST = 2 };

/* Entries of an archive: x and y of the training and the test part or, if there is one pair, of the whole. */
typedef struct unnamed_arrays {
  const zip_entry *x[UNNAMED_MOST], *y[UNNAMED_MOST];
  int pairs; /* 0: the arrays have names, or there is only one */
} unnamed_arrays;

/* Fails, and says how to name them, if the shapes of two or more unnamed arrays are not clear. */
mlpd_status unnamed_find(const char *path, const spools *streams, const zip_entry *entries, size_t count,
                         unnamed_arrays *found);

#endif
