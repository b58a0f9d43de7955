/* A page: a lesson and its step, for those who print them, and the names of its matrices. */
#ifndef MLPDIST_EXPLAIN_PAGE_H
#define MLPDIST_EXPLAIN_PAGE_H

#include "explain/explain.h"
#include "explain/explain_matrix.h"

enum { EXPLAIN_NAME = 24, EXPLAIN_FORMULA = 200 };

/* The content of a page and its output stream. l is a layer of the network, of any kind, from 0. */
typedef struct explain_page {
  const explain_lesson *lesson;
  const explain_step *step;
  FILE *stream;
} explain_page;

bool explain_is_kind(const explain_page *page, uint32_t l, const char *kind); /* "dense" */
mlpd_layer_view explain_layer(const explain_page *page, uint32_t l);
uint32_t explain_layers(const explain_page *page); /* of the network */

/* The number in names, from 1: a dense layer's, which the layers behind it share; 0: on the inputs. */
uint32_t explain_layer_number(const explain_page *page, uint32_t l);

/* Rows of layer l: samples, or above a fan-out those of member 1, then those of member 2, ... The trace has the members
 * of a sample together: explain_row is its row of row i of the page. */
uint64_t explain_rows(const explain_page *page, uint32_t l);
uint64_t explain_row(const explain_page *page, uint32_t l, uint64_t i);

bool explain_is_normed(const explain_page *page, uint32_t l); /* a dense layer before a norm, without an activation */
bool explain_activates(const explain_page *page, uint32_t l); /* layers that end with an activation */
const char *explain_activation_name(const explain_page *page, uint32_t l);

/* Names of the output of layer l ("Yhat", "H1", "U1", "D1", "Xs"), of its input, and of the derivative of C: by z if it
 * ends with an activation ("delta1"), else by its output ("dC/dU1"). */
const char *explain_output_name(const explain_page *page, uint32_t l, char name[EXPLAIN_NAME]);
const char *explain_input_name(const explain_page *page, uint32_t l, char name[EXPLAIN_NAME]);
const char *explain_delta_name(const explain_page *page, uint32_t l, char name[EXPLAIN_NAME]);

/* What layer l takes: (n, inputs) without gaps. */
const float *explain_input(const explain_page *page, uint32_t l);

/* A matrix of the network, or a row for each sample. */
void explain_print(const explain_page *page, const char *formula, explain_matrix matrix);
void explain_print_folding(const explain_page *page, const char *formula, explain_matrix matrix); /* wide rows too */
void explain_print_samples(const explain_page *page, const char *formula, uint32_t l, const float *values);

/* A tensor of layer l by name, and its gradient. */
uint32_t explain_tensor_index(mlpd_network *network, uint32_t l, const char *name);
explain_matrix explain_tensor(mlpd_network *network, uint32_t l, const char *name);
explain_matrix explain_gradient(const explain_page *page, uint32_t l, const char *name);

#endif
