/* Numbers among the inputs of a layer that makes several values of each. */
#ifndef MLPDIST_EXPLAIN_EMBEDDED_H
#define MLPDIST_EXPLAIN_EMBEDDED_H

#include "explain/explain_kind.h"

typedef struct explain_embedded {
  uint32_t input, output; /* its column of the layer's inputs, and the first one of its outputs */
} explain_embedded;

/* Number `which` of the lesson, from 0, categories not counted; width: outputs of each number. */
explain_embedded explain_embedded_of(const explain_page *page, uint32_t which, uint32_t width);

/* The layer's numbers. Members that share nothing have each a row of the tensor for each of them. */
uint32_t explain_embedded_count(const explain_page *page, uint32_t l, explain_matrix tensor);

/* The row of a tensor for number `which` in row i of the page. */
uint64_t explain_embedded_row(const explain_page *page, uint32_t l, explain_matrix tensor, uint32_t which, uint64_t i);

/* Its value in row i of the page. */
double explain_embedded_value(const explain_page *page, uint32_t l, explain_embedded number, uint64_t i);

/* Does a layer below l learn, so that dC by the inputs of l is printed? */
bool explain_embedded_pulls(const explain_page *page, uint32_t l);

/* Print a tensor of layer l, its gradient and its update, with a formula or name; rate: factor of eta. */
void explain_embedded_tensor(const explain_page *page, uint32_t l, const char *formula, const char *tensor);
void explain_embedded_gradient(const explain_page *page, uint32_t l, const char *formula, const char *tensor);
void explain_embedded_update(const explain_page *page, uint32_t l, const char *name, const char *tensor, double rate);

#endif
