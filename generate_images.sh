#!/usr/bin/env bash
# Renders lines of text as pictures, with the flags of TextRecognitionDataGenerator; all options: --help
#   ./generate_images.sh -i lines.txt -w 5 -t 2 -f 64 -l ko -c 1000 -na 2 --output_dir out
# Other choices go the same way: --engine trdg, --preset document, --fonts FOLDER, --layout parquet
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python="$here/.venv/bin/python"
[[ -x "$python" ]] || python="$(command -v python3 || command -v python)"
exec "$python" -m glyphline render --preset trdg --layout trdg --order given --height_px 32 \
  --shard_size 250 --output out --fonts "$here/demo/fonts" "$@"
