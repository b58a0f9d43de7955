/* Conversion: opens the inputs, scans them, decides what the labels are, draws the parts, writes. */
#include "convert/convert.h"

#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/memory.h"
#include "convert/convert_label_notes.h"
#include "convert/convert_names.h"
#include "convert/convert_open.h"
#include "convert/convert_output.h"
#include "convert/convert_shared.h"
#include "csv/csv.h"
#include "lanes/row_split.h"
#include "source/report.h"

enum { PARTS = 3, SCHEMA_VERSION = 2 };

typedef struct conversion {
  const mlpd_convert_options *options;
  const convert_memory *memory; /* of a run that converts its table, or NULL */
  meter progress;
  source_list sources;
  label_set labels;
  uint32_t features, y_columns;
  uint64_t rows[PARTS]; /* to write, by part */
  bool comes_split;     /* validation or test rows have separate inputs */
  bool unlabelled;      /* all rows go to /test/x, in order */
  shared_rows shared;
  row_split split; /* which rows of the training inputs go to which part */
  output out;
} conversion;

static const source *first_of(const conversion *c) { return c->sources.all[0]; }

void mlpd_convert_options_default(mlpd_convert_options *options) {
  *options = (mlpd_convert_options){
      .header = "auto", .task = MLPD_TASK_AUTO, .valid_fraction = 0.1, .test_fraction = 0.1, .seed = 1};
}

/* ---- Options ---- */

static mlpd_status check_fractions(const mlpd_convert_options *o) {
  const double fractions[] = {o->valid_fraction, o->test_fraction};
  for (int i = 0; i < 2; i++)
    if (!(fractions[i] >= 0 && fractions[i] < 1))
      return FAIL(MLPD_ERROR_USAGE, "the %s fraction is %g; it must be at least 0 and less than 1",
                  i == 0 ? "validation" : "test", fractions[i]);
  if (o->valid_fraction + o->test_fraction >= 1)
    return FAIL(MLPD_ERROR_USAGE, "validation and test fractions of %g and %g leave no rows for training",
                o->valid_fraction, o->test_fraction);
  return MLPD_OK;
}

mlpd_status convert_check_reading(const mlpd_convert_options *o) {
  csv_syntax syntax;
  if (o->header == NULL ||
      (strcmp(o->header, "auto") != 0 && strcmp(o->header, "yes") != 0 && strcmp(o->header, "no") != 0))
    return FAIL(MLPD_ERROR_USAGE, "header must be auto, yes or no, not '%s'", o->header != NULL ? o->header : "");
  if (o->dates != NULL && strcmp(o->dates, "auto") != 0 && strcmp(o->dates, "dmy") != 0 && strcmp(o->dates, "mdy") != 0)
    return FAIL(MLPD_ERROR_USAGE, "dates must be auto, dmy or mdy, not '%s'", o->dates);
  if (o->delimiter != '\0' && strchr("+-.\"#\r\n", o->delimiter) != NULL)
    return FAIL(MLPD_ERROR_USAGE, "the delimiter cannot be a sign, point, quote, # or line end");
  if ((o->delimiter >= '0' && o->delimiter <= '9') || o->delimiter == 'e' || o->delimiter == 'E')
    return FAIL(MLPD_ERROR_USAGE, "the delimiter cannot be '%c', which occurs in numbers", o->delimiter);
  const mlpd_status status = csv_syntax_make(o, &syntax);
  csv_syntax_free(&syntax);
  return status;
}

static mlpd_status check_options(const mlpd_convert_options *o, bool of_run) {
  if (o->inputs == NULL || o->num_inputs < 1) return FAIL(MLPD_ERROR_USAGE, "no input file was given");
  if (o->out == NULL || o->out[0] == '\0') return FAIL(MLPD_ERROR_USAGE, "no output file was given");
  for (int i = 0; i < o->num_inputs; i++)
    if (o->inputs[i] == NULL || o->inputs[i][0] == '\0') return FAIL(MLPD_ERROR_USAGE, "input %d has no name", i + 1);
  for (int i = 0; o->roles != NULL && i < o->num_inputs; i++)
    if (strcmp(mlpd_choice_name(mlpd_split_choices, (int)o->roles[i]), "?") == 0)
      return FAIL(MLPD_ERROR_USAGE, "role %d of input %d is unknown", (int)o->roles[i], i + 1);
  if (strcmp(mlpd_choice_name(mlpd_task_choices, (int)o->task), "?") == 0)
    return FAIL(MLPD_ERROR_USAGE, "task %d is unknown", (int)o->task);
  TRY(check_fractions(o));
  if (o->compress < 0 || o->compress > 9)
    return FAIL(MLPD_ERROR_USAGE, "the compression level is %d; it must be 0 to 9", o->compress);
  TRY(convert_check_reading(o));
  return output_check(o->out, o->inputs, o->num_inputs, of_run);
}

/* ---- First pass ---- */

static void say_target(const conversion *c) {
  const name_list *names = &first_of(c)->targets;
  char text[REPORT_BYTES], list[REPORT_BYTES] = "";
  size_t used = 0;
  if (c->y_columns == 1 || c->labels.one_hot) {
    label_set_describe(&c->labels, text, sizeof text);
    convert_say(c->options, "%s", text);
    return;
  }
  for (uint64_t i = 0; i < names->count; i++) report_list_add(list, &used, ", ", names->names[i]);
  convert_say(c->options, "target: %u columns of values%s%s%s", c->y_columns, used > 0 ? ", " : "", list,
              c->labels.any_vector && !c->labels.any_other
                  ? " (each 0 or 1; --loss binary-cross-entropy in training makes them probabilities)"
                  : "");
}

static mlpd_status scan_sources(conversion *c) {
  const source *const first = first_of(c);
  for (int i = 0; i < c->sources.count; i++) {
    source *const s = c->sources.all[i];
    if (i > 0 && s->methods->follow != NULL) TRY(s->methods->follow(s, first));
    if (i > 0) TRY(source_match(c->options, first, s));
    label_set_begin_input(&c->labels, s->part);
    TRY(source_scan(s, &c->labels));
    label_set_end_input(&c->labels, s->name);
    c->rows[s->part] += s->rows;
    c->comes_split = c->comes_split || s->part != MLPD_TRAIN;
  }
  c->features = first->features;
  c->y_columns = first->y_columns;
  if (c->y_columns > 0) {
    const mlpd_convert_options *const o = c->options;
    const bool named = o->class_names != NULL || o->num_model_classes > 0; /* by names for their numbers */
    mlpd_status status = label_set_decide(&c->labels, o->class_names);
    if (status == MLPD_OK && c->labels.one_hot && !named)
      status = label_set_name_columns(&c->labels, (const char *const *)first->targets.names, first->targets.count);
    if (status == MLPD_OK)
      status = label_set_rename(&c->labels, o->model_labels, o->model_classes, o->num_model_classes);
    const bool placed = c->labels.text_place[0] != '\0'; /* the message already names a place */
    if (status == MLPD_OK) {
      say_target(c);
      label_set_notes(c->options, &c->labels);
      return MLPD_OK;
    }
    return status == MLPD_ERROR_DATA && !placed ? status_prefix(status, "%s: ", first->name) : status;
  }
  if (c->options->class_names != NULL) return FAIL(MLPD_ERROR_USAGE, "class names are given, but no labels are read");
  return MLPD_OK;
}

/* A run learns from the training part. Of a single table the name may say that it is another. */
static mlpd_status check_training_part(const conversion *c) {
  for (int i = 0; i < c->sources.count; i++)
    if (c->sources.all[i]->part == MLPD_TRAIN) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE,
              "%s: its name says that it is not the training part, and no other input is; if it is, convert it first: "
              "mlpdist convert --train FILE DATA.h5",
              first_of(c)->name);
}

/* ---- One type for x of all parts ---- */

static int bits_of(element_type type) { return 8 * (int)element_size(type); }

static bool is_signed(element_type type) {
  return type == ELEMENT_I8 || type == ELEMENT_I16 || type == ELEMENT_I32 || type == ELEMENT_I64;
}

static bool holds(element_type wide, element_type narrow) {
  if (is_signed(wide) == is_signed(narrow)) return bits_of(wide) >= bits_of(narrow);
  return is_signed(wide) && bits_of(wide) > bits_of(narrow);
}

/* The smallest type that holds both; integers combined with floats become floats with enough digits. */
static element_type common_type(element_type a, element_type b) {
  static const element_type integers[] = {ELEMENT_U8,  ELEMENT_I8,  ELEMENT_U16, ELEMENT_I16,
                                          ELEMENT_U32, ELEMENT_I32, ELEMENT_U64, ELEMENT_I64};
  if (a == b) return a;
  if (a == ELEMENT_F64 || b == ELEMENT_F64) return ELEMENT_F64;
  if (!element_is_integer(a) || !element_is_integer(b)) {
    const element_type other = element_is_integer(a) ? a : b;
    return element_is_integer(other) && element_size(other) >= sizeof(float) ? ELEMENT_F64 : ELEMENT_F32;
  }
  for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++)
    if (holds(integers[i], a) && holds(integers[i], b)) return integers[i];
  return ELEMENT_F64;
}

/* ---- Split ---- */

/* Counts the rows of each class in each part of the inputs; for values, all rows count as one class. */
static mlpd_status count_classes(const conversion *c, uint64_t (**rows)[PARTS], uint32_t *num_classes) {
  *num_classes = c->labels.classes ? c->labels.num_classes : 1;
  TRY(memory_allocate(rows, *num_classes, sizeof **rows, "classes"));
  if (c->labels.classes)
    label_set_class_rows(&c->labels, *rows);
  else
    memcpy(**rows, c->rows, sizeof c->rows);
  return MLPD_OK;
}

/* Draws a validation part from the training inputs unless it has inputs of its own, and a test part unless validation
 * or test rows have inputs. */
static mlpd_status draw_split(conversion *c, uint64_t (*rows)[PARTS], uint32_t num_classes) {
  const double valid = c->rows[MLPD_VALID] > 0 ? 0 : c->options->valid_fraction;
  const double test = c->comes_split ? 0 : c->options->test_fraction;
  uint64_t *train = NULL;
  TRY(memory_allocate(&train, num_classes, sizeof *train, "classes"));
  for (uint32_t k = 0; k < num_classes; k++) train[k] = rows[k][MLPD_TRAIN];
  const mlpd_status status = row_split_create(num_classes, train, valid, test, c->options->seed, &c->split);
  free(train);
  TRY(status);
  c->rows[MLPD_TRAIN] = 0;
  for (uint32_t k = 0; k < num_classes; k++) rows[k][MLPD_TRAIN] = 0;
  for (int p = 0; p < PARTS; p++) {
    c->rows[p] += c->split.total[p];
    for (uint32_t k = 0; k < num_classes; k++) rows[k][p] += c->split.left[k][p];
  }
  return MLPD_OK;
}

static mlpd_status plan_split(conversion *c) {
  uint64_t(*rows)[PARTS] = NULL;
  uint32_t num_classes = 0;
  c->unlabelled = c->y_columns == 0 && !c->comes_split;
  if (c->unlabelled) {
    c->rows[MLPD_TEST] = c->rows[MLPD_TRAIN];
    c->rows[MLPD_TRAIN] = 0;
    return MLPD_OK;
  }
  mlpd_status status = count_classes(c, &rows, &num_classes);
  if (status == MLPD_OK) status = draw_split(c, rows, num_classes);
  /* A run reports rare classes itself, of data sets too. */
  if (status == MLPD_OK && c->labels.classes && c->memory == NULL)
    status = convert_say_rare(c->options, &c->labels, (const uint64_t(*)[PARTS])rows);
  free(rows);
  return status;
}

static mlpd_split part_of_row(conversion *c, const source *s, int32_t class) {
  if (c->unlabelled) return MLPD_TEST;
  return s->part == MLPD_TRAIN ? row_split_draw(&c->split, c->labels.classes ? (uint32_t) class : 0) : s->part;
}

/* ---- Second pass ---- */

typedef struct row_block {
  uint64_t most;
  char *x;               /* (most, features) */
  int32_t *classes;      /* (most) */
  double *values;        /* (most, y_columns) */
  char *picked_x;        /* (features) a row, reordered */
  double *picked_values; /* (y_columns) */
} row_block;

static mlpd_status row_block_create(const conversion *c, const source *s, row_block *b) {
  const uint64_t x_bytes = s->features * element_size(s->type);
  const uint64_t row_bytes = x_bytes + sizeof *b->classes + c->y_columns * sizeof *b->values;
  b->most = row_bytes >= SOURCE_BLOCK_BYTES ? 1 : SOURCE_BLOCK_BYTES / row_bytes;
  if (b->most > s->rows) b->most = s->rows;
  TRY(memory_allocate(&b->x, b->most * x_bytes, 1, "rows read"));
  TRY(memory_allocate(&b->classes, b->most, sizeof *b->classes, "labels read"));
  TRY(memory_allocate(&b->picked_x, row_bytes, 1, "a row"));
  TRY(memory_allocate(&b->picked_values, c->y_columns, sizeof *b->picked_values, "a row"));
  return memory_allocate(&b->values, b->most * c->y_columns, sizeof *b->values, "labels read");
}

/* Copies the elements (of size bytes) of a row in the order of the first source. */
static void pick(const uint32_t *from, uint32_t count, size_t size, const char *row, char *out) {
  for (uint32_t j = 0; j < count; j++) memcpy(out + j * size, row + from[j] * size, size);
}

static mlpd_status copy_row(conversion *c, const source *s, const row_block *b, uint64_t i) {
  const size_t size = element_size(s->type);
  const char *x = b->x + i * s->features * size;
  const double *values = c->y_columns > 0 ? b->values + i * c->y_columns : NULL;
  if (s->columns_from != NULL) {
    pick(s->columns_from, s->features, size, x, b->picked_x);
    x = b->picked_x;
  }
  if (s->targets_from != NULL) {
    pick(s->targets_from, s->y_columns, sizeof *values, (const char *)values, (char *)b->picked_values);
    values = b->picked_values;
  }
  const bool classes = c->labels.classes && c->y_columns > 0;
  shared_rows_add(&c->shared, s->part, s->type, s->features, x, classes ? (const void *)(b->classes + i) : values,
                  classes ? sizeof *b->classes : c->y_columns * sizeof *values);
  return output_row(&c->out, part_of_row(c, s, b->classes[i]), s->type, x, b->classes + i, values);
}

/* Copies all rows of s to their parts. */
static mlpd_status copy_rows(conversion *c, source *s) {
  row_block b = {.most = 0};
  mlpd_status status;
  TRY_GOTO(status, row_block_create(c, s, &b), done);
  for (uint64_t done_rows = 0; done_rows < s->rows;) {
    const uint64_t rows = s->rows - done_rows < b.most ? s->rows - done_rows : b.most;
    TRY_GOTO(status, source_read(s, &c->labels, rows, b.x, b.classes, b.values), done);
    for (uint64_t i = 0; i < rows; i++) TRY_GOTO(status, copy_row(c, s, &b, i), done);
    done_rows += rows;
  }
done:
  free(b.x);
  free(b.classes);
  free(b.values);
  free(b.picked_x);
  free(b.picked_values);
  return status;
}

static mlpd_status write_attributes(conversion *c) {
  const convert_memory *const memory = c->memory;
  size_t bytes = 1, used = 0;
  const mlpd_convert_options *o = c->options;
  for (int i = 0; i < o->num_inputs; i++) bytes += strlen(o->inputs[i]) + 2;
  char *names;
  TRY(memory_allocate(&names, bytes, 1, "source names"));
  for (int i = 0; i < o->num_inputs; i++) {
    const char *slash = strrchr(o->inputs[i], '/');
    used += (size_t)snprintf(names + used, bytes - used, "%s%s", i > 0 ? ", " : "",
                             slash != NULL ? slash + 1 : o->inputs[i]);
  }
  mlpd_status status = h5_attribute_write_text(c->out.file, "/", "sources", names);
  free(names);
  TRY(status);
  if (memory != NULL) TRY(h5_attribute_write_text(c->out.file, "/", CONVERT_ORIGIN, memory->origin));
  if (memory != NULL && memory->said->count > 0)
    TRY(h5_strings_write(c->out.file, CONVERT_DECISIONS, (const char *const *)memory->said->names,
                         memory->said->count));
  if (o->task == MLPD_REGRESSION) TRY(h5_attribute_write_text(c->out.file, "/", "task", "regression"));
  return h5_attribute_write_u64(c->out.file, "/", "mlpdist_schema", SCHEMA_VERSION);
}

/* Chooses the type of x in the file, and finds the widest type of the sources. */
static void choose_types(conversion *c, element_type *widest) {
  c->out.stored_type = *widest = first_of(c)->type;
  for (int i = 1; i < c->sources.count; i++) {
    const element_type type = c->sources.all[i]->type;
    c->out.stored_type = common_type(c->out.stored_type, type);
    if (element_size(type) > element_size(*widest)) *widest = type;
  }
}

/* Marks x as images, which normalisation scales as a whole. */
static mlpd_status write_layout(conversion *c) {
  static const char *const x_paths[] = {[MLPD_TRAIN] = "/train/x", [MLPD_VALID] = "/valid/x", [MLPD_TEST] = "/test/x"};
  for (int p = 0; p < PARTS && first_of(c)->image; p++)
    if (c->rows[p] > 0) TRY(h5_attribute_write_text(c->out.file, x_paths[p], "layout", "image"));
  return MLPD_OK;
}

static mlpd_status write_file(conversion *c) {
  element_type widest;
  TRY(output_create(c->options->out, &c->out));
  c->out.features = c->features;
  c->out.y_columns = c->y_columns;
  c->out.compress = c->options->compress;
  choose_types(c, &widest);
  for (int p = 0; p < PARTS; p++)
    if (c->rows[p] > 0) TRY(output_part(&c->out, (mlpd_split)p, c->rows[p], widest, &c->labels));
  TRY(shared_rows_begin(&c->sources, &c->shared));
  for (int i = 0; i < c->sources.count; i++) TRY(copy_rows(c, c->sources.all[i]));
  TRY(shared_rows_report(c->options, &c->shared));
  TRY(output_flush(&c->out));
  TRY(write_layout(c));
  TRY(write_attributes(c));
  bool missing = false;
  for (int i = 0; i < c->sources.count; i++) missing = missing || c->sources.all[i]->missing;
  return convert_write_names(c->out.file, first_of(c), missing, &c->labels);
}

/* Copies inputs that are streams, and puts their names in place of "-". names (num_inputs): free(). */
static mlpd_status take_streams(mlpd_convert_options *o, spools *streams, const char ***names) {
  const spool_watch watch = {.report = o->progress, .context = o->context};
  TRY(spools_fill(streams, o->inputs, o->num_inputs, &watch));
  TRY(memory_allocate(names, (size_t)o->num_inputs, sizeof **names, "names of input files"));
  for (int i = 0; i < o->num_inputs; i++) {
    (*names)[i] = spool_name(o->inputs[i]);
    const spool *const copy = spools_find(streams, o->inputs[i]);
    if (copy != NULL)
      convert_say(o, "%s: %llu bytes, stored in %s meanwhile", copy->name, (unsigned long long)copy->bytes,
                  streams->folder);
  }
  o->inputs = *names;
  return MLPD_OK;
}

mlpd_status convert_run(const mlpd_convert_options *options, const convert_memory *memory, spools *streams,
                        mlpd_convert_result *result) {
  *result = (mlpd_convert_result){.features = 0};
  mlpd_convert_options checked = *options;
  if (checked.class_names != NULL && checked.class_names[0] == '\0') checked.class_names = NULL;
  conversion c = {
      .options = &checked, .memory = memory, .progress = {.report = checked.progress, .context = checked.context}};
  const char **names = NULL;
  mlpd_status status;
  TRY_GOTO(status, check_options(&checked, memory != NULL), done);
  TRY_GOTO(status, take_streams(&checked, streams, &names), done);
  c.progress.streams = streams;
  TRY_GOTO(status, label_set_create(checked.task, &c.labels), done);
  TRY_GOTO(status, sources_open(&checked, &c.progress, &c.sources), done);
  if (memory != NULL) TRY_GOTO(status, check_training_part(&c), done);
  TRY_GOTO(status, scan_sources(&c), done);
  TRY_GOTO(status, plan_split(&c), done);
  status = output_close(&c.out, write_file(&c));
  if (status != MLPD_OK) goto done;
  meter_finish(&c.progress);
  *result = (mlpd_convert_result){.train_rows = c.rows[MLPD_TRAIN],
                                  .valid_rows = c.rows[MLPD_VALID],
                                  .test_rows = c.rows[MLPD_TEST],
                                  .features = c.features,
                                  .classes = c.labels.classes ? c.labels.num_classes : 0};
done:
  source_list_free(&c.sources);
  free(names);
  row_split_free(&c.split);
  shared_rows_free(&c.shared);
  label_set_free(&c.labels);
  return status;
}

mlpd_status mlpd_convert(const mlpd_convert_options *options, mlpd_convert_result *result) {
  IN_C_LOCALE();
  NEED(options);
  NEED(result);
  spools streams = {.count = 0};
  const mlpd_status status = convert_run(options, NULL, &streams, result);
  spools_free(&streams);
  return status;
}
