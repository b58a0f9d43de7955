/* Suggestions: the word somebody probably meant. */
#ifndef MLPDIST_PROGRAM_SUGGEST_H
#define MLPDIST_PROGRAM_SUGGEST_H

#include <stddef.h>

/* The distance of Levenshtein (1966) between two words: insertions, deletions and replacements of a character. Words
 * are compared up to 63 characters. */
size_t suggest_distance(const char *a, const char *b);

/* Keeps the best candidate for word so far in *best (start with NULL), if it is near enough to be worth naming. */
void suggest_offer(const char *word, const char *candidate, const char **best);

#endif
