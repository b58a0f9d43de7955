/* Classes that a run cannot learn, said by name before it trains. */
#ifndef MLPDIST_CLASS_NOTES_H
#define MLPDIST_CLASS_NOTES_H

#include "run/prepare.h"

/* Sums p->class_rows over the ranks and notes classes that validation or test have and training lacks, and those with a
 * single row. Collective. */
mlpd_status class_notes(mlpd_comm *comm, const mlpd_train_events *events, preparation *p);

#endif
