/* A temporary folder for each test that writes files, and messages for failures. */
#ifndef MLPDIST_TEMPORARY_FOLDER_H
#define MLPDIST_TEMPORARY_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include "base/file.h"

static char folder[64]; /* folder of the current test */

/* The path of name in folder; valid for the next seven calls. */
static const char *in_folder(const char *name) {
  static char paths[8][FILE_PATH_BYTES];
  static int next = 0;
  next = (next + 1) % 8;
  (void)snprintf(paths[next], FILE_PATH_BYTES, "%s/%s", folder, name);
  return paths[next];
}

static int setup(void **state) {
  (void)state;
  (void)snprintf(folder, sizeof folder, "/tmp/mlpdist_test_XXXXXX");
  return mkdtemp(folder) == NULL;
}

static int teardown(void **state) {
  (void)state;
  char command[128];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
  return system(command);
}

#define assert_ok(expression)                                                                                    \
  do {                                                                                                           \
    if ((expression) != MLPD_OK) fail_msg("%s: %s (%s)", #expression, mlpd_error_message(), mlpd_error_place()); \
  } while (0)

#endif
