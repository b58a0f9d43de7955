/* The bins of one column as leaves of a decision tree on the targets (PLE-t, Gorishniy et al. 2022). Nothing here is
 * collective. */
#ifndef MLPDIST_TARGET_TREE_H
#define MLPDIST_TARGET_TREE_H

#include <stdbool.h>
#include <stdint.h>

/* Rows and sums of targets in the cells of a column, between the values where it may be split. Whole numbers: their
 * sums over ranks are exact. The counters of a cell: its rows; then, of classes, the rows of each class, and of values,
 * for each target the sum and the sum of squares in units of 2^-bits. */
typedef struct target_counts {
  uint32_t cells, targets; /* targets: classes or values */
  bool classes;
  double unit;      /* 2^-bits; classes: 1 */
  double *weights;  /* (targets) of the gains of values, which are so standardised; classes: 1 */
  uint64_t *counts; /* (cells + 1, counters); values: two's complement */
} target_counts;

enum { TARGET_TREE_LEAST = 16 }; /* rows of a leaf */

/* Counters of a cell. */
uint32_t target_counters(bool classes, uint32_t targets);

/* Replaces the counts of each cell by those of all cells before it; counts then has one more cell, of the total. Fills
 * the weights. */
void target_counts_add_up(target_counts *c);

/* Grows a tree of at most so many leaves and writes where it splits to splits (leaves - 1), ascending: s is between the
 * cells s - 1 and s. Returns how many there are. counts: as added up. Best split first: that which lowers the Gini
 * impurity of classes, or the sum of squares of standardised values, most. A leaf has TARGET_TREE_LEAST rows at least.
 * There is no split where the first gains no more than the best of so many would by chance. */
uint32_t target_tree_grow(const target_counts *c, uint32_t leaves, uint32_t *splits);

#endif
