"""The published recipes, as they stand: small random checkpoints of their structure lie where the names point."""

import json
from pathlib import Path

import pytest
import yaml
from lines import texts, write_lines

from glyphline.models import load_recogniser
from glyphline.training.run import main

CONFIGS = Path(__file__).parents[2] / "configs" / "train"
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """A folder with `facebook/deit-…` and `klue/roberta-base` in it, as a copy of the hub's repositories would be."""
    from transformers import AutoModel, BertTokenizer, DeiTConfig, RobertaConfig, RobertaForMaskedLM

    monkeypatch.chdir(tmp_path)
    encoder, decoder = Path("facebook/deit-base-distilled-patch16-384"), Path("klue/roberta-base")
    AutoModel.from_config(DeiTConfig(image_size=384, patch_size=16, **SIZES)).save_pretrained(encoder)
    letters = sorted({letter for text in texts(60, 1) + texts(20, 2) for letter in text})
    # KLUE's own order of special tokens; its tokenizer is BERT's, its model RoBERTa.
    vocabulary = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    decoder.mkdir(parents=True)
    (decoder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizer(vocab=str(decoder / "vocab.txt"), do_lower_case=False).save_pretrained(decoder)
    config = RobertaConfig(
        vocab_size=len(vocabulary), max_position_embeddings=514, type_vocab_size=1, pad_token_id=1, bos_token_id=0,
        eos_token_id=2, tokenizer_class="BertTokenizer", **SIZES,
    )  # fmt: skip
    RobertaForMaskedLM(config).save_pretrained(decoder)
    return tmp_path


def test_the_korean_proof_of_concept(checkpoints, caplog):
    from transformers import TrOCRProcessor, VisionEncoderDecoderModel

    write_lines(Path("runs/ko/lines"), train=4, validation=2)
    recipe = CONFIGS / "stage1_base.yaml"
    assert main(["--config", str(recipe), "--output", "run", "--workers", "0", "--device", "cpu"]) == 0
    assert "fp16 needs a GPU" in caplog.text
    result = json.loads(Path("run/result.json").read_text())
    assert result["steps"] == 7, "25 passes over 4 lines, 16 a step"
    model = VisionEncoderDecoderModel.from_pretrained("run/model")
    assert (model.config.encoder.image_size, model.config.encoder.patch_size) == ([384, 384], 16)
    assert model.encoder.embeddings.distillation_token is not None
    assert (model.config.decoder_start_token_id, model.config.pad_token_id, model.config.eos_token_id) == (0, 1, 2)
    assert model.generation_config.max_new_tokens == 64
    processor = TrOCRProcessor.from_pretrained("run/model", backend="pil")
    ids = processor.tokenizer("가나")["input_ids"]
    assert processor.tokenizer.decode(ids, skip_special_tokens=True) == "가나"


def test_the_paper(checkpoints):
    """Rendered on the fly with the paper's looks; the steps of 8 GPUs' batches are cut to one of two lines."""
    fonts = Path(__file__).parents[2] / "demo" / "fonts"
    write_lines(Path("runs/ko/validation"), train=1, validation=2)
    Path("corpus.txt").write_text("가나다\n라마\n", encoding="utf-8")
    recipe = yaml.safe_load((CONFIGS / "stage1_trocr.yaml").read_text(encoding="utf-8"))
    optimisation = recipe["optimisation"]
    assert 8 * optimisation["batch_size"] * optimisation["accumulate"] == 2048
    source = {**recipe["data"]["train"][0], "corpus": "corpus.txt", "fonts": [str(fonts)]}
    options = ["--data.train", json.dumps([source]), "--optimisation.steps", "1", "--optimisation.batch_size", "2"]
    options += ["--optimisation.accumulate", "1", "--optimisation.precision", "fp32", "--workers", "0"]
    assert main(["--config", str(CONFIGS / "stage1_trocr.yaml"), "--output", "run", "--device", "cpu", *options]) == 0
    assert load_recogniser("run", "cpu").modes == ("decoder",)
