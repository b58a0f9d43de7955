/* Data sets: the arrays of one HDF5 file that follow the schema below.
 *
 * Schema: /train/x (N, d) of any integer or float type; /train/y (N) integer classes or texts, or (N) or (N, k)
 * floats; optional /train/weight (N) floats >= 0; the same under /valid and /test; optional strings: /columns/name (d),
 * /targets/name (k), /class_names (k), /class_labels (k). /columns/kind (d), "number" or "yes/no", marks a table, whose
 * rows are not images. x keeps its stored type in memory, unless `narrow` says otherwise. Nothing here is collective.
 */
#ifndef MLPDIST_DATASET_H
#define MLPDIST_DATASET_H

#include "data/affine.h"
#include "data/class_map.h"
#include "data/names.h"
#include "h5/h5.h"
#include "lanes/lanes.h"

/* How columns, targets and classes are reordered as a part is read (data/match.h sets it). */
typedef struct part_order {
  uint32_t *columns, *targets; /* (features), (y_columns): their columns in the file; NULL: the same order */
  uint32_t file_columns;       /* columns of x in the file, if `columns` is not NULL */
  int32_t *classes;            /* (num_classes): the new number of each class of the file, or -1; NULL: the same */
  int32_t **codes;     /* (features) the model's code of each category of the file; NULL, or [j] NULL: the same */
  uint32_t *num_codes; /* (features) */
  const double *fill;  /* (features) borrowed: replaces missing numbers, unless keeps_missing */
  const uint8_t *keeps_missing; /* (features) borrowed */
  uint64_t *replaced;           /* (features) number of unknown categories and filled values so far; or NULL */
  uint64_t num_classes;
  name_list class_names; /* (num_classes): names in the file */
  char *known_classes;   /* names of the new classes, for messages */
} part_order;

/* One part of a data set, open for reading. */
struct part {
  char *file; /* path, for messages */
  char *x_path, *y_path, *weight_path;
  h5_file *h5;
  h5_array *x, *y, *weight; /* y and weight may be NULL */
  double weight_unit;       /* weights are divided by this when read; 1 until sample_weights_scale */
  bool need_y;
  bool of_trained; /* it is read for a model that was trained before: classes are the model's. The reader sets it */
  bool x_as_is;    /* x is not normalised: what float32 does not hold is of no use. The reader sets it */
  bool narrow; /* 64-bit numbers of x become float32 in a shard, as the identity would map them. The reader sets it */
  uint64_t rows;
  uint32_t features;
  element_type type;    /* of x */
  bool image;           /* x holds images: its attribute layout says so, or it is bytes with more than two dimensions */
  bool table;           /* x was converted from a table: the file has /columns/kind */
  bool may_miss;        /* NaN in x is a missing value */
  bool y_integer;       /* y is (N) or (N, 1) of an integer type: it may hold classes */
  bool y_text;          /* y is (N) or (N, 1) of texts: classes, which need a map */
  uint32_t y_columns;   /* 1 for y (N); 0 without y */
  const uint8_t *folds; /* (rows) borrowed: the fold of each row; the reader sets it. NULL: there are none */
  const class_map *map; /* borrowed; the caller sets it: classes of the labels of y. NULL: a label is its class */
  part_order order;
};

/* Opens one part of the data set. file is paths->file, already open, and may be closed before the part; NULL:
 * part_open opens it. Checks the shapes: x, y and weight have equally many rows, at least 1, and x has a column.
 * *present is false if the file lacks the part and paths name none of its arrays (an error for MLPD_TRAIN). With need_y
 * false, y may be missing or unusable, and shard_read reads neither y nor weight. */
mlpd_status part_open(h5_file *file, const mlpd_data_paths *paths, mlpd_split split, bool need_y, part *opened,
                      bool *present);
void part_close(part *p);

/* Reads the names in a file; free them with data_names_free. */
mlpd_status dataset_names(h5_file *file, data_names *names);

#endif
