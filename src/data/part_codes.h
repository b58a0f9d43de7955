/* Translates rows of a file for a model with other codes of categories, or without inputs that indicate missing
 * numbers. Nothing here is collective. */
#ifndef MLPDIST_PART_CODES_H
#define MLPDIST_PART_CODES_H

#include "data/affine.h"
#include "data/column_codes.h"
#include "data/dataset.h"

/* Sets how x of p, whose columns are in the model's order, is read for a model with these codes (NULL: none) and this
 * input map. names: names of the columns. MLPD_ERROR_DATA if a column is of another kind than in the model. */
mlpd_status part_match_codes(part *p, const name_list *names, const column_codes *codes, const affine *input);

/* Translates x (count, features) of p->type in place. */
void part_translate(const part *p, uint64_t count, void *x);

#endif
