#include "data/class_counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

mlpd_status class_counts_reach(class_counts *c, uint32_t count) {
  if (count <= c->count) return MLPD_OK;
  if (count > c->room) {
    uint64_t *rows = NULL;
    const uint32_t room = count > 2 * c->room ? count : 2 * c->room;
    TRY(memory_allocate(&rows, room, sizeof *rows, "rows of each class"));
    if (c->count > 0) memcpy(rows, c->rows, c->count * sizeof *rows);
    free(c->rows);
    c->rows = rows;
    c->room = room;
  }
  c->count = count;
  return MLPD_OK;
}

mlpd_status class_counts_add(class_counts *c, const int32_t *classes, uint64_t n) {
  for (uint64_t i = 0; classes != NULL && i < n; i++) {
    const int32_t class = classes[i];
    if (class > c->largest) c->largest = class;
    if (class >= CLASSES_COUNTED) continue;
    if ((uint32_t) class >= c->count) TRY(class_counts_reach(c, (uint32_t) class + 1));
    c->rows[class]++;
  }
  return MLPD_OK;
}

mlpd_status class_counts_merge(const class_counts *other, class_counts *into) {
  if (other->largest > into->largest) into->largest = other->largest;
  TRY(class_counts_reach(into, other->count));
  for (uint32_t k = 0; k < other->count; k++) into->rows[k] += other->rows[k];
  return MLPD_OK;
}

void class_counts_free(class_counts *c) {
  free(c->rows);
  *c = NO_CLASSES;
}
