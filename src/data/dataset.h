/* Data sets: the schema's arrays of one HDF5 file, and a rank's rows of them in memory.
 *
 * Schema: /train/x (N, d) of any integer or float type; /train/y (N) integer classes or texts, or (N) or (N, k)
 * floats; optional /train/weight (N) floats >= 0; the same under /valid and /test; optional strings: /columns/name (d),
 * /targets/name (k), /class_names (k). /columns/kind (d), "number" or "yes/no", marks a table: x is no image. x stays
 * in its stored type in memory. Nothing here is collective. */
#ifndef MLPDIST_DATASET_H
#define MLPDIST_DATASET_H

#include "data/affine.h"
#include "data/class_map.h"
#include "data/names.h"
#include "h5/h5.h"
#include "lanes/lanes.h"

/* How a part is read whose columns, targets or classes are not in the order that is wanted (data/match.h). */
typedef struct part_order {
  uint32_t *columns, *targets; /* (features), (y_columns): places in the file; NULL: as they are */
  uint32_t file_columns;       /* of x, where columns is not NULL */
  int32_t *classes;            /* (num_classes): the number wanted of a class of the file, or -1; NULL: as they are */
  int32_t **codes; /* (features) the model's code of each category of the file; NULL: as they are, of a column or all */
  uint32_t *num_codes;          /* (features) */
  const double *fill;           /* (features) borrowed: a number that is missing becomes it, unless keeps_missing */
  const uint8_t *keeps_missing; /* (features) borrowed */
  uint64_t *replaced;           /* (features) values read so far that were unknown categories, or filled; or NULL */
  uint64_t num_classes;
  name_list class_names; /* (num_classes), of the file */
  char *known_classes;   /* the wanted ones, for messages */
} part_order;

/* One part of a data set, open for reading. */
struct part {
  char *file; /* path, for messages */
  char *x_path, *y_path, *weight_path;
  h5_file *h5;
  h5_array *x, *y, *weight; /* y and weight may be NULL */
  double weight_unit;       /* weights are divided by it as they are read; 1 until sample_weights_scale */
  bool need_y;
  bool x_as_is; /* x is not normalised: what float32 does not hold is of no use. The reader sets it */
  uint64_t rows;
  uint32_t features;
  element_type type;    /* of x */
  bool image;           /* x is said to be images: by its attribute layout, or bytes of more than two dimensions */
  bool table;           /* the file has /columns/kind: x is what was a table */
  bool may_miss;        /* NaN in x stands for a value that is missing */
  bool y_integer;       /* y is (N) or (N, 1) of an integer type: could be classes */
  bool y_text;          /* y is (N) or (N, 1) of texts: classes, which need a map */
  uint32_t y_columns;   /* 1 for y (N); 0 without y */
  const class_map *map; /* borrowed: classes of the labels of y; NULL: a label is its class. The reader sets it */
  part_order order;
};

/* Opens one part of file, which is paths->file and may be closed before it; NULL: opened here. MLPD_OK with *present =
 * false where the file has no such part and paths name none (for MLPD_TRAIN that is an error). Checks what shapes
 * tell: rows of x, y and weight equal, rows >= 1, features >= 1. need_y false: y may lack or be of no use, and
 * shard_read leaves y and weight be. */
mlpd_status part_open(h5_file *file, const mlpd_data_paths *paths, mlpd_split split, bool need_y, part *opened,
                      bool *present);
void part_close(part *p);

/* The largest of the weights of rows [begin, end) of p, or 0; each is checked. */
mlpd_status part_largest_weight(part *p, uint64_t begin, uint64_t end, double *largest);

/* Bytes of a row in memory: x in its own type, targets as the network sees them, weight; and the same with raw targets.
 */
uint64_t part_row_bytes(const part *p, bool as_classes);
uint64_t part_raw_row_bytes(const part *p, bool as_classes);
uint64_t part_target_bytes(const part *p, bool as_classes); /* of targets and weight alone */

/* Rows in memory, in the order of positions. */
typedef struct shard {
  uint64_t rows;
  uint32_t features;
  element_type type;
  void *x;          /* (rows, features) of type */
  int32_t *classes; /* (rows), or NULL */
  float *values;    /* (rows, outputs) as the network sees them, or NULL */
  void *raw;        /* (rows, outputs) of raw_type as the file has them, until they are mapped, or NULL */
  element_type raw_type;
  const affine *target; /* borrowed: by which values are mapped as they are read; NULL: they are raw */
  uint32_t outputs;     /* columns of values */
  float *weights;       /* (rows), or NULL */
} shard;

/* Reads the rows given by runs (positions counted from first_position) of p. as_classes: y as classes,
 * found by p->map and checked to be in [0, num_classes) where num_classes > 0, else >= 0; otherwise as values, mapped
 * by target or, where that is NULL, raw; p without y gives neither. Values that are not finite, in x or y or weight, or
 * negative weights, are MLPD_ERROR_DATA naming file, object, row and column. */
mlpd_status shard_read(part *p, const row_run *runs, uint64_t num_runs, uint64_t first_position, uint64_t rows,
                       bool as_classes, uint32_t num_classes, const affine *target, shard *read);

/* The same in two steps, for room that is filled again and again: arrays for rows rows; and rows s->rows, at most
 * those, read into them. */
mlpd_status shard_allocate(const part *p, uint64_t rows, bool as_classes, const affine *target, shard *made);
mlpd_status shard_fill(part *p, const row_run *runs, uint64_t num_runs, uint64_t first_position, uint32_t num_classes,
                       shard *s);

/* The classes alone of rows [row, row + count) to classes (count), as shard_read has them. */
mlpd_status shard_read_classes(part *p, uint64_t row, uint64_t count, uint32_t num_classes, int32_t *classes);

/* Raw values become values, in the same memory. MLPD_ERROR_DATA where one is too large for that. */
mlpd_status shard_map_values(shard *s, const affine *target, const char *what);

void shard_free(shard *s);
uint64_t shard_size(const shard *s); /* bytes */

/* The names that a file has; the caller frees them. */
mlpd_status dataset_names(h5_file *file, data_names *names);

#endif
