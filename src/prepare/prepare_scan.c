#include "lanes/lanes.h"
#include "prepare/column_inputs.h"
#include "prepare/column_scales.h"
#include "prepare/prepare.h"
#include "ranks/comm.h"

/* The plan that numbers the training rows if validation rows are drawn from the same part; else NULL. */
static const lane_plan *split_of(const preparation *p) { return p->split.num_lanes > 0 ? &p->split : NULL; }

row_scan_wishes preparation_scan(const mlpd_comm *comm, const preparation *p) {
  row_scan_wishes wishes = {.plan = &p->dealt,
                            .split = split_of(p),
                            .fill = column_inputs_fill(p),
                            .as_classes = p->options.task == MLPD_CLASSIFICATION,
                            .num_classes = p->options.classes,
                            .x_deviations = column_scales_deviations(p),
                            .y_deviations = column_scales_targets(p),
                            .threads = p->threads};
  lanes_of_rank(p->plan.num_lanes, mlpd_comm_size(comm), mlpd_comm_rank(comm), &wishes.lane_begin, &wishes.lane_end);
  return wishes;
}

stream_parts preparation_stream(const mlpd_comm *comm, const preparation *p, part *from) {
  stream_parts parts = {.from = from,
                        .plan = &p->plan,
                        .split = split_of(p),
                        .window_rows = p->options.window,
                        .seed = p->options.seed,
                        .epochs = p->options.epochs,
                        .as_classes = p->options.task == MLPD_CLASSIFICATION,
                        .num_classes = p->options.classes,
                        .target = p->options.task == MLPD_REGRESSION ? &p->model->target : NULL};
  lanes_of_rank(p->plan.num_lanes, mlpd_comm_size(comm), mlpd_comm_rank(comm), &parts.lane_begin, &parts.lane_end);
  return parts;
}
