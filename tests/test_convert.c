/* Conversion of CSV: cells, labels, splits and the output file. */
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/number.h"
#include "convert_helper.h"

/* ---- Numbers ---- */

static void assert_number(const char *text) {
  number parsed;
  const char *end = text + strlen(text);
  assert_ptr_equal(number_parse(text, end, &parsed), end);
  const double wanted = strtod(text, NULL);
  if (memcmp(&parsed.value, &wanted, sizeof wanted) != 0) fail_msg("%s: %.17g, not %.17g", text, parsed.value, wanted);
}

static void test_numbers_are_exact(void **state) {
  (void)state;
  const char *const texts[] = {"0",
                               "-0.0",
                               "+5",
                               "5.",
                               ".5",
                               "1e5",
                               "1E-5",
                               "123456789012345678",
                               "1234567890123456789",
                               "12345678901234567890",
                               "0.1",
                               "0.30000000000000004",
                               "9007199254740993",
                               "9007199254740993.0",
                               "1.7976931348623157e308",
                               "5e-324",
                               "1e400",
                               "-1e-400",
                               "1.00000000000000011102230246251565",
                               "0.000000000000000000001",
                               "8.5e22",
                               "1e23",
                               "4503599627370497.5",
                               "9007199254740993e-1",

                               /* just above the middle of two doubles */ "7.753859853626558607",
                               "8908902.240611956455",
                               "7.159707744350010561",
                               "0e99999999999"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) assert_number(texts[i]);
  uint64_t draw = 88172645463325252u; /* xorshift64: any bits will do */
  for (int i = 0; i < 200000; i++) {
    draw ^= draw << 13, draw ^= draw >> 7, draw ^= draw << 17;
    char text[64];
    const double value = (double)(int64_t)draw * pow(10, -(double)(draw % 30));
    (void)snprintf(text, sizeof text, i % 2 == 0 ? "%.*g" : "%.*f", (int)(draw >> 32) % 19 & 31, value);
    assert_number(text);
  }
}

static void test_no_numbers(void **state) {
  (void)state;
  const char *const texts[] = {"",    "-",   ".",    "e5",  "1e",  "1e+", "abc",
                               "inf", "nan", "0x10", "1,5", "1 2", "--1", "1.2.3"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    number parsed;
    const char *end = texts[i] + strlen(texts[i]);
    const char *after = number_parse(texts[i], end, &parsed);
    if (after == end) fail_msg("'%s' was taken for a number", texts[i]);
  }
}

/* ---- Cells ---- */

static void test_header_quotes_and_comments(void **state) {
  (void)state;
  mlpd_convert_result r;
  write_text("a.csv",
             "\xEF\xBB\xBF# made by hand\r\n\"wid\"\"th\",height,\"kind\"\r\n\r\n1,\"2\",\"x, y\"\r\n"
             "# in between\r\n 3 , 4 ,b\r\n-5,6,\"x, y\"");
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_int_equal(r.train_rows, 3);
  assert_int_equal(r.features, 2);
  assert_int_equal(r.classes, 2);
  assert_array("/train/x", 3, 2, ELEMENT_I16, VALUES(1, 2, 3, 4, -5, 6));
  assert_array("/train/y", 3, 1, ELEMENT_U8, VALUES(1, 0, 1));
  assert_class_names("b,x, y");
  mlpd_convert_options o = plain_options();
  o.label = "wid\"th";
  write_text("b.csv", "\"wid\"\"th\";height\n1.5;2\n2.5;3\n");
  ASSERT_CONVERTED(o, &r, "b.csv");
  assert_array("/train/x", 2, 1, ELEMENT_U8, VALUES(2, 3));
  assert_array("/train/y", 2, 1, ELEMENT_F32, VALUES(1.5, 2.5));
}

static void test_names(void **state) {
  (void)state;
  mlpd_convert_result r;
  mlpd_convert_options o = plain_options();
  o.label = "kind";
  write_text("a.csv", "w,kind,,w\n1,0,2,3\n4,1,5,6\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "w,Unnamed: 2,w.1");
  assert_names("/columns/kind", "number,number,number");
  assert_names("/targets/name", "kind");
  assert_class_names("0,1"); /* 0, 1, ... are names, too */
  o.label = "none";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "w,kind,Unnamed: 2,w.1");
  assert_names("/targets/name", "");
  write_text("b.csv", "1,2.5\n3,4.5\n");
  ASSERT_CONVERTED(plain_options(), &r, "b.csv");
  assert_names("/columns/name", "");
  assert_names("/columns/kind", "number"); /* a table, though without names */
  assert_names("/targets/name", "");
  assert_class_names("");
}

static void test_delimiters(void **state) {
  (void)state;
  mlpd_convert_result r;
  const char *const texts[] = {"1,2,0\n3,4,1\n", "1;2;0\n3;4;1\n", "1\t2\t0\n3\t4\t1\n", "  1  2 0 \n3 \t 4\t1\t\n"};
  for (size_t i = 0; i < 4; i++) {
    write_text("a.csv", texts[i]);
    ASSERT_CONVERTED(plain_options(), &r, "a.csv");
    assert_array("/train/x", 2, 2, ELEMENT_U8, VALUES(1, 2, 3, 4));
    assert_array("/train/y", 2, 1, ELEMENT_U8, VALUES(0, 1));
  }
  mlpd_convert_options o = plain_options();
  o.delimiter = '|';
  write_text("a.csv", "1|2|0\n3|4|1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.features, 2);
}

static void test_types_of_x(void **state) {
  (void)state;
  mlpd_convert_result r;
  const struct {
    const char *text;
    element_type type;
    double first;
  } cases[] = {{"255,0\n0,1\n", ELEMENT_U8, 255},         {"256,0\n0,1\n", ELEMENT_I16, 256},
               {"-1,0\n0,1\n", ELEMENT_I16, -1},          {"-40000,0\n0,1\n", ELEMENT_I32, -40000},
               {"3000000000,0\n0,1\n", ELEMENT_F32, 3e9}, {"0.5,0\n0,1\n", ELEMENT_F32, 0.5},
               {"7.0,0\n0,1\n", ELEMENT_F32, 7}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    write_text("a.csv", cases[i].text);
    ASSERT_CONVERTED(plain_options(), &r, "a.csv");
    assert_array("/train/x", 2, 1, cases[i].type, VALUES(cases[i].first, 0));
  }
}

static void test_cell_errors(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  const struct {
    const char *text, *message;
  } cases[] = {
      {"w,age,k\n1,2,a\n3,abc,b\n1,2,a\n", "a.csv:3: column 2 (age): 'abc' is not a number"},
      {"1,2,0\n\n# c\n3,x4,1\n1,2,0\n", "a.csv:4: column 2: 'x4' is not a number"},
      {"1,2,0\n3,4\n", "a.csv:2: 2 cells, but 3 in the first line"},
      {"1,2,0\n3,4,5,6\n", "a.csv:2: 4 cells, but 3 in the first line"},
      {"1,2,0\n3,\"4,1\n", "a.csv:2: column 2: '4,1' has no closing quote, or text after it"},
      {"1,2,0\n3,\"4\"x,1\n", "closing quote"},
      {"1,2,0\n1e400,2,1\n",
       "'1e400' is beyond the range of double; correct it, or use --missing '1e400' to treat it as a missing value"},
      {"1,2,0.5\n1,2,1e400\n1,2,1.5\n", "a.csv:2: column 3: '1e400' is beyond the range of double; correct it"},
      {"a,b,c\n", "a header, but no rows"},
      {"# nothing\n\n", "holds no rows"},
      {"", "the file is empty"},
      {"1\n2\n", "one column"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    write_text("a.csv", cases[i].text);
    ASSERT_REFUSED(o, MLPD_ERROR_DATA, cases[i].message, "a.csv");
    assert_int_equal(files_in_folder(), 1);
  }
  write_bytes("a.csv", "1,2\n3,4\n5,\0006\n", 13);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "NUL byte", "a.csv");
}

static void test_long_lines(void **state) {
  (void)state;
  enum { COLUMNS = 400000 };
  char *text = malloc(8 * COLUMNS + 64), *at = text;
  assert_non_null(text);
  for (int row = 0; row < 2; row++) {
    for (int c = 0; c < COLUMNS; c++) at += sprintf(at, "%d,", c % 200);
    at += sprintf(at, "%d\n", row);
  }
  write_bytes("a.csv", text, (size_t)(at - text));
  mlpd_convert_result r;
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_int_equal(r.features, COLUMNS);
  char *cell = at - COLUMNS;
  while (*cell == ',') cell--;
  *cell = 'x';
  write_bytes("a.csv", text, (size_t)(at - text));
  free(text);
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "a.csv:2: column", "a.csv");
}

/* strtod alone would read 0.5 as 0 where the decimal point is a comma. */
static void test_locale_does_not_matter(void **state) {
  (void)state;
  const bool set = setlocale(LC_ALL, "de_DE.UTF-8") != NULL || setlocale(LC_ALL, "fr_FR.UTF-8") != NULL;
  mlpd_convert_result r;
  write_text("a.csv", "0.12345678901234567890123,0\n1.5e-30,1\n");
  const mlpd_status status = CONVERT(plain_options(), &r, "a.csv");
  (void)setlocale(LC_ALL, "C");
  assert_int_equal(status, MLPD_OK);
  assert_array("/train/x", 2, 1, ELEMENT_F32, VALUES((double)0.12345679f, (double)1.5e-30f));
  if (!set) print_message("no locale with a decimal comma here: checked in the C locale alone\n");
}

/* ---- Labels ---- */

/* The name of a class has at most 255 bytes. */
static void test_long_labels(void **state) {
  (void)state;
  mlpd_convert_result r;
  char text[300];
  (void)snprintf(text, sizeof text, "5,a%0254d\n5,b\n5,b\n", 7);
  write_text("a.csv", text);
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_int_equal(r.classes, 2);
  (void)unlink(in_folder("out.h5"));
  (void)snprintf(text, sizeof text, "5,a%0255d\n5,b\n5,b\n", 7);
  write_text("a.csv", text);
  ASSERT_REFUSED(
      plain_options(), MLPD_ERROR_DATA,
      "label 'a000000000000000000000000000000000000000...' is longer than 255 bytes, too long for the name of a "
      "class; shorten it, or choose another target",
      "a.csv");
}

static void test_labels(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  write_text("a.csv", "5,1\n5,7\n5,07\n5,3\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.classes, 3);
  assert_array("/train/y", 4, 1, ELEMENT_U8, VALUES(0, 2, 2, 1));
  assert_class_names("1,3,7");
  write_text("a.csv", "5,10\n5,9\n5,cat\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_class_names("10,9,cat");
  write_text("a.csv", "5,-1\n5,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.classes, 2);
  o.task = MLPD_CLASSIFICATION;
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/y", 2, 1, ELEMENT_U8, VALUES(0, 1));
  assert_class_names("-1,1");
  o.task = MLPD_REGRESSION;
  write_text("a.csv", "5,0\n5,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/y", 2, 1, ELEMENT_F32, VALUES(0, 1));
  (void)unlink(in_folder("out.h5"));
  write_text("a.csv", "x,kind\n5,1\n5,red\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "a.csv:3: column 2 (kind): label 'red' is not a number", "a.csv");
  o = plain_options();
  o.label = "9";
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "label '9' is not a column", "a.csv");
  o.label = "-2";
  write_text("a.csv", "0,9,8\n1,7,6\n");
  o.label = "-3";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 2, 2, ELEMENT_U8, VALUES(9, 8, 7, 6));
  o.label = "none";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.test_rows, 2);
  assert_array("/test/x", 2, 3, ELEMENT_U8, VALUES(0, 9, 8, 1, 7, 6));
}

static void test_given_class_names(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  o.class_names = "none,shirt,shoe";
  write_text("a.csv", "5,0\n5,2\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.classes, 3);
  assert_array("/train/y", 2, 1, ELEMENT_U8, VALUES(0, 2));
  assert_class_names("none,shirt,shoe");
  write_text("a.csv", "5,1\n5,2\n5,3\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/y", 3, 1, ELEMENT_U8, VALUES(0, 1, 2));
  (void)unlink(in_folder("out.h5"));
  write_text("a.csv", "5,1\n5,4\n");
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "3 class names given, but there are 2 classes", "a.csv");
  write_text("a.csv", "5,a\n5,b\n5,c\n");
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "these labels are names", "a.csv");
  write_text("a.csv", "5,1.5\n5,2\n");
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "labels are values", "a.csv");
}

static void test_many_labels(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  const struct {
    int distinct;
    const char *prefix;
    mlpd_task task;
    uint32_t classes; /* 0: values; 1: refused */
  } cases[] = {{1000, "", MLPD_TASK_AUTO, 1000},   {1001, "", MLPD_TASK_AUTO, 0},
               {300, "c", MLPD_TASK_AUTO, 300},    {10001, "c", MLPD_TASK_AUTO, 1},
               {10001, "", MLPD_TASK_AUTO, 0},     {10000, "", MLPD_CLASSIFICATION, 10000},
               {10001, "", MLPD_CLASSIFICATION, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    FILE *file = fopen(in_folder("a.csv"), "w");
    for (int k = 0; k < 3 * cases[i].distinct; k++)
      (void)fprintf(file, "1,%s%d\n", cases[i].prefix, k % cases[i].distinct);
    (void)fclose(file);
    o.task = cases[i].task;
    (void)unlink(in_folder("out.h5"));
    if (cases[i].classes == 1) {
      ASSERT_REFUSED(o, MLPD_ERROR_DATA, "more than 10000 classes", "a.csv");
    } else {
      ASSERT_CONVERTED(o, &r, "a.csv");
      assert_int_equal(r.classes, cases[i].classes);
    }
  }
}

/* ---- Splits ---- */

/* Marks in seen which x (its row number) each part of out.h5 holds, in rising order. */
static void mark_rows(const char *object, uint64_t rows, int *seen) {
  h5_file *file;
  double *x = calloc((size_t)rows, sizeof *x);
  assert_int_equal(h5_open(in_folder("out.h5"), &file), MLPD_OK);
  assert_int_equal(h5_read(file, object, rows, 1, ELEMENT_F64, x), MLPD_OK);
  for (uint64_t i = 0; i < rows; i++) {
    seen[(int)x[i]]++;
    if (i > 0) assert_true(x[i] > x[i - 1]);
  }
  free(x);
  assert_int_equal(h5_close(file), MLPD_OK);
}

static void test_split_is_exact(void **state) {
  (void)state;
  enum { ROWS = 1003 };
  FILE *file = fopen(in_folder("a.csv"), "w");
  for (int i = 0; i < ROWS; i++) (void)fprintf(file, "%d,%d\n", i, i % 2);
  (void)fclose(file);
  mlpd_convert_options o = plain_options();
  o.valid_fraction = 0.2;
  o.test_fraction = 0.1;
  mlpd_convert_result r;
  int seen[ROWS], first_draw[ROWS];
  for (int pass = 0; pass < 3; pass++) {
    o.compress = pass == 1 ? 6 : 0;
    o.seed = pass == 2 ? 8 : 7;
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_int_equal(r.valid_rows, 201);
    assert_int_equal(r.test_rows, 100);
    assert_int_equal(r.train_rows, ROWS - 301);
    memset(seen, 0, sizeof seen);
    mark_rows("/valid/x", r.valid_rows, seen);
    if (pass == 0) memcpy(first_draw, seen, sizeof seen);
    if (pass == 1) assert_memory_equal(first_draw, seen, sizeof seen);
    if (pass == 2) assert_memory_not_equal(first_draw, seen, sizeof seen);
    mark_rows("/train/x", r.train_rows, seen);
    mark_rows("/test/x", r.test_rows, seen);
    for (int i = 0; i < ROWS; i++) assert_int_equal(seen[i], 1);
  }
}

static void test_small_splits(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  o.valid_fraction = o.test_fraction = 0.49;
  write_text("a.csv", "1,0\n2,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.train_rows, 1);
  assert_int_equal(r.valid_rows + r.test_rows, 1);
  write_text("a.csv", "1,0\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.train_rows, 1);
  (void)unlink(in_folder("out.h5"));
  o.valid_fraction = 0.6;
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "leave no rows for training", "a.csv");
  o.valid_fraction = NAN;
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "must be at least 0 and less than 1", "a.csv");
}

static void test_files_that_come_split(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  o.valid_fraction = 0.25;
  o.test_fraction = 0.5;
  write_text("the-test.csv", "x,k\n300,b\n2,c\n");
  write_text("the-train.csv", "x,k\n1,a\n2,b\n3,a\n4,a\n");
  ASSERT_CONVERTED(o, &r, "the-test.csv", "the-train.csv");
  assert_int_equal(r.train_rows, 3);
  assert_int_equal(r.valid_rows, 1);
  assert_int_equal(r.classes, 3);
  assert_array("/test/x", 2, 1, ELEMENT_I16, VALUES(300, 2));
  assert_array("/test/y", 2, 1, ELEMENT_U8, VALUES(1, 2));
  (void)unlink(in_folder("out.h5"));
  write_text("the-test.csv", "z,k\n1,b\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "has no column 'x', but", "the-test.csv", "the-train.csv");
  write_text("the-test.csv", "1,2,b\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "has 2 features", "the-test.csv", "the-train.csv");
}

/* ---- Output ---- */

static void test_compressed_gz_and_attributes(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  const char *text = "1,2,0\n3,4,1\n5,6,1\n";
  write_gz("a.csv.gz", text, strlen(text));
  o.compress = 9;
  ASSERT_CONVERTED(o, &r, "a.csv.gz");
  assert_array("/train/x", 3, 2, ELEMENT_U8, VALUES(1, 2, 3, 4, 5, 6));
  h5_file *file;
  h5_array *array;
  char *sources;
  uint64_t schema;
  assert_int_equal(h5_open(in_folder("out.h5"), &file), MLPD_OK);
  assert_int_equal(h5_attribute_read_text(file, "/", "sources", &sources), MLPD_OK);
  assert_string_equal(sources, "a.csv.gz");
  free(sources);
  assert_int_equal(h5_attribute_read_u64(file, "/", "mlpdist_schema", &schema), MLPD_OK);
  assert_int_equal(schema, 2);
  assert_int_equal(h5_array_open(file, "/train/x", &array), MLPD_OK);
  assert_non_null(strstr(h5_array_storage(array), "deflate 9"));
  h5_array_close(array);
  assert_int_equal(h5_close(file), MLPD_OK);
}

static void read_bytes(const char *path, char bytes[1 << 16], size_t *length) {
  FILE *const file = fopen(path, "r");
  assert_non_null(file);
  *length = fread(bytes, 1, 1 << 16, file);
  assert_int_equal(fclose(file), 0);
  assert_in_range(*length, 1, (1 << 16) - 1);
}

static void test_failure_keeps_the_former_file(void **state) {
  (void)state;
  static char former[1 << 16], now[1 << 16];
  size_t former_length, length;
  mlpd_convert_result r;
  mlpd_convert_options o = plain_options();
  write_text("a.csv", "1,2\n3,4\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  read_bytes(in_folder("out.h5"), former, &former_length);
  write_text("a.csv", "1,2\nx,3\n");
  assert_int_equal(CONVERT(o, &r, "a.csv"), MLPD_ERROR_DATA);
  assert_int_equal(files_in_folder(), 2);
  read_bytes(in_folder("out.h5"), now, &length);
  assert_int_equal(length, former_length);
  assert_memory_equal(now, former, length);
  assert_int_equal(CONVERT(o, &r, "out.h5"), MLPD_ERROR_USAGE);
  assert_int_equal(CONVERT(o, &r, "missing.csv"), MLPD_ERROR_FILE);
  assert_int_equal(CONVERT(o, &r, "/tmp"), MLPD_ERROR_FILE);
}

static void test_what_is_replaced(void **state) {
  (void)state;
  mlpd_convert_result r;
  mlpd_convert_options o = plain_options();
  write_text("a.csv", "1,2\n3,4\n");
  write_text("out.h5", "precious");
  assert_int_equal(CONVERT(o, &r, "a.csv"), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "not a data set that convert made"));
  write_text("out.h5", ""); /* as mktemp leaves it */
  ASSERT_CONVERTED(o, &r, "a.csv");
  ASSERT_CONVERTED(o, &r, "a.csv");
}

/* A limit on file sizes stands for a full disk. */
static void test_full_disk(void **state) {
  (void)state;
  FILE *file = fopen(in_folder("a.csv"), "w");
  for (int i = 0; i < 100000; i++) (void)fprintf(file, "%d.5,%d,%d\n", i, i, i % 2);
  (void)fclose(file);
  struct rlimit former, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &former), 0);
  small = former;
  small.rlim_cur = 100000;
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  mlpd_convert_result r;
  const mlpd_status status = CONVERT(plain_options(), &r, "a.csv");
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &former), 0);
  (void)signal(SIGXFSZ, handler);
  assert_int_equal(status, MLPD_ERROR_FILE);
  assert_int_equal(files_in_folder(), 1);
}

static void count_reports(void *context, uint64_t done, uint64_t total) {
  uint64_t *last = context;
  assert_true(done >= last[0] && done <= total);
  last[0] = done;
  last[1] = total;
}

static void test_progress(void **state) {
  (void)state;
  uint64_t last[2] = {0, 0};
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  o.progress = count_reports;
  o.context = last;
  write_text("a.csv", "1,0\n2,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(last[0], 16); /* two passes over 8 bytes */
  assert_int_equal(last[1], 16);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers_are_exact),
      cmocka_unit_test(test_no_numbers),
      cmocka_unit_test_teardown(test_header_quotes_and_comments, clear_folder),
      cmocka_unit_test_teardown(test_names, clear_folder),
      cmocka_unit_test_teardown(test_delimiters, clear_folder),
      cmocka_unit_test_teardown(test_types_of_x, clear_folder),
      cmocka_unit_test_teardown(test_cell_errors, clear_folder),
      cmocka_unit_test_teardown(test_long_lines, clear_folder),
      cmocka_unit_test_teardown(test_locale_does_not_matter, clear_folder),
      cmocka_unit_test_teardown(test_long_labels, clear_folder),
      cmocka_unit_test_teardown(test_labels, clear_folder),
      cmocka_unit_test_teardown(test_given_class_names, clear_folder),
      cmocka_unit_test_teardown(test_many_labels, clear_folder),
      cmocka_unit_test_teardown(test_split_is_exact, clear_folder),
      cmocka_unit_test_teardown(test_small_splits, clear_folder),
      cmocka_unit_test_teardown(test_files_that_come_split, clear_folder),
      cmocka_unit_test_teardown(test_compressed_gz_and_attributes, clear_folder),
      cmocka_unit_test_teardown(test_failure_keeps_the_former_file, clear_folder),
      cmocka_unit_test_teardown(test_what_is_replaced, clear_folder),
      cmocka_unit_test_teardown(test_full_disk, clear_folder),
      cmocka_unit_test_teardown(test_progress, clear_folder),
  };
  return cmocka_run_group_tests_name("convert", tests, make_folder, remove_folder);
}
