/* Losses in numbers: the cost, and its derivative by the Z of the output layer. */
#ifndef MLPDIST_EXPLAIN_LOSS_H
#define MLPDIST_EXPLAIN_LOSS_H

#include "explain/explain_page.h"

void explain_loss_start(const explain_page *page);   /* the formulas of the cost */
void explain_loss_targets(const explain_page *page); /* weights of the samples and smoothed targets, if there are any */
void explain_loss_delta(const explain_page *page);   /* delta of the output layer */

/* The first line of a help text, up to its remark. */
void explain_loss_formula(FILE *stream, const char *formula);

#endif
