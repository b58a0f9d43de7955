/* How explain shows each kind of layer: a row of KINDS in explain_kind.c, and a file for each kind. */
#ifndef MLPDIST_EXPLAIN_KIND_H
#define MLPDIST_EXPLAIN_KIND_H

#include "explain/explain_page.h"

typedef struct explain_kind {
  const char *name;                                    /* as in mlpd_layer_view */
  void (*start)(const explain_page *page, uint32_t l); /* its tensors before the step; NULL: none */
  void (*forward)(const explain_page *page, uint32_t l);
  /* The derivative of C by the layer's input, from delta_l, in brackets: "(delta2 W2^T)". First prints its parts.
   */
  void (*pull)(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]);
  void (*gradients)(const explain_page *page, uint32_t l); /* NULL: it has no tensors */
  void (*update)(const explain_page *page, uint32_t l);    /* likewise */
} explain_kind;

extern const explain_kind explain_dense, explain_layer_norm, explain_batch_norm, explain_rms_norm, explain_dropout,
    explain_noise, explain_scale, explain_embed, explain_periodic, explain_piecewise, explain_fan_out, explain_fork,
    explain_heads;

/* The kind of layer l; NULL: explain does not know it. */
const explain_kind *explain_kind_of(const explain_page *page, uint32_t l);

#endif
