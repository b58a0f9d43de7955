/* mlpd_doctor: runs the measurements and divides the available time among them. */
#include "doctor/doctor.h"

#include <stdlib.h>

#include "base/locale.h"
#include "base/memory.h"
#include "kernels/cpu.h"
#include "lanes/lanes.h"
#include "network/network_options.h"
#include "options/option.h"
#include "ranks/clock.h"
#include "ranks/comm.h"
#include "ranks/placement.h"

void mlpd_doctor_options_default(mlpd_doctor_options *options) {
  mlpd_train_options train;
  mlpd_train_options_default(&train);
  *options = (mlpd_doctor_options){.hidden = train.hidden,
                                   .activation = train.activation,
                                   .ensemble = train.ensemble,
                                   .members = train.members,
                                   .optimizer = train.optimizer,
                                   .batch = train.batch,
                                   .seconds = 5};
}

/* The options that training has, too. */
static mlpd_train_options as_train(const mlpd_doctor_options *options) {
  mlpd_train_options train;
  mlpd_train_options_default(&train);
  train.hidden = options->hidden;
  train.activation = options->activation;
  train.ensemble = options->ensemble;
  train.members = options->members;
  train.optimizer = options->optimizer;
  train.batch = options->batch;
  train.lanes = options->lanes;
  train.threads = options->threads;
  return train;
}

#define AT(member) offsetof(mlpd_doctor_options, member), sizeof(((mlpd_doctor_options *)0)->member)

/* The others, with the names of the command line: a program may have set any value. */
static const mlpd_option own[] = {
    {"features", NULL, NULL, MLPD_OPTION_INTEGER, AT(features), .maximum = 1073741823},
    {"outputs", NULL, NULL, MLPD_OPTION_INTEGER, AT(outputs), .maximum = 1048576},
    {"seconds", NULL, NULL, MLPD_OPTION_REAL, AT(seconds), .minimum = 0.01, .maximum = 3600},
    {"latency", NULL, NULL, MLPD_OPTION_REAL, AT(latency), .maximum = 1},
    {"bandwidth", NULL, NULL, MLPD_OPTION_REAL, AT(bandwidth), .maximum = 1e15},
    {.name = NULL},
};

static mlpd_status check(const mlpd_doctor_options *options) {
  const mlpd_train_options train = as_train(options);
  TRY(options_check(own, options));
  return mlpd_train_options_check(&train);
}

/* Lists the numbers of ranks to predict, each once: the current one, 1, and those in the options. */
static mlpd_status list_ranks(const doctor *d, int ranks[MLPD_MAX_PREDICTIONS], int *count) {
  int asked[MLPD_MAX_PREDICTIONS - 2], num_asked = 0;
  TRY(doctor_parse_ranks(d->options->ranks, asked, MLPD_MAX_PREDICTIONS - 2, &num_asked));
  ranks[0] = mlpd_comm_size(d->comm);
  *count = 1;
  for (int i = -1; i < num_asked; i++) {
    const int wanted = i < 0 ? 1 : asked[i];
    bool known = false;
    for (int j = 0; j < *count; j++) known = known || ranks[j] == wanted;
    if (!known) ranks[(*count)++] = wanted;
  }
  return MLPD_OK;
}

static mlpd_status look_at_machine(doctor *d) {
  mlpd_doctor_report *const r = d->report;
  TRY(placement_threads(d->comm, d->options->threads, &d->threads));
  TRY(placement_inspect(d->comm, d->threads, &d->places));
  r->cpu = cpu_name();
  r->ranks = mlpd_comm_size(d->comm);
  r->nodes = d->places.nodes;
  r->ranks_on_node = d->places.ranks_on_node;
  r->threads = d->threads;
  r->cores = d->places.mine.bound;
  r->physical_cores = d->places.mine.physical;
  r->quota_cores = d->places.mine.quota;
  return MLPD_OK;
}

/* "784-512-512-10", "784-512-10, ensemble of 32", "784-512-10, 8 members" */
static void name_network(doctor *d) {
  mlpd_doctor_report *const r = d->report;
  const uint32_t members = network_members(d->network);
  size_t used = (size_t)snprintf(r->network, sizeof r->network, "%u", d->features);
  for (uint32_t l = members > 1; l < d->network->num_layers && used < sizeof r->network; l++) /* no fan-out or fork */
    used += (size_t)snprintf(r->network + used, sizeof r->network - used, "-%u", d->network->layers[l].outputs);
  if (members > 1 && used < sizeof r->network)
    (void)snprintf(r->network + used, sizeof r->network - used,
                   d->network->members_apart ? ", %u members" : ", ensemble of %u", members);
}

static mlpd_status make_network(doctor *d) {
  mlpd_doctor_report *const r = d->report;
  mlpd_train_options train = as_train(d->options);
  train.output_activation = d->classes ? MLPD_SOFTMAX : MLPD_IDENTITY;
  TRY(network_of_options(&train, &(input_roles){.count = d->features}, d->outputs, false, &d->network));
  mlpd_network_init(d->network, MLPD_INIT_AUTO, 1);
  r->parameters = mlpd_network_num_parameters(d->network);
  r->batch = d->options->batch;
  if (r->has_file && r->batch > r->rows) r->batch = r->rows; /* as train does */
  r->lanes = doctor_lanes(d->options->lanes > 0 ? d->options->lanes : lanes_default(r->batch), r->ranks);
  name_network(d);
  return MLPD_OK;
}

static mlpd_status start(doctor *d, int *ranks, int *count) {
  mlpd_status status = check(d->options);
  if (status == MLPD_OK) status = list_ranks(d, ranks, count);
  if (status == MLPD_OK) status = backend_choose(d->options->backend, &d->gemm);
  if (status == MLPD_OK) status = mlpd_comm_alone(&d->alone);
  TRY(mlpd_comm_agree(d->comm, status));
  return look_at_machine(d);
}

mlpd_status mlpd_doctor(mlpd_comm *comm, const mlpd_doctor_options *options, mlpd_doctor_report *report) {
  IN_C_LOCALE();
  KEEP_CALLERS_THREADS();
  NEED(comm);
  mlpd_status status = status_need(options, "mlpd_doctor", "options");
  if (status == MLPD_OK) status = status_need(report, "mlpd_doctor", "report");
  TRY(mlpd_comm_agree(comm, status));
  const double started = clock_seconds(), seconds = options->seconds;
  doctor d = {.comm = comm,
              .options = options,
              .report = report,
              .features = options->features > 0 ? options->features : 784,
              .outputs = options->outputs > 0 ? options->outputs : 10,
              .type = ELEMENT_U8,
              .classes = true};
  int ranks[MLPD_MAX_PREDICTIONS], count = 0;
  *report = (mlpd_doctor_report){.file_system = ""};
  comm_watch_place(comm, "while the doctor measures");
  TRY_GOTO(status, start(&d, ranks, &count), done);
  if (options->data.file != NULL) TRY_GOTO(status, doctor_read(&d, 0.1 * seconds), done);
  TRY_GOTO(status, mlpd_comm_agree(comm, make_network(&d)), done);
  TRY_GOTO(status, doctor_cores(&d, 0.1 * seconds), done);
  TRY_GOTO(status, doctor_products(&d, 0.2 * seconds), done);
  TRY_GOTO(status, doctor_wire(&d, 0.15 * seconds), done);
  TRY_GOTO(status, doctor_steps(&d, ranks, count, 0.4 * seconds), done);
  doctor_judge(&d);
  report->seconds = clock_seconds() - started;
done:
  comm_watch_place(comm, COMM_AT_THE_END);
  mlpd_network_free(d.network);
  mlpd_comm_finalize(d.alone);
  return status;
}
