/* Arrays of inputs that become sources of rows. */
#include <string.h>

#include "convert/convert_open.h"
#include "convert/convert_pair.h"

bool source_wants_no_label(const mlpd_convert_options *options) {
  return options->unlabelled || (options->label != NULL && strcmp(options->label, "none") == 0);
}

mlpd_status source_open_pair(input *first, input *second, bool unordered, meter *m, source **opened) {
  input_array *x = NULL, *y = NULL;
  mlpd_status status = array_open(first, &x);
  if (status != MLPD_OK) {
    input_close(second);
    return status;
  }
  if (second != NULL) status = array_open(second, &y);
  if (status != MLPD_OK) {
    array_close(x);
    return status;
  }
  const bool x_is_text = x->header.text != ARRAY_NUMBERS, y_is_text = y != NULL && y->header.text != ARRAY_NUMBERS;
  const bool looks_like_y = x_is_text != y_is_text ? x_is_text : x->header.rank == 1 && y != NULL && y->header.rank > 1;
  if (unordered && y != NULL && looks_like_y) {
    input_array *swapped = x;
    x = y;
    y = swapped;
  }
  return pair_source_open(x, y, m, opened);
}

mlpd_status source_open_column(input *in, const mlpd_convert_options *options, meter *m, source **opened) {
  input_array *array;
  TRY(array_open(in, &array));
  return column_source_open(array, options->label, false, m, opened);
}

mlpd_status source_open_features(input *in, const mlpd_convert_options *options, meter *m, source **opened) {
  input_array *array;
  TRY(array_open(in, &array));
  const array_header *const h = &array->header;
  const uint64_t wanted = options->num_model_columns;
  if (wanted > 0 && h->text == ARRAY_NUMBERS && !h->image && h->columns == wanted + 1)
    return column_source_open(array, options->label, true, m, opened);
  return pair_source_open(array, NULL, m, opened);
}

mlpd_status source_holds_targets(input *in, const mlpd_convert_options *options, bool *targets) {
  array_header h = {.rank = 0};
  TRY(array_header_of(in, &h));
  *targets = h.text != ARRAY_NUMBERS || (h.rank == 1 && options->num_model_columns > 1);
  return MLPD_OK;
}
