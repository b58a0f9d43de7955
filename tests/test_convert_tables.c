/* Tables as people write them: headers, titles, delimiters, notations, missing values, chosen columns; and the
 * decisions that convert reports. */
#include <math.h>
#include <stdio.h>

#include "convert_helper.h"

/* printf with %d, %1$d and %1$02d. If _FORTIFY_SOURCE is set, as Ubuntu's gcc does, printf itself stops the program
   where a format leaves a value out. */
static void write_row(FILE *file, const char *format, const int *values) {
  for (const char *c = format; *c != '\0'; c++) {
    if (*c != '%') {
      (void)fputc(*c, file);
      continue;
    }
    int value = *values, width = 1;
    if (c[2] == '$') {
      value = values[c[1] - '1'];
      c += 2;
    } else {
      values++;
    }
    if (c[1] == '0') {
      width = c[2] - '0';
      c += 2;
    }
    c++; /* the d */
    (void)fprintf(file, "%0*d", width, value);
  }
}

/* Writes head, then rows lines of format with the row's number, its half and its parity. */
static void write_rows(const char *head, int rows, const char *format) {
  FILE *file = fopen(in_folder("a.csv"), "w");
  (void)fputs(head, file);
  for (int i = 0; i < rows; i++) write_row(file, format, (const int[]){i, i / 2, i % 2});
  (void)fclose(file);
}

static void assert_refused(mlpd_convert_options o, mlpd_status status, const char *text, const char *part) {
  write_text("a.csv", text);
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(o, status, part, "a.csv");
}

/* Fails unless text becomes two rows of two features, 1 2 and 3 4, with the labels 0 and 1. */
static void assert_plain_table_of(mlpd_convert_options o, const char *text, size_t bytes) {
  mlpd_convert_result r;
  write_bytes("a.csv", text, bytes);
  if (CONVERT(o, &r, "a.csv") != MLPD_OK) fail_msg("'%s' is refused: %s", text, mlpd_error_message());
  if (r.features != 2 || r.train_rows != 2) fail_msg("'%s': %u features, %d rows", text, r.features, (int)r.train_rows);
  assert_array("/train/x", 2, 2, ELEMENT_U8, VALUES(1, 2, 3, 4));
  assert_array("/train/y", 2, 1, ELEMENT_U8, VALUES(0, 1));
}

static void assert_plain_table(mlpd_convert_options o, const char *text) {
  assert_plain_table_of(o, text, strlen(text));
}

/* ---- Headers, titles, delimiters ---- */

static void test_headers(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  const char *const with_names[] = {
      "u,v,k\n1,2,0\n3,4,1\n",
      "# u,v,k\n1,2,0\n3,4,1\n",                 /* numpy.savetxt(header=...) */
      "#u\tv\tk\n1\t2\t0\n3\t4\t1\n",            /* VCF, BED */
      "# made by hand\n# u v k\n1 2 0\n3 4 1\n", /* gnuplot */
      "% u,v,k\n1,2,0\n3,4,1\n",                 /* Matlab */
      "//u,v,k\n1,2,0\n3,4,1\n",
      "; u v k\n1 2 0\n3 4 1\n", /* blanks: the sign is no cell */
      "!! u\tv\tk\n1\t2\t0\n3\t4\t1\n",
      "% made, by, hand\n% u,v,k\n1,2,0\n3,4,1\n",
      "% made, by, hand\nu,v,k\n1,2,0\n3,4,1\n",
      "% u,v,k\n% m,s,m\n1,2,0\n3,4,1\n", /* units, which repeat themselves */
      "u,v,k\n[s],[K],\n1,2,0\n3,4,1\n",  /* units */
      "u,v,k\nf,t,n\n1,2,0\n3,4,1\n",     /* units that may be answers */
      "Experiment 12, run 3\n\nu,v,k\n1,2,0\n3,4,1\n",
      "Experiment 12\nby hand\nu;v;k\n1;2;0\n3;4;1\n",
      "sep=;\nu;v;k\n1;2;0\n3;4;1\n",
      "\"sep=|\"\r\nu|v|k\r\n1|2|0\r\n3|4|1\r\n",
      " u , \" v \", k \n1,2,0\n3,4,1\n",
      "u,v,k\r1,2,0\r3,4,1\r",       /* Macintosh */
      "u,v,k\r\r\n1,2,0\r\r\n3,4,1", /* text written as text twice */
      "u,v,k\n1,2,0,\n3,4,1,\n",     /* trailing delimiters */
      "u,v,k,\n1,2,0,\n3,4,1,\n",
      "u;v;k;;\n1;2;0;;\n3;4;1;;\n;;;;\n",
      "u,v,k\n1,2,0\nu,v,k\n3,4,1\n", /* two tables put together, with byte order marks and the end of a DOS text */
      "\xEF\xBB\xBF\xEF\xBB\xBFu,v,k\r\n1,2,0\r\n\xEF\xBB\xBFu,v,k\r\n3,4,1\r\n\x1A",
      "Report,,\nMade on: 2024-01-02,,\n,,\nu,v,k\n1,2,0\n3,4,1\n", /* titles of a spreadsheet */
      "u,v,k\nTicker,A,A\nDate,,\n1,2,0\n3,4,1\n",                  /* names in levels, then that of the index */
  };
  for (size_t i = 0; i < sizeof with_names / sizeof with_names[0]; i++) {
    assert_plain_table(o, with_names[i]);
    assert_names("/columns/name", "u,v");
    assert_names("/targets/name", "k");
  }
  const char *const without_names[] = {"1,2,0\n3,4,1\n",
                                       "1,2,0,\n3,4,1,\n",
                                       "1|2|0\n3|4|1\n",
                                       "1:2:0\n3:4:1\n",
                                       "1~2~0\n3~4~1\n",
                                       "a title\n1,2,0\n3,4,1\n",
                                       "// a title, or not\n1,2,0\n3,4,1\n",
                                       ("\xEF\xBB\xBF"
                                        "1,2,0\n3,4,1"),
                                       "# 1 comment\n1,2,0\n# another\n3,4,1\n"};
  for (size_t i = 0; i < sizeof without_names / sizeof without_names[0]; i++) {
    assert_plain_table(o, without_names[i]);
    assert_names("/columns/name", "");
  }
}

/* A sign of other programs' comments may begin a name. */
static void test_signs_in_names(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  const struct {
    const char *text, *names;
  } cases[] = {{"%u,v,k\n1,2,0\n3,4,1\n", "%u,v"},
               {"% u,% v,k\n1,2,0\n3,4,1\n", "% u,% v"},
               {"% u v k\n1 2 3 0\n3 4 5 1\n", "%,u,v"},
               {"; u;v;k\n1;2;3;0\n3;4;5;1\n", "u,v"}}; /* an index without a name */
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    write_text("a.csv", cases[i].text);
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_names("/columns/name", cases[i].names);
  }
}

/* Names in several lines are joined, where the first does not tell the columns apart. */
static void test_names_in_levels(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  const struct {
    const char *head, *names; /* names: those of the features, then that of the target */
  } cases[] = {
      {"g,g,g,g\na,b,c,y\n", "g a,g b,g c,g y"}, /* pandas */
      {"g,g,g,g\na,b,c,y\nm,s,kg,-\n", "g a,g b,g c,g y"},
      {"g,g,h,h\na,b,c,y\nm,s,m,s\nf,f,f,f\n", "g a,g b,h c,h y"},
      {"A title\ng,g,h,h\na,b,c,y\n", "g a,g b,h c,h y"},
      {"A title,,,\ng,,h,h\na,b,c,y\nm,s,m,s\n", "g a,g b,h c,h y"},
      {"g,,h,\na,b,c,y\n", "g a,g b,h c,h y"}, /* merged cells */
      {"g,,,y\na,b,c,\n", "g a,g b,g c,y"},
      {",g,,h\na,b,c,y\n", "a,g b,g c,h y"},
      {"g,,h,\na,b,a,b\n", "g a,g b,h a,h b"},
      {"X,,,y\ng,,h,\na,b,a,\n", "X g a,X g b,X h a,y"},
      {"g,g,h,y\na,b,a,Unnamed: 3_level_1\n", "g a,g b,h a,y"},
      {"g,g,h,y\n2019,2020,2019,\n", "g 2019,g 2020,h 2019,y"},
      {"g,h,k,y\ng,g,g,g\n", "g,h,k,y"},   /* the first line does tell them apart */
      {"t,F,F,y\ns,N,N,-\n", "t,F,F.1,y"}, /* nothing to gain */
      {"g,g,h,h\na,b,c,c\n", "g a,g b,h c,h c.1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[256], features[64];
    const char *const target = strrchr(cases[i].names, ',') + 1;
    (void)snprintf(text, sizeof text, "%s.5,1.5,3.5,0\n2.5,9.5,4.5,1\n", cases[i].head);
    (void)snprintf(features, sizeof features, "%.*s", (int)(target - cases[i].names - 1), cases[i].names);
    write_text("a.csv", text);
    if (CONVERT(o, &r, "a.csv") != MLPD_OK) fail_msg("'%s' is refused: %s", text, mlpd_error_message());
    if (r.train_rows != 2 || r.features != 3) fail_msg("'%s': %d rows of %u", text, (int)r.train_rows, r.features);
    assert_names("/columns/name", features);
    assert_names("/targets/name", target);
  }
  const struct {
    const char *text, *names;
    int rows;
  } numbers[] = {
      /* pandas: unstack(), pivot_table(), with and without an index, which may have a name */
      {"a,a,b,y\n0,1,0,0\n.5,1.5,3.5,0\n2.5,9.5,4.5,1\n", "a 0,a 1,b 0", 2},
      {"a,b,a,y\n7,7,14,7\n.5,1.5,3.5,0\n2.5,9.5,4.5,1\n", "a 7,b 7,a 14", 2},
      {"a,,b,y\n1,2,1,2\n.5,1.5,3.5,0\n2.5,9.5,4.5,1\n", "a 1,a 2,b 1", 2},
      {",a,a,b,y\n,0,1,0,0\n0,0,1,0,0\n1,0,2,0,1\n", "a 0,a 1,b 0", 2},
      {"g,a,a,b,y\nn,0,1,0,0\nid,,,,\n7,0,1,0,0\n7,0,2,0,1\n", "id,a 0,a 1,b 0", 2},
      {"g,g,g,g\na,a,b,c\n0,1,0,0\n.5,1.5,3.5,0\n2.5,9.5,4.5,1\n", "g a 0,g a 1,g b 0", 2},
      /* rows: others look like them; numbers that do not rise, or that the repeated name lacks; a name in the first
         cell */
      {"a,a,b,y\n0,1,0,0\n0,2,2,0\n1,3,3,1\n", "a,a.1,b", 3},
      {"a,a,b,y\n1,0,0,0\n.5,1.5,3.5,0\n2.5,9.5,4.5,1\n", "a,a.1,b", 3},
      {"a,a,b,y\n0,1,5,0\n.5,1.5,3.5,0\n2.5,9.5,4.5,1\n", "a,a.1,b", 3},
      {"g,a,a,b,y\nu,0,1,0,0\nv,.5,1.5,3.5,0\nu,2.5,9.5,4.5,1\n", "g,a,a.1,b", 3},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    write_text("a.csv", numbers[i].text);
    if (CONVERT(o, &r, "a.csv") != MLPD_OK) fail_msg("'%s' is refused: %s", numbers[i].text, mlpd_error_message());
    if ((int)r.train_rows != numbers[i].rows) fail_msg("'%s': %d rows", numbers[i].text, (int)r.train_rows);
    assert_names("/columns/name", numbers[i].names);
  }
  /* A title with several cells and a group above distinct names are passed over; pandas names the index by itself. */
  write_text("a.csv", "g,,h,,\na,b,c,d,y\n.5,1.5,3.5,1,0\n2.5,9.5,4.5,2,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "a,b,c,d");
  write_text("a.csv", "one,g,g,h\ntwo,a,b,y\nid,,,\n7,.5,1.5,0\n9,2.5,9.5,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "id,g a,g b");
  o.label = "h y";
  write_text("a.csv", ",g,g,h\n,a,b,y\n,m,s,-\n0,.5,1.5,0\n1,2.5,9.5,1\n"); /* its index has no name */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "g a,g b");
}

static void test_headers_of_numbers(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  const struct {
    const char *text, *names; /* names "": a row */
    int rows;
  } cases[] = {
      {"0,1,2,3\n0.5,7,8,1\n0.25,9,8,0\n", "0,1,2", 2},         /* a data frame without names */
      {",0,1,2\n0,5,6,0\n1,7,8,1\n", "0,1", 2},                 /* with its index */
      {"1990,2000,2010\n3.5,4.5,1\n2.5,4,0\n", "1990,2000", 2}, /* years */
      {"label,0,1\n5,7,0\n6,8,1\n", "label,0", 2},
      {"0,1,2,3\n4,5,6,7\n8,9,10,11\n", "", 3}, /* numbers go on */
      {"0,1\n1,0\n0,1\n", "", 3},
      {"1990,2000,1\n1995,2001,0\n", "", 2}, /* years in the rows, too */
      {"0,1,2\n1,0,2\n2,0,1\n", "", 3},
      {"1,2,a\n3,4,b\n5,6,a\n", "", 3},
      {"400.5,401,401.7,k\n.1,.2,.3,1\n.2,.1,.1,0\n", "400.5,401,401.7", 2}, /* wavelengths */
      {"5.5,6,7.2,a\n5.9,6.1,8,b\n6,6,6,a\n5,6,6,b\n", "", 4},
      {"400,402,404,406,408,410,412,414\n1,2,3,9,5,3,8,0\n2,1,3,5,5,3,1,1\n", "400,402,404,406,408,410,412", 2},
      {"10,20,30,40,50,60,70,80\n11,22,33,44,55,66,77,0\n2,1,3,5,5,3,1,1\n", "", 3},
      {"1,2,null\n3,4,5\n", "", 1}, /* a row with a missing value is no header */
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    write_text("a.csv", cases[i].text);
    ASSERT_CONVERTED(o, &r, "a.csv");
    if ((int)r.train_rows != cases[i].rows) fail_msg("'%s': %d rows", cases[i].text, (int)r.train_rows);
    assert_names("/columns/name", cases[i].names);
  }
}

static void test_rows_that_begin_with_a_hash(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  write_text("a.csv", "colour,u,k\n#ff0000,1.5,a\n#00ff00,2,b\n#ff0000,3,a\n"); /* all rows begin so */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "colour,u");
  assert_names("/columns/categories", "#00ff00,#ff0000");
  o.label = "colour";
  write_text("a.csv", "colour,u\n#ff0000,1\nblue,2\n# a comment\n#ff0000,3\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 3, 1, ELEMENT_U8, VALUES(1, 2, 3));
  assert_names("/class_names", "#ff0000,blue");
  o.label = "#";
  write_text("a.csv", "#,HP\n5,1\n6,2\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "HP");
  o.label = "0";
  write_text("a.csv", "#ff0000,1\nblue,2\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.train_rows, 2);
}

static void test_index_columns(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_text("a.csv", ",u,k\n7,1,0\n3,2,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 2, 1, ELEMENT_U8, VALUES(1, 2));
  assert_said("the first column, without a name, numbers or names the rows: left out");
  write_text("a.csv", "u k\n\"r1\" 1 0\n\"r2\" 2 1\n"); /* R's write.table */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "u");
  write_rows("", 20, "%d,%d,%d\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.features, 1);
  assert_said("numbers or names the rows: left out (--columns keeps it)");
  o.columns = "0-1";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.features, 2);
  o.columns = NULL;
  write_text("a.csv", ",,k\n1,2,0\n3,4,1\n"); /* several columns without names: none is an index */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "Unnamed: 0,Unnamed: 1");
  write_rows("id,u,k\n", 20, "%d,%d,%d\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.features, 2); /* its name says that it is wanted */
  assert_said("a.csv: the feature 'id' numbers the rows; --ignore 'id' leaves it out");
  o = telling_options();
  write_rows("level_0,index,u,k\n", 20, "%1$d,%1$d,%2$d,%3$d\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("a.csv: the features 'level_0', 'index' number the rows; --ignore 'level_0,index' leaves them out");
}

static void test_totals_and_comments(void **state) {
  (void)state;
  mlpd_convert_result r;
  assert_refused(plain_options(), MLPD_ERROR_DATA, "u,v,k\n1,2,0\n3,4,1\n5,6,0\nTotal,12,1\n",
                 "a.csv:5: column 1 (u): 'Total' is not a number; delete this last line if it is no row");
  assert_refused(plain_options(), MLPD_ERROR_DATA, "u,v,k\n1,2,0\nx,4,1\n5,6,0\n7,12,1\n",
                 "a.csv:3: column 1 (u): 'x' is not a number; correct it, or");
  write_text("a.csv", "u v k\n1 2 0 # fast\n3 4 1 # slow\n5 6 0 # slow\n");
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_said("a.csv: each row has a cell '#': if comments follow the rows, remove them: sed 's/#.*//' OLD > NEW");
  write_text("a.csv", "u v k\n1 2 0 #1\n3 4 1 #2\n5 6 0 #1\n");
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  if (strstr(said, "each row has") != NULL) fail_msg("'%s'", said);
}

static void assert_not_counting(void) {
  if (strstr(said, "the rows; --ignore") != NULL || strstr(said, "target numbers") != NULL) fail_msg("'%s'", said);
}

/* Anywhere else they are noted: a time may number the rows. */
static void test_columns_that_count(void **state) {
  (void)state;
  mlpd_convert_result r;
  write_rows("u,,k\n", 30, "%2$d,%1$d,%3$d\n");
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_said("a.csv: the feature 'Unnamed: 1' numbers the rows; --ignore 'Unnamed: 1' leaves it out");
  write_rows("u,id,year,step (t),k\n", 30, "%2$d,%1$d,%1$d,%1$d,%3$d\n"); /* times follow one another */
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_said("a.csv: the feature 'id' numbers the rows; --ignore 'id' leaves it out");
  write_rows("u,k,n\n", 30, "%2$d,%3$d,%1$d\n");
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_said("note: the target numbers the rows, from 0 to 29; choose another with --label");
  (void)rename(in_folder("a.csv"), in_folder("b.csv"));
  write_rows("u,k,n\n", 30, "1%2$d,%3$d,%1$d\n"); /* each of two tables is numbered */
  ASSERT_CONVERTED(telling_options(), &r, "a.csv", "b.csv");
  assert_said("note: the target numbers the rows");
  write_rows("u,k,n\n3,4,29\n", 30, "%1$d,%3$d,%1$d\n");
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_not_counting();
  write_rows("x,k\n", 30, "%1$d,%3$d\n"); /* a function of x */
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_not_counting();
  write_rows("a,u,k\n", 40, "%1$d,%2$d,%3$d\n"); /* the first rows alone do not decide */
  FILE *const more = fopen(in_folder("a.csv"), "a");
  (void)fputs("7,3,1\n", more);
  (void)fclose(more);
  ASSERT_CONVERTED(telling_options(), &r, "a.csv");
  assert_not_counting();
}

static void test_line_ends_in_quotes(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  write_text("a.csv", "\"area\nm2\",price,k\n1,2,\"a\nb\"\r\n3,4,\"c\r\nd\"\n5,\"6\",e\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 3, 2, ELEMENT_U8, VALUES(1, 2, 3, 4, 5, 6));
  assert_names("/columns/name", "area m2,price");
  assert_names("/class_names", "a b,c d,e");
  o.ignore = "note";
  write_text("a.csv", "u,note,k\n1,\"line one\nline \"\"two\"\", 5\n\n# three\",0\n3,x,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 2, 1, ELEMENT_U8, VALUES(1, 3));
  assert_refused(o, MLPD_ERROR_DATA, "u,note,k\n1,x,0\n2,\"y,1\n3,z,0\n4,\"w\",1\n", "a.csv:3: column 2 (note)");
  assert_refused(o, MLPD_ERROR_DATA, "u,note,k\n1,\"x\ny\",0\n2,z,1\nu,z,0\n", "a.csv:5: column 1 (u): 'u'");
}

static void test_skipped_lines(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  o.skip_lines = 3;
  assert_plain_table(o, "5,5,5\n6,6,6\n\"open\nu,v,k\n1,2,0\n3,4,1\n");
  assert_said("the first 3 lines are skipped");
  assert_refused(o, MLPD_ERROR_DATA, "1,2,0\n3,4,1\n", "holds no rows");
}

/* ---- Encodings ---- */

static size_t widen(const char *text, bool big, char *out) {
  size_t bytes = 0;
  for (; *text != '\0'; text++) {
    out[bytes + (big ? 1 : 0)] = *text;
    out[bytes + (big ? 0 : 1)] = '\0';
    bytes += 2;
  }
  return bytes;
}

/* As the clients of databases print tables. */
static void test_frames_and_footers(void **state) {
  (void)state;
  const mlpd_convert_options o = plain_options();
  const char *const plain[] = {
      " u | v | k \n---+---+---\n 1 | 2 | 0 \n 3 | 4 | 1 \n(2 rows)\n\nTime: 0,31 ms\n",
      "u,v,k\n1,2,0\n3,4,1\n2 rows in set (0.00 sec)\n\nBye\n",
      "u,v,k\n1,2,0\n,,\n3,4,1\n(3 rows)\n", /* it counts the empty one, too */
      "u     v     k\n----- ----- -----\n1 2 0\n3 4 1\n\n(2 rows affected)\n",
      "u,v,k\n1,2,0\n3,4,1\n2 rows selected.\n",
      "u,v,k\n1,2,0\n3,4,1\n\n  2 record(s) selected.\n",
      "+---+---+---+\n|u|v|k|\n+===+===+===+\n|1|2|0|\n|3|4|1|\n+---+---+---+\n2 rows in set\n",
  };
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) assert_plain_table(o, plain[i]);
  assert_plain_table(telling_options(), plain[0]);
  assert_said("the line below the table, '(2 rows)', counts its rows and is skipped");
  assert_refused(o, MLPD_ERROR_DATA, "u,v,k\n1,2,0\n3,4,1\n(3 rows)\n",
                 "a.csv:4: '(3 rows)' counts 3 rows, but 2 are above it: is the table complete?");
  assert_refused(o, MLPD_ERROR_DATA, "u,v,k\n1,2,0\n3,4,1\n(2 rows)\nu,v,k\n1,2,0\n(1 row)\n5,6,0\n",
                 "a.csv:6: a row below '(2 rows)', which ends the table");
  /* Lines that only look like it. */
  assert_refused(o, MLPD_ERROR_DATA, "u,v,k\n1,2,0\n3,4,1\n(2 rowers)\n",
                 "a.csv:4: 1 cell, but 3 in the header (if this line is not a row of the table, delete it)");
  assert_refused(o, MLPD_ERROR_DATA, "u,v,k\n1,2,0\n3,4,1\n2\n", "a.csv:4: 1 cell, but 3 in the header");
  write_text("a.csv", "u,v,k\n1,2 rows,0\n3,4 rows,1\n5,2 rows,1\n");
  mlpd_convert_result r;
  assert_int_equal(CONVERT(o, &r, "a.csv"), MLPD_OK);
  assert_int_equal(r.train_rows, 3);
  /* A table of one column: text below the footer is left out, a number is a row. */
  mlpd_convert_options alone = plain_options();
  alone.label = "none";
  write_text("a.csv", "u\n1\n2\n(2 rows)\n\nTime: 0.31 ms\n");
  assert_int_equal(CONVERT(alone, &r, "a.csv"), MLPD_OK);
  assert_int_equal(r.test_rows, 2);
  (void)unlink(in_folder("out.h5"));
  assert_refused(alone, MLPD_ERROR_DATA, "u\n1\n2\n(2 rows)\n\n3\n", "a.csv:6: a row below '(2 rows)'");
}

static void test_encodings(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  char wide[256];
  const char *text = "u,v,k\r\n1,2,0\r\n3,4,1\r\n";
  for (int big = 0; big < 2; big++) {
    memcpy(wide, big ? "\xFE\xFF" : "\xFF\xFE", 2);
    const size_t bytes = widen(text, big, wide + 2);
    assert_plain_table_of(o, wide, bytes + 2);
    assert_plain_table_of(o, wide + 2, bytes); /* without a mark */
    assert_names("/columns/name", "u,v");
  }
  write_text("a.csv",
             "gr\xF6\xDF"
             "e,k\n1,M\xFCller\n2,M\xFCller\n3,Z\xC3\xBCrich\n"); /* Latin-1; and UTF-8 */
  o.columns =
      "gr\xC3\xB6\xC3\x9F"
      "e";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/class_names", "M\xC3\xBCller,Z\xC3\xBCrich");
  write_bytes("a.csv", "u,k\n1,0\n2,\0001\n", 13);
  (void)unlink(in_folder("out.h5"));
  o.columns = NULL;
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "a.csv:3: contains a NUL byte", "a.csv");
}

/* More text than the decoder and the buffer of lines hold at once. */
static void test_long_utf16(void **state) {
  (void)state;
  enum { ROWS = 120000 };
  mlpd_convert_result r;
  FILE *file = fopen(in_folder("a.csv"), "wb");
  char text[64], wide[128];
  (void)fwrite("\xFF\xFE", 1, 2, file);
  for (int i = 0; i < ROWS; i++) {
    (void)snprintf(text, sizeof text, "%d,%d\n", i, i % 3);
    (void)fwrite(wide, 1, widen(text, false, wide), file);
    if (i == 0) (void)fwrite("#\0\xAC\x20\n", 1, 6, file); /* a comment with a character of three bytes */
  }
  (void)fclose(file);
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_int_equal(r.train_rows, ROWS);
}

/* ---- Numbers in other notations ---- */

static void test_notations(void **state) {
  (void)state;
  mlpd_convert_result r;
  const struct {
    const char *text, *decimal;
    char thousands;
    double values[4];
  } cases[] = {
      {"u;v;k\n1,5;-2,25;0\n3;4;1\n", "comma", 0, {1.5, -2.25, 3, 4}},
      {"u\tv\tk\n1,5\t,5\t0\n3,\t4e1\t1\n", "comma", 0, {1.5, 0.5, 3, 40}},
      {"u,v,k\n\"1,5\",\"2\",0\n3,\"4,25\",1\n", NULL, 0, {0}}, /* refused without the option */
      {"u;v;k\n1.234,5;2;0\n1.000.000;4,5;1\n", "comma", '.', {1234.5, 2, 1000000, 4.5}},
      {"u,v,k\n\"147,400\",\"1,234.5\",0\n3,12,1\n", NULL, ',', {147400, 1234.5, 3, 12}},
      {"u;v;k\n1 234;-2'0;0\n3;4;1\n", NULL, ' ', {0}},
      {"u,v,k\n\"1,5\",\"2\",0\n3,\"4,25\",1\n", "comma", 0, {1.5, 2, 3, 4.25}},
      {"u;v;k\n1 234;-2 000,5;0\n3\xC2\xA0"
       "000;4\xE2\x80\xAF"
       "000;1\n",
       "comma",
       ' ',
       {1234, -2000.5, 3000, 4000}},
      {"u v k\n1.5+010 2 0\n.25-001 4 1\n", NULL, 0, {1.5e10, 2, 0.025, 4}},
      {"u,v,k\n1.5D+03,2.d0,0\n-1.D-1,4,1\n", NULL, 0, {1500, 2, -0.1, 4}}, /* Fortran */
      {"u;v;k\n12,34;2;0\n3;4;1\n", NULL, ',', {0}},                        /* no groups of three */
      {"u;v;k\n12,3456;2;0\n3;4;1\n", NULL, ',', {0}},
      {"u;v;k\n12,345,67,890;2;0\n3;4;1\n", NULL, ',', {0}},
      {"u;v;k\n1,23,456;-3,55,50,000;0\n3;4.5;1\n", NULL, ',', {123456, -35550000, 3, 4.5}}, /* India: 3 crore */
      {"u;v;k\n1\u2019234.5;2;0\n3'000;4;1\n", NULL, '\'', {1234.5, 2, 3000, 4}},            /* Switzerland */
      {"u;v;k\n\u22121.5;2;0\n3;\u22124e1;1\n", NULL, 0, {-1.5, 2, 3, -40}},                 /* U+2212, minus */
      {"u;v;k\n\u2212-1;2;0\n3;4;1\n", NULL, 0, {0}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    mlpd_convert_options o = plain_options();
    o.decimal = cases[i].decimal;
    o.thousands = cases[i].thousands;
    (void)unlink(in_folder("out.h5"));
    write_text("a.csv", cases[i].text);
    if (cases[i].values[3] == 0) {
      ASSERT_REFUSED(o, MLPD_ERROR_DATA, "is not a number", "a.csv");
      continue;
    }
    ASSERT_CONVERTED(o, &r, "a.csv");
    double rounded[4];
    for (int k = 0; k < 4; k++) rounded[k] = (double)(float)cases[i].values[k];
    assert_array("/train/x", 2, 2, ELEMENT_F32, rounded);
  }
}

static void test_hints(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  const struct {
    const char *text, *part;
  } cases[] = {
      {"u;v;k\n1,5;2;0\n2,5;4;1\n", "a.csv:2: column 1 (u): '1,5' is not a number in this notation"},
      {"u;v;k\n1,5;2;0\n2,5;4;1\n", "--decimal comma reads it"},
      {"u,v,k\n\"147,400\",2,0\n3,4,1\n", "; --thousands , (or --decimal comma) reads it"},
      {"u;v;k\n147,400;2;0\n3;4;1\n", "; --decimal comma, or --thousands , reads it"},
      {"u;v;k\n147,400;2;0\n3,5;4;1\n", "; --decimal comma reads it"}, /* other cells show what the comma is */
      {"u,v,k\n\"$42,820\",2,0\n3,4,1\n", "; --strip '$' --thousands , (or --decimal comma) reads it"},
      {"u;v;k\n$42,820;2;0\n$7;4;1\n$1,242,820;2;0\n3;4;1\n5;4;1\n6;4;1\n", "; --strip '$' --thousands , reads it"},
      {"u,v,k\n1,2,\"42,820\"\n3,4,\"7,100\"\n3,5,950\n", "like this); --thousands , (or --decimal comma) reads it"},
      {"u;v;k\n2;2;$42,820\n1;4;$7,5\n2;2;$99,1\n", "labels are like this); --strip '$' --decimal comma reads it"},
      {"u;v;k\n1.234,5;2;0\n3;4;1\n", "--decimal comma --thousands . reads it"},
      {"u;v;k\n1 234;2;0\n3;4;1\nfree;4;1\n5;4;0\n6;4;0\n", "--thousands blank reads it"},
      {"1,5;2;0\n2,5;4;1\n", "a.csv:1: column 1: '1,5'"},
      {"u;v;k\n78,5;1;5.649,4\n17,2;2;7.100,5\n", "a.csv:2: column 1 (u): '78,5'"}, /* as many commas as semicolons */
      {"u;k\n78,5;5\xE2\x80\xAF"
       "649,4\n17,2;12,5\n",
       "a.csv:2: column 1 (u): '78,5'"},
      {"u,k\n0.50 \u20AC,7 kr\n0.75,8 kr\n", "a.csv:2: column 1 (u): '0.50 \u20AC'"}, /* blanks inside of cells */
      {"u;v;k\n5 %;R$ 1,5;0\n6;R$ 2,5;1\n", "a.csv:2: column 1 (u): '5 %' is not a number in this notation"},
      {"u,v,k\n\"1,23,456\",2,0\n3,4,1\nfree,4,1\n5,4,0\n6,4,0\n", "--thousands , reads it"},
      {"u,v,k\n1\u2019234,2,0\n3,4,1\nfree,4,1\n5,4,0\n6,4,0\n", "--thousands \"'\" reads it"},
      {"u,v,k\n1,(2),0\n3,4,1\n", "'(2)' is a negative number in the notation of accounts; write -2"},
      {"u,v,k\n1,2.5-,0\n3,4,1\n", "'2.5-' is a negative number in the notation of accounts; write -2.5"},
      {"u,v,k\n1,(-2),0\n3,4,1\n", "'(-2)' is not a number; correct it"},
      {"u,k\n1,0.5\n2,(1.5)\n3,4.5\n4,7\n", "'(1.5)' is a negative number in the notation of accounts; write -1.5"},
      {"u,k\n1,0.5\n2,1.5-\n3,4.5\n4,7\n", "'1.5-' is a negative number in the notation of accounts; write -1.5"},
      {"p,k\n$5,0\nEUR 6,1\n7.5 \u20AC,0\n8,1\n",
       "'$5' is not a number in this notation (nor are 2 more cells of this "
       "column); --strip '$,EUR,\u20AC' reads it"},
      {"u,k\n1,\"$1,000.5\"\n2,\"\u20AC2,500.5\"\n3,$7.5\n4,$8.5\n",
       "'$1,000.5' is not a number in this notation (4 labels are like this); --strip '$,\u20AC' --thousands , reads "
       "it"},
      {"u,v,k\n1,(2),0\n3,(4.50),1\n", "'(2)' is a negative number"}, /* a column of numbers, not of texts */
      {"u,v,k\n1,inf,0\n3,-Infinity,1\n4,inf,0\n5,2,1\n", "a.csv:2: column 2 (v): 'inf' is not a number (nor are 2"},
      {"u,v,k\n1,\"1,000\",0\n3,none of them,1\n4,\"2,000\",0\n", "a.csv:2: column 2 (v): '1,000' is not a number"},
      {"u,v,k\n1,free,0\n3,\"1,000\",1\n4,\"2,000\",0\n", "a.csv:2: column 2 (v): 'free' is not a number"},
      {"u;v;k\n1;2;1,5\n2;4;2,25\n", "a.csv:2: column 3 (k): '1,5' is not a number in this notation"},
      {"1,01,2,50\n2,03,4,20\n3,05,6,10\n1,07,2,50\n2,00,4,20\n3,51,6,10\n1,52,2,50\n2,53,4,20\n",
       "commas seem to be both decimal signs and column separators"},
      {"u,v,k\n1,2,0\n3,inf,1\n4,5,0\n", "a.csv:3: column 2 (v): 'inf' is not a number"},
      {"u,v,k\n1,2,0\n3,True,1\n4,5,0\n", "a.csv:3: column 2 (v): 'True' is read as yes or no, but the column"},
      {"u,v,k\n1,2,0\n3,4\n", "a.csv:3: 2 cells, but 3 in the header"},
      {"1,2,3\n4\n5,6,7\n8\n", "(a row must be one line)"},
      {"a,b\n35,7,0\n42,8,1\n35,9,1\n", "a.csv:1: 2 names for 3 columns"}, /* a column of values before them */
      {"a,b,y\n.1,.2,1,500\n.3,.2,2,500\n", "one lacks its name; write it, or use --skip-lines 1 --header no"},
      /* not R's names of rows: these have a name, or a cell of c(4, 5) is divided */
      {"\"\",a,b\n1,5,7,0\n2,6,8,1\n", "a.csv:2: 4 cells, but the header has 3 names: a text here seems to hold"},
      {"id,a,b\n1,5,7\n2,6,c(8, 9)\n3,6,c(1, 2)\n4,6,c(2, 2)\n", "a.csv:3: 4 cells, but the header has 3 names"},
      {"id,a,b\n1,5,c(7, 8, 1)\n2,6,c(8, 9, 2)\n3,6,c(1, 2, 2)\n", "a.csv:2: 5 cells, but the header has 3 names"},
      {"a,b,c\nu,5,c(7, 8),2\nv,6,c(8, 9),1\nw,6,c(1, 2),1\n", "a.csv:2: 5 cells, but the header has 3 names"},
      {"a,b,c,d\n1,2,0\n3,4,1\n", "a.csv:1: 4 cells in the header, but 3 in the rows"},
      {"a,b\n1,2\n3,4\n5,6,7\n", "a.csv:4: 3 cells, but 2 in the header"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_refused(o, MLPD_ERROR_DATA, cases[i].text, cases[i].part);
  o.decimal = "comma";
  assert_refused(o, MLPD_ERROR_DATA, "u;v;k\n2.338;1;1,5\n2.5;2;2,5\n", "'2.338' has a decimal point");
  assert_refused(o, MLPD_ERROR_USAGE, "1,2,0\n3,4,1\n", "commas separate its columns");
  o.decimal = ",";
  assert_refused(o, MLPD_ERROR_USAGE, "1,2,0\n3,4,1\n", "commas separate its columns");
  o.decimal = NULL;
  o.strip = "(,)"; /* would make 5 of (5) */
  assert_refused(o, MLPD_ERROR_USAGE, "u,v,k\n(1),2,0\n3,4,1\n", "strip: '(' may be part of a number");
  o.strip = NULL;
  o.decimal = "dot";
  assert_refused(o, MLPD_ERROR_USAGE, "1,2,0\n", "decimal must be auto, point or comma, not 'dot'");
}

static void test_digits_of_large_offsets(void **state) {
  (void)state;
  mlpd_convert_result r;
  const struct {
    const char *text;
    element_type type;
  } cases[] = {
      {"2459000.50000001,0\n2459000.54166667,1\n", ELEMENT_F64}, /* Julian dates */
      {"5400000.001,0\n5400004.5,1\n", ELEMENT_F64},             /* UTM */
      {"1600000000000,0\n1600000003600,1\n", ELEMENT_I64},       /* milliseconds */
      {"1600000000,0\n1600003600,1\n", ELEMENT_I32},
      {"1e39,0\n-1e40,1\n", ELEMENT_F64},
      {"1e-40,0\n2e-40,1\n", ELEMENT_F64},
      {"100.5,0\n110.5,1\n", ELEMENT_F32},
      {"0.30000000000000004,0\n0.1,1\n", ELEMENT_F32},
      {"2015,0.5,0\n2016,0.25,1\n", ELEMENT_F32}, /* whole numbers that float32 holds */
      {"1000000.1,0\n1000000.1,1\n", ELEMENT_F32},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    write_text("a.csv", cases[i].text);
    ASSERT_CONVERTED(plain_options(), &r, "a.csv");
    h5_file *file;
    h5_array *array;
    assert_int_equal(h5_open(in_folder("out.h5"), &file), MLPD_OK);
    assert_int_equal(h5_array_open(file, "/train/x", &array), MLPD_OK);
    if (h5_array_shape(array).type != cases[i].type)
      fail_msg("%s: %s", cases[i].text, element_name(h5_array_shape(array).type));
    h5_array_close(array);
    assert_int_equal(h5_close(file), MLPD_OK);
  }
  write_text("a.csv", "2459000.50000001,0\n2459000.54166667,1\n");
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_array("/train/x", 2, 1, ELEMENT_F64, VALUES(2459000.50000001, 2459000.54166667));
  write_text("train.csv", "u,k\n1600000000500,0\n1600000000600,1\n"); /* int64 beside float32 */
  write_text("test.csv", "u,k\n0.5,0\n7,1\n");
  ASSERT_CONVERTED(plain_options(), &r, "train.csv", "test.csv");
  assert_array("/train/x", 2, 1, ELEMENT_F64, VALUES(1600000000500, 1600000000600));
  write_text("a.csv", "5,2459000.50000001\n6,2459000.54166667\n");
  ASSERT_CONVERTED(plain_options(), &r, "a.csv");
  assert_array("/train/y", 2, 1, ELEMENT_F64, VALUES(2459000.50000001, 2459000.54166667));
}

/* ---- Answers and missing values ---- */

static void test_answers(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_text("a.csv", "red,old,m,k\nTrue,yes,0.5,T\nFALSE,no,1,F\nfalse,Y,2,T\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 3, 3, ELEMENT_F32, VALUES(1, 1, 0.5, 0, 0, 1, 0, 1, 2));
  assert_names("/columns/kind", "yes/no,yes/no,number");
  assert_names("/class_names", "F,T");
  assert_said("2 of them yes/no");
  o.task = MLPD_REGRESSION;
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/y", 3, 1, ELEMENT_F32, VALUES(1, 0, 1));
  assert_refused(plain_options(), MLPD_ERROR_DATA, "m,k\n1,0\nyes,1\n2,1\n",
                 "a.csv:3: column 1 (m): 'yes' is read as yes or no, but the column holds numbers; write 1 and 0, or "
                 "use --missing 'yes'");
  assert_refused(plain_options(), MLPD_ERROR_DATA, "m,k\nno,0\nyes,1\n2,1\nyes,0\n",
                 "a.csv: column 1 (m): 3 cells hold yes, no or the like, but 1 holds a number (all are from 0 to 2");
}

static void test_missing_values(void **state) {
  (void)state;
  mlpd_convert_result r;
  mlpd_convert_options o = telling_options();
  static const char *const words[] = {"",       "?",    "NA",      "N/A",  "n/a",    "null", "NULL", "None",
                                      "none",   "<NA>", "#N/A",    "-nan", "NaN",    "-NaN", "NaT",  "-",
                                      "1.#IND", ".",    "missing", "-999", "-999.0", "\\N",  "#REF!"};
  char text[128];
  o.missing = "gone,-999";
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    (void)snprintf(text, sizeof text, "u,v,k\n1,2,0\n5,%s,1\n3,4,1\n", words[i]);
    o.drop_missing = false;
    write_text("a.csv", text);
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_array("/train/x", 3, 2, ELEMENT_F32, VALUES(1, 2, 5, NAN, 3, 4));
    assert_said("missing values: v (1)");
    o.drop_missing = true;
    assert_plain_table(o, text);
    assert_said("1 of 3 rows left out, because a value is missing");
  }
  assert_plain_table(o, "u,v,k\n1,2,0\n5,6,\ngone,4,0\n3,4,1\n");
  assert_refused(o, MLPD_ERROR_DATA, "u,v,k\n,2,0\n1,,1\n", "so no row is left");
  o.drop_missing = false;
  o.missing = NULL;
  said[0] = '\0';
  assert_plain_table(o, "u,v,k\n1,2,0\n5,6,\n3,4,1\n");
  assert_said("1 of 3 rows left out, because the target is missing");
  assert_refused(o, MLPD_ERROR_DATA, "u,v,k\n1,2,\n3,4,NA\n", "each of its 2 rows has a missing target");
  write_text("a.csv", "u,v,k\n1,,0\n2,NA,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 2, 1, ELEMENT_U8, VALUES(1, 2));
  assert_said("column v is left out: it has no values");
  write_text("a.csv", "id,v,k\n20000001,,0.5\n20000002,4,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 2, 2, ELEMENT_F64, VALUES(20000001, NAN, 20000002, 4)); /* float32 would blur id */
}

/* 300 rows, and a word in the target of one. */
static void write_stray(const char *word) {
  FILE *file = fopen(in_folder("a.csv"), "w");
  (void)fputs("a,b,price\n", file);
  for (int i = 0; i < 300; i++) {
    if (i == 150)
      (void)fprintf(file, "%d.5,1,%s\n", i, word);
    else
      (void)fprintf(file, "%d.5,%d,%d.25\n", i, i % 7, i);
  }
  (void)fclose(file);
}

/* A word among the numbers of a target must not make 299 classes of it. */
static void test_placeholders(void **state) {
  (void)state;
  const struct {
    const char *cell, *note; /* the cell that a row in ten has among 0.00 to 0.99; NULL: no note */
  } cases[] = {{"-999", "far from all other values: -999 in 4 rows of u; --missing -999 treats"},
               {"9999.0", "9999 in 4 rows of u"},
               {"-99", "-99 in 4 rows of u"},
               {"-32768", "-32768 in 4 rows of u"},
               {"9.96921E36", "9.96921e+36 in 4 rows of u"},
               {"-998", NULL},
               {"0.999", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    mlpd_convert_options o = telling_options();
    mlpd_convert_result r;
    FILE *file = fopen(in_folder("a.csv"), "w");
    (void)fprintf(file, "u,v,k\n");
    for (int row = 0; row < 40; row++)
      (void)fprintf(file, "%s,-999,%d\n", row % 10 == 3 ? cases[i].cell : row % 2 == 0 ? "0.25" : "0.5", row % 2);
    (void)fclose(file);
    ASSERT_CONVERTED(o, &r, "a.csv");
    if (cases[i].note != NULL)
      assert_said(cases[i].note);
    else
      assert_null(strstr(said, "far from"));
    assert_null(strstr(said, "rows of v")); /* nothing else is in it */
  }
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_rows("u,v,k\n-99,3,5.5\n4,3,-999\n", 30, "%d,%d,2.%d\n"); /* both ends of a column count */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("far from all other values: -99 in 1 row of u, -999 in 1 row of k; --missing -99,-999 treats");
  o = telling_options();
  write_rows("u,v,k\n99,3,5.5\n90,3,5\n-99,3,5.5\n-90,3,5\n", 30, "%d,%d,2.%d\n"); /* not far from 90 and -90 */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_null(strstr(said, "far from"));
}

static void test_said_of_texts(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_text("a.csv",
             "gr\xF6\xDF"
             "e,v,k\n1,2,0\n3,4,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("its text is not UTF-8 and is read as Latin-1");
  o = telling_options();
  write_text("a.csv",
             "gr\u00F6\u00DF"
             "e,v,k\n1,2,0\n3,4,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_null(strstr(said, "Latin-1"));
  (void)unlink(in_folder("out.h5"));
  write_rows("u,k\n", 40, "%d/4,%d.%d\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "no column is left for features: column 'u' is left out: its texts", "a.csv");
  assert_non_null(strstr(mlpd_error_message(), "; --categorical 'u' keeps it"));
  o.categorical = "u"; /* as the message says */
  ASSERT_CONVERTED(o, &r, "a.csv");
  /* What has no values is no category, either; what can be one is named. */
  o.categorical = NULL;
  (void)unlink(in_folder("out.h5"));
  write_text("a.csv", "v,k\nNA,1.5\nNA,2.5\nNA,3.5\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "no column is left for features: column 'v' is left out: it has no values",
                 "a.csv");
  assert_null(strstr(mlpd_error_message(), "--categorical"));
  write_rows("v,u,k\n", 40, "NA,%d/4,%d.%d\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "column 'u' is left out: its texts", "a.csv");
}

/* Tables of R whose rows are named, and whose texts have a parenthesis. */
static void test_parentheses_below_a_short_header(void **state) {
  (void)state;
  mlpd_convert_result r;
  static const char *const tables[] = {
      "\"a\",\"u\",\"y\"\n\"r\",\"(sad\",5,1.5\n\"s\",\"ok)\",6,2.5\n\"t\",\"(sad\",6,2\n",
      "a,u,y\nr,:(,5,1.5\ns,ok,6,2.5\nt,:(,6,2\n"};
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
    write_text("a.csv", tables[i]);
    ASSERT_CONVERTED(telling_options(), &r, "a.csv");
    assert_said("columns of categories: a (2)");
    (void)unlink(in_folder("out.h5"));
  }
}

static void test_other_target(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_rows("Label,p0,p1\n", 30, "%d,%d,2.%d\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said(
      "the last column, 'p1', is the target, and 'Label' is a feature; if 'Label' is the target, use --label Label");
  o = telling_options();
  write_rows("Label,p0,y\n", 30, "%d,%d,2.%d\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_null(strstr(said, "is the target, use --label"));
  o = telling_options();
  o.label = "p1";
  write_rows("Label,p0,p1\n", 30, "%d,%d,2.%d\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_null(strstr(said, "is the target, use --label"));
}

static void test_stray_words_in_a_target(void **state) {
  (void)state;
  static const char *const words[] = {"None", "none", "inf", "-inf", "Infinity", "-", ".", "missing"};
  static const char *const missing[] = {"null", "NULL", "<NA>", "#N/A", "n/a", "-nan", "-NaN", "1.#IND", "NaT", ""};
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  for (size_t w = 0; w < sizeof missing / sizeof missing[0]; w++) {
    write_stray(missing[w]);
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_int_equal(r.train_rows, 299);
    assert_int_equal(r.classes, 0);
  }
  for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
    char part[64];
    write_stray(words[w]);
    (void)snprintf(part, sizeof part, "a.csv:152: column 3 (price): '%s' is ", words[w]);
    o.task = MLPD_TASK_AUTO;
    o.missing = NULL;
    o.drop_missing = false;
    (void)unlink(in_folder("out.h5"));
    ASSERT_REFUSED(o, MLPD_ERROR_DATA, part, "a.csv");
    o.missing = words[w];
    o.drop_missing = true;
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_int_equal(r.train_rows, 299);
    assert_int_equal(r.classes, 0);
  }
  assert_refused(plain_options(), MLPD_ERROR_DATA, "a,k\n1,1.5\n2,x\n3,2.5\n4,3.5\n",
                 "a.csv:3: column 2 (k): 'x' is not a number, but 3 of 4");
}

static void test_text_columns(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_text("a.csv", "Id,Name,Sex,Age,Cabin,k\n1,\"Doe, J.\",male,22,,0\n2,Roe,female,,C1,1\n3,Poe,male,30,,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 3, 5, ELEMENT_F32, VALUES(1, 0, 1, 22, -1, 2, 2, 0, NAN, 0, 3, 1, 1, 30, -1));
  assert_names("/columns/kind", "number,category,category,number,category");
  assert_names("/columns/categories", "Doe, J.,Poe,Roe,female,male,C1");
  assert_said("columns of categories: Name (3), Sex (2), Cabin (1)");
  assert_said("missing values: Age (1), Cabin (2)");
  o.drop_missing = true;
  o.ignore = "Cabin";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 2, 4, ELEMENT_I32, VALUES(1, 0, 1, 22, 3, 1, 1, 30));
}

/* Texts that identify rows are of no use; numbers are categories where an option says so; text in a few cells of a
 * column of numbers is none. */
static void test_kinds_of_columns(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_rows("name,zip,k\n", 30, "n%1$d,%3$d,%1$d.5\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.features, 1);
  assert_names("/columns/name", "zip");
  assert_said(
      "column name is left out: its texts are nearly all different, as if they identified rows, as 'n0'; "
      "--categorical 'name' keeps it");
  o.categorical = "zip,name";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.features, 2);
  assert_names("/columns/kind", "category,category");
  o.categorical = "zap";
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "categorical 'zap' is not a column; did you mean 'zip'?", "a.csv");
  o.categorical = "z";
  write_text("a.csv", "z,k\n10,1.5\n9,2.5\n+9,3.5\n-1,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/x", 4, 1, ELEMENT_I32, VALUES(2, 1, 1, 0)); /* by value */
  assert_names("/columns/categories", "-1,9,10");
  assert_refused(plain_options(), MLPD_ERROR_DATA, "z,k\n1,0\n2,1\n3,1\nx,0\n",
                 "a.csv:5: column 1 (z): 'x' is not a number; delete this last line if it is no row (a total, a "
                 "source), or use --missing 'x'");
}

/* As databases, pandas and Kaggle write them. */
static void test_dates_of_others(void **state) {
  (void)state;
  const mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_text("a.csv",
             "k,when,y\n0,1970/01/02,1.5\n1,1970-01-02 01:20 PM,2\n2,1970-01-02 12:00:30.5 am,3\n"
             "3,1970-01-02 01:00 UTC,4\n4,1970-01-02 01:00:00GMT,5\n5,1970/01/02 01:00:00 +0030,6\n"
             "6,1970-01-02 01:20 PM UTC,7\n7,1970-01-02 12:00:30 am +0030,8\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "k,when.year,when.day_of_year,when.weekday,when.hour,when.seconds");
  assert_array("/train/x", 8, 6, ELEMENT_F32,
               VALUES(0, 1970, 2, 5, 0, 86400, 1, 1970, 2, 5, 13 + 1.0F / 3, 86400 + 48000, 2, 1970, 2, 5, 30.5F / 3600,
                      86430.5, 3, 1970, 2, 5, 1, 90000, 4, 1970, 2, 5, 1, 90000, 5, 1970, 2, 5, 1, 88200, 6, 1970, 2, 5,
                      13 + 1.0F / 3, 86400 + 48000, 7, 1970, 2, 5, 30.0F / 3600, 86430 - 1800));
  write_text("a.csv", "when,y\n1970-01-02 01:00 GMT,1.5\n1970-01-02 1:20 PM,2\n1970-01-02 13:20 PM,3\n");
  (void)unlink(in_folder("out.h5"));
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "a.csv:4: column 1 (when): '1970-01-02 13:20 PM' is not a date", "a.csv");
}

/* Names above dates, times or numbers with a unit are a header, even where no column is of plain numbers. */
static void test_names_over_special_columns(void **state) {
  (void)state;
  static const char *const tables[][2] = {
      {"u,v,k\n2021-03-15,2021-03-16,a\n2020-01-02,,b\n2020-01-02,2020-05-05,b\n",
       "u.year,u.day_of_year,u.weekday,u.seconds,v.year,v.day_of_year,v.weekday,v.seconds"},
      {"u,v,k\n5.1 cm,3 kg,a\n6 cm,4 kg,b\n", "u (cm),v (kg)"},
      {"u,v,k\n13/1/2021,10:05,a\n1/2/2021,9:30,b\n",
       "u.dmy.year,u.dmy.day_of_year,u.dmy.weekday,u.dmy.seconds,v.time"},
      {"Elm,5 Oak,k\nAsh,6 Elm,a\nElm,7 Oak,b\n", ""}, /* units that differ: streets */
      {"2021-01-05,5 cm,b\n2021-03-15,5 cm,a\n2020-01-02,6 cm,b\n",
       "column 0.year,column 0.day_of_year,column 0.weekday,column 0.seconds,column 1 (cm)"}};
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
    mlpd_convert_options o = telling_options();
    mlpd_convert_result r;
    write_text("a.csv", tables[i][0]);
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_names("/columns/name", tables[i][1]);
  }
}

/* Dates of ISO 8601 become the year, the day of the year, the weekday, the hour and seconds since 1970. */
static void test_dates(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  write_text("a.csv",
             "k,when,y\n0,1970-01-01,1.5\n1,1972-12-31T24:00,2\n2,,3\n3,1969-12-31 "
             "23:59:58.5,4\n4,2000-03-01T01:30:00+02:00,5\n"
             "5,0001-01-01Z,6\n");
  assert_int_equal(CONVERT(o, &r, "a.csv"), MLPD_ERROR_DATA); /* a zone without a time */
  write_text("a.csv",
             "k,when,y\n0,1970-01-01,1.5\n1,1972-12-31T24:00,2\n2,,3\n3,1969-12-31 "
             "23:59:58.5,4\n4,2000-03-01T01:30:00+02:00,5\n"
             "5,0001-01-01,6\n6,9999-12-31T23:59:59-0030,1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/columns/name", "k,when.year,when.day_of_year,when.weekday,when.hour,when.seconds");
  assert_said("dates become five features each: year, day of the year, weekday, hour, seconds since 1970: when");
  const float before_midnight = 23 + 59.0F / 60;
  assert_array("/train/x", 7, 6, ELEMENT_F32,
               VALUES(0, 1970, 1, 4, 0, 0, 1, 1972, 366, 7, 24, 94694400, 2, NAN, NAN, NAN, NAN, NAN, 3, 1969, 365, 3,
                      before_midnight + 58.5F / 3600, -1.5, 4, 2000, 61, 3, 1.5, (float)951867000, 5, 1, 1, 1, 0,
                      (float)-62135596800.0, 6, 9999, 365, 5, before_midnight + 59.0F / 3600, (float)253402302599.0));
  o.categorical = "when";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.features, 2);
  o.categorical = NULL;
  static const char *const none[] = {"2021-02-29",          "2021-13-01",           "2021-1-01",
                                     "2021-01-01T25:00",    "2021-01-01T10:60",     "2021-01-01T10",
                                     "x2021-01-01",         "2021-01-01T10:00+2",   "2021/01-01",
                                     "2021-01-01 13:20 PM", "2021-01-01 10:20 CET", "2021-01-01 PM"};
  for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
    char text[200];
    (void)snprintf(text, sizeof text, "when,y\n2020-02-29,1\n2021-01-31,2\n%s,3\n2021-01-03,4\n", none[i]);
    assert_refused(o, MLPD_ERROR_DATA, text, "a.csv:4: column 1 (when): ");
    assert_non_null(strstr(mlpd_error_message(), "is not a date such as 2021-03-15"));
  }
  write_rows("when,k,y\n", 30, "%1$d.1.20,%3$d,%1$d.5\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said(
      "column when is left out: its texts look like dates, as '0.1.20'; written as 2021-03-15 (ISO 8601) they are "
      "read");
  write_rows("when,k,y\n", 30, "1.%3$d1.20,%1$d,%2$d.5\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("column when becomes categories, but its texts look like dates, as '1.01.20'");
  o.categorical = "when";
  said[0] = '\0';
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_null(strstr(said, "column when becomes categories"));
}

/* Tables of one data set share categories and kinds; text that begins late makes categories of all. */
static void test_kinds_in_parts(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  write_text("train.csv", "id,c,k\nx1,b,1.5\nx2,a,2\nx3,b,3\nx4,b,1\nx5,b,1\nx6,a,2\nx7,b,3\nx8,b,1\nx9,b,1\nx0,b,1\n");
  write_text("test.csv", "c,id,k\nc,x1,1\na,x1,2\n,x1,2\n");
  ASSERT_CONVERTED(o, &r, "train.csv", "test.csv");
  assert_names("/columns/name", "c");
  assert_names("/columns/categories", "a,b,c");
  assert_array("/test/x", 3, 1, ELEMENT_I32, VALUES(2, 0, -1));
  FILE *file = fopen(in_folder("a.csv"), "w");
  (void)fputs("c,k\n", file);
  for (int i = 0; i < 3000; i++) (void)fprintf(file, i < 1200 ? "%d,%d.5\n" : "t%d,%d.5\n", i % 3, i);
  (void)fclose(file);
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.train_rows, 3000);
  assert_names("/columns/categories", "0,1,2,t0,t1,t2");
}

/* ---- Targets ---- */

static void test_classes_or_values(void **state) {
  (void)state;
  mlpd_convert_result r;
  const struct {
    int rows;
    const char *format; /* of the row's number, its half and its parity */
    uint32_t classes;   /* 0: values; 1: refused */
    const char *said;
  } cases[] = {
      {40, "%1$d.5,%3$d\n", 2, "2 classes: 0, 1 (numbers; --task regression makes them values)"},
      {40, "%1$d.5,%3$d.0\n", 2, "2 classes: 0, 1"}, /* 0.0 and 1.0 */
      {40, "%1$d.5,%3$d.5\n", 0, "values from 0.5 to 1.5"},
      {40, "%1$d.5,%1$d\n", 0, "(whole numbers; --task classification makes them classes)"},
      {40, "%1$d.5,%2$d\n", 20, "20 classes"},
      {60, "%1$d.5,%2$d\n", 30, "30 classes"},
      {60, "%1$d.5,c%2$d\n", 30, "30 classes"},
      {60, "%1$d.5,c%1$d\n", 1, "60 different texts in 60 rows, too many for classes"},
      {8, "%1$d.5,c%1$d\n", 8, "8 classes"},
      {28, "%1$d.5,2021-03-%1$02d\n", 1, "'2021-03-00': the target holds dates or times, 28 different ones"},
      {28, "%1$d.5,%1$d-Mar-2021\n", 1, "the target holds dates or times"},
      {28, "%1$d.5,10:%1$02d PM\n", 1, "the target holds dates or times"},
      {28, "%1$d.5,%1$d.5 kg\n", 1,
       "'0.5 kg' is a number with a unit (28 labels are like this); if the unit is the same in all rows"},
      {28, "%1$d.5,(%1$d)\n", 1, "'(0)' is not a number in this notation (28 labels are like this)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    mlpd_convert_options o = telling_options();
    write_rows("u,k\n", cases[i].rows, cases[i].format);
    (void)unlink(in_folder("out.h5"));
    if (cases[i].classes == 1) {
      ASSERT_REFUSED(o, MLPD_ERROR_DATA, cases[i].said, "a.csv");
      o.task = MLPD_CLASSIFICATION;
      ASSERT_CONVERTED(o, &r, "a.csv");
      continue;
    }
    ASSERT_CONVERTED(o, &r, "a.csv");
    if (r.classes != cases[i].classes) fail_msg("%s: %u classes", cases[i].format, r.classes);
    assert_said(cases[i].said);
  }
  mlpd_convert_options o = telling_options();
  char counts[2000] = "u,k\n"; /* 0 to 17 three times, 18 to 20 once: a tail */
  for (int i = 0; i < 57; i++)
    (void)snprintf(counts + strlen(counts), sizeof counts - strlen(counts), "%d.5,%d\n", i, i < 54 ? i % 18 : i - 36);
  write_text("a.csv", counts);
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.classes, 0);
  assert_said("target: column 'k', values from 0 to 20 (whole numbers; --task classification makes them classes)");
  write_text("a.csv", "u,k\n1,-1\n2,+1\n3,-1\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.classes, 2);
  assert_names("/class_names", "-1,1");
  assert_said("target: column 'k', 2 classes: -1, 1");
  assert_said(
      "note: the whole numbers from -1 to 1 of the target are read as 2 classes with these names; --task regression");
  /* Blanks that are not seen make no class, and two words for one answer are named. */
  o = telling_options();
  write_text("a.csv", "u,k\n1,yes\n2,yes\u00A0\n3,\"no \"\n4,\u200Bno\n5,y\n");
  (void)unlink(in_folder("out.h5"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/class_names", "no,y,yes");
  assert_said("note: the classes 'y' and 'yes' are kept apart; write them alike if they are one class");
  o = telling_options();
  write_text("a.csv", "u,k\n1,1\n2,2\n3,X\n4,Y\n5,1\n"); /* chromosomes: beside 2, 1 is no yes */
  (void)unlink(in_folder("out.h5"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/class_names", "1,2,X,Y");
  if (strstr(said, "kept apart") != NULL) fail_msg("%s", said);
  o = telling_options(); /* Latin-1 */
  write_text("a.csv", "u,k\n1,yes\n2,\xA0yes\n3,yes\xA0\n4,no\n");
  (void)unlink(in_folder("out.h5"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/class_names", "no,yes");
  o = telling_options();
  (void)unlink(in_folder("out.h5"));
  write_rows("v,u,k\n", 28, "%1$d kg,%1$d.5,%3$d\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("numbers with a unit, the same in all rows: v (kg)");
  o = telling_options();
  o.label = "2";
  (void)unlink(in_folder("out.h5"));
  write_rows("", 28, "%1$d kg,%1$d.5,%3$d\n"); /* the place is the name that tells a model of the unit */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("numbers with a unit, the same in all rows: 0 (kg)");
  assert_names("/columns/name", "column 0 (kg),column 1");
  o.label = NULL;
  (void)unlink(in_folder("out.h5"));
  write_rows("v,v (kg),k\n", 28, "%1$d kg,%1$d.5,%3$d\n"); /* the name is taken */
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("column v is left out: its texts are numbers with a unit, which --strip with the unit reads, as '0 kg'");
  o = telling_options();
  write_text("a.csv", "u,k\n1,-1\n2,+1\n3,-1\n");
  o.task = MLPD_CLASSIFICATION;
  (void)unlink(in_folder("out.h5"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  if (strstr(said, "read as") != NULL) fail_msg("'%s'", said);
}

/* A model of data whose inputs have names and whose target has none. */
static void test_target_of_a_model_without_its_name(void **state) {
  (void)state;
  static const char *const inputs[] = {"u", "v"};
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  o.num_model_columns = 2;
  o.model_columns = inputs;
  write_text("a.csv", "v,y,u\n1,0.5,2\n3,1.5,4\n");
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_int_equal(r.features, 2);
  assert_names("/targets/name", "y");
  (void)unlink(in_folder("out.h5"));
  write_text("a.csv", "v,y,u,w\n1,0.5,2,7\n3,1.5,4,9\n");
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "a.csv: the target of the model has no name; name its column: --label COLUMN",
                 "a.csv");
  o.label = "v";
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "label: column 'v' is an input of the model", "a.csv");
  o.label = "w";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_names("/targets/name", "w");
  (void)unlink(in_folder("out.h5"));
  write_text("a.csv", "V,w,u\n1,0.5,2\n3,1.5,4\n");
  ASSERT_REFUSED(o, MLPD_ERROR_DATA, "no column v, which the model needs; the table has 'V'", "a.csv");
}

/* Rows of a table that only look like rows are named. */
static void test_notes_on_rows(void **state) {
  (void)state;
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  const struct {
    const char *last; /* below 12 rows (i + 0.5, i % 3, 2 i) whose sums are 72, 12 and 132 */
    bool total;
  } cases[] = {
      {"72,12,132\n", true}, {",,132\n", true}, {"72,7,132\n", true}, {"72,7,8\n", false}, {"3.5,2,7\n", false}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    o = telling_options();
    char text[400] = "u,v,y\n";
    for (int row = 0; row < 12; row++)
      (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%d.5,%d,%d\n", row, row % 3, 2 * row);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s", cases[i].last);
    write_text("a.csv", text);
    (void)unlink(in_folder("out.h5"));
    ASSERT_CONVERTED(o, &r, "a.csv");
    const bool said_so = strstr(said, "a.csv: the last row holds the sums of the columns above it") != NULL;
    if (said_so != cases[i].total) fail_msg("'%s': %s", cases[i].last, said);
  }
  /* Numbers beyond int64_t, and beside missing values. */
  write_text("a.csv", "u,v,w,y\n18446744073709551615,9007199254740993,1e20,0.5\n1,,2,1.5\n");
  (void)unlink(in_folder("out.h5"));
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("whole numbers beyond 2^53 = 9007199254740992 are rounded in u,v;");
}

static void test_chosen_columns(void **state) {
  (void)state;
  mlpd_convert_result r;
  const char *table = "X1,X2,px_1,px_2,Y1,Y2\n1,2,3,4,5.5,6.5\n7,8,9,10,11.5,12.5\n";
  const struct {
    const char *label, *ignore, *columns, *names, *targets;
  } cases[] = {
      {"Y1,Y2", NULL, NULL, "X1,X2,px_1,px_2", "Y1,Y2"},
      {"Y2,Y1", NULL, NULL, "X1,X2,px_1,px_2", "Y2,Y1"},
      {"4,-1", NULL, NULL, "X1,X2,px_1,px_2", "Y1,Y2"},
      {"Y*", "px_*", NULL, "X1,X2", "Y1,Y2"},
      {NULL, "Y1", "px_*", "px_1,px_2", "Y2"},
      {"Y1", "Y2,X1..px_1", NULL, "px_2", "Y1"},
      {"Y1..Y2", NULL, "0-1", "X1,X2", "Y1,Y2"},
      {NULL, "Y2,3", NULL, "X1,X2,px_1", "Y1"}, /* the last column that is left */
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    mlpd_convert_options o = plain_options();
    o.label = cases[i].label;
    o.ignore = cases[i].ignore;
    o.columns = cases[i].columns;
    write_text("a.csv", table);
    ASSERT_CONVERTED(o, &r, "a.csv");
    assert_names("/columns/name", cases[i].names);
    assert_names("/targets/name", cases[i].targets);
  }
  mlpd_convert_options o = plain_options();
  o.label = "Y2,X1";
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_array("/train/y", 2, 2, ELEMENT_F32, VALUES(6.5, 1, 12.5, 7));
  assert_array("/train/x", 2, 4, ELEMENT_F32, VALUES(2, 3, 4, 5.5, 8, 9, 10, 11.5));
  mlpd_convert_options quoted = plain_options(); /* names with commas and quotes, as in a CSV */
  quoted.ignore = "\"b, \"\"net\"\"\",c,\"d\"";
  write_text("a.csv", "a,\"b, \"\"net\"\"\",c,d,k\n1,2,3,4,5.5\n7,8,9,10,11.5\n");
  ASSERT_CONVERTED(quoted, &r, "a.csv");
  assert_names("/columns/name", "a");
}

/* One of several tables may lack a column that is left out, but not all. */
static void test_columns_ignored_in_one_table(void **state) {
  (void)state;
  mlpd_convert_options o = plain_options();
  mlpd_convert_result r;
  static const mlpd_split roles[] = {MLPD_TRAIN, MLPD_TEST};
  const char *const lists[] = {"id", "note", "id,note", "i*", "note,n*,id"};
  write_text("a.csv", "id,u,v,k\n7,1,2,0\n8,3,4,1\n");
  write_text("b.csv", "u,v,note,k\n5,6,x,1\n");
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    o.ignore = lists[i];
    o.roles = roles;
    const bool whole = strchr(lists[i], ',') != NULL;
    const mlpd_status status = CONVERT(o, &r, "a.csv", "b.csv");
    if (!whole) { /* the other table's column is still in the way */
      assert_int_equal(status, MLPD_ERROR_DATA);
      continue;
    }
    assert_int_equal(status, MLPD_OK);
    assert_int_equal(r.features, 2);
    assert_int_equal(r.test_rows, 1);
  }
  (void)unlink(in_folder("out.h5"));
  o.ignore = "id,note,other";
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "a.csv: ignore 'other' is not a column", "a.csv", "b.csv");
  o.ignore = "id,note,z*";
  ASSERT_REFUSED(o, MLPD_ERROR_USAGE, "a.csv: ignore 'z*' matches no column", "a.csv", "b.csv");
}

static void test_columns_that_are_none(void **state) {
  (void)state;
  const char *table = "X1,X2,Y1,Y1\n1,2,3,4\n5,6,7,8\n";
  const struct {
    const char *label, *ignore, *columns, *part;
  } cases[] = {
      {"y1", NULL, NULL, "label 'y1' is not a column; did you mean 'Y1'?"},
      {"Y1", NULL, NULL, "label 'Y1' names more than one column: 2 and 3; give one of these numbers"},
      {"9", NULL, NULL, "or numbers from 0 to 3"},
      {NULL, "z*", NULL, "ignore 'z*' matches no column"},
      {"X1", "X1", NULL, "column 'X1' is in both label and ignore"},
      {"X1", NULL, "X1,X2", "column 'X1' is the target, but also among the features"},
      {NULL, "0-3", NULL, "every column is left out"},
      {"X2..X1", NULL, NULL, "label 'X2..X1' runs backwards: column 1 (from 0) comes after column 0"},
      {NULL, "3-0", NULL, "ignore '3-0' runs backwards: column 3 (from 0) comes after column 0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    mlpd_convert_options o = plain_options();
    o.label = cases[i].label;
    o.ignore = cases[i].ignore;
    o.columns = cases[i].columns;
    assert_refused(o, MLPD_ERROR_USAGE, table, cases[i].part);
  }
  mlpd_convert_options o = telling_options();
  mlpd_convert_result r;
  ASSERT_CONVERTED(o, &r, "a.csv");
  assert_said("names that occur in the header more than once are numbered: Y1, Y1.1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_headers, clear_folder),
      cmocka_unit_test_teardown(test_signs_in_names, clear_folder),
      cmocka_unit_test_teardown(test_names_in_levels, clear_folder),
      cmocka_unit_test_teardown(test_headers_of_numbers, clear_folder),
      cmocka_unit_test_teardown(test_rows_that_begin_with_a_hash, clear_folder),
      cmocka_unit_test_teardown(test_index_columns, clear_folder),
      cmocka_unit_test_teardown(test_totals_and_comments, clear_folder),
      cmocka_unit_test_teardown(test_columns_that_count, clear_folder),
      cmocka_unit_test_teardown(test_line_ends_in_quotes, clear_folder),
      cmocka_unit_test_teardown(test_skipped_lines, clear_folder),
      cmocka_unit_test_teardown(test_frames_and_footers, clear_folder),
      cmocka_unit_test_teardown(test_encodings, clear_folder),
      cmocka_unit_test_teardown(test_long_utf16, clear_folder),
      cmocka_unit_test_teardown(test_notations, clear_folder),
      cmocka_unit_test_teardown(test_hints, clear_folder),
      cmocka_unit_test_teardown(test_digits_of_large_offsets, clear_folder),
      cmocka_unit_test_teardown(test_answers, clear_folder),
      cmocka_unit_test_teardown(test_missing_values, clear_folder),
      cmocka_unit_test_teardown(test_placeholders, clear_folder),
      cmocka_unit_test_teardown(test_said_of_texts, clear_folder),
      cmocka_unit_test_teardown(test_parentheses_below_a_short_header, clear_folder),
      cmocka_unit_test_teardown(test_other_target, clear_folder),
      cmocka_unit_test_teardown(test_stray_words_in_a_target, clear_folder),
      cmocka_unit_test_teardown(test_text_columns, clear_folder),
      cmocka_unit_test_teardown(test_kinds_of_columns, clear_folder),
      cmocka_unit_test_teardown(test_kinds_in_parts, clear_folder),
      cmocka_unit_test_teardown(test_names_over_special_columns, clear_folder),
      cmocka_unit_test_teardown(test_dates, clear_folder),
      cmocka_unit_test_teardown(test_dates_of_others, clear_folder),
      cmocka_unit_test_teardown(test_classes_or_values, clear_folder),
      cmocka_unit_test_teardown(test_target_of_a_model_without_its_name, clear_folder),
      cmocka_unit_test_teardown(test_notes_on_rows, clear_folder),
      cmocka_unit_test_teardown(test_chosen_columns, clear_folder),
      cmocka_unit_test_teardown(test_columns_ignored_in_one_table, clear_folder),
      cmocka_unit_test_teardown(test_columns_that_are_none, clear_folder),
  };
  return cmocka_run_group_tests_name("convert tables", tests, make_folder, remove_folder);
}
