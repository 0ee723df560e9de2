#!/usr/bin/env bash
# Runs the unit tests in a copy of the tree under another Node, native module compiled for it.
# usage: test-on-node.sh <folder of a node package> <folder for the copy> <file for the JSON report>
set -euo pipefail
node_home=$1 tree=$2 report=$3

mkdir -p "$tree"
git ls-files -z | xargs -0 cp --parents -t "$tree"
cd "$tree"
export PATH="$node_home/bin:$PATH" npm_config_nodedir="$node_home"
echo "unit tests on $(node --version)"
# Compiled here, not taken from a cache that may have been filled with the headers of another Node.
npx -y pnpm@10.34.9 install --frozen-lockfile --config.side-effects-cache=false >/dev/null
npx -y pnpm@10.34.9 test --retry=1 --exclude 'src/e2e/**' --exclude '**/namespaces.test.ts' --exclude '**/contract.test.ts' --exclude '**/nft-limits.test.ts' \
  --exclude '**/nutshell.test.ts' --reporter=json --outputFile.json="$report"
