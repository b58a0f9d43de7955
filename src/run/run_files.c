#include "run/run_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/checkpoint.h"
#include "run/run_lock.h"
#include "run/run_log.h"

static const run_file removal_order[] = {RUN_MODEL, RUN_METRICS_EVENTS, RUN_METRICS_JSON, RUN_METRICS, RUN_CONFIG};
enum { NUM_NAMES = sizeof removal_order / sizeof *removal_order };

/* Does a run with these logs write the file? */
static bool is_written(run_file kind, const char *logs) {
  for (int log = 0; log < NUM_RUN_LOGS; log++)
    if (kind == run_log_file((run_log)log)) return run_log_wanted(logs, (run_log)log);
  return true;
}

mlpd_status run_files_check(const char *folder, const char *logs, bool *used) {
  *used = false;
  for (int i = 0; i < NUM_NAMES; i++) {
    char path[FILE_PATH_BYTES];
    struct stat about;
    TRY(file_path(path, folder, run_file_name(removal_order[i])));
    if (stat(path, &about) != 0) continue;
    const bool is_ours = run_file_is_ours(path, removal_order[i]);
    if (!is_ours && !is_written(removal_order[i], logs)) continue;
    if (!is_ours)
      return FAIL(MLPD_ERROR_FILE,
                  "%s exists, no run of mlpdist wrote it, and this run would replace it; move it away "
                  "or choose another --out",
                  path);
    *used = true;
  }
  return MLPD_OK;
}

/* The folder that path lies in. */
static file_identity folder_of(const char *path) {
  char folder[FILE_PATH_BYTES];
  const char *const slash = strrchr(path, '/');
  (void)snprintf(folder, sizeof folder, "%s", path);
  if (slash == NULL) return file_identify(".");
  folder[slash == path ? 1 : slash - path] = '\0';
  return file_identify(folder);
}

bool run_file_lies_in(const char *path, const char *folder) {
  const file_identity in = folder_of(path), here = file_identify(folder);
  return file_identities_equal(&in, &here);
}

mlpd_status run_files_check_out(const char *folder) {
  if (strcmp(folder, "-") != 0) return MLPD_OK;
  return FAIL(
      MLPD_ERROR_USAGE,
      "--out -: a run writes a folder of files, which the standard output cannot hold; name a folder (--out ./- "
      "for one of this name)");
}

/* Is path a run's file in run 1 or 2 of --embed-numbers auto, which a new run in the folder removes? */
static bool is_of_half(const char *path, const char *folder) {
  char half[FILE_PATH_BYTES], own[FILE_PATH_BYTES];
  const file_identity file = file_identify(path);
  for (uint32_t number = 1; number <= 2; number++)
    for (int i = 0; i < NUM_NAMES; i++) {
      if (run_files_half(folder, number, half) != MLPD_OK ||
          file_path(own, half, run_file_name(removal_order[i])) != MLPD_OK)
        return false;
      const file_identity there = file_identify(own);
      if (file_identities_equal(&file, &there) && run_file_is_ours(own, removal_order[i])) return true;
    }
  return false;
}

mlpd_status run_files_check_apart(const char *folder, const char *option, const char *path) {
  if (path == NULL) return MLPD_OK;
  if (is_of_half(path, folder))
    return FAIL(MLPD_ERROR_USAGE,
                "%s %s belongs to the run that this one replaces in --out %s; copy it elsewhere, or use another --out",
                option, path, folder);
  const char *const slash = strrchr(path, '/'), *const name = slash != NULL ? slash + 1 : path;
  const file_identity in = folder_of(path), here = file_identify(folder), file = file_identify(path);
  for (int i = 0; i < NUM_NAMES; i++) {
    char own[FILE_PATH_BYTES];
    TRY(file_path(own, folder, run_file_name(removal_order[i])));
    const file_identity there = file_identify(own);
    if (file_identities_equal(&file, &there) ||
        (strcmp(name, run_file_name(removal_order[i])) == 0 && file_identities_equal(&in, &here)))
      return FAIL(MLPD_ERROR_USAGE,
                  "%s %s is a file that the run itself writes into --out %s; use another file or another --out", option,
                  path, folder);
  }
  return MLPD_OK;
}

/* ---- The two runs of a choice ------------------------------------------------------------------------- */

const char *run_files_half_name(uint32_t number) { return number == 1 ? "without-bins" : "with-bins"; }

mlpd_status run_files_half(const char *whole, uint32_t number, char folder[FILE_PATH_BYTES]) {
  return file_path(folder, whole, run_files_half_name(number));
}

bool run_files_have_half(const char *folder) {
  char half[FILE_PATH_BYTES], config[FILE_PATH_BYTES];
  for (uint32_t number = 1; number <= 2; number++) {
    const bool named = run_files_half(folder, number, half) == MLPD_OK &&
                       file_path(config, half, run_file_name(RUN_CONFIG)) == MLPD_OK;
    if (named && run_file_is_ours(config, RUN_CONFIG)) return true;
  }
  return false;
}

static mlpd_status copy_bytes(FILE *from, const char *path, FILE *to) {
  char bytes[1 << 14];
  for (size_t got = sizeof bytes; got == sizeof bytes;) {
    got = fread(bytes, 1, sizeof bytes, from);
    if (ferror(from)) return FAIL(MLPD_ERROR_FILE, "%s: cannot be read: %s", path, strerror(errno));
    (void)fwrite(bytes, 1, got, to); /* committing shows a failure */
  }
  return MLPD_OK;
}

static mlpd_status copy_file(const char *from, const char *to) {
  file_output out;
  FILE *const in = fopen(from, "rbe");
  if (in == NULL) return FAIL(MLPD_ERROR_FILE, "%s: %s", from, strerror(errno));
  mlpd_status status = file_output_open(to, FILE_TEXT, &out);
  if (status == MLPD_OK) {
    status = copy_bytes(in, from, out.stream);
    if (status == MLPD_OK)
      status = file_output_commit(&out);
    else
      file_output_discard(&out);
  }
  (void)fclose(in);
  return status;
}

mlpd_status run_files_copy(const char *from, const char *to) {
  char source[FILE_PATH_BYTES], target[FILE_PATH_BYTES];
  for (int i = NUM_NAMES - 1; i >= 0; i--) {
    const char *const name = run_file_name(removal_order[i]);
    TRY(file_path(source, from, name));
    TRY(file_path(target, to, name));
    if (run_file_is_ours(source, removal_order[i])) TRY(copy_file(source, target));
  }
  return MLPD_OK;
}

/* ---- Removing ----------------------------------------------------------------------------------------- */

void run_files_remove_leftovers(const char *folder) {
  for (int i = 0; i < NUM_NAMES; i++) file_remove_leftovers(folder, run_file_name(removal_order[i]), NULL);
  file_remove_leftovers(folder, "probe", NULL);
}

/* The lock goes with the files: a killed run leaves its own. */
mlpd_status run_files_remove_half(const char *whole, uint32_t number) {
  char half[FILE_PATH_BYTES];
  run_lock lock;
  TRY(run_files_half(whole, number, half));
  if (!file_identify(half).known || run_lock_take(half, &lock) != MLPD_OK) return MLPD_OK;
  run_files_remove_leftovers(half);
  const mlpd_status status = run_files_remove(half);
  run_lock_release(&lock);
  (void)rmdir(half); /* if it is empty */
  return status;
}

mlpd_status run_files_remove(const char *folder) {
  char path[FILE_PATH_BYTES], target[FILE_PATH_BYTES];
  TRY(file_path(path, folder, "checkpoints"));
  checkpoint_prune(path, UINT64_MAX, 0);
  (void)rmdir(path); /* if it is empty */
  for (int i = 0; i < NUM_NAMES; i++) {
    TRY(file_path(path, folder, run_file_name(removal_order[i])));
    if (!run_file_is_ours(path, removal_order[i])) continue;
    /* A link is kept; the new file goes where it leads. */
    if (realpath(path, target) != NULL && unlink(target) != 0)
      return FAIL(MLPD_ERROR_FILE, "%s: the file of the previous run cannot be removed: %s", path, strerror(errno));
  }
  return MLPD_OK;
}
