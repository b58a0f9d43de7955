#include "base/element.h"

#include <stdint.h>

typedef struct element_info {
  const char *name;
  size_t size; /* bytes */
  bool is_integer;
} element_info;

static const element_info infos[NUM_ELEMENT_TYPES] = {
    [ELEMENT_I8] = {"int8", sizeof(int8_t), true},     [ELEMENT_U8] = {"uint8", sizeof(uint8_t), true},
    [ELEMENT_I16] = {"int16", sizeof(int16_t), true},  [ELEMENT_U16] = {"uint16", sizeof(uint16_t), true},
    [ELEMENT_I32] = {"int32", sizeof(int32_t), true},  [ELEMENT_U32] = {"uint32", sizeof(uint32_t), true},
    [ELEMENT_I64] = {"int64", sizeof(int64_t), true},  [ELEMENT_U64] = {"uint64", sizeof(uint64_t), true},
    [ELEMENT_F32] = {"float32", sizeof(float), false}, [ELEMENT_F64] = {"float64", sizeof(double), false},
};

size_t element_size(element_type type) { return infos[type].size; }

const char *element_name(element_type type) { return infos[type].name; }

bool element_is_integer(element_type type) { return infos[type].is_integer; }

bool element_is_unsigned(element_type type) {
  return type == ELEMENT_U8 || type == ELEMENT_U16 || type == ELEMENT_U32 || type == ELEMENT_U64;
}

/* One case for each type. */
#define EACH_TYPE(DO)       \
  DO(ELEMENT_I8, int8_t)    \
  DO(ELEMENT_U8, uint8_t)   \
  DO(ELEMENT_I16, int16_t)  \
  DO(ELEMENT_U16, uint16_t) \
  DO(ELEMENT_I32, int32_t)  \
  DO(ELEMENT_U32, uint32_t) \
  DO(ELEMENT_I64, int64_t)  \
  DO(ELEMENT_U64, uint64_t) \
  DO(ELEMENT_F32, float)    \
  DO(ELEMENT_F64, double)

double element_get(element_type type, const void *values, size_t i) {
#define GET(element, type) \
  case element:            \
    return (double)((const type *)values)[i];
  switch (type) {
    EACH_TYPE(GET)
    case NUM_ELEMENT_TYPES:
      break;
  }
  return 0;
}

void element_set(element_type type, void *values, size_t i, double value) {
#define SET(element, type)             \
  case element:                        \
    ((type *)values)[i] = (type)value; \
    break;
  switch (type) {
    EACH_TYPE(SET)
    case NUM_ELEMENT_TYPES:
      break;
  }
}
