/* Columns of tables in words, for train and info. Nothing here is collective. */
#ifndef MLPDIST_COLUMN_WORDS_H
#define MLPDIST_COLUMN_WORDS_H

#include "data/column_codes.h"

enum { COLUMN_WORDS_BYTES = 400 };

/* Column j, and the inputs that it has become: "city: category, 4 inputs: Oslo, Rome, Wien, missing". names may be
 * empty. */
void column_codes_words(const column_codes *c, const name_list *names, uint32_t j, char text[COLUMN_WORDS_BYTES]);

/* Column j of a data set: "city: 3 categories: Oslo, Rome, Wien". */
void column_words(const columns *about, const name_list *names, uint32_t j, char text[COLUMN_WORDS_BYTES]);

#endif
