/* mlpdist: multilayer perceptrons trained data-parallel with MPI, OpenMP and HDF5.
 *
 * This header is the library's manual. Conventions:
 *
 *   shapes    `x (n, d)` is n rows of d values, row-major, contiguous unless a leading dimension is given.
 *   weights   layer l holds w (inputs, outputs) and b (outputs): z = a_prev w + b, a = A(z).
 *   errors    every function that can fail returns an mlpd_status; the message of the last failure in
 *             this thread is mlpd_error_message(). The library never prints, and never exits except in
 *             mlpd_comm_abort(). A required pointer that is NULL, or a value out of range, is MLPD_ERROR_USAGE;
 *             a function that returns no status needs its pointers, unless its comment allows NULL.
 *   locale    numbers and messages use the C locale, whichever locale the program has set. Callbacks run in the C
 *             locale, too. When a function returns, the program's locale is in force again.
 *   callbacks return to the library: they do not throw C++ exceptions, call longjmp() or end their thread.
 *   strings   `const char *` arguments are borrowed for the call; structs that keep one say so.
 *   parallel  a function is not collective unless its comment says `Collective` (every rank of the communicator calls
 *             it, and every rank gets the same status) or `Logically collective (x equal on all ranks)`.
 */
#ifndef MLPDIST_H
#define MLPDIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MLPD_VERSION "0.1.0"

#if defined(__GNUC__)
#define MLPD_API __attribute__((visibility("default")))
#else
#define MLPD_API
#endif

/* ---- Status ------------------------------------------------------------------------------------ */

typedef enum mlpd_status {
  MLPD_OK = 0,
  MLPD_ERROR_USAGE,    /* a value the caller chose is wrong; the program exits with 2, else with 1 */
  MLPD_ERROR_FILE,     /* a file cannot be opened, read or written */
  MLPD_ERROR_DATA,     /* a file's content is invalid */
  MLPD_ERROR_MEMORY,   /* an allocation failed */
  MLPD_ERROR_MPI,      /* an MPI call failed, or a wait exceeded stall_abort: only mlpd_comm_abort() may follow; 4 */
  MLPD_ERROR_DIVERGED, /* the loss is no longer a finite number */
  MLPD_INTERRUPTED,    /* stopped by mlpd_request(), after a checkpoint; the program exits with 3 */
  MLPD_ERROR_INTERNAL  /* another library failed unexpectedly */
} mlpd_status;

/* One line without a newline: what failed, on which value, and a hint if there is one. Empty before the first
 * failure. Valid until the next failure in this thread. */
MLPD_API const char *mlpd_error_message(void);

/* "file.c:123" of the place that recorded the last failure in this thread. */
MLPD_API const char *mlpd_error_place(void);

/* ---- Text --------------------------------------------------------------------------------------- */

/* Copies untrusted text, such as a name from a file, for a terminal: control characters, direction marks and invalid
 * UTF-8 become '?'. The copy (size) is cut at the end of a character. text and copy may be one buffer. */
MLPD_API void mlpd_text_printable(const char *text, char *copy, size_t size);

/* Copies text as valid UTF-8, for JSON: invalid bytes become U+FFFD, so the copy needs up to 3 strlen(text) + 1
 * bytes. It is cut at size. */
MLPD_API void mlpd_text_utf8(const char *text, char *copy, size_t size);

/* Frees a text that a function of this library made. NULL is allowed. */
MLPD_API void mlpd_text_free(char *text);

/* ---- Named choices ------------------------------------------------------------------------------ */

/* A named value of an enumeration below; arrays of it end with name == NULL. */
typedef struct mlpd_choice {
  const char *name;
  int value;
  const char *help;
} mlpd_choice;

typedef enum mlpd_activation {
  MLPD_IDENTITY,
  MLPD_RELU,
  MLPD_LEAKY_RELU, /* slope 0.01 */
  MLPD_ELU,        /* alpha 1 */
  MLPD_GELU,       /* x Phi(x), Phi the normal distribution function (the erf form) */
  MLPD_SILU,       /* x sigmoid(x) */
  MLPD_SIGMOID,
  MLPD_TANH,
  MLPD_SOFTPLUS,
  MLPD_MISH, /* x tanh(softplus(x)) (Misra 2019) */
  MLPD_SELU, /* scaled elu (Klambauer et al. 2017); with lecun-normal weights activations keep mean 0, variance 1 */
  MLPD_HARDSWISH,  /* x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019) */
  MLPD_RELU6,      /* min(max(x, 0), 6) */
  MLPD_EXP,        /* exp(x): outputs above 0, of loss poisson */
  MLPD_SQUAREPLUS, /* (x + sqrt(x^2 + 4)) / 2 (Barron 2021) */
  MLPD_GELU_TANH,  /* x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, close to gelu (Hendrycks and Gimpel 2016) */
  MLPD_SOFTSIGN,   /* x / (1 + |x|) (Bergstra et al. 2009) */
  MLPD_SOFTMAX,    /* output layer only */
  MLPD_NUM_ACTIVATIONS
} mlpd_activation;

typedef enum mlpd_loss {
  MLPD_LOSS_AUTO,            /* cross-entropy for classes, mse for values; resolved before training */
  MLPD_MSE,                  /* 1/2 sum_k (yhat_k - y_k)^2 a sample */
  MLPD_MSE_MEAN,             /* 1/K sum_k (yhat_k - y_k)^2 a sample, as torch.nn.MSELoss */
  MLPD_CROSS_ENTROPY,        /* -log softmax(z)_y; needs softmax output */
  MLPD_BINARY_CROSS_ENTROPY, /* sum_k of -(y log s + (1-y) log(1-s)), s = sigmoid(z); needs sigmoid output */
  MLPD_MAE,                  /* sum_k |yhat_k - y_k| */
  MLPD_HUBER,                /* sum_k: r^2/2 if |r| <= 1 else |r| - 1/2, r = yhat_k - y_k */
  MLPD_QUANTILE, /* sum_k sum_q max(tau_q (y_k - yhat_kq), (tau_q - 1)(y_k - yhat_kq)): an output for each target and
                    quantile, see mlpd_train_options.quantiles; of a trace tau = 0.5 alone */
  MLPD_POISSON,  /* sum_k yhat_k - y_k log yhat_k: counts; needs exp output */
  MLPD_GAUSSIAN, /* sum_k 1/2 (s_k + (y_k - m_k)^2 / exp(s_k)): two outputs for each target, mean m and log-variance s;
                    needs identity output */
  MLPD_LOG_COSH, /* sum_k log(cosh(yhat_k - y_k)): huber without its kinks */
  MLPD_NUM_LOSSES
} mlpd_loss;

typedef enum mlpd_init {
  MLPD_INIT_AUTO,      /* he-normal for relu-like activations, lecun-normal for selu, else glorot-uniform */
  MLPD_HE_NORMAL,      /* N(0, 2/inputs) */
  MLPD_HE_UNIFORM,     /* U(-r, r), r = sqrt(6/inputs) */
  MLPD_GLOROT_NORMAL,  /* N(0, 2/(inputs+outputs)) */
  MLPD_GLOROT_UNIFORM, /* U(-r, r), r = sqrt(6/(inputs+outputs)) */
  MLPD_LECUN_NORMAL,   /* N(0, 1/inputs) */
  MLPD_LECUN_UNIFORM,  /* U(-r, r), r = sqrt(3/inputs) */
  MLPD_ZEROS
} mlpd_init;

typedef enum mlpd_optimizer {
  MLPD_SGD,      /* w -= lr g */
  MLPD_MOMENTUM, /* v = mu v + g; w -= lr v */
  MLPD_NESTEROV, /* v = mu v + g; w -= lr (g + mu v) */
  MLPD_ADAM,     /* Kingma & Ba 2015; weight decay is added to the gradient */
  MLPD_ADAMW,    /* Loshchilov & Hutter 2019; weight decay is decoupled */
  MLPD_RMSPROP,  /* q = beta2 q + (1 - beta2) g^2; w -= lr g / (sqrt(q) + epsilon) (Tieleman & Hinton 2012) */
  MLPD_ADAGRAD,  /* q += g^2; w -= lr g / (sqrt(q) + epsilon) (Duchi et al. 2011) */
  MLPD_LION,     /* w -= lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g (Chen et al. 2023); weight decay
                    is decoupled; beta2 = 0.99 and a tenth of adam's lr are usual */
  /* The next two scale the update of each tensor that decays by a trust ratio; 1 where a norm is 0. */
  MLPD_LARS,   /* v = mu v + r (g + decay w), r = trust |w| / (|g| + decay |w|); w -= lr v (You et al. 2017) */
  MLPD_LAMB,   /* u = adam's direction + decay w; w -= lr |w| / |u| u (You et al. 2020, algorithm 2) */
  MLPD_LBFGS,  /* w += step d, d = -H g with H from the last steps, step by a line search, over all rows; for small data
                  (Nocedal & Wright, Numerical Optimization, ch. 7) */
  MLPD_ADAMAX, /* m as adam's; u = max(beta2 u, |g| + epsilon); w -= lr m / (1 - beta1^t) / u (Kingma & Ba 2015,
                  section 7.1) */
  MLPD_NUM_OPTIMIZERS
} mlpd_optimizer;

/* Rates of step s (from 0) of a run: e = s / steps per epoch, t = s / steps of the whole run, both counted from the end
 * of the warm-up; lr is the rate after lr-scale. Sources and tests: src/network/schedule.h. */
typedef enum mlpd_schedule {
  MLPD_CONSTANT,
  MLPD_STEP,            /* lr * gamma^floor(e / step-epochs) */
  MLPD_COSINE,          /* from lr to lr-min along half a cosine over the whole run */
  MLPD_EXPONENTIAL,     /* lr * gamma^(e / step-epochs) */
  MLPD_POLYNOMIAL,      /* lr-min + (lr - lr-min) (1 - t)^power */
  MLPD_ONE_CYCLE,       /* lr / 25 to lr until t = rise, then to lr-min, both along half a cosine */
  MLPD_COSINE_RESTARTS, /* cosine again and again: over step-epochs, then each time restart-factor times as long */
  MLPD_FLAT_COSINE,     /* lr until t = flat, then to lr-min along half a cosine */
  MLPD_COSLOG4,         /* lr-min + (lr - lr-min) * 1/2 (1 - cos(2 pi log2(1 + 15 t))): four waves, each longer */
  MLPD_PLATEAU,         /* lr * gamma each time the loss has not fallen for lr-patience epochs; at least lr-min */
  MLPD_INVSCALING,      /* lr / (1 + samples)^power-t, samples: of all steps of whole epochs before s */
  MLPD_NUM_SCHEDULES
} mlpd_schedule;

/* The factor that multiplies dropout and weight decay in step s (from 0), where t = s / (steps of the run). */
typedef enum mlpd_regularization {
  MLPD_REGULARIZATION_CONSTANT,
  MLPD_REGULARIZATION_FLAT_COSINE /* 1 until t = 1/2, then falling to 0 along half a cosine (Holzmueller et al. 2024) */
} mlpd_regularization;

typedef enum mlpd_lr_scale { MLPD_LR_SCALE_NONE, MLPD_LR_SCALE_LINEAR, MLPD_LR_SCALE_SQRT } mlpd_lr_scale;

typedef enum mlpd_task { MLPD_TASK_AUTO, MLPD_CLASSIFICATION, MLPD_REGRESSION } mlpd_task;

typedef enum mlpd_normalize {
  MLPD_NORMALIZE_AUTO, /* scale for images, mixed for all else; which is which: src/program/README.md */
  MLPD_NORMALIZE_NONE,
  MLPD_NORMALIZE_SCALE,    /* (x - min) / (max - min), min and max over all of the training x */
  MLPD_NORMALIZE_STANDARD, /* (x - mean) / deviation, column by column; a constant column becomes 0 */
  MLPD_NORMALIZE_ROBUST,   /* (x - median) / (q75 - q25), column by column, or 2 (x - median) / (max - min) where the
                              quartiles are equal; a constant column becomes 0 (Holzmueller et al. 2024) */
  MLPD_NORMALIZE_QUANTILE, /* normal scores, column by column: x becomes the quantile z of the standard normal
                              distribution for the fraction of training rows below x, linear between 1000 quantiles of
                              x, |z| <= 5.2; a constant column becomes 0 */
  MLPD_NORMALIZE_MIXED     /* quantile, with 100 quantiles, for columns with a value more than 10 deviations from the
                              mean, standard for all others; standard where more than 256 columns are such */
} mlpd_normalize;

/* Named sets of options: see mlpd_train_options_settle(). */
typedef enum mlpd_preset {
  MLPD_PRESET_AUTO, /* tabular for tables, but with the epochs of epochs = 0; none for images, with init_from or
                       init_model, and where optimizer, lr or parametrization was chosen: a rate suits one optimizer
                       and one parametrization */
  MLPD_PRESET_NONE,
  MLPD_PRESET_TABULAR,   /* for tables: RealMLP-TD-S (Holzmueller, Grinsztajn and Steinwart 2024), but for the
                            limit of inputs */
  MLPD_PRESET_TABULAR_TD /* the same for classes; for values most of RealMLP-TD: more accurate, but takes longer */
} mlpd_preset;

typedef enum mlpd_reduce {
  MLPD_REDUCE_CANONICAL, /* fixed binary tree over lanes: the same bits on any number of ranks */
  MLPD_REDUCE_ALLREDUCE  /* MPI_Allreduce: rounding may depend on the number of ranks */
} mlpd_reduce;

typedef enum mlpd_update {
  MLPD_UPDATE_SPLIT, /* each rank updates a slice of the weights and the others copy it, if that is faster */
  MLPD_UPDATE_EACH   /* every rank updates all weights */
} mlpd_update;

typedef enum mlpd_overlap {
  MLPD_OVERLAP_LAYERS, /* a layer's gradient travels while those below it are computed */
  MLPD_OVERLAP_NONE    /* all gradients travel after the last is computed */
} mlpd_overlap;

typedef enum mlpd_parametrization {
  MLPD_PARAMETRIZATION_STANDARD,
  MLPD_PARAMETRIZATION_NTK /* rates as if z = x v / sqrt(inputs) + b, v and b from N(0, 1); biases learn at lr / 10; the
                              last layer starts at 0 (Jacot et al. 2018; Holzmueller et al. 2024) */
} mlpd_parametrization;

/* What numbers become before the first layer. */
typedef enum mlpd_embed_numbers {
  MLPD_EMBED_NUMBERS_NONE,
  MLPD_EMBED_NUMBERS_PERIODIC,  /* x and 3 sums of 16 cosines of x, all learned (PBLD, Holzmueller et al. 2024) */
  MLPD_EMBED_NUMBERS_PIECEWISE, /* x and embed_width functions of x, linear between embed_bins + 1 edges that depend on
                                   the training rows (PLE, Gorishniy et al. 2022) */
  MLPD_EMBED_NUMBERS_AUTO /* of mlpd_train() alone: none or piecewise, by the validation rows of a run with each */
} mlpd_embed_numbers;

/* Where the bins of numbers end. */
typedef enum mlpd_embed_edges {
  MLPD_EMBED_EDGES_QUANTILES,
  MLPD_EMBED_EDGES_TARGETS /* where a decision tree of each column on the targets splits (PLE-t, the same paper) */
} mlpd_embed_edges;

typedef enum mlpd_norm {
  MLPD_NORM_NONE,
  MLPD_NORM_LAYER, /* over each row (Ba et al. 2016) */
  MLPD_NORM_BATCH, /* over the rows of each lane, ghost batches (Hoffer et al. 2017); running means in evaluation */
  MLPD_NORM_RMS    /* over each row, without its mean (Zhang and Sennrich 2019) */
} mlpd_norm;

/* The validation figure by which the best epoch is chosen. Of epochs with equal figures the last is kept; with equal
 * losses, the first. */
typedef enum mlpd_select {
  MLPD_SELECT_LOSS,  /* the loss */
  MLPD_SELECT_ERROR, /* 1 - accuracy, or the rmse of values */
  MLPD_SELECT_AUC,   /* area under the ROC curve of two classes */
  MLPD_SELECT_F1,    /* mean F1 of the classes */
  MLPD_SELECT_RMSE   /* root of the mean square error of values */
} mlpd_select;

/* Where weight decay acts. */
typedef enum mlpd_decay {
  MLPD_DECAY_AUTO,     /* as the optimizer's paper: adamw and lion decoupled, lamb in its direction, others coupled */
  MLPD_DECAY_COUPLED,  /* decay w is added to the gradient (L2 regularisation) */
  MLPD_DECAY_DECOUPLED /* w -= lr decay w beside the step (Loshchilov & Hutter 2019) */
} mlpd_decay;

typedef enum mlpd_save { MLPD_SAVE_BEST, MLPD_SAVE_LAST } mlpd_save;

/* Formats of the metrics in the run folder. */
typedef enum mlpd_log {
  MLPD_LOG_CSV,        /* metrics.csv, which is always written */
  MLPD_LOG_JSON,       /* metrics.jsonl: an object a line, with the names of the columns of metrics.csv */
  MLPD_LOG_TENSORBOARD /* events.out.tfevents.mlpdist, an event file; its steps are steps of the optimizer */
} mlpd_log;

/* The choices of each enumeration, for option parsers and help. Static storage. */
MLPD_API extern const mlpd_choice mlpd_activation_choices[];
MLPD_API extern const mlpd_choice mlpd_loss_choices[];
MLPD_API extern const mlpd_choice mlpd_init_choices[];
MLPD_API extern const mlpd_choice mlpd_optimizer_choices[];
MLPD_API extern const mlpd_choice mlpd_decay_choices[];
MLPD_API extern const mlpd_choice mlpd_schedule_choices[];
MLPD_API extern const mlpd_choice mlpd_lr_scale_choices[];
MLPD_API extern const mlpd_choice mlpd_regularization_choices[];
MLPD_API extern const mlpd_choice mlpd_task_choices[];
MLPD_API extern const mlpd_choice mlpd_normalize_choices[];
MLPD_API extern const mlpd_choice mlpd_normalize_targets_choices[];
MLPD_API extern const mlpd_choice mlpd_preset_choices[];
MLPD_API extern const mlpd_choice mlpd_reduce_choices[];
MLPD_API extern const mlpd_choice mlpd_update_choices[];
MLPD_API extern const mlpd_choice mlpd_overlap_choices[];
MLPD_API extern const mlpd_choice mlpd_parametrization_choices[];
MLPD_API extern const mlpd_choice mlpd_norm_choices[];
MLPD_API extern const mlpd_choice mlpd_embed_numbers_choices[];
MLPD_API extern const mlpd_choice mlpd_embed_edges_choices[];
MLPD_API extern const mlpd_choice mlpd_save_choices[];
MLPD_API extern const mlpd_choice mlpd_select_choices[];
MLPD_API extern const mlpd_choice mlpd_log_choices[];

/* The name of value in choices, or "?" if there is none. */
MLPD_API const char *mlpd_choice_name(const mlpd_choice *choices, int value);

/* Finds name in choices and stores its value; false if there is no such name. */
MLPD_API bool mlpd_choice_find(const mlpd_choice *choices, const char *name, int *value);

/* ---- Options by name ------------------------------------------------------------------------------ */

typedef enum mlpd_option_type {
  MLPD_OPTION_TEXT,    /* const char * */
  MLPD_OPTION_PATH,    /* const char *; NULL: not given */
  MLPD_OPTION_WIDTHS,  /* const char *: whole numbers from 1 separated by commas, or "" */
  MLPD_OPTION_LIST,    /* const char *: numbers, or of the choices, separated by commas */
  MLPD_OPTION_INTEGER, /* int32_t, uint32_t or uint64_t, from 0 */
  MLPD_OPTION_REAL,    /* double */
  MLPD_OPTION_CHOICE,  /* int or an enumeration */
  MLPD_OPTION_FLAG     /* bool */
} mlpd_option_type;

/* What an option decides, and so what its value is compared with. */
typedef enum mlpd_option_effect {
  MLPD_DECIDES_LOCAL,  /* this process alone: may differ between ranks */
  MLPD_DECIDES_COURSE, /* the course of the run: equal on all ranks, may change when a run resumes */
  MLPD_DECIDES_WEIGHTS /* the weights: equal on all ranks and equal to the checkpoint's when a run resumes */
} mlpd_option_effect;

/* What a model that a run starts from (--init-from) says of an option that is not given. */
typedef enum mlpd_option_from_model {
  MLPD_FROM_MODEL_NOTHING,
  MLPD_FROM_MODEL_VALUE,
  MLPD_FROM_MODEL_LAYERS /* its value, which decides the layers or their shapes */
} mlpd_option_from_model;

/* A row of an option table: one member of a struct, by name. Tables end with name == NULL. */
typedef struct mlpd_option {
  const char *name;    /* "lr": --lr on the command line, lr in a config file */
  const char *group;   /* section of a config file, heading in --help */
  const char *metavar; /* name of the value in --help; NULL: a flag */
  mlpd_option_type type;
  size_t offset, size;        /* of the member, bytes */
  const char *help;           /* a phrase without a final point */
  double minimum, maximum;    /* of a number, both included */
  const mlpd_choice *choices; /* of MLPD_OPTION_CHOICE */
  bool automatic;             /* the text "auto" stands for NULL (text), 0 (integer) or -1 (choice, real) */
  const char *default_text;   /* as for mlpd_option_set(); NULL: NULL, 0 or no */
  const char *note;           /* shown in --help in place of the default */
  bool command_line_only;     /* not a key of config files */
  mlpd_option_effect decides;
  const char *needs; /* "optimizer=adam,adamw": it has no effect otherwise; "optimizer!=lbfgs": any but these; "trace":
                        any value but 0; "A|B": A or B; NULL: nothing */
  const char *weights_with; /* "schedule=cosine": if this holds, the option decides the weights; "A|B": if A or B holds;
                               NULL: see decides */
  mlpd_option_from_model from_model;
} mlpd_option;

/* Sets one option from text. where ("--lr", "run.ini:3: lr") begins the message of a failure, MLPD_ERROR_USAGE,
 * which leaves values unchanged. values is the struct of the table. For an option of text it keeps the pointer,
 * without a copy. */
MLPD_API mlpd_status mlpd_option_set(const mlpd_option *row, const char *where, const char *text, void *values);

/* The value as text that mlpd_option_set() takes: buffer, static storage or the string itself; NULL: none (a path not
 * given). bytes of 64 suffice. */
MLPD_API const char *mlpd_option_format(const mlpd_option *row, const void *values, char *buffer, size_t bytes);

/* MLPD_OK if mlpd_option_set() could have stored this value, else MLPD_ERROR_USAGE with its message. */
MLPD_API mlpd_status mlpd_option_check(const mlpd_option *row, const char *where, const void *values);

/* The row of this name in a table; NULL: none. */
MLPD_API const mlpd_option *mlpd_option_find(const mlpd_option *table, const char *name);

/* What must be given for the option to have an effect ("--optimizer adam or adamw"), in buffer; NULL: nothing more.
 * values NULL: whatever the values are. */
MLPD_API const char *mlpd_option_lacks(const mlpd_option *table, const mlpd_option *row, const void *values,
                                       char *buffer, size_t bytes);

/* Keeps in *best (NULL at first) the candidate most similar to word, if it is similar enough to be a typing error.
 * For "did you mean". */
MLPD_API void mlpd_name_offer(const char *word, const char *candidate, const char **best);

/* ---- Processes ---------------------------------------------------------------------------------- */

/* A group of MPI ranks, with a communicator of its own. A program may have several at once. Only one thread at a time
 * may call collective functions of one. Two threads may train at once, each with its own, if the program started MPI
 * with MPI_THREAD_MULTIPLE: the bits are those of one training after the other. */
typedef struct mlpd_comm mlpd_comm;

/* Initialises MPI if the program has not (thread level FUNNELED) and makes the communicator of all ranks. Works
 * without mpirun as a single rank. argc and argv may be NULL. Collective. */
MLPD_API mlpd_status mlpd_comm_init(int *argc, char ***argv, mlpd_comm **comm);

/* The ranks of a communicator of the program, which is duplicated and may be freed afterwards. fortran_handle: in
 * Fortran the communicator (MPI_VAL of a MPI_Comm), in C MPI_Comm_c2f(communicator). Never initialises or finalises
 * MPI; the program frees comm before it calls MPI_Finalize. MLPD_ERROR_USAGE if MPI is not running, for MPI_COMM_NULL
 * and for intercommunicators. Collective. */
MLPD_API mlpd_status mlpd_comm_from(int fortran_handle, mlpd_comm **comm);

/* This process alone. No function called with it calls MPI, which need not be running. Not collective. */
MLPD_API mlpd_status mlpd_comm_alone(mlpd_comm **comm);

/* Frees comm and, if mlpd_comm_init initialised MPI, finalises it. NULL is allowed. Collective. */
MLPD_API void mlpd_comm_finalize(mlpd_comm *comm);

MLPD_API int mlpd_comm_rank(const mlpd_comm *comm);
MLPD_API int mlpd_comm_size(const mlpd_comm *comm);

/* Every rank passes the status of its own work since the last agreement. If all are MLPD_OK, returns MLPD_OK; else
 * every rank returns the status and message of the lowest failing rank, prefixed by "rank R of P on HOST: " if there
 * is more than one rank. This is how ranks fail together. Collective. */
MLPD_API mlpd_status mlpd_comm_agree(mlpd_comm *comm, mlpd_status local_status);

/* Watches all waits from now on. If this rank waits longer than timeout seconds (0: never) for others, the lowest
 * waiting rank calls stalled with one line that names the ranks being waited for. A wait longer than limit seconds
 * (0: never) fails with MLPD_ERROR_MPI. Nothing is watched before the first call, nor within MPI_Init and
 * MPI_Finalize. While mlpd_train() runs, its own options apply. stalled is called from within collective functions
 * and must not call one; NULL is allowed. Logically collective (timeout and limit equal on all ranks). */
typedef void mlpd_stalled(void *context, const char *message);
MLPD_API void mlpd_comm_watch(mlpd_comm *comm, double timeout, double limit, mlpd_stalled *stalled, void *context);

/* Ends all ranks at once, without finalising: the last resort. Does not return. */
MLPD_API void mlpd_comm_abort(mlpd_comm *comm, int exit_code);

/* ---- Threads and back ends ---------------------------------------------------------------------- */

/* Sets the number of OpenMP threads of this process and flush-to-zero / denormals-are-zero on each of them. threads
 * == 0: OMP_NUM_THREADS if set, else the cores this process is bound to. Stores the number taken. MLPD_ERROR_MEMORY if
 * so many cannot start. */
MLPD_API mlpd_status mlpd_threads_set(int threads, int *taken);

/* Names of the matrix-multiplication back ends built in, fastest first, NULL at the end; "plain" is
 * always the last. */
MLPD_API const char *const *mlpd_backend_names(void);

/* One line on how the library was built: version, back ends, MPI, HDF5. */
MLPD_API const char *mlpd_build_description(void);

/* ---- Network ------------------------------------------------------------------------------------ */

/* A multilayer perceptron: shapes, activations and one arena of parameters. */
typedef struct mlpd_network mlpd_network;

/* A view of one layer's arrays inside a network; all pointers belong to the network (or to the trace
 * that filled them) and may be NULL where a function says so. */
typedef struct mlpd_layer_view {
  const char *kind; /* "dense": z = a_prev w + b; of other kinds weight and bias are NULL. Static storage */
  uint32_t inputs, outputs;
  mlpd_activation activation;
  uint32_t weight_stride; /* floats from a row of weight to the next, >= outputs */
  float *weight;          /* (inputs, outputs) */
  float *bias;            /* (outputs), or NULL: none */
} mlpd_layer_view;

/* A view of one tensor of a layer of any kind. */
typedef struct mlpd_tensor_view {
  const char *name; /* "weight"; NULL: there is no such tensor. Static storage */
  uint32_t rows, columns;
  uint32_t stride; /* floats from a row to the next, >= columns */
  float *values;   /* (rows, columns) */
} mlpd_tensor_view;

/* Makes a network of num_layers layers with all parameters zero. widths (num_layers + 1): input width,
 * then the outputs of each layer, all >= 1. activations (num_layers). Softmax only in the last layer.
 * The caller frees it. */
MLPD_API mlpd_status mlpd_network_create(uint32_t num_layers, const uint32_t *widths,
                                         const mlpd_activation *activations, mlpd_network **network);
MLPD_API void mlpd_network_free(mlpd_network *network); /* NULL is allowed. */

MLPD_API uint32_t mlpd_network_num_layers(const mlpd_network *network);
MLPD_API uint64_t mlpd_network_num_parameters(const mlpd_network *network);         /* what gradients change */
MLPD_API mlpd_layer_view mlpd_network_layer(mlpd_network *network, uint32_t layer); /* layer from 0. */
MLPD_API mlpd_tensor_view mlpd_network_tensor(mlpd_network *network, uint32_t layer, uint32_t index); /* both from 0 */

/* Draws the weights by init from the counter-based generator keyed by seed (biases become 0): the same
 * seed and shape give the same weights everywhere. */
MLPD_API void mlpd_network_init(mlpd_network *network, mlpd_init init, uint64_t seed);

/* 16 lower-case hexadecimal digits: XXH3-64 over shapes, activations and parameters. */
MLPD_API void mlpd_network_digest(const mlpd_network *network, char digest[17]);

/* The values of one pass, for layer l from 0: activation a[l] (n, outputs), weighted input z[l] (n, outputs), error
 * delta[l] = dC/dz (n, outputs), and the gradients, summed over the n samples. Above the fan-out of an ensemble each
 * sample has a row for each member. With members that share nothing, delta and gradients are those of each member's
 * own loss, and `loss` is the mean of these losses. Owned by the trace. */
typedef struct mlpd_trace {
  uint32_t num_layers;
  uint64_t n;
  double loss; /* summed over the samples */
  const float **z, **a, **delta;
  const float **weight_gradient, **bias_gradient; /* [l] NULL: layer l has none */
  void *owner;
} mlpd_trace;

/* One forward pass and back propagation over n samples by the code that trains: x (n, inputs),
 * y (n, outputs) targets (one-hot rows for cross-entropy; gaussian: (n, outputs / 2)). The caller frees the trace. */
MLPD_API mlpd_status mlpd_network_trace(mlpd_network *network, mlpd_loss loss, uint64_t n, const float *x,
                                        const float *y, mlpd_trace *trace);
MLPD_API void mlpd_trace_free(mlpd_trace *trace); /* NULL is allowed. */

/* The gradient of a tensor of mlpd_network_tensor(), summed over the samples of the trace; of running means the sum
 * that they follow. Owned by the trace; name NULL: there is no such tensor. */
MLPD_API mlpd_tensor_view mlpd_trace_gradient(const mlpd_trace *trace, const mlpd_network *network, uint32_t layer,
                                              uint32_t index);

/* One plain gradient-descent step: w -= lr * gradient of the trace (a sum, not a mean). */
MLPD_API void mlpd_network_descend(mlpd_network *network, const mlpd_trace *trace, float lr);

/* ---- Data --------------------------------------------------------------------------------------- */

typedef enum mlpd_type {
  MLPD_INT8,
  MLPD_UINT8,
  MLPD_INT16,
  MLPD_UINT16,
  MLPD_INT32,
  MLPD_UINT32,
  MLPD_INT64,
  MLPD_UINT64,
  MLPD_FLOAT32,
  MLPD_FLOAT64
} mlpd_type;

/* The caller's array of rows, read where it lies: value j of row i is element i * row_step + j * column_step of data.
 * Steps are in elements and may be negative. C order with leading dimension ld: row_step ld, column_step 1. Column by
 * column: row_step 1, column_step ld. Fortran's x(features, samples) is C order. Both steps 0: C order without gaps. */
typedef struct mlpd_rows {
  const void *data;
  mlpd_type type;
  uint64_t rows;
  uint32_t columns;
  ptrdiff_t row_step, column_step;
} mlpd_rows;

/* The same to write to: MLPD_FLOAT32 or MLPD_FLOAT64. No two elements may share a place. */
typedef struct mlpd_output {
  void *data;
  mlpd_type type;
  uint64_t rows;
  uint32_t columns;
  ptrdiff_t row_step, column_step;
} mlpd_output;

/* A data set in the memory of the program: each rank gives rows of its own, in whatever layout; the data set is all of
 * them in rank order, and gives the same bits as a file of these rows. Types, columns and what is not given (all zero)
 * are equal on all ranks; a rank may have no rows. Arrays are borrowed for the call. Meanwhile each rank keeps a copy
 * of the rows of all ranks; a single rank whose x is contiguous in C order copies only the rows that it trains on. */
typedef struct mlpd_data_rows {
  mlpd_rows x, y, weight; /* training part: (N, d); (N, 1) classes or (N, k) values; (N, 1) or not given */
  mlpd_rows valid_x, valid_y, test_x, test_y;
  const char *const *column_names, *const *target_names; /* (d), (k), equal on all ranks; NULL: none */
  const char *const *class_names;                        /* (num_class_names) or NULL, likewise */
  uint32_t num_class_names;
} mlpd_data_rows;

/* How a raw table (CSV, NPY, NPZ, IDX) is read where a data set is expected: the members are those of
 * mlpd_convert_options, as text. Zero is the default, except for the members of train alone. */
typedef struct mlpd_table_options {
  const char *label, *ignore, *columns, *categorical;
  const char *header;                /* NULL or "auto", "yes", "no" */
  const char *delimiter, *thousands; /* a character, or its name: "comma", "tab"; NULL: found; none */
  const char *decimal, *strip, *missing, *class_names;
  const char *encoding; /* a name that iconv knows; NULL or "auto": found */
  const char *dates;    /* NULL or "auto", "dmy", "mdy": as in mlpd_convert_options */
  bool drop_missing;
  uint32_t skip_lines;
  const char *keep;     /* columns that pass into the predictions as they are, as in ignore; mlpd_predict() alone */
  double test_fraction; /* of the rows, drawn for the test; train alone */
  uint64_t split_seed;  /* of the rows drawn; train alone */
} mlpd_table_options;

/* Where the arrays of a data set lie. NULL members take the schema's paths: /PART/x, /PART/y and, where
 * present, /PART/weight. Strings are borrowed and must outlive the struct's use. */
typedef struct mlpd_data_paths {
  const char *file;              /* an HDF5 data set; or raw tables: files separated by commas, or a folder of them */
  const char *x, *y, *weight;    /* training part */
  const char *valid_x, *valid_y; /* validation part */
  const char *test_x, *test_y;   /* test part */
  mlpd_table_options table;      /* of raw tables */
  const mlpd_data_rows *rows;    /* in place of all the above; NULL: there is a file */
} mlpd_data_paths;

/* Are these raw tables, to be converted, rather than a data set? Decided by names and first bytes. */
MLPD_API bool mlpd_data_is_raw(const mlpd_data_paths *paths);

/* The parts of a data set. */
typedef enum mlpd_split { MLPD_TRAIN, MLPD_VALID, MLPD_TEST } mlpd_split;
MLPD_API extern const mlpd_choice mlpd_split_choices[];

/* ---- Model -------------------------------------------------------------------------------------- */

/* A network with all it needs to take raw data: input normalisation, target scaling, class names, and
 * the options it was trained with. */
typedef struct mlpd_model mlpd_model;

/* Reads a model from an HDF5 file that mlpd_train wrote, with or without MPI running. The caller frees it. In use a
 * model is not changed: several threads may share it. */
MLPD_API mlpd_status mlpd_model_load(const char *path, mlpd_model **model);

/* Writes path whole or not at all: on failure a former file stays. Not collective: one rank's model is all ranks'. */
MLPD_API mlpd_status mlpd_model_save(const mlpd_model *model, const char *path);
MLPD_API void mlpd_model_free(mlpd_model *model);             /* NULL is allowed. */
MLPD_API mlpd_network *mlpd_model_network(mlpd_model *model); /* owned by the model. */
MLPD_API mlpd_task mlpd_model_task(const mlpd_model *model);
MLPD_API uint32_t mlpd_model_features(const mlpd_model *model); /* values a row of x. */
/* Classes (1: two classes by sigmoid); or targets, times the outputs of each: quantiles, 2 with loss gaussian. */
MLPD_API uint32_t mlpd_model_outputs(const mlpd_model *model);
/* The value that an option of its training had, such as "data"; false if it is not known or does not fit. */
MLPD_API bool mlpd_model_option(const mlpd_model *model, const char *name, char *value, size_t bytes);
/* Was the model trained on this converted table (converted.h5 of a run folder) or data set, or a copy of it? For a
 * model of an older version, which does not know its table: is this a table that a run has converted? Not collective.
 */
MLPD_API bool mlpd_model_trained_on(const mlpd_model *model, const char *data);
MLPD_API const char *mlpd_model_class_name(const mlpd_model *model, uint32_t k);  /* decimal k where unnamed. */
MLPD_API const char *mlpd_model_column_name(const mlpd_model *model, uint32_t j); /* likewise, of x. */
MLPD_API const char *mlpd_model_target_name(const mlpd_model *model, uint32_t k); /* likewise, of a regression. */
/* The name of output k as `mlpdist predict` writes it, cut to bytes: "price", "price_q0.9", "price_deviation", or
 * "value_0" where it is unnamed; of a classification the name of the class. */
MLPD_API void mlpd_model_output_name(const mlpd_model *model, uint32_t k, char *text, size_t bytes);

/* Writes the model to out in another format, by its extension: .onnx (other runtimes), .json, .npz (NumPy) or .c (C99,
 * for programs without this library), with everything that a prediction needs. Beside net.c it writes the header net.h.
 * A former file is replaced only after success, and a header only if an export wrote it: else MLPD_ERROR_FILE. */
MLPD_API mlpd_status mlpd_export(const mlpd_model *model, const char *out);

/* What the file of an import does not tell. */
typedef struct mlpd_import_options {
  mlpd_task task; /* MLPD_TASK_AUTO: as the file says, else classes if its outputs are a softmax or one sigmoid. Classes
                     of a network that ends without an activation: it gives logits */
  const char *activation; /* of the hidden layers, or of each, "relu,tanh": of a state dict alone, which does not
                             tell; NULL */
  int output_activation;  /* an mlpd_activation, likewise; -1: identity, or by task */
  const char *layers;     /* of a state dict, in order, "fc1,fc2,out"; NULL: as the file has them */
} mlpd_import_options;

MLPD_API void mlpd_import_options_default(mlpd_import_options *options);

/* Makes a model of a network of dense layers and norms in path, by its extension: .onnx; .keras, .h5 or .hdf5, a model
 * that Keras saved; .npz or .safetensors, the arrays of a PyTorch state dict, NAME.weight (outputs, inputs), NAME.bias,
 * ..., or of Flax, NAME.kernel (inputs, outputs). Weights in an .npz must come in the order of the layers; of kernels
 * and in .safetensors, which keep no order, names and widths tell it. Arithmetic on its input becomes the
 * normalisation, that on its output the scaling of the targets, batch norms part of the weights; labels beside
 * probabilities, as skl2onnx writes them, give the names of the classes. What mlpd_export() wrote to .onnx or .json
 * gives back the whole model, with the same weights unless the export folded batch norms or scales into them: a
 * description in the file's metadata (key mlpdist) is taken if the model that it makes exports exactly the graph in the
 * file; else the graph is read as that of others. The caller frees the model. MLPD_ERROR_DATA for what is no chain of
 * dense layers, norms and activations; the message names the operator. */
MLPD_API mlpd_status mlpd_import(const char *path, const mlpd_import_options *options, mlpd_model **model);

/* The same, into the model file out. MLPD_ERROR_USAGE if out is the file path under another name, or exists and is not
 * a model that an import made: it is not replaced. */
MLPD_API mlpd_status mlpd_import_file(const char *path, const mlpd_import_options *options, const char *out);

/* From now on, mlpd_evaluate() and mlpd_predict() call notice with one line for each thing that the user should know
 * about how data and model fit, such as columns in another order. On rank 0 only, from the calling thread; NULL: no
 * more. */
MLPD_API void mlpd_model_on_notice(mlpd_model *model, void (*notice)(void *context, const char *message),
                                   void *context);

/* ---- Predicting in memory ----------------------------------------------------------------------- */

/* A model's working memory for one calling thread: any number of predictors may work on one model at once, each in the
 * thread that calls it. No MPI, no lock, no file, and no memory allocated after mlpd_predictor_create() (but by
 * derivatives of layers wider than 1024, while they are computed). The mode of floating point of the caller (rounding,
 * denormals, traps) is set aside meanwhile. Arrays of one call may not overlap. */
typedef struct mlpd_predictor mlpd_predictor;

/* The model must outlive the predictor. threads: OpenMP threads that share the rows of a call, which the first call of
 * each calling thread starts (MLPD_ERROR_MEMORY there, if the system refuses so many); 1: the calling thread alone,
 * without OpenMP. The caller frees it. */
MLPD_API mlpd_status mlpd_predictor_create(const mlpd_model *model, int threads, mlpd_predictor **predictor);
MLPD_API void mlpd_predictor_free(mlpd_predictor *predictor); /* NULL is allowed. */

/* Predicts the rows of x (n, features), which are raw, as in a data set. values (n, outputs), or NULL, gets what
 * `mlpdist predict` writes: for a regression the targets (or their quantiles, or mean and deviation) in their units;
 * for a classification the probability of each class (with one output, that of class 1). classes (n), or NULL, gets the
 * most probable class, from 0. The bits are those of predictions from a file of these rows; with the native and plain
 * back ends (see mlpd_backend_names()), the prediction of a row does not depend on other rows.
 *
 * MLPD_ERROR_USAGE if shapes do not fit the model, or if classes of a regression are requested; nothing is written.
 * MLPD_ERROR_DATA if inputs or outputs of a row are not finite numbers: the message names the first such row, and all
 * other rows are predicted. */
MLPD_API mlpd_status mlpd_predictor_run(mlpd_predictor *predictor, const mlpd_rows *x, const mlpd_output *values,
                                        int32_t *classes);

/* spread (n, outputs) gets the standard deviation of each value over the members of an ensemble (`mlpdist train
 * --ensemble`, --members), as `mlpdist predict --spread` writes it. MLPD_ERROR_USAGE for a single network; other errors
 * as for mlpd_predictor_run(). */
MLPD_API mlpd_status mlpd_predictor_spread(mlpd_predictor *predictor, const mlpd_rows *x, const mlpd_output *spread);

/* The derivative of values with respect to x, through normalisation and target scaling: column k * features + j of
 * jacobian (n, outputs * features) is d values[k] / d x[j] of the row. At a kink of relu and the like it is that of one
 * side. Computed in float32. Errors as for mlpd_predictor_run(). */
MLPD_API mlpd_status mlpd_predictor_jacobian(mlpd_predictor *predictor, const mlpd_rows *x,
                                             const mlpd_output *jacobian);

/* The vector-Jacobian product, for adjoints: gradient (n, features), gradient[j] = sum over k of u[k] times
 * d values[k] / d x[j], u (n, outputs). The cost is that of one backward pass, whatever the number of outputs.
 * MLPD_ERROR_DATA also where u is not finite, or a gradient is too large for floats. */
MLPD_API mlpd_status mlpd_predictor_vjp(mlpd_predictor *predictor, const mlpd_rows *x, const mlpd_rows *u,
                                        const mlpd_output *gradient);

/* ---- Training ----------------------------------------------------------------------------------- */

enum { MLPD_MOST_OPTIONS = 256 }; /* rows of mlpd_train_option_table */

/* Options of a training run; mlpd_train_options_default() fills it. Strings are borrowed; one that is NULL has its
 * default, but for hidden, which must be given, and where a comment says otherwise. */
typedef struct mlpd_train_options {
  mlpd_data_paths data;
  double valid_fraction; /* of the training rows, for validation if the file has no valid part; of all rows of
                            a raw table; -1: 0.1, or 0 if there are fewer than 10 */
  mlpd_task task;
  uint32_t classes;                 /* 0: from the data */
  mlpd_normalize normalize;         /* of the inputs */
  double clip_inputs;               /* L: a number x, once normalised, becomes x / sqrt(1 + (x / L)^2); 0: x */
  mlpd_normalize normalize_targets; /* of values, where the output layer is linear: standard, or none */
  bool clamp_predictions;           /* of values: they stay in the range of the training targets */

  const char *hidden;           /* widths of the hidden layers, "512,256"; "" for none */
  const char *activation;       /* of the hidden layers, "relu", or of each, "relu,tanh" */
  double parametric_activation; /* learning rate, relative to lr, of alpha: a = z + alpha (A(z) - z) in hidden layers;
                                   0: a = A(z) */
  mlpd_norm norm;               /* of the hidden layers, before the activation */
  const char *dropout;          /* probability of each hidden layer's outputs, "0.5,0.2", or one for all */
  double input_dropout;         /* probability of each input */
  double input_noise;           /* standard deviation of the noise on each input, once normalised */
  double input_scale;           /* learning rate of a factor of each input, relative to lr; 0: there are no factors */
  double input_scale_decay;     /* weight decay of these factors, relative to weight_decay; 0: none */
  uint32_t ensemble;            /* members that share all layers but the last; 1: a single network */
  uint32_t members;             /* members that share nothing, as many networks in one; 1: a single network */
  uint32_t folds;               /* as many members, each of which leaves out another part of the rows; 1: none */
  uint64_t embed_above;         /* columns of more categories than this are embedded, others one-hot */
  uint32_t embed_width;         /* learned values of an embedded category, or of a number in bins */
  mlpd_embed_numbers embed_numbers;
  uint32_t embed_bins; /* bins of each number (piecewise), at most */
  mlpd_embed_edges embed_edges;
  mlpd_parametrization parametrization;
  int output_activation; /* an mlpd_activation, or -1: by task and loss */
  mlpd_init init;
  const char *init_from;        /* a model file whose weights and normalisation the run starts from (mlpdist train
                                   --help); NULL: weights are drawn by init */
  const mlpd_model *init_model; /* in place of init_from: the same model in memory, equal on all ranks; borrowed */
  mlpd_loss loss;
  double label_smoothing;   /* of cross-entropies: a target y counts as (1 - E) y + E / classes (binary: E / 2) */
  double focal_gamma;       /* of cross-entropies: (1 - p)^gamma of each (Lin et al. 2017); 0: none */
  const char *quantiles;    /* of loss quantile: "0.1,0.5,0.9", rising, between 0 and 1 */
  const char *class_weight; /* "none", "balanced", or weights: "1,2,0.5" in class order, "cat=2,dog=1" by name */

  mlpd_optimizer optimizer;
  double lr, weight_decay;                           /* -1: by optimizer, see mlpd_train_options_settle() */
  double momentum, beta1, beta2, epsilon, clip_norm; /* clip_norm 0: none */
  double clip_value;                                 /* most of an element of the gradient, after clip_norm; 0: none */
  double trust_coefficient;                          /* of lars */
  uint32_t lbfgs_history;                            /* steps that lbfgs remembers */
  mlpd_decay decay;
  double ema;         /* decay of the exponential moving average of the weights; 0: none */
  uint64_t swa_start; /* epoch from which on the ends of epochs are averaged; 0: none */
  mlpd_schedule schedule;
  double lr_min, lr_gamma, lr_step_epochs, lr_power, power_t, lr_rise, lr_flat, warmup_epochs;
  uint64_t lr_restart_factor; /* length of a cycle over that of the one before */
  uint64_t lr_patience;       /* of plateau: epochs without a lower loss */
  mlpd_lr_scale lr_scale;     /* lr times batch / base_batch, or its square root */
  uint64_t base_batch;
  mlpd_regularization regularization_schedule; /* of dropout, input_dropout and weight_decay */

  mlpd_preset preset; /* its values replace those of options that were not chosen: set by name, or other than the
                         default; see mlpd_train_options_settle() */
  uint64_t chosen[MLPD_MOST_OPTIONS / 64]; /* bit i: row i of the table was set by name */
  uint64_t batch;
  uint64_t epochs; /* 0: as many as 8000 steps take, from 10 to 256 */
  uint64_t seed;
  uint32_t lanes;     /* 0: the largest power of two up to batch / 64 */
  bool stream;        /* training rows are read as they are needed, not held */
  uint64_t window;    /* of stream: rows of a lane shuffled together; 0: from the data */
  uint64_t memory;    /* of stream: bytes a rank may use in all; 0: its share of a quarter of the available memory */
  uint64_t patience;  /* epochs without a better validation figure (select) before stopping; 0: never */
  double min_delta;   /* least improvement of that figure that counts */
  mlpd_select select; /* validation figure that decides which epoch is best, for patience and save */
  mlpd_save save;     /* which weights model.h5 holds */
  mlpd_reduce reduce;
  mlpd_update update;
  mlpd_overlap overlap;
  const char *backend;          /* NULL: the fastest built in */
  int threads;                  /* 0: see mlpd_threads_set() */
  const char *resume;           /* NULL or "never"; "auto": the newest whole checkpoint of out, if any; or a file */
  const char *checkpoint_every; /* "1000" steps, "10min", "2epochs"; NULL or "never" */
  uint64_t keep;                /* checkpoints that stay */
  uint64_t check_every;    /* steps between comparisons of the ranks' weights and optimizer state; 0: ends of epochs */
  double stall_timeout;    /* seconds until the ranks being waited for are reported; 0: never */
  double stall_abort;      /* seconds of waiting for other ranks until the run ends; 0: never */
  const char *trace;       /* file that gets a timeline of the run (mlpdist train --trace); NULL: none. Rank 0 uses
                              the path, the others only whether there is one */
  uint64_t trace_steps;    /* number of steps, from the first, whose phases the trace holds */
  const char *out;         /* run folder, made if absent; NULL: the run writes no file and no checkpoint */
  const char *log;         /* mlpd_log_choices, separated by commas */
  const char *config_text; /* text of config.ini, also stored in the model; NULL: mlpd_train_options_text() */
} mlpd_train_options;

/* Every member above but init_model, chosen and config_text, in groups data, table, network, optimizer, schedule and
 * run. Static storage. */
MLPD_API extern const mlpd_option mlpd_train_option_table[];

/* Sets a member by the name and text of the command line: mlpd_train_options_set(&options, "lr", "0.1"). text is
 * borrowed. MLPD_ERROR_USAGE for an unknown name or a value that is not allowed; options is unchanged then. */
MLPD_API mlpd_status mlpd_train_options_set(mlpd_train_options *options, const char *name, const char *text);

/* Sets the options that follow from others: first those that were not chosen and have a value in the preset, then lr
 * and weight_decay by the optimizer. Some values of a preset depend on the task, and MLPD_PRESET_AUTO depends on the
 * data: these options are set once task and data are known. mlpd_train() and mlpd_train_options_text() call this. */
MLPD_API void mlpd_train_options_settle(mlpd_train_options *options);

/* Treats the options that have a value in the preset as never set. So a preset on the command line overrides the
 * options of a config file. */
MLPD_API void mlpd_train_options_forget(mlpd_train_options *options);

/* *text gets options, settled, as a config file, which the program reads back as the same values. The caller frees it
 * by mlpd_text_free(). NULL on failure. */
MLPD_API mlpd_status mlpd_train_options_text(const mlpd_train_options *options, char **text);

/* MLPD_ERROR_USAGE for the first member whose value the command line would refuse, with the same message. mlpd_train()
 * calls this. */
MLPD_API mlpd_status mlpd_train_options_check(const mlpd_train_options *options);

/* MLPD_ERROR_USAGE for everything that mlpd_train() refuses before it opens a file, with the same message: values that
 * mlpd_train_options_check() refuses, and options that exclude each other. */
MLPD_API mlpd_status mlpd_train_check(const mlpd_train_options *options);

/* What mlpd_request() asks for. All ranks of a run do it together, after the current step. */
typedef enum mlpd_request_kind {
  MLPD_REQUEST_STOP = 1,      /* write a checkpoint and return MLPD_INTERRUPTED */
  MLPD_REQUEST_CHECKPOINT = 2 /* write a checkpoint and go on */
} mlpd_request_kind;

/* On any rank, from any thread, also from a signal handler. In a callback of a run (mlpd_train_events) it asks this run
 * alone; elsewhere it asks all runs of the process. A signal handler that interrupts a callback asks that callback's
 * run alone. Requests made before mlpd_train() begins are dropped. */
MLPD_API void mlpd_request(mlpd_request_kind kind);

/* Fills options with the defaults. */
MLPD_API void mlpd_train_options_default(mlpd_train_options *options);

/* Figures of one finished epoch; equal on all ranks, times (seconds) of the slowest rank. */
typedef struct mlpd_epoch {
  uint64_t epoch, epochs; /* epoch from 1 */
  uint64_t step;          /* steps done since the start of the run */
  double lr;              /* of the last step; lbfgs: the length of the step, in lengths of its direction */
  double train_loss;   /* mean over the epoch's samples, each at the weights of its step; lbfgs: at the new weights */
  double train_metric; /* accuracy, or RMSE in the target's units (of several targets: standardised); likewise */
  bool has_valid;
  double valid_loss, valid_metric;
  bool best; /* so far, by mlpd_train_options.select */
  double seconds, samples_per_second;
  double compute_seconds, reduce_seconds, data_seconds; /* data: gathering rows into microbatches */
  /* The same of the fastest rank, and means over the ranks: the differences are waits for slower ranks. */
  double compute_least, reduce_least, data_least, compute_mean, reduce_mean, data_mean;
} mlpd_epoch;

/* How embed_numbers auto chooses between two runs: the first without bins, the second with numbers in bins. */
typedef struct mlpd_bins_choice {
  uint32_t run;       /* in started(): the run that begins; at the end: the one whose model this is; 0: there
                         is no choice */
  const char *folder; /* of that run, in out, with its checkpoints, also where only the run without bins was needed;
                         NULL: embed_numbers is not auto */
  double plain_error, bins_error; /* at the end: of the validation rows, 1 - accuracy or valid_metric; NaN: that run
                                     diverged, or was not finished */
  double deviation;               /* standard error of their difference */
} mlpd_bins_choice;

/* Figures of a finished run; of embed_numbers auto, those of the run that was taken. */
typedef struct mlpd_train_result {
  char digest[17];                    /* of the weights in model.h5 */
  uint64_t epochs, steps, best_epoch; /* epochs: in started(), how many the run may have; best_epoch 0: no validation
                                         part */
  bool stopped_early;
  bool converged;              /* lbfgs found no lower loss, and the run ended before its last epoch */
  uint64_t resumed_step;       /* step of the checkpoint the run went on from; 0: from the beginning */
  uint64_t checkpoints;        /* written; on rank 0 */
  uint64_t checkpoints_failed; /* could not be written; a notice reported the first */
  bool metrics_failed;         /* metrics.csv lacks rows; a notice reported it */
  bool trace_failed;           /* it could not be written; a notice reported it */
  bool has_valid;              /* of the weights in model.h5, as the test figures */
  double valid_loss, valid_metric;
  bool has_test;
  double test_loss, test_metric;
  mlpd_task task;
  mlpd_preset preset; /* what MLPD_PRESET_AUTO became; else as it was given */
  const char *hidden,
      *activation; /* in started(): options of the network, which may be those of init_from's; borrowed */
  mlpd_bins_choice choice;
  uint64_t train_rows, valid_rows, test_rows;
  uint64_t batch;                                     /* rows of a step, over all ranks: at most the training rows */
  uint32_t features, inputs, targets, outputs, lanes; /* inputs, outputs: of the network, which features and targets
                                                         (columns of y, or classes) become */
  uint32_t ensemble;                                  /* members; 1: a single network */
  uint32_t members;                                   /* those that share nothing; 1: a single network */
  mlpd_embed_numbers embed_numbers;                   /* what numbers become, if the data has any */
  int ranks, threads;
  const char *backend;                /* static storage */
  char step[256];                     /* how threads and ranks share a step, in words */
  double seconds, samples_per_second; /* training steps alone */
  double load_seconds, compute_seconds, reduce_seconds, data_seconds, valid_seconds;
  /* Resident bytes, the largest over the ranks: before loading, at the peak, and the peak that was predicted before
   * anything was allocated; 0: unknown. */
  uint64_t memory_before, memory_peak, memory_expected;
} mlpd_train_result;

/* What the trainer reports while it runs; any member may be NULL. Called on rank 0 only (except stalled), from the
 * calling thread. */
typedef struct mlpd_train_events {
  void *context;
  void (*started)(void *context, const mlpd_train_result *plan); /* sizes known, nothing trained yet */
  void (*notice)(void *context, const char *message);            /* one line the user should know */
  void (*decided)(void *context, const char *line);              /* how a raw table is read, a line each */
  void (*stepped)(void *context, uint64_t epoch, uint64_t step_in_epoch, uint64_t steps_per_epoch, double loss,
                  double samples_per_second); /* at most some 10 times a second */
  void (*epoch_done)(void *context, const mlpd_epoch *epoch);
  /* One line: which ranks keep the others waiting, and in which call; or that all continue. Called on the lowest
   * waiting rank, which is not rank 0 if the others wait for rank 0. */
  void (*stalled)(void *context, const char *message);
} mlpd_train_events;

/* Trains a network and writes config.ini, metrics.csv and model.h5 to the folder options->out, unless that is NULL. The
 * folder is locked during the run. Files of former runs in it are removed; all other files stay. On
 * MLPD_ERROR_DIVERGED the last good model is kept. Collective; options equal on all ranks. */
MLPD_API mlpd_status mlpd_train(mlpd_comm *comm, const mlpd_train_options *options, const mlpd_train_events *events,
                                mlpd_train_result *result);

/* The same, and *model gets the trained network, on every rank, as model.h5 would hold it; the caller frees it. NULL on
 * failure. MLPD_INTERRUPTED after at least one whole epoch: the network of the last (or best) whole epoch, so that an
 * epoch_done that calls mlpd_request() can end a run by a rule of its own; of embed_numbers auto, the network of the
 * first run, or of the second if the first diverged. Collective; options equal on all ranks. */
MLPD_API mlpd_status mlpd_train_model(mlpd_comm *comm, const mlpd_train_options *options,
                                      const mlpd_train_events *events, mlpd_train_result *result, mlpd_model **model);

/* ---- Training by named options --------------------------------------------------------------------- */

/* The options of a training run by name and text, for programs that must not depend on the size of mlpd_train_options
 * (other languages, and those that meet a later version of the shared library). */
typedef struct mlpd_options mlpd_options;

/* The defaults of `mlpdist train`, but without a run folder: only a program that sets "out" gets files. The caller
 * frees it. */
MLPD_API mlpd_status mlpd_options_create(mlpd_options **options);
MLPD_API void mlpd_options_free(mlpd_options *options); /* NULL is allowed. */

/* Sets an option as the command line does: mlpd_options_set(o, "lr", "0.1"). text is copied. MLPD_ERROR_USAGE for an
 * unknown name or a value that is not allowed, in the words of the command line; nothing has changed then. */
MLPD_API mlpd_status mlpd_options_set(mlpd_options *options, const char *name, const char *text);

/* The value as text that mlpd_options_set() takes, cut at bytes; "" where an option has none. MLPD_ERROR_USAGE for an
 * unknown name. */
MLPD_API mlpd_status mlpd_options_get(const mlpd_options *options, const char *name, char *text, size_t bytes);

/* Trains on rows in memory. The struct is copied; its arrays are borrowed until mlpd_fit() returns. NULL: on the file
 * of option "data" again. */
MLPD_API void mlpd_options_rows(mlpd_options *options, const mlpd_data_rows *rows);

/* Starts the run from this model, as from the file of option "init-from"; NULL: no longer. The model is borrowed until
 * mlpd_fit() returns, and equal on all ranks. */
MLPD_API void mlpd_options_model(mlpd_options *options, const mlpd_model *model);

/* The same as a struct, owned by options, for functions that take one. */
MLPD_API const mlpd_train_options *mlpd_options_values(const mlpd_options *options);

/* Trains; *model, unless model is NULL, gets the trained network on every rank as mlpd_train_model() says; the caller
 * frees it. Collective; options equal on all ranks. */
MLPD_API mlpd_status mlpd_fit(mlpd_comm *comm, const mlpd_options *options, mlpd_model **model);

/* ---- Training step by step, to look at ---------------------------------------------------------------- */

/* The network with which training with these options begins, for rows of `inputs` values and `outputs` outputs: its
 * layers and its initial weights, drawn by init and seed. An automatic loss is mse, an automatic output activation the
 * one that the loss needs. Options of data and of the run have no effect. The caller frees it. */
MLPD_API mlpd_status mlpd_network_from_options(const mlpd_train_options *options, uint32_t inputs, uint32_t outputs,
                                               mlpd_network **network);

/* The samples of a step. Borrowed. */
typedef struct mlpd_samples {
  uint64_t n;
  const float *x; /* (n, inputs) */
  const float *y; /* (n, outputs, or fewer with losses that take several outputs a target): one-hot rows of classes */
  const float *weight; /* (n), or NULL: 1 each */
} mlpd_samples;

/* In a list of categories: the input is neither a code nor a number, and no layer embeds it (one of the 0 and 1 of a
 * one-hot category). */
#define MLPD_INPUT_AS_IS UINT32_MAX

/* As mlpd_network_from_options(), for data like these samples: the edges of --embed-numbers piecewise are quantiles of
 * their x. It does not read y. categories (inputs): for an input that holds codes of categories (from 0), the number of
 * its categories, which become embed_width values each; 0: the input is a number; or MLPD_INPUT_AS_IS. NULL: all inputs
 * are numbers. The caller frees the network. */
MLPD_API mlpd_status mlpd_network_from_samples(const mlpd_train_options *options, uint32_t inputs,
                                               const uint32_t *categories, uint32_t outputs,
                                               const mlpd_samples *samples, mlpd_network **network);

/* mlpd_network_trace() with the loss of the options and its parameters. Layers with random draws use those of epoch
 * `epoch` (from 0) for the samples in this order. regularization_schedule scales dropout as in that epoch of
 * options->epochs, unless epochs is 0. The samples are one lane. options->class_weight has no effect: see weight. The
 * caller frees the trace. */
MLPD_API mlpd_status mlpd_network_trace_options(mlpd_network *network, const mlpd_train_options *options,
                                                uint64_t epoch, const mlpd_samples *samples, mlpd_trace *trace);

/* An optimizer with its state, as options say: optimizer, lr, momentum and the like. clip_norm is ignored, and so is
 * the schedule unless mlpd_descent_follow() is called. */
typedef struct mlpd_descent mlpd_descent;

/* For networks of this shape; any optimizer but lbfgs, whose steps are searches. The caller frees it. */
MLPD_API mlpd_status mlpd_descent_create(const mlpd_train_options *options, const mlpd_network *network,
                                         mlpd_descent **descent);
MLPD_API void mlpd_descent_free(mlpd_descent *descent); /* NULL is allowed. */

/* From now on the steps follow schedule and regularization_schedule of the options. Each step counts as an epoch, of
 * options->epochs in all; plateau uses the loss of the step's trace as the loss of the epoch. MLPD_ERROR_USAGE if
 * epochs is 0. */
MLPD_API mlpd_status mlpd_descent_follow(mlpd_descent *descent);

/* Learning rate of the next step. */
MLPD_API double mlpd_descent_lr(const mlpd_descent *descent);

/* One step with the gradients of the trace, which are sums (mlpd_train() takes means): changes network and state.
 * Running means of layers follow the samples. */
MLPD_API void mlpd_descent_step(mlpd_descent *descent, mlpd_network *network, const mlpd_trace *trace);

/* State `which` of the tensor of mlpd_network_tensor(), owned by descent; name NULL: there is none. 0: the velocity of
 * momentum, nesterov and lars; the mean of the gradients of adam, adamw, adamax, lamb and lion; the (mean) square of
 * those of rmsprop and adagrad. 1: the mean square of adam, adamw and lamb; the largest |g| of adamax. */
MLPD_API mlpd_tensor_view mlpd_descent_state(const mlpd_descent *descent, const mlpd_network *network, uint32_t layer,
                                             uint32_t index, uint32_t which);

/* The trust ratio of the tensor in the last step, with lars and lamb; 1 where it has none. */
MLPD_API double mlpd_descent_trust(const mlpd_descent *descent, const mlpd_network *network, uint32_t layer,
                                   uint32_t index);

/* After step `step`, from 1: adds the weights of network to average, a network of the same shape, by ema or swa_start
 * of the options; each step counts as an epoch. Before the first step both networks must be equal. false: the options
 * ask for no average, or it begins later. */
MLPD_API bool mlpd_network_average(mlpd_network *average, const mlpd_network *network,
                                   const mlpd_train_options *options, uint64_t step);

/* ---- Training under way ---------------------------------------------------------------------------- */

/* A network that is trained on rows as a program produces them, such as a simulation whose surrogate it becomes: no
 * data set, no epochs, a step when the program asks for one. The weights depend on the global batches and the options
 * alone: any number of ranks that hand in the same rows in the same rank order gets the same bits.
 *
 * Every rank keeps the rows of all ranks of one batch, and the buffer. Functions are collective unless they say
 * otherwise. After MLPD_ERROR_USAGE, MLPD_ERROR_DATA and MLPD_ERROR_FILE the trainer is as it was and usable; after
 * other failures of mlpdist itself it can only be freed. The program's mlpd_comm_watch() watches the waits. */
typedef struct mlpd_trainer mlpd_trainer;

/* A trainer of a network of `features` inputs. targets: values a row of y, of which each is fitted by option "loss"; or
 * the classes, where option "task" is classification or "loss" one of classes.
 *
 * options, which are copied, say all about network, loss, optimizer and schedule: "batch" is the largest number of rows
 * of a step over all ranks, "lanes" must be at least the ranks. A schedule counts epochs of steps_per_epoch steps (0:
 * 1); one that falls over the whole run, as cosine does, needs "epochs". "init-from" and mlpd_options_model() give the
 * first weights. MLPD_ERROR_USAGE for options that have no meaning here, if their values are not the defaults: those of
 * data files, raw tables and mlpd_options_rows(), of validation and epochs ("patience", "select", "ema", ...), of the
 * run folder and the watch ("out", "log", "stall-abort", ...), "stream", "folds", "class-weight", "clamp-predictions",
 * optimizer lbfgs, schedule plateau, and what needs quantiles of all rows: normalize robust, quantile and mixed, and,
 * without a model to start from, embed-numbers piecewise.
 *
 * buffer_rows: capacity of the replay buffer, rows of features + targets (or 1) floats on each rank; 0: there is none.
 * The caller frees the trainer before comm. Collective; arguments equal on all ranks. */
MLPD_API mlpd_status mlpd_trainer_create(mlpd_comm *comm, const mlpd_options *options, uint32_t features,
                                         uint32_t targets, uint64_t steps_per_epoch, uint64_t buffer_rows,
                                         mlpd_trainer **trainer);
MLPD_API void mlpd_trainer_free(mlpd_trainer *trainer); /* NULL is allowed. Not collective. */

/* Sets the normalisation: the network sees x' = (x - shift) * scale, and likewise y' of a regression; predictions are
 * in the units of y. Without this call the normalisation is that of the model that training starts from, or it is
 * computed from the first rows of all ranks, as options "normalize" and "normalize-targets" say (standard: mean and
 * deviation; a column that is constant in these rows is only shifted), and never changes afterwards. x_shift, x_scale
 * (features) and y_shift, y_scale (targets): the values of rank 0 count; a pair that is NULL is determined as without
 * this call. MLPD_ERROR_USAGE after the first rows. Collective. */
MLPD_API mlpd_status mlpd_trainer_normalize(mlpd_trainer *trainer, const double *x_shift, const double *x_scale,
                                            const double *y_shift, const double *y_scale);

/* Puts this rank's rows x (n, features) and y (n, targets), or (n, 1) classes from 0, into the buffer; n >= 0 may
 * differ between ranks. A full buffer stays a uniform sample of all rows so far (Vitter 1985, algorithm R), as
 * surrogates trained on line need it (Meyer et al. 2023). Values that are not finite are MLPD_ERROR_DATA on all ranks.
 * Collective. */
MLPD_API mlpd_status mlpd_trainer_add(mlpd_trainer *trainer, const mlpd_rows *x, const mlpd_rows *y);

/* One step on this rank's rows of the global batch: x and y as above, rank 0's rows first, 1 to option "batch" rows in
 * all (with norm batch exactly as many). Or, with x and y NULL on all ranks, on "batch" rows drawn from the buffer,
 * with replacement. loss, unless it is NULL: the mean over the batch before the update, of scaled targets.
 * MLPD_ERROR_DIVERGED where it is not finite; the weights are then as they were. Collective. */
MLPD_API mlpd_status mlpd_trainer_step(mlpd_trainer *trainer, const mlpd_rows *x, const mlpd_rows *y, double *loss);

MLPD_API uint64_t mlpd_trainer_steps(const mlpd_trainer *trainer);    /* done so far. Not collective. */
MLPD_API uint64_t mlpd_trainer_buffered(const mlpd_trainer *trainer); /* rows in the buffer. Not collective. */

/* A copy of the network as it is now, to predict with, save or export; the same on all ranks. The caller frees it.
 * MLPD_ERROR_USAGE before the normalisation is known. Not collective. */
MLPD_API mlpd_status mlpd_trainer_model(const mlpd_trainer *trainer, mlpd_model **model);

/* Rank 0 writes weights, optimizer, counters, normalisation and buffer to path, whole or not at all. After
 * mlpd_trainer_load(), a trainer with the same arguments and the same options that decide the weights continues with
 * the same bits, on any number of ranks. Rank 0 reads the file; the others need not see it. Collective. */
MLPD_API mlpd_status mlpd_trainer_save(mlpd_trainer *trainer, const char *path);
MLPD_API mlpd_status mlpd_trainer_load(mlpd_trainer *trainer, const char *path);

/* ---- Doctor ------------------------------------------------------------------------------------- */

/* Something that costs speed, and its cure, a phrase each. */
typedef struct mlpd_finding {
  char id[32]; /* for programs: "threads-share-cores" */
  char what[240], cure[240];
} mlpd_finding;

/* What takes most of a step's time. */
typedef enum mlpd_limit {
  MLPD_LIMIT_COMPUTE,
  MLPD_LIMIT_LATENCY,   /* messages, however short */
  MLPD_LIMIT_BANDWIDTH, /* bytes between the ranks */
  MLPD_LIMIT_IMBALANCE, /* waiting for a rank with more lanes */
  MLPD_LIMIT_INPUT      /* rows gathered into batches */
} mlpd_limit;
MLPD_API extern const mlpd_choice mlpd_limit_choices[]; /* help: what to change */

/* Strings are borrowed. */
typedef struct mlpd_doctor_options {
  mlpd_data_paths data;       /* file NULL: no file is read, and the network has `features` inputs */
  uint32_t features, outputs; /* 0: of the data, else 784 and 10 */
  const char *hidden;         /* this and the next members as in mlpd_train_options */
  const char *activation;
  uint32_t ensemble, members;
  mlpd_optimizer optimizer;
  uint64_t batch; /* with lbfgs the number of training rows, since its steps are over all */
  uint32_t lanes;
  const char *backend;
  int threads;
  const char *ranks; /* numbers of ranks to predict, besides 1 and the present number: "4,16"; NULL: none */
  double latency;    /* of a message between ranks, seconds; 0: as measured */
  double bandwidth;  /* between ranks, bytes/s; 0: as measured */
  double seconds;    /* approximate duration of the measurements */
} mlpd_doctor_options;

MLPD_API void mlpd_doctor_options_default(mlpd_doctor_options *options);

/* Speed of a back end at the products of the network, on all threads of all ranks at once. */
typedef struct mlpd_backend_speed {
  const char *name, *description; /* static storage */
  const char *instructions;       /* static storage; "": the back end does not choose */
  bool taken;                     /* train would choose it */
  double flops;                   /* flop/s */
  double fraction;                /* of the peak of the same cores */
} mlpd_backend_speed;

/* A sum over the ranks, as after a step. */
typedef struct mlpd_wire_point {
  uint64_t bytes; /* of the vector summed */
  double seconds; /* median, of the slowest rank */
} mlpd_wire_point;

/* Predicted seconds of a step, on `ranks` ranks with as many threads each as this one has. step is the sum of the
 * five others. */
typedef struct mlpd_prediction {
  int ranks;
  uint32_t lanes, most_lanes; /* of the batch; of the rank with the most */
  double step, compute, input, imbalance, latency, bandwidth;
  double samples_per_second;
  double efficiency; /* samples/s, divided by `ranks` times the samples/s of 1 rank */
  bool wire_known;   /* false: latency and bandwidth were neither measured nor given, and count as 0 */
  mlpd_limit limit;
} mlpd_prediction;

enum { MLPD_MAX_BACKENDS = 8, MLPD_MAX_WIRE_POINTS = 12, MLPD_MAX_PREDICTIONS = 16, MLPD_MAX_FINDINGS = 24 };

typedef struct mlpd_doctor_report {
  const char *cpu; /* static storage */
  int ranks, nodes, ranks_on_node, threads;
  int cores, physical_cores, quota_cores; /* of rank 0; 0: not known, no quota */
  double peak_one, peak_all;              /* flop/s: a core alone; all threads of all ranks at once */
  double memory_one, memory_all;          /* bytes/s read and written, likewise */
  double cpu_share;                       /* of the cores' time, for all threads at once; below 1: others run */
  bool flushes_denormals;                 /* on every thread of every rank */

  char network[64]; /* "784-512-512-10" */
  uint64_t parameters, batch;
  uint32_t lanes;
  int num_backends;
  mlpd_backend_speed backends[MLPD_MAX_BACKENDS];

  int num_wire_points; /* 0: one rank alone cannot measure any */
  mlpd_wire_point wire[MLPD_MAX_WIRE_POINTS];
  double latency, bandwidth; /* seconds a message, bytes/s: fitted, or as given */
  double sum_seconds;        /* the sum of this network's gradient, measured */

  bool has_file;           /* the training part of the file, all ranks at once */
  const char *file_system; /* static storage; "": not known */
  bool network_file_system;
  uint64_t rows;                /* in the file */
  double read_rows, read_bytes; /* a second */

  char step[256];      /* how threads and ranks share a step, in words */
  double step_seconds; /* measured: real steps on these ranks, on made-up rows */
  int num_predictions; /* the first is of these ranks */
  mlpd_prediction predictions[MLPD_MAX_PREDICTIONS];

  int num_findings;
  mlpd_finding findings[MLPD_MAX_FINDINGS];
  double seconds; /* duration of all measurements */
} mlpd_doctor_report;

/* Measures the machines that the ranks run on and predicts the speed of training. Findings are not failures.
 * Collective; options equal on all ranks. The report is equal on all ranks except for cores. */
MLPD_API mlpd_status mlpd_doctor(mlpd_comm *comm, const mlpd_doctor_options *options, mlpd_doctor_report *report);

/* ---- Evaluation and prediction ------------------------------------------------------------------ */

typedef struct mlpd_report {
  mlpd_task task;
  mlpd_loss loss_kind;
  char loss_text[160]; /* the loss with its parameters: "cross-entropy, label smoothing 0.1" */
  uint64_t rows;
  uint32_t outputs;                 /* classes, or values a sample */
  double loss;                      /* mean a sample, in the scaled targets the network was trained on */
  double accuracy;                  /* classification */
  uint64_t *confusion;              /* classification: (outputs, outputs), true class by predicted class */
  double *precision, *recall, *f1;  /* classification: (outputs); 0 where undefined */
  double *rmse, *mae, *r2;          /* regression: (outputs), in the target's units */
  double rmse_all, mae_all, r2_all; /* regression: over all outputs (r2_all: their mean) */
  uint32_t num_levels;              /* losses that predict a distribution (quantile, gaussian); else 0 */
  double *level,
      *below; /* (num_levels): a probability, and the fraction of targets at or below what is predicted for it */
  double seconds;
} mlpd_report;

/* Evaluates the model on one part. Each sample counts once, and the report is the same on any number of ranks. The
 * caller frees the report's arrays. Collective; arguments equal on all ranks. */
MLPD_API mlpd_status mlpd_evaluate(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data, mlpd_split part,
                                   const char *backend, int threads, mlpd_report *report);
MLPD_API void mlpd_report_free(mlpd_report *report); /* NULL is allowed. */

/* How much a model needs a column of the table. */
typedef struct mlpd_column_importance {
  char *name;              /* its number from 0 where unnamed */
  uint32_t first, columns; /* the columns of x that it became: three of a date, else one */
  double *rise;            /* (repeats) of the error, in each repeat */
  double mean, deviation;  /* of rise; the deviation divides by `repeats` */
} mlpd_column_importance;

typedef struct mlpd_importance {
  uint32_t count, repeats;
  double error;                    /* of the part as it is: 1 - accuracy, or rmse_all */
  mlpd_column_importance *columns; /* (count) by descending mean */
} mlpd_importance;

/* Evaluates as mlpd_evaluate() does, and then measures the permutation importance of columns (Breiman, Random forests,
 * 2001; Fisher, Rudin and Dominici, All models are wrong, but many are useful, 2019): by how much the error of the part
 * rises when the values of a column are permuted over its rows, with one permutation for each of `repeats` (1 to
 * 10000), drawn with seed. Columns with the same information stand in for each other, so each alone looks unimportant.
 * The same bits on any number of ranks and threads. The caller frees report and importance. Collective; arguments equal
 * on all ranks. */
MLPD_API mlpd_status mlpd_evaluate_importance(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data,
                                              mlpd_split part, const char *backend, int threads, uint32_t repeats,
                                              uint64_t seed, mlpd_report *report, mlpd_importance *importance);
MLPD_API void mlpd_importance_free(mlpd_importance *importance); /* NULL is allowed. */

/* Predicts each row of data (its x of the part; no y needed) and writes them in the order of the input to out: HDF5
 * (/class and /probability, or /value; of columns to keep /kept, texts, and /kept_names) if it ends in .h5, else CSV.
 * "-" is the standard output. A pipe or device receives CSV directly. out may not be the data or the model. Stores the
 * number of rows. Collective; arguments equal on all ranks. */
MLPD_API mlpd_status mlpd_predict(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data, mlpd_split part,
                                  const char *out, const char *backend, int threads, uint64_t *rows);

/* The same for an ensemble, with the spread of its members: after the outputs, the standard deviation of each over the
 * members, in the same unit (HDF5: /spread, float32). */
MLPD_API mlpd_status mlpd_predict_spread(mlpd_comm *comm, mlpd_model *model, const mlpd_data_paths *data,
                                         mlpd_split part, const char *out, const char *backend, int threads,
                                         uint64_t *rows);

/* ---- Looking into files and converting ---------------------------------------------------------- */

/* *text gets lines on what an HDF5 file contains: a data set (shapes, types, classes), a model or a checkpoint
 * (architecture, parameters, options, digest), or what mlpd_trainer_save() wrote (counters, options). On failure those
 * before it, or NULL. The caller frees it by mlpd_text_free(). */
MLPD_API mlpd_status mlpd_describe(const char *path, char **text);

typedef struct mlpd_convert_options {
  const char *const *inputs; /* num_inputs paths; kind by extension and content: .csv/.tsv/.txt/.data, .npy,
                                .npz, IDX (any name, gz too) */
  int num_inputs;
  const mlpd_split *roles; /* (num_inputs): the part that each input is; NULL: by a word in its name or its folder's:
                              train, training; valid, val, validation, dev; test, testing, holdout, eval, t10k. Inputs
                              whose names do not say are one table. Files of one part are read one after the other */
  const char *out;         /* the HDF5 file to write; replaced only after success */
  const char *label;       /* CSV, NPY of one array: label column by name or number from 0, negative from
                              the end; NULL: the last column; "none": no y, and all rows go to /test/x in their
                              order, for mlpd_predict(), unless the inputs have parts. CSV: several columns, as in
                              ignore, are that many targets */
  const char *ignore;      /* CSV: columns to leave out, separated by commas: names, numbers from 0, ranges
                              "2-5" or "X1..X8", patterns "pixel*"; NULL: none */
  const char *columns;     /* CSV: the columns that are features, as in ignore; NULL: all but the targets */
  const char *missing;     /* CSV: texts that stand for a missing value, separated by commas, beside NA, NaN,
                              null and the like; a number stands for its value; NULL: none */
  bool drop_missing;       /* CSV: leave out rows with a missing value; else those alone whose target is missing */
  const char *categorical; /* CSV: columns of numbers that are categories, as in ignore; those of texts are, unless
                              their texts are nearly all different, which leaves a column out; NULL: none */
  const char *decimal;     /* CSV: "point" or "comma"; NULL, "auto": point */
  char thousands;          /* CSV: separator of groups of three digits; 0: none */
  const char *strip;       /* CSV: texts before or after a number to ignore, separated by commas: "%,$";
                              NULL: none */
  uint32_t skip_lines;     /* CSV: number of lines to skip at the beginning */
  const char *header;      /* CSV: "auto", "yes" or "no" */
  const char *encoding;    /* CSV: a name that iconv knows, as "GB18030"; NULL, "auto": UTF-8 or UTF-16, else
                              Windows-1252 where the text may be */
  const char *dates;       /* CSV: order of dates such as 03/04/2021 in columns where no row shows it: "dmy", "mdy";
                              NULL or "auto": such columns are no dates */
  char delimiter;          /* CSV: 0 finds it; ' ' is any run of blanks and tabs */
  const char *const *model_columns, *const *model_targets; /* CSV: names of the features and targets of a model, which
                              are taken, by name, in place of label, ignore and columns; NULL: none */
  uint32_t num_model_columns, num_model_targets;           /* features that a model takes; 0: any */
  const char *const *model_left_out; /* CSV: columns that the model's training left out, too; a note names all others
                                        that are left out now */
  uint32_t num_model_left_out;
  const char *const *model_labels, *const *model_classes; /* labels that class_names named in the training of a model,
                                                             and these names; other labels are names */
  uint32_t num_model_classes;
  const unsigned char *model_categories; /* (num_model_columns) 1: categories, 2: yes/no; NULL: all are numbers */
  bool unlabelled;         /* rows to predict: targets in the inputs are left out, and all rows go to /test/x in
                              their order, unless the inputs have parts */
  mlpd_task task;          /* auto: classes if labels are names, or integers 0 to 9999 of which at most
                              1000 differ and not nearly all, -1 and 1, or 0.0, 1.0, ...; else values.
                              Labels that are not 0, 1, 2, ... without a gap are numbered in order */
  const char *class_names; /* comma-separated names for integer classes: of 0, 1, 2, ..., or of the labels
                              in order; NULL or "": none */
  double valid_fraction, test_fraction; /* of all rows, drawn by seed, exact to a row. Inputs that come as
                                train and test: only valid, of the train rows; as train, valid and test: none */
  uint64_t seed;
  int compress; /* deflate level of x, 0 to 9 */
  /* May be NULL; called about 10 times a second with the bytes read so far and in all (0 while a stream is copied). */
  void (*progress)(void *context, uint64_t done_bytes, uint64_t total_bytes);
  /* May be NULL; called with each decision about the inputs (delimiter, header, columns left out, target): a line
   * without a newline. */
  void (*decision)(void *context, const char *line);
  void *context; /* for both */
} mlpd_convert_options;

typedef struct mlpd_convert_result {
  uint64_t train_rows, valid_rows, test_rows;
  uint32_t features, classes; /* classes 0: values */
} mlpd_convert_result;

/* A delimiter or separator of thousands from its name ("comma", "tab", ...) or itself; 0 if text is NULL or "auto".
 * option names it in the message of a failure. */
MLPD_API mlpd_status mlpd_separator_read(const char *option, const char *text, char *character);

MLPD_API void mlpd_convert_options_default(mlpd_convert_options *options);

/* Writes inputs to options->out in mlpdist's HDF5 schema, streaming. On failure nothing is left behind, and a former
 * file stays. */
MLPD_API mlpd_status mlpd_convert(const mlpd_convert_options *options, mlpd_convert_result *result);

#ifdef __cplusplus
}
#endif
#endif
