/* Initial weights, drawn from counted random numbers. Nothing here is collective. */
#ifndef MLPDIST_INIT_H
#define MLPDIST_INIT_H

#include "network/network.h"

/* The initialisation MLPD_INIT_AUTO stands for in a layer with this activation. */
mlpd_init init_for_activation(mlpd_activation activation);

/* Stores elements [begin, end) of the initial weights of layer l, row-major over (inputs, outputs), in weight (end -
 * begin). Each is a pure function of (seed, l, its index), so any cut gives the same bits. */
void init_draw(const mlpd_network *network, mlpd_init init, uint64_t seed, uint32_t l, size_t begin, size_t end,
               float *weight);

#endif
