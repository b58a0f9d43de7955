/* Row sources of a conversion: each reads one part (train, valid or test) twice: scan gathers shapes,
 * types and labels; read then yields the rows in order. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_SOURCE_H
#define MLPDIST_CONVERT_SOURCE_H

#include "convert/convert_array.h"
#include "convert/convert_label.h"
#include "data/names.h"

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
  mlpd_split part;  /* of the data set that it is, or that is drawn from it (train) */
  bool image;       /* rows are pictures */
  bool table;       /* rows of a text table: columns of their own kinds, no image */
  /* Known from the start, where the input has them; freed by source_close. */
  name_list columns; /* (features) */
  name_list targets; /* (y_columns) */
  /* Known after the scan. */
  uint64_t rows;
  uint32_t features;
  element_type type;  /* of x as read */
  uint32_t y_columns; /* values a row; 0: no y */
  bool missing;       /* NaN stands for values that are missing */
  struct category_set *
      *categories; /* (features) borrowed; NULL: of a number; itself NULL: all are. Freed by source_close */
  bool *yes_no;    /* (features) columns of True and False and the like, or NULL; freed by source_close */
  /* Places of the first source's columns and targets, where it has them in another order; freed by source_close. */
  uint32_t *columns_from, *targets_from;
};

typedef struct source_list {
  source **all; /* (count), the training part's first, then those of valid and test */
  int count;
  mlpd_convert_options alike,
      silent; /* of tables whose target has the first one's name; of those beyond the first few */
} source_list;

enum { SOURCE_BLOCK_BYTES = 1 << 20 }; /* about this much of x and y is in memory at a time */

/* First pass over s: its shape and types, its labels into labels. */
static inline mlpd_status source_scan(source *s, label_set *labels) { return s->methods->scan(s, labels); }

/* The next rows: x (rows, features) of s->type, and classes (rows) or values (rows, y_columns), as labels
 * has decided. */
static inline mlpd_status source_read(source *s, const label_set *labels, uint64_t rows, void *x, int32_t *classes,
                                      double *values) {
  return s->methods->read(s, labels, rows, x, classes, values);
}

void source_close(source *s); /* NULL is allowed. */

/* CSV: options give label, header and delimiter. Takes in over, closing it on failure. */
mlpd_status csv_source_open(input *in, meter *m, const mlpd_convert_options *options, source **opened);

/* x and y from arrays of their own; y may be NULL. Takes both over, closing them on failure. */
mlpd_status pair_source_open(input_array *x, input_array *y, meter *m, source **opened);

/* One array (rows, columns) with its label in one column (as in mlpd_convert_options). Takes array over,
 * closing it on failure. */
mlpd_status column_source_open(input_array *array, const char *label, meter *m, source **opened);

/* A column by number from 0, negative from the end. False where text is none of columns. */
bool column_by_number(const char *text, uint32_t columns, uint32_t *column);

/* Opens what options->inputs name: any number of files a part. The caller frees the list. */
mlpd_status sources_open(const mlpd_convert_options *options, meter *m, source_list *opened);
void source_list_free(source_list *list);

/* Takes s over. */
void source_list_add(source_list *list, source *s, mlpd_split part);

/* Matches the columns and targets of s with those of first by name, where both have names. MLPD_ERROR_DATA where one is
 * missing. */
mlpd_status source_match(const mlpd_convert_options *options, const source *first, source *s);

#endif
