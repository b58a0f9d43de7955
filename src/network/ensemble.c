#include "network/ensemble.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/portable.h"

/* ---- Training: the mean of the losses ---------------------------------------------------------------- */

enum { PIECE = 128, PIECE_VALUES = 4096 /* members of a row, and their targets, at a time */ };

/* The target of a row, again and again. */
typedef struct repeated {
  int32_t classes[PIECE];
  float values[PIECE_VALUES], weights[PIECE];
  targets y;
  uint32_t count; /* at most this many members at a time */
} repeated;

/* Row i of y for each of the members, each with a part 1 / parts of the row's weight. */
static void repeat(const targets *y, uint64_t i, uint32_t num_values, uint32_t members, uint32_t parts, repeated *r) {
  const float weight = (y->weights != NULL ? y->weights[i] : 1) / (float)parts;
  const float *const values = y->values != NULL ? y->values + i * num_values : NULL;
  r->count = members < PIECE ? members : PIECE;
  if (values != NULL && num_values * r->count > PIECE_VALUES) r->count = PIECE_VALUES / num_values;
  if (r->count == 0) r->count = 1;
  r->y = (targets){.weights = r->weights};
  for (uint32_t k = 0; k < r->count; k++) r->weights[k] = weight;
  if (y->classes != NULL) r->y.classes = r->classes;
  for (uint32_t k = 0; y->classes != NULL && k < r->count; k++) r->classes[k] = y->classes[i];
  if (values == NULL) return;
  r->y.values = r->count > 1 ? r->values : values;
  for (uint32_t k = 0; r->count > 1 && k < r->count; k++)
    memcpy(r->values + (size_t)k * num_values, values, num_values * sizeof *values);
}

/* Weights of the members from m on for a row of a fold: the member of that fold learns nothing from it, and for all
 * members to have as much weight over an epoch as without folds, the others learn more. */
static void leave_out(uint32_t fold, uint32_t m, uint32_t members, float weight, repeated *r) {
  const float more = weight * (float)members / (float)(members - 1);
  for (uint32_t k = 0; k < r->count; k++) r->weights[k] = m + k == fold ? 0 : more;
}

/* The mean over members that each had the whole weight of a row. */
static loss_sums mean_of_sums(const loss_sums *sums, uint32_t members) {
  return (loss_sums){.loss = sums->loss / members,
                     .weight = sums->weight / members,
                     .correct = sums->correct / members,
                     .square = sums->square / members};
}

/* The members of row `row` of the workspace, whose target is row i of y. */
static loss_sums row_loss(const mlpd_network *network, const loss_spec *loss, uint64_t row, uint64_t i,
                          const targets *y, workspace *space) {
  const layer *const output = network_output(network);
  const uint32_t last = network->num_layers - 1, k = output->outputs, members = output->copies;
  loss_sums sums = {0}, rows[PIECE];
  repeated r;
  repeat(y, i, k / loss_outputs(loss), members, network->members_apart ? 1 : members, &r);
  for (uint32_t m = 0; m < members; m += r.count) {
    const uint32_t count = members - m < r.count ? members - m : r.count;
    const size_t place = (row * members + m) * k;
    if (y->folds != NULL) leave_out(y->folds[i], m, members, y->weights != NULL ? y->weights[i] : 1, &r);
    loss_rows(loss, output->activation, count, k, space->z[last] + place, space->a[last] + place, &r.y,
              space->delta[last] + place, rows);
    loss_add(count, rows, &sums);
  }
  return network->members_apart ? mean_of_sums(&sums, members) : sums;
}

void ensemble_loss(const mlpd_network *network, const loss_spec *loss, uint64_t row, uint64_t n, const targets *y,
                   workspace *space, loss_sums *sums) {
  const layer *const output = network_output(network);
  const uint32_t last = network->num_layers - 1;
  const size_t place = row * output->outputs;
  if (output->copies == 1) {
    loss_compute(loss, output->activation, n, output->outputs, space->z[last] + place, space->a[last] + place, y,
                 space->delta[last] + place, sums);
    return;
  }
  for (uint64_t i = 0; i < n; i++) {
    const loss_sums those = row_loss(network, loss, row + i, i, y, space);
    loss_add(1, &those, sums);
  }
}

void ensemble_loss_rows(const mlpd_network *network, const loss_spec *loss, uint64_t row, uint64_t n, const targets *y,
                        workspace *space, loss_sums *rows) {
  const layer *const output = network_output(network);
  const uint32_t last = network->num_layers - 1;
  const size_t place = row * output->outputs;
  if (output->copies == 1)
    loss_rows(loss, output->activation, n, output->outputs, space->z[last] + place, space->a[last] + place, y,
              space->delta[last] + place, rows);
  for (uint64_t i = 0; output->copies > 1 && i < n; i++) rows[i] = row_loss(network, loss, row + i, i, y, space);
}

/* ---- Prediction: the mean of the outputs ------------------------------------------------------------- */

/* One output of the members of a row: value k is stride floats after value k - 1. */
typedef struct member_values {
  const float *first;
  uint32_t count, stride;
} member_values;

static double mean_of(const member_values *v) {
  double sum = 0;
  for (uint32_t k = 0; k < v->count; k++) sum += (double)v->first[(size_t)k * v->stride];
  return sum / v->count;
}

static double log_of(double x) { return portable_log(x > 1e-300 ? x : 1e-300); }

/* The z of the mean of sigmoids, from p and 1 - p each without cancellation. */
static double sigmoid_z(const member_values *z) {
  double yes = 0, no = 0;
  for (uint32_t k = 0; k < z->count; k++) {
    const double value = (double)z->first[(size_t)k * z->stride];
    const double small = portable_exp(-fabs(value)), larger = 1 / (1 + small);
    yes += value < 0 ? small * larger : larger;
    no += value < 0 ? larger : small * larger;
  }
  return log_of(yes / z->count) - log_of(no / z->count);
}

static double z_of_mean(mlpd_activation activation, const member_values *z, double mean) {
  const double mean_z = mean_of(z);
  if (!isfinite(mean) || !isfinite(mean_z)) return NAN;
  switch (activation) {
    case MLPD_SOFTMAX:
    case MLPD_EXP:
      return portable_log(mean > (double)FLT_MIN ? mean : (double)FLT_MIN);
    case MLPD_SIGMOID:
      return sigmoid_z(z);
    default:
      return mean_z;
  }
}

void ensemble_average(const mlpd_network *network, uint64_t n, workspace *space) {
  const layer *const output = network_output(network);
  const uint32_t last = network->num_layers - 1, k = output->outputs, members = output->copies;
  if (members == 1) return;
  for (uint64_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < k; j++) {
      const size_t place = i * members * k + j;
      const double mean = mean_of(&(member_values){space->a[last] + place, members, k});
      space->output[i * k + j] = (float)mean;
      space->output_z[i * k + j] =
          (float)z_of_mean(output->activation, &(member_values){space->z[last] + place, members, k}, mean);
    }
}

void ensemble_pick(const mlpd_network *network, uint64_t n, const uint8_t *folds, workspace *space) {
  const layer *const output = network_output(network);
  const uint32_t last = network->num_layers - 1, k = output->outputs, members = output->copies;
  for (uint64_t i = 0; i < n; i++) {
    const size_t place = (i * members + folds[i]) * k;
    memcpy(space->output + i * k, space->a[last] + place, k * sizeof(float));
    memcpy(space->output_z + i * k, space->z[last] + place, k * sizeof(float));
  }
}
