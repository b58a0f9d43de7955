/* A model as an archive of NumPy: a zip file of arrays, stored without compression.
 *
 * Sources: "NEP 1, a simple file format for NumPy arrays", version 1.0; APPNOTE.TXT of PKWARE, version 2.0. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "data/column_curves.h"
#include "export/export.h"
#include "network/layer_kind.h"

enum { NAME_BYTES = 64, HEADER_BYTES = 192, HEADER_STEP = 64, LOCAL_BYTES = 30, CENTRAL_BYTES = 46, END_BYTES = 22 };

typedef struct entry {
  char name[NAME_BYTES];
  uint32_t crc, bytes, offset;
} entry;

/* offset: where the next entry begins. */
typedef struct archive {
  FILE *stream;
  entry *entries;
  uint32_t count, capacity;
  uint64_t offset;
} archive;

/* ---- Zip -------------------------------------------------------------------------------------------- */

/* `bytes` bytes of a number, the lowest first. */
static void put(unsigned char **at, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; i++, number >>= 8) *(*at)++ = (unsigned char)number;
}

/* What a local and a central header have in common: version, flags, method, time, date, sums and lengths. */
static void put_description(unsigned char **at, const entry *e) {
  put(at, 20, 2);
  put(at, 0, 2 + 2 + 2);
  put(at, 0x21, 2); /* the first day of 1980: the same model gives the same bytes */
  put(at, e->crc, 4);
  put(at, e->bytes, 4);
  put(at, e->bytes, 4);
  put(at, (uint32_t)strlen(e->name), 2);
  put(at, 0, 2);
}

static mlpd_status add_entry(archive *a, entry **made) {
  if (a->count == a->capacity) {
    const uint32_t capacity = a->capacity > 0 ? 2 * a->capacity : 16;
    entry *const entries = realloc(a->entries, capacity * sizeof *entries);
    if (entries == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, exporting");
    a->entries = entries;
    a->capacity = capacity;
  }
  *made = &a->entries[a->count++];
  return MLPD_OK;
}

/* An array as header and data. */
static mlpd_status write_entry(archive *a, const char *name, const void *header, size_t header_bytes, const void *data,
                               size_t data_bytes) {
  entry *e = NULL;
  unsigned char local[LOCAL_BYTES], *at = local;
  const uint64_t bytes = header_bytes + data_bytes;
  if (a->offset + bytes + (1 << 20) > UINT32_MAX)
    return FAIL(MLPD_ERROR_USAGE, "the model needs more than 4 GiB, which this archive cannot hold; export .json");
  TRY(add_entry(a, &e));
  *e = (entry){.bytes = (uint32_t)bytes, .offset = (uint32_t)a->offset};
  (void)snprintf(e->name, sizeof e->name, "%s.npy", name);
  e->crc = (uint32_t)crc32_z(crc32_z(0, header, header_bytes), data, data_bytes);
  put(&at, 0x04034b50, 4);
  put_description(&at, e);
  (void)fwrite(local, 1, sizeof local, a->stream);
  (void)fwrite(e->name, 1, strlen(e->name), a->stream);
  (void)fwrite(header, 1, header_bytes, a->stream);
  (void)fwrite(data, 1, data_bytes, a->stream);
  a->offset += LOCAL_BYTES + strlen(e->name) + bytes;
  return MLPD_OK;
}

static void write_directory(const archive *a) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < a->count; i++) {
    unsigned char central[CENTRAL_BYTES], *at = central;
    put(&at, 0x02014b50, 4);
    put(&at, 20, 2);
    put_description(&at, &a->entries[i]);
    put(&at, 0, 2 + 2 + 2 + 4);
    put(&at, a->entries[i].offset, 4);
    (void)fwrite(central, 1, sizeof central, a->stream);
    (void)fwrite(a->entries[i].name, 1, strlen(a->entries[i].name), a->stream);
    bytes += CENTRAL_BYTES + (uint32_t)strlen(a->entries[i].name);
  }
  unsigned char end[END_BYTES], *at = end;
  put(&at, 0x06054b50, 4);
  put(&at, 0, 4);
  put(&at, a->count, 2);
  put(&at, a->count, 2);
  put(&at, bytes, 4);
  put(&at, (uint32_t)a->offset, 4);
  put(&at, 0, 2);
  (void)fwrite(end, 1, sizeof end, a->stream);
}

/* ---- Arrays ----------------------------------------------------------------------------------------- */

/* rank 0 to 2; the type as NumPy writes it, "<f4". */
static mlpd_status write_array(archive *a, const char *name, const char *type, size_t size, int rank, uint64_t rows,
                               uint64_t columns, const void *data) {
  char header[HEADER_BYTES] = "\x93NUMPY\x01";
  char shape[48] = "()";
  if (rank == 1) (void)snprintf(shape, sizeof shape, "(%llu,)", (unsigned long long)rows);
  if (rank == 2)
    (void)snprintf(shape, sizeof shape, "(%llu, %llu)", (unsigned long long)rows, (unsigned long long)columns);
  const int text =
      snprintf(header + 10, sizeof header - 10, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
  const size_t bytes = (10 + (size_t)text + 1 + HEADER_STEP - 1) / HEADER_STEP * HEADER_STEP;
  memset(header + 10 + text, ' ', bytes - 10 - (size_t)text);
  header[bytes - 1] = '\n';
  header[8] = (char)(bytes - 10);
  return write_entry(a, name, header, bytes, data, size * (rank > 0 ? rows : 1) * (rank > 1 ? columns : 1));
}

/* The code points of UTF-8 text in to, unless NULL; returns their number. */
static size_t code_points(const char *text, uint32_t *to) {
  size_t count = 0;
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; count++) {
    const int more = *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc0 ? 1 : 0;
    uint32_t point = more == 0 ? *c : *c & (0x3fu >> more);
    c++;
    for (int i = 0; i < more && (*c & 0xc0) == 0x80; i++) point = point << 6 | (*c++ & 0x3f);
    if (to != NULL) to[count] = point;
  }
  return count;
}

/* Texts as an array of type <U; rank 0: the first alone. */
static mlpd_status write_texts(archive *a, const char *name, int rank, uint64_t n, const char *const *texts) {
  size_t longest = 1;
  uint32_t *points = NULL;
  char type[24];
  for (uint64_t i = 0; i < n; i++) longest = strlen(texts[i]) > longest ? strlen(texts[i]) : longest;
  TRY(memory_allocate(&points, n * 3 * longest, sizeof *points, "names"));
  mlpd_status status = MLPD_OK;
  for (uint64_t i = 0; i < n && status == MLPD_OK; i++) {
    char *const utf8 = export_utf8(texts[i]);
    if (utf8 == NULL) status = FAIL(MLPD_ERROR_MEMORY, "out of memory, exporting");
    if (utf8 != NULL) (void)code_points(utf8, points + i * longest);
    free(utf8);
  }
  (void)snprintf(type, sizeof type, "<U%zu", longest);
  if (status == MLPD_OK) status = write_array(a, name, type, sizeof *points * longest, rank, n, 0, points);
  free(points);
  return status;
}

static mlpd_status write_text(archive *a, const char *name, const char *text) {
  return write_texts(a, name, 0, 1, &text);
}

static mlpd_status write_names(archive *a, const char *name, const name_list *list) {
  return list->count == 0 ? MLPD_OK : write_texts(a, name, 1, list->count, (const char *const *)list->names);
}

static mlpd_status write_affine(archive *a, const char *of, const affine *map) {
  char name[NAME_BYTES];
  (void)snprintf(name, sizeof name, "%s_shift", of);
  TRY(write_array(a, name, "<f8", sizeof(double), 1, map->columns, 0, map->shift));
  (void)snprintf(name, sizeof name, "%s_scale", of);
  return write_array(a, name, "<f8", sizeof(double), 1, map->columns, 0, map->scale);
}

/* column_curves.h, its members by their names. */
static mlpd_status write_curves(archive *a, const column_curves *c) {
  const uint64_t knots = c->first[c->columns];
  TRY(write_array(a, "input_curves_first", "<u8", sizeof *c->first, 1, (uint64_t)c->columns + 1, 0, c->first));
  TRY(write_array(a, "input_curves_x", "<f8", sizeof *c->x, 1, knots, 0, c->x));
  return write_array(a, "input_curves_z", "<f8", sizeof *c->z, 1, knots, 0, c->z);
}

/* column_codes.h, its members by their names; categories one column after the other. */
static mlpd_status write_codes(archive *a, const mlpd_model *model) {
  const column_codes *const c = &model->codes;
  const uint32_t n = c->about.count;
  const uint64_t all = c->first[n];
  const char **texts = NULL;
  TRY(memory_allocate(&texts, all + n, sizeof *texts, "names"));
  for (uint32_t j = 0; j < n; j++) texts[j] = column_kind_name(c->about.kinds[j]);
  mlpd_status status = write_texts(a, "input_kind", 1, n, texts);
  for (uint32_t j = 0; j < n; j++)
    for (uint64_t k = c->first[j]; k < c->first[j + 1]; k++) texts[k] = c->about.categories[j].names[k - c->first[j]];
  if (status == MLPD_OK && all > 0) status = write_texts(a, "input_categories", 1, all, texts);
  free(texts);
  TRY(status);
  TRY(write_array(a, "input_first_category", "<u8", sizeof *c->first, 1, (uint64_t)n + 1, 0, c->first));
  TRY(write_array(a, "input_category_input", "<i4", sizeof *c->inputs, 1, all, 0, c->inputs));
  TRY(write_array(a, "input_begin", "<u4", sizeof *c->begin, 1, (uint64_t)n + 1, 0, c->begin));
  TRY(write_array(a, "input_fill", "<f8", sizeof *c->fill, 1, n, 0, c->fill));
  TRY(write_array(a, "input_embedded", "|u1", sizeof *c->embedded, 1, n, 0, c->embedded));
  return write_array(a, "input_marked", "|u1", sizeof *c->marked, 1, n, 0, c->marked);
}

static mlpd_status write_layer(archive *a, const mlpd_network *network, uint32_t l) {
  const layer *const shape = &network->layers[l];
  char name[NAME_BYTES];
  (void)snprintf(name, sizeof name, "layer_%u_kind", l + 1);
  TRY(write_text(a, name, shape->kind->name));
  (void)snprintf(name, sizeof name, "layer_%u_activation", l + 1);
  TRY(write_text(a, name, mlpd_choice_name(mlpd_activation_choices, (int)shape->activation)));
  (void)snprintf(name, sizeof name, "layer_%u_sizes", l + 1);
  if (shape->kind->expands) TRY(write_array(a, name, "<u4", sizeof *shape->sizes, 1, shape->inputs, 0, shape->sizes));
  (void)snprintf(name, sizeof name, "layer_%u_members", l + 1);
  if (shape->kind == &layer_fork) TRY(write_array(a, name, "<u4", sizeof shape->copies, 0, 1, 0, &shape->copies));
  for (uint32_t i = 0; i < shape->num_tensors; i++) {
    const tensor *const t = layer_tensor(network, l, i);
    float *values = NULL;
    TRY(export_values(network, l, i, &values));
    (void)snprintf(name, sizeof name, "layer_%u_%.40s", l + 1, t->name);
    const mlpd_status status = write_array(a, name, "<f4", sizeof *values, t->vector ? 1 : 2,
                                           t->vector ? t->columns : t->rows, t->columns, values);
    free(values);
    TRY(status);
  }
  return MLPD_OK;
}

static mlpd_status write_model(archive *a, const mlpd_model *model, const char *digest) {
  const name_list *names = NULL;
  const char *const outputs = export_outputs(model, &names);
  TRY(write_text(a, "format", "mlpdist model 1"));
  TRY(write_text(a, "version", MLPD_VERSION));
  TRY(write_text(a, "task", mlpd_choice_name(mlpd_task_choices, (int)model->task)));
  TRY(write_text(a, "digest", digest));
  TRY(write_names(a, "input_names", &model->names.columns));
  TRY(write_affine(a, "input", &model->input));
  if (model->input.limit > 0) TRY(write_array(a, "input_clip", "<f8", sizeof(double), 0, 1, 0, &model->input.limit));
  if (model->input.curves != NULL) TRY(write_curves(a, model->input.curves));
  if (export_has_codes(model)) TRY(write_codes(a, model));
  for (uint32_t l = 0; l < model->network->num_layers; l++) TRY(write_layer(a, model->network, l));
  if (outputs != NULL) TRY(write_names(a, outputs, names));
  const uint32_t targets = model->target.columns;
  if (model->least != NULL) TRY(write_array(a, "target_minimum", "<f8", sizeof(double), 1, targets, 0, model->least));
  if (model->least != NULL) TRY(write_array(a, "target_maximum", "<f8", sizeof(double), 1, targets, 0, model->most));
  return model->task == MLPD_REGRESSION ? write_affine(a, "target", &model->target) : MLPD_OK;
}

mlpd_status export_npz(const mlpd_model *model, const char *digest, const char *path, FILE *stream) {
  archive a = {.stream = stream};
  (void)path;
  const mlpd_status status = write_model(&a, model, digest);
  if (status == MLPD_OK) write_directory(&a);
  free(a.entries);
  return status;
}
