// Arithmetic on arrays (features, lanes): a lane is a word, one of its K samples, or a trajectory. All loops
// run along lanes, whose number is a multiple of LANES; callers handle words of different lengths.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <utility>
#include <vector>

constexpr int LANES = 16;

// Bytes of a vector; twice the length of the processor's vectors is harmless. The registers hold sums of 4 by
// TILE vectors.
#ifdef __AVX512F__
constexpr int BYTES = 64, TILE = 4;
#else
constexpr int BYTES = 32, TILE = 2;
#endif

template <class R> struct Arrays {
    typedef R Vector __attribute__((vector_size(BYTES)));
    using Integer = std::conditional_t<sizeof(R) == 4, int32_t, int64_t>;
    typedef Integer Integers __attribute__((vector_size(BYTES)));
    static constexpr long SIZE = BYTES / sizeof(R);
    static constexpr bool SINGLE = sizeof(R) == 4;
    static constexpr int MANTISSA = SINGLE ? 23 : 52, BIAS = SINGLE ? 127 : 1023;

    static Vector load(const R *x) { return *reinterpret_cast<const Vector *>(x); }
    static void store(R *y, Vector x) { *reinterpret_cast<Vector *>(y) = x; }
    static Vector fill(R x) { return Vector{} + x; }

    // Taylor series after range reduction: exact up to the last one or two bits. Large arguments give
    // infinity, as in PyTorch, so that a diverging training is detected.
    static Vector exp(Vector x) {
        constexpr R least = SINGLE ? -104 : -746, most = SINGLE ? 89 : 710;
        constexpr R round = SINGLE ? 12582912.0 : 6755399441055744.0;
        constexpr R high = SINGLE ? 0.693359375 : 0.6931471803691238,
                    low = SINGLE ? -2.12194440e-4 : 1.9082149292705877e-10;
        constexpr int degree = SINGLE ? 7 : 13;
        x = x < least ? fill(least) : x;
        x = x > most ? fill(most) : x;
        const Vector shifted = x * R(1.4426950408889634) + round, whole = shifted - round;
        x = (x - whole * high) - whole * low;
        R coefficient = 1;
        for (int i = 2; i <= degree; i++) coefficient /= i;
        Vector sum = fill(coefficient);
        for (int i = degree; i; i--) sum = sum * x + (coefficient *= i);
        // In two factors, since the power itself may be out of the range of normal numbers.
        const Integers power = (Integers)shifted - (Integers)fill(round), half = power >> 1;
        return sum * power_of_two(half) * power_of_two(power - half);
    }
    // For zero, positive normal numbers and infinity; NaN stays NaN.
    static Vector log(Vector x) {
        constexpr int terms = SINGLE ? 5 : 12;
        constexpr R infinity = std::numeric_limits<R>::infinity();
        const Integers bits = (Integers)x, one = (Integers)fill(1);
        Integers power = (bits >> MANTISSA) - BIAS;
        Vector m = (Vector)((bits & ((Integer(1) << MANTISSA) - 1)) | one);
        const Integers large = m > R(1.4142135623730951);
        m = large ? m * R(0.5) : m;
        power -= large;
        const Vector s = (m - 1) / (m + 1), square = s * s;
        Vector sum{};
        for (int i = terms; i; i--) sum = sum * square + R(1) / (2 * i - 1);
        sum = 2 * s * sum + __builtin_convertvector(power, Vector) * R(0.6931471805599453);
        sum = x == 0 ? fill(-infinity) : sum;
        return x == infinity ? x : sum + 0 * x;
    }
    // The absolute error is the rounding error of 1.
    static Vector tanh(Vector x) { return 1 - 2 / (exp(2 * x) + 1); }
    static Vector sigmoid(Vector x) { return 1 / (1 + exp(-x)); }
    static Vector magnitude(Vector x) { return x < 0 ? -x : x; }
    static R total(Vector x) {
        R sums[SIZE];
        std::memcpy(sums, &x, sizeof x);
        for (int n = SIZE / 2; n; n /= 2)
            for (int i = 0; i < n; i++) sums[i] += sums[i + n];
        return sums[0];
    }

    static void zero(R *y, long n) { std::memset(y, 0, n * sizeof(R)); }
    static void add(R *y, const R *x, long n) {
        for (long i = 0; i < n; i += SIZE) store(y + i, load(y + i) + load(x + i));
    }
    static void tanh_all(R *y, long n) {
        for (long i = 0; i < n; i += SIZE) store(y + i, tanh(load(y + i)));
    }
    // Multiplies g by the derivative of tanh; y are the values of tanh.
    static void tanh_back(R *g, const R *y, long n) {
        for (long i = 0; i < n; i += SIZE) {
            const Vector v = load(y + i);
            store(g + i, load(g + i) * (1 - v * v));
        }
    }
    // Adds x (features, lanes) to all samples of y (features, samples, lanes).
    static void broadcast(R *y, const R *x, int features, int samples, long lanes) {
        for (int f = 0; f < features; f++, x += lanes)
            for (int k = 0; k < samples; k++, y += lanes) add(y, x, lanes);
    }
    // Adds the sums over the samples of y (features, samples, lanes) to x (features, lanes).
    static void sum_samples(R *x, const R *y, int features, int samples, long lanes) {
        for (int f = 0; f < features; f++, x += lanes)
            for (int k = 0; k < samples; k++, y += lanes) add(x, y, lanes);
    }

    // y (outputs, lanes) += w x, with w[o, i] at w[o * over + i * along]: a matrix or its transpose.
    static void product(R *y, const R *x, const R *w, int outputs, int inputs, long over, long along,
                        long lanes) {
        long at = 0;
        for (; at + TILE * SIZE <= lanes; at += TILE * SIZE)
            columns<4, TILE>(y + at, x + at, w, outputs, inputs, over, along, lanes);
        for (; at + TILE / 2 * SIZE <= lanes; at += TILE / 2 * SIZE)
            columns<8, TILE / 2>(y + at, x + at, w, outputs, inputs, over, along, lanes);
        for (; at < lanes; at += SIZE) columns<8, 1>(y + at, x + at, w, outputs, inputs, over, along, lanes);
    }
    // w += g x^T, summed over all uses, with g (outputs, lanes) and x (inputs, lanes).
    struct Use {
        const R *g, *x;
        long lanes;
    };
    static void outer(R *w, const std::vector<Use> &uses, int outputs, int inputs) {
        int o = 0;
        for (; o + 4 <= outputs; o += 4) outer_rows<4>(w, uses, o, inputs);
        for (; o < outputs; o++) outer_rows<1>(w, uses, o, inputs);
    }

  private:
    static Vector power_of_two(Integers n) { return (Vector)((n + BIAS) << MANTISSA); }
    template <int O, int V> static void columns(R *y, const R *x, const R *w, int outputs, int inputs,
                                                long over, long along, long lanes) {
        int o = 0;
        for (; o + O <= outputs; o += O)
            tile<O, V>(y + o * lanes, x, w + o * over, inputs, over, along, lanes);
        for (; o + 4 <= outputs; o += 4)
            tile<4, V>(y + o * lanes, x, w + o * over, inputs, over, along, lanes);
        for (; o < outputs; o++) tile<1, V>(y + o * lanes, x, w + o * over, inputs, over, along, lanes);
    }
    template <int O, int V>
    static void tile(R *y, const R *x, const R *w, int inputs, long over, long along, long lanes) {
        Vector sum[O][V];
        for (int o = 0; o < O; o++)
            for (int v = 0; v < V; v++) sum[o][v] = load(y + o * lanes + v * SIZE);
        for (int i = 0; i < inputs; i++)
            for (int o = 0; o < O; o++)
                for (int v = 0; v < V; v++)
                    sum[o][v] += w[o * over + i * along] * load(x + i * lanes + v * SIZE);
        for (int o = 0; o < O; o++)
            for (int v = 0; v < V; v++) store(y + o * lanes + v * SIZE, sum[o][v]);
    }
    template <int O> static void outer_rows(R *w, const std::vector<Use> &uses, int o, int inputs) {
        int i = 0;
        for (; i + TILE <= inputs; i += TILE) outer_tile<O, TILE>(w, uses, o, i, inputs);
        for (; i < inputs; i++) outer_tile<O, 1>(w, uses, o, i, inputs);
    }
    template <int O, int I>
    static void outer_tile(R *w, const std::vector<Use> &uses, int at, int from, int inputs) {
        Vector sum[O][I]{};
        for (const Use &use : uses) {
            const R *g = use.g + at * use.lanes, *x = use.x + from * use.lanes;
            for (long m = 0; m < use.lanes; m += SIZE)
                for (int o = 0; o < O; o++)
                    for (int i = 0; i < I; i++)
                        sum[o][i] += load(g + o * use.lanes + m) * load(x + i * use.lanes + m);
        }
        for (int o = 0; o < O; o++)
            for (int i = 0; i < I; i++) w[(at + o) * inputs + from + i] += total(sum[o][i]);
    }
};

// Memory for the arrays of a block of words, released all at once.
template <class R> class Arena {
  public:
    R *take(long n) {
        n = (n + LANES - 1) / LANES * LANES;
        for (; current < chunks.size() && used + n > chunks[current].size; used = 0) current++;
        if (current == chunks.size()) {
            const long size = n > CHUNK ? n : CHUNK;
            void *memory = std::aligned_alloc(64, size * sizeof(R));
            if (!memory) throw std::bad_alloc();
            chunks.push_back({Memory(static_cast<R *>(memory), std::free), size});
        }
        R *taken = chunks[current].memory.get() + used;
        used += n;
        return taken;
    }
    R *zeros(long n) {
        R *taken = take(n);
        Arrays<R>::zero(taken, n);
        return taken;
    }
    void reset() { current = used = 0; }

  private:
    static constexpr long CHUNK = 1 << 18;
    using Memory = std::unique_ptr<R, void (*)(void *)>;
    struct Chunk {
        Memory memory;
        long size;
    };
    std::vector<Chunk> chunks;
    size_t current = 0;
    long used = 0;
};
