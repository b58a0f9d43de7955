/* Element types: the types of a data set's x, in files and in memory. Nothing here is collective. */
#ifndef MLPDIST_ELEMENT_H
#define MLPDIST_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum element_type {
  ELEMENT_I8,
  ELEMENT_U8,
  ELEMENT_I16,
  ELEMENT_U16,
  ELEMENT_I32,
  ELEMENT_U32,
  ELEMENT_I64,
  ELEMENT_U64,
  ELEMENT_F32,
  ELEMENT_F64,
  NUM_ELEMENT_TYPES
} element_type;

size_t element_size(element_type type);      /* bytes */
const char *element_name(element_type type); /* "uint8", "float32", ... static */
bool element_is_integer(element_type type);
bool element_is_unsigned(element_type type);

/* Value i of an array of type; 64-bit integers are rounded. Setting one, it must be in the type's range. */
double element_get(element_type type, const void *values, size_t i);
void element_set(element_type type, void *values, size_t i, double value);

#endif
