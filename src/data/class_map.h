/* How the labels of a file become classes 0, 1, 2, ...: by number, by text, or by the column of the 1 in one-hot rows.
 * No function here is collective unless its comment says so. */
#ifndef MLPDIST_CLASS_MAP_H
#define MLPDIST_CLASS_MAP_H

#include "data/stored_labels.h"

typedef struct class_map {
  bool one_hot;     /* y (rows, classes): the column of the 1 is the class. Else: */
  uint64_t count;   /* of labels; 0: a label is its class */
  char **texts;     /* (count), or NULL */
  int64_t *numbers; /* (count), or NULL */
  uint32_t *order;  /* (count) indices of labels, ascending by label */
  int64_t *classes; /* (count) class of each label, or NULL: label k is of class k */
} class_map;

/* Class k is label k of a sorted table. names (count) are the labels as texts, to be freed with h5_strings_free. Not
 * collective. */
mlpd_status class_map_of_labels(const stored_labels *l, class_map *map, char ***names);

/* Class k is what is called names[k], as text or (numbers) as a whole number, which all names then are. */
mlpd_status class_map_of_names(char *const *names, uint64_t count, bool numbers, class_map *map);

/* The number values[i] is of the class that by_name says names[i] is. */
mlpd_status class_map_of_values(const class_map *by_name, char *const *names, const int64_t *values, uint64_t count,
                                class_map *map);

/* Is text a whole number as printf's %lld writes it? */
bool label_is_number(const char *text, int64_t *number);

void class_map_free(class_map *map);

/* The class of a label, or -1 where it is none of the map. */
int64_t class_map_of_number(const class_map *map, int64_t number);
int64_t class_map_of_text(const class_map *map, const char *text, size_t length);

#endif
