"""The protocols, and what each of them leaks."""

import pytest
from datasets import ClassLabel, Dataset

from datasets_scripts import CORPORA, CorpusError
from datasets_scripts.leakage import leakage_report
from datasets_scripts.splits import count_folds, make_split

EMOTIONS = ["neutral", "happy", "sad", "angry"]


def table_of(**speakers: dict[str, str]) -> Dataset:
    """Ten clips of four emotions for each speaker: corpus -> {speaker: sex}."""
    rows = [
        {"corpus": corpus, "speaker": speaker, "sex": sex, "emotion": emotion, "content": f"{speaker}-{emotion}-{take}"}
        for corpus, sexes in speakers.items()
        for speaker, sex in sexes.items()
        for emotion in EMOTIONS
        for take in range(10)
    ]
    return Dataset.from_list(rows).cast_column("emotion", ClassLabel(names=EMOTIONS))


RAVDESS = {f"ravdess_{actor:02d}": "male" if actor % 2 else "female" for actor in range(1, 25)}
SAVEE = dict.fromkeys(("savee_DC", "savee_JE", "savee_JK", "savee_KL"), "male")
TESS = dict.fromkeys(("tess_OAF", "tess_YAF"), "female")


def speakers_of(table, items):
    names = list(table["speaker"])
    return {names[clip] for clip, _ in items}


@pytest.mark.parametrize("fold", range(1, 7))
def test_speaker_folds_share_no_speaker_and_validate_on_half_of_each_sex(fold):
    table = table_of(ravdess=RAVDESS)
    split = make_split(table, "speaker", fold)
    train, validation, test = (speakers_of(table, items) for items in split.parts().values())
    assert (len(train), len(validation), len(test)) == (16, 4, 4)
    assert len(train | validation | test) == 24
    assert sorted(RAVDESS[name] for name in validation) == ["female", "female", "male", "male"]
    report = leakage_report(table, split)
    assert report["leaking"] is False
    nothing = {"shared_speakers": 0, "shared_clips": 0, "augmented_twins": 0}
    assert (report["validation"], report["test"]) == (nothing, nothing)


def test_speaker_fold_one_is_the_published_one():
    table = table_of(ravdess=RAVDESS, savee=SAVEE, tess=TESS)
    tested = speakers_of(table, make_split(table, "speaker", 1).test)
    assert tested == {"ravdess_01", "ravdess_11", "ravdess_20", "ravdess_21", "savee_JE", "tess_OAF"}


def test_a_pooled_fold_counts_round_where_a_corpus_has_fewer():
    table = table_of(ravdess=RAVDESS, savee=SAVEE, tess=TESS)
    with pytest.raises(CorpusError, match="folds 1 to 6"):
        make_split(table, "speaker", 7)
    tested = speakers_of(table, make_split(table, "speaker", 6).test)
    assert tested == {"ravdess_06", "ravdess_13", "ravdess_17", "ravdess_22", "savee_KL", "tess_YAF"}


def test_every_speaker_of_every_corpus_is_tested_exactly_once():
    everyone = {
        name: dict.fromkeys(CORPORA[name].clips_per_speaker, "male") for name in ("ravdess", "crema_d", "tess", "savee")
    }
    for (corpus, speakers), num_folds in zip(everyone.items(), (6, 5, 2, 4), strict=True):
        table = table_of(**{corpus: speakers})
        folds = [make_split(table, "speaker", fold + 1) for fold in range(num_folds)]
        tested = [speaker for split in folds for speaker in speakers_of(table, split.test)]
        assert sorted(tested) == sorted(speakers)


def test_a_corpus_with_fewer_than_three_training_speakers_validates_on_a_tenth_of_its_clips():
    table = table_of(tess=TESS)
    split = make_split(table, "speaker", 2)
    assert speakers_of(table, split.test) == {"tess_YAF"}
    assert speakers_of(table, split.validation) == speakers_of(table, split.train) == {"tess_OAF"}
    assert (len(split.train), len(split.validation)) == (36, 4)
    assert "tess: validation shares its speaker with training" in split.notes[0]
    report = leakage_report(table, split)
    assert report["validation"]["shared_speakers"] == 1
    assert report["test"]["shared_speakers"] == 0


def test_three_training_speakers_give_one_to_validation():
    table = table_of(savee=SAVEE)
    split = make_split(table, "speaker", 3)
    assert speakers_of(table, split.test) == {"savee_DC"}
    assert len(speakers_of(table, split.validation)) == 1
    assert len(speakers_of(table, split.train)) == 2


def test_the_only_voice_of_a_sex_is_drawn_like_any_other():
    speakers = {f"own_{index}": "male" for index in range(12)} | {"own_w": "female"}
    drawn = [speakers_of(table_of(own=speakers), make_split(table_of(own=speakers), "speaker", 1, seed).validation)
             for seed in range(8)]  # fmt: skip
    assert any("own_w" not in names for names in drawn)
    assert all(len(names) in (1, 2) for names in drawn)


def test_speakers_of_unknown_sex_can_be_split():
    table = table_of(own={"own_a": "male", "own_b": None, "own_c": "female", "own_d": None, "own_e": ""})
    split = make_split(table, "speaker", 1)
    assert not speakers_of(table, split.train) & speakers_of(table, split.test)


def test_random_is_stratified_and_shares_speakers_but_no_clip():
    table = table_of(ravdess=RAVDESS)
    split = make_split(table, "random", 1, num_views=2)
    assert (len(split.train), len(split.validation), len(split.test)) == (691 * 3, 77, 192)
    emotions = list(table["emotion"])
    counts = [sum(emotions[clip] == index for clip, _ in split.test) for index in range(4)]
    assert counts == [48] * 4
    assert {view for _, view in split.train} == {0, 1, 2}
    assert {view for _, view in split.validation + split.test} == {0}
    for nobody in (split.test[0][0], split.train[0][0]):  # one clip that does not say who speaks is enough
        speakers = [None if clip == nobody else name for clip, name in enumerate(table["speaker"])]
        unknown = leakage_report(table.remove_columns("speaker").add_column("speaker", speakers), split)
        assert unknown["test"] == {"shared_speakers": None, "shared_clips": 0, "augmented_twins": 0}
        assert "not known" in unknown["notes"][-1]
    report = leakage_report(table, split)
    assert report["test"] == {"shared_speakers": 24, "shared_clips": 0, "augmented_twins": 0}
    assert report["leaking"] is False


def test_random_folds_test_every_clip_once_and_follow_the_seed():
    table = table_of(ravdess=RAVDESS)
    tested = [make_split(table, "random", fold, seed=3).test for fold in range(1, 6)]
    assert sorted(item for items in tested for item in items) == [(clip, 0) for clip in range(len(table))]
    assert make_split(table, "random", 1, seed=3).test == tested[0]
    assert make_split(table, "random", 1, seed=4).test != tested[0]


def test_random_augmented_leaks_and_says_so():
    table = table_of(ravdess=RAVDESS)
    split = make_split(table, "random-augmented", 1, num_views=2)
    items = split.train + split.validation + split.test
    assert sorted(items) == [(clip, view) for clip in range(len(table)) for view in range(3)]
    report = leakage_report(table, split)
    assert report["leaking"] is True
    assert report["test"]["augmented_twins"] > len(split.test) / 2
    assert any("Leaking by design" in note for note in report["notes"])


def test_random_augmented_without_views_is_random():
    table = table_of(ravdess=RAVDESS)
    report = leakage_report(table, make_split(table, "random-augmented", 1))
    assert report["leaking"] is False and report["notes"] == ["Speakers are shared between training and test."]


def test_the_same_recording_on_both_sides_is_found_by_its_content():
    table = table_of(ravdess=RAVDESS)
    split = make_split(table, "speaker", 1)
    contents = list(table["content"])
    contents[split.test[0][0]] = contents[split.train[0][0]]
    changed = table.remove_columns("content").add_column("content", contents)
    report = leakage_report(changed, split)
    assert report["test"]["shared_clips"] == 1
    assert report["leaking"] is True


@pytest.mark.parametrize(
    ("protocol", "fold", "count"), [("speaker", 7, 6), ("speaker", 0, 6), ("random", 6, 5), ("random-augmented", 0, 5)]
)
def test_a_fold_that_does_not_exist_gives_a_sentence(protocol, fold, count):
    with pytest.raises(CorpusError, match=f"no fold {fold}: .* folds 1 to {count}"):
        make_split(table_of(ravdess=RAVDESS), protocol, fold)


@pytest.mark.parametrize(("fold", "tested"), enumerate(("ravdess", "savee", "tess"), start=1))
def test_each_corpus_is_left_out_in_turn(fold, tested):
    table = table_of(ravdess=RAVDESS, savee=SAVEE, tess=TESS)
    split = make_split(table, "leave-corpus-out", fold)
    others = [name for name in ("ravdess", "savee", "tess") if name != tested]
    corpora = list(table["corpus"])
    assert {corpora[clip] for clip, _ in split.test} == {tested}
    assert len(split.test) == corpora.count(tested)
    assert {corpora[clip] for clip, _ in split.train} == {corpora[clip] for clip, _ in split.validation} == set(others)
    of_ravdess = {name for name in speakers_of(table, split.validation) if name.startswith("ravdess")}
    assert len(of_ravdess) == (0 if tested == "ravdess" else 4)
    assert not of_ravdess & speakers_of(table, split.train)
    assert split.notes[0] == f"Test corpus: {tested}; trained on {', '.join(others)}."
    report = leakage_report(table, split)
    assert report["leaking"] is False
    assert report["test"] == {"shared_speakers": 0, "shared_clips": 0, "augmented_twins": 0}


def test_clips_with_a_label_of_one_corpus_alone_are_not_tested_and_noted():
    table = table_of(ravdess=RAVDESS, savee=SAVEE)
    rows = [row for row in range(len(table)) if table[row]["corpus"] == "ravdess" or table[row]["emotion"] != 2]
    table = table.select(rows)  # SAVEE has nothing sad
    split = make_split(table, "leave-corpus-out", 1)
    assert {table[clip]["emotion"] for clip, _ in split.test} == {0, 1, 3}
    assert "ravdess: its 240 clips of sad are not tested; no training corpus has that label." in split.notes
    assert len(make_split(table, "leave-corpus-out", 2).test) == 120


def test_leaving_a_corpus_out_needs_two_with_a_label_in_common():
    with pytest.raises(CorpusError, match="needs two corpora or more; here is ravdess only"):
        make_split(table_of(ravdess=RAVDESS), "leave-corpus-out")
    with pytest.raises(CorpusError, match=r"no fold 3: .* folds 1 to 2"):
        make_split(table_of(ravdess=RAVDESS, savee=SAVEE), "leave-corpus-out", 3)
    table = table_of(ravdess=RAVDESS, savee=SAVEE)
    apart = [row for row in range(len(table)) if (table[row]["corpus"] == "savee") == (table[row]["emotion"] < 2)]
    with pytest.raises(CorpusError, match="ravdess has no label in common"):
        make_split(table.select(apart), "leave-corpus-out")


def test_an_unknown_protocol_gives_a_sentence():
    with pytest.raises(
        CorpusError,
        match="no protocol called leave-one-out; known are speaker, leave-one-speaker-out",
    ):
        make_split(table_of(ravdess=RAVDESS), "leave-one-out")


def test_data_of_test_speakers_only_gives_a_sentence():
    with pytest.raises(CorpusError, match="Too few clips are left"):
        make_split(table_of(ravdess={"ravdess_01": "male", "ravdess_20": "female"}), "speaker", 1)


def test_data_without_the_folds_test_speakers_gives_a_sentence():
    with pytest.raises(CorpusError, match="None of fold 1's test speakers"):
        make_split(table_of(ravdess={"ravdess_02": "female", "ravdess_03": "male"}), "speaker", 1)


def test_one_speaker_alone_cannot_be_split_by_speaker():
    with pytest.raises(CorpusError, match="own has one speaker only"):
        make_split(table_of(own={"own_a": "male"}), "speaker")


def test_too_few_clips_for_a_random_split_give_a_sentence():
    few = table_of(ravdess={"ravdess_01": "male"}).select([0, 1, 10, 11])
    with pytest.raises(CorpusError, match="at least 5 clips of a label"):
        make_split(few, "random")


def test_a_validation_part_too_small_for_every_label_is_drawn_and_noted():
    small = table_of(ravdess={"ravdess_01": "male"}).select([*range(0, 6), *range(10, 16), *range(20, 26)])
    split = make_split(small, "random")
    assert len(split.validation) == 2
    assert any("without regard" in note for note in split.notes)


def test_leaving_one_speaker_out_tests_each_speaker_once_corpus_by_corpus():
    table = table_of(tess=TESS, savee=SAVEE)
    splits = [make_split(table, "leave-one-speaker-out", fold) for fold in range(1, 7)]
    tested = [speakers_of(table, split.test) for split in splits]
    assert tested == [{name} for name in [*TESS, *SAVEE]]
    for split, (name,) in zip(splits, tested, strict=True):
        assert split.notes[0] == f"Test speaker: {name}."
        parts = [speakers_of(table, items) for items in (split.train, split.validation)]
        assert name not in parts[0] | parts[1] and len(parts[0] | parts[1]) == 5
        assert leakage_report(table, split)["test"]["shared_speakers"] == 0
    with pytest.raises(CorpusError, match="no fold 7: these corpora have folds 1 to 6"):
        make_split(table, "leave-one-speaker-out", 7)
    with pytest.raises(CorpusError, match="one speaker only"):
        make_split(table_of(savee={"savee_DC": "male"}), "leave-one-speaker-out")


@pytest.mark.parametrize(
    ("protocol", "corpora", "count"),
    [
        ("speaker", {"ravdess": RAVDESS}, 6),
        ("speaker", {"savee": SAVEE, "tess": TESS}, 4),
        ("speaker", {"folder": dict.fromkeys("abcdefg", "male")}, 5),
        ("leave-one-speaker-out", {"savee": SAVEE, "tess": TESS}, 6),
        ("leave-corpus-out", {"savee": SAVEE, "tess": TESS}, 2),
        ("random", {"savee": SAVEE}, 5),
    ],
)
def test_there_is_a_split_for_each_fold_that_is_counted_and_no_more(protocol, corpora, count):
    table = table_of(**corpora)
    assert count_folds(protocol, list(corpora), lambda: table) == count
    assert make_split(table, protocol, count).test
    with pytest.raises(CorpusError, match=f"There is no fold {count + 1}"):
        make_split(table, protocol, count + 1)
