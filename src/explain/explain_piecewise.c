/* Numbers in bins, in numbers: x becomes the sum over its bins t of c_t We_t, c_t the part of bin t that lies below x,
 * and x itself. */
#include <math.h>

#include "explain/explain_embedded.h"

/* A layer of bins; a row of edges for each number. */
typedef struct bins {
  const explain_page *page;
  uint32_t l, each, width; /* bins, and outputs, of a number */
  explain_matrix edge;
} bins;

static bins bins_of(const explain_page *page, uint32_t l) {
  const explain_matrix edge = explain_tensor(page->step->before, l, "edge");
  const uint32_t each = edge.columns - 1, weights = explain_tensor(page->step->before, l, "weight").columns;
  return (bins){.page = page, .l = l, .each = each, .width = weights / each + 1, .edge = edge};
}

/* Element (i, j), of row i: bin j % each of number j / each. */
static double part_at(const void *context, uint64_t i, uint32_t j) {
  const bins *const b = context;
  const uint64_t row = explain_embedded_row(b->page, b->l, b->edge, j / b->each, i);
  const float *const edge = b->edge.values + row * b->edge.stride + j % b->each;
  const double x = explain_embedded_value(b->page, b->l, explain_embedded_of(b->page, j / b->each, b->width), i);
  if (!(edge[0] < edge[1])) return 0;
  return fmin(1, fmax(0, (x - (double)edge[0]) / ((double)edge[1] - (double)edge[0])));
}

static void print_start(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const bins b = bins_of(page, l);
  explain_embedded_tensor(page, l, "e   edges of the bins, quantiles of X; they do not learn", "edge");
  (void)snprintf(formula, sizeof formula, "We  weights of the bins, %u rows of %u for each number", b.each,
                 b.width - 1);
  explain_embedded_tensor(page, l, formula, "weight");
}

static void print_forward(const explain_page *page, uint32_t l) {
  char formula[EXPLAIN_FORMULA];
  const bins b = bins_of(page, l);
  const explain_lesson *const lesson = page->lesson;
  (void)snprintf(formula, sizeof formula, "c_t = (x - e_t) / (e_t+1 - e_t), from 0 to 1, of %u bins", b.each);
  explain_print_folded(page->stream, lesson->settings.digits, formula, explain_rows(page, l),
                       explain_embedded_count(page, l, b.edge) * b.each, part_at, &b);
  explain_print_samples(page, "Xe = [c We, x] of each number x", l, page->step->trace.a[l]);
}

static void pull(const explain_page *page, uint32_t l, char formula[EXPLAIN_FORMULA]) {
  (void)page;
  (void)l;
  (void)snprintf(formula, EXPLAIN_FORMULA, "(dC/dXe at x + We_t dC/dXe / (e_t+1 - e_t), t the bin of x)");
}

static void print_gradients(const explain_page *page, uint32_t l) {
  explain_embedded_gradient(page, l, "dC/dWe = c^T dC/dXe, of each number", "weight");
}

static void print_update(const explain_page *page, uint32_t l) { explain_embedded_update(page, l, "We", "weight", 1); }

const explain_kind explain_piecewise = {.name = "piecewise",
                                        .start = print_start,
                                        .forward = print_forward,
                                        .pull = pull,
                                        .gradients = print_gradients,
                                        .update = print_update};
