#include "csv/csv_leaks.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/memory.h"
#include "source/report.h"

enum {
  VALUES_MOST = 64,    /* most values of a feature that are compared with the classes */
  ROWS_PER_VALUE = 10, /* fewer rows agree by chance */
  LEAST_ROWS = 20,     /* the same for a line */
  ROWS_PER_LOOK = 64   /* rows between two looks at the correlation */
};

static const double HOPELESS = 1e-2; /* 1 - r^2 so far of a feature that is not looked at again */
static const double EXACT = 1e-6;    /* 1 - r^2 of a copy whose values are rounded to a thousandth of the deviation */

/* A value of a feature, and the hash of the label of all rows that have it. */
typedef struct known_value {
  double value;
  uint64_t label;
} known_value;

/* Labels by the value of a feature. */
typedef struct value_map {
  known_value *all; /* (count, room) */
  uint32_t count, room;
  bool dropped; /* two labels have the same value, or there are too many values */
} value_map;

/* Sums over the rows for the correlation of a feature with the target, both as differences to the first row. */
typedef struct line_sums {
  uint64_t rows;
  double first_x, first_y, x, y, xx, yy, xy;
  bool dropped;
} line_sums;

struct csv_leak {
  value_map map;
  line_sums line;
};

void csv_leaks_free(csv_source *c) {
  for (uint32_t f = 0; c->leaks != NULL && f < c->num_leaks; f++) free(c->leaks[f].map.all);
  free(c->leaks);
  c->leaks = NULL;
  c->num_leaks = 0;
}

mlpd_status csv_leaks_begin(csv_source *c) {
  csv_leaks_free(c);
  if (c->options->decision == NULL || c->options->num_model_columns > 0 || c->follows) return MLPD_OK;
  if (c->base.part != MLPD_TRAIN || c->label == CSV_NO_LABEL || c->base.features < 2) return MLPD_OK;
  TRY(memory_allocate(&c->leaks, c->base.features, sizeof *c->leaks, "features"));
  c->num_leaks = c->base.features;
  return MLPD_OK;
}

/* ---- Values and labels ------------------------------------------------------------------------------ */

static void drop_map(value_map *m) {
  free(m->all);
  *m = (value_map){.dropped = true};
}

static mlpd_status map_add(value_map *m, double value, uint64_t label) {
  if (isnan(value)) value = -INFINITY; /* missing */
  for (uint32_t i = 0; i < m->count; i++) {
    if (m->all[i].value != value) continue;
    if (m->all[i].label != label) drop_map(m);
    return MLPD_OK;
  }
  if (m->count == VALUES_MOST) return drop_map(m), MLPD_OK;
  if (m->count == m->room) {
    m->room = m->room > 0 ? 2 * m->room : 4;
    known_value *const larger = realloc(m->all, m->room * sizeof *larger);
    if (larger == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory for the values of a feature");
    m->all = larger;
  }
  m->all[m->count++] = (known_value){.value = value, .label = label};
  return MLPD_OK;
}

static bool map_tells(const value_map *m, uint64_t rows) {
  if (m->dropped || m->count < 2 || rows < ROWS_PER_VALUE * (uint64_t)m->count) return false;
  for (uint32_t i = 1; i < m->count; i++)
    if (m->all[i].label != m->all[0].label) return true;
  return false;
}

/* ---- Correlation ------------------------------------------------------------------------------------- */

/* 1 - r^2 of the rows so far; 1 if a side is constant. */
static double off_line(const line_sums *s) {
  const double n = (double)s->rows;
  const double xx = s->xx - s->x * s->x / n, yy = s->yy - s->y * s->y / n, xy = s->xy - s->x * s->y / n;
  const double off = xx > 0 && yy > 0 ? 1 - (xy / xx) * (xy / yy) : 1;
  return isfinite(off) ? off : 1;
}

static void line_add(line_sums *s, double x, double y) {
  if (isnan(x) || isnan(y)) return;
  if (s->rows++ == 0) {
    s->first_x = x;
    s->first_y = y;
  }
  const double dx = x - s->first_x, dy = y - s->first_y;
  s->x += dx;
  s->y += dy;
  s->xx += dx * dx;
  s->yy += dy * dy;
  s->xy += dx * dy;
  s->dropped = s->rows % ROWS_PER_LOOK == 0 && off_line(s) > HOPELESS;
}

static bool line_tells(const line_sums *s) { return !s->dropped && s->rows >= LEAST_ROWS && off_line(s) < EXACT; }

/* ---- Rows -------------------------------------------------------------------------------------------- */

mlpd_status csv_leaks_see(csv_source *c, const char *text, size_t length, double value) {
  if (c->leaks == NULL) return MLPD_OK;
  const uint64_t label = XXH3_64bits(text, length);
  for (uint32_t f = 0; f < c->num_leaks; f++) {
    struct csv_leak *const l = &c->leaks[f];
    if (!l->map.dropped) TRY(map_add(&l->map, c->numbers[f].value, label));
    if (!l->line.dropped) line_add(&l->line, c->numbers[f].value, value);
  }
  return MLPD_OK;
}

void csv_leaks_report(const csv_source *c) {
  char list[REPORT_BYTES] = "", names[REPORT_BYTES] = "", item[300], number[CSV_NUMBER_BYTES];
  size_t used = 0, names_used = 0;
  uint32_t count = 0;
  if (c->leaks == NULL) return;
  for (uint32_t i = 0, f = 0; i < c->layout.columns; i++) {
    bool tells = false;
    for (const uint32_t end = f + csv_features_of(&c->plan, i); f < end; f++)
      tells = tells || map_tells(&c->leaks[f].map, c->base.rows) || line_tells(&c->leaks[f].line);
    if (!tells) continue;
    const char *const name = csv_column_name(&c->layout, i, number);
    (void)snprintf(item, sizeof item, "'%.255s'", name);
    report_list_add(list, &used, ", ", item);
    report_list_add(names, &names_used, ",", name);
    count++;
  }
  if (count > 0)
    convert_say(c->options,
                "note: %s: the feature%s %s alone determine%s the target; if %s made from the target, --ignore '%s' "
                "leaves %s out",
                c->base.name, count == 1 ? "" : "s", list, count == 1 ? "s" : "", count == 1 ? "it is" : "they are",
                names, count == 1 ? "it" : "them");
}
