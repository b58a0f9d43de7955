/* Rows on their way from a file to a model that has other codes of categories, or no input that tells that a number is
 * missing. Nothing here is collective. */
#ifndef MLPDIST_PART_CODES_H
#define MLPDIST_PART_CODES_H

#include "data/affine.h"
#include "data/column_codes.h"
#include "data/dataset.h"

/* Sets how x of p, whose columns are in the model's order, is read for a model with these codes (NULL: it has none) and
 * this input map. names: of the columns. MLPD_ERROR_DATA where a column is of another kind than the model's. */
mlpd_status part_match_codes(part *p, const name_list *names, const column_codes *codes, const affine *input);

/* Translates x (count, features) of p->type in place. */
void part_translate(const part *p, uint64_t count, void *x);

#endif
