/* mpi: 1 2 3 4 7 */
/* The communicator: ranks fail together, and data arrives completely. */
#include "ranks/clock.h"
#include "ranks/comm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ranks/comm_internal.h"

#include <cmocka.h>

static mlpd_comm *comm;

/* A rank that leaves a test of collectives early would leave the others waiting: it ends them all. */
#define CHECK(condition)                                                                                  \
  do {                                                                                                    \
    if (!(condition)) {                                                                                   \
      print_error("rank %d, line %d: %s (%s)\n", comm->rank, __LINE__, #condition, mlpd_error_message()); \
      mlpd_comm_abort(comm, 1);                                                                           \
    }                                                                                                     \
  } while (0)

static void test_rank_and_size(void **state) {
  (void)state;
  uint64_t seen[64] = {0};
  CHECK(comm->size <= 64 && comm->rank < comm->size);
  CHECK(mlpd_comm_rank(comm) == comm->rank && mlpd_comm_size(comm) == comm->size);
  CHECK(comm_host(comm)[0] != '\0');
  ++seen[comm->rank];
  CHECK(comm_sum_u64(comm, seen, 64) == MLPD_OK);
  for (int rank = 0; rank < 64; ++rank) CHECK(seen[rank] == (rank < comm->size ? 1 : 0));
}

/* Ranks whose bit is set in failing fail, each in its own way; all must hear the lowest. */
static void check_agree(unsigned failing) {
  const mlpd_status kinds[] = {MLPD_ERROR_FILE, MLPD_ERROR_DATA, MLPD_ERROR_DIVERGED};
  mlpd_status local = MLPD_OK;
  if (failing >> comm->rank & 1)
    local = status_record(kinds[comm->rank % 3], "src/data/shard.c", 100 + comm->rank, "shard %d is bad", comm->rank);
  const mlpd_status agreed = mlpd_comm_agree(comm, local);
  int lowest = 0;
  while (lowest < comm->size && !(failing >> lowest & 1)) ++lowest;
  if (lowest == comm->size) {
    CHECK(agreed == MLPD_OK);
    return;
  }
  char message[COMM_MESSAGE_BYTES], place[32];
  if (comm->size == 1)
    (void)snprintf(message, sizeof message, "shard 0 is bad");
  else
    (void)snprintf(message, sizeof message, "rank %d of %d on %s: shard %d is bad", lowest, comm->size, comm_host(comm),
                   lowest); /* the test's ranks share a host */
  (void)snprintf(place, sizeof place, "shard.c:%d", 100 + lowest);
  CHECK(agreed == kinds[lowest % 3]);
  CHECK(strcmp(mlpd_error_message(), message) == 0);
  CHECK(strcmp(mlpd_error_place(), place) == 0);

  /* Passed on through another agreement, the message keeps its one prefix. */
  CHECK(mlpd_comm_agree(comm, status_prefix(agreed, "while reading: ")) == agreed);
  CHECK(strncmp(mlpd_error_message(), "while reading: ", 15) == 0);
  CHECK(strcmp(mlpd_error_message() + 15, message) == 0);
}

static void test_agree(void **state) {
  (void)state;
  const unsigned all = (1u << comm->size) - 1;
  check_agree(0);
  for (int rank = 0; rank < comm->size; ++rank) check_agree(1u << rank);
  check_agree(all);
  check_agree(all & ~1u);
  check_agree(all & 0x6);
  check_agree(0);
}

static void check_broadcast(uint64_t bytes, int root) {
  unsigned char *data = malloc(bytes + 1);
  CHECK(data != NULL);
  for (uint64_t i = 0; i < bytes; ++i) data[i] = comm->rank == root ? (unsigned char)(i * 7 + 3) : 0;
  data[bytes] = 99;
  CHECK(comm_broadcast(comm, data, bytes, root) == MLPD_OK);
  for (uint64_t i = 0; i < bytes; ++i) CHECK(data[i] == (unsigned char)(i * 7 + 3));
  CHECK(data[bytes] == 99);
  free(data);
}

static void check_gather_all(uint64_t unit) {
  uint64_t bytes[64], total = 0;
  for (int rank = 0; rank < comm->size; ++rank) {
    bytes[rank] = rank % 3 == 1 ? 0 : unit * (uint64_t)(rank + 1); /* uneven, some with nothing */
    total += bytes[rank];
  }
  unsigned char *local = malloc(bytes[comm->rank] + 1), *all = malloc(total + 1);
  CHECK(local != NULL && all != NULL);
  memset(local, comm->rank + 1, bytes[comm->rank]);
  memset(all, 0, total + 1);
  CHECK(comm_gather_all(comm, local, bytes, all) == MLPD_OK);
  const unsigned char *next = all;
  for (int rank = 0; rank < comm->size; ++rank)
    for (uint64_t i = 0; i < bytes[rank]; ++i) CHECK(*next++ == rank + 1);
  CHECK(*next == 0);
  free(local);
  free(all);
}

static void check_elementwise(uint64_t count) {
  uint64_t *sums = malloc(count * sizeof *sums);
  double *largest = malloc(count * sizeof *largest);
  const uint64_t size = (uint64_t)comm->size, rank = (uint64_t)comm->rank;
  CHECK(sums != NULL && largest != NULL);
  for (uint64_t i = 0; i < count; ++i) {
    sums[i] = (UINT64_C(1) << 40) + rank * i;
    largest[i] = -1.0 - (double)((rank + i) % size);
  }
  CHECK(comm_sum_u64(comm, sums, count) == MLPD_OK);
  CHECK(comm_max_double(comm, largest, count) == MLPD_OK);
  for (uint64_t i = 0; i < count; ++i) {
    CHECK(sums[i] == size * (UINT64_C(1) << 40) + size * (size - 1) / 2 * i);
    CHECK(largest[i] == -1.0);
  }
  free(sums);
  free(largest);
}

/* From the last rank to the first, and from a rank to itself. */
static void check_move(uint64_t bytes) {
  const int from = comm->size - 1;
  unsigned char *data = malloc(bytes + 1);
  CHECK(data != NULL);
  for (uint64_t i = 0; i <= bytes; ++i) data[i] = (unsigned char)(i * 5 + (uint64_t)comm->rank);
  CHECK(comm_move(comm, data, bytes, from, 0) == MLPD_OK);
  CHECK(comm_move(comm, data, bytes, comm->rank, comm->rank) == MLPD_OK);
  const int whose = comm->rank == 0 ? from : comm->rank;
  for (uint64_t i = 0; i < bytes; ++i) CHECK(data[i] == (unsigned char)(i * 5 + (uint64_t)whose));
  CHECK(data[bytes] == (unsigned char)(bytes * 5 + (uint64_t)comm->rank));
  free(data);
}

static void check_collectives(void) {
  check_move(0);
  check_move(1000);
  for (int root = 0; root < comm->size; ++root) {
    check_broadcast(0, root);
    check_broadcast(1, root);
    check_broadcast(1000, root);
  }
  check_gather_all(0);
  check_gather_all(1);
  check_gather_all(333);
  check_elementwise(1);
  check_elementwise(100);
}

static void test_collectives(void **state) {
  (void)state;
  check_collectives();
}

/* As if MPI could carry only a few bytes a message: what happens beyond 2^31 of them. */
static void test_collectives_in_pieces(void **state) {
  (void)state;
  const size_t usual = comm->piece_bytes;
  comm->piece_bytes = 48;
  check_collectives();
  comm->piece_bytes = 7;
  check_collectives();
  comm->piece_bytes = usual;
}

static void test_min_max(void **state) {
  (void)state;
  double minimum = 10.0 - comm->rank, maximum = -10.0 + comm->rank;
  CHECK(comm_min_max_double(comm, &minimum, &maximum) == MLPD_OK);
  CHECK(minimum == 10.0 - (comm->size - 1));
  CHECK(maximum == -10.0 + (comm->size - 1));
}

static void test_seconds(void **state) {
  (void)state;
  const double before = clock_seconds();
  CHECK(comm_barrier(comm) == MLPD_OK);
  CHECK(clock_seconds() >= before);
}

/* An MPI failure is a status with MPI's own words, not the end of the process. */
static void test_mpi_failure(void **state) {
  (void)state;
  if (comm->size == 1) return; /* a broadcast to oneself calls no MPI */
  char byte = 0;
  CHECK(comm_broadcast(comm, &byte, 1, comm->size) == MLPD_ERROR_MPI);
  CHECK(strncmp(mlpd_error_message(), "MPI_Ibcast: ", 12) == 0);
  CHECK(strchr(mlpd_error_message(), '\n') == NULL);
}

/* ---- The watch over waits ------------------------------------------------------------------------ */

/* What was told on this rank; the file tells the rank that keeps the others waiting. */
typedef struct told_lines {
  char file[64], text[2][COMM_MESSAGE_BYTES];
  int count;
} told_lines;

static void take_line(void *context, const char *message) {
  told_lines *const lines = context;
  if (lines->count < 2) (void)snprintf(lines->text[lines->count], COMM_MESSAGE_BYTES, "%s", message);
  ++lines->count;
  FILE *const file = fopen(lines->file, "w");
  CHECK(file != NULL && fclose(file) == 0);
}

/* What the speaker has to tell: at 0.3 s of the late rank alone (the next would be seconds later), then that it is
 * back. */
static bool tells_of(const told_lines *lines, int late) {
  char name[600];
  (void)snprintf(name, sizeof name, "rank %d on %s: ", late, comm_host_of(comm, late));
  return lines->count == 2 && strncmp(lines->text[0], name, strlen(name)) == 0 &&
         strstr(lines->text[0], "step 42") != NULL && strstr(lines->text[1], "the run continues") != NULL;
}

/* Rank `late` comes to a barrier only when it is told of, as if it had been stopped. Returns whether the lowest rank
 * that waited, and no other, told of it alone. */
static bool check_late(int late) {
  told_lines lines = {.count = 0};
  uint64_t number = comm->rank == 0 ? (uint64_t)getpid() : 0;
  CHECK(comm_broadcast(comm, &number, sizeof number, 0) == MLPD_OK);
  (void)snprintf(lines.file, sizeof lines.file, "/tmp/mlpdist-late-%llu-%d", (unsigned long long)number, late);
  comm_watch_start(comm, 0.3, 0, take_line, &lines);
  comm_watch_step(comm, 42);
  for (int i = 0; comm->rank == late && access(lines.file, F_OK) != 0; ++i) {
    CHECK(i < 3000);
    (void)usleep(10000);
  }
  CHECK(comm_barrier(comm) == MLPD_OK);
  comm_watch_stop(comm);
  CHECK(comm_barrier(comm) == MLPD_OK); /* nobody has more to tell */
  if (comm->rank == 0) (void)remove(lines.file);
  int mine = comm->rank == (late == 0 ? 1 : 0) ? tells_of(&lines, late) : lines.count == 0, all = 0;
  if (!mine) print_message("rank %d told %d lines: %s / %s\n", comm->rank, lines.count, lines.text[0], lines.text[1]);
  CHECK(MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_LAND, comm->mpi) == MPI_SUCCESS);
  return all;
}

/* A rank that other programs keep from its processor for a second is silent, too, and then told of: again, on a busy
 * machine. */
static void check_late_among_others(int late) {
  enum { ATTEMPTS = 20 };
  int attempt = 0;
  while (!check_late(late)) CHECK(++attempt < ATTEMPTS);
}

static void test_watch(void **state) {
  (void)state;
  if (comm->size == 1) return;
  check_late_among_others(comm->size - 1);
  check_late_among_others(0);
  check_collectives(); /* undisturbed by what was sent to the late rank */
}

/* ---- Communicators of the program's ----------------------------------------------------------------- */

static void check_sum_of_ranks(mlpd_comm *of) {
  uint64_t sum = (uint64_t)mlpd_comm_rank(of), size = (uint64_t)mlpd_comm_size(of);
  CHECK(comm_sum_u64(of, &sum, 1) == MLPD_OK);
  CHECK(sum == size * (size - 1) / 2);
}

static void test_from(void **state) {
  (void)state;
  enum { ROUNDS = 20 };
  MPI_Comm half = MPI_COMM_NULL, turned = MPI_COMM_NULL;
  mlpd_comm *mine = NULL, *backwards = NULL;
  CHECK(MPI_Comm_split(MPI_COMM_WORLD, comm->rank % 2, comm->rank, &half) == MPI_SUCCESS);
  CHECK(MPI_Comm_split(MPI_COMM_WORLD, 0, -comm->rank, &turned) == MPI_SUCCESS);
  for (int round = 0; round < ROUNDS; round++) { /* freed each time, or communicators run out */
    CHECK(mlpd_comm_from(MPI_Comm_c2f(half), &mine) == MLPD_OK);
    CHECK(mlpd_comm_from(MPI_Comm_c2f(turned), &backwards) == MLPD_OK);
    CHECK(mlpd_comm_rank(mine) == comm->rank / 2);
    CHECK(mlpd_comm_size(mine) == (comm->size + 1 - comm->rank % 2) / 2);
    CHECK(mlpd_comm_rank(backwards) == comm->size - 1 - comm->rank);
    check_sum_of_ranks(mine);
    check_sum_of_ranks(backwards);
    check_sum_of_ranks(comm);
    if (round + 1 == ROUNDS) break;
    mlpd_comm_finalize(mine);
    mlpd_comm_finalize(backwards);
  }
  CHECK(MPI_Comm_free(&half) == MPI_SUCCESS && MPI_Comm_free(&turned) == MPI_SUCCESS);
  check_sum_of_ranks(mine); /* its own duplicate goes on */
  check_sum_of_ranks(backwards);
  mlpd_comm_finalize(backwards);
  mlpd_comm_finalize(mine);
  int finalized = 1;
  CHECK(MPI_Finalized(&finalized) == MPI_SUCCESS && !finalized);
}

static void test_from_nothing(void **state) {
  (void)state;
  mlpd_comm *none = comm;
  CHECK(mlpd_comm_from(MPI_Comm_c2f(MPI_COMM_NULL), &none) == MLPD_ERROR_USAGE);
  CHECK(none == NULL && strstr(mlpd_error_message(), "MPI_COMM_NULL") != NULL);
}

/* Before MPI is initialised. */
static void test_without_mpi(void **state) {
  (void)state;
  mlpd_comm *alone = NULL, *none = NULL;
  int initialized = 1;
  uint64_t sum = 7, all = 0, bytes = sizeof all;
  double least = 2, most = 2;
  assert_int_equal(mlpd_comm_from(0, &none), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "MPI_Init"));
  assert_int_equal(mlpd_comm_alone(&alone), MLPD_OK);
  assert_int_equal(mlpd_comm_rank(alone), 0);
  assert_int_equal(mlpd_comm_size(alone), 1);
  assert_string_not_equal(comm_host(alone), "");
  assert_int_equal(comm_sum_u64(alone, &sum, 1), MLPD_OK);
  assert_int_equal(comm_gather_all(alone, &sum, &bytes, &all), MLPD_OK);
  assert_int_equal(all, 7);
  assert_int_equal(comm_min_max_double(alone, &least, &most), MLPD_OK);
  assert_int_equal(comm_broadcast(alone, &sum, sizeof sum, 0), MLPD_OK);
  assert_int_equal(comm_barrier(alone), MLPD_OK);
  assert_int_equal(mlpd_comm_agree(alone, MLPD_ERROR_DATA), MLPD_ERROR_DATA);
  mlpd_comm_watch(alone, 1, 1, NULL, NULL);
  mlpd_comm_finalize(alone);
  assert_int_equal(MPI_Initialized(&initialized), MPI_SUCCESS);
  assert_false(initialized);
}

int main(int argc, char **argv) {
  const struct CMUnitTest before[] = {cmocka_unit_test(test_without_mpi)};
  if (cmocka_run_group_tests_name("without MPI", before, NULL, NULL) != 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rank_and_size),         cmocka_unit_test(test_agree),   cmocka_unit_test(test_collectives),
      cmocka_unit_test(test_collectives_in_pieces), cmocka_unit_test(test_min_max), cmocka_unit_test(test_seconds),
      cmocka_unit_test(test_mpi_failure),           cmocka_unit_test(test_watch),   cmocka_unit_test(test_from),
      cmocka_unit_test(test_from_nothing),
  };
  if (mlpd_comm_init(&argc, &argv, &comm) != MLPD_OK) {
    print_error("%s\n", mlpd_error_message());
    return 1;
  }
  const int failures = cmocka_run_group_tests_name("comm", tests, NULL, NULL);

  /* Where the caller initialised MPI, finalize leaves it running. */
  mlpd_comm *guest = NULL;
  if (mlpd_comm_init(NULL, NULL, &guest) != MLPD_OK) mlpd_comm_abort(comm, 1);
  mlpd_comm_finalize(guest);
  int finalized = 1;
  if (MPI_Finalized(&finalized) != MPI_SUCCESS || finalized) return 1;

  mlpd_comm_finalize(comm);
  mlpd_comm_finalize(NULL);
  return failures;
}
