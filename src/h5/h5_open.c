#include <string.h>
#include <sys/stat.h>

#include "base/foreign.h"
#include "h5/h5_internal.h"

static bool signature_found(const char *path) {
#if H5_VERSION_GE(1, 12, 0)
  const hid_t access = h5_file_access_create();
  const bool found = H5Fis_accessible(path, access) > 0;
  h5_id_close(access);
  return found;
#else
  return H5Fis_hdf5(path) > 0;
#endif
}

bool h5_is_hdf5(const char *path) {
  H5_ENTER();
  h5_library_start();
  struct stat info; /* asked first: opening a pipe would wait */
  return stat(path, &info) == 0 && S_ISREG(info.st_mode) && signature_found(path);
}

/* Fails: path is a file of another kind. */
static mlpd_status fail_foreign(const char *path, uint64_t size) {
  char described[FOREIGN_BYTES];
  if (size == 0) return FAIL(MLPD_ERROR_FILE, "%s: not an HDF5 file: it is empty", path);
  if (!foreign_describe(path, described)) return FAIL(MLPD_ERROR_FILE, "%s: not an HDF5 file", path);
  return FAIL(MLPD_ERROR_FILE, "%s: not an HDF5 file: it %s", path, described);
}

/* true if the process that collected `known` read the version of path that is there now. */
static bool tried_elsewhere(const char *path, const h5_metadata *known) {
  file_version now;
  return known != NULL && file_version_get(path, &now) && file_versions_equal(&now, &known->version);
}

static mlpd_status open_tried(const char *path, const h5_opening *how, h5_file **file) {
  uint64_t size = 0;
  TRY(h5_path_check(path, &size));
  if (!tried_elsewhere(path, how->known)) { /* else open it only once: many ranks may do so at the same time */
    if (!signature_found(path)) {
      TRY(h5_readable_check(path));
      return fail_foreign(path, size);
    }
    TRY(h5_trial(path, (h5_image){0}));
  }
  return h5_open_untried(path, how, file);
}

mlpd_status h5_open_as(const char *path, const h5_opening *how, h5_file **file) {
  H5_ENTER();
  *file = NULL;
  h5_library_start();
  const mlpd_status status = open_tried(path, how, file);
  if (how->known != NULL) h5_metadata_free(how->known);
  return status;
}

mlpd_status h5_open(const char *path, h5_file **file) { return h5_open_as(path, &(h5_opening){.known = NULL}, file); }

mlpd_status h5_open_image(const char *name, void *image, size_t bytes, h5_file **file) {
  static const char signature[] = "\211HDF\r\n\032\n";
  H5_ENTER();
  *file = NULL;
  h5_library_start();
  if (bytes < sizeof signature || memcmp(image, signature, sizeof signature - 1) != 0)
    return FAIL(MLPD_ERROR_FILE, "%s: not an HDF5 file", name);
  const h5_image whole = {image, bytes};
  TRY(h5_trial(name, whole));
  return h5_open_image_untried(name, whole, file);
}
