/* What a resumed run must share with its checkpoint: the data, and the options that decide the weights. */
#include <stdlib.h>
#include <xxhash.h>

#include "base/memory.h"
#include "distribution/comm.h"
#include "training/prepare.h"

/* The type's own number in fingerprints, whatever the enumeration's. These numbers never change. */
static uint64_t type_number(element_type type) {
  static const uint64_t numbers[NUM_ELEMENT_TYPES] = {
      [ELEMENT_I8] = 0,  [ELEMENT_U8] = 1,  [ELEMENT_I16] = 2, [ELEMENT_U16] = 3, [ELEMENT_I32] = 4,
      [ELEMENT_U32] = 5, [ELEMENT_I64] = 6, [ELEMENT_U64] = 7, [ELEMENT_F32] = 8, [ELEMENT_F64] = 9};
  return numbers[type];
}

/* Hash of the shapes and of each lane's rows in lane order: the same on any number of ranks. */
mlpd_status preparation_fingerprint(mlpd_comm *comm, preparation *p) {
  const int size = mlpd_comm_size(comm);
  const uint32_t lanes = p->plan.num_lanes;
  const shard *const rows = &p->train;
  uint64_t *local = NULL, *all = NULL, *bytes = NULL;
  uint32_t first = 0, end = 0;
  lanes_of_rank(lanes, size, mlpd_comm_rank(comm), &first, &end);
  mlpd_status status = memory_allocate(&local, end - first, sizeof *local, "fingerprint");
  if (status == MLPD_OK) status = memory_allocate(&all, lanes, sizeof *all, "fingerprint");
  if (status == MLPD_OK) status = memory_allocate(&bytes, (size_t)size, sizeof *bytes, "fingerprint");
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
#pragma omp parallel for num_threads(p->threads) schedule(dynamic)
  for (uint32_t u = first; u < end; u++) {
    if (p->scan.hashes != NULL) { /* of rows that are not in memory: another hash, as they are another order */
      local[u - first] = p->scan.hashes[u - first];
      continue;
    }
    const uint64_t row = p->plan.lane_begin[u] - p->plan.lane_begin[first];
    const uint64_t n = p->plan.lane_begin[u + 1] - p->plan.lane_begin[u];
    const size_t x_row = rows->features * element_size(rows->type), y_row = rows->outputs * sizeof(float);
    uint64_t hash = XXH3_64bits_withSeed((const char *)rows->x + row * x_row, n * x_row, n);
    if (rows->classes != NULL) hash = XXH3_64bits_withSeed(rows->classes + row, n * sizeof *rows->classes, hash);
    if (rows->values != NULL) hash = XXH3_64bits_withSeed(rows->values + row * rows->outputs, n * y_row, hash);
    if (rows->weights != NULL) hash = XXH3_64bits_withSeed(rows->weights + row, n * sizeof *rows->weights, hash);
    local[u - first] = hash;
  }
  for (int rank = 0; rank < size; rank++) {
    uint32_t a = 0, b = 0;
    lanes_of_rank(lanes, size, rank, &a, &b);
    bytes[rank] = (b - a) * sizeof *all;
  }
  TRY_GOTO(status, comm_gather_all(comm, local, bytes, all), done);
  const uint64_t shape[] = {p->plan.rows, p->features, p->outputs, type_number(rows->type)};
  p->fingerprint = XXH3_64bits_withSeed(all, lanes * sizeof *all, XXH3_64bits(shape, sizeof shape));
done:
  free(bytes);
  free(all);
  free(local);
  return status;
}

/* "key = value", the value by as few digits as give it back. */
static void print_real(FILE *out, const char *key, double value) {
  char text[32];
  int digits = 6;
  do (void)snprintf(text, sizeof text, "%.*g", digits++, value);
  while (strtod(text, NULL) != value && digits <= 17);
  (void)fprintf(out, "%s = %s\n", key, text);
}

static void print_choice(FILE *out, const char *key, const mlpd_choice *choices, int value) {
  (void)fprintf(out, "%s = %s\n", key, mlpd_choice_name(choices, value));
}

static void print_whole(FILE *out, const char *key, uint64_t value) {
  (void)fprintf(out, "%s = %llu\n", key, (unsigned long long)value);
}

static void print_network(FILE *out, const mlpd_train_options *o) {
  print_choice(out, "task", mlpd_task_choices, (int)o->task);
  print_whole(out, "classes", o->classes);
  print_choice(out, "normalize", mlpd_normalize_choices, (int)o->normalize);
  print_real(out, "valid-fraction", o->valid_fraction);
  (void)fprintf(out, "hidden = %s\n", o->hidden);
  print_choice(out, "activation", mlpd_activation_choices, (int)o->activation);
  print_choice(out, "output-activation", mlpd_activation_choices, o->output_activation);
  print_choice(out, "init", mlpd_init_choices, (int)o->init);
  print_choice(out, "loss", mlpd_loss_choices, (int)o->loss);
}

static void print_optimizer(FILE *out, const mlpd_train_options *o) {
  print_choice(out, "optimizer", mlpd_optimizer_choices, (int)o->optimizer);
  print_real(out, "lr", o->lr);
  print_real(out, "momentum", o->momentum);
  print_real(out, "beta1", o->beta1);
  print_real(out, "beta2", o->beta2);
  print_real(out, "epsilon", o->epsilon);
  print_real(out, "weight-decay", o->weight_decay);
  print_real(out, "clip-norm", o->clip_norm);
  print_choice(out, "schedule", mlpd_schedule_choices, (int)o->schedule);
  print_real(out, "lr-min", o->lr_min);
  print_real(out, "lr-gamma", o->lr_gamma);
  print_real(out, "lr-step-epochs", o->lr_step_epochs);
  print_real(out, "warmup-epochs", o->warmup_epochs);
  print_choice(out, "lr-scale", mlpd_lr_scale_choices, (int)o->lr_scale);
  print_whole(out, "base-batch", o->base_batch);
  if (o->schedule == MLPD_COSINE) print_whole(out, "epochs", o->epochs); /* its rates depend on the run's length */
}

mlpd_status preparation_mathematics(const preparation *p, const char *backend, char **text) {
  const mlpd_train_options *const o = &p->options;
  size_t bytes = 0;
  FILE *const out = open_memstream(text, &bytes);
  if (out == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, writing the options as text");
  print_network(out, o);
  print_optimizer(out, o);
  print_whole(out, "batch", o->batch);
  print_whole(out, "seed", o->seed);
  print_whole(out, "lanes", o->lanes);
  if (o->stream) print_whole(out, "stream window", o->window); /* 0: not settled yet */
  print_real(out, "min-delta", o->min_delta);
  print_choice(out, "save", mlpd_save_choices, (int)o->save);
  print_choice(out, "reduce", mlpd_reduce_choices, (int)o->reduce);
  (void)fprintf(out, "backend = %s\n", backend);
  const bool written = ferror(out) == 0;
  if (fclose(out) == 0 && written) return MLPD_OK;
  return FAIL(MLPD_ERROR_MEMORY, "out of memory, writing the options as text");
}
