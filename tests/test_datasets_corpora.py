"""File names of the five corpora, in the layouts people have them in."""

from pathlib import Path

import pytest
from corpora_fixtures import write_clips

from datasets_scripts import CORPORA, CorpusError, find_corpus, load_corpora


def rows(corpus: str, root: Path) -> dict[str, dict]:
    return {clip.path.relative_to(root).as_posix(): clip.row for clip in find_corpus(corpus).scan(root).clips}


def test_ravdess_reads_every_field_of_the_name(tmp_path):
    write_clips(tmp_path, "deep/down/Actor_12/03-01-06-01-02-01-12.wav", "03-01-01-01-01-02-01.flac")
    assert rows("ravdess", tmp_path) == {
        "03-01-01-01-01-02-01.flac": {
            "speaker": "ravdess_01", "sex": "male", "emotion": "neutral",
            "intensity": "normal", "statement": "Kids are talking by the door", "repetition": 2,
        },
        "deep/down/Actor_12/03-01-06-01-02-01-12.wav": {
            "speaker": "ravdess_12", "sex": "female", "emotion": "fear",
            "intensity": "normal", "statement": "Dogs are sitting by the door", "repetition": 1,
        },
    }  # fmt: skip


def test_ravdess_leaves_song_and_video_out_without_a_word(tmp_path):
    write_clips(tmp_path, "03-02-06-01-02-01-12.wav", "01-01-06-01-02-01-12.wav", "03-01-06-01-02-01-12.wav")
    scan = find_corpus("ravdess").scan(tmp_path)
    assert [clip.path.name for clip in scan.clips] == ["03-01-06-01-02-01-12.wav"]
    assert scan.defects == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("03-01-06-01-02-01-25.wav", "actor 25"),
        ("03-01-09-01-02-01-12.wav", "emotion 09"),
        ("03-01-06-01-02-01.wav", "6 fields"),
    ],
)
def test_ravdess_lists_names_that_break_its_rules(tmp_path, name, reason):
    write_clips(tmp_path, name, "03-01-06-01-02-01-12.wav")
    scan = find_corpus("ravdess").scan(tmp_path)
    assert len(scan.clips) == 1
    assert [(path.name, reason in text) for path, text in scan.defects] == [(name, True)]


@pytest.mark.parametrize("folder", ["AudioWAV", "input/cremad/AudioWAV", "CREMA-D/AudioWAV"])
def test_crema_d_layouts(tmp_path, folder):
    write_clips(tmp_path, f"{folder}/1001_DFA_ANG_XX.wav", f"{folder}/1002_IEO_SAD_HI.flac")
    found = rows("crema_d", tmp_path)
    assert found[f"{folder}/1001_DFA_ANG_XX.wav"] == {
        "speaker": "crema_d_1001", "sex": "male", "emotion": "angry",
        "intensity": "unspecified", "statement": "Don't forget a jacket",
    }  # fmt: skip
    second = found[f"{folder}/1002_IEO_SAD_HI.flac"]
    assert (second["sex"], second["emotion"], second["intensity"]) == ("female", "sad", "high")


@pytest.mark.parametrize("name", ["1040_ITH_SAD_X", "1092_ITH_SAD_XX", "1040_ITH_SUR_XX", "1040_ITH_SAD"])
def test_crema_d_lists_misnamed_files(tmp_path, name):
    write_clips(tmp_path, f"{name}.wav", "1040_IEO_SAD_XX.wav")
    scan = find_corpus("crema_d").scan(tmp_path)
    assert len(scan.clips) == 1
    assert [path.stem for path, _ in scan.defects] == [name]


@pytest.mark.parametrize("spelled", ["ps", "pleasant_surprise", "pleasant_surprised", "Pleasant_surprise"])
def test_tess_counts_every_spelling_of_pleasant_surprise_as_surprise(tmp_path, spelled):
    write_clips(tmp_path, f"YAF_pleasant_surprised/YAF_back_{spelled}.wav")
    (row,) = rows("tess", tmp_path).values()
    expected = {"speaker": "tess_YAF", "sex": "female", "emotion": "surprise", "statement": "Say the word back"}
    assert row == expected


def test_tess_nested_duplicates_count_once_and_are_no_defects(tmp_path):
    inner = "TESS Toronto emotional speech set data"
    names = ("OAF_angry/OAF_back_angry.wav", "YAF_sad/YAF_back_sad.wav")
    write_clips(tmp_path / inner, *names)
    write_clips(tmp_path / inner / inner, *names)
    scan = find_corpus("tess").scan(tmp_path)
    assert sorted(clip.path.name for clip in scan.clips) == ["OAF_back_angry.wav", "YAF_back_sad.wav"]
    assert (len(scan.copies), scan.defects) == (2, [])


def test_tess_lists_the_misnamed_speaker(tmp_path):
    write_clips(tmp_path, "OA_bite_neutral.wav", "OAF_back_neutral.wav")
    scan = find_corpus("tess").scan(tmp_path)
    assert [path.name for path, _ in scan.defects] == ["OA_bite_neutral.wav"]


def test_savee_official_and_flat_names_are_the_same_clips(tmp_path):
    write_clips(tmp_path / "official/AudioData", "DC/a01.wav", "JE/a01.wav", "KL/su15.wav", "JK/n30.wav")
    official = rows("savee", tmp_path / "official")
    write_clips(tmp_path / "flat/ALL", "DC_a01.wav", "JE_a01.wav", "KL_su15.wav", "JK_n30.wav")
    flat = rows("savee", tmp_path / "flat")
    assert list(official.values()) == [
        {"speaker": f"savee_{speaker}", "sex": "male", "emotion": emotion, "sentence": sentence}
        for speaker, emotion, sentence in [
            ("DC", "angry", 1), ("JE", "angry", 1), ("JK", "neutral", 30), ("KL", "surprise", 15)
        ]
    ]  # fmt: skip
    assert list(flat.values()) == list(official.values())
    assert len(find_corpus("savee").scan(tmp_path).copies) == 4


@pytest.mark.parametrize("name", ["ALL/XX_a01.wav", "ALL/DC_a16.wav", "ALL/DC_q01.wav"])
def test_savee_lists_misnamed_files(tmp_path, name):
    write_clips(tmp_path, name)
    scan = find_corpus("savee").scan(tmp_path)
    assert (len(scan.clips), len(scan.defects)) == (0, 1)


def test_corpora_under_one_folder_keep_to_their_own_files(tmp_path):
    names = {
        "ravdess": "Actor_01/03-01-06-01-02-01-01.wav",
        "crema_d": "AudioWAV/1001_DFA_ANG_XX.wav",
        "tess": "OAF_angry/OAF_back_angry.wav",
        "savee": "AudioData/DC/a01.wav",
    }
    write_clips(tmp_path, *names.values(), "some/other.wav")
    for corpus, name in names.items():
        scan = find_corpus(corpus).scan(tmp_path)
        assert [clip.path for clip in scan.clips] == [tmp_path / name]
        assert scan.defects == []


def test_several_corpora_are_one_table_with_emotions_in_the_projects_order(tmp_path):
    write_clips(
        tmp_path, "03-01-02-01-02-01-01.wav", "1001_DFA_ANG_XX.wav", "OAF_back_ps.wav", "ALL/DC_n01.wav"
    )  # fmt: skip
    table = load_corpora(["savee", "tess", "crema_d", "ravdess"], tmp_path, cache_dir=tmp_path / "cache")
    emotions = ["neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"]
    assert table.features["emotion"].names == emotions
    found = {row["corpus"]: row for row in table}
    assert {corpus: emotions[row["emotion"]] for corpus, row in found.items()} == {
        "savee": "neutral", "tess": "surprise", "crema_d": "angry", "ravdess": "calm"
    }  # fmt: skip
    assert (found["tess"]["intensity"], found["ravdess"]["repetition"], found["savee"]["sentence"]) == (None, 1, 1)


def test_labels_are_chosen_merged_or_refused_never_dropped_silently(tmp_path):
    write_clips(tmp_path, "03-01-01-01-02-01-01.wav", "03-01-02-01-02-01-01.wav", "03-01-03-01-02-01-01.wav")

    def emotions(**choice):
        table = load_corpora(["ravdess"], tmp_path, cache_dir=tmp_path / "cache", **choice)
        return [table.features["emotion"].names[index] for index in table["emotion"]]

    assert emotions() == ["neutral", "calm", "happy"]
    assert emotions(labels=["happy", "neutral"], relabel={"calm": "neutral"}) == ["neutral", "neutral", "happy"]
    assert emotions(labels=["happy", "neutral"], relabel={"calm": None}) == ["neutral", "happy"]
    with pytest.raises(CorpusError, match="ravdess has the label calm, which is none of happy, neutral"):
        emotions(labels=["happy", "neutral"])


def test_columns_of_one_name_have_one_type_in_all_corpora():
    types = {}
    for builder in CORPORA.values():
        for column, feature in builder.extra_features.items():
            assert types.setdefault(column, feature) == feature


def test_expected_counts_agree_with_each_other():
    totals = {"ravdess": 1440, "crema_d": 7442, "tess": 2800, "savee": 480}
    for corpus, total in totals.items():
        builder = CORPORA[corpus]
        assert sum(builder.clips_per_label.values()) == sum(builder.clips_per_speaker.values()) == total
        assert tuple(builder.clips_per_label) == builder.labels


def test_one_corpus_takes_at_most_sixty_lines():
    folder = Path(__file__).parent.parent / "datasets_scripts"
    for corpus in ("crema_d", "tess", "savee"):
        assert len((folder / f"{corpus}.py").read_text().splitlines()) <= 60


def test_an_unknown_corpus_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(CorpusError, match="no corpus called emodb; known are ravdess, crema_d"):
        load_corpora(["emodb"], tmp_path)
