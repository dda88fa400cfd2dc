// Sums over trajectories of products of symbols' values: textlvm.words.marginal for one block of trajectories
// at a time, whose arrays stay in the cache.
#pragma once
#include "arrays.h"
#include <algorithm>

// A trie of rows of symbols, level by level: equal prefixes share a node.
struct Trie {
    int levels;
    const int64_t *sizes;   // (levels,) number of distinct prefixes of each length
    const int32_t *parents; // for each prefix, level by level, the one without its last symbol
    const int32_t *symbols; // and that symbol
    const float *tables;    // (levels, alphabet, trajectories) values of the symbols
};

struct MarginalProblem {
    int alphabet;
    int64_t trajectories, rows;
    Trie left, right;
    const int64_t *starts;  // (rows + 1,) the first entry of each row of the left trie
    const int32_t *columns; // (entries,) the row of the right trie for each
    double *sums;           // (entries,)
};

class Marginal {
  public:
    explicit Marginal(const MarginalProblem &problem) : p(problem) {}

    void run() {
        for (int64_t from = 0; from < p.trajectories; from += WIDTH) {
            arena.reset();
            const float *left = products(p.left, from), *right = products(p.right, from);
            add(left, right);
        }
    }

  private:
    using A = Arrays<float>;
    static constexpr int WIDTH = 2 * LANES; // trajectories that are processed together

    // The products of all rows of a trie (rows, WIDTH), from trajectory `from` on.
    const float *products(const Trie &trie, int64_t from) {
        const int count = std::min<int64_t>(WIDTH, p.trajectories - from);
        float *before = arena.zeros(WIDTH), *table = arena.zeros(p.alphabet * WIDTH);
        // Lanes beyond the last trajectory contribute zero.
        std::fill_n(before, count, 1.0f);
        const float *values = trie.tables + from;
        const int32_t *parents = trie.parents, *symbols = trie.symbols;
        for (int level = 0; level < trie.levels; level++) {
            for (int s = 0; s < p.alphabet; s++, values += p.trajectories)
                std::copy_n(values, count, table + s * WIDTH);
            const int64_t size = trie.sizes[level];
            float *after = arena.take(size * WIDTH);
            for (int64_t i = 0; i < size; i++) {
                const float *a = before + parents[i] * WIDTH, *b = table + symbols[i] * WIDTH;
                for (int m = 0; m < WIDTH; m += A::SIZE)
                    A::store(after + i * WIDTH + m, A::load(a + m) * A::load(b + m));
            }
            before = after, parents += size, symbols += size;
        }
        return before;
    }

    void add(const float *left, const float *right) {
        for (int64_t row = 0; row < p.rows; row++, left += WIDTH)
            for (int64_t entry = p.starts[row]; entry < p.starts[row + 1]; entry++) {
                const float *end = right + p.columns[entry] * WIDTH;
                A::Vector sum{};
                for (int m = 0; m < WIDTH; m += A::SIZE) sum += A::load(left + m) * A::load(end + m);
                p.sums[entry] += A::total(sum);
            }
    }

    const MarginalProblem &p;
    Arena<float> arena;
};
