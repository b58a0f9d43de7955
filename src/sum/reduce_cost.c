#include "sum/reduce_cost.h"

#include "lanes/lanes.h"
#include "sum/reduce_internal.h"

reduce_cost reduce_cost_of(uint32_t num_lanes, int size, uint64_t bytes) {
  lane_range nodes[2 * 32];
  uint32_t total = 0, most = 0, least = UINT32_MAX;
  if (size <= 1) return (reduce_cost){0, 0};
  for (int rank = 0; rank < size; rank++) {
    lane_range lanes;
    lanes_of_rank(num_lanes, size, rank, &lanes.begin, &lanes.end);
    const uint32_t own = tree_nodes(num_lanes, lanes, nodes);
    total += own;
    if (own > most) most = own;
    if (own < least) least = own;
  }
  const double peers = size - 1, whole = (double)bytes, slice = whole / size;
  if (reduce_gathers(total, bytes / PACKET_BYTES, size, COMM_GATHER_BYTES, true))
    return (reduce_cost){peers, (total - least) * whole};
  if (reduce_halves(num_lanes, size, COMM_HALVING_RANKS)) {
    double messages = 0; /* in one direction: three per group of four, one per pair */
    for (int left = size; left >= 2; left /= 4) messages += left == 2 ? 1 : 3;
    return (reduce_cost){2 * messages, 2 * peers * slice};
  }
  const double sent = most * peers * slice, received = (total - least) * slice;
  return (reduce_cost){most * peers + peers, (sent > received ? sent : received) + peers * slice};
}
