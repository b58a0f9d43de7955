#define _GNU_SOURCE /* memmem */
#include "model/run_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "convert/table.h"
#include "h5/h5.h"

enum {
  HEAD_BYTES = 4096, /* which hold the first attributes of our HDF5 files */
  NEAR_BYTES = 64    /* from an attribute's name to its value */
};

/* Does the head of the file hold the attribute mlpdist = what? This also recognises damaged files. */
static bool head_says(const char *text, size_t length, const char *what) {
  static const char attribute[] = "mlpdist";
  const char *const at = memmem(text, length, attribute, sizeof attribute);
  if (at == NULL) return false;
  const size_t left = length - (size_t)(at - text);
  return memmem(at, left < NEAR_BYTES ? left : NEAR_BYTES, what, strlen(what)) != NULL;
}

/* The same through HDF5, wherever the attribute is. */
static bool attribute_says(const char *path, const char *what) {
  h5_file *file = NULL;
  char *text = NULL;
  if (!h5_is_hdf5(path) || h5_open(path, &file) != MLPD_OK) return false;
  const bool says = h5_attribute_exists(file, "/", "mlpdist") &&
                    h5_attribute_read_text(file, "/", "mlpdist", &text) == MLPD_OK && strcmp(text, what) == 0;
  free(text);
  (void)h5_close(file); /* read-only: nothing is lost */
  return says;
}

/* Is the text near the beginning of an event file? */
static bool head_holds(const char *text, size_t length, const char *what) {
  return memmem(text, length < NEAR_BYTES ? length : NEAR_BYTES, what, strlen(what)) != NULL;
}

const char *run_file_name(run_file kind) {
  static const char *const names[] = {[RUN_MODEL] = "model.h5",
                                      [RUN_CONFIG] = "config.ini",
                                      [RUN_METRICS] = "metrics.csv",
                                      [RUN_METRICS_JSON] = "metrics.jsonl",
                                      [RUN_METRICS_EVENTS] = "events.out.tfevents.mlpdist",
                                      [RUN_CHECKPOINT] = "checkpoint"};
  return names[kind];
}

bool run_file_is_ours(const char *path, run_file kind) {
  char text[HEAD_BYTES];
  struct stat about;
  if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) return false;
  if (about.st_size == 0) return true;
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t length = descriptor >= 0 ? pread(descriptor, text, sizeof text, 0) : -1;
  if (descriptor >= 0) (void)close(descriptor);
  if (length <= 0) return false;
  static const char config_head[] = "# mlpdist ", metrics_head[] = "epoch,step,lr,";
  static const char json_head[] = "{\"epoch\": ", json_name[] = "\"compute_seconds_min\": ";
  switch (kind) {
    case RUN_CONFIG:
      return (size_t)length >= sizeof config_head && memcmp(text, config_head, sizeof config_head - 1) == 0;
    case RUN_METRICS:
      return (size_t)length >= sizeof metrics_head && memcmp(text, metrics_head, sizeof metrics_head - 1) == 0;
    case RUN_MODEL:
      return head_says(text, (size_t)length, "model") || attribute_says(path, "model");
    case RUN_METRICS_JSON:
      return (size_t)length >= sizeof json_head && memcmp(text, json_head, sizeof json_head - 1) == 0 &&
             memmem(text, (size_t)length, json_name, sizeof json_name - 1) != NULL;
    case RUN_METRICS_EVENTS:
      return head_holds(text, (size_t)length, "brain.Event:2") && head_holds(text, (size_t)length, "mlpdist");
    case RUN_CHECKPOINT:
      break;
  }
  return head_says(text, (size_t)length, "checkpoint") || attribute_says(path, "checkpoint");
}

mlpd_status run_file_check_output(const char *option, const char *path) {
  struct stat about;
  if (stat(path, &about) != 0 || about.st_size == 0) return MLPD_OK;
  for (int kind = RUN_MODEL; kind <= RUN_CHECKPOINT; kind++)
    if (run_file_is_ours(path, (run_file)kind))
      return FAIL(MLPD_ERROR_USAGE, "%s %s is the %s of a training run, which would be destroyed; name another file",
                  option, path, kind == RUN_MODEL ? "model" : run_file_name((run_file)kind));
  if (table_is_ours(path))
    return FAIL(MLPD_ERROR_USAGE,
                "%s %s is the converted table of a training run, which would be destroyed; name another file", option,
                path);
  return MLPD_OK;
}
