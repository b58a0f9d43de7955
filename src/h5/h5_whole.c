#include <inttypes.h>
#include <sys/stat.h>

#include "h5/h5_internal.h"

mlpd_status h5_became_shorter(const h5_array *array, uint64_t row, uint64_t count, uint64_t left) {
  return FAIL(MLPD_ERROR_FILE,
              "%s: became shorter while rows %" PRIu64 " to %" PRIu64 " of %s were read: %" PRIu64 " of %" PRIu64
              " bytes are left",
              array->file->path, row, row + count - 1, array->object, left, array->file->size);
}

/* The descriptor of a file that is only read, or -1. */
static int descriptor_of(const h5_file *file) {
  const int *descriptor = NULL;
  if (file->writable || file->in_memory || H5Fget_vfd_handle(file->id, H5P_DEFAULT, (void **)&descriptor) < 0 ||
      descriptor == NULL)
    return -1;
  return *descriptor;
}

void h5_note_version(h5_file *file) {
  struct stat about;
  if (fstat(descriptor_of(file), &about) != 0) return;
  file->version = file_version_of(&about);
  file->size = (uint64_t)about.st_size; /* another file may have taken the path since its size was asked */
}

mlpd_status h5_check_descriptor(const h5_array *array, int descriptor, uint64_t row, uint64_t count) {
  const h5_file *const file = array->file;
  struct stat about;
  if (fstat(descriptor, &about) != 0) return MLPD_OK;
  if ((uint64_t)about.st_size < file->size) return h5_became_shorter(array, row, count, (uint64_t)about.st_size);
  const file_version now = file_version_of(&about);
  if (file->version.inode == 0 || file_versions_equal(&now, &file->version)) return MLPD_OK;
  return FAIL(MLPD_ERROR_FILE,
              "%s: was changed while it was read (now at rows %" PRIu64 " to %" PRIu64
              " of %s); start again when nothing writes to it",
              file->path, row, row + count - 1, array->object);
}

/* HDF5 returns zeros for the missing bytes of a file that became shorter after it was opened. */
mlpd_status h5_check_whole(const h5_array *array, uint64_t row, uint64_t count) {
  return h5_check_descriptor(array, descriptor_of(array->file), row, count);
}
