/* The labels of a conversion: collected in the first pass over all inputs, judged between the passes (classes or
 * values; which label is which class), looked up in the second pass. Nothing here is collective. */
#ifndef MLPDIST_SOURCE_LABEL_H
#define MLPDIST_SOURCE_LABEL_H

#include "base/element.h"
#include "base/number.h"
#include "base/status.h"

enum {
  LABEL_CLASSES_MOST = 10000, /* classes a file may have */
  LABEL_AUTO_MOST = 1000,     /* most distinct integers that task auto takes as classes */
  LABEL_AUTO_INTEGER = 9999,  /* largest integer that task auto takes as a class */
  LABEL_NAME_BYTES = 255,
  LABEL_FEW = 20 /* up to so many distinct labels may be classes even if each occurs in one row only */
};

typedef struct label_entry {
  char *key; /* a cell's text, or the 8 bytes of an int64_t */
  size_t length;
  double value; /* if the label is a number */
  uint64_t rows;
  int32_t class_index;
} label_entry;

typedef struct label_set {
  mlpd_task task; /* from the options */
  /* Collected. */
  bool any_text;     /* a label is not a number */
  bool any_decimal;  /* a number has a decimal point */
  bool any_fraction; /* a number is not whole */
  bool any_vector;   /* rows have several values */
  bool all_one_hot;  /* with any_vector: all rows are one-hot */
  bool any_other;    /* with any_vector: a value is neither 0 nor 1 */
  bool any_real;     /* labels are stored as float64 */
  double minimum, maximum;
  double before;                        /* the number before this one, in an input */
  uint64_t steps;                       /* numbers that are one more than the number before, or an input's first */
  uint64_t numbers, texts, number_like; /* counts of labels; number_like: texts that are numbers in another notation */
  uint64_t unit_like;                   /* the same, also with any unit behind them */
  uint64_t dates, united, lots;         /* texts that are dates or times; numbers with a unit, as 5 kg; 30- */
  uint64_t unknown;                     /* texts that say "no value" in a column of numbers */
  char flags[72];                       /* the units, as --strip takes them */
  bool many_flags;                      /* these are not all */
  char text_place[600], text_hint[64];  /* for the first text, if known: "FILE:LINE: column 2"; see csv_cell_hint */
  char text[44], negative[44];          /* the first text; how it is written as a number, if it is one of an account */
  char target[300];                     /* "column 'price'", or "" */
  bool full;                            /* there are more than LABEL_CLASSES_MOST labels; the set is incomplete then */
  label_entry *entries;                 /* (LABEL_CLASSES_MOST) */
  uint32_t count;
  uint32_t *slots;      /* (LABEL_SLOTS) index + 1 into entries, by hash */
  uint32_t input_begin; /* entries before the input that is being collected */
  bool input_meets;     /* it has a label of an earlier input */
  const char *stranger; /* the first input that has none, and at least two of its own; they begin at entry: */
  uint32_t strange_begin, strange_end;
  mlpd_split part;          /* part of the rows that are being collected */
  uint64_t (*part_rows)[3]; /* (LABEL_CLASSES_MOST) rows with the label of an entry, by part */
  /* Decided. */
  bool one_hot; /* the class is the position of the 1 among several values */
  bool classes;
  uint32_t num_classes;
  char **names;      /* (num_classes), or NULL where class k is the label k */
  char **labels;     /* (num_classes) what given names stand for; NULL: none were given */
  element_type type; /* of /PART/y */
} label_set;

mlpd_status label_set_create(mlpd_task task, label_set *set);
void label_set_free(label_set *set);

/* Around the labels of each input; name is kept. */
void label_set_begin_input(label_set *set, mlpd_split part);
void label_set_end_input(label_set *set, const char *name);

/* Collect one label. parsed NULL: the text is not a number. Messages do not name the row: the caller prefixes it. */
mlpd_status label_add_text(label_set *set, const char *text, size_t length, const number *parsed);
mlpd_status label_add_integer(label_set *set, int64_t value);
mlpd_status label_add_value(label_set *set, double value); /* a float of an array of labels */

/* Collects a row of several values (count), one-hot or not. */
mlpd_status label_add_values(label_set *set, const double *values, uint32_t count);

/* true if rows of several values were seen and further ones tell nothing new */
static inline bool label_values_settled(const label_set *set) {
  return set->any_vector && !set->all_one_hot && set->any_other;
}

/* Decides what the labels are; class_names is the option of mlpd_convert_options. */
mlpd_status label_set_decide(label_set *set, const char *class_names);

/* Names classes as those of a model (count): a label that is one of its labels by the name of that class. Does nothing
 * if count is 0. */
mlpd_status label_set_rename(label_set *set, const char *const *labels, const char *const *classes, uint32_t count);

/* Gives the classes of one-hot rows the names (count) of their columns. Does nothing if count is 0. */
mlpd_status label_set_name_columns(label_set *set, const char *const *names, uint64_t count);

/* true if the classes are whole numbers other than 0, 1, 2, ..., which might as well be values. */
bool label_set_is_guess(const label_set *set);

/* Writes the decision as a line of text. */
void label_set_describe(const label_set *set, char *text, size_t size);

/* Writes to rows (num_classes) how many rows each class has in each part of the inputs. */
void label_set_class_rows(const label_set *set, uint64_t (*rows)[3]);

/* The class of a label, or -1 if the first pass did not see it. */
int32_t label_class_of_text(const label_set *set, const char *text, size_t length);
int32_t label_class_of_integer(const label_set *set, int64_t value);

#endif
