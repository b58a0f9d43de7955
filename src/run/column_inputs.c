#include "run/column_inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ranks/comm.h"

enum { PIECE_BYTES = 4 << 20 };

mlpd_status column_inputs_read(part *train, preparation *p) {
  columns about;
  p->inputs = train->features;
  const mlpd_status read = columns_read(train->h5, &about);
  if (read != MLPD_OK) return status_prefix(read, "%s: ", train->file);
  if (about.count != train->features) { /* of another array than is read */
    columns_free(&about);
    return MLPD_OK;
  }
  const mlpd_status status = column_codes_create(&about, &p->model->codes);
  columns_free(&about);
  TRY(status);
  const columns *const known = &p->model->codes.about;
  for (uint32_t j = 0; j < known->count; j++) {
    const uint64_t categories = known->categories[j].count;
    p->inputs += known->missing || categories > 0;
    if (categories > 0) p->inputs += (uint32_t)(categories < CODES_ONE_HOT_MOST ? categories : CODES_ONE_HOT_MOST) - 1;
  }
  return MLPD_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------------- */

typedef mlpd_status row_look(void *context, element_type type, const void *x, uint64_t rows);

/* Calls look with this rank's training rows, those that are streamed a piece at a time. */
static mlpd_status stream_pieces(mlpd_comm *comm, const part *train, const preparation *p, row_look *look,
                                 void *context) {
  const row_scan_wishes wishes = preparation_scan(comm, p);
  const uint64_t row_bytes = train->features * element_size(train->type), most = PIECE_BYTES / row_bytes + 1;
  const uint64_t last = wishes.plan->lane_begin[wishes.lane_end];
  part inputs = *train; /* borrowed: targets are left alone */
  shard piece = {0};
  inputs.need_y = false;
  mlpd_status status = shard_allocate(&inputs, most, false, NULL, &piece);
  for (uint64_t begin = wishes.plan->lane_begin[wishes.lane_begin]; begin < last && status == MLPD_OK; begin += most) {
    row_run *runs = NULL;
    uint64_t num_runs = 0;
    piece.rows = last - begin < most ? last - begin : most;
    status = lane_plan_runs(wishes.plan, begin, begin + piece.rows, &runs, &num_runs);
    if (status == MLPD_OK && wishes.split != NULL) status = lane_runs_compose(wishes.split, &runs, &num_runs);
    if (status == MLPD_OK) status = shard_fill(&inputs, runs, num_runs, begin, 0, &piece);
    if (status == MLPD_OK) status = look(context, piece.type, piece.x, piece.rows);
    free(runs);
  }
  shard_free(&piece);
  return status;
}

static mlpd_status each_row(mlpd_comm *comm, const part *train, const preparation *p, row_look *look, void *context) {
  if (p->options.stream) return stream_pieces(comm, train, p, look, context);
  return look(context, p->train.type, p->train.x, p->train.rows);
}

/* ---- Categories and missing values ------------------------------------------------------------------ */

typedef struct counts {
  const column_codes *codes;
  const char *file;
  uint64_t *missing; /* (columns) */
  uint64_t *rows;    /* (all categories) */
} counts;

static mlpd_status count_code(counts *c, uint32_t j, double code) {
  const uint64_t first = c->codes->first[j], most = c->codes->first[j + 1] - first;
  if (code == CATEGORY_MISSING) {
    c->missing[j]++;
    return MLPD_OK;
  }
  if (!(code >= 0 && code < (double)most && code == floor(code)))
    return FAIL(MLPD_ERROR_DATA, "%s: column %u (from 0) holds %g, which is no code of its %llu categories", c->file, j,
                code, (unsigned long long)most);
  c->rows[first + (uint64_t)code]++;
  return MLPD_OK;
}

static mlpd_status count_rows(void *context, element_type type, const void *x, uint64_t rows) {
  counts *const c = context;
  const columns *const about = &c->codes->about;
  for (uint32_t j = 0; j < about->count; j++) {
    const bool category = about->kinds[j] == COLUMN_KIND_CATEGORY;
    if (!category && (!about->missing || element_is_integer(type))) continue;
    for (uint64_t i = 0; i < rows; i++) {
      const double value = element_get(type, x, i * about->count + j);
      if (category) TRY(count_code(c, j, value));
      if (!category) c->missing[j] += isnan(value) ? 1 : 0;
    }
  }
  return MLPD_OK;
}

/* ---- Medians: by counting, so that they are the same however the rows are spread ----------------------- */

enum { DIGITS = 8, DIGIT_VALUES = 256 }; /* of a key, a byte each */

/* An order statistic of a column that is wanted, and the digits of its key found so far. */
typedef struct wanted {
  uint32_t column;
  uint64_t rank; /* from 0, among the values whose keys begin with the digits */
  uint64_t prefix;
} wanted;

typedef struct selection {
  wanted *all;      /* (count) */
  uint64_t *counts; /* (count, DIGIT_VALUES) */
  uint32_t count, columns;
  int digit; /* the one that is counted, 0: the highest */
} selection;

/* Ascends with the value. */
static uint64_t key_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

static double value_of(uint64_t key) {
  const uint64_t bits = key >> 63 != 0 ? key ^ UINT64_C(1) << 63 : ~key;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static mlpd_status count_digits(void *context, element_type type, const void *x, uint64_t rows) {
  selection *const s = context;
  const int shift = 8 * (DIGITS - 1 - s->digit);
  for (uint32_t w = 0; w < s->count; w++) {
    const wanted *const one = &s->all[w];
    uint64_t *const counted = s->counts + (size_t)w * DIGIT_VALUES;
    for (uint64_t i = 0; i < rows; i++) {
      const double value = element_get(type, x, i * s->columns + one->column);
      if (isnan(value)) continue;
      const uint64_t key = key_of(value);
      const bool begins = s->digit == 0 || key >> (shift + 8) == one->prefix;
      counted[key >> shift & 0xFF] += begins;
    }
  }
  return MLPD_OK;
}

static void narrow(wanted *one, const uint64_t *counted) {
  uint64_t digit = 0;
  while (digit + 1 < DIGIT_VALUES && one->rank >= counted[digit]) one->rank -= counted[digit++];
  one->prefix = one->prefix << 8 | digit;
}

static mlpd_status select_all(mlpd_comm *comm, const part *train, const preparation *p, selection *s) {
  for (s->digit = 0; s->digit < DIGITS; s->digit++) {
    memset(s->counts, 0, (size_t)s->count * DIGIT_VALUES * sizeof *s->counts);
    TRY(mlpd_comm_agree(comm, each_row(comm, train, p, count_digits, s)));
    TRY(comm_sum_u64(comm, s->counts, (uint64_t)s->count * DIGIT_VALUES));
    for (uint32_t w = 0; w < s->count; w++) narrow(&s->all[w], s->counts + (size_t)w * DIGIT_VALUES);
  }
  return MLPD_OK;
}

/* Medians of the marked columns of numbers: of an even count, the mean of the two in the middle. all: rows of all
 * ranks.
 */
static mlpd_status find_medians(mlpd_comm *comm, const part *train, preparation *p, const uint64_t *missing,
                                uint64_t all) {
  column_codes *const codes = &p->model->codes;
  selection s = {.columns = codes->about.count};
  mlpd_status status = memory_allocate(&s.all, 2 * (size_t)s.columns, sizeof *s.all, "medians");
  for (uint32_t j = 0; j < s.columns && status == MLPD_OK; j++) {
    const uint64_t known = all - missing[j];
    if (!codes->marked[j] || codes->about.kinds[j] == COLUMN_KIND_CATEGORY || known == 0) continue;
    s.all[s.count++] = (wanted){.column = j, .rank = (known - 1) / 2};
    s.all[s.count++] = (wanted){.column = j, .rank = known / 2};
  }
  if (status == MLPD_OK) status = memory_allocate(&s.counts, s.count, DIGIT_VALUES * sizeof *s.counts, "medians");
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK && s.count > 0) status = select_all(comm, train, p, &s);
  for (uint32_t w = 0; w < s.count && status == MLPD_OK; w += 2)
    codes->fill[s.all[w].column] = 0.5 * value_of(s.all[w].prefix) + 0.5 * value_of(s.all[w + 1].prefix);
  free(s.all);
  free(s.counts);
  return status;
}

/* ---- All of it -------------------------------------------------------------------------------------- */

static mlpd_status count_all(mlpd_comm *comm, const part *train, const preparation *p, counts *c) {
  const uint64_t columns = c->codes->about.count, categories = c->codes->first[columns];
  mlpd_status status = memory_allocate(&c->missing, columns, sizeof *c->missing, "counts of columns");
  if (status == MLPD_OK) status = memory_allocate(&c->rows, categories, sizeof *c->rows, "counts of columns");
  if (status == MLPD_OK) status = each_row(comm, train, p, count_rows, c);
  TRY(mlpd_comm_agree(comm, status));
  TRY(comm_sum_u64(comm, c->missing, columns));
  return comm_sum_u64(comm, c->rows, categories);
}

mlpd_status column_inputs_find(mlpd_comm *comm, part *train, preparation *p) {
  column_codes *const codes = &p->model->codes;
  counts c = {.codes = codes, .file = train->file};
  if (codes->about.count == 0 || (!codes->about.missing && !columns_any_category(&codes->about))) return MLPD_OK;
  mlpd_status status = count_all(comm, train, p, &c);
  if (status == MLPD_OK) {
    for (uint32_t j = 0; j < codes->about.count; j++) codes->marked[j] = c.missing[j] > 0;
    column_codes_choose(codes, c.rows);
    column_codes_settle(codes);
    status = find_medians(comm, train, p, c.missing, p->plan.rows);
  }
  p->inputs = codes->width;
  free(c.missing);
  free(c.rows);
  return status;
}
