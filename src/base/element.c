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
