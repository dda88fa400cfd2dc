// A batch of words, the longest first, divided into blocks of consecutive words, with one lane per word.
#pragma once
#include "arrays.h"
#include <algorithm>

struct Batch {
    int positions;
    const int64_t *sizes;   // (positions,) words that reach each position
    const int64_t *letters; // packed (N,)
};

// One position of the words of a block.
struct TimeStep {
    long row;   // of the block's first word in packed arrays
    int alive;  // words that have this position, in the first lanes; the others are finite and ignored
    long lanes; // `alive`, rounded up to a multiple of LANES
    std::vector<int> letters;
};

// The positions of words from, ..., from + width - 1.
inline std::vector<TimeStep> time_steps(const Batch &batch, int from, int width) {
    std::vector<TimeStep> result;
    long start = 0;
    for (int t = 0; t < batch.positions && batch.sizes[t] > from; start += batch.sizes[t++]) {
        TimeStep s{start + from, int(std::min<long>(width, batch.sizes[t] - from)), 0, {}};
        s.lanes = (s.alive + LANES - 1) / LANES * LANES;
        s.letters.assign(s.lanes, 0);
        std::copy_n(batch.letters + s.row, s.alive, s.letters.begin());
        result.push_back(std::move(s));
    }
    return result;
}

// Copies rows of `lanes` to rows of `wanted` lanes: the first `count` lanes of each, then zeros.
template <class R> R *fitted(Arena<R> &arena, const R *x, int rows, long lanes, int count, long wanted) {
    R *y = arena.zeros(rows * wanted);
    for (int f = 0; f < rows; f++) std::copy_n(x + f * lanes, count, y + f * wanted);
    return y;
}

// Adds the first `count` lanes of each row.
template <class R> void add_lanes(R *y, long wanted, const R *x, int rows, long lanes, int count) {
    for (int f = 0; f < rows; f++)
        for (int m = 0; m < count; m++) y[f * wanted + m] += x[f * lanes + m];
}
