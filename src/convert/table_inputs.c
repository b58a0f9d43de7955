#include "convert/table_inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

static mlpd_status add(table_inputs *inputs, const char *path, size_t length) {
  char **const larger = realloc(inputs->paths, ((size_t)inputs->count + 1) * sizeof *larger);
  if (larger == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory for the names of input files");
  inputs->paths = larger;
  TRY(memory_allocate(&inputs->paths[inputs->count], length + 1, 1, "name of an input file"));
  memcpy(inputs->paths[inputs->count++], path, length);
  return MLPD_OK;
}

/* Copies that editors and downloads leave: their rows would count twice. */
static bool is_copy(const char *name) {
  static const char *const ends[] = {"~", ".bak", ".orig", ".old", ".tmp", ".part", ".crdownload"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (text_ends_in(name, ends[i])) return true;
  return false;
}

/* What a run writes, where its folder is that of the data. */
static bool is_of_run(const char *folder, const char *name) {
  static const char *const files[] = {"config.ini", "metrics.csv", "metrics.jsonl", "events.out.tfevents.mlpdist",
                                      "model.h5",   "converted.h5"};
  char config[FILE_PATH_BYTES];
  if (strcmp(name, "run.lock") == 0 || strcmp(name, "converted.next.h5") == 0) return true;
  if (file_path(config, folder, "config.ini") != MLPD_OK || access(config, F_OK) != 0) return false;
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (strcmp(name, files[i]) == 0) return true;
  return false;
}

/* true for files that are not data: documentation beside the data, examples of answers to a contest
 * (sample_submission.csv), and hidden files. */
static bool is_beside(const char *name) {
  static const char *const starts[] = {".",
                                       "readme",
                                       "licen",
                                       "copying",
                                       "sample_submission",
                                       "samplesubmission",
                                       "sample-submission",
                                       "gender_submission"};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (strncasecmp(name, starts[i], strlen(starts[i])) == 0) return true;
  return false;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static mlpd_status add_folder(table_inputs *inputs, const char *folder) {
  DIR *const listing = opendir(folder);
  if (listing == NULL) return FAIL(MLPD_ERROR_FILE, "%s: %s", folder, strerror(errno));
  mlpd_status status = MLPD_OK;
  bool run = false;
  const struct dirent *entry;
  while (status == MLPD_OK && (entry = readdir(listing)) != NULL) {
    char path[FILE_PATH_BYTES];
    struct stat about;
    if (is_beside(entry->d_name) || is_copy(entry->d_name)) continue;
    if (is_of_run(folder, entry->d_name)) {
      run = true;
      continue;
    }
    status = file_path(path, folder, entry->d_name);
    if (status == MLPD_OK && stat(path, &about) == 0 && S_ISREG(about.st_mode))
      status = add(inputs, path, strlen(path));
  }
  (void)closedir(listing);
  TRY(status);
  if (inputs->count == 0 && run)
    return FAIL(MLPD_ERROR_USAGE, "--data %s: a run folder without tables; name the data itself", folder);
  if (inputs->count == 0)
    return FAIL(MLPD_ERROR_USAGE, "--data %s: the folder holds no files; name files in its subfolders one by one",
                folder);
  qsort(inputs->paths, (size_t)inputs->count, sizeof *inputs->paths, by_name); /* readdir has no order */
  return MLPD_OK;
}

mlpd_status table_inputs_list(const char *data, table_inputs *made) {
  struct stat about;
  *made = (table_inputs){.count = 0};
  if (stat(data, &about) == 0) return S_ISDIR(about.st_mode) ? add_folder(made, data) : add(made, data, strlen(data));
  for (const char *at = data;; at++) {
    at += strspn(at, " "); /* "x.npy, y.npy" */
    const size_t cell = strcspn(at, ",");
    size_t length = cell;
    while (length > 0 && at[length - 1] == ' ') length--;
    if (length > 0) TRY(add(made, at, length));
    at += cell;
    if (*at == '\0') return MLPD_OK;
  }
}

void table_inputs_free(table_inputs *inputs) {
  for (int i = 0; i < inputs->count; i++) free(inputs->paths[i]);
  free(inputs->paths);
  *inputs = (table_inputs){.count = 0};
}
