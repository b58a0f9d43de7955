#include <inttypes.h>
#include <sys/stat.h>

#include "h5/h5_internal.h"

mlpd_status h5_became_shorter(const h5_array *array, uint64_t row, uint64_t count, uint64_t left) {
  return FAIL(MLPD_ERROR_FILE,
              "%s: became shorter while rows %" PRIu64 " to %" PRIu64 " of %s were read: %" PRIu64 " of %" PRIu64
              " bytes are left",
              array->file->path, row, row + count - 1, array->object, left, array->file->size);
}

/* HDF5 returns zeros for the missing bytes of a file that became shorter after it was opened. */
mlpd_status h5_check_whole(const h5_array *array, uint64_t row, uint64_t count) {
  const h5_file *const file = array->file;
  const int *descriptor = NULL;
  struct stat about;
  if (file->writable || H5Fget_vfd_handle(file->id, H5P_DEFAULT, (void **)&descriptor) < 0 || descriptor == NULL ||
      fstat(*descriptor, &about) != 0 || (uint64_t)about.st_size >= file->size)
    return MLPD_OK;
  return h5_became_shorter(array, row, count, (uint64_t)about.st_size);
}
