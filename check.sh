#!/usr/bin/env bash
# The test command: formatting, lints, all tests, documentation. Installs what the tests compare with (nfdump,
# tshark) where it can, and says what it has to leave out where it cannot.
#
#   FLOW_CORPUS=DIR ./check.sh    also runs the tests over third-party captures and logs kept in DIR
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '\n== %s\n' "$*"; }

need() { # need COMMAND PACKAGE: makes a command available, or says what will be skipped
  command -v "$1" >/dev/null 2>&1 && return 0
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    [ -n "${apt_updated:-}" ] || { apt-get update -qq >/dev/null 2>&1 || true; apt_updated=1; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null 2>&1 || true
  fi
  command -v "$1" >/dev/null 2>&1 || echo "$1 is not installed (Debian package $2): the tests that compare with it are skipped"
}

say "tools"
need nfdump nfdump
need tshark tshark
need python3 python3
need jq jq
need valgrind valgrind
need chromium chromium
python3 -c "import duckdb" 2>/dev/null || python3 -m pip install --quiet duckdb >/dev/null 2>&1 ||
  echo "the Python module duckdb is not installed: the tests that compare with DuckDB are skipped"
if [ -n "${FLOW_CORPUS:-}" ]; then
  FLOW_CORPUS=$(cd "$FLOW_CORPUS" && pwd)
  export FLOW_CORPUS
  echo "corpus: $FLOW_CORPUS"
else
  echo "FLOW_CORPUS is not set: the tests over third-party captures and logs are skipped"
fi

for component in rustfmt clippy; do
  cargo "${component/rust/}" --version >/dev/null 2>&1 || rustup component add "$component"
done

say "format"
cargo fmt --all --check
say "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings
say "tests"
# The programs first: the end-to-end tests run them.
cargo build --workspace --bins --locked
# Benches are compiled by the lints above.
cargo test --workspace --lib --bins --tests --examples --locked
say "documentation tests"
cargo test --workspace --doc --locked
say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
say "instructions of the hot paths"
if command -v python3 >/dev/null 2>&1; then
  python3 tests/bench/budget.py
else
  echo "python3 is not installed: the regression guard is skipped"
fi
say "all checks passed"
