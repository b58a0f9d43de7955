/* Reads and writes HDF5 files: arrays, lists of strings, attributes. Only src/h5 includes hdf5.h. An error is one line
 * that names the file and the object (HDF5's own error stack is silenced). Files are opened read-only, without locks.
 * External links, external storage and virtual data sets are refused. Nothing here is collective. */
#ifndef MLPDIST_H5_H
#define MLPDIST_H5_H

#include "base/element.h"
#include "base/file_version.h"
#include "base/status.h"

typedef struct h5_file h5_file;
typedef struct h5_array h5_array; /* an open HDF5 data set */

enum { H5_MAX_RANK = 2 };

typedef struct h5_shape {
  int dimensions;         /* number of dimensions in the file */
  int rank;               /* 0 to 2; images (n, h, w, ...) are opened as (n, h * w * ...) */
  uint64_t rows, columns; /* columns is 1 for rank 1 */
  element_type type;      /* the native type to read it as; float32 for half floats */
  uint64_t chunk_rows;    /* 0: contiguous */
  bool text;              /* texts instead of numbers; type is then meaningless. Only h5_labels_open opens these. */
} h5_shape;

/* The metadata that HDF5 has read from a file (everything but the numbers), for processes that open the same file. */
typedef struct h5_metadata {
  file_version version; /* the version of the file that was read */
  uint64_t bytes;
  char *records; /* (bytes) */
} h5_metadata;

/* Options for opening a file. */
typedef struct h5_opening {
  bool records;       /* keep the metadata that is read, for h5_metadata_take */
  h5_metadata *known; /* metadata read by another process, or NULL. h5_open_as takes ownership in any case. If path
                       * still has that version, the file needs no trial here and none of this is read again. */
} h5_opening;

/* Open path read-only. HDF5 crashes or loops for ever on some forged files. A child process therefore reads the file
 * first, all but the numbers of its arrays (h5_trial in h5_internal.h). MLPD_ERROR_DATA if that process dies. */
mlpd_status h5_open(const char *path, h5_file **file);
mlpd_status h5_open_as(const char *path, const h5_opening *how, h5_file **file);

/* The same of a file whose bytes are in memory; HDF5 copies them. name: for messages. */
mlpd_status h5_open_image(const char *name, void *image, size_t bytes, h5_file **file);

/* Adds a user to an open file and returns it. Each user calls h5_close; the last call closes the file. */
h5_file *h5_share(h5_file *file);

/* Moves the metadata kept so far to *taken (free it with h5_metadata_free) and stops keeping it. */
void h5_metadata_take(h5_file *file, h5_metadata *taken);

void h5_metadata_free(h5_metadata *m);

/* Create or truncate a file. For an output that is renamed when complete, call h5_create_as with the path of the
 * temporary file and the name of the output, which messages show. */
mlpd_status h5_create(const char *path, h5_file **file);
mlpd_status h5_create_as(const char *path, const char *name, h5_file **file);

/* A file in this process's memory alone, to be written and read until it is closed. name: for messages. */
mlpd_status h5_create_in_memory(const char *name, h5_file **file);

mlpd_status h5_close(h5_file *file); /* Flushes: check the status after writing. NULL is allowed. */
bool h5_exists(h5_file *file, const char *object);
/* MLPD_ERROR_DATA if object, or a group on the path to it, is an external link or a dangling link. */
mlpd_status h5_check_links(h5_file *file, const char *object);

bool h5_is_matlab(const char *path); /* true if the header of path says that MATLAB 7.3 wrote it */
bool h5_is_hdf5(const char *path);

/* Opens an array of numbers. The file must stay open until h5_array_close. */
mlpd_status h5_array_open(h5_file *file, const char *object, h5_array **array);

/* As h5_array_open, but also opens an array of texts, of fixed or varying length: labels may be either. */
mlpd_status h5_labels_open(h5_file *file, const char *object, h5_array **array);

void h5_array_close(h5_array *array); /* NULL is allowed. */
h5_shape h5_array_shape(const h5_array *array);
const char *h5_array_stored_type(const h5_array *array); /* "uint8", "float16", ... */
const char *h5_array_storage(const h5_array *array);     /* "contiguous", "chunked 128 x 784, deflate 4" */

/* The array's size in the file, in bytes. For a chunked array this reads the whole index of chunks. */
uint64_t h5_array_stored_bytes(const h5_array *array);

/* The number of chunks (rows, of an array in one piece) that were never written, so that reading gives the fill value,
 * which is copied to fill as text. *pieces: the number of all. For a chunked array this reads the index of chunks. */
uint64_t h5_array_unwritten(const h5_array *array, uint64_t *pieces, char fill[32]);

uint64_t h5_array_kept(const h5_array *array); /* most bytes of unpacked chunks that HDF5 caches for the array */

/* Reads rows [row, row + count) to out (count, columns) as elements of type `as`; HDF5 converts from the stored type.
 */
mlpd_status h5_array_read(h5_array *array, uint64_t row, uint64_t count, element_type as, void *out);

/* Receives one text of length bytes, without padding. The text is valid only during the call. */
typedef mlpd_status h5_text_visit(void *context, uint64_t row, const char *text, size_t length);

/* Calls visit for each of rows [row, row + count) of an array of texts, in order. */
mlpd_status h5_array_read_texts(h5_array *array, uint64_t row, uint64_t count, h5_text_visit *visit, void *context);

/* Returns the names and values of an enumeration (h5py stores booleans as one). *count is 0 for any other array. Free
 * names with h5_strings_free, values with free(). */
mlpd_status h5_array_value_names(const h5_array *array, char ***names, int64_t **values, uint64_t *count);

/* Creates object, and the groups it lies in, as an array (rows, columns) of type; columns 0 makes rank 1. chunk_rows 0
 * makes it contiguous; rows 0 with chunk_rows > 0 makes an array that h5_array_write extends. deflate: 0 to 9 (with the
 * shuffle filter). */
mlpd_status h5_array_create(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type type,
                            uint64_t chunk_rows, int deflate, h5_array **array);

/* Creates object as an array (rows, columns; 0 makes rank 1) whose numbers stay at data, in C order, which must outlive
 * the file: reading copies them from there, as `type`, or widened as h5_direct_can says. Only for a file in memory. */
mlpd_status h5_array_lend(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type type,
                          const void *data);

/* Writes rows [row, row + count) from elements of type `as`; extends an array that was created with rows 0. */
mlpd_status h5_array_write(h5_array *array, uint64_t row, uint64_t count, element_type as, const void *data);

/* Creates object as an array (rows, columns) of UTF-8 texts of any length, and writes rows [row, row + count) of it:
 * texts (count, columns). For files that others read: a file of our own should have texts of fixed length. */
mlpd_status h5_texts_create(h5_file *file, const char *object, uint64_t rows, uint64_t columns, h5_array **array);
mlpd_status h5_texts_write(h5_array *array, uint64_t row, uint64_t count, char *const *texts);

/* Write or read a whole small array in one call. */
mlpd_status h5_write(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type type,
                     const void *data);
mlpd_status h5_read(h5_file *file, const char *object, uint64_t rows, uint64_t columns, element_type as, void *out);

/* Lists of strings. Written as fixed-length UTF-8, as long as the longest; read from fixed or variable length. Free
 * strings that were read with h5_strings_free. */
mlpd_status h5_strings_write(h5_file *file, const char *object, const char *const *strings, uint64_t count);
mlpd_status h5_strings_read(h5_file *file, const char *object, char ***strings, uint64_t *count);
void h5_strings_free(char **strings, uint64_t count);

/* Scalar attributes of an object ("/" is the root). Writing replaces an attribute, and creates the object as a group if
 * it does not exist. Free a text that was read with free(). */
mlpd_status h5_attribute_write_u64(h5_file *file, const char *object, const char *name, uint64_t value);
mlpd_status h5_attribute_write_double(h5_file *file, const char *object, const char *name, double value);
mlpd_status h5_attribute_write_text(h5_file *file, const char *object, const char *name, const char *text);
bool h5_attribute_exists(h5_file *file, const char *object, const char *name);
mlpd_status h5_attribute_read_u64(h5_file *file, const char *object, const char *name, uint64_t *value);
mlpd_status h5_attribute_read_double(h5_file *file, const char *object, const char *name, double *value);
mlpd_status h5_attribute_read_text(h5_file *file, const char *object, const char *name, char **text);

/* Calls visit for each data set of the file in the order of names: `mlpdist info` lists unknown files with it. */
mlpd_status h5_visit_arrays(h5_file *file, mlpd_status (*visit)(void *context, const char *object), void *context);

/* MLPD_ERROR_DATA, with the command that writes it as CSV, if the array is a part of a table that pandas stored. */
mlpd_status h5_check_pandas(h5_file *file, const char *object);

/* Calls visit for each soft and external link, with a description of its target. */
mlpd_status h5_visit_links(h5_file *file,
                           mlpd_status (*visit)(void *context, const char *object, const char *described),
                           void *context);

/* Writes content to a new file. */
typedef mlpd_status h5_writer(h5_file *file, const void *content);

/* Writes path completely or not at all: write fills a temporary file beside path, which is synced and then renamed. If
 * that fails, a file that was at path before remains. */
mlpd_status h5_save(const char *path, h5_writer *write, const void *content);

#endif
