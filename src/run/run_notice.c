#include <string.h>
#include <xxhash.h>

#include "ranks/comm.h"
#include "run/run.h"
#include "run/run_files.h"

bool run_is_root(const trainer *t) { return mlpd_comm_rank(t->comm) == 0; }

/* Has the first run of a choice given this notice, which is of what both have in common? */
static bool is_repeated(const run_half *half, const char *text) {
  if (half == NULL || half->started) return false;
  run_said *const said = half->said;
  const uint64_t hash = XXH3_64bits(text, strlen(text));
  for (uint32_t i = 0; half->number == 2 && i < said->count; i++)
    if (said->hashes[i] == hash) return true;
  if (half->number == 1 && said->count < sizeof said->hashes / sizeof *said->hashes) said->hashes[said->count++] = hash;
  return false;
}

void run_notice(const trainer *t, const char *text) {
  if (is_repeated(t->half, text)) return;
  if (run_is_root(t) && t->events != NULL && t->events->notice != NULL) t->events->notice(t->events->context, text);
}

mlpd_status run_diverged(trainer *t, const char *what, uint64_t step) {
  char kept[128] = "no model was written";
  if (t->state.kept_epoch > 0 && t->keeps_files)
    (void)snprintf(kept, sizeof kept, "%s%smodel.h5 keeps the weights of epoch %llu",
                   t->half != NULL ? run_files_half_name(t->half->number) : "", t->half != NULL ? "/" : "",
                   (unsigned long long)t->state.kept_epoch);
  return FAIL(MLPD_ERROR_DIVERGED,
              "%s at step %llu (epoch %llu); the likely cause is a learning rate too large for this network: try "
              "--lr %.2g, --warmup-epochs 1 or --clip-norm 1; %s",
              what, (unsigned long long)step, (unsigned long long)t->state.epoch, t->prep.options.lr / 10, kept);
}
