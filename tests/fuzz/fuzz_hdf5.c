/* HDF5 files as data sets, models, checkpoints, networks of Keras (also in archives), and for `info`. They are read in
 * a process apart: HDF5 1.10 itself crashes, reads beyond its buffers and asks for absurd sizes where a file was made
 * for it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "data/shard.h"
#include "fuzz.h"
#include "fuzz_zip.h"
#include "model/model.h"
#include "run/checkpoint.h"

/* HDF5 keeps lists of what it may use again, and leaks where a file is damaged. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libhdf5"; }

enum { ROWS_MOST = 1000 };

static void check(mlpd_status status, const char *path) {
  if (status != MLPD_OK) fuzz_check_message(mlpd_error_message(), path);
  /* Too much for the sanitizer's limit: a claim that should have been refused. */
  FUZZ_ASSERT(status != MLPD_ERROR_MEMORY, "%s (%s)", mlpd_error_message(), mlpd_error_place());
}

/* Counts the labels, and reads them as the classes that they become. */
static void read_labels(part *p) {
  stored_labels labels = {0};
  class_map map = {0};
  char **names = NULL;
  shard s = {0};
  uint64_t stray = 0;
  const row_run run = {.count = p->rows < ROWS_MOST ? p->rows : ROWS_MOST};
  check(stored_labels_scan(p, MLPD_TRAIN, 0, run.count, &labels), p->file);
  stored_labels_sort(&labels);
  if (!labels.broken && labels.count > 0 && stored_labels_judge(&labels, &stray) != LABELS_TOO_MANY &&
      p->y_columns == 1 && class_map_of_labels(&labels, &map, &names) == MLPD_OK) {
    p->map = &map;
    check(shard_read(p, &run, 1, 0, run.count, true, 0, NULL, &s), p->file);
    p->map = NULL;
  }
  shard_free(&s);
  h5_strings_free(names, labels.count);
  class_map_free(&map);
  stored_labels_free(&labels);
}

static void read_dataset(const char *path) {
  for (int split = MLPD_TRAIN; split <= MLPD_TEST; split++) {
    part p = {0};
    bool present = false;
    check(part_open(NULL, &(mlpd_data_paths){.file = path}, (mlpd_split)split, true, &p, &present), path);
    if (!present) continue;
    read_labels(&p);
    const uint64_t rows = p.rows < ROWS_MOST ? p.rows : ROWS_MOST;
    for (int as_classes = 0; as_classes < 2; as_classes++) {
      shard s = {0};
      const row_run run = {.file_row = p.rows - rows, .position = 0, .count = rows};
      check(shard_read(&p, &run, 1, 0, rows, as_classes == 1, 0, NULL, &s), path);
      shard_free(&s);
    }
    part_close(&p);
  }
}

static void read_model(const char *path) {
  mlpd_model *model = NULL;
  check(mlpd_model_load(path, &model), path);
  mlpd_model_free(model);
}

static void import_model(const char *path) {
  mlpd_import_options options;
  mlpd_import_options_default(&options);
  mlpd_model *model = NULL;
  check(mlpd_import(path, &options, &model), path);
  mlpd_model_free(model);
}

enum { ARCHIVE = 5, PACKED = 6, KINDS = 7 }; /* of choices: see read_file */

static const char ARCHIVE_NAME[] = "input.keras";

static void import_archive(const char *path) {
  (void)path;
  import_model(fuzz_path(ARCHIVE_NAME));
}

static void read_checkpoint(const char *path) {
  checkpoint c;
  check(checkpoint_read(path, &c), path);
  checkpoint_free(&c);
}

static void describe(const char *path) {
  char *text = NULL;
  check(mlpd_describe(path, &text), path);
  mlpd_text_free(text);
}

/* As what the file is read; shared with the process that reads it. */
static unsigned *choice;

static void read_file(const char *path) {
  static void (*const readers[])(const char *path) = {read_dataset, read_model,     read_checkpoint, describe,
                                                      import_model, import_archive, import_archive};
  readers[*choice](path);
}

/* An archive whose checksums are right: the length of config.json in two bytes, itself, and the arrays. */
static void pack(const uint8_t *data, size_t size) {
  static const char about[] = "{\"keras_version\": \"3.0.0\"}";
  static zip_writer zip;
  const size_t told = size > 1 ? (size_t)(data[0] | data[1] << 8) : 0, rest = size > 1 ? size - 2 : 0;
  const size_t config = told < rest ? told : rest;
  zip = (zip_writer){.size = 0};
  zip_add(&zip, "metadata.json", (const uint8_t *)about, sizeof about - 1, false);
  zip_add(&zip, "config.json", data + (rest > 0 ? 2 : 0), config, false);
  zip_add(&zip, "model.weights.h5", data + (rest > 0 ? 2 : 0) + config, rest - config, false);
  const size_t bytes = zip_finish(&zip);
  (void)fuzz_write(ARCHIVE_NAME, zip.file, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (choice == NULL) choice = mmap(NULL, sizeof *choice, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  FUZZ_ASSERT(choice != MAP_FAILED, "no memory to share");
  *choice = data[0] % KINDS;
  if (*choice == PACKED)
    pack(data + 1, size - 1);
  else
    (void)fuzz_write(*choice == ARCHIVE ? ARCHIVE_NAME : "input.h5", data + 1, size - 1);
  fuzz_apart(read_file, fuzz_path("input.h5"));
  return 0;
}
