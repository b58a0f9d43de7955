#include "base/protobuf.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5, MOST_VARINT = 10 };

#define MOST_BYTES ((size_t)INT32_MAX)

void protobuf_free(protobuf *p) {
  free(p->bytes);
  *p = (protobuf){0};
}

/* Makes room for count bytes more. */
static bool reserve(protobuf *p, size_t count) {
  if (!p->failed) p->failed = p->too_large = count > MOST_BYTES - p->count;
  if (p->failed) return false;
  if (count <= p->capacity - p->count) return true;
  size_t capacity = p->capacity > 0 ? p->capacity : 256;
  while (capacity - p->count < count) capacity *= 2; /* 2 GiB at most */
  unsigned char *const bytes = realloc(p->bytes, capacity);
  p->failed = bytes == NULL;
  if (p->failed) return false;
  p->bytes = bytes;
  p->capacity = capacity;
  return true;
}

static void add(protobuf *p, const void *bytes, size_t count) {
  if (count == 0 || !reserve(p, count)) return;
  memcpy(p->bytes + p->count, bytes, count);
  p->count += count;
}

/* Seven bits a byte, the lowest first; the highest bit tells that more follow. */
static size_t make_varint(uint64_t value, unsigned char made[MOST_VARINT]) {
  size_t count = 0;
  for (; value > 127; value >>= 7) made[count++] = (unsigned char)(value | 128);
  made[count++] = (unsigned char)value;
  return count;
}

static void add_varint(protobuf *p, uint64_t value) {
  unsigned char made[MOST_VARINT];
  add(p, made, make_varint(value, made));
}

static void add_tag(protobuf *p, uint32_t field, unsigned wire) { add_varint(p, (uint64_t)field << 3 | wire); }

/* The lowest byte first, whatever the machine's order is. */
static void add_fixed(protobuf *p, uint64_t bits, size_t count) {
  unsigned char made[sizeof bits];
  for (size_t i = 0; i < count; i++) made[i] = (unsigned char)(bits >> 8 * i);
  add(p, made, count);
}

void protobuf_integer(protobuf *p, uint32_t field, uint64_t value) {
  add_tag(p, field, VARINT);
  add_varint(p, value);
}

void protobuf_float(protobuf *p, uint32_t field, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  add_tag(p, field, FIXED32);
  add_fixed(p, bits, sizeof bits);
}

void protobuf_double(protobuf *p, uint32_t field, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  add_tag(p, field, FIXED64);
  add_fixed(p, bits, sizeof bits);
}

void protobuf_bytes(protobuf *p, uint32_t field, const void *bytes, size_t count) {
  add_tag(p, field, BYTES);
  add_varint(p, count);
  add(p, bytes, count);
}

void protobuf_text(protobuf *p, uint32_t field, const char *text) { protobuf_bytes(p, field, text, strlen(text)); }

size_t protobuf_open(protobuf *p, uint32_t field) {
  add_tag(p, field, BYTES);
  return p->count;
}

/* The length goes before the content, which moves: how many bytes it needs was not known. */
void protobuf_close(protobuf *p, size_t place) {
  unsigned char made[MOST_VARINT];
  const size_t content = p->count - place, count = make_varint(content, made);
  if (!reserve(p, count)) return;
  memmove(p->bytes + place + count, p->bytes + place, content);
  memcpy(p->bytes + place, made, count);
  p->count += count;
}

void protobuf_append(protobuf *p, const protobuf *fields) {
  add(p, fields->bytes, fields->count);
  p->failed = p->failed || fields->failed;
  p->too_large = p->too_large || fields->too_large;
}
