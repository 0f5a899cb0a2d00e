"""The command line of training: the own options first, every mistake one sentence."""

import pytest

from ser_model.training.arguments import parse_arguments
from ser_model.training.presets import load_preset
from ser_model.training.trainer import RunError, SerTrainingArguments


def test_command_line_over_preset_over_defaults():
    run, preset, args = parse_arguments(["--preset", "mfcc-cnn", "--seed", "3", "--num_train_epochs", "2"])
    assert (preset.name, run.protocol, run.fold, run.resume) == ("mfcc-cnn", "speaker", 1, False)
    assert args.num_train_epochs == 2 and args.per_device_train_batch_size == 64 and args.eval_strategy == "epoch"
    assert args.output_dir == "runs/mfcc-cnn-speaker-fold1-seed3"
    assert parse_arguments([])[1].name == "encoder-attention-augmented"


def test_options_that_decide_what_is_learnt_become_settings_of_the_run():
    words = ["--preset", "mfcc-cnn", "--learning_rate", "0.01", "--adam_beta1", "0.8", "--logging_steps", "7"]
    preset, plain = parse_arguments(words)[1], load_preset("mfcc-cnn")
    assert preset.training == plain.training | {"learning_rate": 0.01, "adam_beta1": 0.8}
    assert preset.notes[0] == "Preset mfcc-cnn with other training: learning_rate 0.01, adam_beta1 0.8."
    assert (
        parse_arguments(["--preset", "mfcc-cnn", "--learning_rate", str(plain.training["learning_rate"])])[1] == plain
    )


def test_one_process_trains_on_one_gpu(tmp_path):
    args = SerTrainingArguments(output_dir=str(tmp_path), use_cpu=True, per_device_train_batch_size=6)
    args._n_gpu = 4  # as transformers counts on a machine with four
    assert args.n_gpu == 1 and args.train_batch_size == 6


def test_help_shows_the_own_options_and_help_all_the_inherited_ones(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as left:
        parse_arguments(["--help"])
    own = capsys.readouterr().out
    assert left.value.code in (None, 0) and len(own.splitlines()) <= 56
    assert own.index("--preset") < own.index("--protocol") < own.index("--learning_rate")
    assert "--help-all" in own and "--adam_beta1" not in own
    with pytest.raises(SystemExit):
        parse_arguments(["--help-all"])
    everything = capsys.readouterr().out
    assert "--adam_beta1" in everything and "--preset" in everything


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--learning_rat 0.1", "There is no option --learning_rat. Did you mean --learning_rate?"),
        ("--learnign_rate=0.1", "There is no option --learnign_rate=0.1. Did you mean --learning_rate?"),
        ("--xyzzy", "There is no option --xyzzy."),
        ("--protocol by-speaker", "Argument --protocol: invalid choice: 'by-speaker' (choose from"),
        ("--fold one", "Argument --fold: invalid int value: 'one'."),
        ("--eval_strategy no", "--eval_strategy no leaves no validation figure"),
        ("--eval_strategy steps", "--save_strategy epoch does not go with --eval_strategy steps"),
        ("--metric_for_best_model f1", "--metric_for_best_model has to be one of accuracy, uar, macro_f1, loss"),
        ("--early_stopping_metric f1", "--early_stopping_metric has to be one of"),
        ("--report_to wandb", "--report_to wandb needs the package wandb, which is not installed."),
        ("--num_proc 0", "--num_proc has to be 1 or more, not 0."),
        ("--per_device_train_batch_size 0", "--per_device_train_batch_size has to be 1 or more, not 0."),
        ("--seed -1", "--seed has to be 0 or more and below 2^32, not -1."),
        ("--num_train_epochs 0", "--num_train_epochs has to be more than 0"),
        ("--refit --lr_scheduler_type reduce_lr_on_plateau", "--refit does not go with --lr_scheduler_type reduce_lr"),
        ("--label_smoothing_factor 0.1", "--label_smoothing_factor has no effect here"),
        ("--resume_from_checkpoint x", "--resume_from_checkpoint has no effect here: --resume goes on"),
        ("--learning_rate nan", "--learning_rate has to be more than 0, not nan."),
    ],
)
def test_mistakes_are_one_sentence(words, said):
    with pytest.raises(RunError) as error:
        parse_arguments(["--preset", "logmel-cnn-bilstm", *words.split()])
    assert str(error.value).startswith(said) and "\n" not in str(error.value)


def test_the_best_epoch_by_loss_is_the_one_with_the_least():
    assert parse_arguments(["--metric_for_best_model", "loss"])[2].greater_is_better is False
    assert parse_arguments(["--metric_for_best_model", "uar"])[2].greater_is_better is True
