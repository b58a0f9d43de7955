/* mpi: 1 2 3 4 */
/* Clocks of ranks that differ are aligned with rank 0's; a trace that cannot be written fails on all ranks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "run/trace.h"
#include "run/trace_clock.h"

#include <cmocka.h>

static mlpd_comm *comm;

/* Fails on all ranks where it fails on one: nobody is left behind in a collective. */
static void assert_on_all(bool good, const char *what) {
  uint64_t failures = good ? 0 : 1;
  if (!good) print_error("rank %d: %s (%s)\n", mlpd_comm_rank(comm), what, mlpd_error_message());
  if (comm_sum_u64(comm, &failures, 1) != MLPD_OK) mlpd_comm_abort(comm, 1);
  assert_int_equal(failures, 0);
}

/* All ranks are on one machine, so that the true time is known: rank r's clock is 1000 r seconds ahead. */
static uint64_t ahead(int rank) { return (uint64_t)rank * 1000u * 1000000000u; }

static uint64_t shifted_clock(const void *context) {
  (void)context;
  return (uint64_t)(clock_seconds() * 1e9) + ahead(mlpd_comm_rank(comm));
}

static void test_clocks(void **state) {
  (void)state;
  const int size = mlpd_comm_size(comm);
  clock_pair *pairs = NULL;
  assert_on_all(memory_allocate(&pairs, (size_t)size, sizeof *pairs, "pairs") == MLPD_OK, "room");
  assert_on_all(trace_clock_compare(comm, shifted_clock, NULL, pairs) == MLPD_OK, "compared");
  bool good = true;
  for (int rank = 0; mlpd_comm_rank(comm) == 0 && rank < size; rank++) {
    const int64_t wrong = (int64_t)(pairs[rank].there - ahead(rank) - pairs[rank].here);
    const int64_t error = (int64_t)pairs[rank].error + 500; /* clock_seconds() is a double: 200 ns at 10^9 s */
    good = good && wrong <= error && -wrong <= error;
  }
  assert_on_all(good, "each clock within its error of the truth");
  free(pairs);
}

/* A folder of its own, made by rank 0, and a path in it. */
static void path_in_folder(char path[64], const char *name) {
  char folder[32] = "/tmp/mlpdist-trace-XXXXXX";
  if (mlpd_comm_rank(comm) == 0 && mkdtemp(folder) == NULL) folder[0] = '\0';
  assert_on_all(comm_broadcast(comm, folder, sizeof folder, 0) == MLPD_OK && folder[0] != '\0', "a folder");
  (void)snprintf(path, 64, "%s%s", folder, name);
}

static trace *make_trace(void) {
  trace *t = NULL;
  const uint32_t threads = 1 + (uint32_t)mlpd_comm_rank(comm); /* as many on each as it likes */
  assert_on_all(trace_create(comm, threads, 10, 4, &t) == MLPD_OK, "a trace");
  timeline *const line = trace_timeline(t);
  timeline_next_step(line);
  for (uint32_t i = 0; i < threads; i++) (void)timeline_end(line, i, TIMELINE_GATHER, i, 0, timeline_begin(line));
  return t;
}

static void test_written(void **state) {
  (void)state;
  char path[64];
  uint64_t lost = 1;
  path_in_folder(path, "/t.json");
  trace *const t = make_trace();
  assert_on_all(trace_write(t, path, 1, &lost) == MLPD_OK, "written");
  assert_on_all(lost == 0, "nothing lost");
  bool good = true;
  if (mlpd_comm_rank(comm) == 0) {
    char line[512];
    int gathers = 0, expected = 0;
    for (int rank = 0; rank < mlpd_comm_size(comm); rank++) expected += rank + 1;
    FILE *const stream = fopen(path, "r");
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL) gathers += strstr(line, "\"gather\"") != NULL;
    if (stream != NULL) (void)fclose(stream);
    good = gathers == expected;
    (void)unlink(path);
    *strrchr(path, '/') = '\0';
    good = rmdir(path) == 0 && good; /* nothing else was left there */
  }
  assert_on_all(good, "every thread of every rank");
  trace_free(t);
}

static void test_not_written(void **state) {
  (void)state;
  char path[64];
  uint64_t lost = 0;
  path_in_folder(path, "/absent/t.json");
  trace *const t = make_trace();
  assert_on_all(trace_write(t, path, 1, &lost) == MLPD_ERROR_FILE, "failed on all ranks");
  assert_on_all(strstr(mlpd_error_message(), path) != NULL, "which file");
  *strstr(path, "/absent") = '\0';
  assert_on_all(mlpd_comm_rank(comm) != 0 || rmdir(path) == 0, "nothing was left");
  trace_free(t);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_clocks),
      cmocka_unit_test(test_written),
      cmocka_unit_test(test_not_written),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  mlpd_comm_finalize(comm);
  return failed;
}
