/* What the files of HDF5 share; nobody else includes it. */
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

/* HDF5 has renamed these between its releases. */
#if H5_VERSION_GE(1, 12, 0)
typedef H5O_info2_t h5_object_info;
#define H5_VISIT_OBJECTS H5Ovisit3
#else
typedef H5O_info_t h5_object_info;
#define H5_VISIT_OBJECTS H5Ovisit2
#endif

enum { H5_MAX_STORED_RANK = 4 };

struct h5_file {
  hid_t id;
  hid_t link_access; /* refuses external links and notes them in met_external_link */
  bool writable, met_external_link;
  uint64_t size;     /* bytes; of a file being written: any */
  unsigned users;    /* h5_close closes it for the last one */
  char *path;        /* as messages name it */
  char failure[256]; /* what went wrong when an array was closed, for h5_close to report; or empty */
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
  int descriptor;   /* of h5_direct.c: of the file; -1: read by HDF5 */
  uint64_t place;   /* likewise: bytes from the file's start to row 0 */
  uint8_t *checked; /* of h5_check_chunks(): a bit for each row of chunks that it has seen; or NULL */
};

/* ---- h5_library.c ----------------------------------------------------------------------------------- */

void h5_library_start(void);

/* One thread at a time: HDF5 need not be built for more, and a process forked off while another thread is in an HDF5
 * that is (Debian's serial one) waits in it for ever. Every function of h5.h that calls HDF5 begins with this, and
 * holds the lock until it returns, the reason of a failure being HDF5's until then. May be nested. */
#define H5_ENTER() const h5_guard guard_ __attribute__((cleanup(h5_leave), unused)) = h5_enter()

typedef struct h5_guard {
  char entered;
} h5_guard;

h5_guard h5_enter(void);
void h5_leave(const h5_guard *guard);

/* In the child of a fork made between H5_ENTER() and the return: the lock is new, and this thread's. */
void h5_enter_in_child(void);

/* HDF5's innermost description of what just failed. Call it before any other HDF5 call: each clears it. */
const char *h5_reason(void);

/* Whether one of the failures of this thread that h5_reason() was asked about was for want of memory. */
bool h5_lacked_memory(void);

/* Closes an identifier of any kind but a file's; negative ones are let be. */
void h5_id_close(hid_t id);

hid_t h5_native_type(element_type type);

/* ---- h5_file.c -------------------------------------------------------------------------------------- */

/* h5_open_as without the trial */
mlpd_status h5_open_untried(const char *path, const h5_opening *how, h5_file **file);

/* The size of path, which must be a regular file: to open a pipe would wait. */
mlpd_status h5_path_check(const char *path, uint64_t *size);

/* After HDF5 has failed to open path: what the operating system has against it. HDF5's own words for it are long. */
mlpd_status h5_readable_check(const char *path);

hid_t h5_file_access_create(void);

/* H5Pset_elink_cb's: refuses, and notes it in the bool that is its context. */
herr_t h5_refuse_external_link(const char *parent_file, const char *parent_group, const char *child_file,
                               const char *child_object, unsigned *access, hid_t file_access, void *context);

/* Could the file hold so many bytes, as they are or (packed) deflated? Asked before memory is taken for them. */
bool h5_could_hold(const h5_file *file, double bytes, bool packed);

/* ---- h5_record.c ------------------------------------------------------------------------------------ */

/* Has files that are opened with access read by a driver of one descriptor, as how says; how must outlive the opening.
 */
void h5_record_set_driver(hid_t access, const h5_opening *how);

/* That driver. */
hid_t h5_record_driver(void);

/* ---- h5_object.c ------------------------------------------------------------------------------------ */

/* Opens a data set of any type; *id is negative on failure. */
mlpd_status h5_dataset_open(h5_file *file, const char *object, hid_t *id);

/* ---- h5_group.c ------------------------------------------------------------------------------------- */

/* Creates the groups that object lies in, and whole: object itself. HDF5 would make them along with an array, but with
 * the time of it in them. */
mlpd_status h5_groups_create(h5_file *file, const char *object, bool whole);

/* ---- h5_refusal.c ----------------------------------------------------------------------------------- */

mlpd_status h5_fail_filter(const h5_array *array, int filter, const char *name); /* that is missing */
mlpd_status h5_fail_elsewhere(const h5_array *array, const char *what);          /* numbers in other files */
mlpd_status h5_fail_compound(const h5_array *array);
mlpd_status h5_fail_group(h5_file *file, const char *object); /* where a data set belongs */

/* ---- h5_array.c ------------------------------------------------------------------------------------- */

mlpd_status h5_array_allocate(h5_file *file, const char *object, h5_array **array);
void h5_chunks_describe(h5_array *array, int rank);

/* ---- h5_rows.c -------------------------------------------------------------------------------------- */

/* Selects rows [row, row + count) in *file_space and makes *memory_space of the same shape. Both are the caller's, on
 * failure too. */
mlpd_status h5_rows_select(h5_array *array, uint64_t row, uint64_t count, hid_t *file_space, hid_t *memory_space);

/* ---- h5_whole.c ------------------------------------------------------------------------------------- */

/* MLPD_ERROR_FILE where the file of the array is shorter than it was when it was opened. */
mlpd_status h5_check_whole(const h5_array *array, uint64_t row, uint64_t count);

/* The failure that rows [row, row + count) are no longer there: left bytes are. */
mlpd_status h5_became_shorter(const h5_array *array, uint64_t row, uint64_t count, uint64_t left);

/* ---- h5_direct.c ------------------------------------------------------------------------------------ */

/* Finds out whether the array, whose shape is known, can be read so. */
void h5_direct_find(h5_array *array);

/* Whether its rows can be had as elements of this type. */
bool h5_direct_can(const h5_array *array, element_type as);

/* h5_array_read for those. Any thread. */
mlpd_status h5_direct_read(h5_array *array, uint64_t row, uint64_t count, element_type as, void *out);

/* ---- h5_chunk.c ------------------------------------------------------------------------------------- */

/* HDF5 1.10 takes a chunk to be as long as its shape says, and reads on behind it where a forged index or a forged
 * stream makes it shorter. MLPD_ERROR_DATA where one of rows [row, row + count) is: plain or deflated; other ways of
 * packing are left to HDF5. A deflated chunk is unpacked once more for it. */
mlpd_status h5_check_chunks(h5_array *array, uint64_t row, uint64_t count);

/* ---- h5_text.c -------------------------------------------------------------------------------------- */

/* A type of text in UTF-8 of size bytes, its end mark included, or H5T_VARIABLE. */
hid_t h5_text_type(size_t size);

/* Where raw texts of a type lie: pointers for varying length, else bytes. */
typedef struct h5_text_layout {
  hid_t type; /* in memory */
  bool varying, blank_padded;
  size_t size; /* bytes of one in memory */
} h5_text_layout;

/* Takes the type of a file's text (and closes it where it fails). MLPD_ERROR_DATA where it is no text. */
mlpd_status h5_text_layout_make(const h5_file *file, const char *object, hid_t stored, h5_text_layout *layout);

/* Copies count raw texts to strings (count). */
mlpd_status h5_texts_copy(const h5_text_layout *layout, const char *raw, uint64_t count, char **strings);

/* ---- h5_trial.c ------------------------------------------------------------------------------------- */

/* Reads path in a process apart: what lies in the file but for the numbers of its arrays, with the HDF5 that crashes on
 * some forged files or turns in circles. MLPD_ERROR_DATA where it does; all other failures are left to the reading
 * proper. Without a process to try it in (fork fails) the file is taken as it is.
 *
 * Under MPI, too: memory that a network card writes to stays the parent's through a fork since Linux 5.10, and the
 * child neither calls MPI nor returns. */
mlpd_status h5_trial(const char *path);

#endif
