"""Records quantiles of Student's t computed by scipy, for test/quantile_test.ts.

    pip install scipy
    python test/parity/student_t.py        # from the root of the repository

They agree with the published table (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2) to its three decimals.
"""
import json
import scipy
from scipy.stats import t

SHARES = [0.6, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9995]
FREEDOMS = [*range(1, 31), 60, 120, 1000, 1e6, 0.5, 2.5]
rows = [{"freedom": f, "values": [float(f"{t.ppf(s, f):.10g}") for s in SHARES]} for f in FREEDOMS]
with open("test/fixtures/student_t.json", "w") as file:
    file.write('{"scipy":' + json.dumps(scipy.__version__) + ',"shares":' + json.dumps(SHARES) + ',"rows":[\n' + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]}\n")
