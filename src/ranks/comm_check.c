#include "ranks/comm_internal.h"

#include <string.h>

mlpd_status comm_mpi_failed(int code, const char *call, const char *file, int line) {
  char text[MPI_MAX_ERROR_STRING + 1] = "unknown error";
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) (void)snprintf(text, sizeof text, "error %d", code);
  for (char *c = text; *c != '\0'; ++c)
    if (*c == '\n') *c = ' ';
  return status_record(MLPD_ERROR_MPI, file, line, "%.*s: %s", (int)strcspn(call, "("), call, text);
}

const char *comm_host_of(const mlpd_comm *comm, int rank) { return comm->hosts + (size_t)rank * sizeof comm->host; }
