#include "run/run_folder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "run/run_files.h"

enum { ROW_BYTES = 512 };

static const char metrics_head[] =
    "epoch,step,lr,train_loss,train_metric,valid_loss,valid_metric,samples_per_second,"
    "compute_seconds,reduce_seconds,data_seconds,"
    "compute_seconds_min,reduce_seconds_min,data_seconds_min,"
    "compute_seconds_mean,reduce_seconds_mean,data_seconds_mean\n";

static mlpd_status append(run_folder *f, const char *text) { return growing_append(&f->metrics, text, strlen(text)); }

/* All that can be written is, whatever fails before it. The message is of the first failure, as f->failed is. */
static mlpd_status flush_all(run_folder *f) {
  status_kept first;
  mlpd_status status = growing_flush(&f->metrics);
  f->failed = status != MLPD_OK ? run_file_name(RUN_METRICS) : NULL;
  status_keep(&first);
  for (int i = 0; i < NUM_RUN_LOGS; i++) {
    if (!f->has_log[i] || growing_flush(&f->logs[i]) == MLPD_OK || status != MLPD_OK) continue;
    status = MLPD_ERROR_FILE;
    f->failed = run_file_name(run_log_file((run_log)i));
    status_keep(&first);
  }
  if (status != MLPD_OK) status_put_back(&first);
  return status;
}

mlpd_status run_folder_flush(run_folder *f) {
  if (!f->begun) return MLPD_OK;
  TRY(run_lock_check(&f->lock));
  return flush_all(f);
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

/* The field of a line in the column of this name, or "". */
static const char *field_under(const char *head, const char *name, const char *line) {
  for (; head != NULL && line != NULL; head = field_after(head), line = field_after(line))
    if (field_length(head) == field_length(name) && strncmp(head, name, field_length(name)) == 0) return line;
  return "";
}

/* Appends rows of an older version in this version's columns; columns they lack are empty. */
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
    if (length >= sizeof row)
      return FAIL(MLPD_ERROR_DATA, "%s: a row of the metrics in the checkpoint is too long", f->metrics.path);
    TRY(append(f, row));
  }
  return MLPD_OK;
}

/* ---- Taking over a folder -------------------------------------------------------------------------- */

static mlpd_status name_files(const char *folder, run_folder *f) {
  TRY(file_path(f->path, folder, ""));
  (void)snprintf(f->path, sizeof f->path, "%s", folder);
  TRY(file_path(f->model, folder, "model.h5"));
  TRY(file_path(f->metrics.path, folder, "metrics.csv"));
  TRY(file_path(f->config, folder, "config.ini"));
  for (int i = 0; i < NUM_RUN_LOGS; i++)
    TRY(file_path(f->logs[i].path, folder, run_file_name(run_log_file((run_log)i))));
  return file_path(f->checkpoints, folder, "checkpoints");
}

mlpd_status run_folder_check(const char *folder, const char *logs, bool *used) {
  struct stat about;
  *used = false;
  if (stat(folder, &about) != 0) return MLPD_OK;
  if (!S_ISDIR(about.st_mode)) return FAIL(MLPD_ERROR_FILE, "%s: is not a folder", folder);
  return run_files_check(folder, logs, used);
}

mlpd_status run_folder_reserve(const char *folder, const char *logs, run_folder *f) {
  *f = (run_folder){.log_option = logs};
  for (int i = 0; i < NUM_RUN_LOGS; i++) f->has_log[i] = run_log_wanted(logs, (run_log)i);
  TRY(name_files(folder, f));
  if (!file_identify(folder).known) return MLPD_OK; /* run_folder_open() makes it */
  TRY(run_folder_check(folder, logs, &f->used));
  return run_lock_take(folder, &f->lock);
}

static mlpd_status fill_metrics(run_folder *f, const char *text) {
  if (text == NULL) return append(f, metrics_head);
  return strncmp(text, metrics_head, strlen(metrics_head)) == 0 ? append(f, text) : append_older(f, text);
}

/* The first line, by which run_file_is_ours() recognises the file: a config_text of another program need not have it.
 */
static const char *config_head(const char *text) {
  static const char head[] = "# mlpdist " MLPD_VERSION "\n";
  return strncmp(text, head, sizeof "# mlpdist" - 1) == 0 ? "" : head;
}

static mlpd_status write_beside(const char *path, const char *first, const char *text, file_output *out) {
  TRY(file_output_open(path, FILE_TEXT, out));
  (void)fputs(first, out->stream);
  (void)fputs(text, out->stream);
  const mlpd_status status = file_output_sync(out);
  if (status != MLPD_OK) file_output_discard(out);
  return status;
}

/* What a run writes when it begins: config.ini if there is a text, metrics.csv, the logs. */
typedef struct beginning {
  file_output outputs[2 + NUM_RUN_LOGS];
  int count;
} beginning;

static void discard(beginning *b) {
  while (b->count > 0) file_output_discard(&b->outputs[--b->count]);
}

static mlpd_status add_growing(const growing_file *g, beginning *b) {
  TRY(growing_prepare(g, &b->outputs[b->count]));
  b->count++;
  return MLPD_OK;
}

static mlpd_status prepare(const run_folder *f, const char *config_text, beginning *b) {
  *b = (beginning){.count = 0};
  if (config_text != NULL) {
    TRY(write_beside(f->config, config_head(config_text), config_text, &b->outputs[0]));
    b->count++;
  }
  mlpd_status status = add_growing(&f->metrics, b);
  for (int i = 0; i < NUM_RUN_LOGS && status == MLPD_OK; i++)
    if (f->has_log[i]) status = add_growing(&f->logs[i], b);
  if (status != MLPD_OK) discard(b);
  return status;
}

/* Removes the former run's files and puts the new ones in their places. */
static mlpd_status exchange(run_folder *f, bool fresh, beginning *b) {
  mlpd_status status = MLPD_OK;
  if (fresh) status = run_lock_note(&f->lock, true);
  if (fresh && status == MLPD_OK) status = run_files_remove(f->path);
  for (uint32_t number = 1; fresh && number <= 2 && status == MLPD_OK; number++)
    status = run_files_remove_half(f->path, number);
  for (int i = 0; i < b->count; i++) {
    if (status == MLPD_OK)
      status = file_output_commit(&b->outputs[i]);
    else
      file_output_discard(&b->outputs[i]);
  }
  return status == MLPD_OK && fresh ? run_lock_note(&f->lock, false) : status;
}

/* The logs as the rows of metrics.csv so far make them. */
static mlpd_status fill_logs(run_folder *f) {
  for (int i = 0; i < NUM_RUN_LOGS; i++) {
    if (!f->has_log[i]) continue;
    TRY(run_log_begin((run_log)i, &f->logs[i]));
    for (const char *row = line_after(f->metrics.text); *row != '\0'; row = line_after(row))
      TRY(run_log_add((run_log)i, metrics_head, row, &f->logs[i]));
  }
  return MLPD_OK;
}

mlpd_status run_folder_open(const char *config_text, const char *metrics_text, bool fresh, run_folder *f) {
  beginning begun;
  TRY(folder_make_noted(f->path, &f->made));
  if (!f->lock.held) {
    TRY(run_files_check(f->path, f->log_option, &f->used));
    TRY(run_lock_take(f->path, &f->lock));
  }
  run_files_remove_leftovers(f->path);
  TRY(fill_metrics(f, metrics_text));
  TRY(fill_logs(f));
  TRY(prepare(f, config_text, &begun));
  TRY(exchange(f, fresh, &begun));
  f->begun = true;
  for (int i = 0; i < NUM_RUN_LOGS; i++)
    if (f->has_log[i]) TRY(growing_open(&f->logs[i]));
  return growing_open(&f->metrics);
}

mlpd_status run_folder_add(run_folder *f, const mlpd_epoch *e) {
  char row[ROW_BYTES], valid[80] = ",";
  if (e->has_valid) (void)snprintf(valid, sizeof valid, "%.9g,%.9g", e->valid_loss, e->valid_metric);
  (void)snprintf(row, sizeof row, "%llu,%llu,%.9g,%.9g,%.9g,%s,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n",
                 (unsigned long long)e->epoch, (unsigned long long)e->step, e->lr, e->train_loss, e->train_metric,
                 valid, e->samples_per_second, e->compute_seconds, e->reduce_seconds, e->data_seconds, e->compute_least,
                 e->reduce_least, e->data_least, e->compute_mean, e->reduce_mean, e->data_mean);
  TRY(append(f, row));
  for (int i = 0; i < NUM_RUN_LOGS; i++)
    if (f->has_log[i]) TRY(run_log_add((run_log)i, metrics_head, row, &f->logs[i]));
  return run_folder_flush(f);
}

mlpd_status run_folder_close(run_folder *f) {
  const mlpd_status status = run_folder_flush(f);
  growing_close(&f->metrics);
  for (int i = 0; i < NUM_RUN_LOGS; i++) growing_close(&f->logs[i]);
  run_lock_release(&f->lock);
  if (!f->begun) folders_unmake(&f->made);
  f->begun = false;
  return status;
}
