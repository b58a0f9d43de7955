/* Initial weights, drawn from counted random numbers. */
#ifndef MLPDIST_INIT_H
#define MLPDIST_INIT_H

#include "network/network.h"

/* The initialisation MLPD_INIT_AUTO stands for in a layer with this activation. Not collective. */
mlpd_init init_for_activation(mlpd_activation activation);

#endif
