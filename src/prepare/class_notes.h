/* Notes, before training, the names of classes that a run cannot learn. */
#ifndef MLPDIST_CLASS_NOTES_H
#define MLPDIST_CLASS_NOTES_H

#include "prepare/prepare.h"

/* Sums p->class_rows over the ranks; notes classes that occur in validation or test but not in training, classes with a
 * single row, and those that validation lacks. Refuses --select auc if validation has one class. Collective. */
mlpd_status class_notes(mlpd_comm *comm, const mlpd_train_events *events, preparation *p);

#endif
