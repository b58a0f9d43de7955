/* Initial weights, drawn from counted random numbers. Nothing here is collective. */
#ifndef MLPDIST_INIT_H
#define MLPDIST_INIT_H

#include "network/tensor.h"

/* The initialisation that MLPD_INIT_AUTO stands for in a layer with this activation. */
mlpd_init init_for_activation(mlpd_activation activation);

/* Stores elements [begin, end) of the initial values of t, which are drawn, row-major over (rows, columns), in values
 * (end - begin). Each is a pure function of (seed, t->draw, its index), so any cut gives the same bits. */
void init_draw(const tensor *t, mlpd_init init, uint64_t seed, size_t begin, size_t end, float *values);

#endif
