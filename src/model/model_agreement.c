#include "model/model_agreement.h"

#include <stdlib.h>

#include "model/model_hash.h"
#include "ranks/agreement.h"
#include "ranks/comm.h"

mlpd_status model_check_call(mlpd_comm *comm, const char *function, const mlpd_model *model,
                             const mlpd_data_paths *data, const void *result, const char *result_name) {
  TRY(status_need(comm, function, "comm"));
  mlpd_status status = status_need(model, function, "model");
  if (status == MLPD_OK) status = status_need(data, function, "data");
  if (status == MLPD_OK) status = status_need(result, function, result_name);
  return mlpd_comm_agree(comm, status);
}

static void print_path(FILE *out, const char *key, const char *path) {
  (void)fprintf(out, "%s = %s\n", key, path != NULL ? path : "");
}

static void print_paths(FILE *out, const mlpd_data_paths *paths) {
  print_path(out, "x", paths->x);
  print_path(out, "y", paths->y);
  print_path(out, "weight", paths->weight);
  print_path(out, "valid-x", paths->valid_x);
  print_path(out, "valid-y", paths->valid_y);
  print_path(out, "test-x", paths->test_x);
  print_path(out, "test-y", paths->test_y);
}

mlpd_status model_agreement_check(mlpd_comm *comm, const backend *gemm, const mlpd_model *model,
                                  const mlpd_data_paths *data, mlpd_split split, const char *asked) {
  char notice[AGREEMENT_NOTICE_BYTES], *text = NULL;
  size_t bytes = 0;
  model_hashes hashes;
  mlpd_model used = *model; /* without the options of its training: they may name different folders on each rank */
  used.config = NULL;
  TRY(mlpd_comm_agree(comm, model_hash(&used, &hashes)));
  FILE *const out = open_memstream(&text, &bytes);
  bool written = out != NULL;
  if (out != NULL) {
    (void)fprintf(out, "command = %s\n", asked);
    (void)fprintf(out, "digest of the model = %s\nchecksum of its other parts = %s\nsplit = %s\n", hashes.digest,
                  hashes.checksum, mlpd_choice_name(mlpd_split_choices, (int)split));
    print_paths(out, data);
    written = ferror(out) == 0;
    if (fclose(out) != 0) written = false;
  }
  mlpd_status status = written ? MLPD_OK : FAIL(MLPD_ERROR_MEMORY, "out of memory, writing the options as text");
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = agreement_of_process(comm, gemm, text, notice);
  free(text);
  return status;
}
