/* What a data set knows of its columns beside their names: kinds, categories, missing values. In a file: /columns/kind
 * (d), "number", "yes/no" or "category"; /columns/category_counts (d), categories of each column; /columns/categories,
 * their texts, one column after the other; and the attribute missing_values of /columns, where NaN stands for values
 * that are missing in numbers. A category's code is its place among those of its column; -1: missing. Nothing here is
 * collective. */
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
  name_list *categories; /* (count) of each column */
  bool missing;          /* values may be missing */
} columns;

mlpd_status columns_create(uint32_t count, columns *made); /* of numbers */
void columns_free(columns *c);

bool columns_any_category(const columns *c);

const char *column_kind_name(uint8_t kind);

/* Writes c with kinds, even where all are numbers: it marks a table. */
mlpd_status columns_write(h5_file *file, const columns *c);

/* Reads what the file has; *read is empty where it has none. */
mlpd_status columns_read(h5_file *file, columns *read);

/* Takes count columns by place, in this order: made[i] is that of from[i]. */
mlpd_status columns_pick(const columns *c, const uint32_t *from, uint32_t count, columns *made);

#endif
