#include "training/run_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_BYTES = 512 };

static const char metrics_head[] =
    "epoch,step,lr,train_loss,train_metric,valid_loss,valid_metric,samples_per_second,"
    "compute_seconds,reduce_seconds,data_seconds,"
    "compute_seconds_min,reduce_seconds_min,data_seconds_min,"
    "compute_seconds_mean,reduce_seconds_mean,data_seconds_mean\n";

/* Appends to the text in memory, then to the file, so that a full disk loses nothing but the file's tail. */
static mlpd_status append(run_folder *f, const char *text) {
  const size_t length = strlen(text);
  if (f->length + length + 1 > f->room) {
    const size_t room = 2 * (f->length + length + 1);
    char *const larger = realloc(f->text, room);
    if (larger == NULL) return FAIL(MLPD_ERROR_MEMORY, "%s: out of memory", f->metrics);
    f->text = larger;
    f->room = room;
  }
  memcpy(f->text + f->length, text, length + 1);
  f->length += length;
  if (fputs(text, f->metrics_stream) < 0 || fflush(f->metrics_stream) != 0)
    return FAIL(MLPD_ERROR_FILE, "%s: %s", f->metrics, strerror(errno));
  return MLPD_OK;
}

/* ---- Metrics of a run that an older version began ------------------------------------------------- */

static size_t field_length(const char *field) { return strcspn(field, ",\n"); }

/* The field after this one of a line, or NULL. */
static const char *field_after(const char *field) {
  const char *const end = field + field_length(field);
  return *end == ',' ? end + 1 : NULL;
}

static const char *line_after(const char *line) {
  const char *const end = strchr(line, '\n');
  return end != NULL ? end + 1 : line + strlen(line);
}

/* The field of a line under the name that heads a column, or "". */
static const char *field_under(const char *head, const char *name, const char *line) {
  for (; head != NULL && line != NULL; head = field_after(head), line = field_after(line))
    if (field_length(head) == field_length(name) && strncmp(head, name, field_length(name)) == 0) return line;
  return "";
}

/* Rows of another head under this version's: what they do not tell is empty. */
static mlpd_status append_older(run_folder *f, const char *text) {
  TRY(append(f, metrics_head));
  for (const char *line = line_after(text); *line != '\0'; line = line_after(line)) {
    char row[ROW_BYTES];
    size_t length = 0;
    for (const char *name = metrics_head; name != NULL && length < sizeof row; name = field_after(name)) {
      const char *const field = field_under(text, name, line);
      length += (size_t)snprintf(row + length, sizeof row - length, "%.*s%s", (int)field_length(field), field,
                                 field_after(name) != NULL ? "," : "\n");
    }
    if (length >= sizeof row) return FAIL(MLPD_ERROR_DATA, "%s: the checkpoint holds a row that is none", f->metrics);
    TRY(append(f, row));
  }
  return MLPD_OK;
}

mlpd_status run_folder_open(const char *folder, const char *config_text, const char *metrics_text, run_folder *f) {
  *f = (run_folder){0};
  char config[FILE_PATH_BYTES];
  TRY(file_make_folder(folder));
  static const char *const written_whole[] = {"model.h5", "config.ini", "probe"};
  for (size_t i = 0; i < sizeof written_whole / sizeof *written_whole; i++)
    file_remove_leftovers(folder, written_whole[i], NULL);
  TRY(file_path(f->model, folder, "model.h5"));
  TRY(file_path(f->metrics, folder, "metrics.csv"));
  TRY(file_path(f->checkpoints, folder, "checkpoints"));
  TRY(file_path(config, folder, "config.ini"));
  if (config_text != NULL) TRY(file_write_text(config, config_text));
  f->metrics_stream = fopen(f->metrics, "w");
  if (f->metrics_stream == NULL) return FAIL(MLPD_ERROR_FILE, "%s: %s", f->metrics, strerror(errno));
  if (metrics_text == NULL) return append(f, metrics_head);
  return strncmp(metrics_text, metrics_head, strlen(metrics_head)) == 0 ? append(f, metrics_text)
                                                                        : append_older(f, metrics_text);
}

mlpd_status run_folder_add(run_folder *f, const mlpd_epoch *e) {
  char row[ROW_BYTES], valid[80] = ",";
  if (e->has_valid) (void)snprintf(valid, sizeof valid, "%.9g,%.9g", e->valid_loss, e->valid_metric);
  (void)snprintf(row, sizeof row, "%llu,%llu,%.9g,%.9g,%.9g,%s,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n",
                 (unsigned long long)e->epoch, (unsigned long long)e->step, e->lr, e->train_loss, e->train_metric,
                 valid, e->samples_per_second, e->compute_seconds, e->reduce_seconds, e->data_seconds, e->compute_least,
                 e->reduce_least, e->data_least, e->compute_mean, e->reduce_mean, e->data_mean);
  return append(f, row);
}

mlpd_status run_folder_close(run_folder *f) {
  free(f->text);
  f->text = NULL;
  if (f->metrics_stream == NULL) return MLPD_OK;
  const int closed = fclose(f->metrics_stream);
  f->metrics_stream = NULL;
  return closed == 0 ? MLPD_OK : FAIL(MLPD_ERROR_FILE, "%s: %s", f->metrics, strerror(errno));
}
