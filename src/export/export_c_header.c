#include "export/export_c_header.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export/export.h"

/* The first words of each header, by which the next export knows that it may replace the file. They differ from those
 * of the .c file, whose first lines a program's own header may have copied. */
static const char MARK[] = "/* Header made by mlpdist export ";

/* ---- Declarations ------------------------------------------------------------------------------------ */

static void write_outputs_in_words(const export_c_file *f) {
  const mlpd_model *const model = f->model;
  const loss_spec *const loss = &model->loss;
  if (model->task == MLPD_CLASSIFICATION) {
    const bool is_single = network_output(model->network)->outputs == 1;
    (void)fputs(is_single ? "the probability of class 1" : "a probability for each class", f->stream);
  } else if (loss->kind == MLPD_GAUSSIAN) {
    (void)fputs("mean and standard deviation of each target, in its units", f->stream);
  } else if (loss->kind == MLPD_QUANTILE) {
    (void)fputs("of each target, in its units, the quantiles", f->stream);
    for (uint32_t k = 0; k < loss->num_quantiles; k++)
      (void)fprintf(f->stream, "%s %.6g", k > 0 ? "," : "", (double)loss->quantiles[k]);
  } else {
    (void)fputs("the targets, in their units", f->stream);
  }
}

static void declare_predict(const export_c_file *f) {
  (void)fputs("/* Predicts a row.\n * x: raw values of the columns, in their units", f->stream);
  if (export_has_codes(f->model))
    export_c_text(f, "; NAN is a missing one. In a column of\n * categories the value is that of @_category()");
  (void)fputs(".\n * y: ", f->stream);
  write_outputs_in_words(f);
  export_c_text(f, ". */\nvoid @_predict(const double x[@_INPUTS], double y[@_OUTPUTS]);\n\n");
}

static void declare_class(const export_c_file *f) {
  (void)fputs(network_output(f->model->network)->outputs == 1
                  ? "/* The class, 0 or 1, of the probability y: 1 above 1/2. */\n"
                  : "/* The class, from 0, of the probabilities y: the first of the largest. */\n",
              f->stream);
  export_c_text(f, "int @_class(const double y[@_OUTPUTS]);\n\n");
}

static void declare_names(const export_c_file *f, const char *what, const name_list *list, const char *of) {
  if (list->count == 0) return;
  (void)fprintf(f->stream, "extern const char *const %s_%s[%llu]; /* %s */\n", f->name, what,
                (unsigned long long)list->count, of);
}

void export_c_declarations(const export_c_file *f, const char *digest) {
  const mlpd_model *const model = f->model;
  const name_list *names = NULL;
  const char *const outputs = export_outputs(model, &names);
  const uint32_t inputs = model->input.columns, values = network_output(model->network)->outputs;
  (void)fprintf(f->stream,
                "#define %s_INPUTS %u\n#define %s_OUTPUTS %u\n#define %s_DIGEST \"%s\" /* of the model */\n\n", f->name,
                inputs, f->name, values, f->name, digest);
  declare_predict(f);
  if (model->task == MLPD_CLASSIFICATION) declare_class(f);
  if (export_has_codes(model))
    export_c_text(f,
                  "/* The value of a category in x, where columns count from 0; -2 if the model does not know it. */\n"
                  "int @_category(int column, const char *text);\n\n");
  declare_names(f, "inputs", &model->names.columns, "the columns of x");
  if (outputs != NULL)
    declare_names(f, outputs, names, model->task == MLPD_CLASSIFICATION ? "the classes, from 0" : "the targets");
  if (model->names.columns.count > 0 || outputs != NULL) (void)fputc('\n', f->stream);
}

/* ---- The header -------------------------------------------------------------------------------------- */

mlpd_status export_c_header(const mlpd_model *model, const char *digest, const char *path, FILE *stream) {
  export_c_file f = {.model = model, .stream = stream};
  export_c_name(path, f.name);
  (void)fprintf(stream, "%s%s from a model with digest %s: %s.\n", MARK, MLPD_VERSION, digest,
                mlpd_choice_name(mlpd_task_choices, (int)model->task));
  export_c_text(&f,
                " * For C and C++; all functions may be called from several threads at once.\n"
                " * The next export under this name replaces the file. */\n"
                "#ifndef @_H\n#define @_H\n\n"
                "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
  export_c_declarations(&f, digest);
  (void)fputs("#ifdef __cplusplus\n}\n#endif\n\n#endif\n", stream);
  return MLPD_OK;
}

mlpd_status export_c_header_path(const char *path, char header[FILE_PATH_BYTES]) {
  const int length = snprintf(header, FILE_PATH_BYTES, "%s", path);
  if (length >= FILE_PATH_BYTES) return FAIL(MLPD_ERROR_USAGE, "the path %s is too long", path);
  header[length - 1] = 'h';
  return MLPD_OK;
}

static bool is_ours(const char *header, const struct stat *about) {
  char text[sizeof MARK];
  if (!S_ISREG(about->st_mode)) return false;
  if (about->st_size == 0) return true;
  const int descriptor = open(header, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const ssize_t length = descriptor >= 0 ? pread(descriptor, text, sizeof MARK - 1, 0) : -1;
  if (descriptor >= 0) (void)close(descriptor);
  return length == (ssize_t)sizeof MARK - 1 && memcmp(text, MARK, sizeof MARK - 1) == 0;
}

mlpd_status export_c_header_check(const char *header) {
  struct stat about;
  if (stat(header, &about) != 0 || is_ours(header, &about)) return MLPD_OK;
  return FAIL(MLPD_ERROR_FILE,
              "%s exists and is not a header that export wrote, so it is not replaced; move it away, or export under "
              "another name",
              header);
}
