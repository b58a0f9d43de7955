/* The network that the options ask for. Nothing here is collective. */
#ifndef MLPDIST_NETWORK_OPTIONS_H
#define MLPDIST_NETWORK_OPTIONS_H

#include "network/network.h"

/* What the inputs of a network are. */
typedef struct input_roles {
  uint32_t count;
  const uint32_t *sizes;  /* (count) number of codes of an input that is one, else 0; NULL: no input is a code */
  const uint8_t *numbers; /* (count) 1: the input is a number; NULL: all are that are no codes */
} input_roles;

/* Makes the network of options, with its output activation settled; shape_alone as in network_build. */
mlpd_status network_of_options(const mlpd_train_options *options, const input_roles *inputs, uint32_t outputs,
                               bool shape_alone, mlpd_network **network);

/* mlpd_network_from_options() for these inputs; bins of numbers are empty. */
mlpd_status network_start(const mlpd_train_options *options, const input_roles *inputs, uint32_t outputs,
                          mlpd_network **network);

#endif
