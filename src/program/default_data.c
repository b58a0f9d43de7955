/* The data set used if none is named. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/outcome.h"
#include "program/commands.h"

mlpd_status default_data(char *path, size_t bytes) {
  const char *folders[] = {getenv("MLPDIST_DATA_DIR"), MLPD_DATADIR, MLPD_SOURCE_DATADIR, "datasets"};
  for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
    if (folders[i] == NULL || folders[i][0] == '\0') continue;
    const int length = snprintf(path, bytes, "%s/digits.h5", folders[i]);
    if (length > 0 && (size_t)length < bytes && access(path, R_OK) == 0) return MLPD_OK;
  }
  return outcome_fail(MLPD_ERROR_USAGE, "no --data given, and digits.h5 is not in " MLPD_DATADIR
                                        " or datasets; set MLPDIST_DATA_DIR to its folder");
}
