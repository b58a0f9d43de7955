/* Measures how fast all ranks together read the training part of a file. */
#include <string.h>

#include "base/machine_cores.h"
#include "data/labels.h"
#include "data/shard.h"
#include "doctor/doctor.h"
#include "doctor/doctor_measure.h"
#include "ranks/clock.h"
#include "ranks/comm.h"

enum { BLOCK_BYTES = 16 << 20, LEAST_ROWS = 64 };

/* Reads rows [begin, end) block by block until the time is over. */
static mlpd_status read_share(part *from, bool classes, uint64_t begin, uint64_t end, double seconds, double rate[2],
                              double *largest_class) {
  const uint64_t row_bytes = from->features * element_size(from->type);
  const uint64_t fit = BLOCK_BYTES / row_bytes, block = fit > LEAST_ROWS ? fit : LEAST_ROWS;
  const double start = clock_seconds();
  double took = 0, rows = 0;
  for (uint64_t row = begin; row < end && took < seconds;) {
    const row_run run = {.file_row = row, .position = row, .count = end - row < block ? end - row : block};
    shard read = {0};
    TRY(shard_read(from, &run, 1, row, run.count, classes, 0, NULL, &read));
    for (uint64_t i = 0; read.classes != NULL && i < read.rows; i++)
      if (read.classes[i] > *largest_class) *largest_class = read.classes[i];
    shard_free(&read);
    row += run.count;
    rows += (double)run.count;
    took = clock_seconds() - start;
  }
  rate[0] = took > 0 ? rows / took : 0;
  rate[1] = rate[0] * (double)row_bytes;
  return MLPD_OK;
}

static mlpd_status take_shapes(doctor *d, const part *opened, const label_decision *labels) {
  const mlpd_doctor_options *const o = d->options;
  if (o->features > 0 && o->features != opened->features)
    return FAIL(MLPD_ERROR_USAGE, "--features is %u, but %s: %s has %u columns", o->features, opened->file,
                opened->x_path, opened->features);
  d->features = opened->features;
  d->type = opened->type;
  d->classes = labels->classes;
  d->report->rows = opened->rows;
  if (o->outputs == 0) d->outputs = labels->classes ? labels->num_classes : opened->y_columns;
  if (o->outputs > 0 || d->outputs > 0) return MLPD_OK;
  data_names names;
  TRY(dataset_names(opened->h5, &names));
  d->outputs = (uint32_t)names.classes.count;
  data_names_free(&names);
  return MLPD_OK;
}

mlpd_status doctor_read(doctor *d, double seconds) {
  const uint64_t size = (uint64_t)mlpd_comm_size(d->comm), rank = (uint64_t)mlpd_comm_rank(d->comm);
  mlpd_doctor_report *const r = d->report;
  part train = {0};
  bool present = false;
  double rates[2] = {0}, largest = 0;
  label_decision labels = {0};
  mlpd_status status = part_open(NULL, &d->options->data, MLPD_TRAIN, true, &train, &present);
  TRY_GOTO(status, mlpd_comm_agree(d->comm, status), done);
  TRY_GOTO(status, labels_decide(d->comm, &d->options->data, &train, MLPD_TASK_AUTO, MLPD_LOSS_AUTO, 0, &labels), done);
  train.map = &labels.map;
  TRY_GOTO(status, mlpd_comm_agree(d->comm, take_shapes(d, &train, &labels)), done);
  status = read_share(&train, labels.classes, train.rows * rank / size, train.rows * (rank + 1) / size, seconds, rates,
                      &largest);
  TRY_GOTO(status, mlpd_comm_agree(d->comm, status), done);
  TRY_GOTO(status, doctor_sum(d->comm, rates, 2), done);
  TRY_GOTO(status, comm_max_double(d->comm, &largest, 1), done);
  if (d->outputs == 0) d->outputs = (uint32_t)largest + 1 > 2 ? (uint32_t)largest + 1 : 2;
  r->has_file = true;
  r->file_system = machine_file_system(d->options->data.file, &r->network_file_system);
  r->read_rows = rates[0];
  r->read_bytes = rates[1];
done:
  labels_free(&labels);
  part_close(&train);
  return status;
}
