/* How each optimizer updates a tensor: its state and the new values. */
#ifndef MLPDIST_EXPLAIN_UPDATE_H
#define MLPDIST_EXPLAIN_UPDATE_H

#include "explain/explain_page.h"

typedef struct explain_updated {
  const char *name; /* "W1" */
  uint32_t layer;
  const char *tensor; /* of the layer: "weight" */
  bool decays;
  bool folds;  /* its rows may be wider than a line */
  double rate; /* factor of eta */
} explain_updated;

void explain_update_tensor(const explain_page *page, const explain_updated *t);

/* Weights, and biases unless they stay as they are, of a dense layer or of the heads. */
void explain_update_weights(const explain_page *page, uint32_t l, bool has_bias);

/* Parameters of the optimizer, for the head of the page; nothing for plain gradient descent. */
void explain_update_start(const explain_page *page);

/* Does explain know the formulas of this optimizer? */
bool explain_update_knows(mlpd_optimizer optimizer);

#endif
