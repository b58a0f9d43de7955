/* Writes the data sets of tests/run.bats to the given folder: small ones with one fault each, and a regression. The
 * test builds this program itself, because nothing else writes wrong files on purpose. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 40, COLUMNS = 3 };

static hid_t file;

static void check(hid_t result) {
  if (result >= 0) return;
  (void)fprintf(stderr, "make_bad_data: HDF5 failed\n");
  exit(1);
}

static void begin(const char *folder, const char *name) {
  char path[4096];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  check(file);
}

static void end(void) { check(H5Fclose(file)); }

static void write_array(const char *path, int rank, hsize_t rows, hsize_t columns, hid_t type, const void *data) {
  const hsize_t sizes[2] = {rows, columns};
  const hid_t space = H5Screate_simple(rank, sizes, NULL), links = H5Pcreate(H5P_LINK_CREATE);
  check(H5Pset_create_intermediate_group(links, 1));
  const hid_t array = H5Dcreate2(file, path, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
  check(array);
  if (rows > 0) check(H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
  check(H5Dclose(array));
  check(H5Pclose(links));
  check(H5Sclose(space));
}

/* x (ROWS, COLUMNS) in [-1, 1], value at (row, column) put in; y (ROWS) = classes 0 to 2, class_there in row 17. */
static void write_classes(const char *split, int row, int column, double value, int class_there) {
  double x[ROWS][COLUMNS];
  int y[ROWS];
  char path[64];
  for (int i = 0; i < ROWS; i++) {
    for (int j = 0; j < COLUMNS; j++) x[i][j] = sin(1.7 * (i * COLUMNS + j));
    y[i] = i % 3;
  }
  if (row >= 0) x[row][column] = value;
  y[17] = class_there;
  (void)snprintf(path, sizeof path, "/%s/x", split);
  write_array(path, 2, ROWS, COLUMNS, H5T_NATIVE_DOUBLE, x);
  (void)snprintf(path, sizeof path, "/%s/y", split);
  write_array(path, 1, ROWS, 0, H5T_NATIVE_INT, y);
}

static void write_values(const char *split) {
  double x[ROWS][COLUMNS], y[ROWS][2];
  char path[64];
  for (int i = 0; i < ROWS; i++) {
    for (int j = 0; j < COLUMNS; j++) x[i][j] = sin(1.7 * (i * COLUMNS + j));
    y[i][0] = 100 * x[i][0];
    y[i][1] = x[i][1] - x[i][2];
  }
  (void)snprintf(path, sizeof path, "/%s/x", split);
  write_array(path, 2, ROWS, COLUMNS, H5T_NATIVE_DOUBLE, x);
  (void)snprintf(path, sizeof path, "/%s/y", split);
  write_array(path, 2, ROWS, 2, H5T_NATIVE_DOUBLE, y);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  begin(argv[1], "good.h5");
  write_classes("train", -1, 0, 0, 2);
  write_classes("test", -1, 0, 0, 2);
  end();
  begin(argv[1], "nan.h5");
  write_classes("train", 31, 1, (double)NAN, 2);
  end();
  begin(argv[1], "infinity.h5");
  write_classes("train", 5, 2, (double)INFINITY, 2);
  end();
  begin(argv[1], "negative-class.h5");
  write_classes("train", -1, 0, 0, -4);
  end();
  begin(argv[1], "no-rows.h5");
  write_array("/train/x", 2, 0, COLUMNS, H5T_NATIVE_DOUBLE, NULL);
  write_array("/train/y", 1, 0, 0, H5T_NATIVE_INT, NULL);
  end();
  begin(argv[1], "values.h5");
  write_values("train");
  write_values("test");
  end();
  return 0;
}
