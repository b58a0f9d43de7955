/* The HDF5 driver of all files on disk. Like H5FD_SEC2 it uses one descriptor, pread() and pwrite(), with two
 * additions:
 *
 * - In files that are read it can record the metadata that HDF5 reads, and answer reads from the records of another
 *   process that opened the same version of the file. When many ranks open one file, its servers then see one open()
 *   per rank and no reads. Each record is two numbers, offset and count of bytes, then the bytes, padded to a multiple
 *   of 8.
 * - In files that are written HDF5 never learns of a failed write, such as on a full disk: HDF5 1.14.5 crashes after it
 *   (H5Fflush follows the identifier of an array whose creation failed). The driver notes the first failure, for
 *   h5_written_check and h5_close to report; the caller then removes the file. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h5/h5_internal.h"
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

void h5_metadata_free(h5_metadata *m) {
  free(m->records);
  *m = (h5_metadata){0};
}

enum {
  RECORD_BYTES = 64 << 10, /* largest read of metadata that is recorded */
  NUMBERS_BYTES = 4 << 10, /* largest read from an array that is recorded: class names are such an array */
  RECORDS_BYTES = 1 << 20, /* size limit of all records */
};

typedef struct record_head {
  uint64_t place, bytes;
} record_head;

/* What h5_driver_set and h5_driver_set_writing hand to driver_open; HDF5 copies it. */
typedef struct driver_options {
  h5_opening how; /* for files that are read */
  int *error;     /* for files that are written: set to the errno of the first failure */
} driver_options;

typedef struct driver_file {
  H5FD_t base; /* HDF5's part, at the start */
  int descriptor;
  int *error; /* as in driver_options */
  haddr_t end_allocated, end;
  dev_t device;
  ino_t inode;
  bool keeps;        /* record reads in `kept` */
  h5_metadata kept;  /* records of this process */
  h5_metadata known; /* records of another process */
} driver_file;

/* ---- Records ----------------------------------------------------------------------------------------- */

static uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

static void keep(driver_file *f, H5FD_mem_t kind, haddr_t place, size_t bytes, const void *read) {
  const uint64_t more = sizeof(record_head) + padded(bytes);
  if (!f->keeps || bytes > (kind == H5FD_MEM_DRAW ? NUMBERS_BYTES : RECORD_BYTES) ||
      f->kept.bytes + more > RECORDS_BYTES)
    return;
  char *const grown = realloc(f->kept.records, f->kept.bytes + more);
  if (grown == NULL) return;
  const record_head head = {place, bytes};
  f->kept.records = grown;
  memset(grown + f->kept.bytes, 0, more);
  memcpy(grown + f->kept.bytes, &head, sizeof head);
  memcpy(grown + f->kept.bytes + sizeof head, read, bytes);
  f->kept.bytes += more;
}

static const char *find_known(const driver_file *f, haddr_t place, size_t bytes) {
  for (uint64_t at = 0; at < f->known.bytes;) {
    record_head head;
    memcpy(&head, f->known.records + at, sizeof head);
    const char *const data = f->known.records + at + sizeof head;
    if (place >= head.place && place - head.place <= head.bytes && bytes <= head.bytes - (place - head.place))
      return data + (place - head.place);
    at += sizeof head + padded(head.bytes);
  }
  return NULL;
}

static void take_known(driver_file *f, h5_metadata *known) {
  if (known == NULL || !file_versions_equal(&f->kept.version, &known->version)) return;
  f->known = *known;
  *known = (h5_metadata){.bytes = 0};
}

/* ---- Callbacks for HDF5: negative or NULL on failure ----------------------------------------------------- */

static int open_flags(unsigned flags) {
  return ((flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY) | ((flags & H5F_ACC_CREAT) != 0 ? O_CREAT : 0) |
         ((flags & H5F_ACC_TRUNC) != 0 ? O_TRUNC : 0) | ((flags & H5F_ACC_EXCL) != 0 ? O_EXCL : 0) | O_CLOEXEC;
}

static H5FD_t *driver_open(const char *path, unsigned flags, hid_t access, haddr_t maximum) {
  (void)maximum;
  struct stat about;
  const driver_options *const options = H5Pget_driver_info(access);
  if ((flags & H5F_ACC_RDWR) != 0 && (options == NULL || options->error == NULL)) return NULL;
  driver_file *const f = calloc(1, sizeof *f);
  if (f == NULL) return NULL;
  f->descriptor = open(path, open_flags(flags), 0666);
  if (f->descriptor < 0 || fstat(f->descriptor, &about) != 0) {
    if (f->descriptor >= 0) (void)close(f->descriptor);
    free(f);
    return NULL;
  }
  f->end = (haddr_t)about.st_size;
  f->device = about.st_dev;
  f->inode = about.st_ino;
  f->kept.version = file_version_of(&about);
  f->keeps = options != NULL && options->how.records;
  f->error = options != NULL ? options->error : NULL;
  take_known(f, options != NULL ? options->how.known : NULL);
  return &f->base;
}

static driver_file *of_base(const H5FD_t *base) { return (driver_file *)(void *)base; }

static void note_error(driver_file *f, int error) {
  if (f->error != NULL && *f->error == 0) *f->error = error;
}

static herr_t driver_close(H5FD_t *base) {
  driver_file *const f = of_base(base);
  if (close(f->descriptor) != 0) note_error(f, errno); /* some file systems (NFS) tell a full disk here */
  h5_metadata_free(&f->kept);
  h5_metadata_free(&f->known);
  free(f);
  return 0;
}

static int driver_compare(const H5FD_t *one, const H5FD_t *other) {
  const driver_file *const a = of_base(one), *const b = of_base(other);
  if (a->device != b->device) return a->device < b->device ? -1 : 1;
  return a->inode == b->inode ? 0 : a->inode < b->inode ? -1 : 1;
}

static herr_t driver_query(const H5FD_t *base, unsigned long *flags) {
  (void)base;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_POSIX_COMPAT_HANDLE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t driver_get_eoa(const H5FD_t *base, H5FD_mem_t kind) {
  (void)kind;
  return of_base(base)->end_allocated;
}

static herr_t driver_set_eoa(H5FD_t *base, H5FD_mem_t kind, haddr_t place) {
  (void)kind;
  of_base(base)->end_allocated = place;
  return 0;
}

static haddr_t driver_get_eof(const H5FD_t *base, H5FD_mem_t kind) {
  (void)kind;
  return of_base(base)->end;
}

static herr_t driver_get_handle(H5FD_t *base, hid_t access, void **handle) {
  (void)access;
  *handle = &of_base(base)->descriptor;
  return 0;
}

/* Bytes beyond the end of the file read as 0, as with HDF5's own drivers. */
static herr_t driver_read(H5FD_t *base, H5FD_mem_t kind, hid_t transfer, haddr_t place, size_t bytes, void *out) {
  (void)transfer;
  driver_file *const f = of_base(base);
  size_t done = 0;
  if (place > INT64_MAX || bytes > INT64_MAX - place) return -1;
  const char *const known = find_known(f, place, bytes);
  if (known != NULL) memcpy(out, known, bytes);
  while (known == NULL && done < bytes) {
    const ssize_t got = pread(f->descriptor, (char *)out + done, bytes - done, (off_t)(place + done));
    if (got < 0 && errno != EINTR) return -1;
    if (got == 0) memset((char *)out + done, 0, bytes - done);
    if (got == 0) break;
    if (got > 0) done += (size_t)got;
  }
  keep(f, kind, place, bytes, out);
  return 0;
}

static herr_t driver_write(H5FD_t *base, H5FD_mem_t kind, hid_t transfer, haddr_t place, size_t bytes,
                           const void *data) {
  (void)kind, (void)transfer;
  driver_file *const f = of_base(base);
  size_t done = 0;
  if (f->error == NULL || place > INT64_MAX || bytes > INT64_MAX - place) return -1;
  while (done < bytes) {
    const ssize_t put = pwrite(f->descriptor, (const char *)data + done, bytes - done, (off_t)(place + done));
    if (put > 0) done += (size_t)put;
    if (put == 0 || (put < 0 && errno != EINTR)) {
      note_error(f, put == 0 ? ENOSPC : errno);
      break;
    }
  }
  if (place + bytes > f->end) f->end = place + bytes; /* failed or not: HDF5 is not to notice */
  return 0;
}

static herr_t driver_truncate(H5FD_t *base, hid_t transfer, hbool_t closing) {
  (void)transfer, (void)closing;
  driver_file *const f = of_base(base);
  if (f->error == NULL || f->end == f->end_allocated) return 0;
  if (ftruncate(f->descriptor, (off_t)f->end_allocated) != 0) note_error(f, errno);
  f->end = f->end_allocated;
  return 0;
}

static const H5FD_class_t driver_class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)511, /* the last that needs no registration */
#endif
    .name = "mlpdist",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(driver_options),
    .open = driver_open,
    .close = driver_close,
    .cmp = driver_compare,
    .query = driver_query,
    .get_eoa = driver_get_eoa,
    .set_eoa = driver_set_eoa,
    .get_eof = driver_get_eof,
    .get_handle = driver_get_handle,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY};

/* ---- For the other files of src/h5 ------------------------------------------------------------------------ */

hid_t h5_driver(void) {
  static hid_t driver = H5I_INVALID_HID;
  if (driver < 0) driver = H5FDregister(&driver_class);
  return driver >= 0 ? driver : H5FD_SEC2;
}

static void set_driver(hid_t access, driver_options options) {
  const hid_t driver = h5_driver();
  (void)H5Pset_driver(access, driver, driver != H5FD_SEC2 ? &options : NULL);
}

void h5_driver_set(hid_t access, const h5_opening *how) {
  set_driver(access, (driver_options){.how = how != NULL ? *how : (h5_opening){.records = false}});
}

void h5_driver_set_writing(hid_t access, int *error) { set_driver(access, (driver_options){.error = error}); }

mlpd_status h5_written_check(const h5_file *file, const char *object) {
  if (file->write_error == 0) return MLPD_OK;
  const bool whole = object == NULL;
  return FAIL(MLPD_ERROR_FILE, "%s: %s%scannot be written: %s", file->path, whole ? "" : object, whole ? "" : " ",
              strerror(file->write_error));
}

/* The driver's state of a file; NULL if another driver reads the file. */
static driver_file *recorded(const h5_file *file) {
  void *handle = NULL;
  const hid_t access = H5Fget_access_plist(file->id);
  const bool ours = h5_driver() != H5FD_SEC2 && H5Pget_driver(access) == h5_driver();
  h5_id_close(access);
  if (!ours || H5Fget_vfd_handle(file->id, H5P_DEFAULT, &handle) < 0 || handle == NULL) return NULL;
  return (driver_file *)(void *)((char *)handle - offsetof(driver_file, descriptor));
}

void h5_metadata_take(h5_file *file, h5_metadata *taken) {
  H5_ENTER();
  driver_file *const f = recorded(file);
  *taken = (h5_metadata){.bytes = 0};
  if (f == NULL) return;
  *taken = f->kept;
  f->kept = (h5_metadata){.version = taken->version};
  f->keeps = false;
}
