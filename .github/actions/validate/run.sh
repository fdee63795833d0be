#!/usr/bin/env bash
# Judges the cells of $CELLS, one a line, or else those that pyproject.toml names.
set -euo pipefail

arguments=(--rnn-profile "${PROFILE:-quick}" --rnn-sarif "${SARIF:-rnn-harness.sarif}" --rnn-github)
while IFS= read -r cell; do
  [ -z "$cell" ] || arguments+=(--rnn-cell "$cell")
done <<< "${CELLS:-}"

# The folder holds no tests of its own, so that the cells alone are judged.
empty=$(mktemp -d)
trap 'rmdir "$empty"' EXIT
python -m pytest -p no:cacheprovider -q --rootdir . "${arguments[@]}" "$empty"
