/* Names that were probably meant: the distance that mlpd_name_offer() uses. Nothing here is collective. */
#ifndef MLPDIST_NAME_H
#define MLPDIST_NAME_H

#include <stddef.h>

/* Levenshtein's distance (1966) of two words: insertions, deletions and replacements of a character; the case of
 * letters does not count. Words are compared up to 63 characters. */
size_t name_distance(const char *a, const char *b);

#endif
