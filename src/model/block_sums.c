#include "model/block_sums.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ranks/comm.h"

enum { MOST_NODES = 2 * 64 }; /* enough for the largest subtrees of any range of blocks and one being added */

mlpd_status block_sums_create(uint64_t begin, uint32_t doubles, block_sums *made) {
  *made = (block_sums){.doubles = doubles, .begin = begin, .end = begin};
  TRY(memory_allocate(&made->first, MOST_NODES, sizeof *made->first, "block sums"));
  TRY(memory_allocate(&made->count, MOST_NODES, sizeof *made->count, "block sums"));
  return memory_allocate(&made->records, (size_t)MOST_NODES * doubles, sizeof *made->records, "block sums");
}

void block_sums_free(block_sums *s) {
  free(s->first);
  free(s->count);
  free(s->records);
  *s = (block_sums){0};
}

/* ---- One rank ------------------------------------------------------------------------------------- */

static double *record_of(const block_sums *s, uint32_t node) { return s->records + (size_t)node * s->doubles; }

/* Joins the last two nodes while they are the halves of one subtree. */
static void join_siblings(block_sums *s) {
  while (s->num_nodes > 1) {
    const uint32_t left = s->num_nodes - 2, right = s->num_nodes - 1;
    if (s->count[left] != s->count[right] || s->first[left] % (2 * s->count[left]) != 0) return;
    for (uint32_t i = 0; i < s->doubles; i++) record_of(s, left)[i] += record_of(s, right)[i];
    s->count[left] *= 2;
    s->num_nodes--;
  }
}

/* Appends a subtree, blocks [s->end, s->end + count). */
static void add_node(block_sums *s, uint64_t count, const double *record) {
  s->first[s->num_nodes] = s->end;
  s->count[s->num_nodes] = count;
  memcpy(record_of(s, s->num_nodes), record, s->doubles * sizeof *record);
  s->num_nodes++;
  s->end += count;
  join_siblings(s);
}

void block_sums_add(block_sums *s, const double *record) { add_node(s, 1, record); }

/* ---- All ranks ------------------------------------------------------------------------------------ */

/* Number of blocks of the largest subtree that begins at block `at` and ends at or before end. */
static uint64_t largest_subtree(uint64_t at, uint64_t end) {
  uint64_t count = 1;
  while (count <= (end - at) / 2 && at % (2 * count) == 0) count *= 2;
  return count;
}

static uint64_t count_subtrees(uint64_t begin, uint64_t end) {
  uint64_t subtrees = 0;
  for (uint64_t at = begin; at < end; at += largest_subtree(at, end)) subtrees++;
  return subtrees;
}

static uint64_t first_block(uint64_t rows, int size, int rank) {
  return rank < size ? forward_range_of_rank(rows, size, rank).block_begin
                     : forward_range_of_rank(rows, size, size - 1).block_end;
}

/* Receives the records of blocks [s->end, end) on rank `to` from rank `from`; room (MOST_NODES, doubles) is a buffer.
 */
static mlpd_status take_over(mlpd_comm *comm, block_sums *s, uint64_t end, int from, int to, double *room) {
  const uint64_t bytes = s->doubles * sizeof *room;
  const uint64_t subtrees = count_subtrees(s->end, end);
  TRY(comm_move(comm, room, subtrees * bytes, from, to));
  for (uint64_t i = 0; i < subtrees; i++) add_node(s, largest_subtree(s->end, end), room + i * s->doubles);
  return MLPD_OK;
}

/* In rounds, each rank receives the records of the ranks behind it, twice as many ranks each round, until rank 0 has
 * all. */
static mlpd_status join_ranks(mlpd_comm *comm, uint64_t rows, block_sums *s, double *room) {
  const int size = mlpd_comm_size(comm), me = mlpd_comm_rank(comm);
  for (int reach = 1; reach < size; reach *= 2) {
    if (me % (2 * reach) == reach)
      return comm_move(comm, s->records, s->num_nodes * s->doubles * sizeof *room, me, me - reach);
    if (me + reach >= size) continue;
    const int last = me + 2 * reach < size ? me + 2 * reach : size;
    TRY(take_over(comm, s, first_block(rows, size, last), me + reach, me, room));
  }
  return MLPD_OK;
}

mlpd_status block_sums_total(mlpd_comm *comm, uint64_t rows, block_sums *s, double *sum) {
  double *room = NULL;
  mlpd_status status = memory_allocate(&room, (size_t)MOST_NODES * s->doubles, sizeof *room, "block sums");
  TRY_GOTO(status, mlpd_comm_agree(comm, status), done);
  TRY_GOTO(status, join_ranks(comm, rows, s, room), done);
  memset(sum, 0, s->doubles * sizeof *sum);
  for (uint32_t node = 0; node < s->num_nodes; node++)
    for (uint32_t i = 0; i < s->doubles; i++) sum[i] += record_of(s, node)[i];
  status = comm_broadcast(comm, sum, s->doubles * sizeof *sum, 0);
done:
  free(room);
  return status;
}
