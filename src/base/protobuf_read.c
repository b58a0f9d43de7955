#include "base/protobuf_read.h"

#include <string.h>

enum { MOST_SHIFT = 63 };

static mlpd_status cut_off(void) { return FAIL(MLPD_ERROR_DATA, "the file is damaged: a field is cut off"); }

mlpd_status protobuf_next_integer(protobuf_slice *rest, uint64_t *value) {
  *value = 0;
  for (unsigned shift = 0; shift <= MOST_SHIFT; shift += 7) {
    if (rest->count == 0) return cut_off();
    const unsigned char byte = *rest->bytes++;
    rest->count--;
    *value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return MLPD_OK;
  }
  return FAIL(MLPD_ERROR_DATA, "the file is damaged: a number has more than 64 bits");
}

static mlpd_status take(protobuf_slice *rest, uint64_t count, protobuf_slice *taken) {
  if (count > rest->count) return cut_off();
  *taken = (protobuf_slice){rest->bytes, (size_t)count};
  rest->bytes += count;
  rest->count -= (size_t)count;
  return MLPD_OK;
}

/* The lowest byte first. */
static uint64_t bits_of(protobuf_slice slice) {
  uint64_t bits = 0;
  for (size_t i = slice.count; i > 0; i--) bits = bits << 8 | slice.bytes[i - 1];
  return bits;
}

static mlpd_status read_content(protobuf_slice *rest, protobuf_field *field) {
  uint64_t length = 0;
  switch (field->wire) {
    case PROTOBUF_VARINT:
      return protobuf_next_integer(rest, &field->value);
    case PROTOBUF_BYTES:
      TRY(protobuf_next_integer(rest, &length));
      return take(rest, length, &field->slice);
    case PROTOBUF_FIXED32:
    case PROTOBUF_FIXED64:
      TRY(take(rest, field->wire == PROTOBUF_FIXED32 ? 4 : 8, &field->slice));
      field->value = bits_of(field->slice);
      return MLPD_OK;
    default:
      return FAIL(MLPD_ERROR_DATA, "the file is damaged, or of another kind: a field is of type %d", (int)field->wire);
  }
}

static mlpd_status read_field(protobuf_slice *rest, protobuf_field *field) {
  uint64_t tag = 0;
  *field = (protobuf_field){0};
  TRY(protobuf_next_integer(rest, &tag));
  field->number = (uint32_t)(tag >> 3);
  field->wire = (protobuf_wire)(tag & 7);
  if (field->number == 0 || tag >> 3 > UINT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "the file is damaged, or of another kind: no field has this number");
  return read_content(rest, field);
}

mlpd_status protobuf_visit(protobuf_slice message, protobuf_visitor *visit, void *context) {
  while (message.count > 0) {
    protobuf_field field;
    TRY(read_field(&message, &field));
    TRY(visit(context, &field));
  }
  return MLPD_OK;
}

float protobuf_as_float(const protobuf_field *field) {
  const uint32_t bits = (uint32_t)field->value;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

bool protobuf_slices_equal(protobuf_slice a, protobuf_slice b) {
  return a.count == b.count && (a.count == 0 || memcmp(a.bytes, b.bytes, a.count) == 0);
}

bool protobuf_slice_is(protobuf_slice slice, const char *text) {
  return protobuf_slices_equal(slice, (protobuf_slice){(const unsigned char *)text, strlen(text)});
}
