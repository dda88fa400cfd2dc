// The invertible maps of textlvm.words.flows, for arrays (d, samples, lanes), with their gradients.
#pragma once
#include "networks.h"

// x -> shift + matrix x, with a lower-triangular or a diagonal matrix, one for each state.
template <class R> struct Affine : Arrays<R> {
    using A = Arrays<R>;
    using Vector = typename A::Vector;
    Network<R> network;
    int d;
    bool diagonal;
    R delta; // the diagonal stays out of [-delta, delta]

    struct AtState {
        typename Network<R>::Inputs inputs;
        R *values, *gradient; // (d + entries, lanes): the shift, then the matrix row by row
    };
    int entry(int i, int j) const { return d + (diagonal ? i : i * (i + 1) / 2 + j); }
    int first(int i) const { return diagonal ? i : 0; }

    AtState at(Arena<R> &arena, const R *state, long lanes) const {
        AtState s;
        s.values = network.forward(arena, state, lanes, s.inputs);
        for (int i = 0; i < d; i++)
            for (long m = 0; m < lanes; m++)
                s.values[entry(i, i) * lanes + m] +=
                    __builtin_copysign(delta, s.values[entry(i, i) * lanes + m]);
        s.gradient = arena.zeros(network.layers.back().weight.rows * lanes);
        return s;
    }
    void backward(Arena<R> &arena, R *g_state, const AtState &s, long lanes, bool frozen = false) {
        network.backward(arena, g_state, s.gradient, s.inputs, lanes, frozen);
    }
    // Adds log |det| to every sample.
    void log_det(R *sum, const AtState &s, int samples, long lanes) const {
        for (long m = 0; m < lanes; m += A::SIZE) {
            Vector log_det{};
            for (int i = 0; i < d; i++)
                log_det += A::log(A::magnitude(A::load(s.values + entry(i, i) * lanes + m)));
            for (int k = 0; k < samples; k++)
                A::store(sum + k * lanes + m, A::load(sum + k * lanes + m) + log_det);
        }
    }
    void log_det_back(const R *g, const AtState &s, int samples, long lanes) const {
        for (long m = 0; m < lanes; m += A::SIZE) {
            Vector sum{};
            for (int k = 0; k < samples; k++) sum += A::load(g + k * lanes + m);
            for (int i = 0; i < d; i++) {
                R *at = s.gradient + entry(i, i) * lanes + m;
                A::store(at, A::load(at) + sum / A::load(s.values + entry(i, i) * lanes + m));
            }
        }
    }
    // The map, or its inverse by substitution.
    void apply(R *y, const R *x, const AtState &s, bool inverse, int samples, long lanes) const {
        const long stride = samples * lanes;
        for (long m = 0; m < lanes; m += A::SIZE)
            for (int k = 0; k < samples; k++) {
                const R *xk = x + k * lanes + m;
                R *yk = y + k * lanes + m;
                for (int i = 0; i < d; i++) {
                    const Vector shift = A::load(s.values + i * lanes + m);
                    const Vector pivot = A::load(s.values + entry(i, i) * lanes + m);
                    const R *from = inverse ? yk : xk;
                    Vector sum{};
                    for (int j = first(i); j < i; j++)
                        sum += A::load(s.values + entry(i, j) * lanes + m) * A::load(from + j * stride);
                    const Vector xi = A::load(xk + i * stride);
                    A::store(yk + i * stride,
                             inverse ? (xi - shift - sum) / pivot : shift + sum + pivot * xi);
                }
            }
    }
    // Replaces g, the gradient of y, by that of x. With the inverse, u solves matrix^T u = g.
    void apply_back(R *g, const R *y, const R *x, const AtState &s, bool inverse, int samples,
                    long lanes) const {
        const long stride = samples * lanes;
        for (long m = 0; m < lanes; m += A::SIZE)
            for (int k = 0; k < samples; k++) {
                const long at = k * lanes + m;
                auto accumulate = [&](int index, Vector value) {
                    R *to = s.gradient + index * lanes + m;
                    A::store(to, A::load(to) + value);
                };
                if (inverse)
                    for (int i = d; i--;) {
                        R *gi = g + i * stride + at;
                        const Vector u = A::load(gi) / A::load(s.values + entry(i, i) * lanes + m);
                        A::store(gi, u);
                        accumulate(i, -u);
                        accumulate(entry(i, i), -u * A::load(y + i * stride + at));
                        for (int j = first(i); j < i; j++) {
                            R *gj = g + j * stride + at;
                            A::store(gj, A::load(gj) - A::load(s.values + entry(i, j) * lanes + m) * u);
                            accumulate(entry(i, j), -u * A::load(y + j * stride + at));
                        }
                    }
                else
                    for (int j = 0; j < d; j++) {
                        // Rows j and after of g are still the gradient of y.
                        const Vector xj = A::load(x + j * stride + at);
                        Vector sum{};
                        accumulate(j, A::load(g + j * stride + at));
                        for (int i = j; i < (diagonal ? j + 1 : d); i++) {
                            const Vector u = A::load(g + i * stride + at);
                            accumulate(entry(i, j), u * xj);
                            sum += A::load(s.values + entry(i, j) * lanes + m) * u;
                        }
                        A::store(g + j * stride + at, sum);
                    }
            }
    }
};

// Keeps the first `kept` dimensions; a network of them and the state scales and shifts the others.
template <class R> struct Coupling : Arrays<R> {
    using A = Arrays<R>;
    using Vector = typename A::Vector;
    static constexpr R MAX_LOG_SCALE = 2;
    Network<R> network;
    int d, kept;

    struct Applied {
        typename Network<R>::Inputs inputs;
        R *values; // (2 (d - kept), samples, lanes): limited log-scales, shifts
    };
    // The map, or its inverse; both keep the same dimensions.
    Applied apply(Arena<R> &arena, R *y, const R *x, const R *state, bool inverse, int samples,
                  long lanes) const {
        const long stride = samples * lanes, n = (d - kept) * stride;
        R *in = arena.zeros((kept + d) * stride);
        A::add(in, x, kept * stride);
        A::broadcast(in + kept * stride, state, d, samples, lanes);
        Applied s;
        s.values = network.forward(arena, in, stride, s.inputs);
        std::memcpy(y, x, kept * stride * sizeof(R));
        x += kept * stride, y += kept * stride;
        for (long i = 0; i < n; i += A::SIZE) {
            const Vector scale = MAX_LOG_SCALE * A::tanh(A::load(s.values + i) / MAX_LOG_SCALE),
                         shift = A::load(s.values + n + i);
            A::store(s.values + i, scale);
            A::store(y + i, inverse ? (A::load(x + i) - shift) * A::exp(-scale)
                                    : A::load(x + i) * A::exp(scale) + shift);
        }
        return s;
    }
    void log_det(R *sum, const Applied &s, int samples, long lanes) const {
        for (int i = 0; i < d - kept; i++) A::add(sum, s.values + i * samples * lanes, samples * lanes);
    }
    // Replaces g, the gradient of y, by that of x, given the gradient of the log-determinants or null.
    void apply_back(Arena<R> &arena, R *g, const R *y, const R *x, const R *g_log_det, const Applied &s,
                    R *g_state, bool inverse, int samples, long lanes) {
        const long stride = samples * lanes, n = (d - kept) * stride;
        R *g_values = arena.take(2 * n), *g_in = arena.zeros((kept + d) * stride),
          *g_rest = g + kept * stride;
        for (long i = 0; i < n; i += A::SIZE) {
            const Vector scale = A::load(s.values + i), gi = A::load(g_rest + i),
                         gx = gi * A::exp(inverse ? -scale : scale);
            Vector g_scale =
                inverse ? -gi * A::load(y + kept * stride + i) : gx * A::load(x + kept * stride + i);
            if (g_log_det) g_scale += A::load(g_log_det + i % stride);
            const Vector limited = scale / MAX_LOG_SCALE;
            A::store(g_values + i, g_scale * (1 - limited * limited));
            A::store(g_values + n + i, inverse ? -gx : gi);
            A::store(g_rest + i, gx);
        }
        network.backward(arena, g_in, g_values, s.inputs, stride);
        A::add(g, g_in, kept * stride);
        A::sum_samples(g_state, g_in + kept * stride, d, samples, lanes);
    }
};

// A composition of affine layers or of couplings, optionally with the dimensions reversed between layers.
template <class R> struct Chain : Arrays<R> {
    using A = Arrays<R>;
    std::vector<Affine<R>> affine;
    std::vector<Coupling<R>> couplings;
    int d;
    bool reverse;

    struct AtState {
        std::vector<typename Affine<R>::AtState> affine;
        const R *state;
    };
    struct Applied {
        std::vector<const R *> x, y;
        std::vector<typename Coupling<R>::Applied> couplings;
        bool inverse;
    };
    int size() const { return affine.size() + couplings.size(); }

    AtState at(Arena<R> &arena, const R *state, long lanes) const {
        AtState s{{}, state};
        for (const auto &layer : affine) s.affine.push_back(layer.at(arena, state, lanes));
        return s;
    }
    void backward(Arena<R> &arena, R *g_state, const AtState &s, long lanes) {
        for (size_t i = 0; i < affine.size(); i++) affine[i].backward(arena, g_state, s.affine[i], lanes);
    }
    // The chain at x, or its inverse; adds log |det| of the chain itself to `log_det` unless it is null.
    const R *apply(Arena<R> &arena, const R *x, R *log_det, const AtState &state, bool inverse, Applied &s,
                   int samples, long lanes) const {
        s.inverse = inverse;
        for (int step = 0; step < size(); step++) {
            const int i = inverse ? size() - 1 - step : step;
            if (step && reverse) x = flipped(arena, x, samples * lanes);
            R *y = arena.take(d * samples * lanes);
            if (affine.empty()) {
                s.couplings.push_back(couplings[i].apply(arena, y, x, state.state, inverse, samples, lanes));
                if (log_det) couplings[i].log_det(log_det, s.couplings.back(), samples, lanes);
            } else {
                affine[i].apply(y, x, state.affine[i], inverse, samples, lanes);
                if (log_det) affine[i].log_det(log_det, state.affine[i], samples, lanes);
            }
            s.x.push_back(x), s.y.push_back(y);
            x = y;
        }
        return x;
    }
    // The gradient of x from that of the result, which is overwritten.
    R *apply_back(Arena<R> &arena, R *g, const R *g_log_det, R *g_state, const AtState &state,
                  const Applied &s, int samples, long lanes) {
        for (int step = size(); step--;) {
            const int i = s.inverse ? size() - 1 - step : step;
            if (affine.empty())
                couplings[i].apply_back(arena, g, s.y[step], s.x[step], g_log_det, s.couplings[step], g_state,
                                        s.inverse, samples, lanes);
            else {
                affine[i].apply_back(g, s.y[step], s.x[step], state.affine[i], s.inverse, samples, lanes);
                if (g_log_det) affine[i].log_det_back(g_log_det, state.affine[i], samples, lanes);
            }
            if (step && reverse) g = flipped(arena, g, samples * lanes);
        }
        return g;
    }
    void collect() {
        for (auto &layer : affine) layer.network.collect();
        for (auto &layer : couplings) layer.network.collect();
    }

  private:
    R *flipped(Arena<R> &arena, const R *x, long n) const {
        R *y = arena.take(d * n);
        for (int f = 0; f < d; f++) std::memcpy(y + f * n, x + (d - 1 - f) * n, n * sizeof(R));
        return y;
    }
};
