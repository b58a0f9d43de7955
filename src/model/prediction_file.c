#include "model/prediction_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/forward.h"
#include "model/model_output.h"

enum { COLUMN_BYTES = MODEL_OUTPUT_BYTES + 32 };

static bool is_hdf5(const char *out) {
  return text_ends_in_any_case(out, ".h5") || text_ends_in_any_case(out, ".hdf5");
}

static bool has_classes(const prediction_file *f) { return f->model->task == MLPD_CLASSIFICATION; }

/* /value_names: of the columns of /value, where they are more than the targets. */
static mlpd_status write_output_names(prediction_file *f) {
  char(*texts)[MODEL_OUTPUT_BYTES] = NULL;
  const char **names = NULL;
  mlpd_status status = memory_allocate(&texts, f->outputs, sizeof *texts, "names of outputs");
  if (status == MLPD_OK) status = memory_allocate(&names, f->outputs, sizeof *names, "names of outputs");
  for (uint32_t k = 0; status == MLPD_OK && k < f->outputs; k++) {
    model_output_name(f->model, k, texts[k]);
    names[k] = texts[k];
  }
  if (status == MLPD_OK) status = h5_strings_write(f->h5, "/value_names", names, f->outputs);
  free(names);
  free(texts);
  return status;
}

/* /kept (rows, columns that pass through) and /kept_names */
static mlpd_status open_kept(prediction_file *f, uint64_t rows) {
  const uint32_t columns = f->keeper != NULL ? table_keeper_columns(f->keeper) : 0;
  const char **names = NULL;
  if (columns == 0) return MLPD_OK;
  TRY(memory_allocate(&names, columns, sizeof *names, "names of columns"));
  for (uint32_t j = 0; j < columns; j++) names[j] = table_keeper_name(f->keeper, j);
  const mlpd_status status = h5_strings_write(f->h5, "/kept_names", names, columns);
  free(names);
  TRY(status);
  return h5_texts_create(f->h5, "/kept", rows, columns, &f->kept);
}

static mlpd_status open_h5(prediction_file *f, uint64_t rows) {
  TRY(h5_create_as(f->out.temporary, f->out.path, &f->h5));
  TRY(open_kept(f, rows));
  if (has_classes(f)) TRY(h5_array_create(f->h5, "/class", rows, 0, ELEMENT_I32, 0, 0, &f->classes));
  TRY(h5_array_create(f->h5, has_classes(f) ? "/probability" : "/value", rows, f->outputs,
                      has_classes(f) ? ELEMENT_F32 : ELEMENT_F64, 0, 0, &f->values));
  if (f->width > f->outputs) TRY(h5_array_create(f->h5, "/spread", rows, f->outputs, ELEMENT_F32, 0, 0, &f->spreads));
  const name_list *const classes = &f->model->names.classes;
  if (classes->count > 0)
    TRY(h5_strings_write(f->h5, "/class_names", (const char *const *)classes->names, classes->count));
  const name_list *const targets = &f->model->names.targets;
  if (targets->count > 0)
    TRY(h5_strings_write(f->h5, "/targets/name", (const char *const *)targets->names, targets->count));
  return loss_outputs(&f->model->loss) > 1 ? write_output_names(f) : MLPD_OK;
}

/* In quotes if needed. */
static void write_quoted(FILE *csv, const char *text) {
  if (strpbrk(text, ",\"\n\r") == NULL) {
    (void)fputs(text, csv);
    return;
  }
  (void)fputc('"', csv);
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"') (void)fputc('"', csv);
    (void)fputc(*c, csv);
  }
  (void)fputc('"', csv);
}

/* Writes a CSV cell. A name from a file must not control a terminal. */
static void write_cell(const prediction_file *f, const char *text) {
  char *printable = NULL;
  if (f->terminal && memory_copy_string(text, &printable) == MLPD_OK) text_make_printable(printable);
  write_quoted(f->csv, !f->terminal ? text : printable != NULL ? printable : "?");
  free(printable);
}

/* Is it the name of a column that each such file has? */
static bool is_fixed(const prediction_file *f, const char *name) {
  return strcmp(name, "row") == 0 || (has_classes(f) && strcmp(name, "class") == 0);
}

/* Writes to text the name of column j of `width`: "price", "price_spread"; a class called row gives "row
 * (probability)". One output of classes is the probability of the second.
 */
static void name_column(const prediction_file *f, uint32_t j, char text[COLUMN_BYTES]) {
  const uint32_t output = j % f->outputs, class_index = f->outputs == 1 ? 1 : output;
  char name[MODEL_OUTPUT_BYTES];
  if (!has_classes(f)) model_output_name(f->model, output, name);
  const char *const plain = has_classes(f) ? mlpd_model_class_name(f->model, class_index) : name;
  const char *const end = j >= f->outputs       ? "_spread"
                          : !is_fixed(f, plain) ? ""
                          : has_classes(f)      ? " (probability)"
                                                : " (value)";
  (void)snprintf(text, COLUMN_BYTES, "%s%s", plain, end);
}

/* A kept column with the name of a prediction, such as the target, gets another: pandas and R would take the first of
 * two for the prediction.
 */
static void write_kept_name(const prediction_file *f, const char *name) {
  char text[COLUMN_BYTES], taken[COLUMN_BYTES];
  bool is_taken = is_fixed(f, name);
  for (uint32_t j = 0; j < f->width && !is_taken; j++) {
    name_column(f, j, taken);
    is_taken = strcmp(taken, name) == 0;
  }
  (void)snprintf(text, sizeof text, "%s (kept)", name);
  write_cell(f, is_taken ? text : name);
}

static mlpd_status open_csv(prediction_file *f) {
  char text[COLUMN_BYTES];
  f->csv = f->out.stream;
  f->terminal = f->out.descriptor >= 0 && isatty(f->out.descriptor) == 1;
  (void)fputs("row", f->csv);
  for (uint32_t j = 0; f->keeper != NULL && j < table_keeper_columns(f->keeper); j++) {
    (void)fputc(',', f->csv);
    write_kept_name(f, table_keeper_name(f->keeper, j));
  }
  if (has_classes(f)) (void)fputs(",class", f->csv);
  for (uint32_t j = 0; j < f->width; j++) {
    (void)fputc(',', f->csv);
    name_column(f, j, text);
    write_cell(f, text);
  }
  (void)fputc('\n', f->csv);
  return MLPD_OK;
}

/* Regression: in the units of the targets. */
static mlpd_status write_targets_h5(prediction_file *f, uint64_t n, const float *values) {
  double *mapped = NULL;
  TRY(memory_allocate(&mapped, n * f->outputs, sizeof *mapped, "predictions"));
  for (uint64_t i = 0; i < n * f->outputs; i++)
    mapped[i] = model_output_value(f->model, (uint32_t)(i % f->outputs), (double)values[i]);
  const mlpd_status status = h5_array_write(f->values, f->rows, n, ELEMENT_F64, mapped);
  free(mapped);
  return status;
}

static mlpd_status write_values_h5(prediction_file *f, uint64_t n, const float *values) {
  if (!has_classes(f)) return write_targets_h5(f, n, values);
  TRY(h5_array_write(f->values, f->rows, n, ELEMENT_F32, values));
  int32_t *classes = NULL;
  TRY(memory_allocate(&classes, n, sizeof *classes, "predicted classes"));
  for (uint64_t i = 0; i < n; i++) classes[i] = (int32_t)forward_predicted_class(values + i * f->outputs, f->outputs);
  const mlpd_status status = h5_array_write(f->classes, f->rows, n, ELEMENT_I32, classes);
  free(classes);
  return status;
}

/* Columns [first, first + outputs) of the rows, together. */
static void take_columns(const prediction_file *f, uint64_t n, const float *values, uint32_t first, float *taken) {
  for (uint64_t i = 0; i < n; i++)
    memcpy(taken + i * f->outputs, values + i * f->width + first, f->outputs * sizeof *taken);
}

/* The cells of the next n rows, row after row; each is to be freed. */
static mlpd_status read_kept(prediction_file *f, uint64_t n, char **texts) {
  const uint32_t columns = table_keeper_columns(f->keeper);
  for (uint64_t i = 0; i < n; i++) {
    TRY(table_keeper_next(f->keeper));
    for (uint32_t j = 0; j < columns; j++)
      TRY(memory_copy_string(table_keeper_cell(f->keeper, j), &texts[i * columns + j]));
  }
  return MLPD_OK;
}

static mlpd_status write_kept_h5(prediction_file *f, uint64_t n) {
  char **texts = NULL;
  if (f->kept == NULL) return MLPD_OK;
  const uint64_t cells = n * table_keeper_columns(f->keeper);
  TRY(memory_allocate(&texts, cells, sizeof *texts, "columns to keep"));
  mlpd_status status = read_kept(f, n, texts);
  if (status == MLPD_OK) status = h5_texts_write(f->kept, f->rows, n, texts);
  for (uint64_t i = 0; i < cells; i++) free(texts[i]);
  free(texts);
  return status;
}

static mlpd_status write_rows_h5(prediction_file *f, uint64_t n, const float *values) {
  float *taken = NULL;
  TRY(write_kept_h5(f, n));
  if (f->spreads == NULL) return write_values_h5(f, n, values);
  TRY(memory_allocate(&taken, n * f->outputs, sizeof *taken, "predictions"));
  take_columns(f, n, values, 0, taken);
  mlpd_status status = write_values_h5(f, n, taken);
  take_columns(f, n, values, f->outputs, taken);
  if (status == MLPD_OK) status = h5_array_write(f->spreads, f->rows, n, ELEMENT_F32, taken);
  free(taken);
  return status;
}

/* Nine digits hold a float32; a target with a large shift gets more, so that nine remain for its spread. */
static void write_value(const prediction_file *f, uint32_t j, double value) {
  int digits = 9;
  if (!has_classes(f)) {
    value = model_output_value(f->model, j, value);
    const double more = ceil(log10(fabs(value) / model_output_unit(f->model, j)));
    if (more > 0) digits = more < 8 ? digits + (int)more : 17;
  }
  (void)fprintf(f->csv, ",%.*g", digits, value);
}

/* The kept cells of the next row. */
static mlpd_status write_kept(prediction_file *f) {
  if (f->keeper == NULL) return MLPD_OK;
  TRY(table_keeper_next(f->keeper));
  for (uint32_t j = 0; j < table_keeper_columns(f->keeper); j++) {
    (void)fputc(',', f->csv);
    write_cell(f, table_keeper_cell(f->keeper, j));
  }
  return MLPD_OK;
}

static mlpd_status write_rows_csv(prediction_file *f, uint64_t n, const float *values) {
  const uint32_t k = f->outputs;
  for (uint64_t i = 0; i < n; i++, values += f->width) {
    (void)fprintf(f->csv, "%llu", (unsigned long long)(f->rows + i));
    TRY(write_kept(f));
    if (has_classes(f)) {
      (void)fputc(',', f->csv);
      write_cell(f, mlpd_model_class_name(f->model, forward_predicted_class(values, k)));
    }
    for (uint32_t j = 0; j < k; j++) write_value(f, j, (double)values[j]);
    for (uint32_t j = k; j < f->width; j++) (void)fprintf(f->csv, ",%.9g", (double)values[j]);
    (void)fputc('\n', f->csv);
  }
  return file_output_flush(&f->out);
}

/* A name that promises another format would hold CSV. */
static mlpd_status check_extension(const char *out) {
  static const char *const others[] = {".npy", ".npz", ".json", ".parquet", ".feather", ".xlsx", ".xls",
                                       ".ods", ".mat", ".arff", ".pkl",     ".pickle",  ".gz",   ".xz",
                                       ".bz2", ".zst", ".zip",  ".db",      ".sqlite",  ".nc"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (text_ends_in_any_case(out, others[i]))
      return FAIL(MLPD_ERROR_USAGE, "--out %s: predictions are written as HDF5 (.h5) or CSV, not as %s", out,
                  others[i]);
  return MLPD_OK;
}

mlpd_status prediction_open(const char *out, uint64_t rows, const mlpd_data_paths *kept, const spools *streams,
                            prediction_file *f) {
  const bool hdf5 = is_hdf5(out);
  TRY(check_extension(out));
  if (kept->table.keep != NULL) TRY(table_keeper_create(kept, streams, &f->keeper));
  TRY(file_output_open(out, hdf5 ? FILE_HDF5 : FILE_TEXT, &f->out));
  f->open = true;
  return hdf5 ? open_h5(f, rows) : open_csv(f);
}

mlpd_status prediction_write(prediction_file *f, uint64_t n, const float *values) {
  if (n == 0) return MLPD_OK;
  TRY(f->h5 != NULL ? write_rows_h5(f, n, values) : write_rows_csv(f, n, values));
  f->rows += n;
  return MLPD_OK;
}

mlpd_status prediction_close(prediction_file *f, mlpd_status status) {
  table_keeper_free(f->keeper);
  h5_array_close(f->classes);
  h5_array_close(f->values);
  h5_array_close(f->spreads);
  h5_array_close(f->kept);
  const mlpd_status closed = h5_close(f->h5);
  if (status == MLPD_OK) status = closed;
  if (!f->open) return status;
  if (status == MLPD_OK) return file_output_commit(&f->out);
  file_output_discard(&f->out);
  return status;
}
