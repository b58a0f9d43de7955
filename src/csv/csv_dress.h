/* Numbers in a dress: with a unit, which is the same in all cells of a column (59.7 kg, 12 %, $5), and with marks
 * between thousands (1,234,567). The feature of a column with a unit is called "NAME (UNIT)", so that a model knows the
 * unit. Nothing here is collective. */
#ifndef MLPDIST_CSV_DRESS_H
#define MLPDIST_CSV_DRESS_H

#include "csv/csv.h"

typedef struct csv_dress {
  char unit[CSV_UNIT_BYTES]; /* "": none */
  char thousands;            /* 0: no mark */
} csv_dress;

/* The texts of a column that are numbers in a dress. */
typedef struct csv_dressed {
  uint64_t fitting; /* how many have the unit of the first, and marks of one kind */
  uint64_t united;  /* how many have a unit, whichever */
  csv_dress first;
  bool clear;                  /* commas separate thousands, and are no decimal signs */
  char units[CSV_FLAGS_BYTES]; /* the different ones, as csv_flags_add lists them */
  bool many_units;             /* more than that list holds */
} csv_dressed;

/* Counts a cell that is no number as it stands. */
void csv_dressed_add(const csv_syntax *syntax, const csv_cell *cell, csv_dressed *d);

/* The dress of a column of so many values; false if there is none that all its cells have, or it is not clear. */
bool csv_dressed_settle(const csv_dressed *d, uint64_t texts, uint64_t values, csv_dress *dress);

static inline bool csv_is_dressed(const csv_dress *dress) { return dress->unit[0] != '\0' || dress->thousands != 0; }

/* Reads a cell of a column with this dress: false if it has another. */
bool csv_dress_read(const csv_syntax *syntax, const csv_dress *dress, const csv_cell *cell, number *parsed);

/* Writes "NAME (UNIT)" to text; returns it. */
const char *csv_dress_name(const csv_dress *dress, const char *name, char *text, size_t size);

/* The unit in such a name, and the length of the name without it. */
bool csv_dress_of_name(const char *name, size_t *length, csv_dress *dress);

#endif
