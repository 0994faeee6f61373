"""Writes one table of flow log records in the ways that Parquet has: python3 testdata/make_parquet.py testdata/parquet

Needs pyarrow and duckdb. Bytes depend on their versions (26.0 and 2.0 here), what is in the tables does not.
"""
import sys, datetime, pyarrow as pa, pyarrow.parquet as pq
out = sys.argv[1]
names = "version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status tcp_flags flow_direction mytag".split()
rows = []
for i in range(60):
    start = 1710252000 + i * 37 % 600
    base = [5, "012345678901", f"eni-0{i % 3}aaaaaaaaaaaaaa"]
    if i % 20 == 7:
        rows.append(base + ["-"] * 2 + [None] * 5 + [start, start + 60, "-", "NODATA", None, "-", "-"])
    elif i % 20 == 13:
        rows.append(base + ["-"] * 2 + [None] * 5 + [start, start + 60, "-", "SKIPDATA", None, "-", "-"])
    else:
        src = "2001:db8::66" if i % 9 == 0 else f"203.0.113.{i % 7 + 60}"
        dst = "2001:db8::20" if i % 9 == 0 else "10.77.4.20"
        rows.append(base + [src, dst, 40000 + i, [443, 22, 8889][i % 3], 6 if i % 5 else 17, i + 1,
                    (i + 1) * 60 + i ** 4, start, start + i % 60, "REJECT" if i % 11 == 0 else "ACCEPT", "OK",
                    i % 20 if i % 5 else None, "ingress" if i % 2 else "egress", f"tag-{i // 10}" if i % 4 else None])
cols = list(zip(*rows))
i32 = {"version", "srcport", "dstport", "protocol", "tcp_flags"}
i64 = {"packets", "bytes", "start", "end"}
def typ(n): return pa.int32() if n in i32 else pa.int64() if n in i64 else pa.string()
t = pa.table({n: pa.array(c, typ(n)) for n, c in zip(names, cols)})
strings = [n for n in names if typ(n) == pa.string()]
ints = [n for n in names if n in i32 | i64]
def w(name, table=t, **k): pq.write_table(table, f"{out}/{name}.parquet", store_schema=False, **k)
w("snappy", compression="snappy", row_group_size=25)
w("gzip-pages", compression="gzip", data_page_size=1, write_batch_size=8, dictionary_pagesize_limit=60)
w("zstd-v2-delta", compression="zstd", data_page_version="2.0", use_dictionary=False, data_page_size=1, write_batch_size=16,
  column_encoding={**{n: "DELTA_BINARY_PACKED" for n in ints}, **{n: "DELTA_BYTE_ARRAY" for n in strings[:4]},
                   **{n: "DELTA_LENGTH_BYTE_ARRAY" for n in strings[4:]}})
w("lz4-split-checksums", compression="lz4", use_dictionary=False, write_page_checksum=True, row_group_size=40,
  column_encoding={n: "BYTE_STREAM_SPLIT" for n in ints})
w("plain-v2-checksums", compression="none", data_page_version="2.0", use_dictionary=False, write_page_checksum=True)
# Other types for the same values: floats, texts, unsigned, timestamps; None in words; a list and a decimal beside them.
def other(n, c):
    if n in ("start", "end"): return pa.array([datetime.datetime.fromtimestamp(x, datetime.timezone.utc) for x in c], pa.timestamp("us", "UTC"))
    if n in ("srcport", "dstport"): return pa.array(c, pa.uint16())
    if n == "bytes": return pa.array(c, pa.uint64())
    if n == "packets": return pa.array(["None" if x is None else str(x) for x in c])
    if n == "protocol": return pa.array([float("nan") if x is None else float(x) for x in c], pa.float64())
    if n == "tcp_flags": return pa.array(c, pa.int8())
    if n == "account_id": return pa.array([int(x) for x in c], pa.int64())
    if typ(n) == pa.string(): return pa.array([None if x == "-" else x for x in c]).dictionary_encode()
    return pa.array(c, pa.int64())
t2 = pa.table({n.replace("_", "-"): other(n, c) for n, c in zip(names, cols)})
t2 = t2.append_column("labels", pa.array([["a", "b"]] * len(rows), pa.list_(pa.string())))
t2 = t2.append_column("cost", pa.array([None] * len(rows), pa.decimal128(20, 2)))
w("other-types", t2, compression="snappy")
open(f"{out}/records.log", "w").write("\n".join([" ".join(n.replace("_", "-") for n in names)] +
    [" ".join("-" if x is None else str(x).replace(" ", "_") for x in r) for r in rows]) + "\n")
import duckdb
con = duckdb.connect()
con.register("t", t)
con.execute(f"COPY t TO '{out}/duckdb-v2.parquet' (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE 32)")
con.execute(f"COPY t TO '{out}/duckdb.parquet' (FORMAT parquet)")
