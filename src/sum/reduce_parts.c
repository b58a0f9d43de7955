#include "sum/reduce_internal.h"

enum {
  BLOCK_BYTES = 4096 * sizeof(float), /* what a thread adds at a time */
  MIN_PARALLEL_BLOCKS = 4             /* for fewer, waking threads costs more than summing 64 KiB */
};

bool reduce_gathers(uint32_t num_nodes, size_t packets, int size, size_t gather_bytes, bool divided) {
  const size_t bytes = packets * PACKET_BYTES;
  const bool pair = gather_bytes > 0 && size == 2 && num_nodes == 2;
  return num_nodes * bytes <= gather_bytes || (pair && (!divided || bytes < COMM_PAIR_BYTES));
}

void reduce_sum_range(const reducer *r, const char *const *sources, size_t origin, size_t begin, size_t end,
                      char *out) {
  const uint64_t began = timeline_begin(r->line);
  const size_t bytes = end - begin, floats = end < r->float_bytes ? end : r->float_bytes;
  const size_t blocks = floats > begin ? (floats - begin + BLOCK_BYTES - 1) / BLOCK_BYTES : 0;
#pragma omp parallel for schedule(static) if (blocks >= MIN_PARALLEL_BLOCKS)
  for (size_t i = 0; i < blocks; ++i) {
    const size_t from = begin + i * BLOCK_BYTES;
    const size_t piece = floats - from < BLOCK_BYTES ? floats - from : BLOCK_BYTES;
    tree_sum_run(&r->tree, sources, from - origin, piece, true, out + (from - begin));
  }
  const size_t doubles = begin > floats ? begin : floats;
  if (end > doubles) tree_sum_run(&r->tree, sources, doubles - origin, end - doubles, false, out + (doubles - begin));
  (void)timeline_end(r->line, 0, TIMELINE_ADD, bytes, 0, began);
}

void reduce_add_parts(const reducer *r, char *const *parts, int count, size_t begin, size_t end, char *into) {
  const uint64_t began = timeline_begin(r->line);
  const size_t floats = end < r->float_bytes ? end : r->float_bytes;
  const size_t blocks = floats > begin ? (floats - begin + BLOCK_BYTES - 1) / BLOCK_BYTES : 0;
#pragma omp parallel for schedule(static) if (blocks >= MIN_PARALLEL_BLOCKS)
  for (size_t i = 0; i < blocks; ++i) {
    const size_t from = i * BLOCK_BYTES, left = floats - begin - from;
    tree_add(parts, count, from, left < BLOCK_BYTES ? left : BLOCK_BYTES, true, into + from);
  }
  const size_t doubles = begin > floats ? begin : floats;
  if (end > doubles) tree_add(parts, count, doubles - begin, end - doubles, false, into + (doubles - begin));
  (void)timeline_end(r->line, 0, TIMELINE_ADD, end - begin, 0, began);
}

void reduce_replace_range(const reducer *r, const char *const *sources, size_t origin, size_t begin, size_t end) {
  const uint64_t began = timeline_begin(r->line);
  const size_t blocks = (end - begin + BLOCK_BYTES - 1) / BLOCK_BYTES;
#pragma omp parallel for schedule(static) if (blocks >= MIN_PARALLEL_BLOCKS)
  for (size_t i = 0; i < blocks; ++i) {
    _Alignas(64) float sum[REDUCER_READ_FLOATS];
    const size_t from = begin + i * BLOCK_BYTES, to = end - from < BLOCK_BYTES ? end : from + BLOCK_BYTES;
    const size_t first = from / sizeof(float), last = to / sizeof(float);
    if (sources != NULL) tree_sum_run(&r->tree, sources, from - origin, to - from, true, (char *)sum);
    r->owner.replace(r->owner.context, first, last < r->num_floats ? last : r->num_floats,
                     sources != NULL ? sum : (const float *)(const void *)(r->local + from));
  }
  (void)timeline_end(r->line, 0, TIMELINE_OPTIMIZER, 0, 0, began);
}

mlpd_status reduce_allocate(reducer *r) {
  if (r->way->plan != NULL) TRY(r->way->plan(r));
  return memory_allocate_layout(r->way->lay_out, r, "sums of gradients", &r->memory);
}
