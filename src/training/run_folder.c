#include "training/run_folder.h"

#include <errno.h>
#include <string.h>

static mlpd_status open_metrics(run_folder *f) {
  f->metrics_stream = fopen(f->metrics, "w");
  if (f->metrics_stream == NULL) return FAIL(MLPD_ERROR_FILE, "%s: %s", f->metrics, strerror(errno));
  if (fputs("epoch,step,lr,train_loss,train_metric,valid_loss,valid_metric,samples_per_second,"
            "compute_seconds,reduce_seconds,data_seconds\n",
            f->metrics_stream) < 0 ||
      fflush(f->metrics_stream) != 0)
    return FAIL(MLPD_ERROR_FILE, "%s: %s", f->metrics, strerror(errno));
  return MLPD_OK;
}

mlpd_status run_folder_open(const char *folder, const char *config_text, run_folder *f) {
  *f = (run_folder){0};
  char config[FILE_PATH_BYTES];
  TRY(file_make_folder(folder));
  TRY(file_path(f->model, folder, "model.h5"));
  TRY(file_path(f->metrics, folder, "metrics.csv"));
  TRY(file_path(config, folder, "config.ini"));
  if (config_text != NULL) TRY(file_write_text(config, config_text));
  return open_metrics(f);
}

mlpd_status run_folder_add(run_folder *f, const mlpd_epoch *e) {
  FILE *const out = f->metrics_stream;
  int written = fprintf(out, "%llu,%llu,%.9g,%.9g,%.9g,", (unsigned long long)e->epoch, (unsigned long long)e->step,
                        e->lr, e->train_loss, e->train_metric);
  if (written >= 0)
    written = e->has_valid ? fprintf(out, "%.9g,%.9g,", e->valid_loss, e->valid_metric) : fprintf(out, ",,");
  if (written >= 0)
    written = fprintf(out, "%.6g,%.6g,%.6g,%.6g\n", e->samples_per_second, e->compute_seconds, e->reduce_seconds,
                      e->data_seconds);
  if (written < 0 || fflush(out) != 0) return FAIL(MLPD_ERROR_FILE, "%s: %s", f->metrics, strerror(errno));
  return MLPD_OK;
}

mlpd_status run_folder_close(run_folder *f) {
  if (f->metrics_stream == NULL) return MLPD_OK;
  const int closed = fclose(f->metrics_stream);
  f->metrics_stream = NULL;
  return closed == 0 ? MLPD_OK : FAIL(MLPD_ERROR_FILE, "%s: %s", f->metrics, strerror(errno));
}
