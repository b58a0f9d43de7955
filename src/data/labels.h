/* Decides whether the targets of a file are values or classes, and which label is which class. No function here is
 * collective unless its comment says so. */
#ifndef MLPDIST_LABELS_H
#define MLPDIST_LABELS_H

#include "data/class_map.h"
#include "data/dataset.h"

enum { LABELS_NOTE_BYTES = 600 };

typedef struct label_decision {
  bool classes;                 /* false: the targets are values */
  uint32_t num_classes;         /* 0: counted later, when rows are read */
  name_list names;              /* names of the classes, if the labels are names */
  class_map map;                /* for part.map */
  char note[LABELS_NOTE_BYTES]; /* a decision that the user may want to change, or "" */
} label_decision;

/* Decides for an open training part with y. task, loss and classes (0: unknown) come from the options. If these and
 * /class_names do not settle it, the ranks share the work of reading all labels of all parts of the file. Free with
 * labels_free, also on failure. Collective. */
mlpd_status labels_decide(mlpd_comm *comm, const mlpd_data_paths *paths, part *train, mlpd_task task, mlpd_loss loss,
                          uint32_t classes, label_decision *made);
void labels_free(label_decision *made);

/* Maps the labels of a part to the classes of a model: by name if the labels are names of its classes, else by number.
 * names may be empty; `classes` is their number. Free with class_map_free, also on failure. Collective. */
mlpd_status labels_match(mlpd_comm *comm, part *p, const name_list *names, uint32_t classes, class_map *map);

#endif
