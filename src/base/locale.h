/* Locale: the library reads and writes numbers and messages in the C locale, whichever locale the host program has
 * set. Not collective. */
#ifndef MLPDIST_LOCALE_H
#define MLPDIST_LOCALE_H

#include <locale.h>

/* Sets the C locale for this thread and returns the former one. May be nested. */
locale_t locale_enter(void);
void locale_leave(const locale_t *former);

/* The first line of public functions that read or write text: the C locale until the function returns. */
#define IN_C_LOCALE() __attribute__((cleanup(locale_leave), unused)) const locale_t former_locale_ = locale_enter()

#endif
