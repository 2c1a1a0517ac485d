"""How often the 95 % interval of a weighted mean holds the true mean, for two choices of its degrees of freedom.

    pip install scipy && python3 tests/figures/weighted_coverage.py

The reason why `src/score/interval.rs` takes Kish's effective number less one, and not n − 1.
"""

import numpy
import scipy.stats

ROUNDS = 20_000


def coverage(n, weights, rng):
    held, used = {"n - 1": 0, "n_eff - 1": 0}, 0
    for _ in range(ROUNDS):
        w, x = weights(rng, n), rng.beta(4, 2, n)
        mean = (w * x).sum() / w.sum()
        error = numpy.sqrt(n / (n - 1) * ((w * (x - mean)) ** 2).sum()) / w.sum()
        effective = w.sum() ** 2 / (w**2).sum()
        if effective < 2:
            continue
        used += 1
        for name, freedom in (("n - 1", n - 1), ("n_eff - 1", effective - 1)):
            held[name] += abs(mean - 4 / 6) <= scipy.stats.t.ppf(0.975, freedom) * error
    return {name: float(round(count / used, 3)) for name, count in held.items()}


def main():
    rng = numpy.random.default_rng(1)
    shapes = {
        "equal": lambda rng, n: numpy.ones(n),
        "1 or 3": lambda rng, n: rng.choice([1.0, 3.0], n),
        "log-normal, sigma 1": lambda rng, n: rng.lognormal(0, 1, n),
    }
    for name, weights in shapes.items():
        for n in (5, 10, 30):
            print(f"{name}, n = {n}: {coverage(n, weights, rng)}")


if __name__ == "__main__":
    main()
