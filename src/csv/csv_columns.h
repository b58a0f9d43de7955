/* Decides from the options label, ignore and columns which columns of a table are features, targets, or left out.
 * Nothing here is collective. */
#ifndef MLPDIST_CSV_COLUMNS_H
#define MLPDIST_CSV_COLUMNS_H

#include "csv/csv_dress.h"
#include "source/source.h"

typedef enum csv_role { CSV_LEFT_OUT, CSV_FEATURE, CSV_TARGET } csv_role;

typedef struct csv_plan {
  uint8_t *roles;     /* (columns) csv_role */
  uint8_t *dates;     /* (columns) date_kind of features, each of date_features() numbers */
  csv_dress *dresses; /* (columns) of features that are numbers with a unit or marks between thousands */
  uint32_t *targets;  /* (num_targets) columns, as label lists them */
  uint32_t num_targets, num_features, num_ignored;
  bool index_left_out;
} csv_plan;

/* Features that a column makes. */
uint32_t csv_features_of(const csv_plan *plan, uint32_t column);

/* Makes the plan. name is the file's, for messages. */
mlpd_status csv_plan_make(const char *name, const csv_layout *layout, const mlpd_convert_options *options,
                          csv_plan *plan);

/* The same by the options alone, without regard to a model. */
mlpd_status csv_plan_by_options(const char *name, const csv_layout *layout, const mlpd_convert_options *options,
                                csv_plan *plan);
void csv_plan_free(csv_plan *plan);

/* The columns that a list, given as option, names: marked (columns), which the caller frees. */
mlpd_status csv_columns_named(const char *name, const csv_layout *layout, const char *option, const char *list,
                              bool **marked);

/* Of several CSV files some may lack a column that options->ignore names: MLPD_ERROR_USAGE if all of them do. */
mlpd_status csv_sources_check_ignored(const source_list *list, const mlpd_convert_options *options);

/* Names for the columns of a table without a header: "column 0", "column 1", ... A model that was trained on one whose
 * columns were not all plain numbers finds them by these. */
mlpd_status csv_place_names(uint32_t columns, char ***names);
void csv_place_names_free(char **names, uint32_t columns); /* NULL is allowed. */

/* Writes "column 'age'", or "column 2 (from 0)" if there are no names, to text; returns it. */
const char *csv_column_shown(const csv_layout *layout, uint32_t column, char text[300]);

#endif
