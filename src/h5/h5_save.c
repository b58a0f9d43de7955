#include "base/file_output.h"
#include "h5/h5.h"

mlpd_status h5_save(const char *path, h5_writer *write, const void *content) {
  file_output out;
  h5_file *file = NULL;
  TRY(file_output_open(path, FILE_HDF5, &out));
  mlpd_status status = h5_create_as(out.temporary, path, &file);
  if (status == MLPD_OK) {
    status = write(file, content);
    const mlpd_status closed = h5_close(file);
    if (status == MLPD_OK) status = closed;
  }
  if (status == MLPD_OK) return file_output_commit(&out);
  file_output_discard(&out);
  return status;
}
