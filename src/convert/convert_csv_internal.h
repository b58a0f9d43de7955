/* The source of rows of a CSV file, shared by its files. Nothing here is collective. */
#ifndef MLPDIST_CONVERT_CSV_INTERNAL_H
#define MLPDIST_CONVERT_CSV_INTERNAL_H

#include "convert/category_set.h"
#include "convert/convert_csv_columns.h"
#include "convert/convert_extremes.h"
#include "convert/convert_source.h"

#define CSV_NO_LABEL UINT32_MAX

/* Cells of a column that are no numbers. */
typedef struct csv_fault {
  uint64_t missing, texts, yes_no, dates;        /* how many; dates are texts, too */
  uint64_t missing_line, text_line, yes_no_line; /* of the first */
  char missing_text[CSV_SHOWN_BYTES + 4], text[CSV_SHOWN_BYTES + 4];
  char hint[CSV_HINT_BYTES]; /* options that read the first text, or "" */
} csv_fault;

typedef struct csv_range {
  double least, most;
  bool whole;   /* written without decimal points */
  bool missing; /* in some row */
  extremes ends;
} csv_range;

typedef enum row_state { ROW_GOOD, ROW_MISSING, ROW_FAULTY, ROW_EMPTY } row_state;

typedef struct csv_source {
  source base;
  const mlpd_convert_options *options;
  csv_lines lines;
  csv_layout layout;
  csv_syntax syntax;
  csv_plan plan;
  bool fast;               /* numbers are written as in C */
  bool gathering;          /* the first pass */
  uint32_t label;          /* column of the only target, or CSV_NO_LABEL */
  number *numbers;         /* (features, then targets where there are several) of the row last parsed */
  uint32_t *target_places; /* (columns) where the targets' numbers go; NULL: one target, or none */
  double *target_values;   /* (y_columns) of a row, where they are several */
  csv_cell label_cell;
  extremes label_ends;
  csv_range *ranges;    /* like numbers */
  category_set **sets;  /* (columns) of categories; NULL: none; itself NULL: no categories at all */
  bool *owned;          /* (columns) sets that are this table's, not the first one's */
  const char **reasons; /* (columns) why the kind of a column leaves it out, or NULL */
  bool follows;         /* kinds are those of another table */
  csv_fault **faults;   /* (columns) NULL: none; itself NULL: no faults at all */
  uint64_t rows_seen, rows_missing, rows_trailing, rows_empty;
} csv_source;

extern const source_methods csv_methods;

/* Notes a cell of column that is no number. */
mlpd_status csv_fault_add(csv_source *c, uint32_t column, csv_kind kind, const csv_cell *cell);
void csv_faults_free(csv_source *c);

/* After the first pass: refuses what cannot be read, and finds the columns of answers. */
mlpd_status csv_faults_judge(csv_source *c);

/* "FILE:LINE: column 2 (age): 'text' WHAT" */
mlpd_status csv_cell_error(const csv_source *c, uint32_t column, const csv_cell *cell, const char *what);

/* Names of columns and room for a row, as the plan has them; again after it has changed. */
mlpd_status csv_make_room(csv_source *c);

/* Reports the layout, columns and rows of c. */
void csv_report_layout(const csv_source *c);
void csv_report_rows(const csv_source *c);

#endif
