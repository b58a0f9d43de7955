/* Files of other kinds (CSV, IDX, NPY, NPZ) through mlpd_convert: written whole, or refused by name with nothing left.
 */
#include <unistd.h>

#include "fuzz.h"
#include "mlpdist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const labels[] = {NULL, "none", "0", "label"}, *const headers[] = {"auto", "yes", "no", "auto"};
  static const mlpd_task tasks[] = {MLPD_TASK_AUTO, MLPD_CLASSIFICATION, MLPD_REGRESSION, MLPD_TASK_AUTO};
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const char *const path = fuzz_write("input", data + 1, size - 1), *const out = fuzz_path("out.h5");
  const char *const inputs[] = {path, path}; /* train and test, or x and y */
  mlpd_convert_options options;
  mlpd_convert_options_default(&options);
  options.inputs = inputs;
  options.num_inputs = choice & 1 ? 2 : 1;
  options.out = out;
  options.label = labels[choice >> 1 & 3];
  options.header = headers[choice >> 3 & 3];
  options.task = tasks[choice >> 5 & 3];
  options.valid_fraction = choice & 128 ? 0.25 : 0;
  /* Of options beside those that the first byte chooses, the size of the input chooses. */
  static const char *const ignored[] = {NULL, "0,x*,2-3", NULL, "wid..label"}, *const kept[] = {NULL, NULL, "0-2",
                                                                                                NULL};
  options.ignore = ignored[size & 3];
  options.columns = kept[size >> 1 & 3];
  options.decimal = size % 5 == 1 ? "comma" : "auto";
  options.thousands = size % 7 == 1 ? '\'' : '\0';
  options.dates = size % 13 == 1 ? "mdy" : NULL;
  options.missing = size % 3 == 1 ? "none,-9" : NULL;
  options.drop_missing = size % 3 > 0;
  options.skip_lines = size % 11 == 1;
  mlpd_convert_result result;
  const mlpd_status status = mlpd_convert(&options, &result);
  const char *const message = mlpd_error_message();
  if (status == MLPD_OK)
    FUZZ_ASSERT(result.features > 0 && result.train_rows + result.test_rows > 0 && access(out, R_OK) == 0,
                "a conversion of nothing");
  else if (status == MLPD_ERROR_USAGE) /* options that do not go with the input */
    FUZZ_ASSERT(message[0] != '\0' && access(out, F_OK) != 0, "no message, or a file in spite of a failure");
  else
    fuzz_check_message(message, path);
  FUZZ_ASSERT(status == MLPD_OK || access(out, F_OK) != 0, "a file in spite of a failure");
  (void)unlink(out);
  return 0;
}
