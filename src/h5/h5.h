/* HDF5, and nothing else of it anywhere: the files h5*.c alone include hdf5.h. Errors
 * are one line (HDF5's own error stack is silenced), naming the file and the object. Files are opened
 * read-only with locking off. External links, external storage and virtual data sets are refused. Nothing here is
 * collective. */
#ifndef MLPDIST_H5_H
#define MLPDIST_H5_H

#include "base/element.h"
#include "base/file_version.h"
#include "base/status.h"

typedef struct h5_file h5_file;
typedef struct h5_array h5_array; /* an open HDF5 data set */

enum { H5_MAX_RANK = 2 };

typedef struct h5_shape {
  int dimensions;         /* in the file */
  int rank;               /* 0 to 2; images (n, h, w, ...) are opened as (n, h * w * ...) */
  uint64_t rows, columns; /* columns 1 for rank 1 */
  element_type type;      /* the native type it is read as; half floats as float32 */
  uint64_t chunk_rows;    /* 0: contiguous */
  bool text;              /* texts, not numbers (type says nothing then): h5_labels_open alone opens these */
} h5_shape;

/* What HDF5 has read of a file beside its numbers, for other processes that read the same content. */
typedef struct h5_metadata {
  file_version version; /* of the file */
  uint64_t bytes;
  char *records; /* (bytes) */
} h5_metadata;

/* How a file is opened. */
typedef struct h5_opening {
  bool records;       /* what is read of its metadata is kept, for h5_record_take */
  h5_metadata *known; /* what another process has read, or NULL. It is taken over, used or not. Where path is the same
                       * content, it was tried there, too, and nothing that is known is read of the file again. */
} h5_opening;

/* Read-only. HDF5 crashes on some forged files or turns in circles: a file is read in a process apart first, all but
 * the numbers of its arrays (h5_trial in h5_internal.h). MLPD_ERROR_DATA where that process dies. */
mlpd_status h5_open(const char *path, h5_file **file);
mlpd_status h5_open_as(const char *path, const h5_opening *how, h5_file **file);

/* One more user of a file that is open: closes it, too; the last one really does. */
h5_file *h5_share(h5_file *file);

/* Takes what was kept so far (to be freed); from now on nothing is. Nothing with HDF5 1.13 and later. */
void h5_record_take(h5_file *file, h5_metadata *taken);

void h5_metadata_free(h5_metadata *m);

/* Truncates: for outputs, h5_create_as() with the temporary file's path and, for messages, the output's name. */
mlpd_status h5_create(const char *path, h5_file **file);
mlpd_status h5_create_as(const char *path, const char *name, h5_file **file);

mlpd_status h5_close(h5_file *file); /* NULL is allowed; flushes: check it after writing. */
bool h5_exists(h5_file *file, const char *object);
/* MLPD_ERROR_DATA where object, or a group on the way to it, is an external link or a link to nowhere. */
mlpd_status h5_check_links(h5_file *file, const char *object);

bool h5_is_matlab(const char *path); /* Does MATLAB 7.3 say it wrote path? */
bool h5_is_hdf5(const char *path);

mlpd_status h5_array_open(h5_file *file, const char *object, h5_array **array); /* of numbers */

/* h5_array_open of labels: numbers, or one text a row of fixed or varying length */
mlpd_status h5_labels_open(h5_file *file, const char *object, h5_array **array);

void h5_array_close(h5_array *array); /* NULL is allowed. */
h5_shape h5_array_shape(const h5_array *array);
const char *h5_array_stored_type(const h5_array *array); /* "uint8", "float16", ... */
const char *h5_array_storage(const h5_array *array);     /* "contiguous", "chunked 128 x 784, deflate 4" */

/* Bytes in the file; of chunks, the whole index is read for it. */
uint64_t h5_array_stored_bytes(const h5_array *array);

uint64_t h5_array_kept(const h5_array *array); /* bytes of unpacked chunks that HDF5 keeps, at most */

/* Reads rows [row, row + count) as elements of type as (its own type or any other: HDF5 converts) to out
 * (count, columns). */
mlpd_status h5_array_read(h5_array *array, uint64_t row, uint64_t count, element_type as, void *out);

/* Gets a text of length bytes without the zeros or blanks that fill it up; it is valid during the call. */
typedef mlpd_status h5_text_visit(void *context, uint64_t row, const char *text, size_t length);

/* Calls visit for each of rows [row, row + count) of an array of texts, in order. */
mlpd_status h5_array_read_texts(h5_array *array, uint64_t row, uint64_t count, h5_text_visit *visit, void *context);

/* Names and values of an array of named values (an HDF5 enumeration, h5py's booleans): *count, 0 for any other array.
 * Free names with h5_strings_free, values with free(). */
mlpd_status h5_array_value_names(const h5_array *array, char ***names, int64_t **values, uint64_t *count);

/* Creates object (and its groups) with shape (rows, columns) (rank 1: columns 0) and type; chunk_rows 0:
 * contiguous, rows 0 with chunk_rows > 0: growing; deflate 0 to 9 (with shuffle). */
mlpd_status h5_array_create(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type type,
                            uint64_t chunk_rows, int deflate, h5_array **array);

/* Writes rows [row, row + count), growing the array where it was made so. */
mlpd_status h5_array_write(h5_array *array, uint64_t row, uint64_t count, element_type as, const void *data);

/* Whole small arrays in one call. */
mlpd_status h5_write(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type type,
                     const void *data);
mlpd_status h5_read(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type as, void *out);

/* Lists of strings (UTF-8 of the longest's length when written; fixed and variable-length read). Free what is read
 * with h5_strings_free. */
mlpd_status h5_strings_write(h5_file *file, const char *object, const char *const *strings, uint64_t count);
mlpd_status h5_strings_read(h5_file *file, const char *object, char ***strings, uint64_t *count);
void h5_strings_free(char **strings, uint64_t count);

/* Scalar attributes of an object ("/" is the root). Writing replaces, and makes the object a group where there is
 * none. A text read is allocated (free()). */
mlpd_status h5_attribute_write_u64(h5_file *file, const char *object, const char *name, uint64_t value);
mlpd_status h5_attribute_write_double(h5_file *file, const char *object, const char *name, double value);
mlpd_status h5_attribute_write_text(h5_file *file, const char *object, const char *name, const char *text);
bool h5_attribute_exists(h5_file *file, const char *object, const char *name);
mlpd_status h5_attribute_read_u64(h5_file *file, const char *object, const char *name, uint64_t *value);
mlpd_status h5_attribute_read_double(h5_file *file, const char *object, const char *name, double *value);
mlpd_status h5_attribute_read_text(h5_file *file, const char *object, const char *name, char **text);

/* Calls visit for each data set below the root in name order: for `info` on foreign files. */
mlpd_status h5_visit_arrays(h5_file *file, mlpd_status (*visit)(void *context, const char *object), void *context);

/* Calls visit for each soft and external link, with words on where it leads. */
mlpd_status h5_visit_links(h5_file *file,
                           mlpd_status (*visit)(void *context, const char *object, const char *described),
                           void *context);

/* Writes content into a new file. */
typedef mlpd_status h5_writer(h5_file *file, const void *content);

/* Writes path whole or not at all: to a temporary file beside it, synced, then renamed. A former file stays on
 * failure. */
mlpd_status h5_save(const char *path, h5_writer *write, const void *content);

#endif
