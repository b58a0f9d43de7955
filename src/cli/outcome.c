#include "cli/outcome.h"

#include <ctype.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/start_watch.h"

static char own_message[1024];
static int speaker; /* the rank that prints */

mlpd_status outcome_fail(mlpd_status status, const char *format, ...) {
  if (own_message[0] != '\0') return status;
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(own_message, sizeof own_message, format, arguments);
  va_end(arguments);
  mlpd_text_printable(own_message, own_message, sizeof own_message); /* of a config file, perhaps */
  return status;
}

const char *outcome_message(void) { return own_message[0] != '\0' ? own_message : mlpd_error_message(); }

void outcome_forget(void) { own_message[0] = '\0'; }

int outcome_launcher_rank(void) {
  /* Open MPI, PMIx (Slurm, PRRTE), Hydra (MPICH, Intel MPI), plain srun */
  static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    const char *text = getenv(variables[i]);
    if (text != NULL && isdigit((unsigned char)text[0])) return (int)strtol(text, NULL, 10);
  }
  return -1;
}

static void print_stalled(void *context, const char *message) {
  (void)context;
  (void)fprintf(stderr, "mlpdist: note: %s\n", message);
}

mlpd_status outcome_begin(mlpd_status local_status, const stall_options *stall, mlpd_comm **comm) {
  *comm = NULL;
  if (local_status != MLPD_OK && outcome_launcher_rank() < 0) return local_status;
  start_watch_begin(stall, outcome_launcher_rank());
  mlpd_status status = mlpd_comm_init(NULL, NULL, comm);
  start_watch_end();
  if (status != MLPD_OK) return status;
  mlpd_comm_watch(*comm, stall->timeout, stall->abort, print_stalled, NULL);
  /* The library does not know the program's messages, so the rank that has one must print it: rank 0 if it failed,
   * too (a wrong option fails everywhere), else the lowest that did (a config file that one node lacks), which
   * mlpd_comm_agree names. */
  const int rank = mlpd_comm_rank(*comm);
  status = mlpd_comm_agree(*comm, rank == 0 ? local_status : MLPD_OK);
  if (status != MLPD_OK) return status;
  status = mlpd_comm_agree(*comm, local_status);
  if (status == MLPD_OK) return MLPD_OK;
  if (sscanf(mlpd_error_message(), "rank %d of", &speaker) != 1) speaker = rank;
  return status;
}

void outcome_note(const char *message) {
  char line[1200];
  mlpd_text_printable(message, line, sizeof line);
  (void)fprintf(stderr, "mlpdist: note: %s\n", line);
}

bool outcome_is_stdout(const char *path) {
  struct stat named, standard;
  if (strcmp(path, "-") == 0) return true;
  return fstat(STDOUT_FILENO, &standard) == 0 && stat(path, &named) == 0 && named.st_dev == standard.st_dev &&
         named.st_ino == standard.st_ino;
}

bool outcome_reader_left(void) {
  struct stat about;
  if (fstat(STDOUT_FILENO, &about) != 0 || !(S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode))) return false;
  struct pollfd end = {.fd = STDOUT_FILENO, .events = POLLOUT};
  return poll(&end, 1, 0) > 0 && (end.revents & (POLLERR | POLLHUP)) != 0;
}

bool outcome_shows_inside(void) {
  const char *const debug = getenv("MLPDIST_DEBUG");
  return debug != NULL && debug[0] == '1';
}

static void print_failure(void) {
  char line[1200];
  const bool show_place = outcome_shows_inside() && own_message[0] == '\0';
  (void)snprintf(line, sizeof line, "%s%s%s%s", outcome_message(), show_place ? " [" : "",
                 show_place ? mlpd_error_place() : "", show_place ? "]" : "");
  /* A file name may contain anything; the message stays one line without control characters. */
  mlpd_text_printable(line, line, sizeof line);
  (void)fflush(stdout);
  (void)fprintf(stderr, "mlpdist: %s\n", line);
}

static int lose_ranks(mlpd_comm *comm) {
  print_failure();
  if (comm != NULL) mlpd_comm_abort(comm, EXIT_LOST);
  return EXIT_LOST;
}

int outcome_end(mlpd_comm *comm, mlpd_status status) {
  const int exit_status = status == MLPD_OK            ? EXIT_DONE
                          : status == MLPD_ERROR_USAGE ? EXIT_USAGE
                          : status == MLPD_INTERRUPTED ? EXIT_INTERRUPTED
                                                       : EXIT_FAILED;
  if (status == MLPD_ERROR_MPI) return lose_ranks(comm);
  const bool speaks = comm != NULL ? mlpd_comm_rank(comm) == speaker : outcome_launcher_rank() <= 0;
  if (status != MLPD_OK && speaks) print_failure();
  /* MPI_Finalize waits without a watch, so the ranks meet before it. */
  if (comm != NULL && mlpd_comm_agree(comm, MLPD_OK) == MLPD_ERROR_MPI) {
    outcome_forget();
    return lose_ranks(comm);
  }
  mlpd_comm_finalize(comm);
  return exit_status;
}
