#define COMM_WAITS_AT_ONCE /* for nonblocking collectives, see comm_simulated.h */
#include "ranks/comm.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/locale.h"
#include "base/memory.h"
#include "ranks/comm_internal.h"

/* ---- Start and end ------------------------------------------------------------------------------ */

typedef struct mpi_setting {
  const char *variable, *value;
} mpi_setting;

/* Settings that make Open MPI start faster. Without a launcher it needs neither a daemon nor a search for networks,
 * which take ten times as long as everything else in a small run (0.28 s against 0.02 s). If all ranks are on one
 * machine, it need not search for the transport that it would choose anyway (0.24 s against 0.03 s); and where the
 * machine has IPv4 and IPv6, Open MPI 5 says for each pair of ranks that no interfaces reach each other, unless they
 * are matched by address and not by the routing table. Nor does one process need Open MPI's session folder, which all
 * such processes of a user share: one that ends could remove it while another starts, whose MPI_Init then failed.
 * Settings of the user are kept. */
static const mpi_setting lone_settings[] = {{"OMPI_MCA_pml", "ob1"},
                                            {"OMPI_MCA_reachable", "weighted"},
                                            {"OMPI_MCA_ess_singleton_isolated", "1"},
                                            {"OMPI_MCA_btl", "self"},
                                            {"OMPI_MCA_orte_create_session_dirs", "0"}};
enum { MOST_SETTINGS = sizeof lone_settings / sizeof *lone_settings, SETTINGS_OF_ONE_MACHINE = 2 };

/* The number of settings that apply. */
static int known_settings(void) {
#ifdef OPEN_MPI
  static const char *const variables[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_FD", "SLURM_PROCID"};
  const char *const all = getenv("OMPI_COMM_WORLD_SIZE"), *const local = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  if (all != NULL && local != NULL) return strcmp(all, local) == 0 ? SETTINGS_OF_ONE_MACHINE : 0;
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
    if (getenv(variables[i]) != NULL) return 0;
  return MOST_SETTINGS;
#else
  return 0;
#endif
}

/* MPI_Init_thread, with the settings that apply. */
static int initialize(int *argc, char ***argv, int *provided) {
  /* The child process that tries an HDF5 file (h5/h5_internal.h) does not call MPI, so Open MPI's warning about fork is
   * not needed. */
  (void)setenv("OMPI_MCA_mpi_warn_on_fork", "0", 0);
  bool set[MOST_SETTINGS] = {false};
  const int known = known_settings();
  for (int i = 0; i < known; i++) {
    set[i] = getenv(lone_settings[i].variable) == NULL;
    (void)setenv(lone_settings[i].variable, lone_settings[i].value, 0);
  }
  const int code = MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, provided);
  for (int i = 0; i < known; i++)
    if (set[i]) (void)unsetenv(lone_settings[i].variable);
  return code;
}

static mlpd_status start_mpi(int *argc, char ***argv, bool *owns) {
  int initialized = 0, finalized = 0, provided = 0;
  *owns = false;
  CHECK_MPI(MPI_Finalized(&finalized));
  if (finalized) return FAIL(MLPD_ERROR_MPI, "MPI_Init_thread: MPI has been finalised and cannot start again");
  CHECK_MPI(MPI_Initialized(&initialized));
  if (initialized) return MLPD_OK; /* a plain MPI_Init serves, too: this thread alone calls MPI */
  const int code = initialize(argc, argv, &provided);
  if (code != MPI_SUCCESS) return comm_mpi_failed(code, "MPI_Init_thread", __FILE__, __LINE__);
  *owns = true;
#ifdef SMPI_H
  provided = MPI_THREAD_FUNNELED; /* SimGrid's simulated MPI says none, but the threads of a rank never call it */
#endif
  if (provided < MPI_THREAD_FUNNELED)
    return FAIL(MLPD_ERROR_MPI, "MPI_Init_thread: this MPI library allows no threads (level %d), but OpenMP needs them",
                provided);
  return MLPD_OK;
}

/* Finds out whether all ranks run on one machine. */
static mlpd_status find_neighbours(mlpd_comm *comm) {
  MPI_Comm neighbours = MPI_COMM_NULL;
  int number = 0;
  CHECK_MPI(MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &neighbours));
  CHECK_MPI(MPI_Comm_size(neighbours, &number));
  CHECK_MPI(MPI_Comm_free(&neighbours));
  comm->sums.shares = comm->size > 1 && number == comm->size;
  return MLPD_OK;
}

/* Allocated at the start, so that no rank can fail alone between two collectives later. */
static mlpd_status allocate_lists(mlpd_comm *comm) {
  TRY(memory_allocate(&comm->counts, (size_t)comm->size, sizeof *comm->counts, "message lengths"));
  TRY(memory_allocate(&comm->offsets, (size_t)comm->size, sizeof *comm->offsets, "message offsets"));
  TRY(memory_allocate(&comm->hosts, (size_t)comm->size, sizeof comm->host, "names of hosts"));
  return comm->size > 1 ? comm_watch_allocate(comm) : MLPD_OK;
}

comm_sums comm_usual_sums(void) {
  return (comm_sums){.gather_bytes = COMM_GATHER_BYTES,
                     .pull_bytes = COMM_PULL_BYTES,
                     .direct_nodes = COMM_DIRECT_NODES,
                     .halving_ranks = COMM_HALVING_RANKS,
                     .bucket_bytes = COMM_BUCKET_BYTES,
                     .slice_bytes = COMM_SLICE_BYTES,
                     .sum_bytes = COMM_SUM_BYTES};
}

static mlpd_status make_communicator(mlpd_comm **made) {
  TRY(memory_allocate(made, 1, sizeof **made, "communicator"));
  (*made)->mpi = MPI_COMM_NULL;
  (*made)->size = 1;
  (*made)->piece_bytes = COMM_PIECE_BYTES;
  (*made)->sums = comm_usual_sums();
  return MLPD_OK;
}

/* Rank, size and host, by comm->mpi. */
static mlpd_status find_place(mlpd_comm *comm) {
  int length = 0;
  CHECK_MPI(MPI_Comm_rank(comm->mpi, &comm->rank));
  CHECK_MPI(MPI_Comm_size(comm->mpi, &comm->size));
  CHECK_MPI(MPI_Get_processor_name(comm->host, &length));
  return MLPD_OK;
}

/* Duplicates `of`, which the ranks also use to agree that each has memory for *made: none may wait in a collective call
 * for one that failed. *made may be there on failure, too. Collective. */
static mlpd_status open_communicator(MPI_Comm of, mlpd_comm **made) {
  mlpd_comm before = {.mpi = of};
  TRY(find_place(&before));
  TRY(mlpd_comm_agree(&before, make_communicator(made)));
  mlpd_comm *const comm = *made;
  CHECK_MPI(MPI_Comm_dup(of, &comm->mpi));
  CHECK_MPI(MPI_Comm_set_errhandler(comm->mpi, MPI_ERRORS_RETURN));
  TRY(find_place(comm));
  TRY(mlpd_comm_agree(comm, allocate_lists(comm)));
  CHECK_MPI(MPI_Allgather(comm->host, (int)sizeof comm->host, MPI_CHAR, comm->hosts, (int)sizeof comm->host, MPI_CHAR,
                          comm->mpi));
  if (comm->size == 1) return MLPD_OK;
  TRY(find_neighbours(comm));
  return comm_watch_open(comm);
}

mlpd_status mlpd_comm_init(int *argc, char ***argv, mlpd_comm **comm) {
  IN_C_LOCALE();
  NEED(comm);
  mlpd_comm *made = NULL;
  bool owns_mpi = false;
  *comm = NULL;
  mlpd_status status = start_mpi(argc, argv, &owns_mpi);
  if (status == MLPD_OK) status = open_communicator(MPI_COMM_WORLD, &made);
  if (made != NULL) made->owns_mpi = owns_mpi;
  if (status == MLPD_OK) {
    *comm = made;
    return MLPD_OK;
  }
  if (made == NULL && owns_mpi) (void)MPI_Finalize();
  mlpd_comm_finalize(made);
  return status;
}

mlpd_status mlpd_comm_from(int fortran_handle, mlpd_comm **comm) {
  IN_C_LOCALE();
  mlpd_comm *made = NULL;
  int initialized = 0, finalized = 0, between = 0;
  NEED(comm);
  *comm = NULL;
  CHECK_MPI(MPI_Initialized(&initialized));
  CHECK_MPI(MPI_Finalized(&finalized));
  if (!initialized || finalized)
    return FAIL(MLPD_ERROR_USAGE, "MPI is not running: call MPI_Init before, or use mlpd_comm_alone()");
  const MPI_Comm of = MPI_Comm_f2c(fortran_handle);
  if (of == MPI_COMM_NULL) return FAIL(MLPD_ERROR_USAGE, "the communicator %d is MPI_COMM_NULL", fortran_handle);
  CHECK_MPI(MPI_Comm_test_inter(of, &between));
  if (between) return FAIL(MLPD_ERROR_USAGE, "an intercommunicator has two groups of ranks; give one of one group");
  const mlpd_status status = open_communicator(of, &made);
  if (status == MLPD_OK)
    *comm = made;
  else
    mlpd_comm_finalize(made);
  return status;
}

mlpd_status mlpd_comm_alone(mlpd_comm **comm) {
  IN_C_LOCALE();
  mlpd_comm *made = NULL;
  NEED(comm);
  *comm = NULL;
  TRY(make_communicator(&made));
  if (gethostname(made->host, sizeof made->host - 1) != 0) (void)snprintf(made->host, sizeof made->host, "localhost");
  const mlpd_status status = allocate_lists(made);
  if (status == MLPD_OK) {
    memcpy(made->hosts, made->host, sizeof made->host);
    *comm = made;
  } else {
    mlpd_comm_finalize(made);
  }
  return status;
}

void mlpd_comm_finalize(mlpd_comm *comm) {
  if (comm == NULL) return;
  int finalized = 0; /* by the program, before its communicators: then nothing of MPI's may be freed */
  if (comm->mpi != MPI_COMM_NULL) (void)MPI_Finalized(&finalized);
  if (!finalized) comm_watch_free(comm);
  /* A failure here can no longer be reported. */
  if (!finalized && comm->mpi != MPI_COMM_NULL) (void)MPI_Comm_free(&comm->mpi);
  if (!finalized && comm->owns_mpi) (void)MPI_Finalize();
  free(comm->counts);
  free(comm->offsets);
  free(comm->hosts);
  free(comm);
}

int mlpd_comm_rank(const mlpd_comm *comm) { return comm->rank; }

int mlpd_comm_size(const mlpd_comm *comm) { return comm->size; }

const char *comm_host(const mlpd_comm *comm) { return comm->host; }

bool comm_shares_memory(const mlpd_comm *comm) { return comm->sums.shares; }

void mlpd_comm_abort(mlpd_comm *comm, int exit_code) {
  if (comm != NULL && comm->mpi == MPI_COMM_NULL) _exit(exit_code); /* mlpd_comm_alone(): there is no MPI to end */
  (void)MPI_Abort(comm != NULL ? comm->mpi : MPI_COMM_WORLD, exit_code);
  abort(); /* MPI_Abort should not return; if it does, this rank still ends */
}

/* ---- Failing together --------------------------------------------------------------------------- */

typedef struct failure {
  int status, line;
  char file[128];
  char message[COMM_MESSAGE_BYTES];
} failure;

/* This thread's last failure, with its place "file:line" split into file and line. */
static failure describe_failure(mlpd_status status) {
  failure mine = {.status = (int)status, .line = 0};
  const char *place = mlpd_error_place();
  const char *colon = strrchr(place, ':');
  const size_t length = colon != NULL ? (size_t)(colon - place) : strlen(place);
  (void)snprintf(mine.file, sizeof mine.file, "%.*s", (int)length, place);
  if (colon != NULL) mine.line = (int)strtol(colon + 1, NULL, 10);
  (void)snprintf(mine.message, sizeof mine.message, "%s", mlpd_error_message());
  return mine;
}

mlpd_status mlpd_comm_agree(mlpd_comm *comm, mlpd_status local_status) {
  IN_C_LOCALE();
  NEED(comm);
  if (comm->size == 1) return local_status;
  const int candidate = local_status == MLPD_OK ? comm->size : comm->rank;
  int lowest = comm->size;
  MPI_Request request;
  CHECK_MPI(MPI_Iallreduce(&candidate, &lowest, 1, MPI_INT, MPI_MIN, comm->mpi, &request));
  TRY(comm_wait(comm, 1, &request));
  if (lowest == comm->size) return MLPD_OK;

  failure agreed = {.status = MLPD_OK};
  if (lowest == comm->rank) {
    const bool prefixed = comm->agreed[0] != '\0' && strstr(mlpd_error_message(), comm->agreed) != NULL;
    if (!prefixed) (void)status_prefix(local_status, "rank %d of %d on %s: ", comm->rank, comm->size, comm->host);
    agreed = describe_failure(local_status);
  }
  CHECK_MPI(MPI_Ibcast(&agreed, (int)sizeof agreed, MPI_BYTE, lowest, comm->mpi, &request));
  TRY(comm_wait(comm, 1, &request));
  memcpy(comm->agreed, agreed.message, sizeof comm->agreed);
  return status_record((mlpd_status)agreed.status, agreed.file, agreed.line, "%s", agreed.message);
}

/* ---- Collectives -------------------------------------------------------------------------------- */

mlpd_status comm_broadcast(mlpd_comm *comm, void *data, uint64_t bytes, int root) {
  char *next = data;
  while (bytes > 0 && comm->size > 1) {
    const uint64_t piece = bytes < comm->piece_bytes ? bytes : comm->piece_bytes;
    MPI_Request request;
    CHECK_MPI(MPI_Ibcast(next, (int)piece, MPI_BYTE, root, comm->mpi, &request));
    TRY(comm_wait(comm, 1, &request));
    next += piece;
    bytes -= piece;
  }
  return MLPD_OK;
}

mlpd_status comm_move(mlpd_comm *comm, void *data, uint64_t bytes, int from, int to) {
  char *next = data;
  while (bytes > 0 && from != to && (comm->rank == from || comm->rank == to)) {
    const uint64_t piece = bytes < comm->piece_bytes ? bytes : comm->piece_bytes;
    MPI_Request request;
    if (comm->rank == from)
      CHECK_MPI(MPI_Isend(next, (int)piece, MPI_BYTE, to, 0, comm->mpi, &request));
    else
      CHECK_MPI(MPI_Irecv(next, (int)piece, MPI_BYTE, from, 0, comm->mpi, &request));
    TRY(comm_wait(comm, 1, &request));
    next += piece;
    bytes -= piece;
  }
  return MLPD_OK;
}

/* Replaces values (count elements of size bytes) by their combination with op over all ranks. */
static mlpd_status all_reduce(mlpd_comm *comm, void *values, uint64_t count, size_t size, MPI_Datatype type,
                              MPI_Op op) {
  const uint64_t longest = comm->piece_bytes > size ? comm->piece_bytes / size : 1;
  char *next = values;
  while (count > 0 && comm->size > 1) {
    const uint64_t piece = count < longest ? count : longest;
    MPI_Request request;
    CHECK_MPI(MPI_Iallreduce(MPI_IN_PLACE, next, (int)piece, type, op, comm->mpi, &request));
    TRY(comm_wait(comm, 1, &request));
    next += piece * size;
    count -= piece;
  }
  return MLPD_OK;
}

mlpd_status comm_sum_u64(mlpd_comm *comm, uint64_t *values, uint64_t count) {
  return all_reduce(comm, values, count, sizeof *values, MPI_UINT64_T, MPI_SUM);
}

mlpd_status comm_max_double(mlpd_comm *comm, double *values, uint64_t count) {
  return all_reduce(comm, values, count, sizeof *values, MPI_DOUBLE, MPI_MAX);
}

mlpd_status comm_min_max_double(mlpd_comm *comm, double *minimum, double *maximum) {
  double both[2] = {-*minimum, *maximum}; /* one message: min(x) = -max(-x) */
  TRY(comm_max_double(comm, both, 2));
  *minimum = -both[0];
  *maximum = both[1];
  return MLPD_OK;
}

static mlpd_status gather_whole(mlpd_comm *comm, const void *local, const uint64_t *bytes, void *all) {
  int offset = 0;
  for (int rank = 0; rank < comm->size; ++rank) {
    comm->counts[rank] = (int)bytes[rank];
    comm->offsets[rank] = offset;
    offset += comm->counts[rank];
  }
  MPI_Request request;
  CHECK_MPI(MPI_Iallgatherv(local, comm->counts[comm->rank], MPI_BYTE, all, comm->counts, comm->offsets, MPI_BYTE,
                            comm->mpi, &request));
  return comm_wait(comm, 1, &request);
}

mlpd_status comm_gather_all(mlpd_comm *comm, const void *local, const uint64_t *bytes, void *all) {
  uint64_t total = 0;
  for (int rank = 0; rank < comm->size; ++rank) total += bytes[rank];
  if (comm->size == 1) {
    if (total > 0) memcpy(all, local, total);
    return MLPD_OK;
  }
  if (total <= comm->piece_bytes) return gather_whole(comm, local, bytes, all);
  /* Offsets would not fit MPI's int: each rank's bytes are sent separately, in pieces. */
  char *next = all;
  for (int rank = 0; rank < comm->size; ++rank) {
    if (rank == comm->rank && bytes[rank] > 0) memcpy(next, local, bytes[rank]);
    TRY(comm_broadcast(comm, next, bytes[rank], rank));
    next += bytes[rank];
  }
  return MLPD_OK;
}

mlpd_status comm_gather_equal(mlpd_comm *comm, const void *local, uint64_t bytes, const char *what, void *all) {
  const size_t size = (size_t)comm->size;
  uint64_t *each = NULL;
  void *gathered = NULL;
  mlpd_status status = memory_allocate(&gathered, size, bytes, what);
  memcpy(all, &gathered, sizeof gathered);
  if (status == MLPD_OK) status = memory_allocate(&each, size, sizeof *each, what);
  status = mlpd_comm_agree(comm, status);
  for (size_t rank = 0; status == MLPD_OK && rank < size; rank++) each[rank] = bytes;
  if (status == MLPD_OK) status = comm_gather_all(comm, local, each, gathered);
  free(each);
  return status;
}

mlpd_status comm_barrier(mlpd_comm *comm) {
  MPI_Request request;
  if (comm->size == 1) return MLPD_OK;
  CHECK_MPI(MPI_Ibarrier(comm->mpi, &request));
  return comm_wait(comm, 1, &request);
}
