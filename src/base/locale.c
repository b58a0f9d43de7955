#define _GNU_SOURCE
#include "base/locale.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make(void) { c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

locale_t locale_enter(void) {
  (void)pthread_once(&once, make);
  return c_locale != (locale_t)0 ? uselocale(c_locale) : (locale_t)0;
}

void locale_leave(const locale_t *former) {
  if (*former != (locale_t)0) (void)uselocale(*former);
}
