#include "convert/convert_npy.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NPY_RANK_MOST = ARRAY_RANK_MOST, NPY_HEADER_MOST = 65535 /* bytes */ };

/* The rest of the header, a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } */
typedef struct literal {
  const char *at; /* NUL-terminated text */
} literal;

static void skip_blanks(literal *l) {
  while (*l->at == ' ' || *l->at == '\n' || *l->at == '\t' || *l->at == '\r') l->at++;
}

static bool take(literal *l, char c) {
  skip_blanks(l);
  if (*l->at != c) return false;
  l->at++;
  return true;
}

static bool take_word(literal *l, const char *word) {
  skip_blanks(l);
  const size_t length = strlen(word);
  if (strncmp(l->at, word, length) != 0) return false;
  l->at += length;
  return true;
}

static bool take_string(literal *l, char *out, size_t most) {
  skip_blanks(l);
  const char quote = *l->at;
  if (quote != '\'' && quote != '"') return false;
  const char *end = strchr(l->at + 1, quote);
  if (end == NULL || (size_t)(end - l->at - 1) >= most) return false;
  const size_t length = (size_t)(end - l->at - 1);
  memcpy(out, l->at + 1, length);
  out[length] = '\0';
  l->at = end + 1;
  return true;
}

static bool take_shape(literal *l, uint64_t dimensions[NPY_RANK_MOST], int *rank) {
  if (!take(l, '(')) return false;
  for (*rank = 0; !take(l, ')');) {
    skip_blanks(l);
    if (*rank == NPY_RANK_MOST || *l->at < '0' || *l->at > '9') return false;
    uint64_t value = 0;
    for (; *l->at >= '0' && *l->at <= '9'; l->at++) {
      if (value > (UINT64_MAX - 9) / 10) return false;
      value = value * 10 + (uint64_t)(*l->at - '0');
    }
    if (*l->at == 'L') l->at++; /* written by Python 2 */
    dimensions[(*rank)++] = value;
    if (!take(l, ',') && *l->at != ')') return false;
  }
  return true;
}

typedef struct dictionary {
  char descr[32];
  bool has_descr, has_shape, has_order, fortran;
  uint64_t dimensions[NPY_RANK_MOST];
  int rank;
} dictionary;

static bool parse_dictionary(const char *text, dictionary *d) {
  literal l = {.at = text};
  if (!take(&l, '{')) return false;
  while (!take(&l, '}')) {
    char key[32];
    if (!take_string(&l, key, sizeof key) || !take(&l, ':')) return false;
    if (strcmp(key, "descr") == 0) {
      skip_blanks(&l);
      if (*l.at == '[') return (void)strcpy(d->descr, "records"), d->has_descr = true;
      if (!take_string(&l, d->descr, sizeof d->descr)) return false;
      d->has_descr = true;
    } else if (strcmp(key, "fortran_order") == 0) {
      d->fortran = take_word(&l, "True");
      if (!d->fortran && !take_word(&l, "False")) return false;
      d->has_order = true;
    } else if (strcmp(key, "shape") == 0) {
      if (!take_shape(&l, d->dimensions, &d->rank)) return false;
      d->has_shape = true;
    } else {
      return false;
    }
    if (!take(&l, ',') && *l.at != '}') return false;
  }
  return d->has_descr && d->has_order && d->has_shape;
}

typedef struct npy_type {
  const char *code; /* NumPy's code of kind and size, without the byte order */
  element_type type;
  size_t stored_size;
} npy_type;

static const npy_type types[] = {{"b1", ELEMENT_U8, 1},  {"i1", ELEMENT_I8, 1},  {"u1", ELEMENT_U8, 1},
                                 {"i2", ELEMENT_I16, 2}, {"u2", ELEMENT_U16, 2}, {"i4", ELEMENT_I32, 4},
                                 {"u4", ELEMENT_U32, 4}, {"i8", ELEMENT_I64, 8}, {"u8", ELEMENT_U64, 8},
                                 {"?", ELEMENT_U8, 1},   {"f2", ELEMENT_F32, 2}, {"f4", ELEMENT_F32, 4},
                                 {"f8", ELEMENT_F64, 8}};

/* Texts: U is UCS-4, S is bytes; code: "U12". */
static mlpd_status apply_text(const char *name, const char *code, array_header *header) {
  char *end = NULL;
  const unsigned long length = strtoul(code + 1, &end, 10);
  header->text = code[0] == 'U' ? ARRAY_UCS4_TEXT : ARRAY_BYTES_TEXT;
  header->type = ELEMENT_U8;
  header->stored_size = (code[0] == 'U' ? 4 : 1) * (size_t)length;
  if (*end != '\0' || length == 0 || length > ARRAY_TEXT_BYTES || header->stored_size > ARRAY_TEXT_BYTES)
    return FAIL(MLPD_ERROR_DATA, "%s: the array holds texts of type '%s'; a class name has at most 255 bytes", name,
                code);
  return MLPD_OK;
}

static mlpd_status fail_type(const char *name, const char *descr, const char *code) {
  static const struct {
    const char *kinds, *what, *cure;
  } others[] = {
      {"O", "Python objects (a pickle)",
       "if they are texts, save numpy.array(a.tolist()) of it; numbers: a.astype('f8'); both: "
       "pandas.DataFrame(a).to_csv('a.csv', index=False)"},
      {"c", "complex numbers", "save its real and imaginary parts as columns: numpy.stack([a.real, a.imag], -1)"},
      {"M", "dates", "save numbers: a.astype('datetime64[s]').astype('i8')"},
      {"m", "durations", "save numbers: a.astype('timedelta64[s]').astype('i8')"},
      {"fg", "floats wider than 64 bits", "save a.astype('f8')"},
      {"V", "raw bytes", "save a.view('u1') or the like"},
      {"r", "records",
       "save its columns as one array: numpy.lib.recfunctions.structured_to_unstructured(a); with texts among them: "
       "pandas.DataFrame(a).to_csv('a.csv', index=False)"},
      {"", "a type that is not a plain number", "save integers or floats"},
  };
  size_t i = 0;
  while (others[i].kinds[0] != '\0' && (code[0] == '\0' || strchr(others[i].kinds, code[0]) == NULL)) i++;
  return FAIL(MLPD_ERROR_DATA, "%s: the array holds %s (%s); %s", name, others[i].what, descr, others[i].cure);
}

static mlpd_status apply_type(const char *name, const char *descr, array_header *header) {
  const bool ordered = descr[0] != '\0' && strchr("<>|=", descr[0]) != NULL;
  const char *code = ordered ? descr + 1 : descr;
  const char other = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '>' : '<';
  header->text = ARRAY_NUMBERS;
  header->swap = descr[0] == other;
  if ((code[0] == 'U' || code[0] == 'S') && code[1] != '\0') return apply_text(name, code, header);
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (strcmp(types[i].code, code) != 0) continue;
    header->type = types[i].type;
    header->stored_size = types[i].stored_size;
    header->half = strcmp(code, "f2") == 0;
    header->swap = header->swap && header->stored_size > 1;
    return MLPD_OK;
  }
  return fail_type(name, descr, code);
}

mlpd_status npy_header(input *in, array_header *header) {
  const char *name = input_name(in);
  uint8_t start[12];
  size_t got = 0, prefix = 10;
  TRY(input_read(in, start, prefix, &got));
  if (got == prefix && start[6] > 1) {
    size_t more = 0;
    TRY(input_read(in, start + prefix, 2, &more));
    got += more;
    prefix = 12;
  }
  if (got != prefix) return FAIL(MLPD_ERROR_DATA, "%s: the NPY header is cut short", name);
  uint64_t length = (uint64_t)start[8] | (uint64_t)start[9] << 8;
  if (prefix == 12) length |= (uint64_t)start[10] << 16 | (uint64_t)start[11] << 24;
  if (start[6] < 1 || start[6] > 3 || length > NPY_HEADER_MOST)
    return FAIL(MLPD_ERROR_DATA,
                "%s: NPY version %d with a header of %llu bytes; only versions 1 to 3 and up to %d bytes are supported",
                name, start[6], (unsigned long long)length, NPY_HEADER_MOST);
  char *text;
  TRY(memory_allocate(&text, (size_t)length + 1, 1, "NPY header"));
  dictionary d = {.rank = 0};
  mlpd_status status;
  TRY_GOTO(status, input_read(in, text, (size_t)length, &got), done);
  if (got != length) {
    status = FAIL(MLPD_ERROR_DATA, "%s: the NPY header is cut short", name);
    goto done;
  }
  if (!parse_dictionary(text, &d)) {
    status = FAIL(MLPD_ERROR_DATA, "%s: the NPY header is not a dictionary of descr, fortran_order and shape", name);
    goto done;
  }
  TRY_GOTO(status, apply_type(name, d.descr, header), done);
  TRY_GOTO(status, array_fold(name, d.dimensions, d.rank, header), done);
  header->bytes = prefix + length;
  header->column_major = d.fortran;
  header->image = header->type == ELEMENT_U8 && header->text == ARRAY_NUMBERS && d.rank > 2;
done:
  free(text);
  return status;
}
