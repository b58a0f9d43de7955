#include "export/export_c_values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/column_curves.h"
#include "export/export.h"
#include "network/layer_kind.h"

enum { ON_A_LINE = 8 };

void export_c_name(const char *path, char name[EXPORT_C_NAME_BYTES]) {
  const char *const slash = strrchr(path, '/'), *const base = slash != NULL ? slash + 1 : path;
  const size_t length = strlen(base) - strlen(".c");
  const bool is_digit = isdigit((unsigned char)base[0]) != 0;
  (void)snprintf(name, EXPORT_C_NAME_BYTES, "%s%.*s", is_digit || length == 0 ? "model" : "", (int)length, base);
  for (char *c = name; *c != '\0'; c++)
    if (!isalnum((unsigned char)*c)) *c = '_';
}

static void write_string(FILE *stream, const char *text) {
  (void)fputc('"', stream);
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
    if (isalnum(*c) || strchr(" .,:;_-+/()[]%", *c) != NULL)
      (void)fputc(*c, stream);
    else
      (void)fprintf(stream, "\\%03o", *c);
  }
  (void)fputc('"', stream);
}

void export_c_names(const export_c_file *f, const char *what, const name_list *list) {
  if (list->count == 0) return;
  (void)fprintf(f->stream, "const char *const %s_%s[%llu] = {", f->name, what, (unsigned long long)list->count);
  for (uint64_t i = 0; i < list->count; i++) {
    (void)fputs(i % ON_A_LINE == 0 ? "\n    " : " ", f->stream);
    write_string(f->stream, list->names[i]);
    (void)fputc(',', f->stream);
  }
  (void)fputs("\n};\n\n", f->stream);
}

void export_c_doubles(const export_c_file *f, const char *what, uint32_t n, const double *values) {
  (void)fprintf(f->stream, "static const double %s_%s[%u] = {", f->name, what, n);
  for (uint32_t i = 0; i < n; i++) (void)fprintf(f->stream, "%s%.17g,", i % ON_A_LINE == 0 ? "\n    " : " ", values[i]);
  (void)fputs("\n};\n\n", f->stream);
}

void export_c_integers(const export_c_file *f, const char *what, uint64_t n, const int64_t *values) {
  (void)fprintf(f->stream, "static const int %s_%s[%llu] = {", f->name, what, (unsigned long long)n);
  for (uint64_t i = 0; i < n; i++)
    (void)fprintf(f->stream, "%s%lld,", i % (2 * ON_A_LINE) == 0 ? "\n    " : " ", (long long)values[i]);
  (void)fputs("\n};\n\n", f->stream);
}

void export_c_text(const export_c_file *f, const char *text) {
  for (const char *c = text; *c != '\0'; c++)
    if (*c == '@')
      (void)fputs(f->name, f->stream);
    else
      (void)fputc(*c, f->stream);
}

/* The texts of all categories, column after column. */
static void write_categories(const export_c_file *f) {
  const column_codes *const c = &f->model->codes;
  (void)fprintf(f->stream, "const char *const %s_categories[] = {\n", f->name);
  for (uint32_t j = 0; j < c->about.count; j++)
    for (uint64_t k = 0; k < c->about.categories[j].count; k++) {
      (void)fputs("    ", f->stream);
      write_string(f->stream, c->about.categories[j].names[k]);
      (void)fputs(",\n", f->stream);
    }
  (void)fputs("    0,\n};\n\n", f->stream);
}

bool export_c_has_curves(const mlpd_model *model) {
  const column_curves *const c = model->input.curves;
  return c != NULL && c->first[c->columns] > 0;
}

mlpd_status export_c_codes(const export_c_file *f) {
  const column_codes *const c = &f->model->codes;
  const uint32_t n = c->about.count;
  const uint64_t all = c->first[n];
  int64_t *values = NULL;
  double *fill = NULL;
  TRY(memory_allocate(&values, all + n + 1, sizeof *values, "codes of columns"));
  mlpd_status status = memory_allocate(&fill, n, sizeof *fill, "codes of columns");
  if (status == MLPD_OK) {
    write_categories(f);
    for (uint32_t j = 0; j < n; j++) fill[j] = export_fill(f->model, j);
    export_c_doubles(f, "fill", n, fill);
    for (uint32_t j = 0; j < n; j++) values[j] = c->about.kinds[j] == COLUMN_KIND_CATEGORY;
    export_c_integers(f, "is_category", n, values);
    for (uint32_t j = 0; j < n; j++) values[j] = c->marked[j];
    export_c_integers(f, "marked", n, values);
    for (uint32_t j = 0; j < n; j++) values[j] = c->embedded[j];
    export_c_integers(f, "embedded", n, values);
    for (uint32_t j = 0; j < n; j++) values[j] = c->known[j];
    export_c_integers(f, "known", n, values);
    for (uint32_t j = 0; j <= n; j++) values[j] = (int64_t)c->first[j];
    export_c_integers(f, "first", (uint64_t)n + 1, values);
    for (uint32_t j = 0; j <= n; j++) values[j] = c->begin[j];
    export_c_integers(f, "begin", (uint64_t)n + 1, values);
    for (uint64_t k = 0; k < all; k++) values[k] = c->inputs[k];
    values[all] = -1; /* no array is empty */
    export_c_integers(f, "category_input", all + 1, values);
  }
  free(values);
  free(fill);
  return status;
}

mlpd_status export_c_curves(const export_c_file *f) {
  const column_curves *const c = f->model->input.curves;
  const uint32_t n = c->columns, knots = (uint32_t)c->first[n];
  int64_t *first = NULL;
  TRY(memory_allocate(&first, (size_t)n + 1, sizeof *first, "curves of columns"));
  for (uint32_t j = 0; j <= n; j++) first[j] = (int64_t)c->first[j];
  export_c_integers(f, "curve_first", (uint64_t)n + 1, first);
  export_c_doubles(f, "curve_x", knots, c->x);
  export_c_doubles(f, "curve_z", knots, c->z);
  free(first);
  return MLPD_OK;
}

mlpd_status export_c_tensor(const export_c_file *f, uint32_t l, uint32_t i) {
  const mlpd_network *const network = f->model->network;
  const tensor *const t = layer_tensor(network, l, i);
  const size_t count = (size_t)t->rows * t->columns;
  float *values = NULL;
  TRY(export_values(network, l, i, &values));
  (void)fprintf(f->stream, "static const float %s_%s_%u[%zu] = {", f->name, t->name, l + 1, count);
  for (size_t k = 0; k < count; k++)
    (void)fprintf(f->stream, "%s%af,", k % ON_A_LINE == 0 ? "\n    " : " ", (double)values[k]);
  (void)fputs("\n};\n\n", f->stream);
  free(values);
  return MLPD_OK;
}
