/* mpi: 1 2 3 7 */
/* The number of threads of ranks that share cores. */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include "kernels/cpu.h"
#include "ranks/comm.h"
#include "ranks/placement.h"

static mlpd_comm *comm;

static void test_what_is_asked_for_is_taken(void **state) {
  (void)state;
  int taken = 0;
  assert_int_equal(placement_threads(comm, 3, &taken), MLPD_OK);
  assert_int_equal(taken, 3);
  (void)setenv("OMP_NUM_THREADS", "2", 1);
  assert_int_equal(placement_threads(comm, -1, &taken), MLPD_ERROR_USAGE);
}

/* Two ranks on all of N cores get N / 2 threads each, and never less than one. */
static void test_ranks_on_the_same_cores_share_them(void **state) {
  (void)state;
  (void)unsetenv("OMP_NUM_THREADS");
  int taken = 0;
  cpu_set_t mine;
  assert_int_equal(sched_getaffinity(0, sizeof mine, &mine), 0);
  assert_int_equal(placement_threads(comm, 0, &taken), MLPD_OK);
  const int size = mlpd_comm_size(comm), cores = cpu_cores_bound();
  /* On several cores the ranks were not bound one by one, and all have the same set. */
  const int share = CPU_COUNT(&mine) > 1 ? cores / size : 1;
  assert_int_equal(taken, share > 1 ? share : 1);
}

int main(int argc, char **argv) {
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ranks_on_the_same_cores_share_them),
      cmocka_unit_test(test_what_is_asked_for_is_taken),
  };
  const int failed = cmocka_run_group_tests_name("placement", tests, NULL, NULL);
  mlpd_comm_finalize(comm);
  return failed;
}
