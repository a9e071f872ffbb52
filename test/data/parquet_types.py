"""Makes test/fixtures/parquet_types: parquet files with a column of each type, as PyArrow and polars write them.

    pip install pyarrow==26.0.1 polars==2.1.0
    python test/data/parquet_types.py

Columns whose name begins with text, integer, texts or integers hold VALUES of that kind in the type that the name ends
with; the others hold types that are refused. Some types are written by polars, which stores its own beside the file's.
"""
import datetime, decimal, pathlib
import polars
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures" / "parquet_types"
VALUES = {"text": ["a", "é", None], "texts": [["a", "b"], ["é"], None], "integer": [0, 2, None], "integers": [[0, 1], [2], None]}
INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float16(), pa.float32(), pa.float64()]


def columns():
    for type in INTEGERS:
        yield f"integer {type}", pa.array(VALUES["integer"], type)
        yield f"integers {type}", pa.array(VALUES["integers"], pa.list_(type))
    yield "integer dictionary", pa.array(VALUES["integer"]).dictionary_encode()
    yield "integer decimal", pa.array([None if v is None else decimal.Decimal(v) for v in VALUES["integer"]], pa.decimal128(10, 2))
    yield "integers large", pa.array(VALUES["integers"], pa.large_list(pa.int64()))
    for name, type in [("string", pa.string()), ("large", pa.large_string()), ("view", pa.string_view())]:
        yield f"text {name}", pa.array(VALUES["text"], type)
        yield f"texts {name}", pa.array(VALUES["texts"], pa.list_(type))
    yield "text dictionary", pa.array(VALUES["text"]).dictionary_encode()
    yield "texts dictionary", pa.array(VALUES["texts"], pa.list_(pa.dictionary(pa.int32(), pa.string())))
    yield "texts large", pa.array(VALUES["texts"], pa.large_list(pa.large_string()))
    yield "boolean", pa.array([False, True, None])
    yield "fixed integers", pa.array([[0, 1], [2, 0], None], pa.list_(pa.int64(), 2))
    yield "fixed texts", pa.array([["a", "b"], ["c", "d"], None], pa.list_(pa.string(), 2))
    yield "beyond", pa.array([2**53 + 1, -(2**63), 0])
    yield "far beyond", pa.array([2**64 - 1, 2**53 + 1, 1], pa.uint64())
    yield "lists beyond", pa.array([[1, 2**53 + 1], [], None])
    yield "not whole", pa.array([0.5, 1.0, float("nan")])
    yield "binary", pa.array([b"a", b"b", None])
    yield "fixed binary", pa.array([b"a", b"b", None], pa.binary(1))
    yield "date", pa.array([datetime.date(2024, 1, 1)] * 3)
    yield "timestamp", pa.array([datetime.datetime(2024, 1, 1)] * 3)
    yield "timestamp with zone", pa.array([datetime.datetime(2024, 1, 1)] * 3, pa.timestamp("us", "UTC"))
    yield "time", pa.array([datetime.time(1, 2)] * 3)
    yield "duration", pa.array([datetime.timedelta(1)] * 3)
    yield "null", pa.nulls(3)
    yield "struct", pa.array([{"token": "a", "tag": 1}] * 3)
    yield "structs", pa.array([[{"token": "a", "tag": 1}]] * 3)
    yield "map", pa.array([[("a", 1)]] * 3, pa.map_(pa.string(), pa.int64()))
    yield "binaries", pa.array([[b"a"], [], None])
    yield "deep", pa.array([[["a"]], [], None])


FOLDER.mkdir(exist_ok=True)
pq.write_table(pa.table(dict(columns())), FOLDER / "pyarrow.parquet")
pq.write_table(pa.table([pa.array(["a"]), pa.array([0]), pa.array([1])], names=["text", "label", "label"]), FOLDER / "twice.parquet")
pq.write_table(pa.table({"text": pa.array(["a"], pa.json_()), "label": [0]}), FOLDER / "extension.parquet")
pq.write_table(pa.table({"text": ["a"], "label": pa.array([decimal.Decimal(0)], pa.decimal256(50, 0))}), FOLDER / "decimal256.parquet")
enum = polars.Enum(["a", "b", "é"])
polars.DataFrame({
    "text enum": polars.Series(VALUES["text"], dtype=enum),
    "text categorical": polars.Series(VALUES["text"], dtype=polars.Categorical),
    "texts enum": polars.Series(VALUES["texts"], dtype=polars.List(enum)),
    "integer int128": polars.Series(VALUES["integer"], dtype=polars.Int128),
}).write_parquet(FOLDER / "polars.parquet")
