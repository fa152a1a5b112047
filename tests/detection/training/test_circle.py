"""Train, export, evaluate: the circle that closes through files, on a network too small and too new to be good."""

import json
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from PIL import Image, ImageDraw

from detection.categories import DETECTED
from detection.training.dataset import Label, Sample, write, write_yaml
from shop_search.model_card import ModelCard

pytest.importorskip("detection.backends.yolo", reason="ultralytics is not installed: it comes with the 'train' extra")


# One layer of each kind that the bundled detector's network has, where that has up to eight: learning, exporting and
# above all turning into eight bits take time for each.
NETWORK = """
nc: 80
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, C2f, [16, True]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [32, 3, 2]]
  - [-1, 1, Conv, [32, 3, 2]]
  - [-1, 1, SPPF, [32, 5]]
head:
  - [-1, 1, nn.Upsample, [None, 2, nearest]]
  - [[-1, 4], 1, Concat, [1]]
  - [[3, 8, 6], 1, Detect, [nc]]
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("squares")
    samples = []
    for number in range(4):
        image = Image.new("RGB", (64, 64), "white")
        ImageDraw.Draw(image).rectangle((10 + number, 10, 40 + number, 40), fill="navy")
        image.save(root / f"{number}.png")
        box = ((10 + number) / 64, 10 / 64, (40 + number) / 64, 40 / 64)
        samples.append(Sample(root / f"{number}.png", (Label("bags", box),)))
    write(samples, root / "set", "train")
    write(samples, root / "set", "val")
    return write_yaml(root / "set")


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from detection.backends.yolo import YOLO

    root = tmp_path_factory.mktemp("run")
    (root / "network.yaml").write_text(NETWORK)
    YOLO(str(root / "network.yaml"), task="detect", verbose=False).save(root / "fresh.pt")
    out = StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("detection.management.commands.train_detector.has_bf16", lambda: True)
        call_command(
            "train_detector",
            *("--from", str(root / "fresh.pt"), "--data", str(data), "--into", str(root / "out")),
            *("--epochs", "1", "--imgsz", "64", "--batch", "2"),
            stdout=out,
        )
    weights = Path(out.getvalue().strip())
    assert weights == root / "out" / "weights" / "last.pt"
    return weights


@pytest.fixture(scope="module")
def card(trained: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    into = tmp_path_factory.mktemp("export") / "weights"
    options = ("--imgsz", "64", "--data", str(data), "--trained-on", "four squares: ours")
    call_command("export_detector", str(trained), "--into", str(into), *options, stdout=StringIO())
    return ModelCard.load(into / "card.json")


def test_a_run_notes_how_it_is_done_again(trained: Path) -> None:
    (stage,) = json.loads((trained.parent / "training.json").read_text())["stages"]
    assert stage["command"].startswith("train_detector --from fresh.pt --data set/data.yaml --epochs 1 --imgsz 64")
    assert stage["parts"] == [{"name": "set", "rights": "", "images": 4, "objects": {"bags": 4}}]
    assert stage["plan"]["bf16"] is True


def test_an_exported_card_names_files_classes_data_and_measures(card: ModelCard) -> None:
    assert card.classes == DETECTED
    assert all(card.path(role).is_file() for role in ("model", "model_bin", "source"))
    assert card.data == ("four squares: ours",)
    assert card.training["stages"][0]["plan"]["epochs"] == 1
    assert card.metrics["set"]["categories"]["bags"]["n"] == 4


def test_a_detector_exported_in_eight_bits_is_smaller_and_says_so(
    card: ModelCard, trained: Path, data: Path, tmp_path: Path
) -> None:
    options = ("--imgsz", "64", "--int8", str(data))
    call_command("export_detector", str(trained), "--into", str(tmp_path / "small"), *options, stdout=StringIO())
    small = ModelCard.load(tmp_path / "small" / "card.json")
    assert small.path("model_bin").stat().st_size < 0.6 * card.path("model_bin").stat().st_size
    assert (small.preprocessing["weights"], card.preprocessing["weights"]) == ("int8", "fp16")
    assert small.fingerprint != card.fingerprint


def test_no_path_of_the_training_machine_is_in_what_is_exported(card: ModelCard, trained: Path) -> None:
    home = str(trained.parents[2]).encode()
    for file in card.folder.iterdir():
        assert home not in file.read_bytes(), file.name


def test_evaluation_prints_one_json_document(card: ModelCard, data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call_command("evaluate_detector", "--data", str(data), "--card", str(card.folder / "card.json"), "--json")
    printed = capfd.readouterr()
    document = json.loads(printed.out)
    assert (document["detector"], document["images"], document["objects"]) == (card.label, 4, 4)
    assert set(document["categories"]) == set(DETECTED)
    assert "image" in printed.err  # progress


def test_evaluation_of_some_images_only(card: ModelCard, data: Path) -> None:
    out = StringIO()
    arguments = ("--data", str(data), "--card", str(card.folder / "card.json"), "--only", "0*")
    call_command("evaluate_detector", *arguments, stdout=out)
    assert "on 1 images, 1 objects" in out.getvalue()


def test_evaluation_says_what_it_gives_to_tell_the_category(card: ModelCard, data: Path) -> None:
    out = StringIO()
    arguments = ("--data", str(data), "--card", str(card.folder / "card.json"), "--told", "--json")
    call_command("evaluate_detector", *arguments, stdout=out)
    document = json.loads(out.getvalue())
    for name in ("category_unknown", "category_told"):
        assert (document[name]["images"], document[name]["objects"]) == (4, 4)


def test_evaluation_draws_curves_and_confusion(card: ModelCard, data: Path, tmp_path: Path) -> None:
    out = StringIO()
    arguments = ("--data", str(data), "--card", str(card.folder / "card.json"), "--plots", str(tmp_path / "plots"))
    call_command("evaluate_detector", *arguments, stdout=out)
    for name in ("precision_recall.png", "confusion.png"):
        assert str(tmp_path / "plots" / name) in out.getvalue()
        colors = Image.open(tmp_path / "plots" / name).convert("RGB").getcolors(1 << 24)
        assert colors is not None
        assert len(colors) > 10  # not an empty sheet


def test_plots_that_cannot_be_written_are_a_sentence(card: ModelCard, data: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    arguments = ("--data", str(data), "--card", str(card.folder / "card.json"), "--plots", str(tmp_path / "taken"))
    with pytest.raises(CommandError, match="Can't draw into"):
        call_command("evaluate_detector", *arguments)


def test_the_exported_model_can_be_trained_further(card: ModelCard, data: Path, tmp_path: Path) -> None:
    out = StringIO()
    source = str(card.path("source"))
    options = ("--epochs", "1", "--imgsz", "64", "--batch", "4", "--into", str(tmp_path / "more"))
    call_command("train_detector", "--from", source, "--data", str(data), *options, stdout=out)
    assert Path(out.getvalue().strip()).is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train_detector"], "--data"),
        (["train_detector", "--from", "no.pt", "--data", "x.yaml"], "no checkpoint no.pt"),
        (["train_detector", "--resume", "--into", "nowhere"], "Start without --resume"),
        (["export_detector", "no.pt", "--into", "x"], "no checkpoint no.pt"),
        (["evaluate_detector", "--data", "no.yaml"], "Can't read the dataset no.yaml"),
        (["evaluate_detector", "--data", "no.yaml", "--card", "no.json"], "Can't read the model card no.json"),
    ],
)
def test_a_mistake_in_a_command_is_a_sentence(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command(*arguments)


def test_commands_load_no_training_library_before_they_run() -> None:
    import subprocess

    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; import django; django.setup(); "
        "from detection.management.commands import train_detector, evaluate_detector, export_detector, label_products; "
        "import detection.backends.openvino, detection.images; "
        "print([name for name in ('torch', 'ultralytics', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
