#define _GNU_SOURCE /* RTLD_NEXT */
/* Writes small good files for the fuzzers, and damaged copies of each, into FOLDER/FUZZER.
 * Usage: make_seeds FOLDER */
#include <dlfcn.h>
#include <errno.h>
#include <hdf5.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "fuzz_zip.h"
#include "h5/h5.h"
#include "model/model.h"
#include "model/model_clamp.h"
#include "network/layer_kind.h"
#include "run/checkpoint.h"

enum { CUTS = 12, FLIPS = 24, PATH_BYTES = 4096 };

static const char *folder;

static bool without_checksums;

/* In the place of HDF5's: a file as HDF5 1.6 wrote it has no checksums that would catch a flip before it is followed.
 */
herr_t H5Pset_libver_bounds(hid_t access, H5F_libver_t low, H5F_libver_t high) {
  herr_t (*real)(hid_t, H5F_libver_t, H5F_libver_t) = NULL;
  void *const found = dlsym(RTLD_NEXT, "H5Pset_libver_bounds");
  memcpy(&real, &found, sizeof real);
  return real == NULL        ? -1
         : without_checksums ? real(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST)
                             : real(access, low, high);
}

static void stop(const char *what) {
  (void)fprintf(stderr, "make_seeds: %s: %s\n", what, mlpd_error_message());
  exit(1);
}

static void check(mlpd_status status) {
  if (status != MLPD_OK) stop("failed");
}

static void write_seed(const char *fuzzer, const char *name, int number, int choice, const uint8_t *data, size_t size) {
  char path[PATH_BYTES];
  (void)snprintf(path, sizeof path, "%s/%s", folder, fuzzer);
  if (mkdir(path, 0777) != 0 && errno != EEXIST) stop(path);
  (void)snprintf(path, sizeof path, "%s/%s/%s.%d", folder, fuzzer, name, number);
  FILE *const file = fopen(path, "wb");
  if (file == NULL) stop(path);
  if (choice >= 0) (void)fputc(choice, file);
  (void)fwrite(data, 1, size, file);
  if (fclose(file) != 0) stop(path);
}

/* The file, then cut short in steps, then with a bit flipped here and there. choice: see fuzz.h; -1: none. */
static void seed(const char *fuzzer, const char *name, int choice, const void *data, size_t size) {
  int number = 0;
  uint8_t *const copy = malloc(size + 1);
  if (copy == NULL) stop("no memory");
  memcpy(copy, data, size);
  write_seed(fuzzer, name, number++, choice, copy, size);
  for (size_t i = 0; i < CUTS; i++) write_seed(fuzzer, name, number++, choice, copy, size * i / CUTS);
  for (size_t i = 0; i < FLIPS && size > 0; i++) {
    const size_t at = i * 7919 % FLIPS * size / FLIPS;
    copy[at] ^= (uint8_t)(1u << i % 8);
    write_seed(fuzzer, name, number++, choice, copy, size);
    copy[at] ^= (uint8_t)(1u << i % 8);
  }
  free(copy);
}

static uint8_t taken[1 << 20];

/* Reads the file into taken, and removes it; returns its size. */
static size_t take_file(const char *path) {
  FILE *const file = fopen(path, "rb");
  if (file == NULL) stop(path);
  const size_t size = fread(taken, 1, sizeof taken, file);
  (void)fclose(file);
  (void)remove(path);
  return size;
}

static void seed_text(const char *fuzzer, const char *name, int choice, const char *text) {
  seed(fuzzer, name, choice, text, strlen(text));
}

/* ---- CSV, IDX, NPY, NPZ ------------------------------------------------------------------------------ */

static void seed_csv(void) {
  seed_text("csv", "plain", 0, "1,2,0\n3,4.5,1\n5,-6e-3,0\n");
  seed_text("csv", "header", 6,
            "\xEF\xBB\xBF# made by hand\r\n\"wi\"\"d\",height,label\r\n1,\"2\",\"x, y\"\r\n3,?,b\r\n");
  seed_text("csv", "blanks", 0, "  1  2 0 \n3 \t 4\t1\t\n# end\n");
  seed_text("csv", "values", 64, "a;b;c\n1.25;2;0.5\n1e400;3;7\n");
  seed_text("csv", "numbers", 2, "1.00000000000000011102230246251565,123456789012345678,5e-324,9007199254740993e-1\n");
  seed_text("csv", "titles", 0, "sep=;\nby hand\n# u;v;k\n[s];[K];\n1,5;2;0;\n3;\"4'000\";1;\n;;;\n");
  seed_text("csv", "quoted", 0, "\"area\nm2\",note,k\n1,\"x\n\"\"y\",0\n3,True,1\n");
  seed_text("csv", "index", 0, ",0,1,2\n0,1.5D+03,NA,a\n1,-9,null,b\n");
  seed_text("csv", "dates", 0,
            "when,then,t,k\n1/2/2021 9:05 AM,2021-03-15,1:05,0\n3/13/2021 12:00 PM,2021/3/5,2:06,1\n"
            "29.2.2020,2021-03-15T10:20:30Z,3:07,0\n5/6/2021,2021-Q1,4:08,1\n");
  seed_text("csv", "carriage returns", 0, "u|v|k\r1|2|0\r3|4|1\r");
  static const char wide[] = "\xFF\xFEu\0,\0k\0\n\0001\0,\0002\0\n\0003\0,\0004\0\n";
  seed("csv", "utf16", 0, wide, sizeof wide);
  static const char text[] = "1,2,0\n3,4,1\n5,6,0\n";
  uint8_t packed[256];
  z_stream z = {.next_in = (uint8_t *)(uintptr_t)text,
                .avail_in = sizeof text - 1,
                .next_out = packed,
                .avail_out = sizeof packed};
  if (deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&z, Z_FINISH) != Z_STREAM_END)
    stop("deflate");
  seed("csv", "gzip", 0, packed, z.total_out);
  (void)deflateEnd(&z);
}

static void seed_idx(void) {
  static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2,  0,  0,
                                   0, 2, 1, 2, 3, 0, 5, 6, 7, 1, 9, 10, 11, 0};
  static const uint8_t floats[] = {0, 0, 13, 2, 0, 0, 0,  2,  0, 0, 0,  2,   63, 128,
                                   0, 0, 64, 0, 0, 0, 64, 64, 0, 0, 64, 128, 0,  0};
  static const uint8_t labels[] = {0, 0, 11, 1, 0, 0, 0, 3, 0, 0, 0, 1, 0, 2};
  seed("idx", "images", 0, images, sizeof images);
  seed("idx", "pair", 1, images, sizeof images);
  seed("idx", "floats", 2, floats, sizeof floats);
  seed("idx", "labels", 3, labels, sizeof labels);
}

/* An NPY file of rows x columns bytes 1, 2, ... (of type descr, itemsize bytes); columns 0: of rank 1. */
static size_t make_npy(uint8_t *to, int version, const char *descr, size_t itemsize, size_t rows, size_t columns) {
  char text[128], second[24] = "";
  if (columns > 0) (void)snprintf(second, sizeof second, "%zu", columns);
  const int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %s), }\n",
                              descr, rows, second);
  const size_t prefix = version == 1 ? 10 : 12;
  memcpy(to, "\x93NUMPY", 6);
  to[6] = (uint8_t)version;
  to[7] = to[9] = to[10] = to[11] = 0;
  to[8] = (uint8_t)length;
  memcpy(to + prefix, text, (size_t)length);
  const size_t header = prefix + (size_t)length, bytes = itemsize * rows * (columns > 0 ? columns : 1);
  for (size_t i = 0; i < bytes; i++) to[header + i] = (uint8_t)(i % itemsize == 0 ? i / itemsize % 3 : 0);
  return header + bytes;
}

static void seed_npy(void) {
  uint8_t file[1024];
  seed("npy", "bytes", 0, file, make_npy(file, 1, "|u1", 1, 4, 3));
  seed("npy", "longs", 1, file, make_npy(file, 1, "<i8", 8, 3, 3));
  seed("npy", "halves", 2, file, make_npy(file, 2, "<f2", 2, 4, 2));
  seed("npy", "doubles", 4, file, make_npy(file, 3, ">f8", 8, 2, 3));
}

static void zip_seed(zip_writer *zip, const char *fuzzer, const char *name, int choice) {
  const size_t size = zip_finish(zip);
  seed(fuzzer, name, choice, zip->file, size);
}

static void seed_npz(void) {
  uint8_t x[1024], y[1024];
  const size_t x_bytes = make_npy(x, 1, "<f4", 4, 4, 3), y_bytes = make_npy(y, 1, "|u1", 1, 4, 1);
  static zip_writer stored, deflated, single;
  zip_add(&stored, "x.npy", x, x_bytes, false);
  zip_add(&stored, "y.npy", y, y_bytes, false);
  zip_seed(&stored, "npz", "stored", 0);
  zip_add(&deflated, "x_train.npy", x, x_bytes, true);
  zip_add(&deflated, "y_train.npy", y, y_bytes, true);
  zip_add(&deflated, "x_test.npy", x, x_bytes, true);
  zip_add(&deflated, "y_test.npy", y, y_bytes, true);
  zip_seed(&deflated, "npz", "deflated", 0);
  zip_add(&single, "table.npy", x, x_bytes, true);
  zip_seed(&single, "npz", "single", 4);
}

/* ---- Networks of other programs ---------------------------------------------------------------------- */

/* As mlpd_export() writes them; frees the network. */
static void seed_onnx(const char *name, int choice, mlpd_network *network, mlpd_loss loss, double limit) {
  char path[PATH_BYTES];
  (void)snprintf(path, sizeof path, "%s/new.onnx", folder);
  mlpd_model model = {
      .task = loss == MLPD_MSE ? MLPD_REGRESSION : MLPD_CLASSIFICATION, .loss = loss_plain(loss), .network = network};
  mlpd_network_init(network, MLPD_INIT_AUTO, 5);
  check(affine_create(3, &model.input));
  model.input.limit = limit;
  if (loss == MLPD_MSE) check(affine_create(2, &model.target));
  if (limit > 0) check(model_clamp(&model, (const double[]){-1, 0}, (const double[]){1, 2}));
  check(mlpd_export(&model, path));
  affine_free(&model.input);
  affine_free(&model.target);
  free(model.least);
  free(model.bounds);
  mlpd_network_free(network);
  seed("import", name, choice, taken, take_file(path));
}

static mlpd_network *make_dense(mlpd_activation hidden, mlpd_activation output) {
  static const uint32_t widths[] = {3, 4, 2};
  const mlpd_activation activations[] = {hidden, output};
  mlpd_network *network = NULL;
  check(mlpd_network_create(2, widths, activations, &network));
  return network;
}

static mlpd_network *make_normed(void) {
  static const layer_spec specs[] = {{.kind = &layer_dense, .outputs = 4},
                                     {.kind = &layer_layer_norm, .outputs = 4, .activation = MLPD_RELU6},
                                     {.kind = &layer_dense, .outputs = 2}};
  mlpd_network *network = NULL;
  check(network_build(3, 3, specs, false, &network));
  return network;
}

static void seed_state_dict(void) {
  static zip_writer zip;
  uint8_t npy[1024];
  static const struct {
    const char *name;
    size_t rows, columns;
  } arrays[] = {{"0.weight.npy", 4, 3},      {"0.bias.npy", 4, 0},   {"1.running_mean.npy", 4, 0},
                {"1.running_var.npy", 4, 0}, {"3.weight.npy", 4, 0}, {"4.weight.npy", 2, 4},
                {"4.bias.npy", 2, 0}};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    zip_add(&zip, arrays[i].name, npy, make_npy(npy, 1, "<f4", 4, arrays[i].rows, arrays[i].columns), i > 1);
  zip_seed(&zip, "import", "state dict", 1);
}

/* Of a batch norm, and in all types. */
static void seed_safetensors(void) {
  static const char header[] =
      "{\"__metadata__\":{\"format\":\"pt\"},"
      "\"1.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
      "\"0.bias\":{\"dtype\":\"F64\",\"shape\":[4],\"data_offsets\":[8,40]},"
      "\"0.weight\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[40,88]},"
      "\"1.running_mean\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[88,96]},"
      "\"1.running_var\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[96,104]},"
      "\"3.weight\":{\"dtype\":\"F16\",\"shape\":[2,4],\"data_offsets\":[104,120]}}  ";
  static uint8_t file[8 + sizeof header - 1 + 120];
  (void)zip_put(file, sizeof header - 1, 8);
  memcpy(file + 8, header, sizeof header - 1);
  for (size_t i = 0; i < 120; i++) file[8 + sizeof header - 1 + i] = (uint8_t)(i % 2 == 0 ? 0x11 : 0x3c);
  seed("import", "safetensors", 32, file, sizeof file);
}

/* As export writes it, of columns with categories, a curve, and an embedding. */
static void seed_description(void) {
  static const char text[] =
      "{\"format\":\"mlpdist model 1\",\"task\":\"regression\",\"loss\":\"quantile 0.5\",\"quantiles\":[0.5],"
      "\"config\":\"norm = "
      "none\\n\",\"table\":\"0\",\"input\":{\"names\":[\"a\",\"b\"],\"left_out\":[\"c\"],\"missing\":true,"
      "\"columns\":[{\"kind\":\"number\",\"marked\":true,\"fill\":1},{\"kind\":\"category\",\"marked\":false,"
      "\"embedded\":true,\"categories\":[[\"u\",0],[\"v\",-1],[\"w\",1]]}],\"clip\":3,"
      "\"curves\":[{\"x\":[0,1,2],\"z\":[-1,0,1]},{\"x\":[],\"z\":[]}],\"shift\":[0,0],\"scale\":[1,1]},\"layers\":["
      "{\"kind\":\"embed\",\"inputs\":3,\"outputs\":4,\"activation\":\"identity\",\"width\":2,\"sizes\":[0,0,2],"
      "\"table\":[[1,2],[3,4]]},"
      "{\"kind\":\"dense\",\"inputs\":4,\"outputs\":1,\"activation\":\"identity\",\"weight\":[[1],[2],[3],[4]],"
      "\"bias\":[1]}],"
      "\"output\":{\"targets\":[\"y\"],\"values\":1,\"minimum\":[-1],\"maximum\":[1],\"shift\":[0],\"scale\":[1]}}";
  seed("import", "description", 16, text, sizeof text - 1);
}

static void seed_import(void) {
  seed_onnx("relu", 0, make_dense(MLPD_RELU, MLPD_SOFTMAX), MLPD_CROSS_ENTROPY, 0);
  seed_onnx("mish", 4, make_dense(MLPD_MISH, MLPD_IDENTITY), MLPD_MSE, 0);
  seed_onnx("norms", 0, make_normed(), MLPD_MSE, 2);
  seed_state_dict();
  seed_safetensors();
  seed_description();
}

/* ---- Config ------------------------------------------------------------------------------------------ */

static void seed_config(void) {
  seed_text(
      "config", "plain", -1,
      "# a run\n[network]\nhidden = 512,256\nactivation = relu\n\n[optimizer]\noptimizer = adam\nlr = 1e-3 ; small\n");
  seed_text("config", "data", -1, "[data]\ndata = a file.h5\nclasses = auto\nvalid-fraction = 0.1\ntask=regression\n");
  seed_text("config", "run", -1,
            "batch: 256\nepochs = 10\n  seed = 1\ncheckpoint-every = 10min\nlanes = auto\nthreads = 2\n");
}

/* ---- HDF5 -------------------------------------------------------------------------------------------- */

/* Seeds of what was just written, read as a file of kind choice and by `info`. */
static void seed_hdf5(const char *name, int choice, const char *path) {
  char copy[64], info[64];
  (void)snprintf(copy, sizeof copy, "%s%s", name, without_checksums ? "-old" : "");
  (void)snprintf(info, sizeof info, "%s-info", copy);
  const size_t size = take_file(path);
  seed("hdf5", copy, choice, taken, size);
  seed("hdf5", info, 3, taken, size);
}

static void seed_data_sets(const char *path) {
  static const char *const names[] = {"ant", "bee", "cat"};
  float x[30 * 4];
  int32_t y[30];
  double values[30 * 2];
  for (int i = 0; i < 30 * 4; i++) x[i] = (float)sin(i);
  for (int i = 0; i < 30; i++) y[i] = i % 3;
  for (int i = 0; i < 60; i++) values[i] = i;
  h5_file *file = NULL;
  check(h5_create(path, &file));
  for (int split = 0; split < 3; split++) {
    static const char *const paths[][2] = {{"/train/x", "/train/y"}, {"/valid/x", "/valid/y"}, {"/test/x", "/test/y"}};
    h5_array *array = NULL;
    check(h5_array_create(file, paths[split][0], 30, 4, ELEMENT_F32, split == 0 ? 0 : 8, split == 0 ? 0 : 4, &array));
    check(h5_array_write(array, 0, 30, ELEMENT_F32, x));
    h5_array_close(array);
    check(h5_write(file, paths[split][1], 30, 0, ELEMENT_I32, y));
  }
  check(h5_write(file, "/train/weight", 30, 0, ELEMENT_F32, x + 40));
  check(h5_strings_write(file, "/class_names", names, 3));
  check(h5_close(file));
  seed_hdf5("classes", 0, path);
  check(h5_create(path, &file));
  check(h5_write(file, "/train/x", 30, 4, ELEMENT_F32, x));
  check(h5_write(file, "/train/y", 30, 2, ELEMENT_F64, values));
  check(h5_close(file));
  seed_hdf5("values", 0, path);
}

static void create_foreign(hid_t file, const char *name, hid_t type, int rank, const hsize_t *sizes, const void *data) {
  const hid_t space = H5Screate_simple(rank, sizes, NULL);
  const hid_t array = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (array < 0 || H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) stop(name);
  (void)H5Dclose(array);
  (void)H5Sclose(space);
}

/* As others write data sets: images, and names of varying length. */
static void seed_foreign(const char *path) {
  static const char *const names[] = {"ant", "bee", "a class with a longer name"};
  static const hsize_t sizes[][3] = {{3}, {12, 3, 2}, {12}};
  uint16_t x[12 * 3 * 2];
  double y[12];
  for (int i = 0; i < 12 * 6; i++) x[i] = (uint16_t)(i * i);
  for (int i = 0; i < 12; i++) y[i] = i % 3;
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), text = H5Tcopy(H5T_C_S1);
  const hid_t group = H5Gcreate2(file, "train", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  (void)H5Tset_size(text, H5T_VARIABLE);
  create_foreign(file, "class_names", text, 1, sizes[0], names);
  create_foreign(group, "x", H5T_STD_U16BE, 3, sizes[1], x);
  create_foreign(group, "y", H5T_IEEE_F64LE, 1, sizes[2], y);
  (void)H5Gclose(group);
  (void)H5Tclose(text);
  if (H5Fclose(file) < 0) stop(path);
  seed_hdf5("foreign", 0, path);
}

/* As Keras 2 saves a model of a dense layer. */
static void seed_keras(const char *path) {
  static const char config[] =
      "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Dense\", \"config\": {\"name\": "
      "\"d\", \"use_bias\": true, \"activation\": \"softmax\"}}]}}";
  static const hsize_t sizes[] = {3, 2};
  static const float values[6] = {0.5f, -1, 2};
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), text = H5Tcopy(H5T_C_S1);
  const hid_t outer = H5Gcreate2(file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t group = H5Gcreate2(outer, "d", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
  (void)H5Tset_size(text, sizeof config);
  const hid_t attribute = H5Acreate2(file, "model_config", text, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0 || H5Awrite(attribute, text, config) < 0) stop(path);
  create_foreign(group, "kernel:0", H5T_IEEE_F32LE, 2, sizes, values);
  create_foreign(group, "bias:0", H5T_IEEE_F32LE, 1, sizes + 1, values);
  (void)H5Aclose(attribute);
  (void)H5Sclose(space);
  (void)H5Gclose(group);
  (void)H5Gclose(outer);
  (void)H5Tclose(text);
  if (H5Fclose(file) < 0) stop(path);
  seed_hdf5("keras", 4, path);
}

/* As Keras 3 saves one: config.json and the arrays, packed by the fuzzer or as a whole. */
static void seed_keras_archive(const char *path) {
  static const char config[] =
      "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Dense\", \"config\": {\"name\": "
      "\"d\", \"units\": 2, \"activation\": \"relu\"}}, {\"class_name\": \"LayerNormalization\", \"config\": "
      "{\"name\": \"n\", \"axis\": -1, \"epsilon\": 1e-5}}]}}";
  static const char about[] = "{\"keras_version\": \"3.3.0\"}";
  static const char *const names[][2] = {{"layers/dense/vars", "0"},
                                         {"layers/dense/vars", "1"},
                                         {"layers/layer_normalization/vars", "0"},
                                         {"layers/layer_normalization/vars", "1"}};
  static const hsize_t sizes[] = {3, 2};
  static const float values[6] = {0.5f, -1, 2};
  static zip_writer zip;
  static uint8_t parts[ZIP_BYTES];
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), links = H5Pcreate(H5P_LINK_CREATE);
  (void)H5Pset_create_intermediate_group(links, 1);
  for (int i = 0; i < 4; i++) {
    const hid_t group = i % 2 == 0 ? H5Gcreate2(file, names[i][0], links, H5P_DEFAULT, H5P_DEFAULT)
                                   : H5Gopen2(file, names[i][0], H5P_DEFAULT);
    create_foreign(group, names[i][1], H5T_IEEE_F32LE, i == 0 ? 2 : 1, i == 0 ? sizes : sizes + 1, values);
    (void)H5Gclose(group);
  }
  (void)H5Pclose(links);
  if (H5Fclose(file) < 0) stop(path);
  const size_t size = take_file(path);
  zip_add(&zip, "metadata.json", (const uint8_t *)about, sizeof about - 1, true);
  zip_add(&zip, "config.json", (const uint8_t *)config, sizeof config - 1, true);
  zip_add(&zip, "model.weights.h5", taken, size, false);
  zip_seed(&zip, "hdf5", "archive", 5);
  (void)zip_put(parts, sizeof config - 1, 2);
  memcpy(parts + 2, config, sizeof config - 1);
  memcpy(parts + 2 + sizeof config - 1, taken, size);
  seed("hdf5", "packed", 6, parts, 2 + sizeof config - 1 + size);
}

static void seed_model(const char *path) {
  static const uint32_t widths[] = {3, 4, 2};
  static char ant[] = "ant", bee[] = "bee", *names[] = {ant, bee};
  char config[] = "[run]\nseed = 5\n";
  const mlpd_activation activations[] = {MLPD_RELU, MLPD_SOFTMAX};
  mlpd_model model = {.task = MLPD_CLASSIFICATION,
                      .loss = loss_plain(MLPD_CROSS_ENTROPY),
                      .epoch = 12,
                      .step = 345,
                      .names.classes = {.names = names, .count = 2},
                      .config = config};
  check(mlpd_network_create(2, widths, activations, &model.network));
  mlpd_network_init(model.network, MLPD_INIT_AUTO, 5);
  check(affine_create(3, &model.input));
  check(model_save(&model, path));
  affine_free(&model.input);
  mlpd_network_free(model.network);
  seed_hdf5("model", 1, path);
}

static void seed_checkpoint(const char *path) {
  float arena[48] = {0.5f, -1};
  char options[] = "batch = 32\nseed = 1\n", metrics[] = "epoch,step\n1,10\n";
  const checkpoint c = {.state = {.epoch = 2, .step_in_epoch = 3, .step = 13, .lanes = 1, .arena_size = 48},
                        .arenas = {arena, NULL, arena},
                        .options = options,
                        .config = options,
                        .metrics = metrics};
  check(checkpoint_write(&c, path));
  seed_hdf5("checkpoint", 2, path);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  folder = argv[1];
  if (mkdir(folder, 0777) != 0 && errno != EEXIST) stop(folder);
  char path[PATH_BYTES];
  (void)snprintf(path, sizeof path, "%s/new.h5", folder);
  seed_csv();
  seed_idx();
  seed_npy();
  seed_npz();
  seed_import();
  seed_config();
  seed_foreign(path);
  seed_keras(path);
  seed_keras_archive(path);
  for (int old = 0; old < 2; old++) {
    without_checksums = old == 1;
    seed_data_sets(path);
    seed_model(path);
    seed_checkpoint(path);
  }
  return 0;
}
