#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/foreign.h"
#include "base/memory.h"
#include "h5/h5_internal.h"

enum {
  ATTRIBUTES_MOST = 1000,  /* of the root, written beside each other; more would go into a heap */
  DEFLATED_AT_BEST = 1032, /* bytes out of one packed; what claims to hold more is damaged */
};

herr_t h5_refuse_external_link(const char *parent_file, const char *parent_group, const char *child_file,
                               const char *child_object, unsigned *access, hid_t file_access, void *context) {
  (void)parent_file, (void)parent_group, (void)child_file, (void)child_object, (void)access, (void)file_access;
  *(bool *)context = true;
  return -1;
}

static mlpd_status file_allocate(const char *path, h5_file **file) {
  h5_file *made = NULL;
  TRY(memory_allocate(&made, 1, sizeof *made, "an HDF5 file"));
  made->id = H5I_INVALID_HID;
  made->size = UINT64_MAX;
  made->link_access = H5Pcreate(H5P_LINK_ACCESS);
  mlpd_status status = memory_copy_string(path, &made->path);
  if (status == MLPD_OK && (made->link_access < 0 ||
                            H5Pset_elink_cb(made->link_access, h5_refuse_external_link, &made->met_external_link) < 0))
    status = FAIL(MLPD_ERROR_INTERNAL, "%s: HDF5 makes no property list: %s", path, h5_reason());
  if (status != MLPD_OK) {
    h5_id_close(made->link_access);
    free(made->path);
    free(made);
    made = NULL;
  }
  *file = made;
  return status;
}

static void file_free(h5_file *file) {
  h5_id_close(file->link_access);
  free(file->created);
  free(file->path);
  free(file);
}

static hid_t file_access_create(void) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_HAVE_SET_FILE_LOCKING
  if (access >= 0) (void)H5Pset_file_locking(access, false, true);
#endif
  return access;
}

static bool signature_found(const char *path) {
#if H5_VERSION_GE(1, 12, 0)
  const hid_t access = file_access_create();
  const bool found = H5Fis_accessible(path, access) > 0;
  h5_id_close(access);
  return found;
#else
  return H5Fis_hdf5(path) > 0;
#endif
}

/* The size of path, which must be a regular file: to open a pipe would wait. */
static mlpd_status path_check(const char *path, uint64_t *size) {
  struct stat info;
  if (stat(path, &info) != 0) {
    if (errno == ENOENT) return FAIL(MLPD_ERROR_FILE, "%s: no such file", path);
    return FAIL(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is a folder, not an HDF5 file", path);
  if (!S_ISREG(info.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is not a regular file", path);
  *size = (uint64_t)info.st_size;
  return MLPD_OK;
}

/* After HDF5 has failed to open path: what the operating system has against it. HDF5's own words for it are long. */
static mlpd_status readable_check(const char *path) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, strerror(errno));
  (void)close(descriptor);
  return MLPD_OK;
}

h5_identity h5_identity_of(const struct stat *about) {
  return (h5_identity){.inode = about->st_ino,
                       .bytes = (uint64_t)about->st_size,
                       .seconds = about->st_mtim.tv_sec,
                       .nanoseconds = about->st_mtim.tv_nsec};
}

bool h5_identify(const char *path, h5_identity *identity) {
  struct stat about;
  if (stat(path, &about) != 0) return false;
  *identity = h5_identity_of(&about);
  return true;
}

bool h5_identities_equal(const h5_identity *a, const h5_identity *b) {
  return a->inode == b->inode && a->bytes == b->bytes && a->seconds == b->seconds && a->nanoseconds == b->nanoseconds;
}

/* ---- Files open for reading, under H5_ENTER() ---------------------------------------------------------- */

static h5_file *open_files;

static h5_file *find_open(const char *path) {
  h5_identity now;
  for (h5_file *file = open_files; file != NULL; file = file->next)
    if (strcmp(file->path, path) == 0 && h5_identify(path, &now) && h5_identities_equal(&now, &file->identity))
      return file;
  return NULL;
}

static void list_open(h5_file *file) {
  file->users = 1;
  if (!h5_identify(file->path, &file->identity)) return;
  file->next = open_files;
  open_files = file;
}

static void unlist(const h5_file *file) {
  for (h5_file **at = &open_files; *at != NULL; at = &(*at)->next)
    if (*at == file) {
      *at = file->next;
      return;
    }
}

bool h5_is_hdf5(const char *path) {
  H5_ENTER();
  h5_library_start();
  struct stat info; /* asked first: opening a pipe would wait */
  return stat(path, &info) == 0 && S_ISREG(info.st_mode) && signature_found(path);
}

/* The failure that path is another kind of file. */
static mlpd_status fail_foreign(const char *path, uint64_t size) {
  char described[FOREIGN_BYTES];
  if (size == 0) return FAIL(MLPD_ERROR_FILE, "%s: not an HDF5 file: it is empty", path);
  if (!foreign_describe(path, described)) return FAIL(MLPD_ERROR_FILE, "%s: not an HDF5 file", path);
  return FAIL(MLPD_ERROR_FILE, "%s: not an HDF5 file: it %s", path, described);
}

mlpd_status h5_open(const char *path, h5_file **file) {
  H5_ENTER();
  *file = NULL;
  uint64_t size = 0;
  h5_library_start();
  *file = find_open(path);
  if (*file != NULL) {
    (*file)->users++;
    return MLPD_OK;
  }
  TRY(path_check(path, &size));
  if (!h5_trial_spares(path)) { /* else one opening is enough: many ranks open files at once */
    if (!signature_found(path)) {
      TRY(readable_check(path));
      return fail_foreign(path, size);
    }
    TRY(h5_trial(path));
  }
  TRY(h5_open_untried(path, file));
  list_open(*file);
  return MLPD_OK;
}

mlpd_status h5_open_untried(const char *path, h5_file **file) {
  *file = NULL;
  uint64_t size = 0;
  h5_file *opened = NULL;
  TRY(path_check(path, &size));
  TRY(file_allocate(path, &opened));
  opened->size = size;
  const hid_t access = file_access_create();
  (void)H5Pset_driver(access, h5_record_driver(), NULL);
  opened->id = H5Fopen(path, H5F_ACC_RDONLY, access);
  if (opened->id < 0) {
    const char *const reason = h5_reason();
    mlpd_status status = readable_check(path);
    if (status == MLPD_OK) status = FAIL(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, reason);
    h5_id_close(access);
    file_free(opened);
    return status;
  }
  h5_id_close(access);
  *file = opened;
  return MLPD_OK;
}

mlpd_status h5_create(const char *path, h5_file **file) { return h5_create_as(path, path, file); }

mlpd_status h5_create_as(const char *path, const char *name, h5_file **file) {
  H5_ENTER();
  *file = NULL;
  h5_library_start();
  const int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot be created: %s", name, strerror(errno));
  (void)close(descriptor);
  h5_file *made = NULL;
  TRY(file_allocate(name, &made));
  made->writable = true;
  const mlpd_status copied = memory_copy_string(path, &made->created);
  if (copied != MLPD_OK) {
    file_free(made);
    return copied;
  }
  const hid_t access = file_access_create(), creation = H5Pcreate(H5P_FILE_CREATE);
#if H5_VERSION_GE(1, 10, 2)
  /* The format of 2008 has checksums in its headers: HDF5 sees most damage before it follows a damaged address, which
   * crashes it, or a damaged size. */
  (void)H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
#endif
  (void)H5Pset_obj_track_times(creation, false);
  (void)H5Pset_attr_phase_change(creation, ATTRIBUTES_MOST, 0);
  made->id = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  h5_id_close(creation);
  if (made->id < 0) {
    const mlpd_status status = FAIL(MLPD_ERROR_FILE, "%s: cannot be created: %s", name, h5_reason());
    h5_id_close(access);
    file_free(made);
    return status;
  }
  h5_id_close(access);
  *file = made;
  return MLPD_OK;
}

mlpd_status h5_close(h5_file *file) {
  if (file == NULL) return MLPD_OK;
  H5_ENTER();
  if (file->users > 1) {
    file->users--;
    return MLPD_OK;
  }
  unlist(file);
  mlpd_status status = MLPD_OK;
  if (file->failure[0] != '\0') status = FAIL(MLPD_ERROR_FILE, "%s: cannot be written: %s", file->path, file->failure);
  /* Flushed first: H5Fclose leaves the writing to the last open array, whose closing reports nothing. */
  if (file->writable && H5Fflush(file->id, H5F_SCOPE_LOCAL) < 0 && status == MLPD_OK)
    status = FAIL(MLPD_ERROR_FILE, "%s: cannot be written: %s", file->path, h5_reason());
  if (H5Fclose(file->id) < 0 && status == MLPD_OK)
    status = FAIL(MLPD_ERROR_FILE, "%s: cannot be closed: %s", file->path, h5_reason());
  if (file->writable && status == MLPD_OK) h5_trial_spare(file->created);
  file_free(file);
  return status;
}

bool h5_exists(h5_file *file, const char *object) {
  H5_ENTER();
  if (strcmp(object, "/") == 0) return true;
  return H5Lexists(file->id, object, file->link_access) > 0 &&
         H5Oexists_by_name(file->id, object, file->link_access) > 0;
}

bool h5_could_hold(const h5_file *file, double bytes, bool packed) {
  return bytes <= (double)file->size * (packed ? DEFLATED_AT_BEST : 1);
}
