#include "model/model_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/locale.h"
#include "base/memory.h"
#include "convert/table.h"
#include "options/option.h"
#include "ranks/comm.h"

enum { VALUE_BYTES = 4096, LINE_BYTES = 1024 };

/* ---- Options as the model was trained --------------------------------------------------------------- */

static bool is_given(const mlpd_option *row, const mlpd_train_options *options) {
  char buffer[64], usual[64];
  mlpd_train_options none = {0};
  const char *const value = mlpd_option_format(row, options, buffer, sizeof buffer);
  const char *const absent = mlpd_option_format(row, &none, usual, sizeof usual);
  return value != NULL && (absent == NULL || strcmp(value, absent) != 0);
}

/* The options in the model's config that say how a table is written. */
static mlpd_status take_trained_options(const mlpd_model *model, model_table *t) {
  mlpd_train_options options = {.data = t->given};
  char value[VALUE_BYTES];
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL && model->config != NULL; row++) {
    if (strcmp(row->group, "table") != 0 || is_given(row, &options)) continue;
    if (strcmp(row->name, "class-names") == 0 && model->names.labels.count > 0) continue; /* the labels say more */
    if (!option_config_value(model->config, row->name, value, sizeof value) || value[0] == '\0') continue;
    if (t->num_texts == MODEL_TABLE_TEXTS) break;
    char **const text = &t->texts[t->num_texts];
    TRY(memory_copy_string(value, text));
    t->num_texts++;
    TRY(mlpd_option_set(row, row->name, *text, &options));
  }
  t->given = options.data;
  t->given.table.drop_missing = false; /* each row gets its answer */
  return MLPD_OK;
}

/* ---- The table of its training ---------------------------------------------------------------------- */

/* Of models of former versions, which do not say: was the data a raw table? */
static bool was_raw(const char *data) {
  const mlpd_data_paths paths = {.file = data};
  const size_t length = strlen(data);
  if (access(data, F_OK) == 0) return mlpd_data_is_raw(&paths);
  return length < 3 || strcmp(data + length - 3, ".h5") != 0;
}

bool mlpd_model_trained_on(const mlpd_model *model, const char *data) {
  char named[FILE_PATH_BYTES];
  if (model == NULL || data == NULL) return false;
  IN_C_LOCALE();
  const file_identity given = file_identify(data);
  const bool known = mlpd_model_option(model, "data", named, sizeof named);
  const file_identity trained = known ? file_identify(named) : (file_identity){.known = false};
  char *const origin = table_origin(data);
  bool same = model->table != NULL
                  ? origin != NULL && strcmp(model->table, origin) == 0
                  : file_identities_equal(&given, &trained) || (known && file_same_content(named, data));
  if (model->table == NULL && !same && origin != NULL) same = known && was_raw(named);
  free(origin);
  return same;
}

/* ---- The file --------------------------------------------------------------------------------------- */

/* The folder of the output; without an output, a temporary folder or, so that other hosts see it, the working folder.
 */
static void choose_folder(const mlpd_comm *comm, const char *out, char folder[FILE_PATH_BYTES]) {
  const char *const slash = out != NULL ? strrchr(out, '/') : NULL;
  struct stat about;
  const bool regular = out != NULL && strcmp(out, "-") != 0 && (stat(out, &about) != 0 || S_ISREG(about.st_mode));
  if (slash != NULL)
    (void)snprintf(folder, FILE_PATH_BYTES, "%.*s", slash == out ? 1 : (int)(slash - out), out);
  else
    (void)snprintf(folder, FILE_PATH_BYTES, ".");
  if (regular && folder_is_writable(folder)) return;
  (void)snprintf(folder, FILE_PATH_BYTES, "%s",
                 comm_shares_memory(comm) || !folder_is_writable(".") ? folder_temporary() : ".");
}

static mlpd_status reserve(const mlpd_comm *comm, const char *out, model_table *t) {
  char folder[FILE_PATH_BYTES], path[FILE_PATH_BYTES];
  TRY(table_check_apart(&t->given, "--out", out));
  choose_folder(comm, out, folder);
  TRY(file_path(path, folder, "mlpdist-table"));
  TRY(file_output_open(path, FILE_HDF5, &t->room));
  t->reserved = true;
  (void)snprintf(t->path, sizeof t->path, "%s", t->room.temporary);
  return MLPD_OK;
}

/* ---- Words ------------------------------------------------------------------------------------------ */

/* text with the file's name replaced by the table's; while the file is written, it has the fault, not the table. */
static void name_table(const model_table *t, const char *text, char line[LINE_BYTES]) {
  size_t used = 0;
  const size_t length = strlen(t->path);
  const char *const given = spool_name(t->given.file);
  while (*text != '\0' && used + 1 < LINE_BYTES) {
    if (strncmp(text, t->path, length) != 0) {
      line[used++] = *text++;
      continue;
    }
    const int added = t->converted ? snprintf(line + used, LINE_BYTES - used, "%s", given)
                                   : snprintf(line + used, LINE_BYTES - used, "%s, converted to %s", given, t->path);
    used += (size_t)added < LINE_BYTES - used ? (size_t)added : LINE_BYTES - used - 1;
    text += length;
  }
  line[used] = '\0';
}

static void on_notice(void *context, const char *message) {
  const model_table *const t = context;
  char line[LINE_BYTES];
  name_table(t, message, line);
  t->notice(t->notice_context, line);
}

static void on_decision(void *context, const char *line) {
  const model_table *const t = context;
  static const char note[] = "note: ";
  if (t->notice != NULL && strncmp(line, note, sizeof note - 1) == 0)
    t->notice(t->notice_context, line + sizeof note - 1);
}

/* ---- All of it -------------------------------------------------------------------------------------- */

/* Which columns the model takes as categories (1) or yes/no (2); NULL: none. */
static mlpd_status list_categories(const mlpd_model *model, uint8_t **categories) {
  const columns *const about = &model->codes.about;
  *categories = NULL;
  if (about->count == 0) return MLPD_OK;
  TRY(memory_allocate(categories, about->count, sizeof **categories, "kinds of columns"));
  for (uint32_t j = 0; j < about->count; j++)
    (*categories)[j] = about->kinds[j] == COLUMN_KIND_CATEGORY ? 1 : about->kinds[j] == COLUMN_KIND_YES_NO ? 2 : 0;
  return MLPD_OK;
}

static mlpd_status convert(mlpd_comm *comm, const mlpd_model *model, bool predict, const uint8_t *categories,
                           model_table *t) {
  const table_job job = {.data = &t->given,
                         .task = model->task,
                         .for_model = true,
                         .unlabelled = predict,
                         .names = &model->names,
                         .features = model->input.columns,
                         .categories = categories,
                         .streams = &t->streams,
                         .decided = on_decision,
                         .context = t};
  table_place place;
  comm_watch_place(comm, "while the table is converted");
  TRY(table_convert(comm, &job, t->path, NULL, &place));
  mlpd_status status = MLPD_OK;
  if (access(t->path, R_OK) != 0)
    status = FAIL(MLPD_ERROR_FILE,
                  "%s, converted by rank 0 to %s, cannot be read here; start in a folder that all hosts share, or "
                  "convert the table first (mlpdist convert)",
                  t->given.file, t->path);
  return mlpd_comm_agree(comm, status);
}

/* A file that is absent is no data set: opening it says so. */
static mlpd_status refuse_keep(const mlpd_data_paths *data) {
  if (data->file != NULL && access(data->file, F_OK) != 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE, "--keep copies columns of raw tables, but %s is a data set",
              data->file != NULL ? data->file : "the data");
}

mlpd_status model_table_open(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data, bool predict,
                             const char *out, mlpd_split *split, model_table *t) {
  *t = (model_table){.given = *data, .data = *data};
  TRY(table_is_raw_for_all(comm, data, &t->raw));
  if (!t->raw && predict && data->table.keep != NULL) TRY(mlpd_comm_agree(comm, refuse_keep(data)));
  if (!t->raw) return MLPD_OK;
  *split = MLPD_TEST;
  mlpd_status status = take_trained_options(model, t);
  if (status == MLPD_OK && mlpd_comm_rank(comm) == 0) status = reserve(comm, out, t);
  TRY(mlpd_comm_agree(comm, status));
  TRY(comm_broadcast(comm, t->path, sizeof t->path, 0));
  t->notice = model->notice;
  t->notice_context = model->notice_context;
  t->model = model;
  if (t->notice != NULL) mlpd_model_on_notice(model, on_notice, t);
  t->data = (mlpd_data_paths){.file = t->path};
  uint8_t *categories = NULL;
  status = mlpd_comm_agree(comm, list_categories(model, &categories));
  if (status == MLPD_OK) status = convert(comm, model, predict, categories, t);
  free(categories);
  t->converted = status == MLPD_OK;
  return status;
}

/* In the message of the last failure: the column of the table for the array that was made of it. */
static void name_target(const name_list *targets) {
  char text[LINE_BYTES] = "the target holds";
  if (targets->count == 1) (void)snprintf(text, sizeof text, "column %s holds", targets->names[0]);
  status_reword("/test/y holds", text);
}

mlpd_status model_table_close(mlpd_status status, model_table *t) {
  char line[LINE_BYTES];
  if (t->model != NULL) mlpd_model_on_notice(t->model, t->notice, t->notice_context);
  if (t->reserved) file_output_discard(&t->room);
  spools_free(&t->streams);
  for (int i = 0; i < t->num_texts; i++) free(t->texts[i]);
  if (t->raw && t->path[0] != '\0' && status != MLPD_OK) {
    name_table(t, mlpd_error_message(), line);
    (void)FAIL(status, "%s", line);
    if (t->model != NULL) name_target(&t->model->names.targets);
  }
  *t = (model_table){.raw = false};
  return status;
}
