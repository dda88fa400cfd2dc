// Linear maps, networks of tanh layers and GRUs, with their gradients.
#pragma once
#include "arrays.h"

// A parameter, and where its gradient is added.
template <class R> struct Parameter {
    const R *value;
    R *gradient;
    int rows, columns;
};

template <class R> struct Linear : Arrays<R> {
    using A = Arrays<R>;
    Parameter<R> weight, bias; // without a bias its value is nullptr
    std::vector<typename A::Use> uses{};

    R *forward(Arena<R> &arena, const R *x, long lanes) const {
        R *y = arena.take(weight.rows * lanes);
        for (int o = 0; o < weight.rows; o++)
            for (long m = 0; m < lanes; m++) y[o * lanes + m] = bias.value ? bias.value[o] : 0;
        A::product(y, x, weight.value, weight.rows, weight.columns, weight.columns, 1, lanes);
        return y;
    }
    // Adds to gx unless it is null, and stores g and x for `collect` unless x is null.
    void backward(R *gx, const R *g, const R *x, long lanes) {
        if (gx) A::product(gx, g, weight.value, weight.columns, weight.rows, 1, weight.columns, lanes);
        if (x) uses.push_back({g, x, lanes});
    }
    // Adds the parameters' gradients of all uses since the last call, in one product.
    void collect() {
        A::outer(weight.gradient, uses, weight.rows, weight.columns);
        if (bias.value)
            for (const auto &use : uses)
                for (int o = 0; o < weight.rows; o++) {
                    typename A::Vector sum{};
                    for (long m = 0; m < use.lanes; m += A::SIZE) sum += A::load(use.g + o * use.lanes + m);
                    bias.gradient[o] += A::total(sum);
                }
        uses.clear();
    }
};

template <class R> struct Network : Arrays<R> {
    using A = Arrays<R>;
    std::vector<Linear<R>> layers;
    using Inputs = std::vector<const R *>; // of every layer

    R *forward(Arena<R> &arena, const R *x, long lanes, Inputs &inputs) const {
        inputs = {x};
        R *y = layers[0].forward(arena, x, lanes);
        for (size_t i = 1; i < layers.size(); i++) {
            A::tanh_all(y, layers[i].weight.columns * lanes);
            inputs.push_back(y);
            y = layers[i].forward(arena, y, lanes);
        }
        return y;
    }
    // Adds to gx unless it is null; frozen parameters get no gradient.
    void backward(Arena<R> &arena, R *gx, const R *g, const Inputs &inputs, long lanes, bool frozen = false) {
        for (size_t i = layers.size(); --i;) {
            const long n = layers[i].weight.columns * lanes;
            R *gi = arena.zeros(n);
            layers[i].backward(gi, g, frozen ? nullptr : inputs[i], lanes);
            A::tanh_back(gi, inputs[i], n);
            g = gi;
        }
        layers[0].backward(gx, g, frozen ? nullptr : inputs[0], lanes);
    }
    void collect() {
        for (auto &layer : layers) layer.collect();
    }
};

// A GRU as defined by PyTorch; the input part W_i x + b_i of each letter is given as a table (letters, 3 d).
template <class R> struct Gru : Arrays<R> {
    using A = Arrays<R>;
    using Vector = typename A::Vector;
    Parameter<R> table;
    Linear<R> hidden;
    struct Step {
        const R *before, *recurrent; // (d, lanes), and (3 d, lanes): W_h h + b_h
        R *reset, *update, *candidate, *after;
    };

    Step forward(Arena<R> &arena, const R *before, const int *letters, long lanes) const {
        const int d = hidden.weight.columns;
        const long n = d * lanes;
        R *in = arena.take(3 * n);
        for (int f = 0; f < 3 * d; f++)
            for (long m = 0; m < lanes; m++) in[f * lanes + m] = table.value[letters[m] * 3 * d + f];
        Step s{before,        hidden.forward(arena, before, lanes),
               arena.take(n), arena.take(n),
               arena.take(n), arena.take(n)};
        for (long i = 0; i < n; i += A::SIZE) {
            const Vector reset = A::sigmoid(A::load(in + i) + A::load(s.recurrent + i));
            const Vector update = A::sigmoid(A::load(in + n + i) + A::load(s.recurrent + n + i));
            const Vector candidate =
                A::tanh(A::load(in + 2 * n + i) + reset * A::load(s.recurrent + 2 * n + i));
            A::store(s.reset + i, reset), A::store(s.update + i, update),
                A::store(s.candidate + i, candidate);
            A::store(s.after + i, candidate + update * (A::load(before + i) - candidate));
        }
        return s;
    }
    // Adds to the gradient of `before`, given the gradient g of `after`; only `alive` words contribute.
    void backward(Arena<R> &arena, R *g_before, const R *g, const Step &s, const int *letters, int alive,
                  long lanes) {
        const int d = hidden.weight.columns;
        const long n = d * lanes;
        R *g_in = arena.take(3 * n), *g_recurrent = arena.take(3 * n);
        for (long i = 0; i < n; i += A::SIZE) {
            const Vector reset = A::load(s.reset + i), update = A::load(s.update + i),
                         candidate = A::load(s.candidate + i);
            const Vector gi = A::load(g + i), recurrent = A::load(s.recurrent + 2 * n + i);
            const Vector g_candidate = gi * (1 - update) * (1 - candidate * candidate);
            const Vector g_update = gi * (A::load(s.before + i) - candidate) * update * (1 - update);
            const Vector g_reset = g_candidate * recurrent * reset * (1 - reset);
            A::store(g_before + i, A::load(g_before + i) + gi * update);
            A::store(g_in + i, g_reset), A::store(g_recurrent + i, g_reset);
            A::store(g_in + n + i, g_update), A::store(g_recurrent + n + i, g_update);
            A::store(g_in + 2 * n + i, g_candidate), A::store(g_recurrent + 2 * n + i, g_candidate * reset);
        }
        for (int f = 0; f < 3 * d; f++)
            for (int m = 0; m < alive; m++) table.gradient[letters[m] * 3 * d + f] += g_in[f * lanes + m];
        hidden.backward(g_before, g_recurrent, s.before, lanes);
    }
};

// log P(letter | h) = log softmax(W h + b), for h (d, samples, lanes) and one letter per word.
template <class R> struct Emission : Arrays<R> {
    using A = Arrays<R>;
    using Vector = typename A::Vector;
    Linear<R> linear;

    // Adds to the sum (samples, lanes) and returns P(. | h).
    const R *forward(Arena<R> &arena, R *sum, const R *h, const int *letters, int samples, long lanes) const {
        const long n = samples * lanes;
        const int alphabet = linear.weight.rows;
        R *logits = linear.forward(arena, h, n);
        for (long m = 0; m < n; m += A::SIZE) {
            Vector most = A::load(logits + m), total{}, target;
            for (int a = 1; a < alphabet; a++) {
                const Vector logit = A::load(logits + a * n + m);
                most = logit > most ? logit : most;
            }
            for (int i = 0; i < A::SIZE; i++) target[i] = logits[letters[(m + i) % lanes] * n + m + i];
            for (int a = 0; a < alphabet; a++) {
                const Vector e = A::exp(A::load(logits + a * n + m) - most);
                A::store(logits + a * n + m, e);
                total += e;
            }
            for (int a = 0; a < alphabet; a++)
                A::store(logits + a * n + m, A::load(logits + a * n + m) / total);
            A::store(sum + m, A::load(sum + m) + target - most - A::log(total));
        }
        return logits;
    }
    // Adds to the gradient of h, given that of the sum.
    void backward(Arena<R> &arena, R *g_h, const R *g, const R *probabilities, const R *h, const int *letters,
                  int samples, long lanes) {
        const long n = samples * lanes;
        const int alphabet = linear.weight.rows;
        R *g_logits = arena.take(alphabet * n);
        for (int a = 0; a < alphabet; a++)
            for (long m = 0; m < n; m += A::SIZE)
                A::store(g_logits + a * n + m, -A::load(g + m) * A::load(probabilities + a * n + m));
        for (long m = 0; m < n; m++) g_logits[letters[m % lanes] * n + m] += g[m];
        linear.backward(g_h, g_logits, h, n);
    }
};
