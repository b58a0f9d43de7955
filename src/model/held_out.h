/* Validation or test rows: this rank's blocks, held in memory or, if they do not fit, read a window at a time in every
 * pass. The results are the same bits. No function here is collective unless its comment says so. */
#ifndef MLPDIST_HELD_OUT_H
#define MLPDIST_HELD_OUT_H

#include "data/class_counts.h"
#include "data/class_map.h"
#include "data/shard.h"
#include "lanes/lanes.h"
#include "model/forward.h"
#include "model/model.h"

typedef struct held_out {
  bool present;
  forward_range range;
  shard rows;             /* of this rank, or a buffer for a window of them */
  part *from;             /* the open part that windows are read from; NULL: all rows are in memory */
  part file;              /* what from points to, if the part is not the caller's */
  class_map map;          /* of file's labels */
  const lane_plan *order; /* if rows were drawn from the training part: row r is at position first + r; else NULL */
  uint64_t first, window_rows;
  uint32_t num_classes;
  const affine *target; /* scale of a regression's targets; else NULL */
} held_out;

/* Reads this rank's rows of a part for a model: checks widths and classes, scales targets. file: paths->file, which a
 * run holds open, and then a missing part is no error; NULL: opens the file, which must have the part. in_windows:
 * leaves the rows in the file; may differ between ranks. Collective. */
mlpd_status held_out_read(mlpd_comm *comm, h5_file *file, const mlpd_data_paths *paths, mlpd_split which,
                          const mlpd_model *model, bool need_y, bool in_windows, int threads, held_out *read);

/* Prepares to read the rows of held->range in windows from an open part. */
mlpd_status held_out_in_windows(part *from, bool as_classes, int threads, held_out *held);

/* Number of rows of a window, at most `rows`. row_bytes: of a row with targets and weight. */
uint64_t held_out_window_rows(uint64_t row_bytes, int threads, uint64_t rows);

/* Counts the classes of this rank's rows. */
mlpd_status held_out_count_classes(held_out *held, class_counts *counts);

/* Loss sums of the whole part, equal on all ranks. Collective. */
mlpd_status held_out_losses(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held,
                            const loss_spec *loss, int threads, loss_sums *sums);

typedef struct held_measure {
  forward_measure *measure; /* is called by several threads at once */
  void *context;
  uint32_t doubles; /* of a record */
} held_measure;

/* A forward pass over each block of the whole part, each once; total (doubles): the sum of their records. Collective.
 */
mlpd_status held_out_pass(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held, int threads,
                          const held_measure *measure, double *total);

/* Hash of the shapes and of every row of the part with its targets and weight, as they are held (scaled or not): the
 * same on any number of ranks and threads, in memory or in windows; 0 only if there is no such part. Also counts the
 * classes of this rank's rows (counts may be NULL) and refuses a row whose normalised input is too large for float32;
 * the message names file, which and row. Collective. */
mlpd_status held_out_fingerprint(mlpd_comm *comm, held_out *held, const mlpd_model *model, const char *file,
                                 mlpd_split which, class_counts *counts, uint64_t *fingerprint);

/* The error for a row of this rank that gives no finite result. */
mlpd_status held_out_overflow(held_out *held, const mlpd_model *model, const char *file, mlpd_split which,
                              uint64_t row);

/* Call it when the loss of the part is not finite: finds out whether a row far away from the training data is the
 * cause. MLPD_ERROR_DATA names the row; MLPD_OK: the data is not the cause. Collective. */
mlpd_status held_out_blame(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held,
                           const char *file, mlpd_split which, int threads);

void held_out_free(held_out *held);

#endif
