#include "convert/convert_header.h"

mlpd_status array_fold(const char *name, const uint64_t *dimensions, int rank, array_header *header) {
  if (rank < 1) return FAIL(MLPD_ERROR_DATA, "%s: holds a single value, not an array of rows", name);
  header->rank = rank;
  for (int i = 0; i < rank; i++) header->dimensions[i] = dimensions[i];
  header->rows = dimensions[0];
  header->columns = 1;
  for (int i = 1; i < rank; i++) {
    if (dimensions[i] != 0 && header->columns > ARRAY_ROW_BYTES_MOST / dimensions[i])
      return FAIL(MLPD_ERROR_DATA, "%s: the header claims rows of more than %llu values", name,
                  (unsigned long long)ARRAY_ROW_BYTES_MOST);
    header->columns *= dimensions[i];
  }
  if (header->rows == 0 || header->columns == 0)
    return FAIL(MLPD_ERROR_DATA, "%s: the array is empty: %llu rows of %llu values", name,
                (unsigned long long)header->rows, (unsigned long long)header->columns);
  return MLPD_OK;
}
