#include "training/run_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char metrics_head[] =
    "epoch,step,lr,train_loss,train_metric,valid_loss,valid_metric,samples_per_second,"
    "compute_seconds,reduce_seconds,data_seconds\n";

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

mlpd_status run_folder_open(const char *folder, const char *config_text, const char *metrics_text, run_folder *f) {
  *f = (run_folder){0};
  char config[FILE_PATH_BYTES];
  TRY(file_make_folder(folder));
  static const char *const written_whole[] = {"model.h5", "config.ini", "probe"};
  for (size_t i = 0; i < sizeof written_whole / sizeof *written_whole; i++)
    file_remove_leftovers(folder, written_whole[i]);
  TRY(file_path(f->model, folder, "model.h5"));
  TRY(file_path(f->metrics, folder, "metrics.csv"));
  TRY(file_path(f->checkpoints, folder, "checkpoints"));
  TRY(file_path(config, folder, "config.ini"));
  if (config_text != NULL) TRY(file_write_text(config, config_text));
  f->metrics_stream = fopen(f->metrics, "w");
  if (f->metrics_stream == NULL) return FAIL(MLPD_ERROR_FILE, "%s: %s", f->metrics, strerror(errno));
  return append(f, metrics_text != NULL ? metrics_text : metrics_head);
}

mlpd_status run_folder_add(run_folder *f, const mlpd_epoch *e) {
  char row[512], valid[80] = ",";
  if (e->has_valid) (void)snprintf(valid, sizeof valid, "%.9g,%.9g", e->valid_loss, e->valid_metric);
  (void)snprintf(row, sizeof row, "%llu,%llu,%.9g,%.9g,%.9g,%s,%.6g,%.6g,%.6g,%.6g\n", (unsigned long long)e->epoch,
                 (unsigned long long)e->step, e->lr, e->train_loss, e->train_metric, valid, e->samples_per_second,
                 e->compute_seconds, e->reduce_seconds, e->data_seconds);
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
