/* Rows of a part in memory. Every value is checked as it is read. Nothing here is collective. */
#ifndef MLPDIST_SHARD_H
#define MLPDIST_SHARD_H

#include "base/memory.h"
#include "data/dataset.h"

/* Bytes of one row in a shard that has y: x, targets as the network sees them, weight. */
uint64_t part_row_bytes(const part *p, bool as_classes);
uint64_t part_raw_row_bytes(const part *p, bool as_classes); /* the same with raw targets */
uint64_t part_target_bytes(const part *p, bool as_classes);  /* targets and weight only */

/* Rows in memory, in the order of their positions (lanes/lanes.h). */
typedef struct shard {
  uint64_t rows;
  uint32_t features;
  element_type type;
  void *x;          /* (rows, features) of type */
  int32_t *classes; /* (rows), or NULL */
  float *values;    /* (rows, outputs) targets as the network sees them, or NULL */
  void *raw;        /* (rows, outputs) targets of raw_type as in the file, until shard_map_values; or NULL */
  element_type raw_type;
  const affine *target; /* borrowed: maps values when they are read; NULL: values are read as raw */
  uint32_t outputs;     /* columns of values */
  float *weights;       /* (rows), or NULL */
  uint8_t *folds;       /* (rows), or NULL */
} shard;

/* Reads the rows of `runs` (their positions count from first_position). With as_classes, y becomes classes through
 * p->map; they must be in [0, num_classes), or just >= 0 if num_classes is 0. Otherwise y becomes values, mapped by
 * target, or raw if target is NULL. Without y there are neither. A value of x, y or weight that is not finite, and a
 * negative weight, are MLPD_ERROR_DATA; the message names file, object, row and column. */
mlpd_status shard_read(part *p, const row_run *runs, uint64_t num_runs, uint64_t first_position, uint64_t rows,
                       bool as_classes, uint32_t num_classes, const affine *target, shard *read);

/* The same in two steps, to reuse the memory: shard_allocate makes arrays for `rows` rows; shard_fill reads s->rows
 * rows into them, at most that many. */
mlpd_status shard_allocate(const part *p, uint64_t rows, bool as_classes, const affine *target, shard *made);
mlpd_status shard_fill(part *p, const row_run *runs, uint64_t num_runs, uint64_t first_position, uint32_t num_classes,
                       shard *s);

/* Reads only the classes of rows [row, row + count), as shard_read does, to classes (count). */
mlpd_status shard_read_classes(part *p, uint64_t row, uint64_t count, uint32_t num_classes, int32_t *classes);

void shard_free(shard *s);

/* The arrays of shard_allocate as a part of a larger block (base/memory.h), whose owner calls shard_check before and
 * frees the block instead of the shard. */
void shard_lay_out(const part *p, uint64_t rows, bool as_classes, const affine *target, memory_layout *layout,
                   shard *made);

/* MLPD_ERROR_DATA if y cannot be read as classes, or not as values. */
mlpd_status shard_check(const part *p, bool as_classes);

#endif
