// The losses of the words paper and their gradients, in one pass over a batch.
//
// Words do not depend on each other, so a block of them is taken through all its steps, forward and backward,
// while its arrays are in the cache. A block's arrays are (features, samples, words), so that every operation
// runs along words. The names are those of the Python modules, which are the reference.
#include "baseline.h"
#include "bound.h"

extern "C" {
double bound_float32(const BoundProblem<float> *problem) { return Bound<float>(*problem).run(); }
double bound_float64(const BoundProblem<double> *problem) { return Bound<double>(*problem).run(); }
double baseline_float32(const BaselineProblem<float> *problem) { return Baseline<float>(*problem).run(); }
double baseline_float64(const BaselineProblem<double> *problem) { return Baseline<double>(*problem).run(); }
}
