/* Several inputs of a conversion: which are train, valid and test, several files of one table, and stratified parts. */
#include "convert_helper.h"
#include "lanes/row_split.h"
#include "source/roles.h"

/* ---- Roles -------------------------------------------------------------------------------------------- */

typedef struct named {
  const char *path;
  role is;
} named;

static void test_names_that_say(void **state) {
  (void)state;
  static const named cases[] = {
      {"train.csv", ROLE_TRAIN},
      {"my-TRAINING-2.csv.gz", ROLE_TRAIN},
      {"x_train.npy", ROLE_TRAIN},
      {"train01.csv", ROLE_TRAIN},
      {"train-images-idx3-ubyte", ROLE_TRAIN},
      {"t10k-labels-idx1-ubyte.gz", ROLE_TEST},
      {"adult.test", ROLE_TEST},
      {"Holdout.csv", ROLE_TEST},
      {"a/eval/part 3.csv", ROLE_TEST},
      {"fold.val.csv", ROLE_VALID},
      {"dev.tsv", ROLE_VALID},
      {"Validation Data.csv", ROLE_VALID},
      {"valid/test-tubes/7.csv", ROLE_TEST}, /* the nearest folder */
      {"test/train.csv", ROLE_TRAIN},        /* the file before its folder */
      {"dataTrain.csv", ROLE_TRAIN},
      {"XTest.npy", ROLE_TEST},
      {"YTEST.npy", ROLE_TEST},
      {"xtrain.npy", ROLE_TRAIN},
      {"trainY2.npy", ROLE_TRAIN},
      {"valx.npy", ROLE_VALID},
      {"TestData2021.csv", ROLE_TEST},
      {"irisDevSet/1.csv", ROLE_VALID},
      {"TrainTest.csv", ROLE_UNCLEAR}, /* both */
      {"latestRun.csv", ROLE_UNCLEAR},
      {"latest.csv", ROLE_UNCLEAR},
      {"LATEST.csv", ROLE_UNCLEAR},
      {"DeVille.csv", ROLE_UNCLEAR},
      {"contest.csv", ROLE_UNCLEAR},
      {"trainees.csv", ROLE_UNCLEAR},
      {"valley.csv", ROLE_UNCLEAR},
      {"devices.csv", ROLE_UNCLEAR},
      {"2test.csv", ROLE_UNCLEAR},
      {"train-test.csv", ROLE_UNCLEAR}, /* both */
      {"t\xc3\xa9st-\xc3\xa9val.csv", ROLE_UNCLEAR},
      {"", ROLE_UNCLEAR},
      {"/", ROLE_UNCLEAR},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (role_by_name(cases[i].path, 0) != cases[i].is)
      fail_msg("%s: role %d, wanted %d", cases[i].path, (int)role_by_name(cases[i].path, 0), (int)cases[i].is);
}

/* A folder that all files are in tells none from another. */
static void test_shared_folders(void **state) {
  (void)state;
  const char *const same[] = {"/home/test/a.csv", "/home/test/b.csv"}, *const apart[] = {"d/train/a.csv",
                                                                                         "d/test/a.csv"};
  const char *const alone = "test/data.csv";
  size_t shared = roles_shared_folder(same, 2);
  assert_int_equal(shared, strlen("/home/test/"));
  assert_int_equal(role_by_name(same[0], shared), ROLE_UNCLEAR);
  shared = roles_shared_folder(apart, 2);
  assert_int_equal(shared, strlen("d/"));
  assert_int_equal(role_by_name(apart[0], shared), ROLE_TRAIN);
  assert_int_equal(role_by_name(apart[1], shared), ROLE_TEST);
  assert_int_equal(role_by_name("/dev/fd/63", 0), ROLE_UNCLEAR);
  assert_int_equal(role_by_name("/dev/shm/train.csv", 0), ROLE_TRAIN);
  assert_int_equal(role_by_name("/data/dev/a.csv", 0), ROLE_VALID);
  assert_int_equal(role_by_name(alone, roles_shared_folder(&alone, 1)), ROLE_UNCLEAR);
}

static void assert_settled(const char *given, int per_part, const char *settled, bool all_unclear) {
  static const char letters[] = "abcdefgh";
  const char *paths[8] = {NULL};
  role roles[8];
  const int count = (int)strlen(given);
  bool unclear = false;
  for (int i = 0; i < count; i++) {
    paths[i] = &letters[i];
    roles[i] = given[i] == 't' ? ROLE_TRAIN : given[i] == 'v' ? ROLE_VALID : given[i] == 'e' ? ROLE_TEST : ROLE_UNCLEAR;
  }
  const mlpd_status status = roles_settle(paths, count, per_part, roles, &unclear);
  if (settled == NULL) {
    assert_int_equal(status, MLPD_ERROR_USAGE);
    assert_non_null(strstr(mlpd_error_message(), "--train FILE --valid FILE --test FILE"));
    return;
  }
  assert_int_equal(status, MLPD_OK);
  assert_int_equal(unclear, all_unclear);
  for (int i = 0; i < count; i++)
    assert_int_equal(roles[i], settled[i] == 't' ? ROLE_TRAIN : settled[i] == 'v' ? ROLE_VALID : ROLE_TEST);
}

static void test_unclear_roles(void **state) {
  (void)state;
  assert_settled("?", 1, "t", true);
  assert_settled("???", 1, "ttt", true);
  assert_settled("e", 1, "e", false);
  assert_settled("e?", 1, "et", false);
  assert_settled("?v?e", 1, "tvte", false);
  assert_settled("t?", 1, "te", false);
  assert_settled("t?v", 1, "tev", false);
  assert_settled("t??", 1, NULL, false);
  assert_settled("te?", 1, NULL, false);
  assert_settled("tt??", 2, "ttee", false); /* x and y */
  assert_settled("tt????", 2, NULL, false);
}

/* ---- Files ---------------------------------------------------------------------------------------------- */

/* Shards of other types, and with their columns in another order, target too. */
static void test_shards_of_a_table(void **state) {
  (void)state;
  mlpd_convert_result r;
  write_text("one.csv", "u,v,k\n1,2,a\n3,4,b\n");
  write_text("two.csv", "k,v,u\nb,300,5\n");
  write_text("three.csv", "v,u,k\n0.5,6,a\n");
  ASSERT_CONVERTED(telling_options(), &r, "one.csv", "two.csv", "three.csv");
  assert_int_equal(r.train_rows, 4);
  assert_array("/train/x", 4, 2, ELEMENT_F32, VALUES(1, 2, 3, 4, 5, 300, 6, 0.5));
  assert_array("/train/y", 4, 1, ELEMENT_U8, VALUES(0, 1, 1, 0));
  assert_names("/columns/name", "u,v");
  assert_said("one.csv: part of one table with the other files");
  assert_said("two.csv: columns reordered as in");
  (void)unlink(in_folder("out.h5"));
  write_text("two.csv", "k,v,w\nb,300,5\n");
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "has no column 'u', but", "one.csv", "two.csv");
  write_text("two.csv", "u,v\n5,300\n");
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "no target 'k', which", "one.csv", "two.csv");
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_USAGE, "are the same file", "one.csv", "two.csv", "one.csv");
  write_text("two.csv", "k\na\n");
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "paste -d, x.csv y.csv > xy.csv joins them", "two.csv");
  /* A copy is none of the same file, and has its size, as other.csv has. */
  write_text("copy.csv", "u,v,k\n1,2,a\n3,4,b\n");
  write_text("test.csv", "u,v,k\n1,2,a\n3,4,b\n");
  write_text("other.csv", "u,v,k\n1,2,a\n3,5,b\n");
  write_text("one.csv", "u,v,k\n1,2,a\n3,4,b\n");
  ASSERT_CONVERTED(telling_options(), &r, "one.csv", "copy.csv", "other.csv");
  assert_said("copy.csv is a copy of ");
  assert_said("one.csv: its rows count twice");
  write_text("train.csv", "u,v,k\n1,2,a\n3,4,b\n");
  ASSERT_CONVERTED(telling_options(), &r, "train.csv", "test.csv");
  assert_said("train.csv: the figures of one part are those of the other's rows");
  ASSERT_CONVERTED(telling_options(), &r, "one.csv", "other.csv");
  if (strstr(said, "is a copy of") != NULL) fail_msg("'%s'", said);
}

static void assert_strangers(bool noted, const char *first, const char *second) {
  mlpd_convert_result r;
  write_text("one.csv", first);
  write_text("two.csv", second);
  ASSERT_CONVERTED(telling_options(), &r, "one.csv", "two.csv");
  if ((strstr(said, "none of those of the files before it") != NULL) != noted) fail_msg("%s: '%s'", second, said);
}

static void test_classes_of_shards(void **state) {
  (void)state;
  static const char words[] = "u,k\n1,bad\n2,good\n", numbers[] = "u,k\n3,0\n4,1\n";
  assert_strangers(true, words, numbers);
  assert_said("two.csv: its classes (0, 1) are none of those of the files before it (bad, good); write them alike if");
  assert_strangers(true, numbers, "u,k\n3,2\n4,3\n");
  assert_said("(2, 3) are none of those of the files before it (0, 1)");
  assert_strangers(true, "u,k\n1,red\n2,blue\n", "u,k\n1,rot\n2,blau\n3,rot\n");
  assert_strangers(false, numbers, "u,k\n3,0.0\n4,1.0\n");
  assert_strangers(false, numbers, "u,k\n3,1\n4,2\n");
  assert_strangers(false, "u,k\n1,cat\n2,cat\n", "u,k\n3,dog\n4,dog\n"); /* a class a file */
  assert_strangers(false, "u,k\n1,0.5\n2,1.25\n", "u,k\n3,2\n4,3\n");    /* values */
}

static void test_parts_by_name(void **state) {
  (void)state;
  mlpd_convert_result r;
  write_text("train-1.csv", "u,k\n1,0\n2,1\n");
  write_text("train-2.csv", "u,k\n3,0\n");
  write_text("holdout.csv", "k,u\n1,4\n0,5\n");
  mlpd_convert_options o = telling_options();
  o.label = "k";
  ASSERT_CONVERTED(o, &r, "holdout.csv", "train-1.csv", "train-2.csv");
  assert_array("/train/x", 3, 1, ELEMENT_U8, VALUES(1, 2, 3));
  assert_array("/test/x", 2, 1, ELEMENT_U8, VALUES(4, 5));
  assert_array("/test/y", 2, 1, ELEMENT_U8, VALUES(1, 0));
  assert_said("holdout.csv: test part");
  assert_said("train-2.csv: train part");
  ASSERT_CONVERTED(o, &r, "holdout.csv"); /* alone, it stays what it is */
  assert_int_equal(r.test_rows, 2);
  assert_int_equal(r.train_rows, 0);
  (void)unlink(in_folder("out.h5"));
  write_text("a.csv", "u,k\n1,0\n");
  write_text("b.csv", "u,k\n1,0\n");
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "name the parts: mlpdist convert --train FILE", "train-1.csv", "a.csv", "b.csv");
  const mlpd_split roles[] = {MLPD_VALID, MLPD_TEST, MLPD_TRAIN};
  o.roles = roles;
  ASSERT_CONVERTED(o, &r, "train-1.csv", "a.csv", "b.csv");
  assert_true(r.valid_rows == 2 && r.test_rows == 1 && r.train_rows == 1);
}

/* ---- Stratified splits ----------------------------------------------------------------------------------- */

static void assert_split(uint32_t classes, const uint64_t *rows, double valid, double test, const uint64_t *wanted) {
  row_split s;
  assert_int_equal(row_split_create(classes, rows, valid, test, 3, &s), MLPD_OK);
  uint64_t drawn[8][SPLIT_PARTS] = {{0}};
  for (uint32_t k = 0; k < classes; k++)
    for (uint64_t i = 0; i < rows[k]; i++) drawn[k][row_split_draw(&s, k)]++;
  for (uint32_t k = 0; k < classes; k++)
    for (int p = 0; p < SPLIT_PARTS; p++)
      if (drawn[k][p] != wanted[k * SPLIT_PARTS + (uint32_t)p])
        fail_msg("class %u: %llu rows of part %d, wanted %llu", k, (unsigned long long)drawn[k][p], p,
                 (unsigned long long)wanted[k * SPLIT_PARTS + (uint32_t)p]);
  row_split_free(&s);
}

#define ROWS(...) ((const uint64_t[]){__VA_ARGS__})

static void test_stratified(void **state) {
  (void)state;
  assert_split(2, ROWS(100, 50), 0.1, 0.2, ROWS(70, 10, 20, 35, 5, 10));
  assert_split(2, ROWS(8, 2), 0.1, 0, ROWS(7, 1, 0, 2, 0, 0));
  /* 1.5 rows of each of three classes: 5 in all (4.5 rounded), the first two of the largest remainder. */
  assert_split(3, ROWS(15, 15, 15), 0.1, 0, ROWS(13, 2, 0, 13, 2, 0, 14, 1, 0));
  /* A class keeps its last row... */
  assert_split(3, ROWS(96, 1, 1), 0.5, 0.4, ROWS(8, 49, 39, 1, 0, 0, 1, 0, 0));
  /* ... unless there is none that could do without. */
  assert_split(4, ROWS(1, 1, 1, 1), 0.25, 0.25, ROWS(0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0));
  assert_split(1, ROWS(10), 0.49, 0.51, ROWS(1, 4, 5));
}

static void test_converted_stratified(void **state) {
  (void)state;
  FILE *file = fopen(in_folder("rare.csv"), "w");
  assert_non_null(file);
  (void)fprintf(file, "u,k\n");
  for (int i = 0; i < 200; i++) (void)fprintf(file, "%d,%s\n", i, i < 20 ? "few" : "many");
  (void)fprintf(file, "7,one\n");
  assert_int_equal(fclose(file), 0);
  mlpd_convert_options o = telling_options();
  o.valid_fraction = 0.1;
  o.test_fraction = 0.2;
  mlpd_convert_result r;
  ASSERT_CONVERTED(o, &r, "rare.csv");
  assert_true(r.valid_rows == 20 && r.test_rows == 40);
  assert_said("note: class 'one' has a single row");
  h5_file *opened;
  uint8_t y[40];
  int few = 0;
  assert_int_equal(h5_open(in_folder("out.h5"), &opened), MLPD_OK);
  assert_int_equal(h5_read(opened, "/test/y", 40, 0, ELEMENT_U8, y), MLPD_OK);
  for (int i = 0; i < 40; i++) few += y[i] == 0;
  assert_int_equal(few, 4);
  assert_int_equal(h5_close(opened), MLPD_OK);
}

static void test_classes_without_training(void **state) {
  (void)state;
  mlpd_convert_result r;
  write_text("train.csv", "u,k\n1,a\n2,b\n3,a\n4,b\n");
  write_text("test.csv", "u,k\n1,a.\n2,b\n3,a.\n");
  ASSERT_CONVERTED(telling_options(), &r, "train.csv", "test.csv");
  assert_said("note: class 'a.' is in the validation or test part, but not in the training part");
  assert_null(strstr(said, "single"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names_that_say),
      cmocka_unit_test(test_shared_folders),
      cmocka_unit_test(test_unclear_roles),
      cmocka_unit_test_teardown(test_shards_of_a_table, clear_folder),
      cmocka_unit_test_teardown(test_classes_of_shards, clear_folder),
      cmocka_unit_test_teardown(test_parts_by_name, clear_folder),
      cmocka_unit_test(test_stratified),
      cmocka_unit_test_teardown(test_converted_stratified, clear_folder),
      cmocka_unit_test_teardown(test_classes_without_training, clear_folder),
  };
  return cmocka_run_group_tests_name("convert parts", tests, make_folder, remove_folder);
}
