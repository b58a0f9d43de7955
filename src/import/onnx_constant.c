#include "import/onnx_constant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "base/memory.h"
#include "import/onnx_attribute.h"
#include "import/onnx_external.h"

/* The fields of an array; numbers may be raw, or of a list, packed or each a field of its own. */
typedef struct array_reader {
  uint64_t shape[2];
  uint32_t rank;
  uint64_t type, count; /* count: of all dimensions, at most 2^31 */
  protobuf_slice raw;
  bool is_external; /* its numbers lie in another file */
  onnx_external external;
  double *values; /* NULL: only looking */
  uint64_t filled;
} array_reader;

static mlpd_status add_dimension(array_reader *a, uint64_t size) {
  if (a->rank < 2) a->shape[a->rank] = size;
  a->rank++;
  if (size > INT32_MAX || a->count * size > INT32_MAX)
    return FAIL(MLPD_ERROR_DATA, "the file is damaged: an array has more elements than the file has bytes");
  a->count *= size;
  return MLPD_OK;
}

static mlpd_status read_head(void *context, const protobuf_field *field) {
  array_reader *const a = context;
  protobuf_slice rest = field->slice;
  if (field->number == ONNX_ARRAY_DIMENSION && field->wire == PROTOBUF_VARINT) return add_dimension(a, field->value);
  while (field->number == ONNX_ARRAY_DIMENSION && rest.count > 0) {
    uint64_t size = 0;
    TRY(protobuf_next_integer(&rest, &size));
    TRY(add_dimension(a, size));
  }
  if (field->number == ONNX_ARRAY_TYPE) a->type = field->value;
  if (field->number == ONNX_ARRAY_RAW) a->raw = field->slice;
  if (field->number == ONNX_ARRAY_PLACE) a->is_external = field->value == ONNX_PLACE_EXTERNAL;
  if (field->number == ONNX_ARRAY_EXTERNAL) return onnx_external_entry(field->slice, &a->external);
  return MLPD_OK;
}

/* ---- Numbers ----------------------------------------------------------------------------------------- */

/* Bytes of an element in raw data; 0: import takes no such numbers. */
static size_t type_size(uint64_t type) {
  switch (type) {
    case ONNX_DOUBLE:
    case ONNX_INT64:
      return 8;
    case ONNX_FLOAT:
    case ONNX_INT32:
      return 4;
    case ONNX_HALF:
    case ONNX_BFLOAT16:
      return 2;
    case ONNX_BOOL:
      return 1;
    default:
      return 0;
  }
}

/* A number of the array's type from its bits. */
static double from_bits(uint64_t type, uint64_t bits) {
  const uint32_t low = (uint32_t)bits;
  float single;
  double number;
  memcpy(&single, &low, sizeof single);
  memcpy(&number, &bits, sizeof number);
  if (type == ONNX_INT64) return (double)(int64_t)bits;
  if (type == ONNX_INT32) return (double)(int32_t)low;
  if (type == ONNX_BOOL) return bits != 0;
  if (type == ONNX_HALF) return half_to_double((uint16_t)bits);
  if (type == ONNX_BFLOAT16) return half_from_bfloat16((uint16_t)bits);
  return type == ONNX_DOUBLE ? number : (double)single;
}

static void take_bits(array_reader *a, uint64_t bits) {
  if (a->filled < a->count) a->values[a->filled++] = from_bits(a->type, bits);
}

/* Adds numbers that lie together, the lowest byte first. */
static void take_numbers(array_reader *a, protobuf_slice slice) {
  const size_t size = type_size(a->type);
  for (size_t i = 0; i + size <= slice.count && a->filled < a->count; i += size) {
    uint64_t bits = 0;
    memcpy(&bits, slice.bytes + i, size);
    take_bits(a, bits);
  }
}

static mlpd_status read_numbers(void *context, const protobuf_field *field) {
  array_reader *const a = context;
  const bool whole = a->type != ONNX_FLOAT && a->type != ONNX_DOUBLE;
  protobuf_slice rest = field->slice;
  if (!whole && field->number == (a->type == ONNX_FLOAT ? ONNX_ARRAY_FLOATS : ONNX_ARRAY_DOUBLES))
    take_numbers(a, field->slice);
  if (!whole || field->number != (a->type == ONNX_INT64 ? ONNX_ARRAY_INT64S : ONNX_ARRAY_INT32S)) return MLPD_OK;
  if (field->wire == PROTOBUF_VARINT) take_bits(a, field->value);
  while (field->wire == PROTOBUF_BYTES && rest.count > 0) {
    uint64_t bits = 0;
    TRY(protobuf_next_integer(&rest, &bits));
    take_bits(a, bits);
  }
  return MLPD_OK;
}

/* A varint takes a byte at least. */
static mlpd_status check_array(const array_reader *a, protobuf_slice message) {
  const bool fixed = a->raw.count > 0 || a->type == ONNX_FLOAT || a->type == ONNX_DOUBLE;
  if (type_size(a->type) == 0)
    return FAIL(MLPD_ERROR_DATA,
                "an array is of ONNX type %llu; import takes float, double, half, bfloat16, int32, int64 and bool",
                (unsigned long long)a->type);
  if (!a->is_external && a->count * (fixed ? type_size(a->type) : 1) > message.count)
    return FAIL(MLPD_ERROR_DATA, "the file is damaged: an array has more elements than the file has bytes");
  return MLPD_OK;
}

/* Reads the numbers that lie in another file. *bytes: to be freed after use. */
static mlpd_status read_external(const onnx_file *file, array_reader *a, unsigned char **bytes) {
  const uint64_t size = a->count * type_size(a->type);
  *bytes = NULL;
  if (!a->is_external) return MLPD_OK;
  TRY(onnx_external_read(file, &a->external, size, bytes));
  a->raw = (protobuf_slice){*bytes, size};
  return MLPD_OK;
}

static mlpd_status fill_array(protobuf_slice message, array_reader *a, onnx_constant *made) {
  TRY(memory_allocate(&a->values, a->count, sizeof *a->values, "weights"));
  *made = (onnx_constant){.rows = a->rank == 2  ? a->shape[0]
                                  : a->rank > 2 ? 0
                                                : 1,
                          .columns = a->rank == 2 ? a->shape[1] : a->count,
                          .count = a->count,
                          .values = a->values};
  take_numbers(a, a->raw);
  TRY(protobuf_visit(message, read_numbers, a));
  return a->filled == a->count ? MLPD_OK : FAIL(MLPD_ERROR_DATA, "the file is damaged: an array is cut off");
}

static mlpd_status read_array(const onnx_file *file, protobuf_slice message, onnx_constant *made) {
  array_reader a = {.count = 1};
  unsigned char *bytes = NULL;
  TRY(protobuf_visit(message, read_head, &a));
  TRY(check_array(&a, message));
  mlpd_status status = read_external(file, &a, &bytes);
  if (status == MLPD_OK) status = fill_array(message, &a, made);
  free(bytes);
  return status;
}

mlpd_status onnx_arrays_equal(const onnx_file *file, const onnx_named *array, const onnx_file *other_file,
                              const onnx_named *other, bool *equal) {
  array_reader a = {.count = 1}, b = {.count = 1};
  onnx_constant one = {0}, two = {0};
  *equal = protobuf_slices_equal(array->content, other->content);
  if (*equal) return MLPD_OK;
  TRY(protobuf_visit(array->content, read_head, &a));
  TRY(protobuf_visit(other->content, read_head, &b));
  if (a.type != b.type || type_size(a.type) == 0 || a.rank != b.rank || a.count != b.count ||
      memcmp(a.shape, b.shape, sizeof a.shape) != 0)
    return MLPD_OK;
  mlpd_status status = read_array(file, array->content, &one);
  if (status == MLPD_OK) status = read_array(other_file, other->content, &two);
  *equal = status == MLPD_OK && memcmp(one.values, two.values, one.count * sizeof *one.values) == 0;
  free(one.values);
  free(two.values);
  return status;
}

static mlpd_status transpose(onnx_constant *c) {
  double *turned = NULL;
  if (c->rows == 0 || c->columns == 0)
    return FAIL(MLPD_ERROR_DATA, "it transposes a constant of more than two dimensions, or without elements");
  TRY(memory_allocate(&turned, c->count, sizeof *turned, "weights"));
  for (uint64_t i = 0; i < c->rows; i++)
    for (uint64_t j = 0; j < c->columns; j++) turned[j * c->rows + i] = c->values[i * c->columns + j];
  free(c->values);
  *c = (onnx_constant){.rows = c->columns, .columns = c->rows, .count = c->count, .values = turned};
  return MLPD_OK;
}

/* A matrix is transposed unless perm says that its rows stay first. */
static mlpd_status find_turn(const onnx_node *node, bool *turned) {
  onnx_attribute perm;
  bool found;
  TRY(onnx_attribute_find(node, "perm", &perm, &found));
  if (!perm.has_first || perm.first != 0) *turned = !*turned;
  return MLPD_OK;
}

/* The numbers of a node Constant without an array. */
static mlpd_status read_listed(const onnx_node *node, bool *found, onnx_constant *made) {
  static const char *const names[] = {"value_float", "value_int"};
  name_list list = {0};
  onnx_attribute value;
  for (int i = 0; i < 2; i++) {
    TRY(onnx_attribute_find(node, names[i], &value, found));
    if (!*found) continue;
    *made = (onnx_constant){.rows = 1, .columns = 1, .count = 1};
    TRY(memory_allocate(&made->values, 1, sizeof *made->values, "constants"));
    made->values[0] = i == 0 ? value.number : (double)value.integer;
    return MLPD_OK;
  }
  TRY(onnx_attribute_floats(node, "value_floats", &made->values, &made->count));
  mlpd_status status = made->count > 0 ? MLPD_OK : onnx_attribute_texts(node, "value_ints", &list);
  if (status == MLPD_OK && list.count > 0) {
    free(made->values);
    made->count = list.count;
    status = memory_allocate(&made->values, made->count, sizeof *made->values, "constants");
    for (uint32_t i = 0; status == MLPD_OK && i < list.count; i++) made->values[i] = strtod(list.names[i], NULL);
  }
  name_list_free(&list);
  made->rows = 1;
  made->columns = made->count;
  *found = made->count > 0;
  return status;
}

/* Finds the array behind a name, or the node Constant that lists its numbers; *turned: it is transposed on the way. */
static mlpd_status find_array(const onnx_file *file, protobuf_slice name, protobuf_slice *array,
                              const onnx_node **lists, bool *turned) {
  enum { MOST_STEPS = 8 };
  *array = (protobuf_slice){0};
  *lists = NULL;
  *turned = false;
  for (int step = 0; step < MOST_STEPS; step++) {
    const onnx_named *const held = onnx_held_array(file, name);
    const onnx_node *const maker = held == NULL ? onnx_maker(file, name) : NULL;
    if (held != NULL) *array = held->content;
    if (maker == NULL) return MLPD_OK;
    if (protobuf_slice_is(maker->op, "Constant")) {
      onnx_attribute value;
      bool found;
      TRY(onnx_attribute_find(maker, "value", &value, &found));
      *array = value.array;
      if (!found) *lists = maker;
      return MLPD_OK;
    }
    if (protobuf_slice_is(maker->op, "Transpose"))
      TRY(find_turn(maker, turned));
    else if (!protobuf_slice_is(maker->op, "Identity") && !protobuf_slice_is(maker->op, "Cast") &&
             !protobuf_slice_is(maker->op, "CastLike"))
      return MLPD_OK;
    if (maker->num_inputs == 0) return MLPD_OK;
    name = maker->inputs[0];
  }
  return MLPD_OK;
}

mlpd_status onnx_constant_read(const onnx_file *file, protobuf_slice name, bool *found, onnx_constant *made) {
  protobuf_slice array;
  const onnx_node *lists;
  bool turned;
  *made = (onnx_constant){0};
  TRY(find_array(file, name, &array, &lists, &turned));
  *found = array.count > 0;
  if (!*found && lists == NULL) return MLPD_OK;
  mlpd_status status = lists != NULL ? read_listed(lists, found, made) : read_array(file, array, made);
  if (status == MLPD_OK && turned) status = transpose(made);
  if (status == MLPD_OK) return MLPD_OK;
  free(made->values);
  *made = (onnx_constant){0};
  return status;
}

/* ---- Texts ------------------------------------------------------------------------------------------- */

static mlpd_status read_text(void *context, const protobuf_field *field) {
  return field->number == ONNX_ARRAY_TEXTS ? onnx_add_text(field->slice, context) : MLPD_OK;
}

mlpd_status onnx_constant_number(const onnx_file *file, protobuf_slice name, double *number) {
  onnx_constant c;
  bool found = false;
  TRY(onnx_constant_read(file, name, &found, &c));
  *number = found && c.count == 1 ? c.values[0] : NAN;
  free(c.values);
  return MLPD_OK;
}

mlpd_status onnx_constant_texts(const onnx_file *file, protobuf_slice name, name_list *list) {
  const onnx_named *const held = onnx_held_array(file, name);
  array_reader head = {.count = 1};
  onnx_constant c = {0};
  if (held == NULL) return MLPD_OK;
  TRY(protobuf_visit(held->content, read_head, &head));
  if (head.type == ONNX_TEXT) return protobuf_visit(held->content, read_text, list);
  mlpd_status status = read_array(file, held->content, &c);
  for (uint64_t i = 0; status == MLPD_OK && i < c.count; i++) {
    char text[32];
    (void)snprintf(text, sizeof text, "%.0f", c.values[i]);
    status = name_list_add(list, text);
  }
  free(c.values);
  return status;
}
