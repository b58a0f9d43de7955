#include "run/run_table.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "convert/table.h"
#include "data/column_words.h"
#include "ranks/comm.h"

/* Notes options for raw tables that have no effect because the data is a data set. None for data that is not there:
 * the message that it is missing follows. */
static void note_idle(const trainer *t, const mlpd_train_options *options) {
  mlpd_train_options usual;
  char text[200], given[64], other[64];
  if (options->data.file != NULL && access(options->data.file, F_OK) != 0) return;
  mlpd_train_options_default(&usual);
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL; row++) {
    if (strcmp(row->group, "table") != 0) continue;
    const char *const value = mlpd_option_format(row, options, given, sizeof given);
    const char *const default_value = mlpd_option_format(row, &usual, other, sizeof other);
    if (value == NULL || (default_value != NULL && strcmp(value, default_value) == 0)) continue;
    (void)snprintf(text, sizeof text, "--%s has no effect: it is for raw tables, and --data is a data set already",
                   row->name);
    run_notice(t, text);
  }
}

static mlpd_status name_tables(const char *folder, char table[FILE_PATH_BYTES], char next[FILE_PATH_BYTES]) {
  TRY(file_path(table, folder, "converted.h5"));
  return file_path(next, folder, "converted.next.h5");
}

const char *run_table_folder(const trainer *t, const mlpd_train_options *options) {
  return t->half != NULL ? t->half->whole : options->out;
}

mlpd_status run_table_find(trainer *t, const mlpd_train_options *options) {
  mlpd_status status = MLPD_OK;
  const char *const folder = run_table_folder(t, options);
  t->data_name = options->data.file != NULL ? spool_name(options->data.file) : NULL;
  TRY(table_is_raw_for_all(t->comm, &options->data, &t->raw_table));
  if (!t->raw_table) return note_idle(t, options), MLPD_OK;
  if (!t->keeps_files)
    return FAIL(MLPD_ERROR_USAGE, "%s: raw tables are converted into the run folder, so --out must name one",
                options->data.file);
  if (run_is_root(t)) {
    status = table_check_apart(&options->data, "--trace", options->trace);
    if (status == MLPD_OK) status = folder_make_noted(folder, &t->made);
    if (status == MLPD_OK) status = name_tables(folder, t->table, t->table_next);
  }
  TRY(mlpd_comm_agree(t->comm, status));
  TRY(comm_broadcast(t->comm, t->table, sizeof t->table, 0));
  return comm_broadcast(t->comm, t->table_next, sizeof t->table_next, 0);
}

static void on_decision(void *context, const char *line) {
  const trainer *const t = context;
  static const char note[] = "note: ";
  if (strncmp(line, note, sizeof note - 1) == 0) return run_notice(t, line + sizeof note - 1);
  if (t->events != NULL && t->events->decided != NULL) t->events->decided(t->events->context, line);
}

static bool is_stopped(void *context) {
  const trainer *const t = context;
  return run_requests_stop(&t->requests);
}

/* Can this rank read the converted file? */
static mlpd_status check_seen(const char *path) {
  if (access(path, R_OK) == 0) return MLPD_OK;
  return FAIL(MLPD_ERROR_FILE,
              "%s, converted by rank 0, cannot be read here: %s; --out must be a folder that all hosts share, or "
              "convert the table first (mlpdist convert)",
              path, strerror(errno));
}

/* The second run of a choice reads what the first has converted: a stream has passed. */
static mlpd_status take_table_of_first(trainer *t, mlpd_train_options *options) {
  t->table_next[0] = '\0';
  options->data.file = t->table;
  return mlpd_comm_agree(t->comm, check_seen(t->table));
}

static bool is_second(const trainer *t) { return t->half != NULL && t->half->number == 2; }

mlpd_status run_table_convert(trainer *t, mlpd_train_options *options) {
  if (!t->raw_table) return MLPD_OK;
  if (is_second(t)) return take_table_of_first(t, options);
  const table_job job = {.data = &options->data,
                         .task = options->task,
                         .valid_fraction = options->folds > 1 ? 0 : options->valid_fraction,
                         .decided = on_decision,
                         .context = t,
                         .stopped = is_stopped};
  table_place place;
  comm_watch_place(t->comm, "while the table is converted");
  TRY(table_convert(t->comm, &job, t->table, t->table_next, &place));
  if (!place.waits) t->table_next[0] = '\0';
  t->drops_next = place.waits && !place.reused;
  const char *const made = place.waits ? t->table_next : t->table;
  TRY(mlpd_comm_agree(t->comm, check_seen(made)));
  if (place.reused && t->events != NULL && t->events->decided != NULL) {
    char line[FILE_PATH_BYTES + 100];
    (void)snprintf(line, sizeof line, "%s, converted before: the inputs are unchanged", made);
    t->events->decided(t->events->context, line);
  }
  options->data.file = made;
  return MLPD_OK;
}

/* Removes a table that an earlier run left, unless this run reads it. */
static void remove_former(const trainer *t, const char *path) {
  const file_identity former = file_identify(path), used = file_identify(t->prep.options.data.file);
  if (former.known && !file_identities_equal(&former, &used) && table_is_ours(path)) (void)unlink(path);
}

mlpd_status run_table_settle(trainer *t, const char *folder) {
  char table[FILE_PATH_BYTES], next[FILE_PATH_BYTES];
  if (t->table_next[0] != '\0') {
    t->drops_next = false;
    if (rename(t->table_next, t->table) == 0) return MLPD_OK;
    return FAIL(MLPD_ERROR_FILE, "%s: cannot be renamed to %s: %s", t->table_next, t->table, strerror(errno));
  }
  TRY(name_tables(folder, table, next));
  remove_former(t, table);
  remove_former(t, next);
  return MLPD_OK;
}

void run_table_tell(const trainer *t) {
  enum { SHOWN = 40 };
  char text[COLUMN_WORDS_BYTES];
  const mlpd_model *const model = t->prep.model;
  const column_codes *const codes = model->input.codes;
  if (codes == NULL || !run_is_root(t) || is_second(t) || t->events == NULL || t->events->decided == NULL) return;
  for (uint32_t j = 0; j < codes->about.count && j < SHOWN; j++) {
    column_codes_words(codes, &model->names.columns, j, text);
    mlpd_text_printable(text, text, sizeof text);
    t->events->decided(t->events->context, text);
  }
  (void)snprintf(text, sizeof text, "and %u more columns", codes->about.count - SHOWN);
  if (codes->about.count > SHOWN) t->events->decided(t->events->context, text);
}

/* The converted file that the run reads. */
static const char *made_table(const trainer *t) { return t->table_next[0] != '\0' ? t->table_next : t->table; }

void run_table_name_data(const trainer *t) {
  char text[FILE_PATH_BYTES];
  if (t->data_name == NULL) return;
  (void)snprintf(text, sizeof text, "%s (converted)", t->data_name);
  status_reword(made_table(t), text);
}

/* A note of the preparation, which knows the converted file alone. */
static void on_note(void *context, const char *note) {
  const trainer *const t = context;
  char text[FILE_PATH_BYTES + 1024];
  const char *const made = made_table(t), *const found = *made != '\0' ? strstr(note, made) : NULL;
  if (found == NULL) return run_notice(t, note);
  (void)snprintf(text, sizeof text, "%.*s%s (converted)%s", (int)(found - note), note, t->data_name,
                 found + strlen(made));
  run_notice(t, text);
}

mlpd_train_events run_table_events(trainer *t) {
  return (mlpd_train_events){.context = t, .notice = on_note, .decided = on_decision};
}

void run_table_end(const trainer *t) {
  if (t->drops_next && run_is_root(t)) (void)unlink(t->table_next);
  folders_unmake(&t->made);
}
