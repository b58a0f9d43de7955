#include "run/train_agreement.h"

#include <stdlib.h>

#include "options/option_text.h"
#include "prepare/init_from.h"
#include "ranks/comm.h"

static mlpd_status training_text(const mlpd_train_options *options, char **text) {
  size_t bytes = 0;
  FILE *const out = open_memstream(text, &bytes);
  bool written = out != NULL;
  char digest[INIT_FROM_DIGEST_BYTES] = "";
  const mlpd_status hashed = init_source_digest(options->init_model, digest);
  if (out != NULL) {
    option_text_course(options, out);
    (void)fprintf(out, "digest of init-from = %s\n", digest);
    (void)fprintf(out, "trace = %s\n", options->trace != NULL ? "yes" : "no"); /* all write it, or none */
    (void)fprintf(out, "out = %s\nrows in memory = %s\n", options->out != NULL ? "yes" : "no",
                  options->data.rows != NULL ? "yes" : "no");
    written = ferror(out) == 0;
    if (fclose(out) != 0) written = false;
  }
  if (hashed != MLPD_OK) return hashed;
  return written ? MLPD_OK : FAIL(MLPD_ERROR_MEMORY, "out of memory, writing the options as text");
}

mlpd_status train_agreement_check(mlpd_comm *comm, const backend *gemm, const mlpd_train_options *options,
                                  char *notice) {
  char *text = NULL;
  mlpd_status status = mlpd_comm_agree(comm, training_text(options, &text));
  if (status == MLPD_OK) status = agreement_of_process(comm, gemm, text, notice);
  free(text);
  if (options->reduce != MLPD_REDUCE_CANONICAL) notice[0] = '\0';
  return status;
}
