/* What a traversal costs at least: breadth-first search over CSR, nothing but node numbers.
 *
 * offsets[n + 1], targets[]: the nodes after each node. seen[n]: marks of earlier searches; a node is new while its mark
 * is not `mark`. queue[n] and distance[n] receive what is found, in order; the seed comes first, at distance 0. Entering
 * a node of weight 1 costs 1, as entering a flow does. Nodes stand in the queue by distance: those that cost 1 wait in
 * `next` until no others are left.
 */
#include <stdint.h>

int64_t reach(const int64_t *offsets, const int32_t *targets, const uint8_t *weight, int32_t seed, uint32_t mark,
              uint32_t *seen, int32_t *queue, int32_t *distance, int32_t *next)
{
    int64_t head = 0, tail = 0, waiting = 0;
    int32_t now = 0;

    seen[seed] = mark;
    queue[tail] = seed;
    distance[tail++] = 0;
    for (;;) {
        while (head < tail) {
            const int32_t node = queue[head++];
            for (int64_t at = offsets[node]; at < offsets[node + 1]; at++) {
                const int32_t to = targets[at];
                if (seen[to] == mark)
                    continue;
                seen[to] = mark;
                if (weight[to]) {
                    next[waiting++] = to;
                } else {
                    queue[tail] = to;
                    distance[tail++] = now;
                }
            }
        }
        if (!waiting)
            return tail;
        now++;
        for (int64_t at = 0; at < waiting; at++) {
            queue[tail] = next[at];
            distance[tail++] = now;
        }
        waiting = 0;
    }
}
