#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "h5/h5_internal.h"

enum {
  MEMORY_STEP_BYTES = 1 << 20, /* by which a file in memory grows */
  MEMORY_NAME_BYTES = 64,
  ATTRIBUTES_MOST = 1000,  /* attributes in the root's header; HDF5 would move more of them into a heap */
  DEFLATED_AT_BEST = 1032, /* deflate's highest ratio: an array that claims a higher one is damaged */
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
  made->users = 1;
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
  h5_lent_free(file);
  free(file->path);
  free(file);
}

hid_t h5_file_access_create(void) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_HAVE_SET_FILE_LOCKING
  if (access >= 0) (void)H5Pset_file_locking(access, false, true);
#endif
  return access;
}

/* Of a run, the user may mean its model. */
static mlpd_status fail_folder(const char *path) {
  char model[4096];
  const size_t length = strlen(path);
  const bool ends = length > 0 && path[length - 1] == '/';
  const int used = snprintf(model, sizeof model, "%s%smodel.h5", path, ends ? "" : "/");
  if (used > 0 && (size_t)used < sizeof model && access(model, R_OK) == 0)
    return FAIL(MLPD_ERROR_FILE, "%s: is a folder, not an HDF5 file; its model is %s", path, model);
  return FAIL(MLPD_ERROR_FILE, "%s: is a folder, not an HDF5 file", path);
}

mlpd_status h5_path_check(const char *path, uint64_t *size) {
  struct stat info;
  if (stat(path, &info) != 0) {
    if (errno == ENOENT) return FAIL(MLPD_ERROR_FILE, "%s: no such file", path);
    return FAIL(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) return fail_folder(path);
  if (!S_ISREG(info.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is not a regular file", path);
  *size = (uint64_t)info.st_size;
  return MLPD_OK;
}

mlpd_status h5_readable_check(const char *path) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, strerror(errno));
  (void)close(descriptor);
  return MLPD_OK;
}

mlpd_status h5_open_untried(const char *path, const h5_opening *how, h5_file **file) {
  *file = NULL;
  uint64_t size = 0;
  h5_file *opened = NULL;
  TRY(h5_path_check(path, &size));
  TRY(file_allocate(path, &opened));
  opened->size = size;
  const hid_t access = h5_file_access_create();
  h5_driver_set(access, how);
  opened->id = H5Fopen(path, H5F_ACC_RDONLY, access);
  if (opened->id < 0) {
    const char *const reason = h5_reason();
    mlpd_status status = h5_readable_check(path);
    if (status == MLPD_OK) status = FAIL(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, reason);
    h5_id_close(access);
    file_free(opened);
    return status;
  }
  h5_id_close(access);
  h5_note_version(opened);
  *file = opened;
  return MLPD_OK;
}

mlpd_status h5_create(const char *path, h5_file **file) { return h5_create_as(path, path, file); }

/* At path, in messages name; access says where it is kept. */
static mlpd_status create_with(const char *path, const char *name, hid_t access, h5_file *made) {
  made->writable = true;
  const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
#if H5_VERSION_GE(1, 10, 2)
  /* The format of 2008 (HDF5 1.8) has checksums in its headers. With them HDF5 detects most damage before it follows a
   * damaged address, which would crash it, or a damaged size. */
  (void)H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
#endif
  (void)H5Pset_obj_track_times(creation, false);
  (void)H5Pset_attr_phase_change(creation, ATTRIBUTES_MOST, 0);
  made->id = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  h5_id_close(creation);
  if (made->id < 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot be created: %s", name, h5_reason());
  return MLPD_OK;
}

/* Hands made over or, after a failure, frees it. */
static mlpd_status give(mlpd_status status, h5_file *made, h5_file **file) {
  if (status == MLPD_OK)
    *file = made;
  else
    file_free(made);
  return status;
}

mlpd_status h5_create_as(const char *path, const char *name, h5_file **file) {
  H5_ENTER();
  *file = NULL;
  h5_file *made = NULL;
  h5_library_start();
  const int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot be created: %s", name, strerror(errno));
  (void)close(descriptor);
  TRY(file_allocate(name, &made));
  const hid_t access = h5_file_access_create();
  h5_driver_set_writing(access, &made->write_error);
  const mlpd_status status = create_with(path, name, access, made);
  h5_id_close(access);
  return give(status, made, file);
}

/* HDF5 knows open files by their names. */
static void name_memory(char path[MEMORY_NAME_BYTES]) {
  static uint64_t number;
  (void)snprintf(path, MEMORY_NAME_BYTES, "mlpdist-memory-%llu", (unsigned long long)number++);
}

mlpd_status h5_open_image_untried(const char *name, h5_image image, h5_file **file) {
  *file = NULL;
  h5_file *opened = NULL;
  char path[MEMORY_NAME_BYTES];
  name_memory(path);
  TRY(file_allocate(name, &opened));
  opened->size = image.count;
  opened->in_memory = true;
  const hid_t access = h5_file_access_create();
  (void)H5Pset_fapl_core(access, MEMORY_STEP_BYTES, false);
  const bool set = H5Pset_file_image(access, image.bytes, image.count) >= 0;
  opened->id = set ? H5Fopen(path, H5F_ACC_RDONLY, access) : H5I_INVALID_HID;
  mlpd_status status = MLPD_OK;
  if (opened->id < 0) status = FAIL(MLPD_ERROR_FILE, "%s: cannot be opened: %s", name, h5_reason());
  h5_id_close(access);
  return give(status, opened, file);
}

mlpd_status h5_create_in_memory(const char *name, h5_file **file) {
  H5_ENTER();
  *file = NULL;
  h5_file *made = NULL;
  char path[MEMORY_NAME_BYTES];
  h5_library_start();
  name_memory(path);
  TRY(file_allocate(name, &made));
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  (void)H5Pset_fapl_core(access, MEMORY_STEP_BYTES, false);
  const mlpd_status status = create_with(path, name, access, made);
  h5_id_close(access);
  return give(status, made, file);
}

h5_file *h5_share(h5_file *file) {
  H5_ENTER();
  file->users++;
  return file;
}

mlpd_status h5_close(h5_file *file) {
  if (file == NULL) return MLPD_OK;
  H5_ENTER();
  if (--file->users > 0) return MLPD_OK;
  mlpd_status status = MLPD_OK;
  if (file->failure[0] != '\0') status = FAIL(MLPD_ERROR_FILE, "%s: cannot be written: %s", file->path, file->failure);
  /* Flush first: with an array still open, H5Fclose would leave the writing to that array's close, whose errors get
   * lost. */
  if (file->writable && H5Fflush(file->id, H5F_SCOPE_LOCAL) < 0 && status == MLPD_OK)
    status = FAIL(MLPD_ERROR_FILE, "%s: cannot be written: %s", file->path, h5_reason());
  if (H5Fclose(file->id) < 0 && status == MLPD_OK)
    status = FAIL(MLPD_ERROR_FILE, "%s: cannot be closed: %s", file->path, h5_reason());
  if (status == MLPD_OK) status = h5_written_check(file, NULL);
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
