/* Declarations that the files of src/h5 share. Only they include this header. */
#ifndef MLPDIST_H5_INTERNAL_H
#define MLPDIST_H5_INTERNAL_H

#include <hdf5.h>
#include <sys/stat.h>

#include "h5/h5.h"

#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
#define H5_HAVE_SET_FILE_LOCKING 1
#else
#define H5_HAVE_SET_FILE_LOCKING 0
#endif

/* HDF5 renamed these in release 1.12. */
#if H5_VERSION_GE(1, 12, 0)
typedef H5O_info2_t h5_object_info;
#define H5_VISIT_OBJECTS H5Ovisit3
#else
typedef H5O_info_t h5_object_info;
#define H5_VISIT_OBJECTS H5Ovisit2
#endif

enum { H5_MAX_STORED_RANK = 4 };

typedef struct h5_lent h5_lent;

struct h5_file {
  hid_t id;
  hid_t link_access; /* refuses external links and notes them in met_external_link */
  bool writable, met_external_link;
  bool in_memory;       /* and opened read-only: HDF5 has no descriptor of it */
  uint64_t size;        /* bytes; undefined for a file that is being written */
  file_version version; /* when it was opened; all 0: unknown, or in memory */
  int write_error;      /* errno of the first failure of the driver, or 0 */
  unsigned users;       /* the h5_close that brings this to 0 closes the file */
  h5_lent *lent;        /* arrays in the caller's memory */
  char *path;           /* the name in messages */
  char failure[256];    /* why closing an array failed, for h5_close to report; or empty */
};

struct h5_array {
  h5_file *file; /* borrowed */
  hid_t id;
  char *object;
  h5_shape shape;
  bool grows;
  int stored_rank;
  hsize_t dims[H5_MAX_STORED_RANK], chunk[H5_MAX_STORED_RANK]; /* chunk[0] 0: contiguous */
  char stored_type[32], storage[160];
  int descriptor;   /* h5_direct.c reads the array from this file descriptor; -1: HDF5 reads it */
  uint64_t place;   /* for h5_direct.c: bytes from the file's start to row 0 */
  const char *lent; /* the caller's memory with the numbers; NULL: they are in the file */
  uint8_t *checked; /* for h5_check_chunks: one bit for each row of chunks, set once it was checked; or NULL */
};

/* ---- h5_library.c ----------------------------------------------------------------------------------- */

void h5_library_start(void);

/* Locks HDF5 for this thread until the enclosing function returns. Every function of h5.h that calls HDF5 begins with
 * this, because HDF5 may be built without thread safety. If it is built with it (as Debian's serial library is), a
 * process forked while another thread is inside HDF5 would wait for that thread's lock for ever. The lock is held until
 * the function returns because h5_reason reads HDF5's state. May be nested. */
#define H5_ENTER() const h5_guard guard_ __attribute__((cleanup(h5_leave), unused)) = h5_enter()

typedef struct h5_guard {
  char entered;
} h5_guard;

h5_guard h5_enter(void);
void h5_leave(const h5_guard *guard);

/* In the child of a fork that was made under H5_ENTER(): replaces the lock by a new one, which this thread holds. */
void h5_enter_in_child(void);

/* HDF5's innermost description of the call that just failed. Call it before any other HDF5 call, since each clears it.
 */
const char *h5_reason(void);

/* true if any failure for which this thread called h5_reason was a lack of memory */
bool h5_lacked_memory(void);

/* Closes an identifier of any kind except a file; ignores negative ones. */
void h5_id_close(hid_t id);

hid_t h5_native_type(element_type type);

/* ---- h5_file.c -------------------------------------------------------------------------------------- */

/* The bytes of a file in memory; NULL: it is one on disk. */
typedef struct h5_image {
  void *bytes;
  size_t count;
} h5_image;

/* h5_open_as and h5_open_image without the trial and without the lock */
mlpd_status h5_open_untried(const char *path, const h5_opening *how, h5_file **file);
mlpd_status h5_open_image_untried(const char *name, h5_image image, h5_file **file);

/* Fails unless path is a regular file (opening a pipe would wait); *size receives its bytes. */
mlpd_status h5_path_check(const char *path, uint64_t *size);

/* After HDF5 failed to open path: fails with the operating system's reason, if there is one. It is shorter and clearer
 * than HDF5's. */
mlpd_status h5_readable_check(const char *path);

hid_t h5_file_access_create(void);

/* The callback for H5Pset_elink_cb: refuses the external link and sets *(bool *)context. */
herr_t h5_refuse_external_link(const char *parent_file, const char *parent_group, const char *child_file,
                               const char *child_object, unsigned *access, hid_t file_access, void *context);

/* true if a file of this size can hold so many bytes, plain or (packed) deflated. Checked before memory is allocated
 * for a size that the file claims. */
bool h5_could_hold(const h5_file *file, double bytes, bool packed);

/* ---- h5_driver.c ------------------------------------------------------------------------------------ */

/* Sets in the property list `access` the driver of h5_driver.c, with the options *how. *how must live until the file is
 * open. */
void h5_driver_set(hid_t access, const h5_opening *how);

/* The same for a file that is written. *error, 0 at first and valid until the file is closed, receives the errno of the
 * first failure; HDF5 is not told. */
void h5_driver_set_writing(hid_t access, int *error);

/* Fails if something could not be written to the file so far; the message names object, unless that is NULL. */
mlpd_status h5_written_check(const h5_file *file, const char *object);

/* The driver's identifier; H5FD_SEC2 if it cannot be used. */
hid_t h5_driver(void);

/* ---- h5_object.c ------------------------------------------------------------------------------------ */

/* Opens a data set of any type; *id is negative on failure. */
mlpd_status h5_dataset_open(h5_file *file, const char *object, hid_t *id);

/* ---- h5_group.c ------------------------------------------------------------------------------------- */

/* Creates the groups that object lies in and, if whole, object itself as a group. HDF5 could create them together with
 * an array, but would store the current time in them. */
mlpd_status h5_groups_create(h5_file *file, const char *object, bool whole);

/* ---- h5_refusal.c ----------------------------------------------------------------------------------- */

/* Each fails with MLPD_ERROR_DATA and a command that makes the array readable. */
mlpd_status h5_fail_filter(const h5_array *array, int filter, const char *name); /* the filter is not installed */
mlpd_status h5_fail_elsewhere(const h5_array *array, const char *what);          /* the numbers are in other files */
mlpd_status h5_fail_compound(const h5_array *array, hid_t type);
mlpd_status h5_fail_group(h5_file *file, const char *object); /* object is a group where an array is needed */

/* ---- h5_array.c ------------------------------------------------------------------------------------- */

mlpd_status h5_array_allocate(h5_file *file, const char *object, h5_array **array);
void h5_chunks_describe(h5_array *array, int rank);

/* ---- h5_rows.c -------------------------------------------------------------------------------------- */

/* Selects rows [row, row + count) in *file_space and creates *memory_space of the same shape. The caller closes both,
 * also after a failure. */
mlpd_status h5_rows_select(h5_array *array, uint64_t row, uint64_t count, hid_t *file_space, hid_t *memory_space);

/* ---- h5_whole.c ------------------------------------------------------------------------------------- */

/* Notes which version of the file was opened. */
void h5_note_version(h5_file *file);

/* MLPD_ERROR_FILE if the array's file was changed since it was opened; the message names these rows, which were just
 * read. */
mlpd_status h5_check_whole(const h5_array *array, uint64_t row, uint64_t count);

/* The same without HDF5: of the file with this descriptor. */
mlpd_status h5_check_descriptor(const h5_array *array, int descriptor, uint64_t row, uint64_t count);

/* Fails: while rows [row, row + count) were read, the file shrank to `left` bytes. */
mlpd_status h5_became_shorter(const h5_array *array, uint64_t row, uint64_t count, uint64_t left);

/* ---- h5_direct.c ------------------------------------------------------------------------------------ */

/* Sets array->lent, or descriptor and place if pread() can read the array; its shape must be known. */
void h5_direct_find(h5_array *array);

/* true if h5_direct_read can return the array's elements as this type */
bool h5_direct_can(const h5_array *array, element_type as);

/* h5_array_read without HDF5. Threads may call it at the same time. */
mlpd_status h5_direct_read(h5_array *array, uint64_t row, uint64_t count, element_type as, void *out);

/* ---- h5_lent.c -------------------------------------------------------------------------------------- */

mlpd_status h5_lent_add(h5_file *file, const char *object, const void *data);
const char *h5_lent_find(const h5_file *file, const char *object); /* NULL: the array is not lent */
void h5_lent_free(h5_file *file);

/* ---- h5_chunk.c ------------------------------------------------------------------------------------- */

/* MLPD_ERROR_DATA if a chunk of rows [row, row + count) is shorter than its shape requires. HDF5 1.10 does not check
 * this: it reads beyond the end of a chunk that a forged index or a forged compressed stream makes too short. Checks
 * plain and deflated chunks (the latter are unpacked once more for it), and leaves other filters to HDF5. */
mlpd_status h5_check_chunks(h5_array *array, uint64_t row, uint64_t count);

/* ---- h5_text.c -------------------------------------------------------------------------------------- */

/* Creates the type of a UTF-8 text of size bytes, including the final zero, or of size H5T_VARIABLE. */
hid_t h5_text_type(size_t size);

/* How texts of a type lie in memory: as pointers if their length varies, else as bytes. */
typedef struct h5_text_layout {
  hid_t type; /* in memory */
  bool varying, blank_padded;
  size_t size; /* bytes of one in memory */
} h5_text_layout;

/* Describes the text type `stored`, and owns it from now on (on failure it is closed). MLPD_ERROR_DATA if it is not a
 * text type. */
mlpd_status h5_text_layout_make(const h5_file *file, const char *object, hid_t stored, h5_text_layout *layout);

/* Copies count texts from raw to strings (count), each allocated. */
mlpd_status h5_texts_copy(const h5_text_layout *layout, const char *raw, uint64_t count, char **strings);

/* ---- h5_trial.c ------------------------------------------------------------------------------------- */

/* Reads path, or an image of that name, in a child process: everything but the numbers of its arrays. On some forged
 * files HDF5 crashes or loops for ever; the child then dies instead of this process, and the result is MLPD_ERROR_DATA.
 * Any other failure is left to the actual reading. If fork fails, the file is accepted without a trial.
 *
 * This is safe under MPI: since Linux 5.10, memory that a network card writes to stays with the parent after a fork,
 * and the child neither calls MPI nor returns. */
mlpd_status h5_trial(const char *path, h5_image image);

#endif
