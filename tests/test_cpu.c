#include "kernels/cpu.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "memory_limit.h"

static void test_cores_and_name(void **state) {
  (void)state;
  assert_true(cpu_cores_bound() >= 1);
  assert_true(strlen(cpu_name()) > 0);
  assert_null(strchr(cpu_name(), '\n'));
}

/* True where a denormal result becomes zero and a denormal operand counts as zero. */
static bool flushes(void) {
  volatile float smallest = FLT_MIN, half = 0.5f, huge = 0x1p100f; /* volatile: not at compile time */
  const uint32_t denormal_bits = 1u << 22;
  float result = smallest * half, denormal;
  uint32_t bits; /* a comparison would treat a denormal as zero */
  memcpy(&bits, &result, sizeof bits);
  memcpy(&denormal, &denormal_bits, sizeof denormal);
  return bits == 0 && denormal * huge == 0;
}

static void test_threads(void **state) {
  (void)state;
  int taken = 0;
  assert_int_equal(mlpd_threads_set(3, &taken), MLPD_OK);
  assert_int_equal(taken, 3);
  int team = 0, flushing = 0;
#pragma omp parallel reduction(+ : team, flushing)
  {
    team++;
    flushing += flushes();
  }
  assert_int_equal(team, 3);
#if defined(__x86_64__) || defined(__aarch64__)
  assert_int_equal(flushing, 3);
#endif
}

static void test_threads_of_environment(void **state) {
  (void)state;
  int taken = 0;
  assert_int_equal(setenv("OMP_NUM_THREADS", "2,1", 1), 0);
  assert_int_equal(mlpd_threads_set(0, &taken), MLPD_OK);
  assert_int_equal(taken, 2);
  assert_int_equal(unsetenv("OMP_NUM_THREADS"), 0);
  assert_int_equal(mlpd_threads_set(0, &taken), MLPD_OK);
  assert_int_equal(taken, cpu_cores_bound());
}

static void test_threads_out_of_range(void **state) {
  (void)state;
  int taken = 5;
  assert_int_equal(mlpd_threads_set(-1, &taken), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "-1"));
  assert_int_equal(mlpd_threads_set(4097, &taken), MLPD_ERROR_USAGE);
  assert_int_equal(taken, 5);
}

#ifndef UNDER_SANITIZER /* its own allocations would fail, too */
/* OpenMP would end the process. */
static void test_threads_that_cannot_start(void **state) {
  (void)state;
  int taken = 5;
  const struct rlimit former = limit_memory(32 << 20); /* 60 threads have stacks of 2 or 8 MB */
  const mlpd_status status = mlpd_threads_set(60, &taken);
  limit_memory_end(former);
  assert_int_equal(status, MLPD_ERROR_MEMORY);
  assert_non_null(strstr(mlpd_error_message(), "60 threads cannot start: "));
  assert_int_equal(taken, 5);
  assert_int_equal(mlpd_threads_set(4, &taken), MLPD_OK);
  assert_int_equal(taken, 4);
}
#endif

static char root[] = "/tmp/mlpdist-test-cpu-XXXXXX";

static void in_root(char *path, size_t bytes, const char *name) {
  assert_true(snprintf(path, bytes, "%s/%s", root, name) < (int)bytes);
}

static void make_folder(const char *name) {
  char path[256];
  in_root(path, sizeof path, name);
  assert_int_equal(mkdir(path, 0700), 0);
}

static void write_text(const char *name, const char *text) {
  char path[256];
  in_root(path, sizeof path, name);
  FILE *stream = fopen(path, "w");
  assert_non_null(stream);
  assert_true(fputs(text, stream) >= 0);
  assert_int_equal(fclose(stream), 0);
}

static int quota(void) {
  char proc_cgroup[256];
  in_root(proc_cgroup, sizeof proc_cgroup, "proc");
  return cpu_quota_cores(proc_cgroup, root);
}

static void test_quota_v2(void **state) {
  (void)state;
  assert_int_equal(quota(), 0); /* no file at all */
  write_text("proc", "0::/job/step\n");
  assert_int_equal(quota(), 0);
  make_folder("job");
  make_folder("job/step");
  write_text("job/step/cpu.max", "max 100000\n");
  assert_int_equal(quota(), 0);
  write_text("job/step/cpu.max", "600000 100000\n");
  assert_int_equal(quota(), 6);
  write_text("job/cpu.max", "250000 100000\n"); /* the one above holds too; 2.5 cores need 3 threads */
  assert_int_equal(quota(), 3);
  write_text("job/cpu.max", "50000 100000\n");
  assert_int_equal(quota(), 1);
  write_text("job/cpu.max", "nonsense\n");
  assert_int_equal(quota(), 6);
}

static void test_quota_v1(void **state) {
  (void)state;
  write_text("proc", "5:memory:/job\n4:cpuset:/job\n3:cpu,cpuacct:/gone/deep\n1:name=systemd:/\n");
  make_folder("cpuset");
  write_text("cpuset/cpu.cfs_quota_us", "100000\n"); /* not the controller's folder */
  write_text("cpuset/cpu.cfs_period_us", "100000\n");
  make_folder("cpu,cpuacct");
  write_text("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write_text("cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  assert_int_equal(quota(), 0);
  write_text("cpu,cpuacct/cpu.cfs_quota_us", "400000\n"); /* the mount's root, as containers see it */
  assert_int_equal(quota(), 4);
}

static int make_root(void **state) {
  (void)state;
  return mkdtemp(root) == NULL;
}

static int remove_root(void **state) {
  (void)state;
  static const char *const files[] = {"job/step/cpu.max",
                                      "job/cpu.max",
                                      "proc",
                                      "cpuset/cpu.cfs_quota_us",
                                      "cpuset/cpu.cfs_period_us",
                                      "cpu,cpuacct/cpu.cfs_quota_us",
                                      "cpu,cpuacct/cpu.cfs_period_us",
                                      "job/step",
                                      "job",
                                      "cpuset",
                                      "cpu,cpuacct"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    char path[256];
    in_root(path, sizeof path, files[i]);
    (void)remove(path);
  }
  return rmdir(root);
}

static void test_peak(void **state) {
  (void)state;
  const double peak = cpu_measure_peak(0.01);
  assert_true(isfinite(peak) && peak > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cores_and_name),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_threads_of_environment),
      cmocka_unit_test(test_threads_out_of_range),
#ifndef UNDER_SANITIZER
      cmocka_unit_test(test_threads_that_cannot_start),
#endif
      cmocka_unit_test(test_quota_v2),
      cmocka_unit_test(test_quota_v1),
      cmocka_unit_test(test_peak),
  };
  return cmocka_run_group_tests_name("cpu", tests, make_root, remove_root);
}
