/* Two threads of a program train at once, each with a communicator of its own, in memory and into run folders:
 * two_threads FOLDER. Prints "same" if their weights are those of one training after the other, else what differs. */
#include <mlpdist.h>
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 300, FEATURES = 3, JOBS = 2 };

static double x[ROWS][FEATURES], y[ROWS];

typedef struct job {
  MPI_Comm of;
  const char *seed, *out; /* out: NULL: no file */
  char result[1100];      /* the digest, or the message of a failure */
} job;

static mlpd_status make_options(const job *j, mlpd_options **options) {
  const char *const settings[][2] = {{"hidden", "16,8"}, {"epochs", "10"},  {"batch", "32"},       {"lanes", "4"},
                                     {"threads", "1"},   {"seed", j->seed}, {"optimizer", "adam"}, {"out", j->out}};
  mlpd_status status = mlpd_options_create(options);
  for (size_t i = 0; i < sizeof settings / sizeof *settings && status == MLPD_OK; i++)
    if (settings[i][1] != NULL) status = mlpd_options_set(*options, settings[i][0], settings[i][1]);
  return status;
}

static void *train(void *context) {
  job *const j = context;
  mlpd_comm *comm = NULL;
  mlpd_options *options = NULL;
  mlpd_model *model = NULL;
  int rank = 0, ranks = 1;
  (void)MPI_Comm_rank(j->of, &rank);
  (void)MPI_Comm_size(j->of, &ranks);
  const int first = ROWS * rank / ranks, count = ROWS * (rank + 1) / ranks - first;
  const mlpd_data_rows rows = {
      .x = {.data = x[first], .type = MLPD_FLOAT64, .rows = (uint64_t)count, .columns = FEATURES},
      .y = {.data = y + first, .type = MLPD_FLOAT64, .rows = (uint64_t)count, .columns = 1}};
  mlpd_status status = mlpd_comm_from(MPI_Comm_c2f(j->of), &comm);
  if (status == MLPD_OK) status = make_options(j, &options);
  if (status == MLPD_OK) mlpd_options_rows(options, &rows);
  if (status == MLPD_OK) status = mlpd_fit(comm, options, &model);
  if (status == MLPD_OK)
    mlpd_network_digest(mlpd_model_network(model), j->result);
  else
    (void)snprintf(j->result, sizeof j->result, "%s", mlpd_error_message());
  mlpd_model_free(model);
  mlpd_options_free(options);
  mlpd_comm_finalize(comm);
  return NULL;
}

int main(int argc, char **argv) {
  static const char *const seeds[JOBS] = {"1", "2"};
  static job alone[JOBS], together[JOBS];
  static char folders[JOBS][4096];
  pthread_t threads[JOBS];
  int level = 0, rank = 0, failed = argc != 2;
  (void)MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
  (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int i = 0; i < ROWS; i++) {
    for (int k = 0; k < FEATURES; k++) x[i][k] = i * (k + 3) % 17 / 8.0 - 1;
    y[i] = x[i][0] * x[i][1] - x[i][2];
  }
  for (int i = 0; i < JOBS && !failed; i++) {
    (void)snprintf(folders[i], sizeof folders[i], "%s/%d", argv[1], i);
    alone[i] = (job){.seed = seeds[i]};
    together[i] = (job){.seed = seeds[i], .out = folders[i]};
    (void)MPI_Comm_dup(MPI_COMM_WORLD, &alone[i].of);
    (void)MPI_Comm_dup(MPI_COMM_WORLD, &together[i].of);
    (void)train(&alone[i]);
  }
  for (int i = 0; i < JOBS && !failed; i++)
    if (pthread_create(&threads[i], NULL, train, &together[i]) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
  for (int i = 0; i < JOBS && !failed; i++) (void)pthread_join(threads[i], NULL);
  for (int i = 0; i < JOBS && !failed; i++)
    if (strcmp(alone[i].result, together[i].result) != 0 || strlen(alone[i].result) != 16)
      failed = printf("seed %s: %s alone, %s together\n", seeds[i], alone[i].result, together[i].result) > 0;
  if (!failed && strcmp(alone[0].result, alone[1].result) == 0) failed = puts("the seeds do not count") >= 0;
  if (!failed && rank == 0) puts(level == MPI_THREAD_MULTIPLE ? "same" : "MPI has no level MULTIPLE");
  (void)MPI_Finalize();
  return failed;
}
