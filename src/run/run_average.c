/* Averages of the weights, which are evaluated and saved in place of the weights: exponential after each step (--ema),
 * or of the ends of epochs (--swa-start, Izmailov et al. 2018). All ranks have all weights after a step, so each keeps
 * the whole average; elementwise, so its bits depend on no split. The running statistics of batch norm are part of the
 * arena and are averaged alike, as with use_buffers of torch.optim.swa_utils.AveragedModel. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "kernels/vector.h"
#include "network/average.h"
#include "ranks/comm.h"
#include "run/run.h"

enum { BLOCK_FLOATS = 4096 };

mlpd_status run_average_create(trainer *t) {
  const mlpd_train_options *const o = &t->prep.options;
  const mlpd_network *const network = t->prep.model->network;
  if (!(o->ema > 0) && o->swa_start == 0) return MLPD_OK;
  TRY(memory_allocate(&t->average, network->arena_size, sizeof(float), "average of the weights"));
  memcpy(t->average, network->parameters, network->arena_size * sizeof(float));
  return MLPD_OK;
}

/* average += rate (weights - average) */
static void approach(trainer *t, double rate) {
  const mlpd_network *const network = t->prep.model->network;
  const float *const weights = network->parameters;
  const size_t size = network->arena_size;
#pragma omp parallel for num_threads(t->prep.threads) schedule(static)
  for (size_t begin = 0; begin < size; begin += BLOCK_FLOATS) {
    const size_t count = size - begin < BLOCK_FLOATS ? size - begin : BLOCK_FLOATS;
    vector_approach(count, (float)rate, weights + begin, t->average + begin);
  }
}

void run_average_step(trainer *t) {
  const double ema = t->prep.options.ema;
  if (ema > 0) approach(t, average_ema_rate(ema, t->state.step));
}

/* A rank's average is part of no other comparison. */
static mlpd_status compare_averages(trainer *t) {
  const uint64_t mine = network_hash(t->prep.model->network, t->average);
  uint64_t *hashes = NULL;
  TRY(comm_gather_equal(t->comm, &mine, sizeof mine, "hashes", &hashes));
  bool same = true;
  for (int rank = 0; rank < mlpd_comm_size(t->comm); rank++) same = same && hashes[rank] == mine;
  free(hashes);
  return mlpd_comm_agree(t->comm, same ? MLPD_OK
                                       : FAIL(MLPD_ERROR_INTERNAL,
                                              "the averaged weights differ between the ranks: a bit has flipped in "
                                              "memory; the run stops before it writes a checkpoint"));
}

mlpd_status run_average_epoch(trainer *t) {
  const uint64_t start = t->prep.options.swa_start, epoch = t->state.epoch;
  if (run_weights(t) != t->average) return MLPD_OK;
  if (start > 0 && epoch == start)
    memcpy(t->average, t->prep.model->network->parameters, t->state.arena_size * sizeof(float));
  else if (start > 0)
    approach(t, average_swa_rate(start, epoch));
  return compare_averages(t);
}

float *run_weights(const trainer *t) {
  const mlpd_train_options *const o = &t->prep.options;
  const bool averaged = o->ema > 0 || (o->swa_start > 0 && t->state.epoch >= o->swa_start);
  return averaged ? t->average : t->prep.model->network->parameters;
}

/* While state->epoch is under way, those before it are part of the average. */
bool run_average_begun(const trainer *t, const run_state *state) {
  const mlpd_train_options *const o = &t->prep.options;
  return o->ema > 0 || (o->swa_start > 0 && state->epoch > o->swa_start);
}
