#include "convert/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/file_output.h"
#include "base/file_version.h"
#include "base/text.h"
#include "convert/convert.h"
#include "convert/table_inputs.h"
#include "h5/h5.h"
#include "ranks/clock.h"

/* One more whenever the same input becomes other columns, so that a run folder's table of before is not used again. */
enum { ORIGIN_VERSION = 7, ORIGIN_BYTES = 40 };

static const double BEAT_SECONDS = 0.05; /* interval of rank 0's signs of life */
static const double USUAL_FRACTION = 0.1;

/* ---- Raw or not ------------------------------------------------------------------------------------ */

/* A file whose name says HDF5 is a data set, damaged if its content is not HDF5. */
static bool is_called_hdf5(const char *path) {
  return text_ends_in_any_case(path, ".h5") || text_ends_in_any_case(path, ".hdf5") ||
         text_ends_in_any_case(path, ".hdf") || text_ends_in_any_case(path, ".he5");
}

bool mlpd_data_is_raw(const mlpd_data_paths *data) {
  struct stat about;
  if (data->rows != NULL || data->file == NULL || data->x != NULL || data->y != NULL || is_called_hdf5(data->file))
    return false;
  if (spool_is_needed(data->file)) return true;
  if (stat(data->file, &about) != 0) return strchr(data->file, ',') != NULL;
  return S_ISDIR(about.st_mode) || !h5_is_hdf5(data->file);
}

mlpd_status table_check_apart(const mlpd_data_paths *data, const char *option, const char *out) {
  table_inputs inputs;
  mlpd_status status = table_inputs_list(data->file, &inputs);
  for (int i = 0; i < inputs.count && status == MLPD_OK; i++)
    status = file_check_apart(option, out, "--data", inputs.paths[i]);
  table_inputs_free(&inputs);
  return status;
}

mlpd_status table_is_raw_for_all(mlpd_comm *comm, const mlpd_data_paths *data, bool *raw) {
  uint8_t answer = mlpd_comm_rank(comm) == 0 && mlpd_data_is_raw(data);
  TRY(comm_broadcast(comm, &answer, sizeof answer, 0));
  *raw = answer != 0;
  return MLPD_OK;
}

/* ---- The conversion, on rank 0 --------------------------------------------------------------------- */

typedef struct work {
  const table_job *job;
  table_inputs inputs;
  mlpd_split *roles; /* (inputs.count) with for_model */
  mlpd_convert_options options;
  char origin[ORIGIN_BYTES];
  name_list said; /* decisions */
  spools own;     /* where the job has no place for copies of streams */
  spools *streams;
  name_list expected; /* with for_model: columns that are left out as in training, or kept for the output */
  /* Signs of life. */
  mlpd_comm *comm;
  double beaten; /* time of the last one, seconds */
  mlpd_status lost;
} work;

static void on_decision(void *context, const char *line) {
  work *const w = context;
  if (name_list_add(&w->said, line) != MLPD_OK) name_list_free(&w->said); /* a later run says less */
  if (w->job->decided != NULL) w->job->decided(w->job->context, line);
}

/* What was said when the file was made. */
static void repeat_decisions(const table_job *job, h5_file *file) {
  char **lines = NULL;
  uint64_t count = 0;
  if (job->decided == NULL || !h5_exists(file, CONVERT_DECISIONS)) return;
  if (h5_strings_read(file, CONVERT_DECISIONS, &lines, &count) != MLPD_OK) return;
  for (uint64_t i = 0; i < count; i++) job->decided(job->context, lines[i]);
  h5_strings_free(lines, count);
}

/* Tells the waiting ranks that rank 0 is at work. */
static void on_progress(void *context, uint64_t done_bytes, uint64_t total_bytes) {
  work *const w = context;
  (void)done_bytes;
  (void)total_bytes;
  if (mlpd_comm_size(w->comm) == 1 || w->lost != MLPD_OK || clock_seconds() - w->beaten < BEAT_SECONDS) return;
  uint8_t going = 1;
  w->lost = comm_broadcast(w->comm, &going, sizeof going, 0);
  w->beaten = clock_seconds();
}

static mlpd_status fill_roles(work *w) {
  w->roles = calloc((size_t)w->inputs.count, sizeof *w->roles);
  if (w->roles == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory for the parts of input files");
  for (int i = 0; i < w->inputs.count; i++) w->roles[i] = MLPD_TEST;
  return MLPD_OK;
}

/* Options for reading text. */
static mlpd_status fill_reading(const mlpd_table_options *t, mlpd_convert_options *o) {
  TRY(mlpd_separator_read("--delimiter", t->delimiter, &o->delimiter));
  TRY(mlpd_separator_read("--thousands", t->thousands, &o->thousands));
  o->header = t->header != NULL ? t->header : "auto";
  o->encoding = t->encoding;
  o->dates = t->dates;
  o->decimal = t->decimal;
  o->strip = t->strip;
  o->missing = t->missing;
  return MLPD_OK;
}

mlpd_status table_reading(const mlpd_table_options *t, mlpd_convert_options *options) {
  mlpd_convert_options_default(options);
  options->skip_lines = t->skip_lines;
  return fill_reading(t, options);
}

mlpd_status table_check_options(const mlpd_table_options *options) {
  mlpd_convert_options o;
  mlpd_convert_options_default(&o);
  TRY(fill_reading(options, &o));
  return convert_check_reading(&o);
}

/* Columns to be left out without a note. */
static mlpd_status fill_expected(work *w, mlpd_convert_options *o) {
  const name_list *const left_out = &w->job->names->left_out;
  char name[256];
  TRY(name_list_copy((const char *const *)left_out->names, left_out->count, &w->expected));
  for (const char *at = w->job->data->table.keep; at != NULL && *at != '\0'; at += *at == ',') {
    const size_t length = strcspn(at, ",");
    (void)snprintf(name, sizeof name, "%.*s", (int)length, at);
    TRY(name_list_add(&w->expected, name));
    at += length;
  }
  o->model_left_out = (const char *const *)w->expected.names;
  o->num_model_left_out = (uint32_t)w->expected.count;
  return MLPD_OK;
}

static mlpd_status fill_options(work *w, const char *path) {
  const table_job *const job = w->job;
  const mlpd_table_options *const t = &job->data->table;
  mlpd_convert_options *const o = &w->options;
  mlpd_convert_options_default(o);
  TRY(table_inputs_list(job->data->file, &w->inputs));
  TRY(fill_reading(t, o));
  o->inputs = (const char *const *)w->inputs.paths;
  o->num_inputs = w->inputs.count;
  o->out = path;
  o->label = t->label;
  o->ignore = t->ignore;
  o->columns = t->columns;
  o->categorical = t->categorical;
  o->drop_missing = t->drop_missing;
  o->skip_lines = t->skip_lines;
  o->task = job->task;
  o->class_names = t->class_names;
  o->valid_fraction = job->valid_fraction < 0 ? USUAL_FRACTION : job->valid_fraction;
  o->test_fraction = t->test_fraction;
  o->seed = t->split_seed;
  o->progress = on_progress;
  o->decision = on_decision;
  o->context = w;
  if (!job->for_model) return MLPD_OK;
  TRY(fill_roles(w));
  o->roles = w->roles;
  o->valid_fraction = o->test_fraction = 0;
  o->unlabelled = job->unlabelled;
  if (job->unlabelled) o->class_names = NULL; /* they are those of training; here no labels are read */
  o->num_model_columns = job->features;
  o->model_categories = job->categories;
  o->model_columns = (const char *const *)job->names->columns.names;
  o->model_targets = (const char *const *)job->names->targets.names;
  o->num_model_targets = (uint32_t)job->names->targets.count;
  o->model_labels = (const char *const *)job->names->labels.names;
  o->model_classes = (const char *const *)job->names->classes.names;
  o->num_model_classes = o->class_names == NULL ? (uint32_t)job->names->labels.count : 0;
  return fill_expected(w, o);
}

/* ---- Reuse ------------------------------------------------------------------------------------------ */

static void add_text(XXH3_state_t *state, const char *text) {
  const size_t length = text != NULL ? strlen(text) : SIZE_MAX;
  (void)XXH3_64bits_update(state, &length, sizeof length);
  if (text != NULL) (void)XXH3_64bits_update(state, text, length);
}

static void add_number(XXH3_state_t *state, uint64_t value) { (void)XXH3_64bits_update(state, &value, sizeof value); }

/* Adds the version of a file: size and times, without reading its content. Of a stream, the content alone: its name
 * says nothing. */
static void add_input(XXH3_state_t *state, const spools *streams, const char *path) {
  file_version about = {0};
  const spool *const copy = spools_find(streams, path);
  if (copy != NULL) {
    add_text(state, NULL);
    add_number(state, copy->bytes);
    add_number(state, copy->digest);
    return;
  }
  (void)file_version_get(path, &about);
  add_text(state, path);
  add_number(state, about.inode);
  add_number(state, about.bytes);
  add_number(state, (uint64_t)about.seconds);
  add_number(state, (uint64_t)about.nanoseconds);
}

/* Computes a hash of the inputs and of all options of their conversion. */
static mlpd_status find_origin(work *w) {
  const mlpd_convert_options *const o = &w->options;
  XXH3_state_t *const state = XXH3_createState();
  if (state == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory for a hash");
  (void)XXH3_64bits_reset(state);
  add_number(state, ORIGIN_VERSION);
  add_text(state, MLPD_VERSION);
  for (int i = 0; i < w->inputs.count; i++) add_input(state, w->streams, w->inputs.paths[i]);
  const char *const texts[] = {o->label,       o->ignore,  o->columns, o->missing,  o->categorical, o->strip,
                               o->class_names, o->decimal, o->header,  o->encoding, o->dates};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) add_text(state, texts[i]);
  const uint64_t numbers[] = {o->drop_missing, (unsigned char)o->thousands, (unsigned char)o->delimiter,
                              o->skip_lines,   (uint64_t)o->task,           o->seed};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) add_number(state, numbers[i]);
  (void)XXH3_64bits_update(state, &o->valid_fraction, sizeof o->valid_fraction);
  (void)XXH3_64bits_update(state, &o->test_fraction, sizeof o->test_fraction);
  (void)snprintf(w->origin, sizeof w->origin, "%016" PRIx64, XXH3_64bits_digest(state));
  (void)XXH3_freeState(state);
  return MLPD_OK;
}

/* The attribute that names what path was made from (free()), or NULL if no run made it. */
static char *origin_of(const char *path, h5_file **file) {
  char *origin = NULL;
  *file = NULL;
  if (!h5_is_hdf5(path) || h5_open(path, file) != MLPD_OK) return NULL;
  if (!h5_attribute_exists(*file, "/", CONVERT_ORIGIN) ||
      h5_attribute_read_text(*file, "/", CONVERT_ORIGIN, &origin) != MLPD_OK)
    return NULL;
  return origin;
}

char *table_origin(const char *path) {
  h5_file *file = NULL;
  char *const origin = origin_of(path, &file);
  (void)h5_close(file); /* read-only: nothing is lost */
  return origin;
}

bool table_is_ours(const char *path) {
  char *const origin = table_origin(path);
  free(origin);
  return origin != NULL;
}

/* *same: path was made by this job from these inputs. Fails if a file is there that no job made: it is not replaced. */
static mlpd_status look_at_former(const work *w, const char *path, bool *same) {
  struct stat about;
  *same = false;
  if (stat(path, &about) != 0 || about.st_size == 0) return MLPD_OK;
  h5_file *file = NULL;
  char *const origin = origin_of(path, &file);
  *same = origin != NULL && strcmp(origin, w->origin) == 0;
  if (*same) repeat_decisions(w->job, file);
  (void)h5_close(file);
  free(origin);
  if (origin != NULL) return MLPD_OK;
  return FAIL(MLPD_ERROR_FILE,
              "%s exists, no run of mlpdist wrote it, and this run would replace it; move it away or choose another "
              "--out",
              path);
}

/* Looks for a data set of this job at path and next. */
static mlpd_status find_former(work *w, const char *path, const char *next, table_place *place) {
  TRY(find_origin(w));
  TRY(look_at_former(w, path, &place->reused));
  if (place->reused) return MLPD_OK;
  place->waits = true;
  return look_at_former(w, next, &place->reused);
}

static bool is_stopped(void *context) {
  const work *const w = context;
  return w->job->stopped != NULL && w->job->stopped(w->job->context);
}

static mlpd_status convert(work *w, const char *path, const char *next, table_place *place) {
  mlpd_convert_result made;
  TRY(fill_options(w, path));
  const spool_watch watch = {.report = on_progress, .context = w, .stopped = is_stopped};
  TRY(spools_fill(w->streams, w->options.inputs, w->inputs.count, &watch));
  if (next != NULL) TRY(find_former(w, path, next, place));
  if (place->waits) w->options.out = next;
  const convert_memory memory = {.origin = w->origin, .said = &w->said};
  return place->reused ? MLPD_OK : convert_run(&w->options, next != NULL ? &memory : NULL, w->streams, &made);
}

/* ---- On all ranks ---------------------------------------------------------------------------------- */

/* Waits until rank 0 is done. */
static mlpd_status wait_for_root(mlpd_comm *comm) {
  for (uint8_t going = 1; going != 0;) TRY(comm_broadcast(comm, &going, sizeof going, 0));
  return MLPD_OK;
}

mlpd_status table_convert(mlpd_comm *comm, const table_job *job, const char *path, const char *next,
                          table_place *place) {
  *place = (table_place){.reused = false};
  if (mlpd_comm_rank(comm) != 0) {
    TRY(wait_for_root(comm));
    TRY(mlpd_comm_agree(comm, MLPD_OK));
    return comm_broadcast(comm, place, sizeof *place, 0);
  }
  work w = {.job = job, .comm = comm, .beaten = clock_seconds()};
  w.streams = job->streams != NULL ? job->streams : &w.own;
  const mlpd_status status = convert(&w, path, next, place);
  spools_free(&w.own);
  table_inputs_free(&w.inputs);
  free(w.roles);
  name_list_free(&w.said);
  name_list_free(&w.expected);
  TRY(w.lost);
  uint8_t going = 0;
  if (mlpd_comm_size(comm) > 1) TRY(comm_broadcast(comm, &going, sizeof going, 0));
  TRY(mlpd_comm_agree(comm, status));
  return comm_broadcast(comm, place, sizeof *place, 0);
}
