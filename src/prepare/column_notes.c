#include "prepare/column_notes.h"

#include <stdio.h>

#include "prepare/prepare_settle.h"

static bool is_constant(const preparation *p, const column_statistics *total, uint32_t column) {
  const columns *const about = &p->model->codes.about;
  if (about->count > 0 && about->kinds[column] == COLUMN_KIND_CATEGORY)
    return !about->missing && about->categories[column].count == 1;
  if (about->count > 0 && p->model->codes.marked[column]) return false;
  return total->minimum[column] >= total->maximum[column];
}

void column_notes_constant(mlpd_comm *comm, const mlpd_train_events *events, const preparation *p,
                           const column_statistics *total) {
  char text[FILE_PATH_BYTES + 200];
  for (uint32_t c = 0; c < p->features; c++)
    if (!is_constant(p, total, c)) return;
  (void)snprintf(text, sizeof text,
                 "%s: %s the same value in all training rows, so the network can learn only one prediction for all "
                 "rows; choose other columns as features",
                 p->options.data.file, p->features == 1 ? "the only feature has" : "every feature has");
  preparation_notice(comm, events, text);
}
