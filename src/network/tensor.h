/* Tensors: what a network learns, each an array in one arena. Optimizers, sums, checkpoints, model files, hashes and
 * descriptions walk the list of tensors; what a tensor means is the affair of its layer's kind (layer_kind.h). Nothing
 * here is collective. */
#ifndef MLPDIST_TENSOR_H
#define MLPDIST_TENSOR_H

#include "kernels/backend.h"

/* What a step sums over its rows, to change a tensor's values with. */
typedef enum tensor_source {
  TENSOR_PRODUCT,    /* the gradient a_{l-1}^T delta_l, which a back end can sum over lanes at once */
  TENSOR_GRADIENT,   /* a gradient that the layer's kind computes */
  TENSOR_STATISTICS, /* a statistic of the rows, which the kind computes: the values follow its mean over the step */
  TENSOR_FIXED       /* values that training does not change, which the kind gives the gradient 0 */
} tensor_source;

/* The values that a tensor starts with. */
typedef enum tensor_start {
  TENSOR_CONSTANT, /* `value` in every place */
  TENSOR_DRAWN,    /* as --init says; this one and those below are drawn */
  TENSOR_NORMAL,   /* drawn from N(0, spread^2) */
  TENSOR_SIGNS,    /* drawn: -1 or 1 */
  TENSOR_UNIFORM   /* drawn from U(-spread, spread) */
} tensor_start;

typedef struct tensor {
  const char *name; /* in model files: "weight". Static storage */
  uint32_t layer;   /* whose it is */
  uint32_t rows, columns;
  uint32_t groups; /* so many matrices one below the other, of rows / groups rows each; 0: one */
  bool vector;     /* one row: in files an array of rank 1 */
  uint32_t stride; /* floats between rows: columns, or a little more */
  size_t offset;   /* floats from the arena's start; a multiple of 16 */
  tensor_source source;
  float decay; /* factor of the weight decay; 0: none */
  float rate;  /* factor of the learning rate; of statistics the part of the way that the values move each step */
  tensor_start start;
  float value;         /* of a constant start */
  float spread;        /* of normal and uniform starts; 0: 1 */
  mlpd_init auto_init; /* what MLPD_INIT_AUTO stands for here */
  uint32_t draw;       /* number of this tensor among those drawn: the key of its draws */
} tensor;

/* Floats from the arena's start to the end of t, gaps between rows included. */
static inline size_t tensor_end(const tensor *t) { return t->offset + (size_t)t->rows * t->stride; }

/* Does training change it by gradients? */
static inline bool tensor_learns(const tensor *t) {
  return t->source != TENSOR_STATISTICS && t->source != TENSOR_FIXED;
}

/* The rows of each of its matrices. */
static inline uint32_t tensor_group_rows(const tensor *t) { return t->groups > 1 ? t->rows / t->groups : t->rows; }

/* Floats between rows of `columns` floats that do not fall into the same few cache sets. */
uint32_t tensor_row_stride(uint32_t columns);

/* A unit of a gradient or statistic: rows [row, row + rows) and some columns of a tensor, computed by one thread; of
 * one matrix where there are several. */
typedef struct gradient_unit {
  uint32_t tensor, layer, row, rows, column, columns;
} gradient_unit;

/* The number of units of t, and each of them, row by row of units. Their bits do not depend on who computes them. */
uint32_t tensor_num_units(const tensor *t, const backend *gemm);
gradient_unit tensor_unit(const tensor *t, const backend *gemm, uint32_t index);

#endif
