"""Counted random numbers of a training run, as reference_epoch.py needs them: Philox4x32-10 (Salmon et al., SC11)."""
import numpy as np

INIT_WEIGHTS, DEAL_BLOCKS, SHUFFLE, DROPOUT, NOISE, FOLDS = 1, 2, 3, 7, 8, 12


def philox(counter, key):
    """counter: four arrays or numbers below 2^32, key: two numbers; four draws for each counter."""
    c0, c1, c2, c3 = (np.asarray(c, dtype=np.uint64) for c in counter)
    k0, k1 = key
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (
            (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0), p1 & low, (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1), p0 & low)
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return c0, c1, c2, c3


def check_philox():
    """The known answers of Random123's kat_vectors."""
    for counter, key, answer in (
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
         (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1))):
        assert tuple(int(word) for word in philox(counter, key)) == answer


def groups(seed, purpose, a, b, index):
    """Groups of four 32-bit draws of a stream, those of these numbers, as (len(index), 4)."""
    index = np.asarray(index, dtype=np.uint64)
    counter = (index & np.uint64(0xFFFFFFFF), index >> np.uint64(32), np.full(len(index), a, np.uint64),
               np.full(len(index), b | purpose << 24, np.uint64))
    return np.stack(philox(counter, (seed % 2**32, seed >> 32)), axis=1)


def draws(seed, purpose, a, b, count):
    """The first `count` groups of a stream."""
    return groups(seed, purpose, a, b, np.arange(count, dtype=np.uint64))


def uniform(low, high):
    """Two draws as a number in (0, 1)."""
    return (((high << np.uint64(32) | low) >> np.uint64(12)).astype(float) + 0.5) * 2.0**-52


def normal(word):
    """Box and Muller's cosine of each group of draws."""
    return np.sqrt(-2 * np.log(uniform(word[:, 0], word[:, 1]))) * np.cos(2 * np.pi * uniform(word[:, 2], word[:, 3]))


def below(stream, n):
    """Lemire's unbiased number below n."""
    while True:
        product = next(stream) * n
        if product % 2**32 >= 2**32 % n:
            return product >> 32


def shuffled(seed, purpose, a, b, n):
    """Fisher and Yates' permutation of 0..n-1."""
    stream = iter(draws(seed, purpose, a, b, n // 4 + 16).ravel().tolist())
    order = list(range(n))
    for i in range(n, 1, -1):
        j = below(stream, i)
        order[i - 1], order[j] = order[j], order[i - 1]
    return np.array(order, dtype=np.int64)


def folds_of(seed, folds, strata):
    """The fold of each row. In the order of their strata, rows go to the folds in turn: that is how many of a stratum each
    gets; which, is drawn row after row, each left place of the stratum being as likely."""
    stream = iter(draws(seed, FOLDS, 0, 0, len(strata) // 2 + 16).ravel().tolist())
    left = {}
    for place, stratum in enumerate(sorted(strata)):
        left.setdefault(stratum, [0] * folds)[place % folds] += 1
    found = []
    for stratum in strata:
        places = [fold for fold in range(folds) for _ in range(left[stratum][fold])]
        found.append(places[below(stream, len(places))])
        left[stratum][found[-1]] -= 1
    return np.array(found)
