/* Rows for validation or test: this rank's blocks of them, in memory, or read a window at a time each time they are
 * looked at, where they are too many to be held. The results are the same bits. No function here is collective unless
 * its comment says so. */
#ifndef MLPDIST_HELD_OUT_H
#define MLPDIST_HELD_OUT_H

#include "data/class_counts.h"
#include "data/class_map.h"
#include "data/dataset.h"
#include "lanes/lanes.h"
#include "model/forward.h"
#include "model/model.h"

typedef struct held_out {
  bool present;
  forward_range range;
  shard rows;             /* of this rank; or room for a window of them */
  part *from;             /* open: windows are read from it; NULL: all rows are in memory */
  part file;              /* from, where it is this part's own */
  class_map map;          /* of file's labels */
  const lane_plan *order; /* of rows drawn from the training part: row r is position first + r of it; or NULL */
  uint64_t first, window_rows;
  uint32_t num_classes;
  const affine *target; /* of a regression with scaled targets */
} held_out;

/* Reads this rank's rows of a validation or test part for a model: its widths and classes checked, its targets scaled.
 * file is paths->file, held open by a run, to which a part that is not present is no error; or NULL: the file is opened
 * here, and must have the part. in_windows: leaves the rows in the file; may differ between ranks.
 * Collective. */
mlpd_status held_out_read(mlpd_comm *comm, h5_file *file, const mlpd_data_paths *paths, mlpd_split which,
                          const mlpd_model *model, bool need_y, bool in_windows, int threads, held_out *read);

/* The rows of held->range are to be read in windows from an open part. */
mlpd_status held_out_in_windows(part *from, bool as_classes, int threads, held_out *held);

/* Rows of a window, each of row_bytes: targets and weight too; at most the rows there are. */
uint64_t held_out_window_rows(uint64_t row_bytes, int threads, uint64_t rows);

/* Counts the classes of this rank's rows. */
mlpd_status held_out_count_classes(held_out *held, class_counts *counts);

/* Loss sums of the whole part, equal on all ranks. Collective. */
mlpd_status held_out_losses(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held,
                            const loss_spec *loss, int threads, loss_sums *sums);

/* Hash of the shapes and of every row of the part with its targets and weight, as they are held (scaled, or not): the
 * same on any number of ranks and threads, in memory or in windows, and never 0; 0 where there is no such part. With
 * other ranks' parts it is summed, so nothing grows with the rows. On the way, counts the classes of this rank's rows
 * where counts is not NULL, and refuses a row whose input, normalised as the model does, is too large for float32;
 * which and file are for that message. Collective. */
mlpd_status held_out_fingerprint(mlpd_comm *comm, held_out *held, const mlpd_model *model, const char *file,
                                 mlpd_split which, class_counts *counts, uint64_t *fingerprint);

/* Does an open part fit the model? */
mlpd_status held_out_check(const part *given, const mlpd_model *model);

/* The error that a row of this rank gives no finite result. */
mlpd_status held_out_overflow(held_out *held, const mlpd_model *model, const char *file, mlpd_split which,
                              uint64_t row);

/* After a loss of the part that is not a finite number: is a row to blame, far away from all that the model was trained
 * on? MLPD_ERROR_DATA names it; MLPD_OK: it is not the data. Collective. */
mlpd_status held_out_blame(mlpd_comm *comm, const mlpd_model *model, const backend *gemm, held_out *held,
                           const char *file, mlpd_split which, int threads);

void held_out_free(held_out *held);

#endif
