/* Findings about threads and ranks on cores, from made-up placements, and the reading of the system's files. */
#include "ranks/placement_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include "base/machine_cores.h"

/* A rank on cores [first, first + cores). */
static rank_place place(const char *host, int first, int cores, int threads) {
  rank_place p = {.threads = threads, .bound = cores, .physical = cores};
  (void)snprintf(p.host, sizeof p.host, "%s", host);
  for (int core = first; core < first + cores; core++) p.cores[core / 8] |= (uint8_t)(1u << core % 8);
  return p;
}

static placement_view judge(const rank_place *ranks, int size) {
  placement_view view = {0};
  placement_judge(ranks, size, &view);
  return view;
}

/* The one finding. */
static void finds(const placement_view *view, const char *id, const char *what, const char *cure) {
  assert_int_equal(view->num_findings, 1);
  assert_string_equal(view->findings[0].id, id);
  if (strstr(view->findings[0].what, what) == NULL) fail_msg("'%s' lacks '%s'", view->findings[0].what, what);
  if (strstr(view->findings[0].cure, cure) == NULL) fail_msg("'%s' lacks '%s'", view->findings[0].cure, cure);
}

static void test_a_core_each_is_fine(void **state) {
  (void)state;
  const rank_place ranks[] = {place("a", 0, 4, 4), place("a", 4, 4, 4), place("b", 0, 4, 4), place("b", 4, 4, 4)};
  const placement_view view = judge(ranks, 4);
  assert_int_equal(view.num_findings, 0);
  assert_int_equal(view.nodes, 2);
  assert_int_equal(view.ranks_on_node, 2);
  assert_int_equal(view.least_threads, 4);
}

/* mpirun binds more than two ranks to sockets: ranks share cores, and there are enough. */
static void test_shared_cores_that_suffice(void **state) {
  (void)state;
  const rank_place ranks[] = {place("a", 0, 8, 2), place("a", 0, 8, 2), place("a", 0, 8, 2), place("a", 0, 8, 2)};
  assert_int_equal(judge(ranks, 4).num_findings, 0);
}

static void test_threads_share_cores(void **state) {
  (void)state;
  const rank_place one = place("a", 3, 2, 16);
  const placement_view view = judge(&one, 1);
  finds(&view, "threads-share-cores", "16 threads share 2 cores", "--map-by slot:PE=16");
}

static void test_ranks_oversubscribe(void **state) {
  (void)state;
  const rank_place ranks[] = {place("a", 0, 8, 8), place("a", 0, 8, 8), place("b", 0, 8, 8)};
  placement_view view = judge(ranks, 3);
  finds(&view, "ranks-oversubscribe", "2 ranks on a run 16 threads on 8 cores", "--threads 4");
  const rank_place many[] = {place("a", 0, 2, 1), place("a", 0, 2, 1), place("a", 0, 2, 1)};
  view = judge(many, 3);
  finds(&view, "ranks-oversubscribe", "3 ranks on a run 3 threads on 2 cores", "at most 2");
}

/* Two ranks on one core, while a third has all: taken together there would be enough. */
static void test_two_on_one_core_beside_idle_ones(void **state) {
  (void)state;
  const rank_place ranks[] = {place("a", 5, 1, 1), place("a", 5, 1, 1), place("a", 0, 8, 1)};
  const placement_view view = judge(ranks, 3);
  finds(&view, "ranks-oversubscribe", "2 ranks on a run 2 threads on 1 core", "--bind-to none");
}

static void test_siblings(void **state) {
  (void)state;
  rank_place one = place("a", 0, 8, 8);
  one.physical = 4;
  placement_view view = judge(&one, 1);
  finds(&view, "smt-siblings", "8 threads run on 4 physical cores", "--threads 4");
  one.threads = 4;
  assert_int_equal(judge(&one, 1).num_findings, 0);
  one.physical = 0; /* not known */
  one.threads = 8;
  assert_int_equal(judge(&one, 1).num_findings, 0);
}

static void test_quota(void **state) {
  (void)state;
  rank_place one = place("a", 0, 16, 2);
  one.bound = one.quota = 2;
  placement_view view = judge(&one, 1);
  finds(&view, "cpu-quota", "allows 2 of the 16 cores", "--cpus");
  one.bound = one.quota = 16; /* as many as there are: nothing lost */
  assert_int_equal(judge(&one, 1).num_findings, 0);
  rank_place ranks[] = {place("a", 0, 16, 2), place("a", 0, 16, 2)};
  ranks[0].quota = ranks[1].quota = ranks[0].bound = ranks[1].bound = 2;
  view = judge(ranks, 2);
  assert_int_equal(view.num_findings, 2);
  assert_string_equal(view.findings[1].id, "ranks-oversubscribe");
  assert_non_null(strstr(view.findings[1].what, "4 threads on 2 cores (the CPU quota)"));
  /* A quota is for all ranks of the machine together, not for those of some cores. */
  rank_place bound[] = {place("a", 0, 4, 1), place("a", 0, 4, 1), place("a", 4, 4, 1), place("a", 4, 4, 1)};
  for (int r = 0; r < 4; r++) bound[r].quota = 1;
  view = judge(bound, 4);
  assert_int_equal(view.num_findings, 2);
  assert_string_equal(view.findings[1].id, "ranks-oversubscribe");
  assert_non_null(strstr(view.findings[1].what, "4 ranks on a run 4 threads on 1 core (the CPU quota)"));
}

static void test_governor(void **state) {
  (void)state;
  rank_place ranks[] = {place("a", 0, 1, 1), place("b", 0, 1, 1)};
  (void)snprintf(ranks[1].governor, sizeof ranks[1].governor, "powersave");
  const placement_view view = judge(ranks, 2);
  finds(&view, "governor", "governor of b is powersave", "cpupower");
}

/* ---- Files of the system ------------------------------------------------------------------------- */

static char root[] = "/tmp/mlpdist-test-cores-XXXXXX";

static void write_text(const char *name, const char *text) {
  char path[512];
  assert_true(snprintf(path, sizeof path, "%s/%s", root, name) < (int)sizeof path);
  for (char *slash = strchr(path + sizeof root - 1 + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    (void)mkdir(path, 0700);
    *slash = '/';
  }
  FILE *stream = fopen(path, "w");
  assert_non_null(stream);
  assert_true(fputs(text, stream) >= 0);
  assert_int_equal(fclose(stream), 0);
}

#define CPU "sys/devices/system/cpu/cpu"

static void test_physical_cores(void **state) {
  (void)state;
  const uint32_t cores[] = {0, 1, 4, 5};
  assert_int_equal(machine_physical_cores(root, cores, 4), 0); /* not told */
  write_text(CPU "0/topology/thread_siblings_list", "0,4\n");
  write_text(CPU "1/topology/thread_siblings_list", "1,5\n");
  write_text(CPU "4/topology/thread_siblings_list", "0,4\n");
  write_text(CPU "5/topology/thread_siblings_list", "1,5\n");
  assert_int_equal(machine_physical_cores(root, cores, 4), 2);
  assert_int_equal(machine_physical_cores(root, cores, 2), 2);
  assert_int_equal(machine_physical_cores(root, cores + 1, 1), 1);
}

static void test_slow_governor(void **state) {
  (void)state;
  char name[32];
  assert_false(machine_slow_governor(root, 0, name, sizeof name));
  write_text(CPU "0/cpufreq/scaling_governor", "performance\n");
  assert_false(machine_slow_governor(root, 0, name, sizeof name));
  write_text(CPU "0/cpufreq/scaling_governor", "powersave\n");
  assert_true(machine_slow_governor(root, 0, name, sizeof name));
  assert_string_equal(name, "powersave");
  write_text(CPU "0/cpufreq/scaling_driver", "acpi-cpufreq\n");
  assert_true(machine_slow_governor(root, 0, name, sizeof name));
  write_text(CPU "0/cpufreq/scaling_driver", "intel_pstate\n"); /* scales up under load, whatever the name says */
  assert_false(machine_slow_governor(root, 0, name, sizeof name));
  write_text(CPU "0/cpufreq/scaling_driver", "amd-pstate-epp\n");
  assert_false(machine_slow_governor(root, 0, name, sizeof name));
}

static void test_file_systems(void **state) {
  (void)state;
  bool network = false;
  assert_string_equal(machine_file_system_name(0x6969, &network), "nfs");
  assert_true(network);
  assert_string_equal(machine_file_system_name(0xEF53, &network), "ext4");
  assert_false(network);
  /* As a signed 32-bit number becomes a wider one. */
  assert_string_equal(machine_file_system_name(UINT64_C(0xFFFFFFFFFF534D42), &network), "cifs");
  assert_true(network);
  assert_string_equal(machine_file_system_name(1, &network), "");
  assert_false(network);
  assert_string_equal(machine_file_system("/nowhere/at/all", &network), "");
}

static int make_root(void **state) {
  (void)state;
  return mkdtemp(root) == NULL;
}

static int remove_root(void **state) {
  (void)state;
  char command[128];
  (void)snprintf(command, sizeof command, "rm -r '%s'", root);
  return system(command); /* NOLINT(cert-env33-c): a tree of our own */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_core_each_is_fine),
      cmocka_unit_test(test_shared_cores_that_suffice),
      cmocka_unit_test(test_threads_share_cores),
      cmocka_unit_test(test_ranks_oversubscribe),
      cmocka_unit_test(test_two_on_one_core_beside_idle_ones),
      cmocka_unit_test(test_siblings),
      cmocka_unit_test(test_quota),
      cmocka_unit_test(test_governor),
      cmocka_unit_test(test_physical_cores),
      cmocka_unit_test(test_slow_governor),
      cmocka_unit_test(test_file_systems),
  };
  return cmocka_run_group_tests_name("placement_check", tests, make_root, remove_root);
}
