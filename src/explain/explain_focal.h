/* Focal losses in numbers: a cross-entropy times (1 - p)^gamma, p the probability of the right answer. */
#ifndef MLPDIST_EXPLAIN_FOCAL_H
#define MLPDIST_EXPLAIN_FOCAL_H

#include "explain/explain_page.h"

void explain_focal_start(const explain_page *page); /* the formula of the cost */
/* The derivative by Z of the output layer, without the weights of samples: its formula, after its parts are printed. */
void explain_focal_delta(const explain_page *page, char formula[EXPLAIN_FORMULA]);

#endif
