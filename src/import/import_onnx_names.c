#include "import/import_onnx_names.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A list of texts as JSON; anything else gives no names. */
static mlpd_status read_names(const onnx_file *file, const char *key, name_list *list) {
  const protobuf_slice text = onnx_about(file, key);
  mlpd_status status = MLPD_OK;
  if (text.count == 0) return MLPD_OK;
  name_list_free(list);
  json_t *const names = json_loadb((const char *)text.bytes, text.count, 0, NULL);
  for (size_t i = 0; i < json_array_size(names) && status == MLPD_OK; i++) {
    const char *const name = json_string_value(json_array_get(names, i));
    status = name_list_add(list, name != NULL ? name : "");
  }
  json_decref(names);
  return status;
}

/* A named choice, alone or before a comma. */
static void read_choice(const onnx_file *file, const char *key, const mlpd_choice *choices, int *value) {
  const protobuf_slice text = onnx_about(file, key);
  char word[64];
  size_t count = 0;
  while (count < text.count && count < sizeof word - 1 && text.bytes[count] != ',') count++;
  if (count == 0) return;
  memcpy(word, text.bytes, count);
  word[count] = '\0';
  (void)mlpd_choice_find(choices, word, value);
}

mlpd_status import_onnx_names(const onnx_file *file, import_chain *chain) {
  int task = (int)chain->task, loss = MLPD_LOSS_AUTO;
  read_choice(file, "task", mlpd_task_choices, &task);
  read_choice(file, "loss", mlpd_loss_choices, &loss);
  chain->task = (mlpd_task)task;
  chain->loss = (mlpd_loss)loss;
  TRY(read_names(file, "input_names", &chain->names.columns));
  TRY(read_names(file, "output_names", &chain->names.targets));
  return read_names(file, "class_names", &chain->names.classes);
}
