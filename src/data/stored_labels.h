/* Counts the distinct labels of a file (whole numbers of any size, texts, or one-hot rows) and judges whether they are
 * classes.
 *
 * Each rank counts the labels of its share of the rows of all parts. The tables of all ranks are merged into one,
 * sorted by label, so a label's class depends only on the file. Nothing here is collective. */
#ifndef MLPDIST_STORED_LABELS_H
#define MLPDIST_STORED_LABELS_H

#include "base/status.h"

typedef struct part part;

enum {
  STORED_LABELS_MOST = 200000, /* distinct labels that are counted, at most */
  STORED_LABEL_BYTES = 255     /* longest text */
};

typedef struct stored_label {
  int64_t number;     /* the label, if text is NULL */
  char *text;         /* the label as text, or NULL */
  uint64_t rows;      /* rows with this label */
  uint64_t first_row; /* the first of them, in part first_part */
  mlpd_split first_part;
} stored_label;

typedef struct stored_labels {
  bool texts;           /* labels are texts */
  bool broken;          /* a number has a fraction, or a row is not one-hot: these are not labels */
  bool full;            /* there are more than STORED_LABELS_MOST labels; counting stopped */
  uint64_t rows;        /* rows counted */
  uint64_t count, room; /* labels in the table, and labels that fit the allocated memory */
  stored_label *labels; /* (count) */
  uint32_t *slots;      /* (num_slots) index + 1 into labels, by hash; 0: free */
  uint64_t num_slots;   /* a power of two */
} stored_labels;

void stored_labels_free(stored_labels *l);

/* Counts the labels of rows [begin, end) of an open part with y. Stops with broken = true at a number with a fraction
 * or a row that is not one-hot. */
mlpd_status stored_labels_scan(part *p, mlpd_split split, uint64_t begin, uint64_t end, stored_labels *l);

/* Convert the table to bytes (*packed is allocated; free() it), and add such a table to l. */
mlpd_status stored_labels_pack(const stored_labels *l, char **packed, uint64_t *bytes);
mlpd_status stored_labels_add_packed(stored_labels *l, const char *packed, uint64_t bytes);

/* Sorts the labels: numbers by value; texts by value if all are whole numbers, else by their bytes. No label may be
 * added afterwards. */
void stored_labels_sort(stored_labels *l);

typedef enum labels_verdict {
  LABELS_ARE_CLASSES, /* 0, 1, 2, ... with few missing: a label is its class */
  LABELS_TO_NUMBER,   /* other labels: class k is the k-th label */
  LABELS_TOO_MANY,    /* nearly every row has its own label: they are values */
  LABELS_STRAY        /* one of the first two, except for a label far from the others that hardly any row has */
} labels_verdict;

/* Judges sorted labels; for LABELS_STRAY, *stray is the index of that label. */
labels_verdict stored_labels_judge(const stored_labels *l, uint64_t *stray);

/* Writes a label to shown, shortened; a text is put in quotes. Returns shown. */
const char *stored_label_show(const stored_label *label, char shown[64]);

/* Writes the first labels of a sorted table: "-1 and 1", "'no', 'yes' and 'perhaps'", "1, 2, 3, ..., 10". */
void stored_labels_list(const stored_labels *l, char *text, size_t bytes);

/* The column of the 1 in a one-hot row of values (columns), or -1 if the row is not one-hot. */
int64_t stored_one_hot(const double *values, uint64_t columns);

#endif
