#include "prepare/class_notes.h"

#include <stdlib.h>

#include "base/memory.h"
#include "ranks/comm.h"

enum { PARTS = 3, NAMES_BYTES = 300, NOTE_BYTES = 400 };

/* Lists the names of the classes whose place is NAME_ABSENT; returns their number. */
static uint32_t list_marked(const mlpd_model *model, const uint32_t *place, uint32_t classes, char *text) {
  name_list names = {0};
  uint32_t marked = 0;
  for (uint32_t k = 0; k < classes; k++) marked += place[k] == NAME_ABSENT;
  if (marked == 0 || memory_allocate(&names.names, classes, sizeof(char *), "class names") != MLPD_OK) return 0;
  for (uint32_t k = 0; k < classes; k++, names.count++)
    if (memory_copy_string(mlpd_model_class_name(model, k), &names.names[k]) != MLPD_OK) break;
  name_list_print(&names, place, text, NAMES_BYTES);
  name_list_free(&names);
  return marked;
}

static void tell(const mlpd_train_events *events, const preparation *p, const uint32_t *place, const char *one,
                 const char *many) {
  char names[NAMES_BYTES] = "", note[NOTE_BYTES];
  const uint32_t marked = list_marked(p->model, place, p->options.classes, names);
  if (marked == 0) return;
  (void)snprintf(note, sizeof note, "%s %s %s", marked == 1 ? "class" : "classes", names, marked == 1 ? one : many);
  events->notice(events->context, note);
}

static uint64_t sum_rows(const preparation *p, mlpd_split part) {
  uint64_t sum = 0;
  for (uint32_t k = 0; k < p->options.classes; k++) sum += p->class_rows[part].rows[k];
  return sum;
}

/* On rank 0, with the sums of all ranks. */
static mlpd_status tell_classes(const mlpd_train_events *events, const preparation *p) {
  const uint32_t classes = p->options.classes;
  const uint64_t *rows[PARTS];
  const bool validated = sum_rows(p, MLPD_VALID) > 0;
  uint32_t *untrained = NULL, *single = NULL, *unseen = NULL;
  mlpd_status status = memory_allocate(&untrained, classes, sizeof *untrained, "classes");
  if (status == MLPD_OK) status = memory_allocate(&single, classes, sizeof *single, "classes");
  if (status == MLPD_OK) status = memory_allocate(&unseen, classes, sizeof *unseen, "classes");
  for (int part = 0; part < PARTS; part++) rows[part] = p->class_rows[part].rows;
  for (uint32_t k = 0; k < classes && status == MLPD_OK; k++) {
    const uint64_t train = rows[MLPD_TRAIN][k], others = rows[MLPD_VALID][k] + rows[MLPD_TEST][k];
    untrained[k] = train == 0 && others > 0 ? NAME_ABSENT : 0;
    single[k] = train + others == 1 ? NAME_ABSENT : 0;
    unseen[k] = validated && train > 1 && rows[MLPD_VALID][k] == 0 ? NAME_ABSENT : 0;
  }
  if (status == MLPD_OK) {
    tell(events, p, untrained, "is in the validation or test part, but not in the training part",
         "are in the validation or test part, but not in the training part");
    tell(events, p, single, "has a single row", "have a single row");
    tell(events, p, unseen, "has no row in the validation part", "have no row in the validation part");
  }
  free(untrained);
  free(single);
  free(unseen);
  return status;
}

/* The same on all ranks. With rows of one class alone AUC is 1/2 in every epoch, which matters where it decides. */
static mlpd_status check_auc(const preparation *p) {
  const uint64_t all = sum_rows(p, MLPD_VALID);
  const bool decides = p->options.save != MLPD_SAVE_LAST || p->options.patience > 0;
  if (p->options.select != MLPD_SELECT_AUC || all == 0 || !decides) return MLPD_OK;
  for (uint32_t k = 0; k < p->options.classes; k++)
    if (p->class_rows[MLPD_VALID].rows[k] == all)
      return FAIL(
          MLPD_ERROR_DATA,
          "%s: all validation rows are of class '%s', so --select auc cannot compare epochs; use --select loss, "
          "or validation rows of both classes (a larger --valid-fraction, if they are drawn)",
          p->options.data.file, mlpd_model_class_name(p->model, k));
  return MLPD_OK;
}

mlpd_status class_notes(mlpd_comm *comm, const mlpd_train_events *events, preparation *p) {
  mlpd_status status = MLPD_OK;
  if (p->options.task != MLPD_CLASSIFICATION || p->options.classes > CLASSES_COUNTED) return MLPD_OK;
  for (int part = 0; part < PARTS && status == MLPD_OK; part++)
    status = class_counts_reach(&p->class_rows[part], p->options.classes);
  TRY(mlpd_comm_agree(comm, status));
  for (int part = 0; part < PARTS; part++) TRY(comm_sum_u64(comm, p->class_rows[part].rows, p->options.classes));
  TRY(check_auc(p));
  if (mlpd_comm_rank(comm) == 0 && events != NULL && events->notice != NULL) status = tell_classes(events, p);
  return mlpd_comm_agree(comm, status);
}
