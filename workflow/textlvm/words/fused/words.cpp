// The losses of the words paper and their gradients in one pass over a batch, and its sums over trajectories.
//
// Words are independent, so each block of words is processed through all its steps, forward and backward,
// while its arrays are in the cache. The arrays of a block are (features, samples, words), so that every
// operation runs along words. The names are those of the Python modules, which are the reference.
#include "baseline.h"
#include "bound.h"
#include "marginal.h"
#include <new>

// Returns 0 if memory runs out: no exception may reach a caller that is not C++.
template <class Work> int guarded(Work work) {
    try {
        work();
        return 1;
    } catch (const std::bad_alloc &) {
        return 0;
    }
}

template <class Solver, class Problem> int solve(const Problem *problem, double *value) {
    return guarded([=] { *value = Solver(*problem).run(); });
}

extern "C" {
int bound_float32(const BoundProblem<float> *p, double *value) { return solve<Bound<float>>(p, value); }
int bound_float64(const BoundProblem<double> *p, double *value) { return solve<Bound<double>>(p, value); }
int baseline_float32(const BaselineProblem<float> *p, double *value) {
    return solve<Baseline<float>>(p, value);
}
int baseline_float64(const BaselineProblem<double> *p, double *value) {
    return solve<Baseline<double>>(p, value);
}
int marginal(const MarginalProblem *p) {
    return guarded([=] { Marginal(*p).run(); });
}
}
