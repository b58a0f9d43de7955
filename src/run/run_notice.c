#include "ranks/comm.h"
#include "run/run.h"

bool run_is_root(const trainer *t) { return mlpd_comm_rank(t->comm) == 0; }

void run_notice(const trainer *t, const char *text) {
  if (run_is_root(t) && t->events != NULL && t->events->notice != NULL) t->events->notice(t->events->context, text);
}

mlpd_status run_diverged(trainer *t, const char *what, uint64_t step) {
  char kept[128] = "no model was written";
  if (t->state.kept_epoch > 0 && t->keeps_files)
    (void)snprintf(kept, sizeof kept, "model.h5 keeps the weights of epoch %llu",
                   (unsigned long long)t->state.kept_epoch);
  return FAIL(MLPD_ERROR_DIVERGED,
              "%s at step %llu (epoch %llu); the likely cause is a learning rate too large for this network: try "
              "--lr %.2g, --warmup-epochs 1 or --clip-norm 1; %s",
              what, (unsigned long long)step, (unsigned long long)t->state.epoch, t->prep.options.lr / 10, kept);
}
