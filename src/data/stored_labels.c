#include "data/stored_labels.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "data/class_map.h"
#include "data/dataset.h"

enum { FIRST_SLOTS = 256, BLOCK_BYTES = 1 << 18 };

/* ---- The table ---------------------------------------------------------------------------------------- */

void stored_labels_free(stored_labels *l) {
  for (uint64_t i = 0; i < l->count; i++) free(l->labels[i].text);
  free(l->labels);
  free(l->slots);
  *l = (stored_labels){0};
}

static uint64_t hash_of(int64_t number, const char *text, size_t length) {
  return text != NULL ? XXH3_64bits(text, length) : XXH3_64bits(&number, sizeof number);
}

static bool is_label(const stored_label *label, int64_t number, const char *text, size_t length) {
  if (text == NULL) return label->number == number;
  return strlen(label->text) == length && memcmp(label->text, text, length) == 0;
}

/* The slot of a label, or the free slot for it. */
static uint32_t *find_slot(const stored_labels *l, int64_t number, const char *text, size_t length) {
  for (uint64_t at = hash_of(number, text, length);; at++) {
    uint32_t *const slot = &l->slots[at & (l->num_slots - 1)];
    if (*slot == 0 || is_label(&l->labels[*slot - 1], number, text, length)) return slot;
  }
}

/* Makes room for one more label, with at most half of the slots in use. */
static mlpd_status grow(stored_labels *l) {
  if (l->count < l->room) return MLPD_OK;
  const uint64_t slots = l->num_slots > 0 ? 2 * l->num_slots : FIRST_SLOTS;
  stored_label *labels = NULL;
  uint32_t *emptied = NULL;
  TRY(memory_allocate(&labels, slots / 2, sizeof *labels, "labels"));
  const mlpd_status status = memory_allocate(&emptied, slots, sizeof *emptied, "labels");
  if (status != MLPD_OK) {
    free(labels);
    return status;
  }
  for (uint64_t i = 0; i < l->count; i++) labels[i] = l->labels[i];
  free(l->labels);
  free(l->slots);
  l->labels = labels;
  l->slots = emptied;
  l->num_slots = slots;
  l->room = slots / 2;
  for (uint64_t i = 0; i < l->count; i++) {
    const stored_label *const is = &labels[i];
    *find_slot(l, is->number, is->text, is->text != NULL ? strlen(is->text) : 0) = (uint32_t)i + 1;
  }
  return MLPD_OK;
}

static bool comes_before(const stored_label *a, const stored_label *b) {
  return a->first_part != b->first_part ? a->first_part < b->first_part : a->first_row < b->first_row;
}

/* Adds the label `more`: this text (length bytes, copied if the label is new), or its number if text is NULL. */
static mlpd_status add(stored_labels *l, const stored_label *more, const char *text, size_t length) {
  l->rows += more->rows;
  if (l->full) return MLPD_OK;
  TRY(grow(l));
  uint32_t *const slot = find_slot(l, more->number, text, length);
  if (*slot != 0) {
    stored_label *const known = &l->labels[*slot - 1];
    known->rows += more->rows;
    if (comes_before(more, known)) known->first_row = more->first_row, known->first_part = more->first_part;
    return MLPD_OK;
  }
  if (l->count == STORED_LABELS_MOST) {
    l->full = true;
    return MLPD_OK;
  }
  stored_label *const made = &l->labels[l->count];
  *made = *more;
  made->text = NULL;
  if (text != NULL) {
    TRY(memory_allocate(&made->text, length + 1, 1, "a label"));
    memcpy(made->text, text, length);
  }
  *slot = (uint32_t)++l->count;
  return MLPD_OK;
}

/* ---- Counting ----------------------------------------------------------------------------------------- */

typedef struct text_scan {
  part *p;
  mlpd_split split;
  stored_labels *l;
} text_scan;

static mlpd_status add_text(void *context, uint64_t row, const char *text, size_t length) {
  const text_scan *const scan = context;
  const part *const p = scan->p;
  if (length == 0)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds an empty text at row %" PRIu64 " (from 0): every row needs a label",
                p->file, p->y_path, row);
  if (length > STORED_LABEL_BYTES)
    return FAIL(MLPD_ERROR_DATA, "%s: %s holds a text of %zu bytes at row %" PRIu64 " (from 0); a class has at most %d",
                p->file, p->y_path, length, row, (int)STORED_LABEL_BYTES);
  const stored_label label = {.rows = 1, .first_row = row, .first_part = scan->split};
  return add(scan->l, &label, text, length);
}

int64_t stored_one_hot(const double *values, uint64_t columns) {
  int64_t found = -1;
  for (uint64_t j = 0; j < columns; j++) {
    if (values[j] == 0) continue;
    if (values[j] != 1 || found >= 0) return -1;
    found = (int64_t)j;
  }
  return found;
}

/* Reads the number in row i of a block; false if it is not whole, or the row is not one-hot. */
static bool whole_at(const part *p, const void *block, uint64_t i, int64_t *number) {
  if (p->y_integer) return *number = ((const int64_t *)block)[i], true;
  const double *const values = (const double *)block + i * p->y_columns;
  if (p->y_columns > 1) return (*number = stored_one_hot(values, p->y_columns)) >= 0;
  if (!(fabs(*values) <= 0x1p53) || *values != floor(*values)) return false;
  return *number = (int64_t)*values, true;
}

static mlpd_status scan_numbers(part *p, mlpd_split split, uint64_t begin, uint64_t end, stored_labels *l) {
  const size_t row_bytes = 8 * (size_t)p->y_columns;
  const bool unsigned_wide = h5_array_shape(p->y).type == ELEMENT_U64;
  const uint64_t most = BLOCK_BYTES / row_bytes + 1;
  void *block = NULL;
  TRY(memory_allocate(&block, most < end - begin ? most : end - begin, row_bytes, p->y_path));
  mlpd_status status = MLPD_OK;
  for (uint64_t row = begin; row < end && status == MLPD_OK && !l->broken && !l->full; row += most) {
    const uint64_t count = end - row < most ? end - row : most;
    status = h5_array_read(p->y, row, count, p->y_integer ? ELEMENT_I64 : ELEMENT_F64, block);
    for (uint64_t i = 0; i < count && status == MLPD_OK && !l->broken; i++) {
      stored_label label = {.rows = 1, .first_row = row + i, .first_part = split};
      l->broken = !whole_at(p, block, i, &label.number);
      if (unsigned_wide && label.number == INT64_MAX) /* what reading makes of larger ones */
        status =
            FAIL(MLPD_ERROR_DATA,
                 "%s: %s holds a whole number of 2^63 - 1 or more at row %" PRIu64 " (from 0), which cannot be a label",
                 p->file, p->y_path, row + i);
      if (status != MLPD_OK) break;
      if (!l->broken) status = add(l, &label, NULL, 0);
    }
  }
  free(block);
  return status;
}

mlpd_status stored_labels_scan(part *p, mlpd_split split, uint64_t begin, uint64_t end, stored_labels *l) {
  l->texts = p->y_text;
  if (begin >= end) return MLPD_OK;
  if (p->y_text) return h5_array_read_texts(p->y, begin, end - begin, add_text, &(text_scan){p, split, l});
  return scan_numbers(p, split, begin, end, l);
}

/* ---- Between ranks ------------------------------------------------------------------------------------ */

/* The format of a packed table: this head, then for each label a stored_label with the length of the text in place of
 * its pointer, and the text. */
typedef struct packed_head {
  uint64_t count, rows;
  bool texts, broken, full;
} packed_head;

mlpd_status stored_labels_pack(const stored_labels *l, char **packed, uint64_t *bytes) {
  const packed_head head = {l->count, l->rows, l->texts, l->broken, l->full};
  *bytes = sizeof head;
  for (uint64_t i = 0; i < l->count; i++)
    *bytes += sizeof *l->labels + (l->labels[i].text != NULL ? strlen(l->labels[i].text) + 1 : 0);
  TRY(memory_allocate(packed, *bytes, 1, "labels"));
  char *to = *packed;
  memcpy(to, &head, sizeof head);
  to += sizeof head;
  for (uint64_t i = 0; i < l->count; i++) {
    memcpy(to, &l->labels[i], sizeof *l->labels);
    to += sizeof *l->labels;
    if (l->labels[i].text == NULL) continue;
    const size_t length = strlen(l->labels[i].text) + 1;
    memcpy(to, l->labels[i].text, length);
    to += length;
  }
  return MLPD_OK;
}

mlpd_status stored_labels_add_packed(stored_labels *l, const char *packed, uint64_t bytes) {
  packed_head head;
  if (bytes < sizeof head) return FAIL(MLPD_ERROR_INTERNAL, "a table of labels is cut short");
  memcpy(&head, packed, sizeof head);
  l->broken = l->broken || head.broken;
  l->texts = head.texts;
  const char *from = packed + sizeof head;
  for (uint64_t i = 0; i < head.count; i++) {
    stored_label label;
    memcpy(&label, from, sizeof label);
    from += sizeof label;
    const char *const text = head.texts ? from : NULL;
    const size_t length = text != NULL ? strlen(text) : 0;
    TRY(add(l, &label, text, length));
    if (text != NULL) from += length + 1;
  }
  l->full = l->full || head.full;
  return MLPD_OK;
}

/* ---- Judgement ---------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b) {
  const stored_label *const x = a, *const y = b;
  return (x->number > y->number) - (x->number < y->number);
}

static int by_text(const void *a, const void *b) {
  const stored_label *const x = a, *const y = b;
  return strcmp(x->text, y->text);
}

void stored_labels_sort(stored_labels *l) {
  bool numbers = true;
  for (uint64_t i = 0; i < l->count && numbers; i++)
    if (l->labels[i].text != NULL) numbers = label_is_number(l->labels[i].text, &l->labels[i].number);
  if (l->count > 1) qsort(l->labels, l->count, sizeof *l->labels, numbers ? by_number : by_text);
  free(l->slots); /* sorting invalidates their indices */
  l->slots = NULL;
  l->num_slots = l->room = 0;
}

/* true if few numbers between labels begin and end - 1 are missing. */
static bool is_dense(const stored_labels *l, uint64_t begin, uint64_t end) {
  return (uint64_t)l->labels[end - 1].number - (uint64_t)l->labels[begin].number < 2 * (end - begin);
}

/* A label with at most so many rows may be a typing error. */
static uint64_t rare_rows(const stored_labels *l) {
  enum { RARE = 1000 };
  return l->rows / RARE > 1 ? l->rows / RARE : 1;
}

/* Removes rare labels at either end, that with the wider gap first, until the others are dense. *stray: the first that
 * was removed. */
static bool has_stray(const stored_labels *l, uint64_t *stray) {
  enum { FEW = 10 };
  const uint64_t rare = rare_rows(l), few = 1 + l->count / FEW;
  uint64_t begin = 0, end = l->count;
  for (uint64_t out = 0; end - begin > 1 && out < few; out++) {
    const stored_label *const at = l->labels;
    const uint64_t low = (uint64_t)at[begin + 1].number - (uint64_t)at[begin].number;
    const uint64_t high = (uint64_t)at[end - 1].number - (uint64_t)at[end - 2].number;
    const uint64_t which = high >= low ? end - 1 : begin;
    if (at[which].rows > rare) return false;
    if (out == 0) *stray = which;
    if (high >= low)
      end--;
    else
      begin++;
    if (is_dense(l, begin, end)) return true;
  }
  return false;
}

labels_verdict stored_labels_judge(const stored_labels *l, uint64_t *stray) {
  enum { SURELY_CLASSES = 20 };
  if (l->full || (l->count > SURELY_CLASSES && l->count > l->rows / 2)) return LABELS_TOO_MANY;
  if (l->texts || l->count == 0) return LABELS_TO_NUMBER;
  const int64_t lowest = l->labels[0].number, highest = l->labels[l->count - 1].number;
  const bool dense = is_dense(l, 0, l->count);
  if (lowest == 0 && (dense || highest < SURELY_CLASSES)) return LABELS_ARE_CLASSES;
  if (!dense && has_stray(l, stray)) return LABELS_STRAY;
  if (l->count > 2 && lowest < 0 && l->labels[0].rows <= rare_rows(l)) return *stray = 0, LABELS_STRAY;
  return LABELS_TO_NUMBER;
}

const char *stored_label_show(const stored_label *label, char shown[64]) {
  if (label->text == NULL)
    (void)snprintf(shown, 64, "%" PRId64, label->number);
  else
    (void)snprintf(shown, 64, "'%.48s%s'", label->text, strlen(label->text) > 48 ? "..." : "");
  for (char *c = shown; *c != '\0'; c++)
    if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
  return shown;
}

void stored_labels_list(const stored_labels *l, char *text, size_t bytes) {
  enum { SHOWN = 4 };
  size_t used = 0;
  text[0] = '\0';
  for (uint64_t i = 0; i < l->count && used < bytes; i++) {
    char shown[64];
    if (l->count > SHOWN && i == SHOWN - 1) {
      used += (size_t)snprintf(text + used, bytes - used, ", ...");
      i = l->count - 1;
      if (used >= bytes) return;
    }
    const char *const between = i == 0 ? "" : i == l->count - 1 && l->count <= SHOWN ? " and " : ", ";
    used += (size_t)snprintf(text + used, bytes - used, "%s%s", between, stored_label_show(&l->labels[i], shown));
  }
}
