#include "kernels/backend.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "kernels/backend_parts.h"

/* Fastest first. */
static const backend *const backends[] = {
#ifdef __x86_64__
    &backend_native,
#endif
#ifdef HAVE_ONEDNN
    &backend_onednn,
#endif
#ifdef HAVE_CBLAS
    &backend_cblas,
#endif
    &backend_plain,
};

enum { NUM_BACKENDS = sizeof backends / sizeof backends[0] };

static const char *names[NUM_BACKENDS + 1];

static void list_names(void) {
  for (int i = 0; i < NUM_BACKENDS; i++) names[i] = backends[i]->name;
}

const char *const *mlpd_backend_names(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, list_names);
  return names;
}

/* Predictors may be created in any thread. */
static mlpd_status prepare(const backend *candidate) {
  static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
  if (candidate->prepare == NULL) return MLPD_OK;
  (void)pthread_mutex_lock(&one_at_a_time);
  const mlpd_status status = candidate->prepare();
  (void)pthread_mutex_unlock(&one_at_a_time);
  return status;
}

static mlpd_status fail_unknown(const char *name) {
  char known[128] = "";
  size_t length = 0;
  for (int i = 0; i < NUM_BACKENDS && length < sizeof known; i++)
    length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i == 0 ? "" : ", ", backends[i]->name);
  return FAIL(MLPD_ERROR_USAGE, "unknown back end \"%s\"; built in: %s", name, known);
}

mlpd_status backend_choose(const char *name, const backend **chosen) {
  *chosen = NULL;
  for (int i = 0; i < NUM_BACKENDS; i++) {
    if (name != NULL && strcmp(name, backends[i]->name) != 0) continue;
    const mlpd_status status = prepare(backends[i]);
    /* Without a name, a library that cannot be used is skipped; plain can always be used. */
    if (status != MLPD_OK && name == NULL) continue;
    TRY(status);
    *chosen = backends[i];
    return MLPD_OK;
  }
  return fail_unknown(name);
}
