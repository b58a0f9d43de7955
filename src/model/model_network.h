/* The network of a model file: a group /network/layer_N for each layer, its tensors by name, attribute activation of
 * the first tensor. The group's attribute kind names what is not dense (format 3); a kind that expands inputs has an
 * array sizes (inputs) and an attribute width. Layers of training alone are left out. Nothing here is collective. */
#ifndef MLPDIST_MODEL_NETWORK_H
#define MLPDIST_MODEL_NETWORK_H

#include "h5/h5.h"
#include "network/network.h"

mlpd_status model_network_write(h5_file *file, const mlpd_network *network);

/* The caller frees the network. */
mlpd_status model_network_read(h5_file *file, mlpd_network **network);

/* Are all values finite numbers? */
mlpd_status model_network_check(const mlpd_network *network);

/* The lowest format of model files that can hold the network. */
uint64_t model_network_format(const mlpd_network *network);

/* Reads an attribute that names one of choices. */
mlpd_status model_read_choice(h5_file *file, const char *object, const char *name, const mlpd_choice *choices,
                              int *value);

#endif
