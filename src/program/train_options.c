/* The options of `mlpdist train`: those of the program before the library's. */
#include "program/commands.h"

#define AT(member) OPTION_AT(train_arguments, member)

_Static_assert(offsetof(train_arguments, train) == 0, "the library's rows are offsets in mlpd_train_options");

static const option rows[] = {
    {"config", "general", "FILE", OPTION_PATH, AT(config),
     .help = "read options from FILE; the command line overrides them (--stream=no overrides stream = yes)",
     .command_line_only = true},
    {"print-config", "general", NULL, OPTION_FLAG, AT(print_config),
     .help = "print the options as a config file and exit", .command_line_only = true},
    {"quiet", "general", NULL, OPTION_FLAG, AT(quiet), .help = "print only the result", .command_line_only = true},
    {"help", "general", NULL, OPTION_FLAG, AT(help), .help = "print this help and exit", .command_line_only = true},
    {.name = NULL},
};

/* The sections of config files would be long lists here. */
static const option_heading headings[] = {
    {"x", "Data: arrays of an HDF5 file"},
    {"valid-fraction", "Data: parts and targets"},
    {"normalize", "Normalisation"},
    {"label", "Table: how raw tables are read"},
    {"ensemble", "Ensembles"},
    {"embed-above", "Categories and numbers as learned values"},
    {"parametrization", "Initial weights"},
    {"loss", "Loss"},
    {"ema", "Averages of the weights"},
    {"stream", "Data larger than memory"},
    {"patience", "Early stopping and the epoch to keep"},
    {"resume", "Checkpoints"},
    {"check-every", "Ranks and threads"},
    {"out", "Files"},
    {.before = NULL},
};

static const char details[] =
    "The same file, seed and options give the same weights, bit for bit, on any\n"
    "number of ranks and threads and on any x86-64 processor with AVX2 and FMA:\n"
    "compare the last line, the digest.\n\n"
    "Examples\n"
    "  mlpdist train --hidden 64,32 --epochs 20\n"
    "  mlpdist train --data houses.csv --label price --out houses\n"
    "  mpirun -np 4 mlpdist train --data fashion-mnist.h5 --optimizer adam --lr 0.001\n"
    "  mlpdist train --print-config > run.ini;  mlpdist train --config run.ini\n";

static const void *defaults(void) {
  static train_arguments arguments;
  mlpd_train_options_default(&arguments.train);
  return &arguments;
}

const option_table train_table = {
    .command = "train",
    .usage = "[options]",
    .summary =
        "Trains a network and saves it, with its metrics, in a run folder. Uses all cores of this machine; under "
        "mpirun "
        "-np N mlpdist train, N ranks. Common options: --data, --label, --hidden, --epochs, --batch, --lr, --out.",
    .details = details,
    .rows = rows,
    .defaults = defaults,
    .library_rows = mlpd_train_option_table,
    .headings = headings,
};
