/* mpi: 1 2 3 */
/* mlpd_doctor: properties that its report must have on any machine, however loaded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include "base/machine_memory.h"
#include "doctor/doctor.h"
#include "doctor/doctor_measure.h"
#include "mlpdist.h"
#include "ranks/comm.h"

static mlpd_comm *comm;

static mlpd_doctor_options quick(void) {
  mlpd_doctor_options o;
  mlpd_doctor_options_default(&o);
  o.hidden = "24,16";
  o.features = 40;
  o.outputs = 3;
  o.batch = 100;
  o.lanes = 5;
  o.threads = 1;
  o.ranks = "2,8";
  o.seconds = 0.2;
  return o;
}

static void check_prediction(const mlpd_doctor_report *r, const mlpd_prediction *p) {
  const double parts = p->compute + p->input + p->imbalance + p->latency + p->bandwidth;
  assert_true(p->step > 0 && fabs(parts - p->step) <= 1e-9 * p->step);
  assert_true(p->compute >= 0 && p->input >= 0 && p->imbalance >= 0 && p->latency >= 0 && p->bandwidth >= 0);
  assert_true(fabs(p->samples_per_second * p->step - (double)r->batch) <= 1e-6 * (double)r->batch);
  assert_true(p->efficiency > 0);
  assert_int_equal(p->lanes, p->ranks > 5 ? p->ranks : 5);
  if (p->ranks == 1) assert_true(p->efficiency == 1 && p->latency == 0 && p->bandwidth == 0);
}

static void test_report(void **state) {
  (void)state;
  const mlpd_doctor_options o = quick();
  mlpd_doctor_report r;
  const int size = mlpd_comm_size(comm);
  assert_int_equal(mlpd_doctor(comm, &o, &r), MLPD_OK);
  assert_int_equal(r.ranks, size);
  assert_int_equal(r.nodes, 1);
  assert_int_equal(r.ranks_on_node, size);
  assert_int_equal(r.threads, 1);
  assert_true(r.peak_one > 0 && r.peak_all > 0 && r.memory_one > 0 && r.memory_all > 0);
  assert_true(machine_memory_peak() < (uint64_t)500 << 20); /* vectors that a short measurement can pass through */
  assert_true(r.cpu_share > 0 && r.cpu_share <= 1);
  assert_string_equal(r.network, "40-24-16-3");
  assert_int_equal(r.parameters, 40 * 24 + 24 + 24 * 16 + 16 + 16 * 3 + 3);
  assert_int_equal(r.lanes, 5);
  int names = 0, taken = 0;
  while (mlpd_backend_names()[names] != NULL) names++;
  assert_int_equal(r.num_backends, names);
  for (int i = 0; i < r.num_backends; i++) {
    assert_true(r.backends[i].flops > 0 && r.backends[i].fraction > 0);
    taken += r.backends[i].taken;
  }
  assert_int_equal(taken, 1);
  assert_int_equal(r.num_wire_points > 0, size > 1);
  assert_int_equal(r.latency > 0 || r.bandwidth > 0, size > 1);
  assert_false(r.has_file);
  assert_true(r.step_seconds > 0);
  /* These ranks, 1, 2 and 8, each once. */
  assert_int_equal(r.num_predictions, size <= 2 ? 3 : 4);
  assert_int_equal(r.predictions[0].ranks, size);
  for (int i = 0; i < r.num_predictions; i++) check_prediction(&r, &r.predictions[i]);
}

/* The findings of a report with two back ends of these speeds, of which the first is taken. */
static const char *cure_of(double native, double onednn, double cpu_share, mlpd_doctor_report *r) {
  doctor d = {.report = r};
  *r = (mlpd_doctor_report){.cpu_share = cpu_share, .flushes_denormals = true, .ranks = 1, .threads = 1};
  r->num_backends = 2;
  r->backends[0] = (mlpd_backend_speed){.name = "native", .description = "", .instructions = "", .taken = true};
  r->backends[1] = (mlpd_backend_speed){.name = "onednn", .description = "", .instructions = ""};
  r->backends[0].flops = r->backends[0].fraction = native;
  r->backends[1].flops = r->backends[1].fraction = onednn;
  doctor_judge(&d);
  for (int i = 0; i < r->num_findings; i++)
    if (strcmp(r->findings[i].id, "backend-slow") == 0) return r->findings[i].cure;
  return "";
}

static void test_another_back_end(void **state) {
  (void)state;
  mlpd_doctor_report r;
  assert_string_equal(cure_of(0.8, 0.9, 1, &r),
                      "use --backend onednn, which reaches 0.90 (it changes the resulting weights, whose bits then "
                      "depend on the processor)");
  assert_string_equal(cure_of(0.9, 0.9, 1, &r), "");
  assert_string_equal(cure_of(0.8, 0.9, 0.5, &r), ""); /* who knows which of them was disturbed */
  assert_int_equal(r.num_findings, 1);
  assert_string_equal(r.findings[0].id, "cores-taken");
}

/* The wire as given replaces the one measured, in numbers that can be told. */
static void test_given_wire(void **state) {
  (void)state;
  mlpd_doctor_options o = quick();
  mlpd_doctor_report r;
  o.latency = 1e-3;
  o.bandwidth = 1e6;
  assert_int_equal(mlpd_doctor(comm, &o, &r), MLPD_OK);
  const mlpd_prediction *const p = &r.predictions[r.num_predictions - 1];
  assert_int_equal(p->ranks, 8);
  assert_true(p->wire_known);
  /* 8 ranks of a lane each exchange a gradient of some 6 KB, gathered whole: 7 messages, 7 gradients. */
  assert_true(fabs(p->latency - 7e-3) < 1e-9);
  assert_true(p->bandwidth > 7 * 4e-6 * (double)r.parameters && p->bandwidth < 7 * 6e-6 * (double)r.parameters);
  assert_int_equal(p->limit, MLPD_LIMIT_BANDWIDTH);
}

static mlpd_status count_call(void *context) {
  ++*(double *)context;
  const struct timespec nap = {0, 100000L * (mlpd_comm_rank(comm) + 1)};
  (void)nanosleep(&nap, NULL);
  return MLPD_OK;
}

/* Ranks of different speed still act equally often: the action may be collective. */
static void test_all_ranks_act_equally_often(void **state) {
  (void)state;
  double median = -1, calls = 0, most = 0;
  assert_int_equal(doctor_time(comm, count_call, &calls, 0.02, &median), MLPD_OK);
  assert_true(median >= 0 && calls >= 8); /* a group to warm up, and one that counts */
  most = calls;
  assert_int_equal(comm_min_max_double(comm, &calls, &most), MLPD_OK);
  assert_true(calls == most);
}

static mlpd_status fails(void *context) {
  (void)context;
  return MLPD_ERROR_INTERNAL;
}

static void test_failures(void **state) {
  (void)state;
  mlpd_doctor_report r;
  double median = 0;
  assert_int_equal(doctor_time(comm, fails, NULL, 0.1, &median), MLPD_ERROR_INTERNAL);
  mlpd_doctor_options o = quick();
  o.hidden = "0";
  assert_int_equal(mlpd_doctor(comm, &o, &r), MLPD_ERROR_USAGE);
  o = quick();
  o.ranks = "x";
  assert_int_equal(mlpd_doctor(comm, &o, &r), MLPD_ERROR_USAGE);
  o = quick();
  o.seconds = 0;
  assert_int_equal(mlpd_doctor(comm, &o, &r), MLPD_ERROR_USAGE);
  o = quick();
  o.latency = -1;
  assert_int_equal(mlpd_doctor(comm, &o, &r), MLPD_ERROR_USAGE);
  o = quick();
  o.backend = "nosuch";
  assert_int_equal(mlpd_doctor(comm, &o, &r), MLPD_ERROR_USAGE);
  o = quick();
  o.data.file = "nothere.h5";
  assert_int_equal(mlpd_doctor(comm, &o, &r), MLPD_ERROR_FILE);
}

int main(int argc, char **argv) {
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_report),     cmocka_unit_test(test_another_back_end),
      cmocka_unit_test(test_given_wire), cmocka_unit_test(test_all_ranks_act_equally_often),
      cmocka_unit_test(test_failures),
  };
  const int failed = cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
  mlpd_comm_finalize(comm);
  return failed;
}
