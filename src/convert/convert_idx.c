#include "convert/convert_idx.h"

enum { IDX_RANK_MOST = 8 };

typedef struct idx_type {
  uint8_t code;
  element_type type;
} idx_type;

static const idx_type types[] = {{0x08, ELEMENT_U8},  {0x09, ELEMENT_I8},  {0x0B, ELEMENT_I16},
                                 {0x0C, ELEMENT_I32}, {0x0D, ELEMENT_F32}, {0x0E, ELEMENT_F64}};

/* The header is 0, 0, type, rank (a byte each), then `rank` dimensions of 32 bits, big-endian. */
mlpd_status idx_header(input *in, array_header *header) {
  uint8_t magic[4], bytes[4 * IDX_RANK_MOST];
  size_t got = 0;
  TRY(input_read(in, magic, sizeof magic, &got));
  const int rank = magic[3];
  if (got != sizeof magic || rank < 1 || rank > IDX_RANK_MOST)
    return FAIL(MLPD_ERROR_DATA, "%s: the IDX header has %d dimensions; 1 to %d are supported", input_name(in), rank,
                IDX_RANK_MOST);
  bool known = false;
  for (size_t i = 0; i < sizeof types / sizeof types[0] && !known; i++) {
    known = types[i].code == magic[2];
    header->type = types[i].type;
  }
  if (!known) return FAIL(MLPD_ERROR_DATA, "%s: the IDX header has unknown type 0x%02X", input_name(in), magic[2]);
  TRY(input_read(in, bytes, 4 * (size_t)rank, &got));
  if (got != 4 * (size_t)rank) return FAIL(MLPD_ERROR_DATA, "%s: the IDX header is cut short", input_name(in));
  uint64_t dimensions[IDX_RANK_MOST];
  for (int i = 0; i < rank; i++) {
    const uint8_t *b = bytes + 4 * i;
    dimensions[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
  }
  header->bytes = 4 + 4 * (uint64_t)rank;
  header->stored_size = element_size(header->type);
  header->half = header->column_major = false;
  header->text = ARRAY_NUMBERS;
  header->image = true;
  header->swap = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && header->stored_size > 1;
  return array_fold(input_name(in), dimensions, rank, header);
}
