#include "prepare/column_rows.h"

#include <stdlib.h>

enum { PIECE_BYTES = 4 << 20 };

static mlpd_status stream_pieces(mlpd_comm *comm, const part *train, const preparation *p, bool targets,
                                 column_look *look, void *context) {
  const row_scan_wishes wishes = preparation_scan(comm, p);
  const uint64_t row_bytes = train->features * element_size(train->type), most = PIECE_BYTES / row_bytes + 1;
  const uint64_t last = wishes.plan->lane_begin[wishes.lane_end];
  const bool as_classes = targets && wishes.as_classes;
  part inputs = *train; /* borrowed */
  shard piece = {0};
  inputs.need_y = targets;
  mlpd_status status = shard_allocate(&inputs, most, as_classes, &p->model->target, &piece);
  for (uint64_t begin = wishes.plan->lane_begin[wishes.lane_begin]; begin < last && status == MLPD_OK; begin += most) {
    row_run *runs = NULL;
    uint64_t num_runs = 0;
    piece.rows = last - begin < most ? last - begin : most;
    status = lane_plan_runs(wishes.plan, begin, begin + piece.rows, &runs, &num_runs);
    if (status == MLPD_OK && wishes.split != NULL) status = lane_runs_compose(wishes.split, &runs, &num_runs);
    if (status == MLPD_OK) status = shard_fill(&inputs, runs, num_runs, begin, wishes.num_classes, &piece);
    if (status == MLPD_OK) status = look(context, &piece);
    free(runs);
  }
  shard_free(&piece);
  return status;
}

mlpd_status column_rows_each(mlpd_comm *comm, const part *train, const preparation *p, bool targets, column_look *look,
                             void *context) {
  if (p->options.stream) return stream_pieces(comm, train, p, targets, look, context);
  return look(context, &p->train);
}

uint64_t column_rows_count(const mlpd_comm *comm, const preparation *p) {
  if (!p->options.stream) return p->train.rows;
  const row_scan_wishes wishes = preparation_scan(comm, p);
  return wishes.plan->lane_begin[wishes.lane_end] - wishes.plan->lane_begin[wishes.lane_begin];
}
