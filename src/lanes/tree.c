#include "lanes/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/multiversion.h"
#include "lanes/lanes.h"

enum {
  BLOCK_BYTES = 4096, /* bytes that are summed over the whole tree at once: they stay in the L1 cache */
  MAX_DEPTH = 33      /* most partial sums in use at once: one per level of a tree over 2^32 lanes */
};

static const uint32_t NO_SLOT = UINT32_MAX;

/* ---- Nodes -------------------------------------------------------------------------------------- */

uint32_t tree_split(lane_range range) {
  const uint32_t lanes = range.end - range.begin;
  uint32_t power = 1;
  while (power < lanes - power) power *= 2;
  return range.begin + power;
}

static uint32_t add_nodes(lane_range tree, lane_range lanes, lane_range *nodes, uint32_t num_nodes) {
  if (tree.end <= lanes.begin || lanes.end <= tree.begin) return num_nodes;
  if (lanes.begin <= tree.begin && tree.end <= lanes.end) {
    nodes[num_nodes] = tree;
    return num_nodes + 1;
  }
  const uint32_t split = tree_split(tree);
  num_nodes = add_nodes((lane_range){tree.begin, split}, lanes, nodes, num_nodes);
  return add_nodes((lane_range){split, tree.end}, lanes, nodes, num_nodes);
}

uint32_t tree_nodes(uint32_t num_lanes, lane_range lanes, lane_range *nodes) {
  if (lanes.begin >= lanes.end) return 0;
  return add_nodes((lane_range){0, num_lanes}, lanes, nodes, 0);
}

uint32_t tree_nodes_of_rank(uint32_t num_lanes, int size, int rank, lane_range *nodes) {
  lane_range lanes;
  lanes_of_rank(num_lanes, size, rank, &lanes.begin, &lanes.end);
  return tree_nodes(num_lanes, lanes, nodes);
}

/* ---- Their additions ---------------------------------------------------------------------------- */

/* Appends the additions that sum the sources within `tree` (from source *next on; source i is nodes[i]). Returns the
 * slot of their sum, or NO_SLOT if no source is within it. Partial sums of this subtree use depths >= depth. */
static uint32_t compile(tree_sum *t, const lane_range *nodes, lane_range tree, uint32_t depth, uint32_t *next) {
  if (*next == t->num_sources || nodes[*next].begin >= tree.end) return NO_SLOT;
  if (nodes[*next].begin == tree.begin && nodes[*next].end == tree.end) return (*next)++;
  const uint32_t split = tree_split(tree);
  const uint32_t left = compile(t, nodes, (lane_range){tree.begin, split}, depth, next);
  const uint32_t right_depth = left == NO_SLOT ? depth : depth + 1; /* the left sum is still needed */
  const uint32_t right = compile(t, nodes, (lane_range){split, tree.end}, right_depth, next);
  if (left == NO_SLOT) return right;
  if (right == NO_SLOT) return left;
  const uint32_t out = t->num_sources + depth;
  t->additions[t->num_additions++] = (addition){left, right, out};
  return out;
}

mlpd_status tree_sum_create(uint32_t num_lanes, const lane_range *nodes, uint32_t num_nodes, tree_sum *made) {
  *made = (tree_sum){.num_sources = num_nodes};
  TRY(memory_allocate(&made->additions, num_nodes, sizeof *made->additions, "reduction tree"));
  uint32_t next = 0;
  (void)compile(made, nodes, (lane_range){0, num_lanes}, 0, &next);
  return MLPD_OK;
}

void tree_sum_free(tree_sum *t) { free(t->additions); }

/* ---- Adding ------------------------------------------------------------------------------------- */

/* out may be equal to left: the additions are elementwise, so their order does not matter. */
MULTIVERSION static void add_floats(float *out, const float *left, const float *right, size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) out[i] = left[i] + right[i];
}

static void add_doubles(double *out, const double *left, const double *right, size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) out[i] = left[i] + right[i];
}

typedef union block {
  float floats[BLOCK_BYTES / sizeof(float)];
  double doubles[BLOCK_BYTES / sizeof(double)];
} block;

static void sum_block(const tree_sum *t, const char *const *sources, size_t offset, size_t bytes, bool floats,
                      char *result) {
  block partial[MAX_DEPTH];
  for (uint32_t i = 0; i < t->num_additions; ++i) {
    const addition *const sum = &t->additions[i];
    const bool left_source = sum->left < t->num_sources, right_source = sum->right < t->num_sources;
    const void *const left = left_source ? sources[sum->left] + offset : (void *)&partial[sum->left - t->num_sources];
    const void *const right =
        right_source ? sources[sum->right] + offset : (void *)&partial[sum->right - t->num_sources];
    void *const out = i + 1 == t->num_additions ? result : (void *)&partial[sum->out - t->num_sources];
    if (floats)
      add_floats(out, left, right, bytes / sizeof(float));
    else
      add_doubles(out, left, right, bytes / sizeof(double));
  }
}

void tree_sum_run(const tree_sum *t, const char *const *sources, size_t offset, size_t bytes, bool floats, char *out) {
  if (bytes == 0) return; /* the pointers may be NULL then */
  if (t->num_sources == 0) {
    memset(out, 0, bytes);
    return;
  }
  if (t->num_sources == 1) {
    memcpy(out, sources[0] + offset, bytes);
    return;
  }
  for (size_t done = 0; done < bytes; done += BLOCK_BYTES) {
    const size_t piece = bytes - done < BLOCK_BYTES ? bytes - done : BLOCK_BYTES;
    sum_block(t, sources, offset + done, piece, floats, out + done);
  }
}

MULTIVERSION static void add_four_floats(float *out, const float *a, const float *b, const float *c, const float *d,
                                         size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) out[i] = (a[i] + b[i]) + (c[i] + d[i]);
}

static void add_four_doubles(double *out, const double *a, const double *b, const double *c, const double *d,
                             size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) out[i] = (a[i] + b[i]) + (c[i] + d[i]);
}

void tree_add(char *const *parts, int count, size_t offset, size_t bytes, bool floats, char *out) {
  const void *p[4] = {0};
  for (int i = 0; i < count; ++i) p[i] = parts[i] + offset;
  if (count == 2 && floats)
    add_floats((float *)(void *)out, p[0], p[1], bytes / sizeof(float));
  else if (count == 2)
    add_doubles((double *)(void *)out, p[0], p[1], bytes / sizeof(double));
  else if (floats)
    add_four_floats((float *)(void *)out, p[0], p[1], p[2], p[3], bytes / sizeof(float));
  else
    add_four_doubles((double *)(void *)out, p[0], p[1], p[2], p[3], bytes / sizeof(double));
}
