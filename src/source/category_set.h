/* The distinct texts of a column of categories, collected row by row. When all are known, each gets a code: its index
 * in sorted order, by value if all are numbers, else by bytes. Nothing here is collective. */
#ifndef MLPDIST_SOURCE_CATEGORY_SET_H
#define MLPDIST_SOURCE_CATEGORY_SET_H

#include "data/columns.h"

typedef struct category {
  char *text;
  size_t length;
  uint64_t rows; /* with this text */
  int32_t code;
  bool trained; /* rows of the training part have it */
} category;

typedef struct category_set {
  category *all; /* (count, room) */
  uint32_t count, room;
  uint32_t *slots;    /* (num_slots) index + 1, by hash; 0: free */
  uint32_t num_slots; /* a power of two */
  uint64_t rows;      /* texts added */
  bool full;          /* there are more than CATEGORIES_MOST; the set is incomplete then */
  bool coded;
  bool wanted; /* the user, or a model, requires that the column holds categories */
} category_set;

mlpd_status category_set_create(category_set **made);
void category_set_free(category_set *set); /* NULL is allowed. */
void category_set_clear(category_set *set);

/* Adds a text; *index: its place in `all`, or `count` if the set is full. */
mlpd_status category_set_add(category_set *set, const char *text, size_t length, uint32_t *index);

/* Was the text added? */
bool category_set_holds(const category_set *set, const char *text, size_t length);

/* Returns the code of a text, or CATEGORY_UNKNOWN if it was not added. The first call assigns all codes. */
mlpd_status category_set_code(category_set *set, const char *text, size_t length, int32_t *code);

/* Copies the texts in the order of their codes. */
mlpd_status category_set_names(category_set *set, name_list *names);

#endif
