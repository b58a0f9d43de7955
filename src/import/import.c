/* mlpd_import: which format, and the model from the layers that its reader found. */
#include "import/import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file_output.h"
#include "base/locale.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/model_clamp.h"
#include "model/model_network.h"
#include "network/layer_kind.h"

typedef struct format {
  const char *extension;
  import_reader *read;
} format;

static const format FORMATS[] = {{".onnx", import_onnx},
                                 {".npz", import_npz},
                                 {".safetensors", import_safetensors},
                                 {".json", import_json},
                                 {".keras", import_keras_archive},
                                 {".h5", import_keras},
                                 {".hdf5", import_keras}};

static const format *find_format(const char *path) {
  for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++)
    if (text_ends_in_any_case(path, FORMATS[i].extension)) return &FORMATS[i];
  return NULL;
}

/* Files of other programs that have to be saved anew, and how. */
static const struct {
  const char *extension, *cure;
} FOREIGN[] = {
    {".pt",
     "PyTorch: save the weights by numpy.savez(\"net.npz\", **{k: v.numpy() for k, v in net.state_dict().items()}), "
     "or the network by torch.onnx.export"},
    {".joblib",
     "pickled Python objects: of scikit-learn's MLPClassifier or MLPRegressor save numpy.savez(\"net.npz\", "
     "**{f\"{i}.kernel\": w for i, w in enumerate(net.coefs_)}, **{f\"{i}.bias\": b for i, b in "
     "enumerate(net.intercepts_)})"},
    {".tflite", "TensorFlow: save the network by tf2onnx as .onnx"},
    {".msgpack",
     "Flax: save the weights by numpy.savez(\"net.npz\", **flax.traverse_util.flatten_dict(params, sep=\".\"))"},
    {".data", "weights beside a model: import the .onnx file that it belongs to"},
};
static const char *const SAME_AS[][2] = {{".pth", ".pt"},        {".bin", ".pt"},        {".ckpt", ".pt"},
                                         {".pkl", ".joblib"},    {".pickle", ".joblib"}, {".pb", ".tflite"},
                                         {".onnx_data", ".data"}};

static mlpd_status refuse_extension(const char *path) {
  struct stat about;
  const char *end = strrchr(path, '.');
  if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
    return FAIL(MLPD_ERROR_USAGE, "%s is a folder; one of TensorFlow (SavedModel) is saved by tf2onnx as .onnx", path);
  for (size_t i = 0; end != NULL && i < sizeof SAME_AS / sizeof *SAME_AS; i++)
    if (strcasecmp(end, SAME_AS[i][0]) == 0) end = SAME_AS[i][1];
  for (size_t i = 0; end != NULL && i < sizeof FOREIGN / sizeof *FOREIGN; i++)
    if (strcasecmp(end, FOREIGN[i].extension) == 0)
      return FAIL(MLPD_ERROR_USAGE, "%s is a file of %s", path, FOREIGN[i].cure);
  return FAIL(MLPD_ERROR_USAGE,
              "%s: unknown extension; import reads .onnx, .keras, .h5 (Keras), .npz and .safetensors (a state dict of "
              "PyTorch) and .json (of export); convert reads data",
              path);
}

/* --parametric-activation of a network with slopes: PyTorch's PReLU learns at the rate of weights. */
static const double PARAMETRIC_RATE = 1;

static import_layer *last_layer(const import_chain *chain) { return &chain->layers[chain->num_layers - 1]; }

/* ---- Activations --------------------------------------------------------------------------------------- */

/* Item l of a list "relu,tanh", or the only one. */
static mlpd_status activation_of(const char *list, uint32_t l, mlpd_activation *activation) {
  char name[64];
  int value = MLPD_IDENTITY;
  for (uint32_t i = 0; i < l && strchr(list, ',') != NULL; i++) list = strchr(list, ',') + 1;
  list += strspn(list, " ");
  (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(list, ", "), list);
  if (!mlpd_choice_find(mlpd_activation_choices, name, &value) || value == MLPD_SOFTMAX)
    return FAIL(MLPD_ERROR_USAGE, "--activation: \"%s\" is not an activation of a hidden layer", name);
  *activation = (mlpd_activation)value;
  return MLPD_OK;
}

/* The layers that --activation and --output-activation are about, as far as there is room. Returns their number. */
static uint32_t find_activated(const import_chain *chain, uint32_t most, uint32_t *layers) {
  uint32_t count = 0;
  for (uint32_t l = 0; l < chain->num_layers; l++)
    if (chain->layers[l].takes_activation && count++ < most) layers[count - 1] = l;
  return count;
}

static mlpd_status settle_list(import_chain *chain, const mlpd_import_options *options, uint32_t count,
                               const uint32_t *layers) {
  const char *const list = options->activation;
  const uint32_t hidden = count > 0 ? count - 1 : 0;
  uint32_t items = list != NULL;
  for (const char *c = list; c != NULL && *c != '\0'; c++) items += *c == ',';
  if (hidden > 0 && list == NULL)
    return FAIL(MLPD_ERROR_USAGE,
                "the file does not name the activations of its %u hidden layer%s: give --activation, such "
                "as relu",
                hidden, hidden == 1 ? "" : "s");
  if (items != hidden && (items > 1 || hidden == 0) && list != NULL)
    return FAIL(MLPD_ERROR_USAGE, "--activation: \"%s\" has %u value%s, but there %s %u hidden layer%s", list, items,
                items == 1 ? "" : "s", hidden == 1 ? "is" : "are", hidden, hidden == 1 ? "" : "s");
  for (uint32_t i = 0; i < hidden; i++) TRY(activation_of(list, i, &chain->layers[layers[i]].activation));
  if (options->output_activation >= 0 && count > 0)
    chain->layers[layers[hidden]].activation = (mlpd_activation)options->output_activation;
  return MLPD_OK;
}

static mlpd_status tells_activations(void) {
  return FAIL(MLPD_ERROR_USAGE, "the file names its activations: leave out --activation and --output-activation");
}

static mlpd_status settle_activations(import_chain *chain, const mlpd_import_options *options) {
  uint32_t *layers = NULL;
  if (!chain->needs_activation && (options->activation != NULL || options->output_activation >= 0))
    return tells_activations();
  if (!chain->needs_activation) return MLPD_OK;
  TRY(memory_allocate(&layers, (size_t)chain->num_layers + 1, sizeof *layers, "layers"));
  const mlpd_status status = settle_list(chain, options, find_activated(chain, chain->num_layers, layers), layers);
  free(layers);
  return status;
}

/* ---- Task and loss ----------------------------------------------------------------------------------- */

/* Classes are outputs of a softmax, or of one sigmoid. The user may say that the last layer gives logits. */
static mlpd_status settle_task(import_chain *chain, mlpd_task wanted) {
  import_layer *const last = last_layer(chain);
  const mlpd_activation for_classes = last->outputs > 1 ? MLPD_SOFTMAX : MLPD_SIGMOID;
  const bool is_classes = last->activation == MLPD_SOFTMAX || last->activation == for_classes;
  if (wanted == MLPD_TASK_AUTO) wanted = chain->task;
  if (wanted == MLPD_TASK_AUTO) wanted = is_classes ? MLPD_CLASSIFICATION : MLPD_REGRESSION;
  chain->task = wanted;
  if (wanted != MLPD_CLASSIFICATION) return MLPD_OK;
  if (last->activation == MLPD_IDENTITY) last->activation = for_classes;
  if (chain->target_scale == NULL && chain->least == NULL) return MLPD_OK;
  return FAIL(MLPD_ERROR_DATA,
              "its outputs are %s after the last layer, so they are values, not probabilities; import it with --task "
              "regression",
              chain->least != NULL ? "clamped" : "scaled");
}

/* The loss that the file names, else the first that goes with the last activation. */
static mlpd_status settle_loss(import_chain *chain) {
  static const mlpd_loss order[] = {MLPD_CROSS_ENTROPY, MLPD_BINARY_CROSS_ENTROPY, MLPD_MSE, MLPD_POISSON};
  const mlpd_activation activation = last_layer(chain)->activation;
  const bool is_classes = chain->task == MLPD_CLASSIFICATION;
  if (chain->loss != MLPD_LOSS_AUTO && loss_check(chain->loss, activation) == MLPD_OK &&
      !(is_classes && loss_needs_values(chain->loss)))
    return MLPD_OK;
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    chain->loss = order[i];
    if (!is_classes && order[i] == MLPD_CROSS_ENTROPY) continue;
    if (is_classes && loss_needs_values(order[i])) continue;
    if (loss_check(order[i], activation) == MLPD_OK) return MLPD_OK;
  }
  return FAIL(MLPD_ERROR_DATA, "no loss goes with %s as the last activation",
              mlpd_choice_name(mlpd_activation_choices, (int)activation));
}

/* ---- The model --------------------------------------------------------------------------------------- */

static void fill_layer(const import_layer *from, mlpd_network *network, uint32_t l) {
  const tensor *const weight = layer_tensor(network, l, 0);
  for (size_t i = 0; i < (from->is_norm ? 1 : from->inputs); i++)
    for (size_t j = 0; j < from->outputs; j++)
      network->parameters[weight->offset + i * weight->stride + j] = (float)from->weight[i * from->outputs + j];
  if (from->is_rms) return;
  float *const bias = network->parameters + layer_tensor(network, l, 1)->offset;
  for (size_t j = 0; j < from->outputs; j++) bias[j] = (float)from->bias[j];
}

/* A layer with alpha is two of the network. */
static void fill_network(const import_chain *chain, mlpd_network *network) {
  for (uint32_t i = 0, l = 0; i < chain->num_layers; i++, l++) {
    const import_layer *const from = &chain->layers[i];
    fill_layer(from, network, l);
    if (from->alpha == NULL) continue;
    float *const alpha = network->parameters + layer_tensor(network, ++l, 0)->offset;
    for (size_t j = 0; j < from->outputs; j++) alpha[j] = (float)from->alpha[j];
  }
}

static bool has_alpha(const import_chain *chain) {
  bool has = false;
  for (uint32_t l = 0; l < chain->num_layers; l++) has = has || chain->layers[l].alpha != NULL;
  return has;
}

/* Training knows parametric activations of all hidden layers or of none: the others get an alpha of 1, where a = A(z).
 */
static mlpd_status settle_alpha(import_chain *chain) {
  if (!has_alpha(chain)) return MLPD_OK;
  if (last_layer(chain)->alpha != NULL)
    return FAIL(MLPD_ERROR_DATA, "its last layer has a relu with a slope below 0, which hidden layers alone can have");
  for (uint32_t l = 0; l + 1 < chain->num_layers; l++) {
    import_layer *const at = &chain->layers[l];
    if (at->alpha != NULL || at->activation == MLPD_IDENTITY) continue;
    TRY(memory_allocate(&at->alpha, at->outputs, sizeof(double), "weights"));
    for (uint32_t j = 0; j < at->outputs; j++) at->alpha[j] = 1;
  }
  return MLPD_OK;
}

static uint32_t count_dense(const import_chain *chain) {
  uint32_t count = 0;
  for (uint32_t l = 0; l < chain->num_layers; l++) count += !chain->layers[l].is_norm;
  return count;
}

/* Why layer l may not fit: of an .npz archive, whose writer chose names and shapes. */
static const char *hint(const import_chain *chain, uint32_t l) {
  const import_layer *const at = &chain->layers[l];
  if (!chain->needs_activation) return "";
  return at->outputs == at[-1].inputs ? IMPORT_TURNED : "; the arrays must come in the order of the layers";
}

static bool has_shift(const import_layer *l) {
  for (uint32_t j = 0; j < l->outputs; j++)
    if (l->bias[j] != 0) return true;
  return false;
}

static mlpd_status check_chain(const import_chain *chain) {
  if (count_dense(chain) == 0) return FAIL(MLPD_ERROR_DATA, "it has no dense layer");
  for (uint32_t l = 0; l < chain->num_layers; l++) {
    const import_layer *const at = &chain->layers[l];
    if (at->inputs == 0 || at->outputs == 0) return FAIL(MLPD_ERROR_DATA, "layer %u is empty", l + 1);
    if (l > 0 && at->inputs != at[-1].outputs)
      return FAIL(MLPD_ERROR_DATA, "layer %u expects %u values, but the layer before it gives %u%s", l + 1, at->inputs,
                  at[-1].outputs, hint(chain, l));
    if (at->is_rms && has_shift(at))
      return FAIL(MLPD_ERROR_DATA, "layer %u adds a constant to an RMS norm before its activation, which none has here",
                  l + 1);
    if ((l + 1 < chain->num_layers || at->is_norm) && at->activation == MLPD_SOFTMAX)
      return FAIL(MLPD_ERROR_DATA, "layer %u of %u has a softmax, which only a dense layer at the end may have", l + 1,
                  chain->num_layers);
  }
  return MLPD_OK;
}

static mlpd_status make_network(const import_chain *chain, mlpd_network **network) {
  layer_spec *specs = NULL;
  uint32_t count = 0;
  TRY(memory_allocate(&specs, 2 * (size_t)chain->num_layers, sizeof *specs, "layers"));
  for (uint32_t l = 0; l < chain->num_layers; l++) {
    const import_layer *const at = &chain->layers[l];
    specs[count++] = (layer_spec){.kind = at->is_rms    ? &layer_rms_norm
                                          : at->is_norm ? &layer_layer_norm
                                                        : &layer_dense,
                                  .outputs = at->outputs,
                                  .activation = at->alpha == NULL ? at->activation : MLPD_IDENTITY};
    if (at->alpha == NULL) continue;
    specs[count++] = (layer_spec){
        .kind = &layer_parametric, .outputs = at->outputs, .activation = at->activation, .amount = PARAMETRIC_RATE};
  }
  const mlpd_status status = network_build(chain->layers[0].inputs, count, specs, false, network);
  free(specs);
  TRY(status);
  fill_network(chain, *network);
  return model_network_check(*network);
}

static mlpd_status make_affine(uint32_t columns, const double *shift, const double *scale, const char *of,
                               affine *made) {
  TRY(affine_create(columns, made));
  for (uint32_t j = 0; j < columns && scale != NULL; j++) {
    if (!isfinite(shift[j]) || !isfinite(scale[j]))
      return FAIL(MLPD_ERROR_DATA, "shift or scale of %s %u is not finite", of, j);
    made->shift[j] = shift[j];
    made->scale[j] = scale[j];
  }
  affine_settle(made);
  return MLPD_OK;
}

/* Names that do not fit in number are left out. */
static void take_names(name_list *from, uint64_t count, name_list *to) {
  if (from->count != count) return;
  *to = *from;
  *from = (name_list){0};
}

/* The layer whose activation is that of the dense layer l: a norm between the two, or l itself. */
static const import_layer *activated(const import_chain *chain, uint32_t l) {
  const import_layer *const at = &chain->layers[l];
  const bool has_norm = at->activation == MLPD_IDENTITY && l + 1 < chain->num_layers && at[1].is_norm;
  return has_norm ? &at[1] : at;
}

static bool has_rms(const import_chain *chain) {
  for (uint32_t l = 0; l < chain->num_layers; l++)
    if (chain->layers[l].is_rms) return true;
  return false;
}

static void write_hidden(const import_chain *chain, uint32_t hidden, FILE *out) {
  (void)fprintf(out, "[network]\nhidden =");
  for (uint32_t l = 0, i = 0; i < hidden; l++)
    if (!chain->layers[l].is_norm) (void)fprintf(out, "%s%u", i++ > 0 ? "," : " ", chain->layers[l].outputs);
  (void)fprintf(out, hidden > 0 ? "\nactivation =" : "");
  for (uint32_t l = 0, i = 0; i < hidden; l++)
    if (!chain->layers[l].is_norm)
      (void)fprintf(out, "%s%s", i++ > 0 ? "," : " ",
                    mlpd_choice_name(mlpd_activation_choices, (int)activated(chain, l)->activation));
  (void)fprintf(out, "\n");
  if (chain->num_layers > hidden + 1) (void)fprintf(out, "norm = %s\n", has_rms(chain) ? "rms" : "layer");
  if (has_alpha(chain)) (void)fprintf(out, "parametric-activation = %g\n", PARAMETRIC_RATE);
  if (chain->input_limit > 0) (void)fprintf(out, "[data]\nclip-inputs = %.9g\n", chain->input_limit);
}

/* Its network as options of training, so that `train --init-from` has the same. */
static mlpd_status write_config(const import_chain *chain, char **config) {
  size_t bytes = 0;
  FILE *const out = open_memstream(config, &bytes);
  if (out == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, importing");
  write_hidden(chain, count_dense(chain) - 1, out);
  return fclose(out) == 0 ? MLPD_OK : FAIL(MLPD_ERROR_MEMORY, "out of memory, importing");
}

static mlpd_status fill_model(import_chain *chain, mlpd_model *model) {
  const uint32_t inputs = chain->layers[0].inputs, outputs = last_layer(chain)->outputs;
  TRY(write_config(chain, &model->config));
  TRY(make_network(chain, &model->network));
  TRY(make_affine(inputs, chain->input_shift, chain->input_scale, "input", &model->input));
  model->input.limit = chain->input_limit;
  model->task = chain->task;
  model->loss = loss_plain(chain->loss);
  take_names(&chain->names.columns, inputs, &model->names.columns);
  if (model->task == MLPD_CLASSIFICATION) {
    take_names(&chain->names.classes, outputs > 1 ? outputs : 2, &model->names.classes);
    return MLPD_OK;
  }
  take_names(&chain->names.targets, outputs, &model->names.targets);
  TRY(make_affine(outputs, chain->target_shift, chain->target_scale, "output", &model->target));
  return chain->least != NULL ? model_clamp(model, chain->least, chain->most) : MLPD_OK;
}

/* The model that export described. */
static mlpd_status take_described(import_chain *chain, const mlpd_import_options *options, mlpd_model **model) {
  const mlpd_task task = chain->described->task;
  if (options->activation != NULL || options->output_activation >= 0) return tells_activations();
  if (options->task != MLPD_TASK_AUTO && options->task != task)
    return FAIL(MLPD_ERROR_USAGE, "mlpdist exported this file, and says that its task is %s: leave out --task",
                mlpd_choice_name(mlpd_task_choices, (int)task));
  *model = chain->described;
  chain->described = NULL;
  return MLPD_OK;
}

static mlpd_status make_model(import_chain *chain, const mlpd_import_options *options, mlpd_model **model) {
  mlpd_model *made = NULL;
  if (chain->described != NULL) return take_described(chain, options, model);
  TRY(import_end_dense(chain));
  TRY(settle_activations(chain, options));
  TRY(check_chain(chain));
  TRY(settle_task(chain, options->task));
  TRY(settle_loss(chain));
  TRY(settle_alpha(chain));
  TRY(memory_allocate(&made, 1, sizeof *made, "model"));
  const mlpd_status status = fill_model(chain, made);
  if (status != MLPD_OK) return mlpd_model_free(made), status;
  *model = made;
  return MLPD_OK;
}

void mlpd_import_options_default(mlpd_import_options *options) {
  *options = (mlpd_import_options){.task = MLPD_TASK_AUTO, .output_activation = -1};
}

mlpd_status mlpd_import(const char *path, const mlpd_import_options *options, mlpd_model **model) {
  IN_C_LOCALE();
  NEED(model);
  *model = NULL;
  NEED_PATH(path);
  NEED(options);
  import_chain chain = {0};
  const format *const found = find_format(path);
  if (found == NULL) return refuse_extension(path);
  if (options->layers != NULL && found->read != import_npz && found->read != import_safetensors)
    return FAIL(MLPD_ERROR_USAGE, "%s: the file holds the order of its layers: leave out --layers", path);
  mlpd_status status = found->read(path, options, &chain);
  if (status == MLPD_OK) status = make_model(&chain, options, model);
  import_chain_free(&chain);
  if (status == MLPD_OK || strncmp(mlpd_error_message(), path, strlen(path)) == 0) return status;
  return status_prefix(status, "%s: ", path);
}

/* Of the files that exist, an import replaces only what one made: a model that no step has trained. */
static mlpd_status check_output(const char *out) {
  struct stat about;
  mlpd_model *former = NULL;
  if (stat(out, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size == 0) return file_check_folder_of(out);
  const bool imported = mlpd_model_load(out, &former) == MLPD_OK && former->step == 0;
  mlpd_model_free(former);
  if (imported) return MLPD_OK;
  return FAIL(MLPD_ERROR_USAGE,
              "%s exists and is not a model that an import made, so it is not replaced: name a new file", out);
}

mlpd_status mlpd_import_file(const char *path, const mlpd_import_options *options, const char *out) {
  IN_C_LOCALE();
  NEED_PATH(path);
  NEED(options);
  NEED_PATH(out);
  const file_identity read = file_identify(path), written = file_identify(out);
  if (file_identities_equal(&read, &written))
    return FAIL(MLPD_ERROR_USAGE, "%s is the file to import: writing the model there would destroy it", out);
  TRY(check_output(out));
  mlpd_model *model = NULL;
  mlpd_status status = mlpd_import(path, options, &model);
  if (status == MLPD_OK) status = mlpd_model_save(model, out);
  mlpd_model_free(model);
  return status;
}
