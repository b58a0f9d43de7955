/* The named choices of the public header. */
#include <string.h>

#include "mlpdist.h"

#define END_OF_CHOICES \
  { NULL, 0, NULL }

const mlpd_choice mlpd_activation_choices[] = {
    {"identity", MLPD_IDENTITY, "z"},
    {"relu", MLPD_RELU, "max(z, 0)"},
    {"leaky-relu", MLPD_LEAKY_RELU, "z if z > 0 else 0.01 z"},
    {"elu", MLPD_ELU, "z if z > 0 else exp(z) - 1"},
    {"gelu", MLPD_GELU, "z Phi(z), Phi the normal distribution function"},
    {"silu", MLPD_SILU, "z / (1 + exp(-z))"},
    {"sigmoid", MLPD_SIGMOID, "1 / (1 + exp(-z))"},
    {"tanh", MLPD_TANH, "tanh(z)"},
    {"softplus", MLPD_SOFTPLUS, "log(1 + exp(z))"},
    {"mish", MLPD_MISH, "z tanh(log(1 + exp(z)))"},
    {"selu", MLPD_SELU, "1.0507 z if z > 0 else 1.7581 (exp(z) - 1)"},
    {"hardswish", MLPD_HARDSWISH, "z min(max(z + 3, 0), 6) / 6"},
    {"relu6", MLPD_RELU6, "min(max(z, 0), 6)"},
    {"exp", MLPD_EXP, "exp(z)"},
    {"squareplus", MLPD_SQUAREPLUS, "(z + sqrt(z^2 + 4)) / 2"},
    {"gelu-tanh", MLPD_GELU_TANH, "z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2, close to gelu"},
    {"softsign", MLPD_SOFTSIGN, "z / (1 + |z|)"},
    {"softmax", MLPD_SOFTMAX, "exp(z_k) / sum_j exp(z_j); output layer only"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_loss_choices[] = {
    {"auto", MLPD_LOSS_AUTO, "cross-entropy for classes, mse for values"},
    {"mse", MLPD_MSE, "1/2 sum_k (yhat_k - y_k)^2"},
    {"mse-mean", MLPD_MSE_MEAN, "1/K sum_k (yhat_k - y_k)^2"},
    {"cross-entropy", MLPD_CROSS_ENTROPY, "-log softmax(z)_y; softmax output"},
    {"binary-cross-entropy", MLPD_BINARY_CROSS_ENTROPY,
     "-sum_k y_k log yhat_k + (1 - y_k) log(1 - yhat_k); sigmoid output"},
    {"mae", MLPD_MAE, "sum_k |yhat_k - y_k|"},
    {"huber", MLPD_HUBER, "sum_k r^2/2 if |r| <= 1 else |r| - 1/2, r = yhat_k - y_k"},
    {"quantile", MLPD_QUANTILE, "pinball loss: outputs estimate the quantiles of each target"},
    {"poisson", MLPD_POISSON, "sum_k yhat_k - y_k log yhat_k: counts; exp output"},
    {"gaussian", MLPD_GAUSSIAN, "sum_k 1/2 (s_k + (y_k - m_k)^2 / exp(s_k)): outputs mean m and log-variance s"},
    {"log-cosh", MLPD_LOG_COSH, "sum_k log(cosh(yhat_k - y_k))"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_init_choices[] = {
    {"auto", MLPD_INIT_AUTO, "he-normal for relu-like activations, lecun-normal for selu, else glorot-uniform"},
    {"he-normal", MLPD_HE_NORMAL, "N(0, 2 / inputs)"},
    {"he-uniform", MLPD_HE_UNIFORM, "U(-r, r), r = sqrt(6 / inputs)"},
    {"glorot-normal", MLPD_GLOROT_NORMAL, "N(0, 2 / (inputs + outputs))"},
    {"glorot-uniform", MLPD_GLOROT_UNIFORM, "U(-r, r), r = sqrt(6 / (inputs + outputs))"},
    {"lecun-normal", MLPD_LECUN_NORMAL, "N(0, 1 / inputs)"},
    {"lecun-uniform", MLPD_LECUN_UNIFORM, "U(-r, r), r = sqrt(3 / inputs)"},
    {"zeros", MLPD_ZEROS, "0"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_optimizer_choices[] = {
    {"sgd", MLPD_SGD, "w -= lr g"},
    {"momentum", MLPD_MOMENTUM, "v = mu v + g; w -= lr v"},
    {"nesterov", MLPD_NESTEROV, "v = mu v + g; w -= lr (g + mu v)"},
    {"adam", MLPD_ADAM, "Adam (Kingma & Ba 2015); weight decay added to the gradient"},
    {"adamw", MLPD_ADAMW, "Adam; decoupled weight decay (Loshchilov & Hutter 2019)"},
    {"rmsprop", MLPD_RMSPROP, "q = beta2 q + (1 - beta2) g^2; w -= lr g / (sqrt(q) + epsilon)"},
    {"adagrad", MLPD_ADAGRAD, "q += g^2; w -= lr g / (sqrt(q) + epsilon)"},
    {"lion", MLPD_LION, "w -= lr sign(beta1 m + (1 - beta1) g) (Chen et al. 2023); decoupled weight decay"},
    {"lars", MLPD_LARS,
     "momentum of g trust |w| / (|g| + decay |w|) for each matrix, g with weight decay (You et al. 2017)"},
    {"lamb", MLPD_LAMB, "u = Adam's step + decay w; w -= lr u |w| / |u| for each matrix (You et al. 2020)"},
    {"lbfgs", MLPD_LBFGS,
     "L-BFGS with a line search over all rows, for small data: a step an epoch (Nocedal & Wright 2006, ch. 7)"},
    {"adamax", MLPD_ADAMAX, "u = max(beta2 u, |g| + epsilon); w -= lr m / u, m as Adam's (Kingma & Ba 2015)"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_decay_choices[] = {
    {"auto", MLPD_DECAY_AUTO,
     "as each optimizer's paper: adamw and lion decoupled, lamb in its direction, others coupled"},
    {"coupled", MLPD_DECAY_COUPLED, "weight-decay w is added to the gradient"},
    {"decoupled", MLPD_DECAY_DECOUPLED, "w -= lr weight-decay w beside the step (Loshchilov & Hutter 2019)"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_schedule_choices[] = {
    {"constant", MLPD_CONSTANT, "lr"},
    {"step", MLPD_STEP, "lr gamma^floor(epoch / step-epochs)"},
    {"cosine", MLPD_COSINE, "from lr to lr-min along half a cosine over the run"},
    {"exponential", MLPD_EXPONENTIAL, "lr gamma^(epoch / step-epochs), a little each step"},
    {"polynomial", MLPD_POLYNOMIAL, "from lr to lr-min as (1 - t)^power, t from 0 to 1 over the run"},
    {"one-cycle", MLPD_ONE_CYCLE, "from lr / 25 up to lr at t = rise, then down to lr-min, along half cosines"},
    {"cosine-restarts", MLPD_COSINE_RESTARTS,
     "cosine over step-epochs, again and again, each restart-factor times as long"},
    {"flat-cosine", MLPD_FLAT_COSINE, "lr until t = flat, then to lr-min along half a cosine"},
    {"coslog4", MLPD_COSLOG4, "lr (1 - cos(2 pi log2(1 + 15 t))) / 2: four waves, each longer than the last"},
    {"plateau", MLPD_PLATEAU, "lr gamma each time the loss has not fallen for lr-patience epochs"},
    {"invscaling", MLPD_INVSCALING,
     "lr / (1 + samples seen)^power-t, changed after each epoch, as scikit-learn's invscaling"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_regularization_choices[] = {
    {"constant", MLPD_REGULARIZATION_CONSTANT, "1"},
    {"flat-cosine", MLPD_REGULARIZATION_FLAT_COSINE,
     "1 for the first half of the run, then falling to 0 along half a cosine"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_lr_scale_choices[] = {
    {"none", MLPD_LR_SCALE_NONE, "lr"},
    {"linear", MLPD_LR_SCALE_LINEAR, "lr batch / base-batch"},
    {"sqrt", MLPD_LR_SCALE_SQRT, "lr sqrt(batch / base-batch)"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_task_choices[] = {
    {"auto", MLPD_TASK_AUTO, "classification if y holds texts, integers that repeat, or one-hot rows; else regression"},
    {"classification", MLPD_CLASSIFICATION, "y is one class a row"},
    {"regression", MLPD_REGRESSION, "y is one or more values a row"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_normalize_choices[] = {
    {"auto", MLPD_NORMALIZE_AUTO, "scale for bytes (images), mixed for all else"},
    {"none", MLPD_NORMALIZE_NONE, "x"},
    {"scale", MLPD_NORMALIZE_SCALE, "(x - min) / (max - min) over all of the training x"},
    {"standard", MLPD_NORMALIZE_STANDARD, "(x - mean) / deviation, column by column"},
    {"robust", MLPD_NORMALIZE_ROBUST,
     "(x - median) / (q75 - q25), or 2 (x - median) / (max - min) where the quartiles are equal, column by column"},
    {"quantile", MLPD_NORMALIZE_QUANTILE,
     "normal scores: x by its rank in the column, as a quantile of the standard normal distribution"},
    {"mixed", MLPD_NORMALIZE_MIXED,
     "quantile for columns with a value more than 10 deviations from the mean, standard for all others"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_normalize_targets_choices[] = {
    {"standard", MLPD_NORMALIZE_STANDARD, "(y - mean) / deviation, column by column"},
    {"none", MLPD_NORMALIZE_NONE, "y"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_preset_choices[] = {
    {"auto", MLPD_PRESET_AUTO,
     "tabular for tables, but with --epochs auto; none for images, and with --lr, --optimizer, --parametrization or "
     "--init-from"},
    {"none", MLPD_PRESET_NONE, "the defaults that the other options name"},
    {"tabular", MLPD_PRESET_TABULAR,
     "for tables, nearly RealMLP-TD-S: --normalize robust, --schedule coslog4 and others"},
    {"tabular-td", MLPD_PRESET_TABULAR_TD,
     "for classes the same as tabular; for values nearly RealMLP-TD, which adds --embed-numbers periodic, --dropout "
     "and others"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_update_choices[] = {
    {"split", MLPD_UPDATE_SPLIT, "each rank updates a part, and the new weights travel, where that pays"},
    {"each", MLPD_UPDATE_EACH, "every rank updates all weights"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_overlap_choices[] = {
    {"layers", MLPD_OVERLAP_LAYERS, "a layer's gradient travels while those below it are computed"},
    {"none", MLPD_OVERLAP_NONE, "all gradients travel after the last is computed"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_reduce_choices[] = {
    {"canonical", MLPD_REDUCE_CANONICAL, "fixed tree over lanes: the same bits on any number of ranks"},
    {"allreduce", MLPD_REDUCE_ALLREDUCE, "MPI_Allreduce: rounding may depend on the number of ranks"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_parametrization_choices[] = {
    {"standard", MLPD_PARAMETRIZATION_STANDARD, "all weights and biases learn at the same rate"},
    {"ntk", MLPD_PARAMETRIZATION_NTK,
     "neural tangent: the rate of weights falls with the inputs of their layer, that of biases is a tenth of --lr; the "
     "last layer starts at 0"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_embed_numbers_choices[] = {
    {"none", MLPD_EMBED_NUMBERS_NONE, "numbers are inputs as they are"},
    {"periodic", MLPD_EMBED_NUMBERS_PERIODIC,
     "each x becomes x and 3 weighted sums of 16 cosines of x; frequencies, phases and weights learn at a tenth of the "
     "rate (PBLD of RealMLP-TD)"},
    {"piecewise", MLPD_EMBED_NUMBERS_PIECEWISE,
     "each x becomes x and --embed-width learned functions of x, piecewise linear with bends at the edges of "
     "--embed-bins bins (PLE, as in TabM)"},
    {"auto", MLPD_EMBED_NUMBERS_AUTO,
     "train twice, with none and with piecewise, and keep piecewise if its validation error is lower by more than a "
     "standard error of the difference"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_embed_edges_choices[] = {
    {"quantiles", MLPD_EMBED_EDGES_QUANTILES, "all bins hold the same number of training rows, unless values repeat"},
    {"targets", MLPD_EMBED_EDGES_TARGETS,
     "where a decision tree of each column on the targets of the training rows splits; a column without effect on them "
     "has one bin (PLE-t)"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_norm_choices[] = {
    {"none", MLPD_NORM_NONE, "hidden layers as they are"},
    {"layer", MLPD_NORM_LAYER, "mean 0 and deviation 1 over each row, then a learned gain and shift"},
    {"batch", MLPD_NORM_BATCH, "the same over the rows of each lane; in evaluation with running means"},
    {"rms", MLPD_NORM_RMS, "mean square 1 over each row, then a learned gain"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_select_choices[] = {
    {"loss", MLPD_SELECT_LOSS, "the validation loss"},
    {"error", MLPD_SELECT_ERROR, "1 - accuracy, or the rmse of values"},
    {"auc", MLPD_SELECT_AUC, "area under the ROC curve of two classes, the greatest"},
    {"f1", MLPD_SELECT_F1, "mean F1 of the classes, the greatest"},
    {"rmse", MLPD_SELECT_RMSE, "root of the mean square error of values"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_log_choices[] = {
    {"csv", MLPD_LOG_CSV, "metrics.csv, which is always written"},
    {"json", MLPD_LOG_JSON, "metrics.jsonl, a JSON object a line"},
    {"tensorboard", MLPD_LOG_TENSORBOARD, "an event file for TensorBoard"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_save_choices[] = {
    {"best", MLPD_SAVE_BEST, "the weights of the epoch with the best --select figure"},
    {"last", MLPD_SAVE_LAST, "the weights of the last epoch"},
    END_OF_CHOICES,
};

const mlpd_choice mlpd_split_choices[] = {
    {"train", MLPD_TRAIN, "/train"},
    {"valid", MLPD_VALID, "/valid"},
    {"test", MLPD_TEST, "/test"},
    END_OF_CHOICES,
};

const char *mlpd_choice_name(const mlpd_choice *choices, int value) {
  for (; choices->name != NULL; choices++)
    if (choices->value == value) return choices->name;
  return "?";
}

bool mlpd_choice_find(const mlpd_choice *choices, const char *name, int *value) {
  for (; choices->name != NULL; choices++) {
    if (strcmp(choices->name, name) != 0) continue;
    *value = choices->value;
    return true;
  }
  return false;
}
