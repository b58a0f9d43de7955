/* Memory estimates for a run that is about to start, and for `info`. */
#include <stdlib.h>
#include <string.h>

#include "base/machine_memory.h"
#include "data/shard.h"
#include "network/optimizer.h"
#include "prepare/column_bins.h"
#include "prepare/column_inputs.h"
#include "prepare/column_scales.h"
#include "prepare/prepare.h"
#include "ranks/comm.h"
#include "step/stepper.h"

/* ---- A run ---------------------------------------------------------------------------------------- */

/* Adds the bytes of this rank's rows of a held-out part: held whole (whole_row_bytes each), and read in windows. */
static void add_held_out(preparation *p, const part *of, const forward_range *range, uint64_t whole_row_bytes) {
  const uint64_t row_bytes = part_row_bytes(of, p->options.task == MLPD_CLASSIFICATION);
  const uint64_t rows = range->row_end - range->row_begin;
  p->memory.held_out_bytes += rows * whole_row_bytes;
  p->memory.held_out_window_bytes += held_out_window_rows(row_bytes, p->threads, rows) * row_bytes;
}

/* The same for a part of the file, if it exists. Errors are ignored here; reading the part reports them. */
static void add_held_out_file(preparation *p, mlpd_split which) {
  part opened = {0};
  bool present = false;
  if (part_open(p->file, &p->options.data, which, true, &opened, &present) == MLPD_OK && present) {
    const forward_range range = forward_range_of_rank(opened.rows, p->memory.size, p->memory.rank);
    add_held_out(p, &opened, &range, part_row_bytes(&opened, p->options.task == MLPD_CLASSIFICATION));
  }
  part_close(&opened);
}

/* The same for rows drawn from the training part, which are read before targets are scaled. Rows drawn class by class
 * also need a mark for each row of the file, and folds a byte. */
static void add_drawn(preparation *p, const part *train) {
  add_held_out(p, train, &p->valid.range, part_raw_row_bytes(train, p->options.task == MLPD_CLASSIFICATION));
  if (p->split.marks.words == NULL) return;
  const uint64_t marks = row_marks_bytes(train->rows) + (p->folds != NULL ? train->rows : 0);
  p->memory.held_out_bytes += marks;
  p->memory.held_out_window_bytes += marks;
}

/* Bytes of chunks that HDF5 caches for an open part. */
static uint64_t kept_bytes(const part *of) {
  uint64_t bytes = h5_array_kept(of->x);
  if (of->y != NULL) bytes += h5_array_kept(of->y);
  return bytes + (of->weight != NULL ? h5_array_kept(of->weight) : 0);
}

/* The medians are found, and gone, before the scales, and those but for the curves before the bins. */
static uint64_t columns_bytes(const preparation *p, uint64_t rows) {
  const uint64_t medians = column_inputs_size(p), scales = column_scales_size(p, rows);
  const uint64_t bins = column_bins_size(p) + column_scales_kept(p, rows), most = medians > scales ? medians : scales;
  return most > bins ? most : bins;
}

static void measure_data(mlpd_comm *comm, preparation *p, part *train) {
  const bool as_classes = p->options.task == MLPD_CLASSIFICATION;
  const char *const every = p->options.checkpoint_every;
  memory_shapes *const s = &p->memory;
  *s = (memory_shapes){.backend = p->options.backend,
                       .plan = &p->plan,
                       .row_bytes = part_raw_row_bytes(train, as_classes),
                       .columns_bytes = columns_bytes(p, train->rows),
                       .target_bytes = part_target_bytes(train, as_classes),
                       .optimizer = p->options.optimizer,
                       .lbfgs_history = p->options.lbfgs_history,
                       .averages = p->options.ema > 0 || p->options.swa_start > 0,
                       .reduce = p->options.reduce,
                       .checkpoints = every != NULL && strcmp(every, "never") != 0,
                       .shares = comm_shares_memory(comm),
                       .divided = stepper_divides(p->options.update, p->options.reduce,
                                                  stepper_needs_whole(p->options.optimizer, p->options.clip_norm)),
                       .threads = p->threads,
                       .size = mlpd_comm_size(comm),
                       .rank = mlpd_comm_rank(comm)};
  add_held_out_file(p, MLPD_TEST);
  if (p->split.num_lanes > 0)
    add_drawn(p, train);
  else
    add_held_out_file(p, MLPD_VALID);
  if (!p->options.stream) return;
  const row_scan_wishes scan = preparation_scan(comm, p);
  const stream_parts windows = preparation_stream(comm, p, train);
  s->streams = true;
  s->stream_bytes = kept_bytes(train) + row_scan_size(train, &scan) + stream_size(&windows);
}

/* ---- Streaming ------------------------------------------------------------------------------------ */

enum { SHARE_OF_AVAILABLE = 4 };

/* This rank's memory limit without --memory. */
static uint64_t usual_limit(const mlpd_comm *comm) {
  uint64_t here = 0;
  for (int rank = 0; rank < mlpd_comm_size(comm); rank++)
    here += strcmp(comm_host_of(comm, rank), comm_host(comm)) == 0;
  return machine_memory_available("") / SHARE_OF_AVAILABLE / (here > 0 ? here : 1);
}

/* Holds validation and test rows in memory if they fit; --memory must suffice without them. */
static mlpd_status fit_into_limit(const mlpd_comm *comm, preparation *p, bool decided) {
  memory_shapes *const s = &p->memory;
  const uint64_t given = p->options.memory, limit = given > 0 ? given : usual_limit(comm);
  p->expects = memory_estimate_of(s);
  if (!decided && p->memory_before + p->expects.total > limit && s->held_out_bytes > s->held_out_window_bytes) {
    p->held_out_windows = true;
    s->held_out_bytes = s->held_out_window_bytes;
    p->expects = memory_estimate_of(s);
  }
  const uint64_t needed = p->memory_before + p->expects.total;
  if (given == 0 || needed <= given) return MLPD_OK;
  char quantiles[64] = "";
  if (s->columns_bytes > 0)
    (void)snprintf(quantiles, sizeof quantiles, " and %.3g MB for quantiles of columns",
                   1e-6 * (double)s->columns_bytes);
  return FAIL(MLPD_ERROR_MEMORY,
              "--memory %llu is too little: this rank needs %llu bytes at least, of these %.3g MB for windows of %llu "
              "rows per lane%s; use a smaller --window%s%s or more ranks",
              (unsigned long long)given, (unsigned long long)needed, 1e-6 * (double)s->stream_bytes,
              (unsigned long long)p->options.window, quantiles,
              column_scales_size(p, 1) > 0 ? ", --normalize standard" : "",
              column_bins_size(p) == 0                               ? ""
              : p->options.embed_edges == MLPD_EMBED_EDGES_QUANTILES ? ", fewer --embed-bins"
                                                                     : ", --embed-edges quantiles");
}

mlpd_status preparation_check_memory(mlpd_comm *comm, const mlpd_train_events *events, preparation *p, part *train) {
  mlpd_network *network = NULL;
  char note[256];
  uint32_t outputs = p->outputs;
  if (train != NULL) {
    measure_data(comm, p, train);
    /* If neither the options nor names give the number of classes, reading the rows will count them. */
    outputs = p->options.task != MLPD_CLASSIFICATION ? train->y_columns * loss_outputs(&p->model->loss)
              : p->options.classes > 2               ? p->options.classes
                                                     : 2;
  }
  const mlpd_status made = mlpd_comm_agree(comm, column_inputs_network(p, outputs, true, &network));
  mlpd_status status = made;
  p->memory.network = network;
  if (made == MLPD_OK && p->options.stream)
    status = fit_into_limit(comm, p, train == NULL);
  else if (made == MLPD_OK)
    p->expects = memory_estimate_of(&p->memory);
  p->memory.network = NULL;
  mlpd_network_free(network); /* also where it was made, but not on another rank */
  TRY(made);
  if (p->options.stream) TRY(mlpd_comm_agree(comm, status));
  const uint64_t resident = machine_memory_resident();
  const uint64_t allocated = resident > p->memory_before ? resident - p->memory_before : 0;
  TRY(memory_claim_all(comm, &p->expects, allocated, note));
  if (train == NULL && note[0] != '\0' && mlpd_comm_rank(comm) == 0 && events != NULL && events->notice != NULL)
    events->notice(events->context, note);
  return MLPD_OK;
}

/* ---- Files ---------------------------------------------------------------------------------------- */

static const int ranks_shown[] = {1, 2, 4, 8};
enum { NUM_SHOWN = sizeof ranks_shown / sizeof *ranks_shown };

/* "1.3 MB", "40.2 KB" */
static const char *size_in_text(double bytes, char text[32]) {
  (void)snprintf(text, 32, bytes < 1e6 ? "%.1f KB" : "%.1f MB", bytes < 1e6 ? 1e-3 * bytes : 1e-6 * bytes);
  return text;
}

mlpd_status memory_describe_data(const char *path, h5_file *file, FILE *stream) {
  uint64_t bytes = 0;
  char size[32];
  for (int split = MLPD_TRAIN; split <= MLPD_TEST; split++) {
    part p = {0};
    bool present = false;
    /* A file may hold no training part. */
    if (part_open(file, &(mlpd_data_paths){.file = path}, (mlpd_split)split, false, &p, &present) == MLPD_OK &&
        present) {
      const uint64_t order = split == MLPD_TRAIN ? sizeof(uint32_t) : 0;
      bytes += p.rows * (part_row_bytes(&p, p.y_integer || p.y_text) + order);
    }
    part_close(&p);
  }
  (void)fprintf(stream, "memory for the rows, on each rank:");
  for (int i = 0; i < NUM_SHOWN; i++)
    (void)fprintf(stream, "%s %s on %d rank%s", i > 0 ? "," : "", size_in_text((double)bytes / ranks_shown[i], size),
                  ranks_shown[i], ranks_shown[i] == 1 ? "" : "s");
  (void)fprintf(stream, "\n");
  return MLPD_OK;
}

/* The value of key in lines "key = value", or "". */
static void config_value(const char *config, const char *key, char *value, size_t room) {
  value[0] = '\0';
  const size_t length = strlen(key);
  for (const char *line = config; line != NULL && *line != '\0';) {
    const char *const end = line + strcspn(line, "\n");
    if (strncmp(line, key, length) == 0 && strncmp(line + length, " = ", 3) == 0)
      (void)snprintf(value, room, "%.*s", (int)(end - line - (long)length - 3), line + length + 3);
    line = *end == '\n' ? end + 1 : end;
  }
}

static void print_shares(const memory_estimate *e, FILE *stream) {
  static const struct {
    const char *name;
    memory_item item;
  } shares[] = {{"parameters and optimizer state", MEMORY_ARENAS},
                {"gradients", MEMORY_SUMS},
                {"lanes", MEMORY_LANES},
                {"evaluation", MEMORY_EVALUATION},
                {"copy for checkpoints", MEMORY_CHECKPOINT}};
  char size[32];
  (void)fprintf(stream, "\n  of these on 1 rank:");
  for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
    (void)fprintf(stream, "%s %s %s", i > 0 ? "," : "", shares[i].name,
                  size_in_text((double)e->bytes[shares[i].item], size));
  (void)fprintf(stream, "\n");
}

mlpd_status memory_describe_network(const mlpd_network *network, const char *config, FILE *stream) {
  mlpd_train_options options;
  mlpd_train_options_default(&options);
  char text[64], shown[32];
  int optimizer = (int)options.optimizer;
  config_value(config, "optimizer", text, sizeof text);
  (void)mlpd_choice_find(mlpd_optimizer_choices, text, &optimizer);
  const bool searches = optimizer_searches((mlpd_optimizer)optimizer);
  config_value(config, "batch", text, sizeof text);
  uint64_t batch = strtoull(text, NULL, 10);
  if (batch == 0 || batch > UINT32_MAX) batch = options.batch;
  config_value(config, "lanes", text, sizeof text);
  const unsigned long long named = strtoull(text, NULL, 10);
  const uint32_t usual = named > 0 && named <= 65536 ? (uint32_t)named : lanes_default(batch);
  config_value(config, "lbfgs-history", text, sizeof text);
  const unsigned long history = strtoul(text, NULL, 10);
  (void)fprintf(stream, "memory to train it with one thread per rank, without the rows (%s, %s %llu%s):",
                mlpd_choice_name(mlpd_optimizer_choices, optimizer), searches ? "of" : "batch",
                (unsigned long long)batch, searches ? " rows in all" : "");
  memory_estimate most = {0};
  for (int i = 0; i < NUM_SHOWN; i++) {
    const uint32_t size = (uint32_t)ranks_shown[i];
    lane_plan plan;
    TRY(lane_plan_create(batch, batch, usual > size ? usual : size, options.seed, &plan));
    const memory_estimate e = memory_estimate_of(&(memory_shapes){.network = network,
                                                                  .plan = &plan,
                                                                  .optimizer = (mlpd_optimizer)optimizer,
                                                                  .lbfgs_history = (uint32_t)history,
                                                                  .checkpoints = true,
                                                                  .threads = 1,
                                                                  .size = ranks_shown[i],
                                                                  .rank = 0});
    lane_plan_free(&plan);
    if (i == 0) most = e;
    (void)fprintf(stream, "%s %s on %d rank%s", i > 0 ? "," : "", size_in_text((double)e.total, shown), ranks_shown[i],
                  ranks_shown[i] == 1 ? "" : "s");
  }
  print_shares(&most, stream);
  return MLPD_OK;
}
