/* What the targets of a file are: values, or classes, and which label is which class. No function here is collective
 * unless its comment says so. */
#ifndef MLPDIST_LABELS_H
#define MLPDIST_LABELS_H

#include "data/class_map.h"
#include "data/dataset.h"

enum { LABELS_NOTE_BYTES = 600 };

typedef struct label_decision {
  bool classes;                 /* else values */
  uint32_t num_classes;         /* 0: to be counted as rows are read */
  name_list names;              /* of the classes, where labels name them */
  class_map map;                /* for part.map */
  char note[LABELS_NOTE_BYTES]; /* what was decided and may not be meant, or "" */
} label_decision;

/* Decides for an open training part with y; task and loss as the options have them. Where neither /class_names nor
 * classes (0: unknown) tells, all parts of the file that have such labels are looked through, each rank a share of the
 * rows. Free with labels_free, on failure too. Collective. */
mlpd_status labels_decide(mlpd_comm *comm, const mlpd_data_paths *paths, part *train, mlpd_task task, mlpd_loss loss,
                          uint32_t classes, label_decision *made);
void labels_free(label_decision *made);

/* The map of a part to classes (as many as classes) that a model has, by their names where the part's labels are such
 * names. Free with class_map_free, on failure too. Collective. */
mlpd_status labels_match(mlpd_comm *comm, part *p, const name_list *names, uint32_t classes, class_map *map);

#endif
