/* The arrays of a model in C: names, numbers, codes of columns, curves, tensors. Each is called NAME_WHAT, where NAME
 * is that of the file. A failure of the stream is seen by whoever opened it. Nothing here is collective. */
#ifndef MLPDIST_EXPORT_C_VALUES_H
#define MLPDIST_EXPORT_C_VALUES_H

#include "model/model.h"

enum { EXPORT_C_NAME_BYTES = 64 };

typedef struct export_c_file {
  const mlpd_model *model;
  FILE *stream;
  char name[EXPORT_C_NAME_BYTES]; /* begins all names of the file */
} export_c_file;

/* The name of the file at path, without .c, as an identifier. */
void export_c_name(const char *path, char name[EXPORT_C_NAME_BYTES]);

/* Writes text with the file's name in place of each @. */
void export_c_text(const export_c_file *f, const char *text);

/* Arrays of texts, numbers (n) and whole numbers (n). An empty list of names writes nothing. */
void export_c_names(const export_c_file *f, const char *what, const name_list *list);
void export_c_doubles(const export_c_file *f, const char *what, uint32_t n, const double *values);
void export_c_integers(const export_c_file *f, const char *what, uint64_t n, const int64_t *values);

/* How raw columns become inputs (data/column_codes.h). */
mlpd_status export_c_codes(const export_c_file *f);

/* The knots of the columns' curves. With categories alone there are none, and no array may be empty: ask first. */
bool export_c_has_curves(const mlpd_model *model);
mlpd_status export_c_curves(const export_c_file *f);

/* Tensor i of layer l, in hexadecimal: exact, and quick to read. */
mlpd_status export_c_tensor(const export_c_file *f, uint32_t l, uint32_t i);

#endif
