"""Anyone's own recordings, under any label set."""

import pytest
from corpora_fixtures import write_clips

from datasets_scripts import CorpusError, load_corpora
from datasets_scripts.splits import make_split


def load(tmp_path, corpora=("folder",)):
    return load_corpora(list(corpora), tmp_path, cache_dir=tmp_path / ".cache")


def labels_of(table):
    return {row["audio"].rsplit("/", 1)[1]: table.features["emotion"].names[row["emotion"]] for row in table}


def test_folders_are_labels_in_alphabetical_order(tmp_path):
    write_clips(tmp_path, "yes/1.wav", "no/1.wav", "maybe/2.flac", "maybe/3.aiff", "unsorted.wav")
    table = load_corpora(["folder"], tmp_path, cache_dir=tmp_path / ".cache")
    assert table.features["emotion"].names == ["maybe", "no", "yes"]
    assert len(table) == 4
    assert set(table["speaker"]) == {None}


def test_emotions_keep_the_projects_order_whatever_their_case(tmp_path):
    write_clips(tmp_path, "Sad/1.wav", "angry/2.wav", "Happy/3.wav")
    assert load(tmp_path).features["emotion"].names == ["happy", "sad", "angry"]


def test_a_table_names_labels_speakers_and_sexes(tmp_path):
    write_clips(tmp_path, "a/1.wav", "a/2.wav", "3.wav")
    (tmp_path / "labels.csv").write_text(
        "\ufeffpath,label,speaker,sex\na/1.wav,shouting,ann,f\na/2.wav,whisper,bob,male\n3.wav,shouting,,\n"
    )
    table = load(tmp_path)
    assert labels_of(table) == {"1.wav": "shouting", "2.wav": "whisper", "3.wav": "shouting"}
    assert list(table["speaker"]) == ["folder_ann", "folder_bob", None]
    assert list(table["sex"]) == ["female", "male", None]


def test_a_line_of_the_table_without_file_or_label_is_left_out_and_named(tmp_path, caplog):
    write_clips(tmp_path, "1.wav", "2.wav")
    (tmp_path / "metadata.csv").write_text("file_name,label\n1.wav,yes\n2.wav,\ngone.wav,no\n")
    assert labels_of(load(tmp_path)) == {"1.wav": "yes"}
    assert "2.wav left out: metadata.csv names it, but it has no label" in caplog.text
    assert "gone.wav left out: metadata.csv names it, but it is not there" in caplog.text


def test_a_table_without_the_needed_columns_gives_a_sentence(tmp_path):
    (tmp_path / "labels.csv").write_text("name,mood\n1.wav,yes\n")
    with pytest.raises(CorpusError, match=r"needs the columns path and label; it has name, mood"):
        load(tmp_path)


def test_an_empty_folder_gives_a_sentence(tmp_path):
    with pytest.raises(CorpusError, match="No folder clip lies below"):
        load(tmp_path)


def test_without_speakers_protocol_speaker_is_refused_and_random_works(tmp_path):
    write_clips(tmp_path, *(f"{label}/{index}.wav" for label in ("no", "yes") for index in range(10)))
    table = load(tmp_path)
    with pytest.raises(CorpusError, match=r"does not say who speaks.*--protocol random"):
        make_split(table, "speaker")
    assert len(make_split(table, "random").test) == 4


def test_with_speakers_protocol_speaker_makes_its_own_folds(tmp_path):
    names = [f"{speaker}{index}.wav" for speaker in "abcdefg" for index in range(3)]
    write_clips(tmp_path, *names)
    lines = [f"{name},{('no', 'yes')[index % 2]},{name[0]}" for index, name in enumerate(names)]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label,speaker", *lines]))
    table = load(tmp_path)
    tested = [{table[clip]["speaker"] for clip, _ in make_split(table, "speaker", fold).test} for fold in range(1, 6)]
    assert sorted(name for speakers in tested for name in speakers) == [f"folder_{name}" for name in "abcdefg"]
    split = make_split(table, "speaker", 1)
    sides = [{table[clip]["speaker"] for clip, _ in items} for items in split.parts().values()]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])


def test_beside_other_corpora_it_takes_its_own_subfolder(tmp_path):
    write_clips(tmp_path, "folder/bored/1.wav", "OAF_angry/OAF_back_angry.wav")
    table = load(tmp_path, ("tess", "folder"))
    assert labels_of(table) == {"OAF_back_angry.wav": "angry", "1.wav": "bored"}
    assert table.features["emotion"].names[-1] == "bored"
