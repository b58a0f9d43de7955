/* Properties of the columns of a data set: kinds, categories, missing values. In a file: /columns/kind (d), "number",
 * "yes/no" or "category"; /columns/category_counts (d), the number of categories of each column; /columns/categories,
 * their texts, column after column; and the attribute missing_values of /columns, if NaN in numbers means a missing
 * value. A category's code is its index among those of its column; -1: missing. Nothing here is collective. */
#ifndef MLPDIST_COLUMNS_H
#define MLPDIST_COLUMNS_H

#include "data/names.h"
#include "h5/h5.h"

typedef enum column_kind { COLUMN_KIND_NUMBER, COLUMN_KIND_YES_NO, COLUMN_KIND_CATEGORY } column_kind;

enum {
  CATEGORY_MISSING = -1,
  CATEGORY_UNKNOWN = -2, /* in memory: a category that the model does not know */
  CATEGORIES_MOST = 65536
};

typedef struct columns {
  uint32_t count;        /* 0: nothing is known */
  uint8_t *kinds;        /* (count) column_kind */
  name_list *categories; /* (count) categories of each column */
  bool missing;          /* values may be missing */
} columns;

mlpd_status columns_create(uint32_t count, columns *made); /* all are numbers */
void columns_free(columns *c);

bool columns_any_category(const columns *c);

/* Matches categories by name; whole numbers without a match by name are matched by value, because data sets and models
 * of earlier versions may hold 7.0 as well as 7, which convert now treats as one category. So several given names may
 * match one wanted name. Free with name_match_free. */
mlpd_status columns_match_categories(const name_list *wanted, const name_list *given, name_match *made);

const char *column_kind_name(uint8_t kind);

/* Writes c. The kinds are written even if all are numbers, because they mark a table. */
mlpd_status columns_write(h5_file *file, const columns *c);

/* Reads the properties; *read is empty if the file has none. */
mlpd_status columns_read(h5_file *file, columns *read);

/* Selects columns: column i of *made is column from[i] of c. */
mlpd_status columns_pick(const columns *c, const uint32_t *from, uint32_t count, columns *made);

#endif
