#include "run/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/memory.h"
#include "h5/h5.h"
#include "run/run_files.h"

typedef struct field {
  const char *name;
  size_t offset;
  bool real;       /* a double, else uint64 */
  uint64_t format; /* the first that has it */
} field;

#define INTEGER(format, name) \
  { #name, offsetof(run_state, name), false, format }
#define REAL(format, name) \
  { #name, offsetof(run_state, name), true, format }
static const field fields[] = {
    INTEGER(1, epoch),
    INTEGER(1, step_in_epoch),
    INTEGER(1, step),
    INTEGER(1, kept_epoch),
    INTEGER(1, kept_step),
    INTEGER(1, best_epoch),
    INTEGER(1, since_best),
    REAL(1, best_loss),
    REAL(1, sum_loss),
    REAL(1, sum_weight),
    REAL(1, sum_correct),
    REAL(1, sum_square),
    INTEGER(1, data_fingerprint),
    INTEGER(1, lanes),
    INTEGER(1, arena_size),
    INTEGER(2, valid_fingerprint),
    INTEGER(2, test_fingerprint),
    REAL(3, schedule.factor),
    REAL(3, schedule.best),
    INTEGER(3, schedule.since),
    REAL(5, search.best),
    INTEGER(5, search.since),
    INTEGER(5, search.ended),
};
enum {
  NUM_FIELDS = sizeof fields / sizeof *fields,
  NAMES_FORMAT = 4 /* the first with names */,
  ALWAYS_HASHED = CHECKPOINT_AVERAGE /* arenas; those behind only up to the last that there is */
};

/* The bytes of run_state that a format has: later formats append fields. */
static size_t state_bytes(uint64_t format) {
  for (int i = 0; i < NUM_FIELDS; i++)
    if (fields[i].format > format) return fields[i].offset;
  return sizeof(run_state);
}

enum { OBJECT_BYTES = 40 };

static void name_object(int arena, char object[OBJECT_BYTES]) {
  static const char *const names[] = {
      [CHECKPOINT_PARAMETERS] = "/parameters", [CHECKPOINT_KEPT] = "/kept", [CHECKPOINT_AVERAGE] = "/average"};
  const int states = arena < CHECKPOINT_AVERAGE ? CHECKPOINT_STATE : CHECKPOINT_MORE_STATE - 2;
  if (arena <= CHECKPOINT_AVERAGE && names[arena] != NULL)
    (void)snprintf(object, OBJECT_BYTES, "%s", names[arena]);
  else
    (void)snprintf(object, OBJECT_BYTES, "/optimizer/state_%d", arena - states);
}

static size_t num_hashed(const checkpoint *c) {
  size_t count = CHECKPOINT_ARENAS;
  while (count > ALWAYS_HASHED && c->arenas[count - 1] == NULL) count--;
  return count;
}

uint32_t checkpoint_num_states(const checkpoint *c) {
  uint32_t count = 0;
  while (count < OPTIMIZER_MOST_STATE && c->arenas[checkpoint_state(count)] != NULL) count++;
  return count;
}

static void hash_text(uint64_t hash, char text[17]) { (void)snprintf(text, 17, "%016llx", (unsigned long long)hash); }

/* Covers all of c, so that a missing or swapped array is noticed. arenas: their hashes. Each text is hashed with its
 * terminating 0, so that different sets of texts never give the same bytes. */
static uint64_t checkpoint_hash(const checkpoint *c, uint64_t format, const uint64_t arenas[CHECKPOINT_ARENAS]) {
  uint64_t hash = XXH3_64bits(&c->state, state_bytes(format));
  hash = XXH3_64bits_withSeed(arenas, num_hashed(c) * sizeof *arenas, hash);
  const char *const texts[] = {c->options, c->config, c->metrics};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    hash = XXH3_64bits_withSeed(texts[i] != NULL ? texts[i] : "", texts[i] != NULL ? strlen(texts[i]) + 1 : 0, hash);
  return format < NAMES_FORMAT || c->names == NULL ? hash : XXH3_64bits_withSeed(c->names, strlen(c->names) + 1, hash);
}

void checkpoint_free(checkpoint *c) {
  for (int i = 0; i < CHECKPOINT_ARENAS; i++) free(c->arenas[i]);
  free(c->options);
  free(c->config);
  free(c->metrics);
  free(c->names);
  *c = (checkpoint){0};
}

/* ---- Writing ------------------------------------------------------------------------------------- */

static mlpd_status write_array(h5_file *file, const char *object, uint64_t count, element_type type, const void *data,
                               uint64_t *hash) {
  char text[17];
  TRY(h5_write(file, object, count, 0, type, data));
  *hash = XXH3_64bits(data, count * element_size(type));
  hash_text(*hash, text);
  return h5_attribute_write_text(file, object, "xxh3", text);
}

static mlpd_status write_all(h5_file *file, const void *content) {
  const checkpoint *const c = content;
  char checksum[17], object[OBJECT_BYTES];
  uint64_t text_hash = 0, hashes[CHECKPOINT_ARENAS] = {0};
  TRY(h5_attribute_write_text(file, "/", "mlpdist", "checkpoint"));
  TRY(h5_attribute_write_u64(file, "/", "format", CHECKPOINT_FORMAT));
  TRY(h5_attribute_write_text(file, "/", "version", MLPD_VERSION));
  for (int i = 0; i < NUM_FIELDS; i++) {
    const char *const at = (const char *)&c->state + fields[i].offset;
    uint64_t integer = 0;
    double real = 0;
    memcpy(&integer, at, sizeof integer);
    memcpy(&real, at, sizeof real);
    TRY(fields[i].real ? h5_attribute_write_double(file, "/", fields[i].name, real)
                       : h5_attribute_write_u64(file, "/", fields[i].name, integer));
  }
  TRY(h5_attribute_write_text(file, "/", "options", c->options));
  if (c->config != NULL) TRY(h5_attribute_write_text(file, "/", "config", c->config));
  for (int i = 0; i < CHECKPOINT_ARENAS; i++) {
    if (c->arenas[i] == NULL) continue;
    name_object(i, object);
    TRY(write_array(file, object, c->state.arena_size, ELEMENT_F32, c->arenas[i], &hashes[i]));
  }
  TRY(write_array(file, "/metrics", strlen(c->metrics) + 1, ELEMENT_U8, c->metrics, &text_hash));
  if (c->names != NULL) TRY(write_array(file, "/names", strlen(c->names) + 1, ELEMENT_U8, c->names, &text_hash));
  hash_text(checkpoint_hash(c, CHECKPOINT_FORMAT, hashes), checksum);
  return h5_attribute_write_text(file, "/", "checksum", checksum);
}

mlpd_status checkpoint_write(const checkpoint *c, const char *path) { return h5_save(path, write_all, c); }

/* ---- Reading ------------------------------------------------------------------------------------- */

typedef struct stored_array {
  uint64_t count, hash; /* of elements; XXH3 of the bytes */
  void *data;
} stored_array;

/* Reads a one-dimensional array and compares its checksum; read->data is allocated. most: bytes that the file can hold,
 * so that a damaged shape cannot take all memory. */
static mlpd_status read_array(h5_file *file, const char *object, element_type type, uint64_t most, stored_array *read) {
  h5_array *array = NULL;
  char *stored = NULL, text[17];
  *read = (stored_array){0};
  TRY(h5_array_open(file, object, &array));
  const h5_shape shape = h5_array_shape(array);
  mlpd_status status = MLPD_OK;
  if (shape.rank != 1 || shape.type != type || shape.rows > most / element_size(type))
    status = FAIL(MLPD_ERROR_DATA, "%s does not have the shape of a checkpoint's array", object);
  if (status == MLPD_OK) status = memory_allocate(&read->data, shape.rows, element_size(type), object);
  if (status == MLPD_OK) status = h5_array_read(array, 0, shape.rows, type, read->data);
  if (status == MLPD_OK) status = h5_attribute_read_text(file, object, "xxh3", &stored);
  if (status == MLPD_OK) {
    read->count = shape.rows;
    read->hash = XXH3_64bits(read->data, shape.rows * element_size(type));
    hash_text(read->hash, text);
    if (strcmp(text, stored) != 0)
      status = FAIL(MLPD_ERROR_DATA, "%s does not match its checksum: it is damaged", object);
  }
  h5_array_close(array);
  free(stored);
  if (status != MLPD_OK) {
    free(read->data);
    read->data = NULL;
  }
  return status;
}

/* Reads the arenas that exist, and computes their hashes. */
static mlpd_status read_arenas(h5_file *file, uint64_t most, checkpoint *c, uint64_t hashes[CHECKPOINT_ARENAS]) {
  for (int i = 0; i < CHECKPOINT_ARENAS; i++) {
    stored_array read;
    char object[OBJECT_BYTES];
    name_object(i, object);
    if (!h5_exists(file, object)) continue;
    TRY(read_array(file, object, ELEMENT_F32, most, &read));
    c->arenas[i] = read.data;
    hashes[i] = read.hash;
    if (read.count != c->state.arena_size)
      return FAIL(MLPD_ERROR_DATA, "%s does not have the length of the other arrays", object);
  }
  return c->arenas[0] != NULL ? MLPD_OK : FAIL(MLPD_ERROR_DATA, "holds no parameters");
}

static mlpd_status read_fields(h5_file *file, run_state *state, uint64_t *format) {
  char *kind = NULL;
  if (!h5_attribute_exists(file, "/", "mlpdist")) return FAIL(MLPD_ERROR_DATA, "not a checkpoint of mlpdist");
  TRY(h5_attribute_read_text(file, "/", "mlpdist", &kind));
  const bool ours = strcmp(kind, "checkpoint") == 0;
  free(kind);
  if (!ours) return FAIL(MLPD_ERROR_DATA, "not a checkpoint of mlpdist");
  TRY(h5_attribute_read_u64(file, "/", "format", format));
  if (*format < 1 || *format > CHECKPOINT_FORMAT)
    return FAIL(MLPD_ERROR_DATA, "checkpoint format %llu; this version reads 1 to %d", (unsigned long long)*format,
                CHECKPOINT_FORMAT);
  state->valid_fingerprint = state->test_fingerprint = CHECKPOINT_UNKNOWN;
  state->schedule = SCHEDULE_START;
  state->search = SEARCH_START;
  for (int i = 0; i < NUM_FIELDS && fields[i].format <= *format; i++) {
    char *const at = (char *)state + fields[i].offset;
    uint64_t integer = 0;
    double real = 0;
    if (fields[i].real) {
      TRY(h5_attribute_read_double(file, "/", fields[i].name, &real));
      memcpy(at, &real, sizeof real);
    } else {
      TRY(h5_attribute_read_u64(file, "/", fields[i].name, &integer));
      memcpy(at, &integer, sizeof integer);
    }
  }
  return MLPD_OK;
}

static mlpd_status read_text(h5_file *file, const char *object, uint64_t most, char **text) {
  stored_array read;
  TRY(read_array(file, object, ELEMENT_U8, most, &read));
  *text = read.data;
  if (read.count == 0 || (*text)[read.count - 1] != '\0') return FAIL(MLPD_ERROR_DATA, "%s is not a text", object);
  return MLPD_OK;
}

static mlpd_status read_all(h5_file *file, uint64_t most, checkpoint *c) {
  char *stored = NULL, checksum[17];
  uint64_t hashes[CHECKPOINT_ARENAS] = {0}, format = 0;
  TRY(read_fields(file, &c->state, &format));
  TRY(h5_attribute_read_text(file, "/", "options", &c->options));
  if (h5_attribute_exists(file, "/", "config")) TRY(h5_attribute_read_text(file, "/", "config", &c->config));
  TRY(read_text(file, "/metrics", most, &c->metrics));
  if (format >= NAMES_FORMAT && h5_exists(file, "/names")) TRY(read_text(file, "/names", most, &c->names));
  TRY(read_arenas(file, most, c, hashes));
  hash_text(checkpoint_hash(c, format, hashes), checksum);
  TRY(h5_attribute_read_text(file, "/", "checksum", &stored));
  const bool fits = strcmp(stored, checksum) == 0;
  free(stored);
  return fits ? MLPD_OK : FAIL(MLPD_ERROR_DATA, "does not match its checksum: it is damaged");
}

mlpd_status checkpoint_read(const char *path, checkpoint *c) {
  *c = (checkpoint){0};
  struct stat about;
  h5_file *file = NULL;
  TRY(h5_open(path, &file));
  const uint64_t most = stat(path, &about) == 0 ? (uint64_t)about.st_size : 0;
  mlpd_status status = read_all(file, most, c);
  if (status != MLPD_OK && strncmp(mlpd_error_message(), path, strlen(path)) != 0)
    status = status_prefix(status, "%s: ", path);
  (void)h5_close(file);
  if (status != MLPD_OK) checkpoint_free(c);
  return status;
}

/* ---- Folders ------------------------------------------------------------------------------------- */

static const char *const NAME_HEAD = "step-", *const NAME_TAIL = ".h5";

static void name_of(char name[64], uint64_t step) {
  (void)snprintf(name, 64, "%s%012llu%s", NAME_HEAD, (unsigned long long)step, NAME_TAIL);
}

mlpd_status checkpoint_path(char path[FILE_PATH_BYTES], const char *folder, uint64_t step) {
  char name[64];
  name_of(name, step);
  return file_path(path, folder, name);
}

/* Could checkpoint_path() have made this name? */
static bool names_step(const char *name, uint64_t *step) {
  char same[64], *end = NULL;
  if (strncmp(name, NAME_HEAD, strlen(NAME_HEAD)) != 0) return false;
  errno = 0;
  *step = strtoull(name + strlen(NAME_HEAD), &end, 10);
  if (errno != 0) return false;
  name_of(same, *step);
  return strcmp(name, same) == 0;
}

static bool names_some_step(const char *name) {
  uint64_t step = 0;
  return names_step(name, &step);
}

static int newer_first(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x > y ? -1 : x < y;
}

/* Steps of the checkpoints in folder, newest first; *steps is allocated. A folder that is not there holds none. */
static mlpd_status list_steps(const char *folder, uint64_t **steps, size_t *count) {
  *steps = NULL;
  *count = 0;
  DIR *const listing = opendir(folder);
  if (listing == NULL) return errno == ENOENT ? MLPD_OK : FAIL(MLPD_ERROR_FILE, "%s: %s", folder, strerror(errno));
  size_t room = 0;
  for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
    uint64_t step = 0;
    if (!names_step(entry->d_name, &step)) continue;
    if (*count == room) {
      room = 2 * room + 16;
      uint64_t *const larger = realloc(*steps, room * sizeof *larger);
      if (larger == NULL) {
        free(*steps);
        *steps = NULL;
        (void)closedir(listing);
        return FAIL(MLPD_ERROR_MEMORY, "%s: out of memory, listing it", folder);
      }
      *steps = larger;
    }
    (*steps)[(*count)++] = step;
  }
  (void)closedir(listing);
  if (*count > 0) qsort(*steps, *count, sizeof **steps, newer_first);
  return MLPD_OK;
}

/* Reads path and refuses impossible values. */
static mlpd_status read_possible(const char *path, checkpoint *c) {
  TRY(checkpoint_read(path, c));
  const mlpd_status status = checkpoint_check(c);
  if (status == MLPD_OK) return MLPD_OK;
  checkpoint_free(c);
  return status_prefix(status, "%s: ", path);
}

mlpd_status checkpoint_read_newest(const char *folder, uint64_t *step, checkpoint *c, bool *found,
                                   checkpoint_rejected *rejected, void *context) {
  uint64_t *steps = NULL;
  size_t count = 0;
  const uint64_t below = *step;
  *found = false;
  *c = (checkpoint){0};
  TRY(list_steps(folder, &steps, &count));
  mlpd_status status = MLPD_OK;
  for (size_t i = 0; i < count && !*found; i++) {
    char path[FILE_PATH_BYTES];
    if (steps[i] >= below) continue;
    status = checkpoint_path(path, folder, steps[i]);
    if (status != MLPD_OK) break;
    *step = steps[i];
    *found = read_possible(path, c) == MLPD_OK;
    if (!*found && rejected != NULL) rejected(context, path, mlpd_error_message());
  }
  free(steps);
  return status;
}

void checkpoint_prune(const char *folder, uint64_t step, uint64_t keep) {
  uint64_t *steps = NULL;
  size_t count = 0;
  if (list_steps(folder, &steps, &count) == MLPD_OK)
    for (size_t i = 0, kept = 0; i < count; i++) {
      char path[FILE_PATH_BYTES];
      if (steps[i] <= step && kept++ < keep) continue;
      if (checkpoint_path(path, folder, steps[i]) == MLPD_OK && run_file_is_ours(path, RUN_CHECKPOINT))
        (void)unlink(path);
    }
  free(steps);
  file_remove_leftovers(folder, NULL, names_some_step);
}
