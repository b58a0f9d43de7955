/* Labels as a file stores them, and the classes that they become: whole numbers (of any size), texts, or one-hot rows.
 *
 * Labels are counted over the rows of all parts of a file, each rank a share of the rows; the counts of ranks are
 * merged to one table in the order of the labels, so that a label's class depends on the file alone. Nothing here is
 * collective. */
#ifndef MLPDIST_STORED_LABELS_H
#define MLPDIST_STORED_LABELS_H

#include "base/status.h"

typedef struct part part;

enum {
  STORED_LABELS_MOST = 200000, /* different labels that are counted */
  STORED_LABEL_BYTES = 255     /* of a text */
};

typedef struct stored_label {
  int64_t number;     /* where the labels are numbers */
  char *text;         /* else NULL */
  uint64_t rows;      /* that hold it */
  uint64_t first_row; /* the first of them, in part first_part */
  mlpd_split first_part;
} stored_label;

typedef struct stored_labels {
  bool texts;           /* labels are texts */
  bool broken;          /* a number with a fraction, or a row that is not one-hot: no labels */
  bool full;            /* more than STORED_LABELS_MOST: the table is not kept up then */
  uint64_t rows;        /* counted */
  uint64_t count, room; /* of labels */
  stored_label *labels; /* (count) */
  uint32_t *slots;      /* (num_slots) index + 1 into labels, by hash; 0: free */
  uint64_t num_slots;   /* a power of two */
} stored_labels;

void stored_labels_free(stored_labels *l);

/* Counts the labels of rows [begin, end) of an open part with y. A number with a fraction, or a row that is not
 * one-hot, ends it with broken = true. */
mlpd_status stored_labels_scan(part *p, mlpd_split split, uint64_t begin, uint64_t end, stored_labels *l);

/* The table as bytes (*packed is allocated), and such a table added to l. */
mlpd_status stored_labels_pack(const stored_labels *l, char **packed, uint64_t *bytes);
mlpd_status stored_labels_add_packed(stored_labels *l, const char *packed, uint64_t bytes);

/* Sorts the labels: numbers, and texts that are all whole numbers, by value, other texts by their bytes. No label may
 * be added afterwards. */
void stored_labels_sort(stored_labels *l);

typedef enum labels_verdict {
  LABELS_ARE_CLASSES, /* 0, 1, 2, ..., few missing: a label is its class */
  LABELS_TO_NUMBER,   /* others: class k is the k-th label */
  LABELS_TOO_MANY,    /* nearly every row has a label of its own: values */
  LABELS_STRAY        /* as LABELS_ARE_CLASSES or LABELS_TO_NUMBER but for a label far off that hardly a row has */
} labels_verdict;

/* What sorted labels are; *stray is the index of the label that LABELS_STRAY means. */
labels_verdict stored_labels_judge(const stored_labels *l, uint64_t *stray);

/* A label as text, shortened: in quotes where it is one. */
const char *stored_label_show(const stored_label *label, char shown[64]);

/* The first labels of a sorted table: "-1 and 1", "'no', 'yes' and 'perhaps'", "1, 2, 3, ..., 10". */
void stored_labels_list(const stored_labels *l, char *text, size_t bytes);

/* The column of the 1 in a one-hot row of values (columns), or -1 where it is none. */
int64_t stored_one_hot(const double *values, uint64_t columns);

#endif
