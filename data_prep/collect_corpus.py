"""Running text in, a corpus of clean lines out; the same as `glyphline collect`.

python data_prep/collect_corpus.py --config configs/corpus/ko.yaml --output corpus/ko
"""

import sys

from glyphline.corpus.collect import main

if __name__ == "__main__":
    sys.exit(main())
