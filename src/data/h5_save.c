#include <unistd.h>

#include "base/file.h"
#include "data/h5.h"

mlpd_status h5_save(const char *path, h5_writer *write, const void *content) {
  char temporary[FILE_PATH_BYTES];
  TRY(file_temporary(temporary, path));
  h5_file *file = NULL;
  mlpd_status status = h5_create(temporary, &file);
  if (status == MLPD_OK) {
    status = write(file, content);
    const mlpd_status closed = h5_close(file);
    if (status == MLPD_OK) status = closed;
  }
  if (status != MLPD_OK) {
    (void)unlink(temporary);
    return status;
  }
  return file_commit(temporary, path);
}
