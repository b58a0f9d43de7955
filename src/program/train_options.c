/* The options of `mlpdist train`: names, places, ranges and help. Defaults are mlpd_train_options_default()'s. */
#include "program/commands.h"

#define AT(member) OPTION_AT(train_arguments, member)
#define RANGE(low, high) .minimum = (low), .maximum = (high)

/* 2^53: beyond it a double no longer holds every whole number. */
#define MAX_WHOLE 9007199254740992.0

static const option rows[] = {
    {"config", "general", "FILE", OPTION_PATH, AT(config), .help = "read options from FILE; the command line beats it",
     .command_line_only = true},
    {"print-config", "general", NULL, OPTION_FLAG, AT(print_config),
     .help = "print the options of this run as a config file", .command_line_only = true},
    {"quiet", "general", NULL, OPTION_FLAG, AT(quiet), .help = "print the result only", .command_line_only = true},
    {"help", "general", NULL, OPTION_FLAG, AT(help), .help = "print this and stop", .command_line_only = true},

    {"data", "data", "FILE", OPTION_PATH, AT(train.data.file), .help = "HDF5 data set",
     .note = "the shipped digits.h5"},
    {"x", "data", "PATH", OPTION_PATH, AT(train.data.x), .help = "training inputs in the file", .note = "/train/x"},
    {"y", "data", "PATH", OPTION_PATH, AT(train.data.y), .help = "training targets", .note = "/train/y"},
    {"weight", "data", "PATH", OPTION_PATH, AT(train.data.weight), .help = "weights of the training samples",
     .note = "/train/weight where it is there"},
    {"valid-x", "data", "PATH", OPTION_PATH, AT(train.data.valid_x), .help = "validation inputs", .note = "/valid/x"},
    {"valid-y", "data", "PATH", OPTION_PATH, AT(train.data.valid_y), .help = "validation targets", .note = "/valid/y"},
    {"test-x", "data", "PATH", OPTION_PATH, AT(train.data.test_x), .help = "test inputs", .note = "/test/x"},
    {"test-y", "data", "PATH", OPTION_PATH, AT(train.data.test_y), .help = "test targets", .note = "/test/y"},
    {"valid-fraction", "data", "FRACTION", OPTION_REAL, AT(train.valid_fraction),
     .help = "of the training rows, taken for validation where the file has no validation part", RANGE(0, 0.9)},
    {"task", "data", "TASK", OPTION_CHOICE, AT(train.task), .help = "what the targets are",
     .choices = mlpd_task_choices},
    {"classes", "data", "N", OPTION_INTEGER, AT(train.classes), .help = "number of classes; auto: from the data",
     RANGE(0, 1048576), .automatic = true},
    {"normalize", "data", "HOW", OPTION_CHOICE, AT(train.normalize),
     .help = "how inputs are normalised; auto: scale for bytes (images), standard for all else",
     .choices = mlpd_normalize_choices},

    {"hidden", "network", "WIDTHS", OPTION_WIDTHS, AT(train.hidden),
     .help = "units of the hidden layers, such as 512,256; \"\" for none"},
    {"activation", "network", "NAME", OPTION_CHOICE, AT(train.activation),
     .help = "of the hidden layers; softmax is for the output layer only", .choices = mlpd_activation_choices},
    {"output-activation", "network", "NAME", OPTION_CHOICE, AT(train.output_activation),
     .help = "of the output layer, one of the same; auto: by task and loss", .choices = mlpd_activation_choices,
     .automatic = true},
    {"init", "network", "NAME", OPTION_CHOICE, AT(train.init), .help = "initial weights; auto: by activation",
     .choices = mlpd_init_choices},
    {"loss", "network", "NAME", OPTION_CHOICE, AT(train.loss),
     .help = "what training makes small; auto: cross-entropy for classes, mse for values",
     .choices = mlpd_loss_choices},

    {"optimizer", "optimizer", "NAME", OPTION_CHOICE, AT(train.optimizer), .help = "how weights follow gradients",
     .choices = mlpd_optimizer_choices},
    {"lr", "optimizer", "RATE", OPTION_REAL, AT(train.lr), .help = "learning rate", RANGE(0, 1e6)},
    {"momentum", "optimizer", "M", OPTION_REAL, AT(train.momentum),
     .help = "of momentum and nesterov: what stays of the velocity", RANGE(0, 1)},
    {"beta1", "optimizer", "B", OPTION_REAL, AT(train.beta1), .help = "of adam and adamw: decay of the mean gradient",
     RANGE(0, 0.9999999)},
    {"beta2", "optimizer", "B", OPTION_REAL, AT(train.beta2), .help = "of adam and adamw: decay of the mean square",
     RANGE(0, 0.9999999)},
    {"epsilon", "optimizer", "E", OPTION_REAL, AT(train.epsilon), .help = "of adam and adamw: added to the root",
     RANGE(1e-30, 1)},
    {"weight-decay", "optimizer", "D", OPTION_REAL, AT(train.weight_decay),
     .help = "decay of the weights, not of the biases", RANGE(0, 1e6)},
    {"clip-norm", "optimizer", "NORM", OPTION_REAL, AT(train.clip_norm),
     .help = "largest norm of the whole gradient; 0: no limit", RANGE(0, 1e30)},

    {"schedule", "schedule", "NAME", OPTION_CHOICE, AT(train.schedule), .help = "how the learning rate changes",
     .choices = mlpd_schedule_choices},
    {"lr-min", "schedule", "RATE", OPTION_REAL, AT(train.lr_min), .help = "of cosine: the rate it ends at",
     RANGE(0, 1e6)},
    {"lr-gamma", "schedule", "G", OPTION_REAL, AT(train.lr_gamma), .help = "of step: what the rate is multiplied by",
     RANGE(0, 1e6)},
    {"lr-step-epochs", "schedule", "N", OPTION_REAL, AT(train.lr_step_epochs),
     .help = "of step: epochs from one change to the next", RANGE(1e-6, 1e9)},
    {"warmup-epochs", "schedule", "N", OPTION_REAL, AT(train.warmup_epochs),
     .help = "epochs in which the learning rate rises from 0", RANGE(0, 1e9)},
    {"lr-scale", "schedule", "HOW", OPTION_CHOICE, AT(train.lr_scale),
     .help = "scale the learning rate by batch / base-batch or its root", .choices = mlpd_lr_scale_choices},
    {"base-batch", "schedule", "N", OPTION_INTEGER, AT(train.base_batch),
     .help = "batch for which --lr holds under --lr-scale", RANGE(1, 2147483647)},

    {"batch", "run", "N", OPTION_INTEGER, AT(train.batch), .help = "samples of a step, over all ranks",
     RANGE(1, 2147483647)},
    {"epochs", "run", "N", OPTION_INTEGER, AT(train.epochs), .help = "passes over the training data", RANGE(1, 1e9)},
    {"seed", "run", "N", OPTION_INTEGER, AT(train.seed),
     .help = "of the initial weights, the order of rows and the validation rows drawn", RANGE(0, MAX_WHOLE)},
    {"lanes", "run", "N", OPTION_INTEGER, AT(train.lanes),
     .help = "fixed parts a batch is cut into, at least as many as ranks; part of the result as the seed is; auto: "
             "the largest power of two up to batch / 64",
     RANGE(0, 65536), .automatic = true},
    {"stream", "run", NULL, OPTION_FLAG, AT(train.stream),
     .help = "read the training rows as they are needed, a window at a time, and do not hold them"},
    {"window", "run", "ROWS", OPTION_INTEGER, AT(train.window),
     .help = "of --stream: rows of a lane in a window, shuffled together; part of the result as the seed is; auto: "
             "32 MiB in the windows of all lanes",
     RANGE(0, 1073741824), .automatic = true},
    {"memory", "run", "BYTES", OPTION_INTEGER, AT(train.memory),
     .help = "of --stream: what a rank may take in all; auto: its share of a quarter of what is available",
     RANGE(0, MAX_WHOLE), .automatic = true},
    {"patience", "run", "N", OPTION_INTEGER, AT(train.patience),
     .help = "stop after N epochs without a better validation loss; 0: never", RANGE(0, 1e9)},
    {"min-delta", "run", "D", OPTION_REAL, AT(train.min_delta),
     .help = "how much lower a loss must be to count as better", RANGE(0, 1e30)},
    {"save", "run", "WHICH", OPTION_CHOICE, AT(train.save),
     .help = "weights that model.h5 gets: of the lowest validation loss, or of the last epoch",
     .choices = mlpd_save_choices},
    {"resume", "run", "WHICH", OPTION_TEXT, AT(train.resume),
     .help = "go on from a checkpoint, on any number of ranks: auto takes the newest whole one of the run folder, if "
             "there is one; never; or a file",
     .command_line_only = true},
    {"checkpoint-every", "run", "HOW-OFTEN", OPTION_TEXT, AT(train.checkpoint_every),
     .help = "steps (1000), time (10min), epochs (2epochs) or never; one is written at the end as well"},
    {"keep", "run", "N", OPTION_INTEGER, AT(train.keep), .help = "checkpoints that stay", RANGE(1, 1e6)},
    {"check-every", "run", "N", OPTION_INTEGER, AT(train.check_every),
     .help = "steps between comparisons of weights and optimizer state of all ranks; 0: at ends of epochs alone",
     RANGE(0, 1e9)},
    STALL_OPTION_ROWS(train_arguments, train.stall_timeout, train.stall_abort),
    {"reduce", "run", "HOW", OPTION_CHOICE, AT(train.reduce),
     .help = "sum over ranks; canonical gives the same bits on any number of ranks", .choices = mlpd_reduce_choices},
    {"update", "run", "HOW", OPTION_CHOICE, AT(train.update),
     .help = "who updates which weights; the same bits either way", .choices = mlpd_update_choices},
    {"overlap", "run", "HOW", OPTION_CHOICE, AT(train.overlap),
     .help = "when gradients travel between machines; the same bits either way", .choices = mlpd_overlap_choices},
    {"backend", "run", "NAME", OPTION_TEXT, AT(train.backend),
     .help = "matrix multiplication: native, onednn, cblas or plain, where built; auto: the fastest",
     .automatic = true},
    {"threads", "run", "N", OPTION_INTEGER, AT(train.threads),
     .help = "threads of a rank; auto: OMP_NUM_THREADS, else the cores it is bound to", RANGE(0, 4096),
     .automatic = true},
    {"out", "run", "FOLDER", OPTION_PATH, AT(train.out),
     .help = "run folder: gets config.ini, metrics.csv, model.h5 and checkpoints/"},
    {"trace", "run", "FILE", OPTION_PATH, AT(train.trace),
     .help = "write what each thread of each rank did when, for https://ui.perfetto.dev", .note = "none",
     .command_line_only = true},
    {"trace-steps", "run", "N", OPTION_INTEGER, AT(train.trace_steps),
     .help = "of --trace: steps whose phases it shows, from the first on", RANGE(1, 1e9), .command_line_only = true},
    {.name = NULL},
};

static const char details[] =
    "The same file, seed and options give the same weights, bit for bit, on any\n"
    "number of ranks and threads (with one program on one CPU instruction set):\n"
    "compare the last line, digest.\n\n"
    "Examples\n"
    "  mlpdist train --hidden 64,32 --epochs 20\n"
    "  mpirun -np 4 mlpdist train --data fashion-mnist.h5 --optimizer adam --lr 0.001\n"
    "  mlpdist train --print-config > run.ini;  mlpdist train --config run.ini\n";

const option_table train_table = {
    .command = "train",
    .usage = "[options]",
    .summary =
        "Trains a network and leaves it, with its metrics, in a run folder. Runs alone on all cores, or on N "
        "ranks as mpirun -np N mlpdist train.",
    .details = details,
    .rows = rows,
};
