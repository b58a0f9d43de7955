/* Memory: aligned arrays that start zeroed. */
#ifndef MLPDIST_MEMORY_H
#define MLPDIST_MEMORY_H

#include "base/status.h"

enum { MEMORY_ALIGNMENT = 64 }; /* bytes: a cache line, and an AVX-512 register */

/* Allocates count elements of size bytes, zeroed and 64-byte aligned, at *array (NULL for count 0); what
 * names it in the message of MLPD_ERROR_MEMORY ("activations"). Free with free(). Not collective. */
mlpd_status memory_allocate(void *array, size_t count, size_t size, const char *what);

/* A copy of text at *copy; text NULL gives NULL. Free with free(). Not collective. */
mlpd_status memory_copy_string(const char *text, char **copy);

#endif
