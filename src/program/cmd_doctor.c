/* mlpdist doctor: is this machine set up to be fast? */
#include "cli/outcome.h"
#include "program/commands.h"
#include "program/data_options.h"
#include "program/doctor_report.h"

typedef struct doctor_arguments {
  mlpd_doctor_options doctor;
  data_options common; /* --backend and --threads */
  double latency, bandwidth;
  bool json, help;
} doctor_arguments;

#define AT(member) OPTION_AT(doctor_arguments, member)
#define SHARED(name, group, member) OPTION_SHARED(name, group, doctor_arguments, member)
#define RANGE(low, high) .minimum = (low), .maximum = (high)

static option rows[] = {
    {"help", "general", NULL, OPTION_FLAG, AT(help), .help = "print this help and exit"},
    {"json", "general", NULL, OPTION_FLAG, AT(json), .help = "print JSON"},
    {"seconds", "general", "S", OPTION_REAL, AT(doctor.seconds), .help = "approximate duration of the measurements",
     RANGE(0.01, 3600)},

    {"data", "network", "FILE", OPTION_PATH, AT(doctor.data.file),
     .help = "HDF5 data set to read; gives the numbers of inputs and outputs", .note = "none"},
    {SHARED("x", "network", doctor.data.x)},
    {SHARED("y", "network", doctor.data.y)},
    {"features", "network", "N", OPTION_INTEGER, AT(doctor.features), .help = "inputs of the network",
     RANGE(0, 1073741823), .automatic = true, .note = "of the data, else 784"},
    {SHARED("hidden", "network", doctor.hidden)},
    {"outputs", "network", "N", OPTION_INTEGER, AT(doctor.outputs), .help = "outputs of the network", RANGE(0, 1048576),
     .automatic = true, .note = "of the data, else 10"},
    {SHARED("activation", "network", doctor.activation), .help = "activation of the hidden layers, or of each"},
    {SHARED("ensemble", "network", doctor.ensemble),
     .help = "members that share all layers but the last; 1: a single network"},
    {SHARED("members", "network", doctor.members), .help = "separate networks in one; 1: a single network"},
    {SHARED("optimizer", "network", doctor.optimizer)},

    {SHARED("batch", "run", doctor.batch),
     .help = "samples per step, summed over all ranks; with lbfgs, all training rows"},
    {SHARED("lanes", "run", doctor.lanes),
     .help = "fixed parts of a batch; auto: the largest power of two up to batch / 64"},
    COMPUTE_OPTION_ROWS(doctor_arguments),

    {"np", "prediction", "LIST", OPTION_TEXT, AT(doctor.ranks),
     .help = "further numbers of ranks to predict, such as 4,16, each with as many threads as here", .automatic = true,
     .note = "none"},
    {"latency", "prediction", "US", OPTION_REAL, AT(latency),
     .help = "latency between ranks in microseconds; 0: as measured", RANGE(0, 1e6)},
    {"bandwidth", "prediction", "GB/S", OPTION_REAL, AT(bandwidth),
     .help = "bandwidth between ranks in GB/s (1e9 bytes); 0: as measured", RANGE(0, 1e6)},
    {.name = NULL},
};

static const void *defaults(void) {
  static doctor_arguments arguments;
  arguments = (doctor_arguments){.common = data_options_default};
  mlpd_doctor_options_default(&arguments.doctor);
  return &arguments;
}

const option_table doctor_table = {
    .command = "doctor",
    .usage = "[options]",
    .summary =
        "Checks whether this machine is set up to be fast. Inspects cores, quotas and clock; measures the arithmetic "
        "peak, "
        "memory, every matrix product built in, the sum over the ranks and the reading of --data; predicts the speed "
        "of "
        "training a network; and names whatever costs speed, with a cure.",
    .details =
        "Examples\n"
        "  mlpdist doctor\n"
        "  mpirun -np 4 mlpdist doctor --data fashion-mnist.h5 --np 8,16\n"
        "  mlpdist doctor --hidden 1024,1024 --batch 1024 --np 8,64 --latency 2 \\\n"
        "    --bandwidth 12 --json\n",
    .rows = rows,
    .shared = rows,
    .defaults = defaults,
};

static mlpd_status examine(mlpd_comm *comm, const doctor_arguments *arguments) {
  mlpd_doctor_report report;
  const mlpd_status status = mlpd_doctor(comm, &arguments->doctor, &report);
  if (status != MLPD_OK || mlpd_comm_rank(comm) != 0) return status;
  if (arguments->json) return doctor_print_json(&report, arguments->doctor.data.file, stdout);
  doctor_print_text(&report, arguments->doctor.data.file, stdout);
  return MLPD_OK;
}

int command_doctor(int argc, char **argv) {
  doctor_arguments arguments = {.common = data_options_default};
  option_results results = {0};
  mlpd_comm *comm = NULL;
  mlpd_doctor_options_default(&arguments.doctor);
  if (options_want_help(argc, argv)) return command_print_help(&doctor_table);
  mlpd_status status = options_parse(&doctor_table, argc, argv, &arguments, &results);
  arguments.doctor.backend = arguments.common.backend;
  arguments.doctor.threads = arguments.common.threads;
  arguments.doctor.latency = 1e-6 * arguments.latency;
  arguments.doctor.bandwidth = 1e9 * arguments.bandwidth;
  status = outcome_begin(status, &arguments.common.stall, &comm);
  if (status == MLPD_OK) status = examine(comm, &arguments);
  options_free(&results);
  return outcome_end(comm, status);
}
