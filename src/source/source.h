/* The interface of an input format: a source reads its rows twice. scan collects shapes, types and labels; read then
 * returns the rows in order. Nothing here is collective. */
#ifndef MLPDIST_SOURCE_H
#define MLPDIST_SOURCE_H

#include "base/element.h"
#include "data/names.h"
#include "source/input.h"
#include "source/label.h"

typedef struct source source;

typedef struct source_methods {
  mlpd_status (*scan)(source *s, label_set *labels); /* leaves s at its first row */
  mlpd_status (*read)(source *s, const label_set *labels, uint64_t rows, void *x, int32_t *classes, double *values);
  void (*close)(source *s);
  mlpd_status (*follow)(source *s,
                        const source *first); /* kinds of columns as the first source's; NULL: there are none */
} source_methods;

struct source {
  const source_methods *methods;
  const char *name; /* for messages */
  mlpd_split part;  /* part of the data set; from train, others may be drawn */
  bool image;       /* rows are images */
  bool table;       /* rows of a text table: not an image, as the columns are of different kinds */
  /* Known from the start, if the input has them; freed by source_close. */
  name_list columns;  /* (features) */
  name_list targets;  /* (y_columns) */
  name_list left_out; /* columns that are neither */
  /* Known after the scan. */
  uint64_t rows;
  uint32_t features;
  element_type type;  /* type of x that read returns */
  uint32_t y_columns; /* values of y per row; 0: no y */
  bool missing;       /* NaN in x is a missing value */
  struct category_set *
      *categories; /* (features) sets, borrowed; [j] NULL: a number; NULL: all are numbers. Freed by source_close */
  bool *yes_no;    /* (features) true for columns of True and False or similar; or NULL; freed by source_close */
  /* If the columns or targets are in a different order than those of the first source: their indices here; else NULL.
   * Freed by source_close. */
  uint32_t *columns_from, *targets_from;
};

typedef struct source_list {
  source **all; /* (count), first those of the training part, then of valid and test */
  int count;
  /* Options for tables that use the target of the first one; and for those after the first few, which report nothing.
   */
  mlpd_convert_options alike, silent;
} source_list;

enum { SOURCE_BLOCK_BYTES = 1 << 20 }; /* approximate size of the block of x and y in memory */

/* First pass over s: finds its shape and types, and adds its labels to `labels`. */
static inline mlpd_status source_scan(source *s, label_set *labels) { return s->methods->scan(s, labels); }

/* Reads the next rows: x (rows, features) of s->type, and classes (rows) or values (rows, y_columns), whichever
 * `labels` decided. */
static inline mlpd_status source_read(source *s, const label_set *labels, uint64_t rows, void *x, int32_t *classes,
                                      double *values) {
  return s->methods->read(s, labels, rows, x, classes, values);
}

void source_close(source *s); /* NULL is allowed. */

/* Parses the number of a column, from 0, or negative from the end. false if there is no such column. */
bool column_by_number(const char *text, uint32_t columns, uint32_t *column);

/* Adds s, which the list owns from now on, to the sources of a part. */
void source_list_add(source_list *list, source *s, mlpd_split part);

#endif
