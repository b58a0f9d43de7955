/* Waits of a team's threads for each other: when they become short, and that they do. */
#include "step/team_wait.h"

#include <dirent.h>
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "kernels/multiversion.h"

enum { LONG = 1000 }; /* seconds */

static void test_crowded(void **state) {
  (void)state;
  assert_true(team_wait_crowded(0.1, 0.05, 4));
  assert_true(team_wait_crowded(0.1, 0, 2));
  assert_false(team_wait_crowded(0.1, 0.099, 4)); /* alone: now and then the kernel needs the core */
  assert_false(team_wait_crowded(0.1, 0.05, 1));  /* it slept: a file, a callback */
  assert_false(team_wait_crowded(0.1, -3, 50));   /* another thread runs the steps now */
}

static void test_watched(void **state) {
  (void)state;
  team_wait w;
  const int cores = omp_get_num_procs();
  const char *const settings[] = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_STACKSIZE", "GOMP_STACKSIZE"};
  enum { NUM_SETTINGS = sizeof settings / sizeof *settings };
  for (int i = 0; i < NUM_SETTINGS; i++) (void)unsetenv(settings[i]);
  team_wait_begin(&w, 1);
  assert_int_equal(w.surplus, 0);
  team_wait_shorten(&w, LONG);
  assert_null(w.holder);
  team_wait_begin(&w, cores);
  assert_int_equal(w.surplus, cores > 1 ? 1 : 0);
  team_wait_begin(&w, cores + 1); /* waits are short already */
  assert_int_equal(w.surplus, 0);
  for (int i = 0; i < NUM_SETTINGS; i++) { /* the user decided */
    assert_int_equal(setenv(settings[i], "77", 1), 0);
    team_wait_begin(&w, cores);
    assert_int_equal(w.surplus, 0);
    team_wait_look(&w);
    team_wait_end(&w);
    assert_int_equal(unsetenv(settings[i]), 0);
  }
}

#if defined(__GNUC__) && !defined(__clang__)
static const bool gnu = true;
#else
static const bool gnu = false; /* LLVM's OpenMP waits otherwise, and keeps threads for later */
#endif

static int threads_now(void) {
  DIR *const tasks = opendir("/proc/self/task");
  int found = 0;
  assert_non_null(tasks);
  while (readdir(tasks) != NULL) found++;
  (void)closedir(tasks);
  return found;
}

/* Are there so few threads within five seconds? */
static bool fall_to(int wanted) {
  for (int i = 0; i < 5000 && threads_now() > wanted; i++)
    (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  return threads_now() == wanted;
}

/* Seconds that this thread runs while it waits for a thread that sleeps. */
static double spun_once(void) {
  struct timespec before, after;
  const struct timespec pause = {.tv_nsec = 50000000};
#pragma omp parallel num_threads(2)
  {
#pragma omp barrier
#pragma omp master
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    if (omp_get_thread_num() == 1) (void)nanosleep(&pause, NULL);
#pragma omp barrier
#pragma omp master
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  }
  return (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
}

/* The least of three: what else runs may take the core, and its time counts as this thread's on virtual machines. */
static double spun(void) {
  double least = spun_once();
  for (int i = 0; i < 2; i++) least = fmin(least, spun_once());
  return least;
}

static void test_short(void **state) {
  (void)state;
  team_wait w = {.surplus = omp_get_num_procs()}; /* of a team of two */
  (void)spun();                                   /* now the team's threads exist */
  const int before = threads_now();
  team_wait_shorten(&w, LONG);
  assert_non_null(w.holder);
  if (gnu) assert_true(fall_to(before + 1 + w.surplus));
  team_wait_shorten(&w, LONG); /* once */
  if (gnu) assert_true(fall_to(before + 1 + w.surplus));
  const double seconds = spun();
  if (gnu && seconds > 1e-3) print_error("%g s\n", seconds);
  if (gnu) assert_true(seconds < 1e-3); /* some microseconds; else 4 ms and more */
  team_wait_lengthen(&w);
  assert_null(w.holder);
  if (gnu) assert_true(fall_to(before)); /* OpenMP does not wait for the threads of a team that ends */
  team_wait_shorten(&w, 1);              /* its trainer takes no more steps */
  assert_non_null(w.holder);
  if (gnu) assert_true(fall_to(before));
  team_wait_end(&w);
  assert_true(w.holder == NULL && w.surplus == 0);
}

#ifndef UNDER_SANITIZER /* its own allocations would fail, too */
/* Where threads cannot be made, OpenMP would end the process. */
static void test_no_threads(void **state) {
  (void)state;
  enum { ROOM = 32 << 20 };
  team_wait w = {.surplus = 60}; /* with stacks of 2 or 8 MB */
  struct rlimit former, little;
  unsigned long pages = 0;
  FILE *const file = fopen("/proc/self/statm", "r");
  assert_true(file != NULL && fscanf(file, "%lu", &pages) == 1);
  (void)fclose(file);
  const int before = threads_now();
  assert_int_equal(getrlimit(RLIMIT_AS, &former), 0);
  little = (struct rlimit){.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + ROOM, .rlim_max = former.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_AS, &little), 0);
  team_wait_shorten(&w, LONG);
  assert_int_equal(setrlimit(RLIMIT_AS, &former), 0);
  assert_true(fall_to(before + (w.holder != NULL)));
  team_wait_end(&w);
}
#endif

static atomic_bool spinning;

static void *spin(void *nothing) {
  while (atomic_load(&spinning)) continue;
  return nothing;
}

/* Beside busy threads on all cores waits become short. */
static void test_look(void **state) {
  (void)state;
  enum { MOST = 1024, SECONDS = 20 };
  pthread_t others[MOST];
  team_wait w = {.surplus = 1};
  int num_others = 0;
  const int before = threads_now();
  const time_t end = time(NULL) + SECONDS;
  atomic_store(&spinning, true);
  while (num_others < MOST && num_others < 3 * omp_get_num_procs()) {
    if (pthread_create(&others[num_others], NULL, spin, NULL) != 0) break;
    num_others++;
  }
  while (w.holder == NULL && time(NULL) < end) team_wait_look(&w);
  const bool found = w.holder != NULL;
  atomic_store(&spinning, false);
  for (int i = 0; i < num_others; i++) (void)pthread_join(others[i], NULL);
  team_wait_end(&w);
  if (gnu) assert_true(fall_to(before));
  if (!found) print_error("not with %d busy threads on %d cores\n", num_others, omp_get_num_procs());
  assert_true(found);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_crowded),    cmocka_unit_test(test_watched),
      cmocka_unit_test(test_short),      cmocka_unit_test(test_look),
#ifndef UNDER_SANITIZER
      cmocka_unit_test(test_no_threads),
#endif
  };
  return cmocka_run_group_tests_name("team_wait", tests, NULL, NULL);
}
