/* Import of the JSON file that export wrote: a description of a model with all its tensors. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/import.h"
#include "import/import_described.h"

static mlpd_status read_stream(FILE *stream, char **text, size_t *bytes) {
  long size = -1;
  if (fseek(stream, 0, SEEK_END) == 0) size = ftell(stream);
  if (size < 0 || fseek(stream, 0, SEEK_SET) != 0) return FAIL(MLPD_ERROR_FILE, "cannot be read: %s", strerror(errno));
  TRY(memory_allocate(text, (size_t)size + 1, 1, "the JSON file"));
  *bytes = fread(*text, 1, (size_t)size, stream);
  return *bytes == (size_t)size ? MLPD_OK : FAIL(MLPD_ERROR_FILE, "cannot be read, or has changed");
}

mlpd_status import_json(const char *path, const mlpd_import_options *options, import_chain *chain) {
  char *text = NULL;
  size_t bytes = 0;
  (void)options;
  FILE *const stream = fopen(path, "rb");
  if (stream == NULL) return FAIL(MLPD_ERROR_FILE, "cannot be opened: %s", strerror(errno));
  mlpd_status status = read_stream(stream, &text, &bytes);
  (void)fclose(stream);
  if (status == MLPD_OK) status = import_described(text, bytes, bytes, NULL, NULL, &chain->described);
  free(text);
  return status;
}
