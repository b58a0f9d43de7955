/* What layer norm and batch norm have in common: Uhat = (U - mu) / s, Z = gain o Uhat + shift, with mean mu and
 * deviation s of each row, or of each column. */
#ifndef MLPDIST_EXPLAIN_NORM_H
#define MLPDIST_EXPLAIN_NORM_H

#include "explain/explain_kind.h"

/* over: "row" or "column". The functions of an explain_kind. */
void explain_norm_start(const explain_page *page, uint32_t l);
void explain_norm_forward(const explain_page *page, uint32_t l, const char *over);
void explain_norm_pull(const explain_page *page, uint32_t l, const char *over, char formula[EXPLAIN_FORMULA]);
void explain_norm_gradients(const explain_page *page, uint32_t l);
void explain_norm_update(const explain_page *page, uint32_t l);

#endif
