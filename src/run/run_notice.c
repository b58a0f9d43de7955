#include "ranks/comm.h"
#include "run/run.h"

bool run_is_root(const trainer *t) { return mlpd_comm_rank(t->comm) == 0; }

void run_notice(const trainer *t, const char *text) {
  if (run_is_root(t) && t->events != NULL && t->events->notice != NULL) t->events->notice(t->events->context, text);
}
