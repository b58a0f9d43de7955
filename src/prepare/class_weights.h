/* Weights of classes (--class-weight): factors of the weights of training and validation rows. */
#ifndef MLPDIST_CLASS_WEIGHTS_H
#define MLPDIST_CLASS_WEIGHTS_H

#include "prepare/prepare.h"

/* Fills p->class_weights and p->loss from the option, after class_notes() has summed the rows of the classes. balanced:
 * rows / (classes that have rows * rows of the class), as scikit-learn; a class without training rows gets 1.
 * Logically collective (p->options and p->class_rows equal on all ranks). */
mlpd_status class_weights_find(preparation *p);

#endif
