/* Conversion: open the inputs, scan them, decide what the labels are, draw the split, write. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/convert_output.h"
#include "data/convert_report.h"
#include "data/convert_source.h"

enum { PARTS = 3, SCHEMA_VERSION = 2 };

typedef struct conversion {
  const mlpd_convert_options *options;
  meter progress;
  source *sources[PARTS]; /* MLPD_TRAIN is there; the others where the inputs come split */
  label_set labels;
  uint32_t features, y_columns;
  uint64_t rows[PARTS]; /* to write, by part */
  output out;
} conversion;

void mlpd_convert_options_default(mlpd_convert_options *options) {
  *options = (mlpd_convert_options){
      .header = "auto", .task = MLPD_TASK_AUTO, .valid_fraction = 0.1, .test_fraction = 0.1, .seed = 1};
}

/* ---- Options ---- */

static mlpd_status check_fractions(const mlpd_convert_options *o) {
  const double fractions[] = {o->valid_fraction, o->test_fraction};
  for (int i = 0; i < 2; i++)
    if (!(fractions[i] >= 0 && fractions[i] < 1))
      return FAIL(MLPD_ERROR_USAGE, "%s fraction %g is not in [0, 1)", i == 0 ? "valid" : "test", fractions[i]);
  if (o->valid_fraction + o->test_fraction >= 1)
    return FAIL(MLPD_ERROR_USAGE, "valid and test fractions %g and %g leave nothing to train on", o->valid_fraction,
                o->test_fraction);
  return MLPD_OK;
}

static mlpd_status check_options(const mlpd_convert_options *o) {
  if (o->inputs == NULL || o->num_inputs < 1) return FAIL(MLPD_ERROR_USAGE, "no input file is named");
  if (o->out == NULL || o->out[0] == '\0') return FAIL(MLPD_ERROR_USAGE, "no output file is named");
  TRY(check_fractions(o));
  if (o->compress < 0 || o->compress > 9)
    return FAIL(MLPD_ERROR_USAGE, "compression level %d is not in 0 to 9", o->compress);
  if (o->header == NULL ||
      (strcmp(o->header, "auto") != 0 && strcmp(o->header, "yes") != 0 && strcmp(o->header, "no") != 0))
    return FAIL(MLPD_ERROR_USAGE, "header is auto, yes or no, not '%s'", o->header != NULL ? o->header : "");
  if (o->delimiter != '\0' && strchr("+-.\"#\r\n", o->delimiter) != NULL)
    return FAIL(MLPD_ERROR_USAGE, "the delimiter cannot be a sign, point, quote, # or line end");
  if ((o->delimiter >= '0' && o->delimiter <= '9') || o->delimiter == 'e' || o->delimiter == 'E')
    return FAIL(MLPD_ERROR_USAGE, "the delimiter cannot be '%c', which numbers hold", o->delimiter);
  struct stat target, input_info;
  for (int i = 0; i < o->num_inputs && stat(o->out, &target) == 0; i++)
    if (stat(o->inputs[i], &input_info) == 0 && input_info.st_dev == target.st_dev &&
        input_info.st_ino == target.st_ino)
      return FAIL(MLPD_ERROR_USAGE, "%s is input and output at once", o->out);
  return MLPD_OK;
}

/* ---- First pass ---- */

static void say_target(const conversion *c) {
  const name_list *names = &c->sources[MLPD_TRAIN]->targets;
  char text[REPORT_BYTES], list[REPORT_BYTES] = "";
  size_t used = 0;
  if (c->y_columns == 1) {
    label_set_describe(&c->labels, text, sizeof text);
    convert_say(c->options, "%s", text);
    return;
  }
  for (uint64_t i = 0; i < names->count; i++) report_list_add(list, &used, ", ", names->names[i]);
  convert_say(c->options, "target: %u columns of values%s%s", c->y_columns, used > 0 ? ", " : "", list);
}

static mlpd_status scan_sources(conversion *c) {
  const source *train = c->sources[MLPD_TRAIN];
  for (int p = 0; p < PARTS; p++) {
    source *s = c->sources[p];
    if (s == NULL) continue;
    if (s->features != train->features || s->y_columns != train->y_columns)
      return FAIL(MLPD_ERROR_DATA, "%s has %u features and %u y columns, but %s has %u and %u", s->name, s->features,
                  s->y_columns, train->name, train->features, train->y_columns);
    TRY(source_scan(s, &c->labels));
  }
  c->features = train->features;
  c->y_columns = train->y_columns;
  if (c->y_columns > 0) {
    const mlpd_status status = label_set_decide(&c->labels, c->options->class_names);
    const bool placed = c->labels.text_place[0] != '\0'; /* then the message has a place */
    if (status == MLPD_OK) return say_target(c), MLPD_OK;
    return status == MLPD_ERROR_DATA && !placed ? status_prefix(status, "%s: ", train->name) : status;
  }
  if (c->options->class_names != NULL) return FAIL(MLPD_ERROR_USAGE, "class names are given, but no labels are read");
  return MLPD_OK;
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

/* The smallest type that holds both; integers beside floats become floats. */
static element_type common_type(element_type a, element_type b) {
  static const element_type integers[] = {ELEMENT_U8,  ELEMENT_I8,  ELEMENT_U16, ELEMENT_I16,
                                          ELEMENT_U32, ELEMENT_I32, ELEMENT_U64, ELEMENT_I64};
  if (a == b) return a;
  if (a == ELEMENT_F64 || b == ELEMENT_F64) return ELEMENT_F64;
  if (!element_is_integer(a) || !element_is_integer(b)) return ELEMENT_F32;
  for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++)
    if (holds(integers[i], a) && holds(integers[i], b)) return integers[i];
  return ELEMENT_F64;
}

/* ---- Split ---- */

static bool comes_split(const conversion *c) { return c->sources[MLPD_VALID] != NULL || c->sources[MLPD_TEST] != NULL; }

static void plan_split(conversion *c) {
  const uint64_t rows = c->sources[MLPD_TRAIN]->rows;
  for (int p = 0; p < PARTS; p++) c->rows[p] = c->sources[p] != NULL ? c->sources[p]->rows : 0;
  if (comes_split(c)) {
    if (c->sources[MLPD_VALID] == NULL)
      c->rows[MLPD_VALID] = (uint64_t)round(c->options->valid_fraction * (double)rows);
  } else if (c->y_columns == 0) {
    c->rows[MLPD_TRAIN] = 0;
    c->rows[MLPD_TEST] = rows;
    return;
  } else {
    c->rows[MLPD_VALID] = (uint64_t)round(c->options->valid_fraction * (double)rows);
    c->rows[MLPD_TEST] = (uint64_t)round(c->options->test_fraction * (double)rows);
  }
  /* Rounding must leave a row to train on. */
  uint64_t *valid = c->sources[MLPD_VALID] == NULL ? &c->rows[MLPD_VALID] : NULL;
  uint64_t *test = c->sources[MLPD_TEST] == NULL ? &c->rows[MLPD_TEST] : NULL;
  uint64_t drawn = (valid != NULL ? *valid : 0) + (test != NULL ? *test : 0);
  for (; drawn >= rows; drawn--) --*(valid != NULL && *valid > 0 ? valid : test);
  c->rows[MLPD_TRAIN] = rows - drawn;
}

/* Which part each row of the train source goes to: selection sampling (Knuth, The Art of Computer
 * Programming 2, 3.4.2, Algorithm S), so the counts are exact and no list of rows is kept. */
typedef struct row_draw {
  rng stream;
  uint64_t left[PARTS]; /* rows still to go to each part */
} row_draw;

static mlpd_split draw_part(row_draw *d) {
  const uint64_t others = d->left[MLPD_VALID] + d->left[MLPD_TEST], all = others + d->left[MLPD_TRAIN];
  mlpd_split part = MLPD_TRAIN;
  if (others > 0) {
    const uint64_t draw = rng_below(&d->stream, all);
    part = draw < d->left[MLPD_VALID] ? MLPD_VALID : draw < others ? MLPD_TEST : MLPD_TRAIN;
  }
  d->left[part]--;
  return part;
}

/* ---- Second pass ---- */

typedef struct row_block {
  uint64_t most;
  char *x;          /* (most, features) */
  int32_t *classes; /* (most) */
  double *values;   /* (most, y_columns) */
} row_block;

static mlpd_status row_block_create(const conversion *c, const source *s, row_block *b) {
  const uint64_t x_bytes = s->features * element_size(s->type);
  const uint64_t row_bytes = x_bytes + sizeof *b->classes + c->y_columns * sizeof *b->values;
  b->most = row_bytes >= SOURCE_BLOCK_BYTES ? 1 : SOURCE_BLOCK_BYTES / row_bytes;
  if (b->most > s->rows) b->most = s->rows;
  TRY(memory_allocate(&b->x, b->most * x_bytes, 1, "rows read"));
  TRY(memory_allocate(&b->classes, b->most, sizeof *b->classes, "labels read"));
  return memory_allocate(&b->values, b->most * c->y_columns, sizeof *b->values, "labels read");
}

/* Copies all rows of s to the parts that draw says. */
static mlpd_status copy_rows(conversion *c, source *s, row_draw *draw) {
  const size_t row_bytes = s->features * element_size(s->type);
  row_block b = {.most = 0};
  mlpd_status status;
  TRY_GOTO(status, row_block_create(c, s, &b), done);
  for (uint64_t done_rows = 0; done_rows < s->rows;) {
    const uint64_t rows = s->rows - done_rows < b.most ? s->rows - done_rows : b.most;
    TRY_GOTO(status, source_read(s, &c->labels, rows, b.x, b.classes, b.values), done);
    for (uint64_t i = 0; i < rows; i++) {
      const double *value = c->y_columns > 0 ? b.values + i * c->y_columns : NULL;
      TRY_GOTO(status, output_row(&c->out, draw_part(draw), s->type, b.x + i * row_bytes, b.classes + i, value), done);
    }
    done_rows += rows;
  }
done:
  free(b.x);
  free(b.classes);
  free(b.values);
  return status;
}

static mlpd_status write_attributes(conversion *c) {
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
  if (o->task == MLPD_REGRESSION) TRY(h5_attribute_write_text(c->out.file, "/", "task", "regression"));
  return h5_attribute_write_u64(c->out.file, "/", "mlpdist_schema", SCHEMA_VERSION);
}

static mlpd_status write_list(h5_file *file, const char *object, const name_list *list) {
  return list->count > 0 ? h5_strings_write(file, object, (const char *const *)list->names, list->count) : MLPD_OK;
}

/* For every table, so that the file is known to be one. */
static mlpd_status write_kinds(const conversion *c) {
  const source *const train = c->sources[MLPD_TRAIN];
  const char **kinds = NULL;
  if (!train->table) return MLPD_OK;
  TRY(memory_allocate(&kinds, c->features, sizeof *kinds, "kinds of columns"));
  for (uint32_t j = 0; j < c->features; j++) kinds[j] = train->yes_no != NULL && train->yes_no[j] ? "yes/no" : "number";
  const mlpd_status status = h5_strings_write(c->out.file, "/columns/kind", kinds, c->features);
  free(kinds);
  return status;
}

/* Labels 0, 1, 2, ... are names, too: a file that lacks one of them must not be taken for another's classes. */
static mlpd_status write_class_names(const conversion *c) {
  const label_set *const labels = &c->labels;
  name_list numbers = {.count = labels->num_classes};
  char text[16];
  if (!labels->classes) return MLPD_OK;
  if (labels->names != NULL)
    return h5_strings_write(c->out.file, "/class_names", (const char *const *)labels->names, labels->num_classes);
  mlpd_status status = memory_allocate(&numbers.names, numbers.count, sizeof *numbers.names, "class names");
  for (uint32_t k = 0; k < labels->num_classes && status == MLPD_OK; k++) {
    (void)snprintf(text, sizeof text, "%u", k);
    status = memory_copy_string(text, &numbers.names[k]);
  }
  if (status == MLPD_OK) status = write_list(c->out.file, "/class_names", &numbers);
  name_list_free(&numbers);
  return status;
}

static mlpd_status write_names(const conversion *c) {
  TRY(write_list(c->out.file, "/columns/name", &c->sources[MLPD_TRAIN]->columns));
  TRY(write_kinds(c));
  TRY(write_list(c->out.file, "/targets/name", &c->sources[MLPD_TRAIN]->targets));
  return c->y_columns > 0 ? write_class_names(c) : MLPD_OK;
}

static mlpd_status write_file(conversion *c) {
  TRY(output_create(c->options->out, &c->out));
  c->out.features = c->features;
  c->out.y_columns = c->y_columns;
  c->out.compress = c->options->compress;
  c->out.stored_type = c->sources[MLPD_TRAIN]->type;
  element_type read_types[PARTS]; /* a part without inputs of its own is drawn from the train source */
  for (int p = 0; p < PARTS; p++) {
    read_types[p] = c->sources[c->sources[p] != NULL ? p : MLPD_TRAIN]->type;
    c->out.stored_type = common_type(c->out.stored_type, read_types[p]);
  }
  for (int p = 0; p < PARTS; p++)
    if (c->rows[p] > 0) TRY(output_part(&c->out, (mlpd_split)p, c->rows[p], read_types[p], &c->labels));
  for (int p = 0; p < PARTS; p++) {
    if (c->sources[p] == NULL) continue;
    row_draw draw = {.stream = rng_start(c->options->seed, RNG_SPLIT_ROWS, 0, 0)};
    for (int q = 0; q < PARTS; q++)
      if (q == p || (p == MLPD_TRAIN && c->sources[q] == NULL)) draw.left[q] = c->rows[q];
    TRY(copy_rows(c, c->sources[p], &draw));
  }
  TRY(output_flush(&c->out, read_types));
  TRY(write_attributes(c));
  return write_names(c);
}

mlpd_status mlpd_convert(const mlpd_convert_options *options, mlpd_convert_result *result) {
  *result = (mlpd_convert_result){.features = 0};
  mlpd_convert_options checked = *options;
  if (checked.class_names != NULL && checked.class_names[0] == '\0') checked.class_names = NULL;
  conversion c = {.options = &checked, .progress = {.report = checked.progress, .context = checked.context}};
  mlpd_status status;
  TRY_GOTO(status, check_options(&checked), done);
  TRY_GOTO(status, label_set_create(checked.task, &c.labels), done);
  TRY_GOTO(status, sources_open(&checked, &c.progress, c.sources), done);
  TRY_GOTO(status, scan_sources(&c), done);
  plan_split(&c);
  status = output_close(&c.out, write_file(&c));
  if (status != MLPD_OK) goto done;
  meter_finish(&c.progress);
  *result = (mlpd_convert_result){.train_rows = c.rows[MLPD_TRAIN],
                                  .valid_rows = c.rows[MLPD_VALID],
                                  .test_rows = c.rows[MLPD_TEST],
                                  .features = c.features,
                                  .classes = c.labels.classes ? c.labels.num_classes : 0};
done:
  for (int p = 0; p < PARTS; p++) source_close(c.sources[p]);
  label_set_free(&c.labels);
  return status;
}
