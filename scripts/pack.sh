#!/bin/sh
# Puts what the daemon runs from into a folder of its own: the bundle, and the one module that is compiled and stays
# outside it. Nothing else is needed but node.
# usage: sh scripts/pack.sh FOLDER    after `pnpm install` and `pnpm build`, with the Node that will run it
set -eu
unset CDPATH
umask 022

[ $# = 1 ] || {
  echo "usage: sh scripts/pack.sh FOLDER" >&2
  exit 64
}
mkdir -p -- "$1"
target=$(cd -- "$1" && pwd -P)
cd -- "$(dirname -- "$0")/.."
[ -f dist/index.cjs ] || {
  echo "dist/index.cjs is missing: run npx -y pnpm@10.34.9 build" >&2
  exit 1
}

mkdir -p -- "$target/dist"
cp dist/index.cjs "$target/dist/index.cjs.new"
mv -f -- "$target/dist/index.cjs.new" "$target/dist/index.cjs"
cp LICENSE "$target/"

# pack MODULE FOLDER PART...: what of it is needed at run time.
pack() {
  name=$1 from=$2
  shift 2
  rm -rf -- "${target:?}/node_modules/$name"
  mkdir -p -- "$target/node_modules/$name"
  for part in "$@"; do
    mkdir -p -- "$target/node_modules/$name/$(dirname -- "$part")"
    cp -R -- "$from/$part" "$target/node_modules/$name/$part"
  done
}

# pnpm puts what a module needs beside the module.
sqlite=$(cd node_modules/better-sqlite3 && pwd -P)
bindings=$(cd "$sqlite/../bindings" && pwd -P)
paths=$(cd "$bindings/../file-uri-to-path" && pwd -P)
pack better-sqlite3 "$sqlite" package.json LICENSE lib build/Release/better_sqlite3.node
pack bindings "$bindings" package.json LICENSE.md bindings.js
pack file-uri-to-path "$paths" package.json LICENSE index.js

# Whoever the daemon runs as, and whatever the umask of the checkout was.
chmod -R a+rX -- "$target"
