/* mpi: 1 2 3 4 7 */
/* A rank that starts with other options or another build is named: the run is refused, or a note is printed, the same
 * on all ranks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quick_options.h"
#include "ranks/agreement.h"
#include "ranks/comm.h"

#include <cmocka.h>

static mlpd_comm *comm;

static const agreement alike = {
    .build = "mlpdist 1 (cc 1)", .backend = "oneDNN 2.6.3", .instructions = "AVX2", .options = "lr = 0.1\nseed = 1\n"};

/* Fails on all ranks where it fails on one: nobody is left behind in a collective. */
static void assert_on_all(bool good, const char *what) {
  uint64_t failures = good ? 0 : 1;
  if (!good) print_error("rank %d: %s (%s)\n", mlpd_comm_rank(comm), what, mlpd_error_message());
  if (comm_sum_u64(comm, &failures, 1) != MLPD_OK) mlpd_comm_abort(comm, 1);
  assert_int_equal(failures, 0);
}

static bool is_last(void) { return mlpd_comm_rank(comm) == mlpd_comm_size(comm) - 1; }

static bool alone(void) { return mlpd_comm_size(comm) == 1; }

/* "rank 2 of 3 on HOST": this machine's, all ranks being here. */
static const char *named(int rank) {
  static char text[512];
  (void)snprintf(text, sizeof text, "rank %d of %d on %s", rank, mlpd_comm_size(comm), comm_host(comm));
  return text;
}

static bool message_has(const char *part) { return strstr(mlpd_error_message(), part) != NULL; }

static void test_alike(void **state) {
  (void)state;
  char notice[AGREEMENT_NOTICE_BYTES] = "old";
  assert_on_all(agreement_check(comm, &alike, "PIN", notice) == MLPD_OK, "alike");
  assert_on_all(notice[0] == '\0', "no notice");
}

/* other on the last rank: refused everywhere, naming that rank, its value and rank 0's. */
static void assert_refused(const agreement *other, const char *its, const char *wanted) {
  char notice[AGREEMENT_NOTICE_BYTES];
  const mlpd_status status = agreement_check(comm, is_last() ? other : &alike, "PIN", notice);
  assert_on_all(status == (alone() ? MLPD_OK : MLPD_ERROR_USAGE), "refused");
  assert_on_all(alone() || message_has(named(mlpd_comm_size(comm) - 1)), "the rank");
  assert_on_all(alone() || (message_has(its) && message_has(wanted)), "both values");
  assert_on_all(notice[0] == '\0', "no notice");
}

static void test_refused(void **state) {
  (void)state;
  agreement other = alike;
  other.build = "mlpdist 2 (cc 1)";
  assert_refused(&other, "this rank runs mlpdist 2 (cc 1)", "rank 0 runs mlpdist 1 (cc 1)");
  other = alike;
  other.backend = "oneDNN 3.0.0";
  assert_refused(&other, "oneDNN 3.0.0", "rank 0 with oneDNN 2.6.3");
  other = alike;
  other.options = "lr = 0.1\nseed = 2\nmore = 1\n";
  assert_refused(&other, "'seed = 2' here", "'seed = 1' on rank 0");
  other.options = "lr = 0.1\n";
  assert_refused(&other, "'' here", "'seed = 1' on rank 0");
  other.options = "lr = 0.1\nseed = 1\nmore = 1\n";
  assert_refused(&other, "'more = 1' here", "'' on rank 0");
  other.build = "mlpdist 2 (cc 1)"; /* two differences: the build is told, for the rest may follow from it */
  other.instructions = "SSE41";
  assert_refused(&other, "mlpdist 2", "mlpdist 1");
}

/* Where rank 0 is the odd one, the lowest of the others is named. */
static void test_odd_root(void **state) {
  (void)state;
  char notice[AGREEMENT_NOTICE_BYTES];
  agreement other = alike;
  other.options = "lr = 0.5\nseed = 1\n";
  const mlpd_status status = agreement_check(comm, mlpd_comm_rank(comm) == 0 ? &other : &alike, "PIN", notice);
  assert_on_all(status == (alone() ? MLPD_OK : MLPD_ERROR_USAGE), "refused");
  assert_on_all(alone() || (message_has(named(1)) && message_has("'lr = 0.1' here, 'lr = 0.5' on rank 0")),
                "both values");
}

static void test_instructions(void **state) {
  (void)state;
  char notice[AGREEMENT_NOTICE_BYTES];
  agreement other = alike;
  other.instructions = "AVX512_CORE";
  const int size = mlpd_comm_size(comm);
  assert_on_all(agreement_check(comm, is_last() ? &other : &alike, "PIN", notice) == MLPD_OK, "not refused");
  assert_on_all(alone() == (notice[0] == '\0'), "a notice on all");
  assert_on_all(
      alone() || (strstr(notice, named(size - 1)) != NULL && strstr(notice, "AVX512_CORE, rank 0 with AVX2") &&
                  strstr(notice, "PIN") != NULL && strstr(notice, "more") == NULL),
      "the rank, both sets, the cure");
  assert_on_all(agreement_check(comm, mlpd_comm_rank(comm) == 0 ? &alike : &other, "PIN", notice) == MLPD_OK, "all");
  char more[32];
  (void)snprintf(more, sizeof more, "(and %d more)", size - 2);
  assert_on_all(alone() || strstr(notice, named(1)) != NULL, "the lowest");
  assert_on_all(size < 3 || strstr(notice, more) != NULL, "how many more");
}

static void test_this_process(void **state) {
  (void)state;
  char notice[AGREEMENT_NOTICE_BYTES];
  for (const char *const *name = mlpd_backend_names(); *name != NULL; name++) {
    const backend *gemm = NULL;
    assert_on_all(backend_choose(*name, &gemm) == MLPD_OK, *name);
    assert_on_all(gemm->instructions == NULL || (strlen(gemm->instructions()) > 0 && gemm->pin != NULL), "a set");
    assert_on_all(agreement_of_process(comm, gemm, "", notice) == MLPD_OK && notice[0] == '\0', "one program");
  }
}

/* A run whose ranks were given other options ends before it opens a file. */
static mlpd_train_options options_of(const char *folder) {
  mlpd_train_options o;
  quick_options(&o);
  o.data.file = "absent.h5";
  o.out = folder;
  return o;
}

static void test_training(void **state) {
  (void)state;
  mlpd_train_result result;
  mlpd_train_options o = options_of("/tmp/never");
  const mlpd_status last = alone() ? MLPD_ERROR_FILE : MLPD_ERROR_USAGE;
  if (is_last()) o.lr = 0.1 * (1 + 4e-16);
  assert_on_all(mlpd_train(comm, &o, NULL, &result) == last, "lr");
  assert_on_all(alone() || message_has("' here, 'lr = 0.1' on rank 0"), "both rates");
  o = options_of("/tmp/never");
  if (is_last()) o.epochs = 11;
  assert_on_all(mlpd_train(comm, &o, NULL, &result) == last, "epochs");
  assert_on_all(alone() || message_has("'epochs = 11' here, 'epochs = 10' on rank 0"), "both numbers");
  o = options_of("/tmp/never");
  if (is_last()) o.data.y = "/labels";
  assert_on_all(mlpd_train(comm, &o, NULL, &result) == last, "y");
  assert_on_all(alone() || message_has("'y = /labels' here, 'y = ' on rank 0"), "both paths");
  o = options_of("/tmp/never");
  if (is_last()) { /* these may differ */
    o.threads = 2;
    o.out = "/tmp/elsewhere";
    o.data.file = "not-there.h5";
    o.keep = 7;
  }
  assert_on_all(mlpd_train(comm, &o, NULL, &result) == MLPD_ERROR_FILE, "what is a rank's own");
  assert_on_all(access("/tmp/never", F_OK) != 0, "no folder");
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_alike),        cmocka_unit_test(test_refused),      cmocka_unit_test(test_odd_root),
      cmocka_unit_test(test_instructions), cmocka_unit_test(test_this_process), cmocka_unit_test(test_training),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) {
    print_error("%s\n", mlpd_error_message());
    return 1;
  }
  const int failed = cmocka_run_group_tests_name("agreement", tests, NULL, NULL);
  mlpd_comm_finalize(comm);
  return failed;
}
