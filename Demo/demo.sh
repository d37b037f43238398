#!/usr/bin/env bash
# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

# The main job on a hub of its own: fetch, merge, card and push, then back again.
# Usage: Demo/demo.sh FOLDER-OF-THE-PROGRAMS. Everything it makes is in ./demo.
set -euo pipefail
programs=$(cd "${1:?the folder of the programs}" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
server=

stop() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n%s\n' "$*"; }

# Shows a command as a user would type it, then runs it.
run() {
  printf '\n$ %s\n' "$*"
  "$programs/$1" "${@:2}"
}

# Neither a login nor settings of the user's own get in.
unset HF_TOKEN HUGGING_FACE_HUB_TOKEN HF_TOKEN_PATH HF_HUB_CACHE HUGGINGFACE_HUB_CACHE \
  HF_HUB_OFFLINE TRANSFORMERS_OFFLINE HF_HUB_DISABLE_IMPLICIT_TOKEN HF_HUB_DISABLE_SYMLINKS
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

rm -rf demo
mkdir demo

say "Three small Llama models, made on the spot:"
"$programs/DemoModels" demo/models LICENSE ./*.md Sources/*/*.swift Sources/*/*/*.swift

say "A hub of our own that has them:"
printf '\n$ %s\n' 'hubmerge serve --root demo/hub --port 0 --import demo/base=demo/models/base … &'
"$programs/hubmerge" serve --quiet --root demo/hub --port 0 \
  --import demo/base=demo/models/base \
  --import demo/math=demo/models/math \
  --import demo/code=demo/models/code >demo/serve.out 2>demo/serve.log &
server=$!
for _ in $(seq 300); do
  if [ -s demo/serve.out ]; then break; fi
  if ! kill -0 "$server" 2>/dev/null; then break; fi
  sleep 0.1
done
endpoint=$(head -n 1 demo/serve.out)
if [ -z "$endpoint" ]; then
  say "The hub did not start:" >&2
  cat demo/serve.log >&2
  exit 1
fi

export HF_ENDPOINT=$endpoint HF_HOME=demo/home
printf '$ %s\n' "export HF_ENDPOINT=$HF_ENDPOINT HF_HOME=$HF_HOME"

run hubmerge release Examples/ties.yml demo/ties-merge
run hubmerge fetch demo/ties-merge

folder=$("$programs/hubmerge" fetch --quiet --offline demo/ties-merge)
say "Its card begins like this:"
echo
head -n 32 "$folder/README.md" | sed 's/^/  /'

cat <<'END'

That was the whole job. On the real hub it is the same, with models of your choice in the recipe,
a token that may write, and no HF_ENDPOINT:

  export HF_TOKEN=hf_…
  hubmerge release recipe.yml your-name/your-merge

The models, the hub and the cache of this run are in ./demo.
END
