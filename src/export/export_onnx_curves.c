/* Normalisation by quantiles as a part of an ONNX graph: a binary search among the knots of each column, all columns
 * and rows at once. The index of a knot of each value, (n, inputs), begins as the first knot of its column and moves on
 * by 2^s, ..., 4, 2, 1 knots wherever the knot there is not above the value. Operators of this kind cost a value
 * log2(knots), a sum over all knots would cost it 1000. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/column_curves.h"
#include "export/export_onnx_rows.h"

/* Knots of all inputs, one input's after the other's. An input without a curve has one knot: its shift, where the curve
 * is 0, and its scale as the slope; such an input is not bounded. */
typedef struct curve_tables {
  uint32_t inputs;
  uint64_t knots;
  int64_t *first, *last;  /* (inputs) numbers of knots */
  double *least, *most;   /* (inputs) outermost knots */
  double *x, *z, *slopes; /* (knots) */
  char *memory;           /* the block of the arrays */
} curve_tables;

static void lay_out(void *owner, memory_layout *layout) {
  curve_tables *const t = owner;
  t->first = memory_place(layout, t->inputs, sizeof *t->first);
  t->last = memory_place(layout, t->inputs, sizeof *t->last);
  t->least = memory_place(layout, t->inputs, sizeof *t->least);
  t->most = memory_place(layout, t->inputs, sizeof *t->most);
  t->x = memory_place(layout, t->knots, sizeof *t->x);
  t->z = memory_place(layout, t->knots, sizeof *t->z);
  t->slopes = memory_place(layout, t->knots, sizeof *t->slopes);
}

static bool has_curve(const column_curves *c, const onnx_inputs *of, uint32_t i) {
  return of->is_number[i] && column_curves_has(c, (uint32_t)of->source[i]);
}

static uint64_t count_knots(const column_curves *c, const onnx_inputs *of, uint32_t i) {
  const int64_t j = of->source[i];
  return has_curve(c, of, i) ? c->first[j + 1] - c->first[j] : 1;
}

static void fill_input(const column_curves *c, const onnx_inputs *of, uint32_t i, uint64_t begin, curve_tables *t) {
  const uint64_t from = c->first[of->source[i]], count = count_knots(c, of, i);
  const bool bent = has_curve(c, of, i);
  for (uint64_t k = 0; k < count; k++) {
    t->x[begin + k] = bent ? c->x[from + k] : of->shift[i];
    t->z[begin + k] = bent ? c->z[from + k] : 0;
    t->slopes[begin + k] = bent ? c->slopes[from + k] : of->scale[i];
  }
  t->first[i] = (int64_t)begin;
  t->last[i] = (int64_t)(begin + count - 1);
  t->least[i] = bent ? t->x[begin] : -DBL_MAX;
  t->most[i] = bent ? t->x[t->last[i]] : DBL_MAX;
}

/* most_knots: of an input. */
static mlpd_status make_tables(const column_curves *c, const onnx_inputs *of, curve_tables *t, uint64_t *most_knots) {
  *t = (curve_tables){.inputs = of->width};
  *most_knots = 0;
  for (uint32_t i = 0; i < of->width; i++) {
    const uint64_t count = count_knots(c, of, i);
    if (count > *most_knots) *most_knots = count;
    t->knots += count;
  }
  TRY(memory_allocate_layout(lay_out, t, "curves of columns", &t->memory));
  for (uint32_t i = 0, begin = 0; i < of->width; begin += (uint32_t)count_knots(c, of, i++))
    fill_input(c, of, i, begin, t);
  return MLPD_OK;
}

/* Of a table of knots the values that the graph's value numbers. */
static void look_up(onnx_graph *g, const onnx_name *table, const onnx_name *numbers) {
  onnx_operator(g, "Gather", table->text, numbers->text, NULL);
  onnx_set_integer(g, "axis", 0);
}

/* From values within the outermost knots to the number of the knot at or before each. */
static onnx_name find_knots(onnx_graph *g, const curve_tables *t, const onnx_name *table, uint64_t most_knots) {
  const onnx_name bounded = g->value, last = onnx_array(g, "last_knot", ONNX_INT64, 1, t->inputs, 0, t->last);
  onnx_name found = onnx_array(g, "first_knot", ONNX_INT64, 1, t->inputs, 0, t->first);
  int64_t step = 1;
  while ((uint64_t)step < most_knots) step *= 2;
  for (step /= 2; step > 0; step /= 2) {
    char name[32];
    (void)snprintf(name, sizeof name, "step_%d", (int)step);
    onnx_operator(g, "Add", found.text, onnx_array(g, name, ONNX_INT64, 1, 1, 0, &step).text, NULL);
    onnx_apply(g, "Min", last.text);
    const onnx_name next = g->value;
    look_up(g, table, &next);
    onnx_operator(g, "GreaterOrEqual", bounded.text, g->value.text, NULL);
    onnx_operator(g, "Where", g->value.text, next.text, found.text);
    found = g->value;
  }
  return found;
}

mlpd_status export_onnx_curves(onnx_graph *g, const column_curves *c, const onnx_inputs *of) {
  uint64_t most_knots = 0;
  curve_tables t;
  TRY(make_tables(c, of, &t, &most_knots));
  onnx_cast(g, ONNX_DOUBLE);
  const onnx_name x = onnx_vector(g, "knot", t.knots, t.x), z = onnx_vector(g, "score", t.knots, t.z),
                  slopes = onnx_vector(g, "slope", t.knots, t.slopes);
  onnx_apply(g, "Max", onnx_vector(g, "least", t.inputs, t.least).text);
  onnx_apply(g, "Min", onnx_vector(g, "most", t.inputs, t.most).text);
  const onnx_name bounded = g->value, knots = find_knots(g, &t, &x, most_knots);
  look_up(g, &x, &knots);
  onnx_operator(g, "Sub", bounded.text, g->value.text, NULL);
  const onnx_name beyond = g->value;
  look_up(g, &slopes, &knots);
  onnx_apply(g, "Mul", beyond.text);
  const onnx_name rise = g->value;
  look_up(g, &z, &knots);
  onnx_apply(g, "Add", rise.text);
  free(t.memory);
  return MLPD_OK;
}
