"""Known answers for differences between two runs, the judge's agreement and its drift, computed independently of the
Rust code.

    pip install scipy statsmodels krippendorff && python3 tests/figures/comparisons.py

writes `comparisons.json` beside itself; it is committed and read by the unit tests of `src/score`. Nothing is shared
with the Rust code: errors are the sandwich of a weighted regression in exact fractions (held against statsmodels' and
SciPy's own where they apply), McNemar and alpha come from their packages or from the definition, and the bootstrap is
NumPy's with 200,000 resamples. A bootstrap bound of 10,000 resamples differs from that one by its resampling error, of
which `within` is five standard deviations.
"""

import itertools
import json
import math
import random
from fractions import Fraction
from pathlib import Path

import krippendorff
import numpy
import scipy.stats
import statsmodels.api
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

HERE = Path(__file__).parent
RESAMPLES, OURS = 200_000, 10_000
MARGINS = [0.0, 0.03, 0.1]
ULP = Fraction(1, 10**9)


def labels_of(cases):
    return [c["group"] if c.get("group") else f"\0{i}" for i, c in enumerate(cases)]


def regression(d, w, labels):
    """d on a constant with weights w: estimate, cluster-robust error with G/(G−1), and the degrees of freedom."""
    bread = sum(w)
    mean = sum(a * b for a, b in zip(d, w)) / bread
    names = sorted(set(labels))
    g, n = len(names), len(d)
    if g < 2:
        return mean, None, None, g
    scores = [sum(wi * (di - mean) for di, wi, label in zip(d, w, labels) if label == name) for name in names]
    error = math.sqrt(sum(s * s for s in scores) * Fraction(g, g - 1)) / float(bread)
    freedom = float(g * (bread**2 / sum(a * a for a in w)) / n - 1)
    codes = numpy.array([names.index(label) for label in labels])
    fit = statsmodels.api.WLS(
        numpy.array([float(x) for x in d]), numpy.ones(n), weights=numpy.array([float(x) for x in w])
    ).fit(cov_type="cluster", cov_kwds={"groups": codes})
    assert math.isclose(float(fit.bse[0]), error, rel_tol=1e-9, abs_tol=1e-12), (fit.bse, error)
    return mean, error, freedom, g


def bootstrap(d, w, labels, mean, error, rng):
    """Studentised, by resampling clusters: the two bounds and five deviations of what 10,000 resamples may be off."""
    names = sorted(set(labels))
    members = [[i for i, label in enumerate(labels) if label == name] for name in names]
    d, w, g = numpy.array([float(x) for x in d]), numpy.array([float(x) for x in w]), len(names)
    means, errors = [], []
    for _ in range(RESAMPLES // 10_000):
        drawn = rng.integers(0, g, (10_000, g))
        wd = numpy.array([(w[m] * d[m]).sum() for m in members])[drawn]
        ww = numpy.array([w[m].sum() for m in members])[drawn]
        m = wd.sum(1) / ww.sum(1)
        errors.append(numpy.sqrt(g / (g - 1) * ((wd - m[:, None] * ww) ** 2).sum(1)) / ww.sum(1))
        means.append(m)
    shift, errors = numpy.concatenate(means) - float(mean), numpy.concatenate(errors)
    flat = errors < 1e-9
    if flat.mean() > 0.01:  # too many resamples that can't be studentised: the bounds are Student's t
        return None
    side = numpy.where(shift == 0, 0.0, numpy.copysign(numpy.inf, shift))
    t = numpy.where(flat, side, shift / numpy.where(flat, 1, errors))
    q05, q95 = numpy.quantile(t, [0.05, 0.95])
    within = []
    for share in (0.95, 0.05):
        around = numpy.quantile(t, [share - 0.01, share + 0.01])
        density = 0.02 / (around[1] - around[0])
        within.append(5 * math.sqrt(0.05 * 0.95 * (1 / OURS + 1 / RESAMPLES)) / density * error)
    ps = [float((t <= (float(mean) + m) / error).mean()) for m in MARGINS]
    return {
        "low": float(mean) - q95 * error,
        "high": float(mean) - q05 * error,
        "within": max(within),
        "p_worse": ps,
        "p_within": 5 * 0.5 * math.sqrt(1 / OURS),
    }


def percentile(now, before, labels, share, rng):
    names = sorted(set(labels))
    members = [[i for i, label in enumerate(labels) if label == name] for name in names]
    now, before = numpy.array(now), numpy.array(before)
    out = []
    for _ in range(10_000):
        at = numpy.concatenate([members[i] for i in rng.integers(0, len(names), len(names))])
        out.append(numpy.quantile(now[at], share) - numpy.quantile(before[at], share))
    out = numpy.array(out)
    spread = [numpy.quantile(out, q) for q in (0.035, 0.065, 0.935, 0.965)]
    return {
        "now": float(numpy.quantile(now, share)),
        "before": float(numpy.quantile(before, share)),
        "error": float(out.std(ddof=1)),
        # A resampled quantile takes few values: what 10,000 resamples give lies between the neighbouring quantiles.
        "low": [float(spread[0]), float(spread[1])],
        "high": [float(spread[2]), float(spread[3])],
    }


def difference(cases, value, rng):
    now = [value(c["now"], c) for c in cases]
    before = [value(c["before"], c) for c in cases]
    w = [Fraction(c.get("weight", 1)) for c in cases]
    labels = labels_of(cases)
    d = [a - b for a, b in zip(now, before)]
    mean, error, freedom, g = regression(d, w, labels)
    out = {
        "n": len(d),
        "clusters": g,
        "now": float(sum(a * b for a, b in zip(now, w)) / sum(w)),
        "before": float(sum(a * b for a, b in zip(before, w)) / sum(w)),
        "difference": float(mean),
    }
    if max(d) == min(d) or error is None or freedom < 1:
        return out
    out |= {"error": error, "freedom": freedom}
    out["detectable"] = float(scipy.stats.norm.ppf(0.95) + scipy.stats.norm.ppf(0.80)) * error
    t = scipy.stats.t(freedom, loc=float(mean), scale=error)
    out["t"] = {
        "low": t.ppf(0.05),
        "high": t.ppf(0.95),
        "p_worse": [scipy.stats.t.cdf((float(mean) + m) / error, freedom) for m in MARGINS],
        "p_no_worse": [scipy.stats.t.sf((float(mean) + m) / error, freedom) for m in MARGINS],
    }
    if len(set(w)) == 1 and g == len(d):
        floats = [float(x) for x in d]
        for m, p in zip(MARGINS, out["t"]["p_worse"]):
            assert math.isclose(scipy.stats.ttest_1samp(floats, -m, alternative="less").pvalue, p, rel_tol=1e-9)
    if g >= 50:
        out["bootstrap"] = bootstrap(d, w, labels, mean, error, rng)
    return out


def flips(cases):
    ok = lambda score, c: Fraction(score) >= Fraction(c.get("pass_score", 0.7)) - ULP
    failing = sum(ok(c["before"], c) and not ok(c["now"], c) for c in cases)
    fixed = sum(ok(c["now"], c) and not ok(c["before"], c) for c in cases)
    return {"newly_failing": failing, "newly_fixed": fixed, "p": mid_p(failing, fixed)}


def mid_p(b, c):
    if b + c == 0:
        return None
    exact = mcnemar([[0, b], [c, 0]], exact=True).pvalue
    if b == c:
        return 1.0
    return float(exact - scipy.stats.binom.pmf(min(b, c), b + c, 0.5))


def pair(rng, shift, noise, before=None):
    before = round(rng.betavariate(4, 2), 3) if before is None else before
    return {"before": before, "now": round(min(1.0, max(0.0, before + shift + rng.gauss(0, noise))), 3)}


def scenarios():
    rng = random.Random(20_241_103)
    many = lambda n, shift, noise, **more: [pair(rng, shift, noise) | more for _ in range(n)]
    yield "two cases", [{"before": 0.5, "now": 0.75}, {"before": 1.0, "now": 0.5}]
    yield "nine cases", many(9, 0, 0.1)
    yield "twelve cases of the worked example", [
        {"before": b, "now": a}
        for b, a in zip(
            [0.90, 0.85, 0.75, 1.00, 0.60, 0.80, 0.95, 0.70, 0.65, 0.90, 0.85, 0.80],
            [0.85, 0.80, 0.80, 0.95, 0.45, 0.75, 0.95, 0.55, 0.60, 0.90, 0.75, 0.70],
        )
    ]
    yield "thirty cases", many(30, -0.02, 0.08)
    yield "forty-nine cases", many(49, 0.01, 0.05)
    yield "all moved alike", [{"before": 0.25 + k / 64, "now": 0.125 + k / 64} for k in range(12)]
    yield "nothing moved", [{"before": k / 16, "now": k / 16} for k in range(16)]
    yield "weights", [c | {"weight": w} for c, w in zip(many(14, -0.03, 0.1), [1, 3, 0.5, 2, 1, 1, 4] * 2)]
    yield "equal weights other than one", many(11, 0, 0.1, weight=3)
    yield "one weight outweighs all others", many(1, 0, 0.1, weight=1000) + many(10, 0, 0.1)
    yield "groups", [c | {"group": g} for c, g in zip(many(36, -0.04, 0.1), "aaabbbbccddddeeeffgghhhhiijjjkkklllm")]
    yield "groups and single cases", [
        c | ({"group": g} if g != "." else {}) for c, g in zip(many(20, 0, 0.1), "aaaa....bb..cccc....")
    ]
    yield "groups and weights", [
        c | {"group": g, "weight": w}
        for c, g, w in zip(many(24, -0.1, 0.1), "aabbccddeeffgghhiijjkkll", [1, 2, 3, 1, 1, 1, 0.5, 2] * 3)
    ]
    yield "one group", many(12, 0, 0.1, group="a")
    yield "pass scores of their own", many(15, 0, 0.3, pass_score=0.5) + many(15, 0, 0.3, pass_score=0.9)
    yield "sixty cases", many(60, -0.03, 0.1)
    yield "eighty cases, a tenth collapsed", many(72, 0, 0.04) + many(8, -0.6, 0.1)
    yield "seventy weighted cases", [c | {"weight": rng.choice([0.5, 1, 2, 3])} for c in many(70, 0.02, 0.15)]
    yield "two hundred cases in sixty groups", [
        c | {"group": f"g{i % 60}", "weight": 1} for i, c in enumerate(many(200, -0.01, 0.1))
    ]
    yield "groups of all sizes and weights", [
        c | {"group": f"g{int(math.sqrt(30 * i))}", "weight": rng.choice([1, 1, 2])}
        for i, c in enumerate(many(150, -0.05, 0.12))
    ]
    yield "four hundred cases", many(400, -0.005, 0.2)


def alphas():
    rng = random.Random(7)
    vote = lambda truth, noise: round(min(1.0, max(0.0, truth + rng.gauss(0, noise))), 2)
    yield "three votes", [[[vote(t, 0.05) for _ in range(3)]] for t in [rng.random() for _ in range(40)]]
    yield "votes by chance", [[[round(rng.random(), 2) for _ in range(2)]] for _ in range(60)]
    yield "votes lost, several samples", [
        [[vote(t, 0.1) if rng.random() > 0.2 else None for _ in range(4)] for _ in range(2)]
        for t in [rng.random() for _ in range(25)]
    ]
    yield "two answers", [[[0.5, 0.75]], [[0.25, 0.25]]]
    yield "perfect", [[[k / 8, k / 8]] for k in range(8)]
    yield "nearly equal votes", [[[0.7, 0.7]]] * 20 + [[[0.7, 0.71]], [[0.71, 0.71]]]


def alpha(cases, rng):
    answers = [[v for v in votes if v is not None] for case in cases for votes in case]
    used = [v for v in answers if len(v) > 1]
    width = max(map(len, used))
    matrix = lambda units: numpy.array([u + [numpy.nan] * (width - len(u)) for u in units], dtype=float).T
    of = lambda units: krippendorff.alpha(reliability_data=matrix(units), level_of_measurement="interval")
    spreads = [max(v) - min(v) for v in used]
    out = {"answers": len(used), "alpha": float(of(used)), "mean_spread": float(numpy.mean(spreads)), "max_spread": max(spreads)}
    per_case = [[u for u in ([v for v in votes if v is not None] for votes in case) if len(u) > 1] for case in cases]
    per_case = [units for units in per_case if units]
    if len(per_case) >= 20 and len({v for units in used for v in units}) > 5:
        drawn = []
        for _ in range(2_000):
            units = [u for i in rng.integers(0, len(per_case), len(per_case)) for u in per_case[i]]
            drawn.append(of(units))
        q = numpy.quantile(drawn, [0.015, 0.035, 0.965, 0.985])
        out["low"], out["high"] = [float(q[0]), float(q[1])], [float(q[2]), float(q[3])]
    return out


def drifts():
    yield "steady", [(0.9, 0.88), (0.2, 0.25), (0.5, 0.5), (0.7, 0.68), (0.4, 0.41)], [0.1] * 5
    yield "kinder", [(0.9, 0.7), (0.6, 0.35), (0.5, 0.3), (0.75, 0.6)], [0.1, 0.2, 0.1, 0.1]
    yield "too few to tell", [(0.5, 0.4), (0.4, 0.5)], [0.1, 0.1]
    yield "just inside", [(0.55, 0.5), (0.56, 0.5), (0.57, 0.5), (0.55, 0.5)], [0.07] * 4


def drift(pairs, tolerances):
    d = [a - b for a, b in pairs]
    low, high = scipy.stats.t.interval(0.9, len(d) - 1, loc=numpy.mean(d), scale=scipy.stats.sem(d))
    tolerance = float(numpy.mean(tolerances))
    return {
        "change": float(numpy.mean(d)),
        "low": float(low),
        "high": float(high),
        "tolerance": tolerance,
        "drifted": bool(low < -tolerance or high > tolerance),
    }


def main():
    rng = numpy.random.default_rng(5)
    exact = lambda score, case: Fraction(score)
    passed = lambda score, case: Fraction(int(Fraction(score) >= Fraction(case.get("pass_score", 0.7)) - ULP))
    known = {"margins": MARGINS, "comparisons": [], "alpha": [], "drift": [], "holm": [], "mcnemar": []}
    for name, cases in scenarios():
        entry = {"name": name, "cases": cases, "mean": difference(cases, exact, rng)}
        entry["pass_rate"] = difference(cases, passed, rng)
        entry["flips"] = flips(cases)
        if entry["mean"]["clusters"] >= 50:
            now, before = [c["now"] for c in cases], [c["before"] for c in cases]
            entry["median"] = percentile(now, before, labels_of(cases), 0.5, rng)
            entry["p10"] = percentile(now, before, labels_of(cases), 0.1, rng)
        known["comparisons"].append(entry)
    for name, cases in alphas():
        known["alpha"].append({"name": name, "cases": cases, "figures": alpha(cases, rng)})
    for name, pairs, tolerances in drifts():
        known["drift"].append({"name": name, "pairs": pairs, "tolerances": tolerances, "figures": drift(pairs, tolerances)})
    for p in ([0.01, 0.04, 0.03, 0.005], [0.2], [0.05, 0.05, 0.05], [0.9, 0.001, 0.5, 0.02, 0.02, 0.6]):
        known["holm"].append({"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()})
    for b, c in [*itertools.product([0, 1, 3, 8, 20], repeat=2), (300, 350), (4_000, 4_200), (60_000, 59_500)]:
        known["mcnemar"].append({"b": b, "c": c, "p": mid_p(b, c)})
    text = json.dumps(known, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = text.replace('{"name"', '\n{"name"').replace('"alpha":[', '\n"alpha":[').replace('"holm":[', '\n"holm":[')
    (HERE / "comparisons.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
