"""Known answers for the figures, computed independently of the Rust code.

    pip install scipy && python3 tests/figures/known_answers.py

writes `known_answers.json` (sets of cases and their figures), `t_quantiles.csv` and `t_probabilities.csv` beside itself; all
are committed and read by the unit tests of `src/score`. Nothing is shared with the Rust code: sums are
exact fractions, quantiles and Wilson's interval are SciPy's and NumPy's, and the clustered standard error
is written as the sandwich of a weighted regression on a constant, as econometrics has it.
"""

import json
import math
import random
from fractions import Fraction
from pathlib import Path

import numpy
import scipy.stats

HERE = Path(__file__).parent
Z = scipy.stats.norm.ppf(0.975)


def exact_mean(values):
    return sum(map(Fraction, values)) / len(values)


def case_score(case):
    """case: {"samples": [{"checks_ok": bool, "votes": [score or null]}]}"""
    samples = []
    for sample in case["samples"]:
        votes = [Fraction(v) for v in sample["votes"] if v is not None]
        if not sample.get("checks_ok", True):
            samples.append(Fraction(0))
        elif votes:
            samples.append(exact_mean(votes))
    return exact_mean(samples) if samples else None


def sandwich(x, w, labels):
    """Regression of x on a constant with weights w: bread⁻¹ · meat · bread⁻¹, G/(G−1)."""
    bread = sum(w)
    mean = sum(a * b for a, b in zip(x, w)) / bread
    meat, names = Fraction(0), sorted(set(labels))
    for name in names:
        score = sum(wi * (xi - mean) for xi, wi, label in zip(x, w, labels) if label == name)
        meat += score * score
    g = len(names)
    return mean, math.sqrt(meat * Fraction(g, g - 1)) / float(bread), g


def wilson(p, n):
    """The roots of |p − π| = z·√(π(1−π)/n), solved as a quadratic."""
    roots = numpy.roots([1 + Z**2 / n, -(2 * p + Z**2 / n), p**2])
    return sorted(float(r.real) for r in roots)


def figures(cases):
    scored = [(case_score(c), c) for c in cases]
    scored = [(s, c) for s, c in scored if s is not None]
    x = [s for s, _ in scored]
    w = [Fraction(c.get("weight", 1)) for _, c in scored]
    labels = [c["group"] if c.get("group") else f"\0{i}" for i, (_, c) in enumerate(scored)]
    passed = [s >= Fraction(c.get("pass_score", 0.7)) - Fraction(1, 10**9) for s, c in scored]
    n = len(x)
    out = {"cases": len(cases), "scored": n, "passed": sum(passed), "coverage": n / len(cases)}
    mean = sum(a * b for a, b in zip(x, w)) / sum(w)
    floats = [float(v) for v in x]
    out["mean"] = float(mean)
    out["median"] = float(numpy.median(floats))
    out["min"] = min(floats)
    out["p10"] = float(numpy.percentile(floats, 10))
    out["stddev"] = float(numpy.std(floats, ddof=1)) if n > 1 else None
    effective = float(sum(w) ** 2 / sum(a * a for a in w))
    rate = float(sum(a for a, ok in zip(w, passed) if ok) / sum(w))
    out["pass_rate"] = rate
    out["pass_rate_interval"] = wilson(rate, effective)
    if len(set(w)) == 1:  # SciPy's own, where it applies
        ci = scipy.stats.binomtest(sum(passed), n).proportion_ci(0.95, method="wilson")
        assert numpy.allclose([ci.low, ci.high], out["pass_rate_interval"], atol=1e-12)
    out["mean_interval"] = None
    if n > 1 and max(x) > min(x) and len(set(labels)) > 1:
        mean, error, g = sandwich(x, w, labels)
        freedom = g * (effective / n) - 1
        if freedom >= 1 and error > 0:
            low, high = scipy.stats.t.interval(0.95, freedom, loc=float(mean), scale=error)
            if len(set(w)) == 1 and g == n:  # the plain formula
                plain = scipy.stats.t.interval(0.95, n - 1, loc=numpy.mean(floats), scale=scipy.stats.sem(floats))
                assert numpy.allclose(plain, (low, high), atol=1e-12)
            out["mean_interval"] = [min(1.0, max(0.0, low)), min(1.0, max(0.0, high))]
    return out


def plain(scores, **more):
    return [{"samples": [{"votes": [s]}], **more} for s in scores]


def scenarios():
    rng = random.Random(20_240_611)
    score = lambda: round(rng.betavariate(4, 2), 3)
    yield "one case", plain([0.62])
    yield "two cases", plain([0.5, 0.9])
    yield "two cases at the ends", plain([0, 1])
    yield "all equal", plain([0.8] * 7)
    yield "all perfect", plain([1.0] * 30)
    yield "all zero", plain([0.0] * 12)
    yield "a score on the pass line", plain([0.7, 0.7, 0.1, 0.2])
    yield "forty cases", plain([score() for _ in range(40)])
    yield "twelve hundred cases", plain([score() for _ in range(1200)])
    yield "votes and samples are averaged first", [
        {"samples": [{"votes": [0.2, 0.4, 0.9]}, {"votes": [1.0]}]},
        {"samples": [{"votes": [0.7, None]}, {"votes": [None, None]}, {"votes": [0.1, 0.2]}]},
        {"samples": [{"votes": [], "checks_ok": False}, {"votes": [0.8, 0.6]}]},
        {"samples": [{"votes": [0.55, 0.65, 0.75]}]},
    ]
    yield "unscored cases leave the mean", plain([0.4, 0.9, 0.95]) + plain([None, None])
    yield "weights", [c | {"weight": w} for c, w in zip(plain([0.9, 0.4, 0.75, 0.6, 1.0]), [1, 3, 0.5, 2, 1])]
    yield "equal weights other than one", plain([0.9, 0.4, 0.75, 0.6, 1.0], weight=4)
    yield "a case that outweighs all others", plain([0.9], weight=1000) + plain([0.1, 0.3, 0.2])
    yield "groups", [c | {"group": g} for c, g in zip(plain([score() for _ in range(24)]), "aaabbbbccddddeeeffgghhhh")]
    yield "groups and single cases", [
        c | ({"group": g} if g != "." else {})
        for c, g in zip(plain([score() for _ in range(16)]), "aaaa....bb..cccc")
    ]
    yield "groups and weights", [
        c | {"group": g, "weight": w}
        for c, g, w in zip(plain([score() for _ in range(12)]), "aabbccddeeff", [1, 2, 3, 1, 1, 1, 0.5, 2, 1, 4, 1, 1])
    ]
    yield "one group", plain([0.2, 0.6, 0.9], group="a")
    yield "pass scores of their own", plain([0.5, 0.6], pass_score=0.5) + plain([0.8, 0.95], pass_score=0.9)


def main():
    known = [{"name": name, "cases": cases, "figures": figures(cases)} for name, cases in scenarios()]
    text = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
    (HERE / "known_answers.json").write_text(text.replace('{"name"', '\n{"name"') + "\n", encoding="utf-8")
    freedoms = [float(n) for n in range(1, 201)] + [1 + k * 0.37 for k in range(1, 120)]
    freedoms += [250.0, 499.0, 999.0, 999.9, 1000.0, 1001.0, 5000.0, 10_000.0, 99_999.0, 1e6]
    freedoms = [float(f"{df:.6g}") for df in freedoms]
    t = scipy.stats.t
    rows = [f"{df:.6g},{t.ppf(0.975, df):.15g},{t.ppf(0.95, df):.15g}" for df in freedoms]
    (HERE / "t_quantiles.csv").write_text("freedom,t_975,t_950\n" + "\n".join(rows) + "\n", encoding="utf-8")
    points = [-9.0, -4.0, -2.5, -1.7, -0.3, 0.0, 0.8, 1.3, 2.1, 3.0, 6.0]
    rows = [f"{df:.6g},{x},{t.cdf(x, df):.15g}" for df in freedoms[::9] + freedoms[-10:] for x in points]
    (HERE / "t_probabilities.csv").write_text("freedom,t,probability\n" + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
