"""The real corpora, where they are: counts, known defects, splits."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from corpora_fixtures import real_corpora

from datasets_scripts import find_corpus, load_with_left_out
from datasets_scripts.audit import as_text, audit
from datasets_scripts.leakage import leakage_report
from datasets_scripts.splits import make_split
from datasets_scripts.texts import says_common_sentence

NAMES = ["ravdess", "crema_d", "tess", "savee"]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return load_with_left_out(NAMES, real_corpora(), cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def audited():
    return audit(NAMES, real_corpora())


@pytest.mark.parametrize(("name", "clips", "defects"), [
    ("ravdess", 1440, []),
    ("crema_d", 7441, ["1040_ITH_SAD_X"]),
    ("tess", 2799, ["OA_bite_neutral"]),
    ("savee", 480, []),
])  # fmt: skip
def test_every_clip_is_found_but_the_misnamed(name, clips, defects):
    scan = find_corpus(name).scan(real_corpora())
    assert (len(scan.clips), [path.stem for path, _ in scan.defects]) == (clips, defects)


def test_counts_after_cleaning(loaded):
    table, left_out = loaded
    assert Counter(table["corpus"]) == {"ravdess": 1439, "crema_d": 7434, "tess": 2799, "savee": 480}
    assert {Path(entry["file"]).stem for entry in left_out} == {
        "03-01-03-01-02-02-07", "1006_TIE_HAP_XX", "1006_TIE_NEU_XX", "1013_WSI_DIS_XX", "1013_WSI_SAD_XX",
        "1017_IWW_ANG_XX", "1017_IWW_FEA_XX", "1076_MTI_SAD_XX", "1040_ITH_SAD_X", "OA_bite_neutral",
    }  # fmt: skip


def test_men_and_women_are_as_published(loaded):
    table, _ = loaded
    sexes = Counter(
        (row["corpus"], row["sex"]) for row in table.to_pandas().drop_duplicates("speaker").to_dict("records")
    )
    assert sexes == {
        ("ravdess", "male"): 12, ("ravdess", "female"): 12, ("crema_d", "male"): 48, ("crema_d", "female"): 43,
        ("tess", "female"): 2, ("savee", "male"): 4,
    }  # fmt: skip


def test_audit_names_the_known_defects_and_not_many_more(audited):
    summaries, findings = audited
    named = {(finding.kind, Path(finding.file).stem) for finding in findings if finding.kind != "clipped"}
    assert named == {
        ("identical", "03-01-03-01-02-02-07"),
        ("conflicting labels", "1006_TIE_NEU_XX"),
        ("conflicting labels", "1013_WSI_SAD_XX"),
        ("conflicting labels", "1017_IWW_FEA_XX"),
        ("unusable", "1076_MTI_SAD_XX"),
        ("misnamed", "1040_ITH_SAD_X"),
        ("misnamed", "OA_bite_neutral"),
    }
    assert len(as_text(summaries, findings, real_corpora()).splitlines()) < 25


def test_audit_shows_that_crema_d_has_nothing_above_five_and_a_half_kilohertz(audited):
    summaries, _ = audited
    assert summaries["crema_d"]["bandwidth"] < 5600
    assert all(summaries[name]["bandwidth"] > 7000 for name in ("ravdess", "tess", "savee"))


@pytest.mark.parametrize("fold", [1, 6])
def test_pooled_speaker_folds_leak_nothing(loaded, fold):
    table, _ = loaded
    report = leakage_report(table, make_split(table, "speaker", fold))
    assert report["test"] == {"shared_speakers": 0, "shared_clips": 0, "augmented_twins": 0}


def test_real_corpora_leak_text_in_savee_alone(loaded):
    """SAVEE: 10 sentences of each of six emotions and 12 neutral ones; each man has 24 clips of the common ones."""
    table, _ = loaded
    split = make_split(table, "speaker", 2)
    text = leakage_report(table, split)["text"]
    assert text.pop("savee") == {"sentences": 72, "test_clips": 72, "test_share": 0.6}
    assert {corpus: figures["sentences"] for corpus, figures in text.items()} == {"ravdess": 0, "crema_d": 0, "tess": 0}
    common = says_common_sentence(table)
    assert common.sum() == 96 and {table[int(index)]["corpus"] for index in np.flatnonzero(common)} == {"savee"}
