"""Records quantiles computed by SciPy and NumPy, for test/statistics_test.ts.

    pip install scipy
    python test/parity/statistics.py        # from the root of the repository

Student's t agrees with the published table (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2) to its three
decimals.
"""
import json
import numpy
import scipy
from scipy.stats import t

SHARES = [0.51, 0.6, 0.74, 0.76, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.999999]
FREEDOMS = [0.3, 0.5, *range(1, 31), 2.5, 3.7, 17.25, 31.9, 60, 120, 1000, 12345.6, 1e6]
SAMPLE = [3.5, -1, 7, 7, 0.25, 12, 100, 4]
SAMPLE_SHARES = [0, 0.025, 0.05, 0.25, 0.5, 0.9, 0.95, 0.99, 1]
rows = [{"freedom": f, "values": [float(t.ppf(s, f)) for s in SHARES]} for f in FREEDOMS]
sample = {"values": SAMPLE, "shares": SAMPLE_SHARES, "quantiles": numpy.quantile(SAMPLE, SAMPLE_SHARES).tolist()}
with open("test/fixtures/statistics.json", "w") as file:
    file.write("".join([
        '{"scipy":', json.dumps(scipy.__version__), ',"numpy":', json.dumps(numpy.__version__),
        ',"sample":', json.dumps(sample), ',"shares":', json.dumps(SHARES), ',"rows":[\n',
        ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows), "\n]}\n",
    ]))
