/* Messages of Protocol Buffers, written into memory: fields are varints, fixed numbers, or bytes with a length; a
 * nested message is bytes. ONNX files and the event files of TensorBoard consist of them. Nothing here is collective.
 *
 * Source: "Protocol Buffers: Encoding", https://protobuf.dev/programming-guides/encoding. */
#ifndef MLPDIST_PROTOBUF_H
#define MLPDIST_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message in the making; all zero: empty. Free with protobuf_free(). */
typedef struct protobuf {
  unsigned char *bytes;
  size_t count, capacity;
  bool failed;    /* nothing more is added, and the content is of no use */
  bool too_large; /* why: more than 2 GiB, the largest message; else for lack of memory */
} protobuf;

void protobuf_free(protobuf *p);

void protobuf_integer(protobuf *p, uint32_t field, uint64_t value); /* int64, bool, enum: not negative */
void protobuf_float(protobuf *p, uint32_t field, float value);
void protobuf_double(protobuf *p, uint32_t field, double value);
void protobuf_bytes(protobuf *p, uint32_t field, const void *bytes, size_t count);
void protobuf_text(protobuf *p, uint32_t field, const char *text);

/* What is added between the two calls is the message of this field. Stores the place that protobuf_close() needs. */
size_t protobuf_open(protobuf *p, uint32_t field);
void protobuf_close(protobuf *p, size_t place);

/* Adds the fields of another message. */
void protobuf_append(protobuf *p, const protobuf *fields);

#endif
