/* Outputs: the one way in which this program writes files.
 *
 * A regular file is written beside its place, under a name that cannot be guessed, and renamed once it is complete and
 * on disk. Until then, and on failure, a former file stays. Symbolic links are followed to the file they name. A pipe,
 * a device or the standard output cannot be replaced: text is written through to it. Nothing here is collective. */
#ifndef MLPDIST_FILE_OUTPUT_H
#define MLPDIST_FILE_OUTPUT_H

#include <sys/types.h>

#include "base/file.h"

typedef enum file_content {
  FILE_TEXT, /* written to `stream` */
  FILE_HDF5  /* written to the file named `temporary`: HDF5 opens it by name and needs a regular one */
} file_content;

typedef struct file_output {
  char path[FILE_PATH_BYTES];      /* as given, for messages */
  char target[FILE_PATH_BYTES];    /* the file to replace: path, its links followed */
  char temporary[FILE_PATH_BYTES]; /* beside target; "": written through */
  FILE *stream;                    /* of FILE_TEXT */
  int descriptor;
  int error;    /* errno of the first failed write of the stream */
  int standard; /* descriptor of the standard output or error if path is that: written directly; else -1 */
} file_output;

/* Opens the output of path; "-" is the standard output. Removes what killed processes left behind for the same
 * output. Refuses folders, block devices and read-only files, and pipes and devices for HDF5. Discard or commit what
 * was opened, and leave *out where it is until then. */
mlpd_status file_output_open(const char *path, file_content content, file_output *out);

/* MLPD_ERROR_FILE if no file can be made at path because its folder is missing or may not be written: known before the
 * work whose result it is. */
mlpd_status file_check_folder_of(const char *path);

/* Passes buffered text to the system; returns the first failure of a write so far. A reader of the standard output
 * that leaves (`| head`) is not a failure. */
mlpd_status file_output_flush(file_output *out);

/* Flushes, and waits until the data is on disk: a full disk shows here. */
mlpd_status file_output_sync(file_output *out);

/* Puts the output in its place: syncs it, renames it and syncs the folder. On failure it is discarded. */
mlpd_status file_output_commit(file_output *out);

void file_output_discard(file_output *out); /* Removes the temporary file. */

/* Writes text to path through an output. */
mlpd_status file_write_text(const char *path, const char *text);

/* Removes the temporary files of output folder/name that killed processes left. Files of running processes stay;
 * files of other hosts and containers stay for a day. name NULL: of every output in folder whose name `ours`
 * accepts. */
void file_remove_leftovers(const char *folder, const char *name, bool (*ours)(const char *name));

/* ---- Which file is it ------------------------------------------------------------------------------ */

/* A file under whatever name. */
typedef struct file_identity {
  dev_t device;
  ino_t inode;
  bool known;
} file_identity;

file_identity file_identify(const char *path);                              /* path NULL or no file there: not known */
file_identity file_identify_output(const char *out);                        /* "-": the file that standard output is */
bool file_identities_equal(const file_identity *a, const file_identity *b); /* false where one is not known */

/* MLPD_ERROR_USAGE if output out is the file input, under any name: "--out e.h5 is the file that --data reads".
 * "-" is the file that the standard output, or for the input the standard input, was redirected to. Names may be NULL.
 */
mlpd_status file_check_apart(const char *out_option, const char *out, const char *input_option, const char *input);

#endif
