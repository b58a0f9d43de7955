"""The edges of --embed-edges targets by their definition: leaves of a decision tree of one column on the targets.

A column may be split in the middle between any two neighbours of its quantiles, 256 at most. The split of a leaf that
lowers the sum of squares of the targets most comes first: of values, standardised, or of the indicators of classes, which
is the Gini impurity. The first split must gain more than the best of so many gains by chance.
"""
import math

import numpy as np

LEAST_ROWS, MOST_POINTS = 16, 256
ALIKE = 1 + 1e-9  # gains closer than this are equal: the first split counts


def spread(y):
    return ((y - y.mean(axis=0)) ** 2).sum()


class Leaf:
    def __init__(self, x, y, places):
        self.x, self.y, self.places = x, y, places
        self.gain, self.place, self.tried = 0.0, None, 0
        for place in places:
            right = x >= place
            if min(right.sum(), (~right).sum()) < LEAST_ROWS:
                continue
            gain = spread(y) - spread(y[right]) - spread(y[~right])
            self.tried += 1
            if gain > ALIKE * self.gain:
                self.gain, self.place = gain, place

    def halves(self):
        right = self.x >= self.place
        return [Leaf(self.x[side], self.y[side], self.places[part]) for side, part in
                ((~right, self.places < self.place), (right, self.places > self.place))]

    def exceeds_chance(self, classes):
        alike = 1.0
        if classes:
            p = self.y.mean(axis=0)
            squares, cubes = (p ** 2).sum(), (p ** 3).sum()
            alike = math.sqrt(max(squares - 2 * cubes + squares ** 2, 0)) / (1 - squares) if squares < 1 else 1.0
        t = math.log(self.tried)
        return self.gain * (len(self.x) - 2) > (1 + 2 * alike * (math.sqrt(t) + t)) * (spread(self.y) - self.gain)


def tree_edges(x, y, bins, classes, learns):
    """Of a column x, ascending. y: classes (a number of them) or values (rows, targets); learns: the rows that the tree
    learns from, others only have a place."""
    points = np.quantile(x, np.linspace(0, 1, min(len(x), max(MOST_POINTS, bins + 1))))
    points = points[np.append(True, np.diff(points) > 0)]
    places = (points[:-1] + points[1:]) / 2
    y = np.eye(classes)[y[learns]] if classes else y[learns]
    if not classes:
        y = (y - y.mean(axis=0)) / np.where(y.std(axis=0) > 0, y.std(axis=0), 1)
    leaves, splits = [Leaf(x[learns], y, places)], []
    while len(leaves) < bins:
        best = None
        for leaf in leaves:
            if leaf.place is not None and (best is None or leaf.gain > ALIKE * best.gain):
                best = leaf
        if best is None or not splits and not best.exceeds_chance(classes):
            break
        alike = places[(places >= best.place) & ((x[:, None] < places).sum(axis=0) == (x < best.place).sum())]
        splits.append((alike[0] + alike[-1]) / 2)
        at = leaves.index(best)
        leaves[at], new = best.halves()
        leaves.append(new)
    return np.array([points[0], *sorted(splits), points[-1]])
