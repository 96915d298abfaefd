"""Scoring in two real processes (gloo) gives what one process gives, on both."""

import json
import os
import subprocess
import sys
from pathlib import Path

from fake_reader import FakeReader, sample

from glyphline.evaluation.scores import score_samples

PROGRAM = """
import json, os, sys
import torch.distributed
sys.path.insert(0, sys.argv[2])
from fake_reader import FakeReader, sample
from glyphline.evaluation.scores import score_samples
rank = int(os.environ["RANK"])
torch.distributed.init_process_group("gloo", init_method="file://" + sys.argv[1], world_size=2, rank=rank)
texts = json.loads(sys.argv[3])
reader = FakeReader(texts)
score = score_samples(reader, (sample(k, text) for k, text in enumerate(texts)), "ctc", chunk=2)
print(json.dumps({"cer": score.cer, "ids": [line.id for line in score.lines], "read": sum(reader.calls)}))
torch.distributed.destroy_process_group()
"""


def test_two_processes(tmp_path):
    texts = ["le chat", "un chien", "abc", "12 345", "été"]
    arguments = [sys.executable, "-c", PROGRAM, str(tmp_path / "store"), str(Path(__file__).parent), json.dumps(texts)]
    running = [
        subprocess.Popen(arguments, env=os.environ | {"RANK": str(rank), "WORLD_SIZE": "2"}, stdout=subprocess.PIPE)
        for rank in range(2)
    ]
    found = [json.loads(process.communicate(timeout=200)[0].splitlines()[-1]) for process in running]
    alone = score_samples(FakeReader(texts), [sample(k, text) for k, text in enumerate(texts)], "ctc")
    for result in found:
        assert result["cer"] == alone.cer
        assert result["ids"] == [line.id for line in alone.lines]
    assert [result["read"] for result in found] == [3, 2]
