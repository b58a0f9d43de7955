/* mlpd_predictor: predictions for rows in the caller's memory, and their derivatives. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/memory.h"
#include "data/caller_rows.h"
#include "kernels/cpu.h"
#include "kernels/vector.h"
#include "model/forward.h"
#include "model/model.h"
#include "model/model_output.h"

/* Rows carried through the network at a time where products do not depend on the cut: few, so that what a narrow layer
 * reads and writes stays in the level-1 cache; more where weights, which pass once a block, are what counts. Else as in
 * mlpd_predict(), for the same bits. */
enum { NARROW_ROWS = 56, WIDE_ROWS = 112, NARROW_OUTPUTS = 128 };

/* Of one thread. */
typedef struct predictor_space {
  workspace network;
  double *strided; /* (rows, features or outputs): rows that do not lie in C order */
} predictor_space;

struct mlpd_predictor {
  const mlpd_model *model;
  const backend *gemm;
  uint32_t features, inputs, outputs, block_rows; /* inputs: of the network, which features become */
  int threads;
  predictor_space *spaces; /* (threads) */
};

/* The arrays of a call; NULL if it lacks one. */
typedef struct predictor_call {
  const mlpd_rows *x, *u;
  const mlpd_output *values, *spread, *jacobian, *gradient;
  int32_t *classes;
} predictor_call;

/* ---- Making -------------------------------------------------------------------------------------- */

static mlpd_status make_space(const mlpd_predictor *p, predictor_space *space) {
  const size_t rows = p->block_rows;
  TRY(workspace_create(p->model->network, rows, false, &space->network));
  TRY(memory_allocate(&space->network.x_delta, rows * p->inputs, sizeof(float), "derivatives"));
  return memory_allocate(&space->strided, rows * p->features, sizeof(double), "rows of the caller");
}

static uint32_t rows_of_block(const mlpd_network *network, const backend *gemm) {
  if (gemm->sum_gradients == NULL) return FORWARD_BLOCK_ROWS;
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (network->layers[l].outputs > NARROW_OUTPUTS) return WIDE_ROWS;
  return NARROW_ROWS;
}

static mlpd_status make(const mlpd_model *model, int threads, mlpd_predictor *p) {
  *p = (mlpd_predictor){
      .model = model, .features = mlpd_model_features(model), .outputs = mlpd_model_outputs(model), .threads = threads};
  p->inputs = affine_width(&model->input);
  TRY(backend_choose(NULL, &p->gemm));
  p->block_rows = rows_of_block(model->network, p->gemm);
  TRY(memory_allocate(&p->spaces, (size_t)threads, sizeof *p->spaces, "predictor"));
  for (int t = 0; t < threads; t++) TRY(make_space(p, &p->spaces[t]));
  return MLPD_OK;
}

mlpd_status mlpd_predictor_create(const mlpd_model *model, int threads, mlpd_predictor **predictor) {
  IN_C_LOCALE();
  mlpd_predictor *made = NULL;
  NEED(predictor);
  *predictor = NULL;
  NEED(model);
  if (threads < 1 || threads > CPU_MOST_THREADS)
    return FAIL(MLPD_ERROR_USAGE, "threads: %d is not in [1, %d]", threads, CPU_MOST_THREADS);
  TRY(memory_allocate(&made, 1, sizeof *made, "predictor"));
  const mlpd_status status = make(model, threads, made);
  if (status == MLPD_OK)
    *predictor = made;
  else
    mlpd_predictor_free(made);
  return status;
}

void mlpd_predictor_free(mlpd_predictor *predictor) {
  if (predictor == NULL) return;
  for (int t = 0; predictor->spaces != NULL && t < predictor->threads; t++) {
    free(predictor->spaces[t].network.x_delta);
    workspace_free(&predictor->spaces[t].network);
    free(predictor->spaces[t].strided);
  }
  free(predictor->spaces);
  free(predictor);
}

/* ---- A block of rows ------------------------------------------------------------------------------- */

static void write_values(const mlpd_predictor *p, const mlpd_output *to, uint64_t first, uint64_t n, const float *a) {
  const uint32_t k = p->outputs;
  const bool scaled = p->model->target.columns > 0;
  for (uint64_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < k; j++) {
      const double value = (double)a[i * k + j];
      caller_output_set(to, first + i, j, scaled ? model_output_value(p->model, j, value) : value);
    }
}

/* d values / d outputs of the network, for output k, but for what depends on the output. */
static double unit_of(const mlpd_predictor *p, uint32_t k) {
  return p->model->target.columns > 0 ? model_output_unit(p->model, k) : 1;
}

/* dx'/dx of a column of numbers; it depends on x where they are clipped or follow a curve. */
static double slope_of(const mlpd_predictor *p, const mlpd_rows *x, uint64_t row, uint32_t j) {
  const affine *const input = &p->model->input;
  if (!(input->limit > 0) && input->curves == NULL) return input->scale[j];
  const double value = caller_rows_value(x, row, j);
  return affine_slope(input, j, isnan(value) && input->codes != NULL ? input->codes->fill[j] : value);
}

/* d output / d column j of x from the gradient of the row's inputs: categories have none. */
static double column_gradient(const mlpd_predictor *p, const mlpd_rows *x, uint64_t row, const float *gradient,
                              uint32_t j) {
  const column_codes *const codes = p->model->input.codes;
  if (codes == NULL) return (double)gradient[j] * slope_of(p, x, row, j);
  if (codes->about.kinds[j] == COLUMN_KIND_CATEGORY) return 0;
  return (double)gradient[codes->begin[j]] * slope_of(p, x, row, j);
}

/* The gradient with respect to normalised inputs becomes that with respect to x, in columns from `column` on. */
static void write_gradient(const mlpd_predictor *p, const mlpd_rows *x, const mlpd_output *to, uint64_t first,
                           uint64_t n, uint32_t column, const float *gradient, double unit) {
  for (uint64_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < p->features; j++)
      caller_output_set(to, first + i, column + j,
                        column_gradient(p, x, first + i, gradient + i * p->inputs, j) * unit);
}

static void run_jacobian(const mlpd_predictor *p, const predictor_call *call, uint64_t first, uint64_t n,
                         predictor_space *space) {
  float *const delta = space->network.output_delta;
  const float *const a = space->network.output;
  for (uint32_t k = 0; k < p->outputs; k++) {
    for (uint64_t i = 0; i < n * p->outputs; i++)
      delta[i] = i % p->outputs == k ? (float)model_output_slope(p->model, k, (double)a[i]) : 0;
    network_input_gradient(p->model->network, p->gemm, n, &space->network);
    write_gradient(p, call->x, call->jacobian, first, n, k * p->features, space->network.x_delta, unit_of(p, k));
  }
}

/* The first of n rows that holds a number that is not finite, or n. */
static uint64_t first_overflow(uint64_t n, uint64_t columns, const float *rows) {
  uint64_t i = vector_all_finite(n * columns, rows) ? n : 0;
  while (i < n && vector_all_finite(columns, rows + i * columns)) i++;
  return i;
}

/* Returns the first row of the block whose u, or gradient, is not finite or too large for float, or n. */
static uint64_t run_vjp(const mlpd_predictor *p, const predictor_call *call, uint64_t first, uint64_t n,
                        predictor_space *space) {
  float *const delta = space->network.output_delta;
  const float *const a = space->network.output;
  for (uint64_t i = 0; i < n; i++)
    for (uint32_t k = 0; k < p->outputs; k++)
      delta[i * p->outputs + k] = (float)(caller_rows_value(call->u, first + i, k) * unit_of(p, k) *
                                          model_output_slope(p->model, k, (double)a[i * p->outputs + k]));
  const uint64_t bad = first_overflow(n, p->outputs, delta);
  network_input_gradient(p->model->network, p->gemm, n, &space->network);
  write_gradient(p, call->x, call->gradient, first, n, 0, space->network.x_delta, 1);
  const uint64_t bad_gradient = first_overflow(n, p->inputs, space->network.x_delta);
  return bad < bad_gradient ? bad : bad_gradient;
}

/* Returns the first row that overflows, or whose u or gradient does, counted from the call's first, or UINT64_MAX. */
static uint64_t run_block(const mlpd_predictor *p, const predictor_call *call, uint64_t first, uint64_t n,
                          predictor_space *space) {
  const mlpd_network *const network = p->model->network;
  const uint64_t mode = cpu_enter_arithmetic();
  workspace *const w = &space->network;
  caller_rows_gather(call->x, &p->model->input, first, n, space->strided, w->x);
  network_forward(network, p->gemm, n, w);
  const float *const a = w->output;
  if (call->values != NULL) write_values(p, call->values, first, n, a);
  for (uint64_t i = 0; call->spread != NULL && i < n; i++)
    for (uint32_t j = 0; j < p->outputs; j++)
      caller_output_set(call->spread, first + i, j, model_output_spread(p->model, w, i, j));
  for (uint64_t i = 0; call->classes != NULL && i < n; i++)
    call->classes[first + i] = (int32_t)forward_predicted_class(a + i * p->outputs, p->outputs);
  uint64_t bad = forward_first_overflow(network, n, w);
  if (call->jacobian != NULL) run_jacobian(p, call, first, n, space);
  const uint64_t bad_u = call->gradient != NULL ? run_vjp(p, call, first, n, space) : n;
  cpu_restore_denormals(mode);
  if (bad_u < bad) bad = bad_u;
  return bad < n ? first + bad : UINT64_MAX;
}

/* ---- All rows ------------------------------------------------------------------------------------ */

static uint64_t run_blocks(mlpd_predictor *p, const predictor_call *call) {
  const uint64_t rows = call->x->rows, blocks = (rows + p->block_rows - 1) / p->block_rows;
  uint64_t bad = UINT64_MAX;
#pragma omp parallel for num_threads(p->threads) schedule(static) reduction(min : bad)
  for (uint64_t b = 0; b < blocks; b++) {
    const uint64_t first = b * p->block_rows, left = rows - first;
    const uint64_t overflow =
        run_block(p, call, first, left < p->block_rows ? left : p->block_rows, &p->spaces[omp_get_thread_num()]);
    bad = overflow < bad ? overflow : bad;
  }
  return bad;
}

static uint64_t run_alone(mlpd_predictor *p, const predictor_call *call) {
  uint64_t bad = UINT64_MAX, n = 0;
  for (uint64_t first = 0; first < call->x->rows; first += n) {
    n = call->x->rows - first < p->block_rows ? call->x->rows - first : p->block_rows;
    const uint64_t overflow = run_block(p, call, first, n, &p->spaces[0]);
    bad = overflow < bad ? overflow : bad;
  }
  return bad;
}

static mlpd_status run(mlpd_predictor *p, const predictor_call *call) {
  const bool shared = p->threads > 1 && call->x->rows > p->block_rows;
  if (shared && omp_get_active_level() < omp_get_max_active_levels()) TRY(cpu_try_team(p->threads));
  const uint64_t bad = shared ? run_blocks(p, call) : run_alone(p, call);
  if (bad == UINT64_MAX) return MLPD_OK;
  return FAIL(
      MLPD_ERROR_DATA,
      "row %llu (from 0) of x%s holds a value that is not a finite number, or gives numbers too large for 32-bit "
      "floats",
      (unsigned long long)bad, call->u != NULL ? " or u" : "");
}

mlpd_status mlpd_predictor_run(mlpd_predictor *predictor, const mlpd_rows *x, const mlpd_output *values,
                               int32_t *classes) {
  NEED(predictor);
  NEED(x);
  TRY(caller_rows_check(x, "x", x->rows, predictor->features));
  if (values != NULL) TRY(caller_output_check(values, "values", x->rows, predictor->outputs));
  if (classes != NULL && predictor->model->task != MLPD_CLASSIFICATION)
    return FAIL(MLPD_ERROR_USAGE, "classes are requested, but the model predicts values (a regression)");
  return run(predictor, &(predictor_call){.x = x, .values = values, .classes = classes});
}

mlpd_status mlpd_predictor_spread(mlpd_predictor *predictor, const mlpd_rows *x, const mlpd_output *spread) {
  NEED(predictor);
  NEED(x);
  NEED(spread);
  if (network_members(predictor->model->network) == 1)
    return FAIL(MLPD_ERROR_USAGE, "a spread is over the members of an ensemble, and the model is a single network");
  TRY(caller_rows_check(x, "x", x->rows, predictor->features));
  TRY(caller_output_check(spread, "spread", x->rows, predictor->outputs));
  return run(predictor, &(predictor_call){.x = x, .spread = spread});
}

mlpd_status mlpd_predictor_jacobian(mlpd_predictor *predictor, const mlpd_rows *x, const mlpd_output *jacobian) {
  NEED(predictor);
  NEED(x);
  NEED(jacobian);
  const uint64_t columns = (uint64_t)predictor->outputs * predictor->features;
  TRY(caller_rows_check(x, "x", x->rows, predictor->features));
  if (columns > UINT32_MAX)
    return FAIL(MLPD_ERROR_USAGE, "a row's Jacobian has %llu elements, more than 2^32: use mlpd_predictor_vjp()",
                (unsigned long long)columns);
  TRY(caller_output_check(jacobian, "jacobian", x->rows, (uint32_t)columns));
  return run(predictor, &(predictor_call){.x = x, .jacobian = jacobian});
}

mlpd_status mlpd_predictor_vjp(mlpd_predictor *predictor, const mlpd_rows *x, const mlpd_rows *u,
                               const mlpd_output *gradient) {
  NEED(predictor);
  NEED(x);
  NEED(u);
  NEED(gradient);
  TRY(caller_rows_check(x, "x", x->rows, predictor->features));
  TRY(caller_rows_check(u, "u", x->rows, predictor->outputs));
  if (u->type < MLPD_FLOAT32)
    return FAIL(MLPD_ERROR_USAGE, "u has type %d, which is not MLPD_FLOAT32 or MLPD_FLOAT64", (int)u->type);
  TRY(caller_output_check(gradient, "gradient", x->rows, predictor->features));
  return run(predictor, &(predictor_call){.x = x, .u = u, .gradient = gradient});
}
