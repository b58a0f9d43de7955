#include "data/unwritten.h"

#include <inttypes.h>

bool unwritten_describe(const h5_array *array, char text[UNWRITTEN_BYTES]) {
  const h5_shape shape = h5_array_shape(array);
  char fill[32];
  uint64_t pieces = 0;
  const uint64_t missing = h5_array_unwritten(array, &pieces, fill);
  if (missing == 0) return false;
  if (missing == pieces) {
    (void)snprintf(text, UNWRITTEN_BYTES, "all of its %" PRIu64 " rows were never written and read as %s", shape.rows,
                   fill);
    return true;
  }
  const double most = (double)missing * (double)shape.chunk_rows;
  (void)snprintf(text, UNWRITTEN_BYTES,
                 "%" PRIu64 " of its %" PRIu64 " chunks (up to %.0f of %" PRIu64
                 " rows) were never written and read as %s",
                 missing, pieces, most < (double)shape.rows ? most : (double)shape.rows, shape.rows, fill);
  return true;
}

void unwritten_note(const part *p, void (*note)(void *context, const char *message), void *context) {
  const h5_array *const arrays[] = {p->x, p->y, p->weight};
  const char *const objects[] = {p->x_path, p->y_path, p->weight_path};
  char found[UNWRITTEN_BYTES], line[1024];
  for (int a = 0; a < 3 && note != NULL; a++) {
    if (arrays[a] == NULL || !unwritten_describe(arrays[a], found)) continue;
    (void)snprintf(line, sizeof line, "%.400s: %.200s: %s; was the program that wrote the file stopped?", p->file,
                   objects[a], found);
    note(context, line);
  }
}

void unwritten_note_all(h5_file *file, const mlpd_data_paths *paths, void (*note)(void *context, const char *message),
                        void *context) {
  if (paths->rows != NULL || note == NULL) return;
  for (int split = MLPD_TRAIN; split <= MLPD_TEST; split++) {
    part p = {0};
    bool present = false;
    if (part_open(file, paths, (mlpd_split)split, true, &p, &present) != MLPD_OK || !present) continue;
    unwritten_note(&p, note, context);
    part_close(&p);
  }
}
