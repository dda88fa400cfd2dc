// The inference model: q(xi | h_{t-1}, w_{t:T}), in Algorithm 1 also given a proposal, and F_q, which maps xi
// to h_t. The density of h_t is Q(h_t; psi), where the networks compute psi(h_{t-1}, letters, proposal).
#pragma once
#include "flows.h"

template <class R> struct Posterior : Arrays<R> {
    using A = Arrays<R>;
    using Vector = typename A::Vector;
    Linear<R> from_letters, from_state, from_proposal, head;
    Affine<R> flow;
    bool proposals, path; // whether q gets proposals; whether the estimator is `path`

    struct Step {
        // (features, samples, lanes), except the first two, which are (features, lanes).
        const R *summary, *state, *proposals, *hidden, *q, *scale, *normal, *xi, *h;
        typename Affine<R>::AtState flow;
    };
    // Gradients of a step's inputs, which are added to.
    struct Inputs {
        R *summary, *state, *proposals;
    };

    // h of every sample, from standard normal numbers.
    Step forward(Arena<R> &arena, const R *summary, const R *state, const R *proposed, const R *normal,
                 int samples, long lanes) const {
        const int width = head.weight.columns, d = flow.d;
        const long n = samples * lanes;
        Step s{summary, state, proposed, nullptr, nullptr, nullptr, normal, nullptr, nullptr, {}};
        s.flow = flow.at(arena, state, lanes);
        R *context = from_letters.forward(arena, summary, lanes);
        A::add(context, from_state.forward(arena, state, lanes), width * lanes);
        R *hidden = proposals ? from_proposal.forward(arena, proposed, n) : arena.zeros(width * n);
        A::broadcast(hidden, context, width, samples, lanes);
        A::tanh_all(hidden, width * n);
        s.hidden = hidden;
        const R *q = s.q = head.forward(arena, hidden, n);
        R *scale = arena.take(d * n), *xi = arena.take(d * n), *h = arena.take(d * n);
        for (long i = 0; i < d * n; i += A::SIZE) {
            const Vector e = A::exp(A::load(q + d * n + i));
            A::store(scale + i, e);
            A::store(xi + i, A::load(q + i) + e * A::load(normal + i));
        }
        flow.apply(h, xi, s.flow, false, samples, lanes);
        s.scale = scale, s.xi = xi, s.h = h;
        return s;
    }
    // Adds -log Q(h) without the constant d / 2 log(2 pi).
    void subtract_log_prob(R *sum, const Step &s, int samples, long lanes) const {
        const long n = samples * lanes, d = flow.d;
        flow.log_det(sum, s.flow, samples, lanes);
        for (long m = 0; m < n; m += A::SIZE) {
            Vector total = A::load(sum + m);
            for (int f = 0; f < d; f++) {
                const Vector e = A::load(s.normal + f * n + m);
                total += A::load(s.q + (d + f) * n + m) + R(0.5) * e * e;
            }
            A::store(sum + m, total);
        }
    }
    // Given the gradient of h from the letters' and F_g's parts of this step's term (g), and from later steps
    // (g_next); `weights` are the gradient of the term with respect to log omega^k. Overwrites g.
    void backward(Arena<R> &arena, const Inputs &inputs, R *g, const R *g_next, const R *weights, Step &s,
                  int samples, long lanes) {
        const long n = samples * lanes, d = flow.d;
        if (!path) {
            A::add(g, g_next, d * n);
            through_networks(arena, inputs, g, weights, s, true, samples, lanes);
            return;
        }
        // The parameters get (omega^k)^2 d log omega^k / dh, with Q's parameters frozen, and the gradient
        // from later steps; psi's inputs get the same gradient as without `path`.
        R *g_path = arena.take(d * n);
        for (int f = 0; f < d; f++)
            for (long m = 0; m < n; m += A::SIZE) {
                const long i = f * n + m;
                const Vector w = A::load(weights + m),
                             slope = A::load(s.scale + i) *
                                     A::load(s.flow.values + flow.entry(f, f) * lanes + m % lanes);
                A::store(g_path + i,
                         A::load(g_next + i) + w * (A::load(g + i) + w * A::load(s.normal + i) / slope));
            }
        A::add(g, g_next, d * n);
        Step inputs_alone = s;
        inputs_alone.flow.gradient = arena.zeros(2 * d * lanes);
        through_networks(arena, {inputs.summary, nullptr, nullptr}, g_path, nullptr, s, true, samples, lanes);
        through_networks(arena, {nullptr, inputs.state, inputs.proposals}, g, weights, inputs_alone, false,
                         samples, lanes);
    }
    void collect() {
        for (Linear<R> *layer : {&from_letters, &from_state, &head}) layer->collect();
        if (proposals) from_proposal.collect();
        flow.network.collect();
    }

  private:
    // Propagates the gradient g of h, which is overwritten, and that of -log Q, unless it is null, to the
    // inputs that are not null and, if `trained`, to the parameters.
    void through_networks(Arena<R> &arena, const Inputs &inputs, R *g, const R *entropy, const Step &s,
                          bool trained, int samples, long lanes) {
        const int width = head.weight.columns, d = flow.d;
        const long n = samples * lanes;
        if (entropy) flow.log_det_back(entropy, s.flow, samples, lanes);
        flow.apply_back(g, s.h, s.xi, s.flow, false, samples, lanes); // now the gradient of xi
        R *g_q = arena.take(2 * d * n), *g_hidden = arena.zeros(width * n),
          *g_context = arena.zeros(width * lanes);
        for (int f = 0; f < d; f++)
            for (long m = 0; m < n; m += A::SIZE) {
                const long i = f * n + m;
                const Vector gi = A::load(g + i), g_scale = gi * A::load(s.normal + i) * A::load(s.scale + i);
                A::store(g_q + i, gi);
                A::store(g_q + d * n + i, entropy ? g_scale + A::load(entropy + m) : g_scale);
            }
        auto given = [&](const R *x) { return trained ? x : nullptr; };
        head.backward(g_hidden, g_q, given(s.hidden), n);
        A::tanh_back(g_hidden, s.hidden, width * n);
        A::sum_samples(g_context, g_hidden, width, samples, lanes);
        if (proposals) from_proposal.backward(inputs.proposals, g_hidden, given(s.proposals), n);
        from_state.backward(inputs.state, g_context, given(s.state), lanes);
        from_letters.backward(inputs.summary, g_context, given(s.summary), lanes);
        flow.backward(arena, inputs.state, s.flow, lanes, !trained);
    }
};
