#!/usr/bin/env bash
# Build wheel and sdist into dist/, install the wheel where there is no checkout, and try it there:
#     bash scripts/try_wheel.sh [PYTHON]
# Everything it makes but dist/ is under build/ and may be removed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
python=${1:-python3}
work=build/wheel
rm -rf "$work" dist
mkdir -p "$work"

"$python" -m venv "$work/builder"
"$work/builder/bin/pip" install --quiet --disable-pip-version-check build
for place in dist "$work/again"; do
    "$work/builder/bin/python" -m build --outdir "$place" . >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; exit 1; }
done
diff -r dist "$work/again" || { echo "error: two builds of the same files differ" >&2; exit 1; }
wheel=$(echo dist/*.whl)
bytes=$(wc -c <"$wheel")
echo "$wheel: $bytes bytes; $(echo dist/*.tar.gz): $(wc -c <"$(echo dist/*.tar.gz)") bytes"
[ "$bytes" -lt 3000000 ] || { echo "error: the wheel has $bytes bytes, at most 3,000,000 are meant" >&2; exit 1; }

"$python" -m venv "$work/fresh"
pip=("$work/fresh/bin/pip" install --quiet --disable-pip-version-check --constraint constraints.txt)
"${pip[@]}" torch==2.13.0
"${pip[@]}" "$wheel[tensorflow,pytorch,serve,convert]" pytest hypothesis

# Beside the checkout, not in it: nothing is imported but what was installed.
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp -r tests/conftest.py tests/config tests/parameters tests/search "$place"
cd "$place"
bin=$root/$work/fresh/bin
"$bin/diptych" --version
"$bin/python" -m diptych --version
"$bin/python" -c "import diptych, pathlib; assert pathlib.Path(diptych.__file__).with_name('py.typed').is_file()"
"$bin/diptych" code GRU >/dev/null
"$bin/python" -m pytest -q --import-mode=importlib -p no:cacheprovider .
begun=$SECONDS
"$bin/diptych" compare --quick --quiet --run "$place/quick"
echo "the comparison took $((SECONDS - begun)) s; the wheel works without a checkout ($("$bin/python" --version)); two builds are the same"
