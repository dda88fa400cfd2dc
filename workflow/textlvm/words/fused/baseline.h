// The log-likelihood of a batch under the GRU baseline and its gradient: textlvm.words.baseline in one pass.
#pragma once
#include "blocks.h"
#include "networks.h"

template <class R> struct BaselineProblem {
    int dim, backward; // backward: whether to compute gradients
    Batch batch;
    const Parameter<R> *parameters;
};

template <class R> class Baseline {

  public:
    explicit Baseline(const BaselineProblem<R> &problem) : p(problem), d(p.dim) {
        const Parameter<R> *next = p.parameters;
        gru = {{}, next[0], {{}, next[1], next[2]}};
        emission = {{}, {{}, next[3], next[4]}};
    }

    double run() {
        constexpr int width = 4 * LANES;
        double sum = 0;
        for (int from = 0; from < p.batch.sizes[0]; from += width)
            sum += solve(time_steps(p.batch, from, width));
        return sum;
    }

  private:
    struct Step {
        std::vector<int> previous; // letters; the end-of-word symbol, 0, starts a word
        typename Gru<R>::Step gru;
        const R *probabilities, *mask;
    };

    double solve(const std::vector<TimeStep> &block) {
        arena.reset();
        std::vector<Step> steps;
        const R *before = arena.zeros(d * block[0].lanes);
        double sum = 0;
        for (size_t t = 0; t < block.size(); t++) {
            const TimeStep &s = block[t];
            Step step;
            step.previous.assign(s.lanes, 0);
            if (t) {
                std::copy_n(block[t - 1].letters.begin(), s.lanes, step.previous.begin());
                before = fitted(arena, steps[t - 1].gru.after, d, block[t - 1].lanes, s.alive, s.lanes);
            }
            step.gru = gru.forward(arena, before, step.previous.data(), s.lanes);
            R *log_probabilities = arena.zeros(s.lanes), *mask = arena.zeros(s.lanes);
            step.probabilities =
                emission.forward(arena, log_probabilities, step.gru.after, s.letters.data(), 1, s.lanes);
            for (int m = 0; m < s.alive; m++) sum += log_probabilities[m], mask[m] = 1;
            step.mask = mask;
            steps.push_back(std::move(step));
        }
        if (p.backward) back(block, steps);
        return sum;
    }

    void back(const std::vector<TimeStep> &block, const std::vector<Step> &steps) {
        const R *g_next = nullptr;
        for (int t = block.size(); t--;) {
            const TimeStep &s = block[t];
            const Step &step = steps[t];
            R *g = arena.zeros(d * s.lanes), *g_before = arena.zeros(d * s.lanes);
            if (g_next) add_lanes(g, s.lanes, g_next, d, block[t + 1].lanes, block[t + 1].alive);
            emission.backward(arena, g, step.mask, step.probabilities, step.gru.after, s.letters.data(), 1,
                              s.lanes);
            gru.backward(arena, g_before, g, step.gru, step.previous.data(), s.alive, s.lanes);
            g_next = g_before;
        }
        gru.hidden.collect();
        emission.linear.collect();
    }

    const BaselineProblem<R> &p;
    const int d;
    Gru<R> gru;
    Emission<R> emission;
    Arena<R> arena;
};
