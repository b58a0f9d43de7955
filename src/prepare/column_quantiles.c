#include "prepare/column_quantiles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "prepare/column_gather.h"
#include "prepare/column_key.h"
#include "prepare/column_rows.h"
#include "ranks/comm.h"

enum { DIGITS = 8, DIGIT_VALUES = 256 }; /* of a key, a byte each */
enum { COUNTS_BYTES = 16 << 20, AT_A_TIME = COUNTS_BYTES / (2 * DIGIT_VALUES * sizeof(uint64_t)) }; /* quantiles */

/* An order statistic that is wanted, and the digits of its key found so far. */
typedef struct wanted {
  uint32_t column;
  uint64_t rank; /* from 0, among the values whose keys begin with the digits */
  uint64_t prefix;
  bool none; /* the column has no values */
} wanted;

/* The order statistics on both sides of each quantile. Those of a column whose keys begin with the same digits are a
 * group: their next digit is counted once for all of them. */
typedef struct selection {
  wanted *all;        /* (count): 2q and 2q + 1 are those of quantile q; of one column they lie together */
  uint32_t *group;    /* (count) of each */
  uint64_t *prefixes; /* (groups) ascending in each column */
  uint64_t *counts;   /* (groups, DIGIT_VALUES) */
  uint64_t *values;   /* (count / 2) of the column of each quantile, which are not missing */
  size_t count, groups;
  uint32_t columns;
  int digit; /* the one that is counted, 0: the highest */
  int threads;
} selection;

static int by_value(const void *a, const void *b) {
  const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
  return (one > other) - (one < other);
}

/* The last of groups [first, end) whose prefix is at most `prefix`, else the first; of one column they ascend. */
static size_t find_group(const selection *s, size_t first, size_t end, uint64_t prefix) {
  while (end - first > 1) {
    const size_t middle = first + (end - first) / 2;
    if (s->prefixes[middle] <= prefix)
      first = middle;
    else
      end = middle;
  }
  return first;
}

static size_t end_of_column(const selection *s, size_t first) {
  size_t end = first;
  while (end < s->count && s->all[end].column == s->all[first].column) end++;
  return end;
}

/* Groups of the order statistics [first, end) of a column. */
static void group_column(selection *s, size_t first, size_t end) {
  uint64_t *const prefixes = s->prefixes + s->groups;
  size_t count = 0;
  for (size_t w = first; w < end; w++) prefixes[w - first] = s->all[w].prefix;
  qsort(prefixes, end - first, sizeof *prefixes, by_value);
  for (size_t i = 0; i < end - first; i++)
    if (i == 0 || prefixes[i] != prefixes[count - 1]) prefixes[count++] = prefixes[i];
  for (size_t w = first; w < end; w++)
    s->group[w] = (uint32_t)find_group(s, s->groups, s->groups + count, s->all[w].prefix);
  s->groups += count;
}

static void make_groups(selection *s) {
  s->groups = 0;
  for (size_t first = 0, end = 0; first < s->count; first = end) {
    end = end_of_column(s, first);
    group_column(s, first, end);
  }
}

/* The groups of the column whose order statistics begin at `first`. */
static void find_groups(const selection *s, size_t first, size_t *begin, size_t *end) {
  *begin = *end = s->group[first];
  const size_t last = end_of_column(s, first);
  for (size_t w = first; w < last; w++) {
    if (s->group[w] < *begin) *begin = s->group[w];
    if (s->group[w] + (size_t)1 > *end) *end = s->group[w] + (size_t)1;
  }
}

/* Counts a key for groups [first, end), all of one column. */
static void count_key(const selection *s, size_t first, size_t end, uint64_t key) {
  const int shift = 8 * (DIGITS - 1 - s->digit);
  const uint64_t prefix = s->digit == 0 ? 0 : key >> (shift + 8);
  const size_t group = find_group(s, first, end, prefix);
  s->counts[group * DIGIT_VALUES + (key >> shift & 0xFF)] += s->prefixes[group] == prefix;
}

static mlpd_status count_digits(void *context, const shard *rows) {
  const selection *const s = context;
#pragma omp parallel for num_threads(s->threads) schedule(dynamic)
  for (size_t first = 0; first < s->count; first++) {
    const uint32_t column = s->all[first].column;
    if (first > 0 && s->all[first - 1].column == column) continue;
    size_t begin = 0, end = 0;
    find_groups(s, first, &begin, &end);
    for (uint64_t i = 0; i < rows->rows; i++) {
      const double value = element_get(rows->type, rows->x, i * s->columns + column);
      if (!isnan(value)) count_key(s, begin, end, column_key_of(value));
    }
  }
  return MLPD_OK;
}

static uint64_t sum_of(const uint64_t *counted) {
  uint64_t sum = 0;
  for (int d = 0; d < DIGIT_VALUES; d++) sum += counted[d];
  return sum;
}

/* All values of a column have a first digit: their number says which ones lie beside the quantile. */
static void find_rank(const column_quantile *q, const uint64_t *counted, bool upper, wanted *one) {
  const uint64_t values = sum_of(counted);
  one->none = values == 0;
  if (values == 0) return;
  const double place = column_key_place(q->fraction, values);
  one->rank = (uint64_t)(upper ? ceil(place) : floor(place));
}

static void narrow(wanted *one, const uint64_t *counted) {
  uint64_t digit = 0;
  while (digit + 1 < DIGIT_VALUES && one->rank >= counted[digit]) one->rank -= counted[digit++];
  one->prefix = one->prefix << 8 | digit;
}

/* Of the quantiles that are found at a time. */
static void lay_out(void *owner, memory_layout *layout) {
  selection *const s = owner;
  s->all = memory_place(layout, s->count, sizeof *s->all);
  s->group = memory_place(layout, s->count, sizeof *s->group);
  s->prefixes = memory_place(layout, s->count, sizeof *s->prefixes);
  s->counts = memory_place(layout, s->count, DIGIT_VALUES * sizeof *s->counts);
  s->values = memory_place(layout, s->count / 2, sizeof *s->values);
}

static size_t at_a_time(size_t count) { return count < AT_A_TIME ? count : AT_A_TIME; }

uint64_t column_quantiles_size(size_t count) {
  return memory_layout_size(lay_out, &(selection){.count = 2 * at_a_time(count)});
}

static mlpd_status select_some(mlpd_comm *comm, const part *train, const preparation *p, column_quantile *all,
                               selection *s) {
  for (s->digit = 0; s->digit < DIGITS; s->digit++) {
    make_groups(s);
    memset(s->counts, 0, s->groups * DIGIT_VALUES * sizeof *s->counts);
    TRY(mlpd_comm_agree(comm, column_rows_each(comm, train, p, false, count_digits, s)));
    TRY(comm_sum_u64(comm, s->counts, s->groups * DIGIT_VALUES));
    for (size_t w = 0; w < s->count; w++) {
      const uint64_t *const counted = s->counts + s->group[w] * (size_t)DIGIT_VALUES;
      if (s->digit == 0) find_rank(&all[w / 2], counted, w % 2 == 1, &s->all[w]);
      if (s->digit == 0) s->values[w / 2] = sum_of(counted);
      narrow(&s->all[w], counted);
    }
  }
  for (size_t q = 0; q < s->count / 2; q++) {
    const wanted *const low = &s->all[2 * q], *const high = low + 1;
    all[q].value = low->none
                       ? NAN
                       : column_key_between(low->prefix, high->prefix, column_key_place(all[q].fraction, s->values[q]));
  }
  return MLPD_OK;
}

/* By counting. */
static mlpd_status select_all(mlpd_comm *comm, const part *train, const preparation *p, column_quantile *all,
                              size_t count, selection *s) {
  const size_t most = at_a_time(count);
  for (size_t first = 0; first < count; first += most) {
    s->count = 2 * (count - first < most ? count - first : most);
    for (size_t w = 0; w < s->count; w++) s->all[w] = (wanted){.column = all[first + w / 2].column};
    TRY(select_some(comm, train, p, all + first, s));
  }
  return MLPD_OK;
}

mlpd_status column_quantiles_find(mlpd_comm *comm, const part *train, const preparation *p, column_quantile *all,
                                  size_t count) {
  const size_t most = at_a_time(count);
  selection s = {.columns = p->features, .threads = p->threads, .count = 2 * most};
  char *memory = NULL;
  bool fits = false;
  mlpd_status status = mlpd_comm_agree(comm, memory_allocate_layout(lay_out, &s, "quantiles", &memory));
  column_gather g = {.keys = s.counts, .starts = s.group, .room = most * DIGIT_VALUES, .most_columns = most};
  if (status == MLPD_OK) status = column_gather_fits(comm, p, all, count, &g, &fits);
  if (status == MLPD_OK)
    status = fits ? column_gather_find(comm, train, p, all, count, &g) : select_all(comm, train, p, all, count, &s);
  free(g.rows);
  free(g.bytes);
  free(memory);
  return status;
}
