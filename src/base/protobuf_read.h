/* Reads messages of Protocol Buffers where they lie in memory; damaged ones end with a status. Nothing here is
 * collective. */
#ifndef MLPDIST_PROTOBUF_READ_H
#define MLPDIST_PROTOBUF_READ_H

#include <stddef.h>

#include "base/status.h"

/* A part of a message: text without a final 0, a nested message, packed numbers. */
typedef struct protobuf_slice {
  const unsigned char *bytes;
  size_t count;
} protobuf_slice;

typedef enum protobuf_wire {
  PROTOBUF_VARINT = 0,
  PROTOBUF_FIXED64 = 1,
  PROTOBUF_BYTES = 2,
  PROTOBUF_FIXED32 = 5
} protobuf_wire;

typedef struct protobuf_field {
  uint32_t number;
  protobuf_wire wire;
  uint64_t value;       /* of numbers: their bits */
  protobuf_slice slice; /* of bytes; of fixed numbers their bytes, too */
} protobuf_field;

/* Calls visit for each field of a message until it fails. MLPD_ERROR_DATA for what is no message. */
typedef mlpd_status protobuf_visitor(void *context, const protobuf_field *field);
mlpd_status protobuf_visit(protobuf_slice message, protobuf_visitor *visit, void *context);

/* Takes the first varint off rest: of packed integers. */
mlpd_status protobuf_next_integer(protobuf_slice *rest, uint64_t *value);

/* The bits of a field as a number. */
float protobuf_as_float(const protobuf_field *field);

bool protobuf_slice_is(protobuf_slice slice, const char *text);
bool protobuf_slices_equal(protobuf_slice a, protobuf_slice b);

#endif
