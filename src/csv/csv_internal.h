/* The source of rows of a CSV file; only files of this folder include it. Nothing here is collective. */
#ifndef MLPDIST_CSV_INTERNAL_H
#define MLPDIST_CSV_INTERNAL_H

#include "csv/csv_columns.h"
#include "source/category_set.h"
#include "source/date.h"
#include "source/extremes.h"
#include "source/source.h"

#define CSV_NO_LABEL UINT32_MAX

/* The cells of one column that are not numbers. */
typedef struct csv_fault {
  uint64_t missing, texts, yes_no;               /* how many */
  uint64_t dates, periods, number_like;          /* of the texts: days; months and quarters; other notations */
  uint64_t lots;                                 /* of the texts: 30- */
  uint64_t clocks[2];                            /* of the texts: times of two and of three numbers */
  uint64_t timed;                                /* dates with a time of day other than midnight */
  uint64_t orders[DATE_ORDERS];                  /* dates with the year at the end, by the orders that they allow */
  uint64_t spans, angles;                        /* of the texts */
  bool span_parts, angle_parts;                  /* some of them are written in parts */
  bool north, south;                             /* some angles are positive, some negative */
  csv_dressed dressed;                           /* of the texts: numbers with a unit or marks between thousands */
  uint64_t missing_line, text_line, yes_no_line; /* line of the first of each kind */
  char missing_text[CSV_SHOWN_BYTES + 4], text[CSV_SHOWN_BYTES + 4];
  bool answers[CSV_ANSWERS]; /* of the kinds of yes and no, which occur */
  csv_answer first_answer;
  char answer_text[CSV_SHOWN_BYTES + 4]; /* the first */
  uint64_t other_line;                   /* line of the first answer of another kind */
  char other_text[CSV_SHOWN_BYTES + 4];
  char negative[CSV_SHOWN_BYTES + 4]; /* how the first text is written as a number, if it is one of an account */
  char hint[CSV_HINT_BYTES];          /* options with which the first text is a number, or "" */
  char stray[CSV_SHOWN_BYTES + 4];    /* the first text that is like no number, or "" */
} csv_fault;

typedef struct csv_range {
  double least, most;
  bool whole;      /* all are written without a decimal point */
  bool rounded;    /* whole numbers are beyond 2^53, which double rounds */
  bool missing;    /* a value is missing in some row */
  bool days;       /* all values are dates without signs, as 20210315 */
  bool months;     /* the same, as 202103 */
  bool answers;    /* yes/no in the first table, or for the model */
  uint64_t others; /* with answers: values other than 0 and 1 */
  extremes ends;
} csv_range;

/* Is a column one of a few numbers and texts (csv_mixed.h)? */
typedef enum csv_mix { MIX_UNKNOWN, MIX_TRIED, MIX_FOUND, MIX_NONE } csv_mix;

typedef enum row_state { ROW_GOOD, ROW_MISSING, ROW_FAULTY, ROW_EMPTY } row_state;

typedef struct csv_source {
  source base;
  const mlpd_convert_options *options;
  csv_lines lines;
  csv_layout layout;
  csv_syntax syntax;
  csv_plan plan;
  bool fast;               /* numbers are written as in C, which is parsed fast */
  bool gathering;          /* in the first pass */
  uint32_t label;          /* column of the only target, or CSV_NO_LABEL */
  number *numbers;         /* (features, then targets if there are several) of the current row */
  uint32_t *target_places; /* (columns) index of a target's number in `numbers`; NULL: one target, or none */
  double *target_values;   /* (y_columns) of the current row, if there are several */
  csv_cell label_cell;
  extremes label_ends;
  csv_range *ranges;      /* one for each of `numbers` */
  category_set **sets;    /* (columns) of categories; NULL: none; itself NULL: no categories at all */
  csv_mix *mixes;         /* (columns) tried: the set of the column is to show it */
  bool *owned;            /* (columns) sets that are this table's, not the first one's */
  char **reasons;         /* (columns) why the kind of a column leaves it out, or NULL */
  char **examples;        /* (columns) a text of such a column, or NULL */
  char **codes;           /* (columns) a number with zeros in front, or NULL; itself NULL: none was seen */
  struct csv_leak *leaks; /* (num_leaks) features that may determine the target; NULL: none is sought */
  uint32_t num_leaks;
  bool *answers;       /* (columns) yes/no in the first table, or for the model */
  uint64_t *untrained; /* (columns) rows whose categories the training part lacks, with compares */
  bool compares;       /* the first table is of the training part, this one is not */
  bool follows;        /* kinds are those of another table */
  bool by_place;       /* columns have no names, and are called by their places */
  csv_fault **faults;  /* (columns), NULL for a column without faults; NULL if no column has any */
  uint64_t rows_seen, rows_missing, rows_trailing, rows_empty;
} csv_source;

extern const source_methods csv_methods;

/* Records a cell that is not a number. */
/* Counts a date with the year at the end. */
mlpd_status csv_fault_count_order(csv_source *c, uint32_t column, date_order order);
mlpd_status csv_fault_count_time(csv_source *c, uint32_t column);
mlpd_status csv_fault_add(csv_source *c, uint32_t column, csv_kind kind, const csv_cell *cell);
bool csv_fault_is_in_header(const csv_source *c, const csv_fault *fault); /* its line holds the names of columns */
bool csv_fault_mixes_answers(const csv_fault *f); /* both of true and false, and of yes and no, as T, F and N */
void csv_faults_free(csv_source *c);

/* After the first pass: fails if cells cannot be read as numbers, and finds the columns of yes and no. */
mlpd_status csv_faults_judge(csv_source *c);

/* Fails with "FILE:LINE: column 2 (age): 'text' WHAT". */
mlpd_status csv_cell_error(const csv_source *c, uint32_t column, const csv_cell *cell, const char *what);

/* Fails: the cell is a number beyond the range of double. */
mlpd_status csv_beyond_error(const csv_source *c, uint32_t column, const csv_cell *cell);

/* Makes the lists of names and the memory for a row, as the plan says. Call it again after the plan has changed. */
mlpd_status csv_make_room(csv_source *c);

/* "commas", "blanks"; a delimiter without a name is written to text, as "'|'". */
const char *csv_delimiter_name(char delimiter, char text[32]);

/* Report the layout, columns and rows of c. */
void csv_report_layout(const csv_source *c);
void csv_report_rows(const csv_source *c);

#endif
