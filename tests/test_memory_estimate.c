/* The estimate of a run's memory, and whether it fits. */
#include "prepare/memory_estimate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/machine_memory.h"
#include "base/memory.h"
#include "network/layer_kind.h"
#include "sum/reduce.h"

#include <cmocka.h>

static const double MB = 1e6;

/* ---- The machine ---------------------------------------------------------------------------------- */

static char root[64];

/* Writes text to root/name, its folders made. */
static void put(const char *name, const char *text) {
  char path[512];
  (void)snprintf(path, sizeof path, "%s%s", root, name);
  for (char *c = path + strlen(root) + 1; *c != '\0'; ++c) {
    if (*c != '/') continue;
    *c = '\0';
    (void)mkdir(path, 0700);
    *c = '/';
  }
  FILE *const file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static int make_root(void **state) {
  (void)state;
  (void)snprintf(root, sizeof root, "/tmp/mlpdist-memory-XXXXXX");
  return mkdtemp(root) == NULL;
}

static int remove_root(void **state) {
  (void)state;
  char command[128];
  (void)snprintf(command, sizeof command, "rm -rf %s", root);
  return system(command);
}

static void test_available(void **state) {
  (void)state;
  assert_true(machine_memory_available("/nowhere") == UINT64_MAX);
  put("/proc/meminfo", "MemTotal:       2000 kB\nMemAvailable:    1000 kB\n");
  assert_int_equal(machine_memory_available(root), 1024000);

  /* Version 2: the least of a group and those above it; cache that nobody uses is free. */
  put("/proc/self/cgroup", "0::/job/step\n");
  put("/sys/fs/cgroup/job/step/memory.max", "max\n");
  put("/sys/fs/cgroup/job/step/memory.current", "5000\n");
  assert_int_equal(machine_memory_available(root), 1024000);
  put("/sys/fs/cgroup/job/memory.max", "90000\n");
  put("/sys/fs/cgroup/job/memory.current", "70000\n");
  assert_int_equal(machine_memory_available(root), 20000);
  put("/sys/fs/cgroup/job/memory.stat", "anon 1\ninactive_file 30000\n");
  assert_int_equal(machine_memory_available(root), 50000);
  put("/sys/fs/cgroup/job/step/memory.max", "4000\n");
  assert_int_equal(machine_memory_available(root), 0);

  /* Version 1, in a container that sees its own group as the root. */
  put("/proc/self/cgroup", "5:cpu:/a\n4:memory:/elsewhere/b\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "80000\n");
  put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "20000\n");
  put("/sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 5000\n");
  assert_int_equal(machine_memory_available(root), 65000);
}

static void test_resident(void **state) {
  (void)state;
  enum { BYTES = 64 << 20 };
  const uint64_t before = machine_memory_resident();
  if (before == 0) skip();
  char *array = NULL;
  assert_int_equal(memory_allocate(&array, BYTES, 1, "test"), MLPD_OK);
  assert_true(machine_memory_resident() > before + BYTES / 10 * 9);
  free(array);
  assert_true(machine_memory_peak() > before + BYTES / 10 * 9);
  assert_true(machine_memory_available("") > 0);
}

typedef struct pair {
  size_t bytes; /* of the second array */
  char *first, *empty, *second;
} pair;

static void lay_out_pair(void *owner, memory_layout *layout) {
  pair *const p = owner;
  p->first = memory_place(layout, 3, sizeof(float));
  p->empty = memory_place(layout, 0, sizeof(float));
  p->second = memory_place(layout, p->bytes, 1);
}

static void test_layout(void **state) {
  (void)state;
  pair p = {.bytes = 65};
  assert_int_equal(memory_layout_size(lay_out_pair, &p), 64 + 128); /* whole cache lines */
  assert_true(p.first == NULL && p.second == NULL);
  char *block = NULL;
  assert_int_equal(memory_allocate_layout(lay_out_pair, &p, "test", &block), MLPD_OK);
  assert_true(p.first == block && (uintptr_t)block % MEMORY_ALIGNMENT == 0);
  assert_null(p.empty);
  assert_true(p.second == block + 64);
  for (size_t i = 0; i < 64 + 128; i++) assert_int_equal(block[i], 0);
  free(block);

  const size_t too_many[] = {SIZE_MAX, SIZE_MAX - 63, SIZE_MAX - 127};
  for (size_t i = 0; i < sizeof too_many / sizeof *too_many; i++) {
    p.bytes = too_many[i];
    assert_int_equal(memory_allocate_layout(lay_out_pair, &p, "test", &block), MLPD_ERROR_MEMORY);
    assert_null(block);
  }
}

/* ---- Estimates ------------------------------------------------------------------------------------ */

/* 784-512-512-10 on 60000 rows of bytes with a class each. */
static memory_estimate expect(int size, int rank, mlpd_optimizer optimizer, bool checkpoints) {
  const layer_spec specs[] = {{.kind = &layer_dense, .outputs = 512, .activation = MLPD_RELU},
                              {.kind = &layer_dense, .outputs = 512, .activation = MLPD_RELU},
                              {.kind = &layer_dense, .outputs = 10, .activation = MLPD_SOFTMAX}};
  mlpd_network *network = NULL;
  lane_plan plan;
  assert_int_equal(network_build(784, 3, specs, true, &network), MLPD_OK);
  assert_null(network->parameters);
  assert_int_equal(lane_plan_create(60000, 256, 4, 1, &plan), MLPD_OK);
  const memory_estimate e = memory_estimate_of(&(memory_shapes){.network = network,
                                                                .plan = &plan,
                                                                .row_bytes = 788,
                                                                .target_bytes = 4,
                                                                .held_out_bytes = 1000,
                                                                .optimizer = optimizer,
                                                                .averages = size > 1,
                                                                .checkpoints = checkpoints,
                                                                .threads = 1,
                                                                .size = size,
                                                                .rank = rank});
  lane_plan_free(&plan);
  mlpd_network_free(network);
  return e;
}

static void test_estimate(void **state) {
  (void)state;
  const double arena = 4 * (784 * 528 + 512 + 512 * 528 + 512 + 512 * 10 + 16); /* rows of 512 have a gap of 16 */
  const memory_estimate one = expect(1, 0, MLPD_ADAM, true), two = expect(2, 1, MLPD_SGD, true);
  assert_int_equal(one.bytes[MEMORY_ROWS], 60000 * 788);
  assert_int_equal(one.bytes[MEMORY_HELD_OUT], 1000);
  assert_int_equal(one.bytes[MEMORY_ARENAS], (uint64_t)(4 * arena));
  assert_int_equal(one.bytes[MEMORY_CHECKPOINT], one.bytes[MEMORY_ARENAS]);
  assert_true((double)one.bytes[MEMORY_SUMS] >= arena && (double)one.bytes[MEMORY_SUMS] < arena + 1000);
  assert_int_equal(two.bytes[MEMORY_ROWS], 30000 * 788);
  assert_int_equal(two.bytes[MEMORY_ARENAS], (uint64_t)(3 * arena));
  assert_int_equal(two.bytes[MEMORY_CHECKPOINT], 0); /* rank 0 alone writes */
  assert_int_equal(expect(1, 0, MLPD_ADAM, false).bytes[MEMORY_CHECKPOINT], 0);
  /* Lanes: 256 rows of x and of a and delta (z too at the output), order of the rows, scratch. */
  const double lanes = 256 * 4.0 * (784 + 2 * 528 + 2 * 528 + 3 * 10) + 60000 * 4.0;
  assert_true((double)one.bytes[MEMORY_LANES] > lanes && (double)one.bytes[MEMORY_LANES] < lanes + 2 * MB);
  uint64_t total = 0;
  for (int i = 0; i < MEMORY_ITEMS; ++i) total += one.bytes[i];
  assert_int_equal(one.total, total);
}

/* ---- Does it fit? --------------------------------------------------------------------------------- */

static memory_claim claim(const char *host, uint64_t available, uint64_t rows, uint64_t arenas, uint64_t allocated) {
  memory_claim made = {.available = available, .allocated = allocated};
  made.expects.bytes[MEMORY_ROWS] = rows;
  made.expects.bytes[MEMORY_ARENAS] = arenas;
  made.expects.total = rows + arenas;
  (void)snprintf(made.host, sizeof made.host, "%s", host);
  return made;
}

static void test_fit(void **state) {
  (void)state;
  const uint64_t gb = 1000000000;
  char note[256];
  const memory_claim roomy[] = {claim("a", 100 * gb, 10 * gb, gb, 0), claim("b", 100 * gb, 10 * gb, gb, 0)};
  assert_int_equal(memory_claims_fit(roomy, 2, note), MLPD_OK);
  assert_string_equal(note, "");

  /* Alone each fits, but ranks of one machine share what it has. */
  const memory_claim shared[] = {claim("a", 100 * gb, gb, gb, 0), claim("b", 20 * gb, 10 * gb, gb, 0),
                                 claim("b", 20 * gb, 10 * gb, gb, 0)};
  assert_int_equal(memory_claims_fit(shared, 3, note), MLPD_ERROR_MEMORY);
  assert_non_null(strstr(mlpd_error_message(), "b: "));
  assert_non_null(strstr(mlpd_error_message(), "22 GB"));
  assert_non_null(strstr(mlpd_error_message(), "20 GB are available"));
  assert_non_null(strstr(mlpd_error_message(), "training rows 10 GB, parameters and optimizer state 1 GB"));
  assert_non_null(strstr(mlpd_error_message(), "more machines"));

  /* What is there already is not asked for again. */
  const memory_claim begun[] = {claim("b", 20 * gb, 10 * gb, gb, 10 * gb), claim("b", 20 * gb, 10 * gb, gb, 10 * gb)};
  assert_int_equal(memory_claims_fit(begun, 2, note), MLPD_OK);
  assert_string_equal(note, "");

  const memory_claim close[] = {claim("b", 12 * gb, gb, 10 * gb, 0)};
  assert_int_equal(memory_claims_fit(close, 1, note), MLPD_OK);
  assert_non_null(strstr(note, "11 GB more of the 12 GB"));
  const memory_claim network[] = {claim("b", 10 * gb, gb, 10 * gb, 0)};
  assert_int_equal(memory_claims_fit(network, 1, note), MLPD_ERROR_MEMORY);
  assert_non_null(strstr(mlpd_error_message(), "smaller network"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_available, make_root, remove_root),
      cmocka_unit_test(test_resident),
      cmocka_unit_test(test_layout),
      cmocka_unit_test(test_estimate),
      cmocka_unit_test(test_fit),
  };
  return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
