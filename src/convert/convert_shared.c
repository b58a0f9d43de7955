#include "convert/convert_shared.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/memory.h"
#include "source/report.h"

enum { PARTS = 3, ROWS_MOST = 1 << 22, BLOCK = 64 };

static const double LEAST_SHARE = 0.01; /* of a part: fewer rows change its figures little */
static const double CHANCE = 2;         /* times the share of repeated rows within training */

mlpd_status shared_rows_begin(const source_list *list, shared_rows *made) {
  *made = (shared_rows){.same_type = true};
  for (int i = 0; i < list->count; i++) {
    const source *const s = list->all[i];
    made->room[s->part] += s->rows;
    made->same_type = made->same_type && s->type == list->all[0]->type;
  }
  const uint64_t others = made->room[MLPD_VALID] + made->room[MLPD_TEST];
  if (made->room[MLPD_TRAIN] == 0 || others == 0 || made->room[MLPD_TRAIN] + others > ROWS_MOST) return MLPD_OK;
  for (int p = 0; p < PARTS; p++)
    if (made->room[p] > 0) TRY(memory_allocate(&made->hashes[p], made->room[p], sizeof(uint64_t), "hashes of rows"));
  return MLPD_OK;
}

void shared_rows_free(shared_rows *s) {
  for (int p = 0; p < PARTS; p++) free(s->hashes[p]);
  *s = (shared_rows){.same_type = false};
}

/* Inputs of other types may hold the same numbers. */
static uint64_t hash_numbers(element_type type, uint32_t features, const void *x, uint64_t seed) {
  float block[BLOCK];
  for (uint32_t begin = 0; begin < features; begin += BLOCK) {
    const uint32_t count = features - begin < BLOCK ? features - begin : BLOCK;
    for (uint32_t j = 0; j < count; j++) {
      const float value = (float)element_get(type, x, begin + j);
      block[j] = isnan(value) ? NAN : value + 0; /* one NaN, and no -0 */
    }
    seed = XXH3_64bits_withSeed(block, count * sizeof *block, seed);
  }
  return seed;
}

void shared_rows_add(shared_rows *s, mlpd_split part, element_type type, uint32_t features, const void *x,
                     const void *y, size_t y_bytes) {
  if (s->hashes[part] == NULL || s->counts[part] == s->room[part]) return;
  const uint64_t seed = y_bytes > 0 ? XXH3_64bits(y, y_bytes) : 0;
  const uint64_t hash = s->same_type ? XXH3_64bits_withSeed(x, features * element_size(type), seed)
                                     : hash_numbers(type, features, x, seed);
  s->hashes[part][s->counts[part]++] = hash != 0 ? hash : 1; /* 0: an empty slot */
}

/* Finds hash in slots (a power of two, of which mask is one less), or the empty slot where it belongs. */
static uint64_t *slot_of(uint64_t *slots, uint64_t mask, uint64_t hash) {
  uint64_t at = hash & mask;
  while (slots[at] != 0 && slots[at] != hash) at = (at + 1) & mask;
  return &slots[at];
}

static void report_part(const mlpd_convert_options *options, const shared_rows *s, mlpd_split part, uint64_t *slots,
                        uint64_t mask, uint64_t repeated) {
  const uint64_t rows = s->counts[part];
  uint64_t found = 0;
  for (uint64_t i = 0; i < rows; i++) found += *slot_of(slots, mask, s->hashes[part][i]) != 0;
  if (rows == 0) return;
  const double share = (double)found / (double)rows, chance = (double)repeated / (double)s->counts[MLPD_TRAIN];
  if (share < LEAST_SHARE || share <= CHANCE * chance) return;
  convert_say(options,
              "note: %llu of the %llu rows of the %s part also occur%s among the training rows, with the same target: "
              "its figures are better than those of new rows",
              (unsigned long long)found, (unsigned long long)rows, part == MLPD_VALID ? "validation" : "test",
              found == 1 ? "s" : "");
}

mlpd_status shared_rows_report(const mlpd_convert_options *options, const shared_rows *s) {
  const uint64_t rows = s->counts[MLPD_TRAIN];
  uint64_t mask = 1, repeated = 0, *slots = NULL;
  if (s->hashes[MLPD_TRAIN] == NULL || options->decision == NULL) return MLPD_OK;
  while (mask < 2 * rows) mask *= 2;
  TRY(memory_allocate(&slots, mask, sizeof *slots, "hashes of rows"));
  mask--;
  for (uint64_t i = 0; i < rows; i++) {
    uint64_t *const slot = slot_of(slots, mask, s->hashes[MLPD_TRAIN][i]);
    repeated += *slot != 0;
    *slot = s->hashes[MLPD_TRAIN][i];
  }
  report_part(options, s, MLPD_VALID, slots, mask, repeated);
  report_part(options, s, MLPD_TEST, slots, mask, repeated);
  free(slots);
  return MLPD_OK;
}
