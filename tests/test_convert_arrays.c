/* Conversion of IDX, NPY and NPZ, including hostile headers, and of the real data sets if they are available. */
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "convert_helper.h"

/* ---- Making files ---- */

/* An IDX file of type code with the dimensions (big-endian) and bytes. */
static void write_idx(const char *name, int gz, unsigned char code, int rank, const uint32_t *dimensions,
                      const void *bytes, size_t count) {
  unsigned char file[512] = {0, 0, code, (unsigned char)rank};
  size_t used = 4;
  for (int i = 0; i < rank; i++)
    for (int shift = 24; shift >= 0; shift -= 8) file[used++] = (unsigned char)(dimensions[i] >> shift);
  if (count > 0) memcpy(file + used, bytes, count);
  if (gz)
    write_gz(name, file, used + count);
  else
    write_bytes(name, file, used + count);
}

static size_t npy_bytes(char *file, const char *dictionary, const void *bytes, size_t count) {
  const size_t length = strlen(dictionary);
  memcpy(file, "\x93NUMPY\1\0", 8);
  file[8] = (char)(length & 255);
  file[9] = (char)(length >> 8);
  memcpy(file + 10, dictionary, length);
  if (count > 0) memcpy(file + 10 + length, bytes, count);
  return 10 + length + count;
}

static void write_npy(const char *name, const char *descr, const char *shape, const void *bytes, size_t count) {
  char file[1024], dictionary[256];
  (void)snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr,
                 shape);
  write_bytes(name, file, npy_bytes(file, dictionary, bytes, count));
}

#define DIMENSIONS(...) ((const uint32_t[]){__VA_ARGS__})
#define WRITE_NPY(name, descr, shape, type, ...) \
  write_npy((name), (descr), (shape), (const type[]){__VA_ARGS__}, sizeof((const type[]){__VA_ARGS__}))

/* ---- IDX ---- */

static void test_idx(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  for (int gz = 0; gz < 2; gz++) {
    write_idx("train-images", gz, 0x08, 3, DIMENSIONS(3, 1, 2), "\1\2\3\4\5\377", 6);
    write_idx("train-labels", gz, 0x08, 1, DIMENSIONS(3), "\2\0\1", 3);
    write_idx("t10k-images", gz, 0x08, 3, DIMENSIONS(1, 1, 2), "\7\10", 2);
    write_idx("t10k-labels", gz, 0x08, 1, DIMENSIONS(1), "\1", 1);
    ASSERT_CONVERTED(o, &r, "t10k-labels", "train-labels", "t10k-images", "train-images");
    assert_int_equal(r.classes, 3);
    assert_array("/train/x", 3, 2, ELEMENT_U8, VALUES(1, 2, 3, 4, 5, 255));
    assert_array("/train/y", 3, 1, ELEMENT_U8, VALUES(2, 0, 1));
    assert_array("/test/x", 1, 2, ELEMENT_U8, VALUES(7, 8));
    assert_array("/test/y", 1, 1, ELEMENT_U8, VALUES(1));
    ASSERT_CONVERTED(o, &r, "train-images", "train-labels");
    assert_int_equal(r.train_rows, 3);
    mlpd_convert_options classes = o;
    classes.task = MLPD_CLASSIFICATION;
    assert_int_equal(remove(in_folder("out.h5")), 0);
    ASSERT_REFUSED(classes, MLPD_ERROR_DATA, "train-images: y has several columns", "train-images", "train-images");
  }
  write_idx("s", 0, 0x0B, 2, DIMENSIONS(2, 1), "\1\0\377\376", 4);
  write_idx("f", 0, 0x0D, 1, DIMENSIONS(2), "\77\200\0\0\300\0\0\0", 8);
  ASSERT_CONVERTED(o, &r, "s", "f");
  assert_array("/train/x", 2, 1, ELEMENT_I16, VALUES(256, -2));
  assert_array("/train/y", 2, 1, ELEMENT_F32, VALUES(1, -2));
}

static void test_hostile_idx(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  write_idx("y", 0, 0x08, 1, DIMENSIONS(3), "\0\1\2", 3);
  for (int gz = 0; gz < 2; gz++) {
    write_idx("x", gz, 0x08, 3, DIMENSIONS(0xFFFFFFFF, 28, 28), "1234", 4);
    ASSERT_REFUSED(o, MLPD_ERROR_DATA, "the header claims", "x", "y");
    write_idx("x", gz, 0x08, 4, DIMENSIONS(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF), "1234", 4);
    ASSERT_REFUSED(o, MLPD_ERROR_DATA, "claims rows of more than", "x", "y");
    write_idx("x", gz, 0x08, 2, DIMENSIONS(3, 0), "", 0);
    ASSERT_REFUSED(o, MLPD_ERROR_DATA, "is empty", "x", "y");
    write_idx("x", gz, 0x08, 2, DIMENSIONS(3, 2), "123456789", 9);
    ASSERT_REFUSED(o, MLPD_ERROR_DATA, "continues after the 3 rows", "x", "y");
    write_idx("x", gz, 0x0A, 2, DIMENSIONS(3, 1), "123", 3);
    ASSERT_REFUSED(o, MLPD_ERROR_DATA, "unknown type 0x0A", "x", "y");
  }
  write_bytes("x", "\0\0\10\2\0\0", 6);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "cut short", "x", "y");
  write_bytes("x", "\0\0\10\310\0\0\0\3", 8);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "200 dimensions", "x", "y");
  write_idx("x", 1, 0x08, 2, DIMENSIONS(3, 4), "1234567890", 10);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "ends in row 2", "x", "y");
  write_idx("x", 0, 0x0D, 2, DIMENSIONS(3, 1), "\0\0\0\0\177\200\0\0\0\0\0\0", 12);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "row 1, column 0 (from 0): inf is not finite", "x", "y");
  write_idx("x", 0, 0x08, 2, DIMENSIONS(4, 1), "1234", 4);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "has 4 rows, but", "x", "y");
  write_bytes("x", "\211HDF\r\n\032\n", 8);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "is an HDF5 file and needs no conversion", "x", "y");
  write_text("x", "1,2\n");
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "all inputs of a data set must be of one kind", "x", "y");
}

static void test_damaged_gz(void **state) {
  (void)state;
  char text[20000];
  uint64_t draw = 1;
  for (size_t i = 0; i < sizeof text; i++) { /* digits that deflate cannot shrink much */
    draw = draw * 6364136223846793005u + 1442695040888963407u;
    text[i] = i % 4 == 1 ? ',' : i % 4 == 3 ? '\n' : (char)('0' + (draw >> 33) % 10);
  }
  write_gz("a.csv.gz", text, sizeof text);
  struct stat info;
  assert_int_equal(stat(in_folder("a.csv.gz"), &info), 0);
  assert_int_equal(truncate(in_folder("a.csv.gz"), info.st_size / 2), 0);
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "damaged or truncated gzip file", "a.csv.gz");
}

/* ---- NPY ---- */

static void test_npy(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  WRITE_NPY("x.npy", "<f8", "(2, 2)", double, 0.1, 2, 3, 4);
  WRITE_NPY("y.npy", "<i8", "(2,)", int64_t, 4, 2);
  ASSERT_CONVERTED(o, &r, "y.npy", "x.npy");
  assert_array("/train/x", 2, 2, ELEMENT_F64, VALUES(0.1, 2, 3, 4));
  assert_array("/train/y", 2, 1, ELEMENT_U8, VALUES(1, 0));
  assert_class_names("2,4");
  WRITE_NPY("x.npy", ">u2", "(2, 1)", unsigned char, 1, 0, 255, 254);
  WRITE_NPY("y.npy", "<f8", "(2L, 2L)", double, 1, 2, 3, 0.1);
  ASSERT_CONVERTED(o, &r, "x.npy", "y.npy");
  assert_array("/train/x", 2, 1, ELEMENT_U16, VALUES(256, 65534));
  assert_array("/train/y", 2, 2, ELEMENT_F64, VALUES(1, 2, 3, 0.1));
  ASSERT_CONVERTED(o, &r, "y.npy", "x.npy");
  assert_array("/train/x", 2, 1, ELEMENT_U16, VALUES(256, 65534));
  /* Halves: 1.5, -2, the smallest subnormal, 65504. */
  WRITE_NPY("x.npy", "<f2", "(2, 2)", uint16_t, 0x3E00, 0xC000, 0x0001, 0x7BFF);
  WRITE_NPY("y.npy", "|b1", "(2,)", char, 1, 0);
  ASSERT_CONVERTED(o, &r, "x.npy", "y.npy");
  assert_array("/train/x", 2, 2, ELEMENT_F32, VALUES(1.5, -2, 0x1p-24, 65504));
  assert_int_equal(r.classes, 2);
  WRITE_NPY("all.npy", "<i4", "(2, 3)", int32_t, 1, 70000, 3, 0, 5, 6);
  o.label = "0";
  ASSERT_CONVERTED(o, &r, "all.npy");
  assert_array("/train/x", 2, 2, ELEMENT_I32, VALUES(70000, 3, 5, 6));
  assert_array("/train/y", 2, 1, ELEMENT_U8, VALUES(1, 0));
  o.label = "none";
  ASSERT_CONVERTED(o, &r, "all.npy");
  assert_array("/test/x", 2, 3, ELEMENT_I32, VALUES(1, 70000, 3, 0, 5, 6));
  WRITE_NPY("all.npy", "<f4", "(2, 2)", float, 1, 1, 2, 0);
  ASSERT_CONVERTED(plain_options(), &r, "all.npy");
  assert_int_equal(r.classes, 2);
}

/* Samples in columns, as other programs keep them. */
static void test_transposed_npy(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  WRITE_NPY("x.npy", "<f8", "(2, 3)", double, 0.1, 2, 3, 4, 5, 6);
  WRITE_NPY("y.npy", "<i8", "(3,)", int64_t, 0, 1, 1);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "x seems to hold samples in columns: save x.T", "x.npy", "y.npy");
  WRITE_NPY("y.npy", "<i8", "(1, 3)", int64_t, 0, 1, 1);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "save x.T and y.T", "x.npy", "y.npy");
  WRITE_NPY("x.npy", "<f8", "(1, 3)", double, 0.1, 2, 3);
  WRITE_NPY("y.npy", "<i8", "(2, 3)", int64_t, 0, 1, 1, 1, 0, 0); /* one-hot */
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "save x.T and y.T", "x.npy", "y.npy");
  WRITE_NPY("x.npy", "<f8", "(3, 2)", double, 0.1, 2, 3, 4, 5, 6);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "y seems to hold samples in columns: save y.T", "x.npy", "y.npy");
  WRITE_NPY("y.npy", "<i8", "(1, 3)", int64_t, 0, 1, 1);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "y seems to hold samples in columns: save y.T", "x.npy", "y.npy");
  WRITE_NPY("x.npy", "<f8", "(1, 2)", double, 0.1, 2);
  WRITE_NPY("y.npy", "<i8", "(3,)", int64_t, 0, 1, 0);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "y.npy has 3", "x.npy", "y.npy");
  assert_null(strstr(mlpd_error_message(), "save"));
}

/* Headers as others write them: the same values each. */
static void test_npy_of_others(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  char file[1024];
  static const char *const headers[] = {
      "{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 2L), }",
      "{'descr': '=f8', 'fortran_order': False, 'shape': (2, 2), }",
      "{'descr': 'f8', 'fortran_order': False, 'shape': (2,2)}",
      "{\"shape\": (2, 2), \"fortran_order\": False, \"descr\": \"<f8\"}",
  };
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
    write_bytes("x.npy", file, npy_bytes(file, headers[i], (const double[]){1.5, 0, 2.5, 1}, 32));
    ASSERT_CONVERTED(o, &r, "x.npy");
    assert_array("/train/x", 2, 1, ELEMENT_F64, VALUES(1.5, 2.5));
  }
  write_bytes("x.npy", file,
              npy_bytes(file, "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }",
                        (const double[]){1.5, 2.5, 0, 1}, 32));
  ASSERT_CONVERTED(o, &r, "x.npy");
  assert_array("/train/x", 2, 1, ELEMENT_F64, VALUES(1.5, 2.5));
  WRITE_NPY("x.npy", ">i2", "(2, 1)", unsigned char, 1, 2, 255, 254);
  write_bytes("y.npy", file, npy_bytes(file, "{'descr': '|b1', 'fortran_order': False, 'shape': (2), }", "\1\0", 2));
  ASSERT_CONVERTED(o, &r, "x.npy", "y.npy");
  assert_array("/train/x", 2, 1, ELEMENT_I16, VALUES(258, -2));
  assert_array("/train/y", 2, 1, ELEMENT_U8, VALUES(1, 0));
  (void)unlink(in_folder("out.h5"));
  write_bytes("x.npy", file,
              npy_bytes(file, "{'descr': '<f8', 'fortran_order': False, 'shape': (np.int64(1), 1), }", "", 0));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "is not a dictionary", "x.npy");
}

/* Labels that are texts, one-hot rows, or texts that are numbers. */
static void test_npy_labels(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  WRITE_NPY("x.npy", "<f4", "(3, 2)", float, 1, 2, 3, 4, 5, 6);
  write_npy("y.npy", "|S3", "(3,)", "yesno\0yes", 9);
  for (int swapped = 0; swapped < 2; swapped++) { /* y is what is text */
    ASSERT_CONVERTED(o, &r, swapped ? "y.npy" : "x.npy", swapped ? "x.npy" : "y.npy");
    assert_array("/train/y", 3, 1, ELEMENT_U8, VALUES(1, 0, 1));
    assert_array("/train/x", 3, 2, ELEMENT_F32, VALUES(1, 2, 3, 4, 5, 6));
    assert_class_names("no,yes");
  }
  write_npy("y.npy", ">U1", "(3, 1)", "\0\0\0b\0\0\0a\0\0\0b", 12);
  ASSERT_CONVERTED(o, &r, "x.npy", "y.npy");
  assert_array("/train/y", 3, 1, ELEMENT_U8, VALUES(1, 0, 1));
  assert_class_names("a,b");
  write_npy("y.npy", "|S2", "(3,)", (const char[]){'1', '0', '9', 0, '1', '0'}, 6);
  ASSERT_CONVERTED(o, &r, "x.npy", "y.npy");
  assert_array("/train/y", 3, 1, ELEMENT_U8, VALUES(1, 0, 1));
  assert_class_names("9,10");
  WRITE_NPY("y.npy", "<f4", "(3, 2)", float, 0, 1, 1, 0, 0, 1);
  ASSERT_CONVERTED(o, &r, "x.npy", "y.npy");
  assert_int_equal(r.classes, 2);
  assert_array("/train/y", 3, 1, ELEMENT_U8, VALUES(1, 0, 1));
  mlpd_convert_options values = o;
  values.task = MLPD_REGRESSION;
  ASSERT_CONVERTED(values, &r, "x.npy", "y.npy");
  assert_array("/train/y", 3, 2, ELEMENT_F32, VALUES(0, 1, 1, 0, 0, 1));
  WRITE_NPY("y.npy", "<f4", "(3, 2)", float, 0, 1, 0.5F, 0.5F, 0, 1);
  ASSERT_CONVERTED(o, &r, "x.npy", "y.npy");
  assert_int_equal(r.classes, 0);
  (void)unlink(in_folder("out.h5"));
  write_npy("y.npy", "|S3", "(3,)", "yes\0\0\0yes", 9);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "y.npy: row 1 (from 0): the label is an empty text", "x.npy", "y.npy");
}

static void test_hostile_npy(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  const struct {
    const char *descr, *shape, *message;
  } cases[] = {{"<f4", "(99999999999999, 4)", "the header claims"},
               {"<f4", "(4, 99999999999999)", "claims rows of more than"},
               {"<f4", "(18446744073709551615, 1)", "is not a dictionary"},
               {"<f4", "(99999999999999999999999, 1)", "is not a dictionary"},
               {"<f4", "(1, -1)", "is not a dictionary"},
               {"<f4", "()", "a single value"},
               {"<f4", "(0, 4)", "is empty"},
               {"<f4", "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)", "is not a dictionary"},
               {"|O", "(2, 2)", "both: pandas.DataFrame(a).to_csv"},
               {"<U5", "(2, 2)", "the header claims"},
               {"|S4", "(1, 1)", "holds text; features must be numbers"},
               {"|S9999", "(1, 1)", "holds texts of type"},
               {"<M8[D]", "(2, 2)", "dates (<M8[D]); save numbers"},
               {"<c8", "(2, 2)", "complex"},
               {"<f16", "(2, 2)", "floats wider than 64 bits (<f16); save a.astype"},
               {"", "(2, 2)", "not a plain number"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    write_npy("x.npy", cases[i].descr, cases[i].shape, "1234", 4);
    ASSERT_REFUSED(o, MLPD_ERROR_DATA, cases[i].message, "x.npy");
  }
  char file[1024];
  write_bytes("x.npy", file, npy_bytes(file, "{'descr': [('a', '<f4')], }", "", 0));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "with texts among them: pandas.DataFrame(a).to_csv", "x.npy");
  const char *const dictionaries[] = {"{'descr': '<f4", "{", "", "{'descr': '<f4', 'x': 1}"};
  for (size_t i = 0; i < sizeof dictionaries / sizeof dictionaries[0]; i++) {
    write_bytes("x.npy", file, npy_bytes(file, dictionaries[i], "", 0));
    ASSERT_REFUSED(o, MLPD_ERROR_DATA, "is not a dictionary", "x.npy");
  }
  const char *fortran = "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2)}";
  write_bytes("x.npy", file, npy_bytes(file, fortran, "\0\0\0\0\0\0\0\0", 8));
  mlpd_convert_result r;
  ASSERT_CONVERTED(o, &r, "x.npy");
  (void)unlink(in_folder("out.h5"));
  fortran = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}";
  write_bytes("x.npy", file, npy_bytes(file, fortran, "123456781234", 12));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "the header claims", "x.npy");
  write_bytes("x.npy", file, npy_bytes(file, fortran, "12345678123456789", 17));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "continues after", "x.npy");
  write_bytes("x.npy", "\x93NUMPY\2\0\377\377\377\377", 12);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "NPY version 2", "x.npy");
  write_bytes("x.npy", "\x93NUMPY\1", 7);
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "cut short", "x.npy");
  WRITE_NPY("x.npy", "<f4", "(2, 2)", float, 1, 0, 2, 0.5f);
  mlpd_convert_options classes = o;
  classes.task = MLPD_CLASSIFICATION;
  ASSERT_REFUSED(classes, MLPD_ERROR_DATA, "row 1, column 1 (from 0): 0.5 is not a whole number", "x.npy");
  classes.label = "2";
  ASSERT_REFUSED(classes, MLPD_ERROR_USAGE, "is not a column number from -2 to 1", "x.npy");
}

/* ---- NPZ ---- */

static void put_u16(unsigned char *at, unsigned value) {
  at[0] = (unsigned char)value;
  at[1] = (unsigned char)(value >> 8);
}

static void put_u32(unsigned char *at, size_t value) {
  put_u16(at, (unsigned)(value & 0xFFFF));
  put_u16(at + 2, (unsigned)(value >> 16 & 0xFFFF));
}

typedef struct zip {
  unsigned char bytes[4096], directory[1024];
  size_t used, directory_used;
  unsigned entries;
} zip;

/* Adds an entry as it is (the archives numpy packs are tested through numpy). */
static void zip_add(zip *z, const char *name, const void *bytes, size_t count) {
  const size_t length = strlen(name), crc = crc32(0, bytes, (unsigned)count);
  unsigned char *central = z->directory + z->directory_used, *local = z->bytes + z->used;
  memset(central, 0, 46);
  memset(local, 0, 30);
  memcpy(central, "PK\1\2", 4);
  put_u32(central + 16, crc), put_u32(central + 20, count), put_u32(central + 24, count);
  put_u16(central + 28, (unsigned)length), put_u32(central + 42, z->used);
  memcpy(central + 46, name, length);
  z->directory_used += 46 + length;
  memcpy(local, "PK\3\4", 4);
  put_u16(local + 26, (unsigned)length);
  memcpy(local + 30, name, length);
  memcpy(local + 30 + length, bytes, count);
  z->used += 30 + length + count;
  z->entries++;
}

/* Appends directory and end record to a copy of z, and returns its size. */
static size_t zip_finish(const zip *z, unsigned char *file) {
  memcpy(file, z->bytes, z->used);
  memcpy(file + z->used, z->directory, z->directory_used);
  unsigned char *end = file + z->used + z->directory_used;
  memset(end, 0, 22);
  memcpy(end, "PK\5\6", 4);
  put_u16(end + 8, z->entries), put_u16(end + 10, z->entries);
  put_u32(end + 12, z->directory_used), put_u32(end + 16, z->used);
  return z->used + z->directory_used + 22;
}

static void make_zip(zip *z) {
  char file[512];
  *z = (zip){.used = 0};
  const char *x = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }";
  const char *y = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }";
  zip_add(z, "X.npy", file, npy_bytes(file, x, "\1\2\3\4", 4));
  zip_add(z, "y.npy", file, npy_bytes(file, y, "\1\0", 2));
}

static void test_npz_stored(void **state) {
  (void)state;
  zip z;
  unsigned char file[8192];
  mlpd_convert_result r;
  make_zip(&z);
  write_bytes("a.npz", file, zip_finish(&z, file));
  ASSERT_CONVERTED(plain_options(), &r, "a.npz");
  assert_array("/train/x", 2, 2, ELEMENT_U8, VALUES(1, 2, 3, 4));
  assert_array("/train/y", 2, 1, ELEMENT_U8, VALUES(1, 0));
}

/* Every byte of an archive, and every length of it, set wrong in turn: an error or a result, never a crash. */
static void test_hostile_npz(void **state) {
  (void)state;
  zip z;
  unsigned char file[8192], wrong[8192];
  mlpd_convert_result r;
  make_zip(&z);
  const size_t count = zip_finish(&z, file);
  int refused = 0;
  for (size_t i = 4; i < count; i++) {
    memcpy(wrong, file, count);
    wrong[i] ^= 0xFF;
    write_bytes("a.npz", wrong, count);
    refused += CONVERT(plain_options(), &r, "a.npz") != MLPD_OK;
    write_bytes("a.npz", file, i);
    assert_int_not_equal(CONVERT(plain_options(), &r, "a.npz"), MLPD_OK);
  }
  assert_true(refused > 150);
  (void)unlink(in_folder("out.h5"));
  memcpy(wrong, file, count);
  wrong[z.used - 1] ^= 1; /* the last label */
  write_bytes("a.npz", wrong, count);
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "checksum differs", "a.npz");
  memcpy(wrong, file, count);
  put_u32(wrong + z.used + 42, 0xFFFFFFF0u); /* offset of the first entry */
  write_bytes("a.npz", wrong, count);
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "impossible offset", "a.npz");
  memcpy(wrong, file, count);
  put_u16(wrong + z.used + 10, 8); /* deflated, it claims */
  write_bytes("a.npz", wrong, count);
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "cannot inflate", "a.npz");
}

#define PYTHON "/usr/bin/python3"

static void test_npz_of_numpy(void **state) {
  (void)state;
  if (system(PYTHON " -c 'import numpy' 2>/dev/null") != 0) {
    print_message(PYTHON " with numpy is not here: archives that numpy writes are not tested\n");
    skip();
  }
  char command[2048];
  (void)snprintf(
      command, sizeof command,
      PYTHON
      " -c \"\nimport numpy as n, zipfile\n"
      "x = n.arange(200000, dtype='f4').reshape(20000, 5, 2)\n"
      "y = n.arange(20000) %% 10\n"
      "n.savez('%s/a.npz', x_train=x, y_train=y, x_test=x[:9], y_test=y[:9])\n"
      "n.savez_compressed('%s/b.npz', train_images=x, train_labels=y[:, None], val_images=x[:7],"
      " val_labels=y[:7], test_images=x[:9], test_labels=y[:9])\n"
      "n.savez('%s/c.npz', n.asfortranarray(x.reshape(20000, 10)), y)\n"
      "n.savez_compressed('%s/g.npz', x=n.asfortranarray(x), y=n.array(['b', '\u00e9\u4e2d', 'a'])[y %% 3])\n"
      "n.savez('%s/d.npz', foo=x, bar=y)\n"
      "n.savez('%s/e.npz', x=x, y=n.array([None, 'a'], dtype=object))\n"
      "zipfile.ZIP64_LIMIT = 10\n" /* so small an archive is written as a large one is */
      "n.savez_compressed('%s/f.npz', x=x, y=y)\n\"",
      folder, folder, folder, folder, folder, folder, folder);
  assert_int_equal(system(command), 0);
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  double *x = calloc(200000, sizeof *x);
  assert_non_null(x);
  for (int i = 0; i < 200000; i++) x[i] = i;
  for (int packed = 0; packed < 2; packed++) {
    ASSERT_CONVERTED(o, &r, packed ? "b.npz" : "a.npz");
    assert_int_equal(r.classes, 10);
    assert_int_equal(r.valid_rows, packed ? 7 : 0);
    assert_array("/train/x", 20000, 10, ELEMENT_F32, x);
    assert_array("/test/y", 9, 1, ELEMENT_U8, VALUES(0, 1, 2, 3, 4, 5, 6, 7, 8));
  }
  ASSERT_CONVERTED(o, &r, "f.npz");
  assert_array("/train/x", 20000, 10, ELEMENT_F32, x);
  ASSERT_CONVERTED(o, &r, "c.npz");
  assert_array("/train/x", 20000, 10, ELEMENT_F32, x);
  ASSERT_CONVERTED(o, &r, "g.npz");
  assert_array("/train/x", 20000, 10, ELEMENT_F32, x);
  assert_class_names("a,b,\xC3\xA9\xE4\xB8\xAD");
  free(x);
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "holds foo.npy, bar.npy; expected x_train", "d.npz");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "Python objects", "e.npz");
}

/* ---- Real data sets ---- */

#define DATASETS "../shared/datasets/"

static void assert_class_counts(const char *object, uint64_t rows, uint32_t classes, const int *counts) {
  h5_file *file;
  int32_t *y = calloc((size_t)rows, sizeof *y);
  int found[16] = {0};
  assert_non_null(y);
  assert_int_equal(h5_open(in_folder("out.h5"), &file), MLPD_OK);
  assert_int_equal(h5_read(file, object, rows, 0, ELEMENT_I32, y), MLPD_OK);
  for (uint64_t i = 0; i < rows; i++) found[y[i] & 15]++;
  for (uint32_t k = 0; k < classes; k++) assert_int_equal(found[k], counts[k]);
  free(y);
  assert_int_equal(h5_close(file), MLPD_OK);
}

static void skip_without_datasets(void) {
  if (access(DATASETS, R_OK) == 0) return;
  print_message("no " DATASETS ": the real data sets are not converted\n");
  skip();
}

static void test_mnist(void **state) {
  (void)state;
  skip_without_datasets();
  mlpd_convert_result r;
  mlpd_convert_options o = plain_options();
  ASSERT_CONVERTED(o, &r, DATASETS "mnist/t10k-images-idx3-ubyte.gz", DATASETS "mnist/t10k-labels-idx1-ubyte.gz",
                   DATASETS "mnist/train-images-idx3-ubyte.gz", DATASETS "mnist/train-labels-idx1-ubyte.gz");
  assert_int_equal(r.train_rows, 60000);
  assert_int_equal(r.test_rows, 10000);
  assert_int_equal(r.features, 784);
  const int train[] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
  const int test[] = {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009};
  assert_class_counts("/train/y", 60000, 10, train);
  assert_class_counts("/test/y", 10000, 10, test);
}

static void test_tables(void **state) {
  (void)state;
  skip_without_datasets();
  mlpd_convert_result r;
  mlpd_convert_options o = plain_options();
  ASSERT_CONVERTED(o, &r, DATASETS "shuttle/shuttle.csv");
  assert_int_equal(r.train_rows, 58000);
  assert_int_equal(r.features, 9);
  const int shuttle[] = {10, 13, 3267, 50, 171, 8903, 45586};
  assert_class_counts("/train/y", 58000, 7, shuttle);
  assert_class_names("Bpv.Close,Bpv.Open,Bypass,Fpv.Close,Fpv.Open,High,Rad.Flow");
  ASSERT_CONVERTED(o, &r, DATASETS "cal_housing/cal_housing.data");
  assert_int_equal(r.train_rows, 20640);
  assert_int_equal(r.features, 8);
  assert_int_equal(r.classes, 0);
  ASSERT_CONVERTED(o, &r, DATASETS "protein/data.txt");
  assert_int_equal(r.train_rows, 45730);
  assert_int_equal(r.features, 9);
  assert_int_equal(r.classes, 0);
  ASSERT_CONVERTED(o, &r, DATASETS "digits/digits.csv.gz");
  const int digits[] = {178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
  assert_class_counts("/train/y", 1797, 10, digits);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_idx, clear_folder),
      cmocka_unit_test_teardown(test_hostile_idx, clear_folder),
      cmocka_unit_test_teardown(test_damaged_gz, clear_folder),
      cmocka_unit_test_teardown(test_npy, clear_folder),
      cmocka_unit_test_teardown(test_transposed_npy, clear_folder),
      cmocka_unit_test_teardown(test_npy_of_others, clear_folder),
      cmocka_unit_test_teardown(test_npy_labels, clear_folder),
      cmocka_unit_test_teardown(test_hostile_npy, clear_folder),
      cmocka_unit_test_teardown(test_npz_stored, clear_folder),
      cmocka_unit_test_teardown(test_hostile_npz, clear_folder),
      cmocka_unit_test_teardown(test_npz_of_numpy, clear_folder),
      cmocka_unit_test_teardown(test_mnist, clear_folder),
      cmocka_unit_test_teardown(test_tables, clear_folder),
  };
  return cmocka_run_group_tests_name("convert arrays", tests, make_folder, remove_folder);
}
