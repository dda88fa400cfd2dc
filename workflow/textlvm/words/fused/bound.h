// The sum of a batch's bounds and its gradient: textlvm.words.objective in one pass.
#pragma once
#include "blocks.h"
#include "posterior.h"

template <class R> struct BoundProblem {
    int dim, samples, kind, layers;  // kind of F_g: 0 diagonal, 1 triangular, 2 couplings
    int inverse, reverse, proposals; // networks compute F_g^-1; dimensions are reversed; q gets proposals
    int directions, backward, path;  // number of GRUs; whether to compute gradients; estimator `path`
    double delta;
    Batch batch;
    const int *kept;          // (layers,) dimensions that couplings do not change
    const R *posterior_noise; // packed (N, samples, dim): the noise of q
    const R *proposal_noise;  // likewise, of F_g's proposals; or null
    const R *gumbel;          // packed (N, samples), or null
    const Parameter<R> *parameters;
};

template <class R> class Bound : Arrays<R> {
    using A = Arrays<R>;
    using Vector = typename A::Vector;

  public:
    explicit Bound(const BoundProblem<R> &problem) : p(problem), d(p.dim), K(p.samples) {
        const Parameter<R> *next = p.parameters;
        auto linear = [&](bool bias) {
            Linear<R> layer{{}, *next++, Parameter<R>{}};
            if (bias) layer.bias = *next++;
            return layer;
        };
        auto network = [&](int layers) {
            Network<R> result;
            for (int i = 0; i < layers; i++) result.layers.push_back(linear(true));
            return result;
        };
        initial = *next++;
        for (int i = 0; i < p.directions; i++) {
            const Parameter<R> table = *next++;
            grus.push_back({{}, table, linear(true)});
        }
        posterior.proposals = p.proposals, posterior.path = p.path;
        posterior.from_letters = linear(true), posterior.from_state = linear(false);
        if (p.proposals) posterior.from_proposal = linear(false);
        posterior.head = linear(true), emission.linear = linear(true);
        posterior.flow = {{}, network(2), d, true, R(p.delta)};
        generative.d = d, generative.reverse = p.reverse;
        for (int i = 0; i < p.layers; i++)
            if (p.kind == 2)
                generative.couplings.push_back({{}, network(3), d, p.kept[i]});
            else
                generative.affine.push_back({{}, network(2), d, p.kind == 0, R(p.delta)});
    }

    double run() {
        // Enough words for long products, few enough for arrays that stay in the cache.
        const int width = K == 1 ? 4 * LANES : 2 * LANES;
        double sum = 0;
        for (int from = 0; from < p.batch.sizes[0]; from += width) sum += block(from, width);
        return sum;
    }

  private:
    struct Position : TimeStep {
        std::vector<typename Gru<R>::Step> gru; // one per direction
        const R *summary, *zeta, *letter_probabilities, *weights;
        typename Posterior<R>::Step posterior;
        typename Chain<R>::AtState generative;
        typename Chain<R>::Applied proposed, inverted;
        std::vector<int> chosen;
    };

    double block(int from, int width) {
        arena.reset();
        steps.clear();
        for (TimeStep &step : time_steps(p.batch, from, width)) {
            Position s{};
            static_cast<TimeStep &>(s) = std::move(step);
            steps.push_back(std::move(s));
        }
        summarise();
        double sum = 0;
        R *state = arena.take(d * steps[0].lanes);
        for (int f = 0; f < d; f++)
            for (long m = 0; m < steps[0].lanes; m++) state[f * steps[0].lanes + m] = initial.value[f];
        for (size_t t = 0; t < steps.size(); t++) {
            sum += forward(steps[t], state);
            if (t + 1 < steps.size()) state = carried(steps[t], steps[t + 1]);
        }
        if (p.backward) back();
        return sum;
    }

    // The GRUs' states for q: the last GRU reads from the end; with two, the first reads from the start.
    void summarise() {
        const int count = steps.size(), D = p.directions;
        for (auto &s : steps) s.gru.resize(D);
        const R *before = arena.zeros(d * steps[0].lanes);
        for (int t = 0; D == 2 && t < count; t++) {
            Position &s = steps[t];
            s.gru[0] = grus[0].forward(arena, before, s.letters.data(), s.lanes);
            if (t + 1 < count)
                before = fitted(arena, s.gru[0].after, d, s.lanes, steps[t + 1].alive, steps[t + 1].lanes);
        }
        before = arena.zeros(d * steps[count - 1].lanes);
        for (int t = count; t--;) {
            Position &s = steps[t];
            s.gru[D - 1] = grus[D - 1].forward(arena, before, s.letters.data(), s.lanes);
            if (t) before = fitted(arena, s.gru[D - 1].after, d, s.lanes, s.alive, steps[t - 1].lanes);
        }
        for (auto &s : steps) {
            R *summary = arena.take(D * d * s.lanes);
            for (int i = 0; i < D; i++)
                std::memcpy(summary + i * d * s.lanes, s.gru[i].after, d * s.lanes * sizeof(R));
            s.summary = summary;
        }
    }

    // Rows of a packed array (N, samples, features) as (features, samples, lanes); other lanes are zero.
    R *unpacked(const R *packed, const Position &s, int features) {
        R *y = arena.zeros(features * K * s.lanes);
        for (int m = 0; m < s.alive; m++)
            for (int k = 0; k < K; k++)
                for (int f = 0; f < features; f++)
                    y[(f * K + k) * s.lanes + m] = packed[((s.row + m) * K + k) * features + f];
        return y;
    }

    double forward(Position &s, const R *state) {
        const long lanes = s.lanes, n = K * lanes;
        s.generative = generative.at(arena, state, lanes);
        // In Algorithm 1, q gets a state drawn from F_g.
        const R *proposals = p.proposals ? generative.apply(arena, unpacked(p.proposal_noise, s, d), nullptr,
                                                            s.generative, p.inverse, s.proposed, K, lanes)
                                         : nullptr;
        s.posterior = posterior.forward(arena, s.summary, state, proposals, unpacked(p.posterior_noise, s, d),
                                        K, lanes);
        // log omega, Eq. (9): F_g's determinant is that of the chain, or of its inverse.
        R *log_det = arena.zeros(n), *weights = arena.zeros(n);
        s.zeta =
            generative.apply(arena, s.posterior.h, log_det, s.generative, !p.inverse, s.inverted, K, lanes);
        posterior.subtract_log_prob(weights, s.posterior, K, lanes);
        for (long m = 0; m < n; m += A::SIZE) {
            Vector sum = A::load(weights + m) + (p.inverse ? A::load(log_det + m) : -A::load(log_det + m));
            for (int f = 0; f < d; f++) {
                const Vector z = A::load(s.zeta + f * n + m);
                sum -= R(0.5) * z * z;
            }
            A::store(weights + m, sum);
        }
        s.letter_probabilities = emission.forward(arena, weights, s.posterior.h, s.letters.data(), K, lanes);
        s.weights = weights;
        return bound(s, weights);
    }

    // The step's terms log 1/K sum_k omega^k, summed over words. Replaces log-weights by normalised weights.
    double bound(Position &s, R *weights) {
        const long lanes = s.lanes;
        if (K > 1) {
            s.chosen.assign(lanes, 0);
            for (int m = 0; m < s.alive; m++) {
                const R *gumbel = p.gumbel + (s.row + m) * K;
                R best = weights[m] + gumbel[0];
                for (int k = 1; k < K; k++)
                    if (const R value = weights[k * lanes + m] + gumbel[k]; value > best)
                        best = value, s.chosen[m] = k;
            }
        }
        double total = 0;
        for (long m = 0; m < lanes; m += A::SIZE) {
            Vector most = A::load(weights + m), sum{};
            for (int k = 1; k < K; k++) {
                const Vector w = A::load(weights + k * lanes + m);
                most = w > most ? w : most;
            }
            most = most == -std::numeric_limits<R>::infinity() ? Vector{} : most; // all weights are zero
            for (int k = 0; k < K; k++) {
                const Vector e = A::exp(A::load(weights + k * lanes + m) - most);
                A::store(weights + k * lanes + m, e);
                sum += e;
            }
            const Vector value = most + A::log(sum / R(K));
            for (int i = 0; i < A::SIZE && m + i < s.alive; i++) total += value[i];
            for (int k = 0; k < K; k++)
                A::store(weights + k * lanes + m, A::load(weights + k * lanes + m) / sum);
            // Words that have ended do not contribute to the gradient.
            for (int i = 0; i < A::SIZE; i++)
                if (m + i >= s.alive)
                    for (int k = 0; k < K; k++) weights[k * lanes + m + i] = 0;
        }
        return total;
    }

    // The state that the next position starts from.
    R *carried(const Position &s, const Position &next) {
        if (K == 1) return fitted(arena, s.posterior.h, d, s.lanes, next.alive, next.lanes);
        R *state = arena.zeros(d * next.lanes);
        for (int f = 0; f < d; f++)
            for (int m = 0; m < next.alive; m++)
                state[f * next.lanes + m] = s.posterior.h[(f * K + s.chosen[m]) * s.lanes + m];
        return state;
    }

    void back() {
        std::vector<R *> g_summary;
        const R *g_state = nullptr;
        for (int t = steps.size(); t--;) {
            Position &s = steps[t];
            const Position *next = t + 1 < (int)steps.size() ? &steps[t + 1] : nullptr;
            R *g_h = arena.zeros(d * K * s.lanes);
            for (int f = 0; next && f < d; f++)
                for (int m = 0; m < next->alive; m++) {
                    const int k = K == 1 ? 0 : s.chosen[m];
                    g_h[(f * K + k) * s.lanes + m] = g_state[f * next->lanes + m];
                }
            R *g = arena.zeros(p.directions * d * s.lanes);
            g_state = step_back(s, g_h, g);
            g_summary.push_back(g);
        }
        for (int f = 0; f < d; f++)
            for (int m = 0; m < steps[0].alive; m++) initial.gradient[f] += g_state[f * steps[0].lanes + m];
        summarise_back(g_summary);
        for (auto &gru : grus) gru.hidden.collect();
        emission.linear.collect(), posterior.collect(), generative.collect();
    }

    // The gradient of h_{t-1}, given that of the samples' h_t from later steps; adds to that of the summary.
    const R *step_back(Position &s, const R *g_next, R *g_summary) {
        const long lanes = s.lanes, n = K * lanes;
        R *g_zeta = arena.take(d * n), *g_state = arena.zeros(d * lanes), *g_log_det = arena.take(n),
          *g_h = arena.zeros(d * n), *g_proposals = p.proposals ? arena.zeros(d * n) : nullptr;
        for (long m = 0; m < n; m += A::SIZE) {
            const Vector w = A::load(s.weights + m);
            for (int f = 0; f < d; f++) A::store(g_zeta + f * n + m, -w * A::load(s.zeta + f * n + m));
            A::store(g_log_det + m, p.inverse ? w : -w);
        }
        emission.backward(arena, g_h, s.weights, s.letter_probabilities, s.posterior.h, s.letters.data(), K,
                          lanes);
        A::add(g_h,
               generative.apply_back(arena, g_zeta, g_log_det, g_state, s.generative, s.inverted, K, lanes),
               d * n);
        posterior.backward(arena, {g_summary, g_state, g_proposals}, g_h, g_next, s.weights, s.posterior, K,
                           lanes);
        if (p.proposals)
            generative.apply_back(arena, g_proposals, nullptr, g_state, s.generative, s.proposed, K, lanes);
        generative.backward(arena, g_state, s.generative, lanes);
        return g_state;
    }

    // `g_summary` has the last position first.
    void summarise_back(const std::vector<R *> &g_summary) {
        const int count = steps.size(), D = p.directions;
        const R *g_after = nullptr;
        for (int t = 0; t < count; t++) { // the GRU that reads from the end
            Position &s = steps[t];
            R *g = g_summary[count - 1 - t] + (D - 1) * d * s.lanes, *g_before = arena.zeros(d * s.lanes);
            if (t) add_lanes(g, s.lanes, g_after, d, steps[t - 1].lanes, s.alive);
            grus[D - 1].backward(arena, g_before, g, s.gru[D - 1], s.letters.data(), s.alive, s.lanes);
            g_after = g_before;
        }
        for (int t = count; D == 2 && t--;) {
            Position &s = steps[t];
            R *g = g_summary[count - 1 - t], *g_before = arena.zeros(d * s.lanes);
            if (t + 1 < count) add_lanes(g, s.lanes, g_after, d, steps[t + 1].lanes, steps[t + 1].alive);
            grus[0].backward(arena, g_before, g, s.gru[0], s.letters.data(), s.alive, s.lanes);
            g_after = g_before;
        }
    }

    const BoundProblem<R> &p;
    const int d, K;
    Parameter<R> initial;
    std::vector<Gru<R>> grus;
    Posterior<R> posterior;
    Emission<R> emission;
    Chain<R> generative;
    Arena<R> arena;
    std::vector<Position> steps;
};
