/* Text in other encodings than UTF-8: what is read, what is refused, and that the encoding named in the message reads
 * it.
 */
#include "convert_helper.h"

#include <iconv.h>

static const char russian[] =
    "Температура,Влажность,Город\n1.5,2,Москва\n2.5,3,Казань\n3.5,1,Москва\n4.5,7,Казань\n0.5,2,Москва\n1.0,5,Казань\n";
static const char chinese[] =
    "温度,湿度,城市\n1.5,2,北京\n2.5,3,上海\n3.5,1,北京\n4.5,7,上海\n0.5,2,北京\n1.0,5,上海\n";
static const char taiwanese[] =
    "溫度,濕度,城市\n1.5,2,臺北\n2.5,3,高雄\n3.5,1,臺北\n4.5,7,高雄\n0.5,2,臺北\n1.0,5,高雄\n";
static const char japanese[] =
    "テスト,湿度,都市\n1.5,2,東京\n2.5,3,大阪\n3.5,1,東京\n4.5,7,大阪\n0.5,2,東京\n1.0,5,大阪\n";
static const char korean[] = "온도,습도,도시\n1.5,2,서울\n2.5,3,부산\n3.5,1,서울\n4.5,7,부산\n0.5,2,서울\n1.0,5,부산\n";
static const char german[] =
    "Größe,Höhe,Stadt\n1.5,2,Zürich\n2.5,3,Genève\n3.5,1,Zürich\n4.5,7,Genève\n0.5,2,Zürich\n1.0,5,Genève\n";

/* Writes a.csv in an encoding. */
static void write_encoded(const char *encoding, const char *text) {
  size_t left = strlen(text), room = 4 * left + 16;
  char *const bytes = malloc(room), *from = (char *)text, *to = bytes;
  const iconv_t state = iconv_open(encoding, "UTF-8");
  assert_true((intptr_t)state != -1);
  assert_non_null(bytes);
  assert_true(iconv(state, &from, &left, &to, &room) != (size_t)-1);
  assert_true(iconv(state, NULL, NULL, &to, &room) != (size_t)-1); /* back to ASCII */
  (void)iconv_close(state);
  write_bytes("a.csv", bytes, (size_t)(to - bytes));
  free(bytes);
}

static void assert_named(const char *encoding, const char *text, const char *advice, const char *columns,
                         const char *classes) {
  mlpd_convert_result r;
  mlpd_convert_options o = telling_options();
  said[0] = '\0';
  write_encoded(encoding, text);
  (void)unlink(in_folder("out.h5"));
  if (advice != NULL) ASSERT_REFUSED(o, MLPD_ERROR_DATA, advice, "a.csv");
  o.encoding = encoding;
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", columns);
  assert_class_names(classes);
  assert_null(strstr(said, "Latin-1"));
}

static void test_likely_encodings_are_named(void **state) {
  (void)state;
  assert_named("windows-1251", russian,
               "a.csv: its text is neither UTF-8 nor Windows-1252; name its encoding: --encoding windows-1251 if "
               "'Температура' is right",
               "Температура,Влажность", "Казань,Москва");
  assert_named("KOI8-R", russian, "name its encoding: --encoding KOI8-R if 'Температура' is right",
               "Температура,Влажность", "Казань,Москва");
  assert_named("GB18030", chinese, "name its encoding: --encoding GB18030 if '温度' is right", "温度,湿度",
               "上海,北京");
  assert_named("Big5", taiwanese, "name its encoding: --encoding Big5 if '溫度' is right", "溫度,濕度", "臺北,高雄");
  assert_named("CP932", japanese, "name its encoding: --encoding CP932 if 'テスト' is right", "テスト,湿度",
               "大阪,東京");
  assert_named("EUC-JP", japanese, "--encoding EUC-JP if 'テスト' is right", "テスト,湿度", "大阪,東京");
  assert_named("EUC-KR", korean, "name its encoding: --encoding EUC-KR if '온도' is right", "온도,습도", "부산,서울");
  assert_named("CP437", german, "name its encoding: --encoding CP437 if 'Größe' is right", "Größe,Höhe",
               "Genève,Zürich");
  assert_named("macintosh", german, "--encoding macintosh if 'Größe' is right", "Größe,Höhe", "Genève,Zürich");
}

static void test_encodings_that_are_found(void **state) {
  (void)state;
  static const char *const names[] = {"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-16"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    mlpd_convert_result r;
    mlpd_convert_options o = telling_options();
    write_encoded(names[i], chinese); /* the first two without a byte order mark */
    (void)unlink(in_folder("out.h5"));
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_names("/columns/name", "温度,湿度");
    assert_class_names("上海,北京");
  }
  mlpd_convert_result r;
  mlpd_convert_options o = telling_options();
  said[0] = '\0';
  write_encoded("windows-1252", german);
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said(
      "its text is not UTF-8 and is read as Latin-1 (Windows-1252); if names look wrong, name its encoding: "
      "--encoding NAME");
  assert_names("/columns/name", "Größe,Höhe");
  write_text("a.csv", "a,b,k\n1,2,\xE9t\xE9\n2,3,\xE0\n3,1,n\xB0 5\n4,7,\xE0\n5,5,5 \xB5m\n6,1,\xAB\xE9t\xE9\xBB\n");
  ASSERT_CONVERTED(o, &r, "a.csv"); /* words of accents alone */
  assert_names("/class_names", "5 µm,n° 5,«été»,à,été");
}

/* Neighbours of Windows-1252, which reads their letters as others, are named with a word as they read it. */
static void test_neighbours(void **state) {
  (void)state;
  static const struct {
    const char *encoding, *text, *advice;
  } cases[] = {
      {"windows-1250", "c,k\nKraków,0\nŁódź,1\nWrocław,0\nŚwidnica,1\n", "--encoding windows-1250 if 'Łódź' is right"},
      {"ISO-8859-2", "c,k\nKraków,0\nŁódź,1\nWrocław,0\n",
       "--encoding windows-1250 if 'ŁódĽ' is right, --encoding ISO-8859-2 if 'Łódź' is right"},
      {"windows-1250", "c,k\nBrno,0\nPlzeň,1\nPříbram,0\n", "encoding: --encoding windows-1250 if 'Plzeň' is right"},
      {"windows-1250", "c,k\nEger,0\nGyőr,1\nSzűcsi,0\n", "encoding: --encoding windows-1250 if 'Győr' is right"},
      {"windows-1254", "c,k\nMuğla,0\nIğdır,1\n", "--encoding windows-1254 if 'Muğla' is right"},
      {"windows-1257", "c,k\nŠiauliai,0\nMažeikiai,1\n", "--encoding windows-1257 if 'Šiauliai' is right"},
      {"windows-1252", "c,k\nAngoulême,0\nBesançon,1\nŒuf,1\n", "--encoding NAME"},
      {"windows-1252", "c,k\nTromsø,0\nÅlesund,1\n", "--encoding NAME"},
      {"windows-1252", "c,k\n¿Cómo,0\n¡Hola,1\nMª,0\nm³,1\n5 µm,0\nn° 3,1\n«été»,0\n£5m,1\n", "--encoding NAME"},
      {"windows-1252", "ºC,k\nMálaga,0\n20 ºC,1\n3 m³S,0\n", "--encoding NAME"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    mlpd_convert_result r;
    said[0] = '\0';
    write_encoded(cases[i].encoding, cases[i].text);
    ASSERT_CONVERTED(telling_options(), &r, "a.csv");
    assert_said(cases[i].advice);
  }
  said[0] = '\0';
  (void)unlink(in_folder("out.h5"));
  write_encoded("windows-1250", "c,k\nLabuť,0\nPřelouč,1\nHuť,0\n"); /* a byte that Windows-1252 does not have */
  ASSERT_REFUSED(plain_options(), MLPD_ERROR_DATA, "--encoding windows-1250 if 'Labuť' is right", "a.csv");
}

/* These hold the last letter back until they know that no sign joins it. The file ends without a line end. */
static void test_last_letters(void **state) {
  (void)state;
  static const struct {
    const char *encoding, *text, *classes;
  } cases[] = {{"windows-1255", "u,k\n1,אב\n2,גב\n3,אב\n4,גב", "אב,גב"},
               {"windows-1258", "u,k\n1,yes\n2,no\n3,yes\n4,no", "no,yes"},
               {"EUC-JISX0213", "u,k\n1,か\n2,きか\n3,か\n4,きか", "か,きか"},
               {"ISO-2022-JP", "u,k\n1,東京\n2,大阪\n3,東京\n4,大阪", "大阪,東京"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    mlpd_convert_result r;
    mlpd_convert_options o = telling_options();
    write_encoded(cases[i].encoding, cases[i].text);
    o.encoding = cases[i].encoding;
    (void)unlink(in_folder("out.h5"));
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_class_names(cases[i].classes);
  }
}

static void test_given_encodings(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  write_encoded("GB18030", chinese);
  o.encoding = "no-such";
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "encoding 'no-such' is unknown to this system's iconv; iconv -l lists", "a.csv");
  o.encoding = "UTF-8";
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "a.csv: holds bytes that are not valid in UTF-8; is --encoding right?", "a.csv");
  o.encoding = "UTF-7"; /* its characters may be longer than four bytes */
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "holds bytes that are not valid in UTF-7", "a.csv");
  static const unsigned char binary[] = {'a', 0, 1, 0, 2, 0, 'b', 0, '\n', 0, 3, 0, 'c', 0, 'd', 0};
  write_bytes("a.csv", binary, sizeof binary); /* no text, although every other byte is zero */
  o.encoding = NULL;
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "its first bytes are not those of CSV, NPY, NPZ or IDX", "a.csv");
}

/* Characters, and sequences of escape, are cut by the buffers of 64 KiB. */
static void test_long_text_with_states(void **state) {
  (void)state;
  enum { ROWS = 9000, ROW_BYTES = 48 };
  char *const text = calloc(ROWS + 1, ROW_BYTES);
  assert_non_null(text);
  size_t used = (size_t)snprintf(text, ROW_BYTES, "a,b,都市\n");
  for (int i = 0; i < ROWS; i++)
    used += (size_t)snprintf(text + used, ROW_BYTES, "%d,%d,%s\n", i * i % 101, i % 7, i % 3 == 0 ? "東京" : "大阪市");
  static const char *const names[] = {"ISO-2022-JP", "UTF-7", "UTF-16LE"};
  for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
    mlpd_convert_result r;
    mlpd_convert_options o = telling_options();
    o.valid_fraction = o.test_fraction = 0;
    o.encoding = names[n];
    write_encoded(names[n], text);
    (void)unlink(in_folder("out.h5"));
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_int_equal(r.train_rows, ROWS);
    assert_class_names("大阪市,東京");
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_likely_encodings_are_named, clear_folder),
      cmocka_unit_test_teardown(test_encodings_that_are_found, clear_folder),
      cmocka_unit_test_teardown(test_neighbours, clear_folder),
      cmocka_unit_test_teardown(test_last_letters, clear_folder),
      cmocka_unit_test_teardown(test_given_encodings, clear_folder),
      cmocka_unit_test_teardown(test_long_text_with_states, clear_folder),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
