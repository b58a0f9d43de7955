/* Predictions for rows in memory: the same bits as mlpd_predict() for any layout, derivatives compared with differences
 * in double, several threads with one model, no allocation, no MPI. */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "h5/h5.h"
#include "kernels/backend.h"
#include "kernels/multiversion.h"
#include "model/model.h"
#include "model/model_clamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "memory_limit.h"
#include "reference.h"
#include "temporary_folder.h"

enum { FEATURES = 5, HIDDEN = 40, ROWS = 613, MOST_OUTPUTS = 3 };

static double noise(uint64_t i) {
  i = (i + 1) * 0x9e3779b97f4a7c15u;
  i = (i ^ (i >> 29)) * 0xbf58476d1ce4e5b9u;
  return (double)(i >> 11) * 0x1p-52 - 1;
}

typedef struct model_kind {
  mlpd_task task;
  mlpd_activation hidden;
  uint32_t outputs;
  mlpd_activation output;
  mlpd_loss loss;
} model_kind;

static loss_spec loss_of(const model_kind *kind) {
  if (kind->loss != MLPD_QUANTILE) return loss_plain(kind->loss);
  return (loss_spec){.kind = MLPD_QUANTILE, .num_quantiles = 3, .quantiles = {0.1f, 0.5f, 0.9f}};
}

/* So that some predictions are clamped. */
static void clamp(mlpd_model *made, uint32_t targets) {
  double least[3], most[3];
  for (uint32_t k = 0; k < targets; k++) {
    least[k] = affine_map_back(&made->target, k, -0.25);
    most[k] = affine_map_back(&made->target, k, 0.9);
  }
  assert_ok(model_clamp(made, least, most));
}

static mlpd_model *make_kind(const model_kind *kind) {
  const uint32_t widths[] = {FEATURES, HIDDEN, HIDDEN / 2, kind->outputs};
  const mlpd_activation activations[] = {kind->hidden, kind->hidden, kind->output};
  mlpd_model *const made = calloc(1, sizeof *made);
  assert_non_null(made);
  made->task = kind->task;
  made->loss = loss_of(kind);
  assert_ok(mlpd_network_create(3, widths, activations, &made->network));
  mlpd_network_init(made->network, MLPD_INIT_AUTO, 5);
  for (uint32_t l = 0; l < 3; l++)
    for (uint32_t j = 0; j < widths[l + 1]; j++)
      mlpd_network_layer(made->network, l).bias[j] = (float)noise(100 * l + j) / 4;
  assert_ok(affine_create(FEATURES, &made->input));
  for (uint32_t j = 0; j < FEATURES; j++) {
    made->input.shift[j] = (float)j / 3;
    made->input.scale[j] = 1 + (float)j / 7;
  }
  affine_settle(&made->input);
  made->input.limit = kind->outputs == 3 ? 0.75 : 0; /* clipped, or not */
  if (kind->task == MLPD_REGRESSION) {
    const uint32_t targets = kind->outputs / loss_outputs(&made->loss);
    assert_ok(affine_create(targets, &made->target));
    for (uint32_t k = 0; k < targets; k++) {
      made->target.shift[k] = 100.0 * k - 7.25;
      made->target.scale[k] = 0.125 + k / 3.0;
    }
    affine_settle(&made->target);
    if (kind->hidden == MLPD_GELU) clamp(made, targets);
  }
  return made;
}

static const model_kind kinds[] = {
    {MLPD_REGRESSION, MLPD_TANH, 3, MLPD_IDENTITY, MLPD_MSE},
    {MLPD_REGRESSION, MLPD_GELU, 1, MLPD_SOFTPLUS, MLPD_MSE},
    {MLPD_CLASSIFICATION, MLPD_RELU, 3, MLPD_SOFTMAX, MLPD_CROSS_ENTROPY},
    {MLPD_CLASSIFICATION, MLPD_SILU, 1, MLPD_SIGMOID, MLPD_BINARY_CROSS_ENTROPY},
    {MLPD_REGRESSION, MLPD_SOFTPLUS, 2, MLPD_TANH, MLPD_MSE},
    {MLPD_REGRESSION, MLPD_MISH, 2, MLPD_IDENTITY, MLPD_MAE},
    {MLPD_REGRESSION, MLPD_SELU, 2, MLPD_IDENTITY, MLPD_MSE},
    {MLPD_REGRESSION, MLPD_ELU, 2, MLPD_SILU, MLPD_MSE},
    {MLPD_REGRESSION, MLPD_TANH, 2, MLPD_IDENTITY, MLPD_GAUSSIAN},
    {MLPD_REGRESSION, MLPD_GELU, 3, MLPD_IDENTITY, MLPD_QUANTILE},
    {MLPD_REGRESSION, MLPD_SILU, 2, MLPD_EXP, MLPD_POISSON},
};
enum { NUM_KINDS = sizeof kinds / sizeof *kinds };

/* ---- Rows ------------------------------------------------------------------------------------------- */

static double values64[ROWS * FEATURES];
static float values32[ROWS * FEATURES];
static uint8_t values8[ROWS * FEATURES];

static int make_rows(void **state) {
  (void)state;
  for (uint64_t i = 0; i < (uint64_t)ROWS * FEATURES; i++) {
    values64[i] = noise(i) * 2;
    values32[i] = (float)values64[i];
    values8[i] = (uint8_t)(noise(i) * 3 + 3);
  }
  return setup(state);
}

static const void *array_of(mlpd_type type) {
  return type == MLPD_FLOAT32 ? (const void *)values32 : type == MLPD_FLOAT64 ? (const void *)values64 : values8;
}

static mlpd_rows rows_of(mlpd_type type, uint64_t first, uint64_t count) {
  const size_t size = type == MLPD_FLOAT32 ? 4 : type == MLPD_FLOAT64 ? 8 : 1;
  return (mlpd_rows){
      .data = (const char *)array_of(type) + first * FEATURES * size, .type = type, .rows = count, .columns = FEATURES};
}

/* ---- The bits of mlpd_predict() --------------------------------------------------------------------- */

static mlpd_comm *comm;

/* What mlpd_predict() writes for values of this type: values (ROWS, outputs), classes (ROWS). */
static void predict_from_file(mlpd_model *model, mlpd_type type, double *values, int32_t *classes) {
  const bool classifies = mlpd_model_task(model) == MLPD_CLASSIFICATION;
  h5_file *file = NULL;
  uint64_t rows = 0;
  assert_ok(h5_create(in_folder("rows.h5"), &file));
  assert_ok(h5_write(file, "/test/x", ROWS, FEATURES, (element_type)type, array_of(type)));
  assert_ok(h5_close(file));
  const mlpd_data_paths data = {.file = in_folder("rows.h5")};
  assert_ok(mlpd_predict(comm, model, &data, MLPD_TEST, in_folder("out.h5"), NULL, 1, &rows));
  assert_int_equal(rows, ROWS);
  assert_ok(h5_open(in_folder("out.h5"), &file));
  assert_ok(
      h5_read(file, classifies ? "/probability" : "/value", ROWS, mlpd_model_outputs(model), ELEMENT_F64, values));
  if (classifies) assert_ok(h5_read(file, "/class", ROWS, 0, ELEMENT_I32, classes));
  assert_ok(h5_close(file));
}

static void check_bits(const model_kind *kind, mlpd_type type) {
  mlpd_model *const model = make_kind(kind);
  mlpd_predictor *predictor = NULL;
  static double expected[ROWS * MOST_OUTPUTS], found[ROWS * MOST_OUTPUTS];
  static float narrow[ROWS * MOST_OUTPUTS];
  static int32_t expected_classes[ROWS], classes[ROWS];
  const uint32_t k = kind->outputs;
  const bool classifies = kind->task == MLPD_CLASSIFICATION;
  const size_t bytes = sizeof(double) * ROWS * k;
  predict_from_file(model, type, expected, expected_classes);
  assert_ok(mlpd_predictor_create(model, 1, &predictor));
  const mlpd_rows x = rows_of(type, 0, ROWS);
  const mlpd_output y = {.data = found, .type = MLPD_FLOAT64, .rows = ROWS, .columns = k};
  assert_ok(mlpd_predictor_run(predictor, &x, &y, classifies ? classes : NULL));
  assert_memory_equal(found, expected, bytes);
  if (classifies) assert_memory_equal(classes, expected_classes, sizeof classes);
  const mlpd_output y32 = {.data = narrow, .type = MLPD_FLOAT32, .rows = ROWS, .columns = k};
  assert_ok(mlpd_predictor_run(predictor, &x, &y32, NULL));
  for (uint64_t i = 0; i < (uint64_t)ROWS * k; i++) assert_true(narrow[i] == (float)expected[i]);
  for (uint64_t i = 0; i < ROWS; i++) { /* each alone */
    const mlpd_rows row = rows_of(type, i, 1);
    const mlpd_output place = {.data = found, .type = MLPD_FLOAT64, .rows = 1, .columns = k};
    assert_ok(mlpd_predictor_run(predictor, &row, &place, NULL));
    assert_memory_equal(found, expected + i * k, sizeof(double) * k);
  }
  mlpd_predictor_free(predictor);
  mlpd_model_free(model);
}

static void test_bits(void **state) {
  (void)state;
  assert_ok(mlpd_comm_init(NULL, NULL, &comm));
  for (int i = 0; i < NUM_KINDS; i++) check_bits(&kinds[i], MLPD_FLOAT32);
  check_bits(&kinds[0], MLPD_FLOAT64);
  check_bits(&kinds[2], MLPD_UINT8);
  mlpd_comm_finalize(comm);
}

/* ---- Layouts ---------------------------------------------------------------------------------------- */

static void test_layouts(void **state) {
  (void)state;
  enum { LD = ROWS + 9, WIDE = FEATURES + 4 };
  static double by_columns[LD * FEATURES], by_rows[ROWS * WIDE], backwards[ROWS * FEATURES], out[LD * MOST_OUTPUTS];
  static double expected[ROWS * MOST_OUTPUTS];
  mlpd_model *const model = make_kind(&kinds[0]);
  mlpd_predictor *predictor = NULL;
  assert_ok(mlpd_predictor_create(model, 1, &predictor));
  const mlpd_rows plain = rows_of(MLPD_FLOAT64, 0, ROWS);
  const mlpd_output y = {.data = expected, .type = MLPD_FLOAT64, .rows = ROWS, .columns = 3};
  assert_ok(mlpd_predictor_run(predictor, &plain, &y, NULL));
  for (uint64_t i = 0; i < ROWS; i++)
    for (uint64_t j = 0; j < FEATURES; j++) {
      by_columns[j * LD + i] = by_rows[i * WIDE + j] = values64[i * FEATURES + j];
      backwards[(ROWS - 1 - i) * FEATURES + FEATURES - 1 - j] = values64[i * FEATURES + j];
    }
  const mlpd_rows layouts[] = {
      {.data = by_columns, .type = MLPD_FLOAT64, .rows = ROWS, .columns = FEATURES, .row_step = 1, .column_step = LD},
      {.data = by_rows, .type = MLPD_FLOAT64, .rows = ROWS, .columns = FEATURES, .row_step = WIDE, .column_step = 1},
      {.data = backwards + (size_t)ROWS * FEATURES - 1,
       .type = MLPD_FLOAT64,
       .rows = ROWS,
       .columns = FEATURES,
       .row_step = -FEATURES,
       .column_step = -1}};
  for (int i = 0; i < 3; i++) {
    for (size_t j = 0; j < sizeof out / sizeof *out; j++) out[j] = -77;
    const mlpd_output to = {
        .data = out, .type = MLPD_FLOAT64, .rows = ROWS, .columns = 3, .row_step = 1, .column_step = LD};
    assert_ok(mlpd_predictor_run(predictor, &layouts[i], &to, NULL));
    for (uint64_t k = 0; k < 3; k++) {
      for (uint64_t r = 0; r < ROWS; r++) assert_true(out[k * LD + r] == expected[r * 3 + k]);
      for (uint64_t r = ROWS; r < LD; r++) assert_true(out[k * LD + r] == -77); /* what lies between is left alone */
    }
  }
  mlpd_predictor_free(predictor);
  mlpd_model_free(model);
}

/* ---- Derivatives ------------------------------------------------------------------------------------ */

/* The network in double, from x to what mlpd_predictor_run() gives. */
static void reference_values(mlpd_model *model, const double *x, double *values) {
  double a[HIDDEN], z[HIDDEN];
  for (uint32_t j = 0; j < FEATURES; j++) {
    const double limit = model->input.limit;
    a[j] = (x[j] - model->input.shift[j]) * model->input.scale[j];
    if (limit > 0) a[j] /= hypot(1, a[j] / limit);
  }
  for (uint32_t l = 0; l < 3; l++) {
    const mlpd_layer_view layer = mlpd_network_layer(mlpd_model_network(model), l);
    for (uint32_t k = 0; k < layer.outputs; k++) {
      z[k] = (double)layer.bias[k];
      for (uint32_t j = 0; j < layer.inputs; j++) z[k] += a[j] * (double)layer.weight[j * layer.weight_stride + k];
    }
    reference_activate(layer.activation, layer.outputs, z, a);
  }
  const uint32_t each = loss_outputs(&model->loss);
  for (uint32_t k = 0; k < mlpd_model_outputs(model); k++) {
    const bool deviation = model->loss.kind == MLPD_GAUSSIAN && k % 2 == 1;
    values[k] = deviation                   ? exp(a[k] / 2) / model->target.scale[k / each]
                : model->target.columns > 0 ? a[k] / model->target.scale[k / each] + model->target.shift[k / each]
                                            : a[k];
    if (model->least != NULL) values[k] = fmin(fmax(values[k], model->least[k / each]), model->most[k / each]);
  }
}

static double central_difference(mlpd_model *model, const double *x, uint32_t k, uint32_t j) {
  const double step = 1e-5;
  double at[FEATURES], up[MOST_OUTPUTS], down[MOST_OUTPUTS];
  memcpy(at, x, sizeof at);
  at[j] = x[j] + step;
  reference_values(model, at, up);
  at[j] = x[j] - step;
  reference_values(model, at, down);
  return (up[k] - down[k]) / (2 * step);
}

/* What the predictor says of the first rows is what the network in double says. */
static void check_values(mlpd_model *model, mlpd_predictor *predictor, uint64_t rows) {
  static double found[ROWS * MOST_OUTPUTS];
  const uint32_t k = mlpd_model_outputs(model);
  const mlpd_rows x = rows_of(MLPD_FLOAT64, 0, rows);
  const mlpd_output y = {.data = found, .type = MLPD_FLOAT64, .rows = rows, .columns = k};
  assert_ok(mlpd_predictor_run(predictor, &x, &y, NULL));
  for (uint64_t i = 0; i < rows; i++) {
    double expected[MOST_OUTPUTS];
    reference_values(model, values64 + i * FEATURES, expected);
    for (uint32_t o = 0; o < k; o++)
      assert_true(fabs(found[i * k + o] - expected[o]) < 1e-5 * (fabs(expected[o]) + 10));
  }
}

static void check_derivatives(const model_kind *kind) {
  enum { SOME = 70 }; /* more than a block */
  mlpd_model *const model = make_kind(kind);
  mlpd_predictor *predictor = NULL;
  const uint32_t k = kind->outputs;
  static double jacobian[SOME * MOST_OUTPUTS * FEATURES], gradient[SOME * FEATURES], u[SOME * MOST_OUTPUTS];
  assert_ok(mlpd_predictor_create(model, 1, &predictor));
  for (uint64_t i = 0; i < SOME * MOST_OUTPUTS; i++) u[i] = noise(7000 + i);
  const mlpd_rows x = rows_of(MLPD_FLOAT64, 0, SOME);
  const mlpd_rows weights = {.data = u, .type = MLPD_FLOAT64, .rows = SOME, .columns = k};
  const mlpd_output all = {.data = jacobian, .type = MLPD_FLOAT64, .rows = SOME, .columns = k * FEATURES};
  const mlpd_output sums = {.data = gradient, .type = MLPD_FLOAT64, .rows = SOME, .columns = FEATURES};
  check_values(model, predictor, SOME);
  assert_ok(mlpd_predictor_jacobian(predictor, &x, &all));
  u[(SOME - 2) * k] = HUGE_VAL; /* of one row */
  assert_int_equal(mlpd_predictor_vjp(predictor, &x, &weights, &sums), MLPD_ERROR_DATA);
  assert_non_null(strstr(mlpd_error_message(), "row 68 (from 0) of x or u holds a value that is not a finite number"));
  u[(SOME - 2) * k] = (double)FLT_MAX; /* times the unit of a target it may be too large, but not in silence */
  const mlpd_status status = mlpd_predictor_vjp(predictor, &x, &weights, &sums);
  for (uint32_t j = 0; j < FEATURES; j++)
    assert_true(status == MLPD_ERROR_DATA || isfinite(gradient[(SOME - 2) * FEATURES + j]));
  u[(SOME - 2) * k] = noise(7000);
  assert_ok(mlpd_predictor_vjp(predictor, &x, &weights, &sums));
  double largest = 0, off = 0;
  for (uint64_t i = 0; i < SOME; i++)
    for (uint32_t j = 0; j < FEATURES; j++) {
      double sum = 0;
      for (uint32_t o = 0; o < k; o++) {
        const double found = jacobian[(i * k + o) * FEATURES + j];
        const double expected = central_difference(model, values64 + i * FEATURES, o, j);
        largest = fmax(largest, fabs(expected));
        off = fmax(off, fabs(found - expected));
        sum += u[i * k + o] * found;
      }
      off = fmax(off, fabs(gradient[i * FEATURES + j] - sum));
    }
  assert_true(largest > 0.01);
  if (!(off <= 1e-5 * largest)) fail_msg("off by %g of %g", off, largest);
  mlpd_predictor_free(predictor);
  mlpd_model_free(model);
}

static void test_derivatives(void **state) {
  (void)state;
  for (int i = 0; i < NUM_KINDS; i++)
    if (kinds[i].hidden != MLPD_RELU) check_derivatives(&kinds[i]);
  static const mlpd_activation others[] = {MLPD_TANH, MLPD_SIGMOID, MLPD_IDENTITY};
  for (int i = 0; i < 3; i++)
    check_derivatives(&(model_kind){MLPD_CLASSIFICATION, others[i], 3, MLPD_SOFTMAX, MLPD_CROSS_ENTROPY});
}

/* ---- Threads ---------------------------------------------------------------------------------------- */

typedef struct job {
  const mlpd_model *model;
  double values[ROWS * MOST_OUTPUTS], jacobian[ROWS * MOST_OUTPUTS * FEATURES];
  mlpd_status status;
} job;

static mlpd_status run_all(const mlpd_model *model, int threads, job *to) {
  mlpd_predictor *predictor = NULL;
  TRY(mlpd_predictor_create(model, threads, &predictor));
  const mlpd_rows x = rows_of(MLPD_FLOAT32, 0, ROWS);
  const mlpd_output y = {.data = to->values, .type = MLPD_FLOAT64, .rows = ROWS, .columns = 3};
  const mlpd_output all = {.data = to->jacobian, .type = MLPD_FLOAT64, .rows = ROWS, .columns = 3 * FEATURES};
  mlpd_status status = mlpd_predictor_run(predictor, &x, &y, NULL);
  if (status == MLPD_OK) status = mlpd_predictor_jacobian(predictor, &x, &all);
  mlpd_predictor_free(predictor);
  return status;
}

static void *run_job(void *context) {
  job *const mine = context;
  for (int i = 0; i < 5 && mine->status == MLPD_OK; i++) mine->status = run_all(mine->model, 1, mine);
  return NULL;
}

static void test_threads(void **state) {
  (void)state;
  enum { THREADS = 8 };
  static job jobs[THREADS], expected, shared;
  pthread_t threads[THREADS];
  mlpd_model *const model = make_kind(&kinds[0]);
  for (int t = 0; t < THREADS; t++) {
    jobs[t].model = model;
    assert_int_equal(pthread_create(&threads[t], NULL, run_job, &jobs[t]), 0);
  }
  for (int t = 0; t < THREADS; t++) assert_int_equal(pthread_join(threads[t], NULL), 0);
  assert_ok(run_all(model, 1, &expected));
  assert_ok(run_all(model, 3, &shared));
  assert_memory_equal(shared.values, expected.values, sizeof expected.values);
  assert_memory_equal(shared.jacobian, expected.jacobian, sizeof expected.jacobian);
  for (int t = 0; t < THREADS; t++) {
    assert_ok(jobs[t].status);
    assert_memory_equal(jobs[t].values, expected.values, sizeof expected.values);
    assert_memory_equal(jobs[t].jacobian, expected.jacobian, sizeof expected.jacobian);
  }
  mlpd_model_free(model);
}

/* ---- What a call leaves alone ----------------------------------------------------------------------- */

#ifdef UNDER_SANITIZER
static const bool counts_allocations = false;
static uint64_t allocations(void) { return 0; }
#else
static const bool counts_allocations = true;
static uint64_t allocated;
extern void *__libc_memalign(size_t alignment, size_t bytes);

/* All allocations of the process come through these. */
void *malloc(size_t bytes) {
  __atomic_add_fetch(&allocated, 1, __ATOMIC_RELAXED);
  return __libc_memalign(16, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  __atomic_add_fetch(&allocated, 1, __ATOMIC_RELAXED);
  *memory = __libc_memalign(alignment, bytes);
  return *memory == NULL;
}

static uint64_t allocations(void) { return __atomic_load_n(&allocated, __ATOMIC_RELAXED); }
#endif

static void test_no_allocation(void **state) {
  (void)state;
  mlpd_model *const model = make_kind(&kinds[0]);
  mlpd_predictor *predictor = NULL;
  static double values[ROWS * MOST_OUTPUTS], jacobian[ROWS * MOST_OUTPUTS * FEATURES];
  const uint64_t at_first = allocations();
  assert_ok(mlpd_predictor_create(model, 1, &predictor));
  assert_int_equal(allocations() > at_first, counts_allocations);
  mlpd_rows x = rows_of(MLPD_FLOAT64, 0, 100);
  x.row_step = 1;
  x.column_step = 100;
  const mlpd_output y = {.data = values, .type = MLPD_FLOAT64, .rows = 100, .columns = 3};
  const mlpd_output all = {.data = jacobian, .type = MLPD_FLOAT64, .rows = 100, .columns = 3 * FEATURES};
  const uint64_t before = allocations();
  assert_ok(mlpd_predictor_run(predictor, &x, &y, NULL));
  assert_ok(mlpd_predictor_jacobian(predictor, &x, &all));
  assert_int_equal(allocations(), before);
  mlpd_predictor_free(predictor);
  mlpd_model_free(model);
}

static void test_callers_arithmetic(void **state) {
  (void)state;
  mlpd_model *const model = make_kind(&kinds[0]);
  mlpd_predictor *predictor = NULL;
  float values[2][3], tiny[FEATURES] = {1e-40f, 1e-40f, 1e-40f, 1e-40f, 1e-40f};
  assert_ok(mlpd_predictor_create(model, 1, &predictor));
  const mlpd_rows x = {.data = tiny, .type = MLPD_FLOAT32, .rows = 1, .columns = FEATURES};
  for (int i = 0; i < 2; i++) {
    const mlpd_output y = {.data = values[i], .type = MLPD_FLOAT32, .rows = 1, .columns = 3};
    assert_int_equal(fesetround(i == 0 ? FE_TONEAREST : FE_UPWARD), 0);
    assert_int_equal(feclearexcept(FE_ALL_EXCEPT), 0);
    assert_ok(mlpd_predictor_run(predictor, &x, &y, NULL));
    assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
    assert_int_equal(fegetround(), i == 0 ? FE_TONEAREST : FE_UPWARD);
  }
  assert_int_equal(fesetround(FE_TONEAREST), 0);
  const volatile float denormal = 1e-40f;
  assert_true(denormal * 1.0f > 0); /* not flushed here */
  assert_memory_equal(values[0], values[1], sizeof values[0]);
  mlpd_predictor_free(predictor);
  mlpd_model_free(model);
}

/* ---- Failures --------------------------------------------------------------------------------------- */

#ifndef UNDER_SANITIZER /* its own allocations would fail, too */
/* OpenMP would end the process. */
static void test_threads_that_cannot_start(void **state) {
  (void)state;
  enum { THREADS = 60 };
  mlpd_model *const model = make_kind(&kinds[0]);
  mlpd_predictor *p = NULL;
  double values[ROWS * MOST_OUTPUTS];
  const mlpd_rows x = rows_of(MLPD_FLOAT64, 0, ROWS);
  const mlpd_output y = {.data = values, .type = MLPD_FLOAT64, .rows = ROWS, .columns = mlpd_model_outputs(model)};
  assert_int_equal(mlpd_predictor_create(model, THREADS, &p), MLPD_OK);
  const struct rlimit former = limit_memory(32 << 20); /* they have stacks of 2 or 8 MB */
  const mlpd_status status = mlpd_predictor_run(p, &x, &y, NULL);
  limit_memory_end(former);
  assert_int_equal(status, MLPD_ERROR_MEMORY);
  assert_non_null(strstr(mlpd_error_message(), "60 threads cannot start: "));
  assert_int_equal(mlpd_predictor_run(p, &x, &y, NULL), MLPD_OK);
  mlpd_predictor_free(p);
  mlpd_model_free(model);
}
#endif

static void assert_fails(mlpd_status status, mlpd_status expected, const char *part) {
  assert_int_equal(status, expected);
  if (strstr(mlpd_error_message(), part) == NULL) fail_msg("\"%s\" has no \"%s\"", mlpd_error_message(), part);
}

static void test_failures(void **state) {
  (void)state;
  mlpd_model *const model = make_kind(&kinds[0]), *const classifier = make_kind(&kinds[2]);
  mlpd_predictor *p = (mlpd_predictor *)(void *)folder, *q = NULL;
  double values[ROWS * 3];
  int32_t classes[ROWS];
  assert_fails(mlpd_predictor_create(model, 0, &p), MLPD_ERROR_USAGE, "0 is not in [1, 4096]");
  assert_null(p);
  assert_fails(mlpd_predictor_create(model, 100000, &p), MLPD_ERROR_USAGE, "100000 is not in [1, 4096]");
  assert_ok(mlpd_predictor_create(model, 1, &p));
  assert_ok(mlpd_predictor_create(classifier, 1, &q));
  mlpd_rows x = rows_of(MLPD_FLOAT64, 0, 3);
  mlpd_output y = {.data = values, .type = MLPD_FLOAT64, .rows = 3, .columns = 3};
  assert_ok(mlpd_predictor_run(q, &x, NULL, classes));
  assert_fails(mlpd_predictor_run(p, &x, &y, classes), MLPD_ERROR_USAGE, "a regression");
  x.columns = 4;
  assert_fails(mlpd_predictor_run(p, &x, &y, NULL), MLPD_ERROR_USAGE, "x has 4 columns where the model has 5");
  x.columns = FEATURES;
  y.rows = 2;
  assert_fails(mlpd_predictor_run(p, &x, &y, NULL), MLPD_ERROR_USAGE, "values has 2 rows, but x has 3");
  y.rows = 3;
  y.type = MLPD_INT32;
  assert_fails(mlpd_predictor_run(p, &x, &y, NULL), MLPD_ERROR_USAGE, "values has type 4");
  y.type = MLPD_FLOAT64;
  x.type = (mlpd_type)99;
  assert_fails(mlpd_predictor_run(p, &x, &y, NULL), MLPD_ERROR_USAGE, "x has type 99");
  x.type = MLPD_FLOAT64;
  x.data = NULL;
  assert_fails(mlpd_predictor_run(p, &x, &y, NULL), MLPD_ERROR_USAGE, "x has no data");
  x.rows = y.rows = 0;
  assert_ok(mlpd_predictor_run(p, &x, &y, NULL));
  mlpd_predictor_free(p);
  mlpd_predictor_free(q);
  mlpd_predictor_free(NULL);
  mlpd_model_free(model);
  mlpd_model_free(classifier);
}

static void test_rows_that_overflow(void **state) {
  (void)state;
  mlpd_model *const model = make_kind(&kinds[0]);
  mlpd_predictor *p = NULL;
  double rows[300 * FEATURES], values[300 * 3], expected[300 * 3];
  const mlpd_rows x = {.data = rows, .type = MLPD_FLOAT64, .rows = 300, .columns = FEATURES};
  mlpd_output y = {.data = expected, .type = MLPD_FLOAT64, .rows = 300, .columns = 3};
  memcpy(rows, values64, sizeof rows);
  for (int threads = 1; threads <= 2; threads++) {
    assert_ok(mlpd_predictor_create(model, threads, &p));
    memcpy(rows, values64, sizeof rows);
    y.data = expected;
    assert_ok(mlpd_predictor_run(p, &x, &y, NULL));
    rows[280 * FEATURES] = NAN;
    rows[123 * FEATURES + 2] = 1e300;
    y.data = values;
    assert_fails(mlpd_predictor_run(p, &x, &y, NULL), MLPD_ERROR_DATA, "row 123 (from 0) of x");
    assert_true(isnan(values[280 * 3]));
    for (int i = 0; i < 300 * 3; i++)
      if (i / 3 != 280 && i / 3 != 123) assert_true(values[i] == expected[i]);
    mlpd_predictor_free(p);
  }
  mlpd_model_free(model);
}

/* The name that predict writes over output k. */
static void check_name(const mlpd_model *model, uint32_t k, const char *expected) {
  char text[64];
  mlpd_model_output_name(model, k, text, sizeof text);
  assert_string_equal(text, expected);
}

static void test_names_of_outputs(void **state) {
  (void)state;
  char *price[] = {"price"}, *classes[] = {"cat", "dog", "cow"};
  mlpd_model *const gaussian = make_kind(&(model_kind){MLPD_REGRESSION, MLPD_TANH, 2, MLPD_IDENTITY, MLPD_GAUSSIAN});
  mlpd_model *const quantile = make_kind(&(model_kind){MLPD_REGRESSION, MLPD_TANH, 3, MLPD_IDENTITY, MLPD_QUANTILE});
  mlpd_model *const classifier = make_kind(&kinds[2]), *const binary = make_kind(&kinds[3]);
  check_name(quantile, 2, "value_0_q0.9");
  quantile->names.targets = gaussian->names.targets = (name_list){.names = price, .count = 1};
  classifier->names.classes = binary->names.classes = (name_list){.names = classes, .count = 3};
  check_name(gaussian, 0, "price");
  check_name(gaussian, 1, "price_deviation");
  check_name(quantile, 0, "price_q0.1");
  check_name(classifier, 2, "cow");
  check_name(binary, 0, "dog"); /* its only output is the probability of class 1 */
  char cut[4];
  mlpd_model_output_name(gaussian, 1, cut, sizeof cut);
  assert_string_equal(cut, "pri");
  mlpd_model *const all[] = {gaussian, quantile, classifier, binary};
  for (int i = 0; i < 4; i++) {
    all[i]->names = (data_names){0};
    mlpd_model_free(all[i]);
  }
}

static void test_no_mpi(void **state) {
  (void)state;
  int initialized = 1;
  assert_int_equal(MPI_Initialized(&initialized), MPI_SUCCESS);
  assert_false(initialized);
}

static void test_loaded_without_mpi(void **state) {
  (void)state;
  mlpd_model *const made = make_kind(&kinds[0]);
  mlpd_model *loaded = NULL;
  static job expected, found;
  assert_ok(model_save(made, in_folder("model.h5")));
  assert_ok(mlpd_model_load(in_folder("model.h5"), &loaded));
  assert_int_equal(mlpd_model_features(loaded), FEATURES);
  assert_int_equal(mlpd_model_outputs(loaded), 3);
  assert_ok(run_all(made, 1, &expected));
  assert_ok(run_all(loaded, 1, &found));
  assert_memory_equal(found.values, expected.values, sizeof found.values);
  mlpd_model_free(made);
  mlpd_model_free(loaded);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_layouts),
      cmocka_unit_test(test_derivatives),
      cmocka_unit_test(test_names_of_outputs),
      cmocka_unit_test(test_threads),
      cmocka_unit_test(test_no_allocation),
      cmocka_unit_test(test_failures),
#ifndef UNDER_SANITIZER
      cmocka_unit_test(test_threads_that_cannot_start),
#endif
      cmocka_unit_test(test_rows_that_overflow),
      cmocka_unit_test(test_callers_arithmetic),
      cmocka_unit_test(test_loaded_without_mpi),
      cmocka_unit_test(test_no_mpi), /* after all that needs none */
      cmocka_unit_test(test_bits),
  };
  return cmocka_run_group_tests_name("memory_predictor", tests, make_rows, teardown);
}
