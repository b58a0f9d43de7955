/* An HDF5 driver for reading files. Like H5FD_SEC2 it uses one descriptor and pread(). In addition it can record the
 * metadata that HDF5 reads, and answer reads from the records of another process that opened the same version of the
 * file. When many ranks open one file, its servers then see one open() per rank and no reads.
 *
 * The format of the records, one after the other: two numbers (offset and count of bytes), then the bytes, padded to a
 * multiple of 8. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h5/h5_internal.h"

void h5_metadata_free(h5_metadata *m) {
  free(m->records);
  *m = (h5_metadata){0};
}

/* H5FD_class_t changed in HDF5 1.13. With that version nothing is recorded: every rank reads the metadata itself. */
#if H5_VERSION_GE(1, 13, 0)
hid_t h5_driver(void) { return H5FD_SEC2; }

void h5_driver_set(hid_t access, const h5_opening *how) {
  (void)how;
  (void)H5Pset_fapl_sec2(access);
}

void h5_metadata_take(h5_file *file, h5_metadata *taken) {
  *taken = (h5_metadata){.bytes = 0};
  (void)file_version_get(file->path, &taken->version);
}
#else

enum {
  RECORD_BYTES = 64 << 10, /* largest read of metadata that is recorded */
  NUMBERS_BYTES = 4 << 10, /* largest read from an array that is recorded: class names are such an array */
  RECORDS_BYTES = 1 << 20, /* size limit of all records */
};

typedef struct record_head {
  uint64_t place, bytes;
} record_head;

typedef struct recorded_file {
  H5FD_t base; /* HDF5's part, at the start */
  int descriptor;
  haddr_t end_allocated, end;
  dev_t device;
  ino_t inode;
  bool keeps;        /* record reads in `kept` */
  h5_metadata kept;  /* records of this process */
  h5_metadata known; /* records of another process */
} recorded_file;

/* ---- Records ----------------------------------------------------------------------------------------- */

static uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

static void keep(recorded_file *f, H5FD_mem_t kind, haddr_t place, size_t bytes, const void *read) {
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

static const char *find_known(const recorded_file *f, haddr_t place, size_t bytes) {
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

static void take_known(recorded_file *f, h5_metadata *known) {
  if (known == NULL || !file_versions_equal(&f->kept.version, &known->version)) return;
  f->known = *known;
  *known = (h5_metadata){.bytes = 0};
}

/* ---- Callbacks for HDF5: negative or NULL on failure ----------------------------------------------------- */

static H5FD_t *record_open(const char *path, unsigned flags, hid_t access, haddr_t maximum) {
  (void)maximum;
  struct stat about;
  const h5_opening *const how = H5Pget_driver_info(access);
  if ((flags & H5F_ACC_RDWR) != 0) return NULL;
  recorded_file *const f = calloc(1, sizeof *f);
  if (f == NULL) return NULL;
  f->descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (f->descriptor < 0 || fstat(f->descriptor, &about) != 0) {
    if (f->descriptor >= 0) (void)close(f->descriptor);
    free(f);
    return NULL;
  }
  f->end = (haddr_t)about.st_size;
  f->device = about.st_dev;
  f->inode = about.st_ino;
  f->kept.version = file_version_of(&about);
  f->keeps = how != NULL && how->records;
  take_known(f, how != NULL ? how->known : NULL);
  return &f->base;
}

static recorded_file *of_base(const H5FD_t *base) { return (recorded_file *)(void *)base; }

static herr_t record_close(H5FD_t *base) {
  recorded_file *const f = of_base(base);
  const int failed = close(f->descriptor);
  h5_metadata_free(&f->kept);
  h5_metadata_free(&f->known);
  free(f);
  return failed;
}

static int record_compare(const H5FD_t *one, const H5FD_t *other) {
  const recorded_file *const a = of_base(one), *const b = of_base(other);
  if (a->device != b->device) return a->device < b->device ? -1 : 1;
  return a->inode == b->inode ? 0 : a->inode < b->inode ? -1 : 1;
}

static herr_t record_query(const H5FD_t *base, unsigned long *flags) {
  (void)base;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_POSIX_COMPAT_HANDLE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t record_get_eoa(const H5FD_t *base, H5FD_mem_t kind) {
  (void)kind;
  return of_base(base)->end_allocated;
}

static herr_t record_set_eoa(H5FD_t *base, H5FD_mem_t kind, haddr_t place) {
  (void)kind;
  of_base(base)->end_allocated = place;
  return 0;
}

static haddr_t record_get_eof(const H5FD_t *base, H5FD_mem_t kind) {
  (void)kind;
  return of_base(base)->end;
}

static herr_t record_get_handle(H5FD_t *base, hid_t access, void **handle) {
  (void)access;
  *handle = &of_base(base)->descriptor;
  return 0;
}

/* Bytes beyond the end of the file read as 0, as with HDF5's own drivers. */
static herr_t record_read(H5FD_t *base, H5FD_mem_t kind, hid_t transfer, haddr_t place, size_t bytes, void *out) {
  (void)transfer;
  recorded_file *const f = of_base(base);
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

static herr_t record_write(H5FD_t *base, H5FD_mem_t kind, hid_t transfer, haddr_t place, size_t bytes,
                           const void *data) {
  (void)base, (void)kind, (void)transfer, (void)place, (void)bytes, (void)data;
  return -1;
}

static const H5FD_class_t driver_class = {.name = "mlpdist",
                                          .maxaddr = INT64_MAX,
                                          .fc_degree = H5F_CLOSE_WEAK,
                                          .fapl_size = sizeof(h5_opening),
                                          .open = record_open,
                                          .close = record_close,
                                          .cmp = record_compare,
                                          .query = record_query,
                                          .get_eoa = record_get_eoa,
                                          .set_eoa = record_set_eoa,
                                          .get_eof = record_get_eof,
                                          .get_handle = record_get_handle,
                                          .read = record_read,
                                          .write = record_write,
                                          .fl_map = H5FD_FLMAP_DICHOTOMY};

/* ---- For the other files of src/h5 ------------------------------------------------------------------------ */

hid_t h5_driver(void) {
  static hid_t driver = H5I_INVALID_HID;
  if (driver < 0) driver = H5FDregister(&driver_class);
  return driver >= 0 ? driver : H5FD_SEC2;
}

void h5_driver_set(hid_t access, const h5_opening *how) {
  const hid_t driver = h5_driver();
  (void)H5Pset_driver(access, driver, driver != H5FD_SEC2 ? how : NULL); /* HDF5 copies *how */
}

/* The driver's state of a file; NULL if another driver reads the file. */
static recorded_file *recorded(const h5_file *file) {
  void *handle = NULL;
  const hid_t access = H5Fget_access_plist(file->id);
  const bool ours = h5_driver() != H5FD_SEC2 && H5Pget_driver(access) == h5_driver();
  h5_id_close(access);
  if (!ours || H5Fget_vfd_handle(file->id, H5P_DEFAULT, &handle) < 0 || handle == NULL) return NULL;
  return (recorded_file *)(void *)((char *)handle - offsetof(recorded_file, descriptor));
}

void h5_metadata_take(h5_file *file, h5_metadata *taken) {
  H5_ENTER();
  recorded_file *const f = recorded(file);
  *taken = (h5_metadata){.bytes = 0};
  if (f == NULL) return;
  *taken = f->kept;
  f->kept = (h5_metadata){.version = taken->version};
  f->keeps = false;
}
#endif
