#include "doctor/doctor_measure.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "ranks/clock.h"
#include "ranks/comm.h"

mlpd_status doctor_sum(mlpd_comm *comm, double *values, int count) {
  const size_t size = (size_t)mlpd_comm_size(comm);
  double *all = NULL;
  const mlpd_status status = comm_gather_equal(comm, values, (size_t)count * sizeof *values, "measurements", &all);
  for (int i = 0; status == MLPD_OK && i < count; i++) values[i] = 0;
  for (size_t r = 0; status == MLPD_OK && r < size; r++)
    for (int i = 0; i < count; i++) values[i] += all[r * (size_t)count + (size_t)i];
  free(all);
  return status;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

enum { MAX_GROUP = 500, MIN_GROUP = 4, GROUPS = 20 };

/* Times count actions; *median is equal on all ranks. */
static mlpd_status time_group(mlpd_comm *comm, doctor_action *action, void *context, int count, double *median) {
  double times[MAX_GROUP];
  for (int i = 0; i < count; i++) {
    const double start = clock_seconds();
    TRY(action(context));
    times[i] = clock_seconds() - start;
  }
  qsort(times, (size_t)count, sizeof *times, ascending);
  *median = times[count / 2];
  return comm_max_double(comm, median, 1);
}

mlpd_status doctor_time(mlpd_comm *comm, doctor_action *action, void *context, double seconds, double *median) {
  double trial = 0, spent = 0;
  const double start = clock_seconds();
  /* The first actions are slower: they touch memory, open connections, generate code. */
  TRY(time_group(comm, action, context, MIN_GROUP, &trial));
  *median = INFINITY;
  while (spent < seconds || isinf(*median)) {
    const double fits = seconds / GROUPS / fmax(trial, 1e-7);
    TRY(time_group(comm, action, context, (int)fmin(MAX_GROUP, fmax(MIN_GROUP, fits)), &trial));
    *median = fmin(*median, trial);
    spent = clock_seconds() - start;
    TRY(comm_max_double(comm, &spent, 1)); /* so that all ranks repeat it equally often */
  }
  return MLPD_OK;
}
