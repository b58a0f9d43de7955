/* Maps the labels of a file to classes 0, 1, 2, ...: by number, by text, or by the position of the 1 in one-hot rows.
 * Nothing here is collective. */
#ifndef MLPDIST_CLASS_MAP_H
#define MLPDIST_CLASS_MAP_H

#include "data/stored_labels.h"

typedef struct class_map {
  bool one_hot;     /* y is (rows, classes): the column of the 1 is the class, and the rest of the struct is empty */
  uint64_t count;   /* number of labels; 0: a label is its class */
  char **texts;     /* (count), or NULL */
  int64_t *numbers; /* (count), or NULL */
  uint32_t *order;  /* (count) indices of the labels, sorted by label */
  int64_t *classes; /* (count) class of each label; NULL: label k is class k */
} class_map;

/* Makes label k of the sorted table l class k. names (count) are the labels as texts: free them with h5_strings_free.
 */
mlpd_status class_map_of_labels(const stored_labels *l, class_map *map, char ***names);

/* Makes the label names[k] class k. If numbers, all names must be whole numbers and the labels are numbers, else texts.
 */
mlpd_status class_map_of_names(char *const *names, uint64_t count, bool numbers, class_map *map);

/* Makes the number values[i] the class that by_name gives names[i]. */
mlpd_status class_map_of_values(const class_map *by_name, char *const *names, const int64_t *values, uint64_t count,
                                class_map *map);

/* true if text is a whole number exactly as printf's %lld writes it */
bool label_is_number(const char *text, int64_t *number);

void class_map_free(class_map *map);

/* The class of a label, or -1 if the map has no such label. */
int64_t class_map_of_number(const class_map *map, int64_t number);
int64_t class_map_of_text(const class_map *map, const char *text, size_t length);

#endif
