#include "data/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* HDF5 has renamed these between its releases. */
#if H5_VERSION_GE(1, 12, 0)
typedef H5O_info2_t object_info;
#define VISIT_OBJECTS H5Ovisit3
#else
typedef H5O_info_t object_info;
#define VISIT_OBJECTS H5Ovisit2
#endif
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
#define HAVE_SET_FILE_LOCKING 1
#else
#define HAVE_SET_FILE_LOCKING 0
#endif

enum {
  MAX_STORED_RANK = 4,
  MAX_STRINGS = 1 << 24,      /* class names: more is a damaged or hostile file */
  MAX_STRING_BYTES = 1 << 20, /* of a fixed-length string */
  ATTRIBUTES_MOST = 1000,     /* of the root, written beside each other; more would go into a heap */
  DEFLATED_AT_BEST = 1032,    /* bytes out of one packed; what claims to hold more is damaged */
};
static const size_t max_cache_bytes = (size_t)256 << 20;

struct h5_file {
  hid_t id;
  hid_t link_access; /* refuses external links and notes them in met_external_link */
  bool writable, met_external_link;
  uint64_t size; /* bytes; of a file being written: any */
  char *path;
  char failure[256]; /* what went wrong when an array was closed, for h5_close to report; or empty */
};

struct h5_array {
  h5_file *file; /* borrowed */
  hid_t id;
  char *object;
  h5_shape shape;
  bool grows;
  int stored_rank;
  hsize_t dims[MAX_STORED_RANK], chunk[MAX_STORED_RANK]; /* chunk[0] 0: contiguous */
  char stored_type[32], storage[160];
};

/* ---- The library and its errors -------------------------------------------------------------------- */

static void library_start(void) {
  static _Thread_local bool started =
      false; /* a thread-safe HDF5 prints errors of each thread that is not asked not to */
  if (started) return;
  started = true;
  /* Locks fail on some parallel file systems. HDF5 without H5Pset_file_locking reads this when it starts. */
  if (!HAVE_SET_FILE_LOCKING) (void)setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
  /* Every file is closed here; HDF5's own clearing at exit crashes (1.10.8) after a write to a full disk failed. */
  (void)H5dont_atexit();
  (void)H5open();
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static herr_t take_description(unsigned level, const H5E_error2_t *entry, void *context) {
  (void)level;
  char *text = context;
  if (text[0] == '\0' && entry->desc != NULL) (void)snprintf(text, 256, "%s", entry->desc);
  return 0;
}

/* HDF5's innermost description of what just failed. Call it before any other HDF5 call: each clears it. */
static const char *reason(void) {
  static _Thread_local char text[256];
  text[0] = '\0';
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_description, text);
  for (char *c = text; *c != '\0'; ++c)
    if (*c == '\n' || *c == '\r') *c = ' ';
  static const char marker[] = "error message = '"; /* what the operating system said, amid addresses and sizes */
  char *said = strstr(text, marker);
  char *end = said != NULL ? strchr(said + sizeof marker - 1, '\'') : NULL;
  if (end != NULL) {
    *end = '\0';
    return said + sizeof marker - 1;
  }
  return text[0] != '\0' ? text : "HDF5 gives no reason";
}

/* Closes an identifier of any kind but a file's; negative ones are let be. */
static void id_close(hid_t id) {
  if (id >= 0) (void)H5Idec_ref(id);
}

static hid_t native_type(element_type type) {
  switch (type) {
    case ELEMENT_I8:
      return H5T_NATIVE_INT8;
    case ELEMENT_U8:
      return H5T_NATIVE_UINT8;
    case ELEMENT_I16:
      return H5T_NATIVE_INT16;
    case ELEMENT_U16:
      return H5T_NATIVE_UINT16;
    case ELEMENT_I32:
      return H5T_NATIVE_INT32;
    case ELEMENT_U32:
      return H5T_NATIVE_UINT32;
    case ELEMENT_I64:
      return H5T_NATIVE_INT64;
    case ELEMENT_U64:
      return H5T_NATIVE_UINT64;
    case ELEMENT_F32:
      return H5T_NATIVE_FLOAT;
    case ELEMENT_F64:
      return H5T_NATIVE_DOUBLE;
    case NUM_ELEMENT_TYPES:
      break;
  }
  return H5I_INVALID_HID;
}

/* ---- Files ------------------------------------------------------------------------------------------ */

static herr_t refuse_external_link(const char *parent_file, const char *parent_group, const char *child_file,
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
  if (status == MLPD_OK &&
      (made->link_access < 0 || H5Pset_elink_cb(made->link_access, refuse_external_link, &made->met_external_link) < 0))
    status = FAIL(MLPD_ERROR_INTERNAL, "%s: HDF5 makes no property list: %s", path, reason());
  if (status != MLPD_OK) {
    id_close(made->link_access);
    free(made->path);
    free(made);
    made = NULL;
  }
  *file = made;
  return status;
}

static void file_free(h5_file *file) {
  id_close(file->link_access);
  free(file->path);
  free(file);
}

static hid_t file_access_create(void) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if HAVE_SET_FILE_LOCKING
  if (access >= 0) (void)H5Pset_file_locking(access, false, true);
#endif
  return access;
}

static bool signature_found(const char *path) {
#if H5_VERSION_GE(1, 12, 0)
  const hid_t access = file_access_create();
  const bool found = H5Fis_accessible(path, access) > 0;
  id_close(access);
  return found;
#else
  return H5Fis_hdf5(path) > 0;
#endif
}

/* Its size; or says what the operating system has against reading path: HDF5's own words for it are long. */
static mlpd_status path_check(const char *path, uint64_t *size) {
  struct stat info;
  if (stat(path, &info) != 0) {
    if (errno == ENOENT) return FAIL(MLPD_ERROR_FILE, "%s: no such file", path);
    return FAIL(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is a folder, not an HDF5 file", path);
  if (!S_ISREG(info.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is not a regular file", path);
  *size = (uint64_t)info.st_size;
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, strerror(errno));
  (void)close(descriptor);
  return MLPD_OK;
}

bool h5_is_hdf5(const char *path) {
  library_start();
  struct stat info; /* asked first: opening a pipe would wait */
  return stat(path, &info) == 0 && S_ISREG(info.st_mode) && signature_found(path);
}

mlpd_status h5_open(const char *path, h5_file **file) {
  *file = NULL;
  uint64_t size = 0;
  library_start();
  TRY(path_check(path, &size));
  if (!signature_found(path)) return FAIL(MLPD_ERROR_FILE, "%s: not an HDF5 file", path);
  h5_file *opened = NULL;
  TRY(file_allocate(path, &opened));
  opened->size = size;
  const hid_t access = file_access_create();
  opened->id = H5Fopen(path, H5F_ACC_RDONLY, access);
  if (opened->id < 0) {
    const mlpd_status status = FAIL(MLPD_ERROR_FILE, "%s: cannot be opened: %s", path, reason());
    id_close(access);
    file_free(opened);
    return status;
  }
  id_close(access);
  *file = opened;
  return MLPD_OK;
}

mlpd_status h5_create(const char *path, h5_file **file) {
  *file = NULL;
  library_start();
  const int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return FAIL(MLPD_ERROR_FILE, "%s: cannot be created: %s", path, strerror(errno));
  (void)close(descriptor);
  h5_file *made = NULL;
  TRY(file_allocate(path, &made));
  made->writable = true;
  const hid_t access = file_access_create(), creation = H5Pcreate(H5P_FILE_CREATE);
#if H5_VERSION_GE(1, 10, 2)
  /* The format of 2008 has checksums in its headers: HDF5 sees most damage before it follows a damaged address, which
   * crashes it, or a damaged size. */
  (void)H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
#endif
  (void)H5Pset_obj_track_times(creation, false);
  (void)H5Pset_attr_phase_change(creation, ATTRIBUTES_MOST, 0);
  made->id = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  id_close(creation);
  if (made->id < 0) {
    const mlpd_status status = FAIL(MLPD_ERROR_FILE, "%s: cannot be created: %s", path, reason());
    id_close(access);
    file_free(made);
    return status;
  }
  id_close(access);
  *file = made;
  return MLPD_OK;
}

mlpd_status h5_close(h5_file *file) {
  if (file == NULL) return MLPD_OK;
  mlpd_status status = MLPD_OK;
  if (file->failure[0] != '\0') status = FAIL(MLPD_ERROR_FILE, "%s: cannot be written: %s", file->path, file->failure);
  /* Flushed first: H5Fclose leaves the writing to the last open array, whose closing reports nothing. */
  if (file->writable && H5Fflush(file->id, H5F_SCOPE_LOCAL) < 0 && status == MLPD_OK)
    status = FAIL(MLPD_ERROR_FILE, "%s: cannot be written: %s", file->path, reason());
  if (H5Fclose(file->id) < 0 && status == MLPD_OK)
    status = FAIL(MLPD_ERROR_FILE, "%s: cannot be closed: %s", file->path, reason());
  file_free(file);
  return status;
}

bool h5_exists(h5_file *file, const char *object) {
  if (strcmp(object, "/") == 0) return true;
  return H5Lexists(file->id, object, file->link_access) > 0 &&
         H5Oexists_by_name(file->id, object, file->link_access) > 0;
}

/* ---- Arrays: opening -------------------------------------------------------------------------------- */

static const char *class_name(H5T_class_t class) {
  switch (class) {
    case H5T_STRING:
      return "text";
    case H5T_COMPOUND:
      return "a compound type";
    case H5T_REFERENCE:
      return "references";
    case H5T_OPAQUE:
      return "opaque bytes";
    case H5T_BITFIELD:
      return "a bit field";
    case H5T_VLEN:
      return "rows of varying length";
    case H5T_ARRAY:
      return "an array type";
    default:
      return "an unusual type";
  }
}

static element_type integer_element(size_t size, bool is_signed) {
  if (size <= 1) return is_signed ? ELEMENT_I8 : ELEMENT_U8;
  if (size <= 2) return is_signed ? ELEMENT_I16 : ELEMENT_U16;
  if (size <= 4) return is_signed ? ELEMENT_I32 : ELEMENT_U32;
  return is_signed ? ELEMENT_I64 : ELEMENT_U64;
}

/* Sets shape.type and stored_type from the number type `type` of size bytes. */
static void number_type_describe(h5_array *array, H5T_class_t class, hid_t type) {
  const size_t size = H5Tget_size(type), bits = H5Tget_precision(type);
  if (class == H5T_FLOAT) {
    size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
    (void)H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits);
    const char *prefix = bits == 16 && exponent_bits == 8 ? "b" : "";
    array->shape.type = size <= 4 ? ELEMENT_F32 : ELEMENT_F64;
    (void)snprintf(array->stored_type, sizeof array->stored_type, "%sfloat%zu", prefix, bits);
    return;
  }
  const bool is_signed = H5Tget_sign(type) != H5T_SGN_NONE;
  array->shape.type = integer_element(size, is_signed);
  (void)snprintf(array->stored_type, sizeof array->stored_type, "%sint%zu%s", is_signed ? "" : "u", bits,
                 class == H5T_ENUM ? " (named values)" : "");
}

static mlpd_status array_find_type(h5_array *array) {
  const char *path = array->file->path;
  const hid_t type = H5Dget_type(array->id);
  if (type < 0) return FAIL(MLPD_ERROR_FILE, "%s: type of %s cannot be read: %s", path, array->object, reason());
  const H5T_class_t class = H5Tget_class(type);
  mlpd_status status = MLPD_OK;
  if (class != H5T_INTEGER && class != H5T_FLOAT && class != H5T_ENUM) {
    status = FAIL(MLPD_ERROR_DATA, "%s: %s holds %s, not numbers", path, array->object, class_name(class));
  } else {
    /* h5py keeps booleans as an enumeration of int8 */
    const hid_t number = class == H5T_ENUM ? H5Tget_super(type) : H5Tcopy(type);
    if (H5Tget_size(number) > 8 && class != H5T_FLOAT)
      status = FAIL(MLPD_ERROR_DATA, "%s: %s holds integers of %zu bytes, more than 8", path, array->object,
                    H5Tget_size(number));
    else
      number_type_describe(array, class, number);
    id_close(number);
  }
  id_close(type);
  return status;
}

static mlpd_status filters_describe(h5_array *array, hid_t creation) {
  const int num_filters = H5Pget_nfilters(creation);
  for (int i = 0; i < num_filters; ++i) {
    unsigned flags = 0, values[8] = {0}, config = 0;
    size_t num_values = 8;
    char name[32] = "";
    const H5Z_filter_t filter =
        H5Pget_filter2(creation, (unsigned)i, &flags, &num_values, values, sizeof name, name, &config);
    name[sizeof name - 1] = '\0';
    if (filter < 0 || H5Zfilter_avail(filter) <= 0)
      return FAIL(MLPD_ERROR_DATA,
                  "%s: %s is packed by HDF5 filter %d (%s), which is not installed here; rewrite it "
                  "with h5repack -f GZIP=4",
                  array->file->path, array->object, (int)filter, name);
    const size_t length = strlen(array->storage);
    char *end = array->storage + length;
    if (filter == H5Z_FILTER_DEFLATE)
      (void)snprintf(end, sizeof array->storage - length, ", deflate %u", values[0]);
    else if (filter != H5Z_FILTER_SHUFFLE)
      (void)snprintf(end, sizeof array->storage - length, ", %s", name);
  }
  return MLPD_OK;
}

static void chunks_describe(h5_array *array, int rank) {
  int length = snprintf(array->storage, sizeof array->storage, "chunked ");
  for (int i = 0; i < rank; ++i)
    length += snprintf(array->storage + length, sizeof array->storage - (size_t)length, "%s%" PRIu64,
                       i > 0 ? " x " : "", (uint64_t)array->chunk[i]);
}

/* Comes before the shape is asked for: a virtual data set would open its sources to tell it. */
static mlpd_status array_find_storage(h5_array *array) {
  const char *path = array->file->path;
  const hid_t creation = H5Dget_create_plist(array->id);
  if (creation < 0) return FAIL(MLPD_ERROR_FILE, "%s: layout of %s cannot be read: %s", path, array->object, reason());
  mlpd_status status = MLPD_OK;
  const H5D_layout_t layout = H5Pget_layout(creation);
  if (layout == H5D_VIRTUAL) {
    status = FAIL(MLPD_ERROR_DATA, "%s: %s is a virtual data set, which is refused; copy it into one file (h5repack)",
                  path, array->object);
  } else if (H5Pget_external_count(creation) != 0) {
    status = FAIL(MLPD_ERROR_DATA,
                  "%s: %s keeps its data in an external file, which is refused; copy it into one "
                  "file (h5repack)",
                  path, array->object);
  } else if (layout == H5D_CHUNKED) {
    const int rank = H5Pget_chunk(creation, MAX_STORED_RANK, array->chunk);
    chunks_describe(array, rank < MAX_STORED_RANK ? rank : MAX_STORED_RANK);
    status = filters_describe(array, creation);
  } else {
    (void)snprintf(array->storage, sizeof array->storage, "contiguous");
  }
  id_close(creation);
  return status;
}

static size_t stored_size(const h5_array *array) {
  const hid_t type = H5Dget_type(array->id);
  const size_t size = H5Tget_size(type);
  id_close(type);
  return size;
}

/* Could the file hold so many bytes, as they are or (packed) deflated? Asked before memory is taken for them. */
static bool file_could_hold(const h5_file *file, double bytes, bool packed) {
  return bytes <= (double)file->size * (packed ? DEFLATED_AT_BEST : 1);
}

static mlpd_status array_check_size(const h5_array *array) {
  const bool in_one_piece = array->chunk[0] == 0 && H5Dget_offset(array->id) != HADDR_UNDEF;
  const double size = (double)stored_size(array);
  const double bytes = size * (double)array->dims[0] * (double)array->shape.columns;
  double chunk = size;
  for (int i = 0; i < array->stored_rank; ++i) chunk *= (double)array->chunk[i];
  if (file_could_hold(array->file, bytes, !in_one_piece) && file_could_hold(array->file, chunk, true)) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: %s claims %.3g bytes, more than a file of %" PRIu64 " can hold; is it damaged?",
              array->file->path, array->object, bytes > chunk ? bytes : chunk, array->file->size);
}

static mlpd_status array_find_shape(h5_array *array) {
  const char *path = array->file->path;
  const hid_t space = H5Dget_space(array->id);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0) {
    id_close(space);
    return FAIL(MLPD_ERROR_FILE, "%s: shape of %s cannot be read", path, array->object);
  }
  if (rank == 0 || rank > MAX_STORED_RANK) {
    id_close(space);
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %d dimensions, not 1 to %d", path, array->object, rank,
                (int)MAX_STORED_RANK);
  }
  (void)H5Sget_simple_extent_dims(space, array->dims, NULL);
  id_close(space);
  uint64_t columns = 1, elements = 0;
  bool overflow = false;
  for (int i = 1; i < rank; ++i) overflow |= __builtin_mul_overflow(columns, (uint64_t)array->dims[i], &columns);
  overflow |= __builtin_mul_overflow(columns, (uint64_t)array->dims[0], &elements);
  if (overflow || elements > (uint64_t)PTRDIFF_MAX / sizeof(double))
    return FAIL(MLPD_ERROR_DATA, "%s: %s claims more elements than memory can address; is the file damaged?", path,
                array->object);
  array->stored_rank = rank;
  array->shape.rank = rank < H5_MAX_RANK ? rank : H5_MAX_RANK;
  array->shape.rows = array->dims[0];
  array->shape.columns = columns;
  array->shape.chunk_rows = array->chunk[0];
  return array_check_size(array);
}

/* Bytes and number of the chunks that hold one band of chunk_rows rows. */
static void band_measure(const h5_array *array, size_t *bytes, size_t *chunks) {
  double band = (double)stored_size(array) * (double)array->chunk[0], count = 1;
  for (int i = 1; i < array->stored_rank; ++i) {
    const double across = (double)((array->dims[i] + array->chunk[i] - 1) / array->chunk[i]);
    count *= across;
    band *= across * (double)array->chunk[i];
  }
  *bytes = band < (double)max_cache_bytes ? (size_t)band : max_cache_bytes;
  *chunks = count < 1e5 ? (size_t)count : (size_t)100000;
}

/* Opens the data set with a chunk cache that holds a band, so that reading on unpacks each chunk once. */
static mlpd_status array_reopen_cached(h5_array *array) {
  size_t bytes = 0, chunks = 0;
  band_measure(array, &bytes, &chunks);
  const size_t slots = chunks * 10 > 521 ? chunks * 10 + 1 : 521; /* HDF5's advice and its default */
  const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  (void)H5Pset_elink_cb(access, refuse_external_link, &array->file->met_external_link);
  (void)H5Pset_chunk_cache(access, slots, bytes > (1 << 20) ? bytes : (size_t)1 << 20, 1.0);
  id_close(array->id);
  array->id = H5Dopen2(array->file->id, array->object, access);
  mlpd_status status = MLPD_OK;
  if (array->id < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be opened: %s", array->file->path, array->object, reason());
  id_close(access);
  return status;
}

static mlpd_status array_allocate(h5_file *file, const char *object, h5_array **array) {
  h5_array *made = NULL;
  TRY(memory_allocate(&made, 1, sizeof *made, "an HDF5 array"));
  made->file = file;
  made->id = H5I_INVALID_HID;
  const mlpd_status status = memory_copy_string(object, &made->object);
  if (status != MLPD_OK) {
    free(made);
    made = NULL;
  }
  *array = made;
  return status;
}

/* Opens a data set of any type; *id is negative on failure. */
static mlpd_status dataset_open(h5_file *file, const char *object, hid_t *id) {
  file->met_external_link = false;
  *id = H5I_INVALID_HID;
  const hid_t opened = H5Oopen(file->id, object, file->link_access);
  if (opened < 0) {
    if (file->met_external_link)
      return FAIL(MLPD_ERROR_DATA, "%s: %s is an external link, which is refused; copy the data into one file",
                  file->path, object);
    if (!h5_exists(file, object)) return FAIL(MLPD_ERROR_DATA, "%s: no data set %s", file->path, object);
    (void)H5Oopen(file->id, object, file->link_access);
    return FAIL(MLPD_ERROR_FILE, "%s: %s cannot be opened: %s", file->path, object, reason());
  }
  if (H5Iget_type(opened) != H5I_DATASET) {
    id_close(opened);
    return FAIL(MLPD_ERROR_DATA, "%s: %s is not a data set", file->path, object);
  }
  *id = opened;
  return MLPD_OK;
}

mlpd_status h5_array_open(h5_file *file, const char *object, h5_array **array) {
  *array = NULL;
  h5_array *opened = NULL;
  TRY(array_allocate(file, object, &opened));
  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, dataset_open(file, object, &opened->id), failed);
  TRY_GOTO(status, array_find_storage(opened), failed);
  TRY_GOTO(status, array_find_type(opened), failed);
  TRY_GOTO(status, array_find_shape(opened), failed);
  if (opened->chunk[0] > 0) TRY_GOTO(status, array_reopen_cached(opened), failed);
  *array = opened;
  return MLPD_OK;
failed:
  h5_array_close(opened);
  return status;
}

void h5_array_close(h5_array *array) {
  if (array == NULL) return;
  /* Closing writes the chunks still cached. */
  if (array->id >= 0 && H5Idec_ref(array->id) < 0 && array->file->writable)
    (void)snprintf(array->file->failure, sizeof array->file->failure, "%s", reason());
  free(array->object);
  free(array);
}

h5_shape h5_array_shape(const h5_array *array) { return array->shape; }
const char *h5_array_stored_type(const h5_array *array) { return array->stored_type; }
const char *h5_array_storage(const h5_array *array) { return array->storage; }

/* ---- Arrays: reading, creating, writing ------------------------------------------------------------- */

/* Selects rows [row, row + count) in *file_space and makes *memory_space of the same shape: HDF5 maps chunks to any
 * other shape an element at a time, many times slower. */
static mlpd_status rows_select(h5_array *array, uint64_t row, uint64_t count, hid_t *file_space, hid_t *memory_space) {
  hsize_t start[MAX_STORED_RANK] = {row}, extent[MAX_STORED_RANK] = {count};
  for (int i = 1; i < array->stored_rank; ++i) extent[i] = array->dims[i];
  *file_space = H5Dget_space(array->id);
  *memory_space = H5Screate_simple(array->stored_rank, extent, NULL);
  if (*file_space < 0 || *memory_space < 0 ||
      H5Sselect_hyperslab(*file_space, H5S_SELECT_SET, start, NULL, extent, NULL) < 0)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: rows of %s cannot be selected: %s", array->file->path, array->object,
                reason());
  return MLPD_OK;
}

mlpd_status h5_array_read(h5_array *array, uint64_t row, uint64_t count, element_type as, void *out) {
  if (count == 0 || array->shape.columns == 0) return MLPD_OK;
  if (row > array->shape.rows || count > array->shape.rows - row)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: %s has %" PRIu64 " rows; %" PRIu64 " from %" PRIu64 " on were asked for",
                array->file->path, array->object, array->shape.rows, count, row);
  hid_t file_space = H5I_INVALID_HID, memory_space = H5I_INVALID_HID;
  mlpd_status status = rows_select(array, row, count, &file_space, &memory_space);
  if (status == MLPD_OK && H5Dread(array->id, native_type(as), memory_space, file_space, H5P_DEFAULT, out) < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be read at rows %" PRIu64 " to %" PRIu64 ": %s", array->file->path,
                  array->object, row, row + count - 1, reason());
  id_close(memory_space);
  id_close(file_space);
  return status;
}

/* Creation properties, or a negative identifier. Times are left out, so that equal content is equal bytes. */
static hid_t creation_create(const h5_array *array, int deflate) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  bool good = creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0;
  if (good && array->chunk[0] > 0) good = H5Pset_chunk(creation, array->stored_rank, array->chunk) >= 0;
  if (good && deflate > 0) good = H5Pset_shuffle(creation) >= 0 && H5Pset_deflate(creation, (unsigned)deflate) >= 0;
  if (good) return creation;
  id_close(creation);
  return H5I_INVALID_HID;
}

/* Creates the groups that object lies in, and whole: object itself. HDF5 would make them along with an array, but with
 * the time of it in them. */
static mlpd_status groups_create(h5_file *file, const char *object, bool whole) {
  char *path = NULL;
  TRY(memory_copy_string(object, &path));
  const hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  (void)H5Pset_obj_track_times(creation, false);
  mlpd_status status = MLPD_OK;
  for (char *end = path; *end != '\0' && status == MLPD_OK;) {
    end += 1 + strcspn(end + 1, "/");
    const char kept = *end;
    *end = '\0';
    if ((kept != '\0' || whole) && !h5_exists(file, path)) {
      const hid_t group = H5Gcreate2(file->id, path, H5P_DEFAULT, creation, H5P_DEFAULT);
      if (group < 0) status = FAIL(MLPD_ERROR_FILE, "%s: group %s cannot be created: %s", file->path, path, reason());
      id_close(group);
    }
    *end = kept;
  }
  id_close(creation);
  free(path);
  return status;
}

static mlpd_status array_make(h5_array *array, int deflate) {
  hsize_t max_dims[2] = {array->grows ? H5S_UNLIMITED : array->dims[0], array->dims[1]};
  TRY(groups_create(array->file, array->object, false));
  const hid_t creation = creation_create(array, deflate);
  const hid_t space = H5Screate_simple(array->stored_rank, array->dims, max_dims);
  mlpd_status status = MLPD_OK;
  if (creation >= 0 && space >= 0)
    array->id = H5Dcreate2(array->file->id, array->object, native_type(array->shape.type), space, H5P_DEFAULT, creation,
                           H5P_DEFAULT);
  if (array->id < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be created: %s", array->file->path, array->object, reason());
  id_close(space);
  id_close(creation);
  return status;
}

mlpd_status h5_array_create(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type type,
                            uint64_t chunk_rows, int deflate, h5_array **array) {
  *array = NULL;
  if (deflate > 0 && chunk_rows == 0)
    return FAIL(MLPD_ERROR_INTERNAL, "%s: %s cannot be compressed without chunks", file->path, object);
  h5_array *made = NULL;
  TRY(array_allocate(file, object, &made));
  const int rank = columns == 0 ? 1 : 2;
  made->grows = rows == 0 && chunk_rows > 0;
  made->stored_rank = rank;
  made->dims[0] = rows;
  made->dims[1] = columns;
  made->chunk[0] = made->grows || chunk_rows < rows ? chunk_rows : rows;
  made->chunk[1] = columns;
  made->shape = (h5_shape){
      .rank = rank, .rows = rows, .columns = rank == 1 ? 1 : columns, .type = type, .chunk_rows = made->chunk[0]};
  (void)snprintf(made->stored_type, sizeof made->stored_type, "%s", element_name(type));
  (void)snprintf(made->storage, sizeof made->storage, "contiguous");
  if (made->chunk[0] > 0) chunks_describe(made, rank);
  if (deflate > 0) {
    const size_t length = strlen(made->storage);
    (void)snprintf(made->storage + length, sizeof made->storage - length, ", deflate %d", deflate);
  }
  const mlpd_status status = array_make(made, deflate);
  if (status == MLPD_OK)
    *array = made;
  else
    h5_array_close(made);
  return status;
}

static mlpd_status array_grow(h5_array *array, uint64_t rows) {
  const hsize_t dims[2] = {rows, array->dims[1]};
  if (H5Dset_extent(array->id, dims) < 0)
    return FAIL(MLPD_ERROR_FILE, "%s: %s cannot grow to %" PRIu64 " rows: %s", array->file->path, array->object, rows,
                reason());
  array->dims[0] = rows;
  array->shape.rows = rows;
  return MLPD_OK;
}

mlpd_status h5_array_write(h5_array *array, uint64_t row, uint64_t count, element_type as, const void *data) {
  if (count == 0) return MLPD_OK;
  if (row + count > array->shape.rows) {
    if (!array->grows)
      return FAIL(MLPD_ERROR_INTERNAL, "%s: %s was made for %" PRIu64 " rows; row %" PRIu64 " is beyond",
                  array->file->path, array->object, array->shape.rows, row + count - 1);
    TRY(array_grow(array, row + count));
  }
  hid_t file_space = H5I_INVALID_HID, memory_space = H5I_INVALID_HID;
  mlpd_status status = rows_select(array, row, count, &file_space, &memory_space);
  if (status == MLPD_OK && H5Dwrite(array->id, native_type(as), memory_space, file_space, H5P_DEFAULT, data) < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be written: %s", array->file->path, array->object, reason());
  id_close(memory_space);
  id_close(file_space);
  return status;
}

mlpd_status h5_write(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type type,
                     const void *data) {
  h5_array *array = NULL;
  TRY(h5_array_create(file, object, rows, columns, type, 0, 0, &array));
  const mlpd_status status = h5_array_write(array, 0, rows, type, data);
  h5_array_close(array);
  return status;
}

mlpd_status h5_read(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type as, void *out) {
  h5_array *array = NULL;
  TRY(h5_array_open(file, object, &array));
  const h5_shape shape = array->shape;
  const uint64_t wanted_columns = columns == 0 ? 1 : columns;
  mlpd_status status = MLPD_OK;
  if (shape.rows != rows || shape.columns != wanted_columns)
    status = FAIL(MLPD_ERROR_DATA, "%s: %s is (%" PRIu64 ", %" PRIu64 "), but (%" PRIu64 ", %" PRIu64 ") belongs there",
                  file->path, object, shape.rows, shape.columns, rows, wanted_columns);
  else
    status = h5_array_read(array, 0, rows, as, out);
  h5_array_close(array);
  return status;
}

/* ---- Strings ---------------------------------------------------------------------------------------- */

/* Text of varying length in UTF-8. */
/* Room that an attribute has in an object header is 64 KiB. */
enum { MAX_FIXED_ATTRIBUTE = 60000 };

/* A text of size bytes, its end mark included, or H5T_VARIABLE. Varying texts lie in HDF5's global heap, where version
 * 1.10 follows a damaged index out of its memory: what is read first of a file is better fixed. */
static hid_t text_type_create(size_t size) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  if (type >= 0) {
    (void)H5Tset_size(type, size);
    (void)H5Tset_cset(type, H5T_CSET_UTF8);
  }
  return type;
}

mlpd_status h5_strings_write(h5_file *file, const char *object, const char *const *strings, uint64_t count) {
  const hsize_t dims = count;
  size_t size = 1;
  char *packed = NULL; /* (count, size) */
  for (uint64_t i = 0; i < count; ++i)
    if (strlen(strings[i]) >= size) size = strlen(strings[i]) + 1;
  TRY(groups_create(file, object, false));
  TRY(memory_allocate(&packed, count, size, object));
  for (uint64_t i = 0; i < count; ++i) memcpy(packed + i * size, strings[i], strlen(strings[i]));
  const hid_t type = text_type_create(size), creation = H5Pcreate(H5P_DATASET_CREATE);
  (void)H5Pset_obj_track_times(creation, false);
  const hid_t space = H5Screate_simple(1, &dims, NULL);
  const hid_t id = H5Dcreate2(file->id, object, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  mlpd_status status = MLPD_OK;
  if (id < 0 || (count > 0 && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packed) < 0))
    status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be written: %s", file->path, object, reason());
  id_close(id);
  id_close(space);
  id_close(creation);
  id_close(type);
  free(packed);
  return status;
}

/* Copies one string of at most size bytes, without the blanks or zeros that fill a fixed-length one. */
static mlpd_status text_copy(const char *text, size_t size, bool blank_padded, char **copy) {
  size_t length = strnlen(text, size);
  while (blank_padded && length > 0 && text[length - 1] == ' ') --length;
  TRY(memory_allocate(copy, length + 1, 1, "a text"));
  memcpy(*copy, text, length);
  return MLPD_OK;
}

/* Where raw texts of a type lie: pointers for varying length, else bytes. */
typedef struct text_layout {
  hid_t type; /* in memory */
  bool varying, blank_padded;
  size_t size; /* bytes of one in memory */
} text_layout;

/* Takes the type of a file's text (and closes it). MLPD_ERROR_DATA where it is no text. */
static mlpd_status text_layout_make(const h5_file *file, const char *object, hid_t stored, text_layout *layout) {
  *layout = (text_layout){.type = H5I_INVALID_HID};
  if (stored < 0 || H5Tget_class(stored) != H5T_STRING) {
    id_close(stored);
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds no text", file->path, object);
  }
  layout->type = stored;
  layout->varying = H5Tis_variable_str(stored) > 0;
  layout->blank_padded = H5Tget_strpad(stored) == H5T_STR_SPACEPAD;
  layout->size = layout->varying ? sizeof(char *) : H5Tget_size(stored);
  if (layout->size > MAX_STRING_BYTES) {
    id_close(stored);
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds texts of %zu bytes; at most %d", file->path, object, layout->size,
                (int)MAX_STRING_BYTES);
  }
  return MLPD_OK;
}

/* Copies count raw texts to strings (count). */
static mlpd_status texts_copy(const text_layout *layout, const char *raw, uint64_t count, char **strings) {
  for (uint64_t i = 0; i < count; ++i) {
    const char *text = raw + i * layout->size;
    size_t size = layout->size;
    if (layout->varying) {
      memcpy(&text, raw + i * layout->size, sizeof text);
      if (text == NULL) text = "";
      size = SIZE_MAX;
    }
    TRY(text_copy(text, size, layout->blank_padded, &strings[i]));
  }
  return MLPD_OK;
}

/* Number of texts in the (one-dimensional or scalar) data set id, of layout. */
static mlpd_status strings_open(h5_file *file, const char *object, hid_t *id, hid_t *space, text_layout *layout,
                                uint64_t *count) {
  TRY(dataset_open(file, object, id));
  text_layout found;
  TRY(text_layout_make(file, object, H5Dget_type(*id), &found));
  *layout = found;
  const hid_t creation = H5Dget_create_plist(*id);
  const bool elsewhere = H5Pget_layout(creation) == H5D_VIRTUAL || H5Pget_external_count(creation) != 0;
  id_close(creation);
  if (elsewhere)
    return FAIL(MLPD_ERROR_DATA, "%s: %s keeps its data in another file, which is refused", file->path, object);
  *space = H5Dget_space(*id);
  const hssize_t points = H5Sget_simple_extent_npoints(*space);
  if (H5Sget_simple_extent_ndims(*space) > 1 || points < 0 || points > MAX_STRINGS)
    return FAIL(MLPD_ERROR_DATA, "%s: %s is no list of at most %d texts", file->path, object, (int)MAX_STRINGS);
  if (!file_could_hold(file, (double)points * (double)layout->size, true))
    return FAIL(MLPD_ERROR_DATA, "%s: %s claims %lld texts, more than a file of %" PRIu64 " bytes can hold", file->path,
                object, (long long)points, file->size);
  *count = (uint64_t)points;
  return MLPD_OK;
}

mlpd_status h5_strings_read(h5_file *file, const char *object, char ***strings, uint64_t *count) {
  *strings = NULL;
  *count = 0;
  hid_t id = H5I_INVALID_HID, space = H5I_INVALID_HID;
  text_layout layout = {.type = H5I_INVALID_HID};
  char *raw = NULL, **list = NULL;
  uint64_t found = 0;
  bool filled = false;
  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, strings_open(file, object, &id, &space, &layout, &found), done);
  TRY_GOTO(status, memory_allocate(&raw, found, layout.size, object), done);
  TRY_GOTO(status, memory_allocate(&list, found, sizeof *list, object), done);
  if (found > 0 && H5Dread(id, layout.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) < 0)
    TRY_GOTO(status, FAIL(MLPD_ERROR_FILE, "%s: %s cannot be read: %s", file->path, object, reason()), done);
  filled = found > 0;
  TRY_GOTO(status, texts_copy(&layout, raw, found, list), done);
  *strings = list;
  *count = found;
  list = NULL;
done:
  if (filled && layout.varying) (void)H5Dvlen_reclaim(layout.type, space, H5P_DEFAULT, raw);
  h5_strings_free(list, found);
  free(raw);
  id_close(layout.type);
  id_close(space);
  id_close(id);
  return status;
}

void h5_strings_free(char **strings, uint64_t count) {
  if (strings == NULL) return;
  for (uint64_t i = 0; i < count; ++i) free(strings[i]);
  free(strings);
}

/* ---- Attributes ------------------------------------------------------------------------------------- */

static mlpd_status attribute_write(h5_file *file, const char *object, const char *name, hid_t type, const void *value) {
  TRY(groups_create(file, object, true));
  if (h5_attribute_exists(file, object, name)) (void)H5Adelete_by_name(file->id, object, name, file->link_access);
  mlpd_status status = MLPD_OK;
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t id = H5Acreate_by_name(file->id, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, file->link_access);
  if (id < 0 || H5Awrite(id, type, value) < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: attribute %s of %s cannot be written: %s", file->path, name, object, reason());
  id_close(id);
  id_close(space);
  return status;
}

mlpd_status h5_attribute_write_u64(h5_file *file, const char *object, const char *name, uint64_t value) {
  return attribute_write(file, object, name, H5T_NATIVE_UINT64, &value);
}

mlpd_status h5_attribute_write_double(h5_file *file, const char *object, const char *name, double value) {
  return attribute_write(file, object, name, H5T_NATIVE_DOUBLE, &value);
}

mlpd_status h5_attribute_write_text(h5_file *file, const char *object, const char *name, const char *text) {
  const size_t size = strlen(text) + 1;
  const bool fixed = size <= MAX_FIXED_ATTRIBUTE;
  const hid_t type = text_type_create(fixed ? size : H5T_VARIABLE);
  const mlpd_status status = attribute_write(file, object, name, type, fixed ? (const void *)text : &text);
  id_close(type);
  return status;
}

bool h5_attribute_exists(h5_file *file, const char *object, const char *name) {
  return H5Aexists_by_name(file->id, object, name, file->link_access) > 0;
}

/* Opens the attribute, of exactly one value. *id and *type are closed by the caller where it succeeds. */
static mlpd_status attribute_open(h5_file *file, const char *object, const char *name, hid_t *id, hid_t *type) {
  if (!h5_attribute_exists(file, object, name))
    return FAIL(MLPD_ERROR_DATA, "%s: %s has no attribute %s", file->path, object, name);
  *id = H5Aopen_by_name(file->id, object, name, H5P_DEFAULT, file->link_access);
  if (*id < 0)
    return FAIL(MLPD_ERROR_FILE, "%s: attribute %s of %s cannot be read: %s", file->path, name, object, reason());
  const hid_t space = H5Aget_space(*id);
  const hssize_t points = H5Sget_simple_extent_npoints(space);
  id_close(space);
  *type = H5Aget_type(*id);
  if (*type >= 0 && points == 1) return MLPD_OK;
  id_close(*type);
  id_close(*id);
  return FAIL(MLPD_ERROR_DATA, "%s: attribute %s of %s is not a single value", file->path, name, object);
}

/* Reads an attribute that is a number; integer_only refuses floats. */
static mlpd_status attribute_read_number(h5_file *file, const char *object, const char *name, bool integer_only,
                                         hid_t memory_type, void *value) {
  hid_t id = H5I_INVALID_HID, type = H5I_INVALID_HID;
  TRY(attribute_open(file, object, name, &id, &type));
  const H5T_class_t class = H5Tget_class(type);
  mlpd_status status = MLPD_OK;
  int64_t low = 0;
  if (class != H5T_INTEGER && (integer_only || class != H5T_FLOAT))
    status = FAIL(MLPD_ERROR_DATA, "%s: attribute %s of %s is not %s", file->path, name, object,
                  integer_only ? "an integer" : "a number");
  else if (integer_only && H5Tget_sign(type) == H5T_SGN_2 && H5Aread(id, H5T_NATIVE_INT64, &low) >= 0 && low < 0)
    status = FAIL(MLPD_ERROR_DATA, "%s: attribute %s of %s is %" PRId64 ", below 0", file->path, name, object, low);
  else if (H5Aread(id, memory_type, value) < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: attribute %s of %s cannot be read: %s", file->path, name, object, reason());
  id_close(type);
  id_close(id);
  return status;
}

mlpd_status h5_attribute_read_u64(h5_file *file, const char *object, const char *name, uint64_t *value) {
  return attribute_read_number(file, object, name, true, H5T_NATIVE_UINT64, value);
}

mlpd_status h5_attribute_read_double(h5_file *file, const char *object, const char *name, double *value) {
  return attribute_read_number(file, object, name, false, H5T_NATIVE_DOUBLE, value);
}

mlpd_status h5_attribute_read_text(h5_file *file, const char *object, const char *name, char **text) {
  *text = NULL;
  hid_t id = H5I_INVALID_HID, type = H5I_INVALID_HID;
  TRY(attribute_open(file, object, name, &id, &type));
  text_layout layout;
  mlpd_status status = text_layout_make(file, object, type, &layout);
  char *raw = NULL;
  if (status == MLPD_OK) status = memory_allocate(&raw, layout.size, 1, "an attribute");
  if (status == MLPD_OK) {
    if (H5Aread(id, layout.type, raw) < 0) {
      status = FAIL(MLPD_ERROR_FILE, "%s: attribute %s of %s cannot be read: %s", file->path, name, object, reason());
    } else {
      status = texts_copy(&layout, raw, 1, text);
      const hid_t space = H5Aget_space(id);
      if (layout.varying) (void)H5Dvlen_reclaim(layout.type, space, H5P_DEFAULT, raw);
      id_close(space);
    }
  }
  free(raw);
  id_close(layout.type);
  id_close(id);
  return status;
}

/* ---- Looking around --------------------------------------------------------------------------------- */

typedef struct visit_state {
  mlpd_status (*visit)(void *context, const char *object);
  void *context;
  mlpd_status status;
} visit_state;

static herr_t visit_object(hid_t root, const char *name, const object_info *info, void *context) {
  (void)root;
  visit_state *state = context;
  if (info->type != H5O_TYPE_DATASET) return 0;
  char *object = NULL;
  state->status = memory_allocate(&object, strlen(name) + 2, 1, "an object name");
  if (state->status == MLPD_OK) {
    object[0] = '/';
    memcpy(object + 1, name, strlen(name));
    state->status = state->visit(state->context, object);
  }
  free(object);
  return state->status == MLPD_OK ? 0 : -1;
}

mlpd_status h5_visit_arrays(h5_file *file, mlpd_status (*visit)(void *context, const char *object), void *context) {
  visit_state state = {.visit = visit, .context = context, .status = MLPD_OK};
  const herr_t result = VISIT_OBJECTS(file->id, H5_INDEX_NAME, H5_ITER_INC, visit_object, &state, H5O_INFO_BASIC);
  if (state.status != MLPD_OK) return state.status;
  if (result < 0) return FAIL(MLPD_ERROR_FILE, "%s: its objects cannot be listed: %s", file->path, reason());
  return MLPD_OK;
}
