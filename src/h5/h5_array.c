#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "h5/h5_internal.h"

static const size_t max_cache_bytes = (size_t)256 << 20;

static const char *class_name(H5T_class_t class) {
  switch (class) {
    case H5T_STRING:
      return "text";
    case H5T_COMPOUND:
      return "a compound type";
    case H5T_REFERENCE:
      return "references to other objects (a MATLAB cell array?)";
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

/* Sets shape.type and stored_type from the number type `type`. */
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

static void text_type_describe(h5_array *array, hid_t type) {
  array->shape.text = true;
  array->shape.type = ELEMENT_U8;
  if (H5Tis_variable_str(type) > 0)
    (void)snprintf(array->stored_type, sizeof array->stored_type, "text");
  else
    (void)snprintf(array->stored_type, sizeof array->stored_type, "text of %zu bytes", H5Tget_size(type));
}

static mlpd_status array_find_type(h5_array *array, bool texts_too) {
  const char *path = array->file->path;
  const hid_t type = H5Dget_type(array->id);
  if (type < 0) return FAIL(MLPD_ERROR_FILE, "%s: type of %s cannot be read: %s", path, array->object, h5_reason());
  const H5T_class_t class = H5Tget_class(type);
  mlpd_status status = MLPD_OK;
  if (class == H5T_STRING && texts_too) {
    text_type_describe(array, type);
  } else if (class == H5T_COMPOUND) {
    status = h5_fail_compound(array, type);
  } else if (class != H5T_INTEGER && class != H5T_FLOAT && class != H5T_ENUM) {
    status = FAIL(MLPD_ERROR_DATA, "%s: %s holds %s, not numbers%s", path, array->object, class_name(class),
                  class == H5T_STRING ? "; numbers that were stored as text: a.astype('f8')" : "");
  } else {
    /* h5py keeps booleans as an enumeration of int8 */
    const hid_t number = class == H5T_ENUM ? H5Tget_super(type) : H5Tcopy(type);
    if (H5Tget_size(number) > 8 && class != H5T_FLOAT)
      status = FAIL(MLPD_ERROR_DATA, "%s: %s holds integers of %zu bytes, more than 8", path, array->object,
                    H5Tget_size(number));
    else
      number_type_describe(array, class, number);
    h5_id_close(number);
  }
  h5_id_close(type);
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
    if (filter < 0 || H5Zfilter_avail(filter) <= 0) return h5_fail_filter(array, (int)filter, name);
    const size_t length = strlen(array->storage);
    char *end = array->storage + length;
    if (filter == H5Z_FILTER_DEFLATE)
      (void)snprintf(end, sizeof array->storage - length, ", deflate %u", values[0]);
    else if (filter != H5Z_FILTER_SHUFFLE)
      (void)snprintf(end, sizeof array->storage - length, ", %s", name);
  }
  return MLPD_OK;
}

void h5_chunks_describe(h5_array *array, int rank) {
  int length = snprintf(array->storage, sizeof array->storage, "chunked ");
  for (int i = 0; i < rank; ++i)
    length += snprintf(array->storage + length, sizeof array->storage - (size_t)length, "%s%" PRIu64,
                       i > 0 ? " x " : "", (uint64_t)array->chunk[i]);
}

/* Called before the shape is read, because reading the shape of a virtual data set would open its source files. */
static mlpd_status array_find_storage(h5_array *array) {
  const char *path = array->file->path;
  const hid_t creation = H5Dget_create_plist(array->id);
  if (creation < 0)
    return FAIL(MLPD_ERROR_FILE, "%s: layout of %s cannot be read: %s", path, array->object, h5_reason());
  mlpd_status status = MLPD_OK;
  const H5D_layout_t layout = H5Pget_layout(creation);
  if (layout == H5D_VIRTUAL) {
    status = h5_fail_elsewhere(array, "is a virtual data set: its numbers lie in other files");
  } else if (H5Pget_external_count(creation) != 0) {
    status = h5_fail_elsewhere(array, "keeps its numbers in external files");
  } else if (layout == H5D_CHUNKED) {
    const int rank = H5Pget_chunk(creation, H5_MAX_STORED_RANK, array->chunk);
    h5_chunks_describe(array, rank < H5_MAX_STORED_RANK ? rank : H5_MAX_STORED_RANK);
    status = filters_describe(array, creation);
  } else {
    (void)snprintf(array->storage, sizeof array->storage, "contiguous");
  }
  h5_id_close(creation);
  return status;
}

static size_t stored_size(const h5_array *array) {
  const hid_t type = H5Dget_type(array->id);
  const size_t size = H5Tget_size(type);
  h5_id_close(type);
  return size;
}

static mlpd_status array_check_size(const h5_array *array) {
  const bool in_one_piece = array->chunk[0] == 0 && H5Dget_offset(array->id) != HADDR_UNDEF;
  const double size = (double)stored_size(array);
  const double bytes = size * (double)array->dims[0] * (double)array->shape.columns;
  double chunk = size;
  for (int i = 0; i < array->stored_rank; ++i) chunk *= (double)array->chunk[i];
  if (h5_could_hold(array->file, bytes, !in_one_piece) && h5_could_hold(array->file, chunk, true)) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA, "%s: %s claims %.3g bytes, more than a file of %" PRIu64 " can hold; is it damaged?",
              array->file->path, array->object, bytes > chunk ? bytes : chunk, array->file->size);
}

static mlpd_status array_find_shape(h5_array *array) {
  const char *path = array->file->path;
  const hid_t space = H5Dget_space(array->id);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0) {
    h5_id_close(space);
    return FAIL(MLPD_ERROR_FILE, "%s: shape of %s cannot be read", path, array->object);
  }
  if (rank == 0) {
    h5_id_close(space);
    return FAIL(MLPD_ERROR_DATA, "%s: %s has 0 dimensions: a single value or none", path, array->object);
  }
  if (rank > H5_MAX_STORED_RANK) {
    h5_id_close(space);
    return FAIL(MLPD_ERROR_DATA, "%s: %s has %d dimensions, not 1 to %d", path, array->object, rank,
                (int)H5_MAX_STORED_RANK);
  }
  (void)H5Sget_simple_extent_dims(space, array->dims, NULL);
  h5_id_close(space);
  uint64_t columns = 1, elements = 0;
  bool overflow = false;
  for (int i = 1; i < rank; ++i) overflow |= __builtin_mul_overflow(columns, (uint64_t)array->dims[i], &columns);
  overflow |= __builtin_mul_overflow(columns, (uint64_t)array->dims[0], &elements);
  if (overflow || elements > (uint64_t)PTRDIFF_MAX / sizeof(double))
    return FAIL(MLPD_ERROR_DATA, "%s: %s claims more elements than memory can address; is the file damaged?", path,
                array->object);
  array->stored_rank = rank;
  array->shape.dimensions = rank;
  array->shape.rank = rank < H5_MAX_RANK ? rank : H5_MAX_RANK;
  array->shape.rows = array->dims[0];
  array->shape.columns = columns;
  array->shape.chunk_rows = array->chunk[0];
  return array_check_size(array);
}

/* Computes the bytes and the number of the chunks that hold one band of chunk_rows rows. */
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

static const size_t min_cache_bytes = 1 << 20; /* HDF5's default */

uint64_t h5_array_kept(const h5_array *array) {
  size_t bytes = 0, chunks = 0;
  if (array->chunk[0] == 0) return 0;
  H5_ENTER();
  band_measure(array, &bytes, &chunks);
  return bytes > min_cache_bytes ? bytes : min_cache_bytes;
}

/* Opens the data set again with a chunk cache that holds one band, so that sequential reading unpacks each chunk once.
 */
static mlpd_status array_reopen_cached(h5_array *array) {
  size_t bytes = 0, chunks = 0;
  band_measure(array, &bytes, &chunks);
  const size_t slots = chunks * 10 > 521 ? chunks * 10 + 1 : 521; /* HDF5's advice and its default */
  const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  (void)H5Pset_elink_cb(access, h5_refuse_external_link, &array->file->met_external_link);
  (void)H5Pset_chunk_cache(access, slots, bytes > min_cache_bytes ? bytes : min_cache_bytes, 1.0);
  h5_id_close(array->id);
  array->id = H5Dopen2(array->file->id, array->object, access);
  mlpd_status status = MLPD_OK;
  if (array->id < 0)
    status = FAIL(MLPD_ERROR_FILE, "%s: %s cannot be opened: %s", array->file->path, array->object, h5_reason());
  h5_id_close(access);
  return status;
}

mlpd_status h5_array_allocate(h5_file *file, const char *object, h5_array **array) {
  h5_array *made = NULL;
  TRY(memory_allocate(&made, 1, sizeof *made, "an HDF5 array"));
  made->file = file;
  made->id = H5I_INVALID_HID;
  made->descriptor = -1;
  const mlpd_status status = memory_copy_string(object, &made->object);
  if (status != MLPD_OK) {
    free(made);
    made = NULL;
  }
  *array = made;
  return status;
}

static mlpd_status array_open(h5_file *file, const char *object, bool texts_too, h5_array **array) {
  H5_ENTER();
  *array = NULL;
  h5_array *opened = NULL;
  TRY(h5_array_allocate(file, object, &opened));
  mlpd_status status = MLPD_OK;
  TRY_GOTO(status, h5_dataset_open(file, object, &opened->id), failed);
  TRY_GOTO(status, array_find_storage(opened), failed);
  TRY_GOTO(status, array_find_type(opened, texts_too), failed);
  TRY_GOTO(status, array_find_shape(opened), failed);
  if (opened->chunk[0] > 0) TRY_GOTO(status, array_reopen_cached(opened), failed);
  if (!opened->shape.text) h5_direct_find(opened);
  *array = opened;
  return MLPD_OK;
failed:
  h5_array_close(opened);
  return status;
}

mlpd_status h5_array_open(h5_file *file, const char *object, h5_array **array) {
  return array_open(file, object, false, array);
}

mlpd_status h5_labels_open(h5_file *file, const char *object, h5_array **array) {
  return array_open(file, object, true, array);
}

void h5_array_close(h5_array *array) {
  if (array == NULL) return;
  H5_ENTER();
  /* Closing writes the chunks still cached. */
  if (array->id >= 0 && H5Idec_ref(array->id) < 0 && array->file->writable)
    (void)snprintf(array->file->failure, sizeof array->file->failure, "%s", h5_reason());
  free(array->checked);
  free(array->object);
  free(array);
}

uint64_t h5_array_stored_bytes(const h5_array *array) {
  H5_ENTER();
  return H5Dget_storage_size(array->id);
}

h5_shape h5_array_shape(const h5_array *array) { return array->shape; }
const char *h5_array_stored_type(const h5_array *array) { return array->stored_type; }
const char *h5_array_storage(const h5_array *array) { return array->storage; }
