/* Helpers for the tests of convert: create files in a temporary folder, convert them, read the result. */
#ifndef MLPDIST_TESTS_CONVERT_HELPER_H
#define MLPDIST_TESTS_CONVERT_HELPER_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

#include "h5/h5.h"
#include "mlpdist.h"

static char folder[64] = "/tmp/mlpdist-convert-XXXXXX";

static const char *in_folder(const char *name) {
  static char paths[8][512];
  static int next;
  char *path = paths[next++ % 8];
  (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static inline int files_in_folder(void) {
  int count = 0;
  DIR *directory = opendir(folder);
  assert_non_null(directory);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) count += entry->d_name[0] != '.';
  (void)closedir(directory);
  return count;
}

static int clear_folder(void **state) {
  (void)state;
  DIR *directory = opendir(folder);
  for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
    if (entry->d_name[0] != '.') (void)unlink(in_folder(entry->d_name));
  if (directory != NULL) (void)closedir(directory);
  return 0;
}

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
  (void)clear_folder(state);
  return rmdir(folder);
}

static void write_bytes(const char *name, const void *bytes, size_t count) {
  FILE *file = fopen(in_folder(name), "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, count, file), count);
  assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *name, const char *text) { write_bytes(name, text, strlen(text)); }

static inline void write_gz(const char *name, const void *bytes, size_t count) {
  gzFile file = gzopen(in_folder(name), "wb");
  assert_non_null(file);
  assert_int_equal(gzwrite(file, bytes, (unsigned)count), (int)count);
  assert_int_equal(gzclose(file), Z_OK);
}

/* Options without validation and test rows, and with the output in the folder. */
static mlpd_convert_options plain_options(void) {
  mlpd_convert_options options;
  mlpd_convert_options_default(&options);
  options.valid_fraction = options.test_fraction = 0;
  return options;
}

static char said[8192] __attribute__((unused)); /* the decisions of the last conversion, one per line */

static inline void on_decision(void *context, const char *line) {
  (void)context;
  const char *const note = strstr(line, "note: "); /* the program tells notes by their beginning */
  if (note != NULL && note != line) fail_msg("a note in the middle of a line: %s", line);
  const size_t used = strlen(said);
  (void)snprintf(said + used, sizeof said - used, "%s\n", line);
}

/* The same, and said gets the decisions. */
static inline mlpd_convert_options telling_options(void) {
  mlpd_convert_options o = plain_options();
  o.decision = on_decision;
  said[0] = '\0';
  return o;
}

static inline void assert_said(const char *part) {
  if (strstr(said, part) == NULL) fail_msg("'%s' is not among the decisions:\n%s", part, said);
}

/* Converts up to six files of the folder to out.h5 in it. */
static mlpd_status convert_named(mlpd_convert_options options, mlpd_convert_result *result, int count,
                                 const char *const *names) {
  char paths[8][512];
  const char *inputs[8];
  assert_in_range(count, 0, 8);
  for (int i = 0; i < count; i++) {
    const bool is_path = names[i][0] == '/' || names[i][0] == '.';
    (void)snprintf(paths[i], sizeof paths[i], "%s%s%s", is_path ? "" : folder, is_path ? "" : "/", names[i]);
    inputs[i] = paths[i];
  }
  char out[512];
  (void)snprintf(out, sizeof out, "%s/out.h5", folder);
  options.inputs = inputs;
  options.num_inputs = count;
  options.out = out;
  return mlpd_convert(&options, result);
}

#define CONVERT(options, result, ...)                                                               \
  convert_named((options), (result), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), \
                (const char *[]){__VA_ARGS__})

/* Fails unless the conversion fails with status and a message that contains part, and leaves no file. */
#define ASSERT_REFUSED(options, status, part, ...)                                               \
  do {                                                                                           \
    mlpd_convert_result refused_;                                                                \
    const mlpd_status got_ = CONVERT((options), &refused_, __VA_ARGS__);                         \
    if (got_ != (status) || strstr(mlpd_error_message(), (part)) == NULL)                        \
      fail_msg("status %d, message '%s', wanted '%s'", (int)got_, mlpd_error_message(), (part)); \
    assert_int_not_equal(access(in_folder("out.h5"), F_OK), 0);                                  \
  } while (0)

#define ASSERT_CONVERTED(options, result, ...)                                                               \
  do {                                                                                                       \
    if (CONVERT((options), (result), __VA_ARGS__) != MLPD_OK) fail_msg("refused: %s", mlpd_error_message()); \
  } while (0)

/* Fails unless object of out.h5 has this shape and type, and these values in row order. */
static inline void assert_array(const char *object, uint64_t rows, uint64_t columns, element_type type,
                                const double *values) {
  h5_file *file;
  h5_array *array;
  assert_int_equal(h5_open(in_folder("out.h5"), &file), MLPD_OK);
  assert_int_equal(h5_array_open(file, object, &array), MLPD_OK);
  const h5_shape shape = h5_array_shape(array);
  assert_int_equal(shape.rows, rows);
  assert_int_equal(shape.columns, columns);
  assert_string_equal(element_name(shape.type), element_name(type));
  double *read = calloc((size_t)(rows * columns), sizeof *read);
  assert_non_null(read);
  assert_int_equal(h5_array_read(array, 0, rows, ELEMENT_F64, read), MLPD_OK);
  for (size_t i = 0; i < rows * columns; i++)
    if (!(read[i] == values[i] || (read[i] != read[i] && values[i] != values[i]))) /* NaN is NaN */
      fail_msg("%s[%zu] is %.17g, wanted %.17g", object, i, read[i], values[i]);
  free(read);
  h5_array_close(array);
  assert_int_equal(h5_close(file), MLPD_OK);
}

#define VALUES(...) ((const double[]){__VA_ARGS__})

/* Fails unless the strings of object of out.h5, joined with commas, are `joined`; "" for none. */
static inline void assert_names(const char *object, const char *joined) {
  h5_file *file;
  char text[512] = "";
  assert_int_equal(h5_open(in_folder("out.h5"), &file), MLPD_OK);
  if (h5_exists(file, object)) {
    char **names;
    uint64_t count;
    assert_int_equal(h5_strings_read(file, object, &names, &count), MLPD_OK);
    for (uint64_t i = 0; i < count; i++) {
      if (i > 0) (void)strcat(text, ",");
      (void)strcat(text, names[i]);
    }
    h5_strings_free(names, count);
  }
  assert_int_equal(h5_close(file), MLPD_OK);
  assert_string_equal(text, joined);
}

static inline void assert_class_names(const char *joined) { assert_names("/class_names", joined); }

#endif
