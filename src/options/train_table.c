/* The options of a training run, a row each: name, place, range, default, help, and what the option decides. A new
 * option is one row here and its member in mlpdist.h. */
#include "mlpdist.h"

#define AT(member) offsetof(mlpd_train_options, member), sizeof(((mlpd_train_options *)0)->member)
#define RANGE(low, high) .minimum = (low), .maximum = (high)
#define DEFAULT(text) .default_text = (text)
#define AUTO .automatic = true, .default_text = "auto"
#define LOCAL .decides = MLPD_DECIDES_LOCAL
#define COURSE .decides = MLPD_DECIDES_COURSE
#define WEIGHTS .decides = MLPD_DECIDES_WEIGHTS

#define TEXT MLPD_OPTION_TEXT
#define PATH MLPD_OPTION_PATH
#define WIDTHS MLPD_OPTION_WIDTHS
#define INTEGER MLPD_OPTION_INTEGER
#define REAL MLPD_OPTION_REAL
#define CHOICE MLPD_OPTION_CHOICE
#define FLAG MLPD_OPTION_FLAG

/* 2^53: beyond it a double no longer holds every whole number. */
#define MAX_WHOLE 9007199254740992.0

const mlpd_option mlpd_train_option_table[] = {
    {"data", "data", "FILE", PATH, AT(data.file), .help = "HDF5 data set", .note = "the shipped digits.h5", LOCAL},
    {"x", "data", "PATH", PATH, AT(data.x), .help = "training inputs in the file", .note = "/train/x", COURSE},
    {"y", "data", "PATH", PATH, AT(data.y), .help = "training targets", .note = "/train/y", COURSE},
    {"weight", "data", "PATH", PATH, AT(data.weight), .help = "weights of the training samples",
     .note = "/train/weight if present", COURSE},
    {"valid-x", "data", "PATH", PATH, AT(data.valid_x), .help = "validation inputs", .note = "/valid/x", COURSE},
    {"valid-y", "data", "PATH", PATH, AT(data.valid_y), .help = "validation targets", .note = "/valid/y", COURSE},
    {"test-x", "data", "PATH", PATH, AT(data.test_x), .help = "test inputs", .note = "/test/x", COURSE},
    {"test-y", "data", "PATH", PATH, AT(data.test_y), .help = "test targets", .note = "/test/y", COURSE},
    {"valid-fraction", "data", "FRACTION", REAL, AT(valid_fraction),
     .help = "fraction of the training rows to validate on, if the file has no validation part", RANGE(0, 0.9),
     DEFAULT("0"), WEIGHTS},
    {"task", "data", "TASK", CHOICE, AT(task), .help = "kind of targets", .choices = mlpd_task_choices, DEFAULT("auto"),
     WEIGHTS},
    {"classes", "data", "N", INTEGER, AT(classes), .help = "number of classes; auto: from the data", RANGE(0, 1048576),
     AUTO, WEIGHTS, .needs = "task=auto,classification"},
    {"normalize", "data", "HOW", CHOICE, AT(normalize),
     .help = "input normalization; auto: scale for images, standard for all else", .choices = mlpd_normalize_choices,
     DEFAULT("auto"), WEIGHTS},

    {"hidden", "network", "WIDTHS", WIDTHS, AT(hidden),
     .help = "units of each hidden layer, such as 512,256; \"\" for none", DEFAULT("64"), WEIGHTS},
    {"activation", "network", "NAME", CHOICE, AT(activation),
     .help = "activation of the hidden layers; softmax is for the output layer only",
     .choices = mlpd_activation_choices, DEFAULT("relu"), WEIGHTS},
    {"output-activation", "network", "NAME", CHOICE, AT(output_activation),
     .help = "activation of the output layer; auto: by task and loss", .choices = mlpd_activation_choices, AUTO,
     WEIGHTS},
    {"init", "network", "NAME", CHOICE, AT(init), .help = "initial weights; auto: by activation",
     .choices = mlpd_init_choices, DEFAULT("auto"), WEIGHTS},
    {"loss", "network", "NAME", CHOICE, AT(loss),
     .help = "loss to minimise; auto: cross-entropy for classes, mse for values", .choices = mlpd_loss_choices,
     DEFAULT("auto"), WEIGHTS},

    {"optimizer", "optimizer", "NAME", CHOICE, AT(optimizer), .help = "update rule", .choices = mlpd_optimizer_choices,
     DEFAULT("momentum"), WEIGHTS},
    {"lr", "optimizer", "RATE", REAL, AT(lr), .help = "learning rate", RANGE(0, 1e6), DEFAULT("0.1"), WEIGHTS},
    {"momentum", "optimizer", "M", REAL, AT(momentum), .help = "fraction of the velocity kept each step",
     RANGE(0, 0.9999999), DEFAULT("0.9"), WEIGHTS, .needs = "optimizer=momentum,nesterov"},
    {"beta1", "optimizer", "B", REAL, AT(beta1), .help = "decay of the mean gradient", RANGE(0, 0.9999999),
     DEFAULT("0.9"), WEIGHTS, .needs = "optimizer=adam,adamw"},
    {"beta2", "optimizer", "B", REAL, AT(beta2), .help = "decay of the mean squared gradient", RANGE(0, 0.9999999),
     DEFAULT("0.999"), WEIGHTS, .needs = "optimizer=adam,adamw"},
    {"epsilon", "optimizer", "E", REAL, AT(epsilon), .help = "added to the root of the mean square", RANGE(1e-30, 1),
     DEFAULT("1e-8"), WEIGHTS, .needs = "optimizer=adam,adamw"},
    {"weight-decay", "optimizer", "D", REAL, AT(weight_decay), .help = "weight decay; biases do not decay",
     RANGE(0, 1e6), DEFAULT("0"), WEIGHTS},
    {"clip-norm", "optimizer", "NORM", REAL, AT(clip_norm),
     .help = "clip the norm of the whole gradient to this; 0: no limit", RANGE(0, 1e30), DEFAULT("0"), WEIGHTS},

    {"schedule", "schedule", "NAME", CHOICE, AT(schedule), .help = "learning rate schedule",
     .choices = mlpd_schedule_choices, DEFAULT("constant"), WEIGHTS},
    {"lr-min", "schedule", "RATE", REAL, AT(lr_min), .help = "final learning rate", RANGE(0, 1e6), DEFAULT("0"),
     WEIGHTS, .needs = "schedule=cosine"},
    {"lr-gamma", "schedule", "G", REAL, AT(lr_gamma), .help = "factor of the learning rate at each step", RANGE(0, 1e6),
     DEFAULT("0.1"), WEIGHTS, .needs = "schedule=step"},
    {"lr-step-epochs", "schedule", "N", REAL, AT(lr_step_epochs),
     .help = "epochs between two steps of the learning rate", RANGE(1e-6, 1e9), DEFAULT("10"), WEIGHTS,
     .needs = "schedule=step"},
    {"warmup-epochs", "schedule", "N", REAL, AT(warmup_epochs),
     .help = "epochs during which the learning rate rises from 0", RANGE(0, 1e9), DEFAULT("0"), WEIGHTS},
    {"lr-scale", "schedule", "HOW", CHOICE, AT(lr_scale),
     .help = "scale the learning rate by batch / base-batch or by its square root", .choices = mlpd_lr_scale_choices,
     DEFAULT("none"), WEIGHTS},
    {"base-batch", "schedule", "N", INTEGER, AT(base_batch), .help = "batch size that --lr was chosen for",
     RANGE(1, 2147483647), DEFAULT("256"), WEIGHTS, .needs = "lr-scale=linear,sqrt"},

    {"batch", "run", "N", INTEGER, AT(batch), .help = "samples per step, summed over all ranks", RANGE(1, 2147483647),
     DEFAULT("256"), WEIGHTS},
    {"epochs", "run", "N", INTEGER, AT(epochs), .help = "passes over the training data", RANGE(1, 1e9), DEFAULT("10"),
     COURSE, .weights_with = "schedule=cosine"},
    {"seed", "run", "N", INTEGER, AT(seed),
     .help = "seed of the initial weights, the order of the rows and the choice of validation rows",
     RANGE(0, MAX_WHOLE), DEFAULT("1"), WEIGHTS},
    {"lanes", "run", "N", INTEGER, AT(lanes),
     .help = "fixed parts of a batch, at least one per rank; other lanes give other weights, as another seed does; "
             "auto: the largest power of two up to batch / 64",
     RANGE(0, 65536), AUTO, WEIGHTS},
    {"stream", "run", NULL, FLAG, AT(stream),
     .help = "read the training rows a window at a time instead of holding all in memory", DEFAULT("no"), WEIGHTS},
    {"window", "run", "ROWS", INTEGER, AT(window),
     .help = "rows per lane that are shuffled together; other windows give other weights, as another seed does; auto: "
             "32 MiB for the windows of all lanes",
     RANGE(0, 1073741824), AUTO, WEIGHTS, .needs = "stream=yes"},
    {"memory", "run", "BYTES", INTEGER, AT(memory),
     .help = "memory limit of a rank; auto: its share of a quarter of the available memory", RANGE(0, MAX_WHOLE), AUTO,
     LOCAL, .needs = "stream=yes"},
    {"patience", "run", "N", INTEGER, AT(patience),
     .help = "stop after N epochs without a better validation loss; 0: never", RANGE(0, 1e9), DEFAULT("0"), COURSE},
    {"min-delta", "run", "D", REAL, AT(min_delta), .help = "decrease of the validation loss that counts as better",
     RANGE(0, 1e30), DEFAULT("0"), WEIGHTS},
    {"save", "run", "WHICH", CHOICE, AT(save),
     .help = "weights to save in model.h5: those of the lowest validation loss, or those of the last epoch",
     .choices = mlpd_save_choices, DEFAULT("best"), WEIGHTS},
    {"resume", "run", "WHICH", TEXT, AT(resume),
     .help = "resume from a checkpoint, on any number of ranks: auto (the newest whole one in the run folder, if any), "
             "never, or a file",
     DEFAULT("never"), COURSE, .command_line_only = true},
    {"checkpoint-every", "run", "INTERVAL", TEXT, AT(checkpoint_every),
     .help = "steps (1000), time (10min), epochs (2epochs) or never; the end of the run writes one as well",
     DEFAULT("10min"), COURSE},
    {"keep", "run", "N", INTEGER, AT(keep), .help = "number of checkpoints to keep", RANGE(1, 1e6), DEFAULT("2"),
     LOCAL},
    {"check-every", "run", "N", INTEGER, AT(check_every),
     .help = "compare the weights and optimizer state of all ranks every N steps; 0: only at the end of each epoch",
     RANGE(0, 1e9), DEFAULT("100"), COURSE},
    {"stall-timeout", "run", "SECONDS", REAL, AT(stall_timeout),
     .help = "report the ranks being waited for after this long; 0: never", RANGE(0, 1e6), DEFAULT("60"), LOCAL},
    {"stall-abort", "run", "SECONDS", REAL, AT(stall_abort), .help = "abort the run after waiting this long; 0: never",
     RANGE(0, 1e6), DEFAULT("1800"), LOCAL},
    {"reduce", "run", "HOW", CHOICE, AT(reduce),
     .help = "gradient sum over the ranks; canonical gives the same bits on any number of ranks",
     .choices = mlpd_reduce_choices, DEFAULT("canonical"), WEIGHTS},
    {"update", "run", "HOW", CHOICE, AT(update),
     .help = "weight update: split among the ranks, or whole on each; the same bits either way",
     .choices = mlpd_update_choices, DEFAULT("split"), COURSE},
    {"overlap", "run", "HOW", CHOICE, AT(overlap),
     .help = "communication during back propagation: layer by layer, or none; the same bits either way",
     .choices = mlpd_overlap_choices, DEFAULT("layers"), COURSE},
    {"backend", "run", "NAME", TEXT, AT(backend),
     .help = "matrix multiplication: native, onednn, cblas or plain, where built; auto: the fastest", AUTO, LOCAL},
    {"threads", "run", "N", INTEGER, AT(threads),
     .help = "threads per rank; auto: OMP_NUM_THREADS, else the cores that the rank is bound to", RANGE(0, 4096), AUTO,
     LOCAL},
    {"out", "run", "FOLDER", PATH, AT(out),
     .help = "run folder, for config.ini, metrics.csv, model.h5 and checkpoints/", DEFAULT("run"), LOCAL},
    {"trace", "run", "FILE", PATH, AT(trace),
     .help = "write a timeline of every thread of every rank, for https://ui.perfetto.dev", .note = "none", LOCAL,
     .command_line_only = true},
    {"trace-steps", "run", "N", INTEGER, AT(trace_steps),
     .help = "number of steps to show in detail, from the first on", RANGE(1, 1e9), DEFAULT("200"), COURSE,
     .command_line_only = true, .needs = "trace"},
    {.name = NULL},
};
